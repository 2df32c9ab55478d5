//! What a mail written by a person states, and how certain that is. When in doubt a person looks: every reason here is a
//! way in which a careful clerk would ask back. Source: seed 4.1 (注意事項); research R9, R10.

use super::entry::{self, matches, pattern};
use super::form::{self, Entry, Form};
use super::mime::Mail;
use super::normalise::{Line, lines, squeeze};
use super::subject::{self, Subject};
use super::{Kind, ReadAuthority, ReadCentre, Reading, Reason, Warning, WarningCode, quote};
use crate::domain::MailAddress;
use crate::rules::Rules;
use crate::rules::authorities::Authority;
use crate::rules::lookup::Found;
use regex::Regex;
use std::sync::LazyLock;

pattern!(
    CORRECTS,
    r"訂正|差し?替|修正(?:し|を|いた)|(?:メール|アドレス|内容|記載|報告|連絡|登録)に誤りが|変更が(?:あり|ござい)|変更(?:となり|になり)ま|(?:所|件|記載|分|方)が?漏れて|追加(?:を|で)?お願い|取り?下げ|取り?消し|撤回"
);
pattern!(UNCHANGED, r"変更は?(?:あり|ござい)ません|変更なし");
pattern!(WITHDRAWS, r"取り?下げ|取り?消し|撤回|(?:登録|保健所|アドレス).{0,12}(?:削除|抹消|不要)");
pattern!(
    ASKS,
    r"でしょうか|ますか|ませんか|ですか|教えて(?:くだ|下|いただ)|[ご御]教示|お尋ねし|お伺いし|[か][。?]?$|\?$|再送(?:を|して)|届いて(?:おりま|いま)せん|か[、。]"
);
pattern!(
    COUNT,
    r"(?:管内|全部?で?|計|合計|保健所は?、?)[^0-9第]{0,6}([0-9]{1,3})(?:か所|箇所|ヶ所|カ所|ヵ所|ケ所|個所|件|保健所)|(?:^|[^0-9第])([0-9]{1,3})(?:か所|箇所|ヶ所|カ所|ヵ所|ケ所)?の?保健所"
);
pattern!(
    FROM_DAY,
    r"(?:[0-9]{1,2}月[0-9]{1,2}日|[0-9]{1,2}/[0-9]{1,2}|来月|翌月|[0-9]{1,2}月).{0,10}(?:から|より|以降|をもって|付けで).{0,40}(?:変更|変わ|切り?替|廃止|統合|移行|使用|利用|有効|新)"
);
pattern!(LINK, r"https?://");
pattern!(REMOVED, r"(?:添付|ファイル).{0,20}(?:削除|除去|無害化|取り除)");
pattern!(PROPER, r"^[^当本各].*?[都道府県市区町村]|^[^当本各庁]+$");
pattern!(
    GENERIC,
    r"^(?:当|本|各)?(?:都|道|府|県|市|区)?(?:庁|役所|役場)|^(?:当|本|各)(?:都|道|府|県|市|区)|^(?:本庁|主管|担当|所管|感染症|健康|保健|福祉|衛生|医療)"
);

/// Fills `reading` for a mail that people wrote.
pub(super) fn judge(reading: &mut Reading, mail: &Mail, rules: &Rules) {
    let subject = subject::read(reading.head.subject.as_deref(), rules);
    let known = no_data(reading, rules);
    let body = std::mem::take(&mut reading.body);
    let body_lines = lines(&body);
    let parts = quote::split(&body_lines);
    let mut form = form::walk(&parts.own, 0, &known, rules);
    let mut second_hand = None;
    adopt_loose(&mut form, rules, reading);
    if !form.has_data() {
        second_hand = elsewhere(&mut form, &parts, mail, &subject, &known, rules);
    }
    let words = form.words.join("\n");
    reading.kind = kind(&form, &subject, &words, mail, reading);
    if matches!(reading.kind, Kind::Registration | Kind::Correction) {
        reading.reasons.extend(second_hand);
        take_over(reading, &form, &subject, rules);
        doubts(reading, &form, mail, &words, &body);
        trust(reading, rules);
    } else {
        let asked = reading.kind == Kind::Inquiry;
        reading.reasons.extend(match reading.kind {
            Kind::Spam => None,
            _ if asked => Some(Reason::Inquiry),
            _ => Some(Reason::UnknownKind),
        });
    }
    warn(reading, mail, &subject, &form, rules);
    drop(body_lines);
    reading.body = body;
}

