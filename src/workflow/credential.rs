//! User id and password for the real system, sent once (seed 4.4).
//!
//! | state | event | next | effects |
//! |---|---|---|---|
//! | Waiting | Woke, launched, address proven, pick-up password has left | Queued | queue the credentials |
//! | Waiting | Woke, the same, by page | Offered | queue the letter that says where to look |
//! | Offered | Shown | Shown | |
//! | Queued | Relayed | Relayed | |
//! | Relayed | Returned | Queued | |
//! | Queued, Relayed | Undeliverable | Undeliverable | ask staff |
//! | Waiting, Queued, Undeliverable | AddressChanged | Waiting, next attempt | withdraw what has not left |
//! | Offered | AddressChanged | Offered, next attempt | withdraw what has not left, queue that letter anew |
//! | Waiting, Queued, Relayed, Undeliverable, Offered, Shown | Renewed | Waiting, next attempt, another password | withdraw what has not left |
//!
//! The order notice → pick-up password → credentials is kept by causality: the wake of this machine looks at the state
//! of the certificate course. *Offered* credentials are shown once on the check page, behind the certificate. After
//! *Relayed* an address change does not send the secret again by itself.

use super::{Effect, Matter, Nonce, Policy, Refused};
use crate::domain::Timestamp;
use crate::letters::LetterKind;
use crate::workflow::welcome::NO_GENERATION;
use serde::{Deserialize, Serialize};

/// The credential of a tenant; its password is derived from `nonce`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    pub nonce: Nonce,
    pub attempt: u32,
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub state: State,
}

/// See the table above.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum State {
    #[default]
    Waiting,
    Queued,
    Relayed {
        at: Timestamp,
    },
    Undeliverable {
        at: Timestamp,
        why: String,
    },
    Offered {
        at: Timestamp,
    },
    Shown {
        at: Timestamp,
    },
}

/// What can happen to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialEvent {
    /// `from`: from when on it may leave, `None` while something before it has not happened ([`may_leave_from`]).
    /// `by_page`: they are shown on the check page, not sent.
    Woke {
        from: Option<Timestamp>,
        by_page: bool,
    },
    Relayed,
    /// They came back for now and will be sent once more.
    Returned,
    Undeliverable {
        why: String,
    },
    AddressChanged,
    /// They were shown on the check page.
    Shown,
    /// Staff give a new password; its predecessor is void in the target system once that is told.
    Renewed {
        nonce: Nonce,
    },
}

/// From when on the credentials may leave, given the tenant's address and certificate course.
pub fn may_leave_from(
    secrets_from: Option<Timestamp>,
    password_has_left: bool,
    policy: &Policy<'_>,
) -> Option<Timestamp> {
    let launch = policy.rules.schedule.credentials_from.start();
    secrets_from.filter(|_| password_has_left).map(|proven| proven.max(launch))
}

impl Credential {
    /// When a wake will next do something here.
    pub fn next_wake(&self, from: Option<Timestamp>) -> Option<Timestamp> {
        match self.state {
            State::Waiting => from,
            State::Queued
            | State::Relayed { .. }
            | State::Undeliverable { .. }
            | State::Offered { .. }
            | State::Shown { .. } => None,
        }
    }
}

/// What has not left yet goes to nobody any more.
const WITHDRAW: Effect = Effect::WithdrawUnsent {
    generation: NO_GENERATION,
    letters: &[LetterKind::Credentials, LetterKind::CredentialsReady],
};

fn queue(letter: LetterKind, attempt: u32, now: Timestamp) -> Effect {
    Effect::Queue { letter, generation: NO_GENERATION, ordinal: attempt, not_before: now }
}

/// One step of the table above.
pub fn step(
    credential: &Credential,
    event: &CredentialEvent,
    now: Timestamp,
) -> Result<(Credential, Vec<Effect>), Refused> {
    use {CredentialEvent as E, State as S};
    let attempt = credential.attempt;
    let to = |state| Credential { nonce: credential.nonce, attempt, state };
    Ok(match (&credential.state, event) {
        (S::Waiting, E::Woke { from: Some(from), by_page: true }) if now >= *from => {
            (to(S::Offered { at: now }), vec![queue(LetterKind::CredentialsReady, attempt, now)])
        }
        (S::Waiting, E::Woke { from: Some(from), by_page: false }) if now >= *from => {
            (to(S::Queued), vec![queue(LetterKind::Credentials, attempt, now)])
        }
        (_, E::Woke { .. }) | (S::Relayed { .. } | S::Shown { .. }, E::AddressChanged) => {
            (credential.clone(), Vec::new())
        }
        (S::Offered { .. }, E::Shown) => (to(S::Shown { at: now }), Vec::new()),
        (_, E::Renewed { nonce }) => {
            (Credential { nonce: *nonce, attempt: attempt + 1, state: S::Waiting }, vec![WITHDRAW])
        }
        (S::Queued, E::Relayed) => (to(S::Relayed { at: now }), Vec::new()),
        (S::Queued | S::Relayed { .. }, E::Returned) => (to(S::Queued), Vec::new()),
        (S::Queued | S::Relayed { .. }, E::Undeliverable { why }) => {
            let matter = Matter::Undeliverable { letter: LetterKind::Credentials, why: why.clone() };
            (to(S::Undeliverable { at: now, why: why.clone() }), vec![Effect::AskStaff(matter)])
        }
        (S::Waiting | S::Queued | S::Undeliverable { .. }, E::AddressChanged) => {
            (Credential { nonce: credential.nonce, attempt: attempt + 1, state: S::Waiting }, vec![WITHDRAW])
        }
        (S::Offered { .. }, E::AddressChanged) => {
            let anew = Credential { attempt: attempt + 1, ..credential.clone() };
            (anew, vec![WITHDRAW, queue(LetterKind::CredentialsReady, attempt + 1, now)])
        }
        (
            S::Waiting | S::Relayed { .. } | S::Undeliverable { .. } | S::Offered { .. } | S::Shown { .. },
            E::Relayed,
        ) => {
            return Err(Refused("no credentials are on their way"));
        }
        (S::Waiting | S::Queued | S::Relayed { .. } | S::Undeliverable { .. } | S::Shown { .. }, E::Shown) => {
            return Err(Refused("no credentials can be shown"));
        }
        (
            S::Waiting | S::Undeliverable { .. } | S::Offered { .. } | S::Shown { .. },
            E::Undeliverable { .. } | E::Returned,
        ) => {
            return Err(Refused("no credentials are out that could have failed"));
        }
    })
}
