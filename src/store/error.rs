//! What can go wrong in the store, and who acts next.

use super::schema::{BATCH_BYTES_MAX, FORMAT, KEY_BYTES_MAX};

/// Who acts next after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhoActs {
    /// The operator of the machine: disk, permissions, a second process, a backup.
    Operator,
    /// The authors: the caller broke a rule of the store.
    Authors,
}

/// Why the store did not do what it was asked. Nothing of a failed batch is visible or durable.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "another annai (pid {pid}) is using this state directory; use its commands (they reach it through the socket) or stop it"
    )]
    Locked { pid: String },
    #[error("state directory {path}: {source}; check that it exists, is writable and belongs to this user")]
    Directory { path: String, source: std::io::Error },
    #[error(
        "this state directory has format {found}, this annai knows {FORMAT}; install the annai that wrote it, or a newer one"
    )]
    TooNew { found: u32 },
    #[error("no migration leads from format {found} to {FORMAT}; restore a backup with the annai that made it")]
    TooOld { found: u32 },
    #[error(
        "the disk refused while {what}: {source}; nothing since the last commit is acknowledged. Free space or repair the disk, then start annai again"
    )]
    Disk { what: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
    #[error(
        "the store is damaged ({what}); stop annai, keep a copy of the state directory and run `annai restore` with the last backup"
    )]
    Damaged { what: String },
    #[error("the store stopped after an error and takes nothing more until annai is restarted: {cause}")]
    Poisoned { cause: String },
    #[error("a backup cannot be restored over an existing store in {path}; choose an empty directory")]
    NotEmpty { path: String },
    #[error("this is no complete annai backup ({what}); nothing was changed, take another copy")]
    BadBackup { what: String },
    #[error("writing the backup failed: {0}; the incomplete file is useless, delete it")]
    BackupWrite(std::io::Error),
    #[error("a key of table {table} has {length} bytes, at most {KEY_BYTES_MAX} are allowed; please report this")]
    KeyTooLong { table: &'static str, length: usize },
    #[error("a value of table {table} has {length} bytes, more than the table allows; please report this")]
    ValueTooLong { table: &'static str, length: usize },
    #[error("a batch has {length} bytes, at most {BATCH_BYTES_MAX} are allowed; please report this")]
    BatchTooLong { length: usize },
    #[error("table {table} or this row of it is written by the store itself only; please report this")]
    Reserved { table: &'static str },
}

impl StoreError {
    /// Who acts next.
    pub fn who_acts(&self) -> WhoActs {
        match self {
            Self::Locked { .. }
            | Self::Directory { .. }
            | Self::TooNew { .. }
            | Self::TooOld { .. }
            | Self::Disk { .. }
            | Self::Damaged { .. }
            | Self::Poisoned { .. }
            | Self::NotEmpty { .. }
            | Self::BadBackup { .. }
            | Self::BackupWrite(_) => WhoActs::Operator,
            Self::KeyTooLong { .. } | Self::ValueTooLong { .. } | Self::BatchTooLong { .. } | Self::Reserved { .. } => {
                WhoActs::Authors
            }
        }
    }

    /// Whether the store can no longer be trusted to know what is on the disk.
    pub(super) fn is_fatal(&self) -> bool {
        matches!(self, Self::Disk { .. } | Self::Damaged { .. })
    }
}
