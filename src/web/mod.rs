//! Layer 3: the pages. Server-rendered, usable without JavaScript, nothing fetched from elsewhere.
//!
//! | file | what |
//! |---|---|
//! | `door` | listening, with limits on connections and their time |
//! | `look` | templates, style sheet, the headers every page has |
//! | `pickup` | what officers see behind the address in their letter |
//! | `console` | the views of staff |
//! | `health` | `/healthz`, `/metrics` beside the console; for staff and their monitoring, never public |
//! | `metrics` | figures as Prometheus text |
//! | `session`, `login`, `session_acts` | who is looking at the console, and what they do |

pub mod console;
pub mod door;
pub mod health;
pub mod login;
pub mod look;
pub mod metrics;
pub mod pickup;
pub mod session;
mod session_acts;

use crate::clock::Clock;
use crate::domain::MailAddress;
use crate::engine::survey::Survey;
use crate::engine::thread::Handle;
use crate::health::Health;
use axum::Router;
pub use console::Link;
use door::{Door, DoorError};
use session::Gate;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;

/// The listeners of a daemon, open.
#[derive(Debug)]
pub struct Pages {
    pub pickup: Door,
    pub console: Door,
    pub contact: Contact,
    /// Pages elsewhere the console leads to.
    pub links: Vec<Link>,
    /// Sample people of the demo with their password; else none.
    pub samples: Vec<(String, String)>,
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
    pub health: Arc<Health>,
    pub clock: Clock,
}

impl Pages {
    /// Opens both listeners.
    pub fn open(pickup: SocketAddr, console: SocketAddr, contact: Contact) -> Result<Self, DoorError> {
        Ok(Self {
            pickup: Door::open(pickup, "web.pickup_listen")?,
            console: Door::open(console, "web.console_listen")?,
            contact,
            links: Vec::new(),
            samples: Vec::new(),
        })
    }

    /// The console behind its login, with what monitoring asks beside it.
    fn desk(&self, source: Source) -> Router {
        let gate = Gate::new(source.clone(), self.console.is_tls()).with_samples(self.samples.clone());
        let views = gate.guard(console::router(source.clone(), self.links.clone()));
        console::dressed(views.merge(health::router(source)).merge(console::looks()))
    }

    /// Serves both until told to end. Passwords never cross a network in the clear: without a certificate the console is
    /// for this machine only.
    pub async fn run(&self, source: Source, told: watch::Receiver<bool>) -> Result<(), DoorError> {
        let address = self.console.address();
        if !address.ip().is_loopback() && !self.console.is_tls() {
            return Err(DoorError::NotLoopback { setting: "web.console_listen", address });
        }
        let pickup = self.pickup.serve(pickup::router(source.clone(), self.contact.clone()), told.clone());
        let console = self.console.serve(self.desk(source), told);
        tokio::try_join!(pickup, console).map(|_| ())
    }
}
