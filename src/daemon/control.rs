//! The control socket: `annai.sock` in the state directory, by which the commands of staff reach the running daemon.
//!
//! One connection carries one line of JSON each way: a [`Signed`] request, and `{"ok": …}` or `{"error": "sentence", "exit": 1}`
//! (2: wrong usage). Who asks is the Unix user at the other end as the kernel tells it, never what the client says;
//! or an account, if the request is signed with its password. The
//! socket has mode 0600 in a directory of mode 0700: only the daemon's user and root get through.
//!
//! Only who holds the lock of the state directory may bind, so what lies there under the name is what a killed daemon
//! left, and is removed.

mod client;
pub mod request;

pub use client::Door;
pub use request::{Caller, Request, Signature, Signed, answer, ask};

use crate::domain::Secret;
use crate::engine::EngineError;
use crate::engine::jobs::Pace;
use crate::engine::people::Who;
use crate::engine::survey::Survey;
use crate::engine::thread::{Handle, Stopped};
use crate::health::Health;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Name of the socket in the state directory.
pub const SOCKET: &str = "annai.sock";
/// Longest path of a socket, in bytes (`sun_path` of Linux and BSD, without its NUL).
pub const SOCKET_PATH_BYTES_MAX: usize = 103;
/// Longest request line, in bytes.
pub const REQUEST_BYTES_MAX: usize = 64 * 1024;
/// Connections served at once; further ones wait.
pub const CONNECTIONS_MAX: usize = 16;
/// How long a client may take to send its line, and to take the answer.
pub const LINE_WAIT: Duration = Duration::from_secs(10);
/// How long a client waits for its answer: verifying a long journal takes time.
pub const ANSWER_WAIT: Duration = Duration::from_mins(10);
/// How long requests under way may still take when the daemon ends.
pub const DRAIN_WAIT: Duration = Duration::from_secs(10);
/// Where the names of Unix users stand.
const PASSWD: &str = "/etc/passwd";

/// Why there is no control socket, or no way to it.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error(
        "the path of the control socket {path} has {length} bytes, at most {SOCKET_PATH_BYTES_MAX} are possible; choose a shorter state_dir"
    )]
    PathTooLong { path: String, length: usize },
    #[error("the control socket {path} cannot be made ({source}); look at the state directory")]
    Bind { path: String, source: std::io::Error },
    #[error("the daemon's socket {path} cannot be reached ({source}); run this as the user the daemon runs as")]
    Connect { path: String, source: std::io::Error },
    #[error("there is no state in {path}; correct state_dir in the configuration, or let `annai serve` make it")]
    NoState { path: String },
    #[error("the system does not say which user this is ({0})")]
    WhoAmI(std::io::Error),
    #[error(transparent)]
    Signature(Refusal),
}

/// A request that was not carried out: one sentence, and the exit code it means.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Refusal {
    pub sentence: String,
    /// 1 failed, 2 wrong usage.
    pub exit: u8,
}

/// One answer line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Answer {
    Refused { error: String, exit: u8 },
    Done { ok: Value },
}

impl Refusal {
    fn failed(sentence: String) -> Self {
        Self { sentence, exit: 1 }
    }

    fn of(fault: &EngineError) -> Self {
        let exit = if matches!(fault, EngineError::Input(_)) { 2 } else { 1 };
        Self { sentence: fault.to_string(), exit }
    }
}

/// The bound socket; its name goes when this does.
#[derive(Debug)]
pub struct Control {
    listener: std::os::unix::net::UnixListener,
    path: PathBuf,
}

impl Drop for Control {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.path);
    }
}

/// Where the socket of a state directory is.
pub fn socket_path(state_dir: &Path) -> Result<PathBuf, ControlError> {
    let path = state_dir.join(SOCKET);
    let length = path.as_os_str().len();
    if length > SOCKET_PATH_BYTES_MAX {
        return Err(ControlError::PathTooLong { path: path.display().to_string(), length });
    }
    Ok(path)
}

