//! The whole store at a glance, for metrics, the status page and the demo. It reads beside the engine's thread, so a
//! survey never holds a step up; it walks all rows, so callers keep its answer for some seconds ([`figures`]).
//!
//! [`figures`]: Survey::figures

use super::records::{InboxItem, OpenMatter, Row};
use super::step::RosterRecord;
use super::views::View;
use super::{Beside, Engine, EngineError, codec};
use crate::domain::Timestamp;
use crate::letters::LetterKind;
use crate::store::{Store, Table};
use crate::workflow::course::{Course, Roster};
use crate::workflow::delivery::{Delivery, HoldReason};
use crate::workflow::enrolment::{Password, State};
use crate::workflow::welcome::Welcome;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

/// Journal entries checked for [`Figures::journal_in_order`].
const JOURNAL_TAIL: u64 = 100;

/// Reads the store; cheap to clone.
#[derive(Debug, Clone)]
pub struct Survey {
    beside: Arc<Beside>,
}

/// Numbers at one moment. Maps hold every name, also with 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Since when the oldest open matter waits.
    pub oldest_matter: Option<Timestamp>,
    pub matters: u64,
    /// By disposition.
    pub mails: BTreeMap<&'static str, u64>,
    /// By delivery state.
    pub rows: BTreeMap<&'static str, u64>,
    /// By the state of the generation that counts.
    pub tenants: BTreeMap<&'static str, u64>,
    /// How many tenants have come how far.
    pub funnel: [u64; Milestone::ALL.len()],
    /// Letters of which nobody knows whether they arrived.
    pub unknown_outcomes: u64,
    /// By letter: how long the most overdue one waits, in seconds.
    pub lateness: BTreeMap<&'static str, i64>,
    /// How long the letter waits that has been due longest without a single attempt, in seconds.
    pub starvation: i64,
    /// Letters that are kept back for a wave.
    pub waiting_for_wave: u64,
    /// Requests nobody has decided.
    pub requests: u64,
    /// Tenants that have their certificate: from the mail that registered them until they picked it up (if seen in
    /// use since: until then), in seconds, the shortest first.
    pub to_certificate: Vec<i64>,
    /// The last entries of the journal fit together.
    pub journal_in_order: bool,
}

/// How far a tenant has come, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Milestone {
    Registered,
    /// The welcome letter stands unbounced.
    Reached,
    Notified,
    PasswordSent,
    Collected,
    InUse,
}

impl Milestone {
    pub const ALL: [Self; 6] =
        [Self::Registered, Self::Reached, Self::Notified, Self::PasswordSent, Self::Collected, Self::InUse];

    /// The word of the console.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Registered => "登録",
            Self::Reached => "疎通確認",
            Self::Notified => "通知",
            Self::PasswordSent => "パスワード",
            Self::Collected => "取得",
            Self::InUse => "利用中",
        }
    }

    /// The word beside it for who reads no Japanese.
    pub fn english(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Reached => "address proven",
            Self::Notified => "notice sent",
            Self::PasswordSent => "password sent",
            Self::Collected => "picked up",
            Self::InUse => "in use",
        }
    }

    /// The furthest milestone a course has reached in any generation.
    pub fn of(course: &Course) -> Self {
        let reached = match course.welcome {
            Welcome::Standing { .. } => Self::Reached,
            Welcome::Waiting { .. } | Welcome::Queued { .. } | Welcome::Undeliverable { .. } => Self::Registered,
        };
        course.enrolments.iter().map(|e| Self::of_state(&e.state)).fold(reached, Self::max)
    }

    fn of_state(state: &State) -> Self {
        match state {
            State::Open { password: Password::Relayed { .. }, .. } | State::Expired { .. } => Self::PasswordSent,
            State::Open { password: Password::Waiting { .. } | Password::Queued, .. } => Self::Notified,
            State::Collected { .. } => Self::Collected,
            State::InUse { .. } | State::Revoked { .. } => Self::InUse,
            State::Registered
            | State::NoticeQueued { .. }
            | State::Undeliverable { .. }
            | State::Cancelled { .. }
            | State::Superseded { .. } => Self::Registered,
        }
    }
}

impl Engine {
    /// A view of the store that may be asked from any thread.
    pub fn survey(&self) -> Survey {
        Survey { beside: Arc::clone(&self.beside) }
    }
}

impl Survey {
    /// Everything [`View`] can be asked, without a word to the engine's thread.
    pub fn view(&self) -> View {
        View::new(Arc::clone(&self.beside.context.read().unwrap_or_else(PoisonError::into_inner)))
    }

    pub(super) fn kept_board(&self) -> &Arc<super::views::board::Kept> {
        &self.beside.board
    }

    fn store(&self) -> Arc<Store> {
        Arc::clone(&self.view().context.store)
    }

    /// Every tenant's course, by id.
    pub fn courses(&self) -> Result<Vec<Course>, EngineError> {
        let rosters: Vec<RosterRecord> = self.all(Table::Roster)?;
        Ok(rosters.into_iter().flat_map(|record: RosterRecord| record.roster.courses).collect())
    }

    pub fn rosters(&self) -> Result<Vec<Roster>, EngineError> {
        Ok(self.all::<RosterRecord>(Table::Roster)?.into_iter().map(|record| record.roster).collect())
    }

    /// Every outgoing mail, oldest first.
    pub fn rows(&self) -> Result<Vec<Row>, EngineError> {
        self.all(Table::Outbox)
    }

    /// Every incoming mail, oldest first.
    pub fn items(&self) -> Result<Vec<InboxItem>, EngineError> {
        self.all(Table::Inbox)
    }

