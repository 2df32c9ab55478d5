//! One SMTP session with our server: connect, then one letter for one recipient at a time (RFC 5321, 2920, 3207, 3461,
//! 4954). What came of an attempt is an [`Outcome`]; whose business it is, `Reply::about` says.
//!
//! lettre speaks the protocol; around it stand an own time limit for every step, the group of commands in one write,
//! and the certainty about the final dot: before it is written a lost connection means surely not delivered, from then
//! on unknown. Not here: retries, pools, throttling, what a reply means for the letter.

use super::command::{Offers, crlf_only};
use super::handshake;
use super::reply::{Lost, heard};
use crate::domain::{MailAddress, Secret};
use crate::tls::{Tls, TlsError};
use crate::workflow::reply::{Outcome, Reply, Stage};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::Ehlo;
use lettre::transport::smtp::extension::ClientId;
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// DNS and TCP, all addresses of the host together.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// Greeting and EHLO; each step of STARTTLS; RFC 5321 §4.5.3.2.1 allows five minutes for far-away servers, ours is near.
pub const GREETING_LIMIT: Duration = Duration::from_mins(1);
/// MAIL, RCPT, RSET, AUTH, DATA; RFC 5321 §4.5.3.2.2 to .4 allow two to five minutes.
pub const COMMAND_LIMIT: Duration = Duration::from_mins(2);
/// The letter and the reply to its final dot; ten minutes as in RFC 5321 §4.5.3.2.6, because hanging up too early makes
/// duplicates (RFC 1047).
pub const FINAL_DOT_LIMIT: Duration = Duration::from_mins(10);
/// Saying goodbye.
pub const QUIT_LIMIT: Duration = Duration::from_secs(5);
/// Refusals after which a session is given up for a fresh one. Postfix slows a session down after ten errors and ends it
/// after twenty (smtpd_soft_error_limit), and a refused group of commands is two of them: RCPT and DATA.
pub const REFUSALS_MAX: u32 = 4;
/// Octets of a letter given to the network at a time.
const CHUNK_OCTETS: usize = 64 * 1024;

/// The server that takes our letters.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    /// PEM; replaces the certificates of the system.
    pub ca_file: Option<PathBuf>,
    /// With a password: AUTH PLAIN or LOGIN.
    pub user: Option<String>,
    pub password: Option<Secret<String>>,
    /// Our name in EHLO, a full domain name.
    pub helo_name: String,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    #[error("{host}:{port} cannot be reached ({reason}); check host and port under [smtp]")]
    Unreachable { host: String, port: u16, reason: String },
    #[error("the server was silent at {step} for {} s", .limit.as_secs())]
    Silent { step: &'static str, limit: Duration },
    #[error("the connection was lost at {step} ({reason})")]
    Lost { step: &'static str, reason: String },
    #[error("the server refuses us at {step}: {reply}")]
    Refused { step: &'static str, reply: Reply },
    #[error("TLS with the server failed ({0}); check ca_file, and that host is the name in its certificate")]
    Tls(String),
    #[error(transparent)]
    TlsSetup(#[from] TlsError),
    #[error("the server offers no STARTTLS; set tls to \"implicit\", or have it switched on there")]
    NoStartTls,
    #[error("the server sent something after its STARTTLS reply and before TLS: somebody may be listening in")]
    Injected,
    #[error("tls = \"none\" is for loopback only; set tls to \"starttls\" or \"implicit\"")]
    ClearText,
    #[error("the server offers neither AUTH PLAIN nor LOGIN; remove user, or have it switched on there")]
    NoMechanism,
}

impl SmtpError {
    /// Waiting will not help: staff must act.
    pub fn needs_staff(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Silent { .. } | Self::Lost { .. } => false,
            Self::Refused { reply, .. } => reply.code >= 500,
            Self::Tls(_)
            | Self::TlsSetup(_)
            | Self::NoStartTls
            | Self::Injected
            | Self::ClearText
            | Self::NoMechanism => true,
        }
    }

    /// What the letter meets that was waiting for this session.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Refused { reply, .. } => negative(Stage::Connect, reply.clone()),
            Self::Unreachable { .. }
            | Self::Silent { .. }
            | Self::Lost { .. }
            | Self::Tls(_)
            | Self::TlsSetup(_)
            | Self::NoStartTls
            | Self::Injected
            | Self::ClearText
            | Self::NoMechanism => Outcome::NotSent { why: self.to_string() },
        }
    }
}

