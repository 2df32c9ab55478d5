//! What a letter's fate means for its course: which machine hears of it, and what a dead address keeps back.

use super::{Course, enrol};
use crate::domain::{Generation, Timestamp};
use crate::letters::{CertificateLetter, LetterKind, TenantLetter};
use crate::workflow::credential::{self, CredentialEvent};
use crate::workflow::enrolment::{EnrolmentEvent, State};
use crate::workflow::welcome::{self, WelcomeEvent};
use crate::workflow::{Effect, Matter, Policy, Refused};

/// What became of a letter after it left.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate<'a> {
    Relayed,
    /// It came back for now and will be sent once more.
    Returned,
    Undeliverable {
        why: &'a str,
    },
}

/// Tells the machine whose letter it was. Each changed address has a welcome letter and credentials of its own: what is
/// heard of one to an earlier address (`ordinal` is not the latest) says nothing about the address of today.
pub(super) fn heard(
    course: &mut Course,
    (letter, generation, ordinal): (LetterKind, Generation, u32),
    fate: Fate<'_>,
    now: Timestamp,
    policy: &Policy<'_>,
) -> Result<Vec<Effect>, Refused> {
    match letter.for_tenant() {
        Some(TenantLetter::Welcome) if ordinal == course.welcome.attempt() => {
            let mut effects = welcome(course, fate, now, policy)?;
            if let Fate::Undeliverable { why } = fate {
                effects.extend(hold_back(course, why, now, policy)?);
            }
            Ok(effects)
        }
        Some(TenantLetter::Credentials) if ordinal == course.credential.attempt => {
            let event = match fate {
                Fate::Relayed => CredentialEvent::Relayed,
                Fate::Returned => CredentialEvent::Returned,
                Fate::Undeliverable { why } => CredentialEvent::Undeliverable { why: why.to_owned() },
            };
            let (credential, effects) = credential::step(&course.credential, &event, now)?;
            course.credential = credential;
            if matches!(fate, Fate::Undeliverable { .. }) {
                // The address is dead for every other letter too; staff have been asked once, which is enough. A welcome
                // letter that has no use for the news refuses it.
                let _asked_already = welcome(course, fate, now, policy);
            }
            Ok(effects)
        }
        Some(TenantLetter::CredentialsReady) if ordinal == course.credential.attempt => {
            // It says where to look, and no machine waits for it; a dead address is dead for every other letter too.
            let Fate::Undeliverable { why } = fate else { return Ok(Vec::new()) };
            let _asked_below = welcome(course, fate, now, policy);
            let letter = LetterKind::CredentialsReady;
            Ok(vec![Effect::AskStaff(Matter::Undeliverable { letter, why: why.to_owned() })])
        }
        Some(TenantLetter::Welcome | TenantLetter::Credentials | TenantLetter::CredentialsReady) => {
            Err(Refused("this letter went to an earlier address"))
        }
        Some(TenantLetter::Certificate(letter)) => {
            let event = match fate {
                Fate::Relayed => EnrolmentEvent::Relayed { letter },
                Fate::Returned => EnrolmentEvent::Returned { letter },
                Fate::Undeliverable { why } => EnrolmentEvent::Undeliverable { letter, why: why.to_owned() },
            };
            enrol(course, generation, &event, now, policy)
        }
        None => Err(Refused("this letter went to the sender of a mail, not to a tenant")),
    }
}

fn welcome(course: &mut Course, fate: Fate<'_>, now: Timestamp, policy: &Policy<'_>) -> Result<Vec<Effect>, Refused> {
    let event = match fate {
        Fate::Relayed => WelcomeEvent::Relayed,
        Fate::Returned => WelcomeEvent::Returned,
        Fate::Undeliverable { why } => WelcomeEvent::Undeliverable { why: why.to_owned() },
    };
    let (next, effects) = welcome::step(&course.welcome, &event, now, policy)?;
    course.welcome = next;
    Ok(effects)
}

/// The address has turned out to be dead: secrets that are written but have not left stay here. A new address begins the
/// next generation. Staff are asked by the welcome letter already.
fn hold_back(course: &mut Course, why: &str, now: Timestamp, policy: &Policy<'_>) -> Result<Vec<Effect>, Refused> {
    let mut effects = Vec::new();
    let waiting = course.enrolments.iter().filter(|e| matches!(e.state, State::NoticeQueued { .. }));
    for generation in waiting.map(|e| e.generation).collect::<Vec<_>>() {
        let event = EnrolmentEvent::Undeliverable { letter: CertificateLetter::Notice, why: why.to_owned() };
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
