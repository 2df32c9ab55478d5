//! One step: everything an event changes, gathered in memory and written as one batch (invariant I2). Reads see what the
//! step itself has changed. Nothing is staged unless the whole step succeeds.

use super::certificates::CrlInStep;
use super::chance::Chance;
use super::records::{Counters, Grant, InboxItem, MatterNo, OpenMatter, Row, Subject};
use super::{Context, EngineError, codec};
use crate::domain::{LgCode, MailNo, RowNo, TenantId, Timestamp};
use crate::store::{Batch, Draft, Json, Table};
use crate::workflow::course::{CourseEvent, Roster};
use crate::workflow::delivery::Delivery;
use crate::workflow::{Effect, Nonce, Policy, course};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A roster with the wake under which it stands in the index.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct RosterRecord {
    pub(super) roster: Roster,
    pub(super) wake: Option<Timestamp>,
}

/// A [`RosterRecord`] whose courses are encoded already.
#[derive(Serialize)]
struct RosterText<'a> {
    roster: CoursesText<'a>,
    wake: Option<Timestamp>,
}

/// A [`Roster`] whose courses are encoded already.
#[derive(Serialize)]
struct CoursesText<'a> {
    code: LgCode,
    courses: &'a [Json],
}

/// See the module.
pub(super) struct Step<'e> {
    pub(super) context: &'e Context,
    pub(super) now: Timestamp,
    pub(super) actor: String,
    chance: &'e mut Chance,
    before: Counters,
    counters: Counters,
    batch: Batch,
    rosters: BTreeMap<LgCode, Loaded>,
    rows: BTreeMap<RowNo, LoadedRow>,
    events: Vec<Value>,
    /// Revocation lists made in this step.
    pub(super) crls: BTreeMap<String, CrlInStep>,
    /// A tenant that was sent secrets gets another address.
    moves_secrets: bool,
}

/// What a step on trial was found to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trial {
    pub(super) moves_secrets: bool,
}

/// What a step comes to.
pub(super) struct Finished {
    pub(super) batch: Batch,
    pub(super) counters: Counters,
    /// First key of the due index, of the rows this step stored that are not in flight.
    pub(super) due: Option<Vec<u8>>,
}

/// A roster in this step.
struct Loaded {
    record: RosterRecord,
    /// To be written.
    touched: bool,
    /// Tenants whose course is new or different.
    changed: BTreeSet<TenantId>,
    /// Not to be woken before this moment, although it wants to.
    not_before: Option<Timestamp>,
}

/// An outbox row in this step.
struct LoadedRow {
    row: Row,
    /// To be written.
    touched: bool,
}

impl<'e> Step<'e> {
    pub(super) fn new(context: &'e Context, chance: &'e mut Chance, counters: Counters, actor: &str) -> Self {
        Self {
            context,
            now: context.clock.now(),
            actor: actor.to_owned(),
            chance,
            before: counters.clone(),
            counters,
            batch: Batch::new(),
            rosters: BTreeMap::new(),
            rows: BTreeMap::new(),
            events: Vec::new(),
            crls: BTreeMap::new(),
            moves_secrets: false,
        }
    }

