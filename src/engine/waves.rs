//! Waves carried out (machine and table: [`crate::workflow::wave`]). A letter that must wait for one is composed like any
//! other, so that people look at its final bytes, and kept back; `Row::wave` says which wave it is of.
//!
//! `WaveRow` holds each letter's place beside its row, written with every change of the row ([`moved`]); counting those of a
//! wave is a scan of at most [`wave::LETTERS_MAX`] small entries. Letters of no wave yet may be very many: they are counted
//! with every step ([`count_unplanned`]). After each answer of the mail server, and when time has passed,
//! [`Engine::look_at_waves`] lets the machine decide.

mod unplanned;
mod views;

pub(super) use unplanned::{count_fault, count_unplanned};
pub use views::{Unplanned, WAVES_MAX, WaveLine, WaveView};

use super::records::{About, Row, WaveNo};
use super::staff;
use super::step::Step;
use super::{Context, Engine, EngineError, SYSTEM, codec};
use crate::domain::{RowNo, Timestamp};
use crate::letters::{CertificateLetter, LetterKind, TenantLetter};
use crate::store::Table;
use crate::workflow::delivery::{DeliveryEvent, HoldReason};
use crate::workflow::rights::Act;
use crate::workflow::wave::{self, Member, Tally, Wave, WaveEffect, WaveEvent};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// About waves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "wave-verb")]
pub enum WaveVerb {
    /// Put all letters of a kind that wait into a new wave.
    Plan {
        letter: LetterKind,
    },
    /// Take a letter out of a wave, or into it again.
    Tick {
        wave: WaveNo,
        row: RowNo,
        on: bool,
    },
    /// Let it leave, or go on after a stop. `revision`: of the list that was looked at; another list is refused.
    Release {
        wave: WaveNo,
        revision: u32,
    },
    Halt {
        wave: WaveNo,
        reason: String,
    },
    /// Take back what has not left.
    Withdraw {
        wave: WaveNo,
        reason: String,
    },
}

/// A wave as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WaveRecord {
    no: WaveNo,
    letter: LetterKind,
    planned: Timestamp,
    by: String,
    /// Counts up with every tick.
    revision: u32,
    wave: Wave,
}

/// Where a letter stands in its wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    letter: LetterKind,
    member: Member,
    /// It was taken back with a wave before: whatever was wrong with its text, the next wave writes it anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    again: bool,
}

/// Letters that leave in waves: what opens or is a secret, and starts a tenant's 30 days. The password follows its notice.
fn leaves_in_waves(letter: LetterKind) -> bool {
    use CertificateLetter::{Expired, Notice, Password, Reminder};
    match letter.for_tenant() {
        Some(TenantLetter::Certificate(Notice) | TenantLetter::Credentials) => true,
        Some(
            TenantLetter::Certificate(Password | Reminder | Expired)
            | TenantLetter::Welcome
            | TenantLetter::CredentialsReady,
        )
        | None => false,
    }
}

fn place_key(wave: WaveNo, row: RowNo) -> [u8; 16] {
    let mut key = [0; 16];
    let (front, back) = key.split_at_mut(8);
    front.copy_from_slice(&codec::number(wave.0));
    back.copy_from_slice(&codec::number(row.0));
    key
}

fn done_key(letter: LetterKind) -> String {
    format!("wave-done/{}", letter.name())
}

/// Whether a letter about to be queued must wait for a wave; counts those that need not.
pub(super) fn must_wait(step: &mut Step<'_>, about: &About, letter: LetterKind) -> Result<bool, EngineError> {
    let to_tenant = matches!(about, About::Tenant { .. });
    if !to_tenant || !leaves_in_waves(letter) || !super::people::two_persons(step.context, Act::WaveRelease)? {
        return Ok(false);
    }
    let first_done = step.context.store.get(Table::Meta, done_key(letter).as_bytes())?.is_some();
    let today = step.now.date();
    let key = format!("wave/{}", letter.name());
    let counted: Option<(crate::domain::Date, u32)> = step.context.load(Table::Tally, key.as_bytes())?;
    let queued = counted.filter(|(day, _)| *day == today).map_or(0, |(_, count)| count);
    if wave::must_wait(first_done, queued, &step.policy().rules.schedule.oversight.waves) {
        return Ok(true);
    }
    step.put(Table::Tally, key, &(today, queued + 1))?;
    Ok(false)
}

/// A row has changed: its place in its wave follows.
pub(super) fn moved(step: &mut Step<'_>, row: &Row) -> Result<(), EngineError> {
    let Some(wave) = row.wave else { return Ok(()) };
    let member = Member::of(&row.delivery);
    let key = place_key(wave, row.no);
    if wave == WaveNo::NONE && member != Member::Waiting {
        step.delete(Table::WaveRow, key);
        return Ok(());
    }
    step.put(Table::WaveRow, key, &Place { letter: row.letter, member, again: false })
}

