//! `annai.toml` as types (DESIGN §6). [`Config::load`] names every fault at once with file and line; nothing starts with a
//! faulty configuration. Secrets are never in it, only the paths of files that hold them; those are read late, by who
//! needs them, through [`Config::read_secret`]. Paths are relative to the file.

mod build;
mod ca;
mod files;
mod overrides;
mod reader;

pub use files::{
    CREDENTIAL_PREFIX, DIR_FILES_MAX, FileError, SECRET_OCTETS_MAX, is_exposed, read_dir_files, read_list, secret_path,
};
pub use overrides::{NOW_VARIABLE, OverrideError, SEED_VARIABLE, TestOverrides};
pub use reader::ConfigError;

use crate::domain::{MailAddress, Secret};
use crate::engine::pickup::PickupSettings;
use crate::letters::ZipMethod;
use crate::pki::LeafSettings;
use crate::tls::Tls;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The ZIP password printed in the ministry's document (seed 4.4). Everybody can read it there, so it protects nothing;
/// it is what officers have been told, and therefore the default.
pub const SEED_UNZIP_PASSWORD: &str = "kikokuFU2020";

/// The whole configuration, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// Store, journal, lock, control socket. Default `state`.
    pub state_dir: PathBuf,
    /// `None`: the rules built into the program.
    pub rules_dir: Option<PathBuf>,
    /// `None`: the templates built into the program.
    pub templates_dir: Option<PathBuf>,
    pub imap: ImapConfig,
    pub smtp: SmtpConfig,
    pub mail: MailConfig,
    pub web: WebConfig,
    pub keys: KeysConfig,
    pub ca: CaConfig,
    pub pickup: PickupSettings,
    pub test: TestConfig,
    pub log: LogConfig,
}

/// What proves who we are to the IMAP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImapLogin {
    PasswordFile(PathBuf),
    /// A file some other program keeps fresh; read again at every login (XOAUTH2).
    OAuth2TokenFile(PathBuf),
}

/// What happens on the server to a mail whose bytes are durable here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterReading {
    /// It gets the keyword `$AnnaiProcessed`.
    Keyword,
    /// It is moved to this folder.
    Move(String),
    /// The mailbox is never changed (read-only works).
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImapConfig {
    pub host: String,
    /// Default 993 with implicit TLS, else 143.
    pub port: u16,
    /// Default implicit.
    pub tls: Tls,
    /// PEM file of further certification authorities to trust.
    pub ca_file: Option<PathBuf>,
    pub user: String,
    pub login: ImapLogin,
    /// Default INBOX.
    pub mailbox: String,
    /// Default keyword.
    pub after: AfterReading,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpConfig {
    pub host: String,
    /// Default 465 with implicit TLS, 587 with STARTTLS, else 25.
    pub port: u16,
    /// Default starttls.
    pub tls: Tls,
    pub ca_file: Option<PathBuf>,
    pub login: Option<SmtpLogin>,
    /// Letters handed over per minute; 0 (default): no limit.
    pub max_per_minute: u32,
    /// Connections open at once, 1 to 16. Default 2.
    pub connections: u32,
    /// `None`: the relay signs, or nobody does.
    pub dkim: Option<DkimConfig>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpLogin {
    pub user: String,
    pub password_file: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimConfig {
    /// PEM private key.
    pub key_file: PathBuf,
    /// Left part of the DNS name `SELECTOR._domainkey.DOMAIN`; the domain is that of `mail.from`.
    pub selector: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailConfig {
    /// Header From of every letter (seed 4.3.3: noreply@followup.mhlw.go.jp).
    pub from: MailAddress,
    /// The contact desk: Reply-To of every letter, and where registrations arrive.
    pub contractor: MailAddress,
    /// Signature of the contact desk. Default: the contractor of the seed.
    pub contractor_name: String,
    /// Gets a redacted copy of what it must be able to check.
    pub ministry: MailAddress,
    /// Base of the envelope sender: `bounce+TAG@…` comes back when a letter bounces (VERP).
    pub bounce: MailAddress,
    /// Hours of the contact desk as printed in letters, 平日 9時30分～17時30分.
    pub hours: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebConfig {
    /// Pick-up pages. Default 127.0.0.1:8080.
    pub pickup_listen: SocketAddr,
    /// Public address of the pick-up pages as printed in notices, without a slash at its end.
    pub pickup_url: String,
    /// Staff console. Default 127.0.0.1:8081.
    pub console_listen: SocketAddr,
    /// Check page that asks for the client certificate; `None`: not offered. Needs `tls`, and no proxy may end TLS before it.
    pub gate_listen: Option<SocketAddr>,
    /// Public address of the check page, as officers see it; without a setting, the host of `pickup_url` with the port of
    /// `gate_listen`. `None`: no check page is named to them.
    pub gate_url: Option<String>,
    /// `None`: a proxy in front does TLS.
    pub tls: Option<WebTls>,
    /// PEM: the authority whose client certificates the console asks for besides the password. `None`: password only.
    pub console_client_ca: Option<PathBuf>,
}

/// Certificate chain and key, PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebTls {
    pub cert: PathBuf,
    pub key: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysConfig {
    /// Default `secrets/master.key`.
    pub master_key_file: PathBuf,
    /// Default `ca`.
    pub ca_dir: PathBuf,
    /// `None`: the password of the ministry's document; see [`KeysConfig::unzip_password`].
    pub unzip_password_file: Option<PathBuf>,
    /// Default zipcrypto: opens in Windows Explorer without further software.
    pub zip_method: ZipMethod,
}

impl KeysConfig {
    /// Where the master key lies, credentials resolved.
    pub fn master_key_path(&self) -> Result<PathBuf, FileError> {
        files::secret_path(&self.master_key_file)
    }

    /// The password of credential ZIPs.
    pub fn unzip_password(&self) -> Result<Secret<String>, FileError> {
        match &self.unzip_password_file {
            Some(path) => Config::read_secret(path),
            None => Ok(Secret::new(SEED_UNZIP_PASSWORD.to_owned())),
        }
    }
}

/// What certificates say, and what besides the master key opens the CA's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaConfig {
    pub leaf: LeafSettings,
    /// `None`: the master key alone opens them.
    pub second_secret_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TestConfig {
    /// Allows `ANNAI_NOW` and `ANNAI_SEED`. Never in real use.
    pub enabled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Human,
    Json,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// Default human.
    pub format: LogFormat,
    /// Filter like `info` or `info,annai::dispatch=debug`. Default info.
    pub level: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Human, level: "info".to_owned() }
    }
}

impl Config {
    /// Reads and checks the file. All faults at once; never empty in the error case.
    pub fn load(path: &Path) -> Result<Self, Vec<ConfigError>> {
        build::load(path)
    }

    /// Reads a secret file named by the configuration; see [`FileError`] for what is refused.
    pub fn read_secret(path: &Path) -> Result<Secret<String>, FileError> {
        files::read_secret(path)
    }
}
