//! A directory made by `annai init`, its annai.toml and rules edited as staff would edit them, and the real binary run
//! in it at a chosen moment. Randomness is fixed ([`SEED`]), so a failure repeats.

use annai::clock::monotonic;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const SEED: &str = "2020";
/// Longest wait for something a daemon should say or do.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Place {
    dir: TempDir,
}

/// What one run said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A daemon that keeps running, and its log line by line.
pub(crate) struct Running {
    pub(crate) child: Child,
    log: Receiver<String>,
    /// All lines so far.
    pub(crate) heard: String,
}

impl Place {
    /// `annai init`; after it clock and randomness are open to tests.
    pub(crate) fn init() -> Self {
        let place = Self { dir: TempDir::with_prefix("annai-place-").expect("a scratch directory") };
        let said = said(annai().arg("init").arg(place.file("")));
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        place.set("test", "enabled", "true");
        place
    }

    /// A path below the directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("annai").join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Sets one key of one section of annai.toml: the line that has it is replaced, a commented one as well.
    pub(crate) fn set(&self, section: &str, key: &str, value: &str) {
        self.edit("annai.toml", |text| {
            let mut inside = false;
            let mut done = false;
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            for line in &mut lines {
                if line.starts_with('[') {
                    inside = *line == format!("[{section}]");
                }
                let bare = line.trim_start_matches("# ");
                if inside && !done && bare.strip_prefix(key).is_some_and(|rest| rest.starts_with(" = ")) {
                    *line = format!("{key} = {value}");
                    done = true;
                }
            }
            assert!(done, "annai.toml as written by init has no {section}.{key}");
            lines.join("\n") + "\n"
        });
    }

    /// Changes a file in place.
    pub(crate) fn edit(&self, name: &str, change: impl FnOnce(String) -> String) {
        fs::write(self.file(name), change(self.read(name))).expect("write");
    }

    /// Replaces one passage of a file, which must be there.
    pub(crate) fn replace(&self, name: &str, from: &str, to: &str) {
        self.edit(name, |text| {
            assert!(text.contains(from), "{name} has no {from}");
            text.replace(from, to)
        });
    }

    /// A file that only its owner can read.
    pub(crate) fn secret(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).expect("write secret");
        fs::set_permissions(self.file(name), fs::Permissions::from_mode(0o600)).expect("chmod");
    }

    /// The binary with this configuration, time and chance fixed.
    pub(crate) fn command(&self, now: &str, args: &[&str]) -> Command {
        let mut command = annai();
        command.args(args).arg("--config").arg(self.file("annai.toml")).env("ANNAI_NOW", now).env("ANNAI_SEED", SEED);
        command
    }

    /// `serve --once`, whatever comes of it.
    pub(crate) fn try_once(&self, now: &str) -> Said {
        said(&mut self.command(now, &["serve", "--once"]))
    }

    /// `serve --once`, which must succeed.
    pub(crate) fn once(&self, now: &str) -> Said {
        let said = self.try_once(now);
        assert_eq!(said.code, Some(0), "at {now}: {}", said.stderr);
        said
    }

    /// `serve`, up to the line that says it runs.
    pub(crate) fn serve(&self, now: &str) -> Running {
        Running::start(&mut self.command(now, &["serve"]))
    }
}

impl Running {
    /// Starts a daemon and waits for the line that says it runs.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("annai runs");
        let stderr = BufReader::new(child.stderr.take().expect("stderr is piped"));
        let (tell, log) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
        let mut running = Self { child, log, heard: String::new() };
        running.wait_for("annai is running");
        running
    }

    /// Reads the log up to a line with `text`.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let end = monotonic() + PATIENCE;
        loop {
            match self.log.recv_timeout(end.saturating_duration_since(monotonic())) {
                Ok(line) => {
                    self.heard.push_str(&line);
                    self.heard.push('\n');
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("never said {text:?}:\n{}", self.heard),
                Err(RecvTimeoutError::Disconnected) => panic!("ended without saying {text:?}:\n{}", self.heard),
            }
        }
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.expect("kill").success());
    }

    /// Waits for its end and returns the exit code.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().expect("it ends");
        while let Ok(line) = self.log.recv() {
            self.heard.push_str(&line);
            self.heard.push('\n');
        }
        (status.code(), std::mem::take(&mut self.heard))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A file of `tests/data/e2e`.
pub(crate) fn sample(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/e2e").join(name);
    fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A report that the mail with this envelope came back, for good (RFC 3464).
pub(crate) fn returned(envelope_from: &str, to: &str, message_id: &str) -> Vec<u8> {
    let text = String::from_utf8(sample("dsn.eml")).expect("ASCII");
    text.replace("{verp}", envelope_from).replace("{to}", to).replace("{message_id}", message_id).into_bytes()
}

fn annai() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_annai"));
    for name in ["ANNAI_CONFIG", "ANNAI_NOW", "ANNAI_SEED", "ANNAI_LOG"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn said(command: &mut Command) -> Said {
    let output = command.output().expect("annai runs");
    Said {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
