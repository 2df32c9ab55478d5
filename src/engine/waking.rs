//! Time has passed: every roster whose wake has come is woken. The index is a range scan, so a tick costs what is due,
//! whatever the number of tenants (invariant I8).

use super::step::RosterRecord;
use super::{Engine, EngineError, SYSTEM, codec};
use crate::crypto;
use crate::domain::time::HOUR;
use crate::domain::{Digest, LgCode, TenantId, Timestamp};
use crate::store::{Batch, Table};
use crate::workflow::{CourseEvent, Policy, earlier};

/// How long a roster whose wake failed is left alone.
const SET_ASIDE_SECONDS: i64 = HOUR;
/// Where the digest of the rules stands that the index was made with.
const RULES_OF_INDEX: &[u8] = b"rules-of-wakes";

impl Engine {
    /// When the next roster wants to be woken, a kept file wiped or a revocation list made.
    pub fn next_wake(&self) -> Result<Option<Timestamp>, EngineError> {
        let roster = self.context.store.first(Table::Wake)?.and_then(|(key, _)| codec::moment_of(&key));
        Ok([self.next_crl()?, self.next_wipe()?].into_iter().fold(roster, earlier))
    }

    /// Wakes what is due, at most `limit` rosters; wipes files and makes lists that are due. Returns how much was done.
    pub fn wake(&mut self, limit: usize) -> Result<usize, EngineError> {
        let kept = self.wipe_files()? + self.refresh_crls()?;
        let due = self.context.store.range(Table::Wake, ..codec::after(self.now()))?;
        let keys: Vec<_> = due.take(limit).collect::<Result<_, _>>()?;
        for (key, _) in &keys {
            let Some(code) = codec::code_of(key) else { continue };
            match self.wake_roster(code) {
                Ok(()) => {}
                Err(EngineError::Store(fault)) => return Err(fault.into()),
                Err(fault) => {
                    tracing::error!(%code, %fault, "a wake failed; this authority is left alone for an hour");
                    self.set_wake_aside(key, code)?;
                }
            }
        }
        Ok(keys.len() + kept)
    }

    /// One step for each tenant, so that one that cannot be woken does not stop the others (invariant I10).
    fn wake_roster(&mut self, code: LgCode) -> Result<(), EngineError> {
        let (now, policy) = (self.now(), Policy::of(&self.context.setup.rules));
        let roster = self.roster(code)?.ok_or(EngineError::NoTenant(TenantId::authority_of(code)))?;
        let due = roster.courses.iter().filter(|course| course.next_wake(&policy).is_some_and(|at| at <= now));
        let due: Vec<_> = due.map(|course| course.tenant.id).collect();
        let mut failed = false;
        for id in due {
            let woken = self.step(SYSTEM, |step| {
                let spare = step.nonce()?;
                step.course_event(id, &CourseEvent::Woke { spare })
            });
            match woken {
                Ok(()) => {}
                Err(EngineError::Store(fault)) => return Err(fault.into()),
                Err(fault) => {
                    tracing::error!(tenant = %id, %fault, "a wake failed; this tenant is left alone for an hour");
                    failed = true;
                }
            }
        }
        let not_before = failed.then(|| now.plus(SET_ASIDE_SECONDS));
        self.index_anew(code, not_before)
    }

    /// Writes the wake of a roster into the index as the rules of today make it, `not_before` if that is given.
    fn index_anew(&mut self, code: LgCode, not_before: Option<Timestamp>) -> Result<(), EngineError> {
        self.step(SYSTEM, |step| {
            if let Some(roster) = step.roster(code)?.cloned() {
                step.put_roster(roster, []);
                step.wake_not_before(code, not_before);
            }
            Ok(())
        })
    }

    /// Rules say when rosters want to be woken: with other rules the whole index is looked through once. Costs all
    /// tenants, so it is done only where the rules differ from those the index was made with.
    pub(super) fn index_by_rules(&mut self) -> Result<(), EngineError> {
        let rules = &self.context.setup.rules;
        let made_with = crypto::sha256(format!("{:?}{:?}", rules.schedule, rules.holidays).as_bytes());
        if self.context.load::<Digest>(Table::Meta, RULES_OF_INDEX)? == Some(made_with) {
            return Ok(());
        }
        let rows = self.context.store.rows(Table::Roster)?;
        let codes: Vec<_> = rows.map(|row| Ok(codec::authority_of(&row?.0))).collect::<Result<_, EngineError>>()?;
        for code in codes.into_iter().flatten() {
            let Some(record) = self.context.load::<RosterRecord>(Table::Roster, &code.bytes())? else { continue };
            if record.roster.next_wake(&Policy::of(&self.context.setup.rules)) != record.wake {
                self.index_anew(code, None)?;
            }
        }
        let mut batch = Batch::new();
        batch.put(Table::Meta, RULES_OF_INDEX, codec::encode(&made_with)?);
        self.context.store.stage(batch)?;
        Ok(())
    }

    /// For a roster that cannot even be read: only its place in the index changes.
    fn set_wake_aside(&mut self, key: &[u8], code: LgCode) -> Result<(), EngineError> {
        let mut batch = Batch::new();
        batch.delete(Table::Wake, key);
        if self.context.store.get(Table::Roster, &code.bytes())?.is_some() {
            batch.put(Table::Wake, codec::wake(self.now().plus(SET_ASIDE_SECONDS), code), []);
        }
        self.context.store.stage(batch)?;
        Ok(())
    }
}
