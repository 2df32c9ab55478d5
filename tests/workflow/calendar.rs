//! Business days, deadlines, reminders, hold and send window in 2020 and 2026, with the holidays as delivered.

use super::{at, day, rules};
use annai::domain::{Generation, Timestamp};
use annai::letters::{CertificateLetter, LetterKind};
use annai::workflow::enrolment::{self, EnrolmentEvent, State};
use annai::workflow::welcome::Welcome;
use annai::workflow::{Effect, Policy};

/// Relays the notice at `relayed`, wakes whenever the machine wants to be woken: deadline, and the days of reminders.
fn window(relayed: &str) -> (String, Vec<String>) {
    let rules = rules();
    let policy = Policy::of(&rules);
    let now = at(relayed);
    let event = EnrolmentEvent::Relayed { letter: CertificateLetter::Notice };
    let queued = State::NoticeQueued { stated: now.date() };
    let (mut state, _) = enrolment::step(Generation(1), &queued, &event, now, &policy).unwrap();
    let State::Open { deadline, .. } = state else { panic!("{state:?}") };
    let mut reminders = Vec::new();
    let proven = Some(at(relayed));
    while let Some(wake) = state.next_wake(proven, &policy) {
        let event = EnrolmentEvent::Woke { secrets_from: proven };
        let (next, effects) = enrolment::step(Generation(1), &state, &event, wake, &policy).unwrap();
        let reminded = |e: &&Effect| matches!(e, Effect::Queue { letter: LetterKind::Reminder, .. });
        reminders.extend(effects.iter().filter(reminded).map(|_| wake.date().to_string()));
        state = next;
    }
    assert!(matches!(state, State::Expired { at, .. } if at == deadline.end().plus(1)), "{state:?}");
    (deadline.official(), reminders)
}

#[test]
fn deadlines_and_reminders() {
    let table = [
        // The seed's own dates. 17, 24 and 30 May 2020 are no business days.
        ("2020-05-01T09:00:00+09:00", "令和2年5月31日（日）", "2020-05-15 2020-05-22 2020-05-28 2020-05-29"),
        // Late in the evening counts as that day; one second later as the next.
        ("2020-05-01T23:59:59+09:00", "令和2年5月31日（日）", "2020-05-15 2020-05-22 2020-05-28 2020-05-29"),
        ("2020-05-02T00:00:00+09:00", "令和2年6月1日（月）", "2020-05-18 2020-05-25 2020-05-29"),
        // Over New Year, 31 December to 3 January closed: 2020-12-05 + 30 = 4 January.
        ("2020-12-05T10:00:00+09:00", "令和3年1月4日（月）", "2020-12-21 2020-12-28"),
        // Golden Week 2026: 29 April, 3 to 6 May (6 is the substitute). 14 before is 22 April, 7 before 28 April (29 is one).
        ("2026-04-06T10:00:00+09:00", "令和8年5月6日（水）", "2026-04-22 2026-04-28 2026-05-01"),
        // Silver Week 2026: 21, 22 and 23 September are holidays (22 stands between two).
        ("2026-08-25T10:00:00+09:00", "令和8年9月24日（木）", "2026-09-10 2026-09-17 2026-09-18"),
    ];
    for (relayed, deadline, reminders) in table {
        assert_eq!(
            window(relayed),
            (deadline.to_owned(), reminders.split(' ').map(str::to_owned).collect()),
            "{relayed}"
        );
    }
}

#[test]
fn reminders_on_or_before_the_day_of_the_notice_are_dropped() {
    let mut rules = rules();
    rules.schedule.window_days = 7;
    rules.schedule.reminder_days_before = vec![6, 5, 3, 1];
    let policy = Policy::of(&rules);
    // Saturday 2 May to Saturday 9 May: 3, 4 and 6 May move back to Friday the 1st, before the notice; 8 May stays.
    let state = State::Open {
        notice_relayed: at("2020-05-02T10:00:00+09:00"),
        deadline: day("2020-05-09"),
        reminded: None,
        password: enrolment::Password::Queued,
    };
    assert_eq!(state.next_wake(Some(at("2020-05-01T10:00:00+09:00")), &policy), Some(day("2020-05-08").start()));
    // On the day of the notice itself nobody is reminded either.
    let State::Open { deadline, reminded, password, .. } = state.clone() else { panic!("{state:?}") };
    let that_day = State::Open { notice_relayed: at("2020-05-01T10:00:00+09:00"), deadline, reminded, password };
    assert_eq!(that_day.next_wake(Some(at("2020-05-01T10:00:00+09:00")), &policy), Some(day("2020-05-08").start()));
    // An address that has turned out to be dead is not reminded; the deadline stands.
    assert_eq!(state.next_wake(None, &policy), Some(day("2020-05-09").end().plus(1)));
}

#[test]
fn a_password_waits_its_minutes_after_the_notice_and_the_code_opens_until_the_deadline() {
    let rules = rules();
    let policy = Policy::of(&rules);
    let relayed = at("2020-05-01T10:00:00+09:00");
    let event = EnrolmentEvent::Relayed { letter: CertificateLetter::Notice };
    let queued = State::NoticeQueued { stated: day("2020-05-31") };
    let (open, effects) = enrolment::step(Generation(1), &queued, &event, relayed, &policy).unwrap();
    assert_eq!(effects, []);
    for (seconds, letters) in [(0, 0), (599, 0), (600, 1)] {
        let event = EnrolmentEvent::Woke { secrets_from: Some(relayed) };
        let (_, effects) = enrolment::step(Generation(1), &open, &event, relayed.plus(seconds), &policy).unwrap();
        assert_eq!(effects.len(), letters, "{seconds} s after the notice: {effects:?}");
    }
    for (moment, opens) in [("2020-05-31T23:59:59+09:00", true), ("2020-06-01T00:00:00+09:00", false)] {
        assert_eq!((queued.is_open(at(moment)), open.is_open(at(moment))), (false, opens), "{moment}");
    }
}

