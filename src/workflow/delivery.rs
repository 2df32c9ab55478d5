//! The life of one outbox row: one letter for one envelope recipient (DESIGN §4, RFC 5321 §4.5.4.1). Pure.
//!
//! | state \ event | Leased | Answered | LeaseLost | Postponed | Bounced | Returned | Delayed | Held | Released | RetryNow | Withdrawn |
//! |---|---|---|---|---|---|---|---|---|---|---|---|
//! | Planned | InFlight¹ | – | – | – | – | – | – | Held | – | due now | Withdrawn |
//! | InFlight | – | by outcome² | Unknown | Planned, Deferred⁷ | Bounced | same | same | – | – | – | Withdrawn³ |
//! | Relayed | – | – | – | – | Bounced | Deferred⁸ | same | – | – | – | – |
//! | Deferred | InFlight¹ | – | – | – | Bounced | same | same | Held | – | due now | Withdrawn |
//! | Refused | – | – | – | – | same | same | same | – | – | – | – |
//! | Bounced | – | same³ | – | – | same | same | same | – | – | – | – |
//! | Unknown | InFlight¹ ⁴ | – | – | – | Bounced | Deferred⁸ | Relayed⁵ | Held⁴ | – | Deferred, due now | Withdrawn |
//! | Held | – | – | – | – | Bounced⁶ | same⁶ | same | – | Planned, Deferred | – | Withdrawn |
//! | Withdrawn | – | Relayed or same³ | – | – | same | same | same | – | – | – | – |
//!
//! – is [`Refused`]. ¹ not before it is due. ² Relayed; Deferred (Held for staff once the time is up and the trouble was
//! ours, not the recipient's); Refused if the reply is about the recipient, else Held for staff; NotSent is Deferred
//! without counting; Unknown. ³ the answer of an attempt that was under way; what was relayed is recorded as relayed.
//! ⁴ only a letter without secrets: one with secrets waits for staff or a report. ⁵ a report on it proves that the server
//! took it. ⁶ if it was ever attempted. ⁷ given back untried: the attempt does not count.
//! ⁸ once more a day later ([`RETURN_PAUSE`]); Bounced once [`RETURNED_FOR`] is over.

mod answer;
mod report;

use self::Delivery as S;
use self::answer::{Attempt, answered, retry_after, told, unknown};
pub use self::report::{RETURN_PAUSE, RETURNED_FOR};
use self::report::{bounced, delayed, returned};
use super::Refused;
pub use super::reply::{About, Outcome, Reply, Stage};
use crate::domain::Timestamp;
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

