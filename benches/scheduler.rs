//! A tick of the scheduler costs what is due, not how many tenants there are; and starting costs the same with a million.
//!
//! `cargo bench --bench scheduler` (1,000 to 100,000 tenants) or `ANNAI_BENCH_TENANTS=1000000 cargo bench --bench scheduler`.
//! Prints one row per size: the cost of a look with nothing due, of ten rosters woken and flushed, and of opening the engine.
//!
//! Each authority has a real roster, its journal line, its inbox item and its receipt.

mod country;

use annai::clock::{Clock, monotonic};
use annai::domain::LgCode;
use annai::store::{Options, Store};
use country::{GROUP, START, TENANTS_EACH, WELCOME, codes, file, open, setup};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Rosters woken in one go.
const DUE: usize = 10;

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
    let mut engine = open(scratch.path(), setup, clock).1;
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

fn build(dir: &Path, codes: &[LgCode]) {
    let (clock, _hand) = Clock::manual(START);
    let mut engine = open(dir, setup(codes), clock).1;
    for (group, some) in codes.chunks(GROUP).enumerate() {
        file(&mut engine, u32::try_from(group * GROUP).expect("few enough") + 1, some);
    }
}
