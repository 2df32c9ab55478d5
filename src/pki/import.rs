//! An issuing CA that somebody else made: its certificate, its key and the CAs above it, from PEM files or one PKCS#12
//! file. It is checked before it is taken over: it is a CA, may sign certificates and lists, may issue client certificates,
//! has time left, key and certificate belong together, and every parent given has really signed its child.

use super::authority::Issuing;
use super::{PkiError, inspect, p12};
use crate::domain::{Secret, Timestamp};
use rcgen::KeyPair;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// Longest chain taken.
const CHAIN_MAX: usize = 5;
/// Days it must still be valid at least.
const DAYS_LEFT_MIN: i64 = 30;

/// A CA from a PKCS#12 file.
pub fn from_pkcs12(bytes: &[u8], password: &Secret<String>, now: Timestamp) -> Result<Foreign, PkiError> {
    let (key, certificates) = p12::read(bytes, password)?;
    Foreign::checked(certificates, key, now)
}

/// A CA from PEM: certificates in any order, and a private key (PKCS#8, PKCS#1 or SEC 1) without password.
pub fn from_pem(certificates: &[u8], key: &[u8], now: Timestamp) -> Result<Foreign, PkiError> {
    let chain = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|fault| PkiError::Certificate(fault.to_string()))?;
    let text = std::str::from_utf8(key).map_err(|_| PkiError::Unfit("the key is not PEM text"))?;
    let key = KeyPair::from_pem(text)?;
    Foreign::checked(chain.into_iter().map(|der| der.to_vec()).collect(), Secret::new(key.serialize_der()), now)
}

/// A CA from outside, checked.
#[derive(Debug)]
pub struct Foreign {
    pub issuing: Issuing,
    pub(super) key: Secret<Vec<u8>>,
}

impl Foreign {
    fn checked(certificates: Vec<Vec<u8>>, key: Secret<Vec<u8>>, now: Timestamp) -> Result<Self, PkiError> {
        if certificates.len() > CHAIN_MAX {
            return Err(PkiError::Unfit("more than five certificates; give the CA and those above it"));
        }
        let own = KeyPair::try_from(key.reveal().as_slice())?;
        let own = rcgen::PublicKeyData::subject_public_key_info(&own);
        let mut facts = Vec::with_capacity(certificates.len());
        for der in &certificates {
            facts.push(inspect::facts(der)?);
        }
        let place = facts.iter().position(|facts| facts.public_key == own);
        let place =
            place.ok_or(PkiError::Unfit("the private key belongs to none of the certificates; give the pair"))?;
        let mut rest = certificates;
        let certificate = rest.remove(place);
        let about = facts.remove(place);
        if !about.is_ca || !about.may_sign {
            return Err(PkiError::Unfit(
                "the certificate is not that of a CA that may sign certificates and revocation lists",
            ));
        }
        if !about.may_issue_clients {
            return Err(PkiError::Unfit("this CA may not issue client certificates (extended key usage)"));
        }
        if now < about.not_before || now.plus(DAYS_LEFT_MIN * 86_400) > about.not_after {
            return Err(PkiError::Unfit("this CA is not valid now, or ends within 30 days"));
        }
        let mut parents: Vec<Vec<u8>> = Vec::new();
        while let Some(at) =
            rest.iter().position(|parent| inspect::is_signed_by(parents.last().unwrap_or(&certificate), parent))
        {
            parents.push(rest.remove(at));
        }
        if !rest.is_empty() {
            return Err(PkiError::Unfit("a certificate was given that did not sign this CA or one above it"));
        }
        if about.subject_raw != about.issuer_raw && parents.is_empty() {
            return Err(PkiError::Unfit("the CA that signed this one is missing; give its certificate too"));
        }
        Ok(Self { issuing: Issuing::new(certificate, parents, &key)?, key })
    }
}
