//! Which CA signs is decided by people, two where two are needed; the CA directory is a supply (research R19, R20).

use crate::world::{World, leaf};
use annai::crypto::{MasterKey, password, sha256};
use annai::domain::Secret;
use annai::engine::approvals::{AskVerb, Done};
use annai::engine::keys::KeysVerb;
use annai::engine::people::{PeopleVerb, Who};
use annai::engine::pickup::{Claim, PickupSettings, Seen, Taken};
use annai::engine::records::AskNo;
use annai::engine::staff::Verb;
use annai::engine::{Engine, EngineError};
use annai::pki::{Custody, Issuing, Keyring, Profile, dir};
use annai::workflow::rights::{Act, Role};
use std::path::PathBuf;

fn ca_dir(world: &World) -> PathBuf {
    world.dir.path().join("ca")
}

fn keys() -> MasterKey {
    MasterKey::from_bytes([7; 32])
}

/// Puts another issuing CA into the directory.
fn another(world: &World) -> Issuing {
    let (keys, ca) = (keys(), ca_dir(world));
    let custody = Custody { master: &keys, second: None };
    dir::rotate(&ca, &custody, &ca.join("root.key"), "帰国者フォローアップシステム", world.engine.now()).unwrap()
}

fn adopt(ca: &Issuing) -> Verb {
    let certificate = sha256(&ca.certificate);
    Verb::Keys(KeysVerb::Adopt { ca: ca.id.clone(), certificate, reason: "年度の切替え".to_owned() })
}

fn active(engine: &Engine) -> String {
    engine.authority().unwrap().active().unwrap().id.clone()
}

fn refused(outcome: Result<Done, EngineError>, sentence: &str) {
    let said = outcome.unwrap_err().to_string();
    assert!(said.contains(sentence), "{said}");
}

/// Accounts of each kind; from the second admin on two persons are needed.
fn hire(engine: &mut Engine) {
    let hash = password::hash(&Secret::new("correct horse battery".to_owned())).unwrap();
    let add = |name: &str, role| {
        let (name, hash) = (name.to_owned(), Some(hash.clone()));
        Verb::People(PeopleVerb::Add { person: String::new(), name, role, mail: None, hash, reason: String::new() })
    };
    for name in ["admin1", "admin2"] {
        assert_eq!(engine.act("root", &add(name, Role::Admin)).unwrap(), Done::Done);
    }
    for (name, role) in [("op", Role::Operator), ("audit", Role::Auditor)] {
        let asked = engine.act(Who::Account("admin1".to_owned()), &add(name, role)).unwrap();
        let Done::Asked(no) = asked else { panic!("one person hired {name}") };
        engine.act(Who::Account("admin2".to_owned()), &Verb::Ask(AskVerb::Approve { no })).unwrap();
    }
}

fn journal(world: &mut World) -> String {
    world.engine.commit().unwrap();
    let file = tempfile::tempdir().unwrap().path().with_extension("journal");
    world.engine.export_journal(&file).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(file).unwrap();
    text
}

/// A running engine takes the new CA up; the old one's certificates stay good and its list goes on.
#[test]
fn a_new_ca_is_adopted_while_the_engine_runs() {
    let mut world = World::new();
    let first = active(&world.engine);
    let session = world.opened();
    let next = another(&world);
    assert!(world.engine.look_at_keys().unwrap() && !world.engine.look_at_keys().unwrap());
    let view = world.engine.authority_view().unwrap();
    assert_eq!((view.issuing.len(), view.waiting.len()), (1, 1));
    assert_eq!(view.waiting[0].id, next.id);
    assert_eq!((active(&world.engine), view.anchors.len()), (first.clone(), 2), "a file alone does nothing");

    let (_, old) = world.file(&session, Profile::Compat);
    assert_eq!(world.engine.act("root", &adopt(&next)).unwrap(), Done::Done);
    assert_eq!(active(&world.engine), next.id);
    assert_eq!(world.engine.issuing_fault().unwrap(), None, "its first list is there");
    assert_eq!(world.engine.trust().unwrap().unwrap().anchors.len(), 3);
    assert!(matches!(world.engine.terminal_seen(&old).unwrap(), Seen::Ours { .. }));
    refused(world.engine.act("root", &adopt(&next)), "in use already");
    let said = journal(&mut world);
    assert!(said.contains("ca-adopted") && said.contains("年度の切替え") && said.contains("staff:root"), "{said}");

    // The record has the say, also after a restart and whatever the directory's file says.
    dir::mark(&ca_dir(&world), &first).unwrap();
    world.engine.commit().unwrap();
    let world = world.restart(5);
    assert_eq!(active(&world.engine), next.id);
    assert_eq!(std::fs::read_to_string(ca_dir(&world).join("active")).unwrap().trim(), next.id);
}

