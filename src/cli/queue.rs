//! `annai queue`: letters on their way out, and what staff may do with one.

use super::args::{Part, QueueArgs, QueueVerb};
use super::ask::{Desk, items, labelled, more, text, when};
use super::table::{Align, Table, Tint};
use super::{Cli, CliError, clean};
use crate::daemon::control::Request;
use crate::domain::RowNo;
use crate::engine::staff::Verb;
use crate::engine::views::{HistoryOf, RowFilter};
use serde_json::Value;
use std::fmt::Write as _;
use std::process::ExitCode;

/// Most lines of history under one letter.
const HISTORY_MAX: u32 = 200;
const FIRST: Part<u64> = Part { limit: 100, after: None };

pub(super) fn run(args: &QueueArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    let mut desk = Desk::open(cli)?;
    if let Some(QueueVerb::Watch { seconds, times }) = &args.verb {
        return super::watch::run(&mut desk, *seconds, *times);
    }
    let done = |letter: &Value| format!("送信{}：{}", text(letter, "/row"), text(letter, "/state_name"));
    match &args.verb {
        Some(QueueVerb::Watch { .. }) => Ok(ExitCode::SUCCESS),
        None => list(&mut desk, &RowFilter::default(), &FIRST),
        Some(QueueVerb::List { state, tenant, all, part }) => {
            list(&mut desk, &RowFilter { state: state.clone(), tenant: *tenant, all: *all }, part)
        }
        Some(QueueVerb::Show { row }) => show(&mut desk, RowNo(*row)),
        Some(QueueVerb::Hold { row, reason }) => {
            desk.act(Verb::Hold { row: RowNo(*row), reason: reason.clone() }, done)
        }
        Some(QueueVerb::Release { row }) => desk.act(Verb::Release { row: RowNo(*row) }, done),
        Some(QueueVerb::Retry { row }) => desk.act(Verb::Retry { row: RowNo(*row) }, done),
        Some(QueueVerb::Withdraw { row, reason }) => {
            desk.act(Verb::Withdraw { row: RowNo(*row), reason: reason.clone() }, done)
        }
    }
}

fn list(desk: &mut Desk, filter: &RowFilter, part: &Part<u64>) -> Result<ExitCode, CliError> {
    let list = desk.list(part.limit, part.after.map(|row| row.to_string()), |after, limit| Request::Queue {
        filter: filter.clone(),
        after: after.and_then(|row| row.parse().ok()).map(RowNo),
        limit,
    })?;
    desk.print(&list, |list| rows(list, "/items") + &more(list))
}

/// Letters as a table.
pub(super) fn rows(value: &Value, pointer: &str) -> String {
    let mut table = Table::new(&[
        ("送信", Align::Right),
        ("状態", Align::Left),
        ("日時", Align::Left),
        ("種類", Align::Left),
        ("利用機関", Align::Left),
        ("宛先", Align::Left),
        ("理由", Align::Left),
    ]);
    for row in items(value, pointer) {
        let about = match text(row, "/tenant") {
            tenant if tenant.is_empty() => format!("メール{}", text(row, "/mail")),
            tenant => tenant,
        };
        let (state, letter) = (text(row, "/state_name"), text(row, "/letter_name"));
        let tint = match text(row, "/state").as_str() {
            "held" | "unknown" | "bounced" | "refused" => Tint::Red,
            "deferred" => Tint::Yellow,
            _ => Tint::Plain,
        };
        table.tinted(
            tint,
            [text(row, "/row"), state, when(row, "/at"), letter, about, text(row, "/to"), text(row, "/why")],
        );
    }
    table.to_string()
}

fn show(desk: &mut Desk, row: RowNo) -> Result<ExitCode, CliError> {
    let mut letter = desk.ask(&Request::Letter { row })?;
    let history = desk.list(HISTORY_MAX, None, |after, limit| Request::History {
        of: HistoryOf::Row(row),
        after: after.and_then(|no| no.parse().ok()),
        limit,
    })?;
    if let Some(object) = letter.as_object_mut() {
        object.insert("history".to_owned(), history.get("items").cloned().unwrap_or_default());
    }
    desk.print(&letter, human)
}

fn human(letter: &Value) -> String {
    let mut out = labelled([
        ("送信", text(letter, "/row")),
        ("種類", text(letter, "/letter_name")),
        ("件名", text(letter, "/subject")),
        ("宛先", text(letter, "/to")),
        ("利用機関", text(letter, "/tenant")),
        ("元のメール", text(letter, "/mail")),
        ("状態", format!("{} {}", text(letter, "/state_name"), when(letter, "/at"))),
        ("理由", text(letter, "/why")),
        ("試行", text(letter, "/attempts")),
        ("作成", when(letter, "/created")),
        ("Message-ID", text(letter, "/message_id")),
    ]);
    out.push_str("\n経過\n");
    out.push_str(&history(letter, "/history"));
    out.push('\n');
    for part in ["/header", "/body"] {
        for line in letter.pointer(part).and_then(Value::as_str).into_iter().flat_map(str::lines) {
            let _ = writeln!(out, "  {}", clean(line));
        }
        out.push('\n');
    }
    if letter.get("sealed").and_then(Value::as_bool) == Some(true) {
        out.push_str("  （本文は封印されています。秘密を含むため表示しません）\n");
    }
    out
}

/// History lines as a table.
pub(super) fn history(value: &Value, pointer: &str) -> String {
    let mut table =
        Table::new(&[("行", Align::Right), ("日時", Align::Left), ("誰が", Align::Left), ("内容", Align::Left)]);
    for line in items(value, pointer) {
        let mut first = Some((text(line, "/no"), when(line, "/at"), text(line, "/actor")));
        for sentence in items(line, "/text") {
            let (no, at, who) = first.take().unwrap_or_default();
            table.row([no, at, who, text(sentence, "")]);
        }
    }
    table.to_string()
}
