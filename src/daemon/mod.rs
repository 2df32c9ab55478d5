//! The daemon: engine, intake, dispatch, scheduler and pages, wired together. `serve`, `demo` and the tests all run this.

pub mod assembly;
pub mod control;
mod keys;
mod lookout;
mod mailroom;
pub mod reader;

use crate::clock::Clock;
use crate::dispatch::smtp::SmtpError;
use crate::dispatch::{Dispatch, DispatchSettings, Until};
use crate::engine::pickup::Looker;
use crate::engine::survey::Survey;
use crate::engine::thread::{Handle, Stopped};
use crate::engine::{Engine, Setup};
use crate::health::Health;
use crate::intake::{self, Halt, ImapSettings};
use crate::rules::Rules;
use crate::scheduler;
use crate::web::door::DoorError;
use crate::web::{Pages, Source};
use control::{Control, ControlError};
use mailroom::Mailroom;
use reader::Reader;
use std::path::Path;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::thread::JoinHandle;
use tokio::sync::watch;

/// `serve --once` goes round at most so often before it says that something does not settle.
pub const ROUNDS_MAX: usize = 1000;

/// Rules that may be reloaded while the daemon runs.
#[derive(Debug)]
pub struct Live(RwLock<Arc<Rules>>);

impl Live {
    pub fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One running daemon.
#[derive(Debug)]
pub struct Daemon {
    pub handle: Handle,
    pub health: Arc<Health>,
    pub clock: Clock,
    live: Arc<Live>,
    imap: ImapSettings,
    dispatch: DispatchSettings,
    reader: Reader,
    control: Option<Control>,
    engine: JoinHandle<()>,
    survey: Survey,
    looker: Looker,
    pages: Option<Pages>,
}

/// Why a run did not do all it should.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    #[error("the mailbox could not be read to its end: {0}")]
    Imap(Halt),
    #[error("letters could not be handed over: {0}")]
    Smtp(SmtpError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error("a thread could not be started ({0}); look at the limits of this system")]
    Thread(#[from] std::io::Error),
    #[error(transparent)]
    Door(#[from] DoorError),
    #[error("something is always due again after {ROUNDS_MAX} rounds; please report this")]
    NeverSettles,
}

impl Daemon {
    /// Starts the engine's and the reader's threads; nothing else runs yet.
    pub fn start(engine: Engine, imap: ImapSettings, dispatch: DispatchSettings) -> Result<Self, DaemonError> {
        let clock = engine.clock().clone();
        let live = Arc::new(Live(RwLock::new(Arc::clone(&engine.setup().rules))));
        let (survey, looker) = (engine.survey(), engine.looker());
        let (handle, engine) = crate::engine::thread::start(engine)?;
        let reader = Reader::start()?;
        Ok(Self {
            handle,
            health: Arc::default(),
            clock,
            live,
            imap,
            dispatch,
            reader,
            control: None,
            engine,
            survey,
            looker,
            pages: None,
        })
    }

    /// Makes the control socket in the state directory, which this daemon holds; it answers while the daemon runs.
    pub fn listen(&mut self, state_dir: &Path) -> Result<(), ControlError> {
        self.control = Some(Control::bind(state_dir)?);
        Ok(())
    }

    /// Takes over new rules and templates between two steps.
    pub async fn reload(&self, setup: Setup) -> Result<(), Stopped> {
        let rules = Arc::clone(&setup.rules);
        let done = self.handle.call(move |engine| {
            engine.reload(setup)?;
            Ok(())
        });
        if done.await?.is_ok() {
            *self.live.0.write().unwrap_or_else(PoisonError::into_inner) = rules;
        }
        Ok(())
    }

    /// Pages to serve while running; without them nothing listens.
    pub fn with_pages(mut self, pages: Pages) -> Self {
        self.pages = Some(pages);
        self
    }

    /// A view of the store beside the engine.
    pub fn survey(&self) -> Survey {
        self.survey.clone()
    }

    /// What pages about this daemon are made from.
    pub fn source(&self) -> Source {
        Source {
            handle: self.handle.clone(),
            survey: self.survey.clone(),
            looker: self.looker.clone(),
            health: Arc::clone(&self.health),
            clock: self.clock.clone(),
        }
    }

    /// The rules in force.
    pub fn rules(&self) -> Arc<Rules> {
        self.live.rules()
    }

    /// Runs until told to end; what is under way is finished first.
    pub async fn run(&self, told: watch::Receiver<bool>) -> Result<(), DaemonError> {
        let end = |mut told: watch::Receiver<bool>| async move {
            let _told = told.wait_for(|now| *now).await;
        };
        let mailroom = self.mailroom();
        let intake = async {
            let ended = intake::run(&self.imap, &mailroom, &mailroom, end(told.clone())).await;
            ended.map_err(|_| DaemonError::Stopped(Stopped))
        };
        let wakes = async { Ok(scheduler::run(self.handle.clone(), self.clock.clone(), end(told.clone())).await?) };
        let dispatch = async { Ok(self.dispatch().run(Until::Told(told.clone())).await.map(|_| ())?) };
        let pages = async {
            match &self.pages {
                Some(pages) => Ok(pages.run(self.source(), told.clone()).await?),
                None => Ok(()),
            }
        };
        let control = async {
            self.answer_staff(told.clone()).await;
            Ok(())
        };
        let watch = async { Ok(self.watch(told.clone()).await?) };
        let keys = async { Ok(self.follow_keys(told.clone()).await?) };
        tokio::try_join!(intake, wakes, dispatch, pages, control, watch, keys).map(|_| ())
    }

    /// Reads the mailbox to its end, does all that is due now, delivers. A server that cannot be reached does not keep
    /// the other half from being done; the error says which.
    pub async fn once(&self) -> Result<intake::Tally, DaemonError> {
        let (over, told) = watch::channel(false);
        let round = async {
            let tally = self.round().await;
            let _over = over.send(true);
            tally
        };
        tokio::join!(round, self.answer_staff(told)).0
    }

    async fn round(&self) -> Result<intake::Tally, DaemonError> {
        let mailroom = self.mailroom();
        let (finished, told) = watch::channel(false);
        // Letters leave while mails are still coming in.
        let dispatch = tokio::spawn(self.dispatch().run(Until::Told(told)));
        let read = intake::once(&self.imap, &mailroom, &mailroom).await;
        let _ended = finished.send(true);
        dispatch.await.map_err(|_| Stopped)??.map_err(DaemonError::Smtp)?;
        self.look().await?;
        let mut settled = false;
        for _ in 0..ROUNDS_MAX {
            scheduler::drain(&self.handle).await?;
            self.dispatch().run(Until::Empty).await?.map_err(DaemonError::Smtp)?;
            let now = self.clock.now();
            let rest = self.handle.call(move |engine| Ok((engine.outbox_is_idle()?, engine.next_wake()?))).await?;
            settled = matches!(rest, Ok((true, wake)) if wake.is_none_or(|at| at > now));
            if settled {
                break;
            }
        }
        let tally = read.map_err(DaemonError::Imap)?;
        if settled { Ok(tally) } else { Err(DaemonError::NeverSettles) }
    }

    /// Serves the control socket, if there is one.
    async fn answer_staff(&self, told: watch::Receiver<bool>) {
        if let Some(control) = &self.control {
            control.serve(self.handle.clone(), self.survey.clone(), Arc::clone(&self.health), told).await;
        }
    }

    /// Lets the engine's thread end. Every clone of the handle must be gone.
    pub fn finish(self) {
        let Self { handle, engine, control, .. } = self;
        drop(control);
        drop(handle);
        let _ended = engine.join();
    }

    fn mailroom(&self) -> Mailroom {
        Mailroom {
            handle: self.handle.clone(),
            reader: self.reader.clone(),
            live: Arc::clone(&self.live),
            clock: self.clock.clone(),
            health: Arc::clone(&self.health),
            authenticator: OnceLock::new(),
        }
    }

    fn dispatch(&self) -> Arc<Dispatch> {
        Dispatch::new(self.dispatch.clone(), self.handle.clone(), self.clock.clone(), Arc::clone(&self.health))
    }
}
