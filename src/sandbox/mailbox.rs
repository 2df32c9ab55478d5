//! The mailboxes: accounts by address, folders by name, mails by UID, all in memory. Plain data behind one lock; who
//! changes something tells the watchers afterwards (`Office::changed`).
//!
//! Limits are those of [`Limits`]. `user+anything@domain` falls into the mailbox `user@domain` (RFC 5233).

use super::Limits;
use crate::domain::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// The folder every account has.
pub const INBOX: &str = "INBOX";
/// UIDVALIDITY of the first folder; each new folder, and each change, gets the next number.
const UID_VALIDITY_FIRST: u32 = 1000;

/// One mail as it lies in a mailbox.
#[derive(Clone)]
pub struct StoredMail {
    pub uid: u32,
    pub raw: Arc<[u8]>,
    /// As IMAP writes them: `\Seen`, `$AnnaiProcessed`.
    pub flags: BTreeSet<String>,
    /// Order of arrival over the whole post office, from 1.
    pub received: u64,
    pub received_at: Timestamp,
    /// `None`: the empty sender `<>`, or put here without an envelope.
    pub envelope_from: Option<String>,
    /// With its sub-address (VERP), as it stood in RCPT TO.
    pub envelope_to: String,
}

/// Why a mail could not be put into a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeliverError {
    #[error("no mail address: write local@domain in ASCII")]
    NoAddress,
    #[error("this post office does not serve that domain: add it to Options.domains")]
    UnknownDomain,
    #[error("the mail is larger than Limits.mail_octets")]
    TooLarge,
    #[error("the post office is full: raise Limits.mails")]
    TooManyMails,
    #[error("the post office has no room for another mailbox: raise Limits.mailboxes")]
    TooManyMailboxes,
}

/// Which domains have mailboxes.
#[derive(Debug, Clone, Default)]
pub enum Domains {
    /// All: a mailbox comes into being with its first mail or login.
    #[default]
    Any,
    /// Only these; any address in them.
    Only(Vec<String>),
}

/// Who sent a mail to whom, when.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    pub(super) from: Option<String>,
    pub(super) to: String,
    pub(super) at: Timestamp,
}

pub(super) struct Folder {
    pub(super) uid_validity: u32,
    pub(super) uid_next: u32,
    /// Changes when mails come or go: sessions compare it with what they saw last.
    pub(super) version: u64,
    /// In ascending order of UID.
    pub(super) mails: Vec<StoredMail>,
}

pub(super) struct Mailboxes {
    accounts: BTreeMap<String, BTreeMap<String, Folder>>,
    domains: Domains,
    limits: Limits,
    order: u64,
    mails: usize,
    uid_validity_next: u32,
}

impl StoredMail {
    pub fn has_flag(&self, flag: &str) -> bool {
        self.flags.iter().any(|f| f.eq_ignore_ascii_case(flag))
    }

    pub(super) fn set_flag(&mut self, flag: &str) {
        if !self.has_flag(flag) {
            self.flags.insert(flag.to_owned());
        }
    }

    pub(super) fn clear_flag(&mut self, flag: &str) {
        self.flags.retain(|f| !f.eq_ignore_ascii_case(flag));
    }
}

impl Folder {
    pub(super) fn mail(&self, uid: u32) -> Option<&StoredMail> {
        self.mails.get(self.mails.binary_search_by_key(&uid, |m| m.uid).ok()?)
    }

    pub(super) fn mail_mut(&mut self, uid: u32) -> Option<&mut StoredMail> {
        let place = self.mails.binary_search_by_key(&uid, |m| m.uid).ok()?;
        self.mails.get_mut(place)
    }

    fn push(&mut self, mut mail: StoredMail) -> u32 {
        mail.uid = self.uid_next;
        self.uid_next += 1;
        self.version += 1;
        let uid = mail.uid;
        self.mails.push(mail);
        uid
    }
}

