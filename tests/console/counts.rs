//! What the board counts as things happen is what a walk over the whole store counts, whatever has happened in between.

use crate::site::refused;
use crate::world::{World, file, registration, relayed, who, world};
use annai::domain::time::{DAY, MINUTE};
use annai::domain::{Date, MailNo, RowNo, TenantId};
use annai::engine::records::{Disposition, WaveNo};
use annai::engine::staff::Verb;
use annai::engine::survey::Figures;
use annai::engine::views::board::{Board, Following, Query};
use annai::engine::views::words::{DELIVERY, ENROLMENT};
use annai::engine::waves::WaveVerb;
use annai::letters::LetterKind;
use annai::workflow::ReissueReason;

fn check(world: &World, board: &Following, after: &str) {
    let now = world.clock.now();
    board.take_in().unwrap();
    let counted = board.ask(|board| board.figures(now)).unwrap();
    let walked = Figures { journal_in_order: false, ..world.engine.survey().figures(now).unwrap() };
    assert_eq!(counted, walked, "after {after}");
    let anew = Following::new(world.engine.survey());
    anew.take_in().unwrap();
    for query in QUERIES {
        let found = found(board, query, now.date());
        assert_eq!(found, self::found(&anew, query, now.date()), "{query} after {after}, on a board made anew");
        // With a key that fits everything each card is looked at; without, only what words are looked for in.
        for (place, states) in [&ENROLMENT[..], &DELIVERY, &Disposition::WORDS].into_iter().enumerate() {
            let codes: Vec<_> = states.iter().map(|state| state.0).collect();
            let looked_at = self::found(board, &format!("{query} state:{}", codes.join(",")), now.date());
            assert_eq!(found[place], looked_at[place], "{query} after {after}, card by card");
        }
    }
}

/// What words are looked for in.
const QUERIES: [&str; 12] = [
    "domain:lg.jp",
    "domain:@pref.tottori-mihon.lg.jp",
    "domain:example.jp",
    "address:YONAGO",
    "address:米子",
    "id:310000-01",
    "鳥取",
    "yonago 310000",
    "通知",
    "name:保健所",
    "other",
    "nothing-has-this",
];

/// A page of a list after a key: how many fit in all, the keys of the page, where it goes on.
type Page = (usize, Vec<String>, Option<String>);

/// What of each list fits, by pages of two, and how many are said to fit.
fn found(board: &Following, query: &str, today: Date) -> [(usize, Vec<String>); 3] {
    let query = Query::parse(query);
    let pages = |page: &dyn Fn(&Board, Option<&str>) -> Page| {
        let (mut keys, mut next, mut total) = (Vec::new(), None::<String>, 0);
        loop {
            let (all, some, more) = board.ask(|board| page(board, next.as_deref())).unwrap();
            assert!(some.len() <= 2 && (next.is_none() || all == total));
            (total, next) = (all, more);
            keys.extend(some);
            if next.is_none() {
                assert_eq!(keys.len(), total, "{query:?}");
                return (total, keys);
            }
        }
    };
    let number = |after: Option<&str>| after.map(|no| no.parse::<u64>().unwrap());
    [
        pages(&|board, after| {
            let page = board.tenants(&query, today, after.map(|id| id.parse().unwrap()), 2);
            (page.total, page.items.iter().map(|card| card.id.to_string()).collect(), page.next)
        }),
        pages(&|board, after| {
            let page = board.letters(&query, true, number(after).map(RowNo), 2);
            (page.total, page.items.iter().map(|card| card.no.to_string()).collect(), page.next)
        }),
        pages(&|board, after| {
            let page = board.mails(&query, number(after).map(MailNo), 2);
            (page.total, page.items.iter().map(|card| card.no.to_string()).collect(), page.next)
        }),
    ]
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
    let accept = world.engine.view().acceptance(MailNo(2), None).unwrap();
    world.engine.act(who("op"), &accept).unwrap();
    check(&world, &board, "the changed address taken over");
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
    let of = |query: &str| found(&board, query, world.clock.now().date()).map(|(total, _)| total);
    assert_eq!(of("domain:lg.jp")[0], 3);
    assert_eq!(of("address:yonago")[0], 1);
    assert_eq!((of("address:other")[0], of("address:hoken@")[0]), (1, 0), "found by the address of now only");
    assert!(of("other")[1] > 0);
}
