//! Layer 3: the pages. Server-rendered, usable without JavaScript, nothing fetched from elsewhere.
//!
//! | file | what |
//! |---|---|
//! | `door` | listening, with limits on connections and their time |
//! | `look` | templates, style sheet, the headers every page has |
//! | `officer` | what the pages for officers share: language, contact, dates |
//! | `pickup` | what officers see behind the address in their letter |
//! | `gate`, `wicket` | the terminal check, which asks for the client certificate; which ones are good |
//! | `console` | the views of staff |
//! | `health` | `/healthz`, `/metrics` beside the console; for staff and their monitoring, never public |
//! | `metrics` | figures as Prometheus text |
//! | `language` | of what staff read |
//! | `session`, `login`, `account`, `session_acts` | who is looking at the console, and what they do |

mod account;
pub mod console;
pub mod door;
pub mod gate;
pub mod health;
mod language;
pub mod login;
pub mod look;
pub mod metrics;
pub mod officer;
pub mod pickup;
pub mod session;
mod session_acts;
pub mod wicket;

use crate::clock::Clock;
use crate::domain::MailAddress;
use crate::engine::pickup::Looker;
use crate::engine::survey::Survey;
use crate::engine::thread::Handle;
use crate::health::Health;
use axum::Router;
pub use console::Link;
use door::{Door, DoorError};
use gate::Gate;
use officer::Site;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;
use wicket::Wicket;

/// The listeners of a daemon, open.
#[derive(Debug)]
pub struct Pages {
    pub pickup: Door,
    pub console: Door,
    /// The terminal check, if there is one.
    pub gate: Option<(Door, Arc<Wicket>)>,
    pub site: Site,
    /// Pages elsewhere the console leads to.
    pub links: Vec<Link>,
    /// Sample people of the demo; else none.
    pub samples: Vec<session::Sample>,
}

/// Whom officers ask.
#[derive(Debug, Clone)]
pub struct Contact {
    pub name: String,
    pub address: MailAddress,
    pub hours: Option<String>,
}

/// What pages are made from.
#[derive(Debug, Clone)]
pub struct Source {
    pub handle: Handle,
    pub survey: Survey,
    /// Looks at pick-ups beside the engine's thread.
    pub looker: Looker,
    pub health: Arc<Health>,
    pub clock: Clock,
}

impl Pages {
    /// Opens the listeners of pick-up and console.
    pub fn open(pickup: SocketAddr, console: SocketAddr, site: Site) -> Result<Self, DoorError> {
        Ok(Self {
            pickup: Door::open(pickup, "web.pickup_listen")?,
            console: Door::open(console, "web.console_listen")?,
            gate: None,
            site,
            links: Vec::new(),
            samples: Vec::new(),
        })
    }

    /// Besides, the terminal check, with the chain and key of its page (PEM).
    pub fn with_gate(mut self, listen: SocketAddr, cert: &Path, key: &Path, clock: Clock) -> Result<Self, DoorError> {
        let wicket = Arc::new(Wicket::new(cert, key, clock)?);
        let door = Door::open(listen, "web.gate_listen")?.with_wicket(Arc::clone(&wicket));
        self.gate = Some((door, wicket));
        Ok(self)
    }

    /// The console behind its login, with what monitoring asks beside it.
    fn desk(&self, source: Source) -> Router {
        let reception =
            session::Reception::new(source.clone(), self.console.is_tls()).with_samples(self.samples.clone());
        let board = Arc::new(source.survey.board());
        let views = reception.guard(console::router(source.clone(), Arc::clone(&board), self.links.clone()));
        console::dressed(views.merge(health::router(source, board)).merge(console::looks()))
    }

    /// Serves all of them until told to end. Passwords never cross a network in the clear: without a certificate the
    /// console is for this machine only.
    pub async fn run(&self, source: Source, told: watch::Receiver<bool>) -> Result<(), DoorError> {
        let address = self.console.address();
        if !address.ip().is_loopback() && !self.console.is_tls() {
            return Err(DoorError::NotLoopback { setting: "web.console_listen", address });
        }
        let desk = pickup::Desk::new(source.clone(), self.site.clone());
        let pickup = self.pickup.serve(desk.router(), told.clone());
        let console = self.console.serve(self.desk(source.clone()), told.clone());
        let counting = async {
            desk.count_visits(told.clone()).await;
            Ok(())
        };
        let gate = self.run_gate(source, told.clone());
        tokio::try_join!(pickup, console, counting, gate).map(|_| ())
    }

    async fn run_gate(&self, source: Source, told: watch::Receiver<bool>) -> Result<(), DoorError> {
        let Some((door, wicket)) = &self.gate else { return Ok(()) };
        let gate = Gate::new(source, self.site.clone(), Arc::clone(wicket));
        let serving = door.serve(gate.router(), told.clone());
        let following = async {
            gate.follow(told).await;
            Ok(())
        };
        tokio::try_join!(serving, following).map(|_| ())
    }
}
