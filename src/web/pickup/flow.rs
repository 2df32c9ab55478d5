//! The forms behind a code: password → terms → certificate. What is blank, comes from elsewhere or has lost its mark is
//! answered with the page as it stands and counts as a look, not as a try.

use super::tokens::{Form as Mark, cookie, grouped, same_site, session};
use super::{ANSWER_LIMIT, Code, Desk, From, Visitor, look, tenant};
use crate::domain::Secret;
use crate::engine::EngineError;
use crate::engine::pickup::{Opening, Pickup, Stage, Taken, VisitKind, take};
use crate::pki::Profile;
use crate::web::officer::{Asked, Tongue};
use axum::body::Body;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{ConnectInfo, Form, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use minijinja::context;
use serde::Deserialize;
use std::sync::Arc;

/// Everything a form can hold.
#[derive(Default, Deserialize)]
pub(super) struct Fields {
    #[serde(default)]
    step: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    agree: String,
    #[serde(default)]
    format: String,
}

type Sent = Result<Form<Fields>, FormRejection>;
type Tail = Result<Query<Asked>, QueryRejection>;

/// A form sent to the page of a code.
pub(super) async fn sent(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(peer): From,
    query: Tail,
    headers: HeaderMap,
    code: Code,
    form: Sent,
) -> Response {
    let visitor = Visitor { tongue: tongue(query), headers, peer };
    let Some(code) = code.ok().and_then(|Path(typed)| grouped(&typed)) else { return desk.unknown(visitor.tongue) };
    let fields = form.map(|Form(fields)| fields).unwrap_or_default();
    if fields.password.trim().is_empty() && fields.step != "terms" {
        return look(&desk, &code, &visitor.headers, visitor.tongue, VisitKind::BlankPost);
    }
    if !desk.allows(&visitor, &code) {
        return desk.busy(visitor.tongue);
    }
    if !same_site(&visitor.headers) {
        return desk.start_again(&code, &visitor, "expired");
    }
    if fields.step == "terms" {
        return desk.terms_answered(&code, &visitor, &fields);
    }
    desk.password_typed(&code, &visitor, fields).await
}

/// The certificate, please.
pub(super) async fn taken(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(peer): From,
    query: Tail,
    headers: HeaderMap,
    code: Code,
    form: Sent,
) -> Response {
    let visitor = Visitor { tongue: tongue(query), headers, peer };
    let Some(code) = code.ok().and_then(|Path(typed)| grouped(&typed)) else { return desk.unknown(visitor.tongue) };
    let fields = form.map(|Form(fields)| fields).unwrap_or_default();
    if fields.token.is_empty() {
        return look(&desk, &code, &visitor.headers, visitor.tongue, VisitKind::BlankPost);
    }
    if !desk.allows(&visitor, &code) {
        return desk.busy(visitor.tongue);
    }
    let Some(session) = session(&visitor.headers, desk.site.secure()) else {
        return desk.start_again(&code, &visitor, "cookie");
    };
    let marked = desk.tokens.holds(Mark::Certificate, &[&code, &session], &fields.token);
    let Some(profile) = Profile::parse(&fields.format).filter(|_| marked && same_site(&visitor.headers)) else {
        return desk.start_again(&code, &visitor, "expired");
    };
    desk.hand_out(&code, session, profile, &visitor).await
}

impl Desk {
    async fn password_typed(&self, code: &str, visitor: &Visitor, fields: Fields) -> Response {
        let tongue = visitor.tongue;
        if !self.tokens.holds(Mark::Password, &[code], &fields.token) {
            return self.start_again(code, visitor, "expired");
        }
        let (asked, typed) = (code.to_owned(), Secret::new(fields.password));
        let opening = self.ask(move |engine| engine.open_pickup(&asked, typed.reveal()));
        match opening.await {
            Some(Opening::Opened { session, pickup }) => {
                let mut page = self.terms(&pickup, code, session.reveal(), tongue, "");
                if let Some(cookie) = cookie(session.reveal(), self.site.secure()) {
                    page.headers_mut().insert(header::SET_COOKIE, cookie);
                }
                page
            }
            Some(Opening::Malformed) => self.form_again(code, visitor, "shape", None),
            Some(Opening::Wrong { left }) => self.form_again(code, visitor, "wrong", Some(left)),
            Some(Opening::Locked { until }) => self.locked(tongue, until),
            // Somebody came back to the form: a browser that has taken the certificate finds its download again.
            Some(Opening::NotOpen(_)) => self.start_again(code, visitor, ""),
            Some(Opening::Unknown) => self.unknown(tongue),
            None => self.unavailable(tongue),
        }
    }

    fn terms_answered(&self, code: &str, visitor: &Visitor, fields: &Fields) -> Response {
        let tongue = visitor.tongue;
        let Some(session) = session(&visitor.headers, self.site.secure()) else {
            return self.start_again(code, visitor, "cookie");
        };
        if !self.tokens.holds(Mark::Terms, &[code, &session], &fields.token) {
            return self.start_again(code, visitor, "expired");
        }
        match self.look(code, Some(&session)) {
            Ok(Some(pickup)) if matches!(pickup.stage, Stage::Open { .. }) && !pickup.opened => {
                self.start_again(code, visitor, "expired")
            }
            Ok(Some(pickup)) if fields.agree == "yes" => match pickup.stage {
                Stage::Open { .. } => self.ready(&pickup, code, &session, tongue, None),
                Stage::Preparing
                | Stage::Collected { .. }
                | Stage::Expired { .. }
                | Stage::Reissued { .. }
                | Stage::Void { .. }
                | Stage::Suspended { .. } => self.stands(&pickup, code, Some(&session), tongue),
            },
            Ok(Some(pickup)) => self.terms(&pickup, code, &session, tongue, "agree"),
            Ok(None) => self.unknown(tongue),
            Err(fault) => self.failed(&fault, tongue),
        }
    }

    fn terms(&self, pickup: &Pickup, code: &str, session: &str, tongue: Tongue, problem: &str) -> Response {
        let token = self.tokens.mark(Mark::Terms, &[code, session]);
        let own = context! { tenant => tenant(pickup), code, token, problem };
        let status = if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
        self.site.page(status, "officer/terms.html", tongue, own)
    }

    async fn hand_out(&self, code: &str, session: String, profile: Profile, visitor: &Visitor) -> Response {
        let tongue = visitor.tongue;
        let handle = &self.source.handle;
        match take(handle, code.to_owned(), session.clone(), profile).await {
            Ok(Ok(Taken::File { name, bytes, serial })) => {
                tracing::info!(serial, "a certificate was handed out");
                self.file(code, session, &name, &bytes)
            }
            Ok(Ok(Taken::NoSession)) => self.start_again(code, visitor, "expired"),
            Ok(Ok(Taken::NotOpen(pickup))) => self.stands(&pickup, code, Some(&session), tongue),
            Ok(Ok(Taken::Unavailable { why })) => {
                tracing::error!(why, "no certificate can be issued");
                self.unavailable(tongue)
            }
            Ok(Err(fault)) => self.failed(&fault, tongue),
            Err(_) => self.unavailable(tongue),
        }
    }

    /// The file as a download. Once its last byte was asked for, the engine hears of it.
    fn file(&self, code: &str, session: String, name: &str, bytes: &Secret<Vec<u8>>) -> Response {
        let (handle, code) = (self.source.handle.clone(), code.to_owned());
        let received = async move {
            let done = handle.call(move |engine| engine.pickup_received(&code, &session)).await;
            if let Ok(Err(fault)) = done {
                tracing::warn!(error = %fault, "the receipt of a certificate could not be written down");
            }
            Ok(Vec::new())
        };
        let parts =
            [futures::future::Either::Left(std::future::ready(Ok::<_, std::io::Error>(bytes.reveal().clone())))];
        let parts = parts.into_iter().chain([futures::future::Either::Right(received)]);
        let body = Body::from_stream(futures::stream::StreamExt::then(futures::stream::iter(parts), |part| part));
        let mut response = body.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-pkcs12"));
        if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
            headers.insert(header::CONTENT_DISPOSITION, disposition);
        }
        response
    }

    /// The first form again, if there is one to fill in; else how things are for this browser.
    fn form_again(&self, code: &str, visitor: &Visitor, problem: &str, left: Option<u32>) -> Response {
        let (tongue, session) = (visitor.tongue, session(&visitor.headers, self.site.secure()));
        match self.look(code, session.as_deref()) {
            Ok(Some(pickup)) if matches!(pickup.stage, Stage::Open { .. }) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                self.password(status, &pickup, code, tongue, problem, left)
            }
            Ok(Some(pickup)) => self.stands(&pickup, code, session.as_deref(), tongue),
            Ok(None) => self.unknown(tongue),
            Err(fault) => self.failed(&fault, tongue),
        }
    }

    /// The first form again, with the reason.
    fn start_again(&self, code: &str, visitor: &Visitor, problem: &str) -> Response {
        self.form_again(code, visitor, problem, None)
    }

    fn failed(&self, fault: &EngineError, tongue: Tongue) -> Response {
        tracing::error!(error = %fault, "a pick-up form could not be answered");
        self.unavailable(tongue)
    }

    /// One question to the engine; `None`: it does not answer, and the log says why.
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut crate::engine::Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Option<T> {
        match tokio::time::timeout(ANSWER_LIMIT, self.source.handle.call(work)).await {
            Ok(Ok(Ok(answer))) => Some(answer),
            Ok(Ok(Err(fault))) => {
                tracing::error!(error = %fault, "a pick-up form could not be answered");
                None
            }
            Ok(Err(_)) | Err(_) => None,
        }
    }
}

fn tongue(query: Tail) -> Tongue {
    query.map_or(Tongue::Japanese, |Query(asked)| asked.tongue())
}
