//! What the form states, written into the reading, and what is missing, written into its reasons.

use super::facts::{Entry, Form};
use super::names::is_centre_name;
use super::pattern::{matches, pattern};
use super::remarks;
use super::subject::Subject;
use super::{Kind, ReadAuthority, ReadCentre, Reading, Reason, Warning, WarningCode};
use crate::domain::LgCode;
use crate::rules::lookup::Found;
use crate::rules::{Authority, Rules};
use std::collections::HashMap;

pattern!(
    TWO_NAMES,
    r"(?:保健所|センター|事務所)[^(]{0,12}(?:、|,|・|/|及び|並びに|と|&|兼).*(?:保健所|センター|事務所)"
);
pattern!(IN_A_SENTENCE, r"(?:保健所|センター|事務所|支所)(?:へ|に|で|から|の|は|が|を|も|と)");
pattern!(PROPER, r"^[^当本各].*?[都道府県市区町村]|^[^当本各庁]+$");
pattern!(
    GENERIC,
    r"^(?:当|本|各)?(?:都|道|府|県|市|区)?(?:庁|役所|役場)|^(?:当|本|各)(?:都|道|府|県|市|区)|^(?:本庁|主管|担当|所管|感染症|健康|保健|福祉|衛生|医療)"
);

/// Writes what the form states into the reading, and what is missing into its reasons.
pub(super) fn take_over(reading: &mut Reading, form: &Form, subject: &Subject, rules: &Rules) {
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
        None if correction => {}
        None if !form.authority_heading => {
            reasons.extend([Reason::SectionMissing, Reason::AuthorityAddressMissing]);
        }
        Some(_) | None => reasons.push(Reason::AuthorityAddressMissing),
    }
    if form.authority.len() > 1 {
        reasons.push(Reason::Contradiction);
    }
    centres(reading, form, rules, &mut reasons);
    let known = reading.authority.as_ref().and_then(|a| a.code).and_then(|code| rules.authorities.by_code(code));
    if known.is_some_and(|a| !a.centres.is_empty() && reading.centres.len() > a.centres.len()) {
        reasons.push(Reason::UnknownCentre);
    }
    if reading.centres.is_empty() && !correction {
        reasons.push(if form.centre_heading { Reason::AddressMissing } else { Reason::SectionMissing });
    }
    if !form.has_data() {
        reasons.push(Reason::NothingFilledIn);
    }
    reading.reasons.extend(reasons);
}

fn centres(reading: &mut Reading, form: &Form, rules: &Rules, reasons: &mut Vec<Reason>) {
    let authority = reading.authority.as_ref().and_then(|a| a.code).and_then(|code| rules.authorities.by_code(code));
    let mut places: HashMap<String, usize> = HashMap::new();
    for entry in &form.centres {
        let place =
            *places.entry(entry.name.chars().filter(|c| !c.is_whitespace()).collect()).or_insert(reading.centres.len());
        if let Some(before) = reading.centres.get(place) {
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
        if authority.is_some_and(|a| unknown(a, &entry.name)) {
            reasons.push(Reason::UnknownCentre);
        }
        if remarks::before_pending(&entry.name).is_some() {
            reasons.push(Reason::AddressMissing);
        }
        if matches(&TWO_NAMES, &entry.name) || in_a_sentence(&entry.name) {
            reasons.push(Reason::Contradiction);
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

/// Does a particle follow the name, outside brackets: 港保健所へ, but 港保健所(西支所を含む) is a name?
fn in_a_sentence(name: &str) -> bool {
    let outside = name.split_once('(').filter(|(_, inside)| inside.ends_with("を含む)"));
    matches(&IN_A_SENTENCE, outside.map_or(name, |(outside, _)| outside))
}

/// Is the name no health centre's, or one letter beside one's: 好保健所 for 三好保健所?
fn unknown(authority: &Authority, name: &str) -> bool {
    authority.knows_centre(name).is_none() && (!is_centre_name(name) || authority.nearly_knows_centre(name))
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
) -> (String, Option<LgCode>) {
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
    let greeting = form.words.iter().map(|w| w.text.as_str()).chain(reading.head.from_name.as_deref());
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

fn official(authority: &Authority) -> (String, Option<LgCode>) {
    (authority.name.clone(), Some(authority.code))
}

pub(super) fn find<'r>(name: &str, rules: &'r Rules) -> Found<'r> {
    match rules.authorities.find(name) {
        Found::None => rules.authorities.find_in(name),
        found @ (Found::One(_) | Found::Several(_)) => found,
    }
}

/// Does it name a certain body, and not 本庁, 当市, 健康福祉部?
fn is_proper(name: &str) -> bool {
    !name.is_empty() && !matches(&GENERIC, name) && matches(&PROPER, name)
}
