//! 利用機関: every tenant, by query.

use super::frame::{Desk, show};
use super::visit::Visit;
use super::words::{chip, tone};
use super::{Console, PAGE};
use crate::domain::{TenantId, TenantKind};
use crate::engine::views::board::{Key, Query, TenantCard};
use crate::engine::views::words::Word;
use axum::extract::State;
use axum::response::Response;
use minijinja::{Value, context};
use std::sync::Arc;

pub(super) async fn page(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    show(console, visit, "tenants.html", |desk| {
        let query = Query::parse(desk.visit.param("q").unwrap_or_default());
        let after: Option<TenantId> = desk.visit.param("after").and_then(|id| id.parse().ok());
        let page = desk.board.tenants(&query, desk.today, after, PAGE);
        let rows: Vec<_> = page.items.iter().map(|card| row(desk, card)).collect();
        let counts = desk.board.tenants_by_state();
        Ok(context! {
            rows, total => page.total, filters => filters(desk, &query, &counts), q => query.text,
            next => page.next.map(|key| desk.visit.with("after", Some(&key))),
        })
    })
    .await
}

/// A tenant in a list.
pub(super) fn row(desk: &Desk<'_>, card: &TenantCard) -> Value {
    let lang = desk.lang;
    let left = card.deadline.map(|day| day.days_since(desk.today));
    let kind = match card.kind {
        TenantKind::Authority => lang.pick("自治体", "authority"),
        TenantKind::HealthCentre => lang.pick("保健所", "health centre"),
    };
    context! {
        id => card.id, name => card.name, kind, centre => card.kind == TenantKind::HealthCentre,
        address => card.address.as_str(), unreachable => card.unreachable(),
        state => chip(lang, card.state), welcome => chip(lang, card.welcome), credential => chip(lang, card.credential),
        deadline => card.deadline.map(|day| day.to_string()), left, near => left.is_some_and(|days| days <= 3),
        again => (card.generation > 1).then_some(card.generation),
    }
}

/// States as filters, each with its count; the one in force leads back to all.
pub(super) fn filters(desk: &Desk<'_>, query: &Query, counts: &[(Word, u64)]) -> Vec<Value> {
    let chosen = query.keys.iter().find(|(key, _)| *key == Key::State).map(|(_, value)| value.as_str());
    let others: Vec<&str> = query.text.split_whitespace().filter(|part| !part.starts_with("state:")).collect();
    let filter = |(word, count): &(Word, u64)| {
        let current = chosen.is_some_and(|state| state == word.0 || state == word.1);
        if *count == 0 && !current {
            return None;
        }
        let text = if current { others.join(" ") } else { format!("state:{} {}", word.0, others.join(" ")) };
        let href = desk.visit.with("q", Some(text.trim()).filter(|text| !text.is_empty()));
        Some(context! { word => desk.lang.word(*word), tone => tone(word.0), count, href, current })
    };
    counts.iter().filter_map(filter).collect()
}
