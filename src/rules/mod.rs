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
