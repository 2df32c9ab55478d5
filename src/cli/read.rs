//! `annai read`: what the daemon would make of a mail, without doing anything. With `--json` one object per file and
//! line, in the order given (DESIGN §7). Whatever the bytes, no file loses its line and none stops the others: each
//! mail is read on a thread with a large stack, and a fault of ours becomes an object that sends the mail to a person.

use super::args::ReadArgs;
use super::screen::Screen;
use super::side::{Mark, Note, side_by_side};
use super::table::{clean, json_line};
use super::{Cli, CliError, report};
use crate::domain::MailAddress;
use crate::reading::evidence::{self, Acquaintance};
use crate::reading::findings::{Finding, findings};
use crate::reading::{self, FailureClass, Kind, Reading};
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

/// How a reading is told.
#[derive(Debug, Clone, Copy)]
enum Show {
    Json,
    Fixture,
    Human(Screen),
}

/// One file's answer: the line or block to print, and what to say if the file itself could not be read.
struct Answer {
    text: String,
    unreadable: Option<String>,
}

pub(super) fn run(args: &ReadArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    let rules = cli.rules_or_built_in(args.rules.as_deref())?;
    let show = if cli.json { Show::Json } else { Show::Human(Screen::stdout()) };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut failed = false;
    for batch in args.files.chunks(BATCH_FILES) {
        for answer in read_batch(batch, &rules, show) {
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
fn read_batch(files: &[PathBuf], rules: &Rules, show: Show) -> Vec<Answer> {
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(Vec::with_capacity(files.len()));
    let work = || {
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = files.get(i) else { break };
            let answer = read_file(file, rules, show);
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

/// What a fixture may state of a mail: the contract's object, and what decides about answers and bounces besides.
fn fixture(name: &str, reading: &Reading) -> Value {
    let mut object = reading.to_json(name);
    if let Some(members) = object.as_object_mut() {
        members.insert("machine_sign".to_owned(), reading.head.machine_sign.clone().into());
        members.insert("failed_message_id".to_owned(), reading.failed_message_id.clone().into());
    }
    object
}

/// The JSON objects of some files, in their order, as fixtures state them.
pub(super) fn read_json(files: &[PathBuf], rules: &Rules) -> Vec<Value> {
    let batches = files.chunks(BATCH_FILES).flat_map(|batch| read_batch(batch, rules, Show::Fixture));
    batches.map(|answer| serde_json::from_str(&answer.text).unwrap_or_default()).collect()
}

fn read_file(file: &Path, rules: &Rules, show: Show) -> Answer {
    let name = file.to_string_lossy();
    let (reading, unreadable) = understand(file, rules);
    let text = match show {
        Show::Json => json_line(&reading.to_json(&name)),
        Show::Fixture => fixture(&name, &reading).to_string(),
        Show::Human(screen) => human(&name, &reading, rules, screen),
    };
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

/// For people: what is the matter, who vouches for it, then the mail and its reading side by side.
fn human(name: &str, reading: &Reading, rules: &Rules, screen: Screen) -> String {
    let mut out = format!("── {}\n", clean(name));
    let review = if reading.needs_review() { "必要" } else { "不要" };
    let head = &reading.head;
    let from = head.from.as_ref().map_or("", MailAddress::as_str);
    for (label, value) in [
        ("種別", word(&reading.kind)),
        ("要確認", review.to_owned()),
        ("件名", head.subject.clone().unwrap_or_default()),
        ("差出人", format!("{} {from}", head.from_name.as_deref().unwrap_or_default()).trim().to_owned()),
        ("添付", reading.attachments.join("、")),
    ] {
        if !value.is_empty() {
            let _ = writeln!(out, "{label}：{}", clean(&value));
        }
    }
    if matches!(reading.kind, Kind::Registration | Kind::Correction) {
        // Without the directory nothing is known of the domains: what the mail itself brings along.
        let known = Acquaintance { first: true, ..Acquaintance::default() };
        for piece in evidence::weigh(reading, &known, rules).pieces {
            let _ = writeln!(out, "{} {}：{}", piece.grade.mark(), piece.what.japanese(), clean(&piece.text));
        }
    }
    let mut notes = notes(reading, rules);
    for note in notes.remove(&0).unwrap_or_default() {
        let _ = writeln!(out, "・{}", clean(&note.text));
    }
    let _ = writeln!(out, "\n{}", side_by_side(&reading.body, &notes, screen));
    out
}

/// What was understood, by line of the body; 0 where no line can be named.
fn notes(reading: &Reading, rules: &Rules) -> BTreeMap<usize, Vec<Note>> {
    let mut notes: BTreeMap<usize, Vec<Note>> = BTreeMap::new();
    let shown = |address: Option<&MailAddress>| address.map_or("アドレスなし", MailAddress::as_str).to_owned();
    let last = reading.body.lines().count();
    let mut note = |line: Option<usize>, mark: Mark, text: String| {
        let line = line.filter(|line| (1..=last).contains(line)).unwrap_or(0);
        notes.entry(line).or_default().push(Note { mark, text });
    };
    if let Some(a) = &reading.authority {
        let code = a.code.as_ref().map_or("コード不明", |c| c.as_str());
        note(a.line, Mark::Taken, format!("自治体 {} [{code}] {}", a.name, shown(a.address.as_ref())));
    }
    for c in &reading.centres {
        note(c.line, Mark::Taken, format!("保健所 {} {}", c.name, shown(c.address.as_ref())));
    }
    for w in &reading.warnings {
        note(w.line, Mark::Odd, format!("注意：{}", w.text));
    }
    for Finding { reason, lines } in findings(reading, &reading.reasons, rules) {
        let said = || format!("{} [{}]", reason.sentence(), reason.code());
        if lines.is_empty() {
            note(None, Mark::Doubt, said());
        }
        for line in lines {
            note(Some(line), Mark::Doubt, said());
        }
    }
    for r in &reading.recipients {
        let told = [r.status.as_deref(), r.reason.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        note(None, Mark::Taken, format!("{} {} {told}（{}）", failure(r.class), r.address.as_str(), r.source));
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
