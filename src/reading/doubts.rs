//! Contradictions and oddities of the whole mail: reasons to ask back, and warnings.

use super::entry;
use super::facts::Form;
use super::html::Page;
use super::mime::Mail;
use super::normalise::{LINES_MAX, is_cut, tidy};
use super::pattern::{matches, pattern};
use super::subject::Subject;
use super::{Kind, Reading, Reason, Warning, WarningCode, judge, marks};
use crate::rules::Rules;
use std::collections::BTreeSet;

pattern!(
    WITHDRAWS,
    r"取り?下げ|(?:メール|連絡|報告)[はを](?:破棄|削除)(?:を?お?願|して|くだ|下さ|いただ)|取り?消し|撤回|(?:登録|保健所|アドレス).{0,12}(?:削除|抹消|不要)"
);
pattern!(
    ASKS,
    r"でしょうか|ますか|ませんか|ですか|教えて(?:くだ|下|いただ)|[ご御]教(?:示|授)|お尋ねし|お伺いし|[か][。?]?$|\?$|再送(?:を|して)|届いて(?:おりま|いま)せん|か[、。]|か(?:[,お]|について).{0,6}(?:知らせ|連絡|教)|取り?扱いについて.{0,4}[ご御]?教"
);
pattern!(
    COUNT,
    r"(?:管内|全部?で?|計|合計|保健所は?、?)[^0-9第]{0,6}([0-9]{1,3})(?:か所|箇所|ヶ所|カ所|ヵ所|ケ所|個所|件|保健所)|(?:^|[^0-9第])([0-9]{1,3})(?:か所|箇所|ヶ所|カ所|ヵ所|ケ所)?の?保健所"
);
pattern!(
    FROM_DAY,
    r"(?:[0-9]{1,2}月[0-9]{1,2}日|[0-9]{1,2}/[0-9]{1,2}|来月|翌月|[0-9]{1,2}月).{0,10}(?:から|より|以降|をもって|付けで).{0,40}(?:変更|変わ|切り?替|廃止|統合|移行|有効|新しい|新アドレス|使え(?:なく|ません))"
);
// A part of the health centres is to follow.
pattern!(
    TO_FOLLOW,
    r"(?:保健所|センター|残り).{0,40}(?:(?:決ま|決定|確定|でき|出来|整|揃)[^。]{0,4}次第|(?:作成|取得|準備|申請|とりまとめ|取りまとめ)(?:中|して(?:おり|い)))|(?:このほか|この他|ほかに|他に|残り|残る)[^。\n]{0,24}(?:後日|追って|別途|改めて)[^。\n]{0,10}(?:連絡|報告|知らせ|送付|送り|提出|登録)"
);
// What is thanked for is not asked for.
pattern!(THANKS, r"[ご御]教(?:示|授)[^。、\n]{0,8}[、,]?[^。\n]{0,8}(?:ありがと|有難|有り難|感謝|お礼|御礼)");
pattern!(
    PROVISIONAL,
    r"\(案\)|案(?:として|です|の段階)|仮の(?:メール)?(?:アドレス|登録|内容|連絡)|仮(?:登録|アドレス)です|暫定(?:の|版|的|アドレス)|テスト(?:送信|メール|です|の?ため)|登録(?:は)?(?:しない|なさらない)で|アドレスは[^。\n場]{0,12}(?:使用|利用|使え|受信)[^。\n場]{0,4}(?:ません|ない|不可)|アドレスは[^。\n]{0,16}(?:確認中|検討中|調整中|申請中|(?:変わる|変更(?:の|となる|になる|される))可能性)|(?:合ってい|正し)[^。\n]{0,4}(?:と思|はず)|(?:登録|送付|送信|発行)[^。\n場]{0,24}(?:保留|見合わせ|お?控え(?:て|くだ|願)|お?待(?:って|ち)(?:くだ|下さ|願|いただ))"
);
pattern!(LINK, r"https?://");
pattern!(REMOVED, r"(?:添付|ファイル).{0,20}(?:削除|除去|無害化|取り除)");

/// Does the sender ask something?
pub(super) fn asks(words: &str) -> bool {
    match THANKS.as_ref().filter(|thanks| thanks.is_match(words)) {
        Some(thanks) => matches(&ASKS, &thanks.replace_all(words, "")),
        None => matches(&ASKS, words),
    }
}

/// Does something change from a day on?
pub(super) fn from_a_day(words: &str) -> bool {
    matches(&FROM_DAY, words)
}

/// Is it a draft or a test, or does an address not work?
pub(super) fn provisional(words: &str) -> bool {
    matches(&PROVISIONAL, words)
}

/// Does the sender withdraw something?
pub(super) fn withdraws(words: &str) -> bool {
    matches(&WITHDRAWS, words)
}

/// Are the data said to be elsewhere, or taken out on the way?
pub(super) fn points_elsewhere(mail: &Mail, words: &str) -> bool {
    mail.attachments.iter().any(|name| !judge::is_seal(name)) || matches(&LINK, words) || matches(&REMOVED, words)
}

