//! A thread that reads mails: deep MIME trees cost stack, so it has a large one, and a panic in a parser makes one mail
//! unreadable instead of ending the daemon (invariant I10).

use crate::reading::{self, Reading};
use crate::rules::Rules;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use tokio::sync::oneshot;

/// Stack of the reading thread, in bytes.
pub const STACK_BYTES: usize = 64 * 1024 * 1024;
/// Batches waiting at most.
const QUEUE_MAX: usize = 4;

type Job = Box<dyn FnOnce() + Send>;

/// Hands mails to the reading thread; cheap to clone.
#[derive(Debug, Clone)]
pub struct Reader {
    jobs: SyncSender<Job>,
}

impl Reader {
    pub fn start() -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel::<Job>(QUEUE_MAX);
        let thread = std::thread::Builder::new().name("reader".to_owned()).stack_size(STACK_BYTES);
        thread.spawn(move || queue.into_iter().for_each(|job| job()))?;
        Ok(Self { jobs })
    }

    /// Reads mails; the readings come back in the same order, with the mails.
    pub async fn read<T: AsRef<[u8]> + Send + 'static>(&self, mails: Vec<T>, rules: Arc<Rules>) -> Vec<(T, Reading)> {
        let (tell, answer) = oneshot::channel();
        let job: Job = Box::new(move || {
            let read = mails.into_iter().map(|mail| {
                let reading = reading::read_safely(mail.as_ref(), &rules);
                (mail, reading)
            });
            let _gone = tell.send(read.collect());
        });
        let jobs = self.jobs.clone();
        // The queue is short: waiting for a place must not block the runtime.
        let _sent = tokio::task::spawn_blocking(move || jobs.send(job)).await;
        answer.await.unwrap_or_default()
    }
}
