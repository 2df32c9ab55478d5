//! The sandbox: a post office in one process. IMAP (RFC 3501 with UIDPLUS, MOVE, IDLE, SASL-IR) and SMTP (RFC 5321) on
//! loopback over shared mailboxes in memory, with faults that real servers cannot be made to show ([`Faults`]). Used by
//! `annai demo` and by tests.
//!
//! Nothing leaves loopback, nothing is written to disk, no mail text is logged. User name = mail address, one password
//! for all (also the XOAUTH2 token). Absent on purpose: ENVELOPE, BODYSTRUCTURE, SUBSCRIBE, RENAME, DELETE, quotas.

mod desk;
mod dsn;
mod faults;
mod headers;
mod imap;
mod mailbox;
mod server;
mod smtp;
mod wire;

pub use faults::{
    Answer, AnswerRule, BounceStyle, Faults, ImapFault, ImapRule, ImapVerb, Pattern, Played, SmtpFault, SmtpRule,
    SmtpStage, When,
};
pub use mailbox::{DeliverError, Domains, INBOX, StoredMail};

use crate::domain::{Secret, Timestamp};
use crate::pki::throwaway::{ThrowawayError, throwaway};
use desk::Desk;
use mailbox::{Envelope, Mailboxes};
use server::{Addresses, Errand, Listeners};
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, watch};

/// Errands (answers still to come back) that may wait at once.
const ERRANDS_MAX: usize = 10_000;
/// The names the throw-away certificate is good for.
const CERTIFICATE_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What the post office knows of time: asked at each delivery, and for nothing else.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How a post office is set up. Ports of 0 mean any free one.
#[derive(Clone)]
pub struct Options {
    pub domains: Domains,
    /// Of every account, and of SMTP AUTH; also the XOAUTH2 bearer token.
    pub password: Secret<String>,
    /// SMTP refuses MAIL before AUTH.
    pub smtp_auth_required: bool,
    pub now: Now,
    /// The throw-away certificate's dates. Clients compare them with their own clock.
    pub certificate_not_before: Timestamp,
    pub certificate_not_after: Timestamp,
    pub imap_port: u16,
    pub imaps_port: u16,
    pub smtp_port: u16,
    pub smtps_port: u16,
    pub limits: Limits,
}

/// What one post office holds at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of one mail, not counting the fields added at delivery; SMTP announces it as SIZE.
    pub mail_octets: usize,
    /// Octets of one line of a mail coming in by SMTP, without its CRLF (RFC 5321 §4.5.3.1.6 promises 998).
    pub line_octets: usize,
    pub mailboxes: usize,
    /// Folders of one mailbox.
    pub folders: usize,
    /// Mails in all mailboxes together.
    pub mails: usize,
    /// Connections at once, over all ports.
    pub connections: usize,
    /// Recipients of one SMTP transaction (RFC 5321 §4.5.3.1.8 asks for 100).
    pub recipients: usize,
}

/// Why a post office could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("port {port} on 127.0.0.1 cannot be opened: choose another, or 0 for any free one")]
    Port { port: u16, source: std::io::Error },
    #[error(transparent)]
    Certificate(#[from] ThrowawayError),
    #[error("the TLS library refused the throw-away certificate")]
    Tls(#[from] rustls::Error),
}

/// A running post office. Dropped, it closes at once; [`PostOffice::shutdown`] waits until it has.
pub struct PostOffice {
    office: Arc<Office>,
    addresses: Addresses,
    ca_pem: String,
    stop: watch::Sender<bool>,
    running: tokio::task::JoinHandle<()>,
}

/// What all connections share.
struct Office {
    mailboxes: Mutex<Mailboxes>,
    desk: Mutex<Desk>,
    changed: watch::Sender<u64>,
    errands: mpsc::Sender<Errand>,
    /// Numbers the mails the post office itself writes.
    serial: AtomicU64,
    tls: tokio_rustls::TlsAcceptor,
    password: Secret<String>,
    smtp_auth_required: bool,
    now: Now,
    limits: Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            mail_octets: 50 * 1024 * 1024,
            line_octets: 998,
            mailboxes: 10_000,
            folders: 100,
            mails: 200_000,
            connections: 256,
            recipients: 100,
        }
    }
}

impl Options {
    /// Any domain, free ports, default limits, and a certificate good from 2020 to 2049.
    pub fn new(password: &str, now: Now) -> Self {
        Self {
            domains: Domains::Any,
            password: Secret::new(password.to_owned()),
            smtp_auth_required: false,
            now,
            certificate_not_before: Timestamp::from_unix(1_577_836_800),
            certificate_not_after: Timestamp::from_unix(2_524_607_999),
            imap_port: 0,
            imaps_port: 0,
            smtp_port: 0,
            smtps_port: 0,
            limits: Limits::default(),
        }
    }
}

