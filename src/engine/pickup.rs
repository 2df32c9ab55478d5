//! A certificate was picked up, or a terminal was seen using it (invariant I5). What the pick-up page checks before
//! (code, password, attempts) and what it hands out is its own business; here it becomes a durable fact.

use super::outbox::code_tag;
use super::records::Grant;
use super::{Engine, EngineError, SYSTEM};
use crate::domain::{Generation, TenantId};
use crate::store::Table;
use crate::workflow::CourseEvent;
use crate::workflow::enrolment::Certificate;
use serde_json::json;

impl Engine {
    /// Where a pick-up code leads at this moment, typed in any of the ways people type it; `None` if it opens nothing.
    pub fn opens(&self, typed: &str) -> Result<Option<Grant>, EngineError> {
        let tag = code_tag(&self.context, typed);
        let Some(grant) = self.context.load::<Grant>(Table::Grant, &tag)? else { return Ok(None) };
        let now = self.now();
        let course = self.course(grant.tenant)?;
        let open = course.enrolment(grant.generation).is_some_and(|enrolment| enrolment.state.is_open(now));
        Ok(Some(grant).filter(|_| open))
    }

    /// The certificate of this generation has been handed out. Refused unless it is open: at most once per generation.
    pub fn picked_up(
        &mut self,
        tenant: TenantId,
        generation: Generation,
        certificate: Certificate,
    ) -> Result<(), EngineError> {
        self.step(SYSTEM, |step| {
            step.note(json!({
                "event": "certificate-picked-up", "tenant": tenant, "generation": generation, "serial": certificate.serial,
            }));
            step.course_event(tenant, &CourseEvent::PickedUp { generation, certificate })
        })
    }

    /// A terminal has shown the certificate of this generation.
    pub fn seen_in_use(&mut self, tenant: TenantId, generation: Generation) -> Result<(), EngineError> {
        self.step(SYSTEM, |step| step.course_event(tenant, &CourseEvent::SeenInUse { generation }))
    }
}
