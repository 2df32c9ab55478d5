//! Layer 3: letters leave. Each worker owns one connection to the relay: it leases due rows (the attempt is durable
//! before the first command), hands each over in a transaction of its own, and reports the outcome as an event.
//!
//! While the relay cannot be reached nothing is leased, so no letter uses up its attempts because of our own trouble; the
//! connection is tried again after growing pauses ([`RECONNECT_SECONDS`]).

mod command;
pub mod dkim;
mod handshake;
mod reply;
pub mod smtp;
pub mod throttle;
mod wire;

use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::engine::outbox::Lease;
use crate::engine::thread::{Handle, Stopped};
use crate::health::Health;
use crate::scheduler::sleep_until;
use crate::workflow::delivery::Outcome;
use dkim::Signer;
use smtp::{SmtpError, SmtpSettings, Submitter};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use throttle::Throttle;
use tokio::sync::watch;

/// Pauses before a new connection after one, two, … failures in a row; the last one repeats.
pub const RECONNECT_SECONDS: [u64; 5] = [1, 5, 15, 60, 300];
/// Letters taken in one lease.
pub const LEASE_ROWS: usize = 16;
/// A connection without work is closed after this long: relays do not like idle clients.
pub const KEEP_IDLE: Duration = Duration::from_secs(5);

/// How letters leave.
#[derive(Debug, Clone)]
pub struct DispatchSettings {
    pub smtp: SmtpSettings,
    /// Connections open at once.
    pub connections: u32,
    pub per_minute: u32,
    pub per_domain_per_minute: u32,
    pub signer: Option<Arc<Signer>>,
}

/// What all workers share.
#[derive(Debug)]
pub struct Dispatch {
    settings: DispatchSettings,
    handle: Handle,
    clock: Clock,
    health: Arc<Health>,
    throttle: Mutex<Throttle>,
}

/// When a worker ends.
#[derive(Debug, Clone)]
pub enum Until {
    /// When told so; what was leased is finished first.
    Told(watch::Receiver<bool>),
    /// When nothing is due any more, or the relay cannot be reached.
    Empty,
}

struct Worker {
    dispatch: Arc<Dispatch>,
    connection: Option<Submitter>,
    /// Letters handed over on this connection.
    carried: u32,
    failures: usize,
}

impl Dispatch {
    pub fn new(settings: DispatchSettings, handle: Handle, clock: Clock, health: Arc<Health>) -> Arc<Self> {
        let throttle = Mutex::new(Throttle::new(settings.per_minute, settings.per_domain_per_minute));
        Arc::new(Self { settings, handle, clock, health, throttle })
    }

    /// Runs all workers to their end. The error is the last reason why the relay could not be reached.
    pub async fn run(self: Arc<Self>, until: Until) -> Result<Result<(), SmtpError>, Stopped> {
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..self.settings.connections.max(1) {
            let worker = Worker { dispatch: Arc::clone(&self), connection: None, carried: 0, failures: 0 };
            workers.spawn(worker.run(until.clone()));
        }
        let mut result = Ok(());
        while let Some(ended) = workers.join_next().await {
            match ended.map_err(|_| Stopped)?? {
                Ok(()) => {}
                Err(fault) => result = Err(fault),
            }
        }
        Ok(result)
    }

    fn slot(&self, domain: &str) -> Timestamp {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner).next_slot(domain, self.clock.now())
    }

    /// Takes a slot now, if there is one.
    fn take_slot(&self, domain: &str) -> bool {
        let mut throttle = self.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let free = throttle.may_send(domain, now);
        if free {
            throttle.record(domain, now);
        }
        free
    }
}

impl Worker {
    async fn run(mut self, until: Until) -> Result<Result<(), SmtpError>, Stopped> {
        let mut next = self.dispatch.handle.next();
        loop {
            let due = next.borrow_and_update().due;
            let is_due = due.is_some_and(|at| at <= self.dispatch.clock.now());
            if is_due {
                match self.connect().await {
                    Ok(()) => {}
                    Err(fault) if matches!(until, Until::Empty) => return Ok(Err(fault)),
                    Err(_) => {
                        if self.pause(&until).await {
                            return Ok(Ok(()));
                        }
                        continue;
                    }
                }
                if self.round().await? > 0 {
                    continue;
                }
            } else if matches!(until, Until::Empty) {
                self.hang_up().await;
                return Ok(Ok(()));
            }
            // Somebody else has leased what was due, or nothing is.
            let due = due.filter(|_| !is_due);
            tokio::select! {
                () = told(&until) => {
                    self.hang_up().await;
                    return Ok(Ok(()));
                }
                changed = next.changed() => changed.map_err(|_| Stopped)?,
                () = sleep_until(&self.dispatch.clock, due) => {}
                () = tokio::time::sleep(KEEP_IDLE), if self.connection.is_some() => self.hang_up().await,
            }
        }
    }

