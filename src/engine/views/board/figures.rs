//! Counts and pictures: every state, the funnel, each day, each prefecture, days left, and what waits how long for which
//! domain. Each is one walk over the cards.

use super::Board;
use crate::domain::{Date, LgCode, MailNo, Timestamp, time};
use crate::engine::records::{Disposition, Subject};
use crate::engine::survey::Milestone;
use crate::engine::views::words::{self, Word};
use std::collections::{BTreeMap, BTreeSet};

/// How many have come how far, in the order of [`Milestone::ALL`].
pub type Funnel = [u64; Milestone::ALL.len()];

/// What happened on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayCount {
    pub day: Date,
    pub mails: u64,
    pub letters: u64,
    pub collected: u64,
}

/// How far one authority, or all of a prefecture, is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Authorities there are.
    pub authorities: u64,
    /// Authorities that have written.
    pub registered: u64,
    pub tenants: u64,
    pub collected: u64,
    pub unreachable: u64,
}

/// Upper ends of the ages of [`Shape`], in seconds; the last column is older.
pub const AGES: [i64; 5] = [10 * time::MINUTE, time::HOUR, 4 * time::HOUR, time::DAY, 3 * time::DAY];

/// Letters that wait, of one domain: not yet due, then by age since they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    pub domain: String,
    pub planned: u64,
    pub ages: [u64; AGES.len() + 1],
    pub total: u64,
}

type Counts = Vec<(Word, u64)>;

fn counted<'a>(words: &[Word], states: impl Iterator<Item = &'a str>) -> Counts {
    let mut counts: Counts = words.iter().map(|word| (*word, 0)).collect();
    for state in states {
        counts.iter_mut().filter(|(word, _)| word.0 == state).for_each(|(_, count)| *count += 1);
    }
    counts
}

impl Board {
    pub fn mails_by_disposition(&self) -> Counts {
        counted(&Disposition::WORDS, self.mails.values().map(|card| card.disposition.0))
    }

    pub fn letters_by_state(&self) -> Counts {
        counted(&words::DELIVERY, self.letters.values().map(|card| card.state.0))
    }

    pub fn tenants_by_state(&self) -> Counts {
        counted(&words::ENROLMENT, self.tenants.values().map(|card| card.state.0))
    }

    /// Mails that wait for a person.
    pub fn mails_in_question(&self) -> BTreeSet<MailNo> {
        let of = |subject: &Subject| match subject {
            Subject::Mail { mail, .. } | Subject::Inquiry { mail } | Subject::UnknownBounce { mail, .. } => Some(*mail),
            Subject::Tenant { .. }
            | Subject::FailingTogether { .. }
            | Subject::Row { .. }
            | Subject::AnswerUndeliverable { .. }
            | Subject::NotComposed { .. } => None,
        };
        self.matters.values().filter_map(|card| of(&card.subject)).collect()
    }

    pub fn funnel(&self) -> Funnel {
        let mut funnel = Funnel::default();
        for card in self.tenants.values() {
            let passed = Milestone::ALL.into_iter().zip(&mut funnel).filter(|(step, _)| *step <= card.milestone);
            passed.for_each(|(_, count)| *count += 1);
        }
        funnel
    }

    /// One entry for each day from `from` to `to`.
    pub fn days(&self, from: Date, to: Date) -> Vec<DayCount> {
        let length = usize::try_from(to.days_since(from)).unwrap_or(0);
        let mut days: Vec<DayCount> = Vec::with_capacity(length + 1);
        let mut day = from;
        while day <= to {
            days.push(DayCount { day, mails: 0, letters: 0, collected: 0 });
            day = day.plus_days(1);
        }
        let mut add = |day: Date, what: fn(&mut DayCount) -> &mut u64| {
            let place = usize::try_from(day.days_since(from)).ok();
            if let Some(count) = place.and_then(|place| days.get_mut(place)) {
                *what(count) += 1;
            }
        };
        self.mails.values().for_each(|card| add(card.day, |count| &mut count.mails));
        let left = self.letters.values().filter(|card| matches!(card.state.0, "relayed" | "bounced"));
        left.for_each(|card| add(card.day, |count| &mut count.letters));
        self.tenants.values().filter_map(|card| card.collected).for_each(|day| add(day, |count| &mut count.collected));
        days
    }

    /// By authority; those that have not written are not in it.
    pub fn coverage(&self) -> BTreeMap<LgCode, Coverage> {
        let mut coverage: BTreeMap<LgCode, Coverage> = BTreeMap::new();
        for card in self.tenants.values() {
            let entry = coverage.entry(card.id.authority).or_default();
            entry.authorities = 1;
            entry.registered = 1;
            entry.tenants += 1;
            entry.collected += u64::from(card.milestone >= Milestone::Collected);
            entry.unreachable += u64::from(card.unreachable());
        }
        coverage
    }

    /// Open windows by days left, from 0; the last column is `columns` - 1 days or more.
    pub fn days_left(&self, today: Date, columns: usize) -> Vec<u64> {
        let mut counts = vec![0; columns];
        for deadline in self.tenants.values().filter_map(|card| card.deadline) {
            let left = usize::try_from(deadline.days_since(today)).unwrap_or(0).min(columns.saturating_sub(1));
            counts.iter_mut().skip(left).take(1).for_each(|count| *count += 1);
        }
        counts
    }

    /// Letters that wait, the domains with most of them first.
    pub fn shape(&self, now: Timestamp, limit: usize) -> Vec<Shape> {
        let mut domains: BTreeMap<String, Shape> = BTreeMap::new();
        for card in self.open.iter().filter_map(|no| self.letters.get(no)) {
            let domain = card.to.domain();
            let shape = domains.entry(domain.clone()).or_insert_with(|| Shape {
                domain,
                planned: 0,
                ages: [0; AGES.len() + 1],
                total: 0,
            });
            shape.total += 1;
            if card.state.0 == "planned" && card.at > now {
                shape.planned += 1;
                continue;
            }
            let age = now.since(card.created);
            let column = AGES.iter().position(|end| age < *end).unwrap_or(AGES.len());
            shape.ages.iter_mut().skip(column).take(1).for_each(|count| *count += 1);
        }
        let mut shapes: Vec<Shape> = domains.into_values().collect();
        shapes.sort_by(|a, b| b.total.cmp(&a.total).then_with(|| a.domain.cmp(&b.domain)));
        shapes.truncate(limit);
        shapes
    }

    /// Since when the most overdue letter has been due.
    pub fn most_overdue(&self, now: Timestamp) -> Option<Timestamp> {
        let waiting = self.open.iter().filter_map(|no| self.letters.get(no));
        let due = waiting.filter(|card| matches!(card.state.0, "planned" | "deferred") && card.at <= now);
        due.map(|card| card.at).min()
    }

    /// Letters that leave on `day`, as far as they are written.
    pub fn leaving_on(&self, day: Date) -> usize {
        let waiting = self.open.iter().filter_map(|no| self.letters.get(no));
        waiting.filter(|card| matches!(card.state.0, "planned" | "deferred") && card.day <= day).count()
    }
}
