//! `rules/schedule.toml` and `rules/holidays.csv`: when things happen (seed 4.3, 4.4; research R12, R15, R16).

use crate::domain::Date;
use crate::domain::time::{TimeOfDay, Weekday};
use std::collections::BTreeMap;

/// When things happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// First day on which a certificate notice may leave (seed 4.3.3 (1): 2020-05-01).
    pub certificates_from: Date,
    /// First day on which user ids and passwords may leave (seed 4.4: 2020-05-11).
    pub credentials_from: Date,
    /// First day on which welcome letters may leave; `None`: as soon as a tenant is registered.
    pub welcome_from: Option<Date>,
    /// Business days a welcome letter must have stood without a bounce before anything secret leaves. 0 to 10.
    pub welcome_hold_business_days: u32,
    /// Minutes the notice must have stood before the password letter is queued. 0 to 1,440.
    pub password_delay_minutes: u32,
    /// Days after the day of the notice until 23:59:59 JST of which the certificate can be picked up (seed: 30). 1 to 365.
    pub window_days: u32,
    /// Days before the deadline on which a reminder is due, falling: 14, 7, 3, 1.
    pub reminder_days_before: Vec<u32>,
    /// Days before a certificate's end on which renewal begins, falling; the first starts the next generation.
    pub renewal_days_before: Vec<u32>,
    /// When letters to tenants may leave. Answers to a mail just received (receipts) leave at once.
    pub send_window: SendWindow,
    /// Minutes between delivery attempts; the last value repeats.
    pub retry_minutes: Vec<u32>,
    /// Hours after the first attempt at which a letter counts as undeliverable. 1 to 168.
    pub give_up_hours: u32,
    /// Letters handed to the same receiving domain per minute; 0: no limit.
    pub per_domain_per_minute: u32,
    /// Automatic answers to one sender per day (research R14).
    pub receipts_per_sender_per_day: u32,
    /// How often the mailbox is looked at where the server offers no IDLE: a cron expression with seconds, JST.
    pub poll: String,
    /// When the mailbox is counted against the dispositions: a cron expression with seconds, JST.
    pub reconcile: String,
}

/// The hours in which letters to tenants leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendWindow {
    Always,
    /// From `from` (included) to `until` (excluded) on these weekdays; on holidays only if `closed_on_holidays` is false.
    Hours {
        weekdays: Vec<Weekday>,
        from: TimeOfDay,
        until: TimeOfDay,
        closed_on_holidays: bool,
    },
}

/// National holidays by day, with their names; 29 December to 3 January are closed besides (行政機関の休日に関する法律).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holidays {
    pub days: BTreeMap<Date, String>,
}
