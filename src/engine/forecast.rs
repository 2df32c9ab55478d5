//! What would leave on which day: courses are stepped forward in memory, never stored.
//!
//! Assumed is that every letter is relayed when it is due, that nobody picks up and no new mail arrives. So reminders and
//! expiry letters are an upper bound, and renewals of certificates not yet picked up do not show.

use super::records::{About, Row};
use super::views::View;
use super::{EngineError, codec};
use crate::domain::{Date, Generation, TenantId, Timestamp};
use crate::letters::LetterKind;
use crate::store::Table;
use crate::workflow::delivery::Delivery;
use crate::workflow::{Course, CourseEvent, Effect, Nonce, Policy, course};
use serde::Serialize;
use std::collections::BTreeMap;

/// Furthest day looked at, counted from today.
pub const DAYS_MAX: i64 = 400;
/// Most tenants stepped forward.
pub const TENANTS_MAX: usize = 100_000;
/// Most steps of one tenant.
const STEPS_MAX: usize = 500;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forecast {
    pub from: Date,
    pub until: Date,
    pub days: Vec<Day>,
    /// Letters that wait for a person; they are in no day.
    pub held: u64,
    /// Not every tenant was looked at, or one did not come to rest: the numbers are too small.
    pub cut_short: bool,
}

/// Letters of one day, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Day {
    pub day: Date,
    pub letters: BTreeMap<&'static str, u64>,
}

/// A letter that will leave.
#[derive(Debug, Clone, Copy)]
struct Leaving {
    at: Timestamp,
    letter: LetterKind,
    generation: Generation,
    ordinal: u32,
}

/// How often a kind of letter leaves on a day.
type Counts = BTreeMap<(Date, &'static str), u64>;

impl View {
    /// What would leave from now to the end of `until`.
    pub fn forecast(&self, until: Date) -> Result<Forecast, EngineError> {
        let now = self.now();
        if !(0..=DAYS_MAX).contains(&until.days_since(now.date())) {
            return Err(EngineError::Input(format!("{until} is not within the next {DAYS_MAX} days")));
        }
        let policy = Policy::of(self.rules());
        let mut counts = Counts::new();
        let mut waiting = self.leaving(now, until, &mut counts)?;
        let mut cut_short = false;
        let mut tenants = 0;
        for roster in self.rosters_from([0; 6])? {
            for course in roster?.courses {
                tenants += 1;
                if tenants > TENANTS_MAX {
                    cut_short = true;
                    break;
                }
                let queued = waiting.remove(&course.tenant.id).unwrap_or_default();
                cut_short |= !ahead(course, queued, now, until, &policy, &mut counts);
            }
        }
        let mut days: Vec<Day> = Vec::new();
        for ((day, letter), count) in counts {
            match days.last_mut().filter(|last| last.day == day) {
                Some(last) => _ = last.letters.insert(letter, count),
                None => days.push(Day { day, letters: BTreeMap::from([(letter, count)]) }),
            }
        }
        Ok(Forecast { from: now.date(), until, days, held: self.held()?, cut_short })
    }

    /// Letters that stand in the outbox: those to tenants by tenant, the others counted.
    fn leaving(
        &self,
        now: Timestamp,
        until: Date,
        counts: &mut Counts,
    ) -> Result<BTreeMap<TenantId, Vec<Leaving>>, EngineError> {
        let mut waiting: BTreeMap<TenantId, Vec<Leaving>> = BTreeMap::new();
        for entry in self.context.store.range(Table::Due, ..codec::after(until.end()))? {
            let (key, _) = entry?;
            let (Some(no), Some(due)) = (codec::row_of(&key), codec::moment_of(&key)) else { continue };
            let row = self.row(no)?;
            let at = due.max(now);
            match row.about {
                About::Tenant { tenant, generation, ordinal } => {
                    waiting.entry(tenant).or_default().push(Leaving { at, letter: row.letter, generation, ordinal });
                }
                About::Mail { .. } | About::Reply { .. } | About::Report { .. } => {
                    *counts.entry((at.date(), row.letter.name())).or_default() += 1;
                }
            }
        }
        Ok(waiting)
    }

    fn held(&self) -> Result<u64, EngineError> {
        let mut held = 0;
        for entry in self.context.store.rows(Table::Outbox)? {
            let row: Row = codec::decode(&entry?.1)?;
            let waits = matches!(row.delivery, Delivery::Held { .. })
                || (matches!(row.delivery, Delivery::Unknown { .. }) && row.indexed.is_none());
            held += u64::from(waits);
        }
        Ok(held)
    }
}

/// Steps one tenant to the end of `until`. False if it did not come to rest.
fn ahead(
    mut course: Course,
    mut waiting: Vec<Leaving>,
    mut now: Timestamp,
    until: Date,
    policy: &Policy<'_>,
    counts: &mut Counts,
) -> bool {
    for _ in 0..STEPS_MAX {
        let leaves =
            waiting.iter().enumerate().min_by_key(|(_, leaving)| leaving.at).map(|(i, leaving)| (i, leaving.at));
        let wake = course.next_wake(policy).map(|at| at.max(now));
        let event = match (leaves, wake) {
            (None, None) => return true,
            (Some((i, at)), wake) if wake.is_none_or(|wake| at <= wake) => {
                now = at.max(now);
                let Leaving { letter, generation, ordinal, .. } = waiting.swap_remove(i);
                if now.date() <= until {
                    *counts.entry((now.date(), letter.name())).or_default() += 1;
                }
                CourseEvent::Relayed { letter, generation, ordinal }
            }
            (_, wake) => {
                now = wake.unwrap_or(now);
                CourseEvent::Woke { spare: Nonce([0; 16]) }
            }
        };
        if now.date() > until {
            return true;
        }
        // What the course does not take (a letter of a generation that is over) changes nothing.
        let Ok((next, effects)) = course::step(&course, &event, now, policy) else { continue };
        if next == course && effects.is_empty() && matches!(event, CourseEvent::Woke { .. }) {
            return false;
        }
        course = next;
        for effect in effects {
            follow(&effect, policy, &mut waiting);
        }
    }
    false
}

fn follow(effect: &Effect, policy: &Policy<'_>, waiting: &mut Vec<Leaving>) {
    match *effect {
        Effect::Queue { letter, generation, ordinal, not_before } => {
            let window = &policy.rules.schedule.send_window;
            let at = if letter.windowed() { policy.calendar.next_open(window, not_before) } else { not_before };
            waiting.push(Leaving { at, letter, generation, ordinal });
        }
        Effect::WithdrawUnsent { generation, letters } => {
            waiting.retain(|leaving| leaving.generation != generation || !letters.contains(&leaving.letter));
        }
        Effect::Revoke { .. } | Effect::AskStaff(_) => {}
    }
}
