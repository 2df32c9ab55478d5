//! How fast letters leave: at most so many per minute in all, and so many per minute to one receiving domain. Pure: time
//! comes in as a value, nothing waits here.
//!
//! A sliding window of 60 seconds counted by whole seconds: in no minute, wherever it begins, do more leave than allowed,
//! and a quiet hour saves up nothing (token buckets allow twice the limit around a pause). Forgotten at a restart, so
//! that one minute may then hold up to twice the limit.
//!
//! Limits: remembers at most [`DOMAINS_MAX`] domains; beyond that the quietest are forgotten first.

use crate::domain::Timestamp;
use crate::domain::time::MINUTE;
use std::collections::{BTreeMap, VecDeque};

/// Most receiving domains remembered at a time.
pub const DOMAINS_MAX: usize = 10_000;

/// What has left within the last minute.
#[derive(Debug, Clone)]
pub struct Throttle {
    all: Window,
    per_domain: u32,
    domains: BTreeMap<String, Window>,
}

/// Letters per second, oldest second first; only the last minute.
#[derive(Debug, Clone)]
struct Window {
    limit: u32,
    seconds: VecDeque<(Timestamp, u32)>,
    count: u32,
}

impl Throttle {
    /// Letters per minute in all and per domain; 0: no limit.
    pub fn new(per_minute: u32, per_domain_per_minute: u32) -> Self {
        Self { all: Window::new(per_minute), per_domain: per_domain_per_minute, domains: BTreeMap::new() }
    }

    /// The first moment, not before `now`, at which one more letter may leave for `domain` (lower-case).
    pub fn next_slot(&self, domain: &str, now: Timestamp) -> Timestamp {
        let here = self.domains.get(domain).map_or(now, |window| window.next_slot(now));
        self.all.next_slot(now).max(here)
    }

    pub fn may_send(&self, domain: &str, now: Timestamp) -> bool {
        self.next_slot(domain, now) <= now
    }

    /// One letter leaves now. Counts also if it should not have.
    pub fn record(&mut self, domain: &str, now: Timestamp) {
        self.all.record(now);
        if self.per_domain == 0 {
            return;
        }
        if self.domains.len() >= DOMAINS_MAX && !self.domains.contains_key(domain) {
            self.forget(now);
        }
        self.domains.entry(domain.to_owned()).or_insert_with(|| Window::new(self.per_domain)).record(now);
    }

    fn forget(&mut self, now: Timestamp) {
        self.domains.retain(|_, window| window.seconds.back().is_some_and(|(at, _)| now.since(*at) < MINUTE));
        let quietest = || self.domains.iter().min_by_key(|(_, window)| window.count).map(|(domain, _)| domain.clone());
        if let (true, Some(domain)) = (self.domains.len() >= DOMAINS_MAX, quietest()) {
            self.domains.remove(&domain);
        }
    }
}

impl Window {
    fn new(limit: u32) -> Self {
        Self { limit, seconds: VecDeque::new(), count: 0 }
    }

    fn record(&mut self, now: Timestamp) {
        if self.limit == 0 {
            return;
        }
        while let Some((at, sent)) = self.seconds.front().copied().filter(|(at, _)| now.since(*at) >= MINUTE) {
            debug_assert!(at <= now);
            self.count -= sent;
            self.seconds.pop_front();
        }
        self.count += 1;
        match self.seconds.back_mut() {
            // A clock that was set back counts into the latest second it has seen.
            Some((at, sent)) if *at >= now => *sent += 1,
            _ => self.seconds.push_back((now, 1)),
        }
    }

    /// When so many of the oldest have left the window that one more fits.
    fn next_slot(&self, now: Timestamp) -> Timestamp {
        if self.limit == 0 {
            return now;
        }
        let mut inside = self.count;
        for (at, sent) in &self.seconds {
            if inside < self.limit {
                break;
            }
            let leaves = at.plus(MINUTE);
            inside -= sent;
            if leaves > now && inside < self.limit {
                return leaves;
            }
        }
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(1_588_300_000 + second)
    }

    /// Sends as fast as allowed; returns the seconds at which letters left.
    fn run(throttle: &mut Throttle, domain: &str, letters: usize) -> Vec<i64> {
        let mut now = at(0);
        (0..letters)
            .map(|_| {
                now = throttle.next_slot(domain, now);
                assert!(throttle.may_send(domain, now));
                throttle.record(domain, now);
                now.since(at(0))
            })
            .collect()
    }

    #[test]
    fn no_minute_holds_more_than_the_limit() {
        assert_eq!(run(&mut Throttle::new(2, 0), "a.jp", 6), [0, 0, 60, 60, 120, 120]);
        assert_eq!(run(&mut Throttle::new(0, 1), "a.jp", 3), [0, 60, 120]);
        assert_eq!(run(&mut Throttle::new(0, 0), "a.jp", 3), [0, 0, 0]);
    }

    #[test]
    fn domains_do_not_slow_each_other() {
        let mut throttle = Throttle::new(3, 1);
        throttle.record("a.jp", at(0));
        assert!(!throttle.may_send("a.jp", at(59)));
        assert!(throttle.may_send("b.jp", at(1)));
        throttle.record("b.jp", at(1));
        throttle.record("c.jp", at(2));
        assert_eq!(throttle.next_slot("d.jp", at(3)), at(60));
        assert_eq!(throttle.next_slot("b.jp", at(3)), at(61));
    }

    #[test]
    fn the_window_slides_by_what_really_left() {
        let mut throttle = Throttle::new(2, 0);
        for second in [0, 30, 60] {
            assert!(throttle.may_send("a.jp", at(second)), "{second}");
            throttle.record("a.jp", at(second));
        }
        assert_eq!(throttle.next_slot("a.jp", at(61)), at(90));
        assert_eq!(throttle.next_slot("a.jp", at(500)), at(500));
    }

    #[test]
    fn a_clock_set_back_never_opens_the_gate_or_panics() {
        let mut throttle = Throttle::new(1, 1);
        throttle.record("a.jp", at(100));
        assert!(!throttle.may_send("a.jp", at(0)));
        throttle.record("a.jp", at(0));
        assert_eq!(throttle.next_slot("a.jp", at(0)), at(160));
    }

    #[test]
    fn memory_has_a_limit() {
        let mut throttle = Throttle::new(0, 1);
        for n in 0..DOMAINS_MAX + 10 {
            throttle.record(&format!("{n}.jp"), at(0));
        }
        assert_eq!(throttle.domains.len(), DOMAINS_MAX);
    }
}
