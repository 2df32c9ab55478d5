//! The pick-up password: compared in constant time, counted durably when wrong, locked for half an hour after ten (never for
//! good: research R3), and a session for this browser when right. What cannot be a password at all (blank, too short) is a
//! slip of the keyboard or a scanner: it is neither compared nor counted.

use super::{Pickup, Stage, handover_key};
use crate::crypto::{self, codes};
use crate::domain::time::MINUTE;
use crate::domain::{Secret, Timestamp};
use crate::engine::facts::pickup_password;
use crate::engine::records::{Grant, Subject};
use crate::engine::{Engine, EngineError, SYSTEM};
use crate::pki::Serial;
use crate::store::Table;
use crate::workflow::Matter;
use crate::workflow::enrolment::State;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Wrong passwords after which a code is locked.
pub const WRONG_MAX: u32 = 10;
/// How long it is locked.
pub const LOCK_SECONDS: i64 = 30 * MINUTE;
/// How long a browser may take from the password to the certificate.
pub const SESSION_SECONDS: i64 = 30 * MINUTE;
/// Browsers that may hold a session of one code at once; the oldest gives way.
const SESSIONS_MAX: usize = 8;

/// What a typed password did.
#[derive(Debug)]
pub enum Opening {
    /// `session` is for a cookie of this browser and stands nowhere else.
    Opened {
        session: Secret<String>,
        pickup: Pickup,
    },
    /// Nothing that could be a password; nothing has changed.
    Malformed,
    Wrong {
        left: u32,
    },
    Locked {
        until: Timestamp,
    },
    /// There is nothing to open at this stage.
    NotOpen(Pickup),
    /// No letter ever held this code.
    Unknown,
}

/// The pick-up of one generation, besides the state of its course.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::engine) struct Handover {
    /// Wrong passwords since the last lock or success.
    #[serde(default)]
    pub(super) wrong: u32,
    #[serde(default)]
    pub(super) locked_until: Option<Timestamp>,
    #[serde(default)]
    pub(super) sessions: Vec<Session>,
    /// The certificate ordered for this generation.
    #[serde(default)]
    pub(super) serial: Option<Serial>,
    #[serde(default)]
    pub(super) taken: Option<Taker>,
}

/// A browser that knows the password. Only a keyed tag of its cookie is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) tag: String,
    pub(super) until: Timestamp,
}

/// The browser that took the certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Taker {
    pub(super) tag: String,
    /// Until when it may fetch the file again.
    pub(super) until: Timestamp,
    /// How often it was handed out.
    pub(super) fetches: u32,
}

impl Handover {
    pub(super) fn attempts_left(&self, now: Timestamp) -> u32 {
        match self.locked_until {
            Some(until) if now < until => 0,
            Some(_) | None => WRONG_MAX.saturating_sub(self.wrong),
        }
    }

    pub(super) fn knows(&self, tag: &str, now: Timestamp) -> bool {
        self.sessions.iter().any(|session| crypto::same(session.tag.as_bytes(), tag.as_bytes()) && now < session.until)
    }

    pub(super) fn again_until(&self, tag: &str, state: &State, now: Timestamp) -> Option<Timestamp> {
        let taker = self.taken.as_ref().filter(|taker| crypto::same(taker.tag.as_bytes(), tag.as_bytes()))?;
        let live = state.live_certificate().is_some();
        Some(taker.until).filter(|until| live && now < *until && taker.fetches < super::FETCHES_MAX)
    }
}

impl Engine {
    /// Somebody typed the password of a code.
    pub fn open_pickup(&mut self, code: &str, password: &str) -> Result<Opening, EngineError> {
        let now = self.now();
        let Some(grant) = self.grant(code)? else { return Ok(Opening::Unknown) };
        let mut handover = self.handover(&grant)?;
        let Some(pickup) = self.pickup_of(&grant, &handover, None)? else { return Ok(Opening::Unknown) };
        if !matches!(pickup.stage, Stage::Open { .. }) {
            return Ok(Opening::NotOpen(pickup));
        }
        let course = self.course(grant.tenant)?;
        let Some(enrolment) = course.enrolment(grant.generation) else { return Ok(Opening::Unknown) };
        let expected = codes::canonical(pickup_password(&self.context, grant.tenant, enrolment).reveal());
        let typed = codes::canonical(password);
        let (Some(expected), Some(typed)) = (expected, typed) else { return Ok(Opening::Malformed) };
        if typed.reveal().len() != expected.reveal().len() {
            return Ok(Opening::Malformed);
        }
        if let Some(until) = pickup.locked_until {
            return Ok(Opening::Locked { until });
        }
        if handover.locked_until.take().is_some() {
            handover.wrong = 0;
        }
        if crypto::same(typed.reveal().as_bytes(), expected.reveal().as_bytes()) {
            return self.right(&grant, handover, pickup);
        }
        self.wrong(&grant, handover, now)
    }

    fn right(&mut self, grant: &Grant, mut handover: Handover, pickup: Pickup) -> Result<Opening, EngineError> {
        let now = self.now();
        let session = Secret::new(crypto::hex(&self.chance.bytes::<32>()?));
        let tag = self.session_tag(session.reveal());
        handover.wrong = 0;
        handover.sessions.retain(|session| now < session.until);
        if handover.sessions.len() >= SESSIONS_MAX {
            handover.sessions.remove(0);
        }
        handover.sessions.push(Session { tag, until: now.plus(SESSION_SECONDS) });
        self.step(SYSTEM, |step| {
            step.note(json!({"event": "pickup-opened", "tenant": grant.tenant, "generation": grant.generation}));
            step.put(Table::Handover, handover_key(grant), &handover)
        })?;
        Ok(Opening::Opened {
            session,
            pickup: Pickup { attempts_left: WRONG_MAX, locked_until: None, opened: true, ..pickup },
        })
    }

    fn wrong(&mut self, grant: &Grant, mut handover: Handover, now: Timestamp) -> Result<Opening, EngineError> {
        handover.wrong += 1;
        let left = WRONG_MAX.saturating_sub(handover.wrong);
        let until = now.plus(LOCK_SECONDS);
        if left == 0 {
            handover.locked_until = Some(until);
        }
        let (tenant, generation) = (grant.tenant, grant.generation);
        self.step(SYSTEM, |step| {
            step.note(json!({
                "event": "pickup-wrong-password", "tenant": tenant, "generation": generation, "left": left,
            }));
            step.put(Table::Handover, handover_key(grant), &handover)?;
            if left == 0 {
                step.ask_once(Subject::Tenant { tenant, matter: Matter::WrongPasswords { generation } })?;
            }
            Ok(())
        })?;
        Ok(if left == 0 { Opening::Locked { until } } else { Opening::Wrong { left } })
    }
}
