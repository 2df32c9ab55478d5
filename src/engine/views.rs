//! Questions to the engine; they change nothing. Answers are plain serialisable values without secrets: CLI, socket and
//! console show the same.
//!
//! Lists come in pages by key. One question looks at no more than [`SCAN_MAX`] entries, because the engine's thread does
//! nothing else meanwhile; `next` of a page says after which key to ask on, even if nothing was found up to there.

pub mod authority;
mod history;
mod incoming;
mod journal;
mod outgoing;
mod persons;
mod status;
mod tenants;
pub mod words;

pub(super) use history::sentence_of;
pub use history::{HistoryLine, HistoryOf};
pub use incoming::{MailView, MatterView};
pub use journal::JournalLine;
pub use outgoing::{RowFilter, RowLine, RowView};
pub use status::Status;
pub use tenants::{GenerationView, TenantFilter, TenantLine, TenantView};

use super::records::{InboxItem, OpenMatter, Row};
use super::step::RosterRecord;
use super::{Engine, EngineError, codec};
use crate::domain::{LgCode, MailNo, RowNo, TenantId};
use crate::store::Table;
use crate::workflow::course::{Course, Roster};
use serde::Serialize;

/// Most entries of a list in one page.
pub const PAGE_MAX: usize = 1000;
/// Most entries looked at for one page.
pub const SCAN_MAX: usize = 20_000;

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Ask on after this key; `None`: this was the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Collects what `pick` makes of entries, at most `limit` items and [`SCAN_MAX`] entries.
    pub(super) fn collect<E>(
        entries: impl Iterator<Item = Result<E, EngineError>>,
        limit: usize,
        key: impl Fn(&E) -> String,
        mut pick: impl FnMut(E) -> Result<Option<T>, EngineError>,
    ) -> Result<Self, EngineError> {
        let limit = limit.clamp(1, PAGE_MAX);
        let mut items = Vec::new();
        let mut last = None;
        for (looked_at, entry) in entries.enumerate() {
            if items.len() >= limit || looked_at >= SCAN_MAX {
                return Ok(Self { items, next: last });
            }
            let entry = entry?;
            last = Some(key(&entry));
            items.extend(pick(entry)?);
        }
        Ok(Self { items, next: None })
    }
}

impl Engine {
    pub fn item(&self, no: MailNo) -> Result<InboxItem, EngineError> {
        self.context.load(Table::Inbox, &codec::number(no.0))?.ok_or(EngineError::NoMail(no))
    }

    pub fn row(&self, no: RowNo) -> Result<Row, EngineError> {
        self.context.load(Table::Outbox, &codec::number(no.0))?.ok_or(EngineError::NoRow(no))
    }

    pub fn roster(&self, code: LgCode) -> Result<Option<Roster>, EngineError> {
        Ok(self.context.load::<RosterRecord>(Table::Roster, &code.bytes())?.map(|record| record.roster))
    }

    pub fn course(&self, id: TenantId) -> Result<Course, EngineError> {
        let roster = self.roster(id.authority)?;
        roster.and_then(|r| r.course(id).cloned()).ok_or(EngineError::NoTenant(id))
    }

    /// Open matters, the oldest first.
    pub fn matters(&self, limit: usize) -> Result<Vec<OpenMatter>, EngineError> {
        self.context.store.rows(Table::Review)?.take(limit).map(|row| codec::decode(&row?.1)).collect()
    }

    /// Every roster, in the order of the codes.
    pub(super) fn rosters_from(
        &self,
        first: [u8; 6],
    ) -> Result<impl Iterator<Item = Result<Roster, EngineError>> + use<>, EngineError> {
        let rows = self.context.store.range(Table::Roster, first..)?;
        Ok(rows.map(|row| Ok(codec::decode::<RosterRecord>(&row?.1)?.roster)))
    }
}
