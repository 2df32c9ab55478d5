//! Which CAs are in force. The CA directory is a supply: a CA that lies there is trusted, and signs, only once somebody who
//! may handle keys has adopted it, by two persons where two are needed (research R19, R20). The decision is a record and a
//! line of the journal, with who and why; the directory follows it. So a file put there by one person alone does nothing.
//!
//! The first CA of a new store is taken over by itself, while nobody has an account who could be asked.

use super::staff::short;
use super::step::Step;
use super::{Engine, EngineError, SYSTEM};
use crate::crypto;
use crate::domain::Digest;
use crate::pki::dir::Supply;
use crate::pki::{Authority, Keyring, PkiError};
use crate::store::Table;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where the record stands in the table `Meta`.
const IN_FORCE: &[u8] = b"authorities-in-force";

/// What is done with the keys of the certification authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "keys")]
pub enum KeysVerb {
    /// From now on this CA of the CA directory signs new certificates; earlier ones go on signing their lists.
    Adopt {
        /// Its id.
        ca: String,
        /// SHA-256 of its certificate: who approves, approves this one.
        certificate: Digest,
        reason: String,
    },
}

/// CAs in force, by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct InForce {
    active: String,
    adopted: BTreeSet<String>,
}

impl Engine {
    /// Gives the engine its CA directory, and looks into it. What cannot be used is told in [`Engine::issuing_fault`].
    pub fn follow_keys(&mut self, keyring: Keyring, pickup: super::pickup::PickupSettings) -> Result<(), EngineError> {
        self.change(|context| context.pickup = pickup);
        self.keyring = Some(keyring);
        self.look_at_keys().map(drop)
    }

    /// Takes up what has changed in the CA directory; whether anything had. A directory that has become unusable leaves
    /// what is in force as it is.
    pub fn look_at_keys(&mut self) -> Result<bool, EngineError> {
        let Some(found) = self.keyring.as_mut().and_then(Keyring::look) else { return Ok(false) };
        match found {
            Ok(supply) => {
                self.change(|context| context.supply = supply.map(Arc::new));
                self.put_in_force()?;
            }
            Err(fault) => self.keys_unusable(&fault.to_string()),
        }
        Ok(true)
    }

    /// Nothing is issued if there is no CA yet; else the one in force stays (invariant I11).
    pub fn keys_unusable(&mut self, why: &str) {
        tracing::error!(%why, "the CA directory cannot be used as it is");
        self.change(|context| context.authority_fault = Some(why.to_owned()));
    }

    /// Makes the CAs in force those of the record.
    pub(super) fn put_in_force(&mut self) -> Result<(), EngineError> {
        let (Some(supply), Some(keyring)) = (self.context.supply.clone(), &self.keyring) else { return Ok(()) };
        let settings = keyring.settings().clone();
        let in_force = match self.context.load::<InForce>(Table::Meta, IN_FORCE)? {
            Some(in_force) => in_force,
            None if self.accounts()?.is_empty() => self.take_first(&supply)?,
            None => {
                let ca = &supply.active;
                self.keys_unusable(&format!("the first CA waits to be adopted: `annai ca adopt {ca} --reason …`"));
                return Ok(());
            }
        };
        let adopted = supply.issuing.iter().filter(|ca| in_force.adopted.contains(&ca.id)).cloned().collect();
        match Authority::new(settings, adopted, &in_force.active, supply.root_crl.clone()) {
            Ok(authority) => self.change(|context| {
                context.authority = Some(Arc::new(authority));
                context.authority_fault = None;
            }),
            Err(fault) => {
                self.keys_unusable(&fault.to_string());
                return Ok(());
            }
        }
        if supply.active != in_force.active
            && let Some(Err(fault)) = self.keyring.as_ref().map(|keyring| keyring.mark(&in_force.active))
        {
            tracing::warn!(%fault, "the CA directory does not say which CA signs; the journal does");
        }
        self.refresh_crls().map(drop)
    }

    /// A new store takes what it finds.
    fn take_first(&mut self, supply: &Supply) -> Result<InForce, EngineError> {
        let adopted = supply.issuing.iter().map(|ca| ca.id.clone()).collect();
        let in_force = InForce { active: supply.active.clone(), adopted };
        self.step(SYSTEM, |step| {
            step.note(json!({"event": "ca-adopted", "issuer": in_force.active, "reason": "first"}));
            step.put(Table::Meta, IN_FORCE, &in_force)
        })?;
        Ok(in_force)
    }
}

/// Carries out what was allowed or approved.
pub(super) fn act(step: &mut Step<'_>, verb: &KeysVerb) -> Result<(), EngineError> {
    let KeysVerb::Adopt { ca, certificate, reason } = verb;
    let reason = short(reason)?;
    let supply = step.context.supply.clone();
    let found = supply.as_ref().and_then(|supply| supply.issuing.iter().find(|issuing| issuing.id == *ca));
    let found = found.ok_or_else(|| {
        let id: String = ca.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
        EngineError::Input(format!("no CA {id} lies in the CA directory (`annai ca show`)"))
    })?;
    if crypto::sha256(&found.certificate) != *certificate {
        return Err(EngineError::Refused("the certificate in the CA directory is not the one that was asked for"));
    }
    if step.now < found.not_before || step.now.plus(crate::domain::time::DAY) > found.not_after {
        return Err(PkiError::Ends.into());
    }
    let before: Option<InForce> = step.context.load(Table::Meta, IN_FORCE)?;
    if before.as_ref().is_some_and(|before| before.active == *ca) {
        return Err(EngineError::Refused("this CA is in use already"));
    }
    let mut adopted = before.as_ref().map(|before| before.adopted.clone()).unwrap_or_default();
    adopted.insert(ca.clone());
    step.note(json!({
        "event": "ca-adopted", "issuer": ca, "subject": found.subject, "certificate": certificate,
        "before": before.map(|before| before.active), "reason": reason,
    }));
    step.put(Table::Meta, IN_FORCE, &InForce { active: ca.clone(), adopted })
}
