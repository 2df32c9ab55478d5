//! The engine's and the forms' own sentences in Japanese. Their first language is English, as everywhere in the code; what
//! a person in the console is refused with is told in theirs. The test holds that none is missing.

use super::visit::Lang;
use std::borrow::Cow;

/// English and Japanese, side by side.
const SENTENCES: [(&str, &str); 106] = [
    ("the proposal names no authority; give its code", "自治体を選んでください。"),
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
    (
        "this account has a client certificate, which cannot be shown here; approve in the console",
        "クライアント証明書が登録されたアカウントのため、ここでは承認できません。運用画面で承認してください。",
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
    (
        "nobody changes their own role or disables their own account; ask another admin",
        "自分の役割の変更や、自分のアカウントの停止はできません。別の管理者に依頼してください。",
    ),
    (
        "nobody could keep accounts any more; first make another person admin, and a second one approver or admin",
        "アカウントを管理できる人がいなくなります。先に、ほかの人を管理者に、もう1人を承認者又は管理者にしてください。",
    ),
    (
        "this client certificate belongs to another account; use your own",
        "このクライアント証明書は別のアカウントのものです。ご自身の証明書を使ってください。",
    ),
    (
        "this account logs in with another client certificate; if yours was renewed, an admin must reset it",
        "登録されているものと異なるクライアント証明書です。証明書を更新した場合は、管理者に登録の解除を依頼してください。",
    ),
    (
        "what was shown is not named; look at the mail again and register what you see",
        "確認した内容が分かりません。メールを読み直し、表示された内容で登録してください。",
    ),
    // What was typed.
    (
        "an account's name has 1 to 32 of a-z, 0-9, dot, hyphen and underscore",
        "アカウント名は、半角の英小文字・数字・「.」「-」「_」の1〜32文字にしてください。",
    ),
    (
        "root, annai and system are names the journal uses for the system itself",
        "root、annai、system は記録で使われる名前です。別の名前にしてください。",
    ),
    ("a person's name has at most 60 characters", "氏名は60文字以内にしてください。"),
    ("a reason has at most 500 characters", "理由は500文字以内にしてください。"),
    ("this is no argon2id hash of a password", "パスワードを読み取れません。もう一度入力してください。"),
    (
        "a fingerprint is the SHA-256 of a certificate, 64 hexadecimal digits",
        "指紋は、証明書のSHA-256（16進64桁）を入力してください。",
    ),
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

/// The same with values in them, in the same order on both sides.
const PATTERNS: [(&str, &str); 22] = [
    ("there is no job {}", "一括処理{}はありません。"),
    ("a job is for 1 to {}, not for {}", "一括処理の対象は1〜{}件です（選ばれたのは{}件）。"),
    (
        "this was asked for already: request {} waits",
        "同じ申請{}が承認を待っています。「承認」の画面をご確認ください。",
    ),
    ("there is no request {}", "申請{}はありません。"),
    ("there is no account {}", "アカウント {} はありません。"),
    ("there is no session {}", "セッション{}は終了しています。"),
    ("there is no wave {}", "一斉送信{}はありません。"),
    ("there is no tenant {}", "利用機関 {} はありません。"),
    ("there is no mail {} in the inbox", "受信メール{}はありません。"),
    ("there is no mail {} in the outbox", "送信メール{}はありません。"),
    ("there is no open matter {}", "要確認{}は、すでに済んでいます。"),
    ("{} is not in rules/authorities.csv", "コード {} の自治体はありません。コードをご確認ください。"),
    (
        "at {} anybody, a firm or another country has mailboxes",
        "{} は、誰でも使えるもの、企業又は外国のドメインです。自治体のドメインを入力してください。",
    ),
    (
        "a health centre has an empty name, or one of more than {} characters",
        "保健所の名称が空か、{}文字を超えています。",
    ),
    (
        "{} stands twice with different addresses",
        "{} が、異なるアドレスで2回記入されています。どちらかにしてください。",
    ),
    ("it has more than {} health centres", "保健所が{}件を超えています。"),
    ("{} is no domain name", "「{}」はドメインの形をしていません。例：city.example.lg.jp"),
    ("the text still says {}", "本文に {} が残っています。記入してください。"),
    ("the subject has {} characters, 1 to {} are possible", "件名は{}文字です。1〜{}文字にしてください。"),
    ("the text has {} characters, 1 to {} are possible", "本文は{}文字です。1〜{}文字にしてください。"),
    ("{} tenants at once are more than {}", "選ばれた利用機関は{}件です。一度にできるのは{}件までです。"),
    (
        "what was changed raises a doubt ({}); correct it, or confirm it with --despite CODE",
        "変更した内容に確認が必要です（{}）。画面を読み直し、もう一度登録してください。",
    ),
];
/// What the engine says after a value that was typed.
const ANOTHER: &str = "; give another value";

/// The values of a sentence that fits a pattern.
fn values<'a>(pattern: &str, sentence: &'a str) -> Option<Vec<&'a str>> {
    let mut parts = pattern.split("{}");
    let mut rest = sentence.strip_prefix(parts.next()?)?;
    let mut found = Vec::new();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let end = if parts.peek().is_none() { rest.strip_suffix(part)?.len() } else { rest.find(part)? };
        let (value, after) = rest.split_at_checked(end)?;
        found.push(value);
        rest = after.get(part.len()..)?;
    }
    Some(found)
}

