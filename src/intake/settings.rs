//! What intake must be told: the `[imap]` table of the configuration in its typed form.

use crate::domain::Secret;
use crate::tls::Tls;
use std::path::PathBuf;

/// The keyword set on a mail that is filed.
pub const DEFAULT_KEYWORD: &str = "$AnnaiProcessed";

/// One mailbox on one server.
#[derive(Debug, Clone)]
pub struct ImapSettings {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    /// PEM; replaces the CA certificates of the system.
    pub ca_file: Option<PathBuf>,
    pub user: String,
    pub login: Login,
    /// As people write it (`受付`); it is encoded for the wire (RFC 3501 §5.1.3).
    pub mailbox: String,
    pub after: AfterFiling,
}

/// How to prove who we are.
#[derive(Debug, Clone)]
pub enum Login {
    Password(Secret<String>),
    /// A file with an OAuth 2 access token, kept fresh by somebody else and read at every login.
    XOAuth2TokenFile(PathBuf),
}

/// What happens on the server to a mail whose raw bytes and cursor are durable here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterFiling {
    /// Set this keyword (RFC 3501 §2.3.2), [`DEFAULT_KEYWORD`] by default.
    Keyword(String),
    /// Move it to this folder, which is created if missing.
    Move(String),
    /// Leave the mailbox untouched; it is opened read-only.
    Nothing,
}

impl Default for AfterFiling {
    fn default() -> Self {
        Self::Keyword(DEFAULT_KEYWORD.to_owned())
    }
}
