//! Batches of mails on their way from the server to the disk. Each stage works on a batch of its own: one is fetched, the
//! one before read, the one before that filed, and the oldest made durable. No stage waits for another's turn to end.

use super::archive::{Archive, Fetched, Stopped};
use crate::workflow::cursor::Cursor;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedSender, channel};

/// Batches that wait before a stage at most; the stage before it waits then too.
pub(super) const WAITING_MAX: usize = 1;
/// Batches handed over that are not durable yet, at most: while the disk is waited for, the next ones are filed and share
/// its next flush.
const FILINGS_MAX: usize = 3;

/// Mails in one of their forms, and the cursor after them.
pub(super) struct Batch<M> {
    pub(super) after: Cursor,
    pub(super) uids: Vec<u32>,
    /// Of these, not whole.
    pub(super) truncated: u32,
    pub(super) mails: M,
}

impl<M> Batch<M> {
    fn with<N>(self, mails: N) -> (M, Batch<N>) {
        (self.mails, Batch { after: self.after, uids: self.uids, truncated: self.truncated, mails })
    }
}

/// Carries everything that was fetched to the disk and tells what has become durable, in order. Ends when no more is
/// fetched; the error is that of the stage that stopped, the others end with it.
pub(super) async fn carry<A: Archive>(
    archive: &A,
    fetched: Receiver<Batch<Vec<Fetched>>>,
    durable: UnboundedSender<Batch<()>>,
) -> Result<(), Stopped> {
    let (to_file, read) = channel(WAITING_MAX);
    let (to_settle, filing) = channel(FILINGS_MAX);
    let stages =
        (reading(archive, fetched, to_file), handing_over(archive, read, to_settle), settling(filing, durable));
    let (read, handed_over, settled) = tokio::join!(stages.0, stages.1, stages.2);
    read.and(handed_over).and(settled)
}

async fn reading<A: Archive>(
    archive: &A,
    mut fetched: Receiver<Batch<Vec<Fetched>>>,
    next: Sender<Batch<A::Read>>,
) -> Result<(), Stopped> {
    while let Some(batch) = fetched.recv().await {
        let (mails, batch) = batch.with(());
        let read = archive.read(mails).await?;
        if next.send(batch.with(read).1).await.is_err() {
            break;
        }
    }
    Ok(())
}

async fn handing_over<A: Archive>(
    archive: &A,
    mut read: Receiver<Batch<A::Read>>,
    next: Sender<Batch<A::Filing>>,
) -> Result<(), Stopped> {
    while let Some(batch) = read.recv().await {
        let (mails, batch) = batch.with(());
        let filing = archive.file(batch.after, mails).await?;
        if next.send(batch.with(filing).1).await.is_err() {
            break;
        }
    }
    Ok(())
}

async fn settling<F: Future<Output = Result<(), Stopped>>>(
    mut filing: Receiver<Batch<F>>,
    durable: UnboundedSender<Batch<()>>,
) -> Result<(), Stopped> {
    while let Some(batch) = filing.recv().await {
        let (filing, batch) = batch.with(());
        filing.await?;
        if durable.send(batch).is_err() {
            break;
        }
    }
    Ok(())
}
