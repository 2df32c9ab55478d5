//! The typed form of `rules/`: what a programme's owner may change without touching code. Parsing collects every fault
//! at once, each with file, line and remedy ([`RuleError`]); reading the files from disk is the caller's business.

pub mod authorities;
pub mod registration;
pub mod schedule;
pub mod senders;

pub use authorities::{Authorities, Authority};
pub use registration::RegistrationRules;
pub use schedule::{Holidays, Schedule, SendWindow};
pub use senders::SenderRules;

/// A complete, consistent set of rules.
#[derive(Debug, Clone)]
pub struct Rules {
    pub registration: RegistrationRules,
    pub schedule: Schedule,
    pub senders: SenderRules,
    pub authorities: Authorities,
    pub holidays: Holidays,
}

/// The files of a rules directory by name (`schedule.toml` → its text).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleFiles(pub std::collections::BTreeMap<String, String>);

/// One fault in the rules. Printed as `rules/schedule.toml:12: window_days is 0; give 1 to 365`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {fault}; {remedy}")]
pub struct RuleError {
    pub file: String,
    /// From 1; 1 where the whole file is meant.
    pub line: usize,
    pub fault: String,
    pub remedy: String,
}
