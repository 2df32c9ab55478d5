//! A state directory of a test, the binary run on it, and the daemon over it in this process.

use annai::config::{Config, TestOverrides};
use annai::daemon::{Daemon, assembly};
use annai::engine::filing::Arrived;
use annai::reading::read;
use annai::workflow::cursor::Cursor;
use annai::workflow::delivery::Outcome;
use serde_json::Value;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// When the mails arrived.
const FILED: &str = "2020-05-07T10:00:00+09:00";
/// When staff look: an hour earlier, so that nothing is due and the daemon leaves everything as it is.
pub(crate) const LOOKED: &str = "2020-05-07T09:00:00+09:00";
const MAILS: [&str; 5] = [
    "reading/form-utf-8.eml",
    "reading/unknown-authority.eml",
    "reading/inquiry.eml",
    "cli/staff/hostile.eml",
    "reading/next-line.eml",
];
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    /// A state in which mails of several moods have arrived and one letter has failed once.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let made = Command::new(env!("CARGO_BIN_EXE_annai")).arg("init").arg(dir.path()).output().unwrap();
        assert!(made.status.success(), "{}", text(&made.stderr));
        std::fs::copy(data("cli/staff/annai.toml"), dir.path().join("annai.toml")).unwrap();
        let password = dir.path().join("secrets/imap-password");
        std::fs::write(&password, "x\n").unwrap();
        std::fs::set_permissions(&password, Permissions::from_mode(0o600)).unwrap();
        let place = Self { dir };
        let mut engine = assembly::engine(&place.config(), at(FILED)).unwrap();
        let rules = Arc::clone(&engine.setup().rules);
        let arrived = MAILS.iter().zip(1..).map(|(name, uid)| {
            let raw = std::fs::read(data(name)).unwrap();
            Arrived { uid, reading: read(&raw, &rules), raw, truncated: false }
        });
        let mails: Vec<_> = arrived.collect();
        engine.file(Cursor { uid_validity: 7, uid_next: 6 }, mails).unwrap();
        engine.wake(100).unwrap();
        let [lease] = &engine.lease(1).unwrap()[..] else { panic!("one letter is due") };
        engine.answered(lease.row, &Outcome::NotSent { why: "no route".to_owned() }).unwrap();
        engine.commit().unwrap();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn config(&self) -> Config {
        Config::load(&self.path("annai.toml")).unwrap()
    }

    pub(crate) fn annai(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_annai"));
        command.args(args).arg("--config").arg(self.path("annai.toml")).current_dir(self.dir.path());
        command.env("ANNAI_NOW", LOOKED).env("ANNAI_SEED", "2").env("COLUMNS", "160").env_remove("ANNAI_LOG");
        command.stdin(Stdio::null()).output().unwrap()
    }

    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let output = self.annai(&[args, &["--json"]].concat());
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// The daemon in this process, frozen at the moment staff look.
pub(crate) struct Running {
    runtime: Runtime,
    daemon: Arc<Daemon>,
    tell: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(place: &Place) -> Self {
        let runtime = Runtime::new().unwrap();
        let daemon = Arc::new(runtime.block_on(async { assembly::daemon(&place.config(), at(LOOKED)).unwrap() }));
        let (tell, told) = watch::channel(false);
        let run = Arc::clone(&daemon);
        let task = runtime.spawn(async move { run.run(told).await.unwrap() });
        Self { runtime, daemon, tell, task }
    }

    pub(crate) fn stop(self) {
        self.tell.send(true).unwrap();
        self.runtime.block_on(self.task).unwrap();
        self.runtime.shutdown_background();
        Arc::into_inner(self.daemon).unwrap().finish();
    }
}

pub(crate) fn at(now: &str) -> TestOverrides {
    TestOverrides { now: Some(now.parse().unwrap()), seed: Some(1) }
}

pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
