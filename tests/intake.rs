//! Intake against scripted servers (`tests/data/intake/*.case`, one file per trap) and against a real Dovecot.

#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "intake/real.rs"]
mod real;
#[path = "intake/shelf.rs"]
mod shelf;
mod support;

use annai::domain::Secret;
use annai::intake::{AfterFiling, ImapError, ImapSettings, Listed, Login, Session, once};
use annai::tls::Tls;
use shelf::{Shelf, Swift};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use support::script::Script;
use tokio::time::Instant;

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/intake")
}

/// Every case, each in a runtime of its own so that one stopped clock does not stop the others.
#[test]
fn scripted_servers() {
    let mut names: Vec<String> = std::fs::read_dir(cases())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| Path::new(name).extension().is_some_and(|kind| kind == "case"))
        .collect();
    names.sort();
    assert!(names.len() >= 40, "cases are missing");
    let failures: Vec<String> =
        names.iter().filter_map(|name| check(name).err().map(|e| format!("{name}: {e}"))).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn check(name: &str) -> Result<(), String> {
    let script = Script::load(&cases(), name);
    let (end, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _ = end.send(runtime.block_on(play(script)));
    });
    // By a clock that no case can stop: a case that hangs is a fault, not a long night.
    ended.recv_timeout(Duration::from_secs(30)).map_err(|e| format!("no end: {e}"))?
}

async fn play(script: Script) -> Result<(), String> {
    let (ops, mut wants) = (script.values("op"), script.values("want"));
    let acts = script.values("acts");
    let sets = script.values("set");
    let (port, server) = script.serve().await;
    let token_dir = tempfile::tempdir().unwrap();
    let settings = settings(port, &sets, token_dir.path());
    let start = Instant::now();
    if sets.iter().any(|set| set == "stopped-clock") {
        tokio::time::pause();
    }
    wants.reverse();
    let mut want = || wants.pop().unwrap_or_default();
    if ops.first().is_some_and(|op| op == "once") {
        same(&want(), &run_once(&settings).await)?;
    } else {
        match Session::open(&settings).await {
            Err(error) => {
                same(&want(), &error.to_string())?;
                if let Some(acts) = acts.first() {
                    same(acts, &format!("{:?}", error.acts()))?;
                }
            }
            Ok(mut session) => {
                for op in &ops {
                    let done = perform(&mut session, op, &settings, start).await.unwrap_or_else(|e| e.to_string());
                    same(&want(), &done)?;
                }
            }
        }
    }
    same("", &want())?;
    server.await.unwrap()
}

fn same(want: &str, got: &str) -> Result<(), String> {
    if want == got { Ok(()) } else { Err(format!("\n  want {want}\n  got  {got}")) }
}

/// User `user`, password `pass`, clear text, unless the script sets otherwise.
fn settings(port: u16, sets: &[String], dir: &Path) -> ImapSettings {
    let mut settings = ImapSettings {
        host: "localhost".to_owned(),
        port,
        tls: Tls::None,
        ca_file: None,
        user: "user".to_owned(),
        login: Login::Password(Secret::new("pass".to_owned())),
        mailbox: "INBOX".to_owned(),
        after: AfterFiling::default(),
    };
    for set in sets {
        match set.split_once(' ').unwrap_or((set, "")) {
            ("starttls", _) => settings.tls = Tls::StartTls,
            ("mailbox", name) => name.clone_into(&mut settings.mailbox),
            ("password", password) => settings.login = Login::Password(Secret::new(password.to_owned())),
            ("after", "nothing") => settings.after = AfterFiling::Nothing,
            ("after", folder) => settings.after = AfterFiling::Move(folder.strip_prefix("move ").unwrap().to_owned()),
            ("token", token) => {
                let file = dir.join("token");
                std::fs::write(&file, format!("{token}\n")).unwrap();
                settings.login = Login::XOAuth2TokenFile(file);
            }
            ("stopped-clock", _) => {}
            (other, _) => panic!("unknown setting {other}"),
        }
    }
    settings
}

