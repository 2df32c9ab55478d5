//! `annai queue watch`: the queue of a running daemon, looked at again and again. On a terminal every look replaces the one
//! before; into a file or a pipe they follow each other, as JSON one line each.

use super::ask::{Desk, items, print, print_json, text, when};
use super::queue::rows;
use super::{CliError, table};
use crate::daemon::control::Request;
use crate::engine::views::{RowFilter, words};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

/// Rows shown where no terminal says how many fit.
const ROWS_DEFAULT: usize = 20;
/// Lines above and below the rows.
const FRAME_LINES: usize = 8;
/// Cursor to the top left, the rest of the screen empty (ECMA-48: CUP, ED).
const CLEAR: &str = "\x1b[H\x1b[2J";

pub(super) fn run(desk: &mut Desk, seconds: u64, times: Option<u64>) -> Result<ExitCode, CliError> {
    if !desk.is_live() {
        return Err(CliError::Failed("no daemon is running, so nothing moves; use `annai queue`".to_owned()));
    }
    let mut looked = 0;
    loop {
        look(desk)?;
        looked += 1;
        if times.is_some_and(|times| looked >= times) {
            return Ok(ExitCode::SUCCESS);
        }
        pause(seconds);
    }
}

#[expect(clippy::disallowed_methods, reason = "a person looks on, in real seconds; no event waits for this")]
fn pause(seconds: u64) {
    std::thread::sleep(Duration::from_secs(seconds));
}

fn look(desk: &mut Desk) -> Result<(), CliError> {
    let size = table::size();
    let limit = size.map_or(ROWS_DEFAULT, |(_, lines)| lines.saturating_sub(FRAME_LINES).max(1));
    let status = desk.ask(&Request::Status)?;
    let queue = desk.ask(&Request::Queue { filter: RowFilter::default(), after: None, limit })?;
    if desk.is_json() {
        return print_json(&json!({"status": status, "queue": queue.get("items")}));
    }
    let clear = if size.is_some() { CLEAR } else { "" };
    print(&format!("{clear}{}", frame(&status, &queue)))
}

fn frame(status: &Value, queue: &Value) -> String {
    let n = |pointer: &str| text(status, pointer);
    let mut out =
        format!("{}　要確認 {}件　結果不明 {}通", when(status, "/now"), n("/matters/open"), n("/unknown_outcomes"));
    let late = status.get("late_seconds").and_then(Value::as_i64).unwrap_or_default() / 60;
    if late > 0 {
        let _ = write!(out, "　遅れ {late}分");
    }
    let counts = words::DELIVERY.iter().map(|(code, word)| (word, n(&format!("/outbox/{code}"))));
    let counts: Vec<_> =
        counts.filter(|(_, count)| count != "0").map(|(word, count)| format!("{word} {count}")).collect();
    let _ = writeln!(out, "\n{}", counts.join("　"));
    for (name, what) in [("imap_trouble", "受信の障害"), ("smtp_trouble", "送信の障害")] {
        match n(&format!("/daemon/{name}/what")) {
            none if none.is_empty() => {}
            trouble => _ = writeln!(out, "{what}：{trouble}"),
        }
    }
    let _ = writeln!(out, "次の送信 {}\n", when(status, "/next_due"));
    if items(queue, "/items").next().is_none() {
        out.push_str("送信待ちのメールはありません\n");
    } else {
        out.push_str(&rows(queue, "/items"));
    }
    out
}
