//! `annai tenant`: the directory, one tenant's history, and what staff may do with its certificate.

use super::args::{DomainsArgs, Part, ReissueArgs, ReissueReason, RevocationReason, TenantArgs, TenantVerb};
use super::ask::{Desk, items, labelled, more, text, when};
use super::queue::{history, rows};
use super::table::{Align, Table};
use super::{Cli, CliError};
use crate::daemon::control::Request;
use crate::domain::TenantId;
use crate::engine::staff::Verb;
use crate::engine::views::{HistoryOf, TenantFilter};
use crate::workflow;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::ExitCode;

/// Most tenants one bulk re-issue takes.
const BULK_MAX: u32 = 100_000;

pub(super) fn run(args: &TenantArgs, cli: &Cli) -> Result<ExitCode, CliError> {
    let mut desk = Desk::open(cli)?;
    match &args.verb {
        None => list(&mut desk, &TenantFilter::default(), &Part { limit: 100, after: None }),
        Some(TenantVerb::List { state, find, part }) => {
            list(&mut desk, &TenantFilter { state: state.clone(), find: find.clone() }, part)
        }
        Some(TenantVerb::Show { id }) => desk.show(&Request::Tenant { id: *id }, human),
        Some(TenantVerb::History { id, part }) => {
            let list = lines_of(&mut desk, *id, part)?;
            desk.print(&list, |list| history(list, "/items") + &more(list))
        }
        Some(TenantVerb::Reissue(args)) => reissue(&mut desk, args),
        Some(TenantVerb::Domains(args)) => domains(&mut desk, args),
        Some(TenantVerb::Cancel { ids, reason, apply }) => {
            let bulk = Bulk { ids, dry_run: !apply && ids.len() > 1, word: "取消" };
            one_or_each(&mut desk, &bulk, |tenant| Verb::Cancel { tenant, reason: reason.clone() })
        }
        Some(TenantVerb::Revoke { ids, reason, apply }) => {
            let bulk = Bulk { ids, dry_run: !apply && ids.len() > 1, word: "失効" };
            one_or_each(&mut desk, &bulk, |tenant| Verb::Revoke { tenant, reason: (*reason).into() })
        }
        Some(TenantVerb::RenewCredentials { id, reason }) => {
            desk.act(Verb::RenewCredentials { tenant: *id, reason: reason.clone() }, done)
        }
        Some(TenantVerb::ImportCredentials { file }) => super::credentials::import(&mut desk, file),
        Some(TenantVerb::Export { credentials: _, file }) => {
            super::credentials::export(&mut desk, file.as_deref(), cli.json)
        }
    }
}

/// The history of one tenant.
pub(super) fn lines_of(desk: &mut Desk, id: TenantId, part: &Part<u64>) -> Result<Value, CliError> {
    desk.list(part.limit, part.after.map(|no| no.to_string()), |after, limit| Request::History {
        of: HistoryOf::Tenant(id),
        after: after.and_then(|no| no.parse().ok()),
        limit,
    })
}

pub(super) fn ask_list(desk: &mut Desk, filter: &TenantFilter, part: &Part<TenantId>) -> Result<Value, CliError> {
    desk.list(part.limit, part.after.map(|id| id.to_string()), |after, limit| Request::Tenants {
        filter: filter.clone(),
        after: after.and_then(|id| id.parse().ok()),
        limit,
    })
}

fn list(desk: &mut Desk, filter: &TenantFilter, part: &Part<TenantId>) -> Result<ExitCode, CliError> {
    let list = ask_list(desk, filter, part)?;
    desk.print(&list, |list| {
        let mut table = Table::new(&[
            ("番号", Align::Left),
            ("名称", Align::Left),
            ("証明書", Align::Left),
            ("取得期限", Align::Left),
            ("ユーザID", Align::Left),
            ("メールアドレス", Align::Left),
        ]);
        for tenant in items(list, "/items") {
            table.row(
                ["/id", "/name", "/state_name", "/deadline", "/credential_name", "/address"].map(|p| text(tenant, p)),
            );
        }
        table.to_string() + &more(list)
    })
}

fn human(tenant: &Value) -> String {
    let mut out = labelled([
        ("番号", text(tenant, "/id")),
        ("名称", text(tenant, "/name")),
        ("自治体", text(tenant, "/authority")),
        ("メールアドレス", text(tenant, "/address")),
        ("登録", format!("メール{}（{}）", text(tenant, "/provenance/mail"), when(tenant, "/provenance/since"))),
        ("疎通確認", text(tenant, "/welcome_name")),
        ("証明書", text(tenant, "/state_name")),
        ("取得期限", text(tenant, "/deadline")),
        ("ユーザID・パスワード", text(tenant, "/credential_name")),
        ("次の処理", when(tenant, "/next_wake")),
    ]);
    for generation in items(tenant, "/generations") {
        let _ = writeln!(
            out,
            "第{}回（{}）：{}",
            text(generation, "/generation"),
            text(generation, "/cause_name"),
            text(generation, "/state_name")
        );
    }
    let _ = write!(out, "\n{}", rows(tenant, "/letters"));
    out
}

