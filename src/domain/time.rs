//! Time as a value. The only file that does calendar arithmetic; everything is Japan Standard Time (UTC+9, no summer
//! time since 1951), and nothing here asks what time it is.

use chrono::{DateTime, Datelike, Days, FixedOffset, NaiveDate, SecondsFormat, Timelike, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const JST_SECONDS: i32 = 9 * 3600;
pub const MINUTE: i64 = 60;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// A moment, in whole seconds since 1970-01-01T00:00:00Z. Written as RFC 3339 in JST.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

/// A day of the calendar in Japan. Written as 2020-05-31.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(NaiveDate);

/// Why a text is no date or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    #[error("a moment looks like 2020-05-01T09:00:00+09:00 (RFC 3339)")]
    Timestamp,
    #[error("a day looks like 2020-05-01")]
    Date,
    #[error("a time of day looks like 09:00")]
    TimeOfDay,
}

/// Minutes since midnight JST, 0 to 1439.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimeOfDay(pub u16);

/// Days of the week, Monday first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Timestamp {
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    pub const fn unix(self) -> i64 {
        self.0
    }

    /// This moment plus so many seconds (may be negative).
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this moment.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The day in Japan.
    pub fn date(self) -> Date {
        Date(self.jst().date_naive())
    }

    /// The time of day in Japan.
    pub fn time_of_day(self) -> TimeOfDay {
        let t = self.jst();
        TimeOfDay(u16::try_from(t.hour() * 60 + t.minute()).unwrap_or(0))
    }

    /// `2020-05-01T09:00:00+09:00`.
    pub fn rfc3339(self) -> String {
        self.jst().to_rfc3339_opts(SecondsFormat::Secs, false)
    }

    /// `Fri, 1 May 2020 09:00:00 +0900` (RFC 5322 §3.3).
    pub fn rfc5322(self) -> String {
        self.jst().format("%a, %-d %b %Y %H:%M:%S +0900").to_string()
    }

    /// `2020-05-01 (金) 09:00`, for staff.
    pub fn staff(self) -> String {
        format!("{} {}", self.date().staff(), self.time_of_day())
    }

    /// `令和2年5月1日（金）午前9時30分`, for officers.
    pub fn official(self) -> String {
        format!("{}{}", self.date().official(), self.time_of_day().official())
    }

    fn jst(self) -> DateTime<FixedOffset> {
        let offset = FixedOffset::east_opt(JST_SECONDS).unwrap_or_else(|| chrono::Offset::fix(&Utc));
        DateTime::<Utc>::from_timestamp(self.0, 0).unwrap_or_default().with_timezone(&offset)
    }
}

impl Date {
    /// `None` if there is no such day.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self)
    }

    /// This moment of this day in Japan.
    pub fn at(self, time: TimeOfDay) -> Timestamp {
        let midnight = self.0.and_hms_opt(0, 0, 0).map_or(0, |t| t.and_utc().timestamp()) - i64::from(JST_SECONDS);
        Timestamp(midnight + i64::from(time.0) * MINUTE)
    }

    /// 00:00:00 JST.
    pub fn start(self) -> Timestamp {
        self.at(TimeOfDay(0))
    }

    /// 23:59:59 JST, the last second that counts for a deadline on this day.
    pub fn end(self) -> Timestamp {
        self.start().plus(DAY - 1)
    }

    pub fn plus_days(self, days: u32) -> Self {
        Self(self.0.checked_add_days(Days::new(days.into())).unwrap_or(NaiveDate::MAX))
    }

    pub fn minus_days(self, days: u32) -> Self {
        Self(self.0.checked_sub_days(Days::new(days.into())).unwrap_or(NaiveDate::MIN))
    }

    /// Days from `earlier` to this day; negative if it is later.
    pub fn days_since(self, earlier: Self) -> i64 {
        self.0.signed_duration_since(earlier.0).num_days()
    }

    pub fn year(self) -> i32 {
        self.0.year()
    }

    pub fn month(self) -> u32 {
        self.0.month()
    }

    pub fn day(self) -> u32 {
        self.0.day()
    }

    pub fn weekday(self) -> Weekday {
        match self.0.weekday() {
            chrono::Weekday::Mon => Weekday::Mon,
            chrono::Weekday::Tue => Weekday::Tue,
            chrono::Weekday::Wed => Weekday::Wed,
            chrono::Weekday::Thu => Weekday::Thu,
            chrono::Weekday::Fri => Weekday::Fri,
            chrono::Weekday::Sat => Weekday::Sat,
            chrono::Weekday::Sun => Weekday::Sun,
        }
    }

    /// `令和2年5月31日（日）`: era, full-width parentheses, 元年 for the first year.
    pub fn official(self) -> String {
        // 令和 began on 2019-05-01, 平成 on 1989-01-08.
        let reiwa = NaiveDate::from_ymd_opt(2019, 5, 1).is_some_and(|first| self.0 >= first);
        let (era, year) = if reiwa { ("令和", self.year() - 2018) } else { ("平成", self.year() - 1988) };
        let year = if year == 1 { "元".to_owned() } else { year.to_string() };
        format!("{era}{year}年{}月{}日（{}）", self.month(), self.day(), self.weekday().kanji())
    }

    /// `2020-05-31 (日)`, for staff.
    pub fn staff(self) -> String {
        format!("{self} ({})", self.weekday().kanji())
    }
}

