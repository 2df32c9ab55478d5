//! Acts about accounts, requests, waves and jobs as sentences.

use super::words::{self, Lang, said};
use crate::engine::approvals::AskVerb;
use crate::engine::jobs::JobVerb;
use crate::engine::keys::KeysVerb;
use crate::engine::people::PeopleVerb;
use crate::engine::staff::Verb;
use crate::engine::waves::WaveVerb;
use crate::letters::LetterKind;
use crate::workflow::wave::Wave;
use serde::Deserialize;
use serde_json::Value;

/// What an act does; nothing for acts [`super::history`] tells itself.
pub(super) fn act(verb: &Verb, lang: Lang) -> String {
    match verb {
        Verb::People(verb) => people(verb, lang),
        Verb::Ask(AskVerb::Approve { no }) => said!(lang, "申請{0}を承認しました", "approved request {0}", no.0),
        Verb::Ask(AskVerb::Refuse { no, reason }) => {
            said!(lang, "申請{0}を却下しました（理由：{reason}）", "refused request {0} (reason: {reason})", no.0)
        }
        Verb::Ask(AskVerb::Recall { no }) => said!(lang, "申請{0}を取り下げました", "took request {0} back", no.0),
        Verb::Wave(verb) => wave(verb, lang),
        Verb::Keys(KeysVerb::Adopt { ca, certificate, reason }) => said!(
            lang,
            "発行認証局 {ca} の使用開始（証明書のSHA-256 {certificate}、理由：{reason}）",
            "use the issuing CA {ca} (SHA-256 of its certificate {certificate}, reason: {reason})"
        ),
        Verb::ReissueMany { tenants, reason } => said!(
            lang,
            "{0}機関の証明書を一括して再発行（理由：{1}）",
            "re-issue the certificates of {0} tenants (reason: {1})",
            tenants.len(),
            words::reissue(*reason, lang)
        ),
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

fn people(verb: &PeopleVerb, lang: Lang) -> String {
    let why = match verb.reason() {
        "" => String::new(),
        reason => said!(lang, "（理由：{reason}）", " (reason: {reason})"),
    };
    match verb {
        PeopleVerb::Add { name, role, .. } => {
            let role = lang.pick(role.japanese(), role.name());
            said!(lang, "アカウント {name}（{role}）の登録{why}", "add the account {name} ({role}){why}")
        }
        PeopleVerb::SetRole { name, role, .. } => {
            let role = lang.pick(role.japanese(), role.name());
            said!(lang, "アカウント {name} の役割を{role}に変更{why}", "make the account {name} {role}{why}")
        }
        PeopleVerb::SetMail { name, .. } => {
            said!(lang, "アカウント {name} の通知先の変更{why}", "change where alerts to {name} go{why}")
        }
        PeopleVerb::Password { name, .. } => {
            said!(lang, "アカウント {name} のパスワードの変更{why}", "set a new password for {name}{why}")
        }
        PeopleVerb::Certificate { name, fingerprint: None, .. } => {
            said!(
                lang,
                "アカウント {name} のクライアント証明書の解除{why}",
                "take the client certificate away from {name}{why}"
            )
        }
        PeopleVerb::Certificate { name, fingerprint: Some(print), .. } => said!(
            lang,
            "アカウント {name} のクライアント証明書を {print} に変更{why}",
            "make {print} the client certificate of {name}{why}"
        ),
        PeopleVerb::Disable { name, .. } => {
            said!(lang, "アカウント {name} の停止{why}", "disable the account {name}{why}")
        }
        PeopleVerb::Enable { name, .. } => {
            said!(lang, "アカウント {name} の再開{why}", "enable the account {name}{why}")
        }
        PeopleVerb::EndSession { session } => said!(lang, "セッション{session}の終了", "end session {session}"),
    }
}

fn wave(verb: &WaveVerb, lang: Lang) -> String {
    match verb {
        WaveVerb::Plan { letter } => {
            said!(lang, "「{0}」の一斉送信の準備", "plan a wave of {0} letters", lang.letter(*letter))
        }
        WaveVerb::Tick { wave, row, on: true } => {
            said!(lang, "一斉送信{0}に送信{row}を戻しました", "took letter {row} into wave {0} again", wave.0)
        }
        WaveVerb::Tick { wave, row, on: false } => {
            said!(lang, "一斉送信{0}から送信{row}を外しました", "took letter {row} out of wave {0}", wave.0)
        }
        WaveVerb::Release { wave, .. } => said!(lang, "一斉送信{0}の開始", "let wave {0} leave", wave.0),
        WaveVerb::Halt { wave, reason } => {
            said!(lang, "一斉送信{0}の停止（理由：{reason}）", "halt wave {0} (reason: {reason})", wave.0)
        }
        WaveVerb::Withdraw { wave, reason } => {
            said!(lang, "一斉送信{0}の取下げ（理由：{reason}）", "take wave {0} back (reason: {reason})", wave.0)
        }
    }
}

/// What a job does to each.
pub(super) fn job(verb: &JobVerb, lang: Lang) -> String {
    match verb {
        JobVerb::Retry => lang.pick("すぐに再送", "retry now").to_owned(),
        JobVerb::Hold { reason } => said!(lang, "保留（理由：{reason}）", "hold (reason: {reason})"),
        JobVerb::Release => lang.pick("保留を解く", "release").to_owned(),
        JobVerb::Withdraw { reason } => said!(lang, "送信取消（理由：{reason}）", "withdraw (reason: {reason})"),
        JobVerb::Reissue { reason } => {
            said!(lang, "再発行（理由：{0}）", "re-issue (reason: {0})", words::reissue(*reason, lang))
        }
        JobVerb::Cancel { reason } => said!(lang, "手続の取消（理由：{reason}）", "cancel (reason: {reason})"),
    }
}

/// Events about people, requests, waves, jobs and reports.
pub(super) fn told(name: &str, event: &Value, lang: Lang) -> Option<String> {
    let at = |name: &str| event.get(name).unwrap_or(&Value::Null);
    let verb = || Verb::deserialize(at("act")).ok().map(|verb| super::sentence_of(&verb, lang));
    let text = |name: &str| at(name).as_str().unwrap_or_default().to_owned();
    Some(match name {
        "asked" => said!(
            lang,
            "申請{}：{}（別の人の承認が必要です）",
            "request {}: {} (another person must approve)",
            at("ask"),
            verb()?
        ),
        "approved" => said!(
            lang,
            "申請{}（申請者 {}）：{}",
            "request {}, asked for by {}: {}",
            at("ask"),
            text("asked-by"),
            verb()?
        ),
        "request-lapsed" => said!(lang, "申請{}は期限が切れました", "request {} has lapsed", at("ask")),
        "two-persons-in-force" => {
            lang.pick("二人承認が有効になりました", "from here on two persons are needed").to_owned()
        }
        "logged-in" => {
            said!(
                lang,
                "ログインしました（セッション{}、{}）",
                "logged in (session {}, {})",
                at("session"),
                text("from")
            )
        }
        "logged-out" => said!(lang, "ログアウトしました（セッション{}）", "logged out (session {})", at("session")),
        "certificate-bound" => said!(
            lang,
            "アカウント {} にクライアント証明書（SHA-256 {}）を登録しました",
            "bound the client certificate {1} to the account {0}",
            text("account"),
            text("fingerprint")
        ),
        "session-misused" => said!(
            lang,
            "{} のセッション{}が異なるクライアント証明書で使われたため、拒否して終了しました（{}）",
            "session {1} of {0} was used with another client certificate; it was refused and has ended ({2})",
            text("account"),
            at("session"),
            text("from")
        ),
        "log-in-failed" => {
            said!(lang, "{} のログインに失敗しました（{}）", "a login of {} failed ({})", text("account"), text("from"))
        }
        _ => return of_many(name, event, lang).or_else(|| of_wave(name, event, lang)),
    })
}

/// What concerns many at once, and what is told by mail.
fn of_many(name: &str, event: &Value, lang: Lang) -> Option<String> {
    let at = |name: &str| event.get(name).unwrap_or(&Value::Null);
    let text = |name: &str| at(name).as_str().unwrap_or_default();
    Some(match name {
        "reissued-many" => {
            let refused = at("refused").as_array().map_or(0, Vec::len);
            said!(lang, "一括再発行：{0}件、対象外{refused}件", "re-issued {0}, refused {refused}", at("done"))
        }
        "report" => {
            let weekly = text("period") == "weekly";
            let ja = if weekly {
                "厚生労働省への週次報告を作成しました"
            } else {
                "厚生労働省への日次報告を作成しました"
            };
            let en = if weekly {
                "wrote the weekly report to the ministry"
            } else {
                "wrote the daily report to the ministry"
            };
            lang.pick(ja, en).to_owned()
        }
        "alert" => said!(lang, "運用のお知らせを送りました（{}）", "told staff by mail ({})", text("cause")),
        "job-begun" => said!(
            lang,
            "一括処理{}を始めました（{}件）：{}",
            "began job {} for {}: {}",
            at("job"),
            at("count"),
            job(&JobVerb::deserialize(at("verb")).ok()?, lang)
        ),
        "job-steered" if text("pace") == "halted" => {
            said!(lang, "一括処理{}を停止しました", "halted job {}", at("job"))
        }
        "job-steered" => said!(lang, "一括処理{}を再開しました", "took job {} up again", at("job")),
        _ => return None,
    })
}

fn of_wave(name: &str, event: &Value, lang: Lang) -> Option<String> {
    let at = |name: &str| event.get(name).unwrap_or(&Value::Null);
    Some(match name {
        "wave-planned" => {
            said!(lang, "一斉送信{}を準備しました（{}通）", "planned wave {} of {} letters", at("wave"), at("letters"))
        }
        "wave" => {
            let now = Wave::deserialize(at("now")).ok()?;
            let why = match &now {
                Wave::Stopped { why, .. } | Wave::Withdrawn { why, .. } => said!(lang, "（{why}）", " ({why})"),
                Wave::Draft | Wave::Canaries { .. } | Wave::Running { .. } | Wave::Done { .. } => String::new(),
            };
            said!(lang, "一斉送信{0}：{1}{why}", "wave {0}: {1}{why}", at("wave"), lang.word(now.word()))
        }
        "wave-taken-back" => {
            let letter = LetterKind::deserialize(at("letter")).ok()?;
            said!(
                lang,
                "一斉送信{}の取下げにより、送信{}「{}」は次の一斉送信を待ちます",
                "wave {} was taken back: letter {}, {}, waits for the next wave",
                at("wave"),
                at("row"),
                lang.letter(letter)
            )
        }
        _ => return None,
    })
}
