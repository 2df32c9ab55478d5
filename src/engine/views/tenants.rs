//! The directory: tenants with the states of their machines. Nonces stay where they are.

use super::outgoing::known_state;
use super::{Page, RowFilter, RowLine, View, words};
use crate::domain::tenant::Provenance;
use crate::domain::{Date, Generation, MailAddress, TenantId, TenantKind, Timestamp};
use crate::engine::EngineError;
use crate::workflow::enrolment::{Cause, State};
use crate::workflow::welcome::Welcome;
use crate::workflow::{Course, Policy};
use serde::{Deserialize, Serialize};

/// Most letters in the view of one tenant.
const LETTERS_MAX: usize = 200;

/// Which tenants are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantFilter {
    /// One of [`words::ENROLMENT`].
    pub state: Option<String>,
    /// Part of a name or id.
    pub find: Option<String>,
}

/// A tenant in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantLine {
    pub id: TenantId,
    pub kind: TenantKind,
    pub name: String,
    pub address: MailAddress,
    /// The reachability check.
    pub welcome: &'static str,
    pub welcome_name: &'static str,
    /// The newest certificate course.
    pub generation: Generation,
    pub state: &'static str,
    pub state_name: &'static str,
    pub deadline: Option<Date>,
    pub credential: &'static str,
    pub credential_name: &'static str,
}

/// One tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantView {
    #[serde(flatten)]
    pub line: TenantLine,
    /// The authority it belongs to.
    pub authority: String,
    pub provenance: Provenance,
    pub welcome_state: Welcome,
    pub generations: Vec<GenerationView>,
    /// When something will next happen by itself.
    pub next_wake: Option<Timestamp>,
    pub letters: Vec<RowLine>,
}

/// One certificate course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GenerationView {
    pub generation: Generation,
    pub cause: Cause,
    pub cause_name: &'static str,
    pub detail: State,
    pub state_name: &'static str,
}

impl View {
    /// Tenants in the order of their ids, after `after`. A page ends with an authority.
    pub fn tenants(
        &self,
        filter: &TenantFilter,
        after: Option<TenantId>,
        limit: usize,
    ) -> Result<Page<TenantLine>, EngineError> {
        known_state(filter.state.as_deref(), &words::ENROLMENT)?;
        let first = after.map_or([0; 6], |id| id.authority.bytes());
        let rosters = self.rosters_from(first)?;
        let courses = rosters.flat_map(|roster| match roster {
            Ok(roster) => roster.courses.into_iter().map(Ok).collect(),
            Err(fault) => vec![Err(fault)],
        });
        let courses = courses.filter(|course| match course {
            Ok(course) => after.is_none_or(|after| course.tenant.id > after),
            Err(_) => true,
        });
        let wanted = |line: &TenantLine| {
            filter.state.as_deref().is_none_or(|state| state == line.state)
                && filter
                    .find
                    .as_deref()
                    .is_none_or(|text| line.name.contains(text) || line.id.to_string().contains(text))
        };
        let key = |course: &Course| course.tenant.id.to_string();
        Page::collect(courses, limit, key, |course| Ok(Some(line(&course)).filter(wanted)))
    }

    /// One tenant as it stands.
    pub fn tenant(&self, id: TenantId) -> Result<TenantView, EngineError> {
        let roster = self.roster(id.authority)?.ok_or(EngineError::NoTenant(id))?;
        let course = roster.course(id).ok_or(EngineError::NoTenant(id))?;
        let filter = RowFilter { tenant: Some(id), all: true, state: None };
        let generation = |enrolment: &crate::workflow::enrolment::Enrolment| GenerationView {
            generation: enrolment.generation,
            cause: enrolment.cause,
            cause_name: words::cause(enrolment.cause, words::Lang::Ja),
            state_name: words::enrolment(&enrolment.state).1,
            detail: enrolment.state.clone(),
        };
        Ok(TenantView {
            line: line(course),
            authority: roster.authority_name(),
            provenance: course.tenant.provenance.clone(),
            welcome_state: course.welcome.clone(),
            generations: course.enrolments.iter().map(generation).collect(),
            next_wake: course.next_wake(&Policy::of(self.rules())),
            letters: self.queue(&filter, None, LETTERS_MAX)?.items,
        })
    }
}

fn line(course: &Course) -> TenantLine {
    let current = course.current();
    let (state, state_name) = current.map_or(("", ""), |current| words::enrolment(&current.state));
    let (welcome, welcome_name) = words::welcome(&course.welcome);
    let (credential, credential_name) = words::credential(&course.credential.state);
    let deadline = current.and_then(|current| match &current.state {
        State::Open { deadline, .. } | State::Expired { deadline, .. } => Some(*deadline),
        State::NoticeQueued { stated } => Some(*stated),
        State::Registered
        | State::Collected { .. }
        | State::InUse { .. }
        | State::Undeliverable { .. }
        | State::Cancelled { .. }
        | State::Superseded { .. }
        | State::Revoked { .. } => None,
    });
    TenantLine {
        id: course.tenant.id,
        kind: course.tenant.kind,
        name: course.tenant.name.clone(),
        address: course.tenant.address.clone(),
        welcome,
        welcome_name,
        generation: current.map_or(Generation(0), |current| current.generation),
        state,
        state_name,
        deadline,
        credential,
        credential_name,
    }
}