impl PostOffice {
    /// Opens the four ports on 127.0.0.1 and serves them until [`PostOffice::shutdown`] or drop. Needs a tokio runtime.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let certificate = throwaway(&CERTIFICATE_NAMES, options.certificate_not_before, options.certificate_not_after)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(certificate.chain, certificate.key)?;
        let listeners = Listeners::open(&options).await?;
        let addresses = listeners.addresses;
        let (errands, errands_due) = mpsc::channel(ERRANDS_MAX);
        let office = Arc::new(Office {
            mailboxes: Mutex::new(Mailboxes::new(options.domains, options.limits)),
            desk: Mutex::new(Desk::new(Faults::default())),
            changed: watch::Sender::new(0),
            errands,
            serial: AtomicU64::new(0),
            tls: tokio_rustls::TlsAcceptor::from(Arc::new(tls)),
            password: options.password,
            smtp_auth_required: options.smtp_auth_required,
            now: options.now,
            limits: options.limits,
        });
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn(server::serve(Arc::clone(&office), listeners, errands_due, stopped));
        Ok(Self { office, addresses, ca_pem: certificate.ca_pem, stop, running })
    }

    /// IMAP in clear, with STARTTLS.
    pub fn imap_addr(&self) -> SocketAddr {
        self.addresses.imap
    }

    /// IMAP over TLS from the first octet.
    pub fn imaps_addr(&self) -> SocketAddr {
        self.addresses.imaps
    }

    /// SMTP in clear, with STARTTLS.
    pub fn smtp_addr(&self) -> SocketAddr {
        self.addresses.smtp
    }

    /// SMTP over TLS from the first octet.
    pub fn smtps_addr(&self) -> SocketAddr {
        self.addresses.smtps
    }

    /// The throw-away authority, for the clients' roots.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Puts these octets into the mailbox of an address as they are, without envelope or added lines.
    pub fn deliver(&self, address: &str, raw: &[u8]) -> Result<(), DeliverError> {
        if raw.len() > self.office.limits.mail_octets {
            return Err(DeliverError::TooLarge);
        }
        let envelope = Envelope { from: None, to: address.to_owned(), at: (self.office.now)() };
        self.office.deliver(envelope, Arc::from(raw))
    }

    /// The addresses that have a mailbox, in alphabetical order.
    pub fn mailboxes(&self) -> Vec<String> {
        self.office.mailboxes().addresses()
    }

    /// The INBOX of an address, oldest first; empty if there is none.
    pub fn mails(&self, address: &str) -> Vec<StoredMail> {
        self.mails_in(address, INBOX)
    }

    /// One folder of an address, oldest first; empty if there is none.
    pub fn mails_in(&self, address: &str, folder: &str) -> Vec<StoredMail> {
        let mailboxes = self.office.mailboxes();
        let Ok(account) = mailboxes.resolve(address) else { return Vec::new() };
        mailboxes.folder(&account, folder).map(|f| f.mails.clone()).unwrap_or_default()
    }

    /// Changes with every change in any mailbox.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.office.changed.subscribe()
    }

    /// From now on these faults, with all counters at zero. Connections stay open.
    pub fn set_faults(&self, faults: Faults) {
        *self.office.desk() = Desk::new(faults);
    }

    /// How often each rule was played since it was set.
    pub fn played(&self) -> Played {
        self.office.desk().played()
    }

    /// Gives the INBOX of an address a new UIDVALIDITY and new UIDs, now. Sessions that have it open get a BYE.
    pub fn change_uid_validity(&self, address: &str) {
        self.office.change_uid_validity(address, INBOX);
    }

    /// Closes all ports and connections, and returns when they are closed.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        // A task that panicked has closed its connections as well.
        let _ = self.running.await;
    }
}

impl Office {
    fn mailboxes(&self) -> MutexGuard<'_, Mailboxes> {
        self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn deliver(&self, envelope: Envelope, raw: Arc<[u8]>) -> Result<(), DeliverError> {
        self.mailboxes().deliver(envelope, raw)?;
        self.tell();
        Ok(())
    }

    fn change_uid_validity(&self, address: &str, folder: &str) {
        {
            let mut mailboxes = self.mailboxes();
            let Ok(account) = mailboxes.resolve(address) else { return };
            mailboxes.change_uid_validity(&account, folder);
        }
        self.tell();
    }

    fn knows(&self, password: &[u8]) -> bool {
        self.password.reveal().as_bytes() == password
    }
}

impl fmt::Debug for PostOffice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostOffice").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("domains", &self.domains).field("limits", &self.limits).finish_non_exhaustive()
    }
}
