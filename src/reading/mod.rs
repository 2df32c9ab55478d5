//! Raw bytes of a mail → what it says. Reading never fails: it returns what was understood, the reasons why a person
//! must look, and warnings with the line they come from. It does not know the directory and decides nothing.

pub mod reason;

pub use reason::{Reason, Warning, WarningCode};

use crate::domain::{LgCode, MailAddress, Timestamp};
use crate::rules::Rules;
use serde::{Deserialize, Serialize};

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
    /// Decoded text, lines separated by `\n`. Line numbers elsewhere count in it, from 1.
    pub body: String,
    /// File names of attachments.
    pub attachments: Vec<String>,
    /// Bounces: who failed.
    pub recipients: Vec<FailedRecipient>,
    /// Bounces: the envelope tag (VERP) or Message-ID of the mail that failed, if it can be told.
    pub failed_message_id: Option<String>,
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
    /// `None`: the report does not tell.
    pub permanent: Option<bool>,
    /// Enhanced status code, `5.1.1`.
    pub status: Option<String>,
    pub reason: Option<String>,
}

/// Reads one mail. Never fails, whatever the bytes.
pub fn read(_raw: &[u8], _rules: &Rules) -> Reading {
    Reading {
        kind: Kind::NeedsReview,
        reasons: vec![Reason::Unreadable],
        warnings: Vec::new(),
        authority: None,
        centres: Vec::new(),
        head: Head::default(),
        body: String::new(),
        attachments: Vec::new(),
        recipients: Vec::new(),
        failed_message_id: None,
    }
}
