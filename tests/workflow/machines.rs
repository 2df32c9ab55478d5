//! Every state × event pair of the welcome, enrolment and credential machines, held against tests/data/workflow and
//! against the tables at the head of their files.

use super::table::{check, check_header, outcome};
use super::{at, day, rules};
use annai::domain::{Generation, Timestamp};
use annai::letters::{CertificateLetter, LetterKind};
use annai::workflow::credential::{self, Credential, CredentialEvent};
use annai::workflow::enrolment::{self, Certificate, EnrolmentEvent, Password, State};
use annai::workflow::welcome::{self, Welcome, WelcomeEvent};
use annai::workflow::{Effect, Nonce, Policy, Refused, RevocationReason};
use std::cell::RefCell;
use std::collections::BTreeSet;

const NOW: &str = "2020-05-08T10:00:00+09:00";
const BEFORE: &str = "2020-05-08T09:59:59+09:00";
const TIER: &str = "2020-05-18T00:00:00+09:00";
const LAST_SECOND: &str = "2020-05-31T23:59:59+09:00";
const OVER: &str = "2020-06-01T00:00:00+09:00";

/// The name of an enum's variant.
fn kind(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").split([' ', '{']).next().unwrap().to_owned()
}

type Seen = RefCell<BTreeSet<(String, String, String)>>;

#[test]
fn welcome() {
    let mut rules = rules();
    rules.schedule.welcome_from = Some(day("2020-05-01"));
    let policy = Policy::of(&rules);
    let seen = Seen::default();
    let state = |name: &str| match name {
        "waiting" => Welcome::Waiting { attempt: 2 },
        "queued" => Welcome::Queued { attempt: 2 },
        "standing" => Welcome::Standing { attempt: 2, since: at(NOW) },
        _ => Welcome::Undeliverable { attempt: 2, at: at(NOW), why: "5.1.1".into() },
    };
    let name = |state: &Welcome| match state {
        Welcome::Waiting { attempt: 2 } => "waiting".to_owned(),
        Welcome::Waiting { attempt } => format!("waiting #{attempt}"),
        Welcome::Queued { .. } => "queued".to_owned(),
        Welcome::Standing { .. } => "standing".to_owned(),
        Welcome::Undeliverable { .. } => "undeliverable".to_owned(),
    };
    let states = ["waiting", "queued", "standing", "undeliverable"];
    let events = ["woke", "woke-before-start", "relayed", "returned", "undeliverable", "address-changed"];
    check(include_str!("../data/workflow/welcome.txt"), &states, &events, |from, event| {
        let now = if event == "woke-before-start" { at("2020-04-30T23:59:59+09:00") } else { at(NOW) };
        let event = match event {
            "woke" | "woke-before-start" => WelcomeEvent::Woke,
            "relayed" => WelcomeEvent::Relayed,
            "returned" => WelcomeEvent::Returned,
            "undeliverable" => WelcomeEvent::Undeliverable { why: "5.1.1".into() },
            _ => WelcomeEvent::AddressChanged,
        };
        let from = state(from);
        let (next, effects) = welcome::step(&from, &event, now, &policy)?;
        seen.borrow_mut().insert((kind(&from), kind(&event), kind(&next)));
        Ok(outcome(&name(&next), &effects))
    });
    let kinds = ["Waiting", "Queued", "Standing", "Undeliverable"];
    check_header(include_str!("../../src/workflow/welcome.rs"), &kinds, &seen.borrow());
}