impl Weekday {
    pub fn kanji(self) -> char {
        match self {
            Self::Mon => '月',
            Self::Tue => '火',
            Self::Wed => '水',
            Self::Thu => '木',
            Self::Fri => '金',
            Self::Sat => '土',
            Self::Sun => '日',
        }
    }
}

impl TimeOfDay {
    /// `午前9時30分`, `正午`, `午後5時`.
    pub fn official(self) -> String {
        let (hour, minute) = (self.0 / 60, self.0 % 60);
        if self.0 == 12 * 60 {
            return "正午".to_owned();
        }
        let (half, hour) = if hour < 12 { ("午前", hour) } else { ("午後", hour - 12) };
        if minute == 0 { format!("{half}{hour}時") } else { format!("{half}{hour}時{minute}分") }
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        DateTime::parse_from_rfc3339(text).map(|t| Self(t.timestamp())).map_err(|_| TimeError::Timestamp)
    }
}

impl FromStr for Date {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        text.parse().map(Self).map_err(|_| TimeError::Date)
    }
}

impl FromStr for TimeOfDay {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let (hour, minute) = text.split_once(':').ok_or(TimeError::TimeOfDay)?;
        let two = |t: &str, below: u16| {
            t.parse().ok().filter(|n: &u16| t.len() == 2 && *n < below).ok_or(TimeError::TimeOfDay)
        };
        Ok(Self(two(hour, 24)? * 60 + two(minute, 60)?))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(t: Timestamp) -> Self {
        t.rfc3339()
    }
}

impl TryFrom<String> for Date {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(d: Date) -> Self {
        d.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn days_are_counted_in_japan() {
        assert_eq!(at("2020-04-30T15:00:00Z").date(), "2020-05-01".parse().unwrap());
        assert_eq!(at("2020-04-30T14:59:59Z").date(), "2020-04-30".parse().unwrap());
        assert_eq!(at("2020-05-01T00:00:00Z").rfc3339(), "2020-05-01T09:00:00+09:00");
        assert_eq!(at("2020-05-01T00:00:00Z").rfc5322(), "Fri, 1 May 2020 09:00:00 +0900");
    }

    #[test]
    fn official_dates() {
        let day = |t: &str| t.parse::<Date>().unwrap().official();
        assert_eq!(day("2020-05-31"), "令和2年5月31日（日）");
        assert_eq!(day("2019-05-01"), "令和元年5月1日（水）");
        assert_eq!(day("2019-04-30"), "平成31年4月30日（火）");
        assert_eq!(at("2020-05-01T17:15:00+09:00").official(), "令和2年5月1日（金）午後5時15分");
        assert_eq!(at("2020-05-01T12:00:00+09:00").official(), "令和2年5月1日（金）正午");
    }

    #[test]
    fn a_deadline_is_the_last_second_of_its_day() {
        let day = at("2020-05-01T09:30:00+09:00").date().plus_days(30);
        assert_eq!(day.end(), at("2020-05-31T23:59:59+09:00"));
        assert_eq!(day.minus_days(31).to_string(), "2020-04-30");
    }

    #[test]
    fn texts_that_are_no_time() {
        assert_eq!("9:00".parse::<TimeOfDay>(), Err(TimeError::TimeOfDay));
        assert_eq!("24:00".parse::<TimeOfDay>(), Err(TimeError::TimeOfDay));
        assert_eq!("2020-02-30".parse::<Date>(), Err(TimeError::Date));
        assert_eq!("2020-05-01".parse::<Timestamp>(), Err(TimeError::Timestamp));
    }
}
