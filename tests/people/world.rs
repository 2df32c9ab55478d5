//! An engine with people, a registered authority and a clock moved by hand.

#[path = "../support/setup.rs"]
mod setup;

use annai::clock::Clock;
use annai::crypto::{MasterKey, password};
use annai::domain::{Secret, Timestamp};
use annai::engine::approvals::{AskVerb, Done};
use annai::engine::filing::Arrived;
use annai::engine::people::{PeopleVerb, Who};
use annai::engine::records::AskNo;
use annai::engine::staff::Verb;
use annai::engine::{Chance, Engine, EngineError, Setup};
use annai::letters::{TemplateFiles, Templates};
use annai::reading;
use annai::rules::RuleFiles;
use annai::store::{Options, Store};
use annai::workflow::cursor::Cursor;
use annai::workflow::delivery::{Outcome, Reply};
use annai::workflow::rights::Role;
use setup::desk;
pub(crate) use setup::setup;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// One hash for everybody: making one takes its time.
pub(crate) fn hash() -> String {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| password::hash(&Secret::new(PASSWORD.to_owned())).unwrap()).clone()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) store: Arc<Store>,
    pub(crate) clock: Clock,
    pub(crate) hand: Arc<AtomicI64>,
    pub(crate) dir: TempDir,
}

/// `centres` health centres of Sapporo's authority, welcomed, on the morning of the launch; nothing has been sent since.
pub(crate) fn world(centres: usize) -> World {
    let dir = tempfile::tempdir().unwrap();
    let (clock, hand) = Clock::manual(at("2020-04-24T10:00:00+09:00"));
    let store = Arc::new(Store::open(&dir.path().join("state"), Options::default()).unwrap());
    let keys = MasterKey::from_bytes([7; 32]);
    let chance = Chance::Seeded { seed: 1, drawn: 0 };
    let mut engine =
        Engine::open(Arc::clone(&store), setup(&RuleFiles::embedded()), keys, clock.clone(), chance).unwrap();
    file(&mut engine, 1, &registration("hoken", centres));
    hand.store(at("2020-04-24T10:01:00+09:00").unix(), Ordering::Release);
    let mut world = World { engine, store, clock, hand, dir };
    world.deliver(|_| relayed());
    world.go_to("2020-05-01T09:00:00+09:00");
    world
}

/// The mail of 鳥取県; its own address is `head@…`.
pub(crate) fn registration(head: &str, centres: usize) -> String {
    let mut mail = format!(
        "From: hoken@pref.tottori-mihon.lg.jp\r\nTo: covid19@bigtreetc.com\r\nCc: follow-up@mhlw.go.jp\r\n\
         Subject: 自治体・保健所メールアドレスの連絡（鳥取県）\r\nMessage-ID: <{head}-{centres}@pref.tottori-mihon.lg.jp>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         <自治体（保健所設置主体）>\r\n鳥取県 {head}@pref.tottori-mihon.lg.jp\r\n\r\n<保健所>\r\n"
    );
    for name in ["倉吉", "米子"].iter().take(centres) {
        mail.push_str(&format!(
            "{name}保健所 {}@pref.tottori-mihon.lg.jp\r\n",
            if *name == "倉吉" { "kurayoshi" } else { "yonago" }
        ));
    }
    mail
}

pub(crate) fn file(engine: &mut Engine, uid: u32, mail: &str) {
    let reading = reading::read(mail.as_bytes(), &engine.setup().rules);
    let arrived = Arrived { uid, raw: mail.as_bytes().to_vec(), truncated: false, reading };
    engine.file(Cursor { uid_validity: 1, uid_next: uid + 1 }, vec![arrived]).unwrap();
    engine.commit().unwrap();
}

pub(crate) fn relayed() -> Outcome {
    Outcome::Relayed { reply: Reply { code: 250, enhanced: None, text: "ok".to_owned() } }
}

pub(crate) fn who(name: &str) -> Who {
    Who::Account(name.to_owned())
}

impl World {
    pub(crate) fn go_to(&mut self, now: &str) {
        self.hand.store(at(now).unix(), Ordering::Release);
    }

    pub(crate) fn pass(&mut self, seconds: i64) {
        self.hand.fetch_add(seconds, Ordering::AcqRel);
    }

    /// A template is corrected and taken over, as after SIGHUP.
    pub(crate) fn correct_template(&mut self, file: &str, from: &str, to: &str) {
        let mut files = TemplateFiles::embedded();
        let text = files.0.get_mut(file).unwrap();
        assert!(text.contains(from), "{file} says no {from}");
        *text = text.replace(from, to);
        let templates = Arc::new(Templates::parse(&files, &desk()).unwrap());
        self.engine.reload(Setup { templates, ..setup(&RuleFiles::embedded()) }).unwrap();
    }

    /// Adds an account; the local user does it while one person may.
    pub(crate) fn add(&mut self, name: &str, role: Role) {
        let verb = Verb::People(PeopleVerb::Add {
            name: name.to_owned(),
            person: String::new(),
            role,
            mail: Some(format!("{name}@contractor.example.jp").parse().unwrap()),
            hash: Some(hash()),
            reason: String::new(),
        });
        assert_eq!(self.engine.act("root", &verb).unwrap(), Done::Done, "{name}");
    }

    /// One account of each role, and a second admin; from the second on two persons are needed, so the others are added
    /// by two.
    pub(crate) fn everybody(&mut self) {
        self.add("admin1", Role::Admin);
        self.add("admin2", Role::Admin);
        for (name, role) in [("op", Role::Operator), ("ap", Role::Approver), ("audit", Role::Auditor)] {
            let verb = Verb::People(PeopleVerb::Add {
                name: name.to_owned(),
                person: format!("{name}さん"),
                role,
                mail: None,
                hash: Some(hash()),
                reason: "着任".to_owned(),
            });
            let asked = self.asked("admin1", &verb);
            self.approve("admin2", asked).unwrap();
        }
    }

    pub(crate) fn asked(&mut self, name: &str, verb: &Verb) -> AskNo {
        match self.engine.act(who(name), verb).unwrap() {
            Done::Asked(no) => no,
            Done::Done => panic!("{name} alone did {verb:?}"),
        }
    }

    pub(crate) fn approve(&mut self, name: &str, no: AskNo) -> Result<Done, EngineError> {
        self.engine.act(who(name), &Verb::Ask(AskVerb::Approve { no }))
    }

    /// Wakes and sends until nothing is due; `outcome` says what becomes of the letter to an address. Returns to whom.
    pub(crate) fn deliver(&mut self, outcome: impl Fn(&str) -> Outcome) -> Vec<String> {
        let mut gone = Vec::new();
        loop {
            self.engine.chores().unwrap();
            let woken = self.engine.wake(100).unwrap();
            let leases = self.engine.lease(32).unwrap();
            if woken == 0 && leases.is_empty() {
                self.engine.commit().unwrap();
                return gone;
            }
            for lease in leases {
                gone.push(lease.to.as_str().to_owned());
                self.engine.answered(lease.row, &outcome(lease.to.as_str())).unwrap();
            }
        }
    }
}
