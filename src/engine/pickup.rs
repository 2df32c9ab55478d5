//! The pick-up of a certificate (invariant I5; seed 4.3; research R2–R5): what a code stands for, and the steps from a typed
//! password to a terminal that shows its certificate. Looking changes nothing.
//!
//! | file | step |
//! |---|---|
//! | `opening` | the password: counted when wrong, a session for this browser when right |
//! | `taking` | the certificate: ordered, made beside the engine's thread, handed out, wiped |
//! | `gate` | a terminal shows its certificate |
//! | `looking` | how far it is; reads beside the engine's thread |
//! | `visits` | scanners, in the timeline |

mod gate;
mod looking;
mod opening;
mod taking;
mod visits;

pub use gate::{CredentialsHere, Seen, ShownCredentials};
pub use looking::Looker;
pub use opening::{LOCK_SECONDS, Opening, SESSION_SECONDS, WRONG_MAX};
pub use taking::{Claim, FETCHES_MAX, Taken, take};
pub use visits::{VISITS_MAX, VisitKind, Visits};

use super::records::Grant;
use super::{Engine, EngineError, SYSTEM};
use crate::domain::{Date, Generation, TenantId, Timestamp};
use crate::pki::Profile;
use crate::workflow::CourseEvent;
use crate::workflow::enrolment::{Certificate, State};
use looking::handover_key;
use opening::Handover;
use serde::Serialize;
use serde_json::json;

/// Minutes a file can be kept for its browser at most (research R5).
pub const KEEP_MINUTES_MAX: u32 = 60;

/// How certificates are handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PickupSettings {
    /// Minutes in which the browser that took a certificate may fetch the same file again; then the key is wiped. 0: never,
    /// and the file is not kept at all. At most [`KEEP_MINUTES_MAX`].
    pub keep_minutes: u32,
    /// The kind of file offered first.
    pub profile: Profile,
}

impl Default for PickupSettings {
    fn default() -> Self {
        Self { keep_minutes: 10, profile: Profile::Compat }
    }
}

/// What a pick-up code stands for at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pickup {
    pub tenant: TenantId,
    /// For pages behind the password only.
    pub name: String,
    pub generation: Generation,
    pub stage: Stage,
    /// Wrong passwords until the next lock.
    pub attempts_left: u32,
    /// No password is taken before this moment.
    pub locked_until: Option<Timestamp>,
    /// This browser has given the password, and its session stands.
    pub opened: bool,
    /// Until when this browser may fetch the same file again.
    pub again_until: Option<Timestamp>,
}

/// How far the pick-up is, as its page tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "stage")]
pub enum Stage {
    /// The notice is written and has not left.
    Preparing,
    /// 未取得: can be picked up until the end of that day.
    Open { deadline: Date },
    /// 取得済み.
    Collected { at: Timestamp },
    /// 期限切れ.
    Expired { deadline: Date },
    /// 再発行済み: another code has taken this one's place.
    Reissued { at: Timestamp },
    /// 失効: revoked or cancelled.
    Void { at: Timestamp },
    /// A letter came back; nothing goes on before staff have a new address.
    Suspended { at: Timestamp },
}

impl Engine {
    /// What a code stands for, typed in any of the ways people type it; `None` if no letter ever held it.
    pub fn pickup(&self, typed: &str) -> Result<Option<Pickup>, EngineError> {
        self.pickup_as(typed, None)
    }

    /// The same for a browser with a session.
    pub fn pickup_as(&self, typed: &str, session: Option<&str>) -> Result<Option<Pickup>, EngineError> {
        self.context.pickup_as(typed, session)
    }

    pub fn pickup_settings(&self) -> PickupSettings {
        self.context.pickup
    }

    fn grant(&self, typed: &str) -> Result<Option<Grant>, EngineError> {
        self.context.grant(typed)
    }

    fn handover(&self, grant: &Grant) -> Result<Handover, EngineError> {
        self.context.handover(grant)
    }

    fn pickup_of(
        &self,
        grant: &Grant,
        handover: &Handover,
        session: Option<&str>,
    ) -> Result<Option<Pickup>, EngineError> {
        self.context.pickup_of(grant, handover, session)
    }

    fn session_tag(&self, session: &str) -> String {
        self.context.session_tag(session)
    }

    /// Where a code leads if it opens something at this moment.
    pub fn opens(&self, typed: &str) -> Result<Option<Grant>, EngineError> {
        Ok(self.pickup(typed)?.and_then(|pickup| match pickup.stage {
            Stage::Open { .. } => Some(Grant { tenant: pickup.tenant, generation: pickup.generation }),
            Stage::Preparing
            | Stage::Collected { .. }
            | Stage::Expired { .. }
            | Stage::Reissued { .. }
            | Stage::Void { .. }
            | Stage::Suspended { .. } => None,
        }))
    }

    /// A certificate was handed out. Refused unless the generation is open: at most one pick-up each.
    pub fn picked_up(
        &mut self,
        tenant: TenantId,
        generation: Generation,
        certificate: Certificate,
    ) -> Result<(), EngineError> {
        self.step(SYSTEM, |step| {
            step.note(json!({
                "event": "picked-up", "tenant": tenant, "generation": generation, "serial": certificate.serial,
            }));
            step.course_event(tenant, &CourseEvent::PickedUp { generation, certificate })
        })
    }

    /// A terminal has shown the certificate of this generation.
    pub fn seen_in_use(&mut self, tenant: TenantId, generation: Generation) -> Result<(), EngineError> {
        self.step(SYSTEM, |step| {
            step.note(json!({"event": "seen-in-use", "tenant": tenant, "generation": generation}));
            step.course_event(tenant, &CourseEvent::SeenInUse { generation })
        })
    }
}

fn stage(state: &State, now: Timestamp) -> Stage {
    match state {
        State::Registered | State::NoticeQueued { .. } => Stage::Preparing,
        State::Open { deadline, .. } if state.is_open(now) => Stage::Open { deadline: *deadline },
        State::Open { deadline, .. } | State::Expired { deadline, .. } => Stage::Expired { deadline: *deadline },
        State::Collected { at, .. } | State::InUse { at, .. } => Stage::Collected { at: *at },
        State::Superseded { at, .. } => Stage::Reissued { at: *at },
        State::Cancelled { at, .. } | State::Revoked { at, .. } => Stage::Void { at: *at },
        State::Undeliverable { at, .. } => Stage::Suspended { at: *at },
    }
}
