//! A seeded simulation: the real engine over the real store, around it a mailbox, an SMTP server, officers and staff played
//! by dice, 60 virtual days. After every hour and every letter the invariants of DESIGN §5 are checked (I1 to I8, I10, I11
//! as far as the engine holds them; what sockets do is tested with real servers elsewhere).
//!
//! Each test prints its seed when it fails; `ANNAI_TEST_SEED=… cargo test --test simulation replay` lives it again.

#[path = "simulation/checks.rs"]
mod checks;
#[path = "support/dice.rs"]
mod dice;
#[path = "simulation/mails.rs"]
mod mails;
#[path = "simulation/world.rs"]
mod world;

use annai::domain::time::{HOUR, MINUTE, Weekday};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use world::{TIMETABLES, World};

const DAYS: i64 = 60;

fn live(seed: u64) {
    let mut world = World::new(seed);
    let told = catch_unwind(AssertUnwindSafe(|| {
        let end = world.now().plus(DAYS * 24 * HOUR);
        while world.now() < end {
            hour(&mut world);
        }
        world.crash(false);
        checks::audit(&world);
        checks::no_secret_at_rest(&world);
        println!("{}: {}", checks::place(seed, world.now()), checks::something_happened(&world));
    }));
    if let Err(panic) = told {
        println!("{}", checks::place(seed, world.now()));
        resume_unwind(panic);
    }
}

/// One turn of the daemon: about an hour, sometimes minutes, sometimes an outage of days.
fn hour(world: &mut World) {
    let day = world.now().date();
    let seconds = match world.dice.below(1_000) {
        0..100 => 11 * MINUTE,
        100..104 => 24 * HOUR + world.dice.seconds(0, 96 * HOUR),
        _ => HOUR,
    };
    world.pass(seconds);
    world.come_to_pass();
    for _ in 0..100 {
        world.read_mailbox(20);
        world.engine().commit().unwrap();
        if world.view().filed().unwrap() >= u64::try_from(world.mailbox.len()).unwrap() {
            break;
        }
    }
    world.wake_all();
    world.engine().commit().unwrap();
    world.deliver_all();
    if world.dice.permille(200) {
        checks::always(world);
    }
    let now = world.now();
    let office = ![Weekday::Sat, Weekday::Sun].contains(&now.date().weekday());
    if office && [10, 15].contains(&(now.time_of_day().0 / 60)) {
        world.staff();
        checks::always(world);
    }
    match world.dice.below(1_000) {
        0..8 => crash(world, false),
        8..16 => crash(world, true),
        16..18 => world.uid_validity += 1,
        18..22 => {
            let timetable = world.dice.below(TIMETABLES.len());
            world.reload(timetable);
            checks::always(world);
        }
        _ => {}
    }
    if world.now().date() != day && world.view().cursor().unwrap().is_some_and(|c| c.uid_validity == world.uid_validity)
    {
        world.wake_all();
        checks::daily(world);
    }
}

fn crash(world: &mut World, losing: bool) {
    world.crash(losing);
    checks::audit(world);
    checks::always(world);
}

#[test]
fn sixty_days() {
    live(1);
}

#[test]
fn sixty_days_more() {
    live(2);
}

#[test]
fn sixty_other_days() {
    live(20_200_501);
}

/// The life of `ANNAI_TEST_SEED` (`random`: another one each time); by default one in which staff settled, within an
/// hour, what they had just settled.
#[test]
fn replay() {
    live(dice::seed(Some(4_219_063_472_335_526_819)));
}
