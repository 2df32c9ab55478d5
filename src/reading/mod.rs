//! Raw bytes of a mail → what it says. Reading never fails: it returns what was understood, the reasons why a person
//! must look, and warnings with the line they come from. It does not know the directory and decides nothing.
//!
//! The steps, each a file: `mime` takes the bytes apart, `charset`, `header` and `html` make text, `disposition`
//! and `bounce` know what programs write; what people write goes through `normalise` (lines), `quote` (whose words),
//! `subject`, `form` with `sections` and `entry` (what is stated), and `judge` (what is certain).
//!
//! Cost: linear in the size of the mail. Patterns are compiled once and matched without backtracking (crate regex).

pub mod authentication;
mod bounce;
mod charset;
mod correction;
mod disposition;
mod doubts;
mod entry;
pub mod evidence;
mod facts;
pub mod family;
pub mod findings;
mod form;
mod header;
mod html;
mod json;
mod judge;
pub mod limits;
mod listed;
mod marks;
mod meant;
pub mod mime;
mod names;
mod normalise;
pub mod origin;
mod pattern;
pub mod proposal;
mod quote;
pub mod reason;
mod remarks;
mod rtf;
mod sealed;
mod sections;
mod sheet;
mod statement;
mod subject;
mod tnef;
mod trust;
mod veil;
mod wrapped;

pub use bounce::FailureClass;
pub use proposal::{Proposal, ProposalError, ProposedCentre};
pub use reason::{Reason, Warning, WarningCode};

use crate::domain::{LgCode, MailAddress, Timestamp};
use crate::rules::Rules;
use authentication::Authentication;
use serde::{Deserialize, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What kind of mail this is. `NeedsReview` only where no other kind can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Registration,
    Correction,
    Inquiry,
    AutoReply,
    Bounce,
    Feedback,
    Delivered,
    Spam,
    Other,
    NeedsReview,
}

/// The sender's own words in a decoded body: without what is quoted, answered or forwarded below.
pub fn own_words(body: &str) -> String {
    let lines = normalise::lines(body);
    let own = quote::split(&lines).own;
    own.iter().filter(|line| line.depth == 0).flat_map(|line| [line.text.as_str(), "\n"]).collect()
}

/// Everything understood from one mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    pub kind: Kind,
    /// Why a person must look; empty: certain.
    pub reasons: Vec<Reason>,
    pub warnings: Vec<Warning>,
    pub authority: Option<ReadAuthority>,
    pub centres: Vec<ReadCentre>,
    pub head: Head,
    /// Decoded text, lines separated by `\n`. Line numbers elsewhere count in it, from 1. Where the data stand in a mail
    /// inside or in an attached table, its text follows below a ruled line.
    pub body: String,
    /// Which text the data stand in; `None`: there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<origin::Source>,
    /// Where each value stands: the authority's first, then the health centres' in their order. Empty: no data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<origin::Evidence>,
    /// File names of attachments.
    pub attachments: Vec<String>,
    /// Bounces: who failed.
    pub recipients: Vec<FailedRecipient>,
    /// Bounces: the Message-ID of the mail that failed, if it can be told.
    pub failed_message_id: Option<String>,
    /// Bounces: to whom it was returned, and who the report says had sent: one of them may be a bounce address of ours.
    pub returned_to: Vec<MailAddress>,
}

/// What the header says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub subject: Option<String>,
    pub from_name: Option<String>,
    /// `None` if missing, several or no address.
    pub from: Option<MailAddress>,
    pub to: Vec<MailAddress>,
    pub cc: Vec<MailAddress>,
    /// Without angle brackets.
    pub message_id: Option<String>,
    pub date: Option<Timestamp>,
    /// Who vouches for the sender; `None`: nobody.
    pub authentication: Option<Authentication>,
    /// The header that shows a program wrote this (`Auto-Submitted: auto-replied`, an empty Return-Path, …): never
    /// answer such a mail (RFC 3834 §2).
    pub machine_sign: Option<String>,
}

/// The authority as the mail states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadAuthority {
    /// Official name where known, else as written.
    pub name: String,
    pub address: Option<MailAddress>,
    /// `None`: not one of the authorities in the rules.
    pub code: Option<LgCode>,
    pub other_addresses: Vec<MailAddress>,
    pub line: Option<usize>,
}

/// A health centre as the mail states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadCentre {
    pub name: String,
    pub address: Option<MailAddress>,
    /// Further addresses of the same line: they are never used (seed 4.1, 注意事項).
    pub other_addresses: Vec<MailAddress>,
    pub line: Option<usize>,
}

/// A recipient a bounce names (RFC 3464 §2.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedRecipient {
    pub address: MailAddress,
    pub class: FailureClass,
    /// Enhanced status code, `5.1.1`.
    pub status: Option<String>,
    pub reason: Option<String>,
    /// The server that refused it (`Remote-MTA`), lower-case, if the report names one.
    pub exchanger: Option<String>,
    /// What tells it: `rfc3464`, `arf`, `ses`, `x-failed-recipients`, `text:exim` (a family of `rules/bounces.toml`),
    /// `text`, `returned-mail`.
    pub source: String,
}

