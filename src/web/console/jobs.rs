//! Jobs: one verb, many targets, each a step of its own. A job can be halted and taken up again; what it was refused is
//! listed with the reason. Jobs live as long as the process: every target that is done is done, and after a restart the
//! same search finds the ones that are left.

use super::Console;
use super::act::Fields;
use super::bulk::{verb_for, word};
use super::frame::show;
use super::viewer::Viewer;
use super::visit::Visit;
use crate::domain::{RowNo, TenantId, Timestamp};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use minijinja::context;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Jobs remembered; the oldest is forgotten.
const JOBS_MAX: usize = 50;
/// Refusals kept with their reason.
const REFUSALS_MAX: usize = 200;

/// What a job acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Letter(RowNo),
    Tenant(TenantId),
}

/// Whether it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    Running,
    Halted,
    Done,
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Job {
    fields: Fields,
    targets: Vec<Target>,
    who: Viewer,
    began: Timestamp,
    /// Targets dealt with.
    at: usize,
    succeeded: usize,
    refused: usize,
    refusals: Vec<(Target, String)>,
    pace: Pace,
    /// A step of it is under way.
    busy: bool,
}

impl Job {
    pub(super) fn new(fields: Fields, targets: Vec<Target>, who: Viewer, began: Timestamp) -> Self {
        let (at, succeeded, refused, refusals) = (0, 0, 0, Vec::new());
        Self { fields, targets, who, began, at, succeeded, refused, refusals, pace: Pace::Running, busy: false }
    }
}

/// All jobs of this process.
#[derive(Debug, Default)]
pub(super) struct Jobs(Mutex<(u64, BTreeMap<u64, Job>)>);

impl Jobs {
    pub(super) fn begin(&self, job: Job) -> u64 {
        let mut all = self.lock();
        all.0 += 1;
        let no = all.0;
        all.1.insert(no, job);
        while all.1.len() > JOBS_MAX {
            all.1.pop_first();
        }
        no
    }

    fn lock(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Job>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, no: u64, work: impl FnOnce(&mut Job) -> T) -> Option<T> {
        self.lock().1.get_mut(&no).map(work)
    }

    /// The next target and its fields; `None`: halted or done.
    fn next(&self, no: u64) -> Option<(Target, Fields, Viewer)> {
        self.with(no, |job| {
            if job.pace != Pace::Running || job.busy {
                return None;
            }
            let next = job.targets.get(job.at).copied();
            job.busy = next.is_some();
            if next.is_none() {
                job.pace = Pace::Done;
            }
            next.map(|target| (target, job.fields.clone(), job.who.clone()))
        })
        .flatten()
    }
}

/// Does what is left of a job, one step after the other.
pub(super) async fn work(console: Arc<Console>, no: u64) {
    while let Some((target, fields, who)) = console.jobs.next(no) {
        let outcome = match verb_for(&fields, target) {
            Ok(verb) => match console.source.handle.call(move |engine| engine.act(who.who(), &verb)).await {
                Ok(done) => done.map_err(|fault| fault.to_string()),
                Err(stopped) => {
                    console.jobs.with(no, |job| (job.pace, job.busy) = (Pace::Halted, false));
                    tracing::error!(%stopped, job = no, "a job of the console was halted");
                    return;
                }
            },
            Err(why) => Err(why.to_owned()),
        };
        console.jobs.with(no, |job| {
            (job.at, job.busy) = (job.at + 1, false);
            match outcome {
                Ok(_) => job.succeeded += 1,
                Err(why) => {
                    job.refused += 1;
                    if job.refusals.len() < REFUSALS_MAX {
                        job.refusals.push((target, why));
                    }
                }
            }
        });
    }
    console.catch_up().await;
}

pub(super) async fn page(State(console): State<Arc<Console>>, Path(no): Path<u64>, visit: Visit) -> Response {
    show(console, visit, "job.html", move |desk| {
        let job = desk.console.jobs.with(no, |job| job.clone()).ok_or(super::frame::Trouble::Missing)?;
        let refusals: Vec<_> = job
            .refusals
            .iter()
            .map(|(target, why)| {
                let (href, name) = match target {
                    Target::Letter(no) => (format!("/outbox/{no}"), no.to_string()),
                    Target::Tenant(id) => (format!("/tenants/{id}"), id.to_string()),
                };
                context! { href, name, why }
            })
            .collect();
        Ok(context! {
            no, word => word(job.fields.get("verb"), desk.lang).unwrap_or_default(), reason => job.fields.get("reason"),
            by => job.who.person, began => desk.lang.moment(job.began), all => job.targets.len(), at => job.at,
            succeeded => job.succeeded, refused => job.refused, refusals,
            running => job.pace == Pace::Running, halted => job.pace == Pace::Halted,
        })
    })
    .await
}

/// Halts a job, or takes it up again where it was.
pub(super) async fn steer(
    State(console): State<Arc<Console>>,
    Path((no, what)): Path<(u64, String)>,
    visit: Visit,
) -> Response {
    if visit.viewer.acts() {
        let resumed = console.jobs.with(no, |job| match (what.as_str(), job.pace) {
            ("halt", Pace::Running) => {
                job.pace = Pace::Halted;
                false
            }
            ("resume", Pace::Halted) => {
                job.pace = Pace::Running;
                true
            }
            (_, Pace::Running | Pace::Halted | Pace::Done) => false,
        });
        if resumed == Some(true) {
            tokio::spawn(work(Arc::clone(&console), no));
        }
    }
    (StatusCode::SEE_OTHER, [(header::LOCATION, format!("/jobs/{no}"))]).into_response()
}
