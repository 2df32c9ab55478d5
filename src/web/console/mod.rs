//! The staff console: what needs a person today, and everything that can be asked or done about it.
//!
//! Pages are written by the server and work without scripts; a little script adds keys, live counts and pictures under
//! the pointer. Reading goes beside the engine ([`Following`], `View`); every act is one of the engine's steps with the
//! person as actor, and the engine judges whether they may. Everything stands behind the login (`web::session`).
//!
//! | file | what |
//! |---|---|
//! | `viewer` | who looks |
//! | `guard` | headers of every page |
//! | `visit` | one request: viewer, language, colours, parameters |
//! | `frame` | what every page has; templates |
//! | `words` | both languages: states, times, ages |
//! | `today`, `inbox`, `mail`, `outbox`, `letter`, `tenants`, `tenant`, `progress`, `forecast`, `audit`, `health`, `find`, `together`, `people`, `domains` | the views |
//! | `chart`, `tiles` | pictures as SVG |
//! | `act` | one decision; `bulk`, `jobs`: the same for many |
//! | `csv` | lists as files |
//! | `live`, `presence` | what changes while a page is open |
//! | `saved` | saved views and preferences |

mod act;
mod audit;
mod bulk;
mod chart;
mod domains;
mod export;
mod find;
mod forecast;
mod frame;
mod guard;
mod health;
mod inbox;
mod jobs;
mod letter;
mod live;
mod mail;
mod outbox;
mod people;
mod presence;
mod progress;
mod refusals;
mod saved;
mod tenant;
mod tenants;
mod tiles;
mod today;
mod together;
pub mod viewer;
mod visit;
mod words;

pub(super) use frame::speak;
pub(super) use refusals::said;
pub(super) use saved::kept;

use super::Source;
use crate::engine::views::board::Following;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use forecast::Forecasts;
use presence::Presence;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Longest form taken, in octets.
const FORM_OCTETS_MAX: usize = 512 * 1024;
/// How often the board looks whether the journal has gone on.
const LOOK: Duration = Duration::from_millis(250);
/// Rows of a list on one page.
const PAGE: usize = 50;

/// A page elsewhere the console leads to: the mailboxes of the demo.
#[derive(Debug, Clone)]
pub struct Link {
    pub ja: &'static str,
    pub en: &'static str,
    pub href: String,
}

/// What all views share.
#[derive(Debug)]
pub(super) struct Console {
    source: Source,
    board: Arc<Following>,
    /// The last journal entry the board knows of.
    tick: watch::Sender<u64>,
    presence: Presence,
    forecasts: Forecasts,
    links: Vec<Link>,
}

/// All views. The board follows as long as somebody holds the router.
pub(super) fn router(source: Source, board: Arc<Following>, links: Vec<Link>) -> Router {
    let console = Arc::new(Console {
        source,
        board,
        tick: watch::Sender::new(0),
        presence: Presence::default(),
        forecasts: Forecasts::default(),
        links,
    });
    tokio::spawn(follow(Arc::downgrade(&console)));
    tokio::spawn(jobs::take_up(Arc::clone(&console)));
    Router::new()
        .route("/", get(today::page))
        .route("/inbox", get(inbox::page))
        .route("/review", get(inbox::review))
        .route("/mail/{no}", get(mail::page))
        .route("/mail/{no}/here", post(live::here))
        .route("/outbox", get(outbox::page))
        .route("/outbox/{no}", get(letter::page))
        .route("/tenants", get(tenants::page))
        .route("/tenants/{id}", get(tenant::page))
        .route("/progress", get(progress::page))
        .route("/progress/{prefecture}", get(progress::prefecture))
        .route("/forecast", get(forecast::page))
        .route("/audit", get(audit::page))
        .route("/audit/verify", post(audit::verify))
        .route("/health", get(health::page))
        .route("/approvals", get(together::approvals))
        .route("/waves", get(together::waves))
        .route("/waves/{no}", get(together::wave))
        .route("/people", get(people::page))
        .route("/domains", get(domains::page))
        .route("/search", get(find::page))
        .route("/help", get(frame::help))
        .route("/act", post(act::act))
        .route("/bulk", post(bulk::ask))
        .route("/bulk/run", post(bulk::run))
        .route("/jobs", get(jobs::list))
        .route("/jobs/{no}", get(jobs::page))
        .route("/jobs/{no}/{what}", post(jobs::steer))
        .route("/export/{what}", get(export::export))
        .route("/events", get(live::events))
        .route("/views", post(saved::save))
        .route("/views/forget", post(saved::forget))
        .route("/preferences", post(saved::prefer))
        .route("/{*nothing}", get(frame::not_found))
        .layer(DefaultBodyLimit::max(FORM_OCTETS_MAX))
        .with_state(console)
}

/// What pages before the login need too.
pub(super) fn looks() -> Router {
    Router::new().route("/console.css", get(frame::style)).route("/console.js", get(frame::script))
}

/// The headers of every page, and those of the console's.
pub(super) fn dressed(router: Router) -> Router {
    guard::with_policy(super::look::dress(router))
}

/// Keeps the board current until nobody needs it any more.
async fn follow(console: std::sync::Weak<Console>) {
    loop {
        let Some(console) = console.upgrade() else { return };
        console.catch_up().await;
        // Old entries are read without a rest, bit by bit; then it is enough to look now and then.
        let pause = if console.board.lacks_old_entries() { Duration::ZERO } else { LOOK };
        drop(console);
        tokio::time::sleep(pause).await;
    }
}

impl Console {
    /// Takes in what has happened, so that whoever has just acted sees it.
    async fn catch_up(self: &Arc<Self>) {
        let console = Arc::clone(self);
        let caught = tokio::task::spawn_blocking(move || {
            if !console.board.is_behind() {
                return;
            }
            match console.board.catch_up() {
                Ok(seen) => drop(console.tick.send_replace(seen)),
                Err(fault) => tracing::error!(%fault, "the console's lists cannot be kept current"),
            }
        });
        if caught.await.is_err() {
            tracing::error!("the console's lists are not kept current; start annai again");
        }
    }
}
