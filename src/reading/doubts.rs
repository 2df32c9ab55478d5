//! Contradictions and oddities of the whole mail: reasons to ask back, and warnings.

use super::entry;
use super::facts::Form;
use super::html::Page;
use super::mime::Mail;
use super::normalise::{LINES_MAX, is_cut, tidy};
use super::pattern::{matches, pattern};
use super::subject::Subject;
use super::{Kind, Reading, Reason, Warning, WarningCode, judge, remarks};
use crate::rules::Rules;
use crate::rules::phrases::Phrases;
use std::collections::BTreeSet;

pattern!(
    COUNT,
    r"(?:管内|全部?で?|計|合計|保健所は?、?)[^0-9第]{0,6}([0-9]{1,3})(?:か所|箇所|ヶ所|カ所|ヵ所|ケ所|個所|件|保健所)|(?:^|[^0-9第])([0-9]{1,3})(?:か所|箇所|ヶ所|カ所|ヵ所|ケ所)?の?保健所"
);
pattern!(LINK, r"https?://");
pattern!(REMOVED, r"(?:添付|ファイル).{0,20}(?:削除|除去|無害化|取り除)");

/// Does the sender ask something?
pub(super) fn asks(words: &str, phrases: &Phrases) -> bool {
    if phrases.thanks.is_in(words) {
        return phrases.asks.is_in(&phrases.thanks.taken_from(words));
    }
    phrases.asks.is_in(words)
}

/// Are the data said to be elsewhere, or taken out on the way?
pub(super) fn points_elsewhere(mail: &Mail, words: &str) -> bool {
    mail.attachments.iter().any(|name| !judge::is_seal(name)) || matches(&LINK, words) || matches(&REMOVED, words)
}

/// Contradictions and oddities of the whole mail.
pub(super) fn doubts(reading: &mut Reading, form: &Form, mail: &Mail, words: &str, body: &str, phrases: &Phrases) {
    let mut reasons = Vec::new();
    if !form.strays.is_empty() {
        reasons.push(Reason::Contradiction);
    }
    let asks = form.words.iter().any(|w| asks(&w.text, phrases));
    if asks && form.has_data() {
        reasons.push(Reason::QuestionBesides);
    }
    if phrases.withdraws.is_in(words) {
        reasons.push(Reason::Withdrawal);
    }
    if phrases.provisional.is_in(words) {
        reasons.push(Reason::Provisional);
    }
    if reading.kind == Kind::Registration && form.words.iter().any(|w| remarks::follows(&w.text, phrases)) {
        reasons.push(Reason::AddressMissing);
    }
    if phrases.from_day.is_in(words)
        || form.words.iter().any(|w| w.text.contains('@') && remarks::is_dated(&w.text, phrases))
    {
        reasons.push(Reason::DateChange);
    }
    let told = |said: &str| {
        let forwards = reading.reasons.contains(&Reason::Forwarded) && said.contains("転送");
        let corrects = reading.kind == Kind::Correction && judge::corrects(said);
        forwards || corrects || is_told(said, reading, phrases)
    };
    if remarks::conditional(reading, form, told, phrases) {
        reasons.push(Reason::Condition);
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

/// Do these words give the mail another reason?
fn is_told(said: &str, reading: &Reading, phrases: &Phrases) -> bool {
    let follows = reading.kind == Kind::Registration && remarks::follows(said, phrases);
    follows
        || said.contains('@') && remarks::is_dated(said, phrases)
        || asks(said, phrases)
        || [&phrases.withdraws, &phrases.provisional, &phrases.from_day].iter().any(|phrase| phrase.is_in(said))
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
