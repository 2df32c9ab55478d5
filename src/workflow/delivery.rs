//! The life of one outbox row: one letter for one envelope recipient (DESIGN §4, RFC 5321 §4.5.4.1). Pure.
//!
//! | state \ event | Leased | Answered | LeaseLost | Bounced | Delayed | Held | Released | RetryNow | Withdrawn |
//! |---|---|---|---|---|---|---|---|---|---|
//! | Planned | InFlight¹ | – | – | – | – | Held | – | due now | Withdrawn |
//! | InFlight | – | by outcome² | Unknown | Bounced | same | – | – | – | Withdrawn³ |
//! | Relayed | – | – | – | Bounced | same | – | – | – | – |
//! | Deferred | InFlight¹ | – | – | Bounced | same | Held | – | due now | Withdrawn |
//! | Refused | – | – | – | same | same | – | – | – | – |
//! | Bounced | – | same³ | – | same | same | – | – | – | – |
//! | Unknown | InFlight¹ ⁴ | – | – | Bounced | Relayed⁵ | Held⁴ | – | Deferred, due now | Withdrawn |
//! | Held | – | – | – | Bounced⁶ | same | – | Planned, Deferred | – | Withdrawn |
//! | Withdrawn | – | Relayed or same³ | – | same | same | – | – | – | – |
//!
//! – is [`Refused`]. ¹ not before it is due. ² Relayed; Deferred (Held for staff once the time is up and the trouble was
//! ours, not the recipient's); Refused if the reply is about the recipient, else Held for staff; NotSent is Deferred
//! without counting; Unknown. ³ the answer of an attempt that was under way; what was relayed is recorded as relayed.
//! ⁴ only a letter without secrets: one with secrets waits for staff or a report. ⁵ a report on it proves that the server
//! took it. ⁶ if it was ever attempted.

use super::Refused;
pub use super::reply::{About, Outcome, Reply, Stage};
use crate::domain::Timestamp;
use crate::domain::time::{HOUR, MINUTE};
use crate::rules::Schedule;
use serde::{Deserialize, Serialize};

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Delivery {
    /// Never attempted.
    Planned { due: Timestamp },
    /// Leased: recorded before the first SMTP command. `attempt` counts from 1, without attempts that never got through.
    InFlight { attempt: u32, since: Timestamp },
    /// The server took over. `reply`: `None` if that is known from a report only.
    Relayed { at: Timestamp, reply: Option<Reply> },
    /// To be tried again.
    Deferred { until: Timestamp, attempts: u32, last: Trouble },
    /// The recipient cannot be reached; final.
    Refused { at: Timestamp, reply: Reply },
    /// Taken over, then returned; final.
    Bounced { at: Timestamp, class: BounceClass, status: Option<String> },
    /// Nobody knows whether the server took over.
    Unknown { since: Timestamp, attempts: u32, why: String },
    /// Waits for somebody to release it.
    Held { reason: HoldReason, due: Timestamp, attempts: u32 },
    /// Will not be sent (again); final.
    Withdrawn { at: Timestamp, why: String },
}

/// What the last attempt met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    Reply(Reply),
    /// No reply: how the connection failed, or what came between.
    NoReply(String),
}

/// How final a bounce is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BounceClass {
    /// Status 5.x.x: the address is dead.
    Hard,
    /// Status 4.x.x, or none: given up for now.
    Soft,
}

/// Why a row waits for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldReason {
    /// A person said so.
    Staff,
    /// Another letter to the same tenant bounced.
    Frozen,
    /// The server refuses us, not the recipient.
    ServerRefuses,
    /// The server could not be reached, or put us off, until the time was up.
    ServerUnreachable,
    /// The server refuses this letter: size, content, policy.
    LetterRefused,
    /// Whether the letter arrived is unknown, and sending it again is for a person to decide.
    OutcomeUnknown,
}

/// What happens to a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum DeliveryEvent {
    /// The dispatcher takes it for one attempt.
    Leased,
    Answered {
        outcome: Outcome,
    },
    /// Found in flight at start: the attempt was cut off by a crash.
    LeaseLost,
    /// A report says it was returned.
    Bounced {
        class: BounceClass,
        status: Option<String>,
    },
    /// A report says it is under way or arrived (RFC 3464 §2.3.3: delayed, relayed, delivered).
    Delayed,
    Held {
        reason: HoldReason,
    },
    Released,
    /// Staff: at once, and with a letter of unknown outcome: once more.
    RetryNow,
    Withdrawn {
        why: String,
    },
}

/// What follows besides the new state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryEffect {
    /// The machine the letter belongs to hears of it.
    TellMachine(Told),
    /// An item for staff.
    AskStaff(HoldReason),
}

/// What a letter's machine is told, at most once each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Relayed,
    /// `status`: enhanced status code.
    Undeliverable {
        class: BounceClass,
        status: Option<String>,
    },
}

