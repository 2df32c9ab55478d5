//! A terminal shows its certificate: at annai's own check page, or at a proxy that reports the serial number. TLS has
//! checked signature and dates by then; here the directory has the last word, so a revocation counts from the moment it is
//! stored, whatever list a proxy still holds.

use crate::domain::{Generation, Secret, TenantId, Timestamp};
use crate::engine::certificates::Standing;
use crate::engine::{Engine, EngineError, SYSTEM};
use crate::pki::Serial;
use crate::workflow::enrolment::State;
use crate::workflow::{CourseEvent, RevocationReason, credential};
use serde_json::json;

/// Whose certificate a terminal has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Ours {
        tenant: TenantId,
        name: String,
        generation: Generation,
        not_after: Timestamp,
        /// It was seen for the first time.
        first: bool,
        credentials: CredentialsHere,
    },
    Revoked {
        at: Timestamp,
        reason: RevocationReason,
    },
    Expired {
        not_after: Timestamp,
    },
    /// Not one annai has issued.
    Foreign,
}

/// Whether user id and password can be shown behind this certificate (`[credentials] by = "page"`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialsHere {
    /// They come by mail.
    No,
    NotYet {
        from: Option<Timestamp>,
    },
    /// They can be shown, once.
    Ready,
    Shown {
        at: Timestamp,
    },
}

/// User id and password for one look.
#[derive(Debug)]
pub struct ShownCredentials {
    pub user_id: String,
    pub password: Secret<String>,
}

impl Engine {
    /// A terminal has shown the certificate with this serial number (hexadecimal digits in any usual form).
    pub fn terminal_seen(&mut self, serial: &str) -> Result<Seen, EngineError> {
        let Ok(serial) = serial.parse::<Serial>() else { return Ok(Seen::Foreign) };
        let Some(record) = self.certificate(&serial)? else { return Ok(Seen::Foreign) };
        let now = self.now();
        match record.standing {
            Standing::Ordered => return Ok(Seen::Foreign),
            Standing::Revoked { at, reason } => return Ok(Seen::Revoked { at, reason }),
            Standing::Issued { .. } if record.not_after < now => {
                return Ok(Seen::Expired { not_after: record.not_after });
            }
            Standing::Issued { .. } => {}
        }
        let (tenant, generation) = (record.tenant, record.generation);
        let course = self.course(tenant)?;
        let first = course.enrolment(generation).is_some_and(|e| matches!(e.state, State::Collected { .. }));
        if first {
            self.step(SYSTEM, |step| {
                let serial = record.serial;
                step.note(
                    json!({"event": "seen-in-use", "tenant": tenant, "generation": generation, "serial": serial}),
                );
                step.course_event(tenant, &CourseEvent::SeenInUse { generation })
            })?;
        }
        let course = self.course(tenant)?;
        let credentials = self.credentials_here(&course);
        let (name, not_after) = (course.tenant.name.clone(), record.not_after);
        Ok(Seen::Ours { tenant, name, generation, not_after, first, credentials })
    }

    /// Shows user id and password behind the certificate with this serial number: once. `None`: they come by mail, are not
    /// ready yet, or were shown before.
    pub fn show_credentials(&mut self, serial: &str) -> Result<Option<ShownCredentials>, EngineError> {
        let Seen::Ours { tenant, credentials: CredentialsHere::Ready, .. } = self.terminal_seen(serial)? else {
            return Ok(None);
        };
        let course = self.course(tenant)?;
        let (user_id, password) = self.context.account(&course)?;
        self.step(SYSTEM, |step| {
            step.note(json!({"event": "credentials-shown", "tenant": tenant}));
            step.course_event(tenant, &CourseEvent::CredentialsShown)
        })?;
        Ok(Some(ShownCredentials { user_id, password }))
    }

    fn credentials_here(&self, course: &crate::workflow::Course) -> CredentialsHere {
        match &course.credential.state {
            credential::State::Waiting
            | credential::State::Queued
            | credential::State::Relayed { .. }
            | credential::State::Undeliverable { .. }
                if !self.context.setup.rules.schedule.credentials.by_page =>
            {
                CredentialsHere::No
            }
            credential::State::Waiting => {
                let from = course.credentials_from(&crate::workflow::Policy::of(&self.context.setup.rules));
                CredentialsHere::NotYet { from }
            }
            credential::State::Offered { .. } => CredentialsHere::Ready,
            credential::State::Shown { at } => CredentialsHere::Shown { at: *at },
            credential::State::Queued | credential::State::Relayed { .. } | credential::State::Undeliverable { .. } => {
                CredentialsHere::No
            }
        }
    }
}