/// Addresses that are no data: the sender's own, ours, the ministry's.
fn no_data(reading: &Reading, rules: &Rules) -> Vec<MailAddress> {
    let expected = rules.registration.expected_to.iter().chain(&rules.registration.expected_cc);
    reading.head.from.iter().chain(expected).cloned().collect()
}

/// Without any heading the names themselves must tell: 札幌市 is an authority, 札幌市保健所 a health centre.
fn adopt_loose(form: &mut Form, rules: &Rules, reading: &mut Reading) {
    let loose = std::mem::take(&mut form.loose);
    if loose.is_empty() {
        return;
    }
    for entry in loose {
        let centre = entry::is_centre_name(&entry.name);
        let authority = !centre && !matches!(find(&entry.name, rules), Found::None);
        if centre && form.centres.is_empty() | !form.centre_heading {
            form.centres.push(entry);
        } else if authority && !form.authority_heading {
            form.authority.push(entry);
        } else {
            form.strays.push(entry.line);
            continue;
        }
        reading.warnings.push(Warning::new(WarningCode::NoHeadings, None));
        reading.reasons.push(Reason::SectionMissing);
    }
    reading.warnings.dedup();
}

/// Data in a forwarded mail, in a mail inside, or in quoted lines that are nobody else's.
fn elsewhere(
    form: &mut Form,
    parts: &quote::Parts<'_, '_>,
    mail: &Mail,
    subject: &Subject,
    known: &[MailAddress],
    rules: &Rules,
) -> Option<Reason> {
    let forwards = subject.forwarded || form.words.iter().any(|w| w.contains("転送"));
    if parts.forwarded || forwards {
        let depth = parts.below.iter().map(|l| l.depth).min().unwrap_or(0);
        let found = form::walk(&parts.below, depth, known, rules);
        if found.has_data() {
            keep_words(form, found);
            return Some(Reason::Forwarded);
        }
    }
    if (!parts.attributed || forwards) && parts.own.iter().any(|l| l.depth > 0) {
        let quoted: Vec<&Line<'_>> = parts.own.iter().copied().filter(|l| l.depth > 0 || l.text.is_empty()).collect();
        let found = form::walk(&quoted, 1, known, rules);
        if found.has_data() {
            keep_words(form, found);
            return Some(if forwards { Reason::Forwarded } else { Reason::QuotedData });
        }
    }
    let inner = mail.inside.first()?;
    let text = inner.plain.clone().or_else(|| inner.html.as_ref().map(|p| p.text.clone()))?;
    let inner_lines = lines(&text);
    let inner_parts = quote::split(&inner_lines);
    let found = form::walk(&inner_parts.own, 0, known, rules);
    found.has_data().then(|| {
        keep_words(form, found);
        Reason::Forwarded
    })
}

/// The data of another text, with the words of the sender.
fn keep_words(form: &mut Form, mut found: Form) {
    found.words.splice(0..0, form.words.drain(..));
    *form = found;
}

