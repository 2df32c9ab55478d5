//! What two people do together: 承認 (requests that wait for a second person), 一斉送信 (waves: every letter can be looked at
//! and unticked before the first leaves), アカウント (who there is, and who is logged in).

use super::Console;
use super::frame::show;
use super::visit::{Lang, Visit};
use super::words::tone;
use crate::domain::{RowNo, TenantId};
use crate::engine::approvals::AskView;
use crate::engine::records::WaveNo;
use crate::engine::waves::WaveView;
use crate::engine::{Engine, EngineError};
use crate::workflow::approval::Approval;
use crate::workflow::rights::Act;
use crate::workflow::wave::{Member, Wave};
use axum::extract::{Path, State};
use axum::response::Response;
use minijinja::{Value, context};
use std::sync::Arc;

/// Requests on one page.
const ASKS_SHOWN: usize = 50;
/// Letters of a wave on one page.
const LETTERS_SHOWN: usize = 100;

/// Asks the engine, whose questions these are.
async fn ask<T: Send + 'static>(
    console: &Console,
    question: impl FnOnce(&Engine) -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    let asked = console.source.handle.call(move |engine| question(engine)).await;
    asked.unwrap_or_else(|stopped| Err(EngineError::Record(stopped.to_string())))
}

pub(super) async fn approvals(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    let asks = ask(&console, |engine| engine.asks(false, None, ASKS_SHOWN)).await;
    show(console, visit, "approvals.html", move |desk| {
        let asks = asks?.items;
        let viewer = &desk.visit.viewer;
        let row = |ask: &AskView| {
            let open = matches!(ask.detail, Approval::Asked { .. });
            let own = ask.by.as_deref() == Some(viewer.name.as_str());
            context! {
                no => ask.no, act => ask.act_name, text => ask.text, by => ask.by, state => desk.lang.word((ask.state, ask.state_name)),
                tone => if open { "late" } else { tone(ask.state) }, open, own,
                decides => open && !own && viewer.may(Act::Approve), recalls => open && own,
                lapses => ask.lapses.map(|at| desk.lang.moment(at)), tenant => ask.verb.get("tenant").and_then(|id| id.as_str()),
                mail => ask.verb.get("mail").and_then(serde_json::Value::as_u64), wave => ask.verb.get("wave").and_then(serde_json::Value::as_u64),
            }
        };
        let (waiting, over): (Vec<_>, Vec<_>) = asks.iter().partition(|ask| matches!(ask.detail, Approval::Asked { .. }));
        Ok(context! {
            waiting => waiting.into_iter().map(row).collect::<Vec<_>>(), over => over.into_iter().map(row).collect::<Vec<_>>(),
        })
    })
    .await
}

fn state(lang: Lang, wave: &WaveView) -> Value {
    let why = match &wave.detail {
        Wave::Stopped { why, .. } | Wave::Withdrawn { why, .. } => Some(why.clone()),
        Wave::Draft | Wave::Canaries { .. } | Wave::Running { .. } | Wave::Done { .. } => None,
    };
    let tone = match &wave.detail {
        Wave::Stopped { .. } => "bad",
        Wave::Draft => "late",
        Wave::Canaries { .. } | Wave::Running { .. } => "open",
        Wave::Done { .. } => "done",
        Wave::Withdrawn { .. } => "mute",
    };
    let tally = &wave.tally;
    let all = tally.waiting + tally.unticked + tally.out + tally.left + tally.failed + tally.withdrawn;
    context! {
        no => wave.no, letter => lang.word((wave.letter, wave.letter_name)), by => wave.by.trim_start_matches("staff:"), planned => lang.moment(wave.planned),
        word => lang.word((wave.state, wave.state_name)), tone, why, revision => wave.revision, ask => wave.ask, all,
        waiting => tally.waiting, unticked => tally.unticked, out => tally.out, left => tally.left, failed => tally.failed,
        draft => matches!(wave.detail, Wave::Draft), goes => matches!(wave.detail, Wave::Canaries { .. } | Wave::Running { .. }),
        stopped => matches!(wave.detail, Wave::Stopped { .. }),
        bar => super::chart::bar(u64::from(tally.left + tally.failed), u64::from(all)),
    }
}

pub(super) async fn waves(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    let known = ask(&console, |engine| Ok((engine.waves()?, engine.unplanned()?))).await;
    show(console, visit, "waves.html", move |desk| {
        let (waves, unplanned) = known?;
        let lang = desk.lang;
        let unplanned: Vec<_> = unplanned
            .iter()
            .map(|u| context! { letter => u.letter, name => lang.word((u.letter, u.letter_name)), count => u.count })
            .collect();
        Ok(context! { waves => waves.iter().map(|wave| state(lang, wave)).collect::<Vec<_>>(), unplanned })
    })
    .await
}

pub(super) async fn wave(State(console): State<Arc<Console>>, Path(no): Path<u64>, visit: Visit) -> Response {
    let after = visit.number("after").map(RowNo);
    let known = ask(&console, move |engine| {
        Ok((engine.wave_of(WaveNo(no))?, engine.wave_letters(WaveNo(no), after, LETTERS_SHOWN)?))
    });
    let known = known.await;
    show(console, visit, "wave.html", move |desk| {
        let (wave, letters) = known?;
        let name = |id: Option<TenantId>| id.and_then(|id| desk.board.tenant(id)).map(|card| card.name.clone());
        let rows: Vec<_> = letters
            .items
            .iter()
            .map(|line| {
                let (code, tickable, on) = match line.member {
                    Member::Waiting => ("open", true, true),
                    Member::Unticked => ("mute", true, false),
                    Member::Out => ("open", false, true),
                    Member::Left => ("done", false, true),
                    Member::Failed => ("bad", false, true),
                    Member::Withdrawn => ("mute", false, false),
                };
                context! {
                    row => line.row, tenant => line.tenant, name => name(line.tenant), to => line.to.as_str(),
                    word => line.member_name, tone => code, tickable, on, why => line.why,
                }
            })
            .collect();
        let next = letters.next.map(|key| desk.visit.with("after", Some(&key)));
        Ok(context! { wave => state(desk.lang, &wave), rows, next })
    })
    .await
}

pub(super) async fn people(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    let known = ask(&console, |engine| Ok((engine.accounts()?, engine.sessions()?, engine.two_persons_since()?))).await;
    show(console, visit, "people.html", move |desk| {
        let (accounts, sessions, since) = known?;
        let lang = desk.lang;
        let accounts: Vec<_> = accounts
            .iter()
            .map(|a| {
                context! {
                    name => a.name, person => a.person, role => lang.pick(a.role_name, a.role.name()),
                    since => lang.moment(a.since), disabled => a.disabled.map(|at| lang.moment(at)), has_password => a.has_password,
                }
            })
            .collect();
        let sessions: Vec<_> = sessions
            .iter()
            .map(|s| {
                context! {
                    no => s.no, account => s.account, since => lang.moment(s.since), seen => lang.moment(s.seen), from => s.from,
                    agent => s.agent, own => s.no == desk.visit.viewer.session,
                    ends => s.account == desk.visit.viewer.name || desk.visit.viewer.may(Act::Sessions),
                }
            })
            .collect();
        Ok(context! { accounts, sessions, two_persons => since.map(|at| lang.moment(at)) })
    })
    .await
}
