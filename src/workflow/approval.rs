//! The second person (research R9, R19): a request of one, decided by another. Pure.
//!
//! | state \ event | Approved | Refused | Recalled | Passed |
//! |---|---|---|---|---|
//! | Asked | Approved¹ | Refused¹ | Recalled² | Lapsed³, else same |
//! | Approved | – | – | – | same |
//! | Refused | – | – | – | same |
//! | Recalled | – | – | – | same |
//! | Lapsed | – | – | – | same |
//!
//! – is [`super::Refused`]. ¹ by another person than the requester, and before it lapses. ² by the requester. ³ from
//! [`LAPSE_SECONDS`] after it was asked on. Whether the other person may approve at all says [`super::rights`]; carrying
//! out what was asked is the engine's, in the same step as *Approved*.

use super::Refused;
use crate::domain::Timestamp;
use crate::domain::time::DAY;
use serde::{Deserialize, Serialize};

/// A request nobody answered is void after so many seconds: a week-long holiday fits in, a forgotten one does not lie
/// about for ever.
pub const LAPSE_SECONDS: i64 = 10 * DAY;

/// Where a request stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Approval {
    Asked { by: String, at: Timestamp },
    Approved { by: String, at: Timestamp },
    Refused { by: String, at: Timestamp, why: String },
    Recalled { at: Timestamp },
    Lapsed { at: Timestamp },
}

/// What happens to a request. `by` is an account's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApprovalEvent {
    Approved {
        by: String,
    },
    Refused {
        by: String,
        why: String,
    },
    Recalled {
        by: String,
    },
    /// Time has passed.
    Passed,
}

impl Approval {
    /// When it lapses; `None` once it is decided.
    pub fn lapses(&self) -> Option<Timestamp> {
        match self {
            Self::Asked { at, .. } => Some(at.plus(LAPSE_SECONDS)),
            Self::Approved { .. } | Self::Refused { .. } | Self::Recalled { .. } | Self::Lapsed { .. } => None,
        }
    }

    /// Code and word for lists.
    pub fn word(&self) -> (&'static str, &'static str) {
        match self {
            Self::Asked { .. } => ("asked", "承認待ち"),
            Self::Approved { .. } => ("approved", "承認済み"),
            Self::Refused { .. } => ("refused", "却下"),
            Self::Recalled { .. } => ("recalled", "取下げ"),
            Self::Lapsed { .. } => ("lapsed", "期限切れ"),
        }
    }
}

/// One step of the table above.
pub fn step(state: &Approval, event: &ApprovalEvent, now: Timestamp) -> Result<Approval, Refused> {
    use {Approval as S, ApprovalEvent as E};
    let (requester, asked) = match (state, event) {
        (S::Asked { by, at }, _) => (by, *at),
        (S::Approved { .. } | S::Refused { .. } | S::Recalled { .. } | S::Lapsed { .. }, E::Passed) => {
            return Ok(state.clone());
        }
        (
            S::Approved { .. } | S::Refused { .. } | S::Recalled { .. } | S::Lapsed { .. },
            E::Approved { .. } | E::Refused { .. } | E::Recalled { .. },
        ) => return Err(Refused("this request has been decided or is void")),
    };
    let lapsed = now >= asked.plus(LAPSE_SECONDS);
    match event {
        E::Passed if lapsed => Ok(S::Lapsed { at: now }),
        E::Passed => Ok(state.clone()),
        E::Recalled { by } if by == requester => Ok(S::Recalled { at: now }),
        E::Recalled { .. } => Err(Refused("only who asked can take a request back; refuse it instead")),
        E::Approved { .. } | E::Refused { .. } if lapsed => Err(Refused("this request has lapsed; ask again")),
        E::Approved { by } | E::Refused { by, .. } if by == requester => {
            Err(Refused("who asked cannot decide; another person must"))
        }
        E::Approved { by } => Ok(S::Approved { by: by.clone(), at: now }),
        E::Refused { by, why } => Ok(S::Refused { by: by.clone(), at: now, why: why.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states() -> [Approval; 5] {
        let at = Timestamp::from_unix(1_588_291_200);
        [
            Approval::Asked { by: "sato".into(), at },
            Approval::Approved { by: "mori".into(), at },
            Approval::Refused { by: "mori".into(), at, why: "x".into() },
            Approval::Recalled { at },
            Approval::Lapsed { at },
        ]
    }

    fn check(state: &Approval, event: ApprovalEvent, after: i64, expected: Result<&str, &str>) {
        let now = Timestamp::from_unix(1_588_291_200).plus(after);
        let found = step(state, &event, now);
        let found = found.as_ref().map(|next| next.word().0).map_err(|Refused(why)| *why);
        assert_eq!(found, expected, "{state:?} {event:?} {after}");
    }

    #[test]
    fn every_pair() {
        let approved = |by: &str| ApprovalEvent::Approved { by: by.into() };
        let refused = |by: &str| ApprovalEvent::Refused { by: by.into(), why: "y".into() };
        let recalled = |by: &str| ApprovalEvent::Recalled { by: by.into() };
        let [asked, decided @ ..] = states();
        let last = LAPSE_SECONDS - 1;
        let own = Err("who asked cannot decide; another person must");
        check(&asked, approved("mori"), last, Ok("approved"));
        check(&asked, approved("sato"), 0, own);
        check(&asked, approved("mori"), LAPSE_SECONDS, Err("this request has lapsed; ask again"));
        check(&asked, refused("mori"), 0, Ok("refused"));
        check(&asked, refused("sato"), 0, own);
        check(&asked, recalled("sato"), 0, Ok("recalled"));
        check(&asked, recalled("mori"), 0, Err("only who asked can take a request back; refuse it instead"));
        check(&asked, ApprovalEvent::Passed, last, Ok("asked"));
        check(&asked, ApprovalEvent::Passed, LAPSE_SECONDS, Ok("lapsed"));
        for state in &decided {
            for event in [approved("mori"), refused("mori"), recalled("sato")] {
                check(state, event, 0, Err("this request has been decided or is void"));
            }
            check(state, ApprovalEvent::Passed, LAPSE_SECONDS, Ok(state.word().0));
            assert_eq!(state.lapses(), None);
        }
    }
}
