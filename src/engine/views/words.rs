//! States and reasons as words: the code of filters and JSON, and the word staff read (research/domain.md §8). Sentences
//! stand here in both languages, side by side, as two texts of one [`said!`]: a sentence in one language only cannot be
//! written. What mails and people say stays as they said it.

mod reasons;

pub use reasons::{evidence, sentence, warning};

use crate::domain::{TenantId, Timestamp};
use crate::engine::outages::Common;
use crate::engine::outbox::MOVED_ON;
use crate::engine::records::Subject;
use crate::letters::LetterKind;
use crate::workflow::credential::State as CredentialState;
use crate::workflow::delivery::{BounceClass, Delivery, HoldReason, Trouble};
use crate::workflow::enrolment::{Cause, State};
use crate::workflow::welcome::Welcome;
use crate::workflow::{Matter, ReissueReason, RevocationReason};

/// Language of what staff read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    Ja,
    En,
}

/// One sentence in the language asked for: `said!(lang, "メール{mail}", "mail {mail}")`.
macro_rules! said {
    ($lang:expr, $ja:literal, $en:literal $(, $value:expr)* $(,)?) => {
        match $lang {
            $crate::engine::views::words::Lang::Ja => format!($ja $(, $value)*),
            $crate::engine::views::words::Lang::En => format!($en $(, $value)*),
        }
    };
}
pub(crate) use said;

impl Lang {
    /// The one of this language.
    pub fn pick<T>(self, ja: T, en: T) -> T {
        match self {
            Self::Ja => ja,
            Self::En => en,
        }
    }

    /// A state's word; the code is English.
    pub fn word(self, word: Word) -> String {
        self.pick(word.1.to_owned(), word.0.replace('-', " "))
    }

    pub fn letter(self, kind: LetterKind) -> String {
        self.word((kind.name(), kind.japanese()))
    }

    /// `2020-05-01 (金) 09:00`.
    pub fn moment(self, at: Timestamp) -> String {
        self.pick(at.staff(), format!("{} {}", at.date(), at.time_of_day()))
    }
}

/// A code and its word.
pub type Word = (&'static str, &'static str);

/// States of a certificate course.
pub const ENROLMENT: [Word; 10] = [
    ("registered", "登録済み"),
    ("notice-queued", "通知送信待ち"),
    ("open", "未取得"),
    ("collected", "取得済み"),
    ("in-use", "利用中"),
    ("undeliverable", "配信不能"),
    ("expired", "期限切れ"),
    ("cancelled", "取消"),
    ("superseded", "再発行により無効"),
    ("revoked", "失効"),
];
/// States of a credential.
pub const CREDENTIAL: [Word; 6] = [
    ("waiting", "未送信"),
    ("queued", "送信待ち"),
    ("relayed", "送信済み"),
    ("undeliverable", "配信不能"),
    ("offered", "画面で確認待ち"),
    ("shown", "画面で確認済み"),
];
/// States of a letter.
pub const DELIVERY: [Word; 9] = [
    ("planned", "送信待ち"),
    ("in-flight", "送信中"),
    ("relayed", "送信済み"),
    ("deferred", "再送待ち"),
    ("refused", "配信不能"),
    ("bounced", "返送"),
    ("unknown", "結果不明"),
    ("held", "保留"),
    ("withdrawn", "送信取消"),
];

/// A certificate course's state.
pub fn enrolment(state: &State) -> Word {
    let [registered, queued, open, collected, in_use, undeliverable, expired, cancelled, superseded, revoked] =
        ENROLMENT;
    match state {
        State::Registered => registered,
        State::NoticeQueued { .. } => queued,
        State::Open { .. } => open,
        State::Collected { .. } => collected,
        State::InUse { .. } => in_use,
        State::Undeliverable { .. } => undeliverable,
        State::Expired { .. } => expired,
        State::Cancelled { .. } => cancelled,
        State::Superseded { .. } => superseded,
        State::Revoked { .. } => revoked,
    }
}

/// A credential's state.
pub fn credential(state: &CredentialState) -> Word {
    let [waiting, queued, relayed, undeliverable, offered, shown] = CREDENTIAL;
    match state {
        CredentialState::Waiting => waiting,
        CredentialState::Queued => queued,
        CredentialState::Relayed { .. } => relayed,
        CredentialState::Undeliverable { .. } => undeliverable,
        CredentialState::Offered { .. } => offered,
        CredentialState::Shown { .. } => shown,
    }
}

