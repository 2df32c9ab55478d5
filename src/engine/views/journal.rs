//! The journal as people read it: its last entries, its proof, its export; and the backup of everything. Files are
//! written with mode 0600 and never over another; one that could not be finished is removed.

use super::history::{HistoryLine, told};
use super::words::Lang;
use super::{PAGE_MAX, View};
use crate::domain::Digest;
use crate::engine::EngineError;
use crate::engine::replay::{self, Audit};
use crate::store::{BackupSummary, Entry, ExportError, Head};
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// One entry, with its digest and what it says.
#[derive(Debug, Clone, Serialize)]
pub struct JournalLine {
    pub hash: String,
    pub entry: Entry,
    pub text: Vec<String>,
}

impl View {
    /// The last `count` entries, at most [`PAGE_MAX`], the oldest first.
    pub fn journal_tail(&self, count: usize) -> Result<Vec<JournalLine>, EngineError> {
        let store = &self.context.store;
        let count = count.min(PAGE_MAX);
        let from = store.head().no.saturating_sub(count as u64).saturating_add(1);
        let entries = store.journal_entries(from).take(count);
        entries
            .map(|stored| {
                let stored = stored.map_err(|fault| EngineError::Record(fault.to_string()))?;
                let HistoryLine { text, .. } = told(&stored.entry, None, Lang::Ja);
                Ok(JournalLine { hash: stored.hash.to_string(), entry: stored.entry, text })
            })
            .collect()
    }

    /// Proves the journal, and that it gives the directory.
    pub fn audit(&self, anchor: Option<Digest>) -> Result<Audit, EngineError> {
        replay::audit_from(&self.context.store, anchor)
    }

    /// Writes the journal into a new file.
    pub fn export_journal(&self, path: &Path) -> Result<Head, EngineError> {
        into_new_file(path, |file| {
            self.context.store.export_journal(file).map_err(|fault| match fault {
                ExportError::Fault(fault) => EngineError::Record(fault.to_string()),
                ExportError::Write(fault) => unwritten(path, &fault),
            })
        })
    }

    /// Writes everything into a new file.
    pub fn backup(&self, path: &Path) -> Result<BackupSummary, EngineError> {
        into_new_file(path, |file| Ok(self.context.store.backup(file)?))
    }
}

fn into_new_file<T>(
    path: &Path,
    work: impl FnOnce(&mut dyn Write) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|fault| {
        if fault.kind() == std::io::ErrorKind::AlreadyExists {
            EngineError::Input(format!("{} exists already and is never overwritten", path.display()))
        } else {
            unwritten(path, &fault)
        }
    })?;
    let done = work(&mut std::io::BufWriter::new(&mut file));
    let done = done.and_then(|done| synced(&file, path).map(|()| done));
    if done.is_err() {
        // Half a file would only be taken for a whole one.
        let _gone = std::fs::remove_file(path);
    }
    done
}

fn synced(file: &File, path: &Path) -> Result<(), EngineError> {
    file.sync_all().map_err(|fault| unwritten(path, &fault))
}

fn unwritten(path: &Path, fault: &std::io::Error) -> EngineError {
    EngineError::Input(format!("{} cannot be written ({fault})", path.display()))
}