#[test]
fn secrets_wait_until_the_welcome_has_stood() {
    let table = [
        // relayed, business days to stand, secrets from
        ("2020-04-28T10:00:00+09:00", 1, "2020-04-30T10:00:00+09:00"),
        ("2020-05-01T10:00:00+09:00", 1, "2020-05-07T10:00:00+09:00"),
        ("2020-05-01T10:00:00+09:00", 2, "2020-05-08T10:00:00+09:00"),
        ("2020-05-02T10:00:00+09:00", 1, "2020-05-07T10:00:00+09:00"),
        ("2020-05-01T10:00:00+09:00", 0, "2020-05-01T10:00:00+09:00"),
        ("2026-04-28T15:00:00+09:00", 1, "2026-04-30T15:00:00+09:00"),
        ("2026-05-01T15:00:00+09:00", 1, "2026-05-07T15:00:00+09:00"),
        ("2026-12-28T15:00:00+09:00", 1, "2027-01-04T15:00:00+09:00"),
    ];
    for (relayed, hold, from) in table {
        let mut rules = rules();
        rules.schedule.welcome_hold_business_days = hold;
        let welcome = Welcome::Standing { attempt: 1, since: at(relayed) };
        assert_eq!(welcome.secrets_from(&Policy::of(&rules)), Some(at(from)), "{relayed} + {hold}");
    }
}

#[test]
fn the_send_window() {
    let rules = rules();
    let policy = Policy::of(&rules);
    let table = [
        ("2020-05-01T08:59:59+09:00", "2020-05-01T09:00:00+09:00"),
        ("2020-05-01T09:00:00+09:00", "2020-05-01T09:00:00+09:00"),
        ("2020-05-01T16:29:59+09:00", "2020-05-01T16:29:59+09:00"),
        ("2020-05-01T16:30:00+09:00", "2020-05-07T09:00:00+09:00"),
        ("2020-12-28T16:30:00+09:00", "2021-01-04T09:00:00+09:00"),
        ("2026-05-01T18:00:00+09:00", "2026-05-07T09:00:00+09:00"),
        ("2026-09-18T18:00:00+09:00", "2026-09-24T09:00:00+09:00"),
        ("2026-11-22T12:00:00+09:00", "2026-11-24T09:00:00+09:00"),
    ];
    for (from, open) in table {
        assert_eq!(policy.calendar.next_open(&rules.schedule.send_window, at(from)), at(open), "{from}");
    }
}

#[test]
fn a_notice_written_while_the_window_is_closed_promises_the_deadline_of_the_day_it_leaves() {
    let rules = rules();
    let policy = Policy::of(&rules);
    let woke = |now: Timestamp| {
        let event = EnrolmentEvent::Woke { secrets_from: Some(now) };
        enrolment::step(Generation(1), &State::Registered, &event, now, &policy).unwrap().0
    };
    // Friday evening before Golden Week: it leaves on Thursday 7 May.
    assert_eq!(woke(at("2020-05-01T17:00:00+09:00")), State::NoticeQueued { stated: day("2020-06-06") });
    assert_eq!(woke(at("2020-05-01T10:00:00+09:00")), State::NoticeQueued { stated: day("2020-05-31") });
    // The relay may be later than planned: then the officer has longer. Never shorter than what the notice says.
    for (relayed, deadline) in
        [("2020-05-08T09:00:00+09:00", "2020-06-07"), ("2020-05-06T09:00:00+09:00", "2020-06-06")]
    {
        let event = EnrolmentEvent::Relayed { letter: CertificateLetter::Notice };
        let queued = State::NoticeQueued { stated: day("2020-06-06") };
        let (state, _) = enrolment::step(Generation(1), &queued, &event, at(relayed), &policy).unwrap();
        assert!(matches!(state, State::Open { deadline: found, .. } if found == day(deadline)), "{state:?}");
    }
}

/// A notice names the day its window ends if it leaves on the day it was written for; on another day it is outdated.
#[test]
fn a_notice_is_outdated_when_it_leaves_on_another_day() {
    let rules = rules();
    let policy = Policy::of(&rules);
    let stated = day("2020-05-31");
    for (written, leaves, until, outdated) in [
        (None, "2020-04-30", "2020-05-31", false),
        (None, "2020-05-01", "2020-05-31", false),
        (None, "2020-05-02", "2020-06-01", true),
        (None, "2020-05-31", "2020-06-30", true),
        (None, "2020-06-15", "2020-07-15", true),
        (Some("2020-06-15"), "2020-06-15", "2020-07-15", false),
        (Some("2020-06-15"), "2020-06-16", "2020-07-16", true),
    ] {
        assert_eq!(enrolment::pick_up_until(day(leaves), stated, &policy), day(until), "{leaves}");
        assert_eq!(enrolment::is_outdated(written.map(day), stated, day(leaves), &policy), outdated, "{leaves}");
    }
}
