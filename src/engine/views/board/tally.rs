//! Counts kept with every change of a card, so that no view walks all cards to count them. Each `put` has its `take`; a
//! card that changes is taken out and put in again.

use super::cards::{LetterCard, MailCard, TenantCard};
use super::figures::Coverage;
use crate::domain::{Date, LgCode, Timestamp};
use crate::engine::survey::Milestone;
use crate::letters::LetterKind;
use crate::workflow::delivery::HoldReason;
use std::collections::{BTreeMap, BTreeSet};

/// How many of each; a count that is 0 is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Count<K>(BTreeMap<K, u64>);

impl<K> Default for Count<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone> Count<K> {
    fn add(&mut self, key: K) {
        *self.0.entry(key).or_default() += 1;
    }

    fn take(&mut self, key: &K) {
        if let Some(count) = self.0.get_mut(key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(key);
            }
        }
    }

    fn turn(&mut self, key: K, way: Way) {
        match way {
            Way::In => self.add(key),
            Way::Out => self.take(&key),
        }
    }

    pub(super) fn of(&self, key: &K) -> u64 {
        self.0.get(key).copied().unwrap_or(0)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, u64)> {
        self.0.iter().map(|(key, count)| (key, *count))
    }

    pub(super) fn range(&self, range: impl std::ops::RangeBounds<K>) -> impl Iterator<Item = (&K, u64)> {
        self.0.range(range).map(|(key, count)| (key, *count))
    }

    pub(super) fn first(&self) -> Option<&K> {
        self.0.first_key_value().map(|(key, _)| key)
    }
}

/// Whether a card comes or goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    In,
    Out,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) mails: Count<&'static str>,
    pub(super) mails_by_day: Count<Date>,
    pub(super) letters: Count<&'static str>,
    /// Letters that have left, by day.
    pub(super) left: Count<Date>,
    /// Letters that wait for their time, by when it comes.
    pub(super) due: Count<Timestamp>,
    /// The same by day.
    pub(super) due_days: Count<Date>,
    /// Those of them nobody has tried yet.
    pub(super) untried: Count<Timestamp>,
    /// Letters that wait or are being sent, by letter and moment.
    pub(super) unsent: BTreeMap<&'static str, Count<Timestamp>>,
    pub(super) for_wave: u64,
    /// Letters of which nobody knows whether they arrived, held or not.
    pub(super) unknown: u64,
    /// Letters that are not done, by domain.
    pub(super) domains: BTreeMap<String, BTreeSet<u64>>,
    pub(super) tenants: Count<&'static str>,
    pub(super) milestones: Count<Milestone>,
    pub(super) collected: Count<Date>,
    pub(super) deadlines: Count<Date>,
    /// From registration to pick-up, in seconds.
    pub(super) spans: Count<i64>,
    pub(super) coverage: BTreeMap<LgCode, Coverage>,
}

impl Tally {
    pub(super) fn mail(&mut self, card: &MailCard, way: Way) {
        self.mails.turn(card.disposition.0, way);
        self.mails_by_day.turn(card.day, way);
    }

    pub(super) fn letter(&mut self, card: &LetterCard, way: Way) {
        let step = |count: &mut u64| match way {
            Way::In => *count += 1,
            Way::Out => *count = count.saturating_sub(1),
        };
        self.letters.turn(card.state.0, way);
        if matches!(card.state.0, "relayed" | "bounced") {
            self.left.turn(card.day, way);
        }
        if matches!(card.state.0, "planned" | "deferred" | "in-flight") {
            self.unsent.entry(card.letter.name()).or_default().turn(card.at, way);
        }
        if matches!(card.state.0, "planned" | "deferred") {
            self.due.turn(card.at, way);
            self.due_days.turn(card.day, way);
        }
        if card.state.0 == "planned" {
            self.untried.turn(card.at, way);
        }
        if card.hold == Some(HoldReason::Wave) {
            step(&mut self.for_wave);
        }
        if card.state.0 == "unknown" || card.hold == Some(HoldReason::OutcomeUnknown) {
            step(&mut self.unknown);
        }
        if card.done {
            return;
        }
        let domain = card.to.domain();
        match way {
            Way::In => drop(self.domains.entry(domain).or_default().insert(card.no.0)),
            Way::Out => {
                if let Some(of) = self.domains.get_mut(&domain) {
                    of.remove(&card.no.0);
                    if of.is_empty() {
                        self.domains.remove(&domain);
                    }
                }
            }
        }
    }

    pub(super) fn tenant(&mut self, card: &TenantCard, way: Way) {
        self.tenants.turn(card.state.0, way);
        self.milestones.turn(card.milestone, way);
        if let Some(day) = card.collected {
            self.collected.turn(day, way);
        }
        if let Some(day) = card.deadline {
            self.deadlines.turn(day, way);
        }
        if let Some(seconds) = card.to_certificate {
            self.spans.turn(seconds, way);
        }
        let of = self.coverage.entry(card.id.authority).or_default();
        let step = |count: &mut u64, by: u64| match way {
            Way::In => *count += by,
            Way::Out => *count = count.saturating_sub(by),
        };
        step(&mut of.tenants, 1);
        step(&mut of.collected, u64::from(card.milestone >= Milestone::Collected));
        step(&mut of.unreachable, u64::from(card.unreachable()));
        if of.tenants == 0 {
            self.coverage.remove(&card.id.authority);
        } else {
            (of.authorities, of.registered) = (1, 1);
        }
    }

    /// How long the most overdue letter of each kind waits at `now`, in seconds.
    pub(super) fn lateness(&self, now: Timestamp) -> BTreeMap<&'static str, i64> {
        let late = |kind: &LetterKind| {
            let first = self.unsent.get(kind.name()).and_then(Count::first);
            (kind.name(), first.map_or(0, |due| now.since(*due).max(0)))
        };
        LetterKind::ALL.iter().map(late).collect()
    }
}
