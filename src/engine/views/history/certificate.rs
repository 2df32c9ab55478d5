//! Events of a certificate and its pick-up, as sentences.

use super::{at, read};
use crate::domain::Timestamp;
use crate::engine::pickup::VisitKind;
use crate::engine::views::words;
use crate::workflow::RevocationReason;
use serde_json::Value;

pub(super) fn sentence(name: &str, event: &Value) -> Option<String> {
    let generation = at(event, "generation");
    let serial = at(event, "serial").as_str().unwrap_or_default();
    Some(match name {
        "pickup-opened" => format!("取得用パスワードが正しく入力されました（第{generation}回）"),
        "pickup-wrong-password" => match at(event, "left").as_u64() {
            Some(0) => format!("取得用パスワードの誤りが10回に達し、30分間停止しました（第{generation}回）"),
            Some(_) | None => format!("取得用パスワードが誤って入力されました（残り{}回）", at(event, "left")),
        },
        "pickup-visited" => visited(event)?,
        "pickup-received" => format!("証明書ファイルの送信が完了しました（第{generation}回）"),
        "picked-up-again" => {
            format!("同じブラウザから証明書ファイルが再取得されました（{}回目）", at(event, "fetch"))
        }
        "certificate-ordered" => format!("証明書 {serial} の発行を開始しました（第{generation}回）"),
        "certificate-to-revoke" => format!("証明書 {serial} を失効します"),
        "certificate-revoked" => {
            let reason = read::<RevocationReason>(event, "reason").map_or("", words::revocation);
            format!("証明書 {serial} を失効しました（理由：{reason}）")
        }
        "revocation-list" => {
            format!("失効リスト第{}号を発行しました（{}件）", at(event, "number"), at(event, "revoked"))
        }
        "ca-adopted" => {
            format!("発行認証局 {} の使用を開始しました", at(event, "issuer").as_str().unwrap_or_default())
        }
        "key-wiped" => "サーバー上の証明書ファイルを消去しました".to_owned(),
        "credentials-shown" => "ユーザIDとパスワードが確認画面に表示されました".to_owned(),
        "credentials-imported" => format!("ユーザIDとパスワードを取り込みました（{}件）", at(event, "count")),
        "credentials-exported" => format!("ユーザIDとパスワードのハッシュ値を出力しました（{}件）", at(event, "count")),
        _ => return None,
    })
}

fn visited(event: &Value) -> Option<String> {
    let kind = match read::<VisitKind>(event, "kind")? {
        VisitKind::Get => "表示",
        VisitKind::Head => "存在確認",
        VisitKind::Options => "方法確認",
        VisitKind::BlankPost => "空の送信",
    };
    let (first, last): (Timestamp, Timestamp) = (read(event, "first")?, read(event, "last")?);
    let count = at(event, "count");
    Some(format!(
        "取得ページへのアクセス（{kind}のみ、{count}回、{}～{}）。状態は変わりません",
        first.staff(),
        last.staff()
    ))
}
