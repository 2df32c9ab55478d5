//! What was issued and what is revoked (RFC 5280 §5; research R20). The record of a certificate is stored before anything is
//! signed; a revocation, its record and the list that says so are one step, so the list is never behind the directory.
//!
//! A list is made anew on every change and on a rhythm ([`CRL_EVERY_SECONDS`]), and says when the next is due
//! ([`CRL_LIFE_SECONDS`]). If no list can be signed (the CA directory is not there), revocations are kept and signed as
//! soon as it is; until then nothing is issued (invariant I11).

use super::step::Step;
use super::{Engine, EngineError, SYSTEM, codec};
use crate::domain::time::HOUR;
use crate::domain::{Digest, Generation, TenantId, Timestamp};
use crate::pki::{Authority, Issuing, Revoked, Serial};
use crate::store::Table;
use crate::workflow::RevocationReason;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A list is made anew after so many seconds at the latest.
pub const CRL_EVERY_SECONDS: i64 = 24 * HOUR;
/// A list says that the next will come within so many seconds: a week-end without the daemon leaves it good.
pub const CRL_LIFE_SECONDS: i64 = 7 * 24 * HOUR;
/// Name of the list of issuing CAs in force, for gateways.
pub const IDS_FILE: &str = "ids.txt";
/// Lines of one list at most.
pub const REVOKED_MAX: usize = 100_000;
/// How long after a failure to sign a list the next attempt is made.
const CRL_RETRY_SECONDS: i64 = 600;

/// One certificate, from the intent to make it on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRecord {
    pub serial: Serial,
    pub tenant: TenantId,
    pub generation: Generation,
    /// Id of the issuing CA.
    pub issuer: String,
    pub ordered: Timestamp,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub standing: Standing,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "standing")]
pub enum Standing {
    /// Intent: it may be signed at any moment, nobody has it yet.
    Ordered,
    Issued {
        at: Timestamp,
        /// SHA-256 of the certificate.
        digest: Digest,
    },
    Revoked {
        at: Timestamp,
        reason: RevocationReason,
    },
}

/// How the list of one issuing CA stands; small, because it is looked at with every commit. Its lines stand beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CrlState {
    /// Number of the last list signed; 0: none.
    number: u64,
    this_update: Option<Timestamp>,
    /// Lines of the last list.
    revoked: usize,
    /// The lines have changed since the last list was signed.
    #[serde(default)]
    stale: bool,
    /// When to try again after a failure.
    #[serde(default)]
    retry: Option<Timestamp>,
}

/// One revoked certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    serial: Serial,
    at: Timestamp,
    reason: RevocationReason,
    /// A line is dropped once its certificate has ended and one more list has named it.
    not_after: Timestamp,
}

impl CrlState {
    fn due(&self) -> Timestamp {
        let regular = self.this_update.map(|made| made.plus(CRL_EVERY_SECONDS));
        let at = if self.stale { None } else { regular };
        self.retry.or(at).unwrap_or(Timestamp::from_unix(0))
    }

    /// Why the list cannot be relied on at this moment, if so.
    fn fault(&self, now: Timestamp) -> Option<&'static str> {
        match self.this_update {
            None => Some("no revocation list was ever made"),
            Some(_) if self.stale => Some("the revocation list could not be signed since the last revocation"),
            Some(made) if now < made.plus(-HOUR) => Some("the clock shows a time before the last revocation list"),
            Some(made) if now > made.plus(CRL_LIFE_SECONDS) => Some("the revocation list is out of date"),
            Some(_) => None,
        }
    }
}

/// A list as a step has left it.
#[derive(Debug, Clone, Default)]
pub(super) struct CrlInStep {
    state: CrlState,
    lines: Vec<Line>,
}

fn lines_key(issuer: &str) -> Vec<u8> {
    format!("{issuer}.lines").into_bytes()
}

fn der_key(issuer: &str) -> Vec<u8> {
    format!("{issuer}.der").into_bytes()
}

