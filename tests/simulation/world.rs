//! The world around a real engine over a real store: a mailbox, an SMTP server that fails in every way, officers, staff,
//! and a computer that crashes. Time is virtual; nothing here waits.

#[path = "../support/setup.rs"]
mod setup;

use super::dice::Dice;
use super::mails::{self, Place};
use annai::clock::Clock;
use annai::crypto::MasterKey;
use annai::domain::time::{DAY, HOUR, MINUTE};
use annai::domain::{Generation, MailAddress, RowNo, TenantId, Timestamp};
use annai::engine::outbox::Lease;
use annai::engine::records::{About, Subject};
use annai::engine::staff::Verb;
use annai::engine::{Chance, Engine, EngineError, Setup, filing::Arrived};
use annai::letters::LetterKind;
use annai::reading;
use annai::rules::{RuleFiles, Rules};
use annai::store::{Options, Store};
use annai::workflow::ReissueReason;
use annai::workflow::RevocationReason;
use annai::workflow::cursor::{Cursor, plan};
use annai::workflow::delivery::Outcome;
use annai::workflow::delivery::{Reply, Stage};
use annai::workflow::enrolment::Certificate;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Rule sets that are reloaded now and then: (hold in business days, password delay, reminders).
pub(crate) const TIMETABLES: [(u32, u32, &str); 3] =
    [(1, 10, "[14, 7, 3, 1]"), (2, 30, "[14, 7, 3, 1]"), (1, 10, "[10, 5]")];
pub(crate) const PICKUP_URL: &str = "https://pickup.example.jp";

/// One message the SMTP server has really taken over.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) row: RowNo,
    pub(crate) letter: LetterKind,
    pub(crate) tenant: Option<(TenantId, Generation)>,
    pub(crate) to: MailAddress,
    pub(crate) at: Timestamp,
}

/// What an officer holds of one generation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    pub(crate) code: Option<String>,
    pub(crate) password: Option<String>,
}

/// Something that will happen.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    Arrives(Vec<u8>),
    PicksUp(TenantId, Generation),
    Uses(TenantId, Generation),
}

