//! One verb for many: these, or all that fit a query. First it is shown how many there are and which would be refused;
//! with a reason it becomes a job.

use super::Console;
use super::act::{Fields, verb};
use super::frame::{Said, bare, told};
use super::jobs::{Job, Target};
use super::visit::{Lang, Visit, local_path};
use crate::domain::{RowNo, TenantId};
use crate::engine::staff::Verb;
use crate::engine::views::board::Query;
use axum::Form;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use minijinja::context;
use std::sync::Arc;

/// Most of one job.
pub(super) const TARGETS_MAX: usize = 100_000;
/// Named on the page that asks.
const NAMED: usize = 20;
/// Tried before asking; beyond that only the number is told.
const TRIED_MAX: usize = 2_000;

/// Verbs for many: code, whether about letters, Japanese, English.
pub(super) const VERBS: [(&str, bool, &str, &str); 6] = [
    ("retry", true, "すぐに再送", "Retry now"),
    ("hold", true, "保留", "Hold"),
    ("release", true, "保留を解く", "Release"),
    ("withdraw", true, "送信取消", "Withdraw"),
    ("reissue", false, "再発行", "Re-issue"),
    ("cancel", false, "手続の取消", "Cancel"),
];

const NOTHING: Said = [
    "対象がありません",
    "一覧で対象を選ぶか、「該当するすべて」を選んでください。",
    "Nothing chosen",
    "Choose some in the list, or all that fit.",
];
const TOO_MANY: Said = [
    "対象が多すぎます",
    "一度に100,000件までです。検索条件で絞ってください。",
    "Too many",
    "At most 100,000 at once; narrow the search.",
];
const READ_ONLY: Said = ["操作できません", "閲覧のみの権限です。", "Not allowed", "This account may only look."];

/// What was chosen.
fn targets(console: &Console, fields: &Fields) -> Vec<Target> {
    let today = console.source.clock.now().date();
    let letters = fields.get("of") == "letters";
    if fields.get("all") == "1" {
        let query = Query::parse(fields.get("q"));
        let found = console.board.ask(|board| -> Vec<Target> {
            if letters {
                let all = fields.get("show") == "all";
                board.letters_fitting(&query, all).into_iter().map(Target::Letter).collect()
            } else {
                board.tenants_fitting(&query, today).into_iter().map(Target::Tenant).collect()
            }
        });
        return found.unwrap_or_default();
    }
    let chosen = fields.all("no").into_iter();
    if letters {
        chosen.filter_map(|no| no.parse().ok()).map(|no| Target::Letter(RowNo(no))).collect()
    } else {
        chosen.filter_map(|id| id.parse::<TenantId>().ok()).map(Target::Tenant).collect()
    }
}

/// The verb for one of them.
pub(super) fn verb_for(fields: &Fields, target: Target) -> Result<Verb, &'static str> {
    let (name, value) = match target {
        Target::Letter(no) => ("row", no.to_string()),
        Target::Tenant(id) => ("tenant", id.to_string()),
    };
    let mut own = fields.clone();
    own.0.retain(|(field, _)| field != "row" && field != "tenant");
    own.0.push((name.to_owned(), value));
    verb(&own)
}

pub(super) fn word(code: &str, lang: Lang) -> Option<&'static str> {
    VERBS.iter().find(|(known, ..)| *known == code).map(|(_, _, ja, en)| lang.pick(*ja, *en))
}

/// Asks whether it is meant: how many, which, and how many would be refused.
pub(super) async fn ask(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let mut fields = Fields(fields);
    if !visit.viewer.acts() {
        return told(&console, &visit, StatusCode::FORBIDDEN, READ_ONLY, "");
    }
    let chosen = targets(&console, &fields);
    let Some(word) = word(fields.get("verb"), visit.lang).filter(|_| !chosen.is_empty()) else {
        return told(&console, &visit, StatusCode::UNPROCESSABLE_ENTITY, NOTHING, "");
    };
    if chosen.len() > TARGETS_MAX {
        return told(&console, &visit, StatusCode::UNPROCESSABLE_ENTITY, TOO_MANY, "");
    }
    let kept: Vec<_> = fields
        .0
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "reason" | "why" | "csrf"))
        .map(|(name, value)| context! { name, value })
        .collect();
    // Asked as with a reason: that is what the next page gives.
    fields.0.push(("reason".to_owned(), "-".to_owned()));
    fields.0.push(("why".to_owned(), "lost".to_owned()));
    let names: Vec<String> = chosen.iter().take(NAMED).map(|target| name(&console, *target)).collect();
    let view = console.source.survey.view();
    let (count, tried) = (chosen.len(), chosen.len().min(TRIED_MAX));
    let own = fields.clone();
    let refused = tokio::task::spawn_blocking(move || {
        let would = |target: &Target| verb_for(&own, *target).is_ok_and(|verb| view.would_take(&verb).is_ok());
        chosen.iter().take(TRIED_MAX).filter(|target| !would(target)).count()
    });
    let refused = refused.await.unwrap_or(0);
    let values = context! {
        word, kept, count, names, more => count.saturating_sub(NAMED), refused, tried,
        reissue => fields.get("verb") == "reissue", wants_reason => matches!(fields.get("verb"), "hold" | "withdraw" | "cancel"),
        back => local_path(fields.get("back")),
    };
    bare(&console, &visit, StatusCode::OK, "bulk.html", values)
}

fn name(console: &Console, target: Target) -> String {
    let named = console.board.ask(|board| match target {
        Target::Letter(no) => {
            board.letters.get(&no.0).map(|card| format!("{no}　{}　{}", card.letter.japanese(), card.to.as_str()))
        }
        Target::Tenant(id) => board.tenant(id).map(|card| format!("{id}　{}", card.name)),
    });
    named.flatten().unwrap_or_else(|| match target {
        Target::Letter(no) => no.to_string(),
        Target::Tenant(id) => id.to_string(),
    })
}

/// Begins the job.
pub(super) async fn run(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let fields = Fields(fields);
    if !visit.viewer.acts() {
        return told(&console, &visit, StatusCode::FORBIDDEN, READ_ONLY, "");
    }
    let chosen = targets(&console, &fields);
    if chosen.is_empty() || chosen.len() > TARGETS_MAX || word(fields.get("verb"), visit.lang).is_none() {
        return told(&console, &visit, StatusCode::UNPROCESSABLE_ENTITY, NOTHING, "");
    }
    if let Some(Err(why)) = chosen.first().map(|target| verb_for(&fields, *target)) {
        return told(&console, &visit, StatusCode::UNPROCESSABLE_ENTITY, super::act::INCOMPLETE, why);
    }
    let no = console.jobs.begin(Job::new(fields, chosen, visit.viewer.clone(), console.source.clock.now()));
    tokio::spawn(super::jobs::work(Arc::clone(&console), no));
    (StatusCode::SEE_OTHER, [(header::LOCATION, format!("/jobs/{no}"))]).into_response()
}
