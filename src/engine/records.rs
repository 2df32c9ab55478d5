//! What the engine keeps in the store besides rosters: inbox items, outbox rows, matters for staff, counters. All are
//! JSON with field names, so that a record written by an older annai still reads (`#[serde(default)]` for new fields).

use super::outages::Common;
use crate::domain::{Date, Digest, Generation, LgCode, MailAddress, MailNo, MessageId, RowNo, TenantId, Timestamp};
use crate::letters::LetterKind;
use crate::reading::Reason;
use crate::reading::authentication::Authentication;
use crate::workflow::delivery::{Delivery, HoldReason};
use crate::workflow::{self};
use serde::{Deserialize, Serialize};

/// One incoming mail. Its bytes stand beside it, unchanged, in the table `Raw`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxItem {
    pub no: MailNo,
    pub uid_validity: u32,
    pub uid: u32,
    pub filed: Timestamp,
    /// SHA-256 of the bytes as stored.
    pub digest: Digest,
    pub octets: u64,
    /// Only the beginning was taken: the mail is over the size limit.
    pub truncated: bool,
    pub from: Option<MailAddress>,
    /// Cleaned of control characters.
    pub subject: String,
    pub authority: Option<LgCode>,
    pub disposition: Disposition,
    /// What our own check of its origin found when it came in; with it a later reading is the same.
    #[serde(default)]
    pub authentication: Option<Authentication>,
    /// Outbox rows this mail caused.
    #[serde(default)]
    pub answers: Vec<RowNo>,
}

/// What became of a mail: exactly one of these (DESIGN §4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "disposition")]
pub enum Disposition {
    /// Tenants were added.
    Registered,
    /// Accepted by staff, or changed something that was there.
    Revision,
    /// The same bytes, or the same data, as an earlier mail.
    Duplicate {
        of: Option<MailNo>,
    },
    /// Waits for a person.
    Review {
        reasons: Vec<Reason>,
    },
    Inquiry,
    AutoReply,
    /// `row`: the letter it returned, if that is known.
    Bounce {
        row: Option<RowNo>,
    },
    /// Sent by annai itself.
    OwnMail,
    Spam,
    /// A person looked and took nothing over.
    Rejected {
        reason: String,
    },
    /// No program can make sense of it; the bytes are kept.
    Unreadable,
}

impl Disposition {
    /// All of them: the name in tables, metrics and `--json`, and the word in the console.
    pub const WORDS: [(&'static str, &'static str); 11] = [
        ("registered", "登録"),
        ("revision", "訂正"),
        ("duplicate", "重複"),
        ("review", "要確認"),
        ("inquiry", "問い合わせ"),
        ("auto-reply", "自動応答"),
        ("bounce", "配信不能通知"),
        ("own-mail", "自システム送信"),
        ("spam", "迷惑メール"),
        ("rejected", "見送り"),
        ("unreadable", "読取不能"),
    ];

    fn word(&self) -> (&'static str, &'static str) {
        let [
            registered,
            revision,
            duplicate,
            review,
            inquiry,
            auto_reply,
            bounce,
            own_mail,
            spam,
            rejected,
            unreadable,
        ] = Self::WORDS;
        match self {
            Self::Registered => registered,
            Self::Revision => revision,
            Self::Duplicate { .. } => duplicate,
            Self::Review { .. } => review,
            Self::Inquiry => inquiry,
            Self::AutoReply => auto_reply,
            Self::Bounce { .. } => bounce,
            Self::OwnMail => own_mail,
            Self::Spam => spam,
            Self::Rejected { .. } => rejected,
            Self::Unreadable => unreadable,
        }
    }

    /// Name in tables, metrics and `--json`.
    pub fn name(&self) -> &'static str {
        self.word().0
    }

    /// Word in the console.
    pub fn japanese(&self) -> &'static str {
        self.word().1
    }
}