#[test]
fn credential() {
    let seen = Seen::default();
    let state = |name: &str| match name {
        "waiting" => credential::State::Waiting,
        "queued" => credential::State::Queued,
        "relayed" => credential::State::Relayed { at: at(NOW) },
        "offered" => credential::State::Offered { at: at(NOW) },
        "shown" => credential::State::Shown { at: at(NOW) },
        _ => credential::State::Undeliverable { at: at(NOW), why: "5.1.1".into() },
    };
    let states = ["waiting", "queued", "relayed", "undeliverable", "offered", "shown"];
    let events = [
        "woke",
        "woke-page",
        "woke-early",
        "woke-not-yet",
        "relayed",
        "returned",
        "undeliverable",
        "address-changed",
        "shown",
        "renewed",
    ];
    check(include_str!("../data/workflow/credential.txt"), &states, &events, |from, event| {
        let event = match event {
            "woke" => CredentialEvent::Woke { from: Some(at(NOW)), by_page: false },
            "woke-page" => CredentialEvent::Woke { from: Some(at(NOW)), by_page: true },
            "woke-early" => CredentialEvent::Woke { from: Some(at(NOW).plus(1)), by_page: false },
            "woke-not-yet" => CredentialEvent::Woke { from: None, by_page: false },
            "shown" => CredentialEvent::Shown,
            "renewed" => CredentialEvent::Renewed { nonce: Nonce([2; 16]) },
            "relayed" => CredentialEvent::Relayed,
            "returned" => CredentialEvent::Returned,
            "undeliverable" => CredentialEvent::Undeliverable { why: "5.1.1".into() },
            _ => CredentialEvent::AddressChanged,
        };
        let from = Credential { nonce: Nonce([1; 16]), attempt: 2, state: state(from) };
        let (next, effects) = credential::step(&from, &event, at(NOW))?;
        seen.borrow_mut().insert((kind(&from.state), kind(&event), kind(&next.state)));
        assert_eq!(next.nonce == from.nonce, !matches!(event, CredentialEvent::Renewed { .. }));
        let name = kind(&next.state).to_lowercase();
        let name = if next.attempt == 2 { name } else { format!("{name} #{}", next.attempt) };
        Ok(outcome(&name, &effects))
    });
    let kinds = ["Waiting", "Queued", "Relayed", "Undeliverable", "Offered", "Shown"];
    check_header(include_str!("../../src/workflow/credential.rs"), &kinds, &seen.borrow());
}

fn certificate() -> Certificate {
    Certificate { serial: "c0ffee".into(), not_after: at("2022-05-31T00:00:00+09:00") }
}

fn enrolment_state(name: &str) -> State {
    let open = |password| State::Open {
        notice_relayed: at("2020-05-01T10:00:00+09:00"),
        deadline: day("2020-05-31"),
        reminded: None,
        password,
    };
    let at = at(NOW);
    match name {
        "registered" => State::Registered,
        "notice-queued" => State::NoticeQueued { stated: day("2020-06-07") },
        "open" => open(Password::Waiting { from: at }),
        "open-queued" => open(Password::Queued),
        "open-relayed" => open(Password::Relayed { at }),
        "collected" => State::Collected { at, certificate: certificate() },
        "in-use" => State::InUse { at, certificate: certificate() },
        "undeliverable" => State::Undeliverable { at, letter: LetterKind::CertificateNotice, why: "5.1.1".into() },
        "expired" => State::Expired { at, deadline: day("2020-05-31") },
        "cancelled" => State::Cancelled { at, reason: "asked".into() },
        "superseded" => State::Superseded { at, by: Generation(2) },
        "revoked" => State::Revoked { at, certificate: certificate(), reason: RevocationReason::KeyCompromise },
        _ => panic!("no state {name}"),
    }
}

fn enrolment_name(state: &State) -> String {
    match state {
        State::Open { reminded, password, .. } => {
            let password = match password {
                Password::Waiting { .. } => "open",
                Password::Queued => "open-queued",
                Password::Relayed { .. } => "open-relayed",
            };
            format!("{password}{}", if reminded.is_some() { " reminded" } else { "" })
        }
        State::NoticeQueued { .. } => "notice-queued".to_owned(),
        State::InUse { .. } => "in-use".to_owned(),
        other => kind(other).to_lowercase(),
    }
}

fn letter(name: &str) -> CertificateLetter {
    match name {
        "notice" => CertificateLetter::Notice,
        "password" => CertificateLetter::Password,
        "reminder" => CertificateLetter::Reminder,
        "expired" => CertificateLetter::Expired,
        other => panic!("no letter {other}"),
    }
}

