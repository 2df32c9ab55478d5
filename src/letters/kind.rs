//! What can be said of a letter by its kind alone: its name, its word in the console, whether it holds a secret.

use super::{Letter, LetterKind, Question};

/// Whether a letter holds something only its addressee may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// May be sent again unasked, copied to the ministry and shown in the console.
    Plain,
    /// Exactly one secret: never copied, never re-sent without knowing what became of the first (DESIGN I4).
    Secret,
}

impl Letter {
    pub fn kind(&self) -> LetterKind {
        match self {
            Self::Receipt { .. } => LetterKind::Receipt,
            Self::UnderReview { .. } => LetterKind::UnderReview,
            Self::CorrectionRequest { .. } => LetterKind::CorrectionRequest,
            Self::Ask { about, .. } => about.letter(),
            Self::Written { kind, .. } => *kind,
            Self::Welcome { .. } => LetterKind::Welcome,
            Self::CertificateNotice { .. } => LetterKind::CertificateNotice,
            Self::PickupPassword { .. } => LetterKind::PickupPassword,
            Self::Reminder { .. } => LetterKind::Reminder,
            Self::Expired { .. } => LetterKind::Expired,
            Self::Credentials { .. } => LetterKind::Credentials,
            Self::CredentialsReady { .. } => LetterKind::CredentialsReady,
            Self::Report(_) => LetterKind::Report,
            Self::Alert { .. } => LetterKind::Alert,
        }
    }
}

impl Question {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Authority, Self::Resend, Self::Confirm, Self::Origin, Self::Reply];

    /// The letter that asks it.
    pub fn letter(self) -> LetterKind {
        match self {
            Self::Authority => LetterKind::AskAuthority,
            Self::Resend => LetterKind::AskResend,
            Self::Confirm => LetterKind::AskConfirm,
            Self::Origin => LetterKind::AskOrigin,
            Self::Reply => LetterKind::AskReply,
        }
    }
}

/// A letter of a tenant's course, by the machine that queues it and hears what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantLetter {
    Welcome,
    Certificate(CertificateLetter),
    Credentials,
    CredentialsReady,
}

/// A letter of one generation's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateLetter {
    Notice,
    Password,
    Reminder,
    Expired,
}

impl From<CertificateLetter> for LetterKind {
    fn from(letter: CertificateLetter) -> Self {
        match letter {
            CertificateLetter::Notice => Self::CertificateNotice,
            CertificateLetter::Password => Self::PickupPassword,
            CertificateLetter::Reminder => Self::Reminder,
            CertificateLetter::Expired => Self::Expired,
        }
    }
}

impl LetterKind {
    /// In the order of an onboarding.
    pub const ALL: [Self; 17] = [
        Self::Receipt,
        Self::UnderReview,
        Self::CorrectionRequest,
        Self::AskAuthority,
        Self::AskResend,
        Self::AskConfirm,
        Self::AskOrigin,
        Self::AskReply,
        Self::Welcome,
        Self::CertificateNotice,
        Self::PickupPassword,
        Self::Reminder,
        Self::Expired,
        Self::Credentials,
        Self::CredentialsReady,
        Self::Report,
        Self::Alert,
    ];

    /// `certificate-notice`: stem of the template file, the same word as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::UnderReview => "under-review",
            Self::CorrectionRequest => "correction-request",
            Self::AskAuthority => "ask-authority",
            Self::AskResend => "ask-resend",
            Self::AskConfirm => "ask-confirm",
            Self::AskOrigin => "ask-origin",
            Self::AskReply => "ask-reply",
            Self::Welcome => "welcome",
            Self::CertificateNotice => "certificate-notice",
            Self::PickupPassword => "pickup-password",
            Self::Reminder => "reminder",
            Self::Expired => "expired",
            Self::Credentials => "credentials",
            Self::CredentialsReady => "credentials-ready",
            Self::Report => "report",
            Self::Alert => "alert",
        }
    }

    /// The word of the console (research/domain.md §8).
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Receipt => "受付通知",
            Self::UnderReview => "確認中のお知らせ",
            Self::CorrectionRequest => "差戻し",
            Self::AskAuthority => "自治体名の確認",
            Self::AskResend => "再送のお願い",
            Self::AskConfirm => "登録内容の確認",
            Self::AskOrigin => "連絡元の確認",
            Self::AskReply => "お問い合わせへの回答",
            Self::Welcome => "疎通確認",
            Self::CertificateNotice => "証明書発行通知",
            Self::PickupPassword => "証明書取得用パスワード",
            Self::Reminder => "期限前のお知らせ",
            Self::Expired => "期限切れのお知らせ",
            Self::Credentials => "ユーザID・パスワード通知",
            Self::CredentialsReady => "ユーザID・パスワードの準備のお知らせ",
            Self::Report => "状況報告",
            Self::Alert => "運用のお知らせ",
        }
    }

    /// Its place in a tenant's course; `None` for answers to a mail, reports and alerts.
    pub fn for_tenant(self) -> Option<TenantLetter> {
        match self {
            Self::Welcome => Some(TenantLetter::Welcome),
            Self::CertificateNotice => Some(TenantLetter::Certificate(CertificateLetter::Notice)),
            Self::PickupPassword => Some(TenantLetter::Certificate(CertificateLetter::Password)),
            Self::Reminder => Some(TenantLetter::Certificate(CertificateLetter::Reminder)),
            Self::Expired => Some(TenantLetter::Certificate(CertificateLetter::Expired)),
            Self::Credentials => Some(TenantLetter::Credentials),
            Self::CredentialsReady => Some(TenantLetter::CredentialsReady),
            Self::Receipt
            | Self::UnderReview
            | Self::CorrectionRequest
            | Self::AskAuthority
            | Self::AskResend
            | Self::AskConfirm
            | Self::AskOrigin
            | Self::AskReply
            | Self::Report
            | Self::Alert => None,
        }
    }

    pub fn secrecy(self) -> Secrecy {
        use CertificateLetter::{Expired, Notice, Password, Reminder};
        match self.for_tenant() {
            Some(TenantLetter::Certificate(Notice | Password) | TenantLetter::Credentials) => Secrecy::Secret,
            Some(
                TenantLetter::Certificate(Reminder | Expired) | TenantLetter::Welcome | TenantLetter::CredentialsReady,
            )
            | None => Secrecy::Plain,
        }
    }

    /// Leaves only in the hours of `rules/schedule.toml`. Answers to a mail just received leave at once.
    pub fn windowed(self) -> bool {
        self.for_tenant().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_words_of_json_and_every_kind_has_samples_of_itself() {
        for kind in LetterKind::ALL {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{}\"", kind.name()));
            let samples = Letter::samples(kind);
            assert!(!samples.is_empty() && samples.iter().all(|letter| letter.kind() == kind), "{}", kind.name());
        }
    }
}
