//! The one door: everything that happens comes in here as an event, and leaves as one batch for the store.
//!
//! ```text
//! event ─▶ load ─▶ decide (workflow) ─▶ compose (letters) ─▶ stage ─▶ flush ─▶ answer
//! ```
//!
//! Synchronous and single-threaded: [`thread::Handle`] is how asynchronous edges reach it, and where several steps share
//! a flush. Each method is one step ([`step::Step`]): it succeeds wholly, or nothing of it is there.
//!
//! | file | events |
//! |---|---|
//! | `filing` | a mail has arrived |
//! | `answers` | what its sender is told |
//! | `bounces` | a report on a mail of ours |
//! | `domains` | which domains belong to which authority |
//! | `facts`, `marks` | what stands in a letter to a tenant, and how it is known again |
//! | `outbox` | letters queued, leased, answered |
//! | `waking` | time has passed |
//! | `staff` | a person decides |
//! | `people`, `approvals` | who they are, what they may do, and the second person |
//! | `waves` | many letters that leave together, watched |
//! | `reports`, `alerts` | mails to the ministry and to staff |
//! | `review` | … about a mail: takes it over with changes, asks its sender |
//! | `views` | questions; they change nothing, and are asked beside the engine's thread |
//! | `inspect` | whole tables and whether the indexes agree with them: for the doctor and for tests |
//! | `forecast` | what would leave when |
//! | `pickup` | what a code stands for; password, certificate, terminal check, scanners |
//! | `certificates` | records of what was issued, revocation lists |
//! | `accounts` | user ids and passwords |
//! | `survey` | the same beside the engine's thread: counts over everything |
//! | `retest` | what other rules would make of the mails that are here |
//! | `replay` | the journal rebuilds the directory |

mod accounts;
pub mod alerts;
mod answers;
pub mod approvals;
mod bounces;
pub mod certificates;
pub mod chance;
mod codec;
pub mod domains;
mod facts;
pub mod filing;
pub mod forecast;
pub mod inspect;
pub mod jobs;
pub mod keys;
mod marks;
pub mod outages;
pub mod outbox;
pub mod people;
pub mod pickup;
pub mod records;
pub mod replay;
pub mod reports;
pub mod retest;
pub mod review;
pub mod staff;
mod step;
pub mod survey;
pub mod thread;
pub mod views;
mod waking;
pub mod waves;
mod wishes;

pub use chance::Chance;

use crate::clock::Clock;
use crate::crypto::{self, MasterKey, Purpose};
use crate::domain::{MailAddress, MailNo, RowNo, Secret, TenantId, Timestamp};
use crate::letters::{ComposeError, Secrecy, Templates, ZipMethod};
use crate::pki::dir::Supply;
use crate::pki::{Authority, Keyring, PkiError};
use crate::rules::Rules;
use crate::store::{Batch, JournalFault, Store, StoreError, Table};
use crate::workflow::Refused;
use crate::workflow::delivery::Delivery;
use crate::workflow::rights::{Act, Role};
use pickup::PickupSettings;
use records::{Counters, Row};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};
use step::{Finished, Step};

/// What staff configure and may reload while running.
#[derive(Debug, Clone)]
pub struct Setup {
    pub rules: Arc<Rules>,
    pub templates: Arc<Templates>,
    pub post: Post,
}

/// Addresses and secrets letters are made with.
#[derive(Debug, Clone)]
pub struct Post {
    /// noreply@followup.mhlw.go.jp
    pub from: MailAddress,
    /// The contact desk.
    pub contractor: MailAddress,
    pub ministry: MailAddress,
    /// Base of the envelope senders: `bounce@x` → `bounce+12.ab34cd56@x`.
    pub bounce: MailAddress,
    /// `https://pickup.example.jp`, without a slash at its end.
    pub pickup_url: String,
    /// Where a terminal shows its certificate, if there is such a page.
    pub gate_url: Option<String>,
    pub unzip_password: Secret<String>,
    pub zip_method: ZipMethod,
}

/// What every step may look at.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) store: Arc<Store>,
    pub(crate) setup: Setup,
    pub(crate) keys: MasterKey,
    pub(crate) clock: Clock,
    /// `None`: nothing can be issued.
    pub(crate) authority: Option<Arc<Authority>>,
    /// Why there is none, if something is in the way.
    pub(crate) authority_fault: Option<String>,
    /// What lies in the CA directory, in force or not.
    pub(crate) supply: Option<Arc<Supply>>,
    pub(crate) pickup: PickupSettings,
}

