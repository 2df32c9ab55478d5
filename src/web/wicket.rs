//! Which terminal certificates are good: the chain to our authority, its purpose, its time, and the revocation lists, as
//! rustls checks them (RFC 5280 §6). Follows the authority while the daemon runs.
//!
//! A handshake takes any certificate, or none: a browser shows an officer nothing but a number for a broken handshake, and
//! a page can say what to do. So the *page* asks [`Wicket::verdict`] at every request, which also covers resumed sessions;
//! nothing but the check page may stand behind a wicket.

use super::door::{DoorError, chain_and_key};
use crate::clock::Clock;
use crate::domain::Digest;
use crate::engine::certificates::Trust;
use crate::tls;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// What the lists and the chain say of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// From our authority, for terminals, in time, on no list.
    Good,
    Revoked,
    Expired,
    /// Not ours, or not for this purpose.
    Foreign,
    /// Our own lists are too old to tell (invariant I11).
    CannotTell,
}

/// See the module.
pub struct Wicket {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    clock: Clock,
    now: RwLock<Arc<Current>>,
}

struct Current {
    /// [`Trust::version`]; `None`: no authority yet.
    version: Option<Digest>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
    config: Arc<ServerConfig>,
}

impl std::fmt::Debug for Wicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wicket")
    }
}

impl Wicket {
    /// With the chain and key of the page itself (PEM). It trusts nobody before the first [`Wicket::follow`].
    pub fn new(cert: &Path, key: &Path, clock: Clock) -> Result<Self, DoorError> {
        let (chain, key) = chain_and_key(cert, key)?;
        let fault = |why: rustls::Error| DoorError::Certificate { file: cert.to_owned(), why: why.to_string() };
        Self::with_key(chain, key, clock).map_err(fault)
    }

    /// The same with chain and key at hand.
    pub fn with_key(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        clock: Clock,
    ) -> Result<Self, rustls::Error> {
        let config = config(&chain, &key, &[])?;
        let now = RwLock::new(Arc::new(Current { version: None, verifier: None, config }));
        Ok(Self { chain, key, clock, now })
    }

    /// Takes over the authority's certificates and lists if they have changed. Returns whether they had.
    pub fn follow(&self, trust: &Trust) -> Result<bool, rustls::Error> {
        if self.current().version == Some(trust.version) {
            return Ok(false);
        }
        let verifier = verifier(trust)?;
        let config = config(&self.chain, &self.key, verifier.root_hint_subjects())?;
        let next = Current { version: Some(trust.version), verifier: Some(verifier), config };
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(true)
    }

    /// What to think of the certificates a connection has shown, at this moment.
    pub fn verdict(&self, shown: &[CertificateDer<'static>]) -> Verdict {
        let Some((own, between)) = shown.split_first() else { return Verdict::Foreign };
        let current = self.current();
        let Some(verifier) = &current.verifier else { return Verdict::CannotTell };
        let seconds = u64::try_from(self.clock.now().unix()).unwrap_or(0);
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        match verifier.verify_client_cert(own, between, now) {
            Ok(_) => Verdict::Good,
            Err(rustls::Error::InvalidCertificate(why)) => verdict(&why),
            Err(_) => Verdict::Foreign,
        }
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current().config)
    }

    fn current(&self) -> Arc<Current> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "not our enum, and open: whatever else is wrong, it is not ours")]
fn verdict(why: &CertificateError) -> Verdict {
    match why {
        CertificateError::Revoked => Verdict::Revoked,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Verdict::Expired,
        CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. }
        | CertificateError::UnknownRevocationStatus => Verdict::CannotTell,
        _ => Verdict::Foreign,
    }
}

fn verifier(trust: &Trust) -> Result<Arc<dyn ClientCertVerifier>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    for anchor in &trust.anchors {
        roots.add(CertificateDer::from(anchor.clone()))?;
    }
    let lists = trust.crls.iter().map(|der| CertificateRevocationListDer::from(der.clone()));
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), tls::provider())
        .with_crls(lists)
        .enforce_revocation_expiration()
        .build()
        .map_err(|fault| rustls::Error::General(fault.to_string()))
}

fn config(
    chain: &[CertificateDer<'static>],
    key: &PrivateKeyDer<'static>,
    hints: &[DistinguishedName],
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let anyone = Arc::new(Anyone(hints.to_vec()));
    let mut config = ServerConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(anyone)
        .with_single_cert(chain.to_vec(), key.clone_key())?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Asks for a certificate of our authority and lets every handshake through whose key fits its certificate; see the module
/// for who decides.
#[derive(Debug)]
struct Anyone(Vec<DistinguishedName>);

impl ClientCertVerifier for Anyone {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.0
    }

    fn verify_client_cert(
        &self,
        _own: &CertificateDer<'_>,
        _between: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = tls::provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, signed, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = tls::provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        tls::provider().signature_verification_algorithms.supported_schemes()
    }
}
