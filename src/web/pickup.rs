//! The pick-up pages: typing the code, how far the pick-up is, password, terms, certificate (seed 4.3.3; research R2–R5).
//!
//! Mail filters and previews open addresses: GET, HEAD, OPTIONS and a blank POST never change anything (invariant I5). An
//! unknown code gets one neutral text, whatever is wrong with it; no page names a tenant before the password was right.
//!
//! | file | what |
//! |---|---|
//! | `flow` | the forms: password, terms, certificate |
//! | `tokens` | marks in forms, the cookie |
//! | `limits` | how often one address or code may try |
//! | `visits` | who only looks, for the timeline |
//! | `files` | revocation lists and certificates of the authority, for everybody |

mod files;
mod flow;
mod limits;
pub(super) mod tokens;
pub(super) mod visits;

use super::Source;
use super::door::Peer;
use super::look::{dress, with_hsts};
use super::officer::{Asked, Site, Tongue, client, day, moment};
use crate::domain::Timestamp;
use crate::engine::EngineError;
use crate::engine::pickup::{Pickup, Stage, VisitKind};
use axum::Router;
use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::extract::{ConnectInfo, Form, Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use limits::{Limits, Whose};
use minijinja::{Value, context};
use std::sync::Arc;
use std::time::Duration;
use tokens::{Form as Mark, Tokens, grouped, session};
use tokio::sync::watch;
use visits::Counter;

/// How long a visitor waits for the engine at most.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// The desk behind the pages.
#[derive(Debug)]
pub struct Desk {
    source: Source,
    site: Site,
    tokens: Tokens,
    limits: Limits,
    visits: Counter,
}

/// Where a visitor came in: query, headers, address.
struct Visitor {
    tongue: Tongue,
    headers: HeaderMap,
    peer: Peer,
}

impl Desk {
    pub fn new(source: Source, site: Site) -> Arc<Self> {
        let tokens = Tokens::new(source.looker.page_key());
        let (limits, visits) = (Limits::default(), Counter::default());
        Arc::new(Self { source, site, tokens, limits, visits })
    }

    pub fn router(self: &Arc<Self>) -> Router {
        let allow = || async { (StatusCode::NO_CONTENT, [(header::ALLOW, "GET, HEAD, POST, OPTIONS")]) };
        let router = Router::new()
            .route("/", get(asked).post(typed).options(allow))
            .route("/p/{code}", get(shown).post(flow::sent).options(preflight))
            .route("/p/{code}/certificate", post(flow::taken).get(to_the_page))
            .route("/help", get(help))
            .route("/help/print", get(print))
            .route("/crl/{file}", get(files::crl))
            .route("/ca/{file}", get(files::authority))
            .with_state(Arc::clone(self));
        let router = dress(router);
        if self.site.secure() { router.layer(map_response(with_hsts)) } else { router }
    }

    /// Hands counted visits to the engine until told to end.
    pub async fn count_visits(&self, told: watch::Receiver<bool>) {
        self.visits.run(self.source.handle.clone(), told).await;
    }

    /// Reads the store, from memory as a rule: some tens of microseconds.
    fn look(&self, code: &str, session: Option<&str>) -> Result<Option<Pickup>, EngineError> {
        self.source.looker.pickup_as(code, session)
    }

    fn now(&self) -> Timestamp {
        self.source.clock.now()
    }

    /// Whether this visitor may send another form.
    fn allows(&self, visitor: &Visitor, code: &str) -> bool {
        let address = client(visitor.peer.address.ip(), &visitor.headers);
        let of_code = Whose::Code(self.tokens.digest(code.as_bytes()));
        self.limits.allow(Whose::Address(address)) && self.limits.allow(of_code)
    }

    // --- pages -------------------------------------------------------------------------------------------------------

    fn enter(&self, status: StatusCode, tongue: Tongue, again: bool) -> Response {
        self.site.page(status, "officer/enter.html", tongue, context! { again })
    }

    /// A page that only says how things are.
    fn told(&self, status: StatusCode, tongue: Tongue, stage: &str, tone: &str, more: Value) -> Response {
        self.site.page(status, "officer/state.html", tongue, context! { stage, tone, ..more })
    }

    fn unknown(&self, tongue: Tongue) -> Response {
        self.told(StatusCode::NOT_FOUND, tongue, "unknown", "", context! {})
    }

    fn unavailable(&self, tongue: Tongue) -> Response {
        self.told(StatusCode::SERVICE_UNAVAILABLE, tongue, "unavailable", "", context! {})
    }

    fn busy(&self, tongue: Tongue) -> Response {
        let page = self.told(StatusCode::TOO_MANY_REQUESTS, tongue, "busy", "", context! {});
        ([(header::RETRY_AFTER, "60")], page).into_response()
    }

    fn locked(&self, tongue: Tongue, until: Timestamp) -> Response {
        let more = context! { until => moment(until) };
        let page = self.told(StatusCode::TOO_MANY_REQUESTS, tongue, "locked", "bad", more);
        ([(header::RETRY_AFTER, until.since(self.now()).max(1).to_string())], page).into_response()
    }

    /// The page of a pick-up as it stands, for this browser.
    fn stands(&self, pickup: &Pickup, code: &str, session: Option<&str>, tongue: Tongue) -> Response {
        let state = |name, tone, more| self.told(StatusCode::OK, tongue, name, tone, more);
        match pickup.stage {
            Stage::Preparing => state("preparing", "", context! { now => moment(self.now()) }),
            Stage::Open { .. } => match pickup.locked_until {
                Some(until) => self.locked(tongue, until),
                None => self.password(StatusCode::OK, pickup, code, tongue, "", None),
            },
            Stage::Collected { at } => match (pickup.again_until, session) {
                (Some(until), Some(session)) => self.ready(pickup, code, session, tongue, Some((at, until))),
                (Some(_) | None, _) => state("collected", "good", context! { at => moment(at) }),
            },
            Stage::Expired { deadline } => state("expired", "over", context! { deadline => day(deadline) }),
            Stage::Reissued { at } => state("reissued", "over", context! { at => moment(at) }),
            Stage::Void { at } => state("void", "bad", context! { at => moment(at) }),
            Stage::Suspended { at } => state("suspended", "over", context! { at => moment(at) }),
        }
    }

    /// The password form; `problem` is a word of the template.
    fn password(
        &self,
        status: StatusCode,
        pickup: &Pickup,
        code: &str,
        tongue: Tongue,
        problem: &str,
        left: Option<u32>,
    ) -> Response {
        let Stage::Open { deadline } = pickup.stage else { return self.stands(pickup, code, None, tongue) };
        let days_left = deadline.days_since(self.now().date());
        let token = self.tokens.mark(Mark::Password, &[code]);
        let own = context! { deadline => day(deadline), days_left, problem, left, code, token };
        self.site.page(status, "officer/password.html", tongue, own)
    }

    /// The download page. `taken`: when the certificate was issued and until when it may be fetched again.
    fn ready(
        &self,
        pickup: &Pickup,
        code: &str,
        session: &str,
        tongue: Tongue,
        taken: Option<(Timestamp, Timestamp)>,
    ) -> Response {
        let settings = self.source.looker.pickup_settings();
        let first = settings.profile.name();
        let other = if first == "modern" { "compat" } else { "modern" };
        let own = context! {
            tenant => tenant(pickup),
            at => taken.map(|(at, _)| moment(at)),
            until => taken.map(|(_, until)| moment(until)),
            minutes => settings.keep_minutes,
            choices => [first, other].map(|name| context! { name }),
            code,
            token => self.tokens.mark(Mark::Certificate, &[code, session]),
        };
        self.site.page(StatusCode::OK, "officer/ready.html", tongue, own)
    }

    fn helpful(&self, template: &str, tongue: Tongue) -> Response {
        let minutes = self.source.looker.pickup_settings().keep_minutes;
        self.site.page(StatusCode::OK, template, tongue, context! { minutes })
    }
}

/// Name and number of a tenant. For pages after the password only.
fn tenant(pickup: &Pickup) -> Value {
    let kind = if pickup.tenant.serial == 0 { "自治体" } else { "保健所" };
    context! { id => pickup.tenant.to_string(), name => pickup.name, kind }
}

// --- routes ----------------------------------------------------------------------------------------------------------

async fn asked(State(desk): State<Arc<Desk>>, query: Result<Query<Asked>, QueryRejection>) -> Response {
    let Ok(Query(asked)) = query else { return desk.enter(StatusCode::BAD_REQUEST, Tongue::Japanese, true) };
    match &asked.code {
        None => desk.enter(StatusCode::OK, asked.tongue(), false),
        Some(code) => go(&desk, asked.tongue(), code),
    }
}

async fn typed(
    State(desk): State<Arc<Desk>>,
    query: Result<Query<Asked>, QueryRejection>,
    form: Result<Form<Asked>, FormRejection>,
) -> Response {
    let tongue = query.map_or(Tongue::Japanese, |Query(asked)| asked.tongue());
    match form {
        Ok(Form(Asked { code, .. })) => go(&desk, tongue, &code.unwrap_or_default()),
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            desk.enter(StatusCode::PAYLOAD_TOO_LARGE, tongue, true)
        }
        Err(_) => desk.enter(StatusCode::OK, tongue, false),
    }
}

