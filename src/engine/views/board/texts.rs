//! What words are looked for in, of all cards of a kind side by side: in small letters, in lines, so that a word is not
//! found across two of them. A search is one walk over one piece of memory; each card knows its text by number.
//!
//! A text that changes is put behind; the old one stays until annai is started again.

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Texts {
    text: String,
    ends: Vec<usize>,
}

impl Texts {
    /// The number of `text`; that of the card's earlier one, if it is the same.
    pub(super) fn keep(&mut self, earlier: Option<u32>, text: &str) -> u32 {
        if let Some(earlier) = earlier.filter(|earlier| self.get(*earlier) == text) {
            return earlier;
        }
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.text.push_str(text);
        self.ends.push(self.text.len());
        number
    }

    fn get(&self, number: u32) -> &str {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(place).and_then(|end| self.text.get(start..*end)).unwrap_or_default()
    }

    /// Of each text by its number, whether it fits.
    pub(super) fn that(&self, fits: impl Fn(&str) -> bool) -> Fitting {
        let mut start = 0;
        let each = self.ends.iter().map(|end| {
            let text = self.text.get(start..*end).unwrap_or_default();
            start = *end;
            fits(text)
        });
        Fitting(each.collect())
    }
}

/// Which texts fit, by their numbers.
pub(super) struct Fitting(Vec<bool>);

impl Fitting {
    pub(super) fn has(&self, number: u32) -> bool {
        usize::try_from(number).ok().and_then(|place| self.0.get(place)).copied().unwrap_or(false)
    }
}

/// Several lines as one text.
pub(super) fn lines(lines: &[&str]) -> String {
    lines.join("\n").to_lowercase()
}

/// The first line: an address.
pub(super) fn first(text: &str) -> &str {
    text.split('\n').next().unwrap_or_default()
}

/// The second line and what follows.
pub(super) fn rest(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, rest)| rest)
}

/// The last line: an id.
pub(super) fn last(text: &str) -> &str {
    text.rsplit('\n').next().unwrap_or_default()
}

/// The domain of the address in the first line; empty: there is none.
pub(super) fn domain(text: &str) -> &str {
    first(text).rsplit_once('@').map_or("", |(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_by_number_and_kept_once() {
        let mut texts = Texts::default();
        let sapporo = texts.keep(None, &lines(&["Hoken@City.Sapporo.lg.jp", "札幌市", "011002-00"]));
        let nobody = texts.keep(None, "");
        let tokyo = texts.keep(None, &lines(&["a@metro.tokyo.jp", "東京都", "130001-00"]));
        assert_eq!(texts.keep(Some(sapporo), "hoken@city.sapporo.lg.jp\n札幌市\n011002-00"), sapporo);
        let moved = texts.keep(Some(sapporo), "new@city.sapporo.lg.jp\n札幌市\n011002-00");
        assert_eq!([sapporo, nobody, tokyo, moved], [0, 1, 2, 3]);
        let found = |fits: &dyn Fn(&str) -> bool| {
            let fitting = texts.that(fits);
            (0..5).filter(|number| fitting.has(*number)).collect::<Vec<_>>()
        };
        assert_eq!(found(&|text| text.contains("札幌")), [0, 3]);
        assert_eq!(found(&|text| domain(text) == "metro.tokyo.jp"), [2]);
        assert_eq!(found(&|text| last(text).starts_with("011")), [0, 3]);
        assert_eq!(found(&|text| rest(text).contains("a@")), [0; 0]);
    }
}
