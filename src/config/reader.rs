//! Reads one TOML table key by key and collects every fault with its line, so that a person mends a file once and not
//! fault by fault. Values never appear in an error: a password typed in the wrong place must not reach a log.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Farthest edit distance at which a known name is offered for an unknown one.
const SUGGEST_DISTANCE_MAX: usize = 3;

/// One fault in the configuration. Printed as `annai.toml:12: [imap] port is 0; give 1 to 65535`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    pub file: PathBuf,
    /// From 1; `None` where the whole file (or no file) is meant.
    pub line: Option<usize>,
    pub fault: String,
    pub remedy: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}; {}", self.fault, self.remedy)
    }
}

/// The text being read and the faults found in it.
pub(super) struct Source<'a> {
    pub(super) file: &'a Path,
    pub(super) text: &'a str,
    pub(super) faults: Vec<ConfigError>,
}

impl Source<'_> {
    /// Line of a byte offset, from 1.
    fn line(&self, offset: usize) -> usize {
        self.text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
    }

    pub(super) fn fault(&mut self, offset: Option<usize>, fault: impl Into<String>, remedy: impl Into<String>) {
        let line = offset.map(|o| self.line(o));
        self.faults.push(ConfigError { file: self.file.to_owned(), line, fault: fault.into(), remedy: remedy.into() });
    }
}

/// One section (`[imap]`, or the top of the file with the name ``).
pub(super) struct Section<'s, 'a, 't> {
    source: &'s mut Source<'a>,
    name: &'static str,
    table: Option<&'t DeTable<'t>>,
    /// Byte offset of the section's heading; `None`: the section is not in the file.
    at: Option<usize>,
}

impl<'s, 'a, 't> Section<'s, 'a, 't> {
    /// The top of the file.
    pub(super) fn root(source: &'s mut Source<'a>, root: &'t DeTable<'t>) -> Self {
        Self { source, name: "", table: Some(root), at: Some(0) }
    }

    /// A section of the file; it may be absent, then every key is.
    pub(super) fn open(source: &'s mut Source<'a>, root: &'t DeTable<'t>, name: &'static str) -> Self {
        let Some(value) = root.get(name) else { return Self { source, name, table: None, at: None } };
        let table = value.get_ref().as_table();
        if table.is_none() {
            source.fault(Some(value.span().start), format!("{name} is not a section"), format!("write [{name}]"));
        }
        Self { source, name, table, at: Some(value.span().start) }
    }

    /// The section must be there; one fault instead of one per key.
    pub(super) fn must_exist(&mut self, keys: &str) -> bool {
        if self.at.is_none() {
            let name = self.name;
            self.source.fault(None, format!("section [{name}] is missing"), format!("add it with {keys}"));
        }
        self.table.is_some()
    }

