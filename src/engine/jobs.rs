//! Jobs: one verb of staff for many letters or tenants, each a step of its own with the person as actor. A job stands in
//! the store, and how far it is moves on in the same step as the act: whatever stops annai, the job goes on where it was,
//! and nothing is done twice or left out. What was refused is kept with the reason.
//!
//! Key of the table `Job`: job number u64 → the job; the same and 1, chunk u32 → targets, [`CHUNK`] at once; the same
//! and 2, place u32 → a refusal. The last [`JOBS_MAX`] jobs are kept.

use super::people::{self, Who};
use super::staff::{self, Verb};
use super::step::Step;
use super::views::{PAGE_MAX, View};
use super::{Context, Engine, EngineError, SYSTEM, approvals, codec};
use crate::domain::{RowNo, TenantId, Timestamp};
use crate::store::Table;
use crate::workflow::ReissueReason;
use crate::workflow::rights::{Act, Right, right};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Jobs kept; the oldest gives way.
pub const JOBS_MAX: usize = 50;
/// Most targets of one job.
pub const TARGETS_MAX: usize = 100_000;
/// Refusals kept with their reason.
pub const REFUSALS_MAX: u32 = 200;
/// Targets in one row of the store.
const CHUNK: usize = 1000;
const TARGETS: u8 = 1;
const REFUSALS: u8 = 2;

/// Running number of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobNo(pub u64);

/// What a job acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    Letter(RowNo),
    Tenant(TenantId),
}

/// What a job does to each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "job-verb")]
pub enum JobVerb {
    Retry,
    Hold { reason: String },
    Release,
    Withdraw { reason: String },
    Reissue { reason: ReissueReason },
    Cancel { reason: String },
}

/// Whether it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    Running,
    Halted,
    Done,
}

/// A job as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub no: JobNo,
    pub verb: JobVerb,
    /// Account of who began it, and for whom each step is taken.
    pub by: String,
    pub began: Timestamp,
    pub all: u32,
    pub succeeded: u32,
    pub refused: u32,
    pub pace: Pace,
}

/// One target that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub target: Target,
    pub why: String,
}

impl Job {
    /// Targets dealt with.
    pub fn at(&self) -> u32 {
        self.succeeded.saturating_add(self.refused)
    }
}

impl JobVerb {
    /// The right it needs.
    fn act(&self) -> Act {
        match self {
            Self::Retry | Self::Hold { .. } | Self::Release | Self::Withdraw { .. } => Act::Send,
            Self::Reissue { .. } => Act::Reissue,
            Self::Cancel { .. } => Act::Cancel,
        }
    }

    /// The verb for one target; `None`: it is not for such a target.
    pub fn on(&self, target: Target) -> Option<Verb> {
        Some(match (self.clone(), target) {
            (Self::Retry, Target::Letter(row)) => Verb::Retry { row },
            (Self::Hold { reason }, Target::Letter(row)) => Verb::Hold { row, reason },
            (Self::Release, Target::Letter(row)) => Verb::Release { row },
            (Self::Withdraw { reason }, Target::Letter(row)) => Verb::Withdraw { row, reason },
            (Self::Reissue { reason }, Target::Tenant(tenant)) => Verb::Reissue { tenant, reason },
            (Self::Cancel { reason }, Target::Tenant(tenant)) => Verb::Cancel { tenant, reason },
            (Self::Retry | Self::Hold { .. } | Self::Release | Self::Withdraw { .. }, Target::Tenant(_))
            | (Self::Reissue { .. } | Self::Cancel { .. }, Target::Letter(_)) => return None,
        })
    }

    /// Why; `None` where none is asked for.
    fn reason(&self) -> Option<&str> {
        match self {
            Self::Hold { reason } | Self::Withdraw { reason } | Self::Cancel { reason } => Some(reason),
            Self::Retry | Self::Release | Self::Reissue { .. } => None,
        }
    }
}

fn key(no: JobNo, part: u8, place: u32) -> Vec<u8> {
    [&codec::number(no.0)[..], &[part], &place.to_be_bytes()].concat()
}

fn load(context: &Context, no: JobNo) -> Result<Job, EngineError> {
    let job = context.load(Table::Job, &codec::number(no.0))?;
    job.ok_or_else(|| EngineError::Input(format!("there is no job {}", no.0)))
}

fn put(step: &mut Step<'_>, job: &Job) -> Result<(), EngineError> {
    step.put(Table::Job, codec::number(job.no.0), job)
}

/// All jobs there are, the oldest first.
fn all(context: &Context) -> Result<Vec<Job>, EngineError> {
    let mut jobs = Vec::new();
    let mut from = codec::number(0).to_vec();
    while let Some(entry) = context.store.range(Table::Job, from..)?.next() {
        let job: Job = codec::decode(&entry?.1)?;
        from = codec::number(job.no.0.saturating_add(1)).to_vec();
        jobs.push(job);
    }
    Ok(jobs)
}

fn target(context: &Context, job: &Job) -> Result<Option<Target>, EngineError> {
    let at = usize::try_from(job.at()).unwrap_or(usize::MAX);
    let chunk = u32::try_from(at / CHUNK).unwrap_or(u32::MAX);
    let targets: Option<Vec<Target>> = context.load(Table::Job, &key(job.no, TARGETS, chunk))?;
    Ok(targets.and_then(|targets| targets.get(at % CHUNK).copied()))
}

