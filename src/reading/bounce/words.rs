//! Reports in words: which program wrote it, whom it names, and what it says about each.

use super::class::{self, Codes};
use super::returned::Returned;
use super::{FailureClass, RECIPIENTS_MAX, Recipients, beginning, status};
use crate::domain::MailAddress;
use crate::reading::mime::Mail;
use crate::reading::{FailedRecipient, Head, header};
use crate::rules::Rules;
use crate::rules::bounces::Family;
use regex::Regex;
use std::collections::HashSet;
use std::fmt::Write as _;

/// Text after an address that is searched for the reason, in bytes.
const NEAR_BYTES_MAX: usize = 700;
/// What [`FailedRecipient::source`] says where only the header of the returned mail tells who failed.
pub(super) const RETURNED: &str = "returned-mail";
/// Header fields, and bytes of each, in which a program is recognised.
const FIELDS_MAX: usize = 80;
const FIELD_CHARS_MAX: usize = 200;
/// Addresses of this kind run mail servers; they fail nowhere near a report of their own.
const OFFICES: [&str; 8] =
    ["postmaster", "mailer-daemon", "mailerdaemon", "mail-daemon", "abuse", "mailmaster", "double-bounce", "noreply"];

/// A program recognised, and where its sentence stands in the report.
pub(super) struct Known<'r> {
    pub(super) family: &'r Family,
    pub(super) at: usize,
}

/// The program that wrote the report.
pub(super) fn family<'r>(returned: &Returned<'_>, mail: &Mail, rules: &'r Rules) -> Option<Known<'r>> {
    let mut head = String::new();
    for (name, value) in mail.fields.iter().take(FIELDS_MAX) {
        let value: String = header::text(value).chars().take(FIELD_CHARS_MAX).collect();
        let _ = writeln!(head, "{name}: {value}");
    }
    rules.bounces.families.iter().find_map(|family| {
        let at = match &family.text {
            Some(text) => text.find(&returned.report)?.start(),
            None => 0,
        };
        family.head.as_ref().is_none_or(|pattern| pattern.is_match(&head)).then_some(Known { family, at })
    })
}

/// Whether any pattern finds an address in the report.
pub(super) fn names_somebody(known: Option<&Known<'_>>, returned: &Returned<'_>, rules: &Rules) -> bool {
    let special = || known.into_iter().flat_map(|known| &known.family.recipients);
    special().chain(&rules.bounces.recipients).any(|pattern| pattern.is_match(&returned.report))
        || special().any(|pattern| pattern.is_match(returned.below()))
}

/// Everybody the report names as failed, with class and reason.
pub(super) fn read(mail: &Mail, head: &Head, returned: &Returned<'_>, rules: &Rules) -> Vec<FailedRecipient> {
    let report = returned.report.as_str();
    let fields = status::read(std::iter::once(report), &[], &rules.bounces);
    if !fields.recipients.is_empty() {
        return fields.recipients;
    }
    let known = family(returned, mail, rules);
    let source = known.as_ref().map_or_else(|| "text".to_owned(), |known| format!("text:{}", known.family.name));
    let others = Others::of(mail, head, returned, rules);
    let special = known.iter().flat_map(|known| &known.family.recipients);
    let special = special.map(|pattern| hits(pattern, report, &others)).find(|hits| !hits.is_empty());
    let to = returned.to();
    let mut hits = special.unwrap_or_else(|| general(report, &to, &others, rules));
    let listed: Vec<_> = mail.field("x-failed-recipients").map(header::addresses).unwrap_or_default();
    let delayed = Delayed::of(head, report, rules);
    let mut found = Recipients::default();
    if !listed.is_empty() {
        for (_, address) in listed.into_iter().take(RECIPIENTS_MAX) {
            let near = hits.iter().find(|hit| hit.address.same_mailbox(&address)).map_or(report, |hit| hit.near);
            found.add(failed(address, near, report, delayed, "x-failed-recipients", rules));
        }
        return found.list;
    }
    if hits.is_empty() {
        // A report that another one encloses in words.
        let enclosed = status::read(std::iter::once(returned.below()), &[], &rules.bounces).recipients;
        if !enclosed.is_empty() {
            return enclosed;
        }
        // One recipient of the returned mail is who failed; of several, nobody can say which.
        if let [only] = to.as_slice()
            && (!others.has(only) || others.wrote_to_self(only, returned))
        {
            found.add(failed(only.clone(), report, report, delayed, RETURNED, rules));
            return found.list;
        }
        hits = last_resort(report, &others);
        if hits.is_empty() {
            // A mail to oneself.
            let special = known.iter().flat_map(|known| &known.family.recipients);
            hits = first_hits(special, report, &Others::default());
        }
        if hits.is_empty() && to.is_empty() {
            // What seemed to be the returned mail may be the report itself.
            let special = known.iter().flat_map(|known| &known.family.recipients);
            hits = first_hits(special.chain(rules.bounces.recipients.first()), returned.below(), &others);
        }
    }
    for hit in hits {
        found.add(failed(hit.address, hit.near, report, delayed, &source, rules));
    }
    found.list
}

