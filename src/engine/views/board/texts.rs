//! What words are looked for in, of all cards of a kind side by side: in small letters, in lines, so that a word is not
//! found across two of them. A search is one walk over one piece of memory; each card knows its text by number, each text
//! its card by key.
//!
//! A text that changes is put behind; the old one is nobody's, and stays until annai is started again.

use std::collections::HashMap;

/// See the module. `K`: the key of a card.
#[derive(Debug)]
pub(super) struct Texts<K> {
    text: String,
    ends: Vec<usize>,
    owners: Vec<Option<K>>,
    /// Of each text the domain of its address, by number: there are far fewer of them than texts.
    domains: Vec<u32>,
    names: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
}

impl<K> Default for Texts<K> {
    fn default() -> Self {
        Self {
            text: String::new(),
            ends: Vec::new(),
            owners: Vec::new(),
            domains: Vec::new(),
            names: Vec::new(),
            numbers: HashMap::new(),
        }
    }
}

impl<K: Copy + Ord> Texts<K> {
    /// The number of `owner`'s text; that of its earlier one, if it is the same.
    pub(super) fn keep(&mut self, owner: K, earlier: Option<u32>, text: &str) -> u32 {
        if let Some(earlier) = earlier {
            if self.get(earlier) == text {
                return earlier;
            }
            self.forget(earlier);
        }
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.text.push_str(text);
        self.ends.push(self.text.len());
        self.owners.push(Some(owner));
        let domain = self.domain_no(domain(text));
        self.domains.push(domain);
        number
    }

    fn domain_no(&mut self, domain: &str) -> u32 {
        if let Some(number) = self.numbers.get(domain) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(domain.into());
        self.numbers.insert(domain.into(), number);
        number
    }

    /// Of each text whether its address's domain fits; each domain is asked once.
    pub(super) fn of_domain(&self, fits: impl Fn(&str) -> bool) -> Fitting {
        let good = Fitting(self.names.iter().map(|name| fits(name)).collect());
        Fitting(self.domains.iter().map(|domain| good.has(*domain)).collect())
    }

    /// The card of this text is gone.
    pub(super) fn forget(&mut self, number: u32) {
        if let Some(owner) = self.owners.get_mut(place(number)) {
            *owner = None;
        }
    }

    /// Keys of the cards whose texts, by number, fit; in their order.
    pub(super) fn owners(&self, fits: impl Fn(u32) -> bool) -> Vec<K> {
        let owned = (0..).zip(&self.owners).filter_map(|(number, owner)| Some((number, (*owner)?)));
        let mut keys: Vec<K> = owned.filter(|(number, _)| fits(*number)).map(|(_, owner)| owner).collect();
        // Nearly always they are in order already.
        keys.sort_unstable();
        keys
    }

    fn get(&self, number: u32) -> &str {
        let place = place(number);
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
        self.0.get(place(number)).copied().unwrap_or(false)
    }
}

fn place(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
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
fn domain(text: &str) -> &str {
    first(text).rsplit_once('@').map_or("", |(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_by_number_and_kept_once() {
        let mut texts = Texts::default();
        let sapporo = texts.keep('s', None, &lines(&["Hoken@City.Sapporo.lg.jp", "札幌市", "011002-00"]));
        let nobody = texts.keep('n', None, "");
        let tokyo = texts.keep('a', None, &lines(&["a@metro.tokyo.jp", "東京都", "130001-00"]));
        assert_eq!(texts.keep('s', Some(sapporo), "hoken@city.sapporo.lg.jp\n札幌市\n011002-00"), sapporo);
        let moved = texts.keep('s', Some(sapporo), "new@city.sapporo.lg.jp\n札幌市\n011002-00");
        assert_eq!([sapporo, nobody, tokyo, moved], [0, 1, 2, 3]);
        let found = |fits: &dyn Fn(&str) -> bool| {
            let fitting = texts.that(fits);
            (0..5).filter(|number| fitting.has(*number)).collect::<Vec<_>>()
        };
        assert_eq!(found(&|text| text.contains("札幌")), [0, 3]);
        let of_domain = |wanted: &str| {
            let fitting = texts.of_domain(|name| name == wanted);
            (0..5).filter(|number| fitting.has(*number)).collect::<Vec<_>>()
        };
        assert_eq!(of_domain("metro.tokyo.jp"), [2]);
        assert_eq!((of_domain("city.sapporo.lg.jp"), of_domain("")), (vec![0, 3], vec![1]));
        assert_eq!(found(&|text| last(text).starts_with("011")), [0, 3]);
        assert_eq!(found(&|text| rest(text).contains("a@")), [0; 0]);
        // In the order of the keys; what was replaced or is gone is nobody's.
        assert_eq!(texts.owners(|_| true), ['a', 'n', 's']);
        assert_eq!(texts.owners(|number| number == sapporo), [' '; 0]);
        texts.forget(tokyo);
        assert_eq!(texts.owners(|_| true), ['n', 's']);
    }
}
