//! `annai read`: what the daemon would make of a mail, without doing anything. With `--json` one object per file and
//! line, in the order given (DESIGN §7). Whatever the bytes, no file loses its line and none stops the others: each
//! mail is read on a thread with a large stack, and a fault of ours becomes an object that sends the mail to a person.

use super::args::ReadArgs;
use super::table::{Align, Table, clean, json_line};
use super::{Cli, CliError, report};
use crate::domain::MailAddress;
use crate::reading::{self, FailureClass, Reading};
use crate::rules::Rules;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Longest file taken, in octets; the rest of a longer one is not looked at, and reading says that it is too large.
const FILE_OCTETS_MAX: u64 = 64 * 1024 * 1024;
/// Stack of a reading thread: deeply nested mail uses it up, because the parser recurses.
const STACK_OCTETS: usize = 64 * 1024 * 1024;
/// Files read before their lines are printed; bounds memory and keeps the order.
const BATCH_FILES: usize = 64;
const THREADS_MAX: usize = 8;
/// Lines of body shown beside what was understood.
const BODY_LINES_SHOWN: usize = 40;

/// One file's answer: the line or block to print, and what to say if the file itself could not be read.
struct Answer {
    text: String,
    unreadable: Option<String>,
}

pub(super) fn run(args: &ReadArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    let rules = cli.rules(args.rules.as_deref())?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut failed = false;
    for batch in args.files.chunks(BATCH_FILES) {
        for answer in read_batch(batch, &rules, cli.json) {
            out.write_all(answer.text.as_bytes())?;
            if let Some(why) = answer.unreadable {
                report(&why);
                failed = true;
            }
        }
        out.flush()?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Reads the files on a few threads; answers in the order of the files, one for each.
fn read_batch(files: &[PathBuf], rules: &Rules, json: bool) -> Vec<Answer> {
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(Vec::with_capacity(files.len()));
    let work = || {
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = files.get(i) else { break };
            let answer = read_file(file, rules, json);
            answers.lock().unwrap_or_else(PoisonError::into_inner).push((i, answer));
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let start = || std::thread::Builder::new().stack_size(STACK_OCTETS).spawn_scoped(scope, work).is_ok();
        let started = (0..cores.min(THREADS_MAX).min(files.len())).filter(|_| start()).count();
        if started == 0 {
            work(); // no memory for a thread: better slowly than not at all
        }
    });
    let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    answers.sort_by_key(|(i, _)| *i);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// The JSON objects of some files, in their order.
pub(super) fn read_json(files: &[PathBuf], rules: &Rules) -> Vec<Value> {
    let batches = files.chunks(BATCH_FILES).flat_map(|batch| read_batch(batch, rules, true));
    batches.map(|answer| serde_json::from_str(&answer.text).unwrap_or_default()).collect()
}

fn read_file(file: &Path, rules: &Rules, json: bool) -> Answer {
    let name = file.to_string_lossy();
    let (reading, unreadable) = understand(file, rules);
    let text = if json { json_line(&reading.to_json(&name)) } else { human(&name, &reading) };
    Answer { text, unreadable }
}

/// The reading of a file, and what to say if there was none.
fn understand(file: &Path, rules: &Rules) -> (Reading, Option<String>) {
    let name = file.to_string_lossy();
    match bytes_of(file) {
        Err(e) => (Reading::unreadable(), Some(format!("{name} cannot be read ({e}); give the path of a mail"))),
        Ok(bytes) => (reading::read_safely(&bytes, rules), None),
    }
}

fn bytes_of(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        io::stdin().lock().take(FILE_OCTETS_MAX).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(file)?.take(FILE_OCTETS_MAX).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// For people: the mail's lines on the left, what was understood from each on the right.
fn human(name: &str, reading: &Reading) -> String {
    let mut out = format!("── {}\n", clean(name));
    let reasons: Vec<String> = reading.reasons.iter().map(word).collect();
    let review = if reasons.is_empty() { "不要".to_owned() } else { format!("必要（{}）", reasons.join("、")) };
    let head = &reading.head;
    for (label, value) in [
        ("種別", word(&reading.kind)),
        ("要確認", review),
        ("件名", head.subject.clone().unwrap_or_default()),
        ("差出人", head.from_name.clone().unwrap_or_default()),
        ("添付", reading.attachments.join("、")),
    ] {
        if !value.is_empty() {
            let _ = writeln!(out, "{label}：{}", clean(&value));
        }
    }
    let mut notes = notes(reading);
    for note in notes.remove(&0).unwrap_or_default() {
        let _ = writeln!(out, "  {}", clean(&note));
    }
    let mut table = Table::new(&[("行", Align::Right), ("本文", Align::Left), ("読み取り", Align::Left)]);
    for (i, line) in reading.body.lines().enumerate().take(BODY_LINES_SHOWN) {
        let note = notes.remove(&(i + 1)).unwrap_or_default().join(" ／ ");
        table.row([(i + 1).to_string(), line.to_owned(), note]);
    }
    for (line, note) in notes {
        table.row([line.to_string(), "…".to_owned(), note.join(" ／ ")]);
    }
    let _ = writeln!(out, "{table}");
    out
}

/// What was understood, by line of the body; 0 where no line can be named.
fn notes(reading: &Reading) -> BTreeMap<usize, Vec<String>> {
    let mut notes: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let shown = |address: Option<&MailAddress>| address.map_or("アドレスなし", MailAddress::as_str).to_owned();
    let mut note = |line: Option<usize>, text: String| notes.entry(line.unwrap_or(0)).or_default().push(text);
    if let Some(a) = &reading.authority {
        let code = a.code.as_ref().map_or("コード不明", |c| c.as_str());
        note(a.line, format!("自治体 {} [{code}] {}", a.name, shown(a.address.as_ref())));
    }
    for c in &reading.centres {
        note(c.line, format!("保健所 {} {}", c.name, shown(c.address.as_ref())));
    }
    for w in &reading.warnings {
        note(w.line, format!("注意：{}", w.text));
    }
    for r in &reading.recipients {
        let told = [r.status.as_deref(), r.reason.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        note(None, format!("{} {} {told}（{}）", failure(r.class), r.address.as_str(), r.source));
    }
    notes
}

/// How final a failure is, in a word.
fn failure(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Hard => "不達",
        FailureClass::Soft => "不達（一時的）",
        FailureClass::Delayed => "遅延",
        FailureClass::Unknown => "不達（種別不明）",
    }
}

/// The word a value has in JSON.
fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
