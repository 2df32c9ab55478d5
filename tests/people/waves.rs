//! Waves: nothing of the first notices leaves before two people have looked, five go first, and refusals stop the rest.

use crate::world::{World, file, relayed, who, world};
use annai::domain::time::MINUTE;
use annai::domain::{Date, MailNo, RowNo, TenantId};
use annai::engine::alerts::Cause;
use annai::engine::records::WaveNo;
use annai::engine::staff::Verb;
use annai::engine::views::HistoryOf;
use annai::engine::waves::{WaveLine, WaveVerb};
use annai::letters::LetterKind;
use annai::workflow::delivery::{Outcome, Reply, Stage};
use annai::workflow::enrolment::State;
use annai::workflow::wave::Member;

/// Authorities of the rules with an address each, all registered, on the morning of the launch with two persons.
fn many(count: usize) -> World {
    let mut world = world(1);
    world.go_to("2020-04-24T10:00:00+09:00");
    let known: Vec<(String, String)> = {
        let rules = &world.engine.setup().rules;
        let usable = rules.authorities.all().iter().filter(|a| a.name.ends_with('市') && !a.site.is_empty());
        usable.take(count).map(|a| (a.name.clone(), a.site.clone())).collect()
    };
    for (uid, (name, site)) in (2..).zip(&known) {
        let mail = format!(
            "From: hoken@{site}\r\nTo: covid19@bigtreetc.com\r\nCc: follow-up@mhlw.go.jp\r\n\
             Subject: 自治体・保健所メールアドレスの連絡（{name}）\r\nMessage-ID: <{uid}@{site}>\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
             <自治体（保健所設置主体）>\r\n{name} hoken@{site}\r\n\r\n<保健所>\r\n"
        );
        file(&mut world.engine, uid, &mail);
        let item = world.engine.item(MailNo(u64::from(uid))).unwrap();
        if item.disposition.name() == "review" {
            let accept = world.engine.view().acceptance(item.no, None).unwrap();
            world.engine.act("root", &accept).unwrap();
        }
    }
    world.deliver(|_| relayed());
    world.everybody();
    world.go_to("2020-05-01T09:00:00+09:00");
    world
}

pub(crate) fn refused() -> Outcome {
    let reply = Reply { code: 550, enhanced: Some("5.1.1".to_owned()), text: "User unknown".to_owned() };
    Outcome::Refused { reply, stage: Stage::Rcpt }
}

/// The letters of a wave, read in pages of seven; what is counted agrees with what is there.
fn letters(world: &World, wave: u64) -> Vec<WaveLine> {
    assert!(world.engine.index_faults().unwrap().is_empty());
    let (mut lines, mut after) = (Vec::new(), None);
    loop {
        let page = world.engine.wave_letters(WaveNo(wave), after, 7).unwrap();
        lines.extend(page.items);
        after = page.next.map(|row| RowNo(row.parse().unwrap()));
        if after.is_none() {
            return lines;
        }
    }
}

fn count(world: &World, member: Member) -> usize {
    letters(world, 1).iter().filter(|line| line.member == member).count()
}

fn state(world: &World) -> &'static str {
    world.engine.wave_of(WaveNo(1)).unwrap().state
}

fn plan(world: &mut World) {
    let plan = Verb::Wave(WaveVerb::Plan { letter: LetterKind::CertificateNotice });
    world.engine.act(who("op"), &plan).unwrap();
}

fn release(world: &mut World) {
    let revision = world.engine.wave_of(WaveNo(1)).unwrap().revision;
    let asked = world.asked("op", &Verb::Wave(WaveVerb::Release { wave: WaveNo(1), revision }));
    world.approve("ap", asked).unwrap();
}

