//! `rules/schedule.toml`: when things happen (seed 4.3, 4.4; research R12, R15, R16). The days on which offices are closed
//! stand in [`super::holidays`].
//!
//! The two launch dates must be stated, because nothing secret leaves before them; every other key has a default.

use super::RuleError;
use super::oversight::{self, Oversight};
use super::rhythm::cron;
use super::toml_file::{Section, TomlFile};
use crate::domain::time::{TimeOfDay, Weekday};
use crate::domain::{Date, Timestamp};

pub use super::holidays::Holidays;

/// The file's name.
pub const FILE: &str = "schedule.toml";

const HOLD_BUSINESS_DAYS_MAX: u32 = 10;
const PASSWORD_DELAY_MINUTES_MAX: u32 = 1_440;
const WINDOW_DAYS_MAX: u32 = 365;
const RENEWAL_DAYS_MAX: u32 = 1_095;
const RETRY_MINUTES_MAX: u32 = 10_080;
const GIVE_UP_HOURS_MAX: u32 = 168;
const PER_MINUTE_MAX: u32 = 60_000;
const RECEIPTS_MAX: u32 = 100;
const USER_ID_PREFIX_MAX: usize = 16;

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
    /// Days before the deadline on which a reminder is due, falling: 14, 7, 3, 1. Each less than `window_days`; empty:
    /// none.
    pub reminder_days_before: Vec<u32>,
    /// Days before a certificate's end on which renewal begins, falling; the first starts the next generation.
    /// Each 1 to 1,095; empty: no renewal.
    pub renewal_days_before: Vec<u32>,
    /// When letters to tenants may leave. Answers to a mail just received (receipts) leave at once.
    pub send_window: SendWindow,
    /// Minutes between delivery attempts; the last value repeats. At least one, each 1 to 10,080.
    pub retry_minutes: Vec<u32>,
    /// Hours after the first attempt at which a letter counts as undeliverable. 1 to 168.
    pub give_up_hours: u32,
    /// Letters handed to the same receiving domain per minute; 0: no limit. At most 60,000.
    pub per_domain_per_minute: u32,
    /// Automatic answers to one sender per day (research R14). 0 (none) to 100.
    pub receipts_per_sender_per_day: u32,
    /// User ids and passwords that annai makes.
    pub credentials: CredentialPolicy,
    /// How often the mailbox is looked at where the server offers no IDLE: a cron expression with seconds, JST.
    pub poll: String,
    /// Second person, waves, reports, sessions.
    pub oversight: Oversight,
}

/// How user ids and passwords are made and told (seed 4.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialPolicy {
    /// Shown once on the check page behind the certificate, instead of an encrypted ZIP by mail.
    pub by_page: bool,
    /// Stands before the tenant's number in a user id. ASCII letters, digits and hyphens, at most 16.
    pub user_id_prefix: String,
    /// Groups of four characters in a password: 3 (59 bits) to 6.
    pub password_groups: u32,
}

impl Default for CredentialPolicy {
    fn default() -> Self {
        Self { by_page: false, user_id_prefix: String::new(), password_groups: 4 }
    }
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

impl Schedule {
    /// Reads the file; `Err`: all its faults.
    pub(super) fn parse(text: &str) -> Result<Self, Vec<RuleError>> {
        let mut file = TomlFile::open(FILE, text);
        let (certificates_from, credentials_from) = file.section("launch", launch);
        let (welcome_from, welcome_hold_business_days) = file
            .section("welcome", |s| (s.date("from"), s.number("hold_business_days", 0..=HOLD_BUSINESS_DAYS_MAX, 1)));
        let (window_days, password_delay_minutes, reminder_days_before) = file.section("pickup", pickup);
        let renewal_days_before =
            file.section("renewal", |s| falling(s, "days_before", RENEWAL_DAYS_MAX, &[60, 30, 14, 7]));
        let (send_window, per_domain_per_minute, retry_minutes, give_up_hours, receipts_per_sender_per_day) = file
            .section("send", |s| {
                let per_domain = s.number("per_domain_per_minute", 0..=PER_MINUTE_MAX, 0);
                let give_up = s.number("give_up_hours", 1..=GIVE_UP_HOURS_MAX, 72);
                let receipts = s.number("receipts_per_sender_per_day", 0..=RECEIPTS_MAX, 5);
                (window(s), per_domain, retries(s), give_up, receipts)
            });
        let credentials = file.section("credentials", credentials);
        let poll = file.section("rhythm", |s| cron(s, "poll", "0 */5 * * * *"));
        let oversight = oversight::parse(&mut file);
        let faults = file.close();
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            certificates_from,
            credentials_from,
            welcome_from,
            welcome_hold_business_days,
            password_delay_minutes,
            window_days,
            reminder_days_before,
            renewal_days_before,
            send_window,
            retry_minutes,
            give_up_hours,
            per_domain_per_minute,
            receipts_per_sender_per_day,
            credentials,
            poll,
            oversight,
        })
    }
}

fn launch(s: &mut Section<'_, '_>) -> (Date, Date) {
    let at = s.place("credentials_from");
    let certificates = s.needed_date("certificates_from");
    let credentials = s.needed_date("credentials_from");
    if let (Some(certificates), Some(credentials)) = (certificates, credentials)
        && credentials < certificates
    {
        let fault = format!("credentials_from {credentials} is before certificates_from {certificates}");
        s.fault(at, fault, "user ids and passwords cannot leave before certificates; give the same day or a later one");
    }
    let stand_in = Timestamp::from_unix(0).date();
    (certificates.unwrap_or(stand_in), credentials.unwrap_or(stand_in))
}

