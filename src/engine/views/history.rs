//! What happened, from the journal, in sentences staff can read to an officer on the telephone. An event this annai does
//! not know (a newer one wrote it) is shown by its name, never left out.

mod certificate;

use super::{Page, View, words};
use crate::domain::{MailNo, RowNo, TenantId, Timestamp};
use crate::engine::EngineError;
use crate::engine::records::{Disposition, Subject};
use crate::engine::staff::Verb;
use crate::letters::LetterKind;
use crate::store::Entry;
use crate::workflow::Course;
use crate::workflow::delivery::Delivery;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// Whose history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HistoryOf {
    Tenant(TenantId),
    Mail(MailNo),
    Row(RowNo),
}

/// One entry of the journal as sentences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryLine {
    pub no: u64,
    pub at: Timestamp,
    pub actor: String,
    pub text: Vec<String>,
    /// The kind of its first event that belongs here.
    #[serde(skip)]
    pub kind: String,
}

/// What belongs to a history: a tenant, the letters to it, the mail it comes from and the answers to that.
#[derive(Debug, Default)]
pub(super) struct Scope {
    tenant: Option<TenantId>,
    mails: BTreeSet<u64>,
    rows: BTreeSet<u64>,
}

impl View {
    /// Entries about one tenant, mail or letter, after entry `after`.
    pub fn history(&self, of: HistoryOf, after: Option<u64>, limit: usize) -> Result<Page<HistoryLine>, EngineError> {
        let scope = self.scope(of)?;
        let entries = self.context.store.journal_entries(after.map_or(1, |no| no.saturating_add(1)));
        let entries = entries.map(|entry| entry.map_err(|fault| EngineError::Record(fault.to_string())));
        let pick = |stored: crate::store::StoredEntry| {
            Ok(Some(told(&stored.entry, Some(&scope))).filter(|line| !line.text.is_empty()))
        };
        Page::collect(entries, limit, |stored| stored.entry.no.to_string(), pick)
    }

    /// What entries say about one tenant, mail or letter; those that say nothing about it are left out.
    pub fn entries_about(&self, of: HistoryOf, numbers: &[u64]) -> Result<Vec<HistoryLine>, EngineError> {
        let scope = self.scope(of)?;
        let mut lines = Vec::with_capacity(numbers.len());
        for no in numbers {
            let Some(stored) = self.context.store.journal_entries(*no).next() else { continue };
            let stored = stored.map_err(|fault| EngineError::Record(fault.to_string()))?;
            lines.extend(Some(told(&stored.entry, Some(&scope))).filter(|line| !line.text.is_empty()));
        }
        Ok(lines)
    }

    /// Entries by their numbers, with what they say.
    pub fn entries(&self, numbers: &[u64]) -> Result<Vec<HistoryLine>, EngineError> {
        let mut lines = Vec::with_capacity(numbers.len());
        for no in numbers {
            let Some(stored) = self.context.store.journal_entries(*no).next() else { continue };
            lines.push(told(&stored.map_err(|fault| EngineError::Record(fault.to_string()))?.entry, None));
        }
        Ok(lines)
    }

    fn scope(&self, of: HistoryOf) -> Result<Scope, EngineError> {
        let mut scope = Scope::default();
        match of {
            HistoryOf::Tenant(id) => {
                let course = self.course(id)?;
                scope.tenant = Some(id);
                scope.rows.extend(self.rows_of(id)?.iter().map(|row| row.0));
                scope.add_mail(self, course.tenant.provenance.mail)?;
            }
            HistoryOf::Mail(no) => scope.add_mail(self, no)?,
            HistoryOf::Row(no) => {
                self.row(no)?;
                scope.rows.insert(no.0);
            }
        }
        Ok(scope)
    }
}

impl Scope {
    fn add_mail(&mut self, view: &View, no: MailNo) -> Result<(), EngineError> {
        let item = view.item(no)?;
        self.mails.insert(no.0);
        self.rows.extend(item.answers.iter().map(|row| row.0));
        Ok(())
    }

    /// Whether an event names what belongs here.
    fn holds(&self, event: &Value) -> bool {
        let places = [event, at(event, "about"), at(event, "subject"), at(event, "act")];
        places.iter().any(|place| {
            let id = at(place, "tenant").as_str();
            let number = |name: &str| at(place, name).as_u64();
            self.tenant.is_some_and(|own| id == Some(own.to_string().as_str()))
                || number("row").is_some_and(|row| self.rows.contains(&row))
                || number("mail").is_some_and(|mail| self.mails.contains(&mail))
        })
    }
}

/// An entry as sentences; only those in `scope`, if there is one.
pub(super) fn told(entry: &Entry, scope: Option<&Scope>) -> HistoryLine {
    let events = match &entry.event {
        Value::Array(events) => events.iter().collect(),
        Value::Null => Vec::new(),
        one @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => vec![one],
    };
    let inside = |event: &&Value| scope.is_none_or(|scope| scope.holds(event));
    let events: Vec<&Value> = events.into_iter().filter(inside).collect();
    let name = |event: &&Value| at(event, "event").as_str().unwrap_or_default().to_owned();
    let kind = events.first().map(name).unwrap_or_default();
    let mut text: Vec<String> = events.into_iter().map(sentence).collect();
    let changes: Vec<Course> = serde_json::from_value(entry.changes.clone()).unwrap_or_default();
    for course in changes {
        if scope.is_none_or(|scope| scope.tenant == Some(course.tenant.id)) {
            text.push(state_of(&course));
        }
    }
    HistoryLine { no: entry.no, at: entry.at, actor: entry.actor.clone(), text, kind }
}