pub(crate) struct World {
    _scratch: tempfile::TempDir,
    root: PathBuf,
    lives: u64,
    seed: u64,
    pub(crate) dice: Dice,
    pub(crate) hand: Arc<AtomicI64>,
    clock: Clock,
    pub(crate) setup: Setup,
    /// `None` only while it crashes.
    engine: Option<Engine>,
    pub(crate) store: Option<Arc<Store>>,
    pub(crate) places: Vec<Place>,
    pub(crate) mailbox: Vec<Vec<u8>>,
    pub(crate) uid_validity: u32,
    numbers: u64,
    coming: BTreeMap<(Timestamp, u64), Deed>,
    dead: BTreeSet<String>,
    pub(crate) taken: Vec<Taken>,
    pub(crate) held: BTreeMap<(TenantId, Generation), Held>,
    /// Rows that came back for now, and how often.
    pub(crate) returned: BTreeMap<RowNo, usize>,
    /// Rows staff sent off by hand, at any hour.
    pub(crate) pushed: BTreeSet<RowNo>,
    pub(crate) picked_up: BTreeSet<(TenantId, Generation)>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().to_path_buf();
        let (clock, hand) = Clock::manual("2020-04-27T08:00:00+09:00".parse().unwrap());
        let mut dice = Dice(seed);
        let setup = setup(0);
        let places = places(&setup.rules, &mut dice);
        let mut world = Self {
            _scratch: scratch,
            root,
            lives: 0,
            seed,
            dice,
            hand,
            clock,
            setup,
            engine: None,
            store: None,
            places,
            mailbox: Vec::new(),
            uid_validity: 1,
            numbers: 0,
            coming: BTreeMap::new(),
            dead: BTreeSet::new(),
            taken: Vec::new(),
            held: BTreeMap::new(),
            returned: BTreeMap::new(),
            pushed: BTreeSet::new(),
            picked_up: BTreeSet::new(),
        };
        world.open();
        world.officers_write();
        world
    }

    pub(crate) fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().unwrap()
    }

    pub(crate) fn view(&self) -> &Engine {
        self.engine.as_ref().unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.root.join(format!("state-{}", self.lives))
    }

    fn open(&mut self) {
        let store = Arc::new(Store::open(&self.state(), Options::default()).unwrap());
        let keys = MasterKey::from_bytes([7; 32]);
        let chance = Chance::Seeded { seed: self.seed, drawn: self.lives * 1_000_000 };
        let engine = Engine::open(Arc::clone(&store), self.setup.clone(), keys, self.clock.clone(), chance).unwrap();
        self.engine = Some(engine);
        self.store = Some(store);
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn will(&mut self, at: Timestamp, deed: Deed) {
        let no = self.number();
        self.coming.insert((at, no), deed);
    }

    /// Everybody registers within the first fortnight; some twice, some wrongly first.
    fn officers_write(&mut self) {
        for place in self.places.clone() {
            let at = self.now().plus(self.dice.seconds(0, 14 * DAY));
            let mut first = place.clone();
            if self.dice.permille(200) {
                // An address mistyped; the right one comes days later.
                let wrong = format!("wrong{}", first.address);
                self.dead.insert(wrong.clone());
                first.address = wrong;
                let later = self.dice.seconds(HOUR, 5 * DAY);
                self.registers(at.plus(later), &place);
            }
            for centre in &mut first.centres {
                // Found out at once: the correction comes before the first letter to the wrong address comes back.
                if self.dice.permille(100) {
                    centre.1 = format!("wrong{}", centre.1);
                    self.dead.insert(centre.1.clone());
                    self.registers(at.plus(3 * HOUR), &place);
                }
            }
            if self.dice.permille(150) {
                first.centres.truncate(1);
                self.registers(at.plus(3 * DAY), &place);
            }
            self.registers(at, &first);
        }
    }

    fn registers(&mut self, at: Timestamp, place: &Place) {
        let no = self.number();
        let mail = mails::registration(place, no, &mut self.dice);
        if self.dice.permille(100) {
            self.will(at.plus(HOUR), Deed::Arrives(mail.clone()));
        }
        self.will(at, Deed::Arrives(mail));
    }

    /// Lets happen what is due by now, in order.
    pub(crate) fn come_to_pass(&mut self) {
        while let Some(entry) = self.coming.first_entry().filter(|entry| entry.key().0 <= self.clock.now()) {
            match entry.remove() {
                Deed::Arrives(mail) => self.mailbox.push(mail),
                Deed::PicksUp(tenant, generation) => self.pick_up(tenant, generation),
                Deed::Uses(tenant, generation) => {
                    let seen = self.engine().seen_in_use(tenant, generation);
                    tolerate(seen);
                    self.engine().commit().unwrap();
                }
            }
        }
        if self.dice.permille(40) {
            let (no, place) = (self.number(), self.dice.clone().of(&self.places));
            let mail = match self.dice.below(3) {
                0 => mails::garbage(no, &mut self.dice),
                1 => mails::inquiry(&place, no, &mut self.dice),
                _ => mails::registration(&place, no, &mut self.dice),
            };
            self.mailbox.push(mail);
        }
    }

    /// Reads the mailbox as the daemon's intake does.
    pub(crate) fn read_mailbox(&mut self, limit: usize) {
        let next = u32::try_from(self.mailbox.len()).unwrap() + 1;
        let from = plan(self.view().cursor().unwrap(), self.uid_validity, Some(next)).first_uid();
        let mut arrived = Vec::new();
        for uid in (from..next).take(limit) {
            let raw = self.mailbox[usize::try_from(uid - 1).unwrap()].clone();
            let reading = reading::read(&raw, &self.setup.rules);
            arrived.push(Arrived { uid, raw, truncated: false, reading });
        }
        let uid_next = from + u32::try_from(arrived.len()).unwrap();
        let after = Cursor { uid_validity: self.uid_validity, uid_next };
        self.engine().file(after, arrived).unwrap();
    }

    pub(crate) fn wake_all(&mut self) {
        for round in 0.. {
            assert!(round < 1_000, "waking does not end");
            if self.engine().wake(50).unwrap() == 0 {
                break;
            }
        }
    }

    /// Hands over what is due, as the dispatcher does: lease, flush, SMTP, answer.
    pub(crate) fn deliver_all(&mut self) {
        for round in 0.. {
            assert!(round < 2_000, "the outbox does not empty");
            let leases = self.engine().lease(8).unwrap();
            self.engine().commit().unwrap();
            if leases.is_empty() {
                break;
            }
            for lease in leases {
                super::checks::may_leave(self, &lease);
                let (outcome, taken) = self.smtp(&lease);
                if taken {
                    self.receive(&lease);
                }
                match outcome {
                    Some(outcome) => self.engine().answered(lease.row, &outcome).unwrap(),
                    // The power fails after the final dot.
                    None => {
                        self.crash(false);
                        break;
                    }
                }
            }
            self.engine().commit().unwrap();
        }
    }

    /// What becomes of one attempt, and whether the server has really taken the message over.
    fn smtp(&mut self, lease: &Lease) -> (Option<Outcome>, bool) {
        let reply = |code, text| Reply::new(code, text);
        if self.dead.contains(lease.to.as_str()) && self.dice.permille(500) {
            let reply = reply(550, "5.1.1 User unknown");
            return (Some(Outcome::Refused { stage: Stage::Rcpt, reply }), false);
        }
        match self.dice.below(1_000) {
            0..30 => {
                let outcome = Outcome::Deferred { stage: Stage::Rcpt, reply: reply(450, "4.2.1 greylisted") };
                (Some(outcome), false)
            }
            30..40 => (Some(Outcome::Deferred { stage: Stage::Connect, reply: reply(421, "busy") }), false),
            40..60 => (Some(Outcome::NotSent { why: "connection refused".into() }), false),
            60..66 => (Some(Outcome::Refused { stage: Stage::Data, reply: reply(554, "5.7.1 spam") }), false),
            66..70 => (Some(Outcome::Refused { stage: Stage::Rcpt, reply: reply(554, "5.7.1 relay denied") }), false),
            70..80 => (Some(Outcome::Unknown { why: "silent".into() }), false),
            80..90 => (Some(Outcome::Unknown { why: "silent".into() }), true),
            90..94 => (None, true),
            _ => (Some(Outcome::Relayed { reply: reply(250, "2.0.0 queued") }), true),
        }
    }

    /// The message is in the server's hands: it reaches somebody, or comes back.
    fn receive(&mut self, lease: &Lease) {
        let row = self.view().row(lease.row).unwrap();
        let now = self.now();
        let tenant = match row.about {
            About::Tenant { tenant, generation, .. } => Some((tenant, generation)),
            About::Mail { .. } | About::Reply { .. } | About::Report { .. } => None,
        };
        self.taken.push(Taken { row: row.no, letter: row.letter, tenant, to: row.to.clone(), at: now });
        let later = now.plus(self.dice.seconds(10 * MINUTE, 2 * DAY));
        let no = self.number();
        let returned = |action, status| mails::report(&lease.envelope_from, &lease.to, action, status, no);
        if self.dead.contains(lease.to.as_str()) {
            let report = returned("failed", "5.1.1");
            return self.will(later, Deed::Arrives(report));
        }
        match self.dice.below(1_000) {
            0..15 => {
                let report = returned("delayed", "4.4.1");
                self.will(later, Deed::Arrives(report));
            }
            15..22 => {
                let report = returned("failed", "5.2.2");
                *self.returned.entry(row.no).or_default() += 1;
                return self.will(later, Deed::Arrives(report));
            }
            22..40 => self.will(later, Deed::Arrives(mails::out_of_office(lease.to.as_str(), no))),
            _ => {}
        }
        if let Some((tenant, generation)) = tenant {
            self.officer_reads(lease, row.letter, tenant, generation);
        }
    }

    /// Whether a welcome letter to this tenant came back for now.
    pub(crate) fn welcome_returned(&self, id: TenantId) -> bool {
        let welcome = |taken: &&Taken| taken.letter == LetterKind::Welcome && taken.tenant.is_some_and(|t| t.0 == id);
        self.taken.iter().filter(welcome).any(|taken| self.returned.contains_key(&taken.row))
    }

    fn officer_reads(&mut self, lease: &Lease, letter: LetterKind, tenant: TenantId, generation: Generation) {
        let body = reading::read(lease.bytes.reveal(), &self.setup.rules).body;
        let held = self.held.entry((tenant, generation)).or_default();
        match letter {
            LetterKind::CertificateNotice => held.code = Some(code_in(&body).unwrap()),
            LetterKind::PickupPassword => {
                held.password = Some(password_in(&body).unwrap());
                // A tenth never gets round to it.
                if !self.dice.permille(100) {
                    let at = self.now().plus(self.dice.seconds(HOUR, 33 * DAY));
                    self.will(at, Deed::PicksUp(tenant, generation));
                }
            }
            LetterKind::Welcome
            | LetterKind::Reminder
            | LetterKind::Expired
            | LetterKind::Credentials
            | LetterKind::CredentialsReady
            | LetterKind::Receipt
            | LetterKind::UnderReview
            | LetterKind::CorrectionRequest
            | LetterKind::AskAuthority
            | LetterKind::AskResend
            | LetterKind::AskConfirm
            | LetterKind::AskOrigin
            | LetterKind::Report
            | LetterKind::Alert
            | LetterKind::AskReply => {}
        }
    }

    fn pick_up(&mut self, tenant: TenantId, generation: Generation) {
        let Some(Held { code: Some(code), password: Some(_) }) = self.held.get(&(tenant, generation)).cloned() else {
            return;
        };
        let opens = self.view().opens(&code.to_uppercase()).unwrap();
        super::checks::code_opens(self, tenant, generation, opens);
        // Some certificates are short-lived, so that renewals come within these weeks.
        let days = if self.dice.permille(300) { 70 } else { 730 };
        let certificate =
            Certificate { serial: format!("{:x}", self.number()), not_after: self.now().plus(days * DAY) };
        let done = self.engine().picked_up(tenant, generation, certificate);
        assert_eq!(done.is_ok(), opens.is_some(), "{tenant}/{generation} {done:?}");
        self.engine().commit().unwrap();
        if done.is_ok() {
            assert!(self.picked_up.insert((tenant, generation)), "{tenant}/{generation} was picked up twice");
            let at = self.now().plus(self.dice.seconds(MINUTE, 3 * DAY));
            self.will(at, Deed::Uses(tenant, generation));
            if self.dice.permille(100) {
                self.will(at, Deed::PicksUp(tenant, generation));
            }
        }
    }

    /// Staff work through some of what is open, and now and then do something unasked.
    pub(crate) fn staff(&mut self) {
        let matters = self.view().matters(500).unwrap();
        for matter in matters {
            if self.dice.permille(300) {
                continue;
            }
            let reason = || "simulated".to_owned();
            let verb = match matter.subject {
                Subject::Mail { mail, .. } => match self.dice.below(10) {
                    0..6 => self.view().view().acceptance(mail, None).unwrap(),
                    6 => Verb::AskSender { mail },
                    7 => Verb::Reread { mail },
                    _ => Verb::Reject { mail, reason: reason() },
                },
                Subject::Row { row, .. } => match self.dice.below(3) {
                    0 => Verb::Release { row },
                    1 => Verb::Retry { row },
                    _ => Verb::Withdraw { row, reason: reason() },
                },
                Subject::Tenant { tenant, .. } if self.dice.permille(400) => {
                    Verb::Reissue { tenant, reason: ReissueReason::TerminalReplaced }
                }
                Subject::Tenant { .. }
                | Subject::Inquiry { .. }
                | Subject::NotComposed { .. }
                | Subject::AnswerUndeliverable { .. }
                | Subject::FailingTogether { .. }
                | Subject::UnknownBounce { .. } => Verb::Close { matter: matter.no.0, reason: reason() },
            };
            self.act(&verb);
        }
        if self.dice.permille(300)
            && let Some(verb) = self.whim()
        {
            self.act(&verb);
        }
        self.engine().commit().unwrap();
    }

    fn act(&mut self, verb: &Verb) {
        if let Verb::Retry { row } | Verb::Release { row } = verb {
            self.pushed.insert(*row);
        }
        let done = self.engine().act("sim", verb);
        tolerate(done.map(|_| ()));
    }

    fn whim(&mut self) -> Option<Verb> {
        let rows = self.view().all_rows().unwrap();
        let rosters = self.view().all_rosters().unwrap();
        let tenants: Vec<_> = rosters.iter().flat_map(|r| &r.courses).map(|c| c.tenant.id).collect();
        if rows.is_empty() || tenants.is_empty() {
            return None;
        }
        let (row, tenant) = (self.dice.of(&rows).no, self.dice.of(&tenants));
        let reason = "a whim".to_owned();
        Some(match self.dice.below(8) {
            0 => Verb::Hold { row, reason },
            1 => Verb::Release { row },
            2 => Verb::Retry { row },
            3 => Verb::Withdraw { row, reason },
            4 => Verb::Reissue { tenant, reason: ReissueReason::Lost },
            5 => Verb::Reissue { tenant, reason: ReissueReason::TerminalReplaced },
            6 => Verb::Cancel { tenant, reason },
            _ => Verb::Revoke { tenant, reason: RevocationReason::KeyCompromise },
        })
    }

    /// The process dies. `losing`: what it did since its last flush is lost with it.
    pub(crate) fn crash(&mut self, losing: bool) {
        let (old, new) = (self.state(), self.root.join(format!("state-{}", self.lives + 1)));
        if losing {
            self.engine().commit().unwrap();
            copy(&old, &new);
            // Nobody outside hears of these steps: no letter leaves, the mailbox keeps its mails.
            self.read_mailbox(30);
            self.wake_all();
        }
        self.engine = None;
        self.store = None;
        if !losing {
            copy(&old, &new);
        }
        std::fs::remove_dir_all(&old).unwrap();
        self.lives += 1;
        self.open();
    }

    pub(crate) fn reload(&mut self, timetable: usize) {
        self.setup = setup(timetable);
        let setup = self.setup.clone();
        self.engine().reload(setup).unwrap();
        self.engine().commit().unwrap();
    }

    /// Moves the clock.
    pub(crate) fn pass(&mut self, seconds: i64) {
        self.hand.fetch_add(seconds, Ordering::SeqCst);
    }
}