fn kind(form: &Form, subject: &Subject, words: &str, mail: &Mail, reading: &Reading) -> Kind {
    let asks = matches(&ASKS, words);
    let headings = form.authority_heading || form.centre_heading;
    let corrects = subject.correction || form.corrective || matches(&CORRECTS, words) && !matches(&UNCHANGED, words);
    let corrects = corrects
        || matches(&CORRECTS, &UNCHANGED.as_ref().map_or_else(String::new, |u| u.replace_all(words, "").into_owned()));
    if form.has_data() {
        return if corrects { Kind::Correction } else { Kind::Registration };
    }
    if matches(&WITHDRAWS, words) && (subject.registration || subject.correction) {
        return Kind::Correction;
    }
    let outside = reading.head.from.as_ref().is_some_and(|f| is_foreign(&f.domain()));
    let ours = subject.registration || matches(&SYSTEM, &subject.text) || matches(&SYSTEM, words);
    if outside && !ours && !headings {
        return Kind::Spam;
    }
    if subject.inquiry || (asks && !headings) {
        return Kind::Inquiry;
    }
    let elsewhere =
        mail.attachments.iter().any(|name| !is_seal(name)) || matches(&LINK, words) || matches(&REMOVED, words);
    let municipal = reading.head.from.as_ref().is_some_and(|f| is_municipal(&f.domain()));
    if headings || !form.templates.is_empty() || (subject.registration && elsewhere && municipal) {
        return if subject.correction { Kind::Correction } else { Kind::Registration };
    }
    Kind::Other
}

pattern!(
    SYSTEM,
    r"フォローアップ|クライアント証明書|メールアドレスの(?:連絡|登録|報告)|登録内容|パスワード|厚生労働省"
);

/// A signature file: no attachment anybody made.
fn is_seal(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".p7s", ".p7m", ".asc", "pkcs7-signature", "pgp-signature"].iter().any(|end| name.ends_with(end))
}

/// Writes what the form states into the reading, and what is missing into its reasons.
fn take_over(reading: &mut Reading, form: &Form, subject: &Subject, rules: &Rules) {
    let correction = reading.kind == Kind::Correction;
    let mut reasons = Vec::new();
    let first = form.authority.first();
    let (name, code) = authority_name(reading, first, form, subject, rules, &mut reasons);
    reading.authority = Some(ReadAuthority {
        name,
        address: first.and_then(|e| if e.broken { None } else { e.address.clone() }),
        code,
        other_addresses: first.map(|e| e.others.clone()).unwrap_or_default(),
        line: first.map(|e| e.line),
    });
    if correction {
        reasons.push(Reason::Correction);
    }
    match first {
        Some(e) if e.broken => reasons.push(Reason::AddressInvalid),
        Some(e) if e.address.is_some() => {}
        Some(_) => reasons.push(Reason::AuthorityAddressMissing),
        None if correction => {}
        None if !form.authority_heading => {
            reasons.extend([Reason::SectionMissing, Reason::AuthorityAddressMissing]);
        }
        None => reasons.push(Reason::AuthorityAddressMissing),
    }
    if form.authority.len() > 1 {
        reasons.push(Reason::Contradiction);
    }
    centres(reading, form, &mut reasons);
    if reading.centres.is_empty() && !correction {
        reasons.push(if form.centre_heading { Reason::AddressMissing } else { Reason::SectionMissing });
    }
    if !form.has_data() {
        reasons.push(Reason::NothingFilledIn);
    }
    reading.reasons.extend(reasons);
}

fn centres(reading: &mut Reading, form: &Form, reasons: &mut Vec<Reason>) {
    for entry in &form.centres {
        let same = reading.centres.iter_mut().find(|c| squeeze(&c.name) == squeeze(&entry.name));
        if let Some(before) = same {
            let new = entry.address.iter().filter(|a| !before.address.iter().any(|b| b.same_mailbox(a)));
            if new.count() > 0 {
                reasons.push(Reason::Contradiction);
            }
            continue;
        }
        if entry.broken {
            reasons.push(Reason::AddressInvalid);
        } else if entry.address.is_none() || entry.name.is_empty() {
            reasons.push(Reason::AddressMissing);
        }
        if entry.name.contains(['\u{fffd}', '?', '〓']) {
            reasons.push(Reason::CharsetDoubt);
        }
        reading.centres.push(ReadCentre {
            name: entry.name.clone(),
            address: if entry.broken { None } else { entry.address.clone() },
            other_addresses: entry.others.clone(),
            line: Some(entry.line),
        });
    }
}

