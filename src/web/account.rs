//! What stands behind the login whatever the role: one's own account, sessions and password, and the way out.

use super::console::said as told;
use super::login::VERIFYING;
use super::look::{page, unshown};
use super::session::{Reception, Visitor, csrf_of};
use crate::crypto::password;
use crate::domain::Secret;
use crate::engine::EngineError;
use crate::engine::people::{PeopleVerb, Session};
use crate::engine::staff::Verb;
use axum::Router;
use axum::extract::{Extension, Form, State};
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, SET_COOKIE};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

#[derive(Deserialize)]
struct NewPassword {
    old: String,
    new: String,
    again: String,
}

#[derive(Deserialize)]
struct Ended {
    session: u64,
}

/// See the module.
pub(super) fn router(reception: Reception) -> Router {
    Router::new()
        .route("/logout", post(left))
        .route("/account", get(own))
        .route("/account/password", post(changed))
        .route("/account/session", post(ended))
        .with_state(reception)
}

async fn left(State(reception): State<Reception>, Extension(visitor): Extension<Visitor>) -> Response {
    let token = visitor.token.clone();
    let _left = reception.source.handle.call(move |engine| engine.log_out(&token)).await;
    let mut response = Redirect::to("/login").into_response();
    let gone = format!("{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict", reception.cookie());
    if let Ok(value) = HeaderValue::try_from(if reception.secure { gone + "; Secure" } else { gone }) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

async fn own(State(reception): State<Reception>, Extension(visitor): Extension<Visitor>) -> Response {
    show(&reception, &visitor, StatusCode::OK, None).await
}

async fn show(reception: &Reception, visitor: &Visitor, status: StatusCode, said: Option<&str>) -> Response {
    let view = reception.source.survey.view();
    let known = tokio::task::spawn_blocking(move || Ok::<_, EngineError>((view.sessions()?, view.accounts()?))).await;
    let Ok(Ok((sessions, accounts))) = known else {
        return unshown();
    };
    let lang = visitor.lang;
    let line = |session: &Session| {
        minijinja::context! {
            no => session.no,
            since => lang.moment(session.since),
            seen => lang.moment(session.seen),
            from => session.from,
            agent => session.agent,
            own => session.no == visitor.session,
        }
    };
    let certificate = accounts.iter().find(|account| account.name == visitor.name).and_then(|own| own.certificate);
    let all = sessions.iter().filter(|session| session.account == visitor.name).map(line);
    let values = minijinja::context! {
        lang => lang.code(),
        name => visitor.name,
        person => visitor.person,
        role => lang.pick(visitor.role.japanese(), visitor.role.name()),
        csrf => csrf_of(&visitor.token),
        sessions => all.collect::<Vec<_>>(),
        shortest => password::CHARS_MIN,
        certificate => certificate.map(|bound| lang.moment(bound.since)),
        said,
    };
    page(status, "account.html", values)
}

async fn changed(
    State(reception): State<Reception>,
    Extension(visitor): Extension<Visitor>,
    Form(NewPassword { old, new, again }): Form<NewPassword>,
) -> Response {
    let lang = visitor.lang;
    let refuse = |ja: &'static str, en: &'static str| async {
        show(&reception, &visitor, StatusCode::BAD_REQUEST, Some(lang.pick(ja, en))).await
    };
    let busy = || refuse("ただいま変更できません。", "It cannot be changed just now.");
    if new != again {
        return refuse("新しいパスワードが2回とも同じではありません。", "The new password is not the same both times.")
            .await;
    }
    let Ok(_place) = VERIFYING.acquire().await else { return busy().await };
    let (survey, name) = (reception.source.survey.clone(), visitor.name.clone());
    let hashed = tokio::task::spawn_blocking(move || {
        let known = survey.prove(&name, &Secret::new(old)).is_ok_and(|proof| proof.is_some());
        known.then(|| password::hash(&Secret::new(new)))
    });
    let hash = match hashed.await {
        Ok(Some(Ok(hash))) => hash,
        Ok(Some(Err(_))) => {
            return refuse(
                "新しいパスワードは12文字以上、256バイト以下にしてください。",
                "A password has 12 characters or more and at most 256 bytes.",
            )
            .await;
        }
        Ok(None) | Err(_) => return refuse("今のパスワードが違います。", "The present password is wrong.").await,
    };
    let verb = Verb::People(PeopleVerb::Password { name: visitor.name.clone(), hash, reason: String::new() });
    let who = visitor.who();
    match reception.source.handle.call(move |engine| engine.act(who, &verb)).await {
        // Every session has ended with the old password, this one too.
        Ok(Ok(_)) => Redirect::to("/login").into_response(),
        Ok(Err(_)) | Err(_) => busy().await,
    }
}

async fn ended(
    State(reception): State<Reception>,
    Extension(visitor): Extension<Visitor>,
    Form(Ended { session }): Form<Ended>,
) -> Response {
    let verb = Verb::People(PeopleVerb::EndSession { session });
    let who = visitor.who();
    match reception.source.handle.call(move |engine| engine.act(who, &verb)).await {
        Ok(Ok(_)) => Redirect::to("/account").into_response(),
        Ok(Err(fault)) => {
            let said = told(visitor.lang, &fault.to_string()).into_owned();
            show(&reception, &visitor, StatusCode::CONFLICT, Some(&said)).await
        }
        Err(_) => unshown(),
    }
}
