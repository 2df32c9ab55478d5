//! Reports to the ministry and alerts to staff, as they leave; the anchor checked on an export, away from the state.

use crate::world::{World, relayed, who, world};
use annai::domain::time::{DAY, HOUR, MINUTE};
use annai::domain::{Digest, RowNo};
use annai::engine::alerts::Cause;
use annai::engine::replay;
use annai::engine::staff::Verb;
use annai::letters::Period;
use annai::reading;
use std::process::Command;

impl World {
    /// The letters due now, by recipient: their bytes.
    fn leaving(&mut self) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        loop {
            let leases = self.engine.lease(32).unwrap();
            if leases.is_empty() {
                self.engine.commit().unwrap();
                return found;
            }
            for lease in leases {
                found.push((lease.to.as_str().to_owned(), lease.bytes.reveal().clone()));
                self.engine.answered(lease.row, &relayed()).unwrap();
            }
        }
    }
}

#[test]
fn the_ministry_is_told_and_can_check_it() {
    let mut world = world(2);
    world.deliver(|_| relayed());
    world.everybody();
    world.pass(DAY);
    let survey = world.engine.survey();
    let from = world.engine.reported(Period::Daily).unwrap();
    let gathered = survey.gather(from, world.engine.now(), &world.engine.setup().rules).unwrap();
    let head = world.store.head();
    let row = world.engine.report(Period::Daily, &gathered).unwrap();
    assert_eq!(world.engine.reported(Period::Daily).unwrap(), world.engine.now(), "not again before the next beat");

    let letters = world.leaving();
    let [(to, bytes)] = &letters[..] else { panic!("{} letters", letters.len()) };
    assert_eq!(to, "follow-up@mhlw.go.jp");
    let reading = reading::read(bytes, &world.engine.setup().rules);
    for words in ["登録した自治体：1／", "利用機関：3機関", "未取得（期限内）：3機関", &head.hash.to_string()]
    {
        assert!(reading.body.contains(words), "{words} is missing: {}", reading.body);
    }
    assert_eq!(reading.attachments, ["report-2020-05-02.csv"]);
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.contains("text/csv") && !text.contains("argon2"));
    let codes = world.engine.row(RowNo(row.0)).unwrap();
    assert_eq!(codes.letter.name(), "report");

    // An export, elsewhere: the anchor is found; with one entry altered it is not.
    let file = world.dir.path().join("journal.jsonl");
    world.engine.export_journal(&file).unwrap();
    let verify = |anchor: &str| {
        let args = ["audit", "verify", file.to_str().unwrap(), "--anchor", anchor];
        Command::new(env!("CARGO_BIN_EXE_annai")).args(args).output().unwrap()
    };
    let good = verify(&head.hash.to_string());
    let said = String::from_utf8(good.stdout).unwrap();
    assert!(good.status.success() && said.contains(&format!("照合した値は {} 行目", head.no)), "{said}");
    let other = verify(&"0".repeat(64));
    assert!(!other.status.success() && String::from_utf8(other.stdout).unwrap().contains("no entry has the digest"));
    assert_eq!(verify("12ab").status.code(), Some(2));
    assert!(replay::audit_from(&world.store, Some(head.hash)).unwrap().faults.is_empty());
    assert_eq!(replay::audit_from(&world.store, Some(Digest([1; 32]))).unwrap().faults.len(), 1);
}

#[test]
fn alerts_are_grouped_and_rare() {
    let mut world = world(1);
    world.deliver(|_| relayed());
    let line = |text: &str| vec![text.to_owned()];
    assert_eq!(world.engine.alert(Cause::SendingStopped, &line("x")).unwrap(), 0, "nobody to tell");
    world.everybody();
    let lines: Vec<String> = (0..30).map(|no| format!("申請{no}")).collect();
    assert_eq!(world.engine.alert(Cause::SendingStopped, &lines).unwrap(), 2, "the two with an address");
    assert_eq!(world.engine.alert(Cause::MailboxStopped, &line("x")).unwrap(), 2, "another cause");
    for _ in 0..100 {
        world.pass(MINUTE / 2);
        assert_eq!(world.engine.alert(Cause::SendingStopped, &line("x")).unwrap(), 0, "told within the hour");
    }
    world.pass(HOUR);
    assert_eq!(world.engine.alert(Cause::SendingStopped, &line("x")).unwrap(), 2);
    assert_eq!(world.engine.alert(Cause::RequestsWaiting, &line("x")).unwrap(), 2);
    world.pass(2 * HOUR);
    assert_eq!(world.engine.alert(Cause::RequestsWaiting, &line("x")).unwrap(), 0, "once a day");
    let letters = world.leaving();
    let text = reading::read(&letters[0].1, &world.engine.setup().rules).body;
    assert!(text.contains("メールを送信できません") && text.contains("ほか10件"), "{text}");
    assert!(letters.iter().all(|(to, _)| to.ends_with("@contractor.example.jp")), "{letters:?}");
    // An alert that comes back makes no matter about itself.
    world.pass(HOUR);
    world.deliver(|_| relayed());
    let before = world.engine.matters(100).unwrap().len();
    world.engine.alert(Cause::LettersLate, &line("x")).unwrap();
    world.deliver(|_| crate::waves::refused());
    assert_eq!(world.engine.matters(100).unwrap().len(), before);
    let disable = Verb::People(annai::engine::people::PeopleVerb::Disable { name: "op".into(), reason: "x".into() });
    let asked = world.asked("admin1", &disable);
    assert!(world.engine.waiting_for_people().unwrap().iter().any(|(cause, _)| *cause == Cause::RequestsWaiting));
    world.approve("admin2", asked).unwrap();
    assert!(world.engine.act(who("op"), &disable).is_err(), "a disabled account does nothing");
}
