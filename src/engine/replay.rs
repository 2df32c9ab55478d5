//! The journal rebuilds the directory: every entry carries the tenants it changed, so the last entry about a tenant is
//! the tenant. `annai audit verify` compares that with the store (invariant I7).

use super::step::RosterRecord;
use super::{EngineError, codec};
use crate::domain::{Digest, TenantId};
use crate::store::{Head, Store, Table};
use crate::workflow::course::Course;
use std::collections::BTreeMap;

/// How often differences are looked at again while steps go on.
const LOOKS_MAX: usize = 5;

/// What an audit found.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Audit {
    pub entries: u64,
    /// Hash of the last entry, hexadecimal: the anchor.
    pub anchor: String,
    /// Number of the entry the anchor that was asked for stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchored: Option<u64>,
    pub tenants: usize,
    /// Faults, in plain words; empty: all is well.
    pub faults: Vec<String>,
}

/// Checks the chain of the journal and that replaying it gives the directory.
pub fn audit(store: &Store) -> Result<Audit, EngineError> {
    audit_from(store, None)
}

/// The same; besides, the journal must still hold the entry that `anchor` is the digest of, as it was told in a report.
pub fn audit_from(store: &Store, anchor: Option<Digest>) -> Result<Audit, EngineError> {
    let mut faults = Vec::new();
    let head = match store.verify_journal(|_| {}) {
        Ok(head) => head,
        Err(fault) => {
            faults.push(fault.to_string());
            store.head()
        }
    };
    let mut replayed = BTreeMap::new();
    let mut known = replay(store, 1, &mut replayed, &mut faults)?;
    let mut stored = directory(store)?;
    let mut differences = differences(&replayed, &stored);
    // Steps go on meanwhile: what differs is looked at again with what has been written since.
    for _ in 0..LOOKS_MAX {
        if differences.is_empty() || store.head().no == known {
            break;
        }
        known = replay(store, known.saturating_add(1), &mut replayed, &mut faults)?;
        stored = directory(store)?;
        differences = self::differences(&replayed, &stored);
    }
    faults.extend(differences);
    let anchored = anchor.and_then(|anchor| {
        let mut entries = store.journal_entries(1).filter_map(Result::ok);
        entries.find(|entry| entry.hash == anchor).map(|entry| entry.entry.no)
    });
    faults.extend(anchor.filter(|_| anchored.is_none()).map(unanchored));
    let Head { no, hash } = head;
    Ok(Audit { entries: no, anchor: hash.to_string(), anchored, tenants: stored.len(), faults })
}

/// The fault of an anchor that is not found.
pub fn unanchored(anchor: Digest) -> String {
    format!("no entry has the digest {anchor}: what was reported then is not what stands here now")
}

type Directory = BTreeMap<TenantId, Course>;

fn differences(replayed: &Directory, stored: &Directory) -> Vec<String> {
    let mut found = Vec::new();
    for (id, course) in stored {
        match replayed.get(id) {
            Some(same) if same == course => {}
            Some(_) => found.push(format!("tenant {id}: the journal says something else than the directory")),
            None => found.push(format!("tenant {id}: in the directory, but not in the journal")),
        }
    }
    let missing = replayed.keys().filter(|id| !stored.contains_key(id));
    found.extend(missing.map(|id| format!("tenant {id}: in the journal, but not in the directory")));
    found
}

/// Brings the directory forward by the journal's entries from number `from`; the number of the last one.
fn replay(store: &Store, from: u64, directory: &mut Directory, faults: &mut Vec<String>) -> Result<u64, EngineError> {
    let mut last = from.saturating_sub(1);
    for stored in store.journal_entries(from) {
        let entry = match stored {
            Ok(stored) => stored.entry,
            Err(fault) => {
                faults.push(fault.to_string());
                break;
            }
        };
        let courses: Vec<Course> =
            serde_json::from_value(entry.changes).map_err(|fault| EngineError::Record(fault.to_string()))?;
        directory.extend(courses.into_iter().map(|course| (course.tenant.id, course)));
        last = entry.no;
    }
    Ok(last)
}

fn directory(store: &Store) -> Result<Directory, EngineError> {
    let mut directory = BTreeMap::new();
    for row in store.rows(Table::Roster)? {
        let record: RosterRecord = codec::decode(&row?.1)?;
        directory.extend(record.roster.courses.into_iter().map(|course| (course.tenant.id, course)));
    }
    Ok(directory)
}