fn filled(pattern: &str, values: &[&str]) -> String {
    let mut values = values.iter();
    let mut filled = String::new();
    for (place, part) in pattern.split("{}").enumerate() {
        filled.push_str(if place == 0 { "" } else { values.next().copied().unwrap_or_default() });
        filled.push_str(part);
    }
    filled
}

/// The sentence in the language of the page; one nobody has translated stays as it is.
pub(in crate::web) fn said(lang: Lang, english: &str) -> Cow<'_, str> {
    let plain = english.strip_suffix(ANOTHER).unwrap_or(english);
    let exact = || SENTENCES.iter().find(|(known, _)| *known == plain).map(|(_, japanese)| Cow::Borrowed(*japanese));
    let with_values = || {
        let fits = |(known, japanese): &(&str, &'static str)| Some((values(known, plain)?, *japanese));
        PATTERNS.iter().find_map(fits).map(|(values, japanese)| Cow::Owned(filled(japanese, &values)))
    };
    match lang {
        Lang::Ja => exact().or_else(with_values).unwrap_or(Cow::Borrowed(english)),
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

    /// Only for files, paths and options of the command line; no form of the console leads there.
    const NOT_HERE: [&str; 6] = [
        "{} exists already and is never overwritten",
        "{} cannot be written ({})",
        "there is no state {} (there are {})",
        "no CA {} lies in the CA directory (`annai ca show`)",
        "the bounce address {} is too long",
        "{} is not within the next {} days",
    ];

    /// `{name}` and `{name:?}` as `{}`.
    fn emptied(literal: &str) -> String {
        let mut parts = literal.split('{');
        let mut pattern = parts.next().unwrap().to_owned();
        parts.for_each(|part| pattern.push_str(&format!("{{}}{}", part.split_once('}').unwrap().1)));
        pattern
    }

    #[test]
    fn every_sentence_with_values_has_a_japanese_one() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut engine = Vec::new();
        sources(&src.join("engine"), &mut engine);
        let used: BTreeSet<String> =
            engine.iter().flat_map(|source| after(source, "Input(format!(")).map(|literal| emptied(&literal)).collect();
        assert!(used.len() > 15, "{used:?}");
        let of_bounded = "the {} has {} characters, 1 to {} are possible";
        let known = |pattern: &str| {
            pattern == of_bounded || NOT_HERE.contains(&pattern) || PATTERNS.iter().any(|(known, _)| *known == pattern)
        };
        let missing: Vec<_> = used.iter().filter(|pattern| !known(pattern)).collect();
        assert!(missing.is_empty(), "sentences of the code without a Japanese one: {missing:#?}");
        for (english, japanese) in PATTERNS {
            assert_eq!(english.matches("{}").count(), japanese.matches("{}").count(), "{english}");
        }
    }

    #[test]
    fn values_go_over_into_the_other_language() {
        let told = said(Lang::Ja, "at gmail.com anybody, a firm or another country has mailboxes; give another value");
        assert!(told.starts_with("gmail.com は、誰でも使えるもの"), "{told}");
        let told = said(Lang::Ja, "the subject has 0 characters, 1 to 200 are possible; give another value");
        assert_eq!(told, "件名は0文字です。1〜200文字にしてください。");
        assert_eq!(said(Lang::Ja, "a reason is needed; give another value"), "理由を入力してください。");
        assert_eq!(said(Lang::Ja, "unheard of"), "unheard of");
        assert_eq!(said(Lang::En, "there is no account x"), "there is no account x");
    }
}
