//! `rules/registration.toml`: how a registration mail looks (seed 4.1).

use crate::domain::MailAddress;
use regex::Regex;

/// How a registration mail looks.
#[derive(Debug, Clone)]
pub struct RegistrationRules {
    /// Subjects of a registration; the group `authority` is the authority's name. Matched after NFKC, without blanks.
    pub subjects: Vec<Regex>,
    /// Headings of the authority's section, without marks, after NFKC and without blanks.
    pub authority_headings: Vec<String>,
    /// Headings of the health centres' section.
    pub centre_headings: Vec<String>,
    /// Names that stand for a template line nobody filled in: 〇〇市, □□保健所.
    pub placeholder_names: Vec<String>,
    /// Where registrations are to be sent; other recipients are a warning. Empty: no check.
    pub expected_to: Vec<MailAddress>,
    pub expected_cc: Vec<MailAddress>,
}
