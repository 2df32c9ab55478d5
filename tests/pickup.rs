//! `kill -9` of the real program while officers take their certificates, two requests each at once (invariants I5, I7; issue
//! C 3): never a second certificate, nothing signed without a stored intent, nothing lost, the same bytes for the same
//! browser again, and no key left afterwards.
//!
//! The seed of the moments is printed; `ANNAI_TEST_SEED=<u64>` draws the same ones again.

#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "pickup/browser.rs"]
mod browser;
#[path = "support/dice.rs"]
mod dice;
#[path = "pickup/offices.rs"]
mod offices;
mod support;

use annai::clock::monotonic;
use annai::domain::{Generation, TenantId};
use annai::engine::certificates::{CertificateRecord, Standing};
use annai::store::{Store, Table};
use browser::Browser;
use dice::{Dice, seed};
use offices::{Office, offices};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::mpsc::channel;
use std::time::Duration;
use support::local::{Local, records};
use support::place::Running;

/// Kills; the brief of this test asks for 60.
const KILLS: usize = 64;
/// Offices that take their certificate in one round.
const AT_ONCE: usize = 2;
/// Requests of one browser at once. With the one after the restart they are the three that are allowed.
const CLICKS: usize = 2;
/// A third of the kills comes this soon: before and just after the intent.
const SOON: Duration = Duration::from_millis(12);
/// Registered so early that everything may leave at [`NOW`].
const REGISTERED: &str = "2020-04-24T10:00:00+09:00";
const NOW: &str = "2020-05-01T10:30:00+09:00";
/// Eleven minutes later the files are gone.
const LATER: &str = "2020-05-01T10:41:00+09:00";

/// Where a kill has hit one office.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hit {
    BeforeTheIntent,
    BeforeDelivery,
    AfterDelivery,
}

#[test]
fn killed_while_certificates_are_taken() {
    let seed = seed(None);
    let mut dice = Dice(seed);
    let local = Local::start();
    let to = open_pages(&local);
    let mut waiting = offices(&local.place, REGISTERED, (KILLS + 1) * AT_ONCE / 2);

    // One round that nobody disturbs says how long a round takes.
    let calm: Vec<_> = waiting.drain(..AT_ONCE).collect();
    let daemon = serve(&local);
    let began = monotonic();
    let (browsers, answers) = clicked(to, &calm, |_| {});
    let whole = began.elapsed();
    assert!(answers.iter().flatten().all(browser::Answer::is_file));
    let mut taken: Vec<Taken> = browsers.into_iter().zip(answers).map(Taken::of).collect();
    stop(daemon);

    let (mut hits, mut before) = (BTreeMap::<Hit, usize>::new(), Vec::new());
    for no in 0..KILLS {
        let round: Vec<_> = waiting.drain(..AT_ONCE).collect();
        let delay = dice.wait(if no % 3 == 0 { SOON } else { whole.mul_f64(1.1) });
        let mut daemon = serve(&local);
        // Whoever was cut off in the last round comes again with the same browser.
        for cut in before.drain(..) {
            taken.push(Taken::again(cut, to));
        }
        let pid = daemon.child.id();
        let (browsers, answers) = clicked(to, &round, |_| {
            wait(delay);
            kill(pid);
        });
        assert!(daemon.child.wait().unwrap().code().is_none(), "round {no} ended by itself");
        let (_, log) = daemon.end();
        let store = local.store();
        check(&store, &log);
        for (browser, answers) in browsers.into_iter().zip(answers) {
            let record = record(&store, browser.office.tenant);
            let hit = match record.map(|record| record.standing) {
                None => Hit::BeforeTheIntent,
                Some(Standing::Ordered) => Hit::BeforeDelivery,
                Some(Standing::Issued { .. }) => Hit::AfterDelivery,
                Some(Standing::Revoked { .. }) => panic!("nobody revoked"),
            };
            *hits.entry(hit).or_default() += 1;
            let got = answers.into_iter().find(browser::Answer::is_file).map(|answer| answer.bytes);
            assert!(got.is_none() || hit == Hit::AfterDelivery, "a file nobody knows of");
            before.push((browser, got));
        }
    }
    let daemon = serve(&local);
    for cut in before.drain(..) {
        taken.push(Taken::again(cut, to));
    }
    stop(daemon);
    println!("{KILLS} kills, an undisturbed round {whole:?}, hits {hits:?}");
    assert_eq!(hits.len(), 3, "every stage was hit: {hits:?}; ANNAI_TEST_SEED={seed}");

    let store = local.store();
    assert_eq!(annai::engine::replay::audit(&store).unwrap().faults, Vec::<String>::new());
    let records: Vec<CertificateRecord> = records(&store, Table::Certificate);
    assert_eq!(records.len(), taken.len(), "one certificate each");
    assert!(records.iter().all(|record| matches!(record.standing, Standing::Issued { .. })), "nothing lost");
    let generations: BTreeSet<_> = records.iter().map(|r| (r.tenant, r.generation)).collect();
    assert_eq!(generations.len(), records.len());
    assert!(store.rows(Table::KeyFile).unwrap().count() >= 2 * taken.len(), "files are kept for their browsers");
    for taken in &taken {
        let record = records.iter().find(|r| r.tenant == taken.browser.office.tenant).unwrap();
        assert_eq!(taken.serial(), record.serial.to_string(), "{} has another certificate", record.tenant);
    }
    drop(store);

    // The few minutes are over: nothing of a key is left, and nobody gets anything more.
    local.receiver.set_now(LATER);
    let daemon = Running::start(local.place.command(LATER, &["serve"]).env_remove("ANNAI_SEED"));
    let mut last = taken.remove(0).browser;
    assert!(last.look(to).text().contains("取得済み"));
    stop(daemon);
    let store = local.store();
    assert_eq!(store.rows(Table::KeyFile).unwrap().count(), 0, "files that should be wiped");
}

