//! The loop that empties the mailbox into the archive.
//!
//! One visit: open, select, ask the archive how far it has read, mark what an earlier run filed but could not mark, read
//! to the end, count, wait. A crash, a restart and a lost connection all end in the same place: the next visit.
//!
//! Order (invariant I1): fetch, file (raw bytes and cursor durable), only then mark. All at once, each with a batch of its
//! own ([`belt`]).
//!
//! A mail that makes the server hang up must not stop the rest (I10): after [`CAREFUL_AFTER`] losses at the same mail
//! mails are fetched one by one, after [`WITHHELD_AFTER`] that mail is filed as withheld, for staff to see.

use super::archive::{Archive, Census, Fetched, Pace, Stopped};
use super::belt::{self, Batch};
use super::error::{Acts, ImapError};
use super::fetch::{BATCH_MAILS_MAX, UIDS_MAX, batches};
use super::session::{IDLE_ROUND, Selected, Session, Woken};
use super::settings::{AfterFiling, ImapSettings};
use crate::workflow::cursor::{Cursor, Plan, plan};
use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;
use tokio::sync::mpsc::{self, Sender, UnboundedReceiver};
use tokio::time::Instant;
use tracing::{info, warn};

/// Pauses before a new connection, seconds, after one, two, … failures in a row; the last one repeats.
pub const RECONNECT_AFTER_S: [u64; 6] = [1, 2, 5, 15, 60, 300];
/// `once` gives up after so many failures in a row: one more than [`WITHHELD_AFTER`] where a single mail may be the cause,
/// few where the server is not there.
const ONCE_TRIES_LOST: usize = 6;
const ONCE_TRIES: usize = 3;
/// Losses at the same mail after which mails are fetched one by one.
const CAREFUL_AFTER: u32 = 2;
/// Losses at the same mail after which it is filed as withheld.
const WITHHELD_AFTER: u32 = 5;
/// From one reconciliation to the next.
const CENSUS_EVERY: Duration = Duration::from_hours(24);

/// What a run has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub filed: u32,
    /// Of these, not whole: over the limit or withheld.
    pub truncated: u32,
    /// Marked or moved on the server.
    pub marked: u32,
}