    pub(super) fn policy(&self) -> Policy<'e> {
        Policy::of(&self.context.setup.rules)
    }

    pub(super) fn nonce(&mut self) -> Result<Nonce, EngineError> {
        self.chance.nonce()
    }

    /// Random bytes a session's token is made of.
    pub(super) fn token(&mut self) -> Result<[u8; 32], EngineError> {
        self.chance.bytes()
    }

    /// Runs `work` as a step of its own and drops what it did: whether it would succeed, and what it would do.
    pub(super) fn trial(
        &mut self,
        work: impl FnOnce(&mut Step<'_>) -> Result<(), EngineError>,
    ) -> Result<Trial, EngineError> {
        let mut trial = Step::new(self.context, self.chance, self.counters.clone(), &self.actor);
        work(&mut trial)?;
        Ok(Trial { moves_secrets: trial.moves_secrets })
    }

    pub(super) fn seal_nonce(&mut self) -> Result<[u8; 12], EngineError> {
        self.chance.bytes()
    }

    /// What happened, for the journal. A step without a note writes no journal line.
    pub(super) fn note(&mut self, event: Value) {
        self.events.push(event);
    }

    pub(super) fn put(
        &mut self,
        table: Table,
        key: impl Into<Vec<u8>>,
        value: &impl Serialize,
    ) -> Result<(), EngineError> {
        self.batch.put(table, key, codec::encode(value)?);
        Ok(())
    }

    pub(super) fn put_bytes(&mut self, table: Table, key: impl Into<Vec<u8>>, value: Vec<u8>) {
        self.batch.put(table, key, value);
    }

    /// What this step has written so far.
    pub(super) fn written(&self) -> &Batch {
        &self.batch
    }

    pub(super) fn delete(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.batch.delete(table, key);
    }

    // --- rosters -----------------------------------------------------------------------------------------------------

    /// The roster of an authority as this step has left it.
    pub(super) fn roster(&mut self, code: LgCode) -> Result<Option<&Roster>, EngineError> {
        if !self.rosters.contains_key(&code)
            && let Some(record) = self.context.load::<RosterRecord>(Table::Roster, &code.bytes())?
        {
            self.rosters.insert(code, Loaded { record, touched: false, changed: BTreeSet::new(), not_before: None });
        }
        Ok(self.rosters.get(&code).map(|loaded| &loaded.record.roster))
    }

    /// Stores a roster and its wake; `changed` are the tenants whose course is new or different.
    pub(super) fn put_roster(&mut self, roster: Roster, changed: impl IntoIterator<Item = TenantId>) {
        let code = roster.code;
        let new = || Loaded {
            record: RosterRecord { roster: Roster::new(code), wake: None },
            touched: true,
            changed: BTreeSet::new(),
            not_before: None,
        };
        let loaded = self.rosters.entry(code).or_insert_with(new);
        loaded.record.roster = roster;
        loaded.touched = true;
        loaded.changed.extend(changed);
    }

    /// Leaves a roster alone for a while: it is woken at `moment` at the earliest.
    pub(super) fn wake_not_before(&mut self, code: LgCode, moment: Option<Timestamp>) {
        if let Some(loaded) = self.rosters.get_mut(&code) {
            loaded.not_before = moment;
        }
    }

    /// One event for one tenant, with everything that follows from it.
    pub(super) fn course_event(&mut self, id: TenantId, event: &CourseEvent) -> Result<(), EngineError> {
        let policy = self.policy();
        let now = self.now;
        let mut roster = self.roster(id.authority)?.cloned().ok_or(EngineError::NoTenant(id))?;
        let course = roster.course_mut(id).ok_or(EngineError::NoTenant(id))?;
        let moves_secrets =
            matches!(event, CourseEvent::AddressChanged { .. }) && super::approvals::has_sent_secret(course);
        let (next, effects) = course::step(course, event, now, &policy)?;
        if next == *course && effects.is_empty() {
            return Ok(());
        }
        *course = next;
        self.moves_secrets |= moves_secrets;
        self.put_roster(roster, [id]);
        for effect in effects {
            self.effect(id, effect)?;
        }
        Ok(())
    }

    fn effect(&mut self, id: TenantId, effect: Effect) -> Result<(), EngineError> {
        match effect {
            Effect::Queue { letter, generation, ordinal, not_before } => {
                self.queue_for_tenant(id, letter, generation, ordinal, not_before)
            }
            Effect::WithdrawUnsent { generation, letters } => {
                letters.iter().try_for_each(|letter| self.withdraw_unsent(id, generation, *letter))
            }
            Effect::Revoke { serial, reason } => self.revoke(&serial, reason),
            Effect::AskStaff(matter) => self.ask(Subject::Tenant { tenant: id, matter }),
        }
    }

    // --- outbox rows -------------------------------------------------------------------------------------------------

    /// Counts one of the running numbers up.
    pub(super) fn next_number(&mut self, which: fn(&mut Counters) -> &mut u64) -> u64 {
        let number = which(&mut self.counters);
        *number += 1;
        *number
    }

    pub(super) fn next_row(&mut self) -> RowNo {
        self.counters.rows += 1;
        RowNo(self.counters.rows)
    }

    pub(super) fn row(&mut self, no: RowNo) -> Result<Row, EngineError> {
        if let Some(loaded) = self.rows.get(&no) {
            return Ok(loaded.row.clone());
        }
        let row: Row = self.context.load(Table::Outbox, &codec::number(no.0))?.ok_or(EngineError::NoRow(no))?;
        self.rows.insert(no, LoadedRow { row: row.clone(), touched: false });
        Ok(row)
    }

    /// Adds a new row. A key that was used before is refused: no letter twice (I3).
    pub(super) fn add_row(&mut self, row: Row) -> Result<(), EngineError> {
        let key = row.key();
        let used = self.context.store.get(Table::Letter, key.as_bytes())?.is_some()
            || self.rows.values().any(|loaded| loaded.touched && loaded.row.key() == key);
        if used {
            return Err(EngineError::LetterTwice(key));
        }
        self.batch.put(Table::Letter, key.as_bytes(), codec::number(row.no.0));
        self.put_row(row);
        Ok(())
    }

    /// Stores a new or changed row; the due index follows.
    pub(super) fn put_row(&mut self, row: Row) {
        self.rows.insert(row.no, LoadedRow { row, touched: true });
    }

    // --- mails and matters -------------------------------------------------------------------------------------------

    pub(super) fn next_mail(&mut self) -> MailNo {
        self.counters.mails += 1;
        MailNo(self.counters.mails)
    }

    pub(super) fn put_item(&mut self, item: &InboxItem) -> Result<(), EngineError> {
        self.put(Table::Inbox, codec::number(item.no.0), item)
    }

    /// Opens a matter for staff.
    pub(super) fn ask(&mut self, subject: Subject) -> Result<(), EngineError> {
        self.counters.matters += 1;
        let matter = OpenMatter { no: MatterNo(self.counters.matters), since: self.now, subject };
        self.note(json!({"event": "matter-opened", "no": matter.no, "subject": matter.subject}));
        self.put(Table::Review, codec::number(matter.no.0), &matter)
    }

    /// The same, unless that very matter is open already.
    pub(super) fn ask_once(&mut self, subject: Subject) -> Result<(), EngineError> {
        for entry in self.context.store.rows(Table::Review)? {
            let matter: OpenMatter = codec::decode(&entry?.1)?;
            if matter.subject == subject {
                return Ok(());
            }
        }
        self.ask(subject)
    }

    pub(super) fn close_matter(&mut self, no: MatterNo) {
        self.note(json!({"event": "matter-closed", "no": no}));
        self.delete(Table::Review, codec::number(no.0));
    }

    pub(super) fn put_grant(&mut self, tag: [u8; 16], grant: &Grant) -> Result<(), EngineError> {
        self.put(Table::Grant, tag, grant)
    }

    // --- end ---------------------------------------------------------------------------------------------------------

    /// The batch of this step and the counters after it.
    pub(super) fn finish(mut self) -> Result<Finished, EngineError> {
        let policy = self.policy();
        let mut first_due: Option<Vec<u8>> = None;
        let mut changes = Vec::new();
        for (code, Loaded { record, touched, changed, not_before }) in std::mem::take(&mut self.rosters) {
            if !touched {
                continue;
            }
            let wake = record.roster.next_wake(&policy).map(|wake| not_before.map_or(wake, |moment| wake.max(moment)));
            if let Some(old) = record.wake.filter(|_| record.wake != wake) {
                self.batch.delete(Table::Wake, codec::wake(old, code));
            }
            if let Some(new) = wake.filter(|_| record.wake != wake) {
                self.batch.put(Table::Wake, codec::wake(new, code), []);
            }
            // Each course is encoded once, for the roster and for the journal.
            let courses = record.roster.courses.iter().map(codec::json).collect::<Result<Vec<_>, _>>()?;
            let stored = RosterText { roster: CoursesText { code, courses: &courses }, wake };
            self.batch.put(Table::Roster, code.bytes(), codec::encode(&stored)?);
            let ids = record.roster.courses.iter().map(|course| course.tenant.id);
            changes.extend(ids.zip(courses).filter(|(id, _)| changed.contains(id)).map(|(_, course)| course));
        }
        for (no, LoadedRow { mut row, touched }) in std::mem::take(&mut self.rows) {
            if !touched {
                continue;
            }
            let due = self.context.due(&row);
            if let Some(old) = row.indexed.filter(|_| row.indexed != due) {
                self.batch.delete(Table::Due, codec::due(old, no));
            }
            if let Some(new) = due.filter(|_| row.indexed != due) {
                self.batch.put(Table::Due, codec::due(new, no), []);
            }
            row.indexed = due;
            if let Some(at) = due.filter(|_| !matches!(row.delivery, Delivery::InFlight { .. })) {
                first_due = first_due.into_iter().chain([codec::due(at, no)]).min();
            }
            self.batch.put(Table::Outbox, codec::number(no.0), codec::encode(&row)?);
        }
        super::waves::count_unplanned(&mut self)?;
        if self.counters != self.before {
            self.put(Table::Meta, "counters", &self.counters.clone())?;
        }
        let event = match self.events.len() {
            0 if changes.is_empty() => {
                return Ok(Finished { batch: self.batch, counters: self.counters, due: first_due });
            }
            1 => self.events.pop().unwrap_or_default(),
            _ => Value::Array(std::mem::take(&mut self.events)),
        };
        let changes = codec::json(&changes)?;
        self.batch.journal(Draft { at: self.now, actor: self.actor.clone(), subject: String::new(), event, changes });
        Ok(Finished { batch: self.batch, counters: self.counters, due: first_due })
    }
}
