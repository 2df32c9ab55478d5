//! An engine with a CA over a real store, a manual clock, and the codes and passwords its letters brought.

#[path = "../support/post.rs"]
mod post;
#[path = "../support/setup.rs"]
mod setup;

use annai::clock::Clock;
use annai::crypto::MasterKey;
use annai::domain::{TenantId, Timestamp};
use annai::engine::filing::Arrived;
use annai::engine::pickup::{Claim, Opening, PickupSettings, Taken};
use annai::engine::{Chance, Engine, Setup};
use annai::pki::{Authority, Custody, KeyKind, Keyring, LeafSettings, Profile, dir};
use annai::reading;
use annai::rules::RuleFiles;
use annai::store::{Options, Store};
use annai::workflow::cursor::Cursor;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const MAIL: &str = "From: hoken@pref.tottori-mihon.lg.jp\r\nTo: covid19@bigtreetc.com\r\nCc: follow-up@mhlw.go.jp\r\n\
    Subject: 自治体・保健所メールアドレスの連絡（鳥取県）\r\nMessage-ID: <1@pref.tottori-mihon.lg.jp>\r\n\
    MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
    <自治体（保健所設置主体）>\r\n鳥取県 hoken@pref.tottori-mihon.lg.jp\r\n\r\n<保健所>\r\n\
    倉吉保健所 kurayoshi@pref.tottori-mihon.lg.jp\r\n";

/// 倉吉保健所.
pub(crate) const CENTRE: &str = "310000-01";

pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) engine: Engine,
    pub(crate) hand: Arc<AtomicI64>,
    clock: Clock,
    settings: PickupSettings,
    rules: String,
    /// By tenant address: the newest pick-up code and password, and the newest credential ZIP mail.
    pub(crate) codes: BTreeMap<String, String>,
    pub(crate) passwords: BTreeMap<String, String>,
    zips: BTreeMap<String, Vec<u8>>,
    mails: u32,
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn leaf() -> LeafSettings {
    let crl_url = Some("http://pickup.example.jp/crl".to_owned());
    let aia_url = Some("http://pickup.example.jp/ca".to_owned());
    LeafSettings { key: KeyKind::P256, crl_url, aia_url, ..LeafSettings::default() }
}

fn setup(schedule: &str) -> Setup {
    let mut files = RuleFiles::embedded();
    if !schedule.is_empty() {
        let text = files.0.get("schedule.toml").unwrap().replace("by = \"mail\"", schedule);
        files.0.insert("schedule.toml".to_owned(), text);
    }
    let mut setup = setup::setup(&files);
    setup.post.gate_url = Some("https://check.example.jp".to_owned());
    setup
}

fn open(state: &std::path::Path, clock: &Clock, settings: PickupSettings, rules: &str, seed: u64) -> Engine {
    let store = Arc::new(Store::open(state, Options::default()).unwrap());
    let chance = Chance::Seeded { seed, drawn: 0 };
    let keys = MasterKey::from_bytes([7; 32]);
    let mut engine = Engine::open(store, setup(rules), keys.clone(), clock.clone(), chance).unwrap();
    let ca = state.parent().unwrap().join("ca");
    engine.follow_keys(Keyring::new(ca, keys, None, leaf()), settings).unwrap();
    engine
}

impl World {
    /// Registered on Friday 24 April 2020, notified on 1 May at ten, the password half an hour later.
    pub(crate) fn new() -> Self {
        Self::with(PickupSettings::default(), "")
    }

    /// `rules`: what stands in schedule.toml instead of `by = "mail"`; empty: nothing.
    pub(crate) fn with(settings: PickupSettings, rules: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (clock, hand) = Clock::manual(at("2020-04-24T10:00:00+09:00"));
        std::fs::create_dir(dir.path().join("ca")).unwrap();
        let keys = MasterKey::from_bytes([7; 32]);
        let custody = Custody { master: &keys, second: None };
        dir::create(&dir.path().join("ca"), &custody, "帰国者フォローアップシステム", clock.now()).unwrap();
        let engine = open(&dir.path().join("state"), &clock, settings, rules, 1);
        let (codes, passwords, zips) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let rules = rules.to_owned();
        let mut world = Self { dir, engine, hand, clock, settings, rules, codes, passwords, zips, mails: 1 };
        let reading = reading::read(MAIL.as_bytes(), &world.engine.setup().rules);
        let arrived = Arrived { uid: 1, raw: MAIL.as_bytes().to_vec(), truncated: false, reading };
        world.engine.file(Cursor { uid_validity: 1, uid_next: 2 }, vec![arrived]).unwrap();
        for moment in ["2020-04-24T10:01", "2020-05-01T09:00", "2020-05-01T10:00", "2020-05-01T10:30"] {
            world.go(&format!("{moment}:00+09:00"));
        }
        assert_eq!((world.codes.len(), world.passwords.len()), (2, 2));
        world
    }

