//! `annai wave`: letters that leave together.

use super::args::{WaveArgs, WaveVerb as Typed};
use super::ask::{Desk, items, labelled, text, when};
use super::table::{Align, Table};
use super::{Cli, CliError};
use crate::daemon::control::Request;
use crate::domain::RowNo;
use crate::engine::records::WaveNo;
use crate::engine::staff::Verb;
use crate::engine::waves::WaveVerb;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::ExitCode;

pub(super) fn run(args: &WaveArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    let mut desk = Desk::open(cli)?;
    let verb = match &args.verb {
        None | Some(Typed::List) => return list(&mut desk),
        Some(Typed::Show { wave, limit }) => return show(&mut desk, *wave, *limit),
        Some(Typed::Untick { wave, rows }) => return tick(&mut desk, *wave, rows, false),
        Some(Typed::Tick { wave, rows }) => return tick(&mut desk, *wave, rows, true),
        Some(Typed::Plan { letter }) => WaveVerb::Plan { letter: *letter },
        Some(Typed::Release { wave, revision }) => WaveVerb::Release { wave: *wave, revision: *revision },
        Some(Typed::Halt { wave, reason }) => WaveVerb::Halt { wave: *wave, reason: reason.clone() },
        Some(Typed::Withdraw { wave, reason }) => WaveVerb::Withdraw { wave: *wave, reason: reason.clone() },
    };
    desk.act(Verb::Wave(verb), |wave| format!("一斉送信{}：{}", text(wave, "/no"), text(wave, "/state_name")))
}

/// Waves listed at most; `show` knows the older ones by their number.
const LISTED_MAX: u32 = 200;

fn list(desk: &mut Desk) -> Result<ExitCode, CliError> {
    let request = |after: Option<WaveNo>, limit| Request::Waves { after, limit };
    let list =
        desk.list(LISTED_MAX, None, |after, limit| request(after.and_then(|no| no.parse().ok()).map(WaveNo), limit))?;
    let unplanned = desk.ask(&request(None, 1))?.get("unplanned").cloned();
    let both = json!({"waves": list.get("items"), "next": list.get("next"), "unplanned": unplanned});
    desk.print(&both, waves)
}

fn tick(desk: &mut Desk, wave: WaveNo, rows: &[u64], on: bool) -> Result<ExitCode, CliError> {
    let mut now = Value::Null;
    for row in rows {
        let act = Verb::Wave(WaveVerb::Tick { wave, row: RowNo(*row), on });
        now = desk.ask(&Request::Act { act })?;
    }
    desk.print(&now, |now| head(now) + "\n")
}

fn show(desk: &mut Desk, wave: WaveNo, limit: u32) -> Result<ExitCode, CliError> {
    let mut found = Value::Null;
    let list = desk.list(limit, None, |after, limit| Request::Wave {
        wave,
        after: after.and_then(|no| no.parse().ok()).map(RowNo),
        limit,
    })?;
    if wave != WaveNo::NONE {
        found = desk.ask(&Request::Wave { wave, after: None, limit: 1 })?.get("wave").cloned().unwrap_or_default();
    }
    let both = json!({"wave": found, "items": list.get("items"), "next": list.get("next")});
    desk.print(&both, |both| {
        let mut out = both.get("wave").filter(|wave| !wave.is_null()).map(head).unwrap_or_default();
        out.push('\n');
        out.push_str(&letters(both));
        if let Some(wave) = both.get("wave").filter(|wave| matches!(text(wave, "/state").as_str(), "draft" | "stopped"))
        {
            let (no, revision) = (text(wave, "/no"), text(wave, "/revision"));
            let _ = writeln!(out, "\nこの内容で送信を申請：annai wave release {no} --revision {revision}");
        }
        out
    })
}

fn head(wave: &Value) -> String {
    labelled([
        ("一斉送信", text(wave, "/no")),
        ("種類", text(wave, "/letter_name")),
        ("状態", text(wave, "/state_name")),
        ("理由", text(wave, "/detail/why")),
        ("準備", format!("{} {}", when(wave, "/planned"), text(wave, "/by"))),
        ("承認待ちの申請", text(wave, "/ask")),
        ("件数", tally(wave)),
    ])
}

fn tally(wave: &Value) -> String {
    let words = [
        ("waiting", "待機"),
        ("unticked", "対象外"),
        ("out", "送信中"),
        ("left", "送信済み"),
        ("failed", "不達・不明"),
        ("withdrawn", "取下げ"),
    ];
    let count = |name: &str| text(wave, &format!("/tally/{name}"));
    let parts = words.iter().filter(|(name, _)| count(name) != "0");
    parts.map(|(name, word)| format!("{word} {}", count(name))).collect::<Vec<_>>().join("、")
}

fn waves(value: &Value) -> String {
    let mut table = Table::new(&[
        ("一斉送信", Align::Right),
        ("状態", Align::Left),
        ("種類", Align::Left),
        ("準備", Align::Left),
        ("申請", Align::Right),
        ("件数", Align::Left),
    ]);
    for wave in items(value, "/waves") {
        let (no, state, letter) = (text(wave, "/no"), text(wave, "/state_name"), text(wave, "/letter_name"));
        table.row([no, state, letter, when(wave, "/planned"), text(wave, "/ask"), tally(wave)]);
    }
    let mut out = table.to_string();
    for kind in items(value, "/unplanned") {
        let (name, count, code) = (text(kind, "/letter_name"), text(kind, "/count"), text(kind, "/letter"));
        let _ = writeln!(out, "「{name}」{count}通が一斉送信を待っています（annai wave plan {code}）");
    }
    out
}

fn letters(value: &Value) -> String {
    let mut table = Table::new(&[
        ("送信", Align::Right),
        ("状態", Align::Left),
        ("利用機関", Align::Left),
        ("宛先", Align::Left),
        ("件名", Align::Left),
    ]);
    for line in items(value, "/items") {
        let of = |name: &str| text(line, name);
        table.row([of("/row"), of("/member_name"), of("/tenant"), of("/to"), of("/subject")]);
    }
    table.to_string()
}
