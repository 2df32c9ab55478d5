//! 今日: the few things that need a person, each with its reason, the line it is about and what can be done; and whether
//! everything else runs.

use super::frame::{Desk, show};
use super::visit::{Lang, Visit};
use super::words::chip;
use super::{Console, chart, health, jobs};
use crate::domain::{MailNo, time};
use crate::engine::jobs::Pace;
use crate::engine::records::{MatterNo, OpenMatter, Subject};
use crate::engine::views::board::MatterCard;
use crate::engine::views::words;
use crate::workflow::Matter;
use axum::extract::State;
use axum::response::Response;
use minijinja::{Value, context};
use std::sync::Arc;

/// Matters shown; the rest stands under 要確認.
const MATTERS_SHOWN: usize = 12;
/// Matters shown with the line of the mail they are about: each is read for it.
const LINES_SHOWN: usize = 6;
/// Days of the small picture.
const DAYS: u32 = 30;

pub(super) async fn page(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    show(console, visit, "today.html", |desk| {
        let matters = desk.board.matters.values().take(MATTERS_SHOWN).enumerate();
        let tasks: Vec<Value> = matters.map(|(place, card)| task(desk, card, place < LINES_SHOWN)).collect();
        let waiting = desk.board.matters.len();
        let mails = desk.board.mails_by_disposition();
        let sum: u64 = mails.iter().map(|(_, count)| count).sum();
        let terms: Vec<_> = mails
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(word, count)| context! { chip => chip(desk.lang, *word), count })
            .collect();
        let days = desk.board.days(desk.today.minus_days(DAYS - 1), desk.today);
        let jobs = desk.view.jobs()?;
        let jobs: Vec<_> = jobs.iter().filter(|job| job.pace != Pace::Done).map(|job| jobs::row(desk, job)).collect();
        Ok(context! {
            jobs, for_wave => desk.board.waiting_for_wave(), asks => desk.board.requests, tasks, waiting, more => waiting.saturating_sub(MATTERS_SHOWN), terms, sum,
            signs => health::signs(desk), today => desk.lang.day(desk.today),
            leaving => desk.board.leaving_on(desk.today),
            next => desk.view.next_due()?.map(|at| desk.lang.moment(at)),
            chart => chart::days(desk.lang, &days, true),
        })
    })
    .await
}

/// A matter as a person takes it up.
pub(super) fn task(desk: &Desk<'_>, card: &MatterCard, with_line: bool) -> Value {
    let open = OpenMatter { no: MatterNo(card.no), since: card.since, subject: card.subject.clone() };
    let shown = desk.view.matter_view(&open);
    let (kind, verbs) = kind(desk, &card.subject);
    let href = match (&shown.mail, &shown.row, &shown.tenant) {
        (Some(mail), _, _) => format!("/mail/{mail}"),
        (None, Some(row), _) => format!("/outbox/{row}"),
        (None, None, Some(id)) => format!("/tenants/{id}"),
        (None, None, None) => "/review".to_owned(),
    };
    let tenant = shown.tenant.and_then(|id| desk.board.tenant(id));
    let letter = shown.row.and_then(|row| desk.board.letters.get(&row.0));
    let title = shown
        .subject
        .clone()
        .or_else(|| tenant.map(|card| card.name.clone()))
        .or_else(|| letter.map(|card| desk.lang.letter(card.letter)))
        .unwrap_or_default();
    let who = shown
        .from
        .clone()
        .or_else(|| tenant.map(|card| card.address.as_str().to_owned()))
        .or_else(|| letter.map(|card| card.to.as_str().to_owned()));
    let line = shown.mail.filter(|_| with_line && matches!(card.subject, Subject::Mail { .. }));
    let age = desk.now.since(card.since);
    context! {
        no => card.no, kind, title, who, href, verbs, text => words::subject(&card.subject, desk.lang),
        since => desk.lang.moment(card.since), age => desk.lang.age(age), old => age >= time::DAY,
        line => line.and_then(|mail| line_of(desk, mail)),
        mail => shown.mail, row => shown.row, tenant => shown.tenant,
    }
}

/// The word of a matter, and what can be decided at once, without looking closer.
fn kind(desk: &Desk<'_>, subject: &Subject) -> (String, Vec<&'static str>) {
    let lang = desk.lang;
    let (ja, en, verbs) = match subject {
        Subject::Mail { .. } => ("登録メール", "registration mail", vec![]),
        Subject::Inquiry { .. } => ("問い合わせ", "inquiry", vec!["close"]),
        Subject::Tenant { matter: Matter::Undeliverable { .. }, .. } => ("配信不能", "undeliverable", vec!["close"]),
        Subject::Tenant { matter: Matter::NotPickedUp { .. }, .. } => {
            ("未取得", "not picked up", vec!["reissue", "close"])
        }
        Subject::Tenant { matter: Matter::ReissueAsked { .. }, .. } => {
            ("再発行の依頼", "re-issue asked for", vec!["close"])
        }
        Subject::Tenant { matter: Matter::WrongPasswords { .. }, .. } => {
            ("パスワード誤り", "wrong passwords", vec!["close"])
        }
        Subject::Row { .. } => ("送信保留", "letter on hold", vec!["retry", "withdraw"]),
        Subject::AnswerUndeliverable { .. } => ("返信不達", "answer returned", vec!["close"]),
        Subject::NotComposed { .. } => ("作成不可", "not composed", vec!["close"]),
        Subject::FailingTogether { .. } => ("まとまった不達", "failing together", vec!["close"]),
        Subject::UnknownBounce { .. } => ("不明な配信不能通知", "unknown bounce", vec!["close"]),
    };
    (lang.pick(ja, en).to_owned(), verbs)
}

/// The line of a mail its matter is about: the first a reason names, else the first that was understood.
fn line_of(desk: &Desk<'_>, mail: MailNo) -> Option<Value> {
    let shown = desk.view.mail_with(mail, None, &[]).ok()?;
    let named = shown.reasons.iter().flat_map(|said| said.lines.iter().copied()).next();
    let understood = || shown.lines.iter().find(|line| line.no > 0 && !line.understood.is_empty()).map(|line| line.no);
    let no = named.or_else(understood)?;
    let line = shown.lines.iter().find(|line| line.no == no)?;
    Some(context! { no, text => line.text })
}

/// Reasons of a mail as sentences with their codes.
pub(super) fn reasons(card: &MatterCard, lang: Lang) -> Vec<Value> {
    match &card.subject {
        Subject::Mail { reasons, .. } => {
            reasons.iter().map(|r| context! { code => r.code(), text => words::sentence(*r, lang) }).collect()
        }
        other @ (Subject::Inquiry { .. }
        | Subject::FailingTogether { .. }
        | Subject::Tenant { .. }
        | Subject::Row { .. }
        | Subject::AnswerUndeliverable { .. }
        | Subject::NotComposed { .. }
        | Subject::UnknownBounce { .. }) => vec![context! { code => "", text => words::subject(other, lang) }],
    }
}
