//! How far a pick-up is. Looking changes nothing, so pages look beside the engine's thread: a visitor does not wait for the
//! mails being filed, and the engine not for a thousand visitors. A look may see a step some milliseconds before its flush;
//! nothing is done on the strength of a look, every step looks again by itself.

use super::opening::Handover;
use super::{Pickup, PickupSettings, Stage, stage};
use crate::crypto::{self, MasterKey, Purpose, codes};
use crate::engine::facts::code_tag;
use crate::engine::records::Grant;
use crate::engine::step::RosterRecord;
use crate::engine::{Context, Engine, EngineError};
use crate::store::Table;

/// Looks at pick-ups from any thread; cheap to clone.
#[derive(Debug, Clone)]
pub struct Looker(std::sync::Arc<Context>);

impl Looker {
    /// See [`Engine::pickup_as`].
    pub fn pickup_as(&self, typed: &str, session: Option<&str>) -> Result<Option<Pickup>, EngineError> {
        self.0.pickup_as(typed, session)
    }

    /// As they were when this was made.
    pub fn pickup_settings(&self) -> PickupSettings {
        self.0.pickup
    }

    /// A key for marks in forms: of the pages alone, the same after a restart.
    pub fn page_key(&self) -> MasterKey {
        MasterKey::from_bytes(*self.0.keys.derive(Purpose::Session, b"pages").reveal())
    }
}

impl Engine {
    /// A view of the pick-ups. Make it after [`Engine::entrust`].
    pub fn looker(&self) -> Looker {
        Looker(std::sync::Arc::clone(&self.context))
    }
}

impl Context {
    pub(super) fn pickup_as(&self, typed: &str, session: Option<&str>) -> Result<Option<Pickup>, EngineError> {
        let Some(grant) = self.grant(typed)? else { return Ok(None) };
        let handover = self.handover(&grant)?;
        self.pickup_of(&grant, &handover, session)
    }

    pub(super) fn grant(&self, typed: &str) -> Result<Option<Grant>, EngineError> {
        if codes::canonical(typed).is_none() {
            return Ok(None);
        }
        self.load(Table::Grant, &code_tag(self, typed))
    }

    pub(super) fn handover(&self, grant: &Grant) -> Result<Handover, EngineError> {
        Ok(self.load(Table::Handover, &handover_key(grant))?.unwrap_or_default())
    }

    pub(super) fn pickup_of(
        &self,
        grant: &Grant,
        handover: &Handover,
        session: Option<&str>,
    ) -> Result<Option<Pickup>, EngineError> {
        let now = self.clock.now();
        let record: Option<RosterRecord> = self.load(Table::Roster, &grant.tenant.authority.bytes())?;
        let Some(course) = record.as_ref().and_then(|record| record.roster.course(grant.tenant)) else {
            return Err(EngineError::NoTenant(grant.tenant));
        };
        let Some(enrolment) = course.enrolment(grant.generation) else { return Ok(None) };
        let mut stage = stage(&enrolment.state, now);
        if let Stage::Void { at } = stage
            && course.current().is_some_and(|newest| newest.generation > grant.generation)
        {
            // Revoked because another was asked for (lost, stolen): what counts for the visitor is that it comes.
            stage = Stage::Reissued { at };
        }
        let tag = session.map(|session| self.session_tag(session));
        Ok(Some(Pickup {
            tenant: grant.tenant,
            name: course.tenant.name.clone(),
            generation: grant.generation,
            stage,
            attempts_left: handover.attempts_left(now),
            locked_until: handover.locked_until.filter(|until| now < *until),
            opened: tag.as_ref().is_some_and(|tag| handover.knows(tag, now)),
            again_until: tag.and_then(|tag| handover.again_until(&tag, &enrolment.state, now)),
        }))
    }

    /// Under which name a session is kept: never the session itself.
    pub(super) fn session_tag(&self, session: &str) -> String {
        crypto::hex(&self.keys.tag(Purpose::Session, session.as_bytes()))
    }
}

/// Key of the table `Handover`.
pub(super) fn handover_key(grant: &Grant) -> Vec<u8> {
    format!("{}/{}", grant.tenant, grant.generation).into_bytes()
}
