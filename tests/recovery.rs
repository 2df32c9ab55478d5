//! kill -9 at random moments of runs that read mails, send letters and wake tenants: afterwards everything is as after
//! an undisturbed run, up to letters that came twice under one Message-ID (invariant I7).
//!
//! The seed of the moments is printed; `ANNAI_TEST_SEED=<u64>` draws the same ones again.

#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/dice.rs"]
mod dice;
#[path = "recovery/outcome.rs"]
mod outcome;
#[path = "recovery/stages.rs"]
mod stages;
mod support;

use annai::clock::monotonic;
use annai::domain::Timestamp;
use annai::engine::staff::Verb;
use annai::sandbox::{Faults, ImapFault, ImapRule, ImapVerb, When};
use annai::workflow::delivery::Delivery;
use dice::{Dice, seed};
use outcome::{Outcome, check_after_kill};
use stages::{STAGES, Stage};
use std::process::{Child, Stdio};
use std::time::Duration;
use support::flow::engine;
use support::local::{Local, outbox};
use support::place::PATIENCE;

/// Kills of the disturbed run; the issue asks for 200.
const KILLS: usize = 210;
/// Most kills are this soon after the daemon has reached its mailbox.
const SOON: Duration = Duration::from_millis(40);
/// Runs of a stage that may end before they are killed.
const MISSED_MAX: u32 = 40;
/// Rounds of settling after which nothing may be open any more.
const SETTLING_MAX: u32 = 10;

#[test]
fn killed_at_any_moment_it_ends_as_if_nothing_had_happened() {
    let seed = seed(None);
    let began = monotonic();
    let mut dice = Dice(seed);

    let calm = Local::start();
    let mut times = Vec::new();
    for stage in STAGES {
        stage.prepare(&calm);
        times.push(undisturbed(&calm, stage.at));
        settle(&calm, stage);
    }
    let expected = Outcome::of(&calm);
    Outcome::is_whole(&calm);
    println!("undisturbed: {} different letters, {:?}", expected.count("letter"), began.elapsed());

    let rough = Local::start();
    let (mut kills, mut staff) = (0, 0);
    for (no, (stage, time)) in STAGES.iter().zip(times).enumerate() {
        stage.prepare(&rough);
        let quota = (KILLS - kills).div_ceil(STAGES.len() - no);
        let (mut here, mut missed) = (0, 0_u32);
        while here < quota && missed < MISSED_MAX {
            // On a busy machine the daemon may be faster than we are.
            let patience = time / (1 + missed);
            if !killed(&rough, stage.at, &mut dice, patience) {
                missed += 1;
                continue;
            }
            here += 1;
            check_after_kill(&rough);
        }
        println!("{}: {here} of {quota} kills, undisturbed {time:?}", stage.at);
        kills += here;
        undisturbed(&rough, stage.at);
        staff += settle(&rough, stage);
    }
    let found = Outcome::of(&rough);
    let delivered = rough.receiver.letters().len();
    println!(
        "{kills} kills, {delivered} letters delivered, {} of them asked for by staff, {:?}",
        staff,
        began.elapsed()
    );
    Outcome::is_whole(&rough);
    assert_eq!(found.differences(&expected), Vec::<String>::new(), "killed, undisturbed; ANNAI_TEST_SEED={seed}");
    assert!(kills >= 200, "only {kills} runs lasted until they were killed");
}

/// Starts `serve --once` with true chance, and returns when it has reached the mailbox or has ended.
fn begin(local: &Local, now: &str) -> Child {
    let reached = ImapRule { at: Some(ImapVerb::Greeting), when: When::Always, act: ImapFault::Before(String::new()) };
    local.receiver.office.set_faults(Faults { imap: vec![reached], ..Faults::default() });
    local.receiver.set_now(now);
    let mut command = local.place.command(now, &["serve", "--once"]);
    command.env_remove("ANNAI_SEED").env("ANNAI_LOG", "error").stdout(Stdio::null()).stderr(Stdio::inherit());
    let mut child = command.spawn().expect("annai runs");
    let end = monotonic() + PATIENCE;
    while local.receiver.office.played().imap.first() == Some(&0) && child.try_wait().unwrap().is_none() {
        assert!(monotonic() < end, "annai never reached the mailbox");
        std::thread::park_timeout(Duration::from_micros(200));
    }
    child
}

/// A run to its end; how long it took from the mailbox on.
fn undisturbed(local: &Local, now: &str) -> Duration {
    let mut child = begin(local, now);
    let began = monotonic();
    assert!(child.wait().unwrap().success(), "the run at {now} failed");
    began.elapsed()
}

/// A run that is killed, if it lasts so long: mostly soon, sometimes at any moment up to the end of an undisturbed run.
fn killed(local: &Local, now: &str, dice: &mut Dice, whole: Duration) -> bool {
    let mut child = begin(local, now);
    let limit = if dice.below(4) == 0 { whole } else { whole.min(SOON) };
    let delay = dice.wait(limit);
    let end = monotonic() + delay;
    while let Some(rest) = end.checked_duration_since(monotonic()).filter(|rest| !rest.is_zero()) {
        std::thread::park_timeout(rest);
    }
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

/// Goes on until nothing is open: letters cut off are sent again a little later, those with secrets once staff say so.
/// How many of the latter there were.
fn settle(local: &Local, stage: &Stage) -> usize {
    let at: Timestamp = stage.at.parse().unwrap();
    let mut staff = 0;
    for round in 1..=SETTLING_MAX {
        let now = at.plus(i64::from(round) * 61).rfc3339();
        let unknown: Vec<_> = outbox(&local.store())
            .into_iter()
            .filter(|row| matches!(row.delivery, Delivery::Unknown { .. }))
            .map(|row| row.no)
            .collect();
        staff += unknown.len();
        if !unknown.is_empty() {
            let mut engine = engine(&local.place, &now);
            for row in unknown {
                engine.act("tester", &Verb::Retry { row }).unwrap();
            }
            engine.commit().unwrap();
        }
        undisturbed(local, &now);
        let open = outbox(&local.store()).into_iter().any(|row| {
            matches!(row.delivery, Delivery::Unknown { .. } | Delivery::InFlight { .. } | Delivery::Deferred { .. })
        });
        if !open {
            return staff;
        }
    }
    panic!("letters of {} are still open after {SETTLING_MAX} rounds", stage.at);
}