    /// Names the key as it is printed: `[imap] host`, or `state_dir` at the top.
    fn label(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("[{}] {key}", self.name) }
    }

    fn value(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.table.and_then(|t| t.get(key))
    }

    /// Records a fault of `key`, at its line or else at the section's heading.
    pub(super) fn fault(&mut self, key: &str, what: &str, remedy: impl Into<String>) {
        let offset = self.value(key).map(|v| v.span().start).or(self.at);
        let label = self.label(key);
        self.source.fault(offset, format!("{label} {what}"), remedy);
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    pub(super) fn string(&mut self, key: &'static str) -> Option<String> {
        let value = self.value(key)?;
        match value.get_ref().as_str() {
            Some("") => self.fault(key, "is empty", "give a value or remove the line"),
            Some(text) if text.chars().any(char::is_control) => {
                self.fault(key, "has a control character in it", "write it on one line of plain text");
            }
            Some(text) => return Some(text.to_owned()),
            None => self.fault(key, "is not a text", format!("write {key} = \"…\"")),
        }
        None
    }

    /// A text that must be there; `example` is shown if it is not.
    pub(super) fn required(&mut self, key: &'static str, example: &str) -> Option<String> {
        if self.table.is_some() && !self.has(key) {
            self.fault(key, "is missing", format!("add {key} = \"{example}\""));
        }
        self.string(key)
    }

    /// A text read by `T`'s own rules (addresses, socket addresses).
    pub(super) fn parsed<T: std::str::FromStr<Err: fmt::Display>>(
        &mut self,
        key: &'static str,
        example: &str,
    ) -> Option<T> {
        let text = self.string(key)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(why) => {
                self.fault(key, &format!("cannot be used ({why})"), format!("write it like \"{example}\""));
                None
            }
        }
    }

    /// One word of a closed list.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let text = self.string(key)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let list: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            self.fault(key, "is none of the words known here", format!("give {}", list.join(" or ")));
        }
        found
    }

    pub(super) fn number(&mut self, key: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        let value = self.value(key)?;
        let number = value.get_ref().as_integer().and_then(|n| {
            let digits: String = n.as_str().chars().filter(|c| *c != '_').collect();
            u32::from_str_radix(&digits, n.radix()).ok()
        });
        let found = number.filter(|n| range.contains(n));
        if found.is_none() && value.get_ref().as_integer().is_none() {
            self.fault(
                key,
                "is not a whole number",
                format!("write it without quotation marks, like {key} = {}", range.end()),
            );
        } else if found.is_none() {
            let remedy = format!("give a whole number from {} to {}", range.start(), range.end());
            self.fault(key, "is out of range", remedy);
        }
        found
    }

    pub(super) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.fault(key, "is neither true nor false", format!("write {key} = true or {key} = false"));
        }
        found
    }

    /// A path, relative to the configuration file unless absolute or a systemd credential.
    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        let text = self.string(key)?;
        Some(beside(self.source.file, &text))
    }

    /// Names every key that is not in `known`. `elsewhere` tells the section in which a name is known.
    pub(super) fn unknown_keys(&mut self, known: &[&str], elsewhere: impl Fn(&str) -> Option<&'static str>) {
        let Some(table) = self.table else { return };
        let known_set: BTreeSet<&str> = known.iter().copied().collect();
        for key in table.keys() {
            let name: &str = key.get_ref();
            if known_set.contains(name) {
                continue;
            }
            let remedy = match (elsewhere(name), nearest(name, known)) {
                (Some(section), _) => format!("it belongs {section}"),
                (None, Some(near)) => format!("did you mean {near}?"),
                (None, None) => format!("known here: {}", known.join(", ")),
            };
            let label = self.label(&name.escape_debug().to_string());
            self.source.fault(Some(key.span().start), format!("{label} is not a setting"), remedy);
        }
    }
}

/// `text` as a path beside `file`. `credential:NAME` stays as it is.
fn beside(file: &Path, text: &str) -> PathBuf {
    if text.starts_with(super::CREDENTIAL_PREFIX) {
        return PathBuf::from(text);
    }
    file.parent().map_or_else(|| PathBuf::from(text), |dir| dir.join(text))
}

/// The known name closest to `name`, if one is close enough to be meant: few edits away, or the one beginning with the
/// other (`password` for `password_file`).
pub(super) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let close = known.iter().map(|k| (distance(name, k), *k)).min();
    let limit = SUGGEST_DISTANCE_MAX.min(name.chars().count().div_ceil(2));
    let edited = close.filter(|(d, _)| *d <= limit).map(|(_, k)| k);
    let prefix = || known.iter().copied().find(|k| name.len() >= 4 && (k.starts_with(name) || name.starts_with(k)));
    edited.or_else(prefix)
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((cb, above), diagonal) in b.iter().zip(row.iter().skip(1)).zip(row.iter()) {
            let left = next.last().copied().unwrap_or_default();
            next.push((diagonal + usize::from(ca != *cb)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_meant_is_found() {
        let known = ["host", "port", "user", "password_file", "mailbox"];
        assert_eq!(nearest("hots", &known), Some("host"));
        assert_eq!(nearest("password", &known), Some("password_file"));
        assert_eq!(nearest("mail_box", &known), Some("mailbox"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
