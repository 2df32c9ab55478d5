//! What a report of a mail server makes of a row (RFC 3464).

use super::answer::told;
use super::{BounceClass, Delivery, Next, Told, Trouble};
use super::{Delivery as S, Refused};
use crate::domain::Timestamp;
use crate::domain::time::DAY;

/// Seconds until a letter that came back for now (mailbox full, host down) is sent once more.
pub const RETURN_PAUSE: i64 = DAY;
/// Seconds since the first attempt after which a letter that comes back for now is given up: servers try for five days
/// themselves (RFC 5321 §4.5.4.1), so a letter gets at least one more chance after that.
pub const RETURNED_FOR: i64 = 7 * DAY;

const NEVER_SENT: &str = "a report on a letter that was never sent";

pub(super) fn bounced(
    state: &Delivery,
    class: BounceClass,
    status: Option<&String>,
    now: Timestamp,
) -> Result<Next, Refused> {
    match state {
        S::Planned { .. } | S::Held { attempts: 0, .. } => Err(Refused(NEVER_SENT)),
        S::Refused { .. } | S::Bounced { .. } | S::Withdrawn { .. } => Ok((state.clone(), Vec::new())),
        S::InFlight { .. } | S::Relayed { .. } | S::Deferred { .. } | S::Unknown { .. } | S::Held { .. } => Ok((
            S::Bounced { at: now, class, status: status.cloned() },
            told(Told::Undeliverable { class, status: status.cloned() }),
        )),
    }
}

pub(super) fn returned(
    state: &Delivery,
    status: Option<&String>,
    first: Timestamp,
    now: Timestamp,
) -> Result<Next, Refused> {
    match state {
        S::Planned { .. } | S::Held { attempts: 0, .. } => Err(Refused(NEVER_SENT)),
        S::Relayed { .. } | S::Unknown { .. } if now >= first.plus(RETURNED_FOR) => {
            bounced(state, BounceClass::Soft, status, now)
        }
        S::Relayed { .. } | S::Unknown { .. } => {
            let why =
                status.map_or_else(|| "returned for now".to_owned(), |status| format!("returned for now: {status}"));
            let (until, attempts) = (now.plus(RETURN_PAUSE), state.attempts().max(1));
            Ok((S::Deferred { until, attempts, last: Trouble::NoReply(why) }, told(Told::Returned)))
        }
        // The attempt under way, or the next one, decides; or it is over anyway.
        S::InFlight { .. }
        | S::Deferred { .. }
        | S::Refused { .. }
        | S::Bounced { .. }
        | S::Held { .. }
        | S::Withdrawn { .. } => Ok((state.clone(), Vec::new())),
    }
}

/// It is under way or has arrived.
pub(super) fn delayed(state: &Delivery, now: Timestamp) -> Result<Next, Refused> {
    match state {
        S::Planned { .. } => Err(Refused(NEVER_SENT)),
        S::Unknown { .. } => Ok((S::Relayed { at: now, reply: None }, told(Told::Relayed))),
        S::InFlight { .. }
        | S::Relayed { .. }
        | S::Deferred { .. }
        | S::Refused { .. }
        | S::Bounced { .. }
        | S::Held { .. }
        | S::Withdrawn { .. } => Ok((state.clone(), Vec::new())),
    }
}