/// The letters of a wave, by number.
fn places(context: &Context, wave: WaveNo) -> Result<Vec<(RowNo, Place)>, EngineError> {
    places_after(context, wave, None)?.collect()
}

/// The same one after the other, after a row.
fn places_after(
    context: &Context,
    wave: WaveNo,
    after: Option<RowNo>,
) -> Result<impl Iterator<Item = Result<(RowNo, Place), EngineError>> + use<>, EngineError> {
    let first = place_key(wave, RowNo(after.map_or(0, |row| row.0.saturating_add(1))));
    let rows = context.store.range(Table::WaveRow, &first[..]..=&place_key(wave, RowNo(u64::MAX))[..])?;
    Ok(rows.map(|entry| {
        let (key, value) = entry?;
        let row =
            codec::row_of(&key).ok_or_else(|| EngineError::Record("a place in a wave without a row".to_owned()))?;
        Ok((row, codec::decode(&value)?))
    }))
}

fn tally(places: &[(RowNo, Place)]) -> Tally {
    let mut tally = Tally::default();
    for (_, place) in places {
        tally.count(place.member);
    }
    tally
}

fn load(context: &Context, no: WaveNo) -> Result<WaveRecord, EngineError> {
    let record = context.load(Table::Wave, &codec::number(no.0))?;
    record.ok_or_else(|| EngineError::Input(format!("there is no wave {}", no.0)))
}

/// Carries out what was allowed or approved.
pub(super) fn act(step: &mut Step<'_>, verb: &WaveVerb) -> Result<(), EngineError> {
    match verb {
        WaveVerb::Plan { letter } => plan(step, *letter),
        WaveVerb::Tick { wave, row, on } => tick(step, *wave, *row, *on),
        WaveVerb::Release { wave, revision } => {
            let record = load(step.context, *wave)?;
            if record.revision != *revision {
                return Err(EngineError::Refused("the list of this wave has changed since; look at it and ask again"));
            }
            let tally = tally(&places(step.context, *wave)?);
            go(step, record, &WaveEvent::Released { tally })
        }
        WaveVerb::Halt { wave, reason } => {
            let record = load(step.context, *wave)?;
            go(step, record, &WaveEvent::Halted { why: staff::short(reason)? })
        }
        WaveVerb::Withdraw { wave, reason } => {
            let record = load(step.context, *wave)?;
            go(step, record, &WaveEvent::Withdrawn { why: staff::short(reason)? })
        }
    }
}

fn plan(step: &mut Step<'_>, letter: LetterKind) -> Result<(), EngineError> {
    let waiting = places_after(step.context, WaveNo::NONE, None)?;
    let waiting = waiting.filter(|place| place.as_ref().map_or(true, |(_, place)| place.letter == letter));
    let waiting: Vec<(RowNo, Place)> = waiting.take(wave::LETTERS_MAX).collect::<Result<_, _>>()?;
    if waiting.is_empty() {
        return Err(EngineError::Refused("no letter of this kind waits for a wave"));
    }
    let no = WaveNo(step.next_number(|counters| &mut counters.waves));
    step.note(json!({"event": "wave-planned", "wave": no, "letter": letter, "letters": waiting.len()}));
    for (row, place) in waiting {
        step.delete(Table::WaveRow, place_key(WaveNo::NONE, row));
        // What people look at names the deadline it would have if it left today.
        let dated = step.dated_today(row)?;
        if place.again && dated.is_none() {
            step.compose_again(row)?;
        }
        into_wave(step, row, no)?;
    }
    let by = step.actor.clone();
    let record = WaveRecord { no, letter, planned: step.now, by, revision: 1, wave: Wave::Draft };
    step.put(Table::Wave, codec::number(no.0), &record)
}

fn into_wave(step: &mut Step<'_>, row: RowNo, wave: WaveNo) -> Result<(), EngineError> {
    let row = Row { wave: Some(wave), ..step.row(row)? };
    moved(step, &row)?;
    step.put_row(row);
    Ok(())
}

fn tick(step: &mut Step<'_>, no: WaveNo, row: RowNo, on: bool) -> Result<(), EngineError> {
    let mut record = load(step.context, no)?;
    match record.wave {
        Wave::Draft | Wave::Stopped { .. } => {}
        Wave::Canaries { .. } | Wave::Running { .. } | Wave::Done { .. } | Wave::Withdrawn { .. } => {
            return Err(EngineError::Refused("letters are ticked before a wave leaves, or while it is stopped"));
        }
    }
    let key = place_key(no, row);
    let place: Option<Place> = step.context.load(Table::WaveRow, &key)?;
    let place = place.ok_or(EngineError::Refused("this letter is not in this wave"))?;
    let member = match (place.member, on) {
        (Member::Waiting | Member::Unticked, true) => Member::Waiting,
        (Member::Waiting | Member::Unticked, false) => Member::Unticked,
        (Member::Out | Member::Left | Member::Failed | Member::Withdrawn, _) => {
            return Err(EngineError::Refused("this letter is not waiting any more"));
        }
    };
    if member != place.member {
        record.revision += 1;
        step.put(Table::WaveRow, key, &Place { member, ..place })?;
        step.put(Table::Wave, codec::number(no.0), &record)?;
    }
    Ok(())
}

