//! One tenant: how it stands, what can be done, and one timeline from its first mail on, so that a telephone call is
//! answered in ten seconds.

use super::frame::{Desk, Trouble, show};
use super::visit::Visit;
use super::words::chip;
use super::{Console, tenants};
use crate::domain::{MailNo, TenantId};
use crate::engine::records::Subject;
use crate::engine::survey::Milestone;
use crate::engine::views::{HistoryLine, HistoryOf, before_state, words};
use axum::extract::{Path, State};
use axum::response::Response;
use minijinja::{Value, context};
use std::sync::Arc;

/// Entries shown, the newest of them.
const ENTRIES_SHOWN: usize = 300;

pub(super) async fn page(State(console): State<Arc<Console>>, Path(id): Path<String>, visit: Visit) -> Response {
    show(console, visit, "tenant.html", move |desk| {
        let id: TenantId = id.parse().map_err(|_| Trouble::Missing)?;
        let card = desk.board.tenant(id).ok_or(Trouble::Missing)?;
        let shown = desk.view.tenant(id)?;
        let reached = Milestone::ALL.iter().filter(|step| **step <= card.milestone).count();
        let steps: Vec<_> = Milestone::ALL
            .iter()
            .enumerate()
            .map(|(place, step)| {
                context! { word => desk.lang.pick(step.japanese(), step.english()), done => place < reached }
            })
            .collect();
        let of_roster = TenantId { serial: 0, ..id }..=TenantId { serial: u16::MAX, ..id };
        let siblings: Vec<_> = desk.board.tenants.range(of_roster).map(|(_, card)| tenants::row(desk, card)).collect();
        let lang = desk.lang;
        let letters: Vec<_> = shown
            .letters
            .iter()
            .rev()
            .map(|line| {
                let word = (line.letter, line.letter_name);
                context! {
                    row => line.row, letter => lang.word(word), at => lang.moment(line.at),
                    why => desk.view.row(line.row).ok().and_then(|row| words::why(&row.delivery, lang)),
                    state => chip(lang, (line.state, line.state_name)), to => line.to.as_str(),
                }
            })
            .collect();
        let matters: Vec<_> = desk
            .board
            .matters
            .values()
            .filter(|matter| match &matter.subject {
                Subject::Tenant { tenant, .. } | Subject::NotComposed { tenant, .. } => *tenant == id,
                Subject::FailingTogether { tenants, .. } => tenants.contains(&id),
                Subject::Mail { .. }
                | Subject::Inquiry { .. }
                | Subject::Row { .. }
                | Subject::AnswerUndeliverable { .. }
                | Subject::UnknownBounce { .. } => false,
            })
            .map(|matter| super::today::task(desk, matter, false))
            .collect();
        let generations: Vec<_> = shown
            .generations
            .iter()
            .rev()
            .map(|g| context! { no => g.generation, cause => words::cause(g.cause, lang), state => lang.word(words::enrolment(&g.detail)) })
            .collect();
        Ok(context! {
            tenant => tenants::row(desk, card), steps, siblings, letters, matters, generations,
            authority => shown.authority, mail => shown.provenance.mail, since => lang.moment(shown.provenance.since),
            next => shown.next_wake.map(|at| lang.moment(at)), timeline => timeline(desk, id, shown.provenance.mail)?,
            complete => desk.board.trail.is_complete(), state => shown.line.state,
        })
    })
    .await
}

/// What happened, the newest first, by day.
fn timeline(desk: &Desk<'_>, id: TenantId, first: MailNo) -> Result<Vec<Value>, Trouble> {
    let mut numbers = desk.board.trail.about(Some(id), &[first]);
    numbers.drain(..numbers.len().saturating_sub(ENTRIES_SHOWN));
    let mut lines = desk.view.entries_about(HistoryOf::Tenant(id), &numbers, desk.lang)?;
    let own = format!("{id} ");
    let mut known = String::new();
    for line in &mut lines {
        // Whose state it is stands above already; it is told where it has changed.
        line.text.retain_mut(|text| {
            if !text.starts_with(&own) {
                return true;
            }
            *text = text
                .split_once(before_state(desk.lang))
                .map_or_else(|| text.clone(), |(_, state)| format!("→ {state}"));
            let news = *text != known;
            known.clone_from(text);
            news
        });
    }
    lines.retain(|line| !line.text.is_empty());
    Ok(by_day(desk, &lines))
}

/// Entries as a page shows them, the newest first, with the day where it changes.
pub(super) fn by_day(desk: &Desk<'_>, lines: &[HistoryLine]) -> Vec<Value> {
    let mut days: Vec<(crate::domain::Date, Vec<Value>)> = Vec::new();
    for line in lines.iter().rev() {
        let entry = context! {
            no => line.no, time => line.at.time_of_day().to_string(), text => line.text,
            actor => actor(desk, &line.actor), person => line.actor.starts_with("staff:"), kind => kind(line),
        };
        match days.last_mut().filter(|(day, _)| *day == line.at.date()) {
            Some((_, entries)) => entries.push(entry),
            None => days.push((line.at.date(), vec![entry])),
        }
    }
    days.into_iter().map(|(day, entries)| context! { day => desk.lang.day(day), entries }).collect()
}

/// Who did it, as people say it.
pub(super) fn actor(desk: &Desk<'_>, actor: &str) -> String {
    match actor.split_once(':') {
        Some(("staff", name)) => format!("{} {name}", desk.lang.pick("担当", "staff")),
        Some((_, _)) | None if actor == "system" => desk.lang.pick("自動", "annai").to_owned(),
        Some(_) | None => actor.to_owned(),
    }
}

/// The mark at the side: what sort of thing happened.
fn kind(line: &HistoryLine) -> &'static str {
    match line.kind.as_str() {
        _ if line.actor.starts_with("staff:") => "person",
        "mail-filed" => "in",
        "letter-queued" | "letter" => "out",
        "matter-opened" | "matter-closed" => "matter",
        "picked-up" | "seen-in-use" => "good",
        _ => "event",
    }
}
