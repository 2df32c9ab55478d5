//! The store as its callers meet it: rows, limits, the lock, backup and restore. The
//! journal and power cuts have their own tests (journal.rs, powercut.rs).

#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/scratch.rs"]
mod scratch;

use annai::domain::Digest;
use annai::store::{
    BATCH_BYTES_MAX, Batch, Head, KEY_BYTES_MAX, LARGE_BYTES_MAX, Options, Store, StoreError, Table, VALUE_BYTES_MAX,
    WhoActs, restore,
};
use scratch::{draft, lines, open, scratch};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

fn put(table: Table, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Batch {
    let mut batch = Batch::new();
    batch.put(table, key, value);
    batch
}

#[test]
fn rows_come_back_in_order_and_survive_reopening() {
    let s = scratch();
    let store = open(&s.dir);
    let mut batch = Batch::new();
    for n in 0..100_u64 {
        batch.put(Table::Due, n.to_be_bytes(), vec![]).put(Table::Outbox, n.to_be_bytes(), format!("row {n}"));
    }
    batch.delete(Table::Due, 5_u64.to_be_bytes()).put(Table::Outbox, 7_u64.to_be_bytes(), "again");
    store.stage(batch).unwrap();
    let check = |store: &Store| {
        let number = |row: Result<(annai::store::Bytes, _), StoreError>| {
            u64::from_be_bytes(row.unwrap().0.as_ref().try_into().unwrap())
        };
        let due = |from: u64, to: u64| store.range(Table::Due, from.to_be_bytes()..to.to_be_bytes()).unwrap();
        assert_eq!(due(3, 8).map(number).collect::<Vec<_>>(), [3, 4, 6, 7]);
        assert_eq!(due(3, 8).rev().take(2).map(number).collect::<Vec<_>>(), [7, 6]);
        assert_eq!(due(8, 3).count() + due(3, 3).count(), 0, "an empty range is empty");
        assert_eq!(store.range(Table::Due, 98_u64.to_be_bytes()..).unwrap().count(), 2, "ends with its table");
        assert_eq!((store.count(Table::Due).unwrap(), store.count(Table::Letter).unwrap()), (99, 0));
        assert_eq!(store.get(Table::Outbox, &7_u64.to_be_bytes()).unwrap().unwrap(), *b"again");
        assert!(store.get(Table::Content, &7_u64.to_be_bytes()).unwrap().is_none(), "tables do not mix");
        assert_eq!(store.first(Table::Outbox).unwrap().unwrap().1, *b"row 0");
        assert_eq!(store.last(Table::Outbox).unwrap().unwrap().1, *b"row 99");
        assert!(store.last(Table::Letter).unwrap().is_none());
    };
    check(&store);
    store.commit().unwrap();
    drop(store);
    check(&open(&s.dir));
}

#[test]
fn staged_and_committed_rows_are_read_as_one_from_both_ends() {
    let s = scratch();
    let store = open(&s.dir);
    let (mut committed, mut staged) = (Batch::new(), Batch::new());
    for n in 0..60_u8 {
        if n.is_multiple_of(2) || n > 50 {
            committed.put(Table::Outbox, [n], "committed");
        }
        match n % 5 {
            0 => staged.delete(Table::Outbox, [n]),
            1 | 2 if n > 8 => staged.put(Table::Outbox, [n], "staged"),
            _ => &mut staged,
        };
    }
    store.apply(committed).unwrap();
    store.stage(staged).unwrap();
    let expected = |n: &u8| match n % 5 {
        0 => None,
        1 | 2 if *n > 8 => Some("staged"),
        _ => (n.is_multiple_of(2) || *n > 50).then_some("committed"),
    };
    let keys: Vec<u8> = (0..60).filter(|n| expected(n).is_some()).collect();
    let check = |store: &Store| {
        let read = |row: Result<(annai::store::Bytes, annai::store::Bytes), StoreError>| {
            let (key, value) = row.unwrap();
            assert_eq!(expected(&key[0]).map(str::as_bytes), Some(&*value), "{}", key[0]);
            assert_eq!(store.get(Table::Outbox, &key).unwrap().unwrap(), value);
            key[0]
        };
        let rows = || store.rows(Table::Outbox).unwrap();
        assert_eq!(rows().map(read).collect::<Vec<_>>(), keys);
        assert_eq!(rows().rev().map(read).collect::<Vec<_>>(), keys.iter().rev().copied().collect::<Vec<_>>());
        let (mut walk, mut low, mut high) = (rows(), Vec::new(), Vec::new());
        while let Some(row) = walk.next() {
            low.push(read(row));
            high.extend(walk.next_back().map(read));
        }
        low.extend(high.iter().rev());
        assert_eq!(low, keys, "from both ends at once");
        assert!(store.get(Table::Outbox, &[20]).unwrap().is_none());
    };
    check(&store);
    store.commit().unwrap();
    check(&store);
}

#[test]
fn prefixes_end_where_they_should() {
    let s = scratch();
    let store = open(&s.dir);
    let mut batch = Batch::new();
    for key in [&b"a"[..], b"ab", b"ab\xff", b"ab\xff\xff", b"ac", b"\xff", b"\xff\xff"] {
        batch.put(Table::Tally, key, "1");
    }
    batch.put(Table::Certificate, "ab", "other table");
    store.stage(batch).unwrap();
    for (prefix, count) in [(&b"ab"[..], 3), (b"ab\xff", 2), (b"a", 5), (b"\xff", 2), (b"", 7), (b"b", 0)] {
        assert_eq!(store.prefix(Table::Tally, prefix).unwrap().count(), count, "{prefix:?}");
    }
}

#[test]
fn limits_are_kept_and_a_refused_batch_leaves_nothing() {
    let s = scratch();
    let store = open(&s.dir);
    let refused = |batch: Batch| {
        let mut batch = batch;
        batch.put(Table::Tally, "other", "row of the same batch").journal(draft(1, Value::Null));
        let error = store.stage(batch).unwrap_err();
        assert_eq!((store.head().no, store.count(Table::Tally).unwrap()), (0, 0), "{error}");
        assert_eq!(error.who_acts(), WhoActs::Authors);
        error
    };
    let long = vec![0; VALUE_BYTES_MAX + 1];
    assert!(matches!(refused(put(Table::Inbox, "k", long.clone())), StoreError::ValueTooLong { table: "inbox", .. }));
    assert!(matches!(refused(put(Table::Roster, vec![0; KEY_BYTES_MAX + 1], "")), StoreError::KeyTooLong { .. }));
    let huge = vec![0; LARGE_BYTES_MAX];
    let mut batch = put(Table::Raw, "1", huge.clone());
    batch.put(Table::Raw, "2", huge).put(Table::Raw, "3", "x");
    let StoreError::BatchTooLong { length } = refused(batch) else { panic!("a batch is limited") };
    assert!(length > BATCH_BYTES_MAX);
    for (table, key) in [(Table::Journal, "1"), (Table::Part, "1"), (Table::Meta, "head"), (Table::Meta, "format")] {
        assert!(matches!(refused(put(table, key, "forged")), StoreError::Reserved { .. }));
    }
    let mut too_much = Batch::new();
    too_much.journal(draft(1, Value::String("x".repeat(LARGE_BYTES_MAX))));
    assert!(matches!(refused(too_much), StoreError::ValueTooLong { table: "journal", .. }));
    store.apply(put(Table::Raw, "k", long)).unwrap();
}

#[test]
fn large_values_come_back_whole_and_leave_no_pieces() {
    let s = scratch();
    let store = open(&s.dir);
    let mail: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_be_bytes).collect();
    let lengths = [0, 1, VALUE_BYTES_MAX - 1, VALUE_BYTES_MAX, VALUE_BYTES_MAX + 1, mail.len()];
    for length in lengths {
        store.apply(put(Table::Raw, length.to_be_bytes(), &mail[..length])).unwrap();
        assert_eq!(store.get(Table::Raw, &length.to_be_bytes()).unwrap().unwrap(), mail[..length], "{length}");
    }
    let sorted = store.rows(Table::Raw).unwrap().map(|row| row.unwrap().1.len()).collect::<Vec<_>>();
    assert_eq!(sorted, lengths);
    let pieces = |store: &Store| store.count(Table::Part).unwrap();
    assert!(pieces(&store) > 100);
    store.apply(put(Table::Raw, mail.len().to_be_bytes(), &mail[..VALUE_BYTES_MAX * 2])).unwrap();
    assert_eq!(pieces(&store), 1 + 2 + 2);
    let mut batch = Batch::new();
    for length in lengths {
        batch.delete(Table::Raw, length.to_be_bytes());
    }
    store.apply(batch).unwrap();
    assert_eq!((pieces(&store), store.count(Table::Raw).unwrap()), (0, 0));
}