impl Control {
    /// Binds the socket. The caller holds the lock of the state directory (its store is open).
    pub fn bind(state_dir: &Path) -> Result<Self, ControlError> {
        let path = socket_path(state_dir)?;
        let fault = |source| ControlError::Bind { path: path.display().to_string(), source };
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fault(error)),
            Ok(()) | Err(_) => {}
        }
        let listener = std::os::unix::net::UnixListener::bind(&path).map_err(fault)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(fault)?;
        listener.set_nonblocking(true).map_err(fault)?;
        Ok(Self { listener, path: path.clone() })
    }

    /// Serves until told to end; requests under way are finished first.
    pub(super) async fn serve(
        &self,
        handle: Handle,
        survey: Survey,
        health: Arc<Health>,
        mut told: watch::Receiver<bool>,
    ) {
        let listener = match self.listener.try_clone().and_then(UnixListener::from_std) {
            Ok(listener) => listener,
            Err(fault) => {
                tracing::error!(%fault, "the control socket cannot be served; commands of staff will not get through");
                return;
            }
        };
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut open = JoinSet::new();
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = told.wait_for(|now| *now) => break,
            };
            while open.try_join_next().is_some() {}
            match accepted {
                Ok((stream, _)) => {
                    let (handle, survey, health) = (handle.clone(), survey.clone(), Arc::clone(&health));
                    open.spawn(async move {
                        converse(stream, &handle, &survey, &health).await;
                        drop(place);
                    });
                }
                Err(fault) => {
                    tracing::warn!(%fault, "a control connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        let _in_time = timeout(DRAIN_WAIT, async { while open.join_next().await.is_some() {} }).await;
    }
}

/// One request, one answer.
async fn converse(stream: UnixStream, handle: &Handle, survey: &Survey, health: &Health) {
    let who = match stream.peer_cred() {
        Ok(peer) => user_name(peer.uid()),
        Err(fault) => {
            tracing::warn!(%fault, "a control connection without a known user is closed");
            return;
        }
    };
    let mut stream = BufReader::new(stream).take(REQUEST_BYTES_MAX as u64);
    let mut line = Vec::new();
    let answer = match timeout(LINE_WAIT, stream.read_until(b'\n', &mut line)).await {
        // Closed without a word: somebody looked whether we are here.
        Ok(Ok(0)) | Err(_) => return,
        Ok(Ok(_)) if line.last() != Some(&b'\n') => {
            Answer::Refused { error: format!("a request is one line of at most {REQUEST_BYTES_MAX} bytes"), exit: 2 }
        }
        Ok(Ok(_)) => carry_out(&line, who, handle, survey, health).await,
        Ok(Err(fault)) => {
            tracing::debug!(%fault, "a control connection was cut");
            return;
        }
    };
    let Ok(mut bytes) = serde_json::to_vec(&answer) else { return };
    bytes.push(b'\n');
    let mut stream = stream.into_inner().into_inner();
    // Whoever asked may have gone away; what was done stands all the same.
    let _gone = timeout(LINE_WAIT, stream.write_all(&bytes)).await;
}

async fn carry_out(line: &[u8], who: String, handle: &Handle, survey: &Survey, health: &Health) -> Answer {
    // Unsigned, a line is the request itself.
    let plain = serde_json::from_slice(line).map(|order| Signed { signature: None, order });
    let signed = match plain.or_else(|fault| serde_json::from_slice::<Signed>(line).map_err(|_| fault)) {
        Ok(signed) => signed,
        Err(fault) => {
            let error = format!("this is no request this annai knows ({fault}); use the annai of the daemon's version");
            return Answer::Refused { error, exit: 2 };
        }
    };
    let Signed { signature, order: request } = signed;
    let who = match signature {
        None => Who::Local(who),
        Some(signature) => {
            let name = signature.name.clone();
            match proven(signature, survey.clone()).await {
                Ok(who) => who,
                Err(Refusal { sentence, exit }) => {
                    let from = format!("{SOCKET}, {who}");
                    let _noted = handle.call(move |engine| engine.log_in_failed(&name, &from)).await;
                    return Answer::Refused { error: sentence, exit };
                }
            }
        }
    };
    let caller = Caller { who, vitals: Some(health.vitals()) };
    let outcome = if request.is_beside() {
        let (who, right) = (caller.who.clone(), request.right());
        let allowed = handle.call(move |engine| request::check(engine, &who, right)).await;
        match allowed {
            // Reading may take its time; the engine's thread goes on meanwhile.
            Ok(Ok(())) => {
                let view = survey.view();
                tokio::task::spawn_blocking(move || ask(&view, &caller, &request)).await.map_err(|_| Stopped)
            }
            Ok(Err(fault)) => Ok(Err(fault)),
            Err(stopped) => Err(stopped),
        }
    } else {
        let taken_up = if let Request::SteerJob { no, pace: Pace::Running } = &request { Some(*no) } else { None };
        let done = handle.call(move |engine| answer(engine, &caller, &request)).await;
        if let (Ok(Ok(_)), Some(no)) = (&done, taken_up) {
            let handle = handle.clone();
            tokio::spawn(async move { handle.work(no).await });
        }
        done
    };
    match outcome {
        Ok(Ok(value)) => Answer::Done { ok: value },
        Ok(Err(fault)) => {
            let Refusal { sentence, exit } = Refusal::of(&fault);
            Answer::Refused { error: sentence, exit }
        }
        Err(stopped) => Answer::Refused { error: stopped.to_string(), exit: 1 },
    }
}

/// The account of a signature, its password verified on a thread of its own.
async fn proven(signature: Signature, survey: Survey) -> Result<Who, Refusal> {
    let verified = tokio::task::spawn_blocking(move || verified(signature, &survey)).await;
    verified.unwrap_or_else(|_| Err(Refusal::failed("the password could not be verified; try again".to_owned())))
}

fn verified(Signature { name, password }: Signature, survey: &Survey) -> Result<Who, Refusal> {
    match survey.prove(&name, &Secret::new(password)) {
        Ok(Some(_)) => Ok(Who::Signed(name)),
        Ok(None) => Err(Refusal::failed("the account or its password is wrong; type both again".to_owned())),
        Err(fault) => Err(Refusal::of(&fault)),
    }
}

/// The name of a Unix user where the system's file has one, else its number.
fn user_name(uid: u32) -> String {
    let known = std::fs::read_to_string(PASSWD).unwrap_or_default();
    name_in(&known, uid).unwrap_or_else(|| uid.to_string())
}

/// The name of `uid` in a file like `/etc/passwd` (`name:password:uid:…`).
fn name_in(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(uid) && !name.is_empty()).then(|| name.to_owned())
    })
}

