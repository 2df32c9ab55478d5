//! `annai invite`: the invitations to pick a certificate up (notice, password, deadline), one per tenant and generation.
//! The same acts as under `tenant`, seen from the invitation: send a new one, or void it.

use super::args::{InviteArgs, InviteVerb, Part};
use super::ask::{Desk, items, more, text};
use super::table::{Align, Table};
use super::tenant::{ask_list, reissue};
use super::{Cli, CliError};
use crate::domain::TenantId;
use crate::engine::staff::Verb;
use crate::engine::views::TenantFilter;
use std::process::ExitCode;

/// The state looked for where none is named: invited, not picked up.
const OPEN: &str = "open";

pub(super) fn run(args: &InviteArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    let mut desk = Desk::open(cli)?;
    match &args.verb {
        None => list(&mut desk, OPEN, &Part { limit: 100, after: None }),
        Some(InviteVerb::List { state, part }) => list(&mut desk, state.as_deref().unwrap_or(OPEN), part),
        Some(InviteVerb::Reissue(args)) => reissue(&mut desk, args),
        Some(InviteVerb::Cancel { id, reason }) => desk
            .act(Verb::Cancel { tenant: *id, reason: reason.clone() }, |tenant| {
                format!("{} {}：{}", text(tenant, "/id"), text(tenant, "/name"), text(tenant, "/state_name"))
            }),
    }
}

fn list(desk: &mut Desk, state: &str, part: &Part<TenantId>) -> Result<ExitCode, CliError> {
    let filter = TenantFilter { state: Some(state.to_owned()), find: None };
    let list = ask_list(desk, &filter, part)?;
    desk.print(&list, |list| {
        let mut table = Table::new(&[
            ("番号", Align::Left),
            ("名称", Align::Left),
            ("証明書", Align::Left),
            ("回", Align::Right),
            ("取得期限", Align::Left),
            ("メールアドレス", Align::Left),
        ]);
        for tenant in items(list, "/items") {
            table.row(["/id", "/name", "/state_name", "/generation", "/deadline", "/address"].map(|p| text(tenant, p)));
        }
        table.to_string() + &more(list)
    })
}
