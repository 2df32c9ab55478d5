//! 開庁日 (business days) and the send window (research R15, R16).
//!
//! Closed are Saturdays, Sundays, national holidays (`rules/holidays.csv`) and 29 December to 3 January
//! (行政機関の休日に関する法律 §1).

use crate::domain::time::Weekday;
use crate::domain::{Date, Timestamp};
use crate::rules::{Holidays, SendWindow};

/// Longest run of days looked through for an open one; the longest closed run is about ten days.
const SEARCH_DAYS_MAX: u32 = 366;

/// Answers questions about business days.
#[derive(Debug, Clone, Copy)]
pub struct Calendar<'a> {
    holidays: &'a Holidays,
}

impl<'a> Calendar<'a> {
    pub fn of(holidays: &'a Holidays) -> Self {
        Self { holidays }
    }

    /// Whether public offices are open on this day.
    pub fn is_business_day(self, day: Date) -> bool {
        !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !self.is_holiday(day)
    }

    /// This day if offices are open, else the last open one before.
    pub fn business_day_on_or_before(self, day: Date) -> Date {
        (0..SEARCH_DAYS_MAX).map(|back| day.minus_days(back)).find(|d| self.is_business_day(*d)).unwrap_or(day)
    }

    /// The `count`-th business day after `day`; `day` itself for 0.
    pub fn plus_business_days(self, day: Date, count: u32) -> Date {
        (1..SEARCH_DAYS_MAX)
            .map(|ahead| day.plus_days(ahead))
            .filter(|d| self.is_business_day(*d))
            .nth(count.saturating_sub(1) as usize)
            .filter(|_| count > 0)
            .unwrap_or(day)
    }

    /// The first moment from `from` on at which the window is open: `from` itself if it is.
    pub fn next_open(self, window: &SendWindow, from: Timestamp) -> Timestamp {
        let SendWindow::Hours { weekdays, from: opens, until, closed_on_holidays } = window else { return from };
        let today = from.date();
        (0..SEARCH_DAYS_MAX)
            .map(|ahead| today.plus_days(ahead))
            .filter(|day| weekdays.contains(&day.weekday()) && !(*closed_on_holidays && self.is_holiday(*day)))
            .map(|day| (day.at(*opens).max(from), day.at(*until)))
            .find(|(start, end)| start < end)
            .map_or(from, |(start, _)| start)
    }

    fn is_holiday(self, day: Date) -> bool {
        let year_end = (day.month() == 12 && day.day() >= 29) || (day.month() == 1 && day.day() <= 3);
        year_end || self.holidays.days.contains_key(&day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::TimeOfDay;

    fn holidays() -> Holidays {
        let golden_week = ["2020-04-29", "2020-05-03", "2020-05-04", "2020-05-05", "2020-05-06"];
        Holidays { days: golden_week.iter().map(|d| (d.parse().unwrap(), "祝日".to_owned())).collect() }
    }

    fn office_hours() -> SendWindow {
        SendWindow::Hours {
            weekdays: vec![Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri],
            from: TimeOfDay(9 * 60),
            until: TimeOfDay(16 * 60 + 30),
            closed_on_holidays: true,
        }
    }

    #[test]
    fn the_window_of_spring_2020() {
        let (holidays, window) = (holidays(), office_hours());
        let check = |from: &str, expected: &str| {
            let open = Calendar::of(&holidays).next_open(&window, from.parse().unwrap());
            assert_eq!(open, expected.parse().unwrap(), "{from}");
        };
        check("2020-05-01T08:00:00+09:00", "2020-05-01T09:00:00+09:00");
        check("2020-05-01T10:00:01+09:00", "2020-05-01T10:00:01+09:00");
        check("2020-05-01T16:29:59+09:00", "2020-05-01T16:29:59+09:00");
        check("2020-05-01T16:30:00+09:00", "2020-05-07T09:00:00+09:00");
        check("2020-12-28T17:00:00+09:00", "2021-01-04T09:00:00+09:00");
    }

    #[test]
    fn business_days_around_golden_week() {
        let holidays = holidays();
        let calendar = Calendar::of(&holidays);
        let day = |t: &str| t.parse::<Date>().unwrap();
        assert_eq!(calendar.plus_business_days(day("2020-05-01"), 1), day("2020-05-07"));
        assert_eq!(calendar.plus_business_days(day("2020-05-01"), 0), day("2020-05-01"));
        assert_eq!(calendar.plus_business_days(day("2020-05-01"), 2), day("2020-05-08"));
        assert_eq!(calendar.business_day_on_or_before(day("2020-05-06")), day("2020-05-01"));
        assert_eq!(calendar.business_day_on_or_before(day("2020-05-08")), day("2020-05-08"));
    }
}