#[test]
fn the_directory_is_private() {
    let s = scratch();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let store = open(&s.dir);
    assert_eq!((mode(&s.dir), store.opening().tightened_from, store.opening().created), (0o700, None, true));
    drop(store);
    fs::set_permissions(&s.dir, fs::Permissions::from_mode(0o755)).unwrap();
    let store = open(&s.dir);
    assert_eq!((mode(&s.dir), store.opening().tightened_from, store.opening().created), (0o700, Some(0o755), false));
}

/// Holds the store of `STORE_TEST_HOLD` until its standard input ends; without that, holds one for itself.
#[test]
fn holder() {
    let given = std::env::var("STORE_TEST_HOLD").ok();
    let own = scratch();
    let store = open(given.as_deref().map_or(&own.dir, Path::new));
    assert!(store.opening().created);
    if given.is_some() {
        println!("\nheld");
        std::io::read_to_string(std::io::stdin()).unwrap();
    }
}

#[test]
fn a_second_process_is_told_who_holds_the_store() {
    use std::io::BufRead;
    let s = scratch();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "holder", "--nocapture"])
        .env("STORE_TEST_HOLD", &s.dir)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(said.by_ref().map_while(Result::ok).any(|line| line == "held"));
    let error = Store::open(&s.dir, Options::default()).unwrap_err();
    let expected = format!(
        "another annai (pid {}) is using this state directory; use its commands (they reach it through the socket) or stop it",
        child.id()
    );
    assert_eq!((error.to_string(), error.who_acts()), (expected, WhoActs::Operator));
    let restoring = restore(&s.dir, &b""[..], Options::default());
    assert!(matches!(restoring, Err(StoreError::Locked { .. })), "restore asks too");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    open(&s.dir);
}

