//! The certificate: ordered, made, handed out, wiped.
//!
//! ```text
//! claim (step: record of intent) ─▶ make (beside the engine's thread) ─▶ deliver (step: Collected, files sealed) ─▶ browser
//! ```
//!
//! One certificate per generation: the serial number is drawn once and kept in the handover, so parallel requests, and a
//! request after `kill -9`, make the same certificate again and only the first to be delivered counts; what the others made
//! was never stored and is dropped. The browser that took it may fetch the same bytes again for some minutes
//! ([`super::PickupSettings::keep_minutes`]); then they are deleted, and nobody has the key but the terminal.

use super::opening::{Handover, Taker};
use super::{KEEP_MINUTES_MAX, Pickup, Stage, handover_key};
use crate::crypto;
use crate::domain::time::MINUTE;
use crate::domain::{Secret, Timestamp};
use crate::engine::certificates::{CertificateRecord, Standing};
use crate::engine::facts::pickup_password;
use crate::engine::records::Grant;
use crate::engine::thread::{Handle, Stopped};
use crate::engine::{Engine, EngineError, SYSTEM, codec};
use crate::pki::{Made, Order, Profile, Serial, order};
use crate::store::Table;
use crate::workflow::CourseEvent;
use crate::workflow::enrolment::Certificate;
use serde_json::json;

/// How often a browser gets the same file, the first time included (research R5).
pub const FETCHES_MAX: u32 = 3;

/// What a browser gets that asks for the certificate.
#[derive(Debug)]
pub enum Taken {
    File {
        /// ASCII: `131032-01_1.p12`.
        name: String,
        bytes: Secret<Vec<u8>>,
        serial: String,
    },
    /// The password first: this browser has no session of this code, or its session is over.
    NoSession,
    /// There is nothing to take at this stage, or not for this browser.
    NotOpen(Pickup),
    /// Nothing is issued at this moment (invariant I11); for log and staff, not for the visitor.
    Unavailable { why: String },
}

/// What the first half of taking comes to.
#[derive(Debug)]
pub enum Claim {
    /// The intent is stored; make it and [`Engine::deliver`] it.
    Make(Box<Order>),
    Answer(Taken),
}

/// Takes the certificate for a browser that has given the password and accepted the terms: claims, signs beside the
/// engine's thread, delivers.
pub async fn take(
    handle: &Handle,
    code: String,
    session: String,
    profile: Profile,
) -> Result<Result<Taken, EngineError>, Stopped> {
    let (claimed, claiming) = ((code.clone(), session.clone()), (code, session));
    let claim = match handle.call(move |engine| engine.claim(&claimed.0, &claimed.1, profile)).await? {
        Ok(claim) => claim,
        Err(fault) => return Ok(Err(fault)),
    };
    let order = match claim {
        Claim::Answer(taken) => return Ok(Ok(taken)),
        Claim::Make(order) => order,
    };
    tracing::debug!(serial = %order.serial, "the intent is stored; signing");
    let made = tokio::task::spawn_blocking(move || order.make()).await.map_err(|_| Stopped)?;
    match made {
        Err(fault) => Ok(Ok(Taken::Unavailable { why: fault.to_string() })),
        Ok(made) => handle.call(move |engine| engine.deliver(&claiming.0, &claiming.1, profile, &made)).await,
    }
}

impl Engine {
    /// Whether this browser may take the certificate, and the order for it.
    pub fn claim(&mut self, code: &str, session: &str, profile: Profile) -> Result<Claim, EngineError> {
        let answer = |taken| Ok(Claim::Answer(taken));
        let Some((grant, handover, pickup)) = self.in_hand(code, session)? else { return answer(Taken::NoSession) };
        if pickup.again_until.is_some() {
            return self.again(&grant, handover, session, profile).map(Claim::Answer);
        }
        if !matches!(pickup.stage, Stage::Open { .. }) {
            return answer(Taken::NotOpen(pickup));
        }
        if !handover.knows(&self.session_tag(session), self.now()) {
            return answer(Taken::NoSession);
        }
        if let Some(why) = self.issuing_fault()? {
            tracing::error!(tenant = %grant.tenant, %why, "a certificate was asked for and nothing can be issued");
            return answer(Taken::Unavailable { why });
        }
        let record = self.intent(&grant, handover)?;
        let Some(authority) = self.context.authority.clone() else {
            return answer(Taken::Unavailable { why: "there is no CA".to_owned() });
        };
        let course = self.course(grant.tenant)?;
        let Some(enrolment) = course.enrolment(grant.generation) else { return answer(Taken::NoSession) };
        Ok(Claim::Make(Box::new(Order {
            authority,
            serial: record.serial,
            issuer: record.issuer,
            tenant: grant.tenant.to_string(),
            name: course.tenant.name.clone(),
            not_before: record.not_before,
            not_after: record.not_after,
            password: pickup_password(&self.context, grant.tenant, enrolment),
        })))
    }