/// A browser and the file it has in the end.
struct Taken {
    browser: Browser,
    file: Vec<u8>,
}

impl Taken {
    fn of((browser, answers): (Browser, Vec<browser::Answer>)) -> Self {
        let mut files: Vec<_> = answers.into_iter().map(|answer| answer.bytes).collect();
        files.dedup();
        assert_eq!(files.len(), 1, "two requests, two files");
        Self { browser, file: files.remove(0) }
    }

    /// The same browser comes again after the restart; it gets what it got before, if it got anything.
    fn again((mut browser, before): (Browser, Option<Vec<u8>>), to: SocketAddr) -> Self {
        let answer = browser.come_again(to);
        assert!(
            answer.is_file(),
            "{} lost its certificate: {} {}",
            browser.office.tenant,
            answer.status,
            answer.text()
        );
        if let Some(before) = before {
            assert!(before == answer.bytes, "{} got other bytes the second time", browser.office.tenant);
        }
        Self { browser, file: answer.bytes }
    }

    /// By openssl.
    fn serial(&self) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.p12");
        std::fs::write(&path, &self.file).unwrap();
        let pass = format!("pass:{}", self.browser.office.password);
        let pem = std::process::Command::new("openssl")
            .args(["pkcs12", "-nokeys", "-clcerts", "-passin", &pass, "-in"])
            .arg(&path)
            .output()
            .unwrap();
        std::fs::write(dir.path().join("x.pem"), pem.stdout).unwrap();
        let said = std::process::Command::new("openssl")
            .args(["x509", "-noout", "-serial", "-in"])
            .arg(dir.path().join("x.pem"))
            .output()
            .unwrap();
        let text = String::from_utf8(said.stdout).unwrap();
        text.trim().rsplit('=').next().unwrap().to_ascii_lowercase()
    }
}

