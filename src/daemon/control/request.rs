//! What may be asked of annai, the same over the socket and on the closed store: one closed enum, one function.

mod after;

use crate::daemon::assembly;
use crate::domain::{Date, Digest, LgCode, MailNo, RowNo, Secret, TenantId};
use crate::engine::approvals::Done;
use crate::engine::jobs::{JobNo, Pace};
use crate::engine::people::Who;
use crate::engine::records::{AskNo, MatterNo, WaveNo};
use crate::engine::retest;
use crate::engine::staff::Verb;
use crate::engine::views::{HistoryOf, RowFilter, TenantFilter, View};
use crate::engine::{Engine, EngineError};
use crate::health::Vitals;
use crate::workflow::rights::{Act, Right};
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
    ExportAccounts {
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
    Verify {
        #[serde(default)]
        anchor: Option<Digest>,
    },
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
    Accounts,
    Sessions,
    /// Acts on many, the newest first.
    Jobs,
    Job {
        no: JobNo,
    },
    /// Halts a job, or takes it up again; on the closed store it goes on when annai is started.
    SteerJob {
        no: JobNo,
        pace: Pace,
    },
    /// Requests for a second person; `waiting`: only those nobody has decided.
    Asks {
        waiting: bool,
        after: Option<AskNo>,
        limit: usize,
    },
    /// Waves, the newest first; and how many letters wait for one.
    Waves {
        after: Option<WaveNo>,
        limit: usize,
    },
    /// One wave and a part of its letters; number 0: those of no wave yet.
    Wave {
        wave: WaveNo,
        after: Option<RowNo>,
        limit: usize,
    },
}

/// A request, and the account that makes it where that is not the local user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Signed {
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    pub order: Request,
}

/// An account's name and password, as typed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    pub name: String,
    pub password: String,
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signature").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Request {
    /// Which right it needs; acts are judged by the engine, one by one.
    pub(super) fn right(&self) -> Option<Act> {
        match self {
            Self::Status
            | Self::Queue { .. }
            | Self::Letter { .. }
            | Self::Matters { .. }
            | Self::Mail { .. }
            | Self::Domains { .. }
            | Self::Draft { .. }
            | Self::Tenants { .. }
            | Self::Tenant { .. }
            | Self::History { .. }
            | Self::Forecast { .. }
            | Self::Retest { .. }
            | Self::JournalTail { .. }
            | Self::Verify { .. }
            | Self::Authority
            | Self::Accounts
            | Self::Sessions
            | Self::Jobs
            | Self::Job { .. }
            | Self::Asks { .. }
            | Self::Waves { .. }
            | Self::Wave { .. } => Some(Act::Look),
            Self::Export { .. } => Some(Act::Export),
            Self::RenewLists => Some(Act::Reissue),
            // What accounts hold is close to a secret: for those who keep backups.
            Self::Backup { .. } | Self::ExportAccounts { .. } | Self::ImportAccounts { .. } => Some(Act::Backup),
            Self::Act { .. } | Self::SteerJob { .. } => None,
        }
    }

    /// Whether it is answered beside the engine's thread.
    pub(super) fn is_beside(&self) -> bool {
        match self {
            Self::Act { .. }
            | Self::Authority
            | Self::RenewLists
            | Self::ImportAccounts { .. }
            | Self::ExportAccounts { .. }
            | Self::Accounts
            | Self::Sessions
            | Self::SteerJob { .. }
            | Self::Asks { .. }
            | Self::Waves { .. }
            | Self::Wave { .. } => false,
            Self::Status
            | Self::Queue { .. }
            | Self::Letter { .. }
            | Self::Matters { .. }
            | Self::Mail { .. }
            | Self::Domains { .. }
            | Self::Draft { .. }
            | Self::Tenants { .. }
            | Self::Tenant { .. }
            | Self::History { .. }
            | Self::Forecast { .. }
            | Self::Retest { .. }
            | Self::JournalTail { .. }
            | Self::Verify { .. }
            | Self::Export { .. }
            | Self::Jobs
            | Self::Job { .. }
            | Self::Backup { .. } => true,
        }
    }
}

/// Days a forecast looks ahead unless it is told how far.
pub const FORECAST_DAYS: u32 = 30;

/// Who asks, as the system says, and what the daemon knows about itself.
#[derive(Debug, Clone)]
pub struct Caller {
    pub who: Who,
    pub vitals: Option<Vitals>,
}

