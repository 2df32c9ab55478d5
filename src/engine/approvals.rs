//! What a person may do is decided here, in the step itself (research R19: four eyes are held in the store, not only on the
//! page): the role is looked up, the table of [`rights`] asked, and what needs a second person becomes a request. Saying
//! yes carries it out in the same step, so a request is never approved without its effect, nor the other way round.
//!
//! [`rights`]: crate::workflow::rights

use super::keys::KeysVerb;
use super::people::{self, Who};
use super::records::AskNo;
use super::staff::{self, Verb};
use super::step::Step;
use super::views::words::Lang;
use super::views::{Page, View};
use super::waves::WaveVerb;
use super::{Engine, EngineError, SYSTEM, codec};
use crate::domain::{Date, Timestamp};
use crate::store::Table;
use crate::workflow::approval::{self, Approval, ApprovalEvent};
use crate::workflow::course::Course;
use crate::workflow::credential;
use crate::workflow::enrolment::State;
use crate::workflow::rights::{Act, Right, Role, right};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Most requests waiting at once.
pub const WAITING_MAX: usize = 1000;

/// What came of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Done {
    Done,
    /// Another person must say yes to this request first.
    Asked(AskNo),
}

/// About requests of others and one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "ask")]
pub enum AskVerb {
    Approve {
        no: AskNo,
    },
    Refuse {
        no: AskNo,
        reason: String,
    },
    /// Take an own request back.
    Recall {
        no: AskNo,
    },
}

/// A request as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ask {
    no: AskNo,
    act: Act,
    verb: Verb,
    state: Approval,
}

/// A request as people see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AskView {
    pub no: AskNo,
    pub act: Act,
    pub act_name: &'static str,
    /// One sentence that says what would be done.
    pub text: String,
    /// The same for who reads no Japanese.
    #[serde(skip)]
    pub english: String,
    /// The verb itself, without password hashes: tenant, wave and mail numbers stand in it.
    pub verb: Value,
    pub by: Option<String>,
    pub state: &'static str,
    pub state_name: &'static str,
    pub detail: Approval,
    pub lapses: Option<Timestamp>,
}

impl Ask {
    fn view(&self) -> Result<AskView, EngineError> {
        let (state, state_name) = self.state.word();
        let by = match &self.state {
            Approval::Asked { by, .. } | Approval::Approved { by, .. } | Approval::Refused { by, .. } => {
                Some(by.clone())
            }
            Approval::Recalled { .. } | Approval::Lapsed { .. } => None,
        };
        Ok(AskView {
            no: self.no,
            act: self.act,
            act_name: self.act.japanese(),
            text: super::views::sentence_of(&self.verb, Lang::Ja),
            english: super::views::sentence_of(&self.verb, Lang::En),
            verb: told(&self.verb)?,
            by,
            state,
            state_name,
            detail: self.state.clone(),
            lapses: self.state.lapses(),
        })
    }
}

/// A verb for the journal and for views: without hashes of passwords.
fn told(verb: &Verb) -> Result<Value, EngineError> {
    let told = serde_json::to_value(verb).map_err(|fault| EngineError::Record(fault.to_string()));
    let mut told = told?;
    if let Some(members) = told.as_object_mut() {
        members.remove("hash");
    }
    Ok(told)
}

/// Does what `who` decided, asks for a second person, or refuses.
pub(super) fn act(step: &mut Step<'_>, who: &Who, verb: &Verb) -> Result<Done, EngineError> {
    let role = people::role_of(step.context, who)?;
    let act = act_of(step, who, role, verb)?;
    match right(role, act) {
        Right::Refused => return Err(EngineError::Forbidden { role, act }),
        Right::Allowed | Right::NeedsSecond => {}
    }
    if let Verb::People(verb) = verb {
        people::not_oneself(who, verb)?;
    }
    if right(role, act) == Right::NeedsSecond && people::two_persons(step.context, act)? {
        return ask(step, who, act, verb);
    }
    step.note(json!({"event": "staff", "act": told(verb)?}));
    match verb {
        Verb::Ask(verb) => decide(step, who, verb)?,
        Verb::Accept { .. }
        | Verb::AcceptEdited { .. }
        | Verb::Reject { .. }
        | Verb::AskSender { .. }
        | Verb::WriteToSender { .. }
        | Verb::ApproveDomain { .. }
        | Verb::ForgetDomain { .. }
        | Verb::Reread { .. }
        | Verb::Close { .. }
        | Verb::Hold { .. }
        | Verb::Release { .. }
        | Verb::Retry { .. }
        | Verb::Withdraw { .. }
        | Verb::Reissue { .. }
        | Verb::ReissueMany { .. }
        | Verb::Cancel { .. }
        | Verb::Revoke { .. }
        | Verb::RenewCredentials { .. }
        | Verb::People(_)
        | Verb::Keys(_)
        | Verb::Wave(_) => staff::act(step, verb)?,
    }
    Ok(Done::Done)
}

