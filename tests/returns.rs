//! What comes back reaches the outbox row and the machines: over the real engine and a real store, with a clock in hand.

#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

#[path = "support/setup.rs"]
mod setup;

use annai::clock::Clock;
use annai::crypto::MasterKey;
use annai::domain::time::{DAY, HOUR};
use annai::domain::{MailAddress, RowNo, TenantId, Timestamp};
use annai::engine::outages::Common;
use annai::engine::records::{About, Disposition, Row, Subject};
use annai::engine::staff::Verb;
use annai::engine::{Chance, Engine, Setup, filing::Arrived};
use annai::letters::LetterKind;
use annai::reading;
use annai::rules::{RuleFiles, Rules};
use annai::store::{Options, Store};
use annai::workflow::cursor::Cursor;
use annai::workflow::delivery::{BounceClass, Delivery, Outcome, Reply};
use annai::workflow::welcome::Welcome;
use annai::workflow::{credential, enrolment};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

const START: &str = "2020-04-27T10:00:00+09:00";
const NOTICE: LetterKind = LetterKind::CertificateNotice;

struct Desks {
    _scratch: tempfile::TempDir,
    engine: Engine,
    hand: Arc<AtomicI64>,
    rules: Arc<Rules>,
    uid: u32,
    /// Envelope sender and bytes of every letter handed over, the latest of each row.
    sent: BTreeMap<RowNo, (MailAddress, String)>,
    /// Row and moment of every hand-over.
    log: Vec<(RowNo, LetterKind, Timestamp)>,
}

fn setup() -> Setup {
    let mut files = RuleFiles::embedded();
    let schedule = "[launch]\ncertificates_from = 2020-05-01\ncredentials_from = 2020-05-11\n[pickup]\nwindow_days = 30\n\
                    password_delay_minutes = 10\nreminder_days_before = [14, 7, 3, 1]\n";
    files.0.insert("schedule.toml".to_owned(), schedule.to_owned());
    setup::setup(&files)
}

