//! Every state × event of the outbox row as one table, and the arithmetic of retries.

use super::*;
use crate::domain::time::MINUTE;
use crate::rules::SendWindow;
use crate::rules::schedule::CredentialPolicy;

const T0: &str = "2020-05-01T09:00:00+09:00";

fn t(minutes: i64) -> Timestamp {
    T0.parse::<Timestamp>().unwrap().plus(minutes * MINUTE)
}

fn schedule() -> Schedule {
    Schedule {
        certificates_from: "2020-05-01".parse().unwrap(),
        credentials_from: "2020-05-11".parse().unwrap(),
        welcome_from: None,
        welcome_hold_business_days: 1,
        password_delay_minutes: 10,
        window_days: 30,
        reminder_days_before: vec![14, 7, 3, 1],
        renewal_days_before: vec![30],
        send_window: SendWindow::Always,
        retry_minutes: vec![5, 30, 120],
        give_up_hours: 72,
        per_domain_per_minute: 0,
        receipts_per_sender_per_day: 5,
        credentials: CredentialPolicy::default(),
        poll: String::new(),
        oversight: crate::rules::Oversight::default(),
    }
}

fn reply(code: u16, text: &str) -> Reply {
    Reply::new(code, text)
}

fn states() -> Vec<(&'static str, Delivery)> {
    vec![
        ("planned", Delivery::Planned { due: t(0) }),
        ("in-flight", Delivery::InFlight { attempt: 1, since: t(0) }),
        ("relayed", Delivery::Relayed { at: t(0), reply: Some(reply(250, "ok")) }),
        ("deferred", Delivery::Deferred { until: t(0), attempts: 1, last: Trouble::NoReply("lost".into()) }),
        ("refused", Delivery::Refused { at: t(0), reply: reply(550, "5.1.1 no") }),
        ("bounced", Delivery::Bounced { at: t(0), class: BounceClass::Hard, status: None }),
        ("unknown", Delivery::Unknown { since: t(-60), attempts: 1, why: "lost".into() }),
        ("held", Delivery::Held { reason: HoldReason::Staff, due: t(0), attempts: 0 }),
        ("held after attempt", Delivery::Held { reason: HoldReason::Staff, due: t(0), attempts: 1 }),
        ("withdrawn", Delivery::Withdrawn { at: t(0), why: "void".into() }),
    ]
}

fn events() -> Vec<(&'static str, DeliveryEvent)> {
    let answered = |outcome| DeliveryEvent::Answered { outcome };
    let (mail, rcpt, data) = (Stage::Mail, Stage::Rcpt, Stage::Data);
    vec![
        ("leased", DeliveryEvent::Leased),
        ("250", answered(Outcome::Relayed { reply: reply(250, "ok") })),
        ("450 rcpt", answered(Outcome::Deferred { stage: rcpt, reply: reply(450, "4.2.1 later") })),
        ("451 mail", answered(Outcome::Deferred { stage: mail, reply: reply(451, "4.3.0 later") })),
        ("550 rcpt", answered(Outcome::Refused { stage: rcpt, reply: reply(550, "5.1.1 no") })),
        ("554 mail", answered(Outcome::Refused { stage: mail, reply: reply(554, "5.7.1 no") })),
        ("554 data", answered(Outcome::Refused { stage: data, reply: reply(554, "5.7.1 spam") })),
        ("not sent", answered(Outcome::NotSent { why: "refused".into() })),
        ("no answer", answered(Outcome::Unknown { why: "lost".into() })),
        ("lease lost", DeliveryEvent::LeaseLost),
        ("postponed", DeliveryEvent::Postponed { until: t(7) }),
        ("bounced", DeliveryEvent::Bounced { class: BounceClass::Hard, status: Some("5.1.1".into()) }),
        ("returned", DeliveryEvent::Returned { status: Some("4.2.2".into()) }),
        ("delayed", DeliveryEvent::Delayed),
        ("held", DeliveryEvent::Held { reason: HoldReason::Frozen }),
        ("released", DeliveryEvent::Released),
        ("retry now", DeliveryEvent::RetryNow),
        ("withdrawn", DeliveryEvent::Withdrawn { why: "void".into() }),
    ]
}

