//! The engine underneath: sled 0.34.7 by four rules (research/dependencies.md §5). The only file, with merge.rs, that imports it.
//!
//! 1. sled's `flush` ends with `sync_file_range`, which does not make data safe against a power cut: every [`Disk::sync`]
//!    adds an fdatasync on a handle of our own to the file `db`. Before sled opens what a killed process left, and after,
//!    all its files are synced: it writes a durable snapshot about data that is not, and never syncs its `conf`.
//! 2. `flush_async` is never called (deadlocks), and no background flusher runs.
//! 3. One writer: [`super::Store`] holds a mutex around every write.
//! 4. One process: [`super::open`] holds a lock before sled is opened. sled's own lock on `db` can outlive a closed store
//!    of this process by moments (its threads, a child between fork and exec), so opening waits for it.

use super::merge::{Merged, copy};
use super::schema::SEGMENT_BYTES;
use super::{Options, StoreError};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::ops::{Bound, Deref};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An open tree of keys and values, and the handle that makes it durable.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    db: sled::Db,
    file: Arc<File>,
    staged: Arc<Mutex<Staged>>,
    /// Whose turn it is to sync, and whether a sync before has failed.
    turn: Arc<Mutex<bool>>,
}

/// Rows the tree does not have yet. sled ends every batch with two writes and two waits for the disk, so the batches of a
/// group go to it as one, and the next group gathers meanwhile.
#[derive(Debug, Default)]
struct Staged {
    /// Since the last sync began.
    waiting: Pending,
    bytes: usize,
    /// On their way into the tree. Of one key the row above is newer.
    leaving: Arc<Pending>,
}

/// Rows to write and to delete, by whole keys.
type Pending = BTreeMap<Vec<u8>, Option<sled::IVec>>;

/// Most bytes that wait before they are synced unasked.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Rows to write (`Some`) and to delete (`None`).
pub(super) type Writes = Vec<(Vec<u8>, Option<Vec<u8>>)>;

impl Disk {
    /// Opens or creates the database in the directory `path`; durable as a directory when this returns.
    pub(super) fn open(path: &Path, options: Options) -> Result<Self, StoreError> {
        let io = |what| move |source: io::Error| StoreError::Disk { what, source: source.into() };
        if path.exists() {
            clear(path).and_then(|()| secure(path)).map_err(io("securing what the last run wrote"))?;
            let last = File::open(path.join("db")).and_then(|file| {
                file.lock()?;
                file.unlock()
            });
            last.or_else(absent).map_err(io("waiting for the last run's threads"))?;
        }
        let db = sled::Config::new()
            .path(path)
            .cache_capacity(options.cache_bytes)
            .segment_size(SEGMENT_BYTES)
            .flush_every_ms(None)
            .use_compression(false)
            .mode(sled::Mode::HighThroughput)
            .open()
            .map_err(|error| fault("opening the database", error))?;
        db.flush().map_err(|error| fault("flushing", error))?;
        secure(path).map_err(io("securing the database's files"))?;
        let file = File::open(path.join("db")).map_err(io("opening the database file"))?;
        Ok(Self { db, file: Arc::new(file), staged: Arc::default(), turn: Arc::default() })
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let staged = self.staged();
        if let Some(row) = staged.waiting.get(key).or_else(|| staged.leaving.get(key)) {
            return Ok(row.clone().map(Bytes::from));
        }
        drop(staged);
        self.db.get(key).map(|found| found.map(Bytes::from)).map_err(|error| fault("reading", error))
    }

    /// Rows between two bounds, in both directions. Not a snapshot: rows written meanwhile may appear.
    pub(super) fn range(&self, from: Bound<Vec<u8>>, to: Bound<Vec<u8>>) -> Merged {
        // What is staged first: should it reach the tree meanwhile, it is seen in both and counts once.
        let bounds = (from, to);
        let staged = self.staged();
        let mut rows: Pending = staged.leaving.range::<Vec<u8>, _>(bounds.clone()).map(copy).collect();
        rows.extend(staged.waiting.range::<Vec<u8>, _>(bounds.clone()).map(copy));
        drop(staged);
        Merged::new(rows.into_iter().collect(), self.db.range(bounds))
    }