    fn in_hand(&self, code: &str, session: &str) -> Result<Option<(Grant, Handover, Pickup)>, EngineError> {
        let Some(grant) = self.grant(code)? else { return Ok(None) };
        let handover = self.handover(&grant)?;
        let pickup = self.pickup_of(&grant, &handover, Some(session))?;
        Ok(pickup.map(|pickup| (grant, handover, pickup)))
    }

    /// The record of intent, stored before anything is signed; the one that is there, if it still fits.
    fn intent(&mut self, grant: &Grant, mut handover: Handover) -> Result<CertificateRecord, EngineError> {
        let now = self.now();
        let authority = self.context.authority.clone().ok_or(EngineError::Refused("there is no CA"))?;
        let (not_before, not_after) = authority.validity(now)?;
        let issuer = authority.active().map(|ca| ca.id.clone()).unwrap_or_default();
        if let Some(serial) = handover.serial
            && let Some(record) = self.certificate(&serial)?
            && record.issuer == issuer
            && record.standing == Standing::Ordered
        {
            return Ok(record);
        }
        let serial = Serial::from_random(self.chance.bytes()?);
        handover.serial = Some(serial);
        let (tenant, generation) = (grant.tenant, grant.generation);
        let standing = Standing::Ordered;
        let record =
            CertificateRecord { serial, tenant, generation, issuer, ordered: now, not_before, not_after, standing };
        self.step(SYSTEM, |step| {
            step.note(json!({
                "event": "certificate-ordered", "tenant": tenant, "generation": generation, "serial": serial,
                "issuer": record.issuer, "not_after": not_after,
            }));
            step.put_certificate(&record)?;
            step.put(Table::Handover, handover_key(grant), &handover)
        })?;
        Ok(record)
    }

    /// Hands out what was made, if nobody was faster: the course goes to *Collected*, a certificate it replaces is
    /// revoked, all in one step.
    pub fn deliver(&mut self, code: &str, session: &str, profile: Profile, made: &Made) -> Result<Taken, EngineError> {
        let now = self.now();
        let Some((grant, mut handover, pickup)) = self.in_hand(code, session)? else { return Ok(Taken::NoSession) };
        if pickup.again_until.is_some() {
            // The same browser asked twice at once, and the other request was faster.
            return self.again(&grant, handover, session, profile);
        }
        let record = match handover.serial {
            Some(serial) => self.certificate(&serial)?,
            None => None,
        };
        let Some(mut record) = record.filter(|record| record.standing == Standing::Ordered) else {
            return Ok(Taken::NotOpen(pickup));
        };
        if !matches!(pickup.stage, Stage::Open { .. }) {
            return Ok(Taken::NotOpen(pickup));
        }
        if record.serial != made.serial {
            // Another CA was adopted meanwhile and a new order took this one's place.
            return Ok(Taken::Unavailable { why: "the issuing CA has changed while it was made".to_owned() });
        }
        let keep = self.context.pickup.keep_minutes.min(KEEP_MINUTES_MAX);
        let until = now.plus(i64::from(keep) * MINUTE);
        record.standing = Standing::Issued { at: now, digest: made.digest };
        handover.sessions.clear();
        handover.taken = Some(Taker { tag: self.session_tag(session), until, fetches: 1 });
        let (tenant, generation, serial) = (grant.tenant, grant.generation, record.serial);
        let certificate = Certificate { serial: serial.to_string(), not_after: record.not_after };
        self.step(SYSTEM, |step| {
            step.note(json!({
                "event": "picked-up", "tenant": tenant, "generation": generation, "serial": serial,
                "profile": profile, "digest": made.digest, "terms": "accepted",
            }));
            step.put_certificate(&record)?;
            step.put(Table::Handover, handover_key(&grant), &handover)?;
            if keep > 0 {
                for profile in Profile::ALL {
                    let nonce = step.seal_nonce()?;
                    let place = file_context(&serial, profile);
                    let sealed = step.context.keys.seal(&place, nonce, made.file(profile).reveal());
                    step.put_bytes(Table::KeyFile, file_key(until, &serial, profile), sealed);
                }
            }
            step.course_event(tenant, &CourseEvent::PickedUp { generation, certificate })
        })?;
        Ok(file(&grant, &serial, made.file(profile).clone()))
    }

