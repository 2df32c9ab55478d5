//! What a step costs: staging about 20 rows of 300 B to 3 KB with a journal line, and the commit a group of steps shares.
//!
//! `cargo bench --bench store`. Prints steps per second, and the resident memory at the end of the longest run.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on says so and ends")]

use annai::domain::Timestamp;
use annai::store::{Batch, Draft, Options, Store, Table};
use divan::{Bencher, counter::ItemsCount};
use std::sync::atomic::{AtomicU64, Ordering};

const ROWS: u64 = 20;
static NUMBER: AtomicU64 = AtomicU64::new(0);

fn main() {
    divan::main();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM") || line.starts_with("VmRSS")) {
        println!("{line}");
    }
}

/// One step: new rows in several tables, keys rising as the engine's do, a few rows written again and again.
fn step() -> Batch {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let tables = [Table::Inbox, Table::Raw, Table::ByDigest, Table::Roster, Table::Outbox, Table::Content, Table::Due];
    let mut batch = Batch::new();
    for (row, table) in (0..ROWS).zip(tables.into_iter().cycle()) {
        let length = 300 + usize::try_from((number * 31 + row * 97) % 2_700).unwrap_or(0);
        let key = if row == 3 { number % 625 } else { number * ROWS + row };
        batch.put(table, key.to_be_bytes(), vec![u8::try_from(row).unwrap_or(0); length]);
    }
    batch.journal(Draft {
        at: Timestamp::from_unix(1_588_291_200),
        actor: "system".into(),
        subject: format!("mail:{number}"),
        event: serde_json::json!({ "registered": number }),
        changes: serde_json::value::to_raw_value(&[number]).expect("a list of numbers"),
    });
    batch
}

fn scratch() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let store = Store::open(&dir.path().join("state"), Options::default()).expect("a new store");
    (dir, store)
}

#[divan::bench(args = [1, 10, 100], sample_count = 20)]
fn group_commit(bencher: Bencher, group: usize) {
    let (_dir, store) = scratch();
    bencher.counter(ItemsCount::new(group)).bench_local(|| {
        for _ in 0..group {
            store.stage(step()).expect("staged");
        }
        store.commit().expect("committed");
    });
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn ten_thousand_steps(bencher: Bencher) {
    bencher.counter(ItemsCount::new(10_000_u64)).with_inputs(scratch).bench_local_refs(|(_dir, store)| {
        for _ in 0..100 {
            for _ in 0..100 {
                store.stage(step()).expect("staged");
            }
            store.commit().expect("committed");
        }
    });
}

#[divan::bench]
fn get_one_row(bencher: Bencher) {
    let (_dir, store) = scratch();
    for _ in 0..100 {
        store.stage(step()).expect("staged");
    }
    store.commit().expect("committed");
    bencher.bench_local(|| store.get(Table::Roster, &7_u64.to_be_bytes()));
}