fn credentials(s: &mut Section<'_, '_>) -> CredentialPolicy {
    let by = s.text("by", "mail");
    let by_page = match by.text.as_str() {
        "mail" => false,
        "page" => true,
        other => {
            s.fault(by.at, format!("by is \"{other}\""), "give \"mail\" or \"page\"");
            false
        }
    };
    let prefix = s.text("user_id_prefix", "");
    let plain = prefix.text.len() <= USER_ID_PREFIX_MAX
        && prefix.text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !plain {
        let fault = format!("user_id_prefix is \"{}\"", prefix.text);
        s.fault(prefix.at, fault, "give at most 16 ASCII letters, digits and hyphens");
    }
    CredentialPolicy { by_page, user_id_prefix: prefix.text, password_groups: s.number("password_groups", 3..=6, 4) }
}

fn pickup(s: &mut Section<'_, '_>) -> (u32, u32, Vec<u32>) {
    let window_days = s.number("window_days", 1..=WINDOW_DAYS_MAX, 30);
    let delay = s.number("password_delay_minutes", 0..=PASSWORD_DELAY_MINUTES_MAX, 10);
    let at = s.place("reminder_days_before");
    let default: Vec<u32> = [14, 7, 3, 1].into_iter().filter(|days| *days < window_days).collect();
    let reminders = falling(s, "reminder_days_before", WINDOW_DAYS_MAX, &default);
    if let Some(first) = reminders.first().filter(|days| **days >= window_days) {
        let fault = format!("a reminder {first} days before the deadline, but window_days is {window_days}");
        s.fault(at, fault, format!("give days below {window_days}"));
    }
    (window_days, delay, reminders)
}

/// A list of days, each smaller than the one before.
fn falling(s: &mut Section<'_, '_>, key: &'static str, max: u32, default: &[u32]) -> Vec<u32> {
    let at = s.place(key);
    let days = s.numbers(key, 1..=max, default);
    if !days.is_sorted_by(|a, b| a > b) {
        s.fault(
            at,
            format!("{key} is not falling"),
            "write the largest number first and each only once, like [14, 7, 3, 1]",
        );
    }
    days
}

fn retries(s: &mut Section<'_, '_>) -> Vec<u32> {
    let (at, given) = (s.place("retry_minutes"), s.holds_any("retry_minutes"));
    let minutes = s.numbers("retry_minutes", 1..=RETRY_MINUTES_MAX, &[5, 15, 30, 60, 120, 240]);
    // Where entries stand that cannot be used, each has its fault already.
    if minutes.is_empty() && !given {
        s.fault(at, "retry_minutes gives no interval", "give at least one number of minutes");
    }
    minutes
}

fn window(s: &mut Section<'_, '_>) -> SendWindow {
    let mode = s.text("window", "hours");
    let weekdays = weekdays(s);
    let at = s.place("until");
    let from = s.time_of_day("from", TimeOfDay(9 * 60));
    let until = s.time_of_day("until", TimeOfDay(16 * 60 + 30));
    if from >= until {
        s.fault(
            at,
            format!("the send window ends at {until}, not after its start at {from}"),
            "make until later than from",
        );
    }
    let holidays = s.text("holidays", "closed");
    let closed_on_holidays = match holidays.text.as_str() {
        "closed" => true,
        "open" => false,
        other => {
            s.fault(holidays.at, format!("holidays is \"{other}\""), "give \"closed\" or \"open\"");
            true
        }
    };
    match mode.text.as_str() {
        "always" => SendWindow::Always,
        "hours" => SendWindow::Hours { weekdays, from, until, closed_on_holidays },
        other => {
            s.fault(mode.at, format!("window is \"{other}\""), "give \"hours\" or \"always\"");
            SendWindow::Always
        }
    }
}

fn weekdays(s: &mut Section<'_, '_>) -> Vec<Weekday> {
    let at = s.place("weekdays");
    let Some(texts) = s.texts("weekdays") else {
        return vec![Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];
    };
    if texts.is_empty() {
        s.fault(at, "weekdays is empty", "give at least one, or window = \"always\"");
    }
    let mut days = Vec::with_capacity(texts.len());
    for day in texts {
        match weekday(&day.text) {
            Some(known) if days.contains(&known) => {
                s.fault(day.at, format!("weekday \"{}\" stands twice", day.text), "take one of them out");
            }
            Some(known) => days.push(known),
            None => {
                let fault = format!("unknown weekday \"{}\"", day.text);
                s.fault(day.at, fault, "known: Mon, Tue, Wed, Thu, Fri, Sat, Sun");
            }
        }
    }
    days.sort();
    days
}

fn weekday(text: &str) -> Option<Weekday> {
    match text.to_ascii_lowercase().as_str() {
        "mon" => Some(Weekday::Mon),
        "tue" => Some(Weekday::Tue),
        "wed" => Some(Weekday::Wed),
        "thu" => Some(Weekday::Thu),
        "fri" => Some(Weekday::Fri),
        "sat" => Some(Weekday::Sat),
        "sun" => Some(Weekday::Sun),
        _ => None,
    }
}
