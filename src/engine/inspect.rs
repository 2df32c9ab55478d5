//! Whole tables as values, and whether the indexes agree with them (invariant I8). Everything here walks all rows: it is
//! for the doctor and for tests, not for a running step. Answers hold no secret.

use super::records::{InboxItem, Row};
use super::step::RosterRecord;
use super::{Engine, EngineError, codec};
use crate::domain::RowNo;
use crate::store::Table;
use crate::workflow::course::Roster;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

impl Engine {
    /// Every outgoing mail, in order of its number.
    pub fn all_rows(&self) -> Result<Vec<Row>, EngineError> {
        self.all(Table::Outbox)
    }

    /// Every incoming mail, in order of its number.
    pub fn all_items(&self) -> Result<Vec<InboxItem>, EngineError> {
        self.all(Table::Inbox)
    }

    /// Every roster, in order of its code.
    pub fn all_rosters(&self) -> Result<Vec<Roster>, EngineError> {
        Ok(self.all::<RosterRecord>(Table::Roster)?.into_iter().map(|record| record.roster).collect())
    }

    /// Rows whose bytes still stand in the store.
    pub fn rows_with_content(&self) -> Result<Vec<RowNo>, EngineError> {
        let rows = self.context.store.rows(Table::Content)?;
        let numbers =
            rows.map(|row| Ok(codec::number_of(&row?.0).map(RowNo))).collect::<Result<Vec<_>, EngineError>>()?;
        Ok(numbers.into_iter().flatten().collect())
    }

    /// What is wrong with the indexes of wakes and of what is due and with what is counted, in plain words; empty: all is
    /// well.
    pub fn index_faults(&self) -> Result<Vec<String>, EngineError> {
        let mut faults = Vec::new();
        let mut wakes = BTreeSet::new();
        for record in self.all::<RosterRecord>(Table::Roster)? {
            let wanted = record.roster.next_wake(&crate::workflow::Policy::of(&self.context.setup.rules));
            if wanted != record.wake {
                let (code, wake) = (record.roster.code, record.wake);
                faults.push(format!("roster {code} wants to be woken at {wanted:?}, but is indexed at {wake:?}"));
            }
            wakes.extend(record.wake.map(|wake| codec::wake(wake, record.roster.code)));
        }
        faults.extend(self.compare(Table::Wake, &wakes)?);
        faults.extend(super::waves::count_fault(&self.context)?);
        let rows = self.all_rows()?;
        let due = rows.iter().filter_map(|row| row.indexed.map(|at| codec::due(at, row.no))).collect();
        faults.extend(self.compare(Table::Due, &due)?);
        for row in rows.iter().filter(|row| self.context.due(row) != row.indexed) {
            faults.push(format!(
                "mail {} is due at {:?}, but indexed at {:?}",
                row.no,
                self.context.due(row),
                row.indexed
            ));
        }
        Ok(faults)
    }

    fn compare(&self, table: Table, expected: &BTreeSet<Vec<u8>>) -> Result<Vec<String>, EngineError> {
        let keys = self.context.store.rows(table)?.map(|row| Ok(row?.0.to_vec()));
        let keys = keys.collect::<Result<BTreeSet<_>, EngineError>>()?;
        let lost = expected.difference(&keys).map(|key| format!("{}: nothing stands under {key:?}", table.name()));
        let stale = keys.difference(expected).map(|key| format!("{}: {key:?} leads nowhere", table.name()));
        Ok(lost.chain(stale).collect())
    }

    fn all<T: DeserializeOwned>(&self, table: Table) -> Result<Vec<T>, EngineError> {
        self.context.store.rows(table)?.map(|row| codec::decode(&row?.1)).collect()
    }
}
