//! The terminal check: a page that asks for the client certificate and says whether this terminal can be used. The first
//! good look moves the enrolment to *in use*; in the mode `page` the credentials are shown here, once.
//!
//! The chain and the lists are checked by the [`Wicket`], the serial number by the directory: a certificate that was revoked
//! a second ago is refused even before its list is out.

use super::Source;
use super::door::Peer;
use super::look::{dress, with_hsts};
use super::officer::{Asked, Site, Tongue, moment};
use super::pickup::tokens::{Form as Mark, Tokens, same_site};
use super::wicket::{Verdict, Wicket};
use crate::engine::pickup::{CredentialsHere, Seen, ShownCredentials};
use crate::engine::{Engine, EngineError};
use crate::pki;
use axum::Router;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{ConnectInfo, Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use minijinja::{Value, context};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often certificates and lists of the authority are compared, in real time.
pub const FOLLOW_PERIOD: Duration = Duration::from_secs(5);
/// How long a visitor waits for the engine at most.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// The check and what it needs.
#[derive(Debug)]
pub struct Gate {
    source: Source,
    site: Site,
    wicket: Arc<Wicket>,
    tokens: Tokens,
}

#[derive(Default, Deserialize)]
struct Fields {
    #[serde(default)]
    token: String,
}

/// Who stands at the gate.
enum Standing {
    None,
    Known {
        serial: String,
        seen: Seen,
    },
    /// Not from our authority.
    Foreign,
    CannotTell,
}

impl Gate {
    pub fn new(source: Source, site: Site, wicket: Arc<Wicket>) -> Arc<Self> {
        let tokens = Tokens::new(source.looker.page_key());
        Arc::new(Self { source, site, wicket, tokens })
    }

    pub fn router(self: &Arc<Self>) -> Router {
        let home = self.site.pickup_url.clone();
        let help = move || async move { Redirect::to(&format!("{home}/help")) };
        let router = Router::new()
            .route("/", get(shown))
            .route("/credentials", post(credentials).get(|| async { Redirect::to("/") }))
            .route("/help", get(help))
            .with_state(Arc::clone(self));
        let router = dress(router);
        if self.site.secure() { router.layer(map_response(with_hsts)) } else { router }
    }

    /// Follows the authority until told to end.
    pub async fn follow(&self, mut told: watch::Receiver<bool>) {
        loop {
            self.follow_once().await;
            let ended = tokio::time::timeout(FOLLOW_PERIOD, told.wait_for(|now| *now)).await.is_ok();
            if ended {
                return;
            }
        }
    }

    async fn follow_once(&self) {
        match self.source.handle.call(|engine| engine.trust()).await {
            Ok(Ok(None)) => tracing::debug!("there is no authority yet, so the gate lets nobody in"),
            Ok(Ok(Some(trust))) => match self.wicket.follow(&trust) {
                Ok(true) => tracing::info!(version = %trust.version, "the gate has taken over a new revocation list"),
                Ok(false) => {}
                Err(fault) => tracing::error!(error = %fault, "the gate cannot use the authority's certificates"),
            },
            Ok(Err(fault)) => tracing::warn!(error = %fault, "the gate has no authority"),
            Err(stopped) => tracing::debug!(error = %stopped, "the gate cannot ask for its authority"),
        }
    }

    async fn standing(&self, peer: &Peer) -> Standing {
        let Some(own) = peer.certificates.first() else { return Standing::None };
        let mut verdict = self.wicket.verdict(&peer.certificates);
        if verdict == Verdict::CannotTell {
            // Our lists are old; a newer one may be there since the last look.
            self.follow_once().await;
            verdict = self.wicket.verdict(&peer.certificates);
        }
        let Some(serial) = pki::serial_of(own) else { return Standing::Foreign };
        match verdict {
            Verdict::Foreign => return Standing::Foreign,
            Verdict::CannotTell => return Standing::CannotTell,
            Verdict::Good | Verdict::Revoked | Verdict::Expired => {}
        }
        let asked = serial.clone();
        match self.ask(move |engine| engine.terminal_seen(&asked)).await {
            Some(Seen::Foreign) => Standing::Foreign,
            // The list is the last word: whatever the directory says, what stands on it is refused.
            Some(Seen::Ours { .. }) if verdict != Verdict::Good => Standing::CannotTell,
            Some(seen @ (Seen::Ours { .. } | Seen::Revoked { .. } | Seen::Expired { .. })) => {
                Standing::Known { serial, seen }
            }
            None => Standing::CannotTell,
        }
    }

    fn answer(&self, standing: Standing, tongue: Tongue) -> Response {
        let now = moment(self.source.clock.now());
        let refused = |verdict: &str, more: Value| {
            let unsaid = context! { at => (), not_after => () };
            (StatusCode::FORBIDDEN, context! { verdict, ..context! { ..more, ..unsaid } })
        };
        let (status, own) = match standing {
            Standing::None => refused("none", context! {}),
            Standing::Foreign | Standing::Known { seen: Seen::Foreign, .. } => refused("foreign", context! {}),
            Standing::CannotTell => (StatusCode::SERVICE_UNAVAILABLE, refused("unavailable", context! {}).1),
            Standing::Known { seen: Seen::Revoked { at, .. }, .. } => refused("revoked", context! { at => moment(at) }),
            Standing::Known { seen: Seen::Expired { not_after }, .. } => {
                refused("expired", context! { not_after => moment(not_after) })
            }
            Standing::Known { serial, seen: Seen::Ours { tenant, name, not_after, credentials, .. } } => {
                let (word, from, at) = match credentials {
                    CredentialsHere::No => ("no", None, None),
                    CredentialsHere::NotYet { from } => ("waiting", from.map(moment), None),
                    CredentialsHere::Ready => ("ready", None, None),
                    CredentialsHere::Shown { at } => ("shown", None, Some(moment(at))),
                };
                let own = context! {
                    verdict => "ours",
                    tenant => context! { id => tenant.to_string(), name },
                    not_after => moment(not_after),
                    token => self.tokens.mark(Mark::Credentials, &[&serial]),
                    serial,
                    credentials => word,
                    credentials_from => from,
                    credentials_at => at,
                };
                (StatusCode::OK, own)
            }
        };
        self.site.page(status, "officer/gate.html", tongue, context! { now, ..own })
    }

    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Option<T> {
        match tokio::time::timeout(ANSWER_LIMIT, self.source.handle.call(work)).await {
            Ok(Ok(Ok(answer))) => Some(answer),
            Ok(Ok(Err(fault))) => {
                tracing::error!(error = %fault, "a terminal could not be checked");
                None
            }
            Ok(Err(_)) | Err(_) => None,
        }
    }
}

async fn shown(
    State(gate): State<Arc<Gate>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let tongue = query.map_or(Tongue::Japanese, |Query(asked)| asked.tongue());
    gate.answer(gate.standing(&peer).await, tongue)
}

async fn credentials(
    State(gate): State<Arc<Gate>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    query: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
    form: Result<Form<Fields>, FormRejection>,
) -> Response {
    let tongue = query.map_or(Tongue::Japanese, |Query(asked)| asked.tongue());
    let fields = form.map(|Form(fields)| fields).unwrap_or_default();
    let standing = gate.standing(&peer).await;
    let Standing::Known { serial, seen: Seen::Ours { tenant, name, .. } } = &standing else {
        return gate.answer(standing, tongue);
    };
    if !same_site(&headers) || !gate.tokens.holds(Mark::Credentials, &[serial], &fields.token) {
        return gate.answer(standing, tongue);
    }
    let (id, name, serial) = (tenant.to_string(), name.clone(), serial.clone());
    match gate.ask(move |engine| engine.show_credentials(&serial)).await {
        Some(Some(ShownCredentials { user_id, password })) => {
            let own = context! { tenant => context! { id, name }, user_id, password => password.reveal() };
            gate.site.page(StatusCode::OK, "officer/credentials.html", tongue, own)
        }
        // Not yet, or shown before: the page says which.
        Some(None) => Redirect::to("/").into_response(),
        None => gate.answer(Standing::CannotTell, tongue),
    }
}
