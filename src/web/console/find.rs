//! The one search box: tenants, letters and mails that fit, the first of each; an id or number leads there at once.

use super::frame::{Desk, show};
use super::visit::{Visit, encode};
use super::words::chip;
use super::{Console, outbox, tenants};
use crate::domain::{MailAddress, TenantId};
use crate::engine::views::board::{Key, MatterCard, Query};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use minijinja::{Value, context};
use std::sync::Arc;

/// Shown of each.
const SHOWN: usize = 8;

pub(super) async fn page(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    let query = Query::parse(visit.param("q").unwrap_or_default());
    if let Ok(id) = query.text.parse::<TenantId>()
        && console.board.ask(|board| board.tenant(id).is_some()) == Some(true)
    {
        return (StatusCode::SEE_OTHER, [(header::LOCATION, format!("/tenants/{id}"))]).into_response();
    }
    show(console, visit, "find.html", move |desk| {
        let tenants = desk.board.tenants(&query, desk.today, None, SHOWN);
        let letters = desk.board.letters(&query, true, None, SHOWN);
        let mails = desk.board.mails(&query, None, SHOWN);
        let lang = desk.lang;
        let mail_rows: Vec<_> = mails
            .items
            .iter()
            .map(|card| {
                context! {
                    no => card.no, subject => card.subject, from => card.from.as_ref().map(MailAddress::as_str),
                    at => lang.moment(card.filed), chip => chip(lang, card.disposition),
                }
            })
            .collect();
        let q = encode(&query.text);
        Ok(context! {
            q => query.text, empty => query.is_empty(), address => q,
            tenants => tenants.items.iter().map(|card| tenants::row(desk, card)).collect::<Vec<_>>(),
            tenants_total => tenants.total, letters => letters.items.iter().map(|card| outbox::row(desk, card)).collect::<Vec<_>>(),
            letters_total => letters.total, mails => mail_rows, mails_total => mails.total,
        })
    })
    .await
}

/// Whether an open matter fits a query, with its reasons as the list shows them.
pub(super) fn fits(desk: &Desk<'_>, query: &Query, card: &MatterCard, reasons: &[Value]) -> bool {
    if query.is_empty() {
        return true;
    }
    let mail = super::mail::mail_of(&card.subject).and_then(|no| desk.board.mail(no));
    let from = || mail.and_then(|mail| mail.from.as_ref());
    let holds = |text: &str, part: &str| text.to_lowercase().contains(part);
    let said = |part: &str| reasons.iter().any(|reason| holds(&reason.to_string(), part));
    let named = |part: &str| mail.is_some_and(|mail| holds(&mail.subject, part));
    query.words.iter().all(|word| named(word) || said(word) || from().is_some_and(|f| holds(f.as_str(), word)))
        && query.keys.iter().all(|(key, value)| match key {
            Key::Name => named(value),
            Key::Address => from().is_some_and(|from| holds(from.as_str(), value)),
            Key::Domain => from().is_some_and(|from| holds(&from.domain(), value)),
            Key::Reason => said(value),
            Key::State | Key::Letter | Key::Days | Key::Id => false,
        })
}