impl Engine {
    /// The record of a certificate.
    pub fn certificate(&self, serial: &Serial) -> Result<Option<CertificateRecord>, EngineError> {
        self.context.load(Table::Certificate, &serial.bytes())
    }

    /// All records, in the order of their serial numbers.
    pub fn certificates(&self) -> Result<Vec<CertificateRecord>, EngineError> {
        self.context.store.rows(Table::Certificate)?.map(|row| codec::decode(&row?.1)).collect()
    }

    /// The list under the name its address ends with (`issuing.crl`, `root.crl`, `<id>.crl`), DER.
    pub fn crl(&self, file: &str) -> Result<Option<Vec<u8>>, EngineError> {
        let Some(authority) = &self.context.authority else { return Ok(None) };
        let id = match file.strip_suffix(".crl") {
            Some("root") => return Ok(authority.root_crl().map(<[u8]>::to_vec)),
            Some("issuing") => authority.active().map(|ca| ca.id.clone()),
            Some(id) => Some(id.to_owned()),
            None => None,
        };
        let Some(id) = id.filter(|id| id.len() <= 64) else { return Ok(None) };
        Ok(self.context.store.get(Table::Crl, &der_key(&id))?.map(|der| der.to_vec()))
    }

    /// The CA certificate under the name its address ends with (`issuing.crt`, `root.crt`, `<id>.crt`), DER; or `ids.txt`:
    /// the ids of all issuing CAs in force, one on each line, the active one first.
    pub fn ca_certificate(&self, file: &str) -> Option<Vec<u8>> {
        let authority = self.context.authority.as_deref()?;
        if file == IDS_FILE {
            let active = authority.active().map(|ca| ca.id.as_str()).unwrap_or_default();
            let others = authority.all().iter().map(|ca| ca.id.as_str()).filter(|id| *id != active);
            let ids: Vec<&str> = std::iter::once(active).chain(others).collect();
            return Some((ids.join("\n") + "\n").into());
        }
        match file.strip_suffix(".crt")? {
            "root" => authority.root().map(<[u8]>::to_vec),
            "issuing" => authority.active().map(|ca| ca.certificate.clone()),
            id => authority.all().iter().find(|ca| ca.id == id).map(|ca| ca.certificate.clone()),
        }
    }

    /// Number, date and size of every list.
    pub fn crl_states(&self) -> Result<Vec<CrlView>, EngineError> {
        let Some(authority) = &self.context.authority else { return Ok(Vec::new()) };
        let mut views = Vec::new();
        for ca in authority.all() {
            let state: CrlState = self.context.load(Table::Crl, ca.id.as_bytes())?.unwrap_or_default();
            views.push(CrlView {
                issuer: ca.id.clone(),
                number: state.number,
                this_update: state.this_update,
                next_update: state.this_update.map(|made| made.plus(CRL_LIFE_SECONDS)),
                revoked: state.revoked,
                fault: state.fault(self.now()).map(str::to_owned),
            });
        }
        Ok(views)
    }

    /// Why nothing can be issued at this moment, if so (invariant I11).
    pub fn issuing_fault(&self) -> Result<Option<String>, EngineError> {
        let now = self.now();
        let Some(authority) = &self.context.authority else {
            let fault = self.context.authority_fault.clone();
            return Ok(Some(fault.unwrap_or_else(|| "there is no CA: `annai ca init` makes one".to_owned())));
        };
        if let Err(fault) = authority.validity(now) {
            return Ok(Some(fault.to_string()));
        }
        let Some(active) = authority.active() else { return Ok(Some("there is no active CA".to_owned())) };
        let state: CrlState = self.context.load(Table::Crl, active.id.as_bytes())?.unwrap_or_default();
        Ok(state.fault(now).map(str::to_owned))
    }

