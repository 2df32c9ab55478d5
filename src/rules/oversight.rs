//! The part of `rules/schedule.toml` about people: when a second person must agree, how waves leave, when the ministry is
//! told, when an idle session ends (research R9, R15, R19).

use super::toml_file::{Section, TomlFile};

const IDLE_MINUTES_MAX: u32 = 720;
const CANARIES_MAX: u32 = 50;
const CANARY_MINUTES_MAX: u32 = 1_440;
const STOP_AT_MAX: u32 = 100;
const FREE_PER_DAY_MAX: u32 = 2_000;

/// When the two-person rule is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TwoPersons {
    /// From the moment on when two accounts exist of which one can ask and another approve; it then stays in force.
    WithAccounts,
    Always,
    /// One person may do everything. For emergencies; the doctor warns.
    Never,
}

/// How letters leave that many tenants get at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WavePolicy {
    /// Letters that go first. 0 (none) to 50.
    pub canaries: u32,
    /// Minutes the canaries must have stood before the others follow. 0 to 1,440.
    pub canary_minutes: u32,
    /// So many failures stop the wave. 1 to 100.
    pub stop_at: u32,
    /// Letters of a kind that leave singly on one day once its first wave is done. 0 to 2,000.
    pub free_per_day: u32,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oversight {
    pub two_persons: TwoPersons,
    /// Minutes without a click after which a session ends. 5 to 720.
    pub idle_minutes: u32,
    pub waves: WavePolicy,
    /// When the ministry gets the daily report; a cron expression with seconds, JST. `None`: never.
    pub daily_report: Option<String>,
    pub weekly_report: Option<String>,
}

impl Default for Oversight {
    /// What counts where the file says nothing.
    fn default() -> Self {
        let waves = WavePolicy { canaries: 5, canary_minutes: 10, stop_at: 3, free_per_day: 20 };
        Self { two_persons: TwoPersons::WithAccounts, idle_minutes: 30, waves, daily_report: None, weekly_report: None }
    }
}

pub(super) fn parse(file: &mut TomlFile<'_>) -> Oversight {
    let usual = Oversight::default();
    let (two_persons, idle_minutes) = file
        .section("people", |s| (two_persons(s), s.number("idle_minutes", 5..=IDLE_MINUTES_MAX, usual.idle_minutes)));
    let waves = file.section("waves", |s| WavePolicy {
        canaries: s.number("canaries", 0..=CANARIES_MAX, usual.waves.canaries),
        canary_minutes: s.number("canary_minutes", 0..=CANARY_MINUTES_MAX, usual.waves.canary_minutes),
        stop_at: s.number("stop_at", 1..=STOP_AT_MAX, usual.waves.stop_at),
        free_per_day: s.number("free_per_day", 0..=FREE_PER_DAY_MAX, usual.waves.free_per_day),
    });
    let (daily_report, weekly_report) = file.section("reports", |s| (rhythm(s, "daily"), rhythm(s, "weekly")));
    Oversight { two_persons, idle_minutes, waves, daily_report, weekly_report }
}

fn two_persons(s: &mut Section<'_, '_>) -> TwoPersons {
    let given = s.text("two_persons", "with-accounts");
    match given.text.as_str() {
        "with-accounts" => TwoPersons::WithAccounts,
        "always" => TwoPersons::Always,
        "never" => TwoPersons::Never,
        other => {
            let fault = format!("two_persons is \"{other}\"");
            s.fault(given.at, fault, "give \"with-accounts\", \"always\" or \"never\"");
            TwoPersons::Always
        }
    }
}

/// A cron expression; left out or empty: never.
fn rhythm(s: &mut Section<'_, '_>, key: &'static str) -> Option<String> {
    let given = s.text(key, "");
    if given.text.is_empty() { None } else { Some(super::rhythm::checked(s, key, given)) }
}