/// One person alone, or one who may not, changes nothing; what was asked for is what is approved.
#[test]
fn two_persons_adopt_a_ca() {
    let mut world = World::new();
    hire(&mut world.engine);
    let first = active(&world.engine);
    let next = another(&world);
    world.engine.look_at_keys().unwrap();
    let who = |name: &str| Who::Account(name.to_owned());
    let asked = |engine: &mut Engine, verb: &Verb| match engine.act(who("admin1"), verb).unwrap() {
        Done::Asked(no) => no,
        Done::Done => panic!("one person did it"),
    };
    let approve = |no: AskNo| Verb::Ask(AskVerb::Approve { no });
    refused(world.engine.act("root", &adopt(&next)), "give --as NAME");
    for name in ["op", "audit"] {
        let fault = world.engine.act(who(name), &adopt(&next)).unwrap_err();
        assert!(matches!(fault, EngineError::Forbidden { act: Act::Keys, .. }), "{name}: {fault}");
    }
    let no = asked(&mut world.engine, &adopt(&next));
    assert_eq!(active(&world.engine), first);
    refused(world.engine.act(who("admin1"), &approve(no)), "who asked cannot decide");
    assert_eq!(active(&world.engine), first);

    // What is approved is the certificate that was asked for, not whatever lies there under the same id.
    let other = KeysVerb::Adopt { ca: next.id.clone(), certificate: sha256(b"another"), reason: "x".to_owned() };
    let fault = world.engine.act(who("admin1"), &Verb::Keys(other));
    refused(fault, "not the one that was asked for");

    world.engine.act(who("admin2"), &approve(no)).unwrap();
    assert_eq!(active(&world.engine), next.id);
    let said = journal(&mut world);
    for word in ["staff:admin1", "staff:admin2", "\"asked-by\":\"admin1\"", "ca-adopted", "年度の切替え"] {
        assert!(said.contains(word), "{word} is missing");
    }
}

/// A store that has people but no CA yet does not take one by itself.
#[test]
fn the_first_ca_of_a_store_with_people_waits() {
    let world = World::new();
    let (ca, elsewhere) = (ca_dir(&world), tempfile::tempdir().unwrap());
    let store = annai::store::Store::open(elsewhere.path(), annai::store::Options::default()).unwrap();
    let setup = world.engine.setup().clone();
    let chance = annai::engine::Chance::Seeded { seed: 3, drawn: 0 };
    let mut engine = Engine::open(store.into(), setup, keys(), world.engine.clock().clone(), chance).unwrap();
    hire(&mut engine);
    engine.follow_keys(Keyring::new(ca, keys(), None, leaf()), PickupSettings::default()).unwrap();
    assert!(engine.issuing_fault().unwrap().unwrap().contains("annai ca adopt"));
}

/// A directory that breaks while annai runs stops nothing that is in force.
#[test]
fn a_directory_that_breaks_leaves_the_ca_in_force() {
    let mut world = World::new();
    let first = active(&world.engine);
    let file = ca_dir(&world).join(format!("{first}.key"));
    std::fs::write(&file, "broken").unwrap();
    world.engine.look_at_keys().unwrap();
    assert_eq!(active(&world.engine), first);
    assert_eq!(world.engine.issuing_fault().unwrap(), None);
    let session = world.opened();
    world.file(&session, Profile::Compat);
}

/// The CA changes while a key is being made: nothing is handed out that is not on record.
#[test]
fn a_certificate_overtaken_by_a_new_ca_is_made_again() {
    let mut world = World::new();
    let (code, session) = (world.code(), world.opened());
    let claim = |world: &mut World| match world.engine.claim(&code, &session, Profile::Modern).unwrap() {
        Claim::Make(order) => order,
        Claim::Answer(taken) => panic!("{taken:?}"),
    };
    let slow = claim(&mut world);
    let next = another(&world);
    world.engine.look_at_keys().unwrap();
    world.engine.act("root", &adopt(&next)).unwrap();
    let quick = claim(&mut world);
    assert_ne!(slow.serial, quick.serial);
    let late = world.engine.deliver(&code, &session, Profile::Modern, &slow.make().unwrap()).unwrap();
    assert!(matches!(late, Taken::Unavailable { .. }), "{late:?}");
    let taken = world.engine.deliver(&code, &session, Profile::Modern, &quick.make().unwrap()).unwrap();
    let Taken::File { serial, .. } = taken else { panic!("{taken:?}") };
    assert!(matches!(world.engine.terminal_seen(&serial).unwrap(), Seen::Ours { .. }));
}
