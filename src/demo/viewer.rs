//! The page on loopback: how far everybody is, every mailbox with every mail as its owner sees it, the queue. Secrets are
//! shown, because nobody's are real. Works without scripts; with them it follows the story without reloading.

use super::scene::{Scene, Turn, Watcher};
use super::{officer, tableau};
use crate::reading;
use crate::sandbox::StoredMail;
use crate::web::look::{dress, page, plain};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use minijinja::context;
use serde_json::json;
use std::sync::Arc;

const SCRIPT: &str = include_str!("../../templates/web/demo.js");
/// As on every page, and the one script that follows the story.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn router(watcher: Arc<Watcher>) -> Router {
    let script = || async { ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT) };
    let router = Router::new()
        .route("/", get(overview))
        .route("/tenants", get(tenants))
        .route("/mailboxes", get(mailboxes))
        .route("/mailbox/{address}", get(mailbox))
        .route("/mailbox/{address}/{uid}", get(mail))
        .route("/queue", get(queue))
        .route("/try", get(begin))
        .route("/go-on", get(go_on))
        .route("/demo.json", get(data))
        .route("/demo.js", get(script))
        .with_state(watcher);
    dress(router).layer(map_response(async |mut response: Response| {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        response
    }))
}

async fn overview(State(watcher): State<Arc<Watcher>>) -> Response {
    let log = watcher.log();
    show(watcher, "demo.html", move |watcher, scene| tableau::overview(watcher, scene, &log)).await
}

/// To the pick-up page of the certificate kept for the visitor, with the story's clock stopped.
async fn begin(State(watcher): State<Arc<Watcher>>) -> Response {
    let look = move || {
        let visitor = watcher.visitor.clone()?;
        let Turn::Take(tenant) = watcher.scene().ok()?.turn(&visitor) else { return None };
        let found = officer::found(&watcher, &visitor, tenant)?;
        watcher.visitor_begins();
        Some(found.url)
    };
    match tokio::task::spawn_blocking(look).await {
        Ok(Some(url)) => Redirect::to(&url).into_response(),
        Ok(None) | Err(_) => Redirect::to("/").into_response(),
    }
}

/// The story need not wait any longer.
async fn go_on(State(watcher): State<Arc<Watcher>>) -> Response {
    watcher.visitor_ends();
    Redirect::to("/").into_response()
}

async fn tenants(State(watcher): State<Arc<Watcher>>) -> Response {
    show(watcher, "demo_tenants.html", |_, scene| context! { groups => tableau::groups(scene) }).await
}

async fn mailboxes(State(watcher): State<Arc<Watcher>>) -> Response {
    show(watcher, "demo_mailboxes.html", |watcher, scene| context! { mailboxes => tableau::mailboxes(watcher, scene) })
        .await
}

async fn queue(State(watcher): State<Arc<Watcher>>) -> Response {
    show(
        watcher,
        "demo_queue.html",
        |_, scene| context! { rows => tableau::rows(scene), items => tableau::items(scene) },
    )
    .await
}

async fn mailbox(State(watcher): State<Arc<Watcher>>, Path(address): Path<String>) -> Response {
    let mails = watcher.office.mails(&address);
    if mails.is_empty() {
        return plain(StatusCode::NOT_FOUND, "この宛先には、まだメールがありません。 / No mail here yet.\n");
    }
    show(watcher, "demo_mailbox.html", move |watcher, scene| {
        let lines: Vec<_> = mails.iter().rev().map(|mail| tableau::mail_line(watcher, mail)).collect();
        context! { address, owner => tableau::owner(scene, &address), mails => lines }
    })
    .await
}

async fn mail(State(watcher): State<Arc<Watcher>>, Path((address, uid)): Path<(String, u32)>) -> Response {
    let Some(mail) = watcher.office.mails(&address).into_iter().find(|mail| mail.uid == uid) else {
        return plain(StatusCode::NOT_FOUND, "このメールはありません。 / There is no such mail.\n");
    };
    show(watcher, "demo_mail.html", move |watcher, scene| {
        context! { address, owner => tableau::owner(scene, &address), mail => tableau::mail(watcher, &mail) }
    })
    .await
}

/// For programs: what the page shows, in short.
async fn data(State(watcher): State<Arc<Watcher>>) -> Response {
    let look = move || {
        let scene = watcher.scene().ok()?;
        let subjects = |mails: Vec<StoredMail>| -> Vec<_> {
            mails.iter().map(|mail| reading::read_safely(&mail.raw, &watcher.rules).head.subject).collect()
        };
        let boxes = watcher.office.mailboxes();
        let boxes: serde_json::Map<_, _> = boxes
            .into_iter()
            .map(|address| (address.clone(), json!(subjects(watcher.office.mails(&address)))))
            .collect();
        Some(json!({
            "now": scene.now, "day": scene.day, "days": scene.days, "finished": scene.finished, "counts": scene.counts,
            "funnel": scene.bars, "log": watcher.log(), "mailboxes": boxes,
            "pickup": format!("http://{}/", watcher.pickup), "console": format!("http://{}/", watcher.console),
        }))
    };
    match tokio::task::spawn_blocking(look).await {
        Ok(Some(values)) => Json(values).into_response(),
        Ok(None) | Err(_) => gone(),
    }
}

/// A page over the scene of this moment; what all pages share is added.
async fn show(
    watcher: Arc<Watcher>,
    template: &'static str,
    values: impl FnOnce(&Watcher, &Scene) -> minijinja::Value + Send + 'static,
) -> Response {
    let look = move || {
        let scene = watcher.scene().ok()?;
        let own = values(&watcher, &scene);
        let frame = tableau::frame(&watcher, &scene);
        Some(page(StatusCode::OK, template, context! { ..own, ..frame }))
    };
    match tokio::task::spawn_blocking(look).await {
        Ok(Some(response)) => response,
        Ok(None) | Err(_) => gone(),
    }
}

fn gone() -> Response {
    plain(StatusCode::SERVICE_UNAVAILABLE, "デモは終了しました。 / The demo has ended.\n")
}
