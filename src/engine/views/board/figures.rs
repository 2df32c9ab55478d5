//! Counts and pictures: every state, the funnel, each day, each prefecture, days left, and what waits how long for which
//! domain. They are kept with the cards (`tally`), so asking for them costs the same whatever there is.

use super::Board;
use super::tally::Count;
use crate::domain::{Date, LgCode, MailNo, Timestamp, time};
use crate::engine::records::{Disposition, Subject};
use crate::engine::survey::{Figures, Milestone};
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

fn counted(words: &[Word], counts: &Count<&'static str>) -> Counts {
    words.iter().map(|word| (*word, counts.of(&word.0))).collect()
}

impl Board {
    pub fn mails_by_disposition(&self) -> Counts {
        counted(&Disposition::WORDS, &self.tally.mails)
    }

    pub fn letters_by_state(&self) -> Counts {
        counted(&words::DELIVERY, &self.tally.letters)
    }

    pub fn tenants_by_state(&self) -> Counts {
        counted(&words::ENROLMENT, &self.tally.tenants)
    }

    /// Letters kept back for a wave.
    pub fn waiting_for_wave(&self) -> u64 {
        self.tally.for_wave
    }

    /// Letters that wait for a person.
    pub fn letters_for_people(&self) -> u64 {
        self.tally.letters.of(&"held") + self.tally.letters.of(&"unknown")
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
        let mut passed = 0;
        for (step, count) in Milestone::ALL.into_iter().zip(&mut funnel).rev() {
            passed += self.tally.milestones.of(&step);
            *count = passed;
        }
        funnel
    }

    /// One entry for each day from `from` to `to`.
    pub fn days(&self, from: Date, to: Date) -> Vec<DayCount> {
        let length = usize::try_from(to.days_since(from)).unwrap_or(0);
        let mut days: Vec<DayCount> = Vec::with_capacity(length + 1);
        let mut day = from;
        while day <= to {
            let (mails, letters) = (self.tally.mails_by_day.of(&day), self.tally.left.of(&day));
            days.push(DayCount { day, mails, letters, collected: self.tally.collected.of(&day) });
            day = day.plus_days(1);
        }
        days
    }

    /// By authority; those that have not written are not in it.
    pub fn coverage(&self) -> &BTreeMap<LgCode, Coverage> {
        &self.tally.coverage
    }

    /// Open windows by days left, from 0; the last column is `columns` - 1 days or more.
    pub fn days_left(&self, today: Date, columns: usize) -> Vec<u64> {
        let mut counts = vec![0; columns];
        for (deadline, of_day) in self.tally.deadlines.iter() {
            let left = usize::try_from(deadline.days_since(today)).unwrap_or(0).min(columns.saturating_sub(1));
            counts.iter_mut().skip(left).take(1).for_each(|count| *count += of_day);
        }
        counts
    }

    /// Letters that wait, the domains with most of them first. Only the letters of those that are shown are looked at.
    pub fn shape(&self, now: Timestamp, limit: usize) -> Vec<Shape> {
        let mut domains: Vec<_> = self.tally.domains.iter().collect();
        domains.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(b.0)));
        domains.truncate(limit);
        domains.into_iter().map(|(domain, letters)| self.shape_of(domain, letters, now)).collect()
    }

    fn shape_of(&self, domain: &str, letters: &BTreeSet<u64>, now: Timestamp) -> Shape {
        let mut shape = Shape { domain: domain.to_owned(), planned: 0, ages: [0; AGES.len() + 1], total: 0 };
        for card in letters.iter().filter_map(|no| self.letters.get(no)) {
            shape.total += 1;
            if card.state.0 == "planned" && card.at > now {
                shape.planned += 1;
                continue;
            }
            let age = now.since(card.created);
            let column = AGES.iter().position(|end| age < *end).unwrap_or(AGES.len());
            shape.ages.iter_mut().skip(column).take(1).for_each(|count| *count += 1);
        }
        shape
    }

    /// Since when the most overdue letter has been due.
    pub fn most_overdue(&self, now: Timestamp) -> Option<Timestamp> {
        self.tally.due.first().copied().filter(|due| *due <= now)
    }

    /// Letters that leave on `day`, as far as they are written.
    pub fn leaving_on(&self, day: Date) -> u64 {
        self.tally.due_days.range(..=day).map(|(_, count)| count).sum()
    }

    /// Everything metrics tell, as it stands at `now`.
    pub fn figures(&self, now: Timestamp) -> Figures {
        let named = |counts: Counts| counts.into_iter().map(|(word, count)| (word.0, count)).collect();
        let mut to_certificate = Vec::new();
        for (seconds, count) in self.tally.spans.iter() {
            to_certificate.extend((0..count).map(|_| *seconds));
        }
        Figures {
            oldest_matter: self.matters.values().map(|card| card.since).min(),
            matters: self.matters.len() as u64,
            mails: named(self.mails_by_disposition()),
            rows: named(self.letters_by_state()),
            tenants: named(self.tenants_by_state()),
            funnel: self.funnel(),
            unknown_outcomes: self.tally.unknown,
            lateness: self.tally.lateness(now),
            starvation: self.tally.untried.first().map_or(0, |due| now.since(*due).max(0)),
            waiting_for_wave: self.tally.for_wave,
            requests: self.requests,
            to_certificate,
            journal_in_order: false,
        }
    }
}
