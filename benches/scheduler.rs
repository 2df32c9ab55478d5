//! A tick of the scheduler costs what is due, not how many tenants there are; and starting costs the same with a million.
//!
//! `cargo bench --bench scheduler` (1,000 to 100,000 tenants) or `ANNAI_BENCH_TENANTS=1000000 cargo bench --bench scheduler`.
//! Prints one row per size: the cost of a look with nothing due, of ten rosters woken and flushed, and of opening the engine.
//!
//! Rosters are made the honest way, by filing readings of registrations through the engine: a real roster, its journal
//! line, its inbox item and its receipt each. As Japan has 155 authorities, codes beyond those are made up (all codes with
//! a right check digit, twenty health centres each), so the rules are made for them too.

use annai::clock::{Clock, monotonic};
use annai::crypto::MasterKey;
use annai::domain::{LgCode, MailAddress, Secret, Timestamp};
use annai::engine::filing::Arrived;
use annai::engine::{Chance, Engine, Post, Setup};
use annai::letters::{Desk, TemplateFiles, Templates, ZipMethod};
use annai::reading::{Head, Kind, ReadAuthority, ReadCentre, Reading};
use annai::rules::{RuleFiles, Rules};
use annai::store::{Options, Store};
use annai::workflow::cursor::Cursor;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Tenants of one authority: itself and its health centres.
const TENANTS_EACH: usize = 21;
/// Rosters woken in one go.
const DUE: usize = 10;
/// Mails filed between two flushes.
const GROUP: usize = 200;

fn main() {
    let sizes = match std::env::var("ANNAI_BENCH_TENANTS") {
        Ok(size) => vec![size.parse().expect("a number")],
        Err(_) => vec![1_000, 10_000, 100_000],
    };
    println!(
        "{:>9} {:>12} {:>14} {:>12} {:>10} {:>10}",
        "tenants", "nothing due", "10 rosters due", "open", "built in", "on disk"
    );
    for tenants in sizes {
        measure(tenants);
    }
}

fn measure(tenants: usize) {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let codes: Vec<LgCode> = codes().take(tenants.div_ceil(TENANTS_EACH).max(2 * DUE)).collect();
    let began = monotonic();
    build(scratch.path(), &codes);
    let built = began.elapsed();

    // Nothing is due before the day of the first letters; then everybody is, and ten rosters are woken at a time.
    let setup = setup(&codes);
    let (clock, hand) = Clock::manual(START);
    let began = monotonic();
    let mut engine = open(scratch.path(), setup, clock);
    let opened = began.elapsed();

    let nothing = median((0..201).map(|_| {
        let began = monotonic();
        assert_eq!(engine.wake(50).expect("woken"), 0);
        engine.commit().expect("flushed");
        let _next = (engine.next_wake().expect("read"), engine.next_due().expect("read"));
        began.elapsed()
    }));
    hand.store(WELCOME.unix(), Ordering::Release);
    let ten = median((0..codes.len().div_ceil(DUE).min(20)).map(|_| {
        let began = monotonic();
        engine.wake(DUE).expect("woken");
        engine.commit().expect("flushed");
        began.elapsed()
    }));
    drop(engine);
    let disk = Store::open(scratch.path(), Options::default()).and_then(|store| store.bytes_on_disk()).unwrap_or(0);
    println!(
        "{:>9} {:>12} {:>14} {:>12} {:>10} {:>7} MB",
        codes.len() * TENANTS_EACH,
        format!("{nothing:.1?}"),
        format!("{ten:.1?}"),
        format!("{opened:.1?}"),
        format!("{built:.0?}"),
        disk / 1_000_000
    );
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort();
    times[times.len() / 2]
}

/// 2020-04-24T10:00:00+09:00; welcome letters leave from 2020-04-27.
const START: Timestamp = Timestamp::from_unix(1_587_690_000);
const WELCOME: Timestamp = Timestamp::from_unix(1_587_949_200);

