//! Events of a certificate and its pick-up, as sentences.

use super::{at, read};
use crate::domain::Timestamp;
use crate::engine::pickup::VisitKind;
use crate::engine::views::words::{self, Lang, said};
use crate::workflow::RevocationReason;
use serde_json::Value;

pub(super) fn sentence(name: &str, event: &Value, lang: Lang) -> Option<String> {
    of_pickup(name, event, lang).or_else(|| of_certificate(name, event, lang)).or_else(|| of_files(name, event, lang))
}

fn of_pickup(name: &str, event: &Value, lang: Lang) -> Option<String> {
    let generation = at(event, "generation");
    Some(match name {
        "picked-up" => {
            said!(
                lang,
                "証明書が取得されました（第{generation}回）",
                "the certificate was picked up (no. {generation})"
            )
        }
        "seen-in-use" => {
            said!(
                lang,
                "証明書の利用を確認しました（第{generation}回）",
                "the certificate was seen in use (no. {generation})"
            )
        }
        "pickup-opened" => said!(
            lang,
            "取得用パスワードが正しく入力されました（第{generation}回）",
            "the right pick-up password was typed (no. {generation})"
        ),
        "pickup-wrong-password" => match at(event, "left").as_u64() {
            Some(0) => said!(
                lang,
                "取得用パスワードの誤りが10回に達し、30分間停止しました（第{generation}回）",
                "a wrong pick-up password for the tenth time: locked for 30 minutes (no. {generation})"
            ),
            Some(_) | None => said!(
                lang,
                "取得用パスワードが誤って入力されました（残り{}回）",
                "a wrong pick-up password was typed ({} tries left)",
                at(event, "left")
            ),
        },
        "pickup-visited" => visited(event, lang)?,
        "pickup-received" => said!(
            lang,
            "証明書ファイルの送信が完了しました（第{generation}回）",
            "the certificate files were sent (no. {generation})"
        ),
        "picked-up-again" => said!(
            lang,
            "同じブラウザから証明書ファイルが再取得されました（{}回目）",
            "the same browser took the certificate files again (time {})",
            at(event, "fetch")
        ),
        _ => return None,
    })
}

fn of_certificate(name: &str, event: &Value, lang: Lang) -> Option<String> {
    let generation = at(event, "generation");
    let serial = at(event, "serial").as_str().unwrap_or_default();
    Some(match name {
        "certificate-ordered" => said!(
            lang,
            "証明書 {serial} の発行を開始しました（第{generation}回）",
            "began to issue certificate {serial} (no. {generation})"
        ),
        "certificate-to-revoke" => {
            said!(lang, "証明書 {serial} を失効します", "certificate {serial} is to be revoked")
        }
        "certificate-revoked" => {
            let reason = read::<RevocationReason>(event, "reason").map_or("", |r| words::revocation(r, lang));
            said!(
                lang,
                "証明書 {serial} を失効しました（理由：{reason}）",
                "certificate {serial} was revoked ({reason})"
            )
        }
        "ca-adopted" => {
            let ca = at(event, "issuer").as_str().unwrap_or_default();
            said!(lang, "発行認証局 {ca} の使用を開始しました", "the issuing CA {ca} is used from here on")
        }
        "revocation-list" => said!(
            lang,
            "失効リスト第{}号を発行しました（{}件）",
            "made revocation list no. {} ({} certificates)",
            at(event, "number"),
            at(event, "revoked")
        ),
        _ => return None,
    })
}

fn of_files(name: &str, event: &Value, lang: Lang) -> Option<String> {
    Some(match name {
        "key-wiped" => {
            lang.pick("サーバー上の証明書ファイルを消去しました", "wiped the certificate file on the server").to_owned()
        }
        "credentials-shown" => lang
            .pick("ユーザIDとパスワードが確認画面に表示されました", "user id and password were shown on the check page")
            .to_owned(),
        "credentials-imported" => said!(
            lang,
            "ユーザIDとパスワードを取り込みました（{}件）",
            "imported user ids and passwords ({})",
            at(event, "count")
        ),
        "credentials-exported" => said!(
            lang,
            "ユーザIDとパスワードのハッシュ値を出力しました（{}件）",
            "exported user ids and hashes of passwords ({})",
            at(event, "count")
        ),
        _ => return None,
    })
}

fn visited(event: &Value, lang: Lang) -> Option<String> {
    let kind = match read::<VisitKind>(event, "kind")? {
        VisitKind::Get => lang.pick("表示", "only looking"),
        VisitKind::Head => lang.pick("存在確認", "only HEAD"),
        VisitKind::Options => lang.pick("方法確認", "only OPTIONS"),
        VisitKind::BlankPost => lang.pick("空の送信", "only an empty form"),
    };
    let (first, last): (Timestamp, Timestamp) = (read(event, "first")?, read(event, "last")?);
    let (count, first, last) = (at(event, "count"), lang.moment(first), lang.moment(last));
    Some(said!(
        lang,
        "取得ページへのアクセス（{kind}のみ、{count}回、{first}～{last}）。状態は変わりません",
        "visits to the pick-up page ({kind}, {count}, {first} to {last}); nothing changes by them"
    ))
}
