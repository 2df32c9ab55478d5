//! The same questions for whoever has the engine itself: the control socket, the closed store, tests.

use super::{
    HistoryLine, HistoryOf, JournalLine, MailView, MatterView, Page, RowFilter, RowLine, RowView, TenantFilter,
    TenantLine, TenantView,
};
use crate::domain::{Date, Digest, LgCode, MailNo, RowNo, TenantId, Timestamp};
use crate::engine::approvals::AskView;
use crate::engine::domains::DomainView;
use crate::engine::forecast::Forecast;
use crate::engine::people::{AccountView, Session};
use crate::engine::records::{AskNo, InboxItem, MatterNo, OpenMatter, Row, WaveNo};
use crate::engine::replay::Audit;
use crate::engine::review::DraftView;
use crate::engine::waves::{Unplanned, WaveLine, WaveView};
use crate::engine::{Engine, EngineError};
use crate::store::{BackupSummary, Head};
use crate::workflow::course::{Course, Roster};
use std::path::Path;

macro_rules! asked {
    ($($name:ident($($given:ident: $type:ty),*) -> $answer:ty;)+) => {
        impl Engine {
            $(
                #[doc = concat!("See [`super::View::", stringify!($name), "`].")]
                pub fn $name(&self, $($given: $type),*) -> Result<$answer, EngineError> {
                    self.view().$name($($given),*)
                }
            )+
        }
    };
}

asked! {
    item(no: MailNo) -> InboxItem;
    row(no: RowNo) -> Row;
    roster(code: LgCode) -> Option<Roster>;
    course(id: TenantId) -> Course;
    matters(limit: usize) -> Vec<OpenMatter>;
    open_matters(after: Option<MatterNo>, limit: usize) -> Page<MatterView>;
    mail(no: MailNo, authority: Option<LgCode>) -> MailView;
    domains(of: Option<LgCode>) -> Vec<DomainView>;
    draft(mail: MailNo) -> DraftView;
    queue(filter: &RowFilter, after: Option<RowNo>, limit: usize) -> Page<RowLine>;
    letter(no: RowNo) -> RowView;
    tenants(filter: &TenantFilter, after: Option<TenantId>, limit: usize) -> Page<TenantLine>;
    tenant(id: TenantId) -> TenantView;
    history(of: HistoryOf, after: Option<u64>, limit: usize) -> Page<HistoryLine>;
    forecast(until: Date) -> Forecast;
    journal_tail(count: usize) -> Vec<JournalLine>;
    asks(waiting: bool, after: Option<AskNo>, limit: usize) -> Page<AskView>;
    ask(no: AskNo) -> AskView;
    waves(after: Option<WaveNo>, limit: usize) -> Page<WaveView>;
    wave_of(no: WaveNo) -> WaveView;
    unplanned() -> Vec<Unplanned>;
    wave_letters(no: WaveNo, after: Option<RowNo>, limit: usize) -> Page<WaveLine>;
    accounts() -> Vec<AccountView>;
    sessions() -> Vec<Session>;
    two_persons_since() -> Option<Timestamp>;
    audit(anchor: Option<Digest>) -> Audit;
    export_journal(path: &Path) -> Head;
    backup(path: &Path) -> BackupSummary;
}