fn build(dir: &Path, codes: &[LgCode]) {
    let (clock, _hand) = Clock::manual(START);
    let mut engine = open(dir, setup(codes), clock);
    for (group, some) in codes.chunks(GROUP).enumerate() {
        let first = u32::try_from(group * GROUP).expect("few enough") + 1;
        let mails: Vec<_> = (first..).zip(some).map(|(uid, code)| arrived(uid, *code)).collect();
        let after = Cursor { uid_validity: 1, uid_next: first + u32::try_from(some.len()).expect("few enough") };
        engine.file(after, mails).expect("filed");
        engine.commit().expect("flushed");
    }
}

/// A certain reading of a registration, as the reading layer would give it.
fn arrived(uid: u32, code: LgCode) -> Arrived {
    let address = |who: &str| Some(format!("{who}@a{code}.lg.jp").parse::<MailAddress>().expect("an address"));
    let centre = |no: usize| ReadCentre {
        name: format!("第{no}保健所"),
        address: address(&format!("hoken{no}")),
        other_addresses: Vec::new(),
        line: None,
    };
    let reading = Reading {
        kind: Kind::Registration,
        reasons: Vec::new(),
        warnings: Vec::new(),
        authority: Some(ReadAuthority {
            name: name(code),
            address: address("kansen"),
            code: Some(code),
            other_addresses: Vec::new(),
            line: None,
        }),
        centres: (1..TENANTS_EACH).map(centre).collect(),
        head: Head { from: address("kansen"), ..Head::default() },
        body: String::new(),
        source: None,
        evidence: Vec::new(),
        attachments: Vec::new(),
        recipients: Vec::new(),
        failed_message_id: None,
        returned_to: Vec::new(),
    };
    Arrived { uid, raw: format!("registration {code}").into_bytes(), truncated: false, reading }
}

fn name(code: LgCode) -> String {
    format!("自治体{code}市")
}

/// All local government codes with a right check digit.
fn codes() -> impl Iterator<Item = LgCode> {
    (1_000_u32..100_000).flat_map(|body| (0..10).filter_map(move |check| format!("{body:05}{check}").parse().ok()))
}

fn open(dir: &Path, setup: Setup, clock: Clock) -> Engine {
    let store = Arc::new(Store::open(dir, Options::default()).expect("the store"));
    let keys = MasterKey::from_bytes([7; 32]);
    Engine::open(store, setup, keys, clock, Chance::Seeded { seed: 1, drawn: 0 }).expect("the engine")
}

fn setup(codes: &[LgCode]) -> Setup {
    let mut files = RuleFiles::embedded();
    let mut authorities = "code,name\n".to_owned();
    for code in codes {
        writeln!(authorities, "{code},{}", name(*code)).expect("a string");
    }
    let schedule = "[launch]\ncertificates_from = 2020-05-01\ncredentials_from = 2020-05-11\n\
                    [welcome]\nfrom = 2020-04-27\n[send]\nreceipts_per_sender_per_day = 0\n";
    files.0.insert("authorities.csv".to_owned(), authorities);
    files.0.insert("health_centres.csv".to_owned(), String::new());
    files.0.insert("schedule.toml".to_owned(), schedule.to_owned());
    let address = |text: &str| text.parse::<MailAddress>().expect("an address");
    let (from, contractor) = (address("noreply@followup.mhlw.go.jp"), address("covid19@bigtreetc.com"));
    let ministry = address("follow-up@mhlw.go.jp");
    let desk = Desk {
        contractor_name: "受託者".to_owned(),
        contractor: contractor.clone(),
        ministry: ministry.clone(),
        from: from.clone(),
    };
    Setup {
        rules: Arc::new(Rules::parse(&files).expect("rules")),
        templates: Arc::new(Templates::parse(&TemplateFiles::embedded(), &desk).expect("templates")),
        post: Post {
            from,
            contractor,
            ministry,
            bounce: address("bounce@followup.mhlw.go.jp"),
            pickup_url: "https://pickup.example.jp".to_owned(),
            gate_url: None,
            unzip_password: Secret::new("unzipSecret77".to_owned()),
            zip_method: ZipMethod::ZipCrypto,
        },
    }
}
