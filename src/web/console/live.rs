//! What changes while a page is open: counts by server-sent events, and who has a mail open. Pages ask for themselves
//! anew; an event only says that it is worth it.

use super::Console;
use super::visit::Visit;
use crate::domain::{MailNo, Timestamp};
use crate::engine::views::board::Board;
use crate::web::session::Visitor;
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream};
use serde::Serialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Pages that may listen at once.
const LISTENERS_MAX: usize = 64;
/// An event at most this often: nobody reads faster.
const PAUSE: Duration = Duration::from_secs(1);

static LISTENERS: AtomicUsize = AtomicUsize::new(0);

/// How much waits in which view.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) review: usize,
    /// Letters that wait for a person.
    pub(super) outbox: u64,
    /// Requests that wait for a second person.
    pub(super) approvals: u64,
    /// Red lines.
    pub(super) health: usize,
    head: u64,
}

pub(super) fn counts(console: &Console, board: &Board, now: Timestamp) -> Counts {
    Counts {
        review: board.matters.len(),
        outbox: board.letters_for_people(),
        approvals: board.requests,
        health: super::health::red(console, now),
        head: board.seen,
    }
}

struct Listener;

impl Listener {
    fn new() -> Option<Self> {
        let taken = LISTENERS.fetch_add(1, Ordering::AcqRel);
        let listener = Self;
        (taken < LISTENERS_MAX).then_some(listener)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        LISTENERS.fetch_sub(1, Ordering::AcqRel);
    }
}

pub(super) async fn events(State(console): State<Arc<Console>>, Extension(visitor): Extension<Visitor>) -> Response {
    let Some(listener) = Listener::new() else {
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "60")]).into_response();
    };
    Sse::new(news(console, visitor, listener))
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(10)))
        .into_response()
}

fn news(console: Arc<Console>, visitor: Visitor, listener: Listener) -> impl Stream<Item = Result<Event, Infallible>> {
    let tick = console.tick.subscribe();
    // The browser asks again by itself after a connection has come to its end.
    stream::unfold(
        (console, visitor, tick, listener, true),
        |(console, visitor, mut tick, listener, first)| async move {
            if !first {
                tick.changed().await.ok()?;
                tokio::time::sleep(PAUSE).await;
                // Whoever was logged out hears no more.
                if !visitor.is_still_here(&console.source).await {
                    return None;
                }
            }
            let _seen = *tick.borrow_and_update();
            let now = console.source.clock.now();
            let counts = console.board.ask(|board| counts(&console, board, now)).unwrap_or_default();
            let event =
                Event::default().event("counts").retry(Duration::from_secs(2)).json_data(counts).unwrap_or_default();
            Some((Ok(event), (console, visitor, tick, listener, false)))
        },
    )
}

/// This page is still open; the answer names who else has it open.
pub(super) async fn here(State(console): State<Arc<Console>>, Path(no): Path<u64>, visit: Visit) -> Response {
    console.presence.look(MailNo(no), &visit.viewer);
    Json(console.presence.others(MailNo(no), &visit.viewer)).into_response()
}