/// The authority's name: official if known; as written in its section, else in the subject, else where the sender
/// introduces himself.
fn authority_name(
    reading: &mut Reading,
    first: Option<&Entry>,
    form: &Form,
    subject: &Subject,
    rules: &Rules,
    reasons: &mut Vec<Reason>,
) -> (String, Option<crate::domain::LgCode>) {
    let written = first.map(|e| e.name.clone()).unwrap_or_default();
    let by_subject =
        subject.named.as_deref().map_or_else(|| rules.authorities.find_in(&subject.text), |n| find(n, rules));
    let stated = if written.is_empty() { Found::None } else { find(&written, rules) };
    if let Some(own) = stated.one() {
        match by_subject.one() {
            Some(other) if other.code != own.code => reasons.push(Reason::SubjectDiffers),
            None if matches!(by_subject, Found::None) && subject.named.as_deref().is_some_and(is_proper) => {
                reasons.push(Reason::SubjectDiffers);
            }
            Some(_) | None => {}
        }
        return official(own);
    }
    let proper = is_proper(&written);
    if proper && matches!(stated, Found::None) {
        reasons.push(Reason::UnknownAuthority);
        return (written, None);
    }
    if let Some(own) = by_subject.one() {
        if first.is_some() {
            reading.warnings.push(Warning::new(WarningCode::AuthorityFromSubject, first.map(|e| e.line)));
        }
        return official(own);
    }
    let greeting = form.words.iter().map(String::as_str).chain(reading.head.from_name.as_deref());
    if let Some(own) = greeting.into_iter().find_map(|text| rules.authorities.find_in(text).one().cloned()) {
        if !matches!(by_subject, Found::None) || subject.named.is_some() {
            reasons.push(Reason::AuthorityAmbiguous);
        }
        reading.warnings.push(Warning::new(WarningCode::AuthorityFromSubject, first.map(|e| e.line)));
        return official(&own);
    }
    let several = |found: &Found<'_>| matches!(found, Found::Several(_));
    reasons.push(if several(&stated) || several(&by_subject) {
        Reason::AuthorityAmbiguous
    } else {
        Reason::UnknownAuthority
    });
    (if written.is_empty() { subject.named.clone().unwrap_or_default() } else { written }, None)
}

fn official(authority: &Authority) -> (String, Option<crate::domain::LgCode>) {
    (authority.name.clone(), Some(authority.code))
}

fn find<'r>(name: &str, rules: &'r Rules) -> Found<'r> {
    match rules.authorities.find(name) {
        Found::None => rules.authorities.find_in(name),
        found => found,
    }
}

/// Does it name a certain body, and not 本庁, 当市, 健康福祉部?
fn is_proper(name: &str) -> bool {
    !name.is_empty() && !matches(&GENERIC, name) && matches(&PROPER, name)
}

/// Contradictions and oddities of the whole mail.
fn doubts(reading: &mut Reading, form: &Form, mail: &Mail, words: &str, body: &str) {
    let mut reasons = Vec::new();
    if !form.strays.is_empty() {
        reasons.push(Reason::Contradiction);
    }
    let asks = form.words.iter().any(|w| matches(&ASKS, w));
    if asks && form.has_data() {
        reasons.push(Reason::QuestionBesides);
    }
    if matches(&WITHDRAWS, words) {
        reasons.push(Reason::Withdrawal);
    }
    if matches(&FROM_DAY, words) {
        reasons.push(Reason::DateChange);
    }
    if reading.kind == Kind::Registration && announced(words).is_some_and(|n| n != reading.centres.len()) {
        reasons.push(Reason::CountDiffers);
    }
    if !form.has_data() && (!mail.attachments.is_empty() || matches(&LINK, words)) {
        reasons.push(Reason::AttachmentOnly);
    }
    if mail.doubt || body.contains('\u{fffd}') {
        reasons.push(Reason::CharsetDoubt);
    }
    if let Some(page) = &mail.html {
        let other = mail.plain.as_ref().is_some_and(|plain| !plain.trim().is_empty() && differs(plain, page, reading));
        if page.link_differs || other {
            reasons.push(Reason::Contradiction);
        }
    }
    reading.reasons.extend(reasons);
}