impl Mailboxes {
    pub(super) fn new(domains: Domains, limits: Limits) -> Self {
        Self { accounts: BTreeMap::new(), domains, limits, order: 0, mails: 0, uid_validity_next: UID_VALIDITY_FIRST }
    }

    pub(super) fn addresses(&self) -> Vec<String> {
        self.accounts.keys().cloned().collect()
    }

    /// The mailbox an address falls into, if this post office serves it.
    pub(super) fn resolve(&self, address: &str) -> Result<String, DeliverError> {
        let (local, domain) = address.rsplit_once('@').ok_or(DeliverError::NoAddress)?;
        let base = local.split_once('+').map_or(local, |(base, _)| base);
        let visible = address.bytes().all(|b| b.is_ascii_graphic());
        if base.is_empty() || domain.is_empty() || !visible {
            return Err(DeliverError::NoAddress);
        }
        let served = match &self.domains {
            Domains::Any => true,
            Domains::Only(list) => list.iter().any(|d| d.eq_ignore_ascii_case(domain)),
        };
        if served { Ok(format!("{base}@{domain}").to_ascii_lowercase()) } else { Err(DeliverError::UnknownDomain) }
    }

    /// Makes sure the account exists, with its INBOX.
    pub(super) fn open_account(&mut self, address: &str) -> Result<String, DeliverError> {
        let name = self.resolve(address)?;
        if !self.accounts.contains_key(&name) {
            if self.accounts.len() >= self.limits.mailboxes {
                return Err(DeliverError::TooManyMailboxes);
            }
            let inbox = self.new_folder();
            self.accounts.insert(name.clone(), BTreeMap::from([(INBOX.to_owned(), inbox)]));
        }
        Ok(name)
    }

    /// Puts a mail into the INBOX of the recipient's mailbox.
    pub(super) fn deliver(&mut self, envelope: Envelope, raw: Arc<[u8]>) -> Result<(), DeliverError> {
        let account = self.open_account(&envelope.to)?;
        self.append(&account, INBOX, envelope, raw, BTreeSet::new()).map(|_| ())
    }

    /// Puts a mail into a folder that exists and says its UID; a missing folder is a missing address. Its size is the
    /// caller's care: each door has its own way to refuse.
    pub(super) fn append(
        &mut self,
        account: &str,
        folder: &str,
        envelope: Envelope,
        raw: Arc<[u8]>,
        flags: BTreeSet<String>,
    ) -> Result<u32, DeliverError> {
        if self.mails >= self.limits.mails {
            return Err(DeliverError::TooManyMails);
        }
        let received = self.order + 1;
        let folder = self.folder_mut(account, folder).ok_or(DeliverError::NoAddress)?;
        let Envelope { from, to, at } = envelope;
        let mail = StoredMail { uid: 0, raw, flags, received, received_at: at, envelope_from: from, envelope_to: to };
        let uid = folder.push(mail);
        self.order = received;
        self.mails += 1;
        Ok(uid)
    }

    pub(super) fn folder(&self, account: &str, folder: &str) -> Option<&Folder> {
        self.accounts.get(account)?.get(folder)
    }

    pub(super) fn folder_mut(&mut self, account: &str, folder: &str) -> Option<&mut Folder> {
        self.accounts.get_mut(account)?.get_mut(folder)
    }

    pub(super) fn folders(&self, account: &str) -> Vec<String> {
        self.accounts.get(account).map(|folders| folders.keys().cloned().collect()).unwrap_or_default()
    }

    /// False if it is there already, or the account has as many as [`Limits`] allow.
    pub(super) fn create_folder(&mut self, account: &str, folder: &str) -> bool {
        let made = self.new_folder();
        let Some(folders) = self.accounts.get_mut(account) else { return false };
        if folders.contains_key(folder) || folders.len() >= self.limits.folders {
            return false;
        }
        folders.insert(folder.to_owned(), made);
        true
    }