    /// Adds rows to those the next [`Disk::sync`] writes; visible at once. When very many wait they are synced now.
    pub(super) fn write(&self, writes: Writes) -> Result<(), StoreError> {
        let writes: Vec<_> = writes.into_iter().map(|(key, value)| (key, value.map(sled::IVec::from))).collect();
        let mut staged = self.staged();
        for (key, value) in writes {
            staged.bytes += key.len() + value.as_ref().map_or(0, |value| value.len());
            staged.waiting.insert(key, value);
        }
        let many = staged.bytes > WAITING_BYTES_MAX;
        drop(staged);
        if many { self.sync() } else { Ok(()) }
    }

    /// Writes everything that was staged when it began, all or nothing, and makes it durable. Others may stage meanwhile.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let mut failed = self.turn();
        if *failed {
            return Err(StoreError::Poisoned { cause: "an earlier write did not succeed".to_owned() });
        }
        let mut staged = self.staged();
        if staged.waiting.is_empty() {
            return Ok(());
        }
        let leaving = Arc::new(std::mem::take(&mut staged.waiting));
        staged.bytes = 0;
        staged.leaving = Arc::clone(&leaving);
        drop(staged);
        *failed = true;
        let mut batch = sled::Batch::default();
        for (key, value) in leaving.iter() {
            match value {
                Some(value) => batch.insert(key.as_slice(), value),
                None => batch.remove(key.as_slice()),
            }
        }
        self.db.apply_batch(batch).map_err(|error| fault("writing", error))?;
        // Only now: readers must not miss a row in both places.
        self.staged().leaving = Arc::default();
        drop(leaving);
        self.db.flush().map_err(|error| fault("flushing", error))?;
        self.file.sync_data().map_err(|source| StoreError::Disk { what: "syncing", source: source.into() })?;
        *failed = false;
        Ok(())
    }

    fn staged(&self) -> MutexGuard<'_, Staged> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held while rows go to the disk: nothing is durable that is staged meanwhile.
    pub(super) fn turn(&self) -> MutexGuard<'_, bool> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes the database takes on the disk.
    pub(super) fn bytes(&self) -> Result<u64, StoreError> {
        self.db.size_on_disk().map_err(|error| fault("measuring", error))
    }
}

/// Bytes read from the store, shared with its cache where possible. `Debug` shows only the length.
#[derive(Clone)]
pub struct Bytes {
    data: Data,
    from: usize,
}

#[derive(Clone)]
enum Data {
    Shared(sled::IVec),
    Own(Vec<u8>),
}

impl Bytes {
    /// Without its first bytes.
    pub(super) fn skip(mut self, bytes: usize) -> Self {
        self.from = self.from.saturating_add(bytes);
        self
    }
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        let all: &[u8] = match &self.data {
            Data::Shared(data) => data,
            Data::Own(data) => data,
        };
        all.get(self.from..).unwrap_or_default()
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<sled::IVec> for Bytes {
    fn from(data: sled::IVec) -> Self {
        Self { data: Data::Shared(data), from: 0 }
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(data: Vec<u8>) -> Self {
        Self { data: Data::Own(data), from: 0 }
    }
}

impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for Bytes {
    fn eq(&self, other: &T) -> bool {
        **self == *other.as_ref()
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes>", self.len())
    }
}

/// Removes snapshots that were being written when the last run ended. sled takes such a file for the newest snapshot and
/// then refuses to open; the one before is removed only after the new one has its name.
fn clear(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(".generating") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Syncs every file of a directory and the directory itself. sled leaves its `conf` and its names to chance.
fn secure(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            File::open(entry.path())?.sync_all()?;
        }
    }
    File::open(path)?.sync_all()
}

fn absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// A message of sled's in our words.
pub(super) fn fault(what: &'static str, error: sled::Error) -> StoreError {
    if matches!(error, sled::Error::Corruption { .. }) {
        StoreError::Damaged { what: format!("{what}: {error}") }
    } else {
        StoreError::Disk { what, source: error.into() }
    }
}