/// Why reading ended.
#[derive(Debug, thiserror::Error)]
pub enum Halt {
    #[error(transparent)]
    Imap(#[from] ImapError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Reads until `shutdown` ends; a command under way is dropped, the next run takes up where the archive stands.
pub async fn run<A: Archive, P: Pace>(
    settings: &ImapSettings,
    archive: &A,
    pace: &P,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Stopped> {
    let mut reader = Reader::new(settings, archive);
    tokio::select! {
        biased;
        () = shutdown => Ok(()),
        Err(stopped) = reader.forever(pace) => Err(stopped),
    }
}

/// Reads the mailbox to its end once. Losses are retried like in [`run`], a few times.
pub async fn once<A: Archive, P: Pace>(settings: &ImapSettings, archive: &A, pace: &P) -> Result<Tally, Halt> {
    let mut reader = Reader::new(settings, archive);
    loop {
        match reader.visit_once().await {
            Ok(()) => return Ok(reader.tally),
            Err(Halt::Stopped(stopped)) => return Err(stopped.into()),
            Err(Halt::Imap(error)) if reader.is_last_try(&error) => {
                archive.troubled(&error).await?;
                return Err(error.into());
            }
            Err(Halt::Imap(error)) => reader.recover(&error, pace).await?,
        }
    }
}

struct Reader<'a, A> {
    settings: &'a ImapSettings,
    archive: &'a A,
    tally: Tally,
    /// In a row.
    failures: usize,
    stumble: Stumble,
}

/// One connection.
struct Visit {
    session: Session,
    selected: Selected,
    cursor: Cursor,
    /// Filed, not yet marked.
    unmarked: Vec<u32>,
}

impl<'a, A: Archive> Reader<'a, A> {
    fn new(settings: &'a ImapSettings, archive: &'a A) -> Self {
        Self { settings, archive, tally: Tally::default(), failures: 0, stumble: Stumble::default() }
    }

    /// For `once`.
    fn is_last_try(&self, error: &ImapError) -> bool {
        let tries = if matches!(error, ImapError::Lost(_)) { ONCE_TRIES_LOST } else { ONCE_TRIES };
        error.acts() == Acts::Staff || self.failures + 1 >= tries
    }

    async fn forever<P: Pace>(&mut self, pace: &P) -> Result<Infallible, Stopped> {
        loop {
            match self.stay(pace).await {
                Err(Halt::Stopped(stopped)) => return Err(stopped),
                Err(Halt::Imap(error)) => self.recover(&error, pace).await?,
                Ok(never) => match never {},
            }
        }
    }

    async fn stay<P: Pace>(&mut self, pace: &P) -> Result<Infallible, Halt> {
        let mut visit = self.begin().await?;
        let mut census_at = Instant::now();
        loop {
            self.read_to_end(&mut visit).await?;
            if Instant::now() >= census_at {
                self.census(&mut visit).await?;
                census_at = Instant::now() + CENSUS_EVERY;
            }
            match visit.session.wait(IDLE_ROUND).await? {
                Woken::News | Woken::Quiet => {}
                Woken::NotOffered => {
                    pace.next_poll().await;
                    visit.session.noop().await?;
                }
            }
        }
    }

    async fn visit_once(&mut self) -> Result<(), Halt> {
        let mut visit = self.begin().await?;
        self.read_to_end(&mut visit).await?;
        self.census(&mut visit).await?;
        // All is done; a server that cannot say goodbye changes nothing.
        let _ = visit.session.logout().await;
        Ok(())
    }

    async fn recover<P: Pace>(&mut self, error: &ImapError, pace: &P) -> Result<(), Stopped> {
        warn!(%error, failures = self.failures + 1, "mailbox cannot be read");
        self.archive.troubled(error).await?;
        if matches!(error, ImapError::Lost(_)) {
            self.stumble.lost();
        }
        let last = RECONNECT_AFTER_S.len() - 1;
        let step = if error.acts() == Acts::Staff { last } else { self.failures.min(last) };
        self.failures += 1;
        let seconds = RECONNECT_AFTER_S.get(step).copied().unwrap_or_default();
        pace.sleep(Duration::from_secs(seconds)).await;
        Ok(())
    }

    async fn begin(&mut self) -> Result<Visit, Halt> {
        let mut session = Session::open(self.settings).await?;
        let selected = session.select().await?;
        let stored = self.archive.cursor().await?;
        let plan = plan(stored, selected.uid_validity, selected.uid_next);
        let cursor = Cursor { uid_validity: selected.uid_validity, uid_next: plan.first_uid() };
        let mut visit = Visit { session, selected, cursor, unmarked: Vec::new() };
        match plan {
            Plan::Afresh(because) => {
                info!(?because, "mailbox is read from its first mail");
                let none = self.archive.read(Vec::new()).await?;
                self.archive.file(cursor, none).await?.await?;
            }
            Plan::Continue { .. } => self.mark_left_over(&mut visit).await?,
        }
        Ok(visit)
    }

    /// What an earlier run filed and could not mark.
    async fn mark_left_over(&mut self, visit: &mut Visit) -> Result<(), Halt> {
        let below = visit.cursor.uid_next;
        let uids = match &self.settings.after {
            AfterFiling::Keyword(_) if visit.selected.can_keep_keywords => visit.session.unmarked_below(below).await?,
            AfterFiling::Move(_) if !visit.selected.read_only => visit.session.uids_below(below).await?,
            AfterFiling::Keyword(_) | AfterFiling::Move(_) | AfterFiling::Nothing => Vec::new(),
        };
        for uids in uids.chunks(UIDS_MAX) {
            self.mark(visit, uids).await?;
        }
        Ok(())
    }

    async fn read_to_end(&mut self, visit: &mut Visit) -> Result<(), Halt> {
        let (put, fetched) = mpsc::channel(belt::WAITING_MAX);
        let (tell, mut durable) = mpsc::unbounded_channel();
        let archive = self.archive;
        let (served, carried) = tokio::join!(self.serve(visit, put, &mut durable), belt::carry(archive, fetched, tell));
        // What was fetched is filed even if the connection has gone meanwhile.
        self.note_all(visit, &mut durable);
        carried?;
        served?;
        self.stumble = Stumble::default();
        self.failures = 0;
        self.archive.polled().await?;
        Ok(())
    }

    /// Puts what the server has on the belt, and marks what has become durable.
    async fn serve(
        &mut self,
        visit: &mut Visit,
        put: Sender<Batch<Vec<Fetched>>>,
        durable: &mut UnboundedReceiver<Batch<()>>,
    ) -> Result<(), Halt> {
        let uids = visit.session.uids_from(visit.cursor.uid_next).await?;
        let (chunk, mails_max) = if self.stumble.careful() { (1, 1) } else { (UIDS_MAX, BATCH_MAILS_MAX) };
        for uids in uids.chunks(chunk) {
            self.stumble.trying(uids.first().copied());
            if let Some(uid) = self.stumble.withheld(uids) {
                warn!(uid, "the server hangs up at this mail; it is filed without content");
                let _stopped = put.send(batch(visit, uid, vec![Fetched::withheld(uid, 0)])).await;
                continue;
            }
            let listed = visit.session.sizes(uids).await?;
            for listed in batches(&listed, mails_max) {
                self.note_all(visit, durable);
                self.mark_noted(visit).await?;
                self.stumble.trying(listed.first().map(|mail| mail.uid));
                let mails = visit.session.fetch(&listed).await?;
                let Some(last) = listed.last() else { continue };
                if put.send(batch(visit, last.uid, mails)).await.is_err() {
                    return Ok(());
                }
            }
        }
        drop(put);
        while let Some(filed) = durable.recv().await {
            self.note(visit, filed);
            self.note_all(visit, durable);
            self.mark_noted(visit).await?;
        }
        Ok(())
    }

    fn note_all(&mut self, visit: &mut Visit, durable: &mut UnboundedReceiver<Batch<()>>) {
        while let Ok(filed) = durable.try_recv() {
            self.note(visit, filed);
        }
    }

    /// Counts what is durable now; its marks follow.
    fn note(&mut self, visit: &mut Visit, filed: Batch<()>) {
        visit.cursor = filed.after;
        self.failures = 0;
        self.tally.filed += count(filed.uids.len());
        self.tally.truncated += filed.truncated;
        visit.unmarked.extend(filed.uids);
    }

    async fn mark_noted(&mut self, visit: &mut Visit) -> Result<(), Halt> {
        let uids = std::mem::take(&mut visit.unmarked);
        self.mark(visit, &uids).await
    }

    async fn mark(&mut self, visit: &mut Visit, uids: &[u32]) -> Result<(), Halt> {
        if uids.is_empty() || visit.selected.read_only {
            return Ok(());
        }
        let marked = match &self.settings.after {
            AfterFiling::Keyword(_) if visit.selected.can_keep_keywords => visit.session.flag_processed(uids).await,
            AfterFiling::Move(folder) => visit.session.move_to(uids, folder).await,
            AfterFiling::Keyword(_) | AfterFiling::Nothing => return Ok(()),
        };
        match marked {
            Ok(()) => self.tally.marked += count(uids.len()),
            // Marks are for people; the cursor knows better. The next visit tries again.
            Err(error @ ImapError::Refused { .. }) => warn!(%error, "filed mails cannot be marked"),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    async fn census(&mut self, visit: &mut Visit) -> Result<(), Halt> {
        let present = visit.session.uids_below(visit.cursor.uid_next).await?.len();
        Ok(self.archive.reconciled(Census { cursor: visit.cursor, present: count(present) }).await?)
    }
}

/// Mails as they were fetched, the last of them `last`.
fn batch(visit: &Visit, last: u32, mails: Vec<Fetched>) -> Batch<Vec<Fetched>> {
    Batch {
        after: Cursor { uid_next: last.saturating_add(1), ..visit.cursor },
        uids: mails.iter().map(|mail| mail.uid).collect(),
        truncated: count(mails.iter().filter(|mail| mail.truncated).count()),
        mails,
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Remembers at which mail connections are lost.
#[derive(Debug, Default)]
struct Stumble {
    trying: Option<u32>,
    lost_at: Option<u32>,
    times: u32,
}

impl Stumble {
    fn trying(&mut self, uid: Option<u32>) {
        self.trying = uid;
    }

    fn lost(&mut self) {
        let at = self.trying.take();
        self.times = if at.is_some() && at == self.lost_at { self.times + 1 } else { u32::from(at.is_some()) };
        self.lost_at = at;
    }

    fn careful(&self) -> bool {
        self.times >= CAREFUL_AFTER
    }

    /// The mail to give up on, if it is the first of these.
    fn withheld(&self, uids: &[u32]) -> Option<u32> {
        self.lost_at.filter(|uid| self.times >= WITHHELD_AFTER && uids.first() == Some(uid))
    }
}
