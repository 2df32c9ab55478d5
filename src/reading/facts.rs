//! What a form states, as collected by the walk over its lines and before any judgement.

use super::entry::Stated;
use super::normalise::{LINE_BYTES_MAX, is_letter};
use super::origin::Rule;
use super::pattern::{matches, pattern};
use crate::domain::MailAddress;

pattern!(
    ENDS,
    r"(?:[。、.:!?…)」』】\]>~〜]|です|ます|せん|した|さい|願い|まで|から|以上|記|様|殿|宛て?|御中|各位|拝啓|敬具|前略|草々|[0-9A-Za-z])$"
);

/// One tenant as stated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// Empty if the line gives none.
    pub(super) name: String,
    pub(super) address: Option<MailAddress>,
    pub(super) others: Vec<MailAddress>,
    pub(super) line: usize,
    /// Line of the address, where it is not the name's.
    pub(super) address_line: usize,
    pub(super) rule: Rule,
    /// Something like an address stands there that is none.
    pub(super) broken: bool,
    /// The name stands behind the address.
    pub(super) trailing: bool,
}

impl Entry {
    /// What one line states.
    pub(super) fn new(stated: Stated, line: usize) -> Self {
        let mut addresses = stated.addresses.into_iter();
        Self {
            name: stated.name,
            address: addresses.next(),
            others: addresses.collect(),
            line,
            address_line: line,
            rule: Rule::Listed,
            broken: stated.broken,
            trailing: stated.trailing,
        }
    }
}

/// Words of the sender: one line, or lines that a mail program broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: String,
    /// The first line and the last.
    pub(super) lines: (usize, usize),
}

/// What a text states.
#[derive(Debug, Default)]
pub(super) struct Form {
    /// The number of health centres each heading of theirs gives.
    pub(super) counts: Vec<Option<usize>>,
    pub(super) authority: Vec<Entry>,
    pub(super) centres: Vec<Entry>,
    /// Entries outside any section, before the closing words.
    pub(super) loose: Vec<Entry>,
    pub(super) authority_heading: bool,
    pub(super) centre_heading: bool,
    /// Lines of the form's example that nobody replaced.
    pub(super) templates: Vec<usize>,
    /// Addresses in notes and sentences that name a tenant.
    pub(super) strays: Vec<usize>,
    /// Lines marked 誤 and 正, 旧 and 新.
    pub(super) corrective: bool,
    /// What the sender says in words outside the signature: whole sentences, however a mail program broke their lines.
    pub(super) words: Vec<Said>,
}

/// Shortest line a mail program breaks, in characters; what is shorter was broken by hand, and only behind a comma goes on.
const BROKEN_CHARS_MIN: usize = 18;

impl Form {
    /// Takes up a line of words. It goes on with the line above if that one breaks off.
    pub(super) fn say(&mut self, text: &str, line: usize) {
        if let Some(last) = self.words.last_mut()
            && last.lines.1 + 1 == line
            && last.text.len() < LINE_BYTES_MAX
            && breaks_off(&last.text)
            && text.starts_with(is_letter)
        {
            last.text.push_str(text);
            last.lines.1 = line;
        } else {
            self.words.push(Said { text: text.to_owned(), lines: (line, line) });
        }
    }

    /// All of it, a sentence to a line.
    pub(super) fn spoken(&self) -> String {
        self.words.iter().flat_map(|said| [said.text.as_str(), "\n"]).collect()
    }

    /// The number of health centres all their headings together give.
    pub(super) fn announced(&self) -> Option<usize> {
        let given: Option<Vec<usize>> = self.counts.iter().copied().collect();
        given.filter(|counts| !counts.is_empty()).map(|counts| counts.into_iter().sum())
    }

    /// Does it state any address?
    pub(super) fn has_data(&self) -> bool {
        self.authority.iter().chain(&self.centres).any(|e| e.address.is_some() || e.broken)
    }
}

/// Does the line end within a sentence?
fn breaks_off(text: &str) -> bool {
    text.ends_with('、') || text.chars().nth(BROKEN_CHARS_MIN - 1).is_some() && !matches(&ENDS, text)
}
