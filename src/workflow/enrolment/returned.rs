//! A letter of a certificate course came back for now (mailbox full, host down): its outbox row sends it once more, and the
//! course waits for it as it did the first time.

use super::{Password, State};
use crate::letters::CertificateLetter as L;
use crate::workflow::Effect;

/// The notice is on its way again: its password waits for it as it did at first, unless it is queued already.
pub(super) fn returned(state: &State, letter: L) -> (State, Vec<Effect>) {
    match (state, letter) {
        (State::Open { deadline, password: Password::Waiting { .. }, .. }, L::Notice) => {
            (State::NoticeQueued { stated: *deadline }, Vec::new())
        }
        (State::Open { notice_relayed, deadline, reminded, password: Password::Relayed { .. } }, L::Password) => {
            let (notice_relayed, deadline, reminded) = (*notice_relayed, *deadline, *reminded);
            (State::Open { notice_relayed, deadline, reminded, password: Password::Queued }, Vec::new())
        }
        (_, L::Notice | L::Password | L::Reminder | L::Expired) => (state.clone(), Vec::new()),
    }
}
