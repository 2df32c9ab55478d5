//! The engine's thread and the handle by which asynchronous edges reach it.
//!
//! One thread owns the engine and takes calls from a bounded queue. A second one flushes: all steps taken since the flush
//! before share one, and only after it their callers are answered (group commit; nobody hears of a step before its flush,
//! invariant I2). While one flush is under way the engine takes the steps of the next.
//! The engine's thread has a large stack, because it also re-reads mails for staff, and deep MIME trees cost stack.

use super::jobs::JobNo;
use super::{Engine, EngineError};
use crate::domain::Timestamp;
use crate::store::Store;
use crate::workflow::earlier;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{oneshot, watch};

/// Calls waiting for the engine at most; callers beyond that wait.
pub const QUEUE_MAX: usize = 1024;
/// Calls after which what is due next is told, even if more are waiting. One call may file a hundred mails, and their
/// letters leave only once somebody has been told.
pub const TELL_AFTER: usize = 2;
/// Stack of the engine's thread, in bytes.
pub const STACK_BYTES: usize = 64 * 1024 * 1024;

type Call = Box<dyn FnOnce(&mut Engine) -> Reply + Send>;
/// Sends the answer once the flush has succeeded (`true`), or drops it.
type Reply = Box<dyn FnOnce(bool) + Send>;

/// What is due next, after the latest step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Next {
    /// The next outgoing mail.
    pub due: Option<Timestamp>,
    /// The next wake, of a roster, a request or a wave.
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

/// Starts both threads. They end when every handle is gone.
pub fn start(engine: Engine) -> std::io::Result<(Handle, JoinHandle<()>)> {
    let (calls, queue) = sync_channel(QUEUE_MAX);
    let (tell, next) = watch::channel(Next::default());
    let tell = Bell(Arc::new(Mutex::new(Some(tell))));
    let (replies, taken) = channel();
    let store = Arc::clone(&engine.context.store);
    let bell = tell.clone();
    let flusher = std::thread::Builder::new().name("flush".to_owned()).spawn(move || flush(&store, &taken, &bell))?;
    let thread = std::thread::Builder::new().name("engine".to_owned()).stack_size(STACK_BYTES);
    let thread = thread.spawn(move || {
        // An error has been logged where it arose; dropping the bell tells everybody that the engine has stopped.
        let _stopped = run(engine, &queue, &replies, &tell);
        tell.silence();
        drop(replies);
        let _ended = flusher.join();
    })?;
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

    /// Does what is left of a job, one step after the other, until it is done or halted. Two that do so share the work.
    pub async fn work(&self, no: JobNo) {
        loop {
            match self.call(move |engine| engine.go_on(no)).await {
                Ok(Ok(true)) => {}
                Ok(Err(fault)) => {
                    tracing::error!(%fault, job = no.0, "a job stands still; it goes on at the next start");
                    return;
                }
                // Nothing is left, or annai is ending.
                Ok(Ok(false)) | Err(Stopped) => return,
            }
        }
    }

    /// Follows what is due next.
    pub fn next(&self) -> watch::Receiver<Next> {
        self.next.clone()
    }
}

/// Takes steps until every handle is gone or the store refuses.
fn run(mut engine: Engine, queue: &Receiver<Call>, replies: &Sender<Reply>, tell: &Bell) -> Result<(), Stopped> {
    let mut untold = 0;
    loop {
        let call = match queue.try_recv() {
            Ok(call) if untold < TELL_AFTER => call,
            Ok(call) => {
                tell.ring(&engine)?;
                untold = 0;
                call
            }
            Err(TryRecvError::Empty) => {
                tell.ring(&engine)?;
                untold = 0;
                let Ok(call) = queue.recv() else { return Ok(()) };
                call
            }
            Err(TryRecvError::Disconnected) => return Ok(()),
        };
        untold += 1;
        replies.send(call(&mut engine)).map_err(|_| Stopped)?;
    }
}

/// Makes durable what was staged, then answers who waits for it.
fn flush(store: &Store, taken: &Receiver<Reply>, bell: &Bell) {
    while let Ok(first) = taken.recv() {
        let group: Vec<Reply> = std::iter::once(first).chain(taken.try_iter()).collect();
        let flushed = store.commit();
        let durable = flushed.is_ok();
        for reply in group {
            reply(durable);
        }
        if let Err(fault) = flushed {
            tracing::error!(%fault, "the engine stops: issuing and sending end here");
            bell.silence();
            return;
        }
    }
}

/// Tells what is due next; silent once the engine has stopped.
#[derive(Clone)]
struct Bell(Arc<Mutex<Option<watch::Sender<Next>>>>);

impl Bell {
    fn ring(&self, engine: &Engine) -> Result<(), Stopped> {
        let next =
            engine.next_due().and_then(|due| Ok(Next { due, wake: earlier(engine.next_wake()?, engine.next_chore()) }));
        let next = next.map_err(|fault| {
            tracing::error!(%fault, "the engine stops: what is due next cannot be read");
            Stopped
        })?;
        let tell = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tell = tell.as_ref().ok_or(Stopped)?;
        tell.send_if_modified(|known| std::mem::replace(known, next) != next);
        Ok(())
    }