/// Staff may ask for what cannot be done; a fault of ours is another thing.
#[track_caller]
/// Staff work from a list: what they did to one item may have refused or settled another.
fn tolerate(done: Result<(), EngineError>) {
    match done {
        Ok(()) | Err(EngineError::Refused(_) | EngineError::NoMatter(_)) => {}
        Err(fault) => panic!("{fault}"),
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

pub(crate) fn code_in(body: &str) -> Option<String> {
    let (_, rest) = body.split_once(&format!("{PICKUP_URL}/p/"))?;
    rest.split_whitespace().next().map(str::to_owned)
}

pub(crate) fn password_in(body: &str) -> Option<String> {
    let is_code = |word: &&str| word.len() == 14 && word.split('-').all(|part| part.len() == 4);
    body.split_whitespace().find(is_code).map(str::to_owned)
}

fn setup(timetable: usize) -> Setup {
    let (hold, delay, reminders) = TIMETABLES[timetable];
    let mut files = RuleFiles::embedded();
    let schedule = format!(
        "[launch]\ncertificates_from = 2020-05-01\ncredentials_from = 2020-05-11\n[welcome]\nhold_business_days = {hold}\n\
         [pickup]\nwindow_days = 30\npassword_delay_minutes = {delay}\nreminder_days_before = {reminders}\n"
    );
    files.0.insert("schedule.toml".to_owned(), schedule);
    setup::setup(&files)
}

/// Thirty authorities of the rules with one to six of their health centres.
fn places(rules: &Rules, dice: &mut Dice) -> Vec<Place> {
    let known: Vec<_> =
        rules.authorities.all().iter().filter(|a| !a.centres.is_empty() && !a.site.is_empty()).collect();
    let mut places: BTreeMap<String, Place> = BTreeMap::new();
    while places.len() < 30 {
        let authority = dice.of(&known);
        let centres = authority.centres.iter().take(1 + dice.below(6)).enumerate();
        // Some share one mailbox.
        let shared = dice.permille(200);
        let address = |no: usize| format!("hoken{}@{}", if shared { 0 } else { no }, authority.site);
        let centres = centres.map(|(no, centre)| (centre.name.clone(), address(no))).collect();
        let place = Place { name: authority.name.clone(), address: format!("kansen@{}", authority.site), centres };
        places.insert(authority.code.to_string(), place);
    }
    places.into_values().collect()
}
