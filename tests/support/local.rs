//! A place whose mailbox and relay are both annai's own post office in the test process: fast, and all mails in view.

use super::place::Place;
use super::receiver::{Receiver, SMTP_PASSWORD, SMTP_USER};
use annai::engine::records::{InboxItem, Row};
use annai::sandbox::StoredMail;
use annai::store::{Options, Store, Table};
use serde::de::DeserializeOwned;
use std::process::Command;
use tempfile::TempDir;

/// The mailbox of the contact desk.
pub(crate) const INBOX: &str = "covid19@bigtreetc.com";

pub(crate) struct Local {
    pub(crate) place: Place,
    pub(crate) receiver: Receiver,
}

impl Local {
    /// Letters leave at any hour, and a letter put off is tried again after a minute.
    pub(crate) fn start() -> Self {
        let place = Place::init();
        let receiver = Receiver::open(&place.file("smtp-ca.pem"));
        let (imap, smtp) = (receiver.office.imap_addr(), receiver.office.smtp_addr());
        for (section, port) in [("imap", imap.port()), ("smtp", smtp.port())] {
            place.set(section, "host", "\"127.0.0.1\"");
            place.set(section, "tls", "\"none\"");
            place.set(section, "port", &port.to_string());
        }
        place.set("smtp", "user", &format!("\"{SMTP_USER}\""));
        place.set("smtp", "password_file", "\"secrets/smtp-password\"");
        place.secret("secrets/imap-password", SMTP_PASSWORD);
        place.secret("secrets/smtp-password", SMTP_PASSWORD);
        place.replace("rules/schedule.toml", "window = \"hours\"", "window = \"always\"");
        place.replace("rules/schedule.toml", "retry_minutes = [5, 15,", "retry_minutes = [1, 15,");
        Self { place, receiver }
    }

    /// Puts a mail into the mailbox.
    pub(crate) fn deliver(&self, mail: &[u8]) {
        self.receiver.office.deliver(INBOX, mail).expect("room in the mailbox");
    }

    /// The mailbox as it is.
    pub(crate) fn mailbox(&self) -> Vec<StoredMail> {
        self.receiver.office.mails(INBOX)
    }

    /// The store of the state directory; no daemon may be running.
    pub(crate) fn store(&self) -> Store {
        Store::open(&self.place.file("state"), Options::default()).expect("a store")
    }

    /// A store over a copy of the state directory, so that the next daemon finds the original as it was left.
    pub(crate) fn store_copy(&self) -> (TempDir, Store) {
        let copy = TempDir::with_prefix("annai-copy-").expect("a scratch directory");
        let copied = Command::new("cp").arg("-a").arg(self.place.file("state")).arg(copy.path()).status();
        assert!(copied.expect("cp").success());
        let store = Store::open(&copy.path().join("state"), Options::default()).expect("a store");
        (copy, store)
    }
}

/// Every record of a table that holds records.
pub(crate) fn records<T: DeserializeOwned>(store: &Store, table: Table) -> Vec<T> {
    let rows = store.rows(table).expect("a table");
    rows.map(|row| serde_json::from_slice(&row.expect("a row").1).expect("a record")).collect()
}

pub(crate) fn inbox(store: &Store) -> Vec<InboxItem> {
    records(store, Table::Inbox)
}

pub(crate) fn outbox(store: &Store) -> Vec<Row> {
    records(store, Table::Outbox)
}
