//! Power cuts: a child process works on a store while every call to the disk is recorded; then the disk is rebuilt as a cut
//! at some moment may leave it, and the store must open, hold every acknowledged step, and no half of one (I2).
//!
//! The seed of the cuts is printed; `ANNAI_TEST_SEED=<u64>` repeats their places. Needs `cc` and glibc.

#![cfg(feature = "daemon")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::items_after_statements,
    reason = "a test that cannot go on fails"
)]

#[path = "support/cut.rs"]
mod cut;
#[path = "support/dice.rs"]
mod dice;

use annai::domain::Timestamp;
use annai::store::{Batch, Draft, Options, Store, Table};
use cut::{Disk, Fate, Record, read_log};
use dice::{Dice, seed};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Steps the child takes in all, in groups that share a commit.
const STEPS: u64 = 900;
const GROUP: u64 = 3;
/// After this step the child dies without closing anything, and a second one goes on.
const CRASH_AFTER: u64 = 300;
const CUTS: u64 = 300;
const CONTROL_CUTS: u64 = 30;

type Row = (Table, Vec<u8>, Option<Vec<u8>>);
type Model<'a> = BTreeMap<(Table, &'a Vec<u8>), &'a Vec<u8>>;

/// Bytes that belong to a step and a place, 300 to 3,000 of them.
fn value(step: u64, place: u64) -> Vec<u8> {
    let mut dice = Dice(step << 8 | place);
    let length = 300 + dice.under(2_700);
    (0..length / 8).flat_map(|_| dice.next().to_be_bytes()).collect()
}

/// The writes of one step: new rows, rows written again and again, deletions, now and then a large value.
fn writes(step: u64) -> Vec<Row> {
    let key = |n: u64| n.to_be_bytes().to_vec();
    let mut writes = vec![
        (Table::Inbox, key(step), Some(value(step, 1))),
        (Table::ByDigest, annai::crypto::sha256(&key(step)).0.to_vec(), Some(key(step))),
        (Table::Roster, key(step % 40), Some(value(step, 2))),
        (Table::Outbox, key(step % 100), Some(value(step, 3))),
        (Table::Due, key(step), Some(Vec::new())),
        (Table::Meta, b"steps".to_vec(), Some(key(step))),
    ];
    if step > 7 {
        writes.push((Table::Due, key(step - 7), None));
    }
    if step.is_multiple_of(10) {
        writes.push((Table::Raw, key(step), Some((0..40).flat_map(|place| value(step, place)).collect())));
    }
    if step.is_multiple_of(10) && step > 50 {
        writes.push((Table::Raw, key(step - 50), None));
    }
    writes
}

fn batch(step: u64) -> Batch {
    let mut batch = Batch::new();
    for (table, key, value) in writes(step) {
        match value {
            Some(value) => batch.put(table, key, value),
            None => batch.delete(table, key),
        };
    }
    batch.journal(Draft {
        at: Timestamp::from_unix(1_588_291_200 + i64::try_from(step).unwrap()),
        actor: "system".into(),
        subject: format!("step:{step}"),
        event: serde_json::json!({ "took": step }),
        changes: serde_json::value::to_raw_value(&serde_json::json!({ "rows": writes(step).len() })).unwrap(),
    });
    batch
}

/// Takes steps after what the store has, to `last`; each acknowledgement is a write to `ack`.
fn work(root: &Path, last: u64) -> Result<(), annai::store::StoreError> {
    let store = Store::open(&root.join("state"), Options::default())?;
    let mut ack = OpenOptions::new().create(true).append(true).open(root.join("ack")).unwrap();
    let mut step = store.head().no;
    while step < last {
        for _ in 0..GROUP {
            step += 1;
            store.stage(batch(step))?;
        }
        store.commit()?;
        ack.write_all(format!("{step}\n").as_bytes()).unwrap();
    }
    if last == CRASH_AFTER {
        store.stage(batch(step + 1))?;
        std::process::abort();
    }
    Ok(())
}

/// Everything the store holds is exactly what its steps wrote; returns how many steps that were.
fn check_whole(state: &Path) -> Result<u64, String> {
    let store = Store::open(state, Options::default()).map_err(|error| error.to_string())?;
    let head = store.verify_journal(|_| ()).map_err(|fault| fault.to_string())?;
    static ALL: OnceLock<Vec<Vec<Row>>> = OnceLock::new();
    let all = ALL.get_or_init(|| (1..=STEPS + GROUP).map(writes).collect());
    let mut expected = Model::new();
    for (table, key, value) in all.iter().take(usize::try_from(head.no).unwrap()).flatten() {
        match value {
            Some(value) => expected.insert((*table, key), value),
            None => expected.remove(&(*table, key)),
        };
    }
    let mut found = BTreeMap::new();
    for table in Table::ALL.iter().copied().filter(|table| !table.reserved()) {
        for row in store.rows(table).map_err(|error| error.to_string())? {
            let (key, value) = row.map_err(|error| error.to_string())?;
            if table != Table::Meta || key == *b"steps" {
                found.insert((table, key.to_vec()), value.to_vec());
            }
        }
    }
    let same = found.len() == expected.len()
        && found.iter().zip(&expected).all(|(a, b)| (a.0.0, &a.0.1, a.1) == (b.0.0, b.0.1, *b.1));
    if same { Ok(head.no) } else { Err(format!("rows are not those of step {}", head.no)) }
}

