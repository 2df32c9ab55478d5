//! What every page has: the views with how much waits in each, search, language and colours, and what was just done.

use super::visit::{Lang, Visit, encode};
use super::words::{is_japanese, ja, t};
use super::{Console, saved};
use crate::domain::{Date, Timestamp};
use crate::engine::EngineError;
use crate::engine::views::View;
use crate::engine::views::board::Board;
use crate::web::look;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use minijinja::{Environment, State as Rendering, Value, context};
use std::sync::{Arc, LazyLock};

macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../templates/web/console/", $name)))),+]
    };
}

const TEMPLATES: [(&str, &str); 27] = templates![
    "frame.html",
    "parts.html",
    "today.html",
    "inbox.html",
    "review.html",
    "mail.html",
    "outbox.html",
    "letter.html",
    "tenants.html",
    "tenant.html",
    "progress.html",
    "prefecture.html",
    "forecast.html",
    "audit.html",
    "health.html",
    "find.html",
    "bulk.html",
    "job.html",
    "jobs.html",
    "help.html",
    "approvals.html",
    "waves.html",
    "wave.html",
    "people.html",
    "domains.html",
    "notice.html",
    "reason.html",
];
const STYLE: &str = include_str!("../../../templates/web/console/console.css");
const SCRIPT: &str = include_str!("../../../templates/web/console/console.js");

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    speak(&mut environment);
    look::add(&mut environment, &TEMPLATES);
    environment
});

/// What templates in two languages need.
pub(in crate::web) fn speak(environment: &mut Environment<'_>) {
    environment.add_function("t", t);
    environment.add_filter("ja", |state: &Rendering<'_, '_>, value: Value| ja(state, &value));
    environment.add_filter("urlencode", |text: String| encode(&text));
}

/// The views in the order of the day: address, Japanese, English.
const VIEWS: [(&str, &str, &str); 13] = [
    ("/", "今日", "Today"),
    ("/review", "要確認", "Review"),
    ("/approvals", "承認", "Approvals"),
    ("/inbox", "受信", "Inbox"),
    ("/outbox", "送信", "Outbox"),
    ("/waves", "一斉送信", "Waves"),
    ("/tenants", "利用機関", "Tenants"),
    ("/progress", "進捗", "Progress"),
    ("/forecast", "予定", "Forecast"),
    ("/audit", "監査", "Audit"),
    ("/health", "稼働", "Health"),
    ("/domains", "ドメイン", "Domains"),
    ("/people", "アカウント", "Accounts"),
];

/// The keys of the views, in their order.
const KEYS: &str = "1234567890udw";

/// What a view is made from.
pub(super) struct Desk<'a> {
    pub(super) console: &'a Console,
    pub(super) visit: &'a Visit,
    pub(super) board: &'a Board,
    pub(super) view: &'a View,
    pub(super) now: Timestamp,
    pub(super) today: Date,
    pub(super) lang: Lang,
}

/// Why a page is not shown.
#[derive(Debug)]
pub(super) enum Trouble {
    /// There is no such thing.
    Missing,
    Engine(EngineError),
}

impl Trouble {
    /// Of asking for a number that names nothing.
    pub(super) fn of_number(fault: EngineError) -> Self {
        if matches!(fault, EngineError::Input(_)) { Self::Missing } else { Self::Engine(fault) }
    }
}

impl From<EngineError> for Trouble {
    fn from(fault: EngineError) -> Self {
        let missing = matches!(
            fault,
            EngineError::NoTenant(_) | EngineError::NoMail(_) | EngineError::NoRow(_) | EngineError::NoMatter(_)
        );
        if missing { Self::Missing } else { Self::Engine(fault) }
    }
}

