//! The pick-up of a certificate as events (invariant I5), and what a pick-up code stands for. The look-up changes nothing;
//! the secret itself is handed out by whoever calls [`Engine::picked_up`].

use super::facts::code_tag;
use super::records::Grant;
use super::{Engine, EngineError, SYSTEM};
use crate::crypto::codes;
use crate::domain::{Date, Generation, TenantId, Timestamp};
use crate::store::Table;
use crate::workflow::CourseEvent;
use crate::workflow::enrolment::{Certificate, State};
use serde::Serialize;
use serde_json::json;

/// What a pick-up code stands for at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pickup {
    pub tenant: TenantId,
    pub generation: Generation,
    pub stage: Stage,
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
        if codes::canonical(typed).is_none() {
            return Ok(None);
        }
        let grant: Option<Grant> = self.context.load(Table::Grant, &code_tag(&self.context, typed))?;
        let Some(Grant { tenant, generation }) = grant else { return Ok(None) };
        let course = self.course(tenant)?;
        let stage = course.enrolment(generation).map(|enrolment| stage(&enrolment.state, self.now()));
        Ok(stage.map(|stage| Pickup { tenant, generation, stage }))
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
