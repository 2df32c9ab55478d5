//! Waves as people see them.

use super::unplanned::unplanned;
use super::{WaveRecord, load, places, places_after, tally};
use crate::domain::{MailAddress, RowNo, TenantId, Timestamp};
use crate::engine::approvals::AskView;
use crate::engine::records::{About, AskNo, WaveNo};
use crate::engine::views::{PAGE_MAX, Page, View, words};
use crate::engine::{EngineError, codec};
use crate::store::Table;
use crate::workflow::rights::Act;
use crate::workflow::wave::{Member, Tally, Wave};
use serde::Serialize;

/// Most waves on one page.
pub const WAVES_MAX: usize = 8;

/// A wave as people see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaveView {
    pub no: WaveNo,
    pub letter: &'static str,
    pub letter_name: &'static str,
    pub planned: Timestamp,
    pub by: String,
    pub revision: u32,
    pub state: &'static str,
    pub state_name: &'static str,
    pub detail: Wave,
    pub tally: Tally,
    /// The request that waits for a second person, if one does.
    pub ask: Option<AskNo>,
}

/// Letters that wait for a wave nobody has planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unplanned {
    pub letter: &'static str,
    pub letter_name: &'static str,
    pub count: u64,
}

/// One letter of a wave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaveLine {
    pub row: RowNo,
    pub tenant: Option<TenantId>,
    pub to: MailAddress,
    pub subject: String,
    pub member: Member,
    pub member_name: &'static str,
    pub why: Option<String>,
}

impl View {
    /// Waves, the newest first; `after`: those before this one. At most [`WAVES_MAX`], for the letters of each are counted.
    pub fn waves(&self, after: Option<WaveNo>, limit: usize) -> Result<Page<WaveView>, EngineError> {
        let asks = self.asks(true, None, PAGE_MAX)?.items;
        let end = after.map_or(u64::MAX, |wave| wave.0);
        let rows = self.context.store.range(Table::Wave, ..codec::number(end))?.rev();
        Page::collect(
            rows.map(|row| codec::decode::<WaveRecord>(&row?.1)),
            limit.min(WAVES_MAX),
            |record| record.no.0.to_string(),
            |record| self.wave_view(&record, &asks).map(Some),
        )
    }

    pub fn wave_of(&self, no: WaveNo) -> Result<WaveView, EngineError> {
        self.wave_view(&load(&self.context, no)?, &self.asks(true, None, PAGE_MAX)?.items)
    }

    fn wave_view(&self, record: &WaveRecord, asks: &[AskView]) -> Result<WaveView, EngineError> {
        let (state, state_name) = record.wave.word();
        let of_this = |view: &AskView| {
            view.act == Act::WaveRelease
                && view.verb.get("wave").and_then(serde_json::Value::as_u64) == Some(record.no.0)
        };
        Ok(WaveView {
            no: record.no,
            letter: record.letter.name(),
            letter_name: record.letter.japanese(),
            planned: record.planned,
            by: record.by.clone(),
            revision: record.revision,
            state,
            state_name,
            detail: record.wave.clone(),
            tally: tally(&places(&self.context, record.no)?),
            ask: asks.iter().find(|view| of_this(view)).map(|view| view.no),
        })
    }

    /// Letters that wait for a wave nobody has planned, by kind.
    pub fn unplanned(&self) -> Result<Vec<Unplanned>, EngineError> {
        let waiting = unplanned(&self.context)?.into_iter().filter(|(_, count)| *count > 0);
        Ok(waiting
            .map(|(kind, count)| Unplanned { letter: kind.name(), letter_name: kind.japanese(), count })
            .collect())
    }

    /// The letters of a wave, by number ([`WaveNo::NONE`]: those of none yet).
    pub fn wave_letters(&self, no: WaveNo, after: Option<RowNo>, limit: usize) -> Result<Page<WaveLine>, EngineError> {
        Page::collect(
            places_after(&self.context, no, after)?,
            limit,
            |(row, _)| row.0.to_string(),
            |(no, place)| {
                let row = self.row(no)?;
                let tenant = match row.about {
                    About::Tenant { tenant, .. } => Some(tenant),
                    About::Mail { .. } | About::Reply { .. } | About::Report { .. } => None,
                };
                let why = words::why(&row.delivery, words::Lang::Ja);
                let (member, member_name) = (place.member, place.member.word().1);
                Ok(Some(WaveLine { row: no, tenant, to: row.to, subject: row.subject, member, member_name, why }))
            },
        )
    }
}