fn enrolment_event(name: &str) -> (EnrolmentEvent, Timestamp) {
    let now = at(match name {
        "woke-before" => BEFORE,
        "woke-tier" | "woke-tier-dead" => TIER,
        "picked-up-last-second" | "woke-last-second" => LAST_SECOND,
        "woke-over" | "picked-up-late" => OVER,
        _ => NOW,
    });
    let event = match name {
        "woke-unproven" | "woke-tier-dead" => EnrolmentEvent::Woke { secrets_from: None },
        "woke-proven-later" => EnrolmentEvent::Woke { secrets_from: Some(now.plus(1)) },
        "woke" | "woke-before" | "woke-tier" | "woke-last-second" | "woke-over" => {
            EnrolmentEvent::Woke { secrets_from: Some(now) }
        }
        "picked-up" | "picked-up-last-second" | "picked-up-late" => {
            EnrolmentEvent::PickedUp { certificate: certificate() }
        }
        "seen-in-use" => EnrolmentEvent::SeenInUse,
        "cancelled" => EnrolmentEvent::Cancelled { reason: "asked".into() },
        "revoked" => EnrolmentEvent::Revoked { reason: RevocationReason::KeyCompromise },
        "superseded" => EnrolmentEvent::Superseded { by: Generation(2) },
        news => match news.split_once('-') {
            Some(("relayed", of)) => EnrolmentEvent::Relayed { letter: letter(of) },
            Some(("returned", of)) => EnrolmentEvent::Returned { letter: letter(of) },
            Some((_, of)) => EnrolmentEvent::Undeliverable { letter: letter(of), why: "5.1.1".into() },
            None => panic!("no event {news}"),
        },
    };
    (event, now)
}

#[test]
fn enrolment() {
    let rules = rules();
    let policy = Policy::of(&rules);
    let seen = Seen::default();
    let states = [
        "registered",
        "notice-queued",
        "open",
        "open-queued",
        "open-relayed",
        "collected",
        "in-use",
        "undeliverable",
        "expired",
        "cancelled",
        "superseded",
        "revoked",
    ];
    let events = [
        "woke-unproven",
        "woke-proven-later",
        "woke-before",
        "woke",
        "woke-tier",
        "woke-tier-dead",
        "woke-last-second",
        "woke-over",
        "relayed-notice",
        "relayed-password",
        "relayed-reminder",
        "relayed-expired",
        "returned-notice",
        "returned-password",
        "returned-reminder",
        "returned-expired",
        "undeliverable-notice",
        "undeliverable-password",
        "undeliverable-reminder",
        "undeliverable-expired",
        "picked-up",
        "picked-up-last-second",
        "picked-up-late",
        "seen-in-use",
        "cancelled",
        "revoked",
        "superseded",
    ];
    check(include_str!("../data/workflow/enrolment.txt"), &states, &events, |from, event| {
        let (event, now) = enrolment_event(event);
        let from = enrolment_state(from);
        let (next, effects) = enrolment::step(Generation(1), &from, &event, now, &policy)?;
        seen.borrow_mut().insert((kind(&from), kind(&event), kind(&next)));
        void_codes_and_silence(&next, &effects)?;
        Ok(outcome(&enrolment_name(&next), &effects))
    });
    let kinds = [
        "Registered",
        "NoticeQueued",
        "Open",
        "Collected",
        "InUse",
        "Undeliverable",
        "Expired",
        "Cancelled",
        "Superseded",
        "Revoked",
    ];
    check_header(include_str!("../../src/workflow/enrolment.rs"), &kinds, &seen.borrow());
}

/// I6: no step queues a password or a reminder for a course that does not stay open.
fn void_codes_and_silence(next: &State, effects: &[Effect]) -> Result<(), Refused> {
    for effect in effects {
        if let Effect::Queue { letter: LetterKind::PickupPassword | LetterKind::Reminder, .. } = effect {
            assert!(next.is_open(at(LAST_SECOND)), "{next:?}");
        }
    }
    Ok(())
}
