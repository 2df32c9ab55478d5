//! Mails of programs about mails: did one of ours not arrive, who failed, and for good or for now?
//!
//! In order of trust: fields (`status`: RFC 3464, `complaint`: RFC 5965, `notice`: Amazon's JSON, `receipt`: a receipt that is none, RFC 8098), the header
//! X-Failed-Recipients, words as `rules/bounces.toml` knows them (`words`), and at last the recipient of the returned
//! mail (`returned`). Whether it is a report at all is told by `signs`. `class` says how final a failure is.
//!
//! Limits: [`RECIPIENTS_MAX`] from one report, [`TEXT_BYTES_MAX`] of its text. All patterns match in linear time.

mod class;
mod complaint;
mod notice;
pub(super) mod receipt;
mod returned;
mod signs;
mod status;
mod words;

pub(super) use class::bare_id;

use super::mime::Mail;
use super::{FailedRecipient, Head, Kind};
use crate::domain::MailAddress;
use crate::rules::Rules;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Recipients taken from one report.
const RECIPIENTS_MAX: usize = 100;
/// Text of a report looked at, in bytes; what matters stands at its beginning.
const TEXT_BYTES_MAX: usize = 32 * 1024;

/// How final a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// The address is dead, or refuses us for good.
    Hard,
    /// Given up for now; another attempt later may arrive.
    Soft,
    /// The server goes on trying: not a failure (RFC 3464 §2.3.3).
    Delayed,
    /// A failure, but the report does not say which.
    Unknown,
}

/// What a report says.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) kind: Kind,
    pub(super) recipients: Vec<FailedRecipient>,
    /// Of the mail the report is about.
    pub(super) message_id: Option<String>,
    /// Envelope senders the mail names: to whom it was returned, and who had sent.
    pub(super) returned_to: Vec<MailAddress>,
}

/// Reads a report of a program; `None`: the mail is none. A report that a gateway encloses in one of its own is read where
/// the outer one names nobody.
pub(super) fn read(mail: &Mail, head: &Head, body: &str, rules: &Rules) -> Option<Report> {
    let outer = read_one(mail, head, body, rules);
    let named = |report: &Report| report.recipients.iter().any(|r| r.source != words::RETURNED);
    if outer.as_ref().is_some_and(|report| report.kind != Kind::Bounce || named(report)) {
        return outer;
    }
    enclosed(mail, head, body, rules).filter(named).map_or(outer, |inner| {
        let mut returned_to = returned::Returned::of(mail, body, rules).senders(mail);
        returned_to.extend(inner.returned_to);
        Some(Report { returned_to, ..inner })
    })
}

/// The report inside a report.
fn enclosed(mail: &Mail, head: &Head, body: &str, rules: &Rules) -> Option<Report> {
    let inner = mail.inside.first()?;
    if !signs::Signs::of(mail, head, body, rules).by_a_program() {
        return None;
    }
    let text = inner.plain.clone().or_else(|| inner.html.as_ref().map(|page| page.text.clone())).unwrap_or_default();
    let report = read_one(inner, &crate::reading::head(inner, rules, &mut Vec::new()), &text, rules)?;
    (report.kind == Kind::Bounce).then_some(report)
}

fn read_one(mail: &Mail, head: &Head, body: &str, rules: &Rules) -> Option<Report> {
    let returned = || returned::Returned::of(mail, body, rules);
    let report = |kind, recipients, returned: &returned::Returned<'_>| {
        let message_id = returned.message_id();
        Some(Report { kind, recipients, message_id, returned_to: returned.senders(mail) })
    };
    if let Some(recipients) = complaint::read(mail, &rules.bounces) {
        return report(Kind::Feedback, recipients, &returned());
    }
    if let Some((kind, recipients)) = notice::read(mail, body) {
        return report(kind, recipients, &returned());
    }
    let rejected = receipt::read(mail, body, &rules.bounces);
    if !rejected.is_empty() {
        return report(Kind::Bounce, rejected, &returned());
    }
    let signs = signs::Signs::of(mail, head, body, rules);
    if signs.status && !signs.by_a_person {
        let returned = returned();
        let found = status::read(status::parts(mail), &returned.addressee(), &rules.bounces);
        if found.delivered && found.recipients.is_empty() {
            return report(Kind::Delivered, Vec::new(), &returned);
        }
        let recipients =
            if found.recipients.is_empty() { words::read(mail, head, &returned, rules) } else { found.recipients };
        return report(Kind::Bounce, recipients, &returned);
    }
    if !signs.worth_reading() {
        return None;
    }
    let returned = returned();
    if !signs.tell(&returned, mail, rules) {
        return None;
    }
    if signs.arrived(rules) {
        return report(Kind::Delivered, Vec::new(), &returned);
    }
    report(Kind::Bounce, words::read(mail, head, &returned, rules), &returned)
}

/// Recipients in the order found, each mailbox once, at most [`RECIPIENTS_MAX`].
#[derive(Debug, Default)]
struct Recipients {
    list: Vec<FailedRecipient>,
    known: HashSet<String>,
}

impl Recipients {
    fn add(&mut self, recipient: FailedRecipient) {
        let new =
            self.list.len() < RECIPIENTS_MAX && self.known.insert(recipient.address.as_str().to_ascii_lowercase());
        if new {
            self.list.push(recipient);
        }
    }
}

/// The beginning of a text, at most so many bytes, cut between characters.
fn beginning(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}
