//! People, rights, the second person and waves over a real engine, over HTTP and over the control socket.
#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "people/http.rs"]
mod http;
#[path = "people/reports.rs"]
mod reports;
#[path = "people/socket.rs"]
mod socket;
#[path = "people/waves.rs"]
mod waves;
#[path = "people/world.rs"]
mod world;

use annai::domain::TenantId;
use annai::domain::time::DAY;
use annai::engine::EngineError;
use annai::engine::approvals::{AskVerb, Done};
use annai::engine::keys::KeysVerb;
use annai::engine::people::{PeopleVerb, Who};
use annai::engine::records::{AskNo, Disposition, WaveNo};
use annai::engine::staff::Verb;
use annai::engine::waves::WaveVerb;
use annai::letters::LetterKind;
use annai::workflow::rights::{Act, Right, Role, right};
use annai::workflow::{ReissueReason, RevocationReason};
use world::{World, file, hash, registration, relayed, who, world};

fn tenant(serial: u16) -> TenantId {
    TenantId { authority: "310000".parse().unwrap(), serial }
}

/// Every verb, with the right it needs (as things stand in [`world`]).
fn verbs() -> Vec<(Act, Verb)> {
    let reason = || "試験".to_owned();
    let mail = annai::domain::MailNo(1);
    let row = annai::domain::RowNo(1);
    let person = |name: &str| name.to_owned();
    vec![
        (Act::Decide, Verb::Accept { mail, authority: None, shown: None }),
        (Act::Decide, Verb::Reject { mail, reason: reason() }),
        (Act::Decide, Verb::AskSender { mail }),
        (Act::Decide, Verb::Reread { mail }),
        (Act::Decide, Verb::Close { matter: 99, reason: reason() }),
        (Act::Send, Verb::Hold { row, reason: reason() }),
        (Act::Send, Verb::Release { row }),
        (Act::Send, Verb::Retry { row }),
        (Act::Send, Verb::Withdraw { row, reason: reason() }),
        (Act::Reissue, Verb::Reissue { tenant: tenant(1), reason: ReissueReason::Lost }),
        (Act::ReissueMany, Verb::ReissueMany { tenants: vec![tenant(0), tenant(1)], reason: ReissueReason::Lost }),
        (Act::Cancel, Verb::Cancel { tenant: tenant(9), reason: reason() }),
        (Act::Revoke, Verb::Revoke { tenant: tenant(1), reason: RevocationReason::Superseded }),
        (Act::WavePrepare, Verb::Wave(WaveVerb::Plan { letter: LetterKind::CertificateNotice })),
        (Act::WavePrepare, Verb::Wave(WaveVerb::Tick { wave: WaveNo(9), row, on: true })),
        (Act::WaveRelease, Verb::Wave(WaveVerb::Release { wave: WaveNo(9), revision: 1 })),
        (Act::WaveStop, Verb::Wave(WaveVerb::Halt { wave: WaveNo(9), reason: reason() })),
        (Act::WaveStop, Verb::Wave(WaveVerb::Withdraw { wave: WaveNo(9), reason: reason() })),
        (Act::Approve, Verb::Ask(AskVerb::Approve { no: AskNo(99) })),
        (Act::Approve, Verb::Ask(AskVerb::Refuse { no: AskNo(99), reason: reason() })),
        (Act::Recall, Verb::Ask(AskVerb::Recall { no: AskNo(99) })),
        (Act::People, Verb::People(PeopleVerb::SetRole { name: person("op"), role: Role::Admin, reason: reason() })),
        (Act::People, Verb::People(PeopleVerb::SetMail { name: person("ap"), mail: None, reason: reason() })),
        (Act::People, Verb::People(PeopleVerb::Password { name: person("admin2"), hash: hash(), reason: reason() })),
        (
            Act::People,
            Verb::People(PeopleVerb::Certificate { name: person("op"), fingerprint: None, reason: reason() }),
        ),
        (Act::People, Verb::People(PeopleVerb::Disable { name: person("op"), reason: reason() })),
        (Act::People, Verb::People(PeopleVerb::Enable { name: person("op"), reason: reason() })),
        (
            Act::Keys,
            Verb::Keys(KeysVerb::Adopt {
                ca: "0123456789abcdef".to_owned(),
                certificate: annai::crypto::sha256(b"x"),
                reason: reason(),
            }),
        ),
    ]
}