/// `state / event -> next state, effects`; a pair not listed is refused. `(secret)` and `(plain)` where they differ.
const ACCEPTED: &str = "
planned / leased -> in-flight 1
planned / held -> held frozen 0
planned / retry now -> planned now
planned / withdrawn -> withdrawn
in-flight / 250 -> relayed; tell relayed
in-flight / 450 rcpt -> deferred 1 +5
in-flight / 451 mail -> deferred 0 +5
in-flight / 550 rcpt -> refused; tell undeliverable hard 5.1.1
in-flight / 554 mail -> held server-refuses 1; ask server-refuses
in-flight / 554 data -> held letter-refused 1; ask letter-refused
in-flight / not sent -> deferred 0 +5
in-flight / no answer (plain) -> unknown 1
in-flight / no answer (secret) -> unknown 1; ask outcome-unknown
in-flight / lease lost (plain) -> unknown 1
in-flight / lease lost (secret) -> unknown 1; ask outcome-unknown
in-flight / postponed -> planned 2020-05-01T09:07:00+09:00
in-flight / bounced -> bounced; tell undeliverable hard 5.1.1
in-flight / returned -> same
in-flight / delayed -> same
in-flight / withdrawn -> withdrawn
relayed / bounced -> bounced; tell undeliverable hard 5.1.1
relayed / returned -> deferred 1 +1440; tell returned
relayed / delayed -> same
deferred / leased -> in-flight 2
deferred / bounced -> bounced; tell undeliverable hard 5.1.1
deferred / returned -> same
deferred / delayed -> same
deferred / held -> held frozen 1
deferred / retry now -> deferred 1 +0
deferred / withdrawn -> withdrawn
refused / bounced -> same
refused / returned -> same
refused / delayed -> same
bounced / 250 -> same
bounced / 450 rcpt -> same
bounced / 451 mail -> same
bounced / 550 rcpt -> same
bounced / 554 mail -> same
bounced / 554 data -> same
bounced / not sent -> same
bounced / no answer -> same
bounced / bounced -> same
bounced / returned -> same
bounced / delayed -> same
unknown / leased (plain) -> in-flight 2
unknown / bounced -> bounced; tell undeliverable hard 5.1.1
unknown / returned -> deferred 1 +1440; tell returned
unknown / delayed -> relayed; tell relayed
unknown / held (plain) -> held frozen 1
unknown / retry now -> deferred 1 +0
unknown / withdrawn -> withdrawn
held / delayed -> same
held / released -> planned now
held / withdrawn -> withdrawn
held after attempt / bounced -> bounced; tell undeliverable hard 5.1.1
held after attempt / returned -> same
held after attempt / delayed -> same
held after attempt / released -> deferred 1 +0
held after attempt / withdrawn -> withdrawn
withdrawn / 250 -> relayed; tell relayed
withdrawn / 450 rcpt -> same
withdrawn / 451 mail -> same
withdrawn / 550 rcpt -> same
withdrawn / 554 mail -> same
withdrawn / 554 data -> same
withdrawn / not sent -> same
withdrawn / no answer -> same
withdrawn / bounced -> same
withdrawn / returned -> same
withdrawn / delayed -> same
";