/// A page: `work` reads on a thread that may block.
pub(super) async fn show(
    console: Arc<Console>,
    visit: Visit,
    template: &'static str,
    work: impl FnOnce(&Desk<'_>) -> Result<Value, Trouble> + Send + 'static,
) -> Response {
    let made = tokio::task::spawn_blocking(move || {
        let view = console.source.survey.view();
        let now = view.now();
        let made = console.board.ask(|board| {
            let (today, lang) = (now.date(), visit.lang);
            let desk = Desk { console: &console, visit: &visit, board, view: &view, now, today, lang };
            work(&desk).map(|own| context! { ..own, ..frame(&console, &visit, Some(board), now) })
        });
        match made {
            Some(Ok(values)) => render(StatusCode::OK, template, values),
            Some(Err(Trouble::Missing)) => told(&console, &visit, StatusCode::NOT_FOUND, MISSING, ""),
            Some(Err(Trouble::Engine(fault))) => {
                tracing::error!(%fault, "a page of the console could not be made");
                told(&console, &visit, StatusCode::INTERNAL_SERVER_ERROR, BROKEN, &fault.to_string())
            }
            None => told(&console, &visit, StatusCode::SERVICE_UNAVAILABLE, STARTING, ""),
        }
    });
    made.await.unwrap_or_else(|_| look::unshown())
}

/// Heading and sentence of a page that only says something, in both languages.
pub(super) type Said = [&'static str; 4];
const MISSING: Said = [
    "見つかりません",
    "その番号のものはありません。番号をご確認ください。",
    "Not found",
    "There is nothing with this number.",
];
const BROKEN: Said = [
    "表示できません",
    "読み取りに失敗しました。「稼働」の画面を確認し、続く場合は annai doctor を実行してください。",
    "Cannot be shown",
    "Reading failed. Look at Health; if it goes on, run annai doctor.",
];
const STARTING: Said = [
    "準備しています",
    "起動直後のため、一覧を用意しています。まもなく表示します。",
    "Getting ready",
    "annai has just started and is counting. The page comes in a moment.",
];

/// A page that says something; `why` is the engine's own sentence.
pub(super) fn told(console: &Console, visit: &Visit, status: StatusCode, said: Said, why: &str) -> Response {
    let now = console.source.clock.now();
    let [ja, ja_text, en, en_text] = said;
    let own = context! {
        heading => visit.lang.pick(ja, en), text => visit.lang.pick(ja_text, en_text), why => super::refusals::said(visit.lang, why),
        again => status == StatusCode::SERVICE_UNAVAILABLE,
    };
    render(status, "notice.html", context! { ..own, ..frame(console, visit, None, now) })
}

/// A page with values of its own that asks nobody.
pub(super) fn bare(console: &Console, visit: &Visit, status: StatusCode, template: &str, own: Value) -> Response {
    let now = console.source.clock.now();
    render(status, template, context! { ..own, ..frame(console, visit, None, now) })
}

fn frame(console: &Console, visit: &Visit, board: Option<&Board>, now: Timestamp) -> Value {
    let lang = visit.lang;
    let counts = board.map(|board| super::live::counts(console, board, now)).unwrap_or_default();
    let first = |path: &str| path.split('/').nth(1).unwrap_or_default().to_owned();
    let here = match first(&visit.path).as_str() {
        "mail" => "review".to_owned(),
        other => other.to_owned(),
    };
    let views: Vec<_> = VIEWS
        .iter()
        .enumerate()
        .map(|(place, (href, ja, en))| {
            let key = first(href);
            let count = match key.as_str() {
                "review" => counts.review as u64,
                "outbox" => counts.outbox,
                "health" => counts.health as u64,
                "approvals" => counts.approvals,
                _ => 0,
            };
            context! { href, word => lang.pick(*ja, *en), key => key.clone(), count, current => key == here, no => KEYS.get(place..=place) }
        })
        .collect();
    let links: Vec<_> =
        console.links.iter().map(|link| context! { href => link.href, word => lang.pick(link.ja, link.en) }).collect();
    // For elements that hold data, and fields that hold what was typed.
    let marked =
        |japanese: bool| Value::from_safe_string(lang.pick("", if japanese { " lang=\"ja\"" } else { "" }).to_owned());
    let typed = visit.param("q").unwrap_or_default();
    context! {
        ja => marked(true), ja_typed => marked(typed.contains(is_japanese)),
        lang => lang.code(), theme => visit.theme, views, links,
        who => visit.viewer.person, account => visit.viewer.name, role => lang.pick(visit.viewer.role.japanese(), visit.viewer.role.name()),
        may_act => visit.viewer.acts(), csrf => visit.viewer.csrf,
        here => visit.here(), path => visit.path,
        now => lang.moment(now), head => board.map_or(0, |board| board.seen),
        done => visit.param("done").and_then(|code| super::act::done(code, lang)),
        saved => saved::views(visit),
        typed,
    }
}

pub(super) fn render(status: StatusCode, template: &str, values: Value) -> Response {
    look::written(&ENVIRONMENT, status, template, values)
}

pub(super) async fn help(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    show(console, visit, "help.html", |_| Ok(context! {})).await
}

pub(super) async fn not_found(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    told(&console, &visit, StatusCode::NOT_FOUND, MISSING, "")
}

pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

pub(super) async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_parses() {
        for (name, _) in TEMPLATES {
            assert!(ENVIRONMENT.get_template(name).is_ok(), "{name}");
        }
    }
}
