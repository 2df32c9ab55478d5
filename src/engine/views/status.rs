//! Where everything stands, in numbers. Walks every tenant, mail and letter once: a question for people, not for a loop.

use super::{View, words};
use crate::domain::Timestamp;
use crate::engine::records::{Disposition, InboxItem, MailboxRecord, OpenMatter, Row};
use crate::engine::{Engine, EngineError, codec};
use crate::health::Vitals;
use crate::store::{Head, Table};
use serde::Serialize;
use std::collections::BTreeMap;

/// Numbers by state; every state is named, also those with 0.
type Counts = BTreeMap<&'static str, u64>;

/// See the module.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    pub now: Timestamp,
    /// Tenants by the state of their newest certificate course.
    pub tenants: Counts,
    pub credentials: Counts,
    /// Mails received, by disposition.
    pub mails: Counts,
    /// How far the mailbox was read.
    pub mailbox: Mailbox,
    /// Letters by delivery state.
    pub outbox: Counts,
    /// Letters whose outcome nobody knows.
    pub unknown_outcomes: u64,
    /// The next letter to leave.
    pub next_due: Option<Timestamp>,
    /// How long the oldest letter that is due has been waiting, in seconds; 0: none is.
    pub late_seconds: i64,
    pub next_wake: Option<Timestamp>,
    pub matters: Matters,
    pub journal: Head,
    pub rules: Coverage,
    /// What only a running daemon knows; `None`: none is running.
    pub daemon: Option<Vitals>,
}

/// The mailbox under its present UIDVALIDITY.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Mailbox {
    pub uid_validity: u32,
    pub uid_next: u32,
    pub filed: u64,
}

/// What waits for a person.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Matters {
    pub open: u64,
    pub oldest: Option<Timestamp>,
}

/// How many of the authorities in the rules have registered.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Coverage {
    pub authorities: usize,
    pub registered: usize,
}

impl Engine {
    /// See [`View::status`].
    pub fn status(&self, daemon: Option<Vitals>) -> Result<Status, EngineError> {
        self.view().status(daemon)
    }
}

impl View {
    /// Where everything stands. `daemon`: what the edges know about themselves, if they run.
    pub fn status(&self, daemon: Option<Vitals>) -> Result<Status, EngineError> {
        let store = &self.context.store;
        let now = self.now();
        let mut tenants = zeros(words::ENROLMENT.map(|(code, _)| code));
        let mut credentials = zeros(words::CREDENTIAL.map(|(code, _)| code));
        let mut registered = 0;
        for roster in self.rosters_from([0; 6])? {
            let roster = roster?;
            registered += usize::from(self.rules().authorities.by_code(roster.code).is_some());
            for course in &roster.courses {
                count(&mut credentials, words::credential(&course.credential.state).0);
                if let Some(current) = course.current() {
                    count(&mut tenants, words::enrolment(&current.state).0);
                }
            }
        }
        let mut mails = zeros(Disposition::WORDS.map(|(code, _)| code));
        for entry in store.rows(Table::Inbox)? {
            let item: InboxItem = codec::decode(&entry?.1)?;
            count(&mut mails, item.disposition.name());
        }
        let mut outbox = zeros(words::DELIVERY.map(|(code, _)| code));
        for entry in store.rows(Table::Outbox)? {
            let row: Row = codec::decode(&entry?.1)?;
            count(&mut outbox, words::delivery(&row.delivery).0);
        }
        let mailbox: MailboxRecord = self.context.load(Table::Meta, b"mailbox")?.unwrap_or_default();
        let oldest = store.first(Table::Review)?.map(|(_, matter)| codec::decode::<OpenMatter>(&matter)).transpose()?;
        let next_due = self.next_due()?;
        Ok(Status {
            now,
            tenants,
            credentials,
            mails,
            mailbox: Mailbox { uid_validity: mailbox.uid_validity, uid_next: mailbox.uid_next, filed: mailbox.filed },
            unknown_outcomes: outbox.get("unknown").copied().unwrap_or_default(),
            outbox,
            next_due,
            late_seconds: next_due.map_or(0, |due| now.since(due).max(0)),
            next_wake: self.next_wake()?,
            matters: Matters { open: store.count(Table::Review)?, oldest: oldest.map(|matter| matter.since) },
            journal: store.head(),
            rules: Coverage { authorities: self.rules().authorities.all().len(), registered },
            daemon,
        })
    }
}

fn zeros(names: impl IntoIterator<Item = &'static str>) -> Counts {
    names.into_iter().map(|name| (name, 0)).collect()
}

fn count(counts: &mut Counts, name: &'static str) {
    *counts.entry(name).or_default() += 1;
}
