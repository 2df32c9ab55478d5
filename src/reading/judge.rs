//! What a mail written by a person is, whose words it holds, and how certain that is. When in doubt a person looks: every
//! reason is a way in which a careful clerk would ask back. Source: seed 4.1 (注意事項); research R9, R10.

use super::facts::Form;
use super::form;
use super::mime::Mail;
use super::names::is_centre_name;
use super::normalise::{Line, is_cut, lines, tidy};
use super::origin::{self, Part, Source};
use super::pattern::{matches, pattern};
use super::sheet::Sheet;
use super::subject::{self, Subject};
use super::{Kind, Reading, Reason, Warning, WarningCode, doubts, quote, statement, trust};
use crate::domain::MailAddress;
use crate::rules::Rules;
use crate::rules::lookup::Found;
use crate::rules::phrases::Phrases;

pattern!(
    CORRECTS,
    r"訂正|差し?替|修正(?:し|を|いた)|(?:メール|アドレス|内容|記載|報告|連絡|登録)に誤りが|変更が(?:あり|ござい)|変更(?:となり|になり)ま|(?:アドレス|内容|記載|メール)[をに]間違|(?:所|件|記載|分|方)が?漏れて|追加(?:を|で)?お願い|取り?下げ|取り?消し|撤回"
);
// What is not said to be so: 変更はありません, 誤りがある場合は, 変更が生じましたら.
pattern!(
    UNCHANGED,
    r"(?:変更|修正|訂正|追加)(?:等|点)?は?(?:あり|ござい)ません|(?:誤り|間違い)[がは]?(?:ない|無い|あり|ござい)(?:ません)?(?:こと|旨|か|の)|変更(?:等)?なし|(?:誤り|変更|不備|修正|訂正|追加|漏れ)[^。、\n]{0,14}(?:場合|ましたら|あれば|際は|たら|れば)"
);
pattern!(
    SYSTEM,
    r"フォローアップ|クライアント証明書|メールアドレスの(?:連絡|登録|報告)|登録内容|パスワード|厚生労働省"
);

/// Fills `reading` for a mail that people wrote.
pub(super) fn judge(reading: &mut Reading, mail: &Mail, rules: &Rules) {
    let subject = subject::read(reading.head.subject.as_deref(), rules);
    let known = no_data(reading, rules);
    let body = std::mem::take(&mut reading.body);
    let body_lines = lines(&body);
    if is_cut(&body) {
        reading.reasons.push(Reason::OverLimit);
    }
    let parts = quote::split(&body_lines);
    let mut form = form::walk(&parts.own, 0, &known, rules);
    let mut second_hand = None;
    adopt_loose(&mut form, rules, reading);
    let differs = form.has_data() && table_differs(&form, mail, &known, rules);
    if !form.has_data() {
        second_hand = elsewhere(&mut form, &parts, mail, &subject, &known, rules);
    }
    if mail.closed {
        reading.reasons.push(Reason::Encrypted);
    }
    let words = form.spoken();
    reading.kind = kind(&form, &subject, &words, mail, reading, &rules.registration.phrases);
    if matches!(reading.kind, Kind::Registration | Kind::Correction) {
        reading.reasons.extend(second_hand.as_ref().map(|e| e.reason));
        if differs && reading.kind == Kind::Registration {
            reading.reasons.push(Reason::Contradiction);
        }
        statement::take_over(reading, &form, &subject, rules);
        doubts::doubts(reading, &form, mail, &words, &body, &rules.registration.phrases);
        trust::trust(reading, rules);
    } else {
        reading.reasons.extend(match reading.kind {
            Kind::Inquiry => Some(Reason::Inquiry),
            Kind::Spam | Kind::Registration | Kind::Correction | Kind::AutoReply | Kind::Bounce | Kind::Feedback => {
                None
            }
            Kind::Delivered | Kind::Other | Kind::NeedsReview => Some(Reason::UnknownKind),
        });
    }
    doubts::warn(reading, mail, &subject, &form, rules);
    drop(body_lines);
    reading.body = body;
    if form.has_data() {
        prove(reading, &form, mail, second_hand);
    }
}

/// What the sender's own lines state, walked over once more: for those who ask where something stands.
pub(super) fn form(reading: &Reading, rules: &Rules) -> Form {
    let known = no_data(reading, rules);
    let lines = lines(&reading.body);
    form::walk(&quote::split(&lines).own, 0, &known, rules)
}

