//! The CA changes while the real daemon runs (issue C 1): by `annai ca`, over real TLS, without a restart.
#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "e2e/officer.rs"]
#[expect(dead_code, reason = "the officer of tests/e2e.rs, of whom not all is needed here")]
mod officer;
#[path = "pickup/offices.rs"]
mod offices;
mod support;

use annai::clock::monotonic;
use officer::{Officer, open_pages};
use offices::{Office, offices};
use std::process::Command;
use support::local::Local;
use support::place::{PATIENCE, Running, said};

const REGISTERED: &str = "2020-04-24T10:00:00+09:00";
const RELOADED: &str = "rules and templates reloaded";
const NOW: &str = "2020-05-01T10:30:00+09:00";

fn annai(local: &Local, args: &[&str]) -> String {
    let said = said(&mut local.place.command(NOW, args));
    assert_eq!(said.code, Some(0), "{args:?}: {}{}", said.stdout, said.stderr);
    said.stdout
}

/// The gate follows the authority within seconds.
fn wait_for(officer: &Officer, word: &str) {
    let end = monotonic() + PATIENCE;
    loop {
        let page = officer.check();
        if page.contains(word) {
            return;
        }
        assert!(monotonic() < end, "never {word}: {page}");
    }
}

/// Which CA has signed what an officer took.
fn issuer(officer: &Officer) -> String {
    let said = Command::new("openssl")
        .args(["x509", "-noout", "-ext", "authorityKeyIdentifier", "-in"])
        .arg(officer.file("terminal.crt"))
        .output()
        .unwrap();
    let text = String::from_utf8(said.stdout).unwrap();
    text.lines().last().unwrap().trim().to_owned()
}

#[test]
fn a_running_daemon_takes_up_a_new_ca_a_revocation_and_a_new_list() {
    let local = Local::start();
    let ports = open_pages(&local.place);
    let offices = offices(&local.place, REGISTERED, 1);
    local.receiver.set_now(NOW);
    let mut daemon = Running::start(local.place.command(NOW, &["serve"]).env_remove("ANNAI_SEED"));
    let takes = |office: &Office| {
        let officer = Officer::new(ports).trust(&local.place.file("tls-cert.pem"));
        officer.pick_up(&format!("https://x/p/{}", office.code), &office.password).unwrap();
        officer
    };
    let first = takes(&offices[0]);
    wait_for(&first, "この端末で利用できます");

    let made = annai(&local, &["ca", "rotate", "--reason", "年度の切替え"]);
    assert!(made.contains("を使用します") && !made.contains("再起動"), "{made}");
    let second = takes(&offices[1]);
    assert_ne!(issuer(&first), issuer(&second), "the new CA signs at once");
    wait_for(&second, "この端末で利用できます");
    wait_for(&first, "この端末で利用できます");
    let log = annai(&local, &["audit", "tail", "-n", "200"]);
    assert!(log.contains("発行認証局") && log.contains("年度の切替え"), "{log}");

    // A CA that somebody only put there is neither trusted nor handed out to gateways.
    let bundle = local.place.file("bundle.pem");
    let count = || std::fs::read_to_string(&bundle).unwrap().matches("-----BEGIN").count();
    annai(&local, &["ca", "bundle", bundle.to_str().unwrap()]);
    assert_eq!(count(), 3, "two issuing CAs and the root");

    annai(&local, &["tenant", "revoke", &offices[1].tenant.to_string(), "--reason", "key-compromise", "--apply"]);
    wait_for(&second, "失効しています");
    let lists = local.place.file("lists.pem");
    annai(&local, &["ca", "crl", "--renew", lists.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(&lists).unwrap().matches("-----BEGIN").count(), 3);
    wait_for(&first, "この端末で利用できます");
    // SIGHUP has the CA directory read in the same turn as the rules, without waiting for the look of every five seconds:
    // told to end right after that turn, the daemon has seen the file that has come. Two turns before have read the rest.
    let reload = |daemon: &mut Running| {
        daemon.signal("HUP");
        daemon.wait_for(RELOADED);
    };
    reload(&mut daemon);
    reload(&mut daemon);
    let ca = local.place.file("ca");
    let file = std::fs::read_dir(&ca).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_file()).unwrap();
    std::fs::copy(file, ca.join("note.txt")).unwrap();
    reload(&mut daemon);
    daemon.signal("TERM");
    let (code, log) = daemon.end();
    assert_eq!(code, Some(0), "{log}");
    let since = log.split(RELOADED).skip(2).collect::<String>();
    assert!(since.contains("the CA directory has changed and was read again"), "{log}");
}
