//! Questions to the engine; they change nothing. Answers are plain serialisable values without secrets: CLI, socket and
//! console show the same.

use super::records::{InboxItem, OpenMatter, Row};
use super::step::RosterRecord;
use super::{Engine, EngineError, codec};
use crate::domain::{LgCode, MailNo, RowNo, TenantId};
use crate::store::Table;
use crate::workflow::course::{Course, Roster};

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
}
