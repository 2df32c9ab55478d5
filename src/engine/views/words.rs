//! States and reasons as words: the code of filters and JSON, and the Japanese word staff read (research/domain.md §8).

use crate::engine::records::Subject;
use crate::workflow::credential::State as CredentialState;
use crate::workflow::delivery::{BounceClass, Delivery, Trouble};
use crate::workflow::enrolment::State;
use crate::workflow::welcome::Welcome;
use crate::workflow::{Matter, ReissueReason, RevocationReason};

/// Codes of the states of a certificate course.
pub const ENROLMENT: [&str; 10] = [
    "registered",
    "notice-queued",
    "open",
    "collected",
    "in-use",
    "undeliverable",
    "expired",
    "cancelled",
    "superseded",
    "revoked",
];
/// Codes of the states of a credential.
pub const CREDENTIAL: [&str; 4] = ["waiting", "queued", "relayed", "undeliverable"];
/// Codes of the states of a letter.
pub const DELIVERY: [&str; 9] = [
    "planned",
    "in-flight",
    "relayed",
    "deferred",
    "refused",
    "bounced",
    "unknown",
    "held",
    "withdrawn",
];

/// Code and word of a certificate course.
pub fn enrolment(state: &State) -> (&'static str, &'static str) {
    match state {
        State::Registered => ("registered", "登録済み"),
        State::NoticeQueued { .. } => ("notice-queued", "通知送信待ち"),
        State::Open { .. } => ("open", "未取得"),
        State::Collected { .. } => ("collected", "取得済み"),
        State::InUse { .. } => ("in-use", "利用中"),
        State::Undeliverable { .. } => ("undeliverable", "配信不能"),
        State::Expired { .. } => ("expired", "期限切れ"),
        State::Cancelled { .. } => ("cancelled", "取消"),
        State::Superseded { .. } => ("superseded", "再発行により無効"),
        State::Revoked { .. } => ("revoked", "失効"),
    }
}

/// Code and word of a credential.
pub fn credential(state: &CredentialState) -> (&'static str, &'static str) {
    match state {
        CredentialState::Waiting => ("waiting", "未送信"),
        CredentialState::Queued => ("queued", "送信待ち"),
        CredentialState::Relayed { .. } => ("relayed", "送信済み"),
        CredentialState::Undeliverable { .. } => ("undeliverable", "配信不能"),
    }
}

/// Code and word of the reachability check.
pub fn welcome(state: &Welcome) -> (&'static str, &'static str) {
    match state {
        Welcome::Waiting { .. } => ("waiting", "未送信"),
        Welcome::Queued { .. } => ("queued", "送信待ち"),
        Welcome::Standing { .. } => ("standing", "送信済み"),
        Welcome::Undeliverable { .. } => ("undeliverable", "配信不能"),
    }
}

/// Code and word of a letter on its way.
pub fn delivery(state: &Delivery) -> (&'static str, &'static str) {
    match state {
        Delivery::Planned { .. } => ("planned", "送信待ち"),
        Delivery::InFlight { .. } => ("in-flight", "送信中"),
        Delivery::Relayed { .. } => ("relayed", "送信済み"),
        Delivery::Deferred { .. } => ("deferred", "再送待ち"),
        Delivery::Refused { .. } => ("refused", "配信不能"),
        Delivery::Bounced { .. } => ("bounced", "返送"),
        Delivery::Unknown { .. } => ("unknown", "結果不明"),
        Delivery::Held { .. } => ("held", "保留"),
        Delivery::Withdrawn { .. } => ("withdrawn", "送信取消"),
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
pub fn why(state: &Delivery) -> Option<String> {
    match state {
        Delivery::Planned { .. } | Delivery::InFlight { .. } => None,
        Delivery::Relayed { reply, .. } => reply.as_ref().map(ToString::to_string),
        Delivery::Deferred { last: Trouble::Reply(reply), .. } | Delivery::Refused { reply, .. } => {
            Some(reply.to_string())
        }
        Delivery::Deferred { last: Trouble::NoReply(why), .. }
        | Delivery::Unknown { why, .. }
        | Delivery::Withdrawn { why, .. } => Some(why.clone()),
        Delivery::Bounced { class, status, .. } => {
            let class = match class {
                BounceClass::Hard => "宛先不明",
                BounceClass::Soft => "一時的な配信不能",
            };
            Some(status.as_ref().map_or_else(|| class.to_owned(), |status| format!("{class} {status}")))
        }
        Delivery::Held { reason, .. } => Some(reason.word().to_owned()),
    }
}

/// What a matter is about, in one sentence.
pub fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Mail { reasons, .. } => reasons.iter().map(|reason| reason.sentence()).collect(),
        Subject::Inquiry { .. } => "お問い合わせ、又は登録以外のメールです。".to_owned(),
        Subject::Tenant { matter: Matter::Undeliverable { letter, why }, .. } => {
            format!("「{}」が届きません（{why}）。新しいメールアドレスの確認が必要です。", letter.japanese())
        }
        Subject::Tenant { matter: Matter::NotPickedUp { generation }, .. } => {
            format!("取得期限までに証明書が取得されませんでした（第{generation}回）。")
        }
        Subject::Row { row, reason } => format!("送信{row}：{}。", reason.word()),
        Subject::NotComposed { letter, why, .. } => format!("「{}」を作成できません（{why}）。", letter.japanese()),
        Subject::UnknownBounce { .. } => "どの送信に対するものか分からない配信不能通知です。".to_owned(),
    }
}

/// The word of a reason for a re-issue.
pub fn reissue(reason: ReissueReason) -> &'static str {
    match reason {
        ReissueReason::Lost => "紛失",
        ReissueReason::TerminalReplaced => "端末交換",
        ReissueReason::Expired => "期限切れ",
        ReissueReason::WrongTerminal => "端末の誤り",
        ReissueReason::AddressChanged => "アドレス変更",
    }
}

/// The word of a reason for a revocation.
pub fn revocation(reason: RevocationReason) -> &'static str {
    match reason {
        RevocationReason::KeyCompromise => "紛失・漏えい",
        RevocationReason::Superseded => "新しい証明書への切替え",
        RevocationReason::CessationOfOperation => "利用終了",
    }
}