impl Delivery {
    /// When the row wants to be leased; `None`: not by time. `secret`: the letter holds a secret.
    pub fn due(&self, secret: bool, schedule: &Schedule) -> Option<Timestamp> {
        match self {
            Self::Planned { due } => Some(*due),
            Self::Deferred { until, .. } => Some(*until),
            Self::Unknown { since, .. } if !secret => Some(since.plus(retry_after(1, schedule))),
            Self::Unknown { .. }
            | Self::InFlight { .. }
            | Self::Relayed { .. }
            | Self::Refused { .. }
            | Self::Bounced { .. }
            | Self::Held { .. }
            | Self::Withdrawn { .. } => None,
        }
    }

    /// Attempts that got through to the recipient's part of the conversation, for the states that still count.
    fn attempts(&self) -> u32 {
        match self {
            Self::Deferred { attempts, .. } | Self::Unknown { attempts, .. } | Self::Held { attempts, .. } => *attempts,
            Self::InFlight { attempt, .. } => *attempt,
            Self::Planned { .. }
            | Self::Relayed { .. }
            | Self::Refused { .. }
            | Self::Bounced { .. }
            | Self::Withdrawn { .. } => 0,
        }
    }
}

type Step = Result<(Delivery, Vec<DeliveryEffect>), Refused>;

/// One event. `secret`: the letter holds a secret. `first_attempt`: when the row was first leased (`now` if it never
/// was); `schedule.give_up_hours` count from there.
pub fn step(
    state: &Delivery,
    event: &DeliveryEvent,
    secret: bool,
    first_attempt: Timestamp,
    now: Timestamp,
    schedule: &Schedule,
) -> Step {
    use {Delivery as S, DeliveryEvent as E};
    let quiet = |next: Delivery| Ok((next, Vec::new()));
    match (event, state) {
        (E::Leased, S::Planned { .. } | S::Deferred { .. } | S::Unknown { .. }) => {
            let due = state.due(secret, schedule).ok_or(Refused("its outcome is unknown and it holds a secret"))?;
            if now < due {
                return Err(Refused("not due yet"));
            }
            quiet(S::InFlight { attempt: state.attempts().saturating_add(1), since: now })
        }
        (E::Leased, _) => Err(Refused("only a planned, deferred or unknown letter can be leased")),

        (E::Answered { outcome }, S::InFlight { attempt, .. }) => {
            answered(outcome, Attempt { number: *attempt, secret, first_attempt, now, schedule })
        }
        (E::Answered { outcome: Outcome::Relayed { reply } }, S::Withdrawn { .. }) => {
            Ok((S::Relayed { at: now, reply: Some(reply.clone()) }, told(Told::Relayed)))
        }
        (E::Answered { .. }, S::Bounced { .. } | S::Withdrawn { .. }) => quiet(state.clone()),
        (E::Answered { .. }, _) => Err(Refused("an answer without an attempt")),

        (E::LeaseLost, S::InFlight { attempt, .. }) => {
            unknown("the daemon stopped during the attempt", *attempt, secret, now)
        }
        (E::LeaseLost, _) => Err(Refused("not in flight")),

        (E::Bounced { .. }, S::Refused { .. } | S::Bounced { .. } | S::Withdrawn { .. }) => quiet(state.clone()),
        (E::Bounced { .. }, S::Planned { .. } | S::Held { attempts: 0, .. }) => {
            Err(Refused("a report on a letter that was never sent"))
        }
        (E::Bounced { class, status }, _) => Ok((
            S::Bounced { at: now, class: *class, status: status.clone() },
            told(Told::Undeliverable { class: *class, status: status.clone() }),
        )),

        (E::Delayed, S::Planned { .. }) => Err(Refused("a report on a letter that was never sent")),
        (E::Delayed, S::Unknown { .. }) => Ok((S::Relayed { at: now, reply: None }, told(Told::Relayed))),
        (E::Delayed, _) => quiet(state.clone()),

        (E::Held { .. }, S::Unknown { .. }) if secret => {
            Err(Refused("its outcome is unknown: it waits for staff anyway"))
        }
        (E::Held { reason }, S::Planned { .. } | S::Deferred { .. } | S::Unknown { .. }) => {
            let due = state.due(secret, schedule).unwrap_or(now);
            quiet(S::Held { reason: *reason, due, attempts: state.attempts() })
        }
        (E::Held { .. }, _) => Err(Refused("only a letter that is still to be sent can be held")),

        (E::Released, S::Held { reason, due, attempts }) => quiet(released(*reason, *due, *attempts, now)),
        (E::Released, _) => Err(Refused("not held")),

        (E::RetryNow, S::Planned { .. }) => quiet(S::Planned { due: now }),
        (E::RetryNow, S::Deferred { attempts, last, .. }) => {
            quiet(S::Deferred { until: now, attempts: *attempts, last: last.clone() })
        }
        (E::RetryNow, S::Unknown { attempts, why, .. }) => {
            quiet(S::Deferred { until: now, attempts: *attempts, last: Trouble::NoReply(why.clone()) })
        }
        (E::RetryNow, S::Held { .. }) => Err(Refused("held: release it first")),
        (E::RetryNow, _) => Err(Refused("nothing to retry: queue a new letter instead")),

        (
            E::Withdrawn { why },
            S::Planned { .. } | S::InFlight { .. } | S::Deferred { .. } | S::Unknown { .. } | S::Held { .. },
        ) => quiet(S::Withdrawn { at: now, why: why.clone() }),
        (E::Withdrawn { .. }, _) => Err(Refused("its delivery has ended")),
    }
}

