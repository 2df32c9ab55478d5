//! Layer 2: the certification authority (issue C; RFC 5280; research R6, R20). Keys, certificates and PKCS#12 files are made
//! here and nowhere else; what is issued to whom is the engine's business (`engine::certificates`).
//!
//! | file | what |
//! |---|---|
//! | `authority` | root and issuing CAs at hand, signing leaves and revocation lists |
//! | `custody` | private keys sealed in files: master key, optionally a second secret |
//! | `dir` | the CA directory: made, loaded, rotated |
//! | `keyring` | that directory, followed while the daemon runs |
//! | `import` | an issuing CA from outside, checked |
//! | `profile` | what stands in each kind of certificate |
//! | `order` | one certificate to be made: key, certificate, both PKCS#12 files |
//! | `p12` | PKCS#12 files |
//! | `throwaway` | certificates of the sandbox's servers |

pub mod authority;
pub mod custody;
pub mod dir;
pub mod import;
mod inspect;
mod keyring;
pub mod order;
pub mod p12;
mod profile;
pub mod throwaway;

pub use authority::{Authority, Issuing, Revoked};
pub use custody::Custody;
pub use inspect::serial_of;
pub use keyring::Keyring;
pub use order::{Made, Order, Serial};
pub use p12::Profile;

use std::path::PathBuf;

/// Kind of key in the certificates of terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA, 2048 bits: what every Windows store and old browser takes.
    Rsa2048,
    /// ECDSA on P-256: a thousand times quicker to make.
    P256,
}

/// What stands in every certificate of a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafSettings {
    pub key: KeyKind,
    /// Days a certificate is valid; it never outlives its CA.
    pub days: u32,
    /// O in the subject, and in the name of a CA made by `annai init`.
    pub organisation: String,
    /// Base of the revocation lists' addresses, without a slash at its end; `/<id>.crl` is added. `None`: no CDP.
    pub crl_url: Option<String>,
    /// Base of the CA certificates' addresses; `/<id>.crt` is added. `None`: no AIA.
    pub aia_url: Option<String>,
}

impl Default for LeafSettings {
    fn default() -> Self {
        Self {
            key: KeyKind::Rsa2048,
            days: 730,
            organisation: "帰国者フォローアップシステム".to_owned(),
            crl_url: None,
            aia_url: None,
        }
    }
}

/// Seconds by which validity begins before the moment of issue, for terminals whose clock is slow.
pub const BACKDATED_SECONDS: i64 = 3600;

/// Why the CA cannot do what is asked.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    #[error("{}: {source}; check the CA directory (keys.ca_dir) and its rights", .path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("{} exists already and is never overwritten; use `annai ca rotate`, or move the directory away", .0.display())]
    Exists(PathBuf),
    #[error("{} is not a sealed key of annai; restore the CA directory from its copy", .0.display())]
    Format(PathBuf),
    #[error(
        "{} does not open with this master key and second secret; restore the key that belongs to the CA directory, \
         check ca.second_secret_file", .0.display()
    )]
    Sealed(PathBuf),
    #[error("{0} cannot be used as a certificate; give PEM or DER as your CA handed it out")]
    Certificate(String),
    #[error("this CA cannot be taken over: {0}")]
    Unfit(&'static str),
    #[error("the CA's end is nearer than a day: `annai ca rotate`")]
    Ends,
    #[error("no certificate could be made ({0})")]
    Make(#[from] rcgen::Error),
    #[error("no PKCS#12 file could be made or read ({0}); check file and password")]
    Pkcs12(String),
    #[error(transparent)]
    NoRandomness(#[from] crate::crypto::NoRandomness),
}