    /// Every open matter, oldest first.
    pub fn matters(&self) -> Result<Vec<OpenMatter>, EngineError> {
        self.all(Table::Review)
    }

    /// Counts everything. Blocks for as long as a walk over the store takes.
    pub fn figures(&self, now: Timestamp) -> Result<Figures, EngineError> {
        let mut figures =
            Figures { journal_in_order: self.store().verify_journal_tail(JOURNAL_TAIL).is_ok(), ..Figures::default() };
        for (name, _) in super::records::Disposition::WORDS {
            figures.mails.insert(name, 0);
        }
        for name in DELIVERY_NAMES {
            figures.rows.insert(name, 0);
        }
        for name in STATE_NAMES {
            figures.tenants.insert(name, 0);
        }
        for letter in LetterKind::ALL {
            figures.lateness.insert(letter.name(), 0);
        }
        let store = self.store();
        for row in store.rows(Table::Review)? {
            let matter: OpenMatter = codec::decode(&row?.1)?;
            figures.matters += 1;
            figures.oldest_matter = Some(figures.oldest_matter.map_or(matter.since, |old| old.min(matter.since)));
        }
        for row in store.rows(Table::Inbox)? {
            let item: InboxItem = codec::decode(&row?.1)?;
            *figures.mails.entry(item.disposition.name()).or_default() += 1;
        }
        for row in store.rows(Table::Outbox)? {
            figures.count_row(&codec::decode(&row?.1)?, now);
        }
        for row in store.rows(Table::Roster)? {
            let record: RosterRecord = codec::decode(&row?.1)?;
            record.roster.courses.iter().for_each(|course| figures.count_course(course));
        }
        figures.to_certificate.sort_unstable();
        figures.requests = self.view().requests_waiting()?;
        Ok(figures)
    }

    pub(super) fn load<T: DeserializeOwned>(&self, table: Table, key: &[u8]) -> Result<Option<T>, EngineError> {
        self.store().get(table, key)?.map(|bytes| codec::decode(&bytes)).transpose()
    }

    pub(super) fn all<T: DeserializeOwned>(&self, table: Table) -> Result<Vec<T>, EngineError> {
        self.store().rows(table)?.map(|row| codec::decode(&row?.1)).collect()
    }
}

impl Figures {
    fn count_row(&mut self, row: &Row, now: Timestamp) {
        *self.rows.entry(delivery_name(&row.delivery)).or_default() += 1;
        let due = match &row.delivery {
            Delivery::Planned { due } => Some(*due),
            Delivery::Deferred { until, .. } => Some(*until),
            Delivery::InFlight { since, .. } => Some(*since),
            Delivery::Unknown { .. } | Delivery::Held { reason: HoldReason::OutcomeUnknown, .. } => {
                self.unknown_outcomes += 1;
                None
            }
            Delivery::Held { .. }
            | Delivery::Relayed { .. }
            | Delivery::Refused { .. }
            | Delivery::Bounced { .. }
            | Delivery::Withdrawn { .. } => None,
        };
        if let Delivery::Planned { due } = &row.delivery {
            self.starvation = self.starvation.max(now.since(*due));
        }
        self.waiting_for_wave += u64::from(row.delivery.waits_for_wave());
        if let Some(due) = due {
            let late = self.lateness.entry(row.letter.name()).or_default();
            *late = (*late).max(now.since(due));
        }
    }

    fn count_course(&mut self, course: &Course) {
        if let Some(current) = course.current() {
            *self.tenants.entry(state_name(&current.state)).or_default() += 1;
        }
        self.to_certificate.extend(to_certificate(course));
        let reached = Milestone::of(course);
        let passed = Milestone::ALL.into_iter().zip(&mut self.funnel).filter(|(milestone, _)| *milestone <= reached);
        passed.for_each(|(_, count)| *count += 1);
    }
}

/// From the mail that registered a tenant until it had a certificate, in seconds.
pub(super) fn to_certificate(course: &Course) -> Option<i64> {
    let collected = course.enrolments.iter().find_map(|e| e.state.collected_at());
    collected.map(|at| at.since(course.tenant.provenance.since).max(0))
}

const DELIVERY_NAMES: [&str; 9] =
    ["planned", "in-flight", "relayed", "deferred", "refused", "bounced", "unknown", "held", "withdrawn"];

/// Name of a delivery state in metrics, the same word as in its record.
pub fn delivery_name(delivery: &Delivery) -> &'static str {
    match delivery {
        Delivery::Planned { .. } => "planned",
        Delivery::InFlight { .. } => "in-flight",
        Delivery::Relayed { .. } => "relayed",
        Delivery::Deferred { .. } => "deferred",
        Delivery::Refused { .. } => "refused",
        Delivery::Bounced { .. } => "bounced",
        Delivery::Unknown { .. } => "unknown",
        Delivery::Held { .. } => "held",
        Delivery::Withdrawn { .. } => "withdrawn",
    }
}

const STATE_NAMES: [&str; 10] = [
    "registered",
    "notice-queued",
    "open",
    "collected",
    "in-use",
    "undeliverable",
    "expired",
    "cancelled",
    "superseded",
    "revoked",
];

/// Name of an enrolment's state in metrics, the same word as in its record.
pub fn state_name(state: &State) -> &'static str {
    match state {
        State::Registered => "registered",
        State::NoticeQueued { .. } => "notice-queued",
        State::Open { .. } => "open",
        State::Collected { .. } => "collected",
        State::InUse { .. } => "in-use",
        State::Undeliverable { .. } => "undeliverable",
        State::Expired { .. } => "expired",
        State::Cancelled { .. } => "cancelled",
        State::Superseded { .. } => "superseded",
        State::Revoked { .. } => "revoked",
    }
}
