//! What the loop needs from the engine and from the clock.

use super::error::ImapError;
use crate::workflow::cursor::Cursor;
use std::future::Future;
use std::time::Duration;

/// One mail as it was on the server.
#[derive(Clone, PartialEq, Eq)]
pub struct Fetched {
    pub uid: u32,
    /// The whole mail; its beginning if `truncated`; empty and `truncated` if the server lists the mail but does not
    /// give it (never a duplicate of another one: it has no content to compare).
    pub raw: Vec<u8>,
    pub truncated: bool,
    /// Size as the server says, octets; 0 if it does not say.
    pub octets: u32,
}

impl Fetched {
    pub(super) fn withheld(uid: u32, octets: u32) -> Self {
        Self { uid, raw: Vec::new(), truncated: true, octets }
    }
}

/// Without the content.
impl std::fmt::Debug for Fetched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Fetched(uid {}, {} octets{})",
            self.uid,
            self.raw.len(),
            if self.truncated { ", truncated" } else { "" }
        )
    }
}

/// The daily reconciliation: mails with a UID below the cursor that are in the mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Census {
    pub cursor: Cursor,
    pub present: u32,
}

/// The engine takes no more work; the loop ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the engine has stopped")]
pub struct Stopped;

/// Where mails go.
pub trait Archive: Sync {
    /// How far the mailbox was read.
    fn cursor(&self) -> impl Future<Output = Result<Option<Cursor>, Stopped>> + Send;

    /// Mails as they are filed.
    type Read: Send;

    /// Resolves when what was handed over is on disk.
    type Filing: Future<Output = Result<(), Stopped>> + Send;

    /// Reads mails, while the ones before them are being filed.
    fn read(&self, mails: Vec<Fetched>) -> impl Future<Output = Result<Self::Read, Stopped>> + Send;

    /// Takes the mails over for filing, with the cursor `after` (even backwards), in the order of the calls. When both are
    /// on disk the filing resolves: the marks on the server follow.
    fn file(&self, after: Cursor, mails: Self::Read) -> impl Future<Output = Result<Self::Filing, Stopped>> + Send;

    /// Mailbox against dispositions.
    fn reconciled(&self, census: Census) -> impl Future<Output = Result<(), Stopped>> + Send;

    /// The mailbox was read to its end just now.
    fn polled(&self) -> impl Future<Output = Result<(), Stopped>> + Send;

    /// The mailbox cannot be read for now; [`ImapError::acts`] says who acts.
    fn troubled(&self, trouble: &ImapError) -> impl Future<Output = Result<(), Stopped>> + Send;
}

/// The clock, as far as the loop needs it.
pub trait Pace: Sync {
    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send;

    /// Ends when the mailbox is to be looked at again; asked only where the server has no IDLE.
    fn next_poll(&self) -> impl Future<Output = ()> + Send;
}