impl HoldReason {
    /// For staff.
    pub fn word(self) -> &'static str {
        match self {
            Self::Staff => "担当者が保留にしました",
            Self::Frozen => "同じ宛先への別のメールが返送されました",
            Self::ServerRefuses => "送信サーバーがこちらからの送信を拒否しました",
            Self::ServerUnreachable => "期限までに送信サーバーへ渡せませんでした",
            Self::LetterRefused => "送信サーバーがこのメールの内容を拒否しました",
            Self::OutcomeUnknown => "届いたかどうかが分かりません",
        }
    }
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
    /// The dispatcher gives it back untried.
    Postponed {
        until: Timestamp,
    },
    /// A report says it was returned.
    Bounced {
        class: BounceClass,
        status: Option<String>,
    },
    /// A report says it was returned for now: it may arrive later.
    Returned {
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
    /// It came back for now, and will be sent once more.
    Returned,
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

    /// Whether nothing will be sent any more.
    pub fn has_ended(&self) -> bool {
        match self {
            Self::Relayed { .. } | Self::Refused { .. } | Self::Bounced { .. } | Self::Withdrawn { .. } => true,
            Self::Planned { .. }
            | Self::InFlight { .. }
            | Self::Deferred { .. }
            | Self::Unknown { .. }
            | Self::Held { .. } => false,
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

type Next = (Delivery, Vec<DeliveryEffect>);

/// One event. `secret`: the letter holds a secret. `first_attempt`: when the row was first leased, or released since
/// (`now` if it never was); `schedule.give_up_hours` count from there.
pub fn step(
    state: &Delivery,
    event: &DeliveryEvent,
    secret: bool,
    first_attempt: Timestamp,
    now: Timestamp,
    schedule: &Schedule,
) -> Result<Next, Refused> {
    let quiet = |next: Result<Delivery, Refused>| next.map(|state| (state, Vec::new()));
    match event {
        DeliveryEvent::Leased => quiet(leased(state, secret, now, schedule)),
        DeliveryEvent::Answered { outcome } => match state {
            S::InFlight { attempt, .. } => {
                Ok(answered(outcome, &Attempt { number: *attempt, secret, first: first_attempt, now, schedule }))
            }
            S::Bounced { .. } | S::Withdrawn { .. } => Ok(answered_late(state, outcome, now)),
            S::Planned { .. }
            | S::Relayed { .. }
            | S::Deferred { .. }
            | S::Refused { .. }
            | S::Unknown { .. }
            | S::Held { .. } => Err(Refused("an answer without an attempt")),
        },
        DeliveryEvent::LeaseLost => match state {
            S::InFlight { attempt, .. } => Ok(unknown("the daemon stopped during the attempt", *attempt, secret, now)),
            S::Planned { .. }
            | S::Relayed { .. }
            | S::Deferred { .. }
            | S::Refused { .. }
            | S::Bounced { .. }
            | S::Unknown { .. }
            | S::Held { .. }
            | S::Withdrawn { .. } => Err(Refused("not in flight")),
        },
        DeliveryEvent::Postponed { until } => match state {
            S::InFlight { attempt: 0 | 1, .. } => quiet(Ok(S::Planned { due: *until })),
            S::InFlight { attempt, .. } => {
                let last = Trouble::NoReply("postponed".to_owned());
                quiet(Ok(S::Deferred { until: *until, attempts: attempt.saturating_sub(1), last }))
            }
            S::Planned { .. }
            | S::Relayed { .. }
            | S::Deferred { .. }
            | S::Refused { .. }
            | S::Bounced { .. }
            | S::Unknown { .. }
            | S::Held { .. }
            | S::Withdrawn { .. } => Err(Refused("not in flight")),
        },
        DeliveryEvent::Bounced { class, status } => bounced(state, *class, status.as_ref(), now),
        DeliveryEvent::Returned { status } => returned(state, status.as_ref(), first_attempt, now),
        DeliveryEvent::Delayed => delayed(state, now),
        DeliveryEvent::Held { reason } => quiet(hold(state, *reason, secret, now, schedule)),
        DeliveryEvent::Released => quiet(release(state, now)),
        DeliveryEvent::RetryNow => quiet(retry_now(state, now)),
        DeliveryEvent::Withdrawn { why } => match state {
            S::Planned { .. } | S::InFlight { .. } | S::Deferred { .. } | S::Unknown { .. } | S::Held { .. } => {
                quiet(Ok(S::Withdrawn { at: now, why: why.clone() }))
            }
            S::Relayed { .. } | S::Refused { .. } | S::Bounced { .. } | S::Withdrawn { .. } => {
                Err(Refused("its delivery has ended"))
            }
        },
    }
}

fn leased(state: &Delivery, secret: bool, now: Timestamp, schedule: &Schedule) -> Result<Delivery, Refused> {
    match state {
        S::Planned { .. } | S::Deferred { .. } | S::Unknown { .. } => match state.due(secret, schedule) {
            None => Err(Refused("its outcome is unknown and it holds a secret")),
            Some(due) if now < due => Err(Refused("not due yet")),
            Some(_) => Ok(S::InFlight { attempt: state.attempts().saturating_add(1), since: now }),
        },
        S::InFlight { .. }
        | S::Relayed { .. }
        | S::Refused { .. }
        | S::Bounced { .. }
        | S::Held { .. }
        | S::Withdrawn { .. } => Err(Refused("only a planned, deferred or unknown letter can be leased")),
    }
}

/// The answer of an attempt that was overtaken by a report or a withdrawal.
fn answered_late(state: &Delivery, outcome: &Outcome, now: Timestamp) -> Next {
    match (state, outcome) {
        (S::Withdrawn { .. }, Outcome::Relayed { reply }) => {
            (S::Relayed { at: now, reply: Some(reply.clone()) }, told(Told::Relayed))
        }
        (
            _,
            Outcome::Relayed { .. }
            | Outcome::Deferred { .. }
            | Outcome::Refused { .. }
            | Outcome::NotSent { .. }
            | Outcome::Unknown { .. },
        ) => (state.clone(), Vec::new()),
    }
}

fn hold(
    state: &Delivery,
    reason: HoldReason,
    secret: bool,
    now: Timestamp,
    schedule: &Schedule,
) -> Result<Delivery, Refused> {
    match state {
        S::Unknown { .. } if secret => Err(Refused("its outcome is unknown: it waits for staff anyway")),
        S::Planned { .. } | S::Deferred { .. } | S::Unknown { .. } => {
            let due = state.due(secret, schedule).unwrap_or(now);
            Ok(S::Held { reason, due, attempts: state.attempts() })
        }
        S::InFlight { .. } => Err(Refused("it is being sent just now: wait for the answer")),
        S::Relayed { .. } | S::Refused { .. } | S::Bounced { .. } | S::Held { .. } | S::Withdrawn { .. } => {
            Err(Refused("only a letter that is still to be sent can be held"))
        }
    }
}

fn release(state: &Delivery, now: Timestamp) -> Result<Delivery, Refused> {
    match state {
        S::Held { due, attempts: 0, .. } => Ok(S::Planned { due: now.max(*due) }),
        S::Held { reason, due, attempts } => {
            let last = Trouble::NoReply(reason.word().to_owned());
            Ok(S::Deferred { until: now.max(*due), attempts: *attempts, last })
        }
        S::Planned { .. }
        | S::InFlight { .. }
        | S::Relayed { .. }
        | S::Deferred { .. }
        | S::Refused { .. }
        | S::Bounced { .. }
        | S::Unknown { .. }
        | S::Withdrawn { .. } => Err(Refused("not held")),
    }
}

fn retry_now(state: &Delivery, now: Timestamp) -> Result<Delivery, Refused> {
    match state {
        S::Planned { .. } => Ok(S::Planned { due: now }),
        S::Deferred { attempts, last, .. } => Ok(S::Deferred { until: now, attempts: *attempts, last: last.clone() }),
        S::Unknown { attempts, why, .. } => {
            Ok(S::Deferred { until: now, attempts: *attempts, last: Trouble::NoReply(why.clone()) })
        }
        S::Held { .. } => Err(Refused("held: release it first")),
        S::InFlight { .. } => Err(Refused("it is being sent just now")),
        S::Relayed { .. } | S::Refused { .. } | S::Bounced { .. } | S::Withdrawn { .. } => {
            Err(Refused("its delivery has ended: queue a new letter instead"))
        }
    }
}

#[cfg(test)]
mod tests;
