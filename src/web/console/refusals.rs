//! The engine's and the forms' own sentences in Japanese. Their first language is English, as everywhere in the code; what
//! a person in the console is refused with is told in theirs. The test holds that none is missing.

use super::visit::Lang;
use std::borrow::Cow;

/// English and Japanese, side by side.
const SENTENCES: [(&str, &str); 93] = [
    // Engine and machines.
    (
        "a mail in review is accepted or rejected, not closed",
        "要確認のメールは、登録するか見送ってください。済みにはできません。",
    ),
    ("a request about a request is not kept", "申請についての申請はできません。"),
    (
        "a thousand requests wait already; decide or recall some first",
        "承認待ちの申請が1,000件に達しています。先に承認・却下・取下げを行ってください。",
    ),
    ("an answer without an attempt", "送信していないメールへの応答です。"),
    ("held: release it first", "保留中です。先に保留を解いてください。"),
    ("it is being sent just now", "ちょうど送信中です。"),
    ("it is being sent just now: wait for the answer", "ちょうど送信中です。結果をお待ちください。"),
    ("its delivery has ended", "送信は終わっています。"),
    ("its delivery has ended: queue a new letter instead", "送信は終わっています。新しいメールを作成してください。"),
    (
        "its outcome is unknown and it holds a secret",
        "届いたか分からず、秘密の情報を含むため、自動では再送できません。",
    ),
    ("its outcome is unknown: it waits for staff anyway", "届いたか分からないため、すでに担当者の判断を待っています。"),
    (
        "letters are ticked before a wave leaves, or while it is stopped",
        "対象の変更は、一斉送信の開始前か停止中に行えます。",
    ),
    ("no certificate is waiting to be picked up", "取得を待っている証明書はありません。"),
    ("no certificate of this generation is in use", "この回の証明書は利用されていません。"),
    ("no credentials are on their way", "送信中のユーザID・パスワードはありません。"),
    ("no credentials are out that could have failed", "不達になりうるユーザID・パスワードのメールはありません。"),
    ("no credentials can be shown", "表示できるユーザID・パスワードはありません。"),
    ("no letter of this kind waits for a wave", "一斉送信を待っているこの種類のメールはありません。"),
    ("no letter of this wave is waiting to leave", "この一斉送信に、送信を待っているメールはありません。"),
    ("no welcome letter is on its way", "送信中のご案内メールはありません。"),
    ("no welcome letter is out that could have failed", "不達になりうるご案内メールはありません。"),
    ("none of these tenants can be re-issued now", "選ばれた利用機関は、いずれもいまは再発行できません。"),
    ("not due yet", "まだ送信予定の時刻ではありません。"),
    ("not held", "保留されていません。"),
    ("not in flight", "送信中ではありません。"),
    (
        "nothing of this tenant has expired; give the reason that is so",
        "期限切れの証明書はありません。実際の理由を選んでください。",
    ),
    ("only a letter that is still to be sent can be held", "保留にできるのは、これから送信するメールだけです。"),
    (
        "only a planned, deferred or unknown letter can be leased",
        "送信待ち・再送待ち・結果不明のメールだけを送信できます。",
    ),
    (
        "only who asked can take a request back; refuse it instead",
        "取り下げられるのは申請した本人だけです。却下してください。",
    ),
    ("the bytes of this letter have been deleted", "このメールの本文は、送信後に消去されています。"),
    (
        "the draft has no answer in it yet; write one and send it as your own text",
        "下書きに回答が記入されていません。記入してから送信してください。",
    ),
    (
        "the list of this wave has changed since; look at it and ask again",
        "一斉送信の一覧が変わっています。内容を確認し、もう一度申請してください。",
    ),
    ("the pick-up window is over", "証明書の取得期限を過ぎています。"),
    (
        "the revocation list is full; `annai ca rotate` begins a new one",
        "失効リストが上限に達しています。annai ca rotate で新しい認証局に切り替えてください。",
    ),
    ("there are 200 accounts already; more than this programme has people", "アカウントが上限の200件に達しています。"),
    (
        "there is an account of this name already; names are never used again",
        "同じ名前のアカウントがあります。一度使われた名前は使えません。",
    ),
    ("there is no CA", "認証局がありません。"),
    ("this CA is in use already", "この認証局は、すでに使用しています。"),
    (
        "the certificate in the CA directory is not the one that was asked for",
        "認証局ディレクトリの証明書が、申請されたものと異なります。",
    ),
    ("there is no CA; make one with `annai ca init`", "認証局がありません。annai ca init で作成してください。"),
    ("this account cannot log in", "このアカウントではログインできません。"),
    ("this account is disabled", "このアカウントは停止されています。"),
    ("this cannot be done to all that were chosen", "選ばれたものの中に、この操作ができないものがあります。"),
    ("this cannot be done to such a target", "この対象には、この操作はできません。"),
    (
        "this course is over; a certificate in use is revoked, not cancelled",
        "この手続は終わっています。利用中の証明書は、取消ではなく失効してください。",
    ),
    ("this domain is not known for this authority", "このドメインは、この自治体のものとして登録されていません。"),
    (
        "this domain is known for as many authorities as can be; take one away first",
        "このドメインに登録できる自治体の数が上限に達しています。先にほかを外してください。",
    ),
    (
        "this generation has already been replaced by another",
        "この回の証明書は、すでに新しいものに置き換えられています。",
    ),
    ("this job is done", "この一括処理は終わっています。"),
    ("this letter does not go to a tenant", "このメールは利用機関宛てのものではありません。"),
    ("this letter is not in this wave", "このメールは、この一斉送信に含まれていません。"),
    ("this letter is not waiting any more", "このメールは、もう送信を待っていません。"),
    (
        "this letter leaves with its wave; see `annai wave`",
        "このメールは一斉送信で送られます。「一斉送信」の画面で操作してください。",
    ),
    ("this letter went to an earlier address", "このメールは、以前のアドレスに送られたものです。"),
    (
        "this letter went to the sender of a mail, not to a tenant",
        "このメールは差出人への返信で、利用機関宛てのものではありません。",
    ),
    ("this mail is not waiting for a decision", "このメールは判断を待っていません。すでに処理されています。"),
    (
        "this mail names no known authority; say which one it is with --authority CODE",
        "自治体が分かりません。自治体を選んでください。",
    ),
    ("this mail names no sender that can be written to", "このメールには、返信できる差出人がありません。"),
    (
        "this mail says nothing that could be taken over; reject it or ask the sender",
        "登録・変更できる内容がありません。見送るか、差出人に問い合わせてください。",
    ),
    (
        "no letter may go to this sender: it was asked already, had enough answers today, or is a program; write by hand",
        "この差出人には自動の問い合わせを送れません（すでに問い合わせ済み、本日の上限、又は自動送信のアドレス）。文面を作成して送ってください。",
    ),
    (
        "since this mail was shown, the rules or the directory have changed what it would do; look at it again",
        "この画面を開いた後に、規則又は名簿が変わり、登録の内容も変わりました。もう一度ご確認ください。",
    ),
    (
        "this needs two persons, so it must be known who asks: give --as NAME, or use the console",
        "2人で行う操作です。アカウントを指定するか、管理画面で行ってください。",
    ),
    (
        "the second person needs an account: give --as NAME, or approve in the console",
        "承認する人にはアカウントが必要です。",
    ),
    ("this request has been decided or is void", "この申請は、すでに決定されたか、無効になっています。"),
    ("this request has lapsed; ask again", "この申請は期限が切れました。もう一度申請してください。"),
    (
        "this tenant has had 99 certificate courses; look for what keeps asking for more",
        "この利用機関の発行は99回に達しています。繰り返される原因を調べてください。",
    ),
    ("this tenant has no certificate course", "この利用機関には証明書の手続がありません。"),
    ("this tenant has no such generation", "この利用機関に、その回の証明書はありません。"),
    ("this wave is not under way", "この一斉送信は送信中ではありません。"),
    ("this wave is over", "この一斉送信は終わっています。"),
    ("this wave is under way", "この一斉送信は送信中です。"),
    ("who asked cannot decide; another person must", "申請した本人は決定できません。別の人が行ってください。"),
    // Forms.
    ("a password has at least 12 characters", "パスワードは12文字以上、256バイト以下にしてください。"),
    ("a password is needed", "パスワードを入力してください。"),
    ("a reason is needed", "理由を入力してください。"),
    ("a reason must be chosen", "理由を選んでください。"),
    ("a role must be chosen", "役割を選んでください。"),
    ("an address is not valid", "メールアドレスが正しくありません。"),
    ("an address stands without a name", "名称のないメールアドレスがあります。"),
    ("no account is named", "アカウント名を入力してください。"),
    ("no domain is named", "ドメインを入力してください。"),
    ("no letter is named", "送信メールの番号がありません。"),
    ("no mail is named", "メールの番号がありません。"),
    ("no matter is named", "要確認の番号がありません。"),
    ("no number is given", "番号がありません。"),
    ("no tenant is named", "利用機関が指定されていません。"),
    ("the address is not valid", "メールアドレスが正しくありません。"),
    ("the authority's code of six digits is missing or wrong", "自治体のコード（6桁）がないか、正しくありません。"),
    ("the list that was looked at is not named", "確認した一覧が分かりません。画面を読み直してください。"),
    ("the two passwords are not the same", "2つのパスワードが同じではありません。"),
    ("there is no such act", "その操作はありません。"),
    ("there is no such act for many", "まとめてはできない操作です。"),
    ("what was shown is not named; load the page again", "確認した内容が分かりません。画面を読み直してください。"),
];