#[test]
fn the_first_notices_wait_and_leave_behind_their_canaries() {
    let mut world = many(30);
    assert!(world.deliver(|_| relayed()).is_empty(), "nothing leaves unasked");
    let waiting = world.engine.unplanned().unwrap();
    assert_eq!((waiting.len(), waiting[0].letter), (1, "certificate-notice"));
    let all = usize::try_from(waiting[0].count).unwrap();
    assert!(all >= 30, "{all}");

    // One alone cannot let a single one go.
    let first = letters(&world, 0)[0].row;
    assert!(world.engine.act(who("op"), &Verb::Release { row: first }).is_err());
    plan(&mut world);
    assert_eq!((letters(&world, 0).len(), letters(&world, 1).len()), (0, all));
    let tick = |row: RowNo, on| Verb::Wave(WaveVerb::Tick { wave: WaveNo(1), row, on });
    world.engine.act(who("op"), &tick(first, false)).unwrap();
    // What was looked at before the tick cannot be let go.
    let old = Verb::Wave(WaveVerb::Release { wave: WaveNo(1), revision: 1 });
    assert!(world.engine.act(who("op"), &old).is_err());
    release(&mut world);

    assert_eq!(world.deliver(|_| relayed()).len(), 5, "the canaries");
    assert_eq!(state(&world), "canaries");
    world.pass(9 * MINUTE);
    assert!(world.deliver(|_| relayed()).iter().all(|to| to.contains('@')), "passwords may follow");
    assert_eq!(count(&world, Member::Left), 5, "they are to stand ten minutes");
    world.pass(MINUTE);
    world.deliver(|_| relayed());
    assert_eq!((state(&world), count(&world, Member::Left)), ("done", all - 1));
    assert_eq!(
        letters(&world, 0).iter().map(|line| line.row).collect::<Vec<_>>(),
        [first],
        "it waits for the next wave"
    );
}

#[test]
fn a_refused_canary_stops_the_wave_and_the_rest_is_taken_back() {
    let mut world = many(30);
    world.deliver(|_| relayed());
    plan(&mut world);
    let all = letters(&world, 1).len();
    let bad = letters(&world, 1)[2].to.as_str().to_owned();
    release(&mut world);
    world.deliver(|to| if to == bad { refused() } else { relayed() });
    assert_eq!(state(&world), "stopped");
    assert_eq!(count(&world, Member::Failed), 1);
    assert!(count(&world, Member::Left) < 5 && count(&world, Member::Out) == 0);
    assert!(world.engine.waiting_for_people().unwrap().iter().any(|(cause, _)| *cause == Cause::WaveStopped));
    world.pass(60 * MINUTE);
    let left = count(&world, Member::Left);
    world.deliver(|_| relayed());
    assert_eq!(count(&world, Member::Left), left, "nothing goes on by itself");

    // On again by two, then everything that has not left is taken back by one.
    release(&mut world);
    world.deliver(|_| relayed());
    assert_eq!((state(&world), count(&world, Member::Left)), ("canaries", 5));
    let back = Verb::Wave(WaveVerb::Withdraw { wave: WaveNo(1), reason: "文面の誤り".into() });
    world.engine.act(who("op"), &back).unwrap();
    assert_eq!((state(&world), count(&world, Member::Withdrawn)), ("withdrawn", all - 6));
    world.pass(60 * MINUTE);
    world.deliver(|_| relayed());
    assert_eq!(count(&world, Member::Left), 5);

    // Its tenants are not stranded: the next wave takes them, with the text of today.
    let waiting = letters(&world, 0);
    assert_eq!(waiting.len(), all - 6);
    let taken = waiting[0].clone();
    let tenant = taken.tenant.unwrap();
    assert_eq!(world.engine.tenant(tenant).unwrap().line.state, "notice-queued");
    let history = world.engine.history(HistoryOf::Tenant(tenant), None, 100).unwrap();
    let told: Vec<_> = history.items.into_iter().flat_map(|line| line.text).collect();
    assert!(told.iter().any(|text| text.contains("次の一斉送信を待ちます")), "{told:?}");
    world.correct_template("certificate-notice.txt", "取得のお願い", "取得のお願い（訂正版）");
    world.engine.act(who("op"), &Verb::Wave(WaveVerb::Plan { letter: LetterKind::CertificateNotice })).unwrap();
    let (first, again) = (&letters(&world, 1)[0], letters(&world, 2));
    assert!(again[0].row == taken.row && again[0].subject.contains("（訂正版）"), "{}", again[0].subject);
    assert!(!first.subject.contains("訂正版"), "what has left stays as it left");
    let asked = world.asked("ap", &Verb::Wave(WaveVerb::Release { wave: WaveNo(2), revision: 1 }));
    world.approve("admin1", asked).unwrap();
    let gone = world.deliver(|_| relayed());
    assert_eq!(gone.iter().filter(|to| **to == taken.to.as_str()).count(), 1, "the first canary of the second wave");
    assert_eq!(world.engine.tenant(tenant).unwrap().line.state, "open");
}

