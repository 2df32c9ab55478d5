//! `annai audit`: the journal. `verify FILE` checks an exported journal anywhere, without state directory or keys: the
//! digests, the links and the numbers (what `verify` without a file adds is that replaying it gives the directory).

use super::args::{AuditArgs, AuditVerb, Part};
use super::ask::{Desk, items, print, print_json, text};
use super::queue::history;
use super::tenant::lines_of;
use super::{Cli, CliError, clean};
use crate::crypto::sha256;
use crate::daemon::control::Request;
use crate::domain::Digest;
use crate::store::{Entry, Head, LARGE_BYTES_MAX};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::ExitCode;

/// Most lines of history looked through for `tail --tenant`.
const HISTORY_MAX: u32 = 100_000;

pub(super) fn run(args: &AuditArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    match &args.verb {
        AuditVerb::Tail { lines, tenant: None } => {
            let count = usize::try_from(*lines).unwrap_or(usize::MAX);
            Desk::open(cli)?.show(&Request::JournalTail { count }, |tail| {
                history(&json!({"lines": items(tail, "").map(as_line).collect::<Vec<_>>()}), "/lines")
            })
        }
        AuditVerb::Tail { lines, tenant: Some(id) } => {
            let mut desk = Desk::open(cli)?;
            let entries = lines_of(&mut desk, *id, &Part { limit: HISTORY_MAX, after: None })?;
            let all: Vec<&Value> = items(&entries, "/items").collect();
            let last = all.len().saturating_sub(usize::try_from(*lines).unwrap_or(usize::MAX));
            desk.print(&json!(all.get(last..).unwrap_or_default()), |lines| history(lines, ""))
        }
        AuditVerb::Verify { file: None, anchor } => {
            let audit = Desk::open(cli)?.ask(&Request::Verify { anchor: *anchor })?;
            told(&audit, cli.json)
        }
        AuditVerb::Verify { file: Some(file), anchor } => told(&verify(file, *anchor)?, cli.json),
        AuditVerb::Export { file } if file == Path::new("-") => export_to_stdout(cli),
        AuditVerb::Export { file } => {
            let path = super::backup::absolute(file)?;
            Desk::open(cli)?.show(&Request::Export { path }, |export| {
                format!("{} 行を書き出しました（末尾 {}）\n", text(export, "/entries"), text(export, "/anchor"))
            })
        }
    }
}

/// The daemon writes files, so the export goes through one in the state directory, which only its user can read.
fn export_to_stdout(cli: &Cli) -> Result<ExitCode, CliError> {
    let path = super::backup::absolute(&cli.load_config()?.state_dir)?.join(format!("export-{}", std::process::id()));
    let exported = Desk::open(cli)?.ask(&Request::Export { path: path.clone() });
    let copied = exported.and_then(|_| {
        let mut out = std::io::stdout().lock();
        std::io::copy(&mut File::open(&path)?, &mut out)?;
        Ok(std::io::Write::flush(&mut out)?)
    });
    let _gone = std::fs::remove_file(&path);
    copied.map(|()| ExitCode::SUCCESS)
}

/// A journal line in the form of a history line.
fn as_line(line: &Value) -> Value {
    json!({
        "no": line.pointer("/entry/no"), "at": line.pointer("/entry/at"), "actor": line.pointer("/entry/actor"),
        "text": line.get("text"),
    })
}

/// Prints the verdict; faults mean exit code 1.
fn told(audit: &Value, json: bool) -> Result<ExitCode, CliError> {
    let faults: Vec<String> = items(audit, "/faults").map(|fault| text(fault, "")).collect();
    if json {
        print_json(audit)?;
    } else {
        let mut out = format!("{} 行、末尾 {}\n", text(audit, "/entries"), text(audit, "/anchor"));
        match text(audit, "/anchored") {
            none if none.is_empty() => {}
            no => _ = writeln!(out, "照合した値は {no} 行目のものです。そこまでの記録は変わっていません"),
        }
        for fault in &faults {
            let _ = writeln!(out, "{fault}");
        }
        out.push_str(if faults.is_empty() {
            "監査証跡に問題はありません\n"
        } else {
            "監査証跡に問題があります\n"
        });
        print(&out)?;
    }
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The last line of an export.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    head: Head,
}

/// Checks an exported journal: every line's digest is the `prev` of the next, and the last line names the end.
/// Somewhere in it must be the entry `anchor` stands for: then all before it is as it was when the anchor was told.
fn verify(file: &Path, anchor: Option<Digest>) -> Result<Value, CliError> {
    let unread = |fault: std::io::Error| {
        CliError::Usage(format!("{} cannot be read ({fault}); give the path of an exported journal", file.display()))
    };
    let mut lines = BufReader::new(File::open(file).map_err(unread)?);
    let (mut no, mut hash) = (0_u64, Digest([0; 32]));
    let mut anchored = None;
    let mut faults: Vec<String> = Vec::new();
    let mut ended = false;
    loop {
        let mut line = Vec::new();
        let limit = (LARGE_BYTES_MAX as u64).saturating_add(1);
        if (&mut lines).take(limit).read_until(b'\n', &mut line).map_err(unread)? == 0 {
            break;
        }
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        if ended {
            faults.push(format!("something follows the end after entry {no}"));
            break;
        }
        if let Ok(End { head }) = serde_json::from_slice(line) {
            ended = true;
            if (head.no, head.hash) != (no, hash) {
                faults.push(format!(
                    "the end names entry {} with {}, the entries end with {no} and {hash}",
                    head.no, head.hash
                ));
            }
            continue;
        }
        match serde_json::from_slice::<Entry>(line) {
            Err(fault) => {
                faults.push(format!("the line after entry {no} is no entry ({})", clean(&fault.to_string())));
                break;
            }
            Ok(entry) if entry.no != no + 1 => {
                faults.push(format!("entry {} follows entry {no}", entry.no));
                break;
            }
            Ok(entry) if entry.prev != hash => {
                faults.push(format!(
                    "entry {} does not continue the entry before it: one of the two was altered",
                    entry.no
                ));
                break;
            }
            Ok(entry) => {
                (no, hash) = (entry.no, sha256(line));
                anchored = anchored.or(Some(no).filter(|_| anchor == Some(hash)));
            }
        }
    }
    if !ended && faults.is_empty() {
        faults.push(format!("the export ends after entry {no} without its last line: something is missing"));
    }
    faults.extend(anchor.filter(|_| anchored.is_none()).map(crate::engine::replay::unanchored));
    Ok(json!({"entries": no, "anchor": hash, "anchored": anchored, "faults": faults}))
}
