//! A tenant's whole course: driven by the hour or by its wakes, through outages and clock jumps, re-issued, renewed, moved.

use super::{at, day, rules};
use annai::domain::tenant::Provenance;
use annai::domain::time::{DAY, HOUR};
use annai::domain::{Generation, MailNo, Tenant, TenantKind, Timestamp};
use annai::letters::LetterKind;
use annai::rules::Rules;
use annai::workflow::course::{Course, CourseEvent, step};
use annai::workflow::credential::{self, Credential};
use annai::workflow::enrolment::{Cause, Certificate, Password, State};
use annai::workflow::welcome::Welcome;
use annai::workflow::{Effect, Matter, Nonce, Policy, ReissueReason, RevocationReason};

fn tenant() -> Tenant {
    Tenant {
        id: "131032-01".parse().unwrap(),
        kind: TenantKind::HealthCentre,
        name: "みなと保健所".into(),
        address: "hoken@city.minato.example.jp".parse().unwrap(),
        provenance: Provenance { mail: MailNo(1), since: at("2020-04-24T10:00:00+09:00") },
    }
}

fn begin() -> Course {
    Course::begin(tenant(), Nonce([1; 16]), Nonce([2; 16]))
}

fn certificate(not_after: &str) -> Certificate {
    Certificate { serial: "c0ffee".into(), not_after: at(not_after) }
}

/// A course with a post office that relays every letter at the first open moment.
struct Life<'a> {
    rules: &'a Rules,
    course: Course,
    waiting: Vec<(Timestamp, LetterKind, Generation, u32)>,
    /// Day, letter and ordinal of everything relayed.
    relayed: Vec<String>,
    asked: Vec<Matter>,
}

impl<'a> Life<'a> {
    fn new(rules: &'a Rules) -> Self {
        Self { rules, course: begin(), waiting: Vec::new(), relayed: Vec::new(), asked: Vec::new() }
    }

    fn next(&self) -> Option<Timestamp> {
        let wake = self.course.next_wake(&Policy::of(self.rules));
        wake.into_iter().chain(self.waiting.iter().map(|letter| letter.0)).min()
    }

    fn apply(&mut self, event: &CourseEvent, now: Timestamp) {
        let policy = Policy::of(self.rules);
        let (next, effects) = step(&self.course, event, now, &policy).unwrap_or_else(|why| panic!("{event:?}: {why}"));
        self.course = next;
        for effect in effects {
            match effect {
                Effect::Queue { letter, generation, ordinal, not_before } => {
                    let due = policy.calendar.next_open(&self.rules.schedule.send_window, not_before);
                    self.waiting.push((due, letter, generation, ordinal));
                }
                Effect::WithdrawUnsent { generation, letters } => {
                    self.waiting.retain(|(_, letter, of, _)| *of != generation || !letters.contains(letter));
                }
                Effect::AskStaff(matter) => self.asked.push(matter),
                Effect::Revoke { .. } => {}
            }
        }
    }

    /// What the daemon does when it looks at the clock: wake, then post.
    fn turn(&mut self, now: Timestamp) {
        for _ in 0..20 {
            if self.course.next_wake(&Policy::of(self.rules)).is_some_and(|wake| wake <= now) {
                self.apply(&CourseEvent::Woke { spare: Nonce([9; 16]) }, now);
            }
            let due = self.waiting.iter().position(|letter| letter.0 <= now);
            let Some((_, letter, generation, ordinal)) = due.map(|at| self.waiting.remove(at)) else { return };
            self.relayed.push(format!("{} {}#{ordinal}", now.date(), letter.name()));
            self.apply(&CourseEvent::Relayed { letter, generation, ordinal }, now);
        }
        panic!("no end at {now}");
    }

