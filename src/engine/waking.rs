//! Time has passed: every roster whose wake has come is woken. The index is a range scan, so a tick costs what is due,
//! whatever the number of tenants (invariant I8).

use super::{Engine, EngineError, SYSTEM, codec};
use crate::domain::time::HOUR;
use crate::domain::{LgCode, Timestamp};
use crate::store::{Batch, Table};
use crate::workflow::CourseEvent;

/// How long a roster whose wake failed is left alone.
const SET_ASIDE_SECONDS: i64 = HOUR;

impl Engine {
    /// When the next roster wants to be woken.
    pub fn next_wake(&self) -> Result<Option<Timestamp>, EngineError> {
        Ok(self.context.store.first(Table::Wake)?.and_then(|(key, _)| codec::moment_of(&key)))
    }

    /// Wakes what is due, at most `limit` rosters. Returns how many were woken.
    pub fn wake(&mut self, limit: usize) -> Result<usize, EngineError> {
        let due = self.context.store.range(Table::Wake, ..codec::after(self.now()))?;
        let keys: Vec<_> = due.take(limit).collect::<Result<_, _>>()?;
        for (key, _) in &keys {
            let Some(code) = codec::code_of(key) else { continue };
            if let Err(fault) = self.wake_roster(code) {
                tracing::error!(%code, %fault, "a wake failed; this authority is left alone for an hour");
                self.set_wake_aside(key, code)?;
            }
        }
        Ok(keys.len())
    }

    fn wake_roster(&mut self, code: LgCode) -> Result<(), EngineError> {
        self.step(SYSTEM, |step| {
            let policy = step.policy();
            let now = step.now;
            let roster = step.roster(code)?;
            let due = roster.into_iter().flat_map(|r| &r.courses);
            let due = due.filter(|course| course.next_wake(&policy).is_some_and(|at| at <= now));
            let ids: Vec<_> = due.map(|course| course.tenant.id).collect();
            for id in ids {
                let spare = step.nonce()?;
                step.course_event(id, &CourseEvent::Woke { spare })?;
            }
            // Rules may have changed since the wake was written: store the index anew even if nothing happened.
            if let Some(roster) = step.roster(code)?.cloned() {
                step.put_roster(roster, []);
            }
            Ok(())
        })
    }

    fn set_wake_aside(&mut self, key: &[u8], code: LgCode) -> Result<(), EngineError> {
        let mut batch = Batch::new();
        batch.delete(Table::Wake, key);
        batch.put(Table::Wake, codec::wake(self.now().plus(SET_ASIDE_SECONDS), code), []);
        self.context.store.stage(batch)?;
        Ok(())
    }
}
