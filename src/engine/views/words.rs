//! States and reasons as words: the code of filters and JSON, and the Japanese word staff read (research/domain.md §8).

use crate::engine::outages::Common;
use crate::engine::records::Subject;
use crate::workflow::credential::State as CredentialState;
use crate::workflow::delivery::{BounceClass, Delivery, Trouble};
use crate::workflow::enrolment::{Cause, State};
use crate::workflow::welcome::Welcome;
use crate::workflow::{Matter, ReissueReason, RevocationReason};

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
        Subject::Tenant { tenant, matter: Matter::ReissueAsked { mail, reason } } => {
            let why = reason.map_or("理由は要確認", reissue);
            format!(
                "証明書の再発行の依頼です（メール{mail}、{why}）。実行：annai tenant reissue {tenant} --reason {}",
                reason.map_or("…", reissue_word)
            )
        }
        Subject::Tenant { matter: Matter::WrongPasswords { generation }, .. } => {
            format!("取得用パスワードが10回誤って入力され、30分間停止しました（第{generation}回）。")
        }
        Subject::Row { row, reason } => format!("送信{row}：{}。", reason.word()),
        Subject::AnswerUndeliverable { row, status } => {
            format!("送信{row}（返信）が届きませんでした（{}）。", status.as_deref().unwrap_or("理由不明"))
        }
        Subject::NotComposed { letter, why, .. } => format!("「{}」を作成できません（{why}）。", letter.japanese()),
        Subject::UnknownBounce { row: Some(row), .. } => {
            format!("送信{row}への配信通知ですが、届いたかどうかを読み取れません。内容をご確認ください。")
        }
        Subject::FailingTogether { common, tenants } => {
            let who = match common {
                Common::Exchanger { name } => format!("メールサーバー {name}"),
                Common::Domain { name } => format!("ドメイン {name}"),
                Common::Prefecture { name } => name.clone(),
            };
            format!("{who}の{}件の宛先に続けて届いていません。受信側の障害の可能性があります。", tenants.len())
        }
        Subject::UnknownBounce { row: None, .. } => "どの送信に対するものか分からない配信不能通知です。".to_owned(),
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
pub fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::First => "初回",
        Cause::Reissue => "再発行",
        Cause::Renewal => "更新",
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