/// Whether the server goes on trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delayed {
    No,
    /// The text has words of it; a final code is worth more.
    Said,
    /// The subject says so.
    Titled,
}

impl Delayed {
    fn of(head: &Head, report: &str, rules: &Rules) -> Self {
        let says = |text: &str| rules.bounces.delayed.is_match(text);
        if head.subject.as_deref().is_some_and(says) {
            Self::Titled
        } else if says(report) {
            Self::Said
        } else {
            Self::No
        }
    }
}

fn failed(
    address: MailAddress,
    near: &str,
    report: &str,
    delayed: Delayed,
    source: &str,
    rules: &Rules,
) -> FailedRecipient {
    let mut codes = Codes::of(near);
    let mut words = near;
    if codes.is_empty() {
        codes = Codes::of(report);
        words = if codes.is_empty() { near } else { report };
    }
    let final_code = codes.status.as_deref().and_then(|s| s.chars().next()).or(codes.reply) == Some('5');
    let class = if delayed == Delayed::Titled || delayed == Delayed::Said && !final_code {
        FailureClass::Delayed
    } else {
        match class::of_failure(&codes, words, &rules.bounces) {
            FailureClass::Unknown => class::of_failure(&codes, report, &rules.bounces),
            told @ (FailureClass::Hard | FailureClass::Soft | FailureClass::Delayed) => told,
        }
    };
    FailedRecipient {
        address,
        class,
        status: codes.status,
        reason: diagnostic(near),
        exchanger: None,
        source: source.to_owned(),
    }
}

/// What the server said: from the line of the address on, to the end of the paragraph that holds a code.
fn diagnostic(near: &str) -> Option<String> {
    let mut said = String::new();
    for line in near.lines() {
        if line.trim().is_empty() && !Codes::of(&said).is_empty() {
            break;
        }
        said.push_str(line);
        said.push(' ');
    }
    class::reason(&said)
}

/// An address named, and the text from it to the next.
struct Hit<'t> {
    address: MailAddress,
    near: &'t str,
}

fn hits<'t>(pattern: &Regex, report: &'t str, others: &Others) -> Vec<Hit<'t>> {
    let found: Vec<_> = pattern.captures_iter(report).take(RECIPIENTS_MAX * 2).collect();
    let starts: Vec<_> = found.iter().filter_map(|hit| hit.get(0).map(|whole| whole.start())).collect();
    let nexts = starts.iter().copied().skip(1).chain([report.len()]);
    let mut hits = Vec::new();
    for (hit, (start, next)) in found.iter().zip(starts.iter().zip(nexts)) {
        let Some(address) = hit.name("address") else { continue };
        let near = beginning(report.get(*start..next).unwrap_or_default(), NEAR_BYTES_MAX);
        let rest = report.get(address.end()..next).unwrap_or_default();
        for address in std::iter::once(address.as_str()).chain(listed_after(rest)) {
            let address = tidy_address(address).parse().ok();
            hits.extend(address.filter(|address| !others.has(address)).map(|address| Hit { address, near }));
        }
    }
    hits
}

/// What the first pattern finds that finds anybody.
fn first_hits<'t, 'p>(patterns: impl Iterator<Item = &'p Regex>, text: &'t str, others: &Others) -> Vec<Hit<'t>> {
    patterns.map(|pattern| hits(pattern, text, others)).find(|hits| !hits.is_empty()).unwrap_or_default()
}

