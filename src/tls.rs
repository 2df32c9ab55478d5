//! Layer 2: how connections to mail servers are protected, and the one TLS client configuration of this program.
//!
//! Certificates are always verified (webpki, chain and name); there is no switch to turn that off. A `ca_file` replaces
//! the certificates of the operating system, so a private CA trusts nothing but itself. TLS 1.2 and 1.3, aws-lc-rs.

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// TLS from the first octet (RFC 8314): ports 993 and 465.
    Implicit,
    /// Clear text until STARTTLS, then TLS or nothing (RFC 3501 §6.2.1, RFC 3207): ports 143 and 587.
    StartTls,
    /// Clear text; accepted only if the peer's address is a loopback address.
    None,
}

/// Why no TLS connection can even be tried. Staff act.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("the CA file {} cannot be read ({reason}); check ca_file and its permissions", .file.display())]
    Unreadable { file: PathBuf, reason: String },
    #[error("the CA file {} holds no usable certificate; give PEM, -----BEGIN CERTIFICATE-----", .file.display())]
    Empty { file: PathBuf },
    #[error("this system has no CA certificates; install the package ca-certificates or set ca_file")]
    NoNativeRoots,
    #[error("TLS cannot be set up ({0}); this is a fault of this program, please report it")]
    Library(#[from] rustls::Error),
}

/// What every TLS connection of this program computes with; named explicitly, so that no process-wide default is needed.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// A configuration that trusts the certificates in `ca` (PEM, one or more), or those of the system if `None`.
pub fn client_config(ca: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
    let roots = match ca {
        Some(file) => from_file(file)?,
        None => native()?,
    };
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn from_file(file: &Path) -> Result<RootCertStore, TlsError> {
    let unreadable = |reason: String| TlsError::Unreadable { file: file.to_owned(), reason };
    let pem = std::fs::read(file).map_err(|e| unreadable(e.kind().to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|e| unreadable(e.to_string()))?;
        roots.add(certificate).map_err(|e| unreadable(e.to_string()))?;
    }
    if roots.is_empty() { Err(TlsError::Empty { file: file.to_owned() }) } else { Ok(roots) }
}

fn native() -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    // Single odd certificates in the system's store are common and no reason to stop.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(TlsError::NoNativeRoots) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_say_what_to_do() {
        let missing = client_config(Some(Path::new("/nonexistent/ca.pem"))).unwrap_err().to_string();
        assert!(missing.contains("/nonexistent/ca.pem") && missing.contains("check ca_file"), "{missing}");
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert!(matches!(client_config(Some(&here)), Err(TlsError::Empty { .. })));
    }
}
