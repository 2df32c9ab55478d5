//! Chance with a seed (splitmix64): the same seed, the same life.

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
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(n.max(1)).unwrap()).unwrap()
    }

    /// Seconds from `a` up to `b`.
    pub(crate) fn seconds(&mut self, a: i64, b: i64) -> i64 {
        a + i64::try_from(self.next() % u64::try_from((b - a).max(1)).unwrap()).unwrap()
    }

    /// True `n` times of a thousand.
    pub(crate) fn permille(&mut self, n: usize) -> bool {
        self.below(1_000) < n
    }

    pub(crate) fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}