impl Engine {
    /// Begins a job for `who`, who must be allowed its verb; each target is judged when its turn comes.
    pub fn begin_job(&mut self, who: &Who, verb: JobVerb, targets: &[Target]) -> Result<JobNo, EngineError> {
        if targets.is_empty() || targets.len() > TARGETS_MAX {
            return Err(EngineError::Input(format!("a job is for 1 to {TARGETS_MAX}, not for {}", targets.len())));
        }
        if targets.iter().any(|target| verb.on(*target).is_none()) {
            return Err(EngineError::Refused("this cannot be done to all that were chosen"));
        }
        verb.reason().map(staff::short).transpose()?;
        self.step(&who.actor(), |step| {
            let (role, act) = (people::role_of(step.context, who)?, verb.act());
            if right(role, act) == Right::Refused {
                return Err(EngineError::Forbidden { role, act });
            }
            forget_old(step)?;
            let no = JobNo(step.next_number(|counters| &mut counters.jobs));
            for (chunk, some) in (0..).zip(targets.chunks(CHUNK)) {
                step.put(Table::Job, key(no, TARGETS, chunk), &some)?;
            }
            let all = u32::try_from(targets.len()).unwrap_or(u32::MAX);
            step.note(json!({"event": "job-begun", "job": no, "count": all, "verb": verb}));
            let (by, began) = (who.name().to_owned(), step.now);
            put(step, &Job { no, verb, by, began, all, succeeded: 0, refused: 0, pace: Pace::Running })?;
            Ok(no)
        })
    }

    /// Deals with the next target of a job, as a step of its own. False: nothing is left, or it is halted.
    pub fn go_on(&mut self, no: JobNo) -> Result<bool, EngineError> {
        let job = load(&self.context, no)?;
        if job.pace != Pace::Running {
            return Ok(false);
        }
        let Some(target) = target(&self.context, &job)? else {
            self.step(SYSTEM, |step| put(step, &Job { pace: Pace::Done, ..job }))?;
            return Ok(false);
        };
        let verb = job.verb.on(target).ok_or(EngineError::Refused("this cannot be done to such a target"))?;
        let who = Who::Account(job.by.clone());
        let done = self.step(&who.actor(), |step| {
            approvals::act(step, &who, &verb)?;
            put(step, &Job { succeeded: job.succeeded + 1, ..job.clone() })
        });
        match done {
            Ok(()) => {}
            // Nothing more can be written: the job waits, as everything does.
            Err(fault @ EngineError::Store(_)) => return Err(fault),
            Err(fault) => self.step(SYSTEM, |step| {
                if job.refused < REFUSALS_MAX {
                    let refusal = Refusal { target, why: fault.to_string() };
                    step.put(Table::Job, key(no, REFUSALS, job.refused), &refusal)?;
                }
                put(step, &Job { refused: job.refused + 1, ..job.clone() })
            })?,
        }
        self.set_agenda()?;
        Ok(true)
    }

    /// Halts a job, or takes it up again where it was.
    pub fn steer_job(&mut self, who: &Who, no: JobNo, pace: Pace) -> Result<(), EngineError> {
        self.step(&who.actor(), |step| {
            // Who may steer none is not told whether there is such a job.
            let role = people::role_of(step.context, who)?;
            let judged = |act| {
                if right(role, act) == Right::Refused { Err(EngineError::Forbidden { role, act }) } else { Ok(()) }
            };
            judged(Act::Send)?;
            let job = load(step.context, no)?;
            judged(job.verb.act())?;
            match (job.pace, pace) {
                (Pace::Running, Pace::Halted) | (Pace::Halted, Pace::Running) => {
                    step.note(json!({"event": "job-steered", "job": no, "pace": pace}));
                    put(step, &Job { pace, ..job })
                }
                (Pace::Running, Pace::Running | Pace::Done) | (Pace::Halted, Pace::Halted | Pace::Done) => Ok(()),
                (Pace::Done, Pace::Running | Pace::Halted | Pace::Done) => {
                    Err(EngineError::Refused("this job is done"))
                }
            }
        })
    }
}

/// Makes room for one more.
fn forget_old(step: &mut Step<'_>) -> Result<(), EngineError> {
    let jobs = all(step.context)?;
    let Some(surplus) = (jobs.len() + 1).checked_sub(JOBS_MAX) else { return Ok(()) };
    for job in jobs.iter().filter(|job| job.pace == Pace::Done).take(surplus) {
        let of_this = step.context.store.prefix(Table::Job, &codec::number(job.no.0))?;
        let keys: Vec<_> = of_this.map(|row| row.map(|(key, _)| key)).collect::<Result<_, _>>()?;
        for key in keys {
            step.delete(Table::Job, key.to_vec());
        }
    }
    Ok(())
}

impl View {
    /// Jobs, the newest first.
    pub fn jobs(&self) -> Result<Vec<Job>, EngineError> {
        let mut jobs = all(&self.context)?;
        jobs.reverse();
        Ok(jobs)
    }

    pub fn job(&self, no: JobNo) -> Result<Job, EngineError> {
        load(&self.context, no)
    }

    /// What was refused, the first [`REFUSALS_MAX`] of it.
    pub fn job_refusals(&self, no: JobNo) -> Result<Vec<Refusal>, EngineError> {
        let prefix = [&codec::number(no.0)[..], &[REFUSALS]].concat();
        let rows = self.context.store.prefix(Table::Job, &prefix)?.take(PAGE_MAX);
        rows.map(|row| codec::decode(&row?.1)).collect()
    }
}
