//! Layer 2: what the edges know about themselves and staff must see: last good poll, trouble with a server, the mailbox
//! count. Lives in memory only; whatever must survive a restart stands in the store.

use crate::domain::Timestamp;
use serde::Serialize;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shared by all edges of one daemon.
#[derive(Debug, Default)]
pub struct Health(Mutex<Vitals>);

/// What is known now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Vitals {
    /// When the mailbox was last read to its end.
    pub polled: Option<Timestamp>,
    /// Why the mailbox cannot be read, and since when.
    pub imap_trouble: Option<Trouble>,
    /// Why letters cannot be handed over, and since when.
    pub smtp_trouble: Option<Trouble>,
    pub mailbox: Option<MailboxCount>,
    /// Why the last reload of rules and templates was refused.
    pub reload_trouble: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    pub since: Timestamp,
    pub what: String,
    /// Waiting will not mend it.
    pub needs_staff: bool,
}

/// The reconciliation: mails in the mailbox against mails filed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MailboxCount {
    pub at: Timestamp,
    pub in_mailbox: u64,
    pub filed: u64,
}

impl MailboxCount {
    /// Mails that lie in the mailbox and have no disposition; anything but 0 is an alarm. (Fewer mails in the mailbox than
    /// filed means only that some were moved or deleted there.)
    pub fn unaccounted(&self) -> u64 {
        self.in_mailbox.saturating_sub(self.filed)
    }
}

impl Health {
    pub fn vitals(&self) -> Vitals {
        self.lock().clone()
    }

    pub fn polled(&self, now: Timestamp) {
        let mut vitals = self.lock();
        vitals.polled = Some(now);
        vitals.imap_trouble = None;
    }

    pub fn imap_trouble(&self, now: Timestamp, what: String, needs_staff: bool) {
        let mut vitals = self.lock();
        let since = vitals.imap_trouble.as_ref().map_or(now, |known| known.since);
        vitals.imap_trouble = Some(Trouble { since, what, needs_staff });
    }

    pub fn smtp_works(&self) {
        self.lock().smtp_trouble = None;
    }

    pub fn smtp_trouble(&self, now: Timestamp, what: String, needs_staff: bool) {
        let mut vitals = self.lock();
        let since = vitals.smtp_trouble.as_ref().map_or(now, |known| known.since);
        vitals.smtp_trouble = Some(Trouble { since, what, needs_staff });
    }

    pub fn counted(&self, count: MailboxCount) {
        self.lock().mailbox = Some(count);
    }

    pub fn reloaded(&self, trouble: Option<String>) {
        self.lock().reload_trouble = trouble;
    }

    fn lock(&self) -> MutexGuard<'_, Vitals> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
