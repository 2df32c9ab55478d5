//! How often somebody may try: buckets that fill again with time, one per address and one per code.
//!
//! Whole prefectures leave their network by one address (research §1.1), so the limit per address is wide; what really
//! protects a password is the engine's lock after ten wrong ones.

use crate::clock::monotonic;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Forms one address may send at once, and in [`REFILL`].
pub(super) const PER_ADDRESS: u32 = 120;
/// Forms sent to one code at once, and in [`REFILL`].
pub(super) const PER_CODE: u32 = 30;
/// In this time an empty bucket is full again.
pub(super) const REFILL: Duration = Duration::from_mins(1);
/// Buckets kept at most. Beyond that the full ones are forgotten, and if there are none, all.
pub(super) const BUCKETS_MAX: usize = 20_000;

/// Whose bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    Address(IpAddr),
    /// A digest of the code, never the code.
    Code([u8; 16]),
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Limits(Mutex<HashMap<Whose, Bucket>>);

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Limits {
    /// Takes one from the bucket; `false`: it is empty, come again later.
    pub(super) fn allow(&self, whose: Whose) -> bool {
        self.allow_at(whose, monotonic())
    }

    fn allow_at(&self, whose: Whose, now: Instant) -> bool {
        let size = match whose {
            Whose::Address(_) => PER_ADDRESS,
            Whose::Code(_) => PER_CODE,
        };
        let size = f64::from(size);
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(&whose) {
            buckets.retain(|_, bucket| now.saturating_duration_since(bucket.at) < REFILL);
            if buckets.len() >= BUCKETS_MAX {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(whose).or_insert(Bucket { left: size, at: now });
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.left = (bucket.left + passed * size / REFILL.as_secs_f64()).min(size);
        bucket.at = now;
        let allowed = bucket.left >= 1.0;
        if allowed {
            bucket.left -= 1.0;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills() {
        let (limits, start) = (Limits::default(), monotonic());
        let tries = |whose: &Whose, now: Instant| (0..1000).filter(|_| limits.allow_at(whose.clone(), now)).count();
        let (one, other) = (Whose::Code([1; 16]), Whose::Code([2; 16]));
        assert_eq!(tries(&one, start), 30);
        assert_eq!(tries(&other, start), 30, "a bucket of its own");
        assert_eq!(tries(&one, start + REFILL / 2), 15);
        assert_eq!(tries(&one, start + REFILL * 10), 30, "never more than full");
        assert_eq!(tries(&Whose::Address([192, 0, 2, 1].into()), start), 120);
    }

    #[test]
    fn buckets_do_not_grow_without_end() {
        let (limits, start) = (Limits::default(), monotonic());
        for no in 0..50_000_u32 {
            limits.allow_at(Whose::Address(no.to_be_bytes().into()), start);
            assert!(limits.0.lock().unwrap().len() <= BUCKETS_MAX);
        }
    }
}
