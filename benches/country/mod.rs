//! An invented country for benchmarks: Japan has 155 authorities, so codes beyond those are made up (all with a right check
//! digit, twenty health centres each), and the rules are made for them too. Rosters are made the honest way, by filing
//! readings of registrations through the engine.

#[path = "../../tests/support/setup.rs"]
mod common;

use annai::clock::Clock;
use annai::crypto::MasterKey;
use annai::domain::{LgCode, MailAddress, Timestamp};
use annai::engine::filing::Arrived;
use annai::engine::{Chance, Engine, Setup};
use annai::reading::{Head, Kind, ReadAuthority, ReadCentre, Reading};
use annai::rules::RuleFiles;
use annai::store::{Options, Store};
use annai::workflow::cursor::Cursor;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Tenants of one authority: itself and its health centres.
pub(crate) const TENANTS_EACH: usize = 21;
/// Mails filed between two flushes.
pub(crate) const GROUP: usize = 200;
/// 2020-04-24T10:00:00+09:00; welcome letters leave from 2020-04-27.
pub(crate) const START: Timestamp = Timestamp::from_unix(1_587_690_000);
pub(crate) const WELCOME: Timestamp = Timestamp::from_unix(1_587_949_200);

/// Files a registration of each, and flushes.
pub(crate) fn file(engine: &mut Engine, first: u32, codes: &[LgCode]) {
    let mails: Vec<_> = (first..).zip(codes).map(|(uid, code)| arrived(uid, *code)).collect();
    let uid_next = first + u32::try_from(codes.len()).expect("few enough");
    engine.file(Cursor { uid_validity: 1, uid_next }, mails).expect("filed");
    engine.commit().expect("flushed");
}

/// A certain reading of a registration, as the reading layer would give it.
pub(crate) fn arrived(uid: u32, code: LgCode) -> Arrived {
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
        attachments: Vec::new(),
        recipients: Vec::new(),
        failed_message_id: None,
        returned_to: Vec::new(),
        source: None,
        evidence: Vec::new(),
    };
    Arrived { uid, raw: format!("registration {code} {uid}").into_bytes(), truncated: false, reading }
}

fn name(code: LgCode) -> String {
    format!("自治体{code}市")
}

/// All local government codes with a right check digit.
pub(crate) fn codes() -> impl Iterator<Item = LgCode> {
    (1_000_u32..100_000).flat_map(|body| (0..10).filter_map(move |check| format!("{body:05}{check}").parse().ok()))
}

pub(crate) fn open(dir: &Path, setup: Setup, clock: Clock) -> (Arc<Store>, Engine) {
    let store = Arc::new(Store::open(dir, Options::default()).expect("the store"));
    let keys = MasterKey::from_bytes([7; 32]);
    let chance = Chance::Seeded { seed: 1, drawn: 0 };
    let engine = Engine::open(Arc::clone(&store), setup, keys, clock, chance).expect("the engine");
    (store, engine)
}

pub(crate) fn setup(codes: &[LgCode]) -> Setup {
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
    common::setup(&files)
}
