//! What stands in a certificate that is already there.

use super::PkiError;
use crate::domain::Timestamp;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The facts the CA acts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    pub(super) subject: String,
    /// basicConstraints says CA.
    pub(super) is_ca: bool,
    /// keyUsage names keyCertSign and cRLSign (or there is none, which forbids nothing).
    pub(super) may_sign: bool,
    /// The extended key usages, if there are any, allow client certificates.
    pub(super) may_issue_clients: bool,
    /// Names of subject and issuer as encoded, to find who issued whom.
    pub(super) subject_raw: Vec<u8>,
    pub(super) issuer_raw: Vec<u8>,
    /// subjectPublicKeyInfo as encoded.
    pub(super) public_key: Vec<u8>,
}

pub(super) fn facts(der: &[u8]) -> Result<Facts, PkiError> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|fault| PkiError::Certificate(fault.to_string()))?;
    let validity = certificate.validity();
    let usage = certificate.key_usage().ok().flatten();
    let clients = certificate.extended_key_usage().ok().flatten();
    Ok(Facts {
        not_before: Timestamp::from_unix(validity.not_before.timestamp()),
        not_after: Timestamp::from_unix(validity.not_after.timestamp()),
        subject: certificate.subject().to_string(),
        is_ca: certificate.is_ca(),
        may_sign: usage.is_none_or(|usage| usage.value.key_cert_sign() && usage.value.crl_sign()),
        may_issue_clients: clients.is_none_or(|usage| usage.value.any || usage.value.client_auth),
        subject_raw: certificate.subject().as_raw().to_vec(),
        issuer_raw: certificate.issuer().as_raw().to_vec(),
        public_key: certificate.public_key().raw.to_vec(),
    })
}

/// The serial number of a certificate (DER) in hexadecimal digits; `None` if it is none.
pub fn serial_of(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(crate::crypto::hex(certificate.raw_serial()))
}

/// Whether `child` is signed by the key in `parent`.
pub(super) fn is_signed_by(child: &[u8], parent: &[u8]) -> bool {
    let (Ok((_, child)), Ok((_, parent))) = (X509Certificate::from_der(child), X509Certificate::from_der(parent))
    else {
        return false;
    };
    child.issuer().as_raw() == parent.subject().as_raw() && child.verify_signature(Some(parent.public_key())).is_ok()
}
