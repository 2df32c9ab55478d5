//! One letter: its text exactly as it leaves, with secrets masked, how it stands, and what can be done.

use super::Console;
use super::frame::{Trouble, show};
use super::tenant::by_day;
use super::visit::Visit;
use super::words::chip;
use crate::domain::RowNo;
use crate::engine::staff::Verb;
use crate::engine::views::{HistoryOf, words};
use axum::extract::{Path, State};
use axum::response::Response;
use minijinja::context;
use std::sync::Arc;

pub(super) async fn page(State(console): State<Arc<Console>>, Path(no): Path<String>, visit: Visit) -> Response {
    show(console, visit, "letter.html", move |desk| {
        let no = RowNo(no.parse().map_err(|_| Trouble::Missing)?);
        let letter = desk.view.letter(no)?;
        let card = desk.board.letters.get(&no.0);
        let tenant = card.and_then(|card| card.tenant);
        let mail = card.and_then(|card| card.mail);
        let lang = desk.lang;
        let numbers = desk.board.trail.about(tenant, mail.as_slice());
        let history = desk.view.entries_about(HistoryOf::Row(no), &numbers, lang)?;
        let reason = || "-".to_owned();
        let verbs: Vec<&str> = [
            ("retry", Verb::Retry { row: no }),
            ("release", Verb::Release { row: no }),
            ("hold", Verb::Hold { row: no, reason: reason() }),
            ("withdraw", Verb::Withdraw { row: no, reason: reason() }),
        ]
        .into_iter()
        .filter(|(_, verb)| desk.view.would_take(verb).is_ok())
        .map(|(name, _)| name)
        .collect();
        let auditor = !desk.visit.viewer.acts();
        let text = if auditor && letter.sealed { None } else { desk.view.preview(no)? };
        Ok(context! {
            no, letter => lang.word((letter.line.letter, letter.line.letter_name)), subject => letter.line.subject,
            to => letter.line.to.as_str(), state => chip(lang, (letter.line.state, letter.line.state_name)),
            why => words::why(&letter.delivery, lang), at => lang.moment(letter.line.at), created => lang.moment(letter.created),
            first => letter.first_attempt.map(|at| lang.moment(at)), message_id => letter.message_id,
            attempts => letter.line.attempts, sealed => letter.sealed, header => letter.header, text, verbs,
            tenant, tenant_name => tenant.and_then(|id| desk.board.tenant(id)).map(|card| card.name.as_str()), mail,
            timeline => by_day(desk, &history),
        })
    })
    .await
}