/// A directory for what a cut leaves; in memory where there is such a place, for it is written and read 280 times.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

struct Recording {
    scratch: tempfile::TempDir,
    root: PathBuf,
}

impl Recording {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().join("root");
        std::fs::create_dir(&root).unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/powercut.c");
        let built = Command::new("cc")
            .args(["-O1", "-shared", "-fPIC", "-o"])
            .arg(scratch.path().join("powercut.so"))
            .args([source, "-ldl"])
            .status();
        assert!(built.expect("this test needs a C compiler named cc").success());
        Self { scratch, root }
    }

    /// Runs the test named `child` of this binary, recorded.
    fn run(&self, last: u64, more: &[(&str, &str)]) -> bool {
        let done = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--test-threads=1"])
            .env("LD_PRELOAD", self.scratch.path().join("powercut.so"))
            .env("POWERCUT_ROOT", &self.root)
            .env("POWERCUT_LOG", self.log())
            .env("POWERCUT_LAST", last.to_string())
            .envs(more.iter().copied())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        println!("child: {} {}{}", done.status, text(&done.stdout), text(&done.stderr));
        done.status.success()
    }

    fn log(&self) -> PathBuf {
        self.scratch.path().join("log")
    }
}

/// The recorded child; without its environment a short run that checks the harness itself.
#[test]
fn child() {
    let given = |name| std::env::var(name).ok();
    if let (Some(root), Some(last)) = (given("POWERCUT_ROOT"), given("POWERCUT_LAST")) {
        let refused = given("POWERCUT_FULL").is_some() || given("POWERCUT_BROKEN").is_some();
        let done = work(Path::new(&root), last.parse().unwrap());
        assert_eq!(done.is_err(), refused, "{done:?}");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    work(scratch.path(), 30).unwrap();
    assert_eq!(check_whole(&scratch.path().join("state")), Ok(30));
}

/// Cuts at `cuts` places; the faults found, as sentences.
fn cut_often(recording: &Recording, records: &[Record], cuts: u64, seed: u64, without_fdatasync: bool) -> Vec<String> {
    let mut dice = Dice(seed);
    let mut places: Vec<usize> = (0..cuts).map(|_| dice.under(records.len() as u64) as usize).collect();
    places.sort_unstable();
    let mut disk = Disk::new(&recording.root.join("ack"));
    disk.ignores_fdatasync = without_fdatasync;
    let (mut at, mut faults) = (0, Vec::new());
    for (number, place) in places.into_iter().enumerate() {
        for record in &records[at..=place.max(at) - usize::from(place < at)] {
            disk.replay(record);
        }
        at = at.max(place + 1);
        let fate = [Fate::Undone, Fate::EachByChance, Fate::Torn][number % 3];
        let left = scratch();
        disk.cut(fate, &mut dice, &recording.root, left.path());
        let state = left.path().join("state");
        let found = std::panic::catch_unwind(|| check_whole(&state)).unwrap_or_else(|_| Err("panicked".into()));
        match found {
            Ok(steps) if steps >= disk.acknowledged => {}
            Ok(steps) => faults.push(format!("{place} {fate:?}: {} acknowledged, {steps} there", disk.acknowledged)),
            Err(what) => faults.push(format!("{place} {fate:?}: {} acknowledged, {what}", disk.acknowledged)),
        }
    }
    faults
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_half_done_is_seen() {
    let seed = seed(None);
    let recording = Recording::new();
    assert!(!recording.run(CRASH_AFTER, &[]), "the first child dies");
    assert!(recording.run(STEPS, &[]), "the second child ends well");
    assert_eq!(check_whole(&recording.root.join("state")), Ok(STEPS));
    let records = read_log(&recording.log());
    let bytes: usize = records.iter().map(|record| record.first.len()).sum();
    let length = std::fs::metadata(recording.root.join("state/store/db")).unwrap().len();
    println!("{} records, {} MB written, {} MB long", records.len(), bytes / 1_000_000, length / 1_000_000);

    let faults = cut_often(&recording, &records, CUTS, seed, false);
    assert!(faults.is_empty(), "seed {seed}: {} of {CUTS} cuts: {faults:#?}", faults.len());

    // The control: on a disk where the store's own fdatasync does nothing, the same cuts must lose something.
    let faults = cut_often(&recording, &records, CONTROL_CUTS, seed, true);
    println!("without fdatasync {} of {CONTROL_CUTS} cuts lose steps", faults.len());
    assert!(!faults.is_empty(), "seed {seed}: this test cannot fail");
}

/// A disk that fills up or breaks: the step is refused, the store takes nothing more, and what was acknowledged is there.
#[test]
fn a_full_or_broken_disk_acknowledges_nothing_more() {
    for trouble in [("POWERCUT_FULL", "6000000"), ("POWERCUT_BROKEN", "40")] {
        let recording = Recording::new();
        assert!(recording.run(STEPS, &[trouble]), "{trouble:?}: the child meets a refusal and ends well");
        let acks = std::fs::read_to_string(recording.root.join("ack")).unwrap();
        let acknowledged: u64 = acks.lines().last().unwrap().parse().unwrap();
        assert!((GROUP..STEPS).contains(&acknowledged), "{trouble:?}: {acknowledged}");
        let steps = check_whole(&recording.root.join("state")).unwrap();
        assert!(steps >= acknowledged, "{trouble:?}: {acknowledged} acknowledged, {steps} there");
    }
}