/// Which right a verb needs, as things stand.
fn act_of(step: &mut Step<'_>, who: &Who, role: Role, verb: &Verb) -> Result<Act, EngineError> {
    Ok(match verb {
        Verb::Accept { .. } | Verb::AcceptEdited { .. } => {
            // Only where it makes a difference: finding out means doing it on trial.
            let moves = right(role, Act::Decide) == Right::Allowed
                && people::two_persons(step.context, Act::ChangeAddress)?
                && step.trial(|trial| staff::act(trial, verb))?.moves_secrets;
            if moves { Act::ChangeAddress } else { Act::Decide }
        }
        Verb::Reject { .. }
        | Verb::AskSender { .. }
        | Verb::WriteToSender { .. }
        | Verb::ApproveDomain { .. }
        | Verb::ForgetDomain { .. }
        | Verb::Reread { .. }
        | Verb::Close { .. } => Act::Decide,
        Verb::Hold { .. } | Verb::Release { .. } | Verb::Retry { .. } | Verb::Withdraw { .. } => Act::Send,
        Verb::Reissue { .. } if reissued_today(step)? >= step.policy().rules.schedule.oversight.waves.free_per_day => {
            Act::ReissueMany
        }
        Verb::Reissue { .. } | Verb::RenewCredentials { .. } => Act::Reissue,
        Verb::ReissueMany { .. } => Act::ReissueMany,
        Verb::Cancel { .. } => Act::Cancel,
        Verb::Revoke { .. } => Act::Revoke,
        Verb::People(verb) => verb.act(step.context, who)?,
        Verb::Keys(KeysVerb::Adopt { .. }) => Act::Keys,
        Verb::Ask(AskVerb::Approve { .. } | AskVerb::Refuse { .. }) => Act::Approve,
        Verb::Ask(AskVerb::Recall { .. }) => Act::Recall,
        Verb::Wave(WaveVerb::Plan { .. } | WaveVerb::Tick { .. }) => Act::WavePrepare,
        Verb::Wave(WaveVerb::Release { .. }) => Act::WaveRelease,
        Verb::Wave(WaveVerb::Halt { .. } | WaveVerb::Withdraw { .. }) => Act::WaveStop,
    })
}

/// How many were re-issued singly today: one after the other is many, too.
fn reissued_today(step: &Step<'_>) -> Result<u32, EngineError> {
    let counted: Option<(Date, u32)> = step.context.load(Table::Tally, b"reissued")?;
    Ok(counted.filter(|(day, _)| *day == step.now.date()).map_or(0, |(_, count)| count))
}

pub(super) fn count_reissue(step: &mut Step<'_>) -> Result<(), EngineError> {
    let count = reissued_today(step)?;
    step.put(Table::Tally, "reissued", &(step.now.date(), count.saturating_add(1)))
}

/// Whether a secret may have left for a tenant's present address.
pub(super) fn has_sent_secret(course: &Course) -> bool {
    let credential = match course.credential.state {
        credential::State::Relayed { .. }
        | credential::State::Undeliverable { .. }
        | credential::State::Shown { .. } => true,
        credential::State::Waiting | credential::State::Queued | credential::State::Offered { .. } => false,
    };
    credential
        || course.enrolments.iter().any(|enrolment| match enrolment.state {
            State::Registered | State::NoticeQueued { .. } => false,
            State::Open { .. }
            | State::Collected { .. }
            | State::InUse { .. }
            | State::Undeliverable { .. }
            | State::Expired { .. }
            | State::Cancelled { .. }
            | State::Superseded { .. }
            | State::Revoked { .. } => true,
        })
}

/// Keeps a request. What could not be done anyway is refused at once, not when somebody says yes.
fn ask(step: &mut Step<'_>, who: &Who, act: Act, verb: &Verb) -> Result<Done, EngineError> {
    if let Who::Local(_) = who {
        return Err(EngineError::Refused(
            "this needs two persons, so it must be known who asks: give --as NAME, or use the console",
        ));
    }
    let _possible = step.trial(|trial| staff::act(trial, verb))?;
    let waiting = waiting(step)?;
    if let Some(same) = waiting.iter().find(|ask| ask.verb == *verb) {
        return Err(EngineError::Input(format!("this was asked for already: request {} waits", same.no.0)));
    }
    if waiting.len() >= WAITING_MAX {
        return Err(EngineError::Refused("a thousand requests wait already; decide or recall some first"));
    }
    let no = AskNo(step.next_number(|counters| &mut counters.asks));
    let state = Approval::Asked { by: who.name().to_owned(), at: step.now };
    step.note(json!({"event": "asked", "ask": no, "act": told(verb)?}));
    step.put(Table::Ask, codec::number(no.0), &Ask { no, act, verb: verb.clone(), state })?;
    Ok(Done::Asked(no))
}