struct Attempt<'a> {
    number: u32,
    secret: bool,
    first_attempt: Timestamp,
    now: Timestamp,
    schedule: &'a Schedule,
}

fn answered(outcome: &Outcome, attempt: Attempt<'_>) -> Step {
    let now = attempt.now;
    match outcome {
        Outcome::Relayed { reply } => {
            Ok((Delivery::Relayed { at: now, reply: Some(reply.clone()) }, told(Told::Relayed)))
        }
        Outcome::Deferred { stage, reply } => deferred(reply.about(*stage), reply, &attempt),
        Outcome::Refused { stage, reply } => match reply.about(*stage) {
            About::Recipient => undeliverable(reply, BounceClass::Hard, now),
            About::Letter => held(HoldReason::LetterRefused, &attempt),
            About::Sender => held(HoldReason::ServerRefuses, &attempt),
        },
        Outcome::NotSent { why } => match attempt.next_try() {
            None => held(HoldReason::ServerUnreachable, &attempt),
            Some(until) => {
                let attempts = attempt.number.saturating_sub(1);
                Ok((Delivery::Deferred { until, attempts, last: Trouble::NoReply(why.clone()) }, Vec::new()))
            }
        },
        Outcome::Unknown { .. } if !attempt.secret && attempt.next_try().is_none() => {
            held(HoldReason::OutcomeUnknown, &attempt)
        }
        Outcome::Unknown { why } => unknown(why, attempt.number, attempt.secret, now),
    }
}

fn deferred(about: About, reply: &Reply, attempt: &Attempt<'_>) -> Step {
    let attempts = match about {
        About::Recipient | About::Letter => attempt.number,
        About::Sender => attempt.number.saturating_sub(1),
    };
    match (attempt.next_try(), about) {
        (Some(until), _) => {
            Ok((Delivery::Deferred { until, attempts, last: Trouble::Reply(reply.clone()) }, Vec::new()))
        }
        (None, About::Recipient) => undeliverable(reply, BounceClass::Soft, attempt.now),
        (None, About::Letter) => held(HoldReason::LetterRefused, attempt),
        (None, About::Sender) => held(HoldReason::ServerUnreachable, attempt),
    }
}

impl Attempt<'_> {
    /// When to try again; `None` once the time is up. The last try stands at the very end of the time.
    fn next_try(&self) -> Option<Timestamp> {
        let end = self.first_attempt.plus(i64::from(self.schedule.give_up_hours) * HOUR);
        (self.now < end).then(|| self.now.plus(retry_after(self.number, self.schedule)).min(end))
    }
}

/// Seconds to wait after so many attempts (from 1); the last step repeats.
fn retry_after(attempts: u32, schedule: &Schedule) -> i64 {
    let nth = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let minutes = schedule.retry_minutes.get(nth).or(schedule.retry_minutes.last()).copied().unwrap_or(1);
    i64::from(minutes.max(1)) * MINUTE
}

fn told(what: Told) -> Vec<DeliveryEffect> {
    vec![DeliveryEffect::TellMachine(what)]
}

fn undeliverable(reply: &Reply, class: BounceClass, now: Timestamp) -> Step {
    let status = reply.enhanced.clone();
    Ok((Delivery::Refused { at: now, reply: reply.clone() }, told(Told::Undeliverable { class, status })))
}

/// Held by the machine itself: a fresh start once released, so the time to give up is the releaser's business.
fn held(reason: HoldReason, attempt: &Attempt<'_>) -> Step {
    let state = Delivery::Held { reason, due: attempt.now, attempts: attempt.number };
    Ok((state, vec![DeliveryEffect::AskStaff(reason)]))
}

fn unknown(why: &str, attempts: u32, secret: bool, now: Timestamp) -> Step {
    let asks = if secret { vec![DeliveryEffect::AskStaff(HoldReason::OutcomeUnknown)] } else { Vec::new() };
    Ok((Delivery::Unknown { since: now, attempts, why: why.to_owned() }, asks))
}

fn released(reason: HoldReason, due: Timestamp, attempts: u32, now: Timestamp) -> Delivery {
    let due = due.max(now);
    if attempts == 0 {
        return Delivery::Planned { due };
    }
    Delivery::Deferred { until: due, attempts, last: Trouble::NoReply(format!("released after {reason:?}")) }
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