/// A session, ready for letters.
pub struct Submitter {
    connection: AsyncSmtpConnection,
    offers: Offers,
    /// False while a submission is under way too: one that is cancelled leaves replies unread.
    usable: bool,
    /// A transaction was begun and not ended.
    open: bool,
    refusals: u32,
}

impl std::fmt::Debug for Submitter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Submitter").field("offers", &self.offers).field("usable", &self.usable).finish_non_exhaustive()
    }
}

impl Submitter {
    /// Connects, protects the connection, introduces and authenticates us. Ends within the sum of the limits above.
    pub async fn connect(settings: &SmtpSettings) -> Result<Self, SmtpError> {
        let me = ClientId::Domain(settings.helo_name.clone());
        let wire = handshake::open(settings).await?;
        let session = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &me);
        let mut connection = match timeout(GREETING_LIMIT, session).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return Err(no_session("greeting", heard(Err(error)))),
            Err(_) => return Err(SmtpError::Silent { step: "greeting", limit: GREETING_LIMIT }),
        };
        // Asked again because the library keeps only four of the keywords.
        let offers = match timeout(GREETING_LIMIT, connection.command(Ehlo::new(me))).await {
            Ok(Ok(response)) => Offers::new(response.message()),
            Ok(Err(error)) => return Err(no_session("EHLO", heard(Err(error)))),
            Err(_) => return Err(SmtpError::Silent { step: "EHLO", limit: GREETING_LIMIT }),
        };
        let mut submitter = Self { connection, offers, usable: true, open: false, refusals: 0 };
        if let (Some(user), Some(password)) = (&settings.user, &settings.password) {
            submitter.authenticate(user, password).await?;
        }
        Ok(submitter)
    }

    /// The connection is protected or stays on loopback: `connect` made sure.
    async fn authenticate(&mut self, user: &str, password: &Secret<String>) -> Result<(), SmtpError> {
        const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];
        if self.connection.server_info().get_auth_mechanism(&MECHANISMS).is_none() {
            return Err(SmtpError::NoMechanism);
        }
        let credentials = Credentials::new(user.to_owned(), password.reveal().clone());
        match timeout(COMMAND_LIMIT, self.connection.auth(&MECHANISMS, &credentials)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(no_session("AUTH", heard(Err(error)))),
            Err(_) => Err(SmtpError::Silent { step: "AUTH", limit: COMMAND_LIMIT }),
        }
    }

    /// Another letter may be submitted; if not, quit and connect anew.
    pub fn is_usable(&self) -> bool {
        self.usable && self.refusals < REFUSALS_MAX && !self.connection.has_broken()
    }

    /// Asks the server (NOOP): for a session that has been idle, before a letter is risked on it.
    pub async fn still_there(&mut self) -> bool {
        if self.is_usable() {
            self.usable = false;
            self.usable = self.ask("NOOP\r\n").await.is_ok_and(|reply| reply.code == 250);
        }
        self.is_usable()
    }

    /// One attempt with one letter for one recipient. `bytes`: a finished mail, CRLF line ends, not dot-stuffed; a bare
    /// CR or LF is made a CRLF, because servers disagree about where such a mail ends. Cancelling it makes the session
    /// unusable and, unless the caller knows better, the outcome unknown.
    pub async fn submit(&mut self, from: &MailAddress, recipient: &MailAddress, bytes: &[u8]) -> Outcome {
        if !self.is_usable() {
            return Outcome::NotSent { why: "the session has ended".to_owned() };
        }
        self.usable = false;
        let bytes = crlf_only(bytes);
        let outcome = match self.envelope(from, recipient, &bytes).await {
            Ok(None) => self.letter(&bytes).await,
            Ok(Some(refusal)) => refusal,
            Err(Lost(why)) => return Outcome::NotSent { why },
        };
        self.usable = match &outcome {
            Outcome::Relayed { .. } => true,
            Outcome::Deferred { reply, .. } | Outcome::Refused { reply, .. } => {
                self.refusals += 1;
                reply.code != 421
            }
            Outcome::NotSent { .. } | Outcome::Unknown { .. } => false,
        };
        outcome
    }

    /// RSET if needed, MAIL, RCPT, DATA. `None`: the server waits for the letter.
    async fn envelope(&mut self, from: &MailAddress, to: &MailAddress, bytes: &[u8]) -> Result<Option<Outcome>, Lost> {
        if self.open {
            self.ask("RSET\r\n").await?;
        }
        self.open = true;
        let (mail, rcpt) = (self.offers.mail(from, bytes), self.offers.rcpt(to));
        let mut stages = [(Stage::Mail, mail), (Stage::Rcpt, rcpt), (Stage::Data, "DATA\r\n".to_owned())];
        if self.offers.pipelining {
            // RFC 2920 §3.1: the three may go in one write; DATA is the last of its group.
            let group: String = stages.iter_mut().map(|(_, command)| std::mem::take(command)).collect();
            return self.group(&group, stages.map(|(stage, _)| stage)).await;
        }
        for (stage, command) in stages {
            let reply = self.ask(command).await?;
            if let Some(refusal) = judge(stage, reply)? {
                return Ok(Some(refusal));
            }
        }
        Ok(None)
    }

    /// All commands in one write, then as many replies; the first negative one counts.
    async fn group(&mut self, commands: &str, stages: [Stage; 3]) -> Result<Option<Outcome>, Lost> {
        let mut refusal = None;
        for (nth, stage) in stages.into_iter().enumerate() {
            let reply = if nth == 0 { self.ask(commands).await } else { self.hear().await };
            let reply = match (reply, &refusal) {
                (Ok(reply), _) => reply,
                (Err(lost), None) => return Err(lost),
                // Hung up after its refusal; the next letter finds out.
                (Err(_), Some(_)) => break,
            };
            if refusal.is_none() {
                let closing = reply.code == 421;
                refusal = judge(stage, reply)?;
                if closing {
                    break;
                }
            } else if stage == Stage::Data && reply.code == 354 {
                // RFC 2920 §3.1: a server may say 354 without a recipient; an empty letter ends that.
                self.ask(".\r\n").await?;
            }
        }
        Ok(refusal)
    }

    /// The letter and its final dot.
    async fn letter(&mut self, bytes: &[u8]) -> Outcome {
        // The library ends the letter with CRLF dot CRLF, whatever its last line.
        let body = bytes.strip_suffix(b"\r\n").unwrap_or(bytes);
        let dot = AtomicBool::new(false);
        let before_the_dot = std::iter::from_fn(|| {
            dot.store(true, Ordering::Relaxed);
            None::<&[u8]>
        });
        let parts = body.chunks(CHUNK_OCTETS).chain(before_the_dot);
        let result = match timeout(FINAL_DOT_LIMIT, self.connection.message_iter(parts)).await {
            Ok(result) => heard(result),
            Err(_) => Err(silent(FINAL_DOT_LIMIT)),
        };
        match result {
            Ok(reply) => match reply.code {
                200..300 => {
                    self.open = false;
                    Outcome::Relayed { reply }
                }
                400.. => negative(Stage::Data, reply),
                odd @ 0..400 => Outcome::Unknown { why: format!("the server answered the letter with {odd}") },
            },
            Err(Lost(why)) if dot.load(Ordering::Relaxed) => Outcome::Unknown { why },
            Err(Lost(why)) => Outcome::NotSent { why },
        }
    }

    async fn ask(&mut self, command: impl Display) -> Result<Reply, Lost> {
        timeout(COMMAND_LIMIT, self.connection.command(command))
            .await
            .map_or_else(|_| Err(silent(COMMAND_LIMIT)), heard)
    }

    async fn hear(&mut self) -> Result<Reply, Lost> {
        timeout(COMMAND_LIMIT, self.connection.read_response()).await.map_or_else(|_| Err(silent(COMMAND_LIMIT)), heard)
    }

    /// Says goodbye; nothing depends on the answer.
    pub async fn quit(mut self) {
        if self.usable {
            let _ = timeout(QUIT_LIMIT, self.connection.quit()).await;
        }
    }
}

/// `None`: the step has passed, with 354 for DATA and 2xx for the rest. A reply out of place ends the session: the server
/// and we no longer mean the same step.
fn judge(stage: Stage, reply: Reply) -> Result<Option<Outcome>, Lost> {
    match (stage, reply.code) {
        (Stage::Data, 354) | (Stage::Connect | Stage::Mail | Stage::Rcpt, 200..300) => Ok(None),
        (_, 400..) => Ok(Some(negative(stage, reply))),
        (_, odd) => Err(Lost(format!("the server answered {stage:?} with {odd}"))),
    }
}

/// `reply`: 4xx or 5xx.
fn negative(stage: Stage, reply: Reply) -> Outcome {
    if reply.code < 500 { Outcome::Deferred { stage, reply } } else { Outcome::Refused { stage, reply } }
}

fn no_session(step: &'static str, heard: Result<Reply, Lost>) -> SmtpError {
    match heard {
        Ok(reply) => SmtpError::Refused { step, reply },
        Err(Lost(reason)) => SmtpError::Lost { step, reason },
    }
}

fn silent(limit: Duration) -> Lost {
    Lost(format!("no reply within {} s", limit.as_secs()))
}
