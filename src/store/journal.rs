//! The journal: what happened, who did it and what it changed, as a chain of digests nobody can alter unseen.
//!
//! An entry is one line of compact JSON with its members in this order: no, at, actor, subject, event, changes, prev.
//! `prev` is the SHA-256 (hexadecimal) of the bytes of the entry before it, 64 zeros for the first. Numbers start at 1 and
//! have no gap. The digest of the last entry is the head; who wrote the head down elsewhere (the ministry's daily mail)
//! can tell even a chain that was forged as a whole. Exported, an entry is a line as it stands, so `sha256sum` checks it.

use super::disk::{Bytes, Disk};
use super::rows::{self, Rows};
use super::schema::{LARGE_BYTES_MAX, META_HEAD, Table};
use super::{Store, StoreError};
use crate::crypto::sha256;
use crate::domain::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::io::Write;
use std::ops::Bound;

/// An entry before it has its place in the chain. Never put a secret or a mail's text in it: ids and masked addresses.
#[derive(Debug, Clone)]
pub struct Draft {
    pub at: Timestamp,
    /// Who: `system`, `staff:<name>`, `tenant:<id>`.
    pub actor: String,
    /// About what: `tenant:131032-00`, `mail:17`, `row:4`.
    pub subject: String,
    /// What happened.
    pub event: Value,
    /// What it changed in the directory, so that replaying the changes rebuilds it.
    pub changes: Json,
}

/// What stands before an entry's bytes in its row: their digest.
const HASH_BYTES: usize = 32;
/// Room for a line of usual size, without its changes.
const LINE_BYTES: usize = 1024;

/// JSON that is encoded already.
pub type Json = Box<RawValue>;

/// An entry as it is written; [`Entry`] reads it.
#[derive(Serialize)]
struct Line<'a> {
    no: u64,
    at: Timestamp,
    actor: &'a str,
    subject: &'a str,
    event: &'a Value,
    changes: &'a RawValue,
    prev: Digest,
}

/// One entry of the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub no: u64,
    pub at: Timestamp,
    pub actor: String,
    pub subject: String,
    pub event: Value,
    pub changes: Value,
    pub prev: Digest,
}

/// The end of the chain: number and digest of the last entry; zeros if there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub no: u64,
    pub hash: Digest,
}

/// What is wrong with the chain, at the first entry where it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the journal is not in order at entry {no}: {flaw}. Stop issuing, keep a copy of the state directory, and compare with the last backup"
)]
pub struct JournalFault {
    pub no: u64,
    pub flaw: Flaw,
}

/// The ways in which a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("it is missing")]
    Missing,
    #[error("its bytes do not have the digest written beside them")]
    Altered,
    #[error("it does not continue the entry before it")]
    Unchained,
    #[error("it says it is entry {0}")]
    Misnumbered(u64),
    #[error("it is no entry ({0})")]
    Malformed(String),
    #[error("the store counts {0} as the last entry")]
    NotTheHead(u64),
    #[error("it cannot be read ({0})")]
    Unreadable(String),
}

impl Head {
    pub(super) const NONE: Self = Self { no: 0, hash: Digest([0; 32]) };

    pub(super) fn encode(self) -> Vec<u8> {
        [&self.no.to_be_bytes()[..], &self.hash.0].concat()
    }

    pub(super) fn load(disk: &Disk) -> Result<Self, StoreError> {
        let Some(stored) = rows::get(disk, Table::Meta, META_HEAD)? else { return Ok(Self::NONE) };
        let parts = stored.split_first_chunk::<8>().map(|(no, hash)| (u64::from_be_bytes(*no), hash.try_into()));
        match parts {
            Some((no, Ok(hash))) => Ok(Self { no, hash: Digest(hash) }),
            Some((_, Err(_))) | None => Err(StoreError::Damaged { what: "the journal's head has a wrong form".into() }),
        }
    }

    /// The next entry's row and the head after it.
    pub(super) fn append(self, draft: Draft) -> Result<(u64, Vec<u8>, Self), StoreError> {
        let Draft { at, actor, subject, event, changes } = draft;
        let no = self.no.saturating_add(1);
        let (actor, subject) = (actor.as_str(), subject.as_str());
        let line = Line { no, at, actor, subject, event: &event, changes: &changes, prev: self.hash };
        let mut row = vec![0; HASH_BYTES];
        row.reserve(changes.get().len() + LINE_BYTES);
        serde_json::to_writer(&mut row, &line)
            .map_err(|error| StoreError::Damaged { what: format!("a journal entry that is no JSON: {error}") })?;
        if row.len() > LARGE_BYTES_MAX {
            return Err(StoreError::ValueTooLong { table: Table::Journal.name(), length: row.len() });
        }
        let (first, bytes) = row.split_at_mut(HASH_BYTES);
        let hash = sha256(bytes);
        first.copy_from_slice(&hash.0);
        Ok((no, row, Self { no, hash }))
    }
}

/// An entry as it stands in the store.
#[derive(Debug, Clone)]
pub struct StoredEntry {
    pub hash: Digest,
    pub entry: Entry,
    bytes: Bytes,
}