    /// From `from` to `to`, each hour or only when something is due; not during the outage.
    fn run(&mut self, from: Timestamp, to: Timestamp, hourly: bool, outage: Option<(Timestamp, Timestamp)>) {
        let mut now = from;
        while now <= to {
            if outage.is_none_or(|(begins, ends)| now < begins || now >= ends) {
                self.turn(now);
            }
            let wanted = if hourly { Some(now.plus(HOUR)) } else { self.next() };
            now = match (wanted, outage) {
                (None, _) => return,
                (Some(next), Some((begins, ends))) if next >= begins && next < ends && !hourly => ends,
                (Some(next), _) => next.max(now.plus(1)),
            };
        }
    }
}

const REGISTERED: &str = "2020-04-24T10:00:00+09:00";
const WHOLE: [&str; 9] = [
    "2020-04-24 welcome#1",
    "2020-05-01 certificate-notice#1",
    "2020-05-01 pickup-password#1",
    "2020-05-11 credentials#1",
    "2020-05-15 reminder#14",
    "2020-05-22 reminder#7",
    "2020-05-28 reminder#3",
    "2020-05-29 reminder#1",
    "2020-06-01 expired#1",
];

#[test]
fn hourly_or_by_its_wakes_the_letters_are_the_same() {
    let rules = rules();
    for hourly in [true, false] {
        let mut life = Life::new(&rules);
        life.run(at(REGISTERED), at("2020-07-01T00:00:00+09:00"), hourly, None);
        assert_eq!(life.relayed, WHOLE, "hourly: {hourly}");
        assert_eq!(life.asked, [Matter::NotPickedUp { generation: Generation(1) }]);
        assert_eq!(life.next(), None);
    }
}

#[test]
fn after_an_outage_missed_reminders_are_one() {
    let rules = rules();
    let table = [
        // from, to, what is left of the reminders
        ("2020-05-14", "2020-05-26", "2020-05-26 reminder#7, 2020-05-28 reminder#3, 2020-05-29 reminder#1"),
        ("2020-05-14", "2020-05-29", "2020-05-29 reminder#1"),
        (
            "2020-05-16",
            "2020-05-21",
            "2020-05-15 reminder#14, 2020-05-22 reminder#7, 2020-05-28 reminder#3, 2020-05-29 reminder#1",
        ),
        ("2020-05-14", "2020-06-02", ""),
    ];
    for (begins, ends, expected) in table {
        for hourly in [true, false] {
            let mut life = Life::new(&rules);
            let outage = (day(begins).start(), day(ends).at("10:00".parse().unwrap()));
            life.run(at(REGISTERED), at("2020-07-01T00:00:00+09:00"), hourly, Some(outage));
            let reminders: Vec<_> = life.relayed.iter().filter(|l| l.contains("reminder")).cloned().collect();
            assert_eq!(reminders.join(", "), expected, "{begins} to {ends}, hourly: {hourly}");
            assert!(life.relayed.last().unwrap().ends_with("expired#1"));
        }
    }
}

/// A course as it stands at `until` if nobody does anything.
fn course_at(rules: &Rules, until: &str) -> Course {
    let mut life = Life::new(rules);
    life.run(at(REGISTERED), at(until), true, None);
    life.course
}

#[test]
fn a_clock_that_jumps_sends_nothing_twice_and_nothing_early() {
    let rules = rules();
    let policy = Policy::of(&rules);
    let woke = CourseEvent::Woke { spare: Nonce([9; 16]) };
    let open = course_at(&rules, "2020-05-16T12:00:00+09:00");
    for back in ["2020-05-15T00:00:00+09:00", "2020-04-01T00:00:00+09:00", "1970-01-01T00:00:00+09:00"] {
        assert_eq!(step(&open, &woke, at(back), &policy).unwrap(), (open.clone(), Vec::new()), "back to {back}");
    }
    // A year ahead: over at once, without reminders on the way.
    let (over, effects) = step(&open, &woke, at("2021-05-16T12:00:00+09:00"), &policy).unwrap();
    assert!(matches!(over.current().unwrap().state, State::Expired { .. }));
    let queued = |e: &&Effect| matches!(e, Effect::Queue { .. });
    assert_eq!(effects.iter().filter(queued).count(), 1, "{effects:?}");
}