/// The sentence in the language of the page; one that says what was typed stays as it is.
pub(super) fn said(lang: Lang, english: &str) -> Cow<'_, str> {
    let japanese =
        || SENTENCES.iter().find(|(known, _)| *known == english).map(|(_, japanese)| Cow::Borrowed(*japanese));
    match lang {
        Lang::Ja => japanese().unwrap_or(Cow::Borrowed(english)),
        Lang::En => Cow::Borrowed(english),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn sources(dir: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|ext| ext == "rs") && !path.ends_with("refusals.rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                found.push(source.split("#[cfg(test)]").next().unwrap().to_owned());
            }
        }
    }

    /// Literals that follow `word`, perhaps on the next line.
    fn after(source: &str, word: &str) -> Vec<String> {
        let rest = source.split(word).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
        rest.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_sentence_has_a_japanese_one() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let (mut engine, mut forms) = (Vec::new(), Vec::new());
        sources(&src.join("engine"), &mut engine);
        sources(&src.join("workflow"), &mut engine);
        sources(&src.join("web/console"), &mut forms);
        let mut used: BTreeSet<String> = engine.iter().flat_map(|source| after(source, "Refused(")).collect();
        for word in ["Err(", ".ok_or(", ".map_err(|_| "] {
            used.extend(forms.iter().flat_map(|source| after(source, word)));
        }
        let known: BTreeSet<String> = SENTENCES.iter().map(|(english, _)| (*english).to_owned()).collect();
        assert_eq!(known.len(), SENTENCES.len(), "one stands twice");
        let missing: Vec<_> = used.difference(&known).collect();
        assert!(missing.is_empty(), "sentences of the code without a Japanese one: {missing:#?}");
        assert!(SENTENCES.iter().all(|(english, japanese)| english.is_ascii() && japanese.ends_with('。')));
    }
}
