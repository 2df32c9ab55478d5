//! `rules/registration.toml`: how a registration mail looks (seed 4.1).

use super::RuleError;
use super::names::plain;
use super::toml_file::{Section, TomlFile};
use crate::domain::MailAddress;
use regex::Regex;

/// The file's name.
pub const FILE: &str = "registration.toml";

/// How a registration mail looks.
#[derive(Debug, Clone)]
pub struct RegistrationRules {
    /// Subjects of a registration; the group `authority` is the authority's name. Matched after NFKC, without blanks.
    /// The first is the form the ministry asked for, the others are variants.
    pub subjects: Vec<Regex>,
    /// Headings of the authority's section, without marks, after NFKC and without blanks.
    pub authority_headings: Vec<String>,
    /// Headings of the health centres' section, in the same form.
    pub centre_headings: Vec<String>,
    /// Names that stand for a template line nobody filled in: 〇〇市, □□保健所. In the same form.
    pub placeholder_names: Vec<String>,
    /// Where registrations are to be sent; other recipients are a warning. Empty: no check.
    pub expected_to: Vec<MailAddress>,
    pub expected_cc: Vec<MailAddress>,
}

impl RegistrationRules {
    /// Reads the file; `Err`: all its faults.
    pub(super) fn parse(text: &str) -> Result<Self, Vec<RuleError>> {
        let mut file = TomlFile::open(FILE, text);
        let subjects = file.section("subject", subjects);
        let (authority_headings, centre_headings) = file.section("headings", headings);
        let placeholder_names = file.section("placeholders", |s| {
            s.texts("names").unwrap_or_default().iter().map(|name| plain(&name.text)).collect()
        });
        let (expected_to, expected_cc) =
            file.section("recipients", |s| (addresses(s, "expected_to"), addresses(s, "expected_cc")));
        let faults = file.close();
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self { subjects, authority_headings, centre_headings, placeholder_names, expected_to, expected_cc })
    }
}

fn subjects(s: &mut Section<'_, '_>) -> Vec<Regex> {
    let mut patterns = Vec::new();
    for pattern in s.some_texts("patterns") {
        match Regex::new(&pattern.text) {
            Ok(regex) if regex.capture_names().flatten().any(|name| name == "authority") => patterns.push(regex),
            Ok(_) => {
                let fault = "the pattern has no group for the authority's name";
                s.fault(pattern.at, fault, "put (?P<authority>…) around it");
            }
            Err(error) => {
                // The last line of the message says what is wrong; those before draw the pattern.
                let message = error.to_string();
                let cause = message.lines().last().unwrap_or_default().trim_start_matches("error: ");
                s.fault(pattern.at, format!("not a regular expression: {cause}"), "correct the pattern");
            }
        }
    }
    patterns
}

/// The headings of both sections, plain; none may stand for both.
fn headings(s: &mut Section<'_, '_>) -> (Vec<String>, Vec<String>) {
    let authority: Vec<String> = s.some_texts("authority").iter().map(|heading| plain(&heading.text)).collect();
    let mut centres = Vec::new();
    for heading in s.some_texts("centres") {
        let text = plain(&heading.text);
        if authority.contains(&text) {
            let fault = format!("the heading \"{}\" stands under authority and under centres", heading.text);
            s.fault(heading.at, fault, "keep it in one of them");
        }
        centres.push(text);
    }
    (authority, centres)
}

fn addresses(s: &mut Section<'_, '_>, key: &'static str) -> Vec<MailAddress> {
    let mut addresses = Vec::new();
    for entry in s.texts(key).unwrap_or_default() {
        match entry.text.trim().parse() {
            Ok(address) => addresses.push(address),
            Err(error) => {
                s.fault(entry.at, format!("{key}: no mail address: {error}"), "write it like desk@example.jp");
            }
        }
    }
    addresses
}
