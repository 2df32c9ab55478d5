//! Rows as callers see them: bytes without the table prefix, and large values put together from their pieces.
//!
//! In a large table every stored value begins with one byte: 0, and the value follows; or 1, and a u32 says how many
//! pieces of [`VALUE_BYTES_MAX`] bytes stand in [`Table::Part`].

use super::StoreError;
use super::disk::{Bytes, Disk, Writes};
use super::merge::Merged;
use super::schema::{Table, VALUE_BYTES_MAX};
use std::fmt;
use std::ops::Bound;

const WHOLE: u8 = 0;
const PIECES: u8 = 1;

/// Rows of one table in the order of their keys; `.rev()` for the other direction, `.take(n)` for a limit.
///
/// Not a snapshot: it reads as it goes, so whoever changes rows while walking collects the keys first.
pub struct Rows {
    disk: Disk,
    table: Table,
    raw: Option<Merged>,
}

impl Rows {
    pub(super) fn new(disk: &Disk, table: Table, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Self {
        let from = match from {
            Bound::Included(key) => Bound::Included(table.row(key)),
            Bound::Excluded(key) => Bound::Excluded(table.row(key)),
            Bound::Unbounded => Bound::Included(table.row(&[])),
        };
        let to = match to {
            Bound::Included(key) => Bound::Included(table.row(key)),
            Bound::Excluded(key) => Bound::Excluded(table.row(key)),
            Bound::Unbounded => Bound::Excluded(vec![table.byte().saturating_add(1)]),
        };
        let empty = match (&from, &to) {
            (Bound::Included(a), Bound::Included(b)) => a > b,
            (Bound::Included(a) | Bound::Excluded(a), Bound::Excluded(b))
            | (Bound::Excluded(a), Bound::Included(b)) => a >= b,
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        };
        Self { disk: disk.clone(), table, raw: (!empty).then(|| disk.range(from, to)) }
    }

    fn item(&self, item: Result<(Bytes, Bytes), StoreError>) -> Result<(Bytes, Bytes), StoreError> {
        let (key, stored) = item?;
        let key = key.skip(1);
        let value = whole(&self.disk, self.table, &key, stored)?;
        Ok((key, value))
    }
}

impl Iterator for Rows {
    type Item = Result<(Bytes, Bytes), StoreError>;
    fn next(&mut self) -> Option<Self::Item> {
        let item = self.raw.as_mut()?.next()?;
        Some(self.item(item))
    }
}

impl DoubleEndedIterator for Rows {
    fn next_back(&mut self) -> Option<Self::Item> {
        let item = self.raw.as_mut()?.next_back()?;
        Some(self.item(item))
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rows({})", self.table.name())
    }
}

/// One row's value.
pub(super) fn get(disk: &Disk, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
    disk.get(&table.row(key))?.map(|stored| whole(disk, table, key, stored)).transpose()
}

/// The value of which `stored` stands under the row's own key.
fn whole(disk: &Disk, table: Table, key: &[u8], stored: Bytes) -> Result<Bytes, StoreError> {
    if !table.large() {
        return Ok(stored);
    }
    let pieces = pieces(table, &stored)?;
    if pieces == 0 {
        return Ok(stored.skip(1));
    }
    let mut value = Vec::with_capacity(VALUE_BYTES_MAX.saturating_mul(pieces as usize));
    for piece in 0..pieces {
        let part = disk.get(&part_key(table, key, piece))?;
        value.extend_from_slice(&part.ok_or_else(|| damaged(table, "a piece of a value is missing"))?);
    }
    Ok(Bytes::from(value))
}

/// How many pieces a stored value of a large table has; 0 if it is whole.
fn pieces(table: Table, stored: &[u8]) -> Result<u32, StoreError> {
    match stored {
        [WHOLE, ..] => Ok(0),
        [PIECES, count @ ..] => {
            count.try_into().map(u32::from_be_bytes).map_err(|_| damaged(table, "a value of an unknown form"))
        }
        _ => Err(damaged(table, "a value of an unknown form")),
    }
}

/// Adds to `writes` what puts (`Some`) or deletes (`None`) one row, including the pieces of its old value.
pub(super) fn lay_out(
    disk: &Disk,
    table: Table,
    key: &[u8],
    value: Option<Vec<u8>>,
    writes: &mut Writes,
) -> Result<(), StoreError> {
    if !table.large() {
        writes.push((table.row(key), value));
        return Ok(());
    }
    let old = match (&value, table.written_once()) {
        (Some(_), true) => 0,
        (Some(_), false) | (None, _) => disk.get(&table.row(key))?.map_or(Ok(0), |stored| pieces(table, &stored))?,
    };
    let mut new = 0;
    let stored = value.map(|mut value| {
        if value.len() < VALUE_BYTES_MAX {
            value.insert(0, WHOLE);
            return value;
        }
        for piece in value.chunks(VALUE_BYTES_MAX) {
            writes.push((part_key(table, key, new), Some(piece.to_vec())));
            new += 1;
        }
        [&[PIECES], &new.to_be_bytes()[..]].concat()
    });
    writes.extend((new..old).map(|piece| (part_key(table, key, piece), None)));
    writes.push((table.row(key), stored));
    Ok(())
}

fn part_key(table: Table, key: &[u8], piece: u32) -> Vec<u8> {
    [&[Table::Part.byte(), table.byte()], key, &piece.to_be_bytes()].concat()
}

fn damaged(table: Table, what: &str) -> StoreError {
    StoreError::Damaged { what: format!("table {}: {what}", table.name()) }
}