impl Desks {
    fn open() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let (clock, hand) = Clock::manual(START.parse().unwrap());
        let setup = setup();
        let rules = Arc::clone(&setup.rules);
        let store = Arc::new(Store::open(&scratch.path().join("state"), Options::default()).unwrap());
        let chance = Chance::Seeded { seed: 7, drawn: 0 };
        let engine = Engine::open(store, setup, MasterKey::from_bytes([7; 32]), clock, chance).unwrap();
        Self { _scratch: scratch, engine, hand, rules, uid: 0, sent: BTreeMap::new(), log: Vec::new() }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.hand.load(Ordering::SeqCst))
    }

    fn arrives(&mut self, raw: &str) {
        self.uid += 1;
        let reading = reading::read(raw.as_bytes(), &self.rules);
        let arrived = Arrived { uid: self.uid, raw: raw.as_bytes().to_vec(), truncated: false, reading };
        self.engine.file(Cursor { uid_validity: 1, uid_next: self.uid + 1 }, vec![arrived]).unwrap();
        self.engine.commit().unwrap();
    }

    fn registers(&mut self, authority: &str, domain: &str, centres: &[&str]) {
        let mut body = format!("<自治体>\n{authority}　kansen@{domain}\n\n<保健所>\n");
        for (no, name) in centres.iter().enumerate() {
            body.push_str(&format!("{name}　hoken{no}@{domain}\n"));
        }
        let raw = format!(
            "From: tanto@{domain}\nTo: covid19@bigtreetc.com\nCc: follow-up@mhlw.go.jp\nMessage-ID: <{}@{domain}>\n\
             Subject: 自治体・保健所メールアドレスの連絡（{authority}）\nContent-Type: text/plain; charset=utf-8\n\n{body}",
            self.uid
        );
        self.arrives(&raw);
    }

    /// Wakes and hands over what is due now.
    fn turn(&mut self) {
        for _ in 0..100 {
            let woken = self.engine.wake(50).unwrap();
            let leases = self.engine.lease(8).unwrap();
            self.engine.commit().unwrap();
            if woken == 0 && leases.is_empty() {
                return;
            }
            for lease in leases {
                let kind = self.row(lease.row).letter;
                self.log.push((lease.row, kind, self.now()));
                let text = String::from_utf8_lossy(lease.bytes.reveal()).into_owned();
                self.sent.insert(lease.row, (lease.envelope_from, text));
                let outcome = Outcome::Relayed { reply: Reply::new(250, "2.0.0 queued") };
                self.engine.answered(lease.row, &outcome).unwrap();
            }
            self.engine.commit().unwrap();
        }
        panic!("no end at {}", self.now());
    }

    /// Turns every half hour until `to`.
    fn until(&mut self, to: &str) {
        let to: Timestamp = to.parse().unwrap();
        while self.now() < to {
            self.turn();
            let next = self.now().plus(HOUR / 2).unix().min(to.unix());
            self.hand.store(next, Ordering::SeqCst);
        }
        self.turn();
    }

    fn row(&self, no: RowNo) -> Row {
        self.engine.row(no).unwrap()
    }

    fn tenants(&self) -> Vec<TenantId> {
        let rosters = self.engine.all_rosters().unwrap();
        rosters.iter().flat_map(|roster| &roster.courses).map(|course| course.tenant.id).collect()
    }

    /// The row of a letter to a tenant.
    fn letter(&self, id: TenantId, letter: LetterKind) -> Option<Row> {
        let about = |row: &Row| matches!(row.about, About::Tenant { tenant, .. } if tenant == id);
        self.engine.all_rows().unwrap().into_iter().find(|row| row.letter == letter && about(row))
    }

    /// The report of a mail server on a letter, with fields.
    fn report(&mut self, row: &Row, action: &str, status: &str, exchanger: &str) {
        let (verp, to) = (self.sent[&row.no].0.as_str().to_owned(), row.to.as_str());
        let raw = format!(
            "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.jp\nTo: {verp}\nSubject: Mail delivery report {}\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
             --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.jp\n\n\
             Final-Recipient: rfc822; {to}\nAction: {action}\nStatus: {status}\nRemote-MTA: dns; {exchanger}\n--b--\n",
            self.uid
        );
        self.arrives(&raw);
    }

    /// A sample of tests/data/bounces as the answer to a letter.
    fn comes_back_as(&mut self, row: &Row, sample: &str) {
        let path = format!("{}/tests/data/bounces/{sample}.eml", env!("CARGO_MANIFEST_DIR"));
        let verp = self.sent[&row.no].0.as_str();
        let raw = std::fs::read_to_string(path).unwrap();
        let raw = raw.replace("bounce+7.0a1b2c3d@mail.annai.example", verp);
        self.arrives(&raw.replace("hoken@city.aoba.example", row.to.as_str()));
    }

    fn last_disposition(&self) -> Disposition {
        self.engine.all_items().unwrap().pop().unwrap().disposition
    }

    fn subjects(&self) -> Vec<Subject> {
        self.engine.matters(500).unwrap().into_iter().map(|matter| matter.subject).collect()
    }

    fn sent_after(&self, moment: Timestamp) -> Vec<LetterKind> {
        self.log.iter().filter(|(_, _, at)| *at > moment).map(|(_, letter, _)| *letter).collect()
    }
}

/// One authority with one health centre, and the authority's tenant.
fn one() -> (Desks, TenantId) {
    let mut desks = Desks::open();
    desks.registers("札幌市", "city.sapporo.jp", &["札幌市保健所"]);
    let id = desks.tenants()[0];
    (desks, id)
}

#[test]
fn a_dead_address_gets_nothing_secret() {
    let (mut desks, id) = one();
    desks.turn();
    let welcome = desks.letter(id, LetterKind::Welcome).unwrap();
    desks.report(&welcome, "failed", "5.1.1", "mx.city.sapporo.jp");
    assert_eq!(desks.last_disposition(), Disposition::Bounce { row: Some(welcome.no) });
    let Delivery::Bounced { class: BounceClass::Hard, .. } = desks.row(welcome.no).delivery else { panic!() };
    desks.until("2020-06-10T12:00:00+09:00");
    for secret in [NOTICE, LetterKind::PickupPassword, LetterKind::Credentials, LetterKind::Reminder] {
        assert!(desks.letter(id, secret).is_none(), "{secret:?}");
    }
    let other = desks.tenants()[1];
    assert!(desks.letter(other, LetterKind::Credentials).is_some(), "the others go on");
}

