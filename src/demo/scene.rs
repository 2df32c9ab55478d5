//! What there is to see at one moment: read from the store beside the engine, and from the post office. Terminal and page
//! show the same scene.

use super::stage::Stage;
use super::story::Story;
use crate::clock::{Clock, monotonic};
use crate::domain::time::DAY;
use crate::domain::{MailAddress, TenantId, Timestamp};
use crate::engine::EngineError;
use crate::engine::records::{Disposition, InboxItem, OpenMatter, Row};
use crate::engine::survey::{Milestone, Survey};
use crate::rules::Rules;
use crate::sandbox::PostOffice;
use crate::workflow::course::Roster;
use crate::workflow::delivery::Delivery;
use crate::workflow::enrolment::State;
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The story waits so long for its visitor at most.
const VISIT_MAX: Duration = Duration::from_mins(10);
/// Happenings kept.
const LOG_MAX: usize = 500;
/// Bars of the funnel: the mails that came in, then the tenants by how far they are.
pub(super) const BARS: usize = Milestone::ALL.len() + 1;

/// Looks at the demo from anywhere.
pub(super) struct Watcher {
    pub(super) office: Arc<PostOffice>,
    pub(super) rules: Arc<Rules>,
    pub(super) contact: MailAddress,
    pub(super) ministry: MailAddress,
    pub(super) pickup: SocketAddr,
    pub(super) console: SocketAddr,
    pub(super) gate: SocketAddr,
    /// Whose certificate is left for whoever watches.
    pub(super) visitor: Option<MailAddress>,
    survey: Survey,
    clock: Clock,
    visit: Mutex<Visit>,
    start: Timestamp,
    end: Timestamp,
    finished: AtomicBool,
    log: Mutex<Vec<Happening>>,
}

/// Whether the visitor is at the pick-up pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Visit {
    #[default]
    No,
    /// Since a moment of the clock that is never set.
    Since(Instant),
}

/// Something worth telling.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Happening {
    pub(super) at: Timestamp,
    pub(super) who: Who,
    pub(super) ja: String,
    pub(super) en: String,
}

/// Whose doing it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Who {
    /// A municipality, played by the demo.
    Officer,
    /// Staff, played by the demo.
    Staff,
    /// Whoever watches.
    Visitor,
    /// The daemon itself.
    Annai,
}

impl Who {
    pub(super) fn japanese(self) -> &'static str {
        match self {
            Self::Officer => "自治体役",
            Self::Staff => "担当者役",
            Self::Visitor => "あなた",
            Self::Annai => "annai",
        }
    }
}

/// Everything at one moment.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) now: Timestamp,
    /// Days since the beginning, and of the whole story.
    pub(super) day: i64,
    pub(super) days: i64,
    pub(super) finished: bool,
    pub(super) rosters: Vec<Roster>,
    pub(super) rows: Vec<Row>,
    pub(super) items: Vec<InboxItem>,
    pub(super) matters: Vec<OpenMatter>,
    pub(super) bars: [Bar; BARS],
    pub(super) counts: Counts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Bar {
    pub(super) ja: &'static str,
    pub(super) en: &'static str,
    pub(super) count: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) mails_in: usize,
    pub(super) mails_out: usize,
    pub(super) waiting: usize,
    pub(super) returned: usize,
    pub(super) review: usize,
}

/// What is left for the visitor to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Address and password have not both arrived, or the time is over and another certificate is not yet there.
    NotYet,
    Take(TenantId),
    Show,
    Done,
}

impl Scene {
    /// How far the certificate is that is kept for the visitor.
    pub(super) fn turn(&self, visitor: &MailAddress) -> Turn {
        let mut courses = self.rosters.iter().flat_map(|roster| &roster.courses);
        let course = courses.find(|course| course.tenant.address.same_mailbox(visitor));
        let Some((id, state)) = course.and_then(|course| Some((course.tenant.id, &course.current()?.state))) else {
            return Turn::NotYet;
        };
        match state.live_certificate() {
            Some(_) if matches!(state, State::InUse { .. }) => Turn::Done,
            Some(_) => Turn::Show,
            None if state.is_open(self.now) && state.password_has_left() => Turn::Take(id),
            None => Turn::NotYet,
        }
    }
}

impl Watcher {
    pub(super) fn new(stage: &Stage, story: &Story) -> Arc<Self> {
        Arc::new(Self {
            office: Arc::clone(&stage.office),
            rules: stage.daemon.rules(),
            contact: stage.contact.clone(),
            ministry: stage.ministry.clone(),
            pickup: stage.pickup,
            console: stage.console,
            gate: stage.gate,
            visitor: story.officer.iter().find(|officer| officer.visitor).map(|officer| officer.address.clone()),
            survey: stage.daemon.survey(),
            clock: stage.clock.clone(),
            visit: Mutex::default(),
            start: story.start,
            end: story.end,
            finished: AtomicBool::new(false),
            log: Mutex::default(),
        })
    }

