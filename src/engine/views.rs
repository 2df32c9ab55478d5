//! Questions to the engine; they change nothing. Answers are plain serialisable values without secrets: CLI, socket and
//! console show the same.
//!
//! A [`View`] reads the store beside the engine's thread, so that no question holds a step up. [`Engine`] answers the same
//! for whoever has it at hand (`asked`).
//!
//! Lists come in pages by key. One question looks at no more than [`SCAN_MAX`] entries; `next` of a page says after which
//! key to ask on, even if nothing was found up to there. What must be quick whatever the store holds asks the [`board`].

mod asked;
pub mod authority;
pub mod board;
mod history;
mod incoming;
mod jobs;
mod journal;
mod outgoing;
mod persons;
mod status;
mod tenants;
pub mod words;

pub(super) use history::sentence_of;
pub use history::{HistoryLine, HistoryOf, before_state};
pub use incoming::{ChangeView, MailView, MatterView, ReadLine, Said, read_lines};
pub use journal::JournalLine;
pub use outgoing::{RowFilter, RowLine, RowView};
pub use status::Status;
pub use tenants::{GenerationView, TenantFilter, TenantLine, TenantView};

use super::records::{InboxItem, OpenMatter, Row};
use super::step::RosterRecord;
use super::{Context, Engine, EngineError, codec};
use crate::domain::{LgCode, MailNo, RowNo, TenantId, Timestamp};
use crate::rules::Rules;
use crate::store::{Head, Table};
use crate::workflow::course::{Course, Roster};
use crate::workflow::delivery::Delivery;
use serde::Serialize;
use std::sync::Arc;

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

/// Asks the store, from any thread.
#[derive(Debug, Clone)]
pub struct View {
    pub(in crate::engine) context: Arc<Context>,
}

impl Engine {
    /// The questions beside the engine's thread. What it says is as of the last step, flushed or not.
    pub fn view(&self) -> View {
        View::new(Arc::clone(&self.context))
    }
}

impl View {
    pub(in crate::engine) fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    pub fn now(&self) -> Timestamp {
        self.context.clock.now()
    }

    /// The rules in force.
    pub fn rules(&self) -> &Rules {
        &self.context.setup.rules
    }

    /// The end of the journal.
    pub fn head(&self) -> Head {
        self.context.store.head()
    }

    /// Whether the last entries of the journal fit together; the number of the last.
    pub fn journal_end_is_sound(&self, entries: u64) -> Result<u64, EngineError> {
        Ok(self.context.store.verify_journal_tail(entries)?.no)
    }

    /// When the next letter leaves; those under way do not count.
    pub fn next_due(&self) -> Result<Option<Timestamp>, EngineError> {
        for entry in self.context.store.rows(Table::Due)? {
            let (key, _) = entry?;
            let Some(no) = codec::row_of(&key) else { continue };
            if !matches!(self.row(no)?.delivery, Delivery::InFlight { .. }) {
                return Ok(codec::moment_of(&key));
            }
        }
        Ok(None)
    }

    /// When the next roster wants to be woken.
    pub fn next_wake(&self) -> Result<Option<Timestamp>, EngineError> {
        Ok(self.context.store.first(Table::Wake)?.and_then(|(key, _)| codec::moment_of(&key)))
    }

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