    /// When the next list is to be made.
    pub(super) fn next_crl(&self) -> Result<Option<Timestamp>, EngineError> {
        let Some(authority) = &self.context.authority else { return Ok(None) };
        let mut soonest = None;
        for ca in authority.all() {
            let state: CrlState = self.context.load(Table::Crl, ca.id.as_bytes())?.unwrap_or_default();
            soonest = crate::workflow::earlier(soonest, Some(state.due()));
        }
        Ok(soonest)
    }

    /// Makes every list that is due; returns how many.
    pub(super) fn refresh_crls(&mut self) -> Result<usize, EngineError> {
        let Some(authority) = self.context.authority.clone() else { return Ok(0) };
        let (now, mut made) = (self.now(), 0);
        for ca in authority.all() {
            let state: CrlState = self.context.load(Table::Crl, ca.id.as_bytes())?.unwrap_or_default();
            if state.due() <= now {
                self.step(SYSTEM, |step| step.publish(&ca.id))?;
                made += 1;
            }
        }
        Ok(made)
    }

    /// Makes all lists anew now; `annai ca crl --renew`.
    pub fn renew_crls(&mut self, who: &str) -> Result<(), EngineError> {
        let Some(authority) = self.context.authority.clone() else {
            return Err(EngineError::Refused("there is no CA; make one with `annai ca init`"));
        };
        for ca in authority.all() {
            self.step(&format!("staff:{who}"), |step| step.publish(&ca.id))?;
        }
        Ok(())
    }
}

/// How a list stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CrlView {
    pub issuer: String,
    pub number: u64,
    pub this_update: Option<Timestamp>,
    pub next_update: Option<Timestamp>,
    pub revoked: usize,
    /// Why it cannot be relied on.
    pub fault: Option<String>,
}

impl Step<'_> {
    pub(super) fn certificate(&mut self, serial: &Serial) -> Result<Option<CertificateRecord>, EngineError> {
        self.context.load(Table::Certificate, &serial.bytes())
    }

    pub(super) fn put_certificate(&mut self, record: &CertificateRecord) -> Result<(), EngineError> {
        self.put(Table::Certificate, record.serial.bytes(), record)
    }

    /// Revokes a certificate: its record, its line, the list. A serial number annai has no record of is only noted.
    pub(super) fn revoke(&mut self, serial: &str, reason: RevocationReason) -> Result<(), EngineError> {
        let record = match serial.parse::<Serial>() {
            Ok(serial) => self.certificate(&serial)?,
            Err(_) => None,
        };
        let Some(mut record) = record else {
            self.note(json!({"event": "certificate-to-revoke", "serial": serial, "reason": reason}));
            return Ok(());
        };
        if matches!(record.standing, Standing::Revoked { .. }) {
            return Ok(());
        }
        record.standing = Standing::Revoked { at: self.now, reason };
        self.put_certificate(&record)?;
        self.note(json!({
            "event": "certificate-revoked", "tenant": record.tenant, "generation": record.generation,
            "serial": record.serial, "reason": reason,
        }));
        let mut list = self.list(&record.issuer)?;
        if list.lines.len() >= REVOKED_MAX {
            return Err(EngineError::Refused("the revocation list is full; `annai ca rotate` begins a new one"));
        }
        list.lines.push(Line { serial: record.serial, at: self.now, reason, not_after: record.not_after });
        list.state.stale = true;
        self.crls.insert(record.issuer.clone(), list);
        self.publish(&record.issuer)
    }

    fn list(&mut self, issuer: &str) -> Result<CrlInStep, EngineError> {
        if let Some(list) = self.crls.get(issuer) {
            return Ok(list.clone());
        }
        let state = self.context.load(Table::Crl, issuer.as_bytes())?.unwrap_or_default();
        let lines = self.context.load(Table::Crl, &lines_key(issuer))?.unwrap_or_default();
        Ok(CrlInStep { state, lines })
    }

    /// Signs and stores a list. Without a CA that can, the lines are stored and the signing is left for later.
    fn publish(&mut self, issuer: &str) -> Result<(), EngineError> {
        let (now, mut list) = (self.now, self.list(issuer)?);
        let ca = self.context.authority.as_deref().map(|authority| authority.issuing(issuer));
        let signed = match ca {
            Some(Ok(ca)) => sign(ca, &list, now).map_err(|fault| fault.to_string()),
            Some(Err(fault)) => Err(fault.to_string()),
            None => Err("there is no CA".to_owned()),
        };
        let state = &mut list.state;
        match signed {
            Ok(der) => {
                let before = state.this_update;
                let (number, revoked) = (state.number + 1, list.lines.len());
                *state = CrlState { number, this_update: Some(now), revoked, stale: false, retry: None };
                // Named once more after its end, then dropped (RFC 5280 §3.3).
                list.lines.retain(|line| before.is_none_or(|before| line.not_after >= before));
                let digest = crate::crypto::sha256(&der);
                self.note(json!({
                    "event": "revocation-list", "issuer": issuer, "number": number, "revoked": revoked, "digest": digest,
                }));
                self.put_bytes(Table::Crl, der_key(issuer), der);
            }
            Err(fault) => {
                tracing::error!(issuer, %fault, "a revocation list could not be signed; nothing is issued until it is");
                state.retry = Some(now.plus(CRL_RETRY_SECONDS));
            }
        }
        self.put(Table::Crl, issuer.as_bytes(), &list.state)?;
        self.put(Table::Crl, lines_key(issuer), &list.lines)?;
        self.crls.insert(issuer.to_owned(), list);
        Ok(())
    }
}

