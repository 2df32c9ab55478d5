//! The other end: asks the running daemon, or opens the closed store and answers itself. Both give the same.

use super::{ANSWER_WAIT, Answer, ControlError, REQUEST_BYTES_MAX, Refusal, Request, Signature, Signed, socket_path};
use crate::config::{Config, TestOverrides};
use crate::daemon::assembly::{self, AssemblyError};
use crate::daemon::control::request::{Caller, answer};
use crate::engine::people::Who;
use crate::engine::thread::STACK_BYTES;
use crate::engine::{Engine, EngineError};
use crate::store::{Store, StoreError};
use serde::Serialize;
use serde_json::Value;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a command waits for another one that holds the store.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Between two looks whether the store is free.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// A way to the state: through the daemon that holds it, or on our own.
#[derive(Debug)]
pub enum Door {
    Daemon { path: PathBuf, signature: Option<Signature> },
    Store { engine: Box<Engine>, caller: Caller },
}

impl Door {
    /// Takes the daemon if one is listening, else opens the store.
    /// `signature`: acts as that account instead of as the local user.
    ///
    /// Another command may hold the store for the moment it takes: this waits [`LOCK_WAIT`] for it. A state directory that
    /// holds no state is told, not made: it may be mistyped.
    pub fn open(
        config: &Config,
        overrides: TestOverrides,
        signature: Option<&Signature>,
    ) -> Result<Self, AssemblyError> {
        let mut waited = Duration::ZERO;
        loop {
            match Self::try_open(config, overrides, signature.cloned()) {
                Err(AssemblyError::Store(StoreError::Locked { .. })) if waited < LOCK_WAIT => {
                    pause();
                    waited += LOCK_PAUSE;
                }
                opened => return opened,
            }
        }
    }

    fn try_open(
        config: &Config,
        overrides: TestOverrides,
        signature: Option<Signature>,
    ) -> Result<Self, AssemblyError> {
        let path = socket_path(&config.state_dir)?;
        match UnixStream::connect(&path) {
            Ok(_) => Ok(Self::Daemon { path, signature }),
            // No daemon, or what a killed one left behind.
            Err(fault) if matches!(fault.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                if !Store::exists(&config.state_dir) {
                    let path = config.state_dir.display().to_string();
                    return Err(ControlError::NoState { path }.into());
                }
                let engine = Box::new(assembly::engine(config, overrides)?);
                let who = match signature {
                    None => Who::Local(super::own_user()?),
                    Some(signature) => super::verified(signature, &engine.survey()).map_err(ControlError::Signature)?,
                };
                Ok(Self::Store { engine, caller: Caller { who, vitals: None } })
            }
            Err(source) => Err(ControlError::Connect { path: path.display().to_string(), source }.into()),
        }
    }

    /// Asks; returns when what was done is durable.
    pub fn ask(&mut self, request: &Request) -> Result<Value, Refusal> {
        match self {
            Self::Daemon { path, signature } => match signature {
                None => ask_daemon(path, request),
                signed => ask_daemon(path, &Signed { signature: signed.clone(), order: request.clone() }),
            },
            Self::Store { engine, caller } => on_a_large_stack(|| {
                let answered = answer(engine, caller, request)?;
                engine.commit()?;
                Ok(answered)
            })
            .map_err(|fault| Refusal::of(&fault)),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a command that waits for another one: no clock of the programme has a say"
)]
fn pause() {
    std::thread::sleep(LOCK_PAUSE);
}

/// Reading a mail again may need as much stack as the engine's thread has.
fn on_a_large_stack<T: Send>(work: impl FnOnce() -> Result<T, EngineError> + Send) -> Result<T, EngineError> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        let done = thread.map_err(|fault| EngineError::Record(format!("no thread could be started: {fault}")))?.join();
        done.unwrap_or_else(|_| Err(EngineError::Record("an internal fault".to_owned())))
    })
}

fn ask_daemon(path: &Path, request: &impl Serialize) -> Result<Value, Refusal> {
    let lost = |fault: std::io::Error| {
        Refusal::failed(format!("the daemon did not answer ({fault}); look at its log and at `annai status`"))
    };
    let mut line = serde_json::to_vec(request).map_err(|fault| Refusal::failed(fault.to_string()))?;
    line.push(b'\n');
    if line.len() > REQUEST_BYTES_MAX {
        return Err(Refusal { sentence: "the request is too long; give shorter values".to_owned(), exit: 2 });
    }
    let mut stream = UnixStream::connect(path).map_err(lost)?;
    stream.set_read_timeout(Some(ANSWER_WAIT)).map_err(lost)?;
    stream.write_all(&line).map_err(lost)?;
    let mut answer = Vec::new();
    BufReader::new(stream).read_until(b'\n', &mut answer).map_err(lost)?;
    match serde_json::from_slice(&answer) {
        Ok(Answer::Done { ok }) => Ok(ok),
        Ok(Answer::Refused { error, exit }) => Err(Refusal { sentence: error, exit }),
        Err(_) => Err(lost(ErrorKind::UnexpectedEof.into())),
    }
}
