//! `ANNAI_NOW` and `ANNAI_SEED`: a frozen clock and fixed randomness for tests of the whole program. A daemon that sends
//! real secrets must never run with them, so they are refused unless the configuration says `[test] enabled = true`.

use super::Config;
use crate::domain::Timestamp;

pub const NOW_VARIABLE: &str = "ANNAI_NOW";
pub const SEED_VARIABLE: &str = "ANNAI_SEED";
/// Years of `ANNAI_NOW`: deadlines and terms of certificates counted from it stay within four digits, and before 2000
/// there is no era for the dates in letters.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=9000;

/// What the environment fixes; both `None` in real life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TestOverrides {
    /// The clock stands still here.
    pub now: Option<Timestamp>,
    /// Seed of all random values.
    pub seed: Option<u64>,
}

/// Usage errors: exit code 2.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    #[error("{0} is set, but it is for tests only; unset it, or set [test] enabled = true in the configuration")]
    NotATest(&'static str),
    #[error("ANNAI_NOW is no moment; write it like 2020-05-01T09:00:00+09:00")]
    Now,
    #[error("ANNAI_NOW lies in the year {0}; give a year from 2000 to 9000")]
    Year(i32),
    #[error("ANNAI_SEED is no number; give 0 to 18446744073709551615")]
    Seed,
}

impl TestOverrides {
    /// Reads both variables from the environment.
    pub fn from_env(config: &Config) -> Result<Self, OverrideError> {
        let read = |name| {
            std::env::var_os(name).filter(|value| !value.is_empty()).map(|value| value.to_string_lossy().into_owned())
        };
        Self::parse(read(NOW_VARIABLE).as_deref(), read(SEED_VARIABLE).as_deref(), config.test.enabled)
    }

    fn parse(now: Option<&str>, seed: Option<&str>, enabled: bool) -> Result<Self, OverrideError> {
        for (name, value) in [(NOW_VARIABLE, now), (SEED_VARIABLE, seed)] {
            if value.is_some() && !enabled {
                return Err(OverrideError::NotATest(name));
            }
        }
        let now: Option<Timestamp> = now.map(str::parse).transpose().map_err(|_| OverrideError::Now)?;
        if let Some(year) = now.map(|now| now.date().year()).filter(|year| !YEARS.contains(year)) {
            return Err(OverrideError::Year(year));
        }
        let seed = seed.map(str::parse).transpose().map_err(|_| OverrideError::Seed)?;
        Ok(Self { now, seed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_test_may_fix_time_and_chance() {
        let now = "2020-05-01T09:00:00+09:00";
        assert_eq!(TestOverrides::parse(None, None, false), Ok(TestOverrides::default()));
        assert_eq!(TestOverrides::parse(Some(now), None, false), Err(OverrideError::NotATest("ANNAI_NOW")));
        assert_eq!(TestOverrides::parse(None, Some("7"), false), Err(OverrideError::NotATest("ANNAI_SEED")));
        assert_eq!(TestOverrides::parse(Some("now"), None, true), Err(OverrideError::Now));
        assert_eq!(TestOverrides::parse(None, Some("-1"), true), Err(OverrideError::Seed));
        let late = TestOverrides::parse(Some("9999-12-31T23:59:59Z"), None, true);
        assert_eq!(late, Err(OverrideError::Year(10_000)));
        let both = TestOverrides::parse(Some(now), Some("7"), true).unwrap();
        assert_eq!((both.now.map(Timestamp::rfc3339).as_deref(), both.seed), (Some(now), Some(7)));
    }
}