/// Whatever happens, a wake at the wanted moment leaves nothing to be done at that moment: the scheduler cannot spin.
#[test]
fn waking_always_comes_to_rest() {
    let rules = rules();
    let policy = Policy::of(&rules);
    let mut dice: u64 = 20_200_501;
    let mut roll = move |n: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % n
    };
    let mut accepted = 0;
    for _ in 0..300 {
        let (mut course, mut now) = (begin(), at(REGISTERED));
        for _ in 0..60 {
            let generation = Generation(1 + u32::try_from(roll(3)).unwrap());
            let letter = LetterKind::ALL[usize::try_from(roll(9)).unwrap()];
            let ordinal = 1 + u32::try_from(roll(2)).unwrap();
            let event = match roll(10) {
                0..=3 => CourseEvent::Relayed { letter, generation, ordinal },
                4 => CourseEvent::Undeliverable { letter, generation, ordinal, why: "5.1.1".into() },
                5 => CourseEvent::PickedUp {
                    generation,
                    certificate: Certificate { serial: "1".into(), not_after: now.plus(200 * DAY) },
                },
                6 => CourseEvent::SeenInUse { generation },
                7 => CourseEvent::Reissued { reason: ReissueReason::Lost, nonce: Nonce([3; 16]) },
                8 => CourseEvent::Cancelled { reason: "asked".into() },
                _ => CourseEvent::AddressChanged {
                    address: "neu@city.minato.example.jp".parse().unwrap(),
                    provenance: tenant().provenance,
                    nonce: Nonce([4; 16]),
                },
            };
            if let Ok((next, _)) = step(&course, &event, now, &policy) {
                course = next;
                accepted += 1;
            }
            for _ in 0..roll(3) {
                let Some(wake) = course.next_wake(&policy) else { break };
                now = now.max(wake);
                course = step(&course, &CourseEvent::Woke { spare: Nonce([9; 16]) }, now, &policy).unwrap().0;
                assert!(course.next_wake(&policy).is_none_or(|next| next > now), "spins at {now}: {course:?}");
            }
            now = now.plus(i64::try_from(roll(3 * 86_400)).unwrap());
        }
    }
    assert!(accepted > 3_000, "only {accepted} events were accepted");
}

/// A course whose first generation stands in this state, on 2020-05-16.
fn in_state(rules: &Rules, name: &str) -> Course {
    let mut course = course_at(rules, "2020-05-16T12:00:00+09:00");
    let now = at("2020-05-16T12:00:00+09:00");
    let State::Open { notice_relayed, deadline, reminded, .. } = course.enrolments[0].state.clone() else { panic!() };
    let certificate = certificate("2022-05-16T12:00:00+09:00");
    course.enrolments[0].state = match name {
        "registered" => State::Registered,
        "notice-queued" => State::NoticeQueued { stated: day("2020-06-17") },
        "open" => State::Open { notice_relayed, deadline, reminded, password: Password::Relayed { at: now } },
        "collected" => State::Collected { at: now, certificate },
        "in-use" => State::InUse { at: now, certificate },
        "undeliverable" => State::Undeliverable { at: now, letter: LetterKind::CertificateNotice, why: "5.1.1".into() },
        "expired" => State::Expired { at: now, deadline },
        "cancelled" => State::Cancelled { at: now, reason: "asked".into() },
        "revoked" => State::Revoked { at: now, certificate, reason: RevocationReason::KeyCompromise },
        _ => panic!("no state {name}"),
    };
    course
}

fn states_of(course: &Course) -> String {
    let name = |state: &State| format!("{state:?}").split([' ', '{']).next().unwrap().to_owned();
    course.enrolments.iter().map(|e| name(&e.state)).collect::<Vec<_>>().join(" ")
}