/// Further addresses of a list in one line: `<a@b>, <c@d>`.
fn listed_after(rest: &str) -> impl Iterator<Item = &str> {
    let mut items = rest.lines().next().unwrap_or_default().split([',', ';', '、']);
    let is_list = items.next().is_some_and(|item| item.trim_matches([' ', '\t', '>', '"', '\'']).is_empty());
    items.filter(move |_| is_list).map_while(|item| {
        let item = item.trim_matches([' ', '\t', '<', '>', '"', '\'']);
        let end = item.find([' ', '\t', ':', '>', '(']).unwrap_or(item.len());
        item.get(..end).filter(|word| word.contains('@'))
    })
}

/// What the patterns for any program find: the surest pattern that names a recipient of the returned mail, else the surest
/// that names anybody.
fn general<'t>(report: &'t str, to: &[MailAddress], others: &Others, rules: &Rules) -> Vec<Hit<'t>> {
    let mut first = Vec::new();
    for pattern in &rules.bounces.recipients {
        let mut found = hits(pattern, report, others);
        if found.iter().any(|hit| to.iter().any(|to| to.same_mailbox(&hit.address))) {
            found.retain(|hit| to.iter().any(|to| to.same_mailbox(&hit.address)));
            return found;
        }
        if first.is_empty() {
            first = found;
        }
    }
    first
}

/// The only address in the whole report, if it names just one that is nobody else's.
fn last_resort<'t>(report: &'t str, others: &Others) -> Vec<Hit<'t>> {
    static ANY: std::sync::LazyLock<Option<Regex>> =
        std::sync::LazyLock::new(|| Regex::new(crate::rules::bounces::ADDRESS).ok());
    let mut found = ANY.as_ref().map(|any| hits(any, report, others)).unwrap_or_default();
    found.dedup_by(|a, b| a.address.same_mailbox(&b.address));
    if found.len() == 1 { found } else { Vec::new() }
}

/// Marks that stick to an address in a text.
fn tidy_address(text: &str) -> &str {
    let text = text.trim_start_matches(['\'', '=', '*', '|', '`', '{', '.']).trim_end_matches(['.', '-']);
    ["to=", "mailto:", "rfc822;"].iter().find_map(|mark| text.strip_prefix(mark)).unwrap_or(text)
}

/// Everybody else whose address may stand in a report: who sent the mail, who wrote the report, who runs the server.
#[derive(Default)]
struct Others {
    known: HashSet<String>,
    /// To whom the returned mail was written: these may run a server and fail all the same.
    to: Vec<MailAddress>,
}

impl Others {
    fn of(mail: &Mail, head: &Head, returned: &Returned<'_>, rules: &Rules) -> Self {
        let to = returned.to();
        let expected = rules.registration.expected_to.iter().chain(&rules.registration.expected_cc).cloned();
        let parties = head.to.iter().chain(&head.cc).chain(&head.from).cloned();
        // Some programs stamp the failed address on the report itself, as if it had been delivered there.
        let stamp = mail.field("x-original-to").filter(|_| mail.field("delivered-to").is_none()).map(header::addresses);
        let failed = |address: &MailAddress| {
            let mut stamped = stamp.iter().flatten().map(|(_, address)| address);
            to.iter().any(|to| to.same_mailbox(address)) || stamped.any(|stamped| stamped.same_mailbox(address))
        };
        let stamped = returned.senders(mail).into_iter().filter(|address| !failed(address));
        let all = parties.chain(returned.from()).chain(stamped).chain(expected);
        Self { known: all.map(|address| address.as_str().to_ascii_lowercase()).collect(), to }
    }

    fn has(&self, address: &MailAddress) -> bool {
        let local = address.local().to_ascii_lowercase();
        let office = OFFICES.contains(&local.as_str()) && !self.to.iter().any(|to| to.same_mailbox(address));
        office || self.known.contains(&address.as_str().to_ascii_lowercase())
    }

    /// A mail to oneself: sender and recipient are the same.
    fn wrote_to_self(&self, address: &MailAddress, returned: &Returned<'_>) -> bool {
        self.has(address) && returned.from().iter().any(|from| from.same_mailbox(address))
    }
}
