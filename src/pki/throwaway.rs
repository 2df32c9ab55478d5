//! A throw-away certificate authority and one server certificate, for the sandbox only. Nothing is written to disk: the
//! keys live as long as the value. Limits: P-256 keys, one level, names and dates are given by the caller (the library's
//! own default validity is 1975 to 4096, which no client should be taught to accept).

use super::profile::date;
use crate::domain::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::fmt;

/// What a server needs to speak TLS, and what its clients need to trust it.
pub struct Throwaway {
    /// The authority, PEM: clients put it among their roots.
    pub ca_pem: String,
    /// The server's certificate, leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The server's private key.
    pub key: PrivateKeyDer<'static>,
}

/// Why no throw-away certificate could be made.
#[derive(Debug, thiserror::Error)]
pub enum ThrowawayError {
    #[error("the throw-away certificate would end before it begins: choose not_after later than not_before")]
    Dates,
    #[error("no throw-away certificate could be made: check the names, each a DNS name or an IP address")]
    Make(#[from] rcgen::Error),
}

/// Makes an authority and a certificate for `names` (DNS names and IP addresses), both valid from `not_before` to
/// `not_after`.
pub fn throwaway(names: &[&str], not_before: Timestamp, not_after: Timestamp) -> Result<Throwaway, ThrowawayError> {
    if not_after <= not_before {
        return Err(ThrowawayError::Dates);
    }
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();

    let mut authority = CertificateParams::new(Vec::<String>::new())?;
    date(&mut authority, not_before, not_after);
    authority.distinguished_name.push(DnType::CommonName, "annai sandbox throw-away CA");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate()?;
    let ca_pem = authority.self_signed(&authority_key)?.pem();
    let issuer = Issuer::new(authority, authority_key);

    let mut server = CertificateParams::new(names)?;
    date(&mut server, not_before, not_after);
    server.distinguished_name.push(DnType::CommonName, "annai sandbox");
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    let server_key = KeyPair::generate()?;
    let leaf = server.signed_by(&server_key, &issuer)?;

    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
    Ok(Throwaway { ca_pem, chain: vec![leaf.der().clone()], key })
}

impl fmt::Debug for Throwaway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throwaway").field("certificates", &self.chain.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn makes_a_chain_and_refuses_dates_the_wrong_way_round() {
        let (start, end) = (at("2020-04-01T00:00:00Z"), at("2020-06-01T00:00:00Z"));
        let made = throwaway(&["localhost", "127.0.0.1"], start, end).unwrap();
        assert!(made.ca_pem.starts_with("-----BEGIN CERTIFICATE-----"));
        assert_eq!(made.chain.len(), 1);
        assert!(matches!(throwaway(&["localhost"], end, start), Err(ThrowawayError::Dates)));
    }
}