/// One event of a wave with everything that follows.
fn go(step: &mut Step<'_>, record: WaveRecord, event: &WaveEvent) -> Result<(), EngineError> {
    let policy = step.policy().rules.schedule.oversight.waves;
    let (next, effects) = wave::step(&record.wave, event, step.now, &policy)?;
    let places = places(step.context, record.no)?;
    for effect in effects {
        match effect {
            WaveEffect::LetGo(count) => {
                let waiting = places.iter().filter(|(_, place)| place.member == Member::Waiting);
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                for (row, _) in waiting.take(count) {
                    step.deliver(*row, &DeliveryEvent::Released)?;
                }
            }
            WaveEffect::KeepBack => {
                let held = DeliveryEvent::Held { reason: HoldReason::Wave };
                each(step, &places, &[Member::Out], &held)?;
            }
            WaveEffect::TakeBack => take_back(step, &record, &places)?,
        }
    }
    if next == record.wave {
        return Ok(());
    }
    match next {
        Wave::Done { .. } | Wave::Withdrawn { .. } => {
            for (row, _) in places.iter().filter(|(_, place)| place.member == Member::Unticked) {
                step.delete(Table::WaveRow, place_key(record.no, *row));
                into_wave(step, *row, WaveNo::NONE)?;
            }
        }
        Wave::Draft | Wave::Canaries { .. } | Wave::Running { .. } | Wave::Stopped { .. } => {}
    }
    if matches!(next, Wave::Done { .. }) {
        step.put(Table::Meta, done_key(record.letter), &step.now.clone())?;
    }
    step.note(json!({"event": "wave", "wave": record.no, "letter": record.letter, "now": next}));
    step.put(Table::Wave, codec::number(record.no.0), &WaveRecord { wave: next, ..record })
}

/// What has not left waits for the next wave; its place here says that it was taken back. What is just being handed over
/// is left alone: it comes too late for it.
fn take_back(step: &mut Step<'_>, record: &WaveRecord, places: &[(RowNo, Place)]) -> Result<(), EngineError> {
    each(step, places, &[Member::Out], &DeliveryEvent::Held { reason: HoldReason::Wave })?;
    for (no, place) in places.iter().filter(|(_, place)| matches!(place.member, Member::Out | Member::Waiting)) {
        let row = step.row(*no)?;
        if Member::of(&row.delivery) != Member::Waiting {
            continue;
        }
        step.note(
            json!({"event": "wave-taken-back", "wave": record.no, "row": no, "letter": row.letter, "about": row.about}),
        );
        step.put(Table::WaveRow, place_key(record.no, *no), &Place { member: Member::Withdrawn, ..*place })?;
        into_wave(step, *no, WaveNo::NONE)?;
        step.put(
            Table::WaveRow,
            place_key(WaveNo::NONE, *no),
            &Place { member: Member::Waiting, again: true, ..*place },
        )?;
    }
    Ok(())
}

/// The same event for every letter that stands at one of `members`; those it comes too late for are left alone.
fn each(
    step: &mut Step<'_>,
    places: &[(RowNo, Place)],
    members: &[Member],
    event: &DeliveryEvent,
) -> Result<(), EngineError> {
    for (row, _) in places.iter().filter(|(_, place)| members.contains(&place.member)) {
        match step.deliver(*row, event) {
            Ok(()) | Err(EngineError::Refused(_)) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

fn records(context: &Context) -> Result<Vec<WaveRecord>, EngineError> {
    context.store.rows(Table::Wave)?.map(|row| codec::decode(&row?.1)).collect()
}

impl Engine {
    /// Lets every wave under way go on, stop or end, as its letters stand.
    pub fn look_at_waves(&mut self) -> Result<(), EngineError> {
        for no in self.waves_under_way.clone() {
            self.step(SYSTEM, |step| {
                let record = load(step.context, no)?;
                let tally = tally(&places(step.context, no)?);
                go(step, record, &WaveEvent::Looked { tally })
            })?;
        }
        self.set_agenda()
    }

    /// Waves that have stopped, with the word for their letters.
    pub(super) fn stopped_waves(&self) -> Result<Vec<(WaveNo, &'static str)>, EngineError> {
        let stopped = records(&self.context)?.into_iter().filter(|record| matches!(record.wave, Wave::Stopped { .. }));
        Ok(stopped.map(|record| (record.no, record.letter.japanese())).collect())
    }

    /// Waves of which looking may change something, with when time alone does.
    pub(super) fn waves_agenda(&self) -> Result<Vec<(WaveNo, Option<Timestamp>)>, EngineError> {
        let records = records(&self.context)?.into_iter().filter(|record| record.wave.is_under_way());
        Ok(records.map(|record| (record.no, record.wave.next_look())).collect())
    }
}
