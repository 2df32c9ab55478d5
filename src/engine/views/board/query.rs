//! What is typed into the search box: `state:open name:札幌 domain:lg.jp 保健所`. Words and keys all have to fit; a value
//! with blanks stands in quotation marks. Large and small letters are the same. Nothing typed is an error: a key that is
//! none is searched for as a word, and what is too long is left out.

/// Characters of a query that count.
pub(super) const QUERY_CHARS_MAX: usize = 200;
/// Words and keys of a query that count: each is a walk over all texts.
const PARTS_MAX: usize = 10;

/// What a value is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Name of a tenant or subject of a mail.
    Name,
    Address,
    /// The code of a state or disposition, or its Japanese word.
    State,
    /// Domain of an address, or the end of it.
    Domain,
    /// Why a mail or letter waits.
    Reason,
    /// Kind of a letter.
    Letter,
    /// Days left of an open window: `3`, `4-7`.
    Days,
    /// Tenant id, or the beginning of it: `13` is Tokyo.
    Id,
}

const KEYS: [(&str, Key); 8] = [
    ("name", Key::Name),
    ("address", Key::Address),
    ("state", Key::State),
    ("domain", Key::Domain),
    ("reason", Key::Reason),
    ("letter", Key::Letter),
    ("days", Key::Days),
    ("id", Key::Id),
];

/// A query, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// As it was typed.
    pub text: String,
    pub words: Vec<String>,
    pub keys: Vec<(Key, String)>,
}

impl Query {
    pub fn parse(text: &str) -> Self {
        let text: String =
            text.chars().filter(|c| !c.is_control()).take(QUERY_CHARS_MAX).collect::<String>().trim().to_owned();
        let mut query = Self::default();
        for part in parts(&text).into_iter().take(PARTS_MAX) {
            let known = part.split_once([':', '：']).and_then(|(key, value)| {
                let key = KEYS.iter().find(|(name, _)| name.eq_ignore_ascii_case(key))?.1;
                (!value.is_empty()).then(|| (key, value.to_lowercase()))
            });
            match known {
                Some(known) => query.keys.push(known),
                None => query.words.push(part.to_lowercase()),
            }
        }
        query.text = text;
        query
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.keys.is_empty()
    }

    /// Whether a key is given at all.
    pub fn has(&self, key: Key) -> bool {
        self.keys.iter().any(|(given, _)| *given == key)
    }
}

/// Parts between blanks; blanks within quotation marks belong to the part.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => parts.push(String::new()),
            c => parts.last_mut().into_iter().for_each(|part| part.push(c)),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// `text` holds `part`, which is in small letters.
pub(super) fn holds(text: &str, part: &str) -> bool {
    text.contains(part) || text.chars().any(char::is_uppercase) && text.to_lowercase().contains(part)
}

/// A domain is `wanted`, or lies below it, or begins so.
pub(super) fn in_domain(domain: &str, wanted: &str) -> bool {
    let wanted = wanted.trim_start_matches('@');
    domain == wanted
        || domain.strip_suffix(wanted).is_some_and(|rest| rest.ends_with('.'))
        || domain.starts_with(wanted)
}

/// `3` or `4-7`, both ends counted; anything else fits nothing.
pub(super) fn in_range(value: i64, range: &str) -> bool {
    let (from, to) = range.split_once('-').unwrap_or((range, range));
    match (from.parse::<i64>(), to.parse::<i64>()) {
        (Ok(from), Ok(to)) => (from..=to).contains(&value),
        (Ok(from), Err(_)) if to.is_empty() => value >= from,
        (Ok(_) | Err(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_words_and_quotation_marks() {
        let query = Query::parse(" state:OPEN  name:\"札幌市 保健所\" unknown:x 米子 state: ");
        assert_eq!(query.keys, [(Key::State, "open".to_owned()), (Key::Name, "札幌市 保健所".to_owned())]);
        assert_eq!(query.words, ["unknown:x", "米子", "state:"]);
        assert_eq!(Query::parse("\u{0}\"").words, Vec::<String>::new());
        assert!(Query::parse("　").is_empty());
        assert_eq!(Query::parse(&"a ".repeat(100)).words.len(), PARTS_MAX);
    }

    #[test]
    fn domains_and_ranges() {
        assert!(in_domain("city.sapporo.lg.jp", "lg.jp") && in_domain("city.sapporo.lg.jp", "@city.sapporo"));
        assert!(!in_domain("evillg.jp", "lg.jp"));
        assert!(
            in_range(5, "4-7") && in_range(3, "3") && in_range(90, "31-") && !in_range(3, "x") && !in_range(8, "4-7")
        );
    }
}