/// Shows what is known, after the change if one is asked for.
fn domains(desk: &mut Desk, args: &DomainsArgs) -> Result<ExitCode, CliError> {
    let reason = args.reason.clone().unwrap_or_default();
    let request = match (args.authority, &args.approve, &args.forget) {
        (Some(authority), Some(domain), _) => {
            Request::Act { act: Verb::ApproveDomain { authority, domain: domain.clone(), reason } }
        }
        (Some(authority), None, Some(domain)) => {
            Request::Act { act: Verb::ForgetDomain { authority, domain: domain.clone(), reason } }
        }
        (authority, ..) => Request::Domains { authority },
    };
    desk.show(&request, |known| {
        let mut table = Table::new(&[
            ("自治体", Align::Left),
            ("ドメイン", Align::Left),
            ("確認", Align::Left),
            ("確認者", Align::Left),
            ("メール", Align::Right),
        ]);
        for domain in items(known, "") {
            let (authority, name) = (text(domain, "/authority"), text(domain, "/domain"));
            table.row([authority, name, when(domain, "/since"), text(domain, "/by"), text(domain, "/mail")]);
        }
        table.to_string()
    })
}

/// What is done to several tenants.
struct Bulk<'a> {
    ids: &'a [TenantId],
    /// Show only.
    dry_run: bool,
    /// 再発行, 取消, 失効.
    word: &'static str,
}

pub(super) fn reissue(desk: &mut Desk, args: &ReissueArgs) -> Result<ExitCode, CliError> {
    let ids: Vec<TenantId> = if args.expired {
        let filter = TenantFilter { state: Some("expired".to_owned()), find: None };
        let list = ask_list(desk, &filter, &Part { limit: BULK_MAX, after: None })?;
        items(&list, "/items").filter_map(|tenant| text(tenant, "/id").parse().ok()).collect()
    } else {
        args.ids.clone()
    };
    let two_persons = desk.ask(&Request::Accounts)?.get("two_persons_since").is_some_and(|since| !since.is_null());
    if two_persons && ids.len() > 1 && !args.dry_run() {
        // As one act, because it is asked for and approved as one.
        let act = Verb::ReissueMany { tenants: ids, reason: args.reason.into() };
        return desk.act(act, |done| format!("{}機関の証明書を再発行しました", items(done, "/tenants").count()));
    }
    let bulk = Bulk { ids: &ids, dry_run: args.dry_run(), word: "再発行" };
    each(desk, &bulk, |tenant| Verb::Reissue { tenant, reason: args.reason.into() })
}

/// One tenant is answered for itself, several in a table.
fn one_or_each(desk: &mut Desk, bulk: &Bulk<'_>, act: impl Fn(TenantId) -> Verb) -> Result<ExitCode, CliError> {
    match bulk.ids {
        [id] => desk.act(act(*id), done),
        _ => each(desk, bulk, act),
    }
}

fn done(tenant: &Value) -> String {
    format!("{} {}：{}", text(tenant, "/id"), text(tenant, "/name"), text(tenant, "/state_name"))
}

/// One or many; every one is tried, and each outcome told.
fn each(desk: &mut Desk, bulk: &Bulk<'_>, act: impl Fn(TenantId) -> Verb) -> Result<ExitCode, CliError> {
    let Bulk { ids, dry_run, word } = *bulk;
    let mut failed = 0_usize;
    let mut results = Vec::new();
    for id in ids {
        let asked =
            if dry_run { desk.ask(&Request::Tenant { id: *id }) } else { desk.ask(&Request::Act { act: act(*id) }) };
        results.push(match asked {
            Ok(tenant) => json!({
                "id": id, "ok": true, "name": tenant.get("name"), "generation": tenant.get("generation"),
                "state": tenant.get("state"),
            }),
            Err(fault @ (CliError::Failed(_) | CliError::Usage(_) | CliError::Faults(_))) => {
                failed += 1;
                json!({"id": id, "ok": false, "error": fault.to_string()})
            }
            Err(CliError::Closed) => return Err(CliError::Closed),
        });
    }
    let report = json!({"dry_run": dry_run, "done": ids.len() - failed, "failed": failed, "tenants": results});
    desk.print(&report, |report| outcomes(report, word))?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn outcomes(report: &Value, word: &str) -> String {
    let mut table = Table::new(&[("番号", Align::Left), ("名称", Align::Left), ("結果", Align::Left)]);
    let dry = report.get("dry_run").and_then(Value::as_bool) == Some(true);
    for tenant in items(report, "/tenants") {
        let outcome = match text(tenant, "/error") {
            fault if !fault.is_empty() => fault,
            _ if dry => format!("{word}の対象（現在 {}）", text(tenant, "/state")),
            _ => format!("{word}しました（第{}回）", text(tenant, "/generation")),
        };
        table.row([text(tenant, "/id"), text(tenant, "/name"), outcome]);
    }
    let verdict = if dry {
        "確認のみです。実行するには --apply を付けてください。".to_owned()
    } else {
        format!("成功 {}、失敗 {}", text(report, "/done"), text(report, "/failed"))
    };
    format!("{table}{verdict}\n")
}

impl From<ReissueReason> for workflow::ReissueReason {
    fn from(reason: ReissueReason) -> Self {
        match reason {
            ReissueReason::Lost => Self::Lost,
            ReissueReason::TerminalReplaced => Self::TerminalReplaced,
            ReissueReason::Expired => Self::Expired,
            ReissueReason::WrongTerminal => Self::WrongTerminal,
            ReissueReason::AddressChanged => Self::AddressChanged,
        }
    }
}

impl From<RevocationReason> for workflow::RevocationReason {
    fn from(reason: RevocationReason) -> Self {
        match reason {
            RevocationReason::KeyCompromise => Self::KeyCompromise,
            RevocationReason::Superseded => Self::Superseded,
            RevocationReason::CessationOfOperation => Self::CessationOfOperation,
        }
    }
}