fn after(rules: &Rules, state: &str, event: &CourseEvent) -> (Course, Vec<Effect>) {
    step(&in_state(rules, state), event, at("2020-05-16T12:00:00+09:00"), &Policy::of(rules)).unwrap()
}

#[test]
fn re_issue_in_every_state() {
    let rules = rules();
    let table = [
        // first generation, after a re-issue, after one because it was lost
        ("registered", "Superseded Registered", "Superseded Registered"),
        ("notice-queued", "Superseded Registered", "Superseded Registered"),
        ("open", "Superseded Registered", "Superseded Registered"),
        ("collected", "Collected Registered", "Revoked Registered"),
        ("in-use", "InUse Registered", "Revoked Registered"),
        ("undeliverable", "Superseded Registered", "Superseded Registered"),
        ("expired", "Superseded Registered", "Superseded Registered"),
        ("cancelled", "Superseded Registered", "Superseded Registered"),
        ("revoked", "Revoked Registered", "Revoked Registered"),
    ];
    for (state, usual, lost) in table {
        for (reason, expected) in [(ReissueReason::TerminalReplaced, usual), (ReissueReason::Lost, lost)] {
            let (course, effects) = after(&rules, state, &CourseEvent::Reissued { reason, nonce: Nonce([3; 16]) });
            assert_eq!(states_of(&course), expected, "{state}, {reason:?}");
            let revokes =
                effects.iter().any(|e| matches!(e, Effect::Revoke { reason: RevocationReason::KeyCompromise, .. }));
            assert_eq!(
                revokes,
                expected.starts_with("Revoked") && state != "revoked",
                "{state}: lost is revoked at once"
            );
            assert_eq!(course.current().unwrap().cause, Cause::Reissue);
            assert_ne!(course.enrolments[0].nonce, course.enrolments[1].nonce, "a new code");
        }
    }
}

#[test]
fn a_changed_address_in_every_state() {
    let rules = rules();
    let address: annai::domain::MailAddress = "shin@city.minato.example.jp".parse().unwrap();
    let event = CourseEvent::AddressChanged {
        address: address.clone(),
        provenance: Provenance { mail: MailNo(7), since: at("2020-05-16T12:00:00+09:00") },
        nonce: Nonce([3; 16]),
    };
    let table = [
        ("registered", "Registered"),
        ("notice-queued", "Superseded Registered"),
        ("open", "Superseded Registered"),
        ("collected", "Collected"),
        ("in-use", "InUse"),
        ("undeliverable", "Superseded Registered"),
        ("expired", "Expired"),
        ("cancelled", "Cancelled"),
        ("revoked", "Revoked"),
    ];
    for (state, expected) in table {
        let (course, _) = after(&rules, state, &event);
        assert_eq!(states_of(&course), expected, "{state}");
        assert_eq!(course.welcome, Welcome::Waiting { attempt: 2 }, "{state}: the new address is tried first");
        assert_eq!((&course.tenant.address, course.tenant.provenance.mail), (&address, MailNo(7)));
        assert!(
            matches!(course.credential.state, credential::State::Relayed { .. }),
            "{state}: not sent twice unasked"
        );
    }
}

#[test]
fn credentials_leave_only_after_the_launch_and_the_password() {
    let rules = rules();
    let policy = Policy::of(&rules);
    let mut course = in_state(&rules, "open");
    assert_eq!(course.credentials_from(&policy), Some(day("2020-05-11").start()), "not before their launch");
    let State::Open { notice_relayed, deadline, reminded, .. } = course.enrolments[0].state else { panic!() };
    for password in [Password::Waiting { from: notice_relayed }, Password::Queued] {
        course.enrolments[0].state = State::Open { notice_relayed, deadline, reminded, password };
        assert_eq!(course.credentials_from(&policy), None, "{password:?}");
    }
    for state in ["registered", "notice-queued", "undeliverable"] {
        assert_eq!(in_state(&rules, state).credentials_from(&policy), None, "{state}");
    }
}

