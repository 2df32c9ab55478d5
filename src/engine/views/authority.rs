//! The CA as staff see it, with what a TLS server needs of it.

use crate::engine::certificates::CrlView;
use crate::engine::{Engine, EngineError};
use crate::pki::dir::{Described, describe, pem};
use serde::Serialize;

/// The CA at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuthorityView {
    /// Why nothing can be issued, if so.
    pub fault: Option<String>,
    pub root: Option<Described>,
    pub issuing: Vec<IssuingView>,
    /// In the CA directory, and neither trusted nor used before somebody adopts them.
    pub waiting: Vec<WaitingView>,
    /// PEM: every issuing CA and those above them.
    pub anchors: Vec<String>,
    /// PEM: the newest list of each, and the root's.
    pub lists: Vec<String>,
}

/// One issuing CA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IssuingView {
    pub id: String,
    /// It signs new certificates.
    pub active: bool,
    pub certificate: Described,
    pub list: Option<CrlView>,
}

/// A CA nobody has adopted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaitingView {
    pub id: String,
    pub certificate: Described,
}

impl Engine {
    pub fn authority_view(&self) -> Result<AuthorityView, EngineError> {
        let fault = self.issuing_fault()?;
        let waiting = self.waiting()?;
        let (issuing, anchors, lists) = (Vec::new(), Vec::new(), Vec::new());
        let none = AuthorityView { fault, root: None, issuing, waiting, anchors, lists };
        let (Some(authority), Some(trust)) = (self.authority(), self.trust()?) else { return Ok(none) };
        let states = self.crl_states()?;
        let active = authority.active().map(|ca| ca.id.as_str());
        let mut issuing = Vec::new();
        for ca in authority.all() {
            issuing.push(IssuingView {
                id: ca.id.clone(),
                active: active == Some(&ca.id),
                certificate: describe(&ca.certificate)?,
                list: states.iter().find(|state| state.issuer == ca.id).cloned(),
            });
        }
        Ok(AuthorityView {
            root: authority.root().map(describe).transpose()?,
            issuing,
            anchors: trust.anchors.iter().map(|der| pem("CERTIFICATE", der)).collect(),
            lists: trust.crls.iter().map(|der| pem("X509 CRL", der)).collect(),
            ..none
        })
    }

    fn waiting(&self) -> Result<Vec<WaitingView>, EngineError> {
        let in_force = |id: &str| self.authority().is_some_and(|all| all.all().iter().any(|ca| ca.id == id));
        let supply = self.context.supply.as_ref().map(|supply| supply.issuing.iter());
        let waiting = supply.into_iter().flatten().filter(|ca| !in_force(&ca.id));
        waiting.map(|ca| Ok(WaitingView { id: ca.id.clone(), certificate: describe(&ca.certificate)? })).collect()
    }
}
