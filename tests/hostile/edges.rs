//! The same mails through the real engine and the real binary: one record each, nobody in the directory who should not be,
//! and nothing of them that acts on a terminal, a log, a header or a JSON line.

use super::mails::{self, AUTHORITY, CENTRE, Hostile, May};
use super::read::harmful;
use super::seed;
use crate::place::{Place, said};
use annai::clock::Clock;
use annai::config::{Config, TestOverrides};
use annai::daemon::assembly;
use annai::engine::filing::Arrived;
use annai::engine::records::InboxItem;
use annai::engine::{Engine, SYSTEM};
use annai::workflow::cursor::Cursor;
use std::collections::BTreeSet;

const NOW: &str = "2020-04-27T10:00:00+09:00";
/// Mails looked at one by one with `review show`; each opens the store anew.
const SHOWN: usize = 12;

fn engine(place: &Place) -> Engine {
    let config = Config::load(&place.file("annai.toml")).unwrap();
    let overrides = TestOverrides { now: Some(NOW.parse().unwrap()), seed: Some(7) };
    assembly::engine(&config, overrides).unwrap()
}

/// Files the mails in order from UID `first` on.
fn file(engine: &mut Engine, first: u32, mails: &[&Hostile]) {
    let rules = engine.setup().rules.clone();
    let arrived = mails.iter().zip(first..).map(|(mail, uid)| Arrived {
        uid,
        raw: mail.raw.clone(),
        truncated: false,
        reading: annai::reading::read_safely(&mail.raw, &rules),
    });
    let arrived: Vec<_> = arrived.collect();
    let uid_next = first + u32::try_from(arrived.len()).unwrap();
    engine.file(Cursor { uid_validity: 1, uid_next }, arrived).unwrap();
    engine.commit().unwrap();
}

/// Addresses that tenants of the directory have.
fn tenants(engine: &Engine) -> BTreeSet<String> {
    let rosters = engine.all_rosters().unwrap();
    let courses = rosters.iter().flat_map(|roster| &roster.courses);
    courses.map(|course| course.tenant.address.as_str().to_ascii_lowercase()).collect()
}

fn assert_clean(what: &str, text: &str) {
    let found = text.chars().find(|c| harmful(*c) && *c != '\n');
    assert_eq!(found, None, "{what}: {text:.300?}");
}

/// A letter as it leaves: known fields once each in ASCII, and a text without control characters.
fn check_letter(bytes: &[u8]) {
    const ONCE: [&str; 12] = [
        "From",
        "Reply-To",
        "To",
        "Cc",
        "Subject",
        "Message-ID",
        "In-Reply-To",
        "References",
        "Auto-Submitted",
        "X-Auto-Response-Suppress",
        "Date",
        "MIME-Version",
    ];
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.is_ascii(), "{text}");
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    let lines: Vec<&str> = head.split("\r\n").collect();
    let mut seen = BTreeSet::new();
    for line in &lines {
        assert!(!line.chars().any(char::is_control) && line.len() <= 998, "{head}");
        if line.starts_with(' ') {
            continue;
        }
        let name = line.split_once(':').unwrap().0;
        assert!(ONCE.contains(&name) || name.starts_with("Content-"), "{head}");
        assert!(seen.insert(name), "{name} twice: {head}");
    }
    let read = annai::reading::read_safely(bytes, &super::RULES);
    assert!(!read.body.is_empty());
    assert_clean("text of a letter", &read.body);
    assert_clean("subject of a letter", &read.head.subject.unwrap());
}