    /// The same bytes for the same browser.
    fn again(
        &mut self,
        grant: &Grant,
        mut handover: Handover,
        session: &str,
        profile: Profile,
    ) -> Result<Taken, EngineError> {
        let (Some(serial), Some(taker)) = (handover.serial, handover.taken.as_mut()) else {
            return Ok(Taken::NoSession);
        };
        debug_assert!(crypto::same(taker.tag.as_bytes(), self.session_tag(session).as_bytes()));
        let key = file_key(taker.until, &serial, profile);
        let Some(sealed) = self.context.store.get(Table::KeyFile, &key)? else { return Ok(Taken::NoSession) };
        let bytes = self.context.keys.open(&file_context(&serial, profile), &sealed);
        let bytes = bytes.map_err(|_| EngineError::WrongKey)?;
        taker.fetches += 1;
        let fetches = taker.fetches;
        let (tenant, generation) = (grant.tenant, grant.generation);
        self.step(SYSTEM, |step| {
            step.note(json!({
                "event": "picked-up-again", "tenant": tenant, "generation": generation, "serial": serial,
                "profile": profile, "fetch": fetches,
            }));
            step.put(Table::Handover, handover_key(grant), &handover)
        })?;
        Ok(file(grant, &serial, bytes))
    }

    /// The whole answer has left for the browser.
    pub fn pickup_received(&mut self, code: &str, session: &str) -> Result<(), EngineError> {
        let Some((grant, handover, _)) = self.in_hand(code, session)? else { return Ok(()) };
        let tag = self.session_tag(session);
        if !handover.taken.is_some_and(|taker| crypto::same(taker.tag.as_bytes(), tag.as_bytes())) {
            return Ok(());
        }
        self.step(SYSTEM, |step| {
            step.note(json!({"event": "pickup-received", "tenant": grant.tenant, "generation": grant.generation}));
            Ok(())
        })
    }

    /// When the next kept file is to be wiped.
    pub(in crate::engine) fn next_wipe(&self) -> Result<Option<Timestamp>, EngineError> {
        Ok(self.context.store.first(Table::KeyFile)?.and_then(|(key, _)| codec::moment_of(&key)))
    }

    /// How many files are kept for their browsers at this moment.
    pub fn kept_files(&self) -> Result<usize, EngineError> {
        Ok(self.context.store.rows(Table::KeyFile)?.count())
    }

    /// Wipes every kept file whose time is over; returns how many.
    pub(in crate::engine) fn wipe_files(&mut self) -> Result<usize, EngineError> {
        let due = self.context.store.range(Table::KeyFile, ..codec::after(self.now()))?;
        let keys: Vec<_> = due.map(|row| row.map(|(key, _)| key)).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Ok(0);
        }
        self.step(SYSTEM, |step| {
            let mut serials: Vec<Serial> = keys.iter().filter_map(|key| serial_of(key)).collect();
            serials.dedup();
            for serial in serials {
                let tenant = step.certificate(&serial)?.map(|record| record.tenant);
                step.note(json!({"event": "key-wiped", "tenant": tenant, "serial": serial}));
            }
            for key in &keys {
                step.delete(Table::KeyFile, key.to_vec());
            }
            Ok(())
        })?;
        Ok(keys.len())
    }
}

fn file(grant: &Grant, serial: &Serial, bytes: Secret<Vec<u8>>) -> Taken {
    let name = order::file_name(&grant.tenant.to_string(), grant.generation.0);
    Taken::File { name, bytes, serial: serial.to_string() }
}

/// Key of the table `KeyFile`: when to delete it, serial number, profile.
fn file_key(until: Timestamp, serial: &Serial, profile: Profile) -> Vec<u8> {
    [&codec::moment(until)[..], &serial.bytes(), profile.name().as_bytes()].concat()
}

fn serial_of(key: &[u8]) -> Option<Serial> {
    key.get(8..24).and_then(|bytes| crypto::hex(bytes).parse().ok())
}

fn file_context(serial: &Serial, profile: Profile) -> Vec<u8> {
    format!("key-file/{serial}/{}", profile.name()).into_bytes()
}
