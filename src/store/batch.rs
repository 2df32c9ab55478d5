//! All writes of one step, gathered before any of them happens.

use super::schema::{BATCH_BYTES_MAX, KEY_BYTES_MAX, LARGE_BYTES_MAX, META_FORMAT, META_HEAD, Table, VALUE_BYTES_MAX};
use super::{Draft, StoreError};
use std::collections::BTreeMap;
use std::fmt;

/// Rows to write and to delete, and journal lines. The last word on a row wins. Faults are found when it is staged.
/// `Debug` shows only how much there is: values may be secret.
#[derive(Clone, Default)]
pub struct Batch {
    pub(super) rows: BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>,
    pub(super) journal: Vec<Draft>,
}

impl Batch {
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a row, whether or not it exists.
    pub fn put(&mut self, table: Table, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> &mut Self {
        self.rows.insert((table, key.into()), Some(value.into()));
        self
    }

    /// Deletes a row, if it exists.
    pub fn delete(&mut self, table: Table, key: impl Into<Vec<u8>>) -> &mut Self {
        self.rows.insert((table, key.into()), None);
        self
    }

    /// Adds a line to the journal; its number and chain are given when the batch is staged.
    pub fn journal(&mut self, draft: Draft) -> &mut Self {
        self.journal.push(draft);
        self
    }

    /// The rows of a table in this batch whose keys begin so: what will stand there, or `None`.
    pub fn written(&self, table: Table, prefix: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let rows = self.rows.range((table, prefix.to_vec())..);
        let rows = rows.take_while(move |((of, key), _)| *of == table && key.starts_with(prefix));
        rows.map(|((_, key), value)| (key.as_slice(), value.as_deref()))
    }

    /// Adds everything of another batch; its word on a row wins.
    pub fn extend(&mut self, other: Self) -> &mut Self {
        self.rows.extend(other.rows);
        self.journal.extend(other.journal);
        self
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.journal.is_empty()
    }

    /// Whether all limits are kept and no row of the store itself is touched.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let mut total = 0_usize;
        for ((table, key), value) in &self.rows {
            let own = *table == Table::Meta && (key == META_FORMAT || key == META_HEAD);
            if table.reserved() || own {
                return Err(StoreError::Reserved { table: table.name() });
            }
            if key.len() > KEY_BYTES_MAX {
                return Err(StoreError::KeyTooLong { table: table.name(), length: key.len() });
            }
            let length = value.as_ref().map_or(0, Vec::len);
            if length > if table.large() { LARGE_BYTES_MAX } else { VALUE_BYTES_MAX } {
                return Err(StoreError::ValueTooLong { table: table.name(), length });
            }
            total = total.saturating_add(key.len()).saturating_add(length);
        }
        if total > BATCH_BYTES_MAX { Err(StoreError::BatchTooLong { length: total }) } else { Ok(()) }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Batch({} rows, {} journal lines)", self.rows.len(), self.journal.len())
    }
}