#[test]
fn every_role_may_what_the_table_says_and_nothing_else() {
    let mut world = world(2);
    world.everybody();
    for (name, role) in
        [("op", Role::Operator), ("ap", Role::Approver), ("audit", Role::Auditor), ("admin1", Role::Admin)]
    {
        for (act, verb) in verbs() {
            let entries = world.store.head().no;
            let outcome = world.engine.act(who(name), &verb);
            let forbidden = matches!(outcome, Err(EngineError::Forbidden { .. }));
            assert_eq!(forbidden, right(role, act) == Right::Refused, "{name} {verb:?}: {outcome:?}");
            if right(role, act) == Right::NeedsSecond {
                assert!(!matches!(outcome, Ok(Done::Done)), "{name} alone did {verb:?}");
            }
            if forbidden {
                assert_eq!(world.store.head().no, entries, "a refused act leaves nothing: {verb:?}");
            }
            if let Ok(Done::Asked(no)) = outcome {
                world.engine.act(who(name), &Verb::Ask(AskVerb::Recall { no })).unwrap();
            }
        }
    }
    // Nobody became anything else meanwhile.
    let roles: Vec<_> =
        world.engine.accounts().unwrap().into_iter().map(|account| (account.name, account.role)).collect();
    assert!(roles.contains(&("op".to_owned(), Role::Operator)) && roles.contains(&("audit".to_owned(), Role::Auditor)));
}

#[test]
fn the_second_person_is_another_and_does_it_in_one_step() {
    let mut world = world(1);
    world.everybody();
    let verb = Verb::People(PeopleVerb::Disable { name: "audit".into(), reason: "異動".into() });
    let no = world.asked("admin1", &verb);
    assert!(world.approve("admin1", no).unwrap_err().to_string().contains("another person"), "not oneself");
    assert!(matches!(world.approve("op", no), Err(EngineError::Forbidden { .. })), "an operator does not approve");
    assert!(world.engine.act("root", &Verb::Ask(AskVerb::Approve { no })).unwrap_err().to_string().contains("--as"));
    let again = world.engine.act(who("admin1"), &verb).unwrap_err().to_string();
    assert!(again.contains("request"), "asked twice: {again}");
    assert_eq!(world.engine.asks(true, None, 10).unwrap().items.len(), 1);

    assert_eq!(world.approve("ap", no).unwrap(), Done::Done);
    let audit = world.engine.accounts().unwrap().into_iter().find(|account| account.name == "audit").unwrap();
    assert!(audit.disabled.is_some());
    assert!(world.approve("admin2", no).is_err(), "once only");
    let tail = world.engine.journal_tail(3).unwrap();
    let last = serde_json::to_string(&tail.last().unwrap()).unwrap();
    assert!(last.contains("\"asked-by\":\"admin1\"") && last.contains("staff:ap") && last.contains("異動"), "{last}");

    // What cannot be done is refused when it is asked, not when it is approved.
    let nothing = Verb::Revoke { tenant: tenant(1), reason: RevocationReason::Superseded };
    assert!(world.engine.act(who("op"), &nothing).is_err());
    // The local user is known by the machine only, so it cannot be one of two persons.
    let many = Verb::ReissueMany { tenants: vec![tenant(0), tenant(1)], reason: ReissueReason::Lost };
    assert!(world.engine.act("root", &many).unwrap_err().to_string().contains("--as NAME"));

    // A request nobody answers lapses.
    let forgotten = world.asked("op", &many);
    world.pass(11 * DAY);
    world.engine.chores().unwrap();
    assert_eq!(world.engine.ask(forgotten).unwrap().state, "lapsed");
    assert!(world.approve("ap", forgotten).is_err());
    let refused = world.asked("op", &many);
    world.engine.act(who("ap"), &Verb::Ask(AskVerb::Refuse { no: refused, reason: "まだ早い".into() })).unwrap();
    assert_eq!(world.engine.ask(refused).unwrap().state, "refused");
    let approved = world.asked("op", &many);
    world.approve("ap", approved).unwrap();
    assert_eq!(world.engine.course(tenant(1)).unwrap().enrolments.len(), 2);
}

