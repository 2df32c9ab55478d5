//! Sleeps to the next wake and wakes what is due. Reconciles: it takes no input but the store, does a bounded batch, and
//! an early or repeated wake does nothing. `cron` gives only rhythms (when to look), never meaning (what is due).

use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::engine::Engine;
use crate::engine::thread::{Handle, Stopped};
use chrono::{DateTime, FixedOffset};
use cron::Schedule;
use std::future::Future;
use std::str::FromStr;

/// Rosters woken in one go.
pub const WAKES_MAX: usize = 100;

/// A rhythm: a cron expression with seconds first, in Japanese time.
#[derive(Debug, Clone)]
pub struct Rhythm(Schedule);

/// Why a text is no rhythm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{expression:?} is no rhythm ({fault}); six fields, seconds first, weekdays by name: \"0 */5 * * * *\"")]
pub struct RhythmError {
    expression: String,
    fault: String,
}

impl FromStr for Rhythm {
    type Err = RhythmError;

    fn from_str(expression: &str) -> Result<Self, RhythmError> {
        let wrong =
            |fault: cron::error::Error| RhythmError { expression: expression.to_owned(), fault: fault.to_string() };
        Schedule::from_str(expression).map(Self).map_err(wrong)
    }
}

impl Rhythm {
    /// The first beat after `now`; `None` if there is none (31 February).
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let jst = FixedOffset::east_opt(9 * 3600)?;
        let now = DateTime::from_timestamp(now.unix(), 0)?.with_timezone(&jst);
        self.0.after(&now).next().map(|beat| Timestamp::from_unix(beat.timestamp()))
    }
}

/// Waits until the clock shows `at`, or for ever if there is no such moment.
pub async fn sleep_until(clock: &Clock, at: Option<Timestamp>) {
    match at {
        None => std::future::pending().await,
        Some(at) => {
            while clock.now() < at {
                tokio::time::sleep(clock.real_until(at)).await;
            }
        }
    }
}

/// Wakes what is due until `shutdown` ends.
pub async fn run(handle: Handle, clock: Clock, shutdown: impl Future<Output = ()>) -> Result<(), Stopped> {
    tokio::pin!(shutdown);
    let mut next = handle.next();
    loop {
        let wake = next.borrow_and_update().wake;
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            changed = next.changed() => changed.map_err(|_| Stopped)?,
            () = sleep_until(&clock, wake) => drain(&handle).await?,
        }
    }
}

/// Wakes everything that is due now: requests and waves, then rosters.
pub async fn drain(handle: &Handle) -> Result<(), Stopped> {
    if let Err(fault) = handle.call(Engine::chores).await? {
        tracing::error!(%fault, "looking at requests and waves failed");
        return Ok(());
    }
    loop {
        match handle.call(|engine| engine.wake(WAKES_MAX)).await? {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(fault) => {
                tracing::error!(%fault, "waking failed");
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rhythms_beat_in_japanese_time() {
        let check = |rhythm: &str, now: &str, expected: Option<&str>| {
            let next = rhythm.parse::<Rhythm>().unwrap().next_after(now.parse().unwrap());
            assert_eq!(next, expected.map(|t| t.parse().unwrap()), "{rhythm}");
        };
        check("0 0 6 * * *", "2020-05-01T05:59:59+09:00", Some("2020-05-01T06:00:00+09:00"));
        check("0 0 6 * * *", "2020-05-01T06:00:00+09:00", Some("2020-05-02T06:00:00+09:00"));
        check("0 */5 * * * *", "2020-05-01T06:01:00+09:00", Some("2020-05-01T06:05:00+09:00"));
        check("0 0 9 * * Mon-Fri", "2020-05-01T10:00:00+09:00", Some("2020-05-04T09:00:00+09:00"));
        check("0 0 9 31 2 *", "2020-05-01T10:00:00+09:00", None);
        assert!("*/5 * * * *".parse::<Rhythm>().is_err());
    }
}
