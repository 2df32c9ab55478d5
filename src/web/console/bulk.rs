//! One verb for many: these, or all that fit a query. First it is shown how many there are and which would be refused;
//! with a reason it becomes a job. A re-issue that needs a second person is one request for all of them, and done in one
//! step when that person says yes.

use super::Console;
use super::act::{Fields, INCOMPLETE, READ_ONLY, back, carry_out, named, refused};
use super::frame::{Said, bare, told};
use super::visit::{Lang, Visit, local_path};
use crate::domain::{RowNo, TenantId};
use crate::engine::approvals::Done;
use crate::engine::jobs::{JobVerb, TARGETS_MAX, Target};
use crate::engine::staff::{BULK_MAX, Verb};
use crate::engine::views::board::Query;
use crate::workflow::rights::{Act, Right};
use axum::Form;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use minijinja::context;
use std::sync::Arc;

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
const TOO_MANY_FOR_TWO: Said = [
    "対象が多すぎます",
    "2人で行う一括再発行は、一度に2,000件までです。検索条件で絞ってください。",
    "Too many",
    "With two persons at most 2,000 at once; narrow the search.",
];

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

/// What a form does to each; `Err`: what is missing.
fn job_verb(fields: &Fields) -> Result<JobVerb, &'static str> {
    let reason = || Some(fields.get("reason").to_owned()).filter(|r| !r.is_empty()).ok_or("a reason is needed");
    Ok(match fields.get("verb") {
        "retry" => JobVerb::Retry,
        "hold" => JobVerb::Hold { reason: reason()? },
        "release" => JobVerb::Release,
        "withdraw" => JobVerb::Withdraw { reason: reason()? },
        "reissue" => JobVerb::Reissue { reason: named(fields.get("why"))? },
        "cancel" => JobVerb::Cancel { reason: reason()? },
        _ => return Err("there is no such act for many"),
    })
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
    let verb = job_verb(&fields);
    let refused = tokio::task::spawn_blocking(move || {
        let on = |target: &Target| verb.as_ref().ok().and_then(|verb| verb.on(*target));
        let would = |target: &Target| on(target).is_some_and(|verb| view.would_take(&verb).is_ok());
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
    let verb = match job_verb(&fields) {
        Ok(verb) => verb,
        Err(why) => return told(&console, &visit, StatusCode::UNPROCESSABLE_ENTITY, INCOMPLETE, why),
    };
    if let JobVerb::Reissue { reason } = verb
        && needs_second(&console, &visit).await
    {
        return ask_for_all(&console, &visit, &chosen, reason).await;
    }
    let who = visit.viewer.who();
    match console.source.handle.call(move |engine| engine.begin_job(&who, verb, &chosen)).await {
        Ok(Ok(no)) => {
            tokio::spawn(super::jobs::work(Arc::clone(&console), no));
            (StatusCode::SEE_OTHER, [(header::LOCATION, format!("/jobs/{}", no.0))]).into_response()
        }
        Ok(Err(fault)) => refused(&console, &visit, &fault),
        Err(stopped) => {
            told(&console, &visit, StatusCode::SERVICE_UNAVAILABLE, super::act::REFUSED, &stopped.to_string())
        }
    }
}

/// Whether re-issuing many is for two.
async fn needs_second(console: &Console, visit: &Visit) -> bool {
    let who = visit.viewer.who();
    let right = console.source.handle.call(move |engine| engine.may(&who, Act::ReissueMany)).await;
    matches!(right, Ok(Ok(Right::NeedsSecond)))
}

/// One request for all of them.
async fn ask_for_all(
    console: &Arc<Console>,
    visit: &Visit,
    chosen: &[Target],
    reason: crate::workflow::ReissueReason,
) -> Response {
    let tenants: Vec<TenantId> = chosen
        .iter()
        .filter_map(|target| match target {
            Target::Tenant(id) => Some(*id),
            Target::Letter(_) => None,
        })
        .collect();
    if tenants.len() > BULK_MAX {
        return told(console, visit, StatusCode::UNPROCESSABLE_ENTITY, TOO_MANY_FOR_TWO, "");
    }
    match carry_out(console, visit, Verb::ReissueMany { tenants, reason }).await {
        Ok(Done::Done) => back("/tenants", "reissue"),
        Ok(Done::Asked(no)) => back(&format!("/approvals?no={}", no.0), "asked"),
        Err(fault) => refused(console, visit, &fault),
    }
}
