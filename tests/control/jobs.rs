//! Jobs on the command line: the same over the socket and on the closed store; taken up by either, a job is done to its end
//! by the daemon.

use crate::place::{LOOKED, Place, Running, at, text};
use annai::daemon::assembly;
use annai::domain::RowNo;
use annai::engine::jobs::{JobVerb, Pace, Target};
use annai::engine::people::{PeopleVerb, Who};
use annai::engine::staff::Verb;
use annai::workflow::rights::Role;
use serde_json::Value;

/// Looks so often before giving up; each look is a command of its own.
const LOOKS: usize = 100;

/// A state with a job for two letters, one of which is not there, halted before it began.
fn place() -> Place {
    let place = Place::new();
    let mut engine = assembly::engine(&place.config(), at(LOOKED)).unwrap();
    let add = PeopleVerb::Add {
        name: "op".to_owned(),
        person: String::new(),
        role: Role::Operator,
        mail: None,
        hash: None,
        reason: String::new(),
    };
    engine.act("root", &Verb::People(add)).unwrap();
    let who = Who::Account("op".to_owned());
    let targets = [Target::Letter(RowNo(1)), Target::Letter(RowNo(999))];
    let no = engine.begin_job(&who, JobVerb::Hold { reason: "点検のため".to_owned() }, &targets).unwrap();
    engine.steer_job(&who, no, Pace::Halted).unwrap();
    engine.commit().unwrap();
    place
}

fn both(place: &Place) -> (Value, String) {
    (place.json(&["job"]), text(&place.annai(&["job", "show", "1"]).stdout))
}

#[test]
fn a_job_is_shown_halted_and_taken_up_by_both_ways() {
    let place = place();
    let closed = both(&place);
    let running = Running::start(&place);
    assert_eq!(both(&place), closed, "the socket and the closed store say the same");
    let job = &closed.0[0];
    assert_eq!((&job["no"], &job["state"], &job["by"]), (&1.into(), &"halted".into(), &"op".into()), "{job}");
    assert!(closed.1.contains("保留（理由：点検のため）") && closed.1.contains("0 / 2"), "{}", closed.1);
    assert_eq!(place.annai(&["job", "show", "9"]).status.code(), Some(2));

    // Over the socket the daemon does what is left.
    assert_eq!(place.json(&["job", "resume", "1"])["state"], "running");
    let done = (0..LOOKS).map(|_| place.json(&["job", "show", "1"])).find(|job| job["state"] == "done").unwrap();
    assert_eq!((&done["succeeded"], &done["refused"], &done["at"]), (&1.into(), &1.into(), &2.into()));
    assert_eq!(done["refusals"][0]["target"]["letter"], 999);
    assert_eq!(place.json(&["queue", "show", "1"])["state"], "held");
    let over = place.annai(&["job", "halt", "1"]);
    assert!(text(&over.stderr).contains("this job is done"));
    running.stop();
    assert!(text(&place.annai(&["job"]).stdout).contains("終了"));
}

#[test]
fn taken_up_on_the_closed_store_it_waits_for_the_daemon() {
    let place = place();
    let said = text(&place.annai(&["job", "resume", "1"]).stdout);
    assert!(said.contains("実行中") && said.contains("annai を起動すると、続きを実行します"), "{said}");
    assert_eq!(place.json(&["job", "halt", "1"])["state"], "halted");
    let tail = text(&place.annai(&["audit", "tail"]).stdout);
    assert!(tail.contains("一括処理1を再開しました") && tail.contains("一括処理1を停止しました"), "{tail}");
}
