//! One mail: what was written on the left, what was understood on the right, with the lines each reason is about marked;
//! taken over as it was read or as staff change it, answered by a draft, or put aside.

use super::Console;
use super::frame::{Desk, Trouble, show};
use super::today::task;
use super::visit::{Lang, Visit};
use super::words::chip;
use crate::domain::{LgCode, MailAddress, MailNo};
use crate::engine::EngineError;
use crate::engine::records::{MatterNo, OpenMatter, Subject};
use crate::engine::views::{ChangeView, MailView, ReadLine, Said, read_lines, words};
use crate::reading::{ReadCentre, Reading, Reason};
use axum::extract::{Path, State};
use axum::response::Response;
use minijinja::{Value, context};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Empty lines for further health centres in the form.
const SPARE_LINES: usize = 2;

pub(super) async fn page(State(console): State<Arc<Console>>, Path(no): Path<String>, visit: Visit) -> Response {
    show(console, visit, "mail.html", move |desk| {
        let no = MailNo(no.parse().map_err(|_| Trouble::Missing)?);
        let matters: Vec<OpenMatter> = desk
            .board
            .matters
            .values()
            .filter(|card| mail_of(&card.subject) == Some(no))
            .map(|card| OpenMatter { no: MatterNo(card.no), since: card.since, subject: card.subject.clone() })
            .collect();
        let chosen: Option<LgCode> = desk.visit.param("authority").and_then(|code| code.parse().ok());
        let shown = desk.view.mail_with(no, chosen, &matters)?;
        let decidable = matches!(shown.item.disposition.name(), "review" | "unreadable" | "inquiry");
        let draft = match desk.view.draft(no) {
            Ok(draft) => Some(context! {
                subject => draft.subject, body => draft.body, to => draft.to.map(|to| to.as_str().to_owned()),
                unfinished => draft.unfinished, name => desk.lang.word((draft.letter, draft.letter_name)),
            }),
            Err(EngineError::Refused(_)) => None,
            Err(fault) => return Err(fault.into()),
        };
        let lang = desk.lang;
        let answers: Vec<_> = shown
            .item
            .answers
            .iter()
            .filter_map(|row| desk.board.letters.get(&row.0))
            .map(|card| super::outbox::row(desk, card))
            .collect();
        let tasks: Vec<_> =
            matters.iter().filter_map(|m| desk.board.matters.get(&m.no.0)).map(|c| task(desk, c, false)).collect();
        Ok(context! {
            no, subject => shown.item.subject, from => shown.item.from.as_ref().map(MailAddress::as_str),
            from_name => shown.read.head.from_name, filed => lang.moment(shown.item.filed),
            sent => shown.read.head.date.map(|at| lang.moment(at)),
            cc => shown.read.head.cc.iter().map(MailAddress::as_str).collect::<Vec<_>>(),
            chip => chip(lang, (shown.item.disposition.name(), shown.disposition_name)),
            shown => shown.shown.to_string(), decidable, reasons => reasons(&shown, lang), lines => lines(&shown, lang), form => form(desk, &shown),
            changes => shown.changes.iter().map(|c| change(desk, c)).collect::<Vec<_>>(),
            evidence => shown
                .evidence
                .iter()
                .map(|e| context! { name => words::evidence(e.piece.what, lang), mark => e.mark, text => e.piece.text })
                .collect::<Vec<_>>(),
            attachments => shown.attachments, draft, answers, tasks,
            neighbours => neighbours(desk, no), authorities => authorities(desk),
        })
    })
    .await
}

pub(super) fn mail_of(subject: &Subject) -> Option<MailNo> {
    match subject {
        Subject::Mail { mail, .. } | Subject::Inquiry { mail } | Subject::UnknownBounce { mail, .. } => Some(*mail),
        Subject::Tenant { .. }
        | Subject::FailingTogether { .. }
        | Subject::Row { .. }
        | Subject::AnswerUndeliverable { .. }
        | Subject::NotComposed { .. } => None,
    }
}

fn reasons(shown: &MailView, lang: Lang) -> Vec<Value> {
    let text =
        |said: &Said| Reason::ALL.iter().find(|reason| reason.code() == said.code).map(|r| words::sentence(*r, lang));
    let reason =
        |said: &Said| context! { code => said.code, text => text(said).unwrap_or(said.text), lines => said.lines };
    shown.reasons.iter().map(reason).collect()
}

/// The text with its marks: a line a reason is about, a line something was understood from.
fn lines(shown: &MailView, lang: Lang) -> Vec<Value> {
    let doubted: BTreeSet<usize> = shown.reasons.iter().flat_map(|said| said.lines.iter().copied()).collect();
    let warned: BTreeSet<usize> = shown.warnings.iter().map(|warning| warning.line.unwrap_or(0)).collect();
    let line = |line: &ReadLine| {
        let mark = if doubted.contains(&line.no) || warned.contains(&line.no) {
            "doubt"
        } else if line.understood.is_empty() {
            ""
        } else {
            "read"
        };
        context! { no => line.no, text => line.text, notes => line.understood, mark }
    };
    let lines = read_lines(&shown.read, lang);
    lines.iter().filter(|line| line.no > 0 || !line.understood.is_empty()).map(line).collect()
}

/// What would be registered, as fields.
fn form(desk: &Desk<'_>, shown: &MailView) -> Value {
    let read: &Reading = &shown.read;
    let code = shown.proposal.authority;
    let known = code.and_then(|code| desk.view.rules().authorities.by_code(code));
    let at = |no: Option<usize>| no.unwrap_or(0);
    let others = |addresses: &[MailAddress]| -> Vec<String> {
        addresses.iter().map(|address| address.as_str().to_owned()).collect()
    };
    let centre = |c: &ReadCentre| {
        context! {
            name => c.name, address => c.address.as_ref().map(MailAddress::as_str), line => at(c.line),
            others => others(&c.other_addresses),
        }
    };
    let mut centres: Vec<Value> = read.centres.iter().map(centre).collect();
    centres.extend(
        (0..SPARE_LINES).map(|_| context! { name => "", address => "", line => 0, others => Vec::<String>::new() }),
    );
    context! {
        code, name => known.map(|a| a.name.clone()).or_else(|| shown.authority_name.clone()),
        known => known.is_some(), address => read.authority.as_ref().and_then(|a| a.address.as_ref()).map(MailAddress::as_str),
        line => at(read.authority.as_ref().and_then(|a| a.line)), centres,
        others => read.authority.as_ref().map(|a| others(&a.other_addresses)).unwrap_or_default(),
    }
}

fn change(desk: &Desk<'_>, change: &ChangeView) -> Value {
    match change {
        ChangeView::Added { kind, name, address } => {
            let kind = match kind {
                crate::domain::TenantKind::Authority => desk.lang.pick("自治体", "authority"),
                crate::domain::TenantKind::HealthCentre => desk.lang.pick("保健所", "health centre"),
            };
            context! { added => true, kind, name, to => address }
        }
        ChangeView::AddressChanged { tenant, name, from, to } => context! { added => false, tenant, name, from, to },
    }
}

/// The mails in question before and after this one.
fn neighbours(desk: &Desk<'_>, no: MailNo) -> Value {
    let waiting = desk.board.mails_in_question();
    let before = waiting.range(..no).next_back();
    let after = waiting.range(MailNo(no.0.saturating_add(1))..).next();
    context! { before, after, left => waiting.len() }
}

fn authorities(desk: &Desk<'_>) -> Vec<Value> {
    let all = desk.view.rules().authorities.all().iter();
    all.map(|a| context! { code => a.code.as_str(), name => a.name }).collect()
}