/// Puts the evidence beside what was taken over.
fn prove(reading: &mut Reading, form: &Form, mail: &Mail, second_hand: Option<Elsewhere>) {
    let plain = mail.plain.as_ref().is_some_and(|plain| !plain.trim().is_empty());
    let (part, added) = match second_hand {
        Some(found) => (found.part, found.added),
        None => (if plain { Part::Plain } else { Part::Html }, None),
    };
    let decoder = added.as_ref().map_or(mail.encoding, |(_, decoder)| *decoder).into();
    if let Some((text, _)) = added {
        reading.body = format!("{}\n{ADDED}\n{text}", reading.body);
    }
    reading.source = Some(Source { part, decoder });
    reading.evidence = origin::evidence(reading, form);
}

/// Addresses that are no data: the sender's own, ours, the ministry's.
fn no_data(reading: &Reading, rules: &Rules) -> Vec<MailAddress> {
    let expected = rules.registration.expected_to.iter().chain(&rules.registration.expected_cc);
    reading.head.from.iter().chain(expected).cloned().collect()
}

/// Without any heading the names themselves must tell: 札幌市 is an authority, 札幌市保健所 a health centre.
fn adopt_loose(form: &mut Form, rules: &Rules, reading: &mut Reading) {
    if adopt_by_name(form, rules) {
        reading.warnings.push(Warning::new(WarningCode::NoHeadings, None));
        reading.reasons.push(Reason::SectionMissing);
    }
}

/// Sorts entries outside any section by their names; `true` if there were any that could be.
fn adopt_by_name(form: &mut Form, rules: &Rules) -> bool {
    let mut any = false;
    for entry in std::mem::take(&mut form.loose) {
        let centre = is_centre_name(&entry.name);
        let authority = !centre && !matches!(statement::find(&entry.name, rules), Found::None);
        if centre && (form.centres.is_empty() || !form.centre_heading) {
            form.centres.push(entry);
        } else if authority && !form.authority_heading {
            form.authority.push(entry);
        } else {
            form.strays.push(entry.line);
            continue;
        }
        any = true;
    }
    any
}

