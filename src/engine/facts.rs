//! What stands in a letter to a tenant: facts of its course, and the secrets derived for it (invariant I4: one each).

use super::records::Grant;
use super::step::Step;
use super::{Context, EngineError, Post};
use crate::crypto::{self, Purpose};
use crate::domain::{Date, Generation, Secret, TenantId, Timestamp};
use crate::letters::{Addressee, Again, CertificateLetter, Letter, LetterKind, TenantLetter};
use crate::workflow::course::{Course, Roster};
use crate::workflow::enrolment::{Cause, Enrolment, State, pick_up_until};

impl Step<'_> {
    /// The facts of a letter to a tenant that leaves at `leaves`; `None` for letters that answer a mail.
    pub(super) fn facts(
        &mut self,
        roster: &Roster,
        course: &Course,
        letter: LetterKind,
        generation: Generation,
        ordinal: u32,
        leaves: Timestamp,
    ) -> Result<Option<Letter>, EngineError> {
        let post = &self.context.setup.post;
        let tenant = &course.tenant;
        let to = Addressee {
            id: tenant.id.to_string(),
            kind: tenant.kind,
            name: tenant.name.clone(),
            authority: roster.authority_name(),
        };
        let enrolment = course.enrolment(generation);
        Ok(match letter.for_tenant() {
            Some(TenantLetter::Welcome) => {
                Some(Letter::Welcome { to, certificates_from: self.context.setup.rules.schedule.certificates_from })
            }
            Some(TenantLetter::Certificate(CertificateLetter::Notice)) => match enrolment.map(|e| (e, &e.state)) {
                Some((enrolment, State::NoticeQueued { stated })) => {
                    let deadline = pick_up_until(leaves.date(), *stated, &self.policy());
                    Some(self.notice(to, tenant.id, enrolment, deadline)?)
                }
                // Once more, after it came back for now.
                Some((enrolment, State::Open { deadline, .. })) => {
                    Some(self.notice(to, tenant.id, enrolment, *deadline)?)
                }
                Some(_) | None => None,
            },
            Some(TenantLetter::Certificate(CertificateLetter::Password)) => match enrolment.map(|e| (e, &e.state)) {
                Some((enrolment, State::Open { deadline, .. })) => {
                    let password = pickup_password(self.context, tenant.id, enrolment);
                    Some(Letter::PickupPassword { to, password, deadline: *deadline })
                }
                Some(_) | None => None,
            },
            Some(TenantLetter::Certificate(CertificateLetter::Reminder)) => {
                self.reminder(to, enrolment, ordinal, leaves)
            }
            Some(TenantLetter::Certificate(CertificateLetter::Expired)) => match enrolment.map(|e| &e.state) {
                Some(State::Expired { deadline, .. }) => Some(Letter::Expired { to, deadline: *deadline }),
                Some(_) | None => None,
            },
            Some(TenantLetter::Credentials) => {
                let (user_id, password) = self.context.account(course)?;
                let (unzip_password, method) = (post.unzip_password.clone(), post.zip_method);
                Some(Letter::Credentials { to, user_id, password, unzip_password, method })
            }
            Some(TenantLetter::CredentialsReady) => Some(Letter::CredentialsReady { to, gate: post.gate_url.clone() }),
            None => None,
        })
    }

    fn reminder(&self, to: Addressee, of: Option<&Enrolment>, ordinal: u32, leaves: Timestamp) -> Option<Letter> {
        match of.map(|e| &e.state) {
            Some(State::Open { notice_relayed, deadline, .. }) => {
                let notice_sent = notice_relayed.date();
                let days_left = u32::try_from(deadline.days_since(leaves.date())).unwrap_or(0);
                let last = self.is_last_reminder(ordinal);
                Some(Letter::Reminder { to, notice_sent, deadline: *deadline, days_left, last })
            }
            Some(_) | None => None,
        }
    }

    fn is_last_reminder(&self, tier: u32) -> bool {
        self.context.setup.rules.schedule.reminder_days_before.last().is_none_or(|last| *last == tier)
    }

    /// The notice with its address; from here on its code leads to this generation.
    fn notice(
        &mut self,
        to: Addressee,
        tenant: TenantId,
        enrolment: &Enrolment,
        deadline: Date,
    ) -> Result<Letter, EngineError> {
        let code = pickup_code(self.context, tenant, enrolment);
        let grant = Grant { tenant, generation: enrolment.generation };
        self.put_grant(code_tag(self.context, code.reveal()), &grant)?;
        let again = match enrolment.cause {
            Cause::First => None,
            Cause::Reissue => Some(Again::Reissue),
            Cause::Renewal => Some(Again::Renewal),
        };
        Ok(Letter::CertificateNotice { to, url: pickup_url(&self.context.setup.post, &code), deadline, again })
    }
}

fn derivation(tenant: TenantId, enrolment: &Enrolment) -> Vec<u8> {
    [format!("{tenant}/{}/", enrolment.generation).as_bytes(), &enrolment.nonce.0].concat()
}

/// The code in the pick-up URL: 5 × 4 characters, 99 bits (research R2).
pub(crate) fn pickup_code(context: &Context, tenant: TenantId, enrolment: &Enrolment) -> Secret<String> {
    let bits = context.keys.derive(Purpose::PickupToken, &derivation(tenant, enrolment));
    crypto::codes::typeable(bits.reveal(), 5, 4)
}

/// The pick-up password: 3 × 4 characters, 59 bits.
pub(crate) fn pickup_password(context: &Context, tenant: TenantId, enrolment: &Enrolment) -> Secret<String> {
    let bits = context.keys.derive(Purpose::PickupCode, &derivation(tenant, enrolment));
    crypto::codes::typeable(bits.reveal(), 3, 4)
}

/// Every secret a letter to a tenant may hold: for masking.
pub(super) fn secrets(
    context: &Context,
    course: &Course,
    generation: Generation,
) -> Result<Vec<Secret<String>>, EngineError> {
    let id = course.tenant.id;
    let of_generation = course.enrolment(generation).into_iter();
    let mut secrets: Vec<_> =
        of_generation.flat_map(|e| [pickup_code(context, id, e), pickup_password(context, id, e)]).collect();
    secrets.push(context.account(course)?.1);
    Ok(secrets)
}

/// Under which key a pick-up code stands in the table `Grant`; `typed` in any of the ways people type it.
pub(crate) fn code_tag(context: &Context, typed: &str) -> [u8; 16] {
    let canonical = crypto::codes::canonical(typed);
    context.keys.tag(Purpose::Lookup, canonical.as_ref().map_or(&b""[..], |code| code.reveal().as_bytes()))
}

fn pickup_url(post: &Post, code: &Secret<String>) -> Secret<String> {
    Secret::new(format!("{}/p/{}", post.pickup_url, code.reveal()))
}