impl StoredEntry {
    fn read(no: u64, row: Bytes) -> Result<Self, JournalFault> {
        let fault = |flaw| JournalFault { no, flaw };
        let (hash, _) =
            row.split_first_chunk::<32>().ok_or_else(|| fault(Flaw::Malformed("shorter than a digest".into())))?;
        let hash = Digest(*hash);
        let bytes = row.skip(32);
        if sha256(&bytes) != hash {
            return Err(fault(Flaw::Altered));
        }
        let entry: Entry = serde_json::from_slice(&bytes).map_err(|error| fault(Flaw::Malformed(error.to_string())))?;
        if entry.no != no {
            return Err(fault(Flaw::Misnumbered(entry.no)));
        }
        Ok(Self { hash, entry, bytes })
    }

    /// The bytes the digest is made of: one line of JSON without line end.
    pub fn json(&self) -> &[u8] {
        &self.bytes
    }
}

/// Entries in order, each checked against its own digest, not against its neighbours.
#[derive(Debug)]
pub struct Entries {
    rows: Rows,
    next: u64,
}

impl Iterator for Entries {
    type Item = Result<StoredEntry, JournalFault>;

    fn next(&mut self) -> Option<Self::Item> {
        let expected = self.next;
        let found = match self.rows.next()? {
            Ok((key, row)) => (key.as_ref().try_into().map_or(0, u64::from_be_bytes), row),
            Err(error) => {
                return Some(Err(JournalFault { no: expected, flaw: Flaw::Unreadable(error.to_string()) }));
            }
        };
        self.next = found.0.saturating_add(1);
        if found.0 != expected {
            return Some(Err(JournalFault { no: expected, flaw: Flaw::Missing }));
        }
        Some(StoredEntry::read(found.0, found.1))
    }
}

impl Store {
    /// The end of the chain, including what is staged.
    pub fn head(&self) -> Head {
        self.writer().head
    }

    /// Entries from number `from` (the first is 1).
    pub fn journal_entries(&self, from: u64) -> Entries {
        entries(&self.disk, from)
    }

    /// Number and JSON of entries from number `from`, unchecked: for indexes that can be built again.
    pub fn journal_lines(&self, from: u64) -> impl Iterator<Item = Result<(u64, Bytes), StoreError>> + use<> {
        let mut next = from.max(1);
        entries(&self.disk, from).rows.map(move |row| {
            let (_, row) = row?;
            let no = next;
            next = next.saturating_add(1);
            Ok((no, row.skip(32)))
        })
    }

    /// Walks the whole chain: every digest, every link, every number, and the head. `progress` hears each good number.
    pub fn verify_journal(&self, progress: impl FnMut(u64)) -> Result<Head, JournalFault> {
        verify(&self.disk, || self.head(), Head::NONE, progress)
    }

    /// The same for the last `entries` only: cheap enough for every start.
    pub fn verify_journal_tail(&self, entries: u64) -> Result<Head, JournalFault> {
        let before = self.head().no.saturating_sub(entries);
        let Some(first) = self.journal_entries(before).next().filter(|_| before > 0) else {
            return self.verify_journal(|_| ());
        };
        verify(&self.disk, || self.head(), Head { no: before, hash: first?.hash }, |_| ())
    }

    /// Writes the journal as JSON lines, last line `{"head":{…}}`; an outsider checks it with any SHA-256 tool
    /// (state/README.md says how). Returns the head.
    pub fn export_journal(&self, mut out: impl Write) -> Result<Head, ExportError> {
        let mut head = Head::NONE;
        for found in self.journal_entries(1) {
            let found = found?;
            out.write_all(found.json())?;
            out.write_all(b"\n")?;
            head = Head { no: found.entry.no, hash: found.hash };
        }
        writeln!(out, "{{\"head\":{{\"no\":{},\"hash\":\"{}\"}}}}", head.no, head.hash)?;
        out.flush()?;
        Ok(head)
    }
}

fn entries(disk: &Disk, from: u64) -> Entries {
    let from = from.max(1);
    let rows = Rows::new(disk, Table::Journal, Bound::Included(&from.to_be_bytes()), Bound::Unbounded);
    Entries { rows, next: from }
}

/// Walks the chain from after `known` to its end, which must be the head. Entries may be added meanwhile: the head is
/// asked for after the walk, and what came since is walked too.
pub(super) fn verify(
    disk: &Disk,
    head: impl Fn() -> Head,
    known: Head,
    mut progress: impl FnMut(u64),
) -> Result<Head, JournalFault> {
    let mut at = known;
    loop {
        let before = at.no;
        for found in entries(disk, at.no.saturating_add(1)) {
            let found = found?;
            if found.entry.prev != at.hash {
                return Err(JournalFault { no: found.entry.no, flaw: Flaw::Unchained });
            }
            at = Head { no: found.entry.no, hash: found.hash };
            progress(at.no);
        }
        let head = head();
        if head == at {
            return Ok(at);
        }
        if head.no <= at.no || at.no == before {
            return Err(JournalFault { no: at.no, flaw: Flaw::NotTheHead(head.no) });
        }
    }
}

/// Why the journal was not exported to its end.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Fault(#[from] JournalFault),
    #[error("writing the export failed: {0}; the incomplete file is useless, delete it")]
    Write(#[from] std::io::Error),
}
