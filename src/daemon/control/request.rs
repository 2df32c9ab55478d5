//! What may be asked of annai, the same over the socket and on the closed store: one closed enum, one function.

use crate::daemon::assembly;
use crate::domain::{Date, LgCode, MailNo, RowNo, Secret, TenantId};
use crate::engine::records::MatterNo;
use crate::engine::retest;
use crate::engine::staff::Verb;
use crate::engine::views::{HistoryOf, RowFilter, TenantFilter};
use crate::engine::{Engine, EngineError};
use crate::health::Vitals;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// One question or order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "request", deny_unknown_fields)]
pub enum Request {
    Status,
    /// The CA, with its certificates and revocation lists as PEM.
    Authority,
    /// Makes every revocation list anew.
    RenewLists,
    /// Takes over user ids and passwords from a CSV file; the path is absolute.
    ImportAccounts {
        path: PathBuf,
    },
    /// User ids with hashes of their passwords.
    Accounts {
        after: Option<TenantId>,
        limit: usize,
    },
    Queue {
        filter: RowFilter,
        after: Option<RowNo>,
        limit: usize,
    },
    Letter {
        row: RowNo,
    },
    Matters {
        after: Option<MatterNo>,
        limit: usize,
    },
    Mail {
        mail: MailNo,
        /// The authority it would be taken over for, if the mail does not say.
        authority: Option<LgCode>,
    },
    /// Which domains are known for which authority.
    Domains {
        authority: Option<LgCode>,
    },
    /// What the sender of a mail in review would be asked.
    Draft {
        mail: MailNo,
    },
    Tenants {
        filter: TenantFilter,
        after: Option<TenantId>,
        limit: usize,
    },
    Tenant {
        id: TenantId,
    },
    History {
        of: HistoryOf,
        after: Option<u64>,
        limit: usize,
    },
    Forecast {
        until: Option<Date>,
    },
    /// What other rules would make of the stored mails; the directory's path is absolute, `None`: the built-in rules.
    Retest {
        rules: Option<PathBuf>,
        after: Option<MailNo>,
    },
    JournalTail {
        count: usize,
    },
    Verify,
    /// Writes the journal into a new file; the path is absolute.
    Export {
        path: PathBuf,
    },
    /// Writes everything into a new file; the path is absolute.
    Backup {
        path: PathBuf,
    },
    /// Who does it is never part of the request: see [`Caller`].
    Act {
        act: Verb,
    },
}

/// Days a forecast looks ahead unless it is told how far.
pub const FORECAST_DAYS: u32 = 30;

/// Who asks, as the system says, and what the daemon knows about itself.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// Unix user.
    pub who: String,
    pub vitals: Option<Vitals>,
}

/// Answers a request. What it changed is durable with the next commit, not before.
pub fn answer(engine: &mut Engine, caller: &Caller, request: &Request) -> Result<Value, EngineError> {
    match request {
        Request::Status => value(engine.status(caller.vitals.clone())?),
        Request::Authority => value(engine.authority_view()?),
        Request::RenewLists => {
            engine.renew_crls(&caller.who)?;
            value(engine.crl_states()?)
        }
        Request::ImportAccounts { path } => {
            Ok(json!({"file": path, "accounts": import(engine, caller, absolute(path)?)?}))
        }
        Request::Accounts { after, limit } => value(engine.export_accounts(&caller.who, *after, *limit)?),
        Request::Queue { filter, after, limit } => value(engine.queue(filter, *after, *limit)?),
        Request::Letter { row } => value(engine.letter(*row)?),
        Request::Matters { after, limit } => value(engine.open_matters(*after, *limit)?),
        Request::Mail { mail, authority } => value(engine.mail(*mail, *authority)?),
        Request::Domains { authority } => value(engine.domains(*authority)?),
        Request::Draft { mail } => value(engine.draft(*mail)?),
        Request::Tenants { filter, after, limit } => value(engine.tenants(filter, *after, *limit)?),
        Request::Tenant { id } => value(engine.tenant(*id)?),
        Request::History { of, after, limit } => value(engine.history(*of, *after, *limit)?),
        Request::Forecast { until } => {
            let until = until.unwrap_or_else(|| engine.now().date().plus_days(FORECAST_DAYS));
            value(engine.forecast(until)?)
        }
        Request::Retest { rules, after } => {
            let dir = rules.as_deref().map(absolute).transpose()?;
            let rules = assembly::rules(dir).map_err(|faults| EngineError::Input(faults.to_string()))?;
            value(engine.retest(&rules, *after, retest::MAILS_MAX)?)
        }
        Request::JournalTail { count } => value(engine.journal_tail(*count)?),
        Request::Verify => value(engine.audit()?),
        Request::Export { path } => {
            let head = engine.export_journal(absolute(path)?)?;
            Ok(json!({"file": path, "entries": head.no, "anchor": head.hash}))
        }
        Request::Backup { path } => {
            let summary = engine.backup(absolute(path)?)?;
            Ok(json!({
                "file": path, "rows": summary.rows, "sha256": summary.digest,
                "journal": {"no": summary.head.no, "hash": summary.head.hash},
            }))
        }
        Request::Act { act } => {
            engine.act(&caller.who, act)?;
            after(engine, act)
        }
    }
}

/// How what was acted on stands now.
fn after(engine: &Engine, act: &Verb) -> Result<Value, EngineError> {
    match act {
        Verb::Accept { mail, .. }
        | Verb::AcceptEdited { mail, .. }
        | Verb::Reject { mail, .. }
        | Verb::AskSender { mail }
        | Verb::WriteToSender { mail, .. }
        | Verb::Reread { mail } => value(engine.item(*mail)?),
        Verb::ApproveDomain { authority, .. } | Verb::ForgetDomain { authority, .. } => {
            value(engine.domains(Some(*authority))?)
        }
        Verb::Close { matter, .. } => Ok(json!({"matter": matter, "closed": true})),
        Verb::Hold { row, .. } | Verb::Release { row } | Verb::Retry { row } | Verb::Withdraw { row, .. } => {
            value(engine.letter(*row)?)
        }
        Verb::Reissue { tenant, .. }
        | Verb::Cancel { tenant, .. }
        | Verb::Revoke { tenant, .. }
        | Verb::RenewCredentials { tenant, .. } => value(engine.tenant(*tenant)?),
    }
}

/// Reads the list here, so that no password passes through the socket.
fn import(engine: &mut Engine, caller: &Caller, path: &Path) -> Result<usize, EngineError> {
    let text = Secret::new(crate::config::read_list(path).map_err(|fault| EngineError::Input(fault.to_string()))?);
    let accounts = crate::rules::accounts::parse(&path.display().to_string(), text.reveal())
        .map_err(|faults| EngineError::Input(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))?;
    engine.import_accounts(&caller.who, &accounts)
}

fn absolute(path: &Path) -> Result<&Path, EngineError> {
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(EngineError::Input(format!("the daemon runs in another directory: {} is no absolute path", path.display())))
    }
}

fn value(view: impl Serialize) -> Result<Value, EngineError> {
    serde_json::to_value(view).map_err(|fault| EngineError::Record(fault.to_string()))
}
