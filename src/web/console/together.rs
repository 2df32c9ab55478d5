//! What two people do together: 承認 (requests that wait for a second person), 一斉送信 (waves: every letter can be looked at
//! and unticked before the first leaves).

use super::Console;
use super::frame::{Trouble, show};
use super::visit::{Lang, Visit};
use super::words::tone;
use crate::domain::{RowNo, TenantId};
use crate::engine::approvals::AskView;
use crate::engine::records::WaveNo;
use crate::engine::views::words;
use crate::engine::waves::{WAVES_MAX, WaveView};
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

pub(super) async fn approvals(State(console): State<Arc<Console>>, visit: Visit) -> Response {
    show(console, visit, "approvals.html", |desk| {
        let asks = desk.view.asks(false, None, ASKS_SHOWN)?.items;
        let viewer = &desk.visit.viewer;
        let row = |ask: &AskView| {
            let open = matches!(ask.detail, Approval::Asked { .. });
            let own = ask.by.as_deref() == Some(viewer.name.as_str());
            context! {
                no => ask.no, act => desk.lang.pick(ask.act_name.to_owned(), code(ask.act)), text => desk.lang.pick(&ask.text, &ask.english), by => ask.by, state => desk.lang.word((ask.state, ask.state_name)),
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

/// The English word of an act: its code.
fn code(act: Act) -> String {
    let code = serde_json::to_value(act).ok();
    code.and_then(|code| Some(code.as_str()?.replace('-', " "))).unwrap_or_default()
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
    let after = visit.number("after").map(WaveNo);
    show(console, visit, "waves.html", move |desk| {
        let (waves, unplanned) = (desk.view.waves(after, WAVES_MAX)?, desk.view.unplanned()?);
        let lang = desk.lang;
        let unplanned: Vec<_> = unplanned
            .iter()
            .map(|u| context! { letter => u.letter, name => lang.word((u.letter, u.letter_name)), count => u.count })
            .collect();
        let next = waves.next.map(|key| desk.visit.with("after", Some(&key)));
        Ok(context! { waves => waves.items.iter().map(|wave| state(lang, wave)).collect::<Vec<_>>(), unplanned, next })
    })
    .await
}

pub(super) async fn wave(State(console): State<Arc<Console>>, Path(no): Path<String>, visit: Visit) -> Response {
    let after = visit.number("after").map(RowNo);
    show(console, visit, "wave.html", move |desk| {
        let no = WaveNo(no.parse().map_err(|_| Trouble::Missing)?);
        let wave = desk.view.wave_of(no).map_err(Trouble::of_number)?;
        let letters = desk.view.wave_letters(no, after, LETTERS_SHOWN)?;
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
                    word => desk.lang.word(line.member.word()), tone => code, tickable, on,
                    why => desk.view.row(line.row).ok().and_then(|row| words::why(&row.delivery, desk.lang)),
                }
            })
            .collect();
        let next = letters.next.map(|key| desk.visit.with("after", Some(&key)));
        Ok(context! { wave => state(desk.lang, &wave), rows, next })
    })
    .await
}
