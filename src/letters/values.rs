//! What a template may print: the facts of a letter as names and texts, every text made one harmless line. A letter's
//! second secret is not among them, so no template can print it (DESIGN I4).

use super::kind::{CertificateLetter, TenantLetter};
use super::layout::{NAME_CHARS_MAX, TEXT_CHARS_MAX, one_line};
use super::{Addressee, Again, Desk, Fault, Letter, LetterKind, Period, Question, Report, Understood, ZipMethod};
use crate::domain::{Date, TenantKind};
use minijinja::{Value, context};
use std::collections::BTreeMap;

/// The secret a template of this kind prints; every other secret is unknown to it. Credentials travel in the ZIP.
pub(super) fn secret_name(kind: LetterKind) -> Option<&'static str> {
    use CertificateLetter::{Expired, Notice, Password, Reminder};
    match kind.for_tenant() {
        Some(TenantLetter::Certificate(Notice)) => Some("url"),
        Some(TenantLetter::Certificate(Password)) => Some("password"),
        Some(
            TenantLetter::Certificate(Reminder | Expired)
            | TenantLetter::Welcome
            | TenantLetter::Credentials
            | TenantLetter::CredentialsReady,
        )
        | None => None,
    }
}

/// What the addressee cannot do without: name and printed text. Checked in every rendered sample.
pub(super) fn must_show(letter: &Letter) -> Vec<(&'static str, String)> {
    match letter {
        Letter::Receipt { rows, .. } => {
            rows.iter().map(|row| ("row.address", row.address.as_str().to_owned())).collect()
        }
        Letter::UnderReview { subject, .. } => vec![("subject", subject.clone())],
        Letter::CorrectionRequest { faults, .. } => {
            faults.iter().map(|fault| ("fault.sentence", fault.sentence.clone())).collect()
        }
        // What was read is printed where a draft has a place for it; the sentences of a reply stand in the sender's mail.
        Letter::Ask { about: Question::Reply, .. } | Letter::Written { .. } => Vec::new(),
        Letter::Ask { faults, .. } => faults.iter().map(|fault| ("fault.sentence", fault.sentence.clone())).collect(),
        Letter::Welcome { to, certificates_from } => {
            vec![("to.id", to.id.clone()), ("certificates_from", certificates_from.official())]
        }
        Letter::CertificateNotice { to, url, deadline, .. } => {
            vec![("to.id", to.id.clone()), ("url", url.reveal().clone()), ("deadline", deadline.official())]
        }
        Letter::PickupPassword { to, password, deadline } => {
            vec![("to.id", to.id.clone()), ("password", password.reveal().clone()), ("deadline", deadline.official())]
        }
        Letter::Reminder { to, deadline, .. } | Letter::Expired { to, deadline } => {
            vec![("to.id", to.id.clone()), ("deadline", deadline.official())]
        }
        Letter::Credentials { to, .. } => vec![("to.id", to.id.clone())],
        Letter::CredentialsReady { to, gate } => {
            let gate = gate.iter().map(|gate| ("gate", gate.clone()));
            gate.chain([("to.id", to.id.clone())]).collect()
        }
        Letter::Report(report) => {
            let figures = report.figures.iter().map(|(_, value)| ("figure.value", value.clone()));
            figures.chain([("anchor", report.anchor.1.to_string())]).collect()
        }
        Letter::Alert { cause, lines, remedy } => {
            let lines = lines.iter().map(|line| ("line", line.clone()));
            lines.chain([("cause", cause.clone()), ("remedy", remedy.clone())]).collect()
        }
    }
}