/// Reports of many kinds do the same to the row as one with fields.
#[test]
fn whatever_the_language_and_the_wrapping_the_row_hears_of_it() {
    let hard =
        ["languages/chinese", "languages/russian", "enclosed/by-a-gateway", "odd/carriage-returns", "dragonfly/alias"];
    for sample in hard {
        let (mut desks, id) = one();
        desks.turn();
        let welcome = desks.letter(id, LetterKind::Welcome).unwrap();
        desks.comes_back_as(&welcome, sample);
        assert_eq!(desks.last_disposition(), Disposition::Bounce { row: Some(welcome.no) }, "{sample}");
        let Delivery::Bounced { class: BounceClass::Hard, .. } = desks.row(welcome.no).delivery else {
            panic!("{sample}")
        };
        desks.until("2020-05-12T12:00:00+09:00");
        assert!(desks.letter(id, NOTICE).is_none() && desks.letter(id, LetterKind::Credentials).is_none(), "{sample}");
    }
    for sample in ["languages/korean-full", "others/rejecting-receipt", "odd/full-over-lines"] {
        let (mut desks, id) = one();
        desks.turn();
        let welcome = desks.letter(id, LetterKind::Welcome).unwrap();
        desks.comes_back_as(&welcome, sample);
        assert!(matches!(desks.row(welcome.no).delivery, Delivery::Deferred { .. }), "{sample}");
        let before = desks.log.len();
        desks.until("2020-04-30T12:00:00+09:00");
        assert!(desks.log[before..].iter().any(|(row, _, _)| *row == welcome.no), "{sample}: it is sent once more");
    }
    for sample in ["languages/french-delayed", "languages/chinese-delayed", "odd/postponed"] {
        let (mut desks, id) = one();
        desks.turn();
        let welcome = desks.letter(id, LetterKind::Welcome).unwrap();
        desks.comes_back_as(&welcome, sample);
        assert!(
            matches!(desks.row(welcome.no).delivery, Delivery::Relayed { .. }),
            "{sample}: {:?}",
            desks.row(welcome.no).delivery
        );
        assert!(!desks.subjects().iter().any(|subject| matches!(subject, Subject::UnknownBounce { .. })), "{sample}");
    }
}

#[test]
fn credentials_that_come_back_end_reminders_and_secrets() {
    let (mut desks, id) = one();
    desks.until("2020-05-11T12:00:00+09:00");
    let credentials = desks.letter(id, LetterKind::Credentials).unwrap();
    desks.report(&credentials, "failed", "5.1.1", "mx.city.sapporo.jp");
    let course = desks.engine.course(id).unwrap();
    assert!(matches!(course.credential.state, credential::State::Undeliverable { .. }));
    assert!(matches!(course.welcome, Welcome::Undeliverable { .. }));
    let now = desks.now();
    desks.until("2020-06-10T12:00:00+09:00");
    let later = desks.log.iter().filter(|(no, _, at)| *at > now && desks.row(*no).to == credentials.to);
    let later: Vec<_> = later.map(|(_, letter, _)| *letter).filter(|letter| *letter != LetterKind::Expired).collect();
    assert_eq!(later, [], "to the dead address");
    assert!(desks.sent_after(now).contains(&LetterKind::Reminder), "the other tenant is reminded");
}

#[test]
fn a_full_mailbox_is_tried_again_and_secrets_wait() {
    let (mut desks, id) = one();
    desks.until("2020-04-30T10:00:00+09:00");
    let welcome = desks.letter(id, LetterKind::Welcome).unwrap();
    desks.report(&welcome, "failed", "5.2.2", "mx.city.sapporo.jp");
    let Delivery::Deferred { until, .. } = desks.row(welcome.no).delivery else { panic!("not deferred") };
    assert_eq!(until, desks.now().plus(DAY));
    assert!(matches!(desks.engine.course(id).unwrap().welcome, Welcome::Queued { .. }));
    desks.until("2020-05-01T09:59:00+09:00");
    assert!(desks.letter(id, NOTICE).is_none(), "nothing secret while the welcome is out");
    desks.until("2020-05-08T18:00:00+09:00");
    assert_eq!(desks.log.iter().filter(|(no, ..)| *no == welcome.no).count(), 2);
    assert!(desks.letter(id, NOTICE).is_some());
    // Nobody can be tried for ever: after a week the address counts as dead.
    let welcome = desks.row(welcome.no);
    desks.report(&welcome, "failed", "4.2.2", "mx.city.sapporo.jp");
    assert!(matches!(desks.row(welcome.no).delivery, Delivery::Bounced { class: BounceClass::Soft, .. }));
}

