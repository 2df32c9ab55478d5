//! Where the machines change their mind by a count or a moment: both sides of each bound.

use super::{at, rules};
use annai::domain::time::MINUTE;
use annai::rules::WavePolicy;
use annai::workflow::delivery::{self, Delivery, DeliveryEvent, RETURN_PAUSE, RETURNED_FOR};
use annai::workflow::wave::{self, BATCH, Tally, Wave, WaveEffect, WaveEvent};

const POLICY: WavePolicy = WavePolicy { canaries: 2, canary_minutes: 10, stop_at: 3, free_per_day: 20 };

#[test]
fn letters_leave_without_a_wave_once_one_was_done_and_while_they_are_few() {
    let waits = |first_done, queued_today| wave::must_wait(first_done, queued_today, &POLICY);
    assert!(waits(false, 0), "nobody has looked at the first letters of this kind");
    assert_eq!([waits(true, 0), waits(true, 19), waits(true, 20), waits(true, 21)], [false, false, true, true]);
}

/// All canaries have left: they stand for the configured minutes, and only then the others follow.
#[test]
fn canaries_stand_for_the_configured_minutes() {
    let left = at("2020-05-01T09:00:00+09:00");
    let looked = WaveEvent::Looked { tally: Tally { waiting: 30, left: 2, ..Tally::default() } };
    let look = |state: &Wave, now| wave::step(state, &looked, now, &POLICY).unwrap();
    let under_way = Wave::Canaries { since: left, until: None, forgiven: 0 };
    let stand_until = left.plus(10 * MINUTE);
    let standing = Wave::Canaries { since: left, until: Some(stand_until), forgiven: 0 };
    assert_eq!(look(&under_way, left), (standing.clone(), Vec::new()));
    assert_eq!(look(&standing, stand_until.plus(-1)), (standing.clone(), Vec::new()));
    let (running, effects) = look(&standing, stand_until);
    assert_eq!(running, Wave::Running { since: stand_until, forgiven: 0 });
    assert_eq!(effects, [WaveEffect::LetGo(BATCH)]);
}

/// A full mailbox is tried once more a day later, for a week; then the letter counts as undeliverable.
#[test]
fn a_letter_that_returns_is_given_up_after_a_week() {
    let first = at("2020-05-01T09:00:00+09:00");
    let schedule = &rules().schedule;
    let returned_after = |seconds| {
        let now = first.plus(seconds);
        let relayed = Delivery::Relayed { at: now, reply: None };
        let event = DeliveryEvent::Returned { status: None };
        (delivery::step(&relayed, &event, false, first, now, schedule).unwrap().0, now)
    };
    let (again, now) = returned_after(RETURNED_FOR - 1);
    assert!(matches!(again, Delivery::Deferred { until, .. } if until == now.plus(RETURN_PAUSE)), "{again:?}");
    let (over, _) = returned_after(RETURNED_FOR);
    assert!(matches!(over, Delivery::Bounced { .. }), "{over:?}");
}