    /// Sets the clock, then wakes and sends until nothing is due; the server takes every letter.
    pub(crate) fn go(&mut self, moment: &str) {
        self.hand.store(at(moment).unix(), Ordering::Release);
        let Self { engine, codes, passwords, zips, .. } = self;
        post::deliver(engine, |_, lease, body| {
            let to = || lease.to.as_str().to_owned();
            codes.extend(post::code_in(body).map(|code| (to(), code)));
            passwords.extend(post::password_in(body).map(|password| (to(), password)));
            zips.extend(zip_in(lease.bytes.reveal()).map(|zip| (to(), zip)));
        });
    }

    /// A mail has arrived.
    pub(crate) fn mail(&mut self, from: &str, subject: &str, body: &str) {
        let no = self.mails + 1;
        self.mails = no;
        let raw = format!(
            "From: {from}\r\nTo: covid19@bigtreetc.com\r\nSubject: {subject}\r\nMessage-ID: <{no}@x.lg.jp>\r\n\
             MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}"
        );
        let reading = reading::read(raw.as_bytes(), &self.engine.setup().rules);
        let arrived = Arrived { uid: no, raw: raw.into_bytes(), truncated: false, reading };
        self.engine.file(Cursor { uid_validity: 1, uid_next: no + 1 }, vec![arrived]).unwrap();
    }

    /// The ZIP of the newest credentials mail to 倉吉保健所 that leaves by this moment.
    pub(crate) fn credentials_mail(&mut self, moment: &str) -> Vec<u8> {
        self.go(moment);
        self.zips.get("kurayoshi@pref.tottori-mihon.lg.jp").unwrap().clone()
    }

    /// As after `kill -9`: everything not flushed is gone with the process.
    pub(crate) fn restart(self, seed: u64) -> Self {
        let Self { dir, engine, hand, clock, settings, rules, codes, passwords, zips, mails } = self;
        drop(engine);
        let engine = open(&dir.path().join("state"), &clock, settings, &rules, seed);
        Self { dir, engine, hand, clock, settings, rules, codes, passwords, zips, mails }
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    pub(crate) fn code(&self) -> String {
        self.codes["kurayoshi@pref.tottori-mihon.lg.jp"].clone()
    }

    pub(crate) fn password(&self) -> String {
        self.passwords["kurayoshi@pref.tottori-mihon.lg.jp"].clone()
    }

    /// Gives the right password; the session.
    pub(crate) fn opened(&mut self) -> String {
        match self.engine.open_pickup(&self.code(), &self.password()).unwrap() {
            Opening::Opened { session, .. } => session.reveal().clone(),
            other => panic!("{other:?}"),
        }
    }

    /// Claims, makes and delivers.
    pub(crate) fn take(&mut self, session: &str, profile: Profile) -> Taken {
        let code = self.code();
        match self.engine.claim(&code, session, profile).unwrap() {
            Claim::Answer(taken) => taken,
            Claim::Make(order) => {
                let made = order.make().unwrap();
                self.engine.deliver(&code, session, profile, &made).unwrap()
            }
        }
    }

    /// The file and serial number of a pick-up that must succeed.
    pub(crate) fn file(&mut self, session: &str, profile: Profile) -> (Vec<u8>, String) {
        match self.take(session, profile) {
            Taken::File { bytes, serial, .. } => (bytes.reveal().clone(), serial),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn authority(&self) -> &Authority {
        self.engine.authority().unwrap()
    }

    /// The journal as text.
    pub(crate) fn journal(&mut self) -> String {
        self.engine.commit().unwrap();
        let history = annai::engine::views::HistoryOf::Tenant(tenant());
        let page = self.engine.history(history, None, 1000).unwrap();
        page.items.into_iter().flat_map(|line| line.text).map(|line| line + "\n").collect()
    }
}

pub(crate) fn tenant() -> TenantId {
    CENTRE.parse().unwrap()
}

/// The base64 attachment of a mail.
fn zip_in(raw: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(raw);
    let part = text.split("application/zip").nth(1)?;
    let (_, body) = part.split_once("\r\n\r\n")?;
    let lines: String = body.lines().take_while(|line| !line.starts_with('-')).collect();
    Some(BASE64_STANDARD.decode(lines).unwrap())
}