/// Does the HTML part lack an address that the text part states?
fn differs(plain: &str, page: &super::html::Page, reading: &Reading) -> bool {
    let tidy = super::normalise::tidy(&page.text).to_ascii_lowercase();
    let own = super::normalise::tidy(plain).to_ascii_lowercase();
    let taken = reading.authority.iter().filter_map(|a| a.address.as_ref());
    let taken = taken.chain(reading.centres.iter().filter_map(|c| c.address.as_ref()));
    taken.map(|a| a.as_str().to_ascii_lowercase()).any(|a| own.contains(&a) && !tidy.contains(&a))
}

/// The number of health centres the sender announces.
fn announced(words: &str) -> Option<usize> {
    let found = COUNT.as_ref()?.captures(words)?;
    found.get(1).or_else(|| found.get(2))?.as_str().parse().ok()
}

/// Whose addresses these are: free mail, domains of firms and of other countries, one letter off the others.
fn trust(reading: &mut Reading, rules: &Rules) {
    let authority = reading.authority.iter().filter_map(|a| a.address.as_ref());
    let centres = reading.centres.iter().filter_map(|c| c.address.as_ref());
    let tenants: Vec<String> = authority.chain(centres).map(MailAddress::domain).collect();
    let sender = reading.head.from.as_ref().map(MailAddress::domain);
    let mut reasons = Vec::new();
    for domain in tenants.iter().chain(&sender) {
        if rules.senders.free_mail.iter().any(|free| domain == free || domain.ends_with(&format!(".{free}"))) {
            reasons.push(Reason::FreeMail);
        } else if is_foreign(domain) {
            reasons.push(Reason::ForeignDomain);
        }
    }
    let all: Vec<&String> = tenants.iter().chain(&sender).collect();
    let often = |d: &str| all.iter().filter(|o| **o == d).count();
    let slipped = |d: &str| all.iter().any(|other| *other != d && one_slip(d, other) && often(other) >= often(d));
    let centres = reading.centres.iter_mut().map(|c| &mut c.address);
    for address in centres.chain(reading.authority.iter_mut().map(|a| &mut a.address)) {
        if address.as_ref().is_some_and(|a| slipped(&a.domain())) {
            // Most likely mistyped: nobody may be sent anything there.
            *address = None;
            reasons.push(Reason::AddressInvalid);
        }
    }
    reading.reasons.extend(reasons);
}

/// Domains of firms, providers, schools and of other countries.
fn is_foreign(domain: &str) -> bool {
    let kind = [".co.jp", ".ne.jp", ".or.jp", ".ac.jp", ".ad.jp", ".gr.jp", ".ed.jp", ".go.jp"];
    !domain.ends_with(".jp") || kind.iter().any(|k| domain.ends_with(k))
}

fn is_municipal(domain: &str) -> bool {
    !is_foreign(domain)
}

/// Two domains one typing slip apart: a letter replaced, dropped, doubled, or two swapped.
fn one_slip(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let front = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let back = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let longest = a.len().max(b.len());
    let swapped = a.len() == b.len() && front + back + 2 >= longest && {
        let (x, y) = (a.get(front..front + 2), b.get(front..front + 2));
        matches!((x, y), (Some([p, q]), Some([r, s])) if p == s && q == r)
    };
    front + back + 1 >= longest || swapped
}

fn warn(reading: &mut Reading, mail: &Mail, subject: &Subject, form: &Form, rules: &Rules) {
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
    let repeated = all.iter().enumerate().find(|(i, (_, a))| all.iter().take(*i).any(|(_, b)| b.same_mailbox(a)));
    repeated.map(|(_, (line, _))| Warning::new(WarningCode::SameAddressTwice, *line))
}