fn sign(ca: &Issuing, list: &CrlInStep, now: Timestamp) -> Result<Vec<u8>, crate::pki::PkiError> {
    let line = |line: &Line| Revoked { serial: line.serial, at: line.at, reason: line.reason };
    let lines: Vec<_> = list.lines.iter().map(line).collect();
    ca.sign_crl(list.state.number + 1, now, now.plus(CRL_LIFE_SECONDS), &lines)
}

/// Everything a TLS server needs to tell our certificates from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// DER: every issuing CA and the CAs above them.
    pub anchors: Vec<Vec<u8>>,
    /// DER: the newest list of every issuing CA, and the root's.
    pub crls: Vec<Vec<u8>>,
    /// Digest of both, so that no two sets share one: a server whose version differs is to be built anew.
    pub version: Digest,
}

impl Trust {
    fn of(anchors: Vec<Vec<u8>>, crls: Vec<Vec<u8>>) -> Self {
        let mut all = Vec::new();
        for part in [&anchors, &crls] {
            // Lengths first: no other split of the same bytes is the same set.
            all.extend_from_slice(&part.len().to_be_bytes());
            for der in part {
                all.extend_from_slice(&der.len().to_be_bytes());
                all.extend_from_slice(der);
            }
        }
        let version = crate::crypto::sha256(&all);
        Self { anchors, crls, version }
    }
}

impl Engine {
    /// See [`Trust`]; `None` without a CA.
    pub fn trust(&self) -> Result<Option<Trust>, EngineError> {
        let Some(authority) = self.context.authority.as_deref() else { return Ok(None) };
        let mut anchors: Vec<Vec<u8>> = Vec::new();
        let mut crls: Vec<Vec<u8>> = authority.root_crl().map(<[u8]>::to_vec).into_iter().collect();
        for ca in authority.all() {
            let chain = std::iter::once(&ca.certificate).chain(&ca.parents);
            for der in chain {
                if !anchors.contains(der) {
                    anchors.push(der.clone());
                }
            }
            crls.extend(self.context.store.get(Table::Crl, &der_key(&ca.id))?.map(|der| der.to_vec()));
        }
        Ok(Some(Trust::of(anchors, crls)))
    }

    /// The CA in use.
    pub fn authority(&self) -> Option<&Authority> {
        self.context.authority.as_deref()
    }
}
