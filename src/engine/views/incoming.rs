//! What waits for a person, and one mail: what was understood, from which lines, and what taking it over would change.

use super::words::{self, Lang, said as told};
use super::{Page, View};
use crate::domain::{Digest, LgCode, MailNo, RowNo, TenantId, Timestamp, signs};
use crate::engine::records::{InboxItem, MatterNo, OpenMatter, Subject};
use crate::engine::thread::STACK_BYTES;
use crate::engine::{EngineError, answers, codec, domains, review, staff};
use crate::reading::evidence::Piece;
use crate::reading::findings::{Finding, findings};
use crate::reading::{Proposal, Reading, Reason, Warning};
use crate::rules::Rules;
use crate::store::Table;
use crate::workflow::directory::{self, Change};
use serde::Serialize;
use std::collections::BTreeMap;

/// Most lines of a mail's text in its view.
const LINES_MAX: usize = 400;
/// Longest of these lines, in characters.
const LINE_CHARS_MAX: usize = 400;

/// An open matter in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatterView {
    pub matter: MatterNo,
    pub since: Timestamp,
    /// What it is, in one or more sentences.
    pub text: String,
    /// The mail it is about, and who sent it with which subject.
    pub mail: Option<MailNo>,
    pub from: Option<String>,
    pub subject: Option<String>,
    pub row: Option<RowNo>,
    pub tenant: Option<TenantId>,
}

/// A reason with its sentence and the lines it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    pub code: &'static str,
    pub text: &'static str,
    /// In the body, from 1; none where the mail as a whole is meant.
    pub lines: Vec<usize>,
}

/// One mail, read with the rules of today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailView {
    #[serde(flatten)]
    pub item: InboxItem,
    pub disposition_name: &'static str,
    /// Open matters about it.
    pub matters: Vec<MatterView>,
    pub kind: crate::reading::Kind,
    pub reasons: Vec<Said>,
    pub warnings: Vec<Warning>,
    pub authority_name: Option<String>,
    pub attachments: Vec<String>,
    /// The text, with what was understood from each line.
    pub lines: Vec<ReadLine>,
    /// What speaks for its sender and what against, as far as is known today.
    pub evidence: Vec<EvidenceView>,
    /// What it would register: what staff may change before they accept it.
    pub proposal: Proposal,
    /// The digest of what is shown: how it reads, and what it would change. Whoever takes it over names it.
    pub shown: Digest,
    /// What taking it over would change; empty: nothing, or the authority is not known.
    pub changes: Vec<ChangeView>,
    /// The reading itself, for whoever shows its parts one by one.
    #[serde(skip)]
    pub read: Reading,
}

/// A piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EvidenceView {
    #[serde(flatten)]
    pub piece: Piece,
    pub name: &'static str,
    pub mark: &'static str,
}

/// A line of a mail's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReadLine {
    pub no: usize,
    pub text: String,
    pub understood: Vec<String>,
}

/// One difference between a mail and the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "change")]
pub enum ChangeView {
    Added { kind: crate::domain::TenantKind, name: String, address: String },
    AddressChanged { tenant: TenantId, name: String, from: String, to: String },
}

impl View {
    /// Open matters after number `after`, the oldest first.
    pub fn open_matters(&self, after: Option<MatterNo>, limit: usize) -> Result<Page<MatterView>, EngineError> {
        let first = after.map_or(0, |matter| matter.0.saturating_add(1));
        let rows = self.context.store.range(Table::Review, codec::number(first)..)?;
        let entries = rows.map(|entry| codec::decode::<OpenMatter>(&entry?.1));
        let key = |matter: &OpenMatter| matter.no.0.to_string();
        Page::collect(entries, limit, key, |matter| Ok(Some(self.matter_view(&matter))))
    }

    /// One mail as a person must see it to decide; `authority` is for a mail that does not say which it is from.
    pub fn mail(&self, no: MailNo, authority: Option<LgCode>) -> Result<MailView, EngineError> {
        let mut matters = self.matters(super::SCAN_MAX)?;
        matters.retain(|matter| mail_of(&matter.subject) == Some(no));
        self.mail_with(no, authority, &matters)
    }

    fn shown(&self, code: Option<LgCode>, reading: &Reading) -> Result<Digest, EngineError> {
        let roster = code.map(|code| self.roster(code)).transpose()?.flatten();
        Ok(review::shown(&self.context, reading, code, roster.as_ref()))
    }

    /// The same for whoever knows the open matters about it.
    pub fn mail_with(
        &self,
        no: MailNo,
        authority: Option<LgCode>,
        matters: &[OpenMatter],
    ) -> Result<MailView, EngineError> {
        let item = self.item(no)?;
        let reading = self.read_aside(&item)?;
        let code = authority.or_else(|| directory::code_of(&reading));
        Ok(MailView {
            disposition_name: item.disposition.japanese(),
            matters: matters.iter().map(|matter| self.matter_view(matter)).collect(),
            kind: reading.kind,
            reasons: said(&reading, &answers::reasons_of(&item, &reading), self.rules()),
            evidence: self.evidence(code, &reading)?,
            proposal: Proposal::of(&reading),
            shown: self.shown(code, &reading)?,
            authority_name: reading.authority.as_ref().map(|authority| authority.name.clone()),
            lines: read_lines(&reading, Lang::Ja),
            changes: code.map(|code| self.changes(code, &reading)).transpose()?.unwrap_or_default(),
            warnings: reading.warnings.clone(),
            attachments: reading.attachments.clone(),
            item,
            read: reading,
        })
    }

