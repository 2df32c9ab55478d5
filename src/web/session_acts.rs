//! One door for what people do in the console: `POST /api/act` takes a verb of staff as JSON (the same words as in the
//! control socket and the journal) and gives `{"done": true}` or `{"asked": 7}`; `GET /api/me` says who is looking and
//! what they may do. Behind the guard of [`super::session`]; rights are the engine's to judge.

use super::login::refused;
use super::look::plain;
use super::session::{FORM_OCTETS_MAX, Reception, Visitor};
use crate::engine::approvals::Done;
use crate::engine::staff::Verb;
use crate::workflow::rights::Act;
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

pub(super) fn router(reception: Reception) -> Router {
    Router::new()
        .route("/api/act", post(act))
        .route("/api/me", get(me))
        .layer(DefaultBodyLimit::max(FORM_OCTETS_MAX))
        .with_state(reception)
}

async fn act(
    State(reception): State<Reception>,
    Extension(visitor): Extension<Visitor>,
    verb: Result<Json<Verb>, JsonRejection>,
) -> Response {
    let Ok(Json(verb)) = verb else {
        return plain(StatusCode::BAD_REQUEST, "操作の形が正しくありません。\n");
    };
    let who = visitor.who();
    match reception.source.handle.call(move |engine| engine.act(who, &verb)).await {
        Ok(Ok(Done::Done)) => Json(json!({"done": true})).into_response(),
        Ok(Ok(Done::Asked(no))) => Json(json!({"asked": no})).into_response(),
        Ok(Err(fault)) => refused(&fault),
        Err(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "ただいま操作できません。\n"),
    }
}

async fn me(Extension(visitor): Extension<Visitor>) -> Response {
    let word = |act: Act| serde_json::to_value(act).ok().and_then(|word| word.as_str().map(str::to_owned));
    let rights: Map<String, Value> =
        Act::ALL.into_iter().filter_map(|act| Some((word(act)?, json!(visitor.may(act))))).collect();
    Json(json!({
        "name": visitor.name, "person": visitor.person, "role": visitor.role, "session": visitor.session,
        "csrf": visitor.csrf, "rights": rights,
    }))
    .into_response()
}
