//! Acts about accounts, requests and waves as sentences.

use super::words;
use crate::engine::approvals::AskVerb;
use crate::engine::keys::KeysVerb;
use crate::engine::people::PeopleVerb;
use crate::engine::staff::Verb;
use crate::engine::waves::WaveVerb;
use crate::workflow::wave::Wave;
use serde::Deserialize;
use serde_json::Value;

/// What an act does; nothing for acts [`super::history`] tells itself.
pub(super) fn act(verb: &Verb) -> String {
    match verb {
        Verb::People(verb) => people(verb),
        Verb::Ask(AskVerb::Approve { no }) => format!("申請{}を承認しました", no.0),
        Verb::Ask(AskVerb::Refuse { no, reason }) => format!("申請{}を却下しました（理由：{reason}）", no.0),
        Verb::Ask(AskVerb::Recall { no }) => format!("申請{}を取り下げました", no.0),
        Verb::Wave(verb) => wave(verb),
        Verb::Keys(KeysVerb::Adopt { ca, certificate, reason }) => {
            format!("発行認証局 {ca} の使用開始（証明書のSHA-256 {certificate}、理由：{reason}）")
        }
        Verb::ReissueMany { tenants, reason } => {
            format!("{}機関の証明書を一括して再発行（理由：{}）", tenants.len(), words::reissue(*reason))
        }
        Verb::Accept { .. }
        | Verb::AcceptEdited { .. }
        | Verb::Reject { .. }
        | Verb::AskSender { .. }
        | Verb::WriteToSender { .. }
        | Verb::ApproveDomain { .. }
        | Verb::ForgetDomain { .. }
        | Verb::Reread { .. }
        | Verb::Close { .. }
        | Verb::Hold { .. }
        | Verb::Release { .. }
        | Verb::Retry { .. }
        | Verb::Withdraw { .. }
        | Verb::Reissue { .. }
        | Verb::Cancel { .. }
        | Verb::Revoke { .. }
        | Verb::RenewCredentials { .. } => String::new(),
    }
}

fn people(verb: &PeopleVerb) -> String {
    match verb {
        PeopleVerb::Add { name, role, .. } => format!("アカウント {name}（{}）の登録", role.japanese()),
        PeopleVerb::SetRole { name, role } => format!("アカウント {name} の役割を{}に変更", role.japanese()),
        PeopleVerb::SetMail { name, .. } => format!("アカウント {name} の通知先の変更"),
        PeopleVerb::Password { name, .. } => format!("アカウント {name} のパスワードの変更"),
        PeopleVerb::Disable { name, reason } => format!("アカウント {name} の停止（理由：{reason}）"),
        PeopleVerb::Enable { name } => format!("アカウント {name} の再開"),
        PeopleVerb::EndSession { session } => format!("セッション{session}の終了"),
    }
}

fn wave(verb: &WaveVerb) -> String {
    match verb {
        WaveVerb::Plan { letter } => format!("「{}」の一斉送信の準備", letter.japanese()),
        WaveVerb::Tick { wave, row, on: true } => format!("一斉送信{}に送信{row}を戻しました", wave.0),
        WaveVerb::Tick { wave, row, on: false } => format!("一斉送信{}から送信{row}を外しました", wave.0),
        WaveVerb::Release { wave, .. } => format!("一斉送信{}の開始", wave.0),
        WaveVerb::Halt { wave, reason } => format!("一斉送信{}の停止（理由：{reason}）", wave.0),
        WaveVerb::Withdraw { wave, reason } => format!("一斉送信{}の取下げ（理由：{reason}）", wave.0),
    }
}

/// Events about people, requests, waves and reports.
pub(super) fn told(name: &str, event: &Value) -> Option<String> {
    let at = |name: &str| event.get(name).unwrap_or(&Value::Null);
    let verb = || Verb::deserialize(at("act")).ok().map(|verb| super::sentence_of(&verb));
    let text = |name: &str| at(name).as_str().unwrap_or_default().to_owned();
    Some(match name {
        "asked" => format!("申請{}：{}（別の人の承認が必要です）", at("ask"), verb()?),
        "approved" => format!("申請{}（申請者 {}）：{}", at("ask"), text("asked-by"), verb()?),
        "request-lapsed" => format!("申請{}は期限が切れました", at("ask")),
        "two-persons-in-force" => "二人承認が有効になりました".to_owned(),
        "logged-in" => format!("ログインしました（セッション{}、{}）", at("session"), text("from")),
        "logged-out" => format!("ログアウトしました（セッション{}）", at("session")),
        "log-in-failed" => format!("{} のログインに失敗しました（{}）", text("account"), text("from")),
        "wave-planned" => format!("一斉送信{}を準備しました（{}通）", at("wave"), at("letters")),
        "wave" => {
            let now = Wave::deserialize(at("now")).ok()?;
            let why = match &now {
                Wave::Stopped { why, .. } | Wave::Withdrawn { why, .. } => format!("（{why}）"),
                Wave::Draft | Wave::Canaries { .. } | Wave::Running { .. } | Wave::Done { .. } => String::new(),
            };
            format!("一斉送信{}：{}{why}", at("wave"), now.word().1)
        }
        "reissued-many" => {
            let refused = at("refused").as_array().map_or(0, Vec::len);
            format!("一括再発行：{}件、対象外{refused}件", at("done"))
        }
        "report" => {
            format!("厚生労働省への{}を作成しました", if text("period") == "weekly" { "週次報告" } else { "日次報告" })
        }
        "alert" => format!("運用のお知らせを送りました（{}）", text("cause")),
        _ => return None,
    })
}
