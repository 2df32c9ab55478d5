//! What the outcome of an attempt makes of a row, and when the next attempt is due.

use super::super::reply::{About, Outcome, Reply};
use super::Delivery as S;
use super::{BounceClass, DeliveryEffect, HoldReason, Next, Told, Trouble};
use crate::domain::Timestamp;
use crate::domain::time::{HOUR, MINUTE};
use crate::rules::Schedule;

/// One attempt and what it is judged by.
pub(super) struct Attempt<'a> {
    pub(super) number: u32,
    pub(super) secret: bool,
    pub(super) first: Timestamp,
    pub(super) now: Timestamp,
    pub(super) schedule: &'a Schedule,
}

pub(super) fn answered(outcome: &Outcome, attempt: &Attempt<'_>) -> Next {
    let now = attempt.now;
    match outcome {
        Outcome::Relayed { reply } => (S::Relayed { at: now, reply: Some(reply.clone()) }, told(Told::Relayed)),
        Outcome::Deferred { stage, reply } => deferred(reply.about(*stage), reply, attempt),
        Outcome::Refused { stage, reply } => match reply.about(*stage) {
            About::Recipient => undeliverable(reply, BounceClass::Hard, now),
            About::Letter => held(HoldReason::LetterRefused, attempt),
            About::Sender => held(HoldReason::ServerRefuses, attempt),
        },
        Outcome::NotSent { why } => match attempt.next_try() {
            None => held(HoldReason::ServerUnreachable, attempt),
            Some(until) => {
                let attempts = attempt.number.saturating_sub(1);
                (S::Deferred { until, attempts, last: Trouble::NoReply(why.clone()) }, Vec::new())
            }
        },
        Outcome::Unknown { .. } if !attempt.secret && attempt.next_try().is_none() => {
            held(HoldReason::OutcomeUnknown, attempt)
        }
        Outcome::Unknown { why } => unknown(why, attempt.number, attempt.secret, now),
    }
}

fn deferred(about: About, reply: &Reply, attempt: &Attempt<'_>) -> Next {
    let attempts = match about {
        About::Recipient | About::Letter => attempt.number,
        About::Sender => attempt.number.saturating_sub(1),
    };
    match (attempt.next_try(), about) {
        (Some(until), About::Recipient | About::Letter | About::Sender) => {
            (S::Deferred { until, attempts, last: Trouble::Reply(reply.clone()) }, Vec::new())
        }
        (None, About::Recipient) => undeliverable(reply, BounceClass::Soft, attempt.now),
        (None, About::Letter) => held(HoldReason::LetterRefused, attempt),
        (None, About::Sender) => held(HoldReason::ServerUnreachable, attempt),
    }
}

impl Attempt<'_> {
    /// When to try again; `None` once the time is up. The last try stands at the very end of the time.
    fn next_try(&self) -> Option<Timestamp> {
        let end = self.first.plus(i64::from(self.schedule.give_up_hours) * HOUR);
        (self.now < end).then(|| self.now.plus(retry_after(self.number, self.schedule)).min(end))
    }
}

/// Seconds to wait after so many attempts (from 1); the last step repeats.
pub(super) fn retry_after(attempts: u32, schedule: &Schedule) -> i64 {
    let nth = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let minutes = schedule.retry_minutes.get(nth).or(schedule.retry_minutes.last()).copied().unwrap_or(1);
    i64::from(minutes.max(1)) * MINUTE
}

pub(super) fn told(what: Told) -> Vec<DeliveryEffect> {
    vec![DeliveryEffect::TellMachine(what)]
}

fn undeliverable(reply: &Reply, class: BounceClass, now: Timestamp) -> Next {
    let status = reply.enhanced.clone();
    (S::Refused { at: now, reply: reply.clone() }, told(Told::Undeliverable { class, status }))
}

fn held(reason: HoldReason, attempt: &Attempt<'_>) -> Next {
    let state = S::Held { reason, due: attempt.now, attempts: attempt.number };
    (state, vec![DeliveryEffect::AskStaff(reason)])
}

pub(super) fn unknown(why: &str, attempts: u32, secret: bool, now: Timestamp) -> Next {
    let asks = if secret { vec![DeliveryEffect::AskStaff(HoldReason::OutcomeUnknown)] } else { Vec::new() };
    (S::Unknown { since: now, attempts, why: why.to_owned() }, asks)
}