/// The user who runs this process, told by the kernel in the same way.
fn own_user() -> Result<String, ControlError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(ControlError::WhoAmI)?;
    let peer = runtime.block_on(async { UnixStream::pair()?.0.peer_cred() }).map_err(ControlError::WhoAmI)?;
    Ok(user_name(peer.uid()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_named_by_the_system() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nannai:x:998:998::/:/bin/false\n:x:7:7:::\nbroken\n";
        assert_eq!(name_in(passwd, 998).as_deref(), Some("annai"));
        assert_eq!(name_in(passwd, 7), None);
        assert_eq!(name_in(passwd, 5), None);
    }

    #[test]
    fn a_path_too_long_for_a_socket_is_told() {
        let fault = socket_path(Path::new(&format!("/{}", "x".repeat(120)))).unwrap_err();
        assert!(fault.to_string().contains("132 bytes") && fault.to_string().ends_with("choose a shorter state_dir"));
    }

    #[test]
    fn answers_are_lines_with_ok_or_error() {
        let line = serde_json::to_string(&Answer::Done { ok: serde_json::json!([1]) }).unwrap();
        assert_eq!(line, r#"{"ok":[1]}"#);
        assert!(matches!(serde_json::from_str(&line), Ok(Answer::Done { .. })));
        let refused = r#"{"error":"no","exit":2}"#;
        assert!(matches!(serde_json::from_str(refused), Ok(Answer::Refused { exit: 2, .. })));
    }
}
