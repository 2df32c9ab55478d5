//! The clock: the only file that asks the system what time it is. Everybody else is told (aesthetics §7 rule 4).
//!
//! Four clocks: the real one; one that stands still (`ANNAI_NOW`); one that is moved by hand (simulations); and one that
//! runs fast (`annai demo`). No waiting is done here: [`Clock::real_until`] says how long, the caller waits.

use crate::domain::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// Longest wait proposed in one go. The wall clock may be set while somebody waits, so nobody waits blindly for longer.
pub const WAIT_MAX: Duration = Duration::from_mins(1);
/// Wait proposed by a clock that does not run by itself: it may be moved at any moment.
pub const STOPPED_POLL: Duration = Duration::from_millis(50);

/// What `now` means.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The computer's clock.
    System,
    /// Stands still: `ANNAI_NOW`.
    Frozen(Timestamp),
    /// Moved by hand; holds seconds since 1970-01-01T00:00:00Z.
    Manual(Arc<AtomicI64>),
    /// Showed `virtual_start` at `real_start` and has run `factor` virtual seconds per real second since.
    /// It goes on to `last` and stops there (seconds since 1970).
    Scaled { virtual_start: Timestamp, real_start: Instant, factor: u32, last: Arc<AtomicI64> },
}

impl Clock {
    /// A clock that shows `from` now and runs `factor` times as fast as the real one (0 counts as 1).
    pub fn scaled(from: Timestamp, factor: u32) -> Self {
        let last = Arc::new(AtomicI64::new(i64::MAX));
        Self::Scaled { virtual_start: from, real_start: monotonic(), factor: factor.max(1), last }
    }

    /// Lets a fast clock stop when it shows `last`; other clocks go on.
    pub fn stop_at(&self, last: Timestamp) {
        match self {
            Self::Scaled { last: stop, .. } => stop.store(last.unix(), Ordering::Release),
            Self::System | Self::Frozen(_) | Self::Manual(_) => {}
        }
    }

    /// How many of its seconds pass in a real one, for limits that are meant in real time.
    pub fn factor(&self) -> u32 {
        match self {
            Self::Scaled { factor, .. } => *factor,
            Self::System | Self::Frozen(_) | Self::Manual(_) => 1,
        }
    }

    /// A clock moved by hand, and the hand.
    pub fn manual(from: Timestamp) -> (Self, Arc<AtomicI64>) {
        let hand = Arc::new(AtomicI64::new(from.unix()));
        (Self::Manual(Arc::clone(&hand)), hand)
    }

    /// The moment it is, in whole seconds, rounded down.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::from_unix(seconds(since_epoch())),
            Self::Frozen(at) => *at,
            Self::Manual(hand) => Timestamp::from_unix(hand.load(Ordering::Acquire)),
            Self::Scaled { virtual_start, real_start, factor, last } => {
                let shown = virtual_start.plus(seconds(real_start.elapsed().saturating_mul(*factor)));
                shown.min(Timestamp::from_unix(last.load(Ordering::Acquire)))
            }
        }
    }

    /// How long to really wait before looking at this clock again if nothing is due before `t`: zero when `t` has come,
    /// at most [`WAIT_MAX`]; for clocks that stand still at most [`STOPPED_POLL`].
    pub fn real_until(&self, t: Timestamp) -> Duration {
        match self {
            Self::System => from_seconds(t.unix()).saturating_sub(since_epoch()).min(WAIT_MAX),
            Self::Frozen(_) | Self::Manual(_) if t <= self.now() => Duration::ZERO,
            Self::Frozen(_) | Self::Manual(_) => STOPPED_POLL,
            Self::Scaled { last, .. } if t.unix() > last.load(Ordering::Acquire) => WAIT_MAX,
            Self::Scaled { virtual_start, real_start, factor, .. } => {
                let real = from_seconds(t.since(*virtual_start)) / (*factor).max(1);
                real.saturating_sub(real_start.elapsed()).min(WAIT_MAX)
            }
        }
    }
}

/// A point on the clock that is never set: for measuring and for timeouts, never for dates.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// Notices when somebody sets the computer's clock while the daemon runs (I11).
#[derive(Debug, Clone, Copy)]
pub struct Drift {
    wall: Duration,
    steady: Instant,
}

impl Drift {
    /// Starts comparing the wall clock with the steady one.
    pub fn start() -> Self {
        Self { wall: since_epoch(), steady: monotonic() }
    }

    /// Seconds the wall clock was moved since the start: positive forward, negative back. Slow adjustment by NTP stays
    /// far below one second per hour; a sleep of the computer counts as a jump forward.
    pub fn seconds(&self) -> i64 {
        seconds(since_epoch()).saturating_sub(seconds(self.wall.saturating_add(self.steady.elapsed())))
    }
}

/// Time since 1970; a computer whose clock stands before that gets zero, which the doctor reports as a wrong clock.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

fn from_seconds(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::DAY;

    const T: Timestamp = Timestamp::from_unix(1_588_291_200);

    #[test]
    fn a_still_clock_stands_and_a_moved_one_moves() {
        let frozen = Clock::Frozen(T);
        assert_eq!(
            (frozen.now(), frozen.real_until(T.plus(1)), frozen.real_until(T)),
            (T, STOPPED_POLL, Duration::ZERO)
        );
        let (clock, hand) = Clock::manual(T);
        hand.fetch_add(DAY, Ordering::Release);
        assert_eq!(clock.clone().now(), T.plus(DAY));
    }

    #[test]
    fn a_fast_clock_makes_days_short() {
        let clock = Clock::scaled(T, 86_400);
        let wait = clock.real_until(T.plus(DAY));
        assert!(wait <= Duration::from_secs(1) && wait > Duration::from_millis(500), "{wait:?}");
        let back = monotonic().checked_sub(Duration::from_secs(2)).unwrap();
        let last = Arc::new(AtomicI64::new(i64::MAX));
        let clock = Clock::Scaled { virtual_start: T, real_start: back, factor: 86_400, last };
        let later = clock.now();
        assert!(later >= T.plus(2 * DAY) && later < T.plus(3 * DAY), "{later}");
        clock.stop_at(T.plus(DAY));
        assert_eq!((clock.now(), clock.real_until(T.plus(2 * DAY))), (T.plus(DAY), WAIT_MAX));
    }

    #[test]
    fn the_system_clock_agrees_with_itself() {
        let now = Clock::System.now();
        assert!(now > T);
        assert_eq!(Clock::System.real_until(now.plus(-5)), Duration::ZERO);
        assert_eq!(Clock::System.real_until(now.plus(DAY)), WAIT_MAX);
        assert!(Drift::start().seconds().abs() <= 1);
        let jumped = Drift { wall: since_epoch().saturating_sub(Duration::from_hours(1)), steady: monotonic() };
        assert!((3599..=3601).contains(&jumped.seconds()));
    }
}