/// One outgoing mail to one envelope recipient. Its bytes stand in the table `Content` under `content`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub no: RowNo,
    pub about: About,
    pub letter: LetterKind,
    pub to: MailAddress,
    pub subject: String,
    pub message_id: MessageId,
    /// The row whose bytes are sent: a ministry copy shares those of the mail it copies.
    pub content: RowNo,
    pub created: Timestamp,
    pub first_attempt: Option<Timestamp>,
    /// How often it was tried.
    #[serde(default)]
    pub attempts: u32,
    pub delivery: Delivery,
    /// The moment under which the row stands in the index of what is due. A row in flight stays there, so that a crash
    /// leaves it to be found.
    pub indexed: Option<Timestamp>,
    /// The wave it leaves with; 0: it waits for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<WaveNo>,
    /// The day a notice was written anew for; `None`: it says what it said at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dated: Option<Date>,
}

/// What a row is about; with the letter it makes the row's unique key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "about")]
pub enum About {
    /// A letter to a tenant.
    Tenant { tenant: TenantId, generation: Generation, ordinal: u32 },
    /// An answer to a mail; `copy` is the ministry's.
    Mail { mail: MailNo, copy: bool },
    /// A letter staff wrote to the sender of a mail; numbered, for they may write again.
    Reply { mail: MailNo, ordinal: u32 },
    /// A report or an alert; `to` counts its recipients.
    Report { no: u64, to: u32 },
}

impl Row {
    /// The key that makes a letter unique for ever (invariant I3): `t/131032-01/1/certificate-notice/1`.
    pub fn key(&self) -> String {
        row_key(&self.about, self.letter)
    }
}

/// See [`Row::key`].
pub fn row_key(about: &About, letter: LetterKind) -> String {
    let letter = letter.name();
    match about {
        About::Tenant { tenant, generation, ordinal } => format!("t/{tenant}/{generation}/{letter}/{ordinal}"),
        About::Reply { mail, ordinal } => format!("m/{mail}/{letter}/reply/{ordinal}"),
        About::Mail { mail, copy } => format!("m/{mail}/{letter}/{}", if *copy { "copy" } else { "to" }),
        About::Report { no, to } => format!("r/{no}/{letter}/{to}"),
    }
}

/// Running number of a request for a second person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AskNo(pub u64);

/// Running number of a wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WaveNo(pub u64);

impl WaveNo {
    /// Letters that wait for a wave to be planned.
    pub const NONE: Self = Self(0);
}

/// Running number of a matter for staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MatterNo(pub u64);

/// Something a person must know or decide; it stays open until they do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenMatter {
    pub no: MatterNo,
    pub since: Timestamp,
    pub subject: Subject,
}

/// What the matter is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "about")]
pub enum Subject {
    /// A mail waits: accept, ask the sender, reject, read again.
    Mail { mail: MailNo, reasons: Vec<Reason> },
    /// A question or another mail without data.
    Inquiry { mail: MailNo },
    /// A machine asks.
    Tenant { tenant: TenantId, matter: workflow::Matter },
    /// An outgoing mail waits for a decision: retry, release or withdraw.
    Row { row: RowNo, reason: HoldReason },
    /// An answer to a mail (or the ministry's copy of it) did not arrive.
    AnswerUndeliverable { row: RowNo, status: Option<String> },
    /// A letter could not be written at all.
    NotComposed { tenant: TenantId, letter: LetterKind, why: String },
    /// A bounce that belongs to no letter of ours, or does not say how final it is. `row`: the letter, if it is known.
    UnknownBounce {
        mail: MailNo,
        #[serde(default)]
        row: Option<RowNo>,
    },
    /// Several tenants that share a prefecture or a mail server fail at once.
    FailingTogether { common: Common, tenants: Vec<TenantId> },
}

/// Numbers handed out so far, and what the mailbox holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    pub mails: u64,
    pub rows: u64,
    pub matters: u64,
    #[serde(default)]
    pub sessions: u64,
    #[serde(default)]
    pub asks: u64,
    #[serde(default)]
    pub waves: u64,
    #[serde(default)]
    pub jobs: u64,
    /// Reports and alerts written.
    #[serde(default)]
    pub reports: u64,
}

/// How far the mailbox was read, and how many of its mails have which disposition: the daily reconciliation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxRecord {
    pub uid_validity: u32,
    pub uid_next: u32,
    /// Mails filed under this UIDVALIDITY.
    pub filed: u64,
}

/// Where a pick-up code leads; the key is a keyed tag of the code, so the store does not hold the code itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub tenant: TenantId,
    pub generation: Generation,
}
