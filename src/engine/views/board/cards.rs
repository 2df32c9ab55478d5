//! The cards of a board: what lists, filters and pictures need of a record, and nothing secret.

use super::texts::lines;
use crate::domain::{Date, LgCode, MailAddress, MailNo, RowNo, TenantId, TenantKind, Timestamp};
use crate::engine::records::{About, Disposition, InboxItem, OpenMatter, Row, Subject};
use crate::engine::survey::{self, Milestone};
use crate::engine::views::words::{self, Word};
use crate::letters::LetterKind;
use crate::reading::Reason;
use crate::workflow::Course;
use crate::workflow::delivery::{Delivery, HoldReason};
use crate::workflow::enrolment::State;

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantCard {
    pub id: TenantId,
    pub kind: TenantKind,
    pub name: String,
    pub address: MailAddress,
    /// State of the certificate course that counts.
    pub state: Word,
    pub welcome: Word,
    pub credential: Word,
    pub generation: u32,
    /// How far it has come in any generation.
    pub milestone: Milestone,
    /// Last day of a window that is open.
    pub deadline: Option<Date>,
    /// When its present name and address were stated.
    pub registered: Date,
    /// When the certificate that counts was picked up or seen in use.
    pub collected: Option<Date>,
    /// From the mail that registered it until it had a certificate, in seconds.
    pub to_certificate: Option<i64>,
    /// Number of the text words are looked for in: address, name and id. Given when the card is put on a board.
    pub(super) text: u32,
}

/// An outgoing mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterCard {
    pub no: RowNo,
    pub letter: LetterKind,
    pub state: Word,
    pub to: MailAddress,
    pub tenant: Option<TenantId>,
    pub mail: Option<MailNo>,
    pub created: Timestamp,
    /// When it leaves, or when it came to its state.
    pub at: Timestamp,
    pub day: Date,
    pub done: bool,
    pub hold: Option<HoldReason>,
    /// Number of the text words are looked for in: recipient and tenant. Given when the card is put on a board.
    pub(super) text: u32,
}

/// An incoming mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailCard {
    pub no: MailNo,
    pub filed: Timestamp,
    pub day: Date,
    pub disposition: Word,
    pub from: Option<MailAddress>,
    pub subject: String,
    pub authority: Option<LgCode>,
    pub reasons: Vec<Reason>,
    /// Number of the text words are looked for in: sender and subject. Given when the card is put on a board.
    pub(super) text: u32,
}

/// An open matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatterCard {
    pub no: u64,
    pub since: Timestamp,
    pub subject: Subject,
}

impl TenantCard {
    pub(super) fn of(course: &Course) -> Self {
        let current = course.current().map(|current| &current.state);
        let (deadline, collected) = match current {
            Some(State::Open { deadline, .. }) => (Some(*deadline), None),
            Some(State::Collected { at, .. } | State::InUse { at, .. }) => (None, Some(at.date())),
            Some(
                State::Registered
                | State::NoticeQueued { .. }
                | State::Undeliverable { .. }
                | State::Expired { .. }
                | State::Cancelled { .. }
                | State::Superseded { .. }
                | State::Revoked { .. },
            )
            | None => (None, None),
        };
        Self {
            to_certificate: survey::to_certificate(course),
            text: 0,
            id: course.tenant.id,
            kind: course.tenant.kind,
            name: course.tenant.name.clone(),
            address: course.tenant.address.clone(),
            state: current.map_or(("", ""), words::enrolment),
            welcome: words::welcome(&course.welcome),
            credential: words::credential(&course.credential.state),
            generation: course.current().map_or(0, |current| current.generation.0),
            milestone: Milestone::of(course),
            deadline,
            registered: course.tenant.provenance.since.date(),
            collected,
        }
    }

    pub(super) fn findable(&self) -> String {
        lines(&[self.address.as_str(), &self.name, &self.id.to_string()])
    }

    /// Nothing reaches it: its address is dead.
    pub fn unreachable(&self) -> bool {
        self.state.0 == "undeliverable" || self.welcome.0 == "undeliverable"
    }
}

impl LetterCard {
    pub(super) fn of(row: Row) -> Self {
        let at = moment(&row);
        let hold = match &row.delivery {
            Delivery::Held { reason, .. } => Some(*reason),
            Delivery::Planned { .. }
            | Delivery::InFlight { .. }
            | Delivery::Relayed { .. }
            | Delivery::Deferred { .. }
            | Delivery::Refused { .. }
            | Delivery::Bounced { .. }
            | Delivery::Unknown { .. }
            | Delivery::Withdrawn { .. } => None,
        };
        let (tenant, mail) = match row.about {
            About::Tenant { tenant, .. } => (Some(tenant), None),
            About::Mail { mail, .. } | About::Reply { mail, .. } => (None, Some(mail)),
            About::Report { .. } => (None, None),
        };
        Self {
            text: 0,
            no: row.no,
            letter: row.letter,
            state: words::delivery(&row.delivery),
            tenant,
            mail,
            created: row.created,
            at,
            day: at.date(),
            done: words::is_done(&row.delivery),
            hold,
            to: row.to,
        }
    }
}

impl LetterCard {
    pub(super) fn findable(&self) -> String {
        lines(&[self.to.as_str(), &self.tenant.map(|id| id.to_string()).unwrap_or_default()])
    }
}

/// When a letter leaves, or when it came to its state.
fn moment(row: &Row) -> Timestamp {
    match &row.delivery {
        Delivery::Planned { due } | Delivery::Held { due, .. } => *due,
        Delivery::InFlight { since, .. } | Delivery::Unknown { since, .. } => *since,
        Delivery::Deferred { until, .. } => *until,
        Delivery::Relayed { at, .. }
        | Delivery::Refused { at, .. }
        | Delivery::Bounced { at, .. }
        | Delivery::Withdrawn { at, .. } => *at,
    }
}

impl MailCard {
    pub(super) fn of(item: InboxItem) -> Self {
        let disposition = (item.disposition.name(), item.disposition.japanese());
        let reasons = match item.disposition {
            Disposition::Review { reasons } => reasons,
            Disposition::Registered
            | Disposition::Revision
            | Disposition::Duplicate { .. }
            | Disposition::Inquiry
            | Disposition::AutoReply
            | Disposition::Bounce { .. }
            | Disposition::OwnMail
            | Disposition::Spam
            | Disposition::Rejected { .. }
            | Disposition::Unreadable => Vec::new(),
        };
        let (no, filed, subject, authority) = (item.no, item.filed, item.subject, item.authority);
        Self { no, filed, day: filed.date(), disposition, from: item.from, subject, authority, reasons, text: 0 }
    }
}

impl MailCard {
    pub(super) fn findable(&self) -> String {
        lines(&[self.from.as_ref().map_or("", MailAddress::as_str), &self.subject])
    }
}

impl MatterCard {
    pub(super) fn of(matter: OpenMatter) -> Self {
        Self { no: matter.no.0, since: matter.since, subject: matter.subject }
    }
}