#[test]
fn news_of_a_letter_to_an_earlier_address_changes_nothing() {
    let rules = rules();
    let policy = Policy::of(&rules);
    let now = at("2020-05-16T12:00:00+09:00");
    let generation = annai::workflow::welcome::NO_GENERATION;
    for welcome in [Welcome::Queued { attempt: 2 }, Welcome::Standing { attempt: 2, since: now }] {
        let course = Course { welcome, ..in_state(&rules, "registered") };
        let (letter, why) = (LetterKind::Welcome, "5.1.1".to_owned());
        let late = CourseEvent::Relayed { letter, generation, ordinal: 1 };
        let bounce = CourseEvent::Undeliverable { letter, generation, ordinal: 1, why };
        assert!(step(&course, &late, now, &policy).is_err() && step(&course, &bounce, now, &policy).is_err());
    }
    let mut course = in_state(&rules, "open");
    course.credential = Credential { nonce: Nonce([2; 16]), attempt: 2, state: credential::State::Queued };
    for letter in [LetterKind::Credentials, LetterKind::CredentialsReady] {
        let late = CourseEvent::Relayed { letter, generation, ordinal: 1 };
        let bounce = CourseEvent::Undeliverable { letter, generation, ordinal: 1, why: "5.1.1".to_owned() };
        assert!(step(&course, &late, now, &policy).is_err() && step(&course, &bounce, now, &policy).is_err());
    }
}

#[test]
fn a_dead_address_keeps_back_what_has_not_left() {
    let rules = rules();
    let generation = annai::workflow::welcome::NO_GENERATION;
    let event = CourseEvent::Undeliverable { letter: LetterKind::Welcome, generation, ordinal: 1, why: "5.1.1".into() };
    for (state, expected) in
        [("registered", "Registered"), ("notice-queued", "Undeliverable"), ("open", "Open"), ("in-use", "InUse")]
    {
        let (course, effects) = after(&rules, state, &event);
        assert_eq!(states_of(&course), expected, "{state}");
        assert_eq!(effects.iter().filter(|e| matches!(e, Effect::AskStaff(_))).count(), 1, "staff are asked once");
    }
}

#[test]
fn a_certificate_is_renewed_by_the_ladder_and_replaced_on_pick_up() {
    let rules = rules();
    let policy = Policy::of(&rules);
    let mut life = Life::new(&rules);
    life.course = in_state(&rules, "in-use");
    // 60 days before 2022-05-16: the old certificate goes on while the new one waits. Not picked up: once more 14 days before.
    life.run(at("2020-05-16T12:00:00+09:00"), at("2022-05-09T10:00:00+09:00"), false, None);
    let notices: Vec<_> = life.relayed.iter().filter(|l| l.contains("notice")).cloned().collect();
    assert_eq!(notices, ["2022-03-17 certificate-notice#1", "2022-05-02 certificate-notice#1"]);
    assert_eq!(states_of(&life.course), "InUse Expired Open");
    // A certificate found compromised can be revoked while its renewal is under way.
    let now = at("2022-05-09T10:00:00+09:00");
    let revoked = CourseEvent::Revoked { reason: RevocationReason::KeyCompromise };
    assert_eq!(states_of(&step(&life.course, &revoked, now, &policy).unwrap().0), "Revoked Expired Open");
    let picked_up =
        CourseEvent::PickedUp { generation: Generation(3), certificate: certificate("2024-05-09T10:00:00+09:00") };
    let (course, effects) = step(&life.course, &picked_up, now, &policy).unwrap();
    assert_eq!(states_of(&course), "Superseded Superseded Collected");
    assert!(effects.contains(&Effect::Revoke { serial: "c0ffee".into(), reason: RevocationReason::Superseded }));
    assert_eq!(course.next_wake(&policy), Some(day("2024-03-10").start()));
}
