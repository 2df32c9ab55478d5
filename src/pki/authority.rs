//! The CAs at hand: the root (certificate and list only, its key is offline) and one or more issuing CAs. The active one
//! signs new certificates; earlier ones go on signing their revocation lists until their last certificate has ended.

use super::profile::{self, Holder};
use super::{BACKDATED_SECONDS, LeafSettings, PkiError, inspect};
use crate::crypto;
use crate::domain::{Secret, Timestamp};
use crate::workflow::RevocationReason;
use rcgen::{
    CertificateParams, CertificateRevocationListParams, KeyIdMethod, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PublicKeyData, RevokedCertParams, SerialNumber, SignatureAlgorithm, SigningKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;

use super::order::Serial;

/// Seconds a certificate must at least be valid to be worth issuing.
const LIFE_MIN_SECONDS: i64 = 86_400;

/// Where a private key of a CA is used. Today there is one place: this process. A key in a PKCS#11 module is not supported;
/// it would be a second variant here, and a second kind of file in `dir`, and nothing else would change.
#[derive(Debug)]
enum Signer {
    /// In the memory of this process, from a sealed file.
    Memory(KeyPair),
}

impl PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        match self {
            Self::Memory(key) => key.der_bytes(),
        }
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self {
            Self::Memory(key) => key.algorithm(),
        }
    }
}

impl SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        match self {
            Self::Memory(key) => key.sign(message),
        }
    }
}

/// One issuing CA with its key.
#[derive(Debug)]
pub struct Issuing {
    /// First 16 hexadecimal digits of the SHA-256 of its public key: names its files and its list's address.
    pub id: String,
    /// DER.
    pub certificate: Vec<u8>,
    /// Who signed it, and who signed that, DER; the root last.
    pub parents: Vec<Vec<u8>>,
    pub subject: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    issuer: rcgen::Issuer<'static, Signer>,
}

/// See the module.
#[derive(Debug)]
pub struct Authority {
    settings: LeafSettings,
    issuing: Vec<Arc<Issuing>>,
    active: usize,
    /// DER of the list that each CA without a key here has signed (the root's).
    root_crl: Option<Vec<u8>>,
}

/// One line of a revocation list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    pub serial: Serial,
    pub at: Timestamp,
    pub reason: RevocationReason,
}

impl Issuing {
    /// From a CA certificate (DER), its parents and its key (PKCS#8). Refused if they do not belong together.
    pub fn new(certificate: Vec<u8>, parents: Vec<Vec<u8>>, pkcs8: &Secret<Vec<u8>>) -> Result<Self, PkiError> {
        let facts = inspect::facts(&certificate)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8.reveal().as_slice()));
        let key = KeyPair::try_from(&key)?;
        if key.subject_public_key_info() != facts.public_key {
            return Err(PkiError::Unfit("the private key does not belong to the certificate; give the pair"));
        }
        let issuer =
            rcgen::Issuer::from_ca_cert_der(&CertificateDer::from(certificate.as_slice()), Signer::Memory(key))?;
        Ok(Self {
            id: id_of(&facts.public_key),
            certificate,
            parents,
            subject: facts.subject,
            not_before: facts.not_before,
            not_after: facts.not_after,
            issuer,
        })
    }

    /// The certificates a terminal gets besides its own: this CA and those between it and the root, never the root.
    pub(super) fn sent_along(&self) -> Vec<&[u8]> {
        let between = self.parents.iter().map(Vec::as_slice).filter(|der| !inspect::is_signed_by(der, der));
        std::iter::once(self.certificate.as_slice()).chain(between).collect()
    }

    /// Signs a terminal's certificate; DER.
    pub(super) fn sign_leaf(
        &self,
        settings: &LeafSettings,
        holder: &Holder<'_>,
        serial: &Serial,
        not_before: Timestamp,
        not_after: Timestamp,
        key: &KeyPair,
    ) -> Result<Vec<u8>, PkiError> {
        let params = profile::leaf(settings, &self.id, holder, serial, not_before, not_after)?;
        Ok(params.signed_by(key, &self.issuer)?.der().to_vec())
    }

    /// Signs a revocation list (RFC 5280 §5); DER.
    pub fn sign_crl(
        &self,
        number: u64,
        this_update: Timestamp,
        next_update: Timestamp,
        revoked: &[Revoked],
    ) -> Result<Vec<u8>, PkiError> {
        let params = crl(number, this_update, next_update, revoked);
        Ok(params.signed_by(&self.issuer)?.der().to_vec())
    }
}

/// The id of a CA, from its subjectPublicKeyInfo.
pub(super) fn id_of(public_key: &[u8]) -> String {
    crypto::sha256(public_key).to_string().chars().take(16).collect()
}

pub(super) fn crl(
    number: u64,
    this_update: Timestamp,
    next_update: Timestamp,
    revoked: &[Revoked],
) -> CertificateRevocationListParams {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let line = |revoked: &Revoked| RevokedCertParams {
        serial_number: profile::number(&revoked.serial),
        revocation_time: epoch + profile::since_epoch(revoked.at),
        reason_code: Some(match revoked.reason {
            RevocationReason::KeyCompromise => rcgen::RevocationReason::KeyCompromise,
            RevocationReason::Superseded => rcgen::RevocationReason::Superseded,
            RevocationReason::CessationOfOperation => rcgen::RevocationReason::CessationOfOperation,
        }),
        invalidity_date: None,
    };
    CertificateRevocationListParams {
        this_update: epoch + profile::since_epoch(this_update),
        next_update: epoch + profile::since_epoch(next_update),
        crl_number: SerialNumber::from_slice(&number.to_be_bytes()),
        issuing_distribution_point: None,
        revoked_certs: revoked.iter().map(line).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    }
}

