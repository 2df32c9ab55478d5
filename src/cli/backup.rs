//! `annai backup` and `annai restore`: everything in one file that checks itself, and back. The master key is not in it:
//! without that key the sealed letters and all pick-up codes are lost, so it is kept elsewhere (state/README.md).

use super::args::{BackupArgs, RestoreArgs};
use super::ask::{Desk, print, print_json, text};
use super::{Cli, CliError};
use crate::daemon::control::Request;
use crate::store::{self, Options};
use serde_json::json;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(super) fn run(args: &BackupArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    let path = absolute(&args.file)?;
    Desk::open(cli)?.show(&Request::Backup { path }, |backup| {
        format!(
            "{} 行を保存しました（監査証跡 {} 行、SHA-256 {}）。マスター鍵は含まれません。別に保管してください。\n",
            text(backup, "/rows"),
            text(backup, "/journal/no"),
            text(backup, "/sha256")
        )
    })
}

pub(super) fn restore(args: &RestoreArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    let unread = |fault: std::io::Error| {
        CliError::Usage(format!(
            "{} cannot be read ({fault}); give a file written by annai backup",
            args.file.display()
        ))
    };
    let file = File::open(&args.file).map_err(unread)?;
    let empty = match std::fs::read_dir(&args.into) {
        // What a restore that failed has left: its lock.
        Ok(mut entries) => entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == "lock")),
        Err(fault) => fault.kind() == std::io::ErrorKind::NotFound,
    };
    if !empty {
        return Err(CliError::Failed(format!(
            "{} is not an empty directory; give one that is empty or does not exist",
            args.into.display()
        )));
    }
    let existed = args.into.exists();
    let summary = store::restore(&args.into, file, Options::default()).map_err(|fault| {
        if !existed {
            // Made for nothing: only what is empty but for the lock goes.
            let _gone = std::fs::remove_file(args.into.join("lock")).and_then(|()| std::fs::remove_dir(&args.into));
        }
        CliError::Failed(fault.to_string())
    })?;
    let (rows, entries, anchor) = (summary.rows, summary.head.no, summary.head.hash);
    if cli.json {
        print_json(&json!({"rows": rows, "sha256": summary.digest, "journal": {"no": entries, "hash": anchor}}))?;
    } else {
        print(&format!(
            "{rows} 行を戻しました（監査証跡 {entries} 行、末尾 {anchor}）。元のマスター鍵と設定を使ってください。\n"
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The daemon runs in another directory: it is told the whole path.
pub(super) fn absolute(file: &Path) -> Result<PathBuf, CliError> {
    std::path::absolute(file)
        .map_err(|fault| CliError::Usage(format!("{} is no path ({fault}); give a file", file.display())))
}
