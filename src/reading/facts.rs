//! What a form states, as collected by the walk over its lines and before any judgement.

use super::entry::Stated;
use super::origin::Rule;
use crate::domain::MailAddress;

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
    /// Lines that belong to no signature, for judging what the sender asks.
    pub(super) words: Vec<String>,
}

impl Form {
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
