//! `rules/registration.toml`: how a registration mail looks (seed 4.1).

use super::RuleError;
use super::labels::{Labels, labels};
use super::names::plain;
use super::patterns::{bounded, compiled};
use super::phrases::{Phrases, phrases};
use super::toml_file::{Section, Text, TomlFile};
use crate::domain::MailAddress;
use regex::{Regex, RegexBuilder};
use std::collections::{HashMap, HashSet};

/// The file's name.
pub const FILE: &str = "registration.toml";
pub(super) const AS_DELIVERED: &str = include_str!("../../rules/registration.toml");

/// How a registration mail looks.
#[derive(Debug, Clone)]
pub struct RegistrationRules {
    /// Subjects of a registration; the group `authority` is the authority's name. Matched after NFKC, without blanks.
    /// The first is the form the ministry asked for, the others are variants.
    pub subjects: Vec<Regex>,
    /// What a heading is called, without marks, after NFKC and without blanks.
    pub headings: Headings,
    /// Words beside names and addresses.
    pub labels: Labels,
    /// What senders say besides the data.
    pub phrases: Phrases,
    /// Names that stand for a template line nobody filled in: 〇〇市, □□保健所. In the same form.
    pub placeholder_names: Vec<String>,
    /// Where registrations are to be sent; other recipients are a warning. Empty: no check.
    pub expected_to: Vec<MailAddress>,
    pub expected_cc: Vec<MailAddress>,
}

/// The words of headings. All in plain form: after NFKC and without blanks.
#[derive(Debug, Clone, Default)]
pub struct Headings {
    /// The authority's section.
    pub authority: HashSet<String>,
    /// The health centres' section.
    pub centres: HashSet<String>,
    /// Of a contact for questions: what follows is a signature.
    pub contact: HashSet<String>,
    /// What may stand before one of those, by its first letter, the longest first: 各, 管内.
    pub before: HashMap<char, Vec<String>>,
    /// What may stand behind one of those, by its last letter, the longest first: メールアドレス, 一覧.
    pub behind: HashMap<char, Vec<String>>,
}

impl Headings {
    /// Is this nothing but words that may stand around a heading's own: 登録アドレス?
    pub fn stands_around(&self, words: &str) -> bool {
        let own = self.authority.contains(words) || self.centres.contains(words) || self.contact.contains(words);
        let behind = |words: &str| {
            let letter = words.chars().next_back()?;
            self.behind.get(&letter)?.iter().find_map(|word| words.strip_suffix(word.as_str()).map(str::len))
        };
        let before = |words: &str| {
            let letter = words.chars().next()?;
            self.before.get(&letter)?.iter().any(|word| word == words).then_some(())
        };
        let rest = behind(words).and_then(|end| words.get(..end));
        !own && (rest == Some("") || rest.is_some_and(|rest| before(rest).is_some()))
    }
}

impl RegistrationRules {
    /// Reads the file; `Err`: all its faults.
    pub(super) fn parse(text: &str) -> Result<Self, Vec<RuleError>> {
        let mut file = TomlFile::open(FILE, text);
        let subjects = file.section("subject", subjects);
        let headings = file.section("headings", headings);
        let labels = file.section("labels", labels);
        let phrases = file.section("phrases", phrases);
        let placeholder_names = file.section("placeholders", |s| {
            s.texts("names").unwrap_or_default().iter().map(|name| plain(&name.text)).collect()
        });
        let (expected_to, expected_cc) =
            file.section("recipients", |s| (addresses(s, "expected_to"), addresses(s, "expected_cc")));
        let faults = file.close();
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self { subjects, headings, labels, phrases, placeholder_names, expected_to, expected_cc })
    }
}

/// A list of the file as delivered, for one written before there was such a list.
pub(super) fn delivered(section: &str, key: &str) -> Vec<String> {
    let file: Option<toml::Table> = AS_DELIVERED.parse().ok();
    let words = file.as_ref().and_then(|f| f.get(section)?.get(key)?.as_array());
    words.into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
}

fn subjects(s: &mut Section<'_, '_>) -> Vec<Regex> {
    let mut patterns = Vec::new();
    for pattern in s.some_texts("patterns") {
        let Some(text) = bounded(s, &pattern) else { continue };
        let Some(regex) = compiled(s, pattern.at, &mut RegexBuilder::new(&text)) else { continue };
        if regex.capture_names().flatten().any(|name| name == "authority") {
            patterns.push(regex);
        } else {
            let fault = "the pattern has no group for the authority's name";
            s.fault(pattern.at, fault, "put (?P<authority>…) around it");
        }
    }
    patterns
}

/// The words of headings; none may stand for two things.
fn headings(s: &mut Section<'_, '_>) -> Headings {
    let mut seen: HashMap<String, &'static str> = HashMap::new();
    let mut list = |key: &'static str, texts: Vec<Text>, s: &mut Section<'_, '_>| {
        let mut words = HashSet::new();
        for heading in texts {
            let word = plain(&heading.text);
            match seen.insert(word.clone(), key).filter(|before| *before != key) {
                Some(before) => {
                    let fault = format!("the heading \"{}\" stands under {before} and under {key}", heading.text);
                    s.fault(heading.at, fault, "keep it in one of them");
                }
                None => drop(words.insert(word)),
            }
        }
        words
    };
    let texts = s.some_texts("authority");
    let authority = list("authority", texts, s);
    let texts = s.some_texts("centres");
    let centres = list("centres", texts, s);
    let texts = s.texts("contact").unwrap_or_default();
    let contact = list("contact", texts, s);
    let mut around = |key, letter: fn(&str) -> Option<char>| {
        let mut words: Vec<String> = s.texts(key).unwrap_or_default().iter().map(|word| plain(&word.text)).collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let mut by_letter: HashMap<char, Vec<String>> = HashMap::new();
        for word in words {
            if let Some(letter) = letter(&word) {
                by_letter.entry(letter).or_default().push(word);
            }
        }
        by_letter
    };
    let before = around("before", |word| word.chars().next());
    let behind = around("behind", |word| word.chars().next_back());
    Headings { authority, centres, contact, before, behind }
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