/// All values of a letter. `sent`: the day it is made; `subjects`: fixed subjects of letters that others announce.
pub(super) fn values(letter: &Letter, sent: Date, desk: &Desk, subjects: &BTreeMap<String, String>) -> Value {
    let common = context! { sent => sent.official(), desk => desk_values(desk), subjects => subjects };
    let own = match letter {
        Letter::Receipt { authority, received, rows, notes } => context! {
            authority => name(authority),
            received => received.official(),
            rows => rows.iter().map(row).collect::<Vec<_>>(),
            notes => notes.iter().map(|note| text(note)).collect::<Vec<_>>(),
        },
        Letter::UnderReview { received, subject } => {
            context! { received => received.official(), subject => text(subject) }
        }
        Letter::CorrectionRequest { received, subject, faults } => context! {
            received => received.official(),
            subject => text(subject),
            faults => faults.iter().map(fault).collect::<Vec<_>>(),
        },
        Letter::Ask { received, subject, faults, rows, .. } => context! {
            received => received.official(),
            subject => text(subject),
            faults => faults.iter().map(fault).collect::<Vec<_>>(),
            rows => rows.iter().map(row).collect::<Vec<_>>(),
        },
        Letter::Written { .. } => context! {},
        Letter::Welcome { to, certificates_from } => {
            context! { to => addressee(to), certificates_from => certificates_from.official() }
        }
        Letter::CertificateNotice { to, url, deadline, again } => context! {
            to => addressee(to),
            url => url.reveal(),
            deadline => deadline.official(),
            days => deadline.days_since(sent),
            again => again.map(again_word),
        },
        Letter::PickupPassword { to, password, deadline } => {
            context! { to => addressee(to), password => password.reveal(), deadline => deadline.official() }
        }
        Letter::Reminder { to, notice_sent, deadline, days_left, last } => context! {
            to => addressee(to),
            notice_sent => notice_sent.official(),
            deadline => deadline.official(),
            days_left => days_left,
            last => last,
        },
        Letter::Expired { to, deadline } => context! { to => addressee(to), deadline => deadline.official() },
        Letter::Credentials { to, method, .. } => context! {
            to => addressee(to),
            attachment => super::zip::attachment_name(&to.id),
            method => method_word(*method),
        },
        Letter::CredentialsReady { to, gate } => context! { to => addressee(to), gate => gate },
        Letter::Report(report) => report_values(report),
        Letter::Alert { cause, lines, remedy } => context! {
            cause => text(cause),
            lines => lines.iter().map(|line| text(line)).collect::<Vec<_>>(),
            remedy => text(remedy),
        },
    };
    context! { ..own, ..common }
}

fn report_values(report: &Report) -> Value {
    let figure = |(label, value): &(String, String)| context! { label => text(label), value => text(value) };
    let period = match report.period {
        Period::Daily => "日次報告",
        Period::Weekly => "週次報告",
    };
    context! {
        period => period,
        day => report.until.date().official(),
        span => format!("{}から{}まで", report.from.official(), report.until.official()),
        figures => report.figures.iter().map(figure).collect::<Vec<_>>(),
        anchor_no => report.anchor.0,
        anchor => report.anchor.1.to_string(),
    }
}

fn desk_values(desk: &Desk) -> Value {
    context! {
        contractor_name => name(&desk.contractor_name),
        contractor => desk.contractor.as_str(),
        ministry => desk.ministry.as_str(),
        from => desk.from.as_str(),
    }
}

/// `full`: how the letter calls the addressee, 港区　みなと保健所.
fn addressee(to: &Addressee) -> Value {
    let (own, authority) = (name(&to.name), name(&to.authority));
    let full = match to.kind {
        TenantKind::HealthCentre if !own.starts_with(&authority) => format!("{authority}　{own}"),
        TenantKind::Authority | TenantKind::HealthCentre => own.clone(),
    };
    context! { id => name(&to.id), kind => kind_word(to.kind), name => own, authority => authority, full => full }
}

fn row(row: &Understood) -> Value {
    context! { kind => kind_word(row.kind), name => name(&row.name), address => row.address.as_str() }
}

fn fault(fault: &Fault) -> Value {
    context! { quoted => fault.quoted.as_deref().map(text), sentence => text(&fault.sentence) }
}

fn name(value: &str) -> String {
    one_line(value, NAME_CHARS_MAX)
}

fn text(value: &str) -> String {
    one_line(value, TEXT_CHARS_MAX)
}

fn kind_word(kind: TenantKind) -> &'static str {
    match kind {
        TenantKind::Authority => "自治体",
        TenantKind::HealthCentre => "保健所",
    }
}

fn again_word(again: Again) -> &'static str {
    match again {
        Again::Reissue => "reissue",
        Again::Renewal => "renewal",
    }
}

fn method_word(method: ZipMethod) -> &'static str {
    match method {
        ZipMethod::ZipCrypto => "zipcrypto",
        ZipMethod::Aes256 => "aes256",
    }
}
