//! The pure machines: what a registration changes, what a tenant's course does next, what an SMTP reply means.
//!
//! Every machine is `step(state, event, now) -> Result<(state, effects), Refused>` with an exhaustive `match`; its
//! transition table stands at the head of its file. Nothing here knows a clock, a random number or a disk: `now`, fresh
//! nonces and replies come in with the event, and what is to be done goes out as an [`Effect`].

pub mod approval;
pub mod calendar;
pub mod course;
pub mod credential;
pub mod cursor;
pub mod delivery;
pub mod directory;
pub mod enrolment;
pub mod reply;
pub mod rights;
pub mod wave;
pub mod welcome;
pub mod wish;

pub use calendar::Calendar;
pub use course::{Course, CourseEvent, Roster};

use crate::domain::{Generation, MailNo, Timestamp};
use crate::letters::LetterKind;
use crate::rules::Rules;
use serde::{Deserialize, Serialize};

/// An event that has no place in this state; the sentence says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub &'static str);

/// Random bytes from which a generation's pick-up code and password (or a credential's password) are derived with the
/// master key. Worth nothing without that key, so it may stand in the store and in the journal (as hexadecimal digits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Nonce(pub [u8; 16]);

impl From<Nonce> for String {
    fn from(nonce: Nonce) -> Self {
        format!("{:032x}", u128::from_be_bytes(nonce.0))
    }
}

impl TryFrom<String> for Nonce {
    type Error = std::num::ParseIntError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        u128::from_str_radix(&text, 16).map(|number| Self(number.to_be_bytes()))
    }
}

/// Whether a member of a record is as at the beginning, and is left out.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What a step wants done. The engine carries all of it out in the transaction that stores the new state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Compose this letter and put it into the outbox. `ordinal` tells letters of one kind and generation apart;
    /// (tenant, generation, letter, ordinal) is unique for ever.
    Queue { letter: LetterKind, generation: Generation, ordinal: u32, not_before: Timestamp },
    /// Take back whatever of this generation (and of these kinds) has not left yet.
    WithdrawUnsent { generation: Generation, letters: &'static [LetterKind] },
    /// The certificate with this serial is to be revoked.
    Revoke { serial: String, reason: RevocationReason },
    /// A person must know or decide.
    AskStaff(Matter),
}

/// Why a certificate is revoked (RFC 5280 §5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationReason {
    KeyCompromise,
    Superseded,
    CessationOfOperation,
}

/// Why staff re-issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReissueReason {
    Lost,
    TerminalReplaced,
    Expired,
    WrongTerminal,
    AddressChanged,
}

/// A thing for staff that a machine found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "matter")]
pub enum Matter {
    /// A letter cannot reach the tenant; a new address is needed.
    Undeliverable { letter: LetterKind, why: String },
    /// The pick-up window is over; the tenant was told how to apply again.
    NotPickedUp { generation: Generation },
    /// The tenant asks by mail, from its registered address, for another certificate.
    ReissueAsked { mail: MailNo, reason: Option<ReissueReason> },
    /// Ten wrong pick-up passwords: the code was locked for half an hour.
    WrongPasswords { generation: Generation },
}

/// Everything but state and event that a step may look at.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    pub rules: &'a Rules,
    pub calendar: Calendar<'a>,
}

impl<'a> Policy<'a> {
    pub fn of(rules: &'a Rules) -> Self {
        Self { rules, calendar: Calendar::of(&rules.holidays) }
    }
}

/// The earlier of two wakes, where `None` is never.
pub(crate) fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, None) | (None, one) => one,
    }
}
