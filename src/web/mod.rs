//! Layer 3: the pages. Server-rendered, usable without JavaScript, nothing fetched from elsewhere.
//!
//! | file | what |
//! |---|---|
//! | `door` | listening, with limits on connections and their time |
//! | `look` | templates, style sheet, the headers every page has |
//! | `pickup` | what officers see behind the address in their letter |
//! | `console` | the views of staff; loopback only |
//! | `health` | `/healthz`, `/metrics` beside the console; for staff and their monitoring, never public |
//! | `metrics` | figures as Prometheus text |

pub mod console;
pub mod door;
pub mod health;
pub mod look;
pub mod metrics;
pub mod pickup;

use crate::clock::Clock;
use crate::domain::MailAddress;
use crate::engine::survey::Survey;
use crate::engine::thread::Handle;
use crate::health::Health;
pub use console::Link;
use door::{Door, DoorError};
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
    /// Opens both listeners. The console knows no accounts, so it is for this machine only.
    pub fn open(pickup: SocketAddr, console: SocketAddr, contact: Contact) -> Result<Self, DoorError> {
        if !console.ip().is_loopback() {
            return Err(DoorError::NotLoopback { setting: "web.console_listen", address: console });
        }
        Ok(Self {
            pickup: Door::open(pickup, "web.pickup_listen")?,
            console: Door::open(console, "web.console_listen")?,
            contact,
            links: Vec::new(),
        })
    }

    /// Serves both until told to end.
    pub async fn run(&self, source: Source, told: watch::Receiver<bool>) -> Result<(), DoorError> {
        let pickup = self.pickup.serve(pickup::router(source.clone(), self.contact.clone()), told.clone());
        let desk = health::router(source.clone()).merge(console::router(source, self.links.clone()));
        let console = self.console.serve(console::dressed(desk), told);
        tokio::try_join!(pickup, console).map(|_| ())
    }
}
