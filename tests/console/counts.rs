//! What the board counts as things happen is what a walk over the whole store counts, whatever has happened in between.

use crate::site::refused;
use crate::world::{World, file, registration, relayed, who, world};
use annai::domain::TenantId;
use annai::domain::time::{DAY, MINUTE};
use annai::engine::records::WaveNo;
use annai::engine::staff::Verb;
use annai::engine::survey::Figures;
use annai::engine::views::board::Following;
use annai::engine::waves::WaveVerb;
use annai::letters::LetterKind;
use annai::workflow::ReissueReason;

fn check(world: &World, board: &Following, after: &str) {
    let now = world.clock.now();
    board.take_in().unwrap();
    let counted = board.ask(|board| board.figures(now)).unwrap();
    let walked = Figures { journal_in_order: false, ..world.engine.survey().figures(now).unwrap() };
    assert_eq!(counted, walked, "after {after}");
}

#[test]
fn what_is_counted_is_what_a_walk_finds() {
    let mut world = world(2);
    let board = Following::new(world.engine.survey());
    check(&world, &board, "the start");
    world.everybody();
    check(&world, &board, "accounts and their requests");
    file(&mut world.engine, 5, &registration("other", 2));
    file(&mut world.engine, 6, "From: x@example.jp\r\nSubject: spam\r\n\r\nbuy\r\n");
    check(&world, &board, "a changed address and a mail of no use");
    world.deliver(|_| relayed());
    check(&world, &board, "notices that wait for their wave");
    let act = |world: &mut World, verb: Verb| {
        world.engine.act(who("op"), &verb).unwrap();
    };
    act(&mut world, Verb::Wave(WaveVerb::Plan { letter: LetterKind::CertificateNotice }));
    let asked = world.asked("op", &Verb::Wave(WaveVerb::Release { wave: WaveNo(1), revision: 1 }));
    check(&world, &board, "a request");
    world.approve("ap", asked).unwrap();
    world.deliver(|to| if to.starts_with("yonago") { refused() } else { relayed() });
    check(&world, &board, "a refusal and a stopped wave");
    world.pass(20 * MINUTE);
    world.deliver(|_| relayed());
    check(&world, &board, "passwords");
    let tenant = |serial| TenantId { authority: "310000".parse().unwrap(), serial };
    act(&mut world, Verb::Reissue { tenant: tenant(0), reason: ReissueReason::Lost });
    act(&mut world, Verb::Cancel { tenant: tenant(1), reason: "試験".into() });
    act(&mut world, Verb::Wave(WaveVerb::Withdraw { wave: WaveNo(1), reason: "試験".into() }));
    check(&world, &board, "a re-issue, a cancellation and a wave taken back");
    world.pass(40 * DAY);
    world.deliver(|_| relayed());
    check(&world, &board, "the end of every window");
    // Another board, made from the tables of now, counts the same.
    check(&world, &Following::new(world.engine.survey()), "everything");
}
