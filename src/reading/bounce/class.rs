//! How final a failure is: the action field, the status code (RFC 3463, RFC 5248), the SMTP reply, the words.

use super::FailureClass;
use crate::domain::signs;
use crate::reading::pattern::pattern;
use crate::rules::BounceRules;

/// Longest diagnostic text kept, in characters.
const REASON_CHARS_MAX: usize = 300;

pattern!(ENHANCED, r"(?:^|[^0-9.])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[^0-9.]|\.?$|\.[^0-9])");
pattern!(REPLY, r"(?:^|[^0-9.,:/@a-zA-Z-])([45][0-5][0-9])(?:[ \-#:>'\x22\])]|$)");

/// What a diagnostic says: an enhanced status code, the class of a plain reply code.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Codes {
    pub(super) status: Option<String>,
    pub(super) reply: Option<char>,
}

impl Codes {
    /// The codes in a text: the first of each.
    pub(super) fn of(text: &str) -> Self {
        let first = |p: &std::sync::LazyLock<Option<regex::Regex>>| {
            let hit = p.as_ref()?.captures(text)?;
            hit.get(1).map(|m| m.as_str().to_owned())
        };
        Self { status: first(&ENHANCED), reply: first(&REPLY).and_then(|code| code.chars().next()) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.status.is_none() && self.reply.is_none()
    }
}

/// The class of a failure. `words`: the diagnostic, or the text around the address.
pub(super) fn of_failure(codes: &Codes, words: &str, rules: &BounceRules) -> FailureClass {
    let status = codes.status.as_deref();
    // A full mailbox is emptied one day.
    if status.is_some_and(|s| rules.full.is_match(s)) || rules.full.is_match(words) {
        return FailureClass::Soft;
    }
    match status.and_then(|s| s.chars().next()).or(codes.reply) {
        Some('4') => FailureClass::Soft,
        Some('5') => FailureClass::Hard,
        _ => of_words(words, rules),
    }
}

/// The class by the words alone.
fn of_words(words: &str, rules: &BounceRules) -> FailureClass {
    if rules.hard.is_match(words) {
        FailureClass::Hard
    } else if rules.soft.is_match(words) {
        FailureClass::Soft
    } else {
        FailureClass::Unknown
    }
}

/// One line without control characters, cut to what a person reads.
pub(super) fn reason(text: &str) -> Option<String> {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let kept: String =
        one_line.chars().filter(|c| !c.is_control() && !signs::misleads(*c)).take(REASON_CHARS_MAX).collect();
    (!kept.is_empty()).then_some(kept)
}

/// A Message-ID without its brackets.
pub(in crate::reading) fn bare_id(id: &str) -> Option<String> {
    let id = id.trim().trim_start_matches('<').split('>').next().unwrap_or_default().trim();
    (!id.is_empty() && id.len() <= 998 && !id.contains(char::is_whitespace)).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str, status: Option<&str>, reply: Option<char>) {
        assert_eq!(Codes::of(text), Codes { status: status.map(str::to_owned), reply }, "{text}");
    }

    #[test]
    fn codes_stand_alone_and_are_no_parts_of_addresses() {
        codes("550 5.1.1 <a@x.example>: User unknown", Some("5.1.1"), Some('5'));
        codes("host 192.0.5.1 says 450 later", None, Some('4'));
        codes("[5.1.1.1] went away", None, None);
        codes("#5.1.1 smtp;550", Some("5.1.1"), Some('5'));
        codes("message 5501 of 4500", None, None);
        codes("not taken [SMTP code 550]", None, Some('5'));
        codes("said: 552-5.2.2 over quota", Some("5.2.2"), Some('5'));
    }
}
