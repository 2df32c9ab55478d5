//! 受信: every mail with its one disposition; 要確認: what waits for a person, the oldest first.

use super::frame::show;
use super::today::{reasons, task};
use super::visit::Visit;
use super::words::chip;
use super::{Console, PAGE, tenants};
use crate::domain::{MailAddress, MailNo};
use crate::engine::views::board::Query;
use crate::engine::views::words;
use axum::extract::State;
use axum::response::Response;
use minijinja::context;
use std::sync::Arc;

pub(super) async fn page(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    show(console, visit, "inbox.html", |desk| {
        let query = Query::parse(desk.visit.param("q").unwrap_or_default());
        let page = desk.board.mails(&query, desk.visit.number("before").map(MailNo), PAGE);
        let lang = desk.lang;
        let rows: Vec<_> = page
            .items
            .iter()
            .map(|card| {
                let authority = card.authority.and_then(|code| desk.view.rules().authorities.by_code(code));
                context! {
                    no => card.no, at => lang.moment(card.filed), chip => chip(lang, card.disposition),
                    from => card.from.as_ref().map(MailAddress::as_str), subject => card.subject,
                    authority => authority.map(|a| a.name.as_str()),
                    reasons => card.reasons.iter().map(|r| words::sentence(*r, lang)).collect::<Vec<_>>(),
                }
            })
            .collect();
        let counts = desk.board.mails_by_disposition();
        Ok(context! {
            rows, total => page.total, filters => tenants::filters(desk, &query, &counts),
            next => page.next.map(|key| desk.visit.with("before", Some(&key))), q => query.text,
        })
    })
    .await
}

pub(super) async fn review(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    show(console, visit, "review.html", |desk| {
        let query = Query::parse(desk.visit.param("q").unwrap_or_default());
        let after = desk.visit.number("after").unwrap_or(0);
        let mut rows = Vec::new();
        let (mut next, mut last, mut total) = (None, 0, 0_usize);
        for (no, card) in &desk.board.matters {
            let reasons = reasons(card, desk.lang);
            if !super::find::fits(desk, &query, card, &reasons) {
                continue;
            }
            total += 1;
            if *no <= after {
                continue;
            }
            if rows.len() >= PAGE {
                next.get_or_insert(last);
                continue;
            }
            last = *no;
            rows.push(context! { task => task(desk, card, false), reasons });
        }
        Ok(context! {
            rows, total, q => query.text,
            next => next.map(|key: u64| desk.visit.with("after", Some(&key.to_string()))),
        })
    })
    .await
}