/// What is read beside the engine's thread: always the context of now.
#[derive(Debug)]
pub(crate) struct Beside {
    context: RwLock<Arc<Context>>,
    /// One board for the console, the metrics and the alerts.
    board: Arc<views::board::Kept>,
}

/// See the module.
#[derive(Debug)]
pub struct Engine {
    context: Arc<Context>,
    /// The same for whoever reads beside this thread; a reload changes both.
    beside: Arc<Beside>,
    chance: Chance,
    /// `None`: the CA was given by [`Engine::entrust`], or there is none.
    keyring: Option<Keyring>,
    counters: Counters,
    /// Rows leased to the dispatcher of this process. A row that is in flight in the store but not here was cut off by a
    /// crash.
    in_flight: BTreeSet<RowNo>,
    /// Key of the due index from which on it is searched: of the rows before it all are in flight.
    due_from: Vec<u8>,
    /// Waves of which looking may change something.
    waves_under_way: BTreeSet<records::WaveNo>,
    /// When time alone moves a request or a wave on.
    agenda: Option<Timestamp>,
}

/// Why a step was not taken. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("{0}")]
    Refused(&'static str),
    #[error("an account of the role {} may not do this ({}); ask somebody whose role allows it", .role.name(), .act.japanese())]
    Forbidden { role: Role, act: Act },
    #[error("there is no tenant {0}")]
    NoTenant(TenantId),
    #[error("there is no mail {0} in the inbox")]
    NoMail(MailNo),
    #[error("there is no mail {0} in the outbox")]
    NoRow(RowNo),
    #[error("there is no open matter {0}")]
    NoMatter(u64),
    #[error("{0}; give another value")]
    Input(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Pki(#[from] PkiError),
    #[error(transparent)]
    Compose(#[from] ComposeError),
    #[error("a record in the store cannot be read ({0}); run `annai doctor`, keep the state directory and report this")]
    Record(String),
    #[error("the letter {0} was to be queued twice; please report this")]
    LetterTwice(String),
    #[error("the system gives no random numbers; nothing can be issued until it does")]
    NoRandomness,
    #[error("this master key is not the one the state directory was made with; correct keys.master_key_file")]
    WrongKey,
    #[error("{0}; nothing is issued or sent with a damaged journal: restore the last backup")]
    Journal(#[from] JournalFault),
}

impl From<Refused> for EngineError {
    fn from(Refused(why): Refused) -> Self {
        Self::Refused(why)
    }
}

impl Context {
    pub(crate) fn load<T: DeserializeOwned>(&self, table: Table, key: &[u8]) -> Result<Option<T>, EngineError> {
        self.store.get(table, key)?.map(|bytes| codec::decode(&bytes)).transpose()
    }

    /// Under which moment a row stands in the index of what is due.
    fn due(&self, row: &Row) -> Option<Timestamp> {
        match &row.delivery {
            Delivery::InFlight { .. } => row.indexed,
            Delivery::Planned { .. }
            | Delivery::Relayed { .. }
            | Delivery::Deferred { .. }
            | Delivery::Refused { .. }
            | Delivery::Bounced { .. }
            | Delivery::Unknown { .. }
            | Delivery::Held { .. }
            | Delivery::Withdrawn { .. } => row.delivery.due(is_secret(row), &self.setup.rules.schedule),
        }
    }
}

/// Journal entries checked at every start; `annai audit verify` checks all.
const JOURNAL_TAIL: u64 = 1000;

/// With another master key every pick-up code and every sealed letter would be wrong: better not to start (I11).
fn check_key(context: &Context) -> Result<(), EngineError> {
    let tag = context.keys.tag(Purpose::Lookup, b"key-check");
    match context.store.get(Table::Meta, b"key-check")? {
        Some(known) if crypto::same(&known, &tag) => Ok(()),
        Some(_) => Err(EngineError::WrongKey),
        None => {
            let mut batch = Batch::new();
            batch.put(Table::Meta, "key-check", tag);
            context.store.apply(batch)?;
            Ok(())
        }
    }
}

/// Whether a row's bytes hold a secret.
fn is_secret(row: &Row) -> bool {
    match row.letter.secrecy() {
        Secrecy::Secret => true,
        Secrecy::Plain => false,
    }
}

impl Engine {
    /// Opens the engine over a store. Reads counters only, whatever the number of tenants; where the rules have changed
    /// since, it looks through all rosters once.
    pub fn open(
        store: Arc<Store>,
        setup: Setup,
        keys: MasterKey,
        clock: Clock,
        chance: Chance,
    ) -> Result<Self, EngineError> {
        let (authority, pickup) = (None, PickupSettings::default());
        let context =
            Arc::new(Context { store, setup, keys, clock, authority, authority_fault: None, supply: None, pickup });
        check_key(&context)?;
        context.store.verify_journal_tail(JOURNAL_TAIL)?;
        let counters = context.load(Table::Meta, b"counters")?.unwrap_or_default();
        let beside = Arc::new(Beside { context: RwLock::new(Arc::clone(&context)), board: Arc::default() });
        let mut engine = Self {
            context,
            beside,
            chance,
            keyring: None,
            counters,
            in_flight: BTreeSet::new(),
            due_from: Vec::new(),
            waves_under_way: BTreeSet::new(),
            agenda: None,
        };
        engine.index_by_rules()?;
        engine.begin_reports()?;
        engine.set_agenda()?;
        Ok(engine)
    }

    pub fn now(&self) -> Timestamp {
        self.context.clock.now()
    }

    pub fn clock(&self) -> &Clock {
        &self.context.clock
    }

    pub fn setup(&self) -> &Setup {
        &self.context.setup
    }

    /// Takes over reloaded rules and templates; from the next step on they count, and every wake is set by them.
    pub fn reload(&mut self, setup: Setup) -> Result<(), EngineError> {
        self.change(|context| context.setup = setup);
        self.index_by_rules()
    }

    /// Gives the engine a CA of its own, for as long as it runs: the demo's and that of tests. A daemon follows its CA
    /// directory ([`Engine::follow_keys`]).
    pub fn entrust(&mut self, authority: Authority, pickup: PickupSettings) -> Result<(), EngineError> {
        self.change(|context| {
            context.authority = Some(Arc::new(authority));
            context.pickup = pickup;
        });
        self.refresh_crls().map(drop)
    }

    /// Changes what every step looks at, for this thread and for those who read beside it.
    fn change(&mut self, change: impl FnOnce(&mut Context)) {
        change(Arc::make_mut(&mut self.context));
        *self.beside.context.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&self.context);
    }

    /// When requests and waves want to be looked at: [`Engine::chores`].
    pub fn next_chore(&self) -> Option<Timestamp> {
        self.agenda
    }

    /// Time has passed for requests and waves; does nothing before [`Engine::next_chore`]. One that fails is left alone
    /// for an hour, like a wake.
    pub fn chores(&mut self) -> Result<(), EngineError> {
        let now = self.now();
        if self.agenda.is_none_or(|at| at > now) {
            return Ok(());
        }
        match self.lapse_asks().and_then(|()| self.look_at_waves()) {
            Err(fault) if !matches!(fault, EngineError::Store(_)) => {
                tracing::error!(%fault, "requests or waves could not be looked at; they are left alone for an hour");
                self.agenda = Some(now.plus(crate::domain::time::HOUR));
                Ok(())
            }
            done => done,
        }
    }

    /// Looks anew which requests and waves wait for time to pass.
    fn set_agenda(&mut self) -> Result<(), EngineError> {
        let waves = self.waves_agenda()?;
        self.waves_under_way = waves.iter().map(|(no, _)| *no).collect();
        let lapse = self.next_lapse()?;
        self.agenda = waves.into_iter().filter_map(|(_, at)| at).chain(lapse).min();
        Ok(())
    }

    /// Makes every step so far durable.
    pub fn commit(&self) -> Result<(), EngineError> {
        Ok(self.context.store.commit()?)
    }

    /// One step by `actor` (`system`, `staff:NAME`).
    fn step<T>(
        &mut self,
        actor: &str,
        work: impl FnOnce(&mut Step<'_>) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let mut step = Step::new(&self.context, &mut self.chance, self.counters.clone(), actor);
        let outcome = work(&mut step)?;
        let Finished { batch, counters, due } = step.finish()?;
        if !batch.is_empty() {
            self.context.store.stage(batch)?;
            self.counters = counters;
        }
        if let Some(due) = due.filter(|due| *due < self.due_from) {
            self.due_from = due;
        }
        Ok(outcome)
    }
}

/// The actor of what annai does by itself.
pub const SYSTEM: &str = "system";
