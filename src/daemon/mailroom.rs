//! Where the intake loop puts mails: read them on the reading thread, file them in the engine, report to health.

use super::Live;
use super::reader::Reader;
use crate::clock::Clock;
use crate::engine::filing::Arrived;
use crate::engine::thread::Handle;
use crate::engine::{Engine, EngineError};
use crate::health::{Health, MailboxCount};
use crate::intake::{Acts, Archive, Authenticator, Census, Fetched, ImapError, Pace, Stopped};
use crate::scheduler::{Rhythm, sleep_until};
use crate::workflow::cursor::Cursor;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The engine as the intake loop sees it.
#[derive(Debug)]
pub(super) struct Mailroom {
    pub handle: Handle,
    pub reader: Reader,
    pub live: Arc<Live>,
    pub clock: Clock,
    pub health: Arc<Health>,
    /// Made when first needed; `None` inside: this machine has no DNS.
    pub authenticator: OnceLock<Option<Authenticator>>,
}

/// A mail on its way through the reading thread.
struct Raw(Fetched);

impl AsRef<[u8]> for Raw {
    fn as_ref(&self) -> &[u8] {
        &self.0.raw
    }
}

impl Archive for Mailroom {
    async fn cursor(&self) -> Result<Option<Cursor>, Stopped> {
        self.ask(|engine| engine.cursor()).await
    }

    type Read = Vec<Arrived>;
    type Filing = Pin<Box<dyn Future<Output = Result<(), Stopped>> + Send>>;

    async fn read(&self, mails: Vec<Fetched>) -> Result<Vec<Arrived>, Stopped> {
        if mails.is_empty() {
            return Ok(Vec::new());
        }
        let expected = mails.len();
        let read = self.reader.read(mails.into_iter().map(Raw).collect(), self.live.rules()).await;
        if read.len() != expected {
            return Err(Stopped);
        }
        let arrived = read.into_iter().map(|(Raw(mail), reading)| Arrived {
            uid: mail.uid,
            raw: mail.raw,
            truncated: mail.truncated,
            reading,
        });
        let mut arrived: Vec<_> = arrived.collect();
        self.authenticate(&mut arrived).await;
        Ok(arrived)
    }

    async fn file(&self, after: Cursor, mails: Vec<Arrived>) -> Result<Self::Filing, Stopped> {
        let answer = self.handle.send(move |engine| engine.file(after, mails)).await.map_err(|_| Stopped)?;
        Ok(Box::pin(async { settled(answer.await.map_err(|_| Stopped)?) }))
    }

    async fn reconciled(&self, census: Census) -> Result<(), Stopped> {
        let filed = self.ask(|engine| engine.filed()).await?;
        let count = MailboxCount { at: self.clock.now(), in_mailbox: census.present.into(), filed };
        if count.unaccounted() > 0 {
            tracing::error!(in_mailbox = count.in_mailbox, filed, "mails lie in the mailbox that were never filed");
        }
        self.health.counted(count);
        Ok(())
    }

    async fn polled(&self) -> Result<(), Stopped> {
        self.health.polled(self.clock.now());
        Ok(())
    }

    async fn troubled(&self, trouble: &ImapError) -> Result<(), Stopped> {
        let needs_staff = match trouble.acts() {
            Acts::Staff => true,
            Acts::Machine => false,
        };
        tracing::warn!(%trouble, needs_staff, "the mailbox cannot be read");
        self.health.imap_trouble(self.clock.now(), trouble.to_string(), needs_staff);
        Ok(())
    }
}

impl Mailroom {
    /// Our own check of where mails come from, if the rules ask for it; a gateway's word stands.
    async fn authenticate(&self, mails: &mut [Arrived]) {
        let rules = self.live.rules();
        if !rules.senders.check_ourselves {
            return;
        }
        let Some(authenticator) = self.authenticator.get_or_init(|| Authenticator::new(None)) else {
            tracing::warn!("no DNS server is configured on this machine, so nothing is known of where mails come from");
            return;
        };
        let whole: Vec<&[u8]> = mails.iter().map(|mail| if mail.truncated { &[][..] } else { &mail.raw }).collect();
        let found = authenticator.check_all(&whole, &rules.senders.received_by).await;
        for (mail, found) in mails.iter_mut().zip(found) {
            mail.reading.head.authentication = mail.reading.head.authentication.take().or(found);
        }
    }

    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, Stopped> {
        settled(self.handle.call(work).await.map_err(|_| Stopped)?)
    }
}

/// Intake ends with the first step that fails.
fn settled<T>(outcome: Result<T, EngineError>) -> Result<T, Stopped> {
    outcome.map_err(|fault| {
        tracing::error!(%fault, "intake ends");
        Stopped
    })
}

impl Pace for Mailroom {
    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn next_poll(&self) {
        let rhythm: Option<Rhythm> = self.live.rules().schedule.poll.parse().ok();
        let next = rhythm.and_then(|rhythm| rhythm.next_after(self.clock.now()));
        match self.clock {
            // A clock that stands still never reaches its next beat.
            Clock::Frozen(_) | Clock::Manual(_) => tokio::time::sleep(Duration::from_secs(1)).await,
            Clock::System | Clock::Scaled { .. } => sleep_until(&self.clock, next).await,
        }
    }
}