impl Authority {
    /// `active` is the id of the CA that signs new certificates.
    pub fn new(
        settings: LeafSettings,
        issuing: Vec<Arc<Issuing>>,
        active: &str,
        root_crl: Option<Vec<u8>>,
    ) -> Result<Self, PkiError> {
        let found = issuing.iter().position(|ca| ca.id == active);
        let active =
            found.ok_or(PkiError::Unfit("the active issuing CA is not in the CA directory; restore its files"))?;
        Ok(Self { settings, issuing, active, root_crl })
    }

    /// Root and issuing CA that live as long as the value: for the demo and for tests.
    pub fn throwaway(settings: LeafSettings, now: Timestamp) -> Result<Self, PkiError> {
        let made = Fresh::make(&settings.organisation, now)?;
        let issuing = Issuing::new(made.issuing, vec![made.root], &made.issuing_key)?;
        let active = issuing.id.clone();
        Self::new(settings, vec![Arc::new(issuing)], &active, Some(made.root_crl))
    }

    pub fn settings(&self) -> &LeafSettings {
        &self.settings
    }

    /// The CA that signs new certificates.
    pub fn active(&self) -> Option<&Issuing> {
        self.issuing.get(self.active).map(Arc::as_ref)
    }

    pub fn all(&self) -> &[Arc<Issuing>] {
        &self.issuing
    }

    pub fn issuing(&self, id: &str) -> Result<&Issuing, PkiError> {
        let found = self.issuing.iter().find(|ca| ca.id == id);
        found
            .map(Arc::as_ref)
            .ok_or(PkiError::Unfit("the issuing CA of this certificate is not in the CA directory; restore its files"))
    }

    /// The root's certificate, DER, if the active CA has one.
    pub fn root(&self) -> Option<&[u8]> {
        self.active().and_then(|ca| ca.parents.last()).map(Vec::as_slice)
    }

    pub fn root_crl(&self) -> Option<&[u8]> {
        self.root_crl.as_deref()
    }

    /// From when to when a certificate issued now is valid; never longer than its CA.
    pub fn validity(&self, now: Timestamp) -> Result<(Timestamp, Timestamp), PkiError> {
        let ca = self.active().ok_or(PkiError::Ends)?;
        let not_after = now.plus(i64::from(self.settings.days) * 86_400).min(ca.not_after);
        if not_after.unix() - now.unix() < LIFE_MIN_SECONDS || now < ca.not_before {
            return Err(PkiError::Ends);
        }
        Ok((now.plus(-BACKDATED_SECONDS).max(ca.not_before), not_after))
    }
}

/// A root and an issuing CA just made.
pub(super) struct Fresh {
    pub(super) root: Vec<u8>,
    pub(super) root_key: Secret<Vec<u8>>,
    pub(super) root_crl: Vec<u8>,
    pub(super) issuing: Vec<u8>,
    pub(super) issuing_key: Secret<Vec<u8>>,
}

impl Fresh {
    pub(super) fn make(organisation: &str, now: Timestamp) -> Result<Self, PkiError> {
        let serial = Serial::from_random(crypto::random()?);
        let params = profile::root(organisation, now.date().year(), &serial, now);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384)?;
        let root = params.self_signed(&key)?.der().to_vec();
        let root_key = Secret::new(key.serialize_der());
        let (issuing, issuing_key) = issuing(&root, &root_key, organisation, now)?;
        let root_crl = root_list(&root, &root_key, now)?;
        Ok(Self { root, root_key, root_crl, issuing, issuing_key })
    }
}

fn signer<'a>(certificate: &[u8], pkcs8: &Secret<Vec<u8>>) -> Result<rcgen::Issuer<'a, KeyPair>, PkiError> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8.reveal().as_slice()));
    Ok(rcgen::Issuer::from_ca_cert_der(&CertificateDer::from(certificate), KeyPair::try_from(&key)?)?)
}

/// A new issuing CA, signed by the root: certificate and key.
pub(super) fn issuing(
    root: &[u8],
    root_key: &Secret<Vec<u8>>,
    organisation: &str,
    now: Timestamp,
) -> Result<(Vec<u8>, Secret<Vec<u8>>), PkiError> {
    let serial = Serial::from_random(crypto::random()?);
    let mut params: CertificateParams = profile::issuing(organisation, now.date().year(), &serial, now);
    let end = inspect::facts(root)?.not_after;
    let own_end = now.plus(i64::from(profile::ISSUING_DAYS) * 86_400);
    profile::date(&mut params, now.plus(-BACKDATED_SECONDS), own_end.min(end));
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = params.signed_by(&key, &signer(root, root_key)?)?.der().to_vec();
    Ok((certificate, Secret::new(key.serialize_der())))
}

/// The root's list: empty, and good as long as an issuing CA of today. An issuing CA is revoked by a new one.
pub(super) fn root_list(root: &[u8], root_key: &Secret<Vec<u8>>, now: Timestamp) -> Result<Vec<u8>, PkiError> {
    let end = inspect::facts(root)?.not_after.min(now.plus(i64::from(profile::ISSUING_DAYS) * 86_400));
    let number = u64::try_from(now.unix()).unwrap_or(0);
    Ok(crl(number, now.plus(-BACKDATED_SECONDS), end, &[]).signed_by(&signer(root, root_key)?)?.der().to_vec())
}

/// Handed to orders and kept by the engine.
pub type Shared = Arc<Authority>;
