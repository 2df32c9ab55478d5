//! A tenant's whole course: its address ([`super::welcome`]), its certificate generations ([`super::enrolment`]) and its
//! credential ([`super::credential`]), and the events that concern more than one of them.
//!
//! | event | what it does |
//! |---|---|
//! | Woke | wakes all three in this order; begins a renewal when the certificate in use nears its end |
//! | Relayed, Returned, Undeliverable | goes to the machine the letter belongs to; refused for a letter to an earlier address |
//! | Undeliverable (welcome) | besides: a notice and credentials that have not left are taken back |
//! | PickedUp | the newest generation is collected; a certificate it renews is superseded |
//! | SeenInUse | goes to the generation it names |
//! | Cancelled | goes to the newest generation |
//! | Revoked | goes to the generation whose certificate is in use, even while its renewal is under way |
//! | CredentialsShown, CredentialsRenewed | goes to the credential |
//! | Reissued | every generation that is not over is superseded, the next one begins: the old URL is dead at once |
//! | AddressChanged | the welcome starts again; a generation whose letters went to the old address is superseded |
//!
//! The courses of one authority and its health centres are one [`Roster`]: the unit that is loaded and stored.

mod news;

use self::news::{Fate, heard};
use super::credential::{self, Credential, CredentialEvent};
use super::enrolment::{self, Cause, Certificate, Enrolment, EnrolmentEvent, State};
use super::welcome::{self, Welcome, WelcomeEvent};
use super::{Effect, Nonce, Policy, Refused, ReissueReason, RevocationReason, earlier};
use crate::domain::tenant::Provenance;
use crate::domain::{Generation, LgCode, MailAddress, Tenant, TenantId, Timestamp};
use crate::letters::LetterKind;
use serde::{Deserialize, Serialize};

/// Most generations one tenant can have; more points to a loop, not to lost terminals.
pub const GENERATIONS_MAX: usize = 99;

/// One tenant with the states of its machines. A record leaves out what is as at the beginning: most of a new directory
/// waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    pub tenant: Tenant,
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub welcome: Welcome,
    /// Oldest first, never empty; the last one is the one that counts.
    pub enrolments: Vec<Enrolment>,
    pub credential: Credential,
}

/// An authority (serial 00) and its health centres, by serial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    pub code: LgCode,
    pub courses: Vec<Course>,
}

/// What can happen to a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CourseEvent {
    /// `spare` is used up only if a renewal begins.
    Woke {
        spare: Nonce,
    },
    /// `ordinal`: that of the letter, so that news of a letter to an earlier address is not taken for news of this one.
    Relayed {
        letter: LetterKind,
        generation: Generation,
        ordinal: u32,
    },
    /// It came back for now and will be sent once more.
    Returned {
        letter: LetterKind,
        generation: Generation,
        ordinal: u32,
    },
    Undeliverable {
        letter: LetterKind,
        generation: Generation,
        ordinal: u32,
        why: String,
    },
    PickedUp {
        generation: Generation,
        certificate: Certificate,
    },
    SeenInUse {
        generation: Generation,
    },
    Cancelled {
        reason: String,
    },
    Revoked {
        reason: RevocationReason,
    },
    CredentialsShown,
    CredentialsRenewed {
        nonce: Nonce,
    },
    Reissued {
        reason: ReissueReason,
        nonce: Nonce,
    },
    AddressChanged {
        address: MailAddress,
        provenance: Provenance,
        nonce: Nonce,
    },
}

impl Roster {
    pub fn new(code: LgCode) -> Self {
        Self { code, courses: Vec::new() }
    }

    pub fn course(&self, id: TenantId) -> Option<&Course> {
        self.courses.iter().find(|course| course.tenant.id == id)
    }

    pub fn course_mut(&mut self, id: TenantId) -> Option<&mut Course> {
        self.courses.iter_mut().find(|course| course.tenant.id == id)
    }

    /// The authority's own name, or its code while only health centres are known.
    pub fn authority_name(&self) -> String {
        self.course(TenantId::authority_of(self.code)).map_or_else(|| self.code.to_string(), |c| c.tenant.name.clone())
    }

    /// When a wake will next do something for any tenant here (invariant I8).
    pub fn next_wake(&self, policy: &Policy<'_>) -> Option<Timestamp> {
        self.courses.iter().fold(None, |soonest, course| earlier(soonest, course.next_wake(policy)))
    }
}

impl Course {
    /// A tenant nobody has written to yet.
    pub fn begin(tenant: Tenant, pickup: Nonce, credential: Nonce) -> Self {
        let first =
            Enrolment { generation: Generation(1), nonce: pickup, cause: Cause::default(), state: State::default() };
        let credential = Credential { nonce: credential, attempt: 1, state: credential::State::default() };
        Self { tenant, welcome: Welcome::default(), enrolments: vec![first], credential }
    }

    /// The generation that counts now.
    pub fn current(&self) -> Option<&Enrolment> {
        self.enrolments.last()
    }

    pub fn enrolment(&self, generation: Generation) -> Option<&Enrolment> {
        self.enrolments.iter().find(|e| e.generation == generation)
    }