/// The state of the reachability check.
pub fn welcome(state: &Welcome) -> Word {
    match state {
        Welcome::Waiting { .. } => ("waiting", "未送信"),
        Welcome::Queued { .. } => ("queued", "送信待ち"),
        Welcome::Standing { .. } => ("standing", "送信済み"),
        Welcome::Undeliverable { .. } => ("undeliverable", "配信不能"),
    }
}

/// A letter's state.
pub fn delivery(state: &Delivery) -> Word {
    let [planned, in_flight, relayed, deferred, refused, bounced, unknown, held, withdrawn] = DELIVERY;
    match state {
        Delivery::Planned { .. } => planned,
        Delivery::InFlight { .. } => in_flight,
        Delivery::Relayed { .. } => relayed,
        Delivery::Deferred { .. } => deferred,
        Delivery::Refused { .. } => refused,
        Delivery::Bounced { .. } => bounced,
        Delivery::Unknown { .. } => unknown,
        Delivery::Held { .. } => held,
        Delivery::Withdrawn { .. } => withdrawn,
    }
}

/// Whether nothing more will happen to a letter.
pub fn is_done(state: &Delivery) -> bool {
    match state {
        Delivery::Relayed { .. } | Delivery::Refused { .. } | Delivery::Bounced { .. } | Delivery::Withdrawn { .. } => {
            true
        }
        Delivery::Planned { .. }
        | Delivery::InFlight { .. }
        | Delivery::Deferred { .. }
        | Delivery::Unknown { .. }
        | Delivery::Held { .. } => false,
    }
}

/// Why a letter stands where it stands: the server's reply, the reason of a hold.
pub fn why(state: &Delivery, lang: Lang) -> Option<String> {
    match state {
        Delivery::Planned { .. } | Delivery::InFlight { .. } => None,
        Delivery::Relayed { reply, .. } => reply.as_ref().map(ToString::to_string),
        Delivery::Deferred { last: Trouble::Reply(reply), .. } | Delivery::Refused { reply, .. } => {
            Some(reply.to_string())
        }
        Delivery::Withdrawn { why, .. } if why == MOVED_ON => {
            Some(lang.pick("手続が先に進んだため", MOVED_ON).to_owned())
        }
        Delivery::Deferred { last: Trouble::NoReply(why), .. }
        | Delivery::Unknown { why, .. }
        | Delivery::Withdrawn { why, .. } => Some(why.clone()),
        Delivery::Bounced { class, status, .. } => {
            let class = match class {
                BounceClass::Hard => lang.pick("宛先不明", "no such address"),
                BounceClass::Soft => lang.pick("一時的な配信不能", "undeliverable for now"),
            };
            Some(status.as_ref().map_or_else(|| class.to_owned(), |status| format!("{class} {status}")))
        }
        Delivery::Held { reason, .. } => Some(hold(*reason, lang).to_owned()),
    }
}

/// Why a letter is held.
pub fn hold(reason: HoldReason, lang: Lang) -> &'static str {
    let english = match reason {
        HoldReason::Staff => "staff put it on hold",
        HoldReason::Wave => "it waits for its wave to be approved",
        HoldReason::Frozen => "another letter to this address came back",
        HoldReason::ServerRefuses => "the mail server refuses to take letters from us",
        HoldReason::ServerUnreachable => "it could not be handed to the mail server in time",
        HoldReason::LetterRefused => "the mail server refused this letter for what it holds",
        HoldReason::OutcomeUnknown => "nobody knows whether it arrived",
    };
    lang.pick(reason.word(), english)
}