    /// Copies mails to another folder of the account and says the pairs of old and new UID.
    pub(super) fn copy(&mut self, account: &str, from: &str, uids: &[u32], to: &str) -> Option<Vec<(u32, u32)>> {
        let source = self.folder(account, from)?;
        let copies: Vec<StoredMail> = uids.iter().filter_map(|uid| source.mail(*uid).cloned()).collect();
        if self.mails + copies.len() > self.limits.mails {
            return None;
        }
        self.mails += copies.len();
        let target = self.folder_mut(account, to)?;
        Some(copies.into_iter().map(|mail| (mail.uid, target.push(mail))).collect())
    }

    pub(super) fn remove(&mut self, account: &str, folder: &str, gone: impl Fn(&StoredMail) -> bool) {
        let Some(folder) = self.folder_mut(account, folder) else { return };
        let before = folder.mails.len();
        folder.mails.retain(|mail| !gone(mail));
        let removed = before - folder.mails.len();
        folder.version += 1;
        self.mails -= removed;
    }

    /// As after a restore from backup: all mails keep their order and get new UIDs under a new UIDVALIDITY.
    pub(super) fn change_uid_validity(&mut self, account: &str, folder: &str) {
        let uid_validity = self.next_uid_validity();
        let Some(folder) = self.folder_mut(account, folder) else { return };
        folder.uid_validity = uid_validity;
        folder.uid_next = 1;
        folder.version += 1;
        for mail in std::mem::take(&mut folder.mails) {
            folder.push(mail);
        }
    }

    fn new_folder(&mut self) -> Folder {
        Folder { uid_validity: self.next_uid_validity(), uid_next: 1, version: 0, mails: Vec::new() }
    }

    fn next_uid_validity(&mut self) -> u32 {
        self.uid_validity_next += 1;
        self.uid_validity_next
    }
}

impl fmt::Debug for StoredMail {
    /// Never the text, never an address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredMail")
            .field("uid", &self.uid)
            .field("octets", &self.raw.len())
            .field("flags", &self.flags)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(domains: &Domains, address: &str, expected: Result<&str, DeliverError>) {
        let mailboxes = Mailboxes::new(domains.clone(), Limits::default());
        assert_eq!(mailboxes.resolve(address), expected.map(str::to_owned), "{address}");
    }

    #[test]
    fn addresses_fall_into_mailboxes() {
        let only = Domains::Only(vec!["City.example.jp".to_owned()]);
        check(&Domains::Any, "Bounce+123=a@Example.jp", Ok("bounce@example.jp"));
        check(&only, "hoken@city.example.jp", Ok("hoken@city.example.jp"));
        check(&only, "hoken@town.example.jp", Err(DeliverError::UnknownDomain));
        check(&Domains::Any, "hoken", Err(DeliverError::NoAddress));
        check(&Domains::Any, "+tag@example.jp", Err(DeliverError::NoAddress));
        check(&Domains::Any, "保健@example.jp", Err(DeliverError::NoAddress));
    }

    #[test]
    fn a_new_uid_validity_renumbers() {
        let mut mailboxes = Mailboxes::new(Domains::Any, Limits::default());
        let put = |m: &mut Mailboxes| {
            let envelope = Envelope { from: None, to: "a@b.jp".to_owned(), at: Timestamp::from_unix(0) };
            m.deliver(envelope, Arc::from(b"x".as_slice())).unwrap();
        };
        for _ in 0..3 {
            put(&mut mailboxes);
        }
        mailboxes.remove("a@b.jp", INBOX, |m| m.uid == 1);
        let before = mailboxes.folder("a@b.jp", INBOX).unwrap().uid_validity;
        mailboxes.change_uid_validity("a@b.jp", INBOX);
        let folder = mailboxes.folder("a@b.jp", INBOX).unwrap();
        assert!(folder.uid_validity > before);
        assert_eq!(folder.mails.iter().map(|m| (m.uid, m.received)).collect::<Vec<_>>(), [(1, 2), (2, 3)]);
        assert_eq!(folder.uid_next, 3);
    }
}
