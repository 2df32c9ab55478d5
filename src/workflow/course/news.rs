//! What a letter's fate means for its course: which machine hears of it, and what a dead address keeps back.

use super::{Course, enrol};
use crate::domain::{Generation, Timestamp};
use crate::letters::LetterKind;
use crate::workflow::credential::{self, CredentialEvent};
use crate::workflow::enrolment::{EnrolmentEvent, State};
use crate::workflow::welcome::{self, WelcomeEvent};
use crate::workflow::{Effect, Policy, Refused};

/// Whether a letter is the latest of its kind. Each changed address has a welcome letter and credentials of its own; what
/// is heard later of an earlier one says nothing about the address of today.
pub(super) fn counts(course: &Course, letter: LetterKind, ordinal: u32) -> Result<(), Refused> {
    let latest = match letter {
        LetterKind::Welcome => course.welcome.attempt(),
        LetterKind::Credentials => course.credential.attempt,
        LetterKind::CertificateNotice
        | LetterKind::PickupPassword
        | LetterKind::Reminder
        | LetterKind::Expired
        | LetterKind::Receipt
        | LetterKind::UnderReview
        | LetterKind::CorrectionRequest
        | LetterKind::AskAuthority
        | LetterKind::AskResend
        | LetterKind::AskConfirm
        | LetterKind::AskOrigin
        | LetterKind::AskReply => return Ok(()),
    };
    if ordinal == latest { Ok(()) } else { Err(Refused("this letter went to an earlier address")) }
}

pub(super) fn relayed(
    course: &mut Course,
    letter: LetterKind,
    generation: Generation,
    now: Timestamp,
    policy: &Policy<'_>,
) -> Result<Vec<Effect>, Refused> {
    match letter {
        LetterKind::Welcome => {
            let (welcome, effects) = welcome::step(&course.welcome, &WelcomeEvent::Relayed, now, policy)?;
            course.welcome = welcome;
            Ok(effects)
        }
        LetterKind::Credentials => {
            let (credential, effects) = credential::step(&course.credential, &CredentialEvent::Relayed, now)?;
            course.credential = credential;
            Ok(effects)
        }
        LetterKind::CertificateNotice | LetterKind::PickupPassword | LetterKind::Reminder | LetterKind::Expired => {
            enrol(course, generation, &EnrolmentEvent::Relayed { letter }, now, policy)
        }
        LetterKind::Receipt
        | LetterKind::UnderReview
        | LetterKind::CorrectionRequest
        | LetterKind::AskAuthority
        | LetterKind::AskResend
        | LetterKind::AskConfirm
        | LetterKind::AskOrigin
        | LetterKind::AskReply => Err(Refused("this letter went to the sender of a mail, not to a tenant")),
    }
}

pub(super) fn returned(
    course: &mut Course,
    letter: LetterKind,
    generation: Generation,
    now: Timestamp,
    policy: &Policy<'_>,
) -> Result<Vec<Effect>, Refused> {
    match letter {
        LetterKind::Welcome => {
            let (welcome, effects) = welcome::step(&course.welcome, &WelcomeEvent::Returned, now, policy)?;
            course.welcome = welcome;
            Ok(effects)
        }
        LetterKind::Credentials => {
            let (credential, effects) = credential::step(&course.credential, &CredentialEvent::Returned, now)?;
            course.credential = credential;
            Ok(effects)
        }
        LetterKind::CertificateNotice | LetterKind::PickupPassword | LetterKind::Reminder | LetterKind::Expired => {
            enrol(course, generation, &EnrolmentEvent::Returned { letter }, now, policy)
        }
        LetterKind::Receipt
        | LetterKind::UnderReview
        | LetterKind::CorrectionRequest
        | LetterKind::AskAuthority
        | LetterKind::AskResend
        | LetterKind::AskConfirm
        | LetterKind::AskOrigin
        | LetterKind::AskReply => Err(Refused("this letter went to the sender of a mail, not to a tenant")),
    }
}

pub(super) fn undeliverable(
    course: &mut Course,
    letter: LetterKind,
    generation: Generation,
    why: &str,
    now: Timestamp,
    policy: &Policy<'_>,
) -> Result<Vec<Effect>, Refused> {
    let why = why.to_owned();
    match letter {
        LetterKind::Welcome => {
            let event = WelcomeEvent::Undeliverable { why: why.clone() };
            let (welcome, mut effects) = welcome::step(&course.welcome, &event, now, policy)?;
            course.welcome = welcome;
            effects.extend(hold_back(course, &why, now, policy)?);
            Ok(effects)
        }
        LetterKind::Credentials => {
            let event = CredentialEvent::Undeliverable { why: why.clone() };
            let (credential, effects) = credential::step(&course.credential, &event, now)?;
            course.credential = credential;
            // The address is dead for every other letter too; staff have been asked once, which is enough.
            let dead = WelcomeEvent::Undeliverable { why };
            if let Ok((welcome, _)) = welcome::step(&course.welcome, &dead, now, policy) {
                course.welcome = welcome;
            }
            Ok(effects)
        }
        LetterKind::CertificateNotice | LetterKind::PickupPassword | LetterKind::Reminder | LetterKind::Expired => {
            enrol(course, generation, &EnrolmentEvent::Undeliverable { letter, why }, now, policy)
        }
        LetterKind::Receipt
        | LetterKind::UnderReview
        | LetterKind::CorrectionRequest
        | LetterKind::AskAuthority
        | LetterKind::AskResend
        | LetterKind::AskConfirm
        | LetterKind::AskOrigin
        | LetterKind::AskReply => Err(Refused("this letter went to the sender of a mail, not to a tenant")),
    }
}

/// The address has turned out to be dead: secrets that are written but have not left stay here. A new address begins the
/// next generation. Staff are asked by the welcome letter already.
fn hold_back(course: &mut Course, why: &str, now: Timestamp, policy: &Policy<'_>) -> Result<Vec<Effect>, Refused> {
    let mut effects = Vec::new();
    let waiting = course.enrolments.iter().filter(|e| matches!(e.state, State::NoticeQueued { .. }));
    for generation in waiting.map(|e| e.generation).collect::<Vec<_>>() {
        let event = EnrolmentEvent::Undeliverable { letter: LetterKind::CertificateNotice, why: why.to_owned() };
        let more = enrol(course, generation, &event, now, policy)?;
        effects.extend(more.into_iter().filter(|effect| !matches!(effect, Effect::AskStaff(_))));
    }
    if course.credential.state == credential::State::Queued {
        let (credential, more) = credential::step(&course.credential, &CredentialEvent::AddressChanged, now)?;
        course.credential = credential;
        effects.extend(more);
    }
    Ok(effects)
}
