//! Chance of tests (splitmix64): the seed is all it takes to repeat a run.

#![allow(dead_code, reason = "every test throws these dice in another way")]

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

/// The seed of this run, printed: `ANNAI_TEST_SEED` (a number, or `random`), else the usual one, else a new one each time.
pub(crate) fn seed(usual: Option<u64>) -> u64 {
    let drawn = || RandomState::new().build_hasher().finish();
    let seed = match std::env::var("ANNAI_TEST_SEED").as_deref() {
        Err(_) => usual.unwrap_or_else(drawn),
        Ok("random") => drawn(),
        Ok(text) => text.parse().expect("ANNAI_TEST_SEED is a number, or random"),
    };
    println!("ANNAI_TEST_SEED={seed}");
    seed
}

#[derive(Debug, Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to `n` - 1.
    pub(crate) fn under(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    /// 0 to `n` - 1.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.under(u64::try_from(n).unwrap())).unwrap()
    }

    /// Seconds from `a` up to `b`.
    pub(crate) fn seconds(&mut self, a: i64, b: i64) -> i64 {
        a + i64::try_from(self.under(u64::try_from((b - a).max(1)).unwrap())).unwrap()
    }

    /// Less than `limit`, to the microsecond.
    pub(crate) fn wait(&mut self, limit: Duration) -> Duration {
        Duration::from_micros(self.under(u64::try_from(limit.as_micros()).unwrap()))
    }

    /// True `n` times of a thousand.
    pub(crate) fn permille(&mut self, n: usize) -> bool {
        self.below(1_000) < n
    }

    pub(crate) fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}