/// Every office of a round goes up to the download and presses the button twice at once. `under_way` is called when all
/// requests have been sent.
fn clicked(
    to: SocketAddr,
    round: &[Office],
    under_way: impl FnOnce(&[Browser]),
) -> (Vec<Browser>, Vec<Vec<browser::Answer>>) {
    let mut browsers: Vec<_> = round.iter().cloned().map(Browser::new).collect();
    let tokens: Vec<_> = browsers.iter_mut().map(|browser| browser.up_to_the_download(to)).collect();
    let (sent, all) = channel();
    let answers = std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for (browser, token) in browsers.iter().zip(&tokens) {
            let clicks: Vec<_> = (0..CLICKS)
                .map(|_| {
                    let sent = sent.clone();
                    scope.spawn(move || browser.download(to, token, move || sent.send(()).unwrap()))
                })
                .collect();
            threads.push(clicks);
        }
        for _ in 0..round.len() * CLICKS {
            all.recv().unwrap();
        }
        under_way(&browsers);
        let joined = |clicks: Vec<std::thread::ScopedJoinHandle<'_, Option<browser::Answer>>>| {
            clicks.into_iter().filter_map(|click| click.join().unwrap()).collect::<Vec<_>>()
        };
        threads.into_iter().map(joined).collect::<Vec<_>>()
    });
    (browsers, answers)
}

/// At any moment: one record for a generation, the intent before anything of it, a course that agrees; and whatever was
/// about to be signed has its intent in the store.
fn check(store: &Store, log: &str) {
    assert_eq!(annai::engine::replay::audit(store).unwrap().faults, Vec::<String>::new());
    let records: Vec<CertificateRecord> = records(store, Table::Certificate);
    let mut seen = BTreeSet::<(TenantId, Generation)>::new();
    for record in &records {
        assert!(seen.insert((record.tenant, record.generation)), "two certificates for {}", record.tenant);
    }
    let known: BTreeSet<String> = records.iter().map(|record| record.serial.to_string()).collect();
    for line in log.lines().filter(|line| line.contains("the intent is stored; signing")) {
        assert!(known.iter().any(|serial| line.contains(serial)), "signed without a stored intent: {line}");
    }
    let mut ordered = BTreeSet::new();
    for entry in store.journal_entries(1) {
        let event = entry.unwrap().entry.event;
        let events = if let Value::Array(events) = event { events } else { vec![event] };
        for event in events {
            let serial = event["serial"].as_str().unwrap_or_default().to_owned();
            match event["event"].as_str() {
                Some("certificate-ordered") => assert!(ordered.insert(serial), "ordered twice"),
                Some("picked-up") => assert!(ordered.contains(&serial), "picked up before it was ordered"),
                Some(_) | None => {}
            }
        }
    }
    assert_eq!(ordered.len(), records.len(), "every record has its line");
}

fn record(store: &Store, tenant: TenantId) -> Option<CertificateRecord> {
    records::<CertificateRecord>(store, Table::Certificate).into_iter().find(|record| record.tenant == tenant)
}

fn wait(time: Duration) {
    let end = monotonic() + time;
    while let Some(rest) = end.checked_duration_since(monotonic()).filter(|rest| !rest.is_zero()) {
        std::thread::park_timeout(rest);
    }
}

fn kill(pid: u32) {
    let sent = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status();
    assert!(sent.expect("kill").success());
}

/// Pages on free ports, plain: a proxy stands in front of them.
fn open_pages(local: &Local) -> SocketAddr {
    let listeners = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    let [pickup, console] = listeners.map(|listener| listener.local_addr().unwrap());
    local.place.set("web", "pickup_listen", &format!("\"{pickup}\""));
    local.place.set("web", "console_listen", &format!("\"{console}\""));
    // `annai init` made its CA today; this story is of 2020.
    std::fs::remove_dir_all(local.place.file("ca")).unwrap();
    let made = support::place::said(&mut local.place.command("2020-04-01T00:00:00+09:00", &["ca", "init"]));
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    pickup
}

/// The daemon with true chance: serial numbers are not to repeat.
fn serve(local: &Local) -> Running {
    local.receiver.set_now(NOW);
    Running::start(local.place.command(NOW, &["serve"]).env_remove("ANNAI_SEED").env("ANNAI_LOG", "annai=debug"))
}

fn stop(daemon: Running) {
    daemon.signal("TERM");
    let (code, log) = daemon.end();
    assert_eq!(code, Some(0), "{log}");
}