    fn silence(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::crypto::MasterKey;
    use crate::domain::{RowNo, Secret};
    use crate::engine::{Chance, Post, SYSTEM, Setup};
    use crate::letters::{Desk, TemplateFiles, Templates, ZipMethod};
    use crate::rules::{RuleFiles, Rules};
    use crate::store::{Options, Table};
    use serde_json::json;
    use std::time::Duration;

    fn setup() -> Setup {
        let post = Post {
            from: "noreply@followup.example".parse().unwrap(),
            contractor: "desk@example.jp".parse().unwrap(),
            ministry: "ministry@example.jp".parse().unwrap(),
            bounce: "bounce@followup.example".parse().unwrap(),
            pickup_url: "https://pickup.example".to_owned(),
            gate_url: None,
            unzip_password: Secret::new("unzipSecret77".to_owned()),
            zip_method: ZipMethod::ZipCrypto,
        };
        let desk = Desk {
            contractor_name: "受託者".to_owned(),
            contractor: post.contractor.clone(),
            ministry: post.ministry.clone(),
            from: post.from.clone(),
        };
        Setup {
            rules: Arc::new(Rules::parse(&RuleFiles::embedded()).unwrap()),
            templates: Arc::new(Templates::parse(&TemplateFiles::embedded(), &desk).unwrap()),
            post,
        }
    }

    /// An engine over a new store, its threads and a runtime to ask from.
    struct Running {
        store: Arc<Store>,
        handle: Handle,
        thread: JoinHandle<()>,
        runtime: tokio::runtime::Runtime,
        _scratch: tempfile::TempDir,
    }

    fn running() -> Running {
        let scratch = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(&scratch.path().join("state"), Options::default()).unwrap());
        let keys = MasterKey::from_bytes([7; 32]);
        let (clock, _hand) = Clock::manual("2020-04-27T08:00:00+09:00".parse().unwrap());
        let chance = Chance::Seeded { seed: 1, drawn: 0 };
        let engine = Engine::open(Arc::clone(&store), setup(), keys, clock, chance).unwrap();
        let (handle, thread) = start(engine).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Running { store, handle, thread, runtime, _scratch: scratch }
    }

    fn note(engine: &mut Engine) -> Result<(), EngineError> {
        engine.step(SYSTEM, |step| {
            step.note(json!({"event": "tried"}));
            Ok(())
        })
    }

    /// I2: the step is taken and seen, and its caller hears nothing before the flush.
    #[test]
    fn nobody_is_answered_before_the_flush() {
        let Running { store, handle, thread, runtime, _scratch } = running();
        let held = store.hold_commits();
        let (tell, taken) = oneshot::channel();
        let step = move |engine: &mut Engine| {
            note(engine)?;
            tell.send(()).unwrap();
            Ok(())
        };
        let mut answer = runtime.block_on(handle.send(step)).unwrap();
        runtime.block_on(taken).unwrap();
        let early = runtime.block_on(async { tokio::time::timeout(Duration::from_millis(200), &mut answer).await });
        assert!(early.is_err(), "answered while nothing could be durable");
        drop(held);
        runtime.block_on(answer).unwrap().unwrap();
        drop(handle);
        thread.join().unwrap();
    }

    /// I2, I11: a flush that failed is no success, and nothing is taken after it.
    #[test]
    fn nobody_is_answered_after_a_flush_that_failed() {
        let Running { store, handle, thread, runtime, _scratch } = running();
        *store.hold_commits() = true;
        assert!(runtime.block_on(handle.call(note)).is_err(), "answered although nothing is durable");
        let mut next = handle.next();
        runtime.block_on(async { while next.changed().await.is_ok() {} });
        assert!(
            !matches!(runtime.block_on(handle.call(note)), Ok(Ok(()))),
            "a step was taken after a flush that failed"
        );
        drop(handle);
        thread.join().unwrap();
    }

    /// A mailbox that fills faster than it is emptied does not keep letters back: what is due is told between the calls.
    #[test]
    fn what_is_due_is_told_although_calls_are_waiting() {
        let Running { store: _store, handle, thread, runtime, _scratch } = running();
        runtime.block_on(async {
            let next = handle.next();
            let (begin, wait) = channel::<()>();
            let all_queued = handle
                .send(move |_| wait.recv().map_err(|_| EngineError::Refused("the test has ended")))
                .await
                .unwrap();
            let wake = |engine: &mut Engine| {
                let at = engine.now();
                engine.step(SYSTEM, |step| {
                    step.put_bytes(Table::Due, crate::engine::codec::due(at, RowNo(1)), Vec::new());
                    Ok(())
                })
            };
            let mut answers = vec![handle.send(wake).await.unwrap()];
            for _ in 0..TELL_AFTER {
                answers.push(handle.send(|_| Ok(())).await.unwrap());
            }
            let told = handle.send(move |_| Ok(next.borrow().due)).await.unwrap();
            begin.send(()).unwrap();
            all_queued.await.unwrap().unwrap();
            assert!(told.await.unwrap().unwrap().is_some(), "nobody was told of a letter while calls were waiting");
        });
        drop(handle);
        thread.join().unwrap();
    }
}
