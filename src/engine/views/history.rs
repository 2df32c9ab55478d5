//! What happened, from the journal, in sentences staff can read to an officer on the telephone. An event this annai does
//! not know (a newer one wrote it) is shown by its name, never left out.

mod certificate;

use super::words::{self, Lang, said};
use super::{Page, View};
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
            Ok(Some(told(&stored.entry, Some(&scope), Lang::Ja)).filter(|line| !line.text.is_empty()))
        };
        Page::collect(entries, limit, |stored| stored.entry.no.to_string(), pick)
    }

    /// What entries say about one tenant, mail or letter; those that say nothing about it are left out.
    pub fn entries_about(&self, of: HistoryOf, numbers: &[u64], lang: Lang) -> Result<Vec<HistoryLine>, EngineError> {
        let scope = self.scope(of)?;
        let mut lines = Vec::with_capacity(numbers.len());
        for no in numbers {
            let Some(stored) = self.context.store.journal_entries(*no).next() else { continue };
            let stored = stored.map_err(|fault| EngineError::Record(fault.to_string()))?;
            lines.extend(Some(told(&stored.entry, Some(&scope), lang)).filter(|line| !line.text.is_empty()));
        }
        Ok(lines)
    }

    /// Entries by their numbers, with what they say.
    pub fn entries(&self, numbers: &[u64], lang: Lang) -> Result<Vec<HistoryLine>, EngineError> {
        let mut lines = Vec::with_capacity(numbers.len());
        for no in numbers {
            let Some(stored) = self.context.store.journal_entries(*no).next() else { continue };
            lines.push(told(&stored.map_err(|fault| EngineError::Record(fault.to_string()))?.entry, None, lang));
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
pub(super) fn told(entry: &Entry, scope: Option<&Scope>, lang: Lang) -> HistoryLine {
    let events = match &entry.event {
        Value::Array(events) => events.iter().collect(),
        Value::Null => Vec::new(),
        one @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => vec![one],
    };
    let inside = |event: &&Value| scope.is_none_or(|scope| scope.holds(event));
    let events: Vec<&Value> = events.into_iter().filter(inside).collect();
    let name = |event: &&Value| at(event, "event").as_str().unwrap_or_default().to_owned();
    let kind = events.first().map(name).unwrap_or_default();
    let mut text: Vec<String> = events.into_iter().map(|event| sentence(event, lang)).collect();
    let changes: Vec<Course> = serde_json::from_value(entry.changes.clone()).unwrap_or_default();
    for course in changes {
        if scope.is_none_or(|scope| scope.tenant == Some(course.tenant.id)) {
            text.push(state_of(&course, lang));
        }
    }
    HistoryLine { no: entry.no, at: entry.at, actor: entry.actor.clone(), text, kind }
}

/// Between whose state is told and the state, in a sentence of [`told`].
pub fn before_state(lang: Lang) -> &'static str {
    lang.pick("）：", "): ")
}

fn state_of(course: &Course, lang: Lang) -> String {
    let certificate = course.current().map_or_else(String::new, |c| lang.word(words::enrolment(&c.state)));
    let generation = course.current().map_or(0, |current| current.generation.0);
    let credential = lang.word(words::credential(&course.credential.state));
    let (id, name, address) = (course.tenant.id, &course.tenant.name, course.tenant.address.as_str());
    said!(
        lang,
        "{id} {name}（{address}）：証明書（第{generation}回）{certificate}、ユーザID・パスワード {credential}",
        "{id} {name} ({address}): certificate no. {generation} {certificate}, credentials {credential}"
    )
}

fn sentence(event: &Value, lang: Lang) -> String {
    let (mail, no) = (at(event, "mail"), at(event, "no"));
    let text = |name: &str| at(event, name).as_str().unwrap_or_default();
    let of_domain = || (text("domain"), text("authority"));
    let known = match at(event, "event").as_str() {
        Some("mail-filed") => mail_filed(event, lang),
        Some("letter-queued") => letter_queued(event, lang),
        Some("letter") => letter(event, lang),
        Some("matter-opened") => read::<Subject>(event, "subject")
            .map(|subject| said!(lang, "要確認{no}：{0}", "for review, {no}: {0}", words::subject(&subject, lang))),
        Some("matter-closed") => Some(said!(lang, "要確認{no}は済みました", "review {no} is settled")),
        Some("matter-grown") => {
            Some(said!(lang, "要確認{no}の対象が増えました", "review {no} concerns more than before"))
        }
        Some("notice-dated") => Some(said!(
            lang,
            "送信{}の証明書発行通知を、送信する日からの取得期限に書き直しました",
            "letter {}, a certificate notice, now names the deadline counted from the day it leaves",
            at(event, "row")
        )),
        Some("staff") => read::<Verb>(event, "act").map(|verb| sentence_of(&verb, lang)),
        Some("domain-learned") => {
            let (domain, code) = of_domain();
            Some(said!(
                lang,
                "{domain} を {code} の確認済みドメインに加えました",
                "{domain} is known for {code} from here on"
            ))
        }
        Some("domain-forgotten") => {
            let (domain, code) = of_domain();
            Some(said!(
                lang,
                "{domain} を {code} の確認済みドメインから外しました",
                "{domain} is no longer known for {code}"
            ))
        }
        Some("impersonation-suspected") => {
            Some(said!(lang, "メール{mail}：なりすましの疑いがあります", "mail {mail}: possibly impersonation"))
        }
        Some("reading-edited") => {
            Some(said!(lang, "メール{mail}の読み取り内容を修正しました", "what was read in mail {mail} was corrected"))
        }
        Some(name) => super::persons::told(name, event, lang).or_else(|| certificate::sentence(name, event, lang)),
        None => None,
    };
    known.unwrap_or_else(|| at(event, "event").as_str().map_or_else(|| event.to_string(), str::to_owned))
}

fn mail_filed(event: &Value, lang: Lang) -> Option<String> {
    let disposition: Disposition = read(event, "outcome")?;
    let word = lang.word((disposition.name(), disposition.japanese()));
    Some(said!(lang, "メール{0}を受信しました：{word}", "mail {0} came in: {word}", at(event, "mail")))
}

fn letter_queued(event: &Value, lang: Lang) -> Option<String> {
    let kind: LetterKind = read(event, "letter")?;
    let due: Timestamp = read(event, "due")?;
    let to = at(event, "to").as_str().unwrap_or_default();
    Some(said!(
        lang,
        "送信{0}「{1}」を作成しました（宛先 {to}、送信予定 {2}）",
        "letter {0}, {1}, was written (to {to}, leaves {2})",
        at(event, "row"),
        lang.letter(kind),
        lang.moment(due)
    ))
}

fn letter(event: &Value, lang: Lang) -> Option<String> {
    let kind: LetterKind = read(event, "letter")?;
    let delivery: Delivery = read(event, "delivery")?;
    let why = words::why(&delivery, lang).map_or_else(String::new, |why| said!(lang, "（{why}）", " ({why})"));
    let (row, state) = (at(event, "row"), lang.word(words::delivery(&delivery)));
    Some(said!(lang, "送信{row}「{0}」：{state}{why}", "letter {row}, {0}: {state}{why}", lang.letter(kind)))
}

/// What a verb does, as a sentence.
pub(in crate::engine) fn sentence_of(verb: &Verb, lang: Lang) -> String {
    match verb {
        Verb::People(_) | Verb::Keys(_) | Verb::Ask(_) | Verb::Wave(_) | Verb::ReissueMany { .. } => {
            super::persons::act(verb, lang)
        }
        Verb::Accept { mail, authority: None, .. } => {
            said!(lang, "メール{mail}の内容を登録する判断をしました", "decided to register mail {mail}")
        }
        Verb::Accept { mail, authority: Some(code), .. } => said!(
            lang,
            "メール{mail}の内容を {code} として登録する判断をしました",
            "decided to register mail {mail} as one of {code}"
        ),
        Verb::AcceptEdited { mail, reason, .. } => said!(
            lang,
            "メール{mail}の内容を確認の上で登録する判断をしました（理由：{reason}）",
            "decided to register mail {mail} as it stood on the page (reason: {reason})"
        ),
        Verb::WriteToSender { mail, .. } => said!(
            lang,
            "メール{mail}の差出人に、担当者が作成した文面を送りました",
            "wrote to the sender of mail {mail} in their own words"
        ),
        Verb::Reject { mail, reason } => {
            said!(lang, "メール{mail}を見送りました（理由：{reason}）", "put mail {mail} aside (reason: {reason})")
        }
        Verb::AskSender { mail } => {
            said!(lang, "メール{mail}の差出人に確認をお願いしました", "asked the sender of mail {mail}")
        }
        Verb::ApproveDomain { authority, domain, reason } => said!(
            lang,
            "{domain} を {authority} のドメインとして確認しました（理由：{reason}）",
            "confirmed {domain} as a domain of {authority} (reason: {reason})"
        ),
        Verb::ForgetDomain { authority, domain, reason } => said!(
            lang,
            "{domain} を {authority} のドメインから外しました（理由：{reason}）",
            "took {domain} from the domains of {authority} (reason: {reason})"
        ),
        Verb::Reread { mail } => said!(lang, "メール{mail}を読み直しました", "read mail {mail} again"),
        Verb::Close { matter, reason } => {
            said!(
                lang,
                "要確認{matter}を済みとしました（理由：{reason}）",
                "settled review {matter} (reason: {reason})"
            )
        }
        Verb::Hold { row, reason } => {
            said!(lang, "送信{row}を保留しました（理由：{reason}）", "put letter {row} on hold (reason: {reason})")
        }
        Verb::Release { row } => said!(lang, "送信{row}の保留を解きました", "released letter {row}"),
        Verb::Retry { row } => {
            said!(lang, "送信{row}をすぐに再送することにしました", "letter {row} is to be sent again now")
        }
        Verb::Withdraw { row, reason } => {
            said!(lang, "送信{row}を取り消しました（理由：{reason}）", "withdrew letter {row} (reason: {reason})")
        }
        Verb::Reissue { tenant, reason } => {
            let why = words::reissue(*reason, lang);
            said!(
                lang,
                "{tenant} の証明書を再発行しました（理由：{why}）",
                "re-issued the certificate of {tenant} (reason: {why})"
            )
        }
        Verb::Cancel { tenant, reason } => said!(
            lang,
            "{tenant} の証明書の手続を取り消しました（理由：{reason}）",
            "cancelled the certificate of {tenant} (reason: {reason})"
        ),
        Verb::RenewCredentials { tenant, reason } => said!(
            lang,
            "{tenant} のユーザID・パスワードを作り直しました（理由：{reason}）",
            "made new credentials for {tenant} (reason: {reason})"
        ),
        Verb::Revoke { tenant, reason } => {
            let why = words::revocation(*reason, lang);
            said!(
                lang,
                "{tenant} の証明書を失効しました（理由：{why}）",
                "revoked the certificate of {tenant} (reason: {why})"
            )
        }
    }
}

fn at<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn read<T: DeserializeOwned>(event: &Value, name: &str) -> Option<T> {
    T::deserialize(at(event, name)).ok()
}

#[cfg(test)]
mod tests;