fn state_of(course: &Course) -> String {
    let certificate = course.current().map_or("", |current| words::enrolment(&current.state).1);
    let generation = course.current().map_or(0, |current| current.generation.0);
    let credential = words::credential(&course.credential.state).1;
    let tenant = &course.tenant;
    format!(
        "{} {}（{}）：証明書（第{generation}回）{certificate}、ユーザID・パスワード {credential}",
        tenant.id,
        tenant.name,
        tenant.address.as_str()
    )
}

fn sentence(event: &Value) -> String {
    let known = match at(event, "event").as_str() {
        Some("mail-filed") => mail_filed(event),
        Some("letter-queued") => letter_queued(event),
        Some("letter") => letter(event),
        Some("matter-opened") => read::<Subject>(event, "subject")
            .map(|subject| format!("要確認{}：{}", at(event, "no"), words::subject(&subject))),
        Some("matter-closed") => Some(format!("要確認{}は済みました", at(event, "no"))),
        Some("staff") => read::<Verb>(event, "act").map(|verb| sentence_of(&verb)),
        Some("domain-learned") => Some(format!(
            "{} を {} の確認済みドメインに加えました",
            at(event, "domain").as_str().unwrap_or_default(),
            at(event, "authority").as_str().unwrap_or_default()
        )),
        Some("impersonation-suspected") => Some(format!("メール{}：なりすましの疑いがあります", at(event, "mail"))),
        Some("reading-edited") => Some(format!("メール{}の読み取り内容を修正しました", at(event, "mail"))),
        Some("picked-up") => Some(format!("証明書が取得されました（第{}回）", at(event, "generation"))),
        Some("seen-in-use") => Some(format!("証明書の利用を確認しました（第{}回）", at(event, "generation"))),
        Some(name) => super::persons::told(name, event).or_else(|| certificate::sentence(name, event)),
        None => None,
    };
    known.unwrap_or_else(|| at(event, "event").as_str().map_or_else(|| event.to_string(), str::to_owned))
}

fn mail_filed(event: &Value) -> Option<String> {
    let disposition: Disposition = read(event, "outcome")?;
    Some(format!("メール{}を受信しました：{}", at(event, "mail"), disposition.japanese()))
}

fn letter_queued(event: &Value) -> Option<String> {
    let kind: LetterKind = read(event, "letter")?;
    let due: Timestamp = read(event, "due")?;
    let to = at(event, "to").as_str().unwrap_or_default();
    Some(format!(
        "送信{}「{}」を作成しました（宛先 {to}、送信予定 {}）",
        at(event, "row"),
        kind.japanese(),
        due.staff()
    ))
}

fn letter(event: &Value) -> Option<String> {
    let kind: LetterKind = read(event, "letter")?;
    let delivery: Delivery = read(event, "delivery")?;
    let why = words::why(&delivery).map_or_else(String::new, |why| format!("（{why}）"));
    Some(format!("送信{}「{}」：{}{why}", at(event, "row"), kind.japanese(), words::delivery(&delivery).1))
}

/// What a verb does, as a sentence.
pub(in crate::engine) fn sentence_of(verb: &Verb) -> String {
    match verb {
        Verb::People(_) | Verb::Keys(_) | Verb::Ask(_) | Verb::Wave(_) | Verb::ReissueMany { .. } => {
            super::persons::act(verb)
        }
        Verb::Accept { mail, authority: None } => format!("メール{mail}の内容を登録する判断をしました"),
        Verb::Accept { mail, authority: Some(code) } => {
            format!("メール{mail}の内容を {code} として登録する判断をしました")
        }
        Verb::AcceptEdited { mail, reason, .. } => {
            format!("メール{mail}の内容を修正の上で登録する判断をしました（理由：{reason}）")
        }
        Verb::WriteToSender { mail, .. } => format!("メール{mail}の差出人に、担当者が作成した文面を送りました"),
        Verb::Reject { mail, reason } => format!("メール{mail}を見送りました（理由：{reason}）"),
        Verb::AskSender { mail } => format!("メール{mail}の差出人に確認をお願いしました"),
        Verb::ApproveDomain { authority, domain, reason } => {
            format!("{domain} を {authority} のドメインとして確認しました（理由：{reason}）")
        }
        Verb::ForgetDomain { authority, domain, reason } => {
            format!("{domain} を {authority} のドメインから外しました（理由：{reason}）")
        }
        Verb::Reread { mail } => format!("メール{mail}を読み直しました"),
        Verb::Close { matter, reason } => format!("要確認{matter}を済みとしました（理由：{reason}）"),
        Verb::Hold { row, reason } => format!("送信{row}を保留しました（理由：{reason}）"),
        Verb::Release { row } => format!("送信{row}の保留を解きました"),
        Verb::Retry { row } => format!("送信{row}をすぐに再送することにしました"),
        Verb::Withdraw { row, reason } => format!("送信{row}を取り消しました（理由：{reason}）"),
        Verb::Reissue { tenant, reason } => {
            format!("{tenant} の証明書を再発行しました（理由：{}）", words::reissue(*reason))
        }
        Verb::Cancel { tenant, reason } => format!("{tenant} の証明書の手続を取り消しました（理由：{reason}）"),
        Verb::RenewCredentials { tenant, reason } => {
            format!("{tenant} のユーザID・パスワードを作り直しました（理由：{reason}）")
        }
        Verb::Revoke { tenant, reason } => {
            format!("{tenant} の証明書を失効しました（理由：{}）", words::revocation(*reason))
        }
    }
}

fn at<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn read<T: DeserializeOwned>(event: &Value, name: &str) -> Option<T> {
    T::deserialize(at(event, name)).ok()
}