/// Where the data stand if not in the sender's own lines.
struct Elsewhere {
    part: Part,
    reason: Reason,
    /// Text that is not in the body, and what it was decoded as.
    added: Option<(String, &'static str)>,
}

/// Data in a forwarded mail, in a mail inside, in quoted lines that are nobody else's, or in an attached table.
fn elsewhere(
    form: &mut Form,
    parts: &quote::Parts<'_, '_>,
    mail: &Mail,
    subject: &Subject,
    known: &[MailAddress],
    rules: &Rules,
) -> Option<Elsewhere> {
    let here = |part, reason| Some(Elsewhere { part, reason, added: None });
    let forwards = subject.forwarded || form.words.iter().any(|w| w.text.contains("転送"));
    if parts.forwarded || forwards {
        let depth = parts.below.iter().filter(|l| !l.text.is_empty()).map(|l| l.depth).min().unwrap_or(0);
        let found = form::walk(&parts.below, depth, known, rules);
        if found.has_data() {
            keep_words(form, found);
            return here(Part::Forwarded, Reason::Forwarded);
        }
    }
    if (!parts.attributed || forwards) && parts.own.iter().any(|l| l.depth > 0) {
        let quoted: Vec<&Line<'_>> = parts.own.iter().copied().filter(|l| l.depth > 0 || l.text.is_empty()).collect();
        let found = form::walk(&quoted, 1, known, rules);
        if found.has_data() {
            keep_words(form, found);
            return here(Part::Quoted, if forwards { Reason::Forwarded } else { Reason::QuotedData });
        }
    }
    let before = parts.lines;
    if let Some(page) = mail.html.as_ref().filter(|_| mail.plain.as_ref().is_some_and(|plain| !plain.trim().is_empty()))
        && let Some(found) = read_added(&page.text, before, known, rules)
    {
        // 「HTML形式のメールです」 is all the plain text says.
        keep_words(form, found);
        let added = Some((page.text.clone(), mail.encoding));
        return Some(Elsewhere { part: Part::Html, reason: Reason::Contradiction, added });
    }
    if let Some(inner) = mail.inside.first()
        && let Some(text) = inner.plain.clone().or_else(|| inner.html.as_ref().map(|p| p.text.clone()))
        && let Some(found) = read_added(&text, before, known, rules)
    {
        keep_words(form, found);
        let added = Some((text, inner.encoding));
        return Some(Elsewhere { part: Part::Inside, reason: Reason::Forwarded, added });
    }
    let (found, added) = mail.sheets.iter().find_map(|sheet| {
        let (text, decoder) = sheet.text()?;
        Some((read_added(&text, before, known, rules)?, (text, decoder)))
    })?;
    keep_words(form, found);
    Some(Elsewhere { part: Part::Attachment, reason: Reason::AttachmentOnly, added: Some(added) })
}

/// What stands above a text that is put below the body.
const ADDED: &str = "----------";

/// The form in a text that will stand below the body, whose last line is `before`.
fn read_added(text: &str, before: usize, known: &[MailAddress], rules: &Rules) -> Option<Form> {
    let mut added = lines(text);
    for line in &mut added {
        line.number += before + 1;
    }
    let parts = quote::split(&added);
    let mut form = form::walk(&parts.own, 0, known, rules);
    if form.centres.is_empty() && form.authority.is_empty() {
        // A table without headings: its names tell.
        form.authority_heading |= adopt_by_name(&mut form, rules);
    }
    form.has_data().then_some(form)
}

/// Does an attached table state other addresses than the mail itself?
fn table_differs(form: &Form, mail: &Mail, known: &[MailAddress], rules: &Rules) -> bool {
    let lies_in = |form: &Form, other: &Form| {
        let entries = || other.authority.iter().chain(&other.centres);
        let stated: Vec<&MailAddress> = entries().flat_map(|e| e.address.iter().chain(&e.others)).collect();
        let mut first = form.authority.iter().chain(&form.centres).filter_map(|e| e.address.as_ref());
        first.all(|address| stated.iter().any(|a| a.same_mailbox(address)))
    };
    let read = |sheet: &Sheet| read_added(&sheet.text()?.0, 0, known, rules);
    mail.sheets.iter().filter_map(read).any(|table| !lies_in(&table, form) || !lies_in(form, &table))
}

/// The data of another text, with the words of the sender.
fn keep_words(form: &mut Form, mut found: Form) {
    found.words.splice(0..0, form.words.drain(..));
    *form = found;
}

/// Do these words correct what was stated before?
pub(super) fn corrects(words: &str) -> bool {
    UNCHANGED.as_ref().is_some_and(|unchanged| matches(&CORRECTS, &unchanged.replace_all(words, "")))
}

fn kind(form: &Form, subject: &Subject, words: &str, mail: &Mail, reading: &Reading, phrases: &Phrases) -> Kind {
    let asks = doubts::asks(words, phrases);
    let headings = form.authority_heading || form.centre_heading;
    let corrects = subject.correction || form.corrective || corrects(words);
    if form.has_data() {
        return if corrects { Kind::Correction } else { Kind::Registration };
    }
    if corrects && (!form.strays.is_empty() || subject.registration && !asks) {
        // In words that state nothing by themselves: 正しくは a@… です。 ハイフンが抜けていました。
        return Kind::Correction;
    }
    if phrases.withdraws.is_in(words) && (subject.registration || subject.correction) {
        return Kind::Correction;
    }
    let outside = reading.head.from.as_ref().is_some_and(|f| trust::is_foreign(&f.domain()));
    let ours = subject.registration || matches(&SYSTEM, &subject.text) || matches(&SYSTEM, words);
    let ministry = reading.head.from.as_ref().is_some_and(|f| f.domain().ends_with(".go.jp"));
    if outside && !ministry && !ours && !headings && (mail.field("x-spam-flag").is_some() || sells(reading)) {
        return Kind::Spam;
    }
    if subject.inquiry || (asks && !headings) {
        return Kind::Inquiry;
    }
    let elsewhere = mail.closed || doubts::points_elsewhere(mail, words) || matches(&ATTACHES, words);
    let municipal = reading.head.from.as_ref().is_some_and(|f| !trust::is_foreign(&f.domain()));
    let registers = subject.registration || matches(&REGISTERS, &subject.text) || matches(&REGISTERS, words);
    if headings || !form.templates.is_empty() || (registers && elsewhere && municipal) {
        return if subject.correction { Kind::Correction } else { Kind::Registration };
    }
    Kind::Other
}

pattern!(
    REGISTERS,
    r"メールアドレス.{0,16}(?:連絡|報告|登録|提出|回答|送付)|(?:連絡|登録|報告)(?:先|する)?(?:の)?メールアドレス"
);
// Whether or not anything is attached: it may have been taken away, or forgotten.
pattern!(
    ATTACHES,
    r"添付(?:いた|致|しま|して(?:おり|い)ま|の(?:とお|通)り|ファイル(?:の(?:とお|通)り|を[ご御]))|別(?:添|紙)の(?:とお|通)り"
);
pattern!(
    SELLS,
    r"(?i)https?://|ご案内|お得|無料|在庫|優先供給|ご?注文|ご提案|配信停止|請求書|ビットコイン|送金|アカウント|検索順位|クリック|unsubscribe|invoice|bank|payment|lottery|prize"
);

/// Words and links of those who sell, beg and threaten.
fn sells(reading: &Reading) -> bool {
    matches(&SELLS, &tidy(&reading.head.subject.clone().unwrap_or_default())) || matches(&SELLS, &reading.body)
}

/// A signature file: no attachment anybody made.
pub(super) fn is_seal(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".p7s", ".p7m", ".asc", "pkcs7-signature", "pgp-signature"].iter().any(|end| name.ends_with(end))
}
