//! The store: everything annai knows, changed by whole steps only (I2).
//!
//! One write path: a [`Batch`] is staged (visible to reads, not yet on the disk) and committed (written and synced; only
//! then may anybody outside hear of it). Staged batches share one commit and are there together or not at all; while one
//! commit is under way, batches are staged for the next. After a failed write or sync nobody knows what the disk holds,
//! so the store refuses everything until it is opened again.
//!
//! The face is engine-neutral: tables, keys, bytes. Only this folder imports sled. Calls block: keep them off async
//! workers. One process at a time; within it any thread may read, and writes queue behind a mutex.

mod backup;
mod batch;
mod disk;
mod error;
mod journal;
mod merge;
mod open;
mod rows;
mod schema;

pub use backup::{BackupSummary, restore};
pub use batch::Batch;
pub use disk::Bytes;
pub use error::{StoreError, WhoActs};
pub use journal::{Draft, Entries, Entry, ExportError, Flaw, Head, JournalFault, Json, StoredEntry};
pub use open::Opening;
pub use rows::Rows;
pub use schema::{BATCH_BYTES_MAX, FORMAT, KEY_BYTES_MAX, LARGE_BYTES_MAX, Table, VALUE_BYTES_MAX};

use disk::{Disk, Writes};
use schema::META_HEAD;
use std::ops::{Bound, RangeBounds};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// How a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Bytes of pages the engine keeps in memory.
    pub cache_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 16 * 1024 * 1024 }
    }
}

/// An open store. Dropping it releases the state directory; what was staged and not committed may then be lost.
#[derive(Debug)]
pub struct Store {
    disk: Disk,
    writer: Mutex<Writer>,
    poison: OnceLock<String>,
    opening: Opening,
    // Last, so that the database is closed before the lock goes.
    _lock: open::Lock,
}

/// What only the writer of the moment may touch.
#[derive(Debug)]
struct Writer {
    head: Head,
}

impl Store {
    /// Applies a batch: wholly or not at all, visible at once, durable with the next [`Store::commit`]. Returns the end of
    /// the journal after it.
    pub fn stage(&self, batch: Batch) -> Result<Head, StoreError> {
        batch.check()?;
        self.stage_with(batch, Writes::new())
    }

    /// Makes everything staged durable. Whoever waits for it may be answered after this, not before.
    pub fn commit(&self) -> Result<(), StoreError> {
        self.alive()?;
        self.guarded(self.disk.sync())
    }

    /// Keeps commits waiting until it is dropped; steps go on.
    #[cfg(test)]
    pub(crate) fn hold_commits(&self) -> MutexGuard<'_, bool> {
        self.disk.turn()
    }

    /// [`Store::stage`] and [`Store::commit`] in one.
    pub fn apply(&self, batch: Batch) -> Result<Head, StoreError> {
        let head = self.stage(batch)?;
        self.commit()?;
        Ok(head)
    }

    /// One row's value.
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.alive()?;
        rows::get(&self.disk, table, key)
    }

    /// All rows of a table in the order of their keys.
    pub fn rows(&self, table: Table) -> Result<Rows, StoreError> {
        self.alive()?;
        Ok(Rows::new(&self.disk, table, Bound::Unbounded, Bound::Unbounded))
    }

    /// Rows whose keys lie in `range`: `store.range(Table::Due, key..)`. Use `.rev()` and `.take(n)`.
    pub fn range<K: AsRef<[u8]>>(&self, table: Table, range: impl RangeBounds<K>) -> Result<Rows, StoreError> {
        self.alive()?;
        let from = range.start_bound().map(AsRef::as_ref);
        let to = range.end_bound().map(AsRef::as_ref);
        Ok(Rows::new(&self.disk, table, from, to))
    }

    /// Rows whose keys begin with `prefix`.
    pub fn prefix(&self, table: Table, prefix: &[u8]) -> Result<Rows, StoreError> {
        self.alive()?;
        let mut end = prefix.to_vec();
        // The first key after all that begin so: drop trailing 0xff, then count the last byte up.
        while end.pop_if(|byte| *byte == u8::MAX).is_some() {}
        if let Some(last) = end.last_mut() {
            *last += 1;
        }
        let to = if end.is_empty() { Bound::Unbounded } else { Bound::Excluded(end.as_slice()) };
        Ok(Rows::new(&self.disk, table, Bound::Included(prefix), to))
    }

    /// The row with the smallest key.
    pub fn first(&self, table: Table) -> Result<Option<(Bytes, Bytes)>, StoreError> {
        self.rows(table)?.next().transpose()
    }

    /// The row with the greatest key: `last(Table::Inbox)` gives the next free number.
    pub fn last(&self, table: Table) -> Result<Option<(Bytes, Bytes)>, StoreError> {
        self.rows(table)?.next_back().transpose()
    }

    /// How many rows a table has. Walks them all: for tests and the doctor.
    pub fn count(&self, table: Table) -> Result<u64, StoreError> {
        self.rows(table)?.try_fold(0, |n, row| row.map(|_| n + 1))
    }

    /// Bytes the store takes on the disk.
    pub fn bytes_on_disk(&self) -> Result<u64, StoreError> {
        self.alive()?;
        self.disk.bytes()
    }

    /// Stages a checked batch together with rows of the store's own.
    fn stage_with(&self, batch: Batch, mut rows: Writes) -> Result<Head, StoreError> {
        self.alive()?;
        let mut writer = self.writer();
        let mut head = writer.head;
        for ((table, key), value) in batch.rows {
            self.guarded(rows::lay_out(&self.disk, table, &key, value, &mut rows))?;
        }
        for draft in batch.journal {
            let (no, row, next) = head.append(draft)?;
            self.guarded(rows::lay_out(&self.disk, Table::Journal, &no.to_be_bytes(), Some(row), &mut rows))?;
            head = next;
        }
        if head != writer.head {
            rows.push((Table::Meta.row(META_HEAD), Some(head.encode())));
        }
        if !rows.is_empty() {
            self.guarded(self.disk.write(rows))?;
            writer.head = head;
        }
        Ok(head)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alive(&self) -> Result<(), StoreError> {
        self.poison.get().map_or(Ok(()), |cause| Err(StoreError::Poisoned { cause: cause.clone() }))
    }

    /// Remembers a failure after which nothing may be acknowledged any more.
    fn guarded<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &result
            && error.is_fatal()
        {
            self.poison.get_or_init(|| error.to_string());
        }
        result
    }
}
