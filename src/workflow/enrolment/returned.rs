//! A letter of a certificate course came back for now (mailbox full, host down): its outbox row sends it once more, and the
//! course waits for it as it did the first time.

use super::{Password, State};
use crate::letters::LetterKind;
use crate::workflow::{Effect, Refused};

/// The notice is on its way again: its password waits for it as it did at first, unless it is queued already.
pub(super) fn returned(state: &State, letter: LetterKind) -> Result<(State, Vec<Effect>), Refused> {
    Ok(match (state, letter) {
        (State::Open { deadline, password: Password::Waiting { .. }, .. }, LetterKind::CertificateNotice) => {
            (State::NoticeQueued { stated: *deadline }, Vec::new())
        }
        (
            State::Open { notice_relayed, deadline, reminded, password: Password::Relayed { .. } },
            LetterKind::PickupPassword,
        ) => {
            let (notice_relayed, deadline, reminded) = (*notice_relayed, *deadline, *reminded);
            (State::Open { notice_relayed, deadline, reminded, password: Password::Queued }, Vec::new())
        }
        (
            _,
            LetterKind::CertificateNotice | LetterKind::PickupPassword | LetterKind::Reminder | LetterKind::Expired,
        ) => (state.clone(), Vec::new()),
        (
            _,
            LetterKind::Receipt
            | LetterKind::UnderReview
            | LetterKind::CorrectionRequest
            | LetterKind::AskAuthority
            | LetterKind::AskResend
            | LetterKind::AskConfirm
            | LetterKind::AskOrigin
            | LetterKind::AskReply
            | LetterKind::Welcome
            | LetterKind::Credentials,
        ) => return Err(Refused("this letter does not belong to a certificate course")),
    })
}
