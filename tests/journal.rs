//! The journal as others meet it: a chain, an export an outsider verifies, and tampering found wherever it is.

#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

#[path = "support/scratch.rs"]
mod scratch;

use annai::store::{Batch, Flaw, Head, Options, Store, Table, restore};
use scratch::{draft, lines, open, scratch};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

/// Table, key and value of a row of a backup.
type Row = (u8, Vec<u8>, Vec<u8>);

#[test]
fn the_journal_is_a_chain() {
    let s = scratch();
    let store = open(&s.dir);
    assert_eq!(store.verify_journal(|_| ()).unwrap().no, 0);
    lines(&store, 20);
    let mut two = Batch::new();
    two.journal(draft(21, Value::Null)).journal(draft(22, json!({ "long": "長い".repeat(30_000) })));
    let head = store.apply(two).unwrap();
    let mut numbers = Vec::new();
    assert_eq!(store.verify_journal(|no| numbers.push(no)), Ok(head));
    assert_eq!(numbers, (1..=22).collect::<Vec<_>>());
    assert_eq!((store.verify_journal_tail(3), store.verify_journal_tail(99)), (Ok(head), Ok(head)));
    drop(store);
    let store = open(&s.dir);
    assert_eq!((store.head(), store.verify_journal(|_| ())), (head, Ok(head)));
    let entry = store.journal_entries(2).next().unwrap().unwrap();
    assert_eq!((entry.entry.no, entry.entry.subject.as_str()), (2, "tenant:131032-02"));
    assert_eq!(entry.entry.changes, json!([{ "put": 2 }]));
}

/// One line of Python per rule; an outsider needs nothing of annai's.
const VERIFIER: &str = r#"
import hashlib, json, sys
prev, no = "0" * 64, 0
for line in open(sys.argv[1], "rb"):
    line = line.rstrip(b"\n"); entry = json.loads(line)
    if "head" in entry:
        sys.exit(0 if entry["head"] == {"no": no, "hash": prev} else "head differs")
    if entry["prev"] != prev or entry["no"] != no + 1: sys.exit(f"broken after {no}")
    prev, no = hashlib.sha256(line).hexdigest(), no + 1
sys.exit("no head")
"#;

#[test]
fn an_outsider_verifies_an_export() {
    let s = scratch();
    let store = open(&s.dir);
    lines(&store, 30);
    let mut export = Vec::new();
    let head = store.export_journal(&mut export).unwrap();
    assert_eq!(head, store.head());
    let path = s.dir.join("journal.jsonl");
    let verify = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        Command::new("python3").args(["-c", VERIFIER]).arg(&path).output().expect("python3").status.success()
    };
    assert!(verify(&export));
    let line_ends: Vec<_> = (0..export.len()).filter(|at| export[*at] == b'\n').collect();
    let altered = String::from_utf8(export.clone()).unwrap().replacen("港区", "北区", 1);
    assert!(!verify(altered.as_bytes()), "altered");
    assert!(!verify(&[&export[..=line_ends[3]], &export[line_ends[4] + 1..]].concat()), "a line is missing");
    assert!(!verify(&export[..=line_ends[29]]), "the end is missing");
}

/// A backup is a list of rows: this one is forged, its digest made right again, and what restoring says about it is kept.
fn forged(backup: &[u8], forge: impl Fn(&mut Vec<Row>)) -> Result<Head, String> {
    let magic = b"annai-backup 1\n".len();
    let (mut at, mut rows) = (magic, Vec::new());
    while backup[at] == b'R' {
        let key = at + 8 + usize::from(u16::from_be_bytes(backup[at + 2..at + 4].try_into().unwrap()));
        let value = key + u32::from_be_bytes(backup[at + 4..at + 8].try_into().unwrap()) as usize;
        rows.push((backup[at + 1], backup[at + 8..key].to_vec(), backup[key..value].to_vec()));
        at = value;
    }
    forge(&mut rows);
    let mut out = backup[..magic].to_vec();
    for (table, key, value) in &rows {
        out.extend([b'R', *table]);
        out.extend(u16::try_from(key.len()).unwrap().to_be_bytes());
        out.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
        out.extend(key.iter().chain(value));
    }
    out.push(b'E');
    out.extend((rows.len() as u64).to_be_bytes());
    out.extend(annai::crypto::sha256(&out).0);
    let s = scratch();
    restore(&s.dir, &out[..], Options::default()).map(|summary| summary.head).map_err(|error| error.to_string())
}

#[test]
fn tampering_with_the_journal_is_found_wherever_it_is() {
    let s = scratch();
    let store = open(&s.dir);
    lines(&store, 9);
    let mut backup = Vec::new();
    let head = store.backup(&mut backup).unwrap().head;
    assert_eq!(forged(&backup, |_| ()), Ok(head));
    let journal = Table::Journal.byte();
    let entry =
        |rows: &[Row], no: u64| rows.iter().position(|row| row.0 == journal && row.1 == no.to_be_bytes()).unwrap();
    let check = |forge: &dyn Fn(&mut Vec<Row>), no: u64, flaw: Flaw| {
        let said = forged(&backup, forge).unwrap_err();
        let expected = format!("entry {no}: {flaw}");
        assert!(said.contains(&expected), "{said}\nshould say: {expected}");
    };
    // Every byte of one entry: its digest, numbers, names, braces, its link.
    let length = forged_length(&store, 5);
    for at in 0..length {
        check(
            &|rows| {
                let row = entry(rows, 5);
                rows[row].2[at] ^= 1;
            },
            5,
            Flaw::Altered,
        );
    }
    let rehash = |value: &mut Vec<u8>, from: &str, to: &str| {
        let json = String::from_utf8(value[32..].to_vec()).unwrap().replace(from, to);
        *value = [&annai::crypto::sha256(json.as_bytes()).0[..], json.as_bytes()].concat();
    };
    let with = |no: u64, from: &'static str, to: &'static str| {
        move |rows: &mut Vec<Row>| {
            let row = rows.iter().position(|row| row.0 == journal && row.1 == no.to_be_bytes()).unwrap();
            rehash(&mut rows[row].2, from, to);
        }
    };
    check(&with(5, "山田", "田中"), 6, Flaw::Unchained);
    check(&with(5, "\"no\":5", "\"no\":4"), 5, Flaw::Misnumbered(4));
    check(&with(9, "山田", "田中"), 9, Flaw::NotTheHead(9));
    check(&|rows| drop(rows.remove(entry(rows, 5))), 5, Flaw::Missing);
    check(&|rows| drop(rows.remove(entry(rows, 1))), 1, Flaw::Missing);
    check(&|rows| drop(rows.remove(entry(rows, 9))), 8, Flaw::NotTheHead(9));
    let malformed = forged(&backup, with(5, "\"event\"", "\"deed\"")).unwrap_err();
    assert!(malformed.contains("entry 5: it is no entry"), "{malformed}");
    let headless = |rows: &mut Vec<Row>| rows.retain(|row| row.1 != b"head");
    check(&headless, 9, Flaw::NotTheHead(0));
}

fn forged_length(store: &Store, no: u64) -> usize {
    32 + store.journal_entries(no).next().unwrap().unwrap().json().len()
}
