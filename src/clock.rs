//! The clock: the only file that asks the system what time it is. Everybody else is told (aesthetics §7 rule 4).
//!
//! Four clocks: the real one; one that stands still (`ANNAI_NOW`); one that is moved by hand (simulations); and one that
//! runs fast (`annai demo`), and can be stopped for a while. No waiting is done here: [`Clock::real_until`] says how long, the caller waits.

use crate::domain::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
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
    /// Runs `factor` of its seconds in a real one, unless it is stopped.
    Scaled { face: Arc<RwLock<Face>>, factor: u32 },
}

/// What a fast clock shows.
#[derive(Debug, Clone, Copy)]
pub enum Face {
    /// Showed `from` at `since`.
    Runs { from: Timestamp, since: Instant },
    /// Stands, and will go on.
    Paused { at: Timestamp },
    /// Stands for ever.
    Ended { at: Timestamp },
}

impl Clock {
    /// A clock that shows `from` now and runs `factor` times as fast as the real one (0 counts as 1).
    pub fn scaled(from: Timestamp, factor: u32) -> Self {
        let face = Face::Runs { from, since: monotonic() };
        Self::Scaled { face: Arc::new(RwLock::new(face)), factor: factor.max(1) }
    }

    /// Lets a fast clock stand at `last` for ever; other clocks go on.
    pub fn end_at(&self, last: Timestamp) {
        self.set(|_| Face::Ended { at: last });
    }

    /// Stops a fast clock for a while; other clocks go on.
    pub fn pause(&self) {
        let at = self.now();
        self.set(|face| if let Face::Runs { .. } = face { Face::Paused { at } } else { face });
    }

    /// Lets a fast clock that is paused go on from what it shows.
    pub fn go_on(&self) {
        self.set(|face| match face {
            Face::Paused { at } => Face::Runs { from: at, since: monotonic() },
            Face::Runs { .. } | Face::Ended { .. } => face,
        });
    }

    fn set(&self, change: impl FnOnce(Face) -> Face) {
        match self {
            Self::Scaled { face, .. } => {
                let mut face = face.write().unwrap_or_else(PoisonError::into_inner);
                *face = change(*face);
            }
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
            Self::Scaled { face, factor } => match *face.read().unwrap_or_else(PoisonError::into_inner) {
                Face::Runs { from, since } => from.plus(seconds(since.elapsed().saturating_mul(*factor))),
                Face::Paused { at } | Face::Ended { at } => at,
            },
        }
    }

    /// How long to really wait before looking at this clock again if nothing is due before `t`: zero when `t` has come,
    /// at most [`WAIT_MAX`]; for clocks that stand still at most [`STOPPED_POLL`].
    pub fn real_until(&self, t: Timestamp) -> Duration {
        match self {
            Self::System => from_seconds(t.unix()).saturating_sub(since_epoch()).min(WAIT_MAX),
            Self::Frozen(_) | Self::Manual(_) if t <= self.now() => Duration::ZERO,
            Self::Frozen(_) | Self::Manual(_) => STOPPED_POLL,
            Self::Scaled { face, factor } => match *face.read().unwrap_or_else(PoisonError::into_inner) {
                Face::Runs { from, since } => {
                    let real = from_seconds(t.since(from)) / (*factor).max(1);
                    real.saturating_sub(since.elapsed()).min(WAIT_MAX)
                }
                Face::Paused { at } | Face::Ended { at } if t <= at => Duration::ZERO,
                Face::Paused { .. } => STOPPED_POLL,
                Face::Ended { .. } => WAIT_MAX,
            },
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
        let face = Face::Runs { from: T, since: monotonic().checked_sub(Duration::from_secs(2)).unwrap() };
        let clock = Clock::Scaled { face: Arc::new(RwLock::new(face)), factor: 86_400 };
        let later = clock.now();
        assert!(later >= T.plus(2 * DAY) && later < T.plus(3 * DAY), "{later}");
        clock.pause();
        let stands = clock.now();
        clock.pause();
        assert!(stands >= later && clock.now() == stands);
        assert_eq!((clock.real_until(stands), clock.real_until(stands.plus(1))), (Duration::ZERO, STOPPED_POLL));
        clock.go_on();
        assert!(clock.now() >= stands && clock.real_until(stands.plus(DAY)) > Duration::ZERO);
        clock.end_at(T.plus(DAY));
        clock.go_on();
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