#[test]
fn one_record_each_and_nothing_harmful_at_any_edge() {
    let place = Place::init();
    let mut engine = engine(&place);
    assert!(matches!(engine.clock(), Clock::Frozen(_)), "{SYSTEM}");
    let all = mails::all(seed());
    let (never, others): (Vec<&Hostile>, Vec<&Hostile>) = all.iter().partition(|mail| mail.may == May::Never);
    file(&mut engine, 1, &never);
    assert_eq!(tenants(&engine), BTreeSet::new(), "taken over by itself");
    // Bytes changed at random may say anything; they stand in no directory test.
    let (any, proper): (Vec<&Hostile>, Vec<&Hostile>) = others.into_iter().partition(|mail| mail.may == May::Anything);
    let next = u32::try_from(never.len() + 1).unwrap();
    file(&mut engine, next, &proper);
    assert_eq!(tenants(&engine), BTreeSet::from([AUTHORITY.to_owned(), CENTRE.to_owned()]));
    file(&mut engine, next + u32::try_from(proper.len()).unwrap(), &any);

    let items = engine.all_items().unwrap();
    assert_eq!(items.len(), all.len(), "one record each");
    assert_eq!(engine.filed().unwrap(), all.len() as u64);
    assert!(items.iter().map(|item| item.uid).collect::<BTreeSet<_>>().len() == all.len());
    items.iter().for_each(|item| assert_clean("subject", &item.subject));
    assert!(engine.index_faults().unwrap().is_empty());
    letters(&mut engine);
    drop(engine);
    terminal(&place, &items);
}

fn letters(engine: &mut Engine) {
    let mut letters = 0;
    loop {
        let leases = engine.lease(100).unwrap();
        if leases.is_empty() {
            break;
        }
        letters += leases.len();
        leases.iter().for_each(|lease| check_letter(lease.bytes.reveal()));
    }
    assert!(letters > 5, "{letters} letters");
}

/// Every verb that shows something of mails, for people and as JSON.
fn terminal(place: &Place, items: &[InboxItem]) {
    let shown: Vec<String> = items.iter().step_by(items.len() / SHOWN).map(|item| item.no.to_string()).collect();
    let lists = [
        &["status"][..],
        &["review"],
        &["review", "list", "--limit", "2000"],
        &["queue", "list", "--all"],
        &["tenant", "list"],
        &["tenant", "history", "131032-00"],
        &["audit", "tail"],
        &["forecast"],
    ];
    let shows = shown.iter().map(|no| vec!["review", "show", no]);
    for args in lists.iter().map(|args| args.to_vec()).chain(shows) {
        for json in [false, true] {
            let args = if json { [&args[..], &["--json"]].concat() } else { args.clone() };
            let said = said(&mut place.command(NOW, &args));
            assert_eq!(said.code, Some(0), "{args:?}: {}", said.stderr);
            assert_clean(&format!("{args:?}"), &said.stdout);
            assert_clean(&format!("{args:?}"), &said.stderr);
            if json {
                let lines = said.stdout.lines().map(serde_json::from_str::<serde_json::Value>);
                assert!(lines.map(Result::unwrap).count() > 0, "{args:?}");
            }
        }
    }
    let export = place.file("journal.jsonl");
    let said = said(&mut place.command(NOW, &["audit", "export", export.to_str().unwrap()]));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_clean("journal", &std::fs::read_to_string(export).unwrap());
}

#[test]
fn read_prints_nothing_that_acts_on_a_terminal() {
    let place = Place::init();
    let all = mails::all(seed());
    let mut names = Vec::new();
    for (no, mail) in all.iter().enumerate() {
        let path = place.file(&format!("{no:04}.eml"));
        std::fs::write(&path, &mail.raw).unwrap();
        names.push(path.to_str().unwrap().to_owned());
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for json in [false, true] {
        let args = [&["read"][..], if json { &["--json"] } else { &[] }, &names].concat();
        let said = said(&mut place.command(NOW, &args));
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        assert_clean("read", &said.stdout);
        assert!(said.stderr.is_empty(), "{}", said.stderr);
        if json {
            let files =
                said.stdout.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["file"].clone());
            assert!(files.eq(names.iter().copied()), "one line each, in order");
        }
    }
}