#[test]
fn a_secret_that_came_back_is_written_anew() {
    let (mut desks, id) = one();
    desks.until("2020-05-01T09:00:00+09:00");
    let notice = desks.letter(id, NOTICE).unwrap();
    let first = desks.sent[&notice.no].1.clone();
    desks.report(&notice, "failed", "4.4.1", "mx.city.sapporo.jp");
    let state = |desks: &Desks| desks.engine.course(id).unwrap().current().unwrap().state.clone();
    assert!(matches!(state(&desks), enrolment::State::NoticeQueued { .. }));
    desks.until("2020-05-02T08:59:00+09:00");
    assert!(desks.letter(id, LetterKind::PickupPassword).is_none(), "the password waits for its notice");
    desks.until("2020-05-08T18:00:00+09:00");
    let second = &desks.sent[&notice.no].1;
    let field = |text: &str, name: &str| text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    assert_eq!(field(&first, "Message-ID:"), field(second, "Message-ID:"));
    let times: Vec<_> = desks.log.iter().filter(|(no, ..)| *no == notice.no).map(|(_, _, at)| *at).collect();
    let password = desks.letter(id, LetterKind::PickupPassword).unwrap();
    let password = desks.log.iter().find(|(no, ..)| *no == password.no).unwrap().2;
    assert!(times.len() == 2 && times[1] < password, "{times:?} {password}");
    assert!(!desks.engine.rows_with_content().unwrap().contains(&notice.no), "no secret is left behind");
}

#[test]
fn a_password_that_came_back_is_sent_once_more() {
    let (mut desks, id) = one();
    desks.until("2020-05-06T08:30:00+09:00");
    let password = desks.letter(id, LetterKind::PickupPassword).unwrap();
    let first = desks.sent[&password.no].1.clone();
    desks.report(&password, "failed", "4.4.7", "mx.city.sapporo.jp");
    assert!(matches!(desks.row(password.no).delivery, Delivery::Deferred { .. }));
    let state = desks.engine.course(id).unwrap().current().unwrap().state.clone();
    assert!(!state.password_has_left(), "credentials wait for it: {state:?}");
    desks.until("2020-05-08T18:00:00+09:00");
    assert!(matches!(desks.row(password.no).delivery, Delivery::Relayed { .. }));
    let text = |raw: &str| reading::read(raw.as_bytes(), &desks.rules).body;
    assert_eq!(text(&desks.sent[&password.no].1), text(&first), "the same password");
    desks.until("2020-05-12T18:00:00+09:00");
    assert!(desks.letter(id, LetterKind::Credentials).is_some());
}

#[test]
fn a_delay_changes_nothing_and_words_nobody_knows_are_for_a_person() {
    let (mut desks, id) = one();
    desks.turn();
    let welcome = desks.letter(id, LetterKind::Welcome).unwrap();
    desks.report(&welcome, "delayed", "4.4.1", "mx.city.sapporo.jp");
    assert!(matches!(desks.row(welcome.no).delivery, Delivery::Relayed { .. }));
    let verp = desks.sent[&welcome.no].0.as_str().to_owned();
    desks.arrives(&format!("From: gateway@gw.example.jp\nTo: {verp}\nSubject: 0815\n\nStatus 17 for your item.\n"));
    assert_eq!(desks.last_disposition(), Disposition::Bounce { row: Some(welcome.no) });
    assert!(
        desks.subjects().iter().any(|s| matches!(s, Subject::UnknownBounce { row: Some(no), .. } if *no == welcome.no))
    );
    assert!(matches!(desks.row(welcome.no).delivery, Delivery::Relayed { .. }));
}