    /// When a wake will next do something. A moment in the past means: now.
    pub fn next_wake(&self, policy: &Policy<'_>) -> Option<Timestamp> {
        let secrets_from = self.welcome.secrets_from(policy);
        let enrolments = self.enrolments.iter().map(|e| e.state.next_wake(secrets_from, policy));
        let credential = self.credential.next_wake(self.credentials_from(policy));
        let all = [self.welcome.next_wake(policy), credential, self.renewal_from(policy)];
        enrolments.chain(all).fold(None, earlier)
    }

    /// From when on the credentials may leave; `None` while something before it has not happened.
    pub fn credentials_from(&self, policy: &Policy<'_>) -> Option<Timestamp> {
        let left = self.enrolments.iter().any(|e| e.state.password_has_left());
        credential::may_leave_from(self.welcome.secrets_from(policy), left, policy)
    }

    /// When the certificate in use should be renewed: at the first of `renewal_days_before`, and where that renewal was
    /// not picked up in time, at the next of them that is still to come. `None` while another course is under way.
    fn renewal_from(&self, policy: &Policy<'_>) -> Option<Timestamp> {
        let newest = self.current().filter(|_| self.enrolments.len() < GENERATIONS_MAX)?;
        let certificate = self.enrolments.iter().find_map(|e| e.state.live_certificate())?;
        let last_day = certificate.not_after.date();
        let mut tiers = policy.rules.schedule.renewal_days_before.iter().map(|days| last_day.minus_days(*days).start());
        let State::Expired { at, .. } = &newest.state else {
            return newest.state.live_certificate().and_then(|_| tiers.next());
        };
        tiers.find(|tier| newest.cause == Cause::Renewal && tier > at)
    }
}

/// One step of the table above. On `Refused` nothing has changed.
pub fn step(
    course: &Course,
    event: &CourseEvent,
    now: Timestamp,
    policy: &Policy<'_>,
) -> Result<(Course, Vec<Effect>), Refused> {
    use CourseEvent as E;
    let mut next = course.clone();
    let effects = match event {
        E::Woke { spare } => woke(&mut next, *spare, now, policy)?,
        E::Relayed { letter, generation, ordinal } => {
            heard(&mut next, (*letter, *generation, *ordinal), Fate::Relayed, now, policy)?
        }
        E::Returned { letter, generation, ordinal } => {
            heard(&mut next, (*letter, *generation, *ordinal), Fate::Returned, now, policy)?
        }
        E::Undeliverable { letter, generation, ordinal, why } => {
            heard(&mut next, (*letter, *generation, *ordinal), Fate::Undeliverable { why }, now, policy)?
        }
        E::PickedUp { generation, certificate } => {
            let event = EnrolmentEvent::PickedUp { certificate: certificate.clone() };
            let mut effects = enrol(&mut next, *generation, &event, now, policy)?;
            effects.extend(supersede(&mut next, *generation, now, policy)?);
            effects
        }
        E::SeenInUse { generation } => enrol(&mut next, *generation, &EnrolmentEvent::SeenInUse, now, policy)?,
        E::Cancelled { reason } => {
            let event = EnrolmentEvent::Cancelled { reason: reason.clone() };
            enrol(&mut next, newest(course)?, &event, now, policy)?
        }
        E::Revoked { reason } => {
            enrol(&mut next, in_use(course)?, &EnrolmentEvent::Revoked { reason: *reason }, now, policy)?
        }
        E::CredentialsShown => credentials(&mut next, &CredentialEvent::Shown, now)?,
        E::CredentialsRenewed { nonce } => credentials(&mut next, &CredentialEvent::Renewed { nonce: *nonce }, now)?,
        E::Reissued { reason, nonce } => begin_next(&mut next, *reason, *nonce, now, policy)?,
        E::AddressChanged { address, provenance, nonce } => {
            next.tenant.address = address.clone();
            next.tenant.provenance = provenance.clone();
            address_changed(&mut next, *nonce, now, policy)?
        }
    };
    Ok((next, effects))
}

fn credentials(course: &mut Course, event: &CredentialEvent, now: Timestamp) -> Result<Vec<Effect>, Refused> {
    let (credential, effects) = credential::step(&course.credential, event, now)?;
    course.credential = credential;
    Ok(effects)
}

fn newest(course: &Course) -> Result<Generation, Refused> {
    course.current().map(|e| e.generation).ok_or(Refused("this tenant has no certificate course"))
}

/// The generation whose certificate may be used now; while it is being renewed that is not the newest.
fn in_use(course: &Course) -> Result<Generation, Refused> {
    let live = course.enrolments.iter().rfind(|e| e.state.live_certificate().is_some());
    live.map_or_else(|| newest(course), |enrolment| Ok(enrolment.generation))
}

fn enrol(
    course: &mut Course,
    generation: Generation,
    event: &EnrolmentEvent,
    now: Timestamp,
    policy: &Policy<'_>,
) -> Result<Vec<Effect>, Refused> {
    let enrolment = course
        .enrolments
        .iter_mut()
        .find(|e| e.generation == generation)
        .ok_or(Refused("this tenant has no such generation"))?;
    let (state, effects) = enrolment::step(generation, &enrolment.state, event, now, policy)?;
    enrolment.state = state;
    Ok(effects)
}

