//! Backup and restore: the whole store as one file that checks itself.
//!
//! Format: the line `annai-backup 1`; then rows: `R`, table (u8), length of key (u16), length of value (u32), key, value,
//! all numbers big-endian, values whole; last `E`, number of rows (u64), SHA-256 of every byte before it. Sealed secrets
//! are in it, the master key is not: keep both, in two places.

use super::disk::{Disk, Writes};
use super::journal::{Head, JournalFault};
use super::open::{DATABASE, discard, lock, prepare, put_in_place};
use super::schema::{KEY_BYTES_MAX, LARGE_BYTES_MAX, Table};
use super::{Options, Store, StoreError, rows};
use crate::crypto::Sha256;
use crate::domain::Digest;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

const MAGIC: &[u8] = b"annai-backup 1\n";
const ROW: u8 = b'R';
const END: u8 = b'E';
/// Where a restored store grows until it is complete.
const RESTORING: &str = "store.restoring";
/// Bytes written in one go while restoring.
const RESTORE_BATCH_BYTES: usize = 1024 * 1024;

/// What a backup contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupSummary {
    pub rows: u64,
    /// End of the journal in it.
    pub head: Head,
    /// The SHA-256 at its end.
    pub digest: Digest,
}

impl Store {
    /// Writes a backup of everything staged so far, first making it durable. Writers wait meanwhile.
    pub fn backup(&self, out: impl Write) -> Result<BackupSummary, StoreError> {
        self.commit()?;
        let writer = self.writer();
        let mut out = Hashing::new(BufWriter::new(out));
        let mut count = 0_u64;
        out.write_all(MAGIC).map_err(StoreError::BackupWrite)?;
        for table in Table::ALL.iter().copied().filter(|table| *table != Table::Part) {
            for row in self.rows(table)? {
                let (key, value) = row?;
                out.row(table, &key, &value).map_err(StoreError::BackupWrite)?;
                count += 1;
            }
        }
        let finish = |mut out: Hashing<BufWriter<_>>| {
            out.write_all(&[END])?;
            out.write_all(&count.to_be_bytes())?;
            let digest = out.hash.finish();
            out.inner.write_all(&digest.0)?;
            out.inner.flush()?;
            Ok(digest)
        };
        let digest = finish(out).map_err(StoreError::BackupWrite)?;
        Ok(BackupSummary { rows: count, head: writer.head, digest })
    }
}

/// Makes a store in the state directory `dir`, which must have none, from a backup. Everything is checked (digest, rows,
/// journal) before the store takes its place; on any error the directory is as before.
pub fn restore(dir: &Path, input: impl Read, options: Options) -> Result<BackupSummary, StoreError> {
    prepare(dir)?;
    let _lock = lock(dir)?;
    let (target, temporary) = (dir.join(DATABASE), dir.join(RESTORING));
    if target.exists() {
        return Err(StoreError::NotEmpty { path: dir.display().to_string() });
    }
    discard(&temporary)?;
    let restored = fill(&temporary, input, options);
    if restored.is_ok() {
        put_in_place(dir, &temporary)?;
    } else {
        discard(&temporary)?;
    }
    restored
}

fn fill(path: &Path, input: impl Read, options: Options) -> Result<BackupSummary, StoreError> {
    let mut input = Hashing::new(BufReader::new(input));
    if input.take(MAGIC.len())? != MAGIC {
        return Err(bad("it does not begin like one"));
    }
    let disk = Disk::open(path, options)?;
    let (mut writes, mut waiting, mut count) = (Writes::new(), 0, 0_u64);
    while let Some((table, key, value)) = input.next_row()? {
        waiting += key.len() + value.len();
        count += 1;
        rows::lay_out(&disk, table, &key, Some(value), &mut writes)?;
        if waiting > RESTORE_BATCH_BYTES {
            disk.write(std::mem::take(&mut writes))?;
            disk.sync()?;
            waiting = 0;
        }
    }
    disk.write(writes)?;
    let stated = input.number::<8>().map(u64::from_be_bytes)?;
    let digest = input.hash.clone().finish();
    if stated != count || input.number::<32>()? != digest.0 {
        return Err(bad("its digest does not fit its contents"));
    }
    if !input.take(1)?.is_empty() {
        return Err(bad("something follows its end"));
    }
    let head = Head::load(&disk)?;
    let head = super::journal::verify(&disk, || head, Head::NONE, |_| ())
        .map_err(|fault: JournalFault| bad(&fault.to_string()))?;
    disk.sync()?;
    Ok(BackupSummary { rows: count, head, digest })
}

fn bad(what: &str) -> StoreError {
    StoreError::BadBackup { what: what.to_owned() }
}

/// A row of a backup.
type Row = (Table, Vec<u8>, Vec<u8>);

/// Reads or writes, and digests what passes.
struct Hashing<T> {
    inner: T,
    hash: Sha256,
}

impl<T> Hashing<T> {
    fn new(inner: T) -> Self {
        Self { inner, hash: Sha256::new() }
    }
}

impl<W: Write> Hashing<W> {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.inner.write_all(bytes)
    }

    fn row(&mut self, table: Table, key: &[u8], value: &[u8]) -> io::Result<()> {
        let key_length = u16::try_from(key.len()).map_err(io::Error::other)?;
        let value_length = u32::try_from(value.len()).map_err(io::Error::other)?;
        self.write_all(&[ROW, table.byte()])?;
        self.write_all(&key_length.to_be_bytes())?;
        self.write_all(&value_length.to_be_bytes())?;
        self.write_all(key)?;
        self.write_all(value)
    }
}

impl<R: Read> Hashing<R> {
    /// Up to `length` bytes, fewer only at the end of the input. Memory is taken as bytes arrive.
    fn take(&mut self, length: usize) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        let read = self.inner.by_ref().take(length as u64).read_to_end(&mut bytes);
        read.map_err(|error| bad(&format!("reading it failed: {error}")))?;
        self.hash.update(&bytes);
        Ok(bytes)
    }

    fn exactly(&mut self, length: usize) -> Result<Vec<u8>, StoreError> {
        let bytes = self.take(length)?;
        if bytes.len() == length { Ok(bytes) } else { Err(bad("it ends too early")) }
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        self.exactly(N)?.try_into().map_err(|_| bad("it ends too early"))
    }

    /// The next row, or `None` at the end mark.
    fn next_row(&mut self) -> Result<Option<Row>, StoreError> {
        match self.number::<1>()? {
            [END] => return Ok(None),
            [ROW] => {}
            [_] => return Err(bad("neither a row nor the end where one should be")),
        }
        let [table] = self.number::<1>()?;
        let known = Table::from_byte(table).filter(|table| *table != Table::Part);
        let table = known.ok_or_else(|| bad("a table this annai does not know"))?;
        let key_length = usize::from(u16::from_be_bytes(self.number()?));
        let value_length = u32::from_be_bytes(self.number()?) as usize;
        if key_length > KEY_BYTES_MAX || value_length > LARGE_BYTES_MAX {
            return Err(bad("a row longer than any"));
        }
        Ok(Some((table, self.exactly(key_length)?, self.exactly(value_length)?)))
    }
}
