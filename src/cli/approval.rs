//! `annai approval`: what one person asked for and another decides.

use super::args::{ApprovalArgs, ApprovalVerb};
use super::ask::{Desk, items, labelled, text, when};
use super::table::{Align, Table};
use super::{Cli, CliError};
use crate::daemon::control::Request;
use crate::engine::approvals::AskVerb;
use crate::engine::records::AskNo;
use crate::engine::staff::Verb;
use serde_json::Value;
use std::process::ExitCode;

pub(super) fn run(args: &ApprovalArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    let mut desk = Desk::open(cli)?;
    let done = |ask: &Value| format!("申請{}：{}", text(ask, "/no"), text(ask, "/state_name"));
    let verb = match &args.verb {
        None => return list(&mut desk, true, 100),
        Some(ApprovalVerb::List { all, limit }) => return list(&mut desk, !all, *limit),
        Some(ApprovalVerb::Show { request }) => {
            // The list before this number's successor begins with it.
            let request = Request::Asks { waiting: false, after: Some(AskNo(request.0.saturating_add(1))), limit: 1 };
            let found = desk.ask(&request)?;
            let asked = found.pointer("/items/0").cloned().unwrap_or_default();
            return desk.print(&asked, human);
        }
        Some(ApprovalVerb::Approve { request }) => AskVerb::Approve { no: *request },
        Some(ApprovalVerb::Refuse { request, reason }) => AskVerb::Refuse { no: *request, reason: reason.clone() },
        Some(ApprovalVerb::Recall { request }) => AskVerb::Recall { no: *request },
    };
    desk.act(Verb::Ask(verb), done)
}

fn list(desk: &mut Desk, waiting: bool, limit: u32) -> Result<ExitCode, CliError> {
    let list = desk.list(limit, None, |after, limit| Request::Asks {
        waiting,
        after: after.and_then(|no| no.parse().ok()).map(AskNo),
        limit,
    })?;
    desk.print(&list, |list| {
        let mut table = Table::new(&[
            ("申請", Align::Right),
            ("状態", Align::Left),
            ("申請者・決定者", Align::Left),
            ("期限", Align::Left),
            ("内容", Align::Left),
        ]);
        for ask in items(list, "/items") {
            let (no, state, by) = (text(ask, "/no"), text(ask, "/state_name"), text(ask, "/by"));
            table.row([no, state, by, when(ask, "/lapses"), text(ask, "/text")]);
        }
        table.to_string()
    })
}

fn human(ask: &Value) -> String {
    labelled([
        ("申請", text(ask, "/no")),
        ("種類", text(ask, "/act_name")),
        ("内容", text(ask, "/text")),
        ("状態", text(ask, "/state_name")),
        ("申請者・決定者", text(ask, "/by")),
        ("日時", when(ask, "/detail/at")),
        ("理由", text(ask, "/detail/why")),
        ("期限", when(ask, "/lapses")),
    ])
}
