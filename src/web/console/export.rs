//! Lists as files for spreadsheets ([`sheet`]), written page by page while they are sent, never as a whole.

use super::Console;
use super::visit::Visit;
use crate::domain::{MailNo, RowNo, TenantId, sheet};
use crate::engine::views::board::{Board, Query};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use std::convert::Infallible;
use std::sync::Arc;

/// Rows made at once.
const ROWS_AT_ONCE: usize = 2_000;

/// Which list.
#[derive(Debug, Clone, Copy)]
enum List {
    Tenants,
    Outbox,
    Inbox,
    Missing,
}

/// Where the next page of a file begins.
enum Next {
    Start,
    After(String),
    End,
}

pub(super) async fn export(State(console): State<Arc<Console>>, Path(what): Path<String>, visit: Visit) -> Response {
    let list = match what.as_str() {
        "tenants.csv" => List::Tenants,
        "outbox.csv" => List::Outbox,
        "inbox.csv" => List::Inbox,
        "missing.csv" => List::Missing,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let query = Query::parse(visit.param("q").unwrap_or_default());
    let all = visit.param("show") == Some("all");
    let rows = stream::unfold((console, Next::Start), move |(console, next)| {
        let query = query.clone();
        async move {
            if matches!(next, Next::End) {
                return None;
            }
            let shared = Arc::clone(&console);
            let made = tokio::task::spawn_blocking(move || page(&shared, list, &query, all, &next)).await.ok()?;
            let (text, next) = made?;
            Some((Ok::<_, Infallible>(text), (console, next)))
        }
    });
    let name = format!("attachment; filename=\"annai-{what}\"");
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    (headers, Body::from_stream(rows)).into_response()
}

fn page(console: &Console, list: List, query: &Query, all: bool, next: &Next) -> Option<(String, Next)> {
    let (head, after) = match next {
        Next::Start => (true, None),
        Next::After(key) => (false, Some(key.as_str())),
        Next::End => return None,
    };
    let view = console.source.survey.view();
    let today = view.now().date();
    let (title, rows, key): (&[&str], Vec<Vec<String>>, Option<String>) = console.board.ask(|board| match list {
        List::Tenants => tenants(board, query, today, after),
        List::Outbox => outbox(board, query, all, after),
        List::Inbox => inbox(board, query, after),
        List::Missing => {
            let covered = board.coverage();
            let missing = view.rules().authorities.all().iter().filter(|a| !covered.contains_key(&a.code));
            let row = |a: &crate::rules::Authority| {
                vec![a.code.to_string(), a.prefecture.clone(), a.name.clone(), a.site.clone()]
            };
            (&["コード", "都道府県", "自治体", "ドメイン"][..], missing.map(row).collect(), None)
        }
    })?;
    let mut text = String::new();
    if head {
        text.push_str(sheet::BOM);
        text.push_str(&sheet::line(title));
    }
    for row in &rows {
        text.push_str(&sheet::line(row));
    }
    Some((text, key.map_or(Next::End, Next::After)))
}

type Rows = (&'static [&'static str], Vec<Vec<String>>, Option<String>);

fn tenants(board: &Board, query: &Query, today: crate::domain::Date, after: Option<&str>) -> Rows {
    let after: Option<TenantId> = after.and_then(|id| id.parse().ok());
    let cut = board.tenants(query, today, after, ROWS_AT_ONCE);
    let row = |c: &crate::engine::views::board::TenantCard| {
        let deadline = c.deadline.map(|day| day.to_string()).unwrap_or_default();
        let words = [c.welcome.1, c.state.1, c.credential.1].map(str::to_owned);
        let [welcome, state, credential] = words;
        vec![c.id.to_string(), c.name.clone(), c.address.as_str().to_owned(), welcome, state, deadline, credential]
    };
    let title = &["ID", "名称", "メールアドレス", "疎通確認", "証明書", "取得期限", "ユーザID・パスワード"];
    (title, cut.items.iter().map(row).collect(), cut.next)
}

fn outbox(board: &Board, query: &Query, all: bool, before: Option<&str>) -> Rows {
    let before = before.and_then(|no| no.parse().ok()).map(RowNo);
    let cut = board.letters(query, all, before, ROWS_AT_ONCE);
    let row = |c: &crate::engine::views::board::LetterCard| {
        let tenant = c.tenant.map(|id| id.to_string()).unwrap_or_default();
        let (letter, state) = (c.letter.japanese().to_owned(), c.state.1.to_owned());
        vec![c.no.to_string(), letter, state, c.to.as_str().to_owned(), tenant, c.at.rfc3339()]
    };
    (&["番号", "種類", "状態", "宛先", "利用機関", "日時"], cut.items.iter().map(row).collect(), cut.next)
}

fn inbox(board: &Board, query: &Query, before: Option<&str>) -> Rows {
    let before = before.and_then(|no| no.parse().ok()).map(MailNo);
    let cut = board.mails(query, before, ROWS_AT_ONCE);
    let row = |c: &crate::engine::views::board::MailCard| {
        let from = c.from.as_ref().map(|from| from.as_str().to_owned()).unwrap_or_default();
        let authority = c.authority.map(|code| code.to_string()).unwrap_or_default();
        vec![c.no.to_string(), c.filed.rfc3339(), c.disposition.1.to_owned(), from, c.subject.clone(), authority]
    };
    (&["番号", "受信", "処理", "差出人", "件名", "自治体"], cut.items.iter().map(row).collect(), cut.next)
}
