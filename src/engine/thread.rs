//! The engine's thread and the handle by which asynchronous edges reach it.
//!
//! One thread owns the engine. It takes calls from a bounded queue, runs as many as are waiting (at most [`GROUP_MAX`]),
//! flushes once, and only then answers them: group commit, and nobody hears of a step before its flush (invariant I2).
//! The thread has a large stack, because it also re-reads mails for staff, and deep MIME trees cost stack.

use super::{Engine, EngineError};
use crate::domain::Timestamp;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use tokio::sync::{oneshot, watch};

/// Calls waiting for the engine at most; callers beyond that wait.
pub const QUEUE_MAX: usize = 1024;
/// Calls that share one flush at most.
pub const GROUP_MAX: usize = 256;
/// Stack of the engine's thread, in bytes.
pub const STACK_BYTES: usize = 64 * 1024 * 1024;

type Call = Box<dyn FnOnce(&mut Engine) -> Reply + Send>;
/// Sends the answer once the flush has succeeded (`true`), or drops it.
type Reply = Box<dyn FnOnce(bool) + Send>;

/// What is due next, after the latest flush.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Next {
    /// The next outgoing mail.
    pub due: Option<Timestamp>,
    /// The next wake.
    pub wake: Option<Timestamp>,
}

/// The engine has stopped: after an error of the store, or because annai is ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the engine has stopped; the log says why")]
pub struct Stopped;

/// Reaches the engine from anywhere; cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    calls: SyncSender<Call>,
    next: watch::Receiver<Next>,
}

/// Starts the thread. It ends when every handle is gone.
pub fn start(engine: Engine) -> std::io::Result<(Handle, JoinHandle<()>)> {
    let (calls, queue) = sync_channel(QUEUE_MAX);
    let (tell, next) = watch::channel(Next::default());
    let thread = std::thread::Builder::new().name("engine".to_owned()).stack_size(STACK_BYTES);
    let thread = thread.spawn(move || run(engine, &queue, &tell))?;
    Ok((Handle { calls, next }, thread))
}

impl Handle {
    /// Runs `work` in the engine's thread; returns when it is durable.
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<Result<T, EngineError>, Stopped> {
        let answer = self.send(work).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// Hands `work` to the engine's thread and returns once it is accepted; the receiver resolves when it is durable.
    /// Calls of one caller run in the order they were sent.
    pub async fn send<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, EngineError>>, Stopped> {
        let (tell, answer) = oneshot::channel();
        let call: Call = Box::new(move |engine| {
            let outcome = work(engine);
            Box::new(move |durable| {
                if durable {
                    // Whoever asked may have gone away; the step stands all the same.
                    let _gone = tell.send(outcome);
                }
            })
        });
        match self.calls.try_send(call) {
            Ok(()) => Ok(answer),
            Err(std::sync::mpsc::TrySendError::Disconnected(_)) => Err(Stopped),
            Err(std::sync::mpsc::TrySendError::Full(call)) => {
                let calls = self.calls.clone();
                let sent = tokio::task::spawn_blocking(move || calls.send(call)).await;
                sent.map_err(|_| Stopped)?.map_err(|_| Stopped)?;
                Ok(answer)
            }
        }
    }

    /// Follows what is due next.
    pub fn next(&self) -> watch::Receiver<Next> {
        self.next.clone()
    }
}

fn run(mut engine: Engine, queue: &Receiver<Call>, tell: &watch::Sender<Next>) {
    if publish(&engine, tell).is_err() {
        return;
    }
    let mut replies: Vec<Reply> = Vec::with_capacity(GROUP_MAX);
    while let Ok(first) = queue.recv() {
        replies.push(first(&mut engine));
        while replies.len() < GROUP_MAX {
            let Ok(call) = queue.try_recv() else { break };
            replies.push(call(&mut engine));
        }
        let flushed = engine.commit().and_then(|()| publish(&engine, tell));
        let durable = flushed.is_ok();
        replies.drain(..).for_each(|reply| reply(durable));
        if let Err(fault) = flushed {
            tracing::error!(%fault, "the engine stops: issuing and sending end here");
            return;
        }
    }
}

fn publish(engine: &Engine, tell: &watch::Sender<Next>) -> Result<(), EngineError> {
    let next = Next { due: engine.next_due()?, wake: engine.next_wake()? };
    tell.send_if_modified(|known| std::mem::replace(known, next) != next);
    Ok(())
}
