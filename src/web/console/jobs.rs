//! Jobs as a page: how far one verb for many is, what was refused, halt and resume. The job itself stands in the store
//! ([`crate::engine::jobs`]); here somebody sees to it that it goes on, also after annai was started anew.

use super::Console;
use super::act::{READ_ONLY, REFUSED};
use super::bulk::word;
use super::frame::{Trouble, show, told};
use super::visit::Visit;
use crate::engine::jobs::{Job, JobNo, JobVerb, Pace, Target};
use crate::engine::views::words;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use minijinja::{Value, context};
use std::sync::Arc;

/// Takes up what was under way when annai ended.
pub(super) async fn take_up(console: Arc<Console>) {
    let view = console.source.survey.view();
    let jobs = tokio::task::spawn_blocking(move || view.jobs()).await;
    let jobs = match jobs {
        Ok(Ok(jobs)) => jobs,
        Ok(Err(fault)) => return tracing::error!(%fault, "jobs that were under way cannot be taken up"),
        Err(_) => return,
    };
    for job in jobs.into_iter().filter(|job| job.pace == Pace::Running) {
        work(Arc::clone(&console), job.no).await;
    }
}

/// Does what is left of a job; the board has seen it when this returns.
pub(super) async fn work(console: Arc<Console>, no: JobNo) {
    console.source.handle.work(no).await;
    console.catch_up().await;
}

/// The code its verb has on buttons.
pub(super) fn code(verb: &JobVerb) -> &'static str {
    match verb {
        JobVerb::Retry => "retry",
        JobVerb::Hold { .. } => "hold",
        JobVerb::Release => "release",
        JobVerb::Withdraw { .. } => "withdraw",
        JobVerb::Reissue { .. } => "reissue",
        JobVerb::Cancel { .. } => "cancel",
    }
}

/// A job with its state and how far it is.
pub(super) fn row(desk: &super::frame::Desk<'_>, job: &Job) -> Value {
    let reason = match &job.verb {
        JobVerb::Hold { reason } | JobVerb::Withdraw { reason } | JobVerb::Cancel { reason } => reason.clone(),
        JobVerb::Reissue { reason } => words::reissue(*reason, desk.lang).to_owned(),
        JobVerb::Retry | JobVerb::Release => String::new(),
    };
    context! {
        no => job.no.0, word => word(code(&job.verb), desk.lang).unwrap_or_default(), reason, by => job.by,
        began => desk.lang.moment(job.began), all => job.all, at => job.at(), succeeded => job.succeeded,
        refused => job.refused, running => job.pace == Pace::Running, halted => job.pace == Pace::Halted,
    }
}

/// All jobs that are kept.
pub(super) async fn list(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    show(console, visit, "jobs.html", |desk| {
        let jobs = desk.view.jobs()?;
        Ok(context! { jobs => jobs.iter().map(|job| row(desk, job)).collect::<Vec<_>>() })
    })
    .await
}

pub(super) async fn page(State(console): State<Arc<Console>>, Path(no): Path<String>, visit: Visit) -> Response {
    show(console, visit, "job.html", move |desk| {
        let no = JobNo(no.parse().map_err(|_| Trouble::Missing)?);
        let job = desk.view.job(no).map_err(Trouble::of_number)?;
        let refusals = desk.view.job_refusals(job.no)?;
        let refusals: Vec<_> = refusals
            .iter()
            .map(|refusal| {
                let (href, name) = match refusal.target {
                    Target::Letter(no) => (format!("/outbox/{no}"), no.to_string()),
                    Target::Tenant(id) => (format!("/tenants/{id}"), id.to_string()),
                };
                context! { href, name, why => super::refusals::said(desk.lang, &refusal.why) }
            })
            .collect();
        Ok(context! { refusals, ..row(desk, &job) })
    })
    .await
}

/// Halts a job, or takes it up again where it was.
pub(super) async fn steer(
    State(console): State<Arc<Console>>,
    Path((no, what)): Path<(String, String)>,
    visit: Visit,
) -> Response {
    let pace = match what.as_str() {
        "halt" => Some(Pace::Halted),
        "resume" => Some(Pace::Running),
        _ => None,
    };
    let (Ok(no), Some(pace)) = (no.parse(), pace) else {
        return super::frame::not_found(State(console), visit).await;
    };
    if !visit.viewer.acts() {
        return told(&console, &visit, StatusCode::FORBIDDEN, READ_ONLY, "");
    }
    let who = visit.viewer.who();
    match console.source.handle.call(move |engine| engine.steer_job(&who, JobNo(no), pace)).await {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => return super::act::refused(&console, &visit, &fault),
        Err(stopped) => {
            return told(&console, &visit, StatusCode::SERVICE_UNAVAILABLE, REFUSED, &stopped.to_string());
        }
    }
    if pace == Pace::Running {
        tokio::spawn(work(Arc::clone(&console), JobNo(no)));
    }
    (StatusCode::SEE_OTHER, [(header::LOCATION, format!("/jobs/{no}"))]).into_response()
}
