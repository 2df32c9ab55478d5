//! What can go wrong between us and the IMAP server, and who acts next.
//!
//! No error carries mail content, a password or a parser's input: server words appear only where a command was refused,
//! cut to [`TEXT_CHARS_MAX`] and without control characters.

use crate::tls::TlsError;
use std::io;
use std::time::Duration;

/// Characters of a server's sentence that are kept.
const TEXT_CHARS_MAX: usize = 200;

/// Who does the next step after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acts {
    /// This program tries again by itself.
    Machine,
    /// Somebody must change something; trying again soon is useless or locks the account.
    Staff,
}

/// An IMAP step that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ImapError {
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("{host}:{port} cannot be reached ({reason}); check host and port under [imap]")]
    Unreachable { host: String, port: u16, reason: String },
    #[error("the certificate of {host} is not trusted ({reason}); check [imap] host and ca_file")]
    Certificate { host: String, reason: String },
    /// The settings and this server do not go together; nothing was sent in clear.
    #[error("{0}")]
    Unfit(String),
    #[error("the IMAP server refused the login ({text}); check [imap] user and password_file or token file")]
    Login { text: String },
    /// A tagged NO. The session goes on.
    #[error("the IMAP server refused {command} ({text})")]
    Refused { command: &'static str, text: String, try_create: bool },
    /// The session is gone; its answers can no longer be told apart.
    #[error("connection to the IMAP server lost: {0}; it is opened anew and reading goes on where it stopped")]
    Lost(#[from] Loss),
}

/// How a connection was lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    #[error("the server closed it")]
    Closed,
    #[error("the server said goodbye ({0})")]
    Bye(String),
    #[error("{0}")]
    Io(io::ErrorKind),
    #[error("the server sent what is not IMAP")]
    Unparsable,
    #[error("the server sent {0}")]
    OverLimit(&'static str),
    #[error("{command} was answered with BAD")]
    Bad { command: &'static str },
    #[error("{command} was answered under another command's tag")]
    OtherTag { command: &'static str },
    #[error("{command} was answered out of order")]
    Unexpected { command: &'static str },
    #[error("{command} was not answered within {} s", .limit.as_secs())]
    TimedOut { command: &'static str, limit: Duration },
    #[error("the mailbox was replaced by another one (UIDVALIDITY)")]
    MailboxReplaced,
    /// An earlier command was lost or cancelled half-way.
    #[error("an earlier command did not end")]
    Before,
}

impl ImapError {
    /// Unknown means the machine tries again.
    pub fn acts(&self) -> Acts {
        match self {
            Self::Tls(_) | Self::Certificate { .. } | Self::Unfit(_) | Self::Login { .. } => Acts::Staff,
            Self::Unreachable { .. } | Self::Refused { .. } | Self::Lost(_) => Acts::Machine,
        }
    }
}

/// A server's sentence, fit to be shown.
pub(super) fn shown(text: Option<&str>) -> String {
    let text = text.unwrap_or("no reason given").trim();
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT_CHARS_MAX).collect()
}
