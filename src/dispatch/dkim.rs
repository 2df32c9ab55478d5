//! DKIM signatures (RFC 6376, RFC 8463): relaxed/relaxed, SHA-256, RSA or Ed25519, with mail-auth over aws-lc.
//!
//! Every header in [`SIGNED_HEADERS`] is signed once more often than it occurs, so none can be added later without
//! breaking the signature (RFC 6376 §5.4, §8.15). The time of signing is a value: same mail, key and time, same bytes
//! (both algorithms are deterministic). The length tag `l=` is never used (RFC 6376 §8.2).

use crate::domain::Timestamp;
use mail_auth::AuthenticatedMessage;
use mail_auth::common::crypto::{DkimKey, Ed25519Key, RsaKey, Sha256, SigningKey};
use mail_auth::common::headers::{HeaderStream, Writable, Writer};
use mail_auth::dkim::{Canonicalization, Signature};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;

/// What a signature covers besides the body.
pub const SIGNED_HEADERS: [&str; 10] =
    ["From", "To", "Cc", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Auto-Submitted", "Reply-To"];

/// Why mail cannot be signed. Staff act.
#[derive(Debug, thiserror::Error)]
pub enum DkimError {
    #[error(
        "the DKIM key is no private key in PEM ({0}); make one with: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048"
    )]
    Pem(String),
    #[error(
        "the DKIM key is neither Ed25519 nor RSA of 2048 to 8192 bits; make one with: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048"
    )]
    Kind,
    #[error("the mail cannot be signed ({0})")]
    Sign(String),
}

/// Signs for one domain with one key.
pub struct Signer {
    key: DkimKey,
    template: Signature,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({}._domainkey.{})", self.template.s, self.template.d)
    }
}

impl Signer {
    /// `pem`: PKCS#8 (RSA, Ed25519) or PKCS#1 (RSA), not encrypted. RSA below 2048 bits is refused (RFC 8301 §3.2).
    pub fn from_pem(selector: &str, domain: &str, pem: &[u8]) -> Result<Self, DkimError> {
        let der = PrivateKeyDer::from_pem_slice(pem).map_err(|e| DkimError::Pem(e.to_string()))?;
        // Tried one after the other: PKCS#8 does not tell from outside which kind of key it holds.
        let key = match Ed25519Key::from_pkcs8_maybe_unchecked_der(der.secret_der()) {
            Ok(key) => DkimKey::Ed25519(key),
            Err(_) => DkimKey::Rsa(RsaKey::<Sha256>::from_key_der(der).map_err(|_| DkimError::Kind)?),
        };
        let template = Signature {
            v: 1,
            a: key.algorithm(),
            d: domain.to_owned(),
            s: selector.to_owned(),
            ch: Canonicalization::Relaxed,
            cb: Canonicalization::Relaxed,
            // Twice each: the second is found missing and signed as missing.
            h: SIGNED_HEADERS.iter().flat_map(|name| [*name, *name]).map(str::to_owned).collect(),
            ..Signature::default()
        };
        Ok(Self { key, template })
    }

    /// The mail with a DKIM-Signature in front. `mail`: final bytes, CRLF line ends.
    pub fn sign(&self, mail: &[u8], now: Timestamp) -> Result<Vec<u8>, DkimError> {
        let fault = |e: mail_auth::Error| DkimError::Sign(e.to_string());
        let parsed = AuthenticatedMessage::parse(mail).ok_or(DkimError::Sign("it has no header".to_owned()))?;
        let fields = Fields { headers: parsed.headers.iter(), body: parsed.raw_body() };
        let (_, headers, names, body) = self.template.canonicalize(fields);
        let mut signature = self.template.clone();
        signature.bh = self.key.hash(body).as_ref().to_vec();
        signature.t = u64::try_from(now.unix()).unwrap_or(0);
        signature.h = names;
        signature.b = self.key.sign(Signed { headers, signature: &signature }).map_err(fault)?;
        let mut out = Vec::with_capacity(mail.len() + 1_024);
        signature.write(&mut out, true);
        out.extend_from_slice(mail);
        Ok(out)
    }
}

/// The header fields one by one, then the body.
struct Fields<'a> {
    headers: std::slice::Iter<'a, (&'a [u8], &'a [u8])>,
    body: &'a [u8],
}

impl<'a> HeaderStream<'a> for Fields<'a> {
    fn next_header(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        self.headers.next().copied()
    }

    fn body(&mut self) -> &'a [u8] {
        self.body
    }
}

/// What is hashed: the headers, then the signature's own header without its value (RFC 6376 §3.7).
struct Signed<'a, H> {
    headers: H,
    signature: &'a Signature,
}

impl<H: Writable> Writable for Signed<'_, H> {
    fn write(self, writer: &mut impl Writer) {
        self.headers.write(writer);
        self.signature.write(writer, false);
    }
}
