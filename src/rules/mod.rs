//! The typed form of `rules/`: what a programme's owner may change without touching code. Parsing collects every fault
//! at once, each with file, line and remedy ([`RuleError`]); reading the files from disk is the caller's business.

pub mod accounts;
pub mod authorities;
pub mod bounces;
mod centres;
mod csv_file;
mod faults;
pub mod holidays;
pub mod labels;
pub mod lookup;
pub mod names;
pub mod oversight;
pub(crate) mod patterns;
pub mod phrases;
pub mod registration;
mod rhythm;
pub mod schedule;
pub mod senders;
mod toml_file;

pub use authorities::{Authorities, Authority, KnownCentre};
pub use bounces::BounceRules;
pub use holidays::Holidays;
pub use lookup::Found;
pub use oversight::{Oversight, TwoPersons, WavePolicy};
pub use registration::RegistrationRules;
pub use schedule::{Schedule, SendWindow};
pub use senders::{Handling, SenderRules};

use std::sync::{Arc, LazyLock};

const BOUNCES_AS_DELIVERED: &str = include_str!("../../rules/bounces.toml");

/// A complete, consistent set of rules.
#[derive(Debug, Clone)]
pub struct Rules {
    pub registration: RegistrationRules,
    pub schedule: Schedule,
    pub senders: SenderRules,
    pub authorities: Authorities,
    pub holidays: Holidays,
    /// Shared, because its patterns take some time to compile.
    pub bounces: Arc<BounceRules>,
}

/// The files of a rules directory by name (`schedule.toml` → its text).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleFiles(pub std::collections::BTreeMap<String, String>);

/// One fault in the rules. Printed as `schedule.toml:12: window_days is 0; give 1 to 365`: who read the files from a
/// directory puts its name before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {fault}; {remedy}")]
pub struct RuleError {
    /// Name as in [`RuleFiles`].
    pub file: String,
    /// From 1; 1 where the whole file is meant.
    pub line: usize,
    pub fault: String,
    pub remedy: String,
}

impl RuleFiles {
    /// Every file a rules directory holds. All must be there but [`authorities::CENTRES_FILE`]
    /// and [`bounces::FILE`], for which the one as delivered stands in.
    pub const NAMES: [&'static str; 7] = [
        registration::FILE,
        schedule::FILE,
        senders::FILE,
        authorities::FILE,
        authorities::CENTRES_FILE,
        holidays::FILE,
        bounces::FILE,
    ];

    /// The rules as delivered, those of the user's document.
    pub fn embedded() -> Self {
        let files = [
            (registration::FILE, registration::AS_DELIVERED),
            (schedule::FILE, include_str!("../../rules/schedule.toml")),
            (senders::FILE, include_str!("../../rules/senders.toml")),
            (authorities::FILE, include_str!("../../rules/authorities.csv")),
            (authorities::CENTRES_FILE, include_str!("../../rules/health_centres.csv")),
            (holidays::FILE, include_str!("../../rules/holidays.csv")),
            (bounces::FILE, BOUNCES_AS_DELIVERED),
        ];
        Self(files.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect())
    }

    /// A file's text without a byte order mark.
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|text| text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    /// A file that must be there.
    fn needed(&self, name: &str) -> Result<&str, Vec<RuleError>> {
        self.text(name).ok_or_else(|| {
            let fault = "the file is missing".to_owned();
            let remedy = "put it into the rules directory; `annai init` writes all of them".to_owned();
            vec![RuleError { file: name.to_owned(), line: 1, fault, remedy }]
        })
    }
}

impl Rules {
    /// Reads all files; `Err`: every fault of every file, in the order of [`RuleFiles::NAMES`] and of lines.
    pub fn parse(files: &RuleFiles) -> Result<Self, Vec<RuleError>> {
        let registration = files.needed(registration::FILE).and_then(RegistrationRules::parse);
        let schedule = files.needed(schedule::FILE).and_then(Schedule::parse);
        let senders = files.needed(senders::FILE).and_then(SenderRules::parse);
        let centres = files.text(authorities::CENTRES_FILE).unwrap_or("");
        let authorities = files.needed(authorities::FILE).and_then(|text| Authorities::parse(text, centres));
        let holidays = files.needed(holidays::FILE).and_then(Holidays::parse);
        let bounces = bounces(files);
        match (registration, schedule, senders, authorities, holidays, bounces) {
            (Ok(registration), Ok(schedule), Ok(senders), Ok(authorities), Ok(holidays), Ok(bounces)) => {
                Ok(Self { registration, schedule, senders, authorities, holidays, bounces })
            }
            (registration, schedule, senders, authorities, holidays, bounces) => {
                let first = [registration.err(), schedule.err(), senders.err(), authorities.err()];
                let rest = [holidays.err(), bounces.err()];
                Err(first.into_iter().chain(rest).flatten().flatten().collect())
            }
        }
    }

    /// The rules as delivered. The test `the_rules_as_delivered_are_in_order` holds that they parse.
    pub fn embedded() -> Result<Self, Vec<RuleError>> {
        Self::parse(&RuleFiles::embedded())
    }
}

/// The rules on bounces; as delivered they are compiled once.
fn bounces(files: &RuleFiles) -> Result<Arc<BounceRules>, Vec<RuleError>> {
    static DELIVERED: LazyLock<Result<Arc<BounceRules>, Vec<RuleError>>> =
        LazyLock::new(|| BounceRules::parse(BOUNCES_AS_DELIVERED).map(Arc::new));
    match files.text(bounces::FILE) {
        Some(text) if text != BOUNCES_AS_DELIVERED => BounceRules::parse(text).map(Arc::new),
        Some(_) | None => DELIVERED.clone(),
    }
}