    /// Leases once and hands over; returns how many letters there were.
    async fn round(&mut self) -> Result<usize, Stopped> {
        let answer = self.dispatch.handle.call(|engine| engine.lease(LEASE_ROWS)).await?;
        let leases = answer.unwrap_or_else(|fault| {
            tracing::error!(%fault, "letters could not be leased");
            Vec::new()
        });
        let count = leases.len();
        let mut reports = Vec::with_capacity(count);
        for lease in leases {
            let outcome = self.hand_over(&lease).await?;
            if let Some(outcome) = outcome {
                let row = lease.row;
                reports.push(self.dispatch.handle.send(move |engine| engine.answered(row, &outcome)).await?);
            }
        }
        for report in reports {
            if let Err(fault) = report.await.map_err(|_| Stopped)? {
                tracing::error!(%fault, "an outcome could not be recorded; the letter counts as in flight until a restart");
            }
        }
        Ok(count)
    }

    /// One letter. `None`: it was given back because its domain has had enough for now.
    async fn hand_over(&mut self, lease: &Lease) -> Result<Option<Outcome>, Stopped> {
        let domain = lease.to.domain();
        if !self.dispatch.take_slot(&domain) {
            let (row, until) = (lease.row, self.dispatch.slot(&domain));
            if let Err(fault) = self.dispatch.handle.call(move |engine| engine.postpone(row, until)).await? {
                tracing::error!(row = row.0, %fault, "a letter could not be postponed");
            }
            return Ok(None);
        }
        let signed = match &self.dispatch.settings.signer {
            None => None,
            Some(dkim) => match dkim.sign(lease.bytes.reveal(), self.dispatch.clock.now()) {
                Ok(bytes) => Some(bytes),
                Err(fault) => return Ok(Some(Outcome::NotSent { why: fault.to_string() })),
            },
        };
        let bytes = signed.as_ref().unwrap_or_else(|| lease.bytes.reveal());
        let outcome = self.submit(lease, bytes).await;
        tracing::info!(row = lease.row.0, to = lease.to.masked(), outcome = word(&outcome), "letter");
        Ok(Some(outcome))
    }

    /// A connection that was fine for the letter before may have been closed since; surely unsent letters get a new one.
    async fn submit(&mut self, lease: &Lease, bytes: &[u8]) -> Outcome {
        for fresh in [false, true] {
            if let Err(fault) = self.connect().await {
                return fault.outcome();
            }
            let used_before = self.carried > 0;
            let Some(connection) = &mut self.connection else { break };
            let outcome = connection.submit(&lease.envelope_from, &lease.to, bytes).await;
            if !connection.is_usable() {
                self.connection = None;
            }
            self.carried += 1;
            if fresh || !used_before || !matches!(outcome, Outcome::NotSent { .. }) {
                return outcome;
            }
            self.connection = None;
        }
        Outcome::NotSent { why: "the connection was lost twice".to_owned() }
    }

    async fn connect(&mut self) -> Result<(), SmtpError> {
        if self.connection.as_ref().is_some_and(Submitter::is_usable) {
            return Ok(());
        }
        match Submitter::connect(&self.dispatch.settings.smtp).await {
            Ok(connection) => {
                self.connection = Some(connection);
                self.carried = 0;
                self.failures = 0;
                self.dispatch.health.smtp_works();
                Ok(())
            }
            Err(fault) => {
                self.failures += 1;
                tracing::warn!(%fault, "letters cannot be handed over");
                self.dispatch.health.smtp_trouble(self.dispatch.clock.now(), fault.to_string(), fault.needs_staff());
                Err(fault)
            }
        }
    }

    /// Waits before the next try; true if told to end.
    async fn pause(&self, until: &Until) -> bool {
        let last = RECONNECT_SECONDS.len() - 1;
        let seconds = RECONNECT_SECONDS.get(self.failures.saturating_sub(1).min(last)).copied().unwrap_or(1);
        tokio::select! {
            () = told(until) => true,
            () = tokio::time::sleep(Duration::from_secs(seconds)) => false,
        }
    }

    async fn hang_up(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.quit().await;
        }
    }
}

async fn told(until: &Until) {
    match until {
        Until::Empty => std::future::pending().await,
        Until::Told(shutdown) => {
            let mut shutdown = shutdown.clone();
            // The sender gone means the same as being told.
            let _told = shutdown.wait_for(|now| *now).await;
        }
    }
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Relayed { .. } => "relayed",
        Outcome::Deferred { .. } => "deferred",
        Outcome::Refused { .. } => "refused",
        Outcome::NotSent { .. } => "not sent",
        Outcome::Unknown { .. } => "unknown",
    }
}