/// Answers a request. What it changed is durable with the next commit, not before.
pub fn answer(engine: &mut Engine, caller: &Caller, request: &Request) -> Result<Value, EngineError> {
    check(engine, &caller.who, request.right())?;
    match request {
        Request::Authority => value(engine.authority_view()?),
        Request::RenewLists => {
            engine.renew_crls(caller.who.name())?;
            value(engine.crl_states()?)
        }
        Request::ImportAccounts { path } => {
            Ok(json!({"file": path, "accounts": import(engine, caller, absolute(path)?)?}))
        }
        Request::ExportAccounts { after, limit } => value(engine.export_accounts(caller.who.name(), *after, *limit)?),
        Request::Act { act } => {
            if matches!(act, Verb::Keys(_)) {
                // It is about what lies in the CA directory now, put there a moment ago perhaps.
                engine.look_at_keys()?;
            }
            match engine.act(caller.who.clone(), act)? {
                Done::Done => after::after(engine, act),
                Done::Asked(no) => Ok(json!({"asked": no, "request": engine.ask(no)?})),
            }
        }
        Request::Accounts => {
            Ok(json!({"accounts": engine.accounts()?, "two_persons_since": engine.two_persons_since()?}))
        }
        Request::Sessions => value(engine.sessions()?),
        Request::SteerJob { no, pace } => {
            engine.steer_job(&caller.who, *no, *pace)?;
            value(engine.view().job_detail(*no)?)
        }
        Request::Asks { waiting, after, limit } => value(engine.asks(*waiting, *after, *limit)?),
        Request::Waves { after, limit } => {
            let page = engine.waves(*after, *limit)?;
            Ok(json!({"items": page.items, "next": page.next, "unplanned": engine.unplanned()?}))
        }
        Request::Wave { wave, after, limit } => {
            let letters = engine.wave_letters(*wave, *after, *limit)?;
            let head = if *wave == WaveNo::NONE { None } else { Some(engine.wave_of(*wave)?) };
            Ok(json!({"wave": head, "items": letters.items, "next": letters.next}))
        }
        Request::Status
        | Request::Queue { .. }
        | Request::Letter { .. }
        | Request::Matters { .. }
        | Request::Mail { .. }
        | Request::Domains { .. }
        | Request::Draft { .. }
        | Request::Tenants { .. }
        | Request::Tenant { .. }
        | Request::History { .. }
        | Request::Forecast { .. }
        | Request::Retest { .. }
        | Request::JournalTail { .. }
        | Request::Verify { .. }
        | Request::Export { .. }
        | Request::Jobs
        | Request::Job { .. }
        | Request::Backup { .. } => ask(&engine.view(), caller, request),
    }
}

/// Whether this person may ask for this at all.
pub(super) fn check(engine: &Engine, who: &Who, right: Option<Act>) -> Result<(), EngineError> {
    match right {
        Some(act) if engine.may(who, act)? != Right::Allowed => Err(engine.forbidden(who, act)),
        Some(_) | None => Ok(()),
    }
}

/// Answers what changes nothing, beside the engine's thread ([`Request::is_beside`]). Blocks for as long as it reads.
pub fn ask(view: &View, caller: &Caller, request: &Request) -> Result<Value, EngineError> {
    match request {
        Request::Status => value(view.status(caller.vitals.clone())?),
        Request::Queue { filter, after, limit } => value(view.queue(filter, *after, *limit)?),
        Request::Letter { row } => value(view.letter(*row)?),
        Request::Matters { after, limit } => value(view.open_matters(*after, *limit)?),
        Request::Mail { mail, authority } => value(view.mail(*mail, *authority)?),
        Request::Domains { authority } => value(view.domains(*authority)?),
        Request::Draft { mail } => value(view.draft(*mail)?),
        Request::Tenants { filter, after, limit } => value(view.tenants(filter, *after, *limit)?),
        Request::Tenant { id } => value(view.tenant(*id)?),
        Request::History { of, after, limit } => value(view.history(*of, *after, *limit)?),
        Request::Forecast { until } => {
            let until = until.unwrap_or_else(|| view.now().date().plus_days(FORECAST_DAYS));
            value(view.forecast(until)?)
        }
        Request::Retest { rules, after } => {
            let dir = rules.as_deref().map(absolute).transpose()?;
            let rules = assembly::rules(dir).map_err(|faults| EngineError::Input(faults.to_string()))?;
            value(view.retest(&rules, *after, retest::MAILS_MAX)?)
        }
        Request::Jobs => value(view.job_views()?),
        Request::Job { no } => value(view.job_detail(*no)?),
        Request::JournalTail { count } => value(view.journal_tail(*count)?),
        Request::Verify { anchor } => value(view.audit(*anchor)?),
        Request::Export { path } => {
            let head = view.export_journal(absolute(path)?)?;
            Ok(json!({"file": path, "entries": head.no, "anchor": head.hash}))
        }
        Request::Backup { path } => {
            let summary = view.backup(absolute(path)?)?;
            Ok(json!({
                "file": path, "rows": summary.rows, "sha256": summary.digest,
                "journal": {"no": summary.head.no, "hash": summary.head.hash},
            }))
        }
        Request::Act { .. }
        | Request::Authority
        | Request::RenewLists
        | Request::ImportAccounts { .. }
        | Request::ExportAccounts { .. }
        | Request::Accounts
        | Request::Sessions
        | Request::SteerJob { .. }
        | Request::Asks { .. }
        | Request::Waves { .. }
        | Request::Wave { .. } => Err(EngineError::Refused("only the engine itself answers this; please report it")),
    }
}

/// Reads the list here, so that no password passes through the socket.
fn import(engine: &mut Engine, caller: &Caller, path: &Path) -> Result<usize, EngineError> {
    let text = Secret::new(crate::config::read_list(path).map_err(|fault| EngineError::Input(fault.to_string()))?);
    let accounts = crate::rules::accounts::parse(&path.display().to_string(), text.reveal())
        .map_err(|faults| EngineError::Input(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))?;
    engine.import_accounts(caller.who.name(), &accounts)
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