impl FailedRecipient {
    /// For good, for now, or not told.
    pub fn permanent(&self) -> Option<bool> {
        match self.class {
            FailureClass::Hard => Some(true),
            FailureClass::Soft | FailureClass::Delayed => Some(false),
            FailureClass::Unknown => None,
        }
    }
}

/// [`read`], and a fault of ours makes the mail unreadable instead of ending the thread (invariant I10). This is what
/// everything but the tests of `read` itself calls.
pub fn read_safely(raw: &[u8], rules: &Rules) -> Reading {
    catch_unwind(AssertUnwindSafe(|| read(raw, rules))).unwrap_or_else(|_| Reading::unreadable())
}

/// Reads one mail. Never fails, whatever the bytes.
pub fn read(raw: &[u8], rules: &Rules) -> Reading {
    if raw.len() > mime::MAIL_BYTES_MAX {
        return Reading::unread(Reason::TooLarge);
    }
    let Some(mail) = mime::parse(raw) else { return Reading::unreadable() };
    let mut reading = Reading::empty(Kind::NeedsReview);
    reading.head = head(&mail, rules, &mut reading.reasons);
    reading.attachments.clone_from(&mail.attachments);
    reading.body = match (&mail.plain, &mail.html) {
        (Some(plain), _) if !plain.trim().is_empty() => plain.clone(),
        (_, Some(page)) => page.text.clone(),
        (Some(plain), None) => plain.clone(),
        (None, None) => String::new(),
    };
    if mail.too_deep {
        reading.reasons.push(Reason::TooDeep);
    }
    if mail.over_limit {
        reading.reasons.push(Reason::OverLimit);
    }
    let told = disposition::tell(&mail, &reading.head, &reading.body, rules);
    match told.kind {
        Some(kind) => {
            reading.kind = kind;
            reading.recipients = told.recipients;
            reading.failed_message_id = told.failed_message_id;
            reading.returned_to = told.returned_to;
            reading.reasons.retain(|r| matches!(r, Reason::TooDeep | Reason::OverLimit));
            if kind == Kind::AutoReply && disposition::announces_new_contact(&reading.body) {
                reading.reasons.push(Reason::NewContact);
            }
        }
        None => judge::judge(&mut reading, &mail, rules),
    }
    reading.reasons.sort_unstable();
    reading.reasons.dedup();
    reading
}

impl Reading {
    fn empty(kind: Kind) -> Self {
        Self {
            kind,
            reasons: Vec::new(),
            warnings: Vec::new(),
            authority: None,
            centres: Vec::new(),
            head: Head::default(),
            body: String::new(),
            source: None,
            evidence: Vec::new(),
            attachments: Vec::new(),
            recipients: Vec::new(),
            failed_message_id: None,
            returned_to: Vec::new(),
        }
    }

    /// What stands for a mail that could not be read at all.
    pub fn unreadable() -> Self {
        Self::unread(Reason::Unreadable)
    }

    fn unread(reason: Reason) -> Self {
        Self { reasons: vec![reason], ..Self::empty(Kind::NeedsReview) }
    }

    /// Must a person look before anything is done with this mail?
    pub fn needs_review(&self) -> bool {
        !self.reasons.is_empty() || self.kind == Kind::NeedsReview
    }
}

fn head(mail: &mime::Mail, rules: &Rules, reasons: &mut Vec<Reason>) -> Head {
    // Two are too many already; more need not be looked at.
    let from = || mail.fields.iter().filter(|(n, _)| n == "from").take(2);
    let senders: Vec<_> = from().flat_map(|(_, v)| header::addresses(v)).collect();
    let from_fields = from().count();
    if from_fields > 1 || senders.len() > 1 {
        reasons.push(Reason::SeveralFrom);
    }
    let (from_name, from) = match senders.as_slice() {
        [(name, address)] if from_fields == 1 => (name.clone(), Some(address.clone())),
        _ => (None, None),
    };
    let results = mail.fields.iter().filter(|(n, _)| n == "authentication-results").map(|(_, v)| v.as_slice());
    let domain = from.as_ref().map(MailAddress::domain);
    let authentication = authentication::results(results, &rules.senders.gateways, domain.as_deref());
    let list = |name: &str| mail.field(name).map(header::addresses).unwrap_or_default().into_iter().map(|(_, a)| a);
    Head {
        authentication,
        subject: mail.text("subject"),
        from_name,
        from,
        to: list("to").collect(),
        cc: list("cc").collect(),
        message_id: mail.text("message-id").and_then(|id| bounce::bare_id(&id)),
        date: mail.date,
        machine_sign: disposition::machine_sign(mail),
    }
}