    pub(super) fn tell(&self, who: Who, ja: &str, en: &str) -> Happening {
        let happening = Happening { at: self.clock.now(), who, ja: ja.to_owned(), en: en.to_owned() };
        let mut log = self.lock();
        if log.len() < LOG_MAX {
            log.push(happening.clone());
        }
        happening
    }

    /// What has happened, oldest first.
    pub(super) fn log(&self) -> Vec<Happening> {
        self.lock().clone()
    }

    pub(super) fn finish(&self) {
        self.finished.store(true, Ordering::Release);
    }

    /// The visitor begins; the story's clock stands still meanwhile, for sessions and deadlines run by it.
    pub(super) fn visitor_begins(&self) {
        *self.visit() = Visit::Since(monotonic());
        self.clock.pause();
    }

    /// The visitor is done, or wants the story to go on.
    pub(super) fn visitor_ends(&self) {
        *self.visit() = Visit::No;
        self.clock.go_on();
    }

    /// Whether the story waits for the visitor, who may have gone away.
    pub(super) fn waits(&self) -> bool {
        let visit = *self.visit();
        match visit {
            Visit::No => false,
            Visit::Since(began) if began.elapsed() < VISIT_MAX => {
                self.clock.pause();
                true
            }
            Visit::Since(_) => {
                self.visitor_ends();
                false
            }
        }
    }

    fn visit(&self) -> MutexGuard<'_, Visit> {
        self.visit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks around. Blocks while the store is read.
    pub(super) fn scene(&self) -> Result<Scene, EngineError> {
        let now = self.clock.now();
        let (rosters, rows) = (self.survey.rosters()?, self.survey.rows()?);
        let (items, matters) = (self.survey.items()?, self.survey.matters()?);
        Ok(Scene {
            now,
            day: now.since(self.start).max(0) / DAY + 1,
            days: self.end.since(self.start).max(0) / DAY + 1,
            finished: self.finished.load(Ordering::Acquire),
            bars: bars(&rosters, &items),
            counts: counts(&rows, &items, &matters),
            rosters,
            rows,
            items,
            matters,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Happening>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bars(rosters: &[Roster], items: &[InboxItem]) -> [Bar; BARS] {
    let from_people = items.iter().filter(|item| is_from_people(&item.disposition)).count();
    let reached = |milestone| {
        let courses = rosters.iter().flat_map(|roster| &roster.courses);
        courses.filter(|course| Milestone::of(course) >= milestone).count()
    };
    let tenants = |milestone: Milestone, en| Bar { ja: milestone.japanese(), en, count: reached(milestone) as u64 };
    [
        Bar { ja: "連絡受領", en: "mails from officers", count: from_people as u64 },
        tenants(Milestone::Registered, "registered"),
        tenants(Milestone::Reached, "address proven"),
        tenants(Milestone::Notified, "notice sent"),
        tenants(Milestone::PasswordSent, "password sent"),
        tenants(Milestone::Collected, "picked up"),
        tenants(Milestone::InUse, "in use"),
    ]
}

fn is_from_people(disposition: &Disposition) -> bool {
    match disposition {
        Disposition::Registered
        | Disposition::Revision
        | Disposition::Duplicate { .. }
        | Disposition::Review { .. }
        | Disposition::Inquiry
        | Disposition::Rejected { .. }
        | Disposition::Unreadable => true,
        Disposition::AutoReply | Disposition::Bounce { .. } | Disposition::OwnMail | Disposition::Spam => false,
    }
}

fn counts(rows: &[Row], items: &[InboxItem], matters: &[OpenMatter]) -> Counts {
    let mut counts = Counts { mails_in: items.len(), mails_out: 0, waiting: 0, returned: 0, review: matters.len() };
    for row in rows {
        match row.delivery {
            Delivery::Relayed { .. } => counts.mails_out += 1,
            Delivery::Bounced { .. } => {
                counts.mails_out += 1;
                counts.returned += 1;
            }
            Delivery::Refused { .. } => counts.returned += 1,
            Delivery::Planned { .. }
            | Delivery::InFlight { .. }
            | Delivery::Deferred { .. }
            | Delivery::Unknown { .. }
            | Delivery::Held { .. } => counts.waiting += 1,
            Delivery::Withdrawn { .. } => {}
        }
    }
    counts
}