fn waiting(step: &Step<'_>) -> Result<Vec<Ask>, EngineError> {
    let asks = step.context.store.rows(Table::Ask)?.rev().take(WAITING_MAX);
    let asks: Vec<Ask> = asks.map(|row| codec::decode(&row?.1)).collect::<Result<_, EngineError>>()?;
    Ok(asks.into_iter().filter(|ask| ask.state.lapses().is_some()).collect())
}

fn load(step: &Step<'_>, no: AskNo) -> Result<Ask, EngineError> {
    let ask = step.context.load(Table::Ask, &codec::number(no.0))?;
    ask.ok_or_else(|| EngineError::Input(format!("there is no request {}", no.0)))
}

/// Yes, no, or never mind.
fn decide(step: &mut Step<'_>, who: &Who, verb: &AskVerb) -> Result<(), EngineError> {
    let by = who.name().to_owned();
    let (no, event) = match verb {
        AskVerb::Approve { no } => (*no, ApprovalEvent::Approved { by }),
        AskVerb::Refuse { no, reason } => (*no, ApprovalEvent::Refused { by, why: staff::short(reason)? }),
        AskVerb::Recall { no } => (*no, ApprovalEvent::Recalled { by }),
    };
    if let AskVerb::Approve { .. } = verb {
        people::second_person(step.context, who)?;
    }
    let ask = load(step, no)?;
    let state = approval::step(&ask.state, &event, step.now)?;
    if let Approval::Approved { .. } = state {
        let Approval::Asked { by: asker, .. } = &ask.state else { return Ok(()) };
        step.note(json!({"event": "approved", "ask": no, "asked-by": asker, "act": told(&ask.verb)?}));
        staff::act(step, &ask.verb)?;
    }
    step.put(Table::Ask, codec::number(no.0), &Ask { state, ..ask })
}

impl View {
    /// Requests nobody has decided, of the last [`WAITING_MAX`].
    pub fn requests_waiting(&self) -> Result<u64, EngineError> {
        let mut waiting = 0;
        for row in self.context.store.rows(Table::Ask)?.rev().take(WAITING_MAX) {
            waiting += u64::from(codec::decode::<Ask>(&row?.1)?.state.lapses().is_some());
        }
        Ok(waiting)
    }

    /// Requests, the newest first; `waiting`: only those nobody has decided.
    pub fn asks(&self, waiting: bool, after: Option<AskNo>, limit: usize) -> Result<Page<AskView>, EngineError> {
        let end = codec::number(after.map_or(u64::MAX, |no| no.0));
        let rows = self.context.store.range(Table::Ask, ..end)?.rev();
        let entries = rows.map(|row| codec::decode::<Ask>(&row?.1));
        Page::collect(
            entries,
            limit,
            |ask| ask.no.0.to_string(),
            |ask| {
                let shown = !waiting || ask.state.lapses().is_some();
                shown.then(|| ask.view()).transpose()
            },
        )
    }

    pub fn ask(&self, no: AskNo) -> Result<AskView, EngineError> {
        let ask: Option<Ask> = self.context.load(Table::Ask, &codec::number(no.0))?;
        ask.ok_or_else(|| EngineError::Input(format!("there is no request {}", no.0)))?.view()
    }
}

impl Engine {
    /// When the next request lapses.
    pub(super) fn next_lapse(&self) -> Result<Option<Timestamp>, EngineError> {
        let rows = self.context.store.rows(Table::Ask)?.rev().take(WAITING_MAX);
        let asks: Vec<Ask> = rows.map(|row| codec::decode(&row?.1)).collect::<Result<_, EngineError>>()?;
        Ok(asks.iter().filter_map(|ask| ask.state.lapses()).min())
    }

    /// Voids requests nobody answered in time.
    pub(super) fn lapse_asks(&mut self) -> Result<(), EngineError> {
        self.step(SYSTEM, |step| {
            for ask in waiting(step)? {
                let state = approval::step(&ask.state, &ApprovalEvent::Passed, step.now)?;
                if state != ask.state {
                    step.note(json!({"event": "request-lapsed", "ask": ask.no}));
                    step.put(Table::Ask, codec::number(ask.no.0), &Ask { state, ..ask })?;
                }
            }
            Ok(())
        })
    }
}