fn woke(course: &mut Course, spare: Nonce, now: Timestamp, policy: &Policy<'_>) -> Result<Vec<Effect>, Refused> {
    let (welcome, mut effects) = welcome::step(&course.welcome, &WelcomeEvent::Woke, now, policy)?;
    course.welcome = welcome;
    if course.renewal_from(policy).is_some_and(|from| now >= from) {
        // The certificate in use lives on until its successor is picked up.
        push_generation(course, Cause::Renewal, spare)?;
    }
    let event = EnrolmentEvent::Woke { secrets_from: course.welcome.secrets_from(policy) };
    for generation in course.enrolments.iter().map(|e| e.generation).collect::<Vec<_>>() {
        effects.extend(enrol(course, generation, &event, now, policy)?);
    }
    let by_page = policy.rules.schedule.credentials.by_page;
    let event = CredentialEvent::Woke { from: course.credentials_from(policy), by_page };
    effects.extend(credentials(course, &event, now)?);
    Ok(effects)
}

fn address_changed(
    course: &mut Course,
    nonce: Nonce,
    now: Timestamp,
    policy: &Policy<'_>,
) -> Result<Vec<Effect>, Refused> {
    let (welcome, mut effects) = welcome::step(&course.welcome, &WelcomeEvent::AddressChanged, now, policy)?;
    course.welcome = welcome;
    effects.extend(credentials(course, &CredentialEvent::AddressChanged, now)?);
    let told_old_address = match course.current().map(|e| &e.state) {
        Some(State::NoticeQueued { .. } | State::Open { .. } | State::Undeliverable { .. }) => true,
        Some(
            State::Registered
            | State::Collected { .. }
            | State::InUse { .. }
            | State::Expired { .. }
            | State::Cancelled { .. }
            | State::Superseded { .. }
            | State::Revoked { .. },
        )
        | None => false,
    };
    if told_old_address {
        effects.extend(begin_next(course, ReissueReason::AddressChanged, nonce, now, policy)?);
    }
    Ok(effects)
}

/// Begins the next generation. Old URLs die at once; a certificate in use lives until the new one is picked up, unless it
/// was lost: then it is revoked now.
fn begin_next(
    course: &mut Course,
    reason: ReissueReason,
    nonce: Nonce,
    now: Timestamp,
    policy: &Policy<'_>,
) -> Result<Vec<Effect>, Refused> {
    let by = Generation(newest(course)?.0 + 1);
    if reason == ReissueReason::Expired && !has_expired(course, now) {
        return Err(Refused("nothing of this tenant has expired; give the reason that is so"));
    }
    let mut effects = Vec::new();
    for (generation, live) in others_of(course, by) {
        let event = match (live, reason) {
            (false, _) => EnrolmentEvent::Superseded { by },
            (true, ReissueReason::Lost) => EnrolmentEvent::Revoked { reason: RevocationReason::KeyCompromise },
            (
                true,
                ReissueReason::TerminalReplaced
                | ReissueReason::Expired
                | ReissueReason::WrongTerminal
                | ReissueReason::AddressChanged,
            ) => continue,
        };
        effects.extend(enrol(course, generation, &event, now, policy)?);
    }
    push_generation(course, Cause::Reissue, nonce)?;
    Ok(effects)
}

/// Whether the time for picking up, or the certificate itself, is over.
fn has_expired(course: &Course, now: Timestamp) -> bool {
    let certificate = course.enrolments.iter().rev().find_map(|e| e.state.live_certificate());
    let newest = course.current().is_some_and(|e| matches!(e.state, State::Expired { .. }));
    newest || certificate.is_some_and(|certificate| certificate.not_after < now)
}

fn push_generation(course: &mut Course, cause: Cause, nonce: Nonce) -> Result<(), Refused> {
    if course.enrolments.len() >= GENERATIONS_MAX {
        return Err(Refused("this tenant has had 99 certificate courses; look for what keeps asking for more"));
    }
    let generation = Generation(newest(course)?.0 + 1);
    course.enrolments.push(Enrolment { generation, nonce, cause, state: State::Registered });
    Ok(())
}

/// Ends every other generation in favour of `by`, which has just been picked up.
fn supersede(course: &mut Course, by: Generation, now: Timestamp, policy: &Policy<'_>) -> Result<Vec<Effect>, Refused> {
    let mut effects = Vec::new();
    for (generation, _) in others_of(course, by) {
        effects.extend(enrol(course, generation, &EnrolmentEvent::Superseded { by }, now, policy)?);
    }
    Ok(effects)
}

/// The other generations that a new one replaces, and whether a certificate of theirs is in use.
fn others_of(course: &Course, by: Generation) -> Vec<(Generation, bool)> {
    let replaceable = |e: &&Enrolment| e.generation != by && !e.state.is_replaced();
    course.enrolments.iter().filter(replaceable).map(|e| (e.generation, e.state.live_certificate().is_some())).collect()
}