    /// Reads a mail on a thread of its own: deep MIME trees cost more stack than callers have.
    pub fn read_aside(&self, item: &InboxItem) -> Result<Reading, EngineError> {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("reading".to_owned()).stack_size(STACK_BYTES);
            let reading = thread.spawn_scoped(scope, || staff::read_again(&self.context, item));
            let reading = reading.map_err(|fault| EngineError::Record(fault.to_string()))?;
            reading.join().unwrap_or_else(|_| Ok(Reading::unreadable()))
        })
    }

    fn evidence(&self, code: Option<LgCode>, reading: &Reading) -> Result<Vec<EvidenceView>, EngineError> {
        let roster = code.map(|code| self.roster(code)).transpose()?.flatten();
        let weighed = domains::weigh(&self.context, code, roster.as_ref(), reading)?;
        let view = |piece: Piece| EvidenceView { name: piece.what.japanese(), mark: piece.grade.mark(), piece };
        Ok(weighed.pieces.into_iter().map(view).collect())
    }

    fn changes(&self, code: LgCode, reading: &Reading) -> Result<Vec<ChangeView>, EngineError> {
        let roster = self.roster(code)?;
        let Some(authority) = self.rules().authorities.by_code(code) else { return Ok(Vec::new()) };
        let changes = directory::changes(roster.as_ref(), reading, authority);
        let view = |change| match change {
            Change::Added { kind, name, address } => {
                ChangeView::Added { kind, name, address: address.as_str().to_owned() }
            }
            Change::AddressChanged { id, address } => {
                let known = roster.as_ref().and_then(|roster| roster.course(id)).map(|course| &course.tenant);
                ChangeView::AddressChanged {
                    tenant: id,
                    name: known.map(|tenant| tenant.name.clone()).unwrap_or_default(),
                    from: known.map(|tenant| tenant.address.as_str().to_owned()).unwrap_or_default(),
                    to: address.as_str().to_owned(),
                }
            }
        };
        Ok(changes.into_iter().map(view).collect())
    }

    pub fn matter_view(&self, matter: &OpenMatter) -> MatterView {
        let (row, tenant) = match &matter.subject {
            Subject::Mail { .. } | Subject::Inquiry { .. } | Subject::FailingTogether { .. } => (None, None),
            Subject::UnknownBounce { row, .. } => (*row, None),
            Subject::Tenant { tenant, .. } | Subject::NotComposed { tenant, .. } => (None, Some(*tenant)),
            Subject::Row { row, .. } | Subject::AnswerUndeliverable { row, .. } => (Some(*row), None),
        };
        let mail = mail_of(&matter.subject);
        // A mail that cannot be loaded must not hide the matter.
        let item = mail.and_then(|no| self.item(no).ok());
        MatterView {
            matter: matter.no,
            since: matter.since,
            text: words::subject(&matter.subject, Lang::Ja),
            from: item.as_ref().and_then(|item| item.from.as_ref()).map(|from| from.as_str().to_owned()),
            subject: item.map(|item| item.subject),
            mail,
            row,
            tenant,
        }
    }
}

/// Reasons with their sentences and lines.
fn said(reading: &Reading, reasons: &[Reason], rules: &Rules) -> Vec<Said> {
    let say = |Finding { reason, lines }| Said { code: reason.code(), text: reason.sentence(), lines };
    findings(reading, reasons, rules).into_iter().map(say).collect()
}

fn mail_of(subject: &Subject) -> Option<MailNo> {
    match subject {
        Subject::Mail { mail, .. } | Subject::Inquiry { mail } | Subject::UnknownBounce { mail, .. } => Some(*mail),
        Subject::Tenant { .. }
        | Subject::Row { .. }
        | Subject::AnswerUndeliverable { .. }
        | Subject::FailingTogether { .. }
        | Subject::NotComposed { .. } => None,
    }
}

/// The text of a mail, with what was understood from each line.
pub fn read_lines(reading: &Reading, lang: Lang) -> Vec<ReadLine> {
    let mut notes: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut note = |line: Option<usize>, text: String| notes.entry(line.unwrap_or(0)).or_default().push(text);
    let shown = |address: Option<&crate::domain::MailAddress>| {
        address.map_or(lang.pick("アドレスなし", "no address"), crate::domain::MailAddress::as_str).to_owned()
    };
    if let Some(read) = &reading.authority {
        let code =
            read.code.map_or_else(|| lang.pick("コード不明", "unknown code").to_owned(), |code| code.to_string());
        note(
            read.line,
            told!(lang, "自治体 {} [{code}] {}", "authority {} [{code}] {}", read.name, shown(read.address.as_ref())),
        );
    }
    for read in &reading.centres {
        note(read.line, told!(lang, "保健所 {} {}", "health centre {} {}", read.name, shown(read.address.as_ref())));
    }
    for warning in &reading.warnings {
        let text = lang.pick(warning.text.as_str(), words::warning(warning.code));
        note(warning.line, told!(lang, "注意：{text}", "note: {text}"));
    }
    let without_line = notes.remove(&0).map(|understood| ReadLine { no: 0, text: String::new(), understood });
    let body = reading.body.lines().take(LINES_MAX).enumerate().map(|(i, text)| ReadLine {
        no: i + 1,
        text: text.chars().filter(|c| !signs::misleads(*c)).take(LINE_CHARS_MAX).collect(),
        understood: notes.remove(&(i + 1)).unwrap_or_default(),
    });
    without_line.into_iter().chain(body).collect()
}
