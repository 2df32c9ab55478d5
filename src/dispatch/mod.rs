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

use crate::clock::{Clock, monotonic};
use crate::domain::{RowNo, Timestamp};
use crate::engine::outbox::{Became, Lease};
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
/// Letters taken in one lease: while mails pour in a lease waits for the engine and the disk as long as it takes to file a
/// batch, and must bring enough work for that time.
pub const LEASE_ROWS: usize = 128;
/// Outcomes are recorded after this long even if the lease is not finished.
pub const REPORT_AFTER: Duration = Duration::from_secs(1);
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
                if self.round(&until).await? > 0 {
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

    /// Leases and hands over until nothing is due, or somebody says stop; returns how many letters there were. What became
    /// of one lease is recorded in the step that takes the next: one flush for both.
    async fn round(&mut self, until: &Until) -> Result<usize, Stopped> {
        let mut count = 0;
        let mut leases = self.exchange(Vec::new(), LEASE_ROWS).await?;
        while !leases.is_empty() {
            count += leases.len();
            let mut reports = Vec::with_capacity(leases.len());
            let mut since = monotonic();
            for lease in leases {
                let became = if self.connect().await.is_ok() {
                    self.hand_over(&lease).await
                } else {
                    // Not the letter's fault: it stays as it was, and the relay is tried again after a pause.
                    Became::Postponed { until: self.dispatch.clock.now() }
                };
                reports.push((lease.row, became));
                if since.elapsed() >= REPORT_AFTER {
                    self.exchange(std::mem::take(&mut reports), 0).await?;
                    since = monotonic();
                }
            }
            let more = if self.connection.is_some() && !is_told(until) { LEASE_ROWS } else { 0 };
            leases = self.exchange(reports, more).await?;
        }
        Ok(count)
    }

    /// Reports and leases in one durable step.
    async fn exchange(&self, reports: Vec<(RowNo, Became)>, limit: usize) -> Result<Vec<Lease>, Stopped> {
        let leased = self.dispatch.handle.call(move |engine| {
            for (row, became) in &reports {
                if let Err(fault) = engine.became(*row, became) {
                    tracing::error!(row = row.0, %fault, "an outcome could not be recorded; it is unknown after a restart");
                }
            }
            engine.lease(limit)
        });
        Ok(leased.await?.unwrap_or_else(|fault| {
            tracing::error!(%fault, "letters could not be leased");
            Vec::new()
        }))
    }

    /// One letter. It is given back when its domain has had enough for now.
    async fn hand_over(&mut self, lease: &Lease) -> Became {
        let domain = lease.to.domain();
        if !self.dispatch.take_slot(&domain) {
            return Became::Postponed { until: self.dispatch.slot(&domain) };
        }
        let signed = match &self.dispatch.settings.signer {
            None => None,
            Some(dkim) => match dkim.sign(lease.bytes.reveal(), self.dispatch.clock.now()) {
                Ok(bytes) => Some(bytes),
                Err(fault) => return Became::Answered(Outcome::NotSent { why: fault.to_string() }),
            },
        };
        let bytes = signed.as_ref().unwrap_or_else(|| lease.bytes.reveal());
        let outcome = self.submit(lease, bytes).await;
        tracing::info!(row = lease.row.0, to = lease.to.masked(), outcome = word(&outcome), "letter");
        Became::Answered(outcome)
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

fn is_told(until: &Until) -> bool {
    match until {
        Until::Empty => false,
        Until::Told(shutdown) => *shutdown.borrow(),
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