/// What a matter is about, in one sentence or more.
pub fn subject(subject: &Subject, lang: Lang) -> String {
    match subject {
        Subject::Mail { reasons, .. } => {
            let sentences: Vec<_> = reasons.iter().map(|reason| sentence(*reason, lang)).collect();
            sentences.join(lang.pick("", " "))
        }
        Subject::Inquiry { .. } => lang
            .pick("お問い合わせ、又は登録以外のメールです。", "An inquiry, or a mail that registers nothing.")
            .to_owned(),
        Subject::Tenant { tenant, matter } => of_tenant(*tenant, matter, lang),
        Subject::Row { row, reason } => said!(lang, "送信{row}：{}。", "Letter {row}: {}.", hold(*reason, lang)),
        Subject::AnswerUndeliverable { row, status } => {
            let why = status.as_deref().unwrap_or(lang.pick("理由不明", "unknown why"));
            said!(
                lang,
                "送信{row}（返信）が届きませんでした（{why}）。",
                "Letter {row}, an answer, did not arrive ({why})."
            )
        }
        Subject::NotComposed { letter, why, .. } => {
            said!(
                lang,
                "「{0}」を作成できません（{why}）。",
                "The {0} cannot be composed ({why}).",
                lang.letter(*letter)
            )
        }
        Subject::UnknownBounce { row: Some(row), .. } => said!(
            lang,
            "送信{row}への配信通知ですが、届いたかどうかを読み取れません。内容をご確認ください。",
            "A delivery report about letter {row} that does not say whether it arrived. Please read it."
        ),
        Subject::UnknownBounce { row: None, .. } => lang
            .pick(
                "どの送信に対するものか分からない配信不能通知です。",
                "A report of something undeliverable that names no letter of ours.",
            )
            .to_owned(),
        Subject::FailingTogether { common, tenants } => {
            let who = match common {
                Common::Exchanger { name } => said!(lang, "メールサーバー {name}", "the mail server {name}"),
                Common::Domain { name } => said!(lang, "ドメイン {name}", "the domain {name}"),
                Common::Prefecture { name } => name.clone(),
            };
            said!(
                lang,
                "{who}の{0}件の宛先に続けて届いていません。受信側の障害の可能性があります。",
                "Letters to {0} addresses of {who} fail one after the other; their mail server may be down.",
                tenants.len()
            )
        }
    }
}

fn of_tenant(tenant: TenantId, matter: &Matter, lang: Lang) -> String {
    match matter {
        Matter::Undeliverable { letter, why } => said!(
            lang,
            "「{0}」が届きません（{why}）。新しいメールアドレスの確認が必要です。",
            "The {0} does not arrive ({why}). A new address is needed.",
            lang.letter(*letter)
        ),
        Matter::NotPickedUp { generation } => said!(
            lang,
            "取得期限までに証明書が取得されませんでした（第{generation}回）。",
            "The certificate was not picked up in time (no. {generation})."
        ),
        Matter::ReissueAsked { mail, reason } => {
            let why = reason.map_or(lang.pick("理由は要確認", "reason to be asked"), |r| reissue(r, lang));
            let word = reason.map_or("…", reissue_word);
            said!(
                lang,
                "証明書の再発行の依頼です（メール{mail}、{why}）。実行：annai tenant reissue {tenant} --reason {word}",
                "A re-issue is asked for (mail {mail}, {why}). To do it: annai tenant reissue {tenant} --reason {word}"
            )
        }
        Matter::WrongPasswords { generation } => said!(
            lang,
            "取得用パスワードが10回誤って入力され、30分間停止しました（第{generation}回）。",
            "The pick-up password was typed wrongly ten times; it is locked for 30 minutes (no. {generation})."
        ),
    }
}

/// The reason as it is typed after `--reason`.
fn reissue_word(reason: ReissueReason) -> &'static str {
    match reason {
        ReissueReason::Lost => "lost",
        ReissueReason::TerminalReplaced => "terminal-replaced",
        ReissueReason::Expired => "expired",
        ReissueReason::WrongTerminal => "wrong-terminal",
        ReissueReason::AddressChanged => "address-changed",
    }
}

/// The word of why a generation was begun.
pub fn cause(cause: Cause, lang: Lang) -> &'static str {
    match cause {
        Cause::First => lang.pick("初回", "first"),
        Cause::Reissue => lang.pick("再発行", "re-issue"),
        Cause::Renewal => lang.pick("更新", "renewal"),
    }
}

/// The word of a reason for a re-issue.
pub fn reissue(reason: ReissueReason, lang: Lang) -> &'static str {
    match reason {
        ReissueReason::Lost => lang.pick("紛失", "lost"),
        ReissueReason::TerminalReplaced => lang.pick("端末交換", "terminal replaced"),
        ReissueReason::Expired => lang.pick("期限切れ", "expired"),
        ReissueReason::WrongTerminal => lang.pick("端末の誤り", "wrong terminal"),
        ReissueReason::AddressChanged => lang.pick("アドレス変更", "address changed"),
    }
}

/// The word of a reason for a revocation.
pub fn revocation(reason: RevocationReason, lang: Lang) -> &'static str {
    match reason {
        RevocationReason::KeyCompromise => lang.pick("紛失・漏えい", "key compromise"),
        RevocationReason::Superseded => lang.pick("新しい証明書への切替え", "superseded by a new certificate"),
        RevocationReason::CessationOfOperation => lang.pick("利用終了", "no longer used"),
    }
}
