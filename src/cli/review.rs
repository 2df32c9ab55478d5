//! `annai review`: what waits for a person, and their decision.

use super::args::{Part, ReviewArgs, ReviewVerb};
use super::ask::{Desk, items, labelled, more, text, when};
use super::table::{Align, Table};
use super::{Cli, CliError};
use crate::daemon::control::Request;
use crate::domain::MailNo;
use crate::engine::records::MatterNo;
use crate::engine::staff::Verb;
use serde_json::Value;
use std::fmt::Write as _;
use std::process::ExitCode;

const FIRST: Part<u64> = Part { limit: 100, after: None };

pub(super) fn run(args: &ReviewArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    let mut desk = Desk::open(cli)?;
    let done = |mail: &Value| format!("メール{}：{}", text(mail, "/no"), text(mail, "/disposition/disposition"));
    match &args.verb {
        None => list(&mut desk, &FIRST),
        Some(ReviewVerb::List { part }) => list(&mut desk, part),
        Some(ReviewVerb::Show { mail, authority }) => {
            desk.show(&Request::Mail { mail: MailNo(*mail), authority: *authority }, human)
        }
        Some(ReviewVerb::Accept { mail, authority }) => {
            desk.act(Verb::Accept { mail: MailNo(*mail), authority: *authority }, done)
        }
        Some(ReviewVerb::Reject { mail, reason }) => {
            desk.act(Verb::Reject { mail: MailNo(*mail), reason: reason.clone() }, done)
        }
        Some(ReviewVerb::Ask { mail }) => desk.act(Verb::AskSender { mail: MailNo(*mail) }, done),
        Some(ReviewVerb::Reread { mail }) => desk.act(Verb::Reread { mail: MailNo(*mail) }, done),
        Some(ReviewVerb::Close { matter, reason }) => desk
            .act(Verb::Close { matter: *matter, reason: reason.clone() }, |matter| {
                format!("要確認{}を済みとしました", text(matter, "/matter"))
            }),
    }
}

fn list(desk: &mut Desk, part: &Part<u64>) -> Result<ExitCode, CliError> {
    let list = desk.list(part.limit, part.after.map(|no| no.to_string()), |after, limit| Request::Matters {
        after: after.and_then(|no| no.parse().ok()).map(MatterNo),
        limit,
    })?;
    desk.print(&list, |list| matters(list, "/items") + &more(list))
}

fn matters(value: &Value, pointer: &str) -> String {
    let mut table = Table::new(&[
        ("対象", Align::Left),
        ("日時", Align::Left),
        ("差出人", Align::Left),
        ("件名", Align::Left),
        ("内容", Align::Left),
        ("要確認番号", Align::Right),
    ]);
    for matter in items(value, pointer) {
        let about = [("メール", "/mail"), ("送信", "/row"), ("", "/tenant")];
        let about = about.map(|(label, pointer)| (label, text(matter, pointer)));
        let about = about.iter().find(|(_, no)| !no.is_empty()).map(|(label, no)| format!("{label}{no}"));
        let about = about.unwrap_or_default();
        let (from, subject) = (text(matter, "/from"), text(matter, "/subject"));
        table.row([about, when(matter, "/since"), from, subject, text(matter, "/text"), text(matter, "/matter")]);
    }
    table.to_string()
}

fn human(mail: &Value) -> String {
    let reasons: Vec<_> = items(mail, "/reasons").map(|reason| text(reason, "/text")).collect();
    let attachments: Vec<_> = items(mail, "/attachments").map(|name| text(name, "")).collect();
    let mut out = labelled([
        ("メール", text(mail, "/no")),
        ("受信", when(mail, "/filed")),
        ("差出人", text(mail, "/from")),
        ("件名", text(mail, "/subject")),
        ("扱い", text(mail, "/disposition_name")),
        ("自治体", format!("{} {}", text(mail, "/authority_name"), text(mail, "/authority")).trim().to_owned()),
        ("添付", attachments.join("、")),
        ("確認の理由", reasons.concat()),
    ]);
    let mut table = Table::new(&[("行", Align::Right), ("本文", Align::Left), ("読み取り", Align::Left)]);
    for line in items(mail, "/lines") {
        let understood: Vec<_> = items(line, "/understood").map(|note| text(note, "")).collect();
        table.row([text(line, "/no"), text(line, "/text"), understood.join(" ／ ")]);
    }
    let _ = writeln!(out, "\n{table}\n登録した場合の変更");
    let changes = items(mail, "/changes").map(change);
    let changes: Vec<String> = changes.collect();
    if changes.is_empty() {
        let known = mail.get("authority").is_some_and(Value::is_string);
        let none = if known {
            "ありません"
        } else {
            "自治体が決まらないため示せません（--authority CODE で示します）"
        };
        let _ = writeln!(out, "  {none}");
    }
    for change in &changes {
        let _ = writeln!(out, "  {change}");
    }
    if mail.pointer("/matters/0").is_some() {
        let _ = write!(out, "\n{}", matters(mail, "/matters"));
    }
    out
}

fn change(change: &Value) -> String {
    let name = text(change, "/name");
    match text(change, "/change").as_str() {
        "added" => format!("追加　{name} {}", text(change, "/address")),
        _ => format!("変更　{} {name} {} → {}", text(change, "/tenant"), text(change, "/from"), text(change, "/to")),
    }
}
