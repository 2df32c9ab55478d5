//! Jobs as people see them: what each does, how far it is, what was refused.

use super::words::Lang;
use super::{View, persons};
use crate::domain::Timestamp;
use crate::engine::EngineError;
use crate::engine::jobs::{Job, JobNo, JobVerb, Pace, Refusal};
use serde::Serialize;

/// A job in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobView {
    pub no: JobNo,
    pub state: Pace,
    pub state_name: &'static str,
    /// What it does to each, with the reason.
    pub text: String,
    pub verb: JobVerb,
    /// Account of who began it.
    pub by: String,
    pub began: Timestamp,
    pub all: u32,
    /// Dealt with: succeeded and refused.
    pub at: u32,
    pub succeeded: u32,
    pub refused: u32,
}

/// One job, with what was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobDetail {
    #[serde(flatten)]
    pub job: JobView,
    pub refusals: Vec<Refusal>,
}

fn view(job: Job) -> JobView {
    let state_name = match job.pace {
        Pace::Running => "実行中",
        Pace::Halted => "停止中",
        Pace::Done => "終了",
    };
    let (at, text) = (job.at(), persons::job(&job.verb, Lang::Ja));
    let Job { no, verb, by, began, all, succeeded, refused, pace } = job;
    JobView { no, state: pace, state_name, text, verb, by, began, all, at, succeeded, refused }
}

impl View {
    /// Jobs that are kept, the newest first.
    pub fn job_views(&self) -> Result<Vec<JobView>, EngineError> {
        Ok(self.jobs()?.into_iter().map(view).collect())
    }

    pub fn job_detail(&self, no: JobNo) -> Result<JobDetail, EngineError> {
        Ok(JobDetail { job: view(self.job(no)?), refusals: self.job_refusals(no)? })
    }
}