#[test]
fn a_backup_restores_everything_and_into_nothing_else() {
    let s = scratch();
    let store = open(&s.dir);
    lines(&store, 12);
    store.apply(put(Table::Raw, "mail", vec![7; 200_000])).unwrap();
    let mut backup = Vec::new();
    let made = store.backup(&mut backup).unwrap();
    let to = scratch();
    assert_eq!(restore(&to.dir, &backup[..], Options::default()).unwrap(), made);
    let restored = open(&to.dir);
    for table in Table::ALL.iter().copied() {
        let all = |store: &Store| store.rows(table).unwrap().map(Result::unwrap).collect::<Vec<_>>();
        assert_eq!(all(&store), all(&restored), "{table:?}");
    }
    assert_eq!(restored.verify_journal(|_| ()), Ok(made.head));
    let mut again = Vec::new();
    restored.backup(&mut again).unwrap();
    assert!(again == backup, "a backup of the same is the same");
    drop(restored);
    let over = restore(&to.dir, &backup[..], Options::default());
    assert!(matches!(over, Err(StoreError::NotEmpty { .. })), "{over:?}");
}

#[test]
fn a_damaged_backup_changes_nothing() {
    let s = scratch();
    let store = open(&s.dir);
    lines(&store, 3);
    let mut backup = Vec::new();
    store.backup(&mut backup).unwrap();
    let to = scratch();
    let refused = |bytes: &[u8], what: &str| {
        let error = restore(&to.dir, bytes, Options::default()).unwrap_err();
        assert!(matches!(error, StoreError::BadBackup { .. }), "{what}: {error}");
        let left: Vec<_> = fs::read_dir(&to.dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["lock"], "{what}");
    };
    let step = backup.len() / 25;
    for at in (0..backup.len()).step_by(step).chain([backup.len() - 1]) {
        refused(&backup[..at], &format!("cut at {at}"));
        let mut damaged = backup.clone();
        damaged[at] ^= 0x10;
        refused(&damaged, &format!("byte {at}"));
    }
    refused(&[&backup[..], b"x"].concat(), "something follows");
    restore(&to.dir, &backup[..], Options::default()).unwrap();
}

#[test]
fn errors_and_debug_show_no_contents() {
    let s = scratch();
    let store = open(&s.dir);
    let batch = put(Table::Grant, "canary-key", "canary-value");
    let shown = format!("{batch:?}");
    store.apply(batch).unwrap();
    let shown = format!("{shown} {:?} {store:?}", store.first(Table::Grant).unwrap());
    assert!(!shown.contains("canary"), "{shown}");
    assert_eq!(store.head(), Head { no: 0, hash: Digest([0; 32]) });
}
