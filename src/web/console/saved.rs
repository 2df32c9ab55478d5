//! Saved views and preferences, kept in cookies of the browser: they belong to a person's desk, not to the programme.

use super::act::{Fields, back};
use super::visit::{Visit, encode, local_path};
use axum::Form;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use minijinja::{Value, context};

/// Views one browser keeps.
const VIEWS_MAX: usize = 12;
const NAME_CHARS_MAX: usize = 24;
const PATH_CHARS_MAX: usize = 240;
/// Longest value of the cookie they stand in, in octets: browsers drop a longer one whole (RFC 6265 §6.1).
const COOKIE_OCTETS_MAX: usize = 3800;
/// A year, in seconds.
const KEPT: u32 = 31_536_000;

/// Name and address of each saved view: `name=address|name=address`, each part encoded.
fn read(visit: &Visit) -> Vec<(String, String)> {
    let cookie = visit.cookies.get("views").map(String::as_str).unwrap_or_default();
    let pairs = cookie.split('|').filter_map(|pair| pair.split_once('\u{1}'));
    pairs
        .filter(|(name, path)| !name.is_empty() && local_path(path) == *path)
        .take(VIEWS_MAX)
        .map(|(name, path)| (name.to_owned(), path.to_owned()))
        .collect()
}

pub(super) fn views(visit: &Visit) -> Vec<Value> {
    let here = visit.here();
    read(visit).into_iter().map(|(name, href)| context! { current => here == href, name, href }).collect()
}

/// The answer, with a cookie that stays for a year.
pub(in crate::web) fn kept(name: &str, value: &str, response: Response) -> Response {
    let cookie = format!("{name}={}; Path=/; Max-Age={KEPT}; SameSite=Strict; HttpOnly", encode(value));
    let mut response = response;
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn written(views: &[(String, String)]) -> String {
    views.iter().map(|(name, path)| format!("{name}\u{1}{path}")).collect::<Vec<_>>().join("|")
}

/// Keeps the present filters under a name.
pub(super) async fn save(visit: Visit, Form(fields): Form<Vec<(String, String)>>) -> Response {
    let fields = Fields(fields);
    let clean = |text: &str, limit: usize| -> String {
        text.chars().filter(|c| !c.is_control() && *c != '|').take(limit).collect()
    };
    let (name, path) =
        (clean(fields.get("name"), NAME_CHARS_MAX), clean(local_path(fields.get("back")), PATH_CHARS_MAX));
    let mut views = read(&visit);
    if !name.is_empty() {
        views.retain(|(known, _)| *known != name);
        views.insert(0, (name, path));
        views.truncate(VIEWS_MAX);
        // Those kept longest give way.
        while views.len() > 1 && encode(&written(&views)).len() > COOKIE_OCTETS_MAX {
            views.pop();
        }
    }
    kept("views", &written(&views), back(fields.get("back"), "saved"))
}

pub(super) async fn forget(visit: Visit, Form(fields): Form<Vec<(String, String)>>) -> Response {
    let fields = Fields(fields);
    let mut views = read(&visit);
    views.retain(|(name, _)| name != fields.get("name"));
    kept("views", &written(&views), back(fields.get("back"), ""))
}

/// Language and colours.
pub(super) async fn prefer(_: Visit, Form(fields): Form<Vec<(String, String)>>) -> Response {
    let fields = Fields(fields);
    let response = back(fields.get("back"), "").into_response();
    match (fields.get("lang"), fields.get("theme")) {
        (lang @ ("ja" | "en"), _) => kept("lang", lang, response),
        (_, theme @ ("light" | "dark" | "auto")) => kept("theme", theme, response),
        _ => response,
    }
}
