//! The page on loopback. (working version)
use super::scene::Watcher;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use std::sync::Arc;

pub(super) fn router(watcher: Arc<Watcher>) -> Router {
    Router::new().route("/", get(|State(w): State<Arc<Watcher>>| async move { Json(w.log()) })).with_state(watcher)
}