/// One `op:` line; what came of it in the words of a `want:` line.
async fn perform(
    session: &mut Session,
    op: &str,
    settings: &ImapSettings,
    start: Instant,
) -> Result<String, ImapError> {
    let (verb, rest) = op.split_once(' ').unwrap_or((op, ""));
    let numbers = || -> Vec<u32> { rest.split_whitespace().map(|n| n.parse().unwrap()).collect() };
    let listed = |rest: &str| -> Vec<Listed> {
        let pairs = rest.split_whitespace().map(|pair| pair.split_once(':').unwrap());
        pairs.map(|(uid, octets)| Listed { uid: uid.parse().unwrap(), octets: octets.parse().unwrap() }).collect()
    };
    let ok = |()| "ok".to_owned();
    match verb {
        "select" => session.select().await.map(|opened| {
            let next = opened.uid_next.map_or("?".to_owned(), |next| next.to_string());
            let keywords = if opened.can_keep_keywords { " keywords" } else { "" };
            let access = if opened.read_only { "read-only" } else { "read-write" };
            format!("validity {} next {next} exists {} {access}{keywords}", opened.uid_validity, opened.exists)
        }),
        "uids" => session.uids_from(numbers()[0]).await.map(|uids| joined(&uids)),
        "unmarked" => session.unmarked_below(numbers()[0]).await.map(|uids| joined(&uids)),
        "sizes" => session
            .sizes(&numbers())
            .await
            .map(|sizes| joined(&sizes.iter().map(|mail| format!("{}:{}", mail.uid, mail.octets)).collect::<Vec<_>>())),
        "fetch" => {
            session.fetch(&listed(rest)).await.map(|mails| joined(&mails.iter().map(shelf::shown).collect::<Vec<_>>()))
        }
        "cancelled" => {
            let batch = listed(rest.strip_prefix("fetch ").unwrap());
            let fetching = session.fetch(&batch);
            // Long enough to have been sent, given up before an answer.
            let given_up = tokio::time::timeout(Duration::from_millis(50), fetching).await;
            Ok(if given_up.is_err() { "dropped" } else { "answered" }.to_owned())
        }
        "flag" => session.flag_processed(&numbers()).await.map(ok),
        "move" => {
            let AfterFiling::Move(folder) = &settings.after else { panic!("no folder set") };
            session.move_to(&numbers(), folder).await.map(ok)
        }
        "wait" => session.wait(Duration::MAX).await.map(|woken| format!("{woken:?}")),
        "noop" => session.noop().await.map(ok),
        "stop-clock" => {
            tokio::time::pause();
            Ok(ok(()))
        }
        "minutes" => Ok((start.elapsed().as_secs() / 60).to_string()),
        other => panic!("unknown op {other}"),
    }
}

async fn run_once(settings: &ImapSettings) -> String {
    let shelf = Shelf::default();
    let outcome = match once(settings, &shelf, &Swift).await {
        Ok(tally) => format!("filed {} truncated {} marked {}", tally.filed, tally.truncated, tally.marked),
        Err(halt) => halt.to_string(),
    };
    let mut text = outcome;
    write!(text, " | {}", joined(&shelf.mails().iter().map(shelf::shown).collect::<Vec<_>>())).unwrap();
    text
}

fn joined<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Clear text goes to loopback only, whatever the name of the host.
#[tokio::test]
async fn no_password_in_clear_over_a_network() {
    // 192.0.2.0/24 is for documentation (RFC 5737): the connection cannot succeed, and must not be needed to know.
    let mut open = settings(143, &[], Path::new(""));
    open.host = "192.0.2.1".to_owned();
    let error = Session::open(&open).await.unwrap_err();
    assert!(error.to_string().contains("is for loopback only"), "{error}");
}
