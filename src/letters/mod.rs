//! Every mail annai writes, as facts ([`Letter`]), and the way from facts to final bytes ([`compose()`]). Pure: date,
//! Message-ID and every secret come in as values; the same input gives the same bytes, the salt inside the credential
//! ZIP alone excepted ([`self::zip`]). Texts are files, `templates/mail/<kind>.txt`, checked before anything starts
//! ([`Templates::parse`]). One letter is for one tenant and holds at most one secret (research R1, R2, R7, R8, R17, R18).

pub mod charset;
pub mod compose;
mod kind;
mod layout;
mod lint;
mod samples;
pub mod template;
mod values;
pub mod zip;

pub use compose::{ComposeError, Composed, compose, compose_copy};
pub use kind::{CertificateLetter, Secrecy, TenantLetter};
pub use template::{Desk, TemplateError, TemplateFiles, Templates};
pub use zip::{Opened, ZipError, reopen_zip};

use crate::domain::{Date, Digest, MailAddress, MessageId, Secret, TenantKind, Timestamp};

/// One mail as facts. Which template: [`Letter::kind`].
#[derive(Debug, Clone)]
pub enum Letter {
    /// To the sender of a registration, ministry on CC: what was taken over, as a table.
    Receipt { authority: String, received: Timestamp, rows: Vec<Understood>, notes: Vec<String> },
    /// To the sender: the mail has arrived, a person will look at it.
    UnderReview { received: Timestamp, subject: String },
    /// To the sender: what could not be taken over, quoting the line.
    CorrectionRequest { received: Timestamp, subject: String, faults: Vec<Fault> },
    /// To the sender, once staff have decided to ask: what has to be known first, quoting the lines, and what was read.
    Ask { about: Question, received: Timestamp, subject: String, faults: Vec<Fault>, rows: Vec<Understood> },
    /// A draft as staff rewrote it; no template has a say.
    Written { kind: LetterKind, subject: String, body: String },
    /// Harmless first letter to a tenant: what will come, what to prepare (seed 4.2); reveals dead addresses.
    Welcome { to: Addressee, certificates_from: Date },
    /// Seed 4.3.3 (1). `again`: why this is not the first one (re-issue, renewal).
    CertificateNotice { to: Addressee, url: Secret<String>, deadline: Date, again: Option<Again> },
    /// Seed 4.3.3 (3). Never holds the URL.
    PickupPassword { to: Addressee, password: Secret<String>, deadline: Date },
    /// Before the deadline. Points back to the notice, holds no secret. `last`: names the consequence first.
    Reminder { to: Addressee, notice_sent: Date, deadline: Date, days_left: u32, last: bool },
    /// After the deadline: cancelled, how to apply again.
    Expired { to: Addressee, deadline: Date },
    /// Seed 4.4: user id and password in an encrypted ZIP.
    Credentials {
        to: Addressee,
        user_id: String,
        password: Secret<String>,
        unzip_password: Secret<String>,
        method: ZipMethod,
    },
    /// By page instead of by mail: user id and password can now be seen, once, behind the certificate. Holds no secret.
    /// `gate`: where.
    CredentialsReady { to: Addressee, gate: Option<String> },
    /// To the ministry, at the rhythm of the rules: where everything stands, and the end of the journal's chain.
    Report(Report),
    /// To staff: something needs a person. Holds no secret and no address of a tenant.
    Alert { cause: String, lines: Vec<String>, remedy: String },
}

/// What a report says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub period: Period,
    pub from: Timestamp,
    pub until: Timestamp,
    /// Label and value, in the order they are printed.
    pub figures: Vec<(String, String)>,
    /// Number and digest of the journal's last entry.
    pub anchor: (u64, Digest),
    /// Attached; lines made by [`crate::domain::sheet`].
    pub csv: String,
}

/// How much time a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Period {
    Daily,
    Weekly,
}

/// Whom a letter to a tenant addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    /// 131032-01
    pub id: String,
    pub kind: TenantKind,
    /// みなと保健所
    pub name: String,
    /// The authority it belongs to, 港区.
    pub authority: String,
}

/// One row of what a registration was understood to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Understood {
    pub kind: TenantKind,
    pub name: String,
    pub address: MailAddress,
}

/// One thing that could not be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line of the mail, as written.
    pub quoted: Option<String>,
    pub sentence: String,
}

/// What staff ask the sender of a mail about; each has a draft of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Which authority is it?
    Authority,
    /// The mail cannot be read, or its data are not in its text: send it again.
    Resend,
    /// Is this what is meant?
    Confirm,
    /// Does it come from the authority?
    Origin,
    /// The sender asked something: staff write the answer.
    Reply,
}

/// Why a certificate notice is sent once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    Reissue,
    Renewal,
}

/// How the credential ZIP is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZipMethod {
    /// Opens in Windows Explorer; weak.
    ZipCrypto,
    /// Sound; needs 7-Zip or the like.
    Aes256,
}

/// Names of the letters: template file, outbox key, console word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LetterKind {
    Receipt,
    UnderReview,
    CorrectionRequest,
    AskAuthority,
    AskResend,
    AskConfirm,
    AskOrigin,
    AskReply,
    Welcome,
    CertificateNotice,
    PickupPassword,
    Reminder,
    Expired,
    Credentials,
    CredentialsReady,
    Report,
    Alert,
}

/// What a letter is made with besides its facts.
#[derive(Debug, Clone)]
pub struct Stamp {
    pub message_id: MessageId,
    pub date: Timestamp,
    pub from: MailAddress,
    /// The contact desk.
    pub reply_to: MailAddress,
    pub to: MailAddress,
    pub cc: Vec<MailAddress>,
    /// Message-ID (without brackets) of the mail this answers: sets In-Reply-To, References and Auto-Submitted: auto-replied.
    pub answers: Option<String>,
    pub charset: Charset,
}

/// Character set of a letter's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    Utf8,
    /// Falls back to UTF-8 for the whole mail where a character has no place in JIS X 0208.
    Iso2022Jp,
}