#[test]
fn the_breaker_holds_what_was_let_go() {
    let mut world = many(45);
    world.deliver(|_| relayed());
    plan(&mut world);
    release(&mut world);
    world.deliver(|_| relayed());
    world.pass(10 * MINUTE);
    // From here on every address is refused: three are tried, the others of the batch are kept back.
    world.deliver(|_| refused());
    assert_eq!(state(&world), "stopped");
    let failed = count(&world, Member::Failed);
    assert!((3..=35).contains(&failed), "{failed}");
    assert_eq!(count(&world, Member::Out), 0);
    assert!(count(&world, Member::Waiting) > 0);
}

#[test]
fn without_two_persons_nothing_waits() {
    let mut world = world(2);
    assert_eq!(world.deliver(|_| relayed()).len(), 3, "the notices leave as before");
    assert!(world.engine.waves(None, 1).unwrap().items.is_empty() && world.engine.unplanned().unwrap().is_empty());
}

#[test]
fn one_after_the_other_is_many_too() {
    let mut world = world(2);
    world.everybody();
    let reissue = |serial| {
        let tenant = crate::tenant(serial);
        Verb::Reissue { tenant, reason: annai::workflow::ReissueReason::Lost }
    };
    let free = world.engine.setup().rules.schedule.oversight.waves.free_per_day;
    let done = (0..free).map(|at| world.engine.act(who("op"), &reissue(u16::try_from(at % 3).unwrap())).unwrap());
    assert!(done.collect::<Vec<_>>().iter().all(|done| *done == annai::engine::approvals::Done::Done));
    let asked = world.asked("op", &reissue(1));
    assert_eq!(world.engine.ask(asked).unwrap().act, annai::workflow::rights::Act::ReissueMany);
    world.pass(annai::domain::time::DAY);
    assert_eq!(world.engine.act(who("op"), &reissue(2)).unwrap(), annai::engine::approvals::Done::Done);
}

/// Takes what is due and hands it over; the notices as their recipients read them.
fn notices(world: &mut World) -> Vec<String> {
    let mut read = Vec::new();
    loop {
        world.engine.chores().unwrap();
        let woken = world.engine.wake(100).unwrap();
        let leases = world.engine.lease(32).unwrap();
        if woken == 0 && leases.is_empty() {
            return read;
        }
        for lease in leases {
            if world.engine.row(lease.row).unwrap().letter == LetterKind::CertificateNotice {
                read.push(annai::reading::read(lease.bytes.reveal(), &world.engine.setup().rules).body);
            }
            world.engine.answered(lease.row, &relayed()).unwrap();
        }
    }
}

/// Written on 1 May, the notices name 31 May. Let go on the same day they say just that; let go later, they name the day
/// that is thirty days away then, and never one that has passed. The window keeps what they say.
#[test]
fn a_notice_names_the_deadline_it_has_when_it_leaves() {
    let days = [("2020-05-01", "2020-05-01", "2020-05-31"), ("2020-05-01", "2020-05-07", "2020-06-06")];
    let long = [("2020-05-01", "2020-06-15", "2020-07-15"), ("2020-06-15", "2020-06-15", "2020-07-15")];
    for (planned, released, deadline) in days.into_iter().chain(long) {
        let deadline: Date = deadline.parse().unwrap();
        let mut world = world(1);
        world.everybody();
        assert!(notices(&mut world).is_empty(), "they wait for their wave");
        world.go_to(&format!("{planned}T10:00:00+09:00"));
        plan(&mut world);
        let row = letters(&world, 1)[0].row;
        let looked = world.engine.view().preview(row).unwrap().unwrap();
        let stated = planned.parse::<Date>().unwrap().plus_days(30);
        assert!(looked.contains(&stated.official()), "{planned}: who looks sees the deadline of that day: {looked}");
        world.go_to(&format!("{released}T10:00:00+09:00"));
        release(&mut world);
        let read = notices(&mut world);
        assert_eq!(read.len(), 2, "{planned} {released}");
        assert!(read.iter().all(|body| body.contains(&deadline.official())), "{planned} {released}");
        for serial in [0, 1] {
            let course = world.engine.course(TenantId { authority: "310000".parse().unwrap(), serial }).unwrap();
            let State::Open { deadline: window, .. } = course.current().unwrap().state else { panic!("{course:?}") };
            assert_eq!(window, deadline, "{planned} {released}");
        }
        let told = serde_json::to_string(&world.engine.journal_tail(200).unwrap()).unwrap();
        assert_eq!(told.contains("notice-dated"), released != "2020-05-01", "{planned} {released}");
    }
}
