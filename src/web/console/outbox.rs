//! 送信: what waits, how long, for which domain; every letter by query, and verbs for many at once.

use super::frame::show;
use super::visit::Visit;
use super::words::chip;
use super::{Console, PAGE, tenants};
use crate::domain::RowNo;
use crate::engine::views::board::{LetterCard, Query};
use crate::engine::views::words;
use axum::extract::State;
use axum::response::Response;
use minijinja::{Value, context};
use std::sync::Arc;

/// Domains in the table.
const DOMAINS_SHOWN: usize = 12;

pub(super) async fn page(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    show(console, visit, "outbox.html", |desk| {
        let query = Query::parse(desk.visit.param("q").unwrap_or_default());
        let all = desk.visit.param("show") == Some("all");
        let page = desk.board.letters(&query, all, desk.visit.number("before").map(RowNo), PAGE);
        let rows: Vec<_> = page.items.iter().map(|card| row(desk, card)).collect();
        let counts = desk.board.letters_by_state();
        let shape = desk.board.shape(desk.now, DOMAINS_SHOWN);
        let shape: Vec<_> = shape
            .iter()
            .map(|line| {
                let href = desk.visit.with("q", Some(&format!("domain:{}", line.domain)));
                context! { domain => line.domain, planned => line.planned, ages => line.ages.to_vec(), total => line.total, href }
            })
            .collect();
        Ok(context! {
            rows, total => page.total, filters => tenants::filters(desk, &query, &counts), shape, all,
            q => query.text, next => page.next.map(|key| desk.visit.with("before", Some(&key))),
            everything => desk.visit.with("show", (!all).then_some("all")),
            waiting => desk.board.open.len(),
        })
    })
    .await
}

/// A letter in a list.
pub(super) fn row(desk: &super::frame::Desk<'_>, card: &LetterCard) -> Value {
    let tenant = card.tenant.and_then(|id| desk.board.tenant(id));
    let why = match card.hold {
        Some(reason) => Some(words::hold(reason, desk.lang).to_owned()),
        // The reason stands in the record only.
        None if matches!(card.state.0, "planned" | "relayed" | "in-flight") => None,
        None => desk.view.row(card.no).ok().and_then(|row| words::why(&row.delivery, desk.lang)),
    };
    context! {
        no => card.no, letter => desk.lang.letter(card.letter), state => chip(desk.lang, card.state),
        to => card.to.as_str(), at => desk.lang.moment(card.at), tenant => card.tenant, name => tenant.map(|t| t.name.as_str()),
        mail => card.mail, why, done => card.done,
    }
}
