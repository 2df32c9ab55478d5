//! Is it a report of a program? Fields settle it; else the sender, the envelope and the words must agree, because people
//! forward such reports and quote them, and other programs write about deliveries too.

use super::returned::Returned;
use super::{beginning, words};
use crate::reading::Head;
use crate::reading::mime::Mail;
use crate::reading::normalise::tidy;
use crate::reading::pattern::{matches, pattern};
use crate::rules::Rules;

pattern!(ANSWERED, r"(?i)^re ?[:：]");
pattern!(PASSED_ON, r"(?i)^(?:\[[^\]]*\] ?)?(?:re|aw|fwd?|wg|tr|転送|返信)[ ]?[:：]");
/// Where a report of a program without any other sign must begin, in characters.
const OPENING_CHARS_MAX: usize = 160;
/// The same where a person may have written: before a greeting ends.
const ANSWER_CHARS_MAX: usize = 30;
/// How much of a text is looked at for news to those who run a server, in bytes.
const NOTICE_BYTES_MAX: usize = 300;

/// What the header and the structure show.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent findings, weighed together")]
pub(super) struct Signs {
    /// Fields as of RFC 3464 are there.
    pub(super) status: bool,
    /// Passed on by a person.
    pub(super) by_a_person: bool,
    /// From a program that writes nothing else.
    mailer: bool,
    /// From a sender that may be such a program.
    office: bool,
    /// The structure, or a field, of a report.
    shaped: bool,
    /// An empty envelope sender, or a field that says: a program wrote this (RFC 3834).
    automatic: bool,
    /// The subject is that of a report.
    subject: bool,
    /// The subject in plain form.
    words: String,
    /// To many readers.
    list: bool,
    /// A server's office answers under the subject of the mail: the report must open with a sentence of a program.
    answered: bool,
}

impl Signs {
    pub(super) fn of(mail: &Mail, head: &Head, body: &str, rules: &Rules) -> Self {
        let rules = &rules.bounces;
        let from = mail.text("from").map(|from| tidy(&from)).unwrap_or_default();
        let subject = head.subject.as_deref().map(tidy).unwrap_or_default();
        let lower = |name: &str| mail.text(name).map(|value| value.to_ascii_lowercase());
        let status = mail.reports.iter().any(|(kind, _)| kind.ends_with("delivery-status"));
        let failed = mail.field("x-failed-recipients").is_some();
        let shaped = failed || lower("content-type").is_some_and(|t| t.starts_with("multipart/report"));
        let null = lower("return-path")
            .is_some_and(|path| path.replace(' ', "") == "<>" || path.starts_with("<mailer-daemon"));
        let automatic = null || lower("auto-submitted").is_some_and(|value| !value.starts_with("no"));
        let mailer = rules.mailers.is_match(&from);
        let passed_on = matches(&PASSED_ON, &subject);
        let office = rules.offices.is_match(&from);
        let answered = office && !mailer && !null && !shaped && matches(&ANSWERED, &subject);
        Self {
            status,
            by_a_person: passed_on && !mailer && !null && !shaped && !answered,
            mailer,
            office,
            answered,
            shaped,
            automatic,
            subject: rules.subjects.is_match(&subject)
                || (mailer || office || automatic) && rules.delayed.is_match(&subject)
                || body.is_empty() && mailer,
            words: subject,
            list: ["list-id", "list-unsubscribe"].iter().any(|name| mail.field(name).is_some()),
        }
    }

    /// The subject says that the mail arrived.
    pub(super) fn arrived(&self, rules: &Rules) -> bool {
        rules.bounces.arrived.is_match(&self.words)
    }

    /// Whether a program passes on what it encloses.
    pub(super) fn by_a_program(&self) -> bool {
        !self.by_a_person && (self.mailer || (self.office || self.automatic) && self.subject)
    }

    /// Whether the text can make it a report at all. False for the mails of people: their text is not searched.
    pub(super) fn worth_reading(&self) -> bool {
        !self.by_a_person && (self.mailer || self.office || self.shaped || self.automatic || self.subject)
    }

    /// Is it a report, after a look at what it says?
    pub(super) fn tell(&self, returned: &Returned<'_>, mail: &Mail, rules: &Rules) -> bool {
        let first = beginning(&returned.report, NOTICE_BYTES_MAX);
        // News of a server for those who run it.
        let notice = |text: &str| rules.bounces.notices.is_match(text);
        if !self.shaped && (notice(&self.words) || notice(first)) {
            return false;
        }
        let family = words::family(returned, mail, rules);
        let phrase =
            rules.bounces.phrases.is_match(&returned.report) || rules.bounces.delayed.is_match(&returned.report);
        // The subject of a vacation answer.
        if family.is_none() && !self.shaped && rules.bounces.answers.is_match(&self.words) {
            return false;
        }
        if self.mailer || self.shaped && (self.subject || family.is_some() || phrase) {
            return true;
        }
        let opens = family.as_ref().is_some_and(|family| opens(&returned.report, family.at));
        let named = || words::names_somebody(family.as_ref(), returned, rules) || !returned.to().is_empty();
        let at_once = |family: &words::Known<'_>| opens_within(&returned.report, family.at, ANSWER_CHARS_MAX);
        if self.answered && !family.as_ref().is_some_and(at_once) {
            return false;
        }
        // A list passes on what was sent to it, and so what a server wrote.
        if self.list && !(self.subject && (self.office && (family.is_some() || phrase) || opens)) {
            return false;
        }
        if self.office || self.automatic {
            let surely = self.office && self.automatic && self.subject;
            let told = family.is_some() || surely || self.subject && phrase || phrase && self.office && self.automatic;
            return told && (surely || (self.office && self.automatic || self.subject || opens) && named());
        }
        self.subject && opens && named()
    }
}

/// Does the sentence at this byte open the text, in words that are not quoted?
fn opens(report: &str, at: usize) -> bool {
    opens_within(report, at, OPENING_CHARS_MAX)
}

fn opens_within(report: &str, at: usize, chars_max: usize) -> bool {
    let before = report.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    before.chars().take(chars_max).count() < chars_max && !line.trim_start().starts_with('>')
}