/// To the page of a code as it should look; what cannot be a code is not repeated back.
fn go(desk: &Desk, tongue: Tongue, typed: &str) -> Response {
    let query = if tongue == Tongue::English { "?lang=en" } else { "" };
    match grouped(typed) {
        None => desk.enter(StatusCode::OK, tongue, !typed.trim().is_empty()),
        Some(code) => Redirect::to(&format!("/p/{code}{query}")).into_response(),
    }
}

type Code = Result<Path<String>, PathRejection>;

async fn shown(
    State(desk): State<Arc<Desk>>,
    method: Method,
    query: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
    code: Code,
) -> Response {
    let tongue = query.map_or(Tongue::Japanese, |Query(asked)| asked.tongue());
    let kind = if method == Method::HEAD { VisitKind::Head } else { VisitKind::Get };
    let Some(code) = code.ok().and_then(|Path(typed)| grouped(&typed)) else { return desk.unknown(tongue) };
    look(&desk, &code, &headers, tongue, kind)
}

/// The page as it stands; counted as a look.
fn look(desk: &Desk, code: &str, headers: &HeaderMap, tongue: Tongue, kind: VisitKind) -> Response {
    let session = session(headers, desk.site.secure());
    match desk.look(code, session.as_deref()) {
        Ok(Some(pickup)) => {
            desk.visits.seen(code, kind, desk.now());
            desk.stands(&pickup, code, session.as_deref(), tongue)
        }
        Ok(None) => desk.unknown(tongue),
        Err(fault) => {
            tracing::error!(error = %fault, "a pick-up page could not be made");
            desk.unavailable(tongue)
        }
    }
}

async fn preflight(State(desk): State<Arc<Desk>>, code: Code) -> Response {
    if let Some(code) = code.ok().and_then(|Path(typed)| grouped(&typed))
        && let Ok(Some(_)) = desk.look(&code, None)
    {
        desk.visits.seen(&code, VisitKind::Options, desk.now());
    }
    (StatusCode::NO_CONTENT, [(header::ALLOW, "GET, HEAD, POST, OPTIONS")]).into_response()
}

/// Whoever opens the address of a download gets the page it belongs to; only its form starts it.
async fn to_the_page(code: Code) -> Response {
    let code = code.ok().and_then(|Path(typed)| grouped(&typed));
    Redirect::to(&code.map_or_else(|| "/".to_owned(), |code| format!("/p/{code}"))).into_response()
}

async fn help(State(desk): State<Arc<Desk>>, query: Result<Query<Asked>, QueryRejection>) -> Response {
    desk.helpful("officer/help.html", query.map_or(Tongue::Japanese, |Query(asked)| asked.tongue()))
}

async fn print(State(desk): State<Arc<Desk>>) -> Response {
    desk.helpful("officer/print.html", Tongue::Japanese)
}

/// Whose connection it is.
type From = ConnectInfo<Peer>;