#[test]
fn a_report_in_words_is_known_by_the_letter_it_returns() {
    let (mut desks, id) = one();
    desks.turn();
    let welcome = desks.letter(id, LetterKind::Welcome).unwrap();
    let (to, letter) = (welcome.to.as_str(), &welcome.message_id.0);
    let text = |id: &str| {
        format!(
            "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.jp\nTo: covid19@bigtreetc.com\nSubject: failure notice {id}\n\n\
             Hi. This is the qmail-send program at mx.example.jp.\n\n<{to}>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n\
             --- Below this line is a copy of the message.\n\nMessage-ID: <{id}>\nTo: {to}\n"
        )
    };
    // Somebody who does not know our key makes one up: nothing happens to the letter.
    let forged = letter.replacen('.', ".9", 2);
    desks.arrives(&text(&forged));
    assert_eq!(desks.last_disposition(), Disposition::Bounce { row: None });
    assert!(matches!(desks.row(welcome.no).delivery, Delivery::Relayed { .. }));
    desks.arrives(&text(letter));
    assert_eq!(desks.last_disposition(), Disposition::Bounce { row: Some(welcome.no) });
    assert!(matches!(desks.row(welcome.no).delivery, Delivery::Bounced { class: BounceClass::Hard, .. }));
}

#[test]
fn many_that_fail_together_are_one_matter() {
    let mut desks = Desks::open();
    for (authority, domain) in
        [("札幌市", "city.sapporo.jp"), ("函館市", "city.hakodate.jp"), ("小樽市", "city.otaru.jp")]
    {
        desks.registers(authority, domain, &[&format!("{authority}保健所")]);
    }
    for mail in desks.engine.all_items().unwrap() {
        if matches!(mail.disposition, Disposition::Review { .. }) {
            let accept = desks.engine.view().acceptance(mail.no, None).unwrap();
            desks.engine.act("test", &accept).unwrap();
        }
    }
    desks.turn();
    let tenants = desks.tenants();
    assert_eq!(tenants.len(), 6);
    let together = |desks: &Desks| -> Vec<(u64, Common, usize)> {
        let open = desks.engine.matters(500).unwrap();
        let groups = open.into_iter().filter_map(|matter| match matter.subject {
            Subject::FailingTogether { common, tenants } => Some((matter.no.0, common, tenants.len())),
            _ => None,
        });
        groups.collect()
    };
    let fails = |desks: &mut Desks, nth: usize, action: &str, status: &str| {
        let row = desks.letter(tenants[nth], LetterKind::Welcome).unwrap();
        let exchanger = format!("mx{nth}.example.jp");
        desks.report(&row, action, status, &exchanger);
    };
    fails(&mut desks, 0, "delayed", "4.4.1");
    fails(&mut desks, 2, "failed", "4.4.7");
    assert_eq!(together(&desks), []);
    // The same tenant once more is no third one.
    fails(&mut desks, 0, "delayed", "4.4.1");
    assert_eq!(together(&desks), []);
    fails(&mut desks, 4, "failed", "5.4.4");
    let common = Common::Prefecture { name: "北海道".to_owned() };
    let [(no, ref of, 3)] = together(&desks)[..] else { panic!("{:?}", together(&desks)) };
    assert_eq!(*of, common);
    fails(&mut desks, 1, "delayed", "4.4.1");
    assert_eq!(together(&desks), [(no, common.clone(), 4)], "it grows");
    desks.engine.act("test", &Verb::Close { matter: no, reason: "知らせ済み".to_owned() }).unwrap();
    fails(&mut desks, 3, "delayed", "4.4.1");
    assert_eq!(together(&desks), [], "those that were dealt with count no more");
}

/// Log lines of this thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_log_says_who_cannot_be_reached_without_the_address() {
    let lines = Lines::default();
    let writer = lines.clone();
    let log = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
    // For all threads of this binary: what a thread of its own would log may be switched off by the others.
    tracing::subscriber::set_global_default(log).unwrap();
    let (mut desks, id) = one();
    desks.turn();
    let welcome = desks.letter(id, LetterKind::Welcome).unwrap();
    desks.report(&welcome, "failed", "5.1.1", "mx.city.sapporo.jp");
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(
        text.contains("cannot be delivered") && text.contains("k***@city.sapporo.jp") && text.contains("INFO"),
        "{text}"
    );
    assert!(!text.contains("kansen@"), "{text}");
}