#[test]
fn one_person_acts_alone_until_there_are_two() {
    let mut world = world(1);
    assert_eq!(world.engine.may(&Who::from("root"), Act::People).unwrap(), Right::Allowed);
    world.add("op", Role::Operator);
    world.add("audit", Role::Auditor);
    assert_eq!(world.engine.two_persons_since().unwrap(), None, "nobody who approves");
    world.add("ap", Role::Approver);
    assert!(world.engine.two_persons_since().unwrap().is_some());
    assert_eq!(world.engine.may(&Who::from("root"), Act::People).unwrap(), Right::NeedsSecond);
    // It stays: taking the second person away does not give the first all rights back.
    let since = world.engine.two_persons_since().unwrap();
    let verb = Verb::People(PeopleVerb::Disable { name: "ap".into(), reason: "x".into() });
    assert!(world.engine.act("root", &verb).is_err());
    assert_eq!(world.engine.two_persons_since().unwrap(), since);
    for name in ["root", "Sato", "", "a b", "x/y", &"x".repeat(33)] {
        let verb = PeopleVerb::Add {
            name: name.into(),
            person: String::new(),
            role: Role::Admin,
            mail: None,
            hash: None,
            reason: String::new(),
        };
        assert!(world.engine.act("root", &Verb::People(verb)).is_err(), "{name}");
    }
}

#[test]
fn a_changed_address_needs_two_once_a_secret_has_left() {
    let mut world = world(1);
    world.everybody();
    let changed = |world: &mut World, uid: u32, head: &str| {
        file(&mut world.engine, uid, &registration(head, 1));
        let item = world.engine.item(annai::domain::MailNo(u64::from(uid))).unwrap();
        assert!(matches!(item.disposition, Disposition::Review { .. }), "{item:?}");
        world.engine.view().acceptance(item.no, None).unwrap()
    };
    let before = changed(&mut world, 2, "new");
    assert_eq!(world.engine.act(who("op"), &before).unwrap(), Done::Done, "nothing secret has left yet");
    // The notice leaves for the address of now.
    world.deliver(|_| relayed());
    world.go_to("2020-05-08T10:00:00+09:00");
    world.deliver(|_| relayed());
    let plan = Verb::Wave(WaveVerb::Plan { letter: LetterKind::CertificateNotice });
    assert_eq!(world.engine.act(who("op"), &plan).unwrap(), Done::Done);
    let release = Verb::Wave(WaveVerb::Release { wave: WaveNo(1), revision: 1 });
    let asked = world.asked("op", &release);
    world.approve("ap", asked).unwrap();
    assert!(!world.deliver(|_| relayed()).is_empty());

    let after = changed(&mut world, 3, "third");
    let no = world.asked("op", &after);
    assert_eq!(world.engine.ask(no).unwrap().act, Act::ChangeAddress);
    let address = |world: &World| world.engine.course(tenant(0)).unwrap().tenant.address.as_str().to_owned();
    assert_eq!(address(&world), "new@pref.tottori-mihon.lg.jp");
    world.approve("ap", no).unwrap();
    assert_eq!(address(&world), "third@pref.tottori-mihon.lg.jp");
}

#[test]
fn no_password_and_no_token_stands_in_the_journal() {
    let mut world = world(1);
    world.everybody();
    let verb = Verb::People(PeopleVerb::Password { name: "op".into(), hash: hash(), reason: "忘れたため".into() });
    let no = world.asked("admin1", &verb);
    world.approve("admin2", no).unwrap();
    let proof =
        world.engine.survey().prove("op", &annai::domain::Secret::new(world::PASSWORD.into())).unwrap().unwrap();
    let token = world.engine.log_in("op", &proof, "127.0.0.1", "test").unwrap();
    world.engine.commit().unwrap();
    let mut journal = Vec::new();
    world.store.export_journal(&mut journal).unwrap();
    let journal = String::from_utf8(journal).unwrap();
    assert!(journal.contains("logged-in"));
    for secret in ["argon2", "$m=", world::PASSWORD, token.reveal()] {
        assert!(!journal.contains(secret), "{secret}");
    }
    let view = serde_json::to_string(&world.engine.asks(false, None, 100).unwrap().items).unwrap();
    assert!(!view.contains("argon2"), "nor in what others see of a request");
    assert!(world.engine.survey().session(&token).unwrap().is_some());
}
