//! Which journal entries concern whom, and who made them when: so that a timeline is read by its entries' numbers and the
//! journal is filtered without being read. 16 bytes an entry, 4 more for everybody it concerns.

use super::lines::Line;
use crate::domain::{MailNo, TenantId, Timestamp};
use std::collections::HashMap;

/// Kinds of events; the place is the bit.
pub const KINDS: [&str; 9] = [
    "mail-filed",
    "letter-queued",
    "letter",
    "matter-opened",
    "matter-closed",
    "staff",
    "picked-up",
    "seen-in-use",
    "certificate-to-revoke",
];
/// The bit of every other kind.
pub(super) const OTHER: u32 = 1 << 31;

/// One entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub at: Timestamp,
    /// Place in [`Trail::actors`].
    pub actor: u16,
    pub kinds: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Trail {
    /// By number, the first entry at place 0; `None`: not read yet.
    marks: Vec<Option<Mark>>,
    actors: Vec<String>,
    by_tenant: HashMap<TenantId, Vec<u32>>,
    by_mail: HashMap<u64, Vec<u32>>,
    /// Entries read so far from the beginning.
    filled: u64,
    /// Where the reading from the beginning ends.
    until: u64,
}

pub(super) fn kind_bit(name: &str) -> u32 {
    KINDS.iter().position(|kind| *kind == name).map_or(OTHER, |place| 1 << place)
}

impl Trail {
    /// Makes room for the `until` entries there are; they are read one by one later.
    pub(super) fn reserve(&mut self, until: u64) {
        self.until = until;
        self.marks.resize(usize::try_from(until).unwrap_or(0), None);
    }

    /// The next entry to be read of those that were there before the board; `None`: all have been.
    pub(super) fn lacks(&self) -> Option<u64> {
        (self.filled < self.until).then_some(self.filled + 1)
    }

    /// Entries read and to be read, of those that were there before the board.
    pub fn progress(&self) -> (u64, u64) {
        (self.filled, self.until)
    }

    pub fn is_complete(&self) -> bool {
        self.filled >= self.until
    }

    pub(super) fn filled_to(&mut self, no: u64) {
        self.filled = self.filled.max(no);
    }

    /// The board stopped short: nothing more can be read from the beginning.
    pub(super) fn give_up(&mut self) {
        self.filled = self.until;
    }

    pub(super) fn put(&mut self, line: &Line) {
        let actor = self.actor(&line.actor);
        let (Ok(place), Ok(short)) = (usize::try_from(line.no.saturating_sub(1)), u32::try_from(line.no)) else {
            return;
        };
        if self.marks.len() <= place {
            self.marks.resize(place + 1, None);
        }
        if let Some(mark) = self.marks.get_mut(place) {
            *mark = Some(Mark { at: line.at, actor, kinds: line.kinds });
        }
        for id in &line.tenants {
            self.by_tenant.entry(*id).or_default().push(short);
        }
        for mail in &line.mails {
            self.by_mail.entry(*mail).or_default().push(short);
        }
    }

    fn actor(&mut self, name: &str) -> u16 {
        let known = self.actors.iter().position(|actor| actor == name);
        let place = known.unwrap_or_else(|| {
            self.actors.push(name.to_owned());
            self.actors.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }

    pub fn actors(&self) -> &[String] {
        &self.actors
    }

    /// Numbers of the entries about a tenant and about some mails, in order.
    pub fn about(&self, tenant: Option<TenantId>, mails: &[MailNo]) -> Vec<u64> {
        let of_tenant = tenant.and_then(|id| self.by_tenant.get(&id)).into_iter().flatten();
        let of_mails = mails.iter().filter_map(|mail| self.by_mail.get(&mail.0)).flatten();
        let mut numbers: Vec<u64> = of_tenant.chain(of_mails).map(|no| u64::from(*no)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// One entry; `None`: not read yet.
    pub(super) fn mark(&self, no: u64) -> Option<Mark> {
        *self.marks.get(usize::try_from(no).ok()?.checked_sub(1)?)?
    }

    /// Entries with their numbers, the newest first, below `before`.
    pub fn newest(&self, before: Option<u64>) -> impl Iterator<Item = (u64, Mark)> + '_ {
        let end = before.and_then(|no| usize::try_from(no.saturating_sub(1)).ok()).unwrap_or(self.marks.len());
        let marks = self.marks.get(..end.min(self.marks.len())).unwrap_or_default();
        marks.iter().enumerate().rev().filter_map(|(place, mark)| Some((place as u64 + 1, (*mark)?)))
    }
}
