//! Whether a tenant's address works: the harmless welcome letter (research R12; G-MIS 2023 found dead addresses so).
//!
//! | state | event | next | effects |
//! |---|---|---|---|
//! | Waiting | Woke, day reached | Queued | queue the welcome letter |
//! | Waiting | Woke, too early | Waiting | |
//! | Queued | Relayed | Standing | |
//! | Standing | Returned | Queued | |
//! | Queued, Standing | Undeliverable | Undeliverable | ask staff |
//! | any | AddressChanged | Waiting, next attempt | withdraw what has not left |
//!
//! *Standing* means relayed and not bounced; nothing secret leaves before it has stood for the hold time
//! ([`Welcome::secrets_from`]). Everything else is refused or, for a wake, changes nothing.

use super::{Effect, Matter, Policy, Refused};
use crate::domain::{Generation, Timestamp};
use crate::letters::LetterKind;
use serde::{Deserialize, Serialize};

/// The welcome letter has no generation of its own: an address belongs to the tenant, not to a certificate.
pub const NO_GENERATION: Generation = Generation(0);

/// See the table above. `attempt` counts addresses, from 1, and is the letter's ordinal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Welcome {
    Waiting { attempt: u32 },
    Queued { attempt: u32 },
    Standing { attempt: u32, since: Timestamp },
    Undeliverable { attempt: u32, at: Timestamp, why: String },
}

/// What can happen to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WelcomeEvent {
    Woke,
    Relayed,
    /// It came back for now and will be sent once more.
    Returned,
    Undeliverable {
        why: String,
    },
    AddressChanged,
}

impl Default for Welcome {
    fn default() -> Self {
        Self::Waiting { attempt: 1 }
    }
}

impl Welcome {
    /// Number of the address, from 1; the ordinal of its welcome letter.
    pub fn attempt(&self) -> u32 {
        match self {
            Self::Waiting { attempt }
            | Self::Queued { attempt }
            | Self::Standing { attempt, .. }
            | Self::Undeliverable { attempt, .. } => *attempt,
        }
    }

    /// From when on this address may be sent secrets; `None` while that is not known.
    pub fn secrets_from(&self, policy: &Policy<'_>) -> Option<Timestamp> {
        match self {
            Self::Standing { since, .. } => {
                let hold = policy.rules.schedule.welcome_hold_business_days;
                let day = policy.calendar.plus_business_days(since.date(), hold);
                Some(if hold == 0 { *since } else { day.at(since.time_of_day()).max(*since) })
            }
            Self::Waiting { .. } | Self::Queued { .. } | Self::Undeliverable { .. } => None,
        }
    }

    /// When [`WelcomeEvent::Woke`] will next do something. A moment in the past means: now.
    pub fn next_wake(&self, policy: &Policy<'_>) -> Option<Timestamp> {
        match self {
            Self::Waiting { .. } => Some(starts(policy)),
            Self::Queued { .. } | Self::Standing { .. } | Self::Undeliverable { .. } => None,
        }
    }
}

fn starts(policy: &Policy<'_>) -> Timestamp {
    policy.rules.schedule.welcome_from.map_or(Timestamp::from_unix(0), crate::domain::Date::start)
}

/// One step of the table above.
pub fn step(
    state: &Welcome,
    event: &WelcomeEvent,
    now: Timestamp,
    policy: &Policy<'_>,
) -> Result<(Welcome, Vec<Effect>), Refused> {
    use {Welcome as S, WelcomeEvent as E};
    let attempt = state.attempt();
    Ok(match (state, event) {
        (S::Waiting { .. }, E::Woke) if now >= starts(policy) => {
            let letter = LetterKind::Welcome;
            let queue = Effect::Queue { letter, generation: NO_GENERATION, ordinal: attempt, not_before: now };
            (S::Queued { attempt }, vec![queue])
        }
        (S::Waiting { .. } | S::Queued { .. } | S::Standing { .. } | S::Undeliverable { .. }, E::Woke) => {
            (state.clone(), Vec::new())
        }
        (S::Queued { .. } | S::Standing { .. }, E::Returned) => (S::Queued { attempt }, Vec::new()),
        (S::Queued { .. }, E::Relayed) => (S::Standing { attempt, since: now }, Vec::new()),
        (S::Queued { .. } | S::Standing { .. }, E::Undeliverable { why }) => {
            let matter = Matter::Undeliverable { letter: LetterKind::Welcome, why: why.clone() };
            (S::Undeliverable { attempt, at: now, why: why.clone() }, vec![Effect::AskStaff(matter)])
        }
        (S::Waiting { .. } | S::Queued { .. } | S::Standing { .. } | S::Undeliverable { .. }, E::AddressChanged) => {
            let withdraw = Effect::WithdrawUnsent { generation: NO_GENERATION, letters: &[LetterKind::Welcome] };
            (S::Waiting { attempt: attempt + 1 }, vec![withdraw])
        }
        (S::Waiting { .. } | S::Standing { .. } | S::Undeliverable { .. }, E::Relayed) => {
            return Err(Refused("no welcome letter is on its way"));
        }
        (S::Waiting { .. } | S::Undeliverable { .. }, E::Undeliverable { .. } | E::Returned) => {
            return Err(Refused("no welcome letter is out that could have failed"));
        }
    })
}