/// Contradictions and oddities of the whole mail.
pub(super) fn doubts(reading: &mut Reading, form: &Form, mail: &Mail, words: &str, body: &str) {
    let mut reasons = Vec::new();
    if !form.strays.is_empty() {
        reasons.push(Reason::Contradiction);
    }
    let asks = form.words.iter().any(|w| asks(w));
    if asks && form.has_data() {
        reasons.push(Reason::QuestionBesides);
    }
    if withdraws(words) {
        reasons.push(Reason::Withdrawal);
    }
    if provisional(words) {
        reasons.push(Reason::Provisional);
    }
    let later = |w: &String| {
        w.contains("保健所") && marks::before_pending(w).is_some()
            || matches(&TO_FOLLOW, w) && !["場合", "変更", "あれば"].iter().any(|word| w.contains(word))
    };
    if reading.kind == Kind::Registration && form.words.iter().any(later) {
        reasons.push(Reason::AddressMissing);
    }
    if matches(&FROM_DAY, words) || form.words.iter().any(|w| w.contains('@') && marks::is_dated(w)) {
        reasons.push(Reason::DateChange);
    }
    let counts = announced(words).into_iter().chain(form.announced());
    if reading.kind == Kind::Registration && counts.into_iter().any(|n| n != reading.centres.len()) {
        reasons.push(Reason::CountDiffers);
    }
    if !form.has_data() && points_elsewhere(mail, words) {
        reasons.push(Reason::AttachmentOnly);
    }
    if mail.content_type == "multipart/digest" {
        reasons.push(Reason::Forwarded);
    }
    if mail.doubt || body.contains('\u{fffd}') {
        reasons.push(Reason::CharsetDoubt);
    }
    if let Some(page) = &mail.html {
        let other = mail.plain.as_ref().is_some_and(|plain| !plain.trim().is_empty() && differs(plain, page, reading));
        if page.link_differs || other {
            reasons.push(Reason::Contradiction);
        }
        if page.unseen {
            reasons.push(Reason::HiddenText);
        }
        if is_cut(&page.text) {
            reasons.push(Reason::OverLimit);
        }
    }
    reading.reasons.extend(reasons);
}

/// Do the text part and the HTML part state different addresses?
fn differs(plain: &str, page: &Page, reading: &Reading) -> bool {
    let html = addresses(&page.text);
    let text = addresses(plain);
    let taken = reading.authority.iter().filter_map(|a| a.address.as_ref());
    let taken = taken.chain(reading.centres.iter().filter_map(|c| c.address.as_ref()));
    let lost = taken.map(|a| a.as_str().to_ascii_lowercase()).any(|a| text.contains(&a) && !html.contains(&a));
    lost || !html.is_subset(&text)
}

fn addresses(text: &str) -> BTreeSet<String> {
    let lines = text.lines().take(LINES_MAX).filter(|line| line.contains(['@', '＠']));
    lines
        .flat_map(|line| entry::addresses(&tidy(line)).collect::<Vec<_>>())
        .map(|a| a.as_str().to_ascii_lowercase())
        .collect()
}

/// The number of health centres the sender announces.
pub(super) fn announced(words: &str) -> Option<usize> {
    let found = COUNT.as_ref()?.captures(words)?;
    found.get(1).or_else(|| found.get(2))?.as_str().parse().ok()
}

pub(super) fn warn(reading: &mut Reading, mail: &Mail, subject: &Subject, form: &Form, rules: &Rules) {
    let mut warnings = Vec::new();
    if mail.mislabelled {
        warnings.push(Warning::new(WarningCode::CharsetMislabelled, None));
    }
    if mail.damaged {
        warnings.push(Warning::new(WarningCode::DamagedMime, None));
    }
    if matches!(reading.kind, Kind::Registration | Kind::Correction) {
        let several = form.authority.iter().take(1).chain(&form.centres).filter(|e| !e.others.is_empty());
        warnings.extend(several.map(|e| Warning::new(WarningCode::SeveralAddresses, Some(e.line))));
        warnings.extend(form.templates.iter().map(|l| Warning::new(WarningCode::TemplateLineLeft, Some(*l))));
        if !subject.usual {
            warnings.push(Warning::new(WarningCode::SubjectUnusual, None));
        }
        let copied = reading.head.to.iter().chain(&reading.head.cc);
        let expected = &rules.registration.expected_cc;
        if !expected.is_empty() && !copied.into_iter().any(|a| expected.iter().any(|e| e.same_mailbox(a))) {
            warnings.push(Warning::new(WarningCode::MinistryNotInCc, None));
        }
        if mail.plain.is_none() && mail.html.as_ref().is_some_and(|p| p.struck) {
            warnings.push(Warning::new(WarningCode::StruckOut, None));
        }
        let known = reading.authority.as_ref().and_then(|a| a.code).and_then(|c| rules.authorities.by_code(c));
        let fewer = known.is_some_and(|a| reading.centres.len() < a.centres.len());
        if fewer && reading.kind == Kind::Registration {
            warnings.push(Warning::new(WarningCode::FewerCentresThanKnown, None));
        }
        warnings.extend(twice(reading));
    }
    reading.warnings.extend(warnings);
}

fn twice(reading: &Reading) -> Option<Warning> {
    let all: Vec<_> = reading
        .authority
        .iter()
        .filter_map(|a| Some((a.line, a.address.as_ref()?)))
        .chain(reading.centres.iter().filter_map(|c| Some((c.line, c.address.as_ref()?))))
        .collect();
    let mut seen = BTreeSet::new();
    let repeated = all.iter().find(|(_, a)| !seen.insert(a.as_str().to_ascii_lowercase()));
    repeated.map(|(line, _)| Warning::new(WarningCode::SameAddressTwice, *line))
}
