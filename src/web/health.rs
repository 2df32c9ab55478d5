//! For monitoring, beside the console and never public: `/healthz` (200 or 503 with the reasons) and `/metrics`
//! (Prometheus).
//!
//! What is counted comes from the console's board, which counts as things happen; nothing walks the store for a scrape.

use super::{Source, metrics};
use crate::domain::Timestamp;
use crate::engine::survey::Figures;
use crate::engine::views::board::Following;
use crate::health::Vitals;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// The engine answers within this time or counts as stopped.
pub const ENGINE_LIMIT: Duration = Duration::from_secs(5);
/// A mailbox that was not read to its end for so long is reported, in real seconds: intake looks every five minutes, or waits
/// in IDLE for less than that.
pub const POLL_AGE_MAX: i64 = 1800;

struct Desk {
    source: Source,
    board: Arc<Following>,
}

/// What `/healthz` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub ok: bool,
    /// Why not, each a sentence that says what to look at.
    pub reasons: Vec<String>,
    pub now: Timestamp,
    pub engine_up: bool,
    /// Seconds since the oldest of the newest revocation lists was made; `None`: there is none.
    pub crl_age_seconds: Option<i64>,
    /// Seconds since the mailbox was last read to its end; `None`: not since the start.
    pub poll_age_seconds: Option<i64>,
    /// Mails in the mailbox that were never filed; `None`: not counted yet.
    pub unaccounted_mails: Option<u64>,
    /// The end of the journal's chain is in order; the whole is checked by `annai audit verify`.
    pub journal_in_order: Option<bool>,
}

pub fn router(source: Source, board: Arc<Following>) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(scrape))
        .with_state(Arc::new(Desk { source, board }))
}

async fn healthz(State(desk): State<Arc<Desk>>) -> Response {
    let report = desk.report().await.0;
    let status = if report.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report)).into_response()
}

async fn scrape(State(desk): State<Arc<Desk>>) -> Response {
    let (report, figures) = desk.report().await;
    let text = metrics::text(&report, figures.as_ref());
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
}

impl Desk {
    async fn report(&self) -> (Report, Option<Figures>) {
        let now = self.source.clock.now();
        let asked = self.source.handle.call(|engine| Ok(engine.now()));
        let engine_up = matches!(tokio::time::timeout(ENGINE_LIMIT, asked).await, Ok(Ok(Ok(_))));
        let figures = self.figures(now).await;
        let vitals = self.source.health.vitals();
        let poll_age_max = POLL_AGE_MAX.saturating_mul(i64::from(self.source.clock.factor()));
        let lists = self.source.handle.call(|engine| engine.crl_states());
        let lists = match tokio::time::timeout(ENGINE_LIMIT, lists).await {
            Ok(Ok(Ok(lists))) => lists,
            Ok(Ok(Err(_)) | Err(_)) | Err(_) => Vec::new(),
        };
        let made = lists.iter().filter_map(|list| list.this_update).min();
        let report = report(&vitals, engine_up, figures.as_ref(), now, poll_age_max);
        (Report { crl_age_seconds: made.map(|made| now.since(made).max(0)), ..report }, figures)
    }

    /// As the board has counted them, with everything that has happened until now.
    async fn figures(&self, now: Timestamp) -> Option<Figures> {
        let board = Arc::clone(&self.board);
        match tokio::task::spawn_blocking(move || board.figures(now)).await {
            Ok(Ok(figures)) => figures,
            Ok(Err(fault)) => {
                tracing::error!(error = %fault, "the figures cannot be counted");
                None
            }
            Err(_) => None,
        }
    }
}

fn report(vitals: &Vitals, engine_up: bool, figures: Option<&Figures>, now: Timestamp, poll_age_max: i64) -> Report {
    let poll_age_seconds = vitals.polled.map(|at| now.since(at).max(0));
    let unaccounted_mails = vitals.mailbox.map(|count| count.unaccounted());
    let journal_in_order = figures.map(|figures| figures.journal_in_order);
    let mut reasons = Vec::new();
    if !engine_up {
        reasons.push("the engine does not answer; look at the log and start annai again".to_owned());
    }
    if figures.is_none() {
        reasons.push("the store cannot be read; run annai doctor".to_owned());
    }
    match poll_age_seconds {
        None => reasons.push("the mailbox has not been read since the start".to_owned()),
        Some(age) if age > poll_age_max => reasons.push(format!("the mailbox was last read {age} seconds ago")),
        Some(_) => {}
    }
    for (server, trouble) in [("imap", &vitals.imap_trouble), ("smtp", &vitals.smtp_trouble)] {
        if let Some(trouble) = trouble {
            reasons.push(format!("{server}, since {}: {}", trouble.since.rfc3339(), trouble.what));
        }
    }
    if unaccounted_mails.is_some_and(|count| count > 0) {
        reasons.push("mails lie in the mailbox that were never filed; compare it with annai status".to_owned());
    }
    if journal_in_order == Some(false) {
        reasons.push("the journal is not in order; run annai audit verify".to_owned());
    }
    if let Some(trouble) = &vitals.reload_trouble {
        reasons.push(format!("rules and templates were not reloaded: {trouble}"));
    }
    Report {
        ok: reasons.is_empty(),
        reasons,
        now,
        engine_up,
        crl_age_seconds: None,
        poll_age_seconds,
        unaccounted_mails,
        journal_in_order,
    }
}