fn word(value: impl Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

fn show(state: &Delivery, now: Timestamp) -> String {
    match state {
        Delivery::Planned { due } if *due == now => "planned now".into(),
        Delivery::Planned { due } => format!("planned {due}"),
        Delivery::InFlight { attempt, .. } => format!("in-flight {attempt}"),
        Delivery::Relayed { .. } => "relayed".into(),
        Delivery::Deferred { until, attempts, .. } => format!("deferred {attempts} +{}", until.since(now) / MINUTE),
        Delivery::Refused { .. } => "refused".into(),
        Delivery::Bounced { .. } => "bounced".into(),
        Delivery::Unknown { attempts, .. } => format!("unknown {attempts}"),
        Delivery::Held { reason, attempts, .. } => format!("held {} {attempts}", word(reason)),
        Delivery::Withdrawn { .. } => "withdrawn".into(),
    }
}

fn show_effect(effect: &DeliveryEffect) -> String {
    match effect {
        DeliveryEffect::TellMachine(Told::Relayed) => "; tell relayed".into(),
        DeliveryEffect::TellMachine(Told::Returned) => "; tell returned".into(),
        DeliveryEffect::TellMachine(Told::Undeliverable { class, status }) => {
            format!("; tell undeliverable {} {}", word(class), status.as_deref().unwrap_or("-"))
        }
        DeliveryEffect::AskStaff(reason) => format!("; ask {}", word(reason)),
    }
}

fn line(state: &(&str, Delivery), event: &(&str, DeliveryEvent), secret: bool) -> Option<String> {
    let now = t(1);
    let (next, effects) = step(&state.1, &event.1, secret, t(0), now, &schedule()).ok()?;
    let shown = if next == state.1 { "same".into() } else { show(&next, now) };
    Some(format!("{shown}{}", effects.iter().map(show_effect).collect::<String>()))
}

#[test]
fn every_state_meets_every_event() {
    let mut lines = Vec::new();
    for state in &states() {
        for event in &events() {
            let pair = format!("{} / {}", state.0, event.0);
            let (plain, secret) = (line(state, event, false), line(state, event, true));
            if plain == secret {
                lines.extend(plain.map(|l| format!("{pair} -> {l}\n")));
            } else {
                lines.extend(plain.map(|l| format!("{pair} (plain) -> {l}\n")));
                lines.extend(secret.map(|l| format!("{pair} (secret) -> {l}\n")));
            }
        }
    }
    let table = format!("\n{}", lines.concat());
    assert_eq!(table, ACCEPTED, "the table is now:{table}");
}

/// Runs attempts that all end alike; returns the minutes of each and the last state.
fn run(outcome: &Outcome, secret: bool) -> (Vec<i64>, Delivery) {
    let (mut state, mut at) = (Delivery::Planned { due: t(0) }, Vec::new());
    while let Some(due) = state.due(secret, &schedule()) {
        at.push(due.since(t(0)) / MINUTE);
        let leased = step(&state, &DeliveryEvent::Leased, secret, t(0), due, &schedule()).unwrap().0;
        let event = DeliveryEvent::Answered { outcome: outcome.clone() };
        state = step(&leased, &event, secret, t(0), due, &schedule()).unwrap().0;
        assert!(at.len() < 2_000, "never gives up");
    }
    (at, state)
}

#[test]
fn retries_follow_the_list_and_end_on_time() {
    let later = Outcome::Deferred { stage: Stage::Rcpt, reply: reply(450, "4.2.1 later") };
    let (at, last) = run(&later, true);
    assert_eq!(at[..5], [0, 5, 35, 155, 275]);
    assert_eq!(at.last(), Some(&(72 * 60)));
    assert_eq!(last, Delivery::Refused { at: t(72 * 60), reply: reply(450, "4.2.1 later") });
}

#[test]
fn trouble_on_our_side_never_makes_a_recipient_undeliverable() {
    for outcome in [
        Outcome::NotSent { why: "connection refused".into() },
        Outcome::Deferred { stage: Stage::Mail, reply: reply(421, "4.3.2 closing") },
        Outcome::Deferred { stage: Stage::Rcpt, reply: reply(421, "closing") },
    ] {
        let (at, last) = run(&outcome, true);
        assert_eq!(at[..3], [0, 5, 10]);
        assert_eq!(at.last(), Some(&(72 * 60)));
        assert_eq!(show(&last, t(0)), "held server-unreachable 1");
    }
}

#[test]
fn an_unknown_outcome_repeats_only_what_is_harmless() {
    let lost = Outcome::Unknown { why: "lost".into() };
    assert_eq!(run(&lost, true).0, [0]);
    let (at, end) = run(&lost, false);
    assert_eq!(at[..3], [0, 5, 10]);
    assert_eq!(show(&end, t(0)), format!("held outcome-unknown {}", at.len()));
}

#[test]
fn an_early_lease_is_refused() {
    let state = Delivery::Planned { due: t(10) };
    assert_eq!(step(&state, &DeliveryEvent::Leased, false, t(0), t(9), &schedule()), Err(Refused("not due yet")));
}

/// A letter held before its time does not leave early because it is let go.
#[test]
fn what_is_released_waits_for_its_time() {
    for (due, leaves) in [(t(90), t(90)), (t(-90), t(0))] {
        let released = |attempts| {
            let held = Delivery::Held { reason: HoldReason::Staff, due, attempts };
            step(&held, &DeliveryEvent::Released, false, t(0), t(0), &schedule()).unwrap().0
        };
        assert_eq!(released(0).due(false, &schedule()), Some(leaves));
        assert_eq!(released(1).due(false, &schedule()), Some(leaves));
    }
}

#[test]
fn states_survive_the_store() {
    for (name, state) in states() {
        let json = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<Delivery>(&json).unwrap(), state, "{name}: {json}");
    }
}
