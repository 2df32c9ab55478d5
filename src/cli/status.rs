//! `annai status`: where everything stands, in numbers; what needs a person first.

use super::ask::{Desk, labelled, text, when};
use super::table::{Align, Table};
use super::{Cli, CliError};
use crate::daemon::control::Request;
use crate::engine::records::Disposition;
use crate::engine::views::words;
use serde_json::Value;
use std::process::ExitCode;

pub(super) fn run(cli: &Cli) -> Result<ExitCode, CliError> {
    Desk::open(cli)?.show(&Request::Status, human)
}

fn human(status: &Value) -> String {
    let n = |pointer: &str| text(status, pointer);
    let running = status.get("daemon").is_some_and(|daemon| !daemon.is_null());
    let trouble = |name: &str| match text(status, &format!("/daemon/{name}/what")) {
        what if what.is_empty() => what,
        what => format!("{what}（{} から）", when(status, &format!("/daemon/{name}/since"))),
    };
    let mut out = labelled([
        ("現在", when(status, "/now")),
        ("デーモン", (if running { "動作中" } else { "停止中" }).to_owned()),
        ("受信の障害", trouble("imap_trouble")),
        ("送信の障害", trouble("smtp_trouble")),
        ("規則・文面の再読込の失敗", n("/daemon/reload_trouble")),
        ("要確認", format!("{} 件", n("/matters/open"))),
        ("最も古い要確認", when(status, "/matters/oldest")),
        ("結果不明の送信", format!("{} 件", n("/unknown_outcomes"))),
        ("送信の遅れ", late(status)),
        ("次の送信", when(status, "/next_due")),
        ("次の処理", when(status, "/next_wake")),
        ("最後の受信確認", when(status, "/daemon/polled")),
        ("受信箱", reconciliation(status)),
        ("登録した自治体", format!("{}／{}", n("/rules/registered"), n("/rules/authorities"))),
        ("監査証跡", format!("{} 行（{}）", n("/journal/no"), n("/journal/hash").chars().take(16).collect::<String>())),
    ]);
    let mut table = Table::new(&[("区分", Align::Left), ("件数", Align::Right), ("状態", Align::Left)]);
    let groups: [(&str, &str, &[words::Word]); 4] = [
        ("受信メール", "mails", &Disposition::WORDS),
        ("利用機関（証明書）", "tenants", &words::ENROLMENT),
        ("利用機関（ユーザID）", "credentials", &words::CREDENTIAL),
        ("送信メール", "outbox", &words::DELIVERY),
    ];
    for (title, group, known) in groups {
        for (code, word) in known {
            let count = text(status, &format!("/{group}/{code}"));
            if count != "0" {
                table.row([title.to_owned(), count, format!("{word}（{code}）")]);
            }
        }
    }
    out.push('\n');
    out.push_str(&table.to_string());
    out
}

fn late(status: &Value) -> String {
    match status.get("late_seconds").and_then(Value::as_i64) {
        None | Some(0) => String::new(),
        Some(seconds) => format!("{} 分", seconds / 60),
    }
}

/// Mails in the mailbox against mails filed.
fn reconciliation(status: &Value) -> String {
    let filed = text(status, "/mailbox/filed");
    match text(status, "/daemon/mailbox/in_mailbox") {
        present if present.is_empty() => format!("処理済み {filed} 通"),
        present => format!("{present} 通のうち処理済み {} 通", text(status, "/daemon/mailbox/filed")),
    }
}
