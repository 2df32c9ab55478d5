//! `rules/bounces.toml`: how programs word their reports of non-delivery. Reports with fields (RFC 3464) need no rules.

use super::RuleError;
use super::patterns::{COMPILED_BYTES_MAX, bounded, compiled};
use super::toml_file::{Section, Text, TomlFile};
use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

/// The file's name.
pub const FILE: &str = "bounces.toml";

/// What `{address}` stands for in a pattern.
pub(crate) const ADDRESS: &str = r"(?P<address>(?i:[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+))";

/// How programs word their reports. All patterns ignore case; `^` and `$` match at lines.
#[derive(Debug, Clone)]
pub struct BounceRules {
    /// From lines of programs that write nothing but reports.
    pub mailers: RegexSet,
    /// From lines that write other mails too.
    pub offices: RegexSet,
    pub subjects: RegexSet,
    /// Words of non-delivery in the text.
    pub phrases: RegexSet,
    /// Subjects and first words of a server's news for those who run it: no letter failed.
    pub notices: RegexSet,
    /// Subjects of reports that a mail arrived.
    pub arrived: RegexSet,
    /// Subjects of complaints that come without fields.
    pub complaints: RegexSet,
    /// Subjects of automatic answers.
    pub answers: RegexSet,
    /// Lines at which the returned mail begins.
    pub ends: Vec<Regex>,
    /// Where a failed address stands, in the group `address`; surest first.
    pub recipients: Vec<Regex>,
    /// The server goes on trying.
    pub delayed: RegexSet,
    /// The mailbox is full: may arrive later, whatever the status code says.
    pub full: RegexSet,
    /// May arrive later.
    pub soft: RegexSet,
    /// Final.
    pub hard: RegexSet,
    /// In the order of the file: the first that fits is taken.
    pub families: Vec<Family>,
}

/// The reports of one mail server.
#[derive(Debug, Clone)]
pub struct Family {
    pub name: String,
    /// In the text of the report.
    pub text: Option<Regex>,
    /// In a header field written as `name: value`.
    pub head: Option<Regex>,
    /// Tried before [`BounceRules::recipients`].
    pub recipients: Vec<Regex>,
}

impl BounceRules {
    /// Reads the file; `Err`: all its faults.
    pub(super) fn parse(text: &str) -> Result<Self, Vec<RuleError>> {
        let mut file = TomlFile::open(FILE, text);
        let [mailers, offices, subjects, phrases, notices, arrived, complaints, answers] = file.section("signs", |s| {
            ["mailers", "offices", "subjects", "phrases", "notices", "arrived", "complaints", "answers"]
                .map(|key| set(s, key))
        });
        let (ends, recipients) = file.section("text", |s| {
            let ends = s.some_texts("ends").iter().filter_map(|text| pattern(s, text)).collect();
            (ends, s.some_texts("recipients").iter().filter_map(|text| recipient(s, text)).collect())
        });
        let [delayed, full, soft, hard] =
            file.section("class", |s| ["delayed", "full", "soft", "hard"].map(|key| set(s, key)));
        let families = file.section("families", |s| s.rows("known", family).into_iter().flatten().collect());
        let faults = file.close();
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            mailers,
            offices,
            subjects,
            phrases,
            notices,
            arrived,
            complaints,
            answers,
            ends,
            recipients,
            delayed,
            full,
            soft,
            hard,
            families,
        })
    }
}

fn family(s: &mut Section<'_, '_>) -> Option<Family> {
    let name = s.text("name", "");
    if name.text.trim().is_empty() {
        s.fault(name.at, "a family has no name", "add name = \"…\"");
    }
    let mut sign = |key| {
        let text = s.text(key, "");
        if text.text.is_empty() { None } else { pattern(s, &text) }
    };
    let (text, head) = (sign("text"), sign("head"));
    let recipients = s.texts("recipient").unwrap_or_default().iter().filter_map(|text| recipient(s, text)).collect();
    if text.is_none() && head.is_none() {
        let fault = format!("nothing tells a report of \"{}\" from others", name.text);
        s.fault(name.at, fault, "give text or head");
        return None;
    }
    Some(Family { name: name.text, text, head, recipients })
}

fn pattern(s: &mut Section<'_, '_>, text: &Text) -> Option<Regex> {
    let whole = bounded(s, text)?.replace("{address}", ADDRESS);
    compiled(s, text.at, RegexBuilder::new(&whole).case_insensitive(true).multi_line(true))
}

fn recipient(s: &mut Section<'_, '_>, text: &Text) -> Option<Regex> {
    if !text.text.contains("{address}") {
        s.fault(text.at, "the pattern does not say where the address stands", "put {address} there");
        return None;
    }
    pattern(s, text)
}

/// A list of patterns of which any may match.
fn set(s: &mut Section<'_, '_>, key: &'static str) -> RegexSet {
    let texts = s.some_texts(key);
    let bounded: Vec<String> = texts.iter().filter_map(|text| bounded(s, text)).collect();
    let mut builder = RegexSetBuilder::new(bounded);
    builder.case_insensitive(true).multi_line(true).size_limit(4 * COMPILED_BYTES_MAX);
    if let Ok(set) = builder.build() {
        return set;
    }
    // One of them is wrong: which?
    let wrong: Vec<_> = texts.iter().filter(|text| pattern(s, text).is_none()).collect();
    if wrong.is_empty() {
        s.fault(s.place(key), format!("{key} is too much at once"), "give fewer or simpler patterns");
    }
    RegexSet::empty()
}
