//! A registered authority with two health centres whose notices and passwords have left, behind real pages; and a browser
//! that keeps cookies.

#[path = "../support/http.rs"]
mod http;
#[path = "../support/post.rs"]
mod post;
#[path = "../support/setup.rs"]
mod setup;

use annai::clock::Clock;
use annai::crypto::MasterKey;
use annai::domain::{TenantId, Timestamp, time::DAY};
use annai::engine::filing::Arrived;
use annai::engine::pickup::PickupSettings;
use annai::engine::survey::Survey;
use annai::engine::thread::{Handle, start};
use annai::engine::{Chance, Engine, EngineError};
use annai::health::Health;
use annai::pki::{Authority, KeyKind, LeafSettings, Profile};
use annai::reading;
use annai::rules::{RuleFiles, Rules};
use annai::store::{Options, Store};
use annai::web::officer::Site;
use annai::web::{Contact, Pages, Source};
use annai::workflow::cursor::Cursor;
use setup::setup;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

const MAIL: &str = "From: hoken@pref.tottori-mihon.lg.jp\r\nTo: covid19@bigtreetc.com\r\nCc: follow-up@mhlw.go.jp\r\n\
    Subject: 自治体・保健所メールアドレスの連絡（鳥取県）\r\nMessage-ID: <1@pref.tottori-mihon.lg.jp>\r\n\
    MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
    <自治体（保健所設置主体）>\r\n鳥取県 hoken@pref.tottori-mihon.lg.jp\r\n\r\n<保健所>\r\n\
    倉吉保健所 kurayoshi@pref.tottori-mihon.lg.jp\r\n米子保健所 yonago@pref.tottori-mihon.lg.jp\r\n";

/// The Friday before the seed's first of May.
pub(crate) const SEED: &str = "2020-04-24T10:00:00+09:00";

pub(crate) struct World {
    pub handle: Handle,
    pub store: Arc<Store>,
    pub survey: Survey,
    pub health: Arc<Health>,
    pub hand: Arc<AtomicI64>,
    pub pickup: SocketAddr,
    pub console: SocketAddr,
    pub gate: SocketAddr,
    /// Pick-up codes and passwords by the mailbox they went to.
    codes: BTreeMap<String, String>,
    passwords: BTreeMap<String, String>,
    pub dir: tempfile::TempDir,
    tell: watch::Sender<bool>,
    pages: std::sync::Mutex<Option<tokio::task::JoinHandle<()>>>,
}

/// Registered at `registered`, welcomed, notified a week later.
pub(crate) fn world(registered: &str) -> World {
    build(registered, |_| PickupSettings { keep_minutes: 10, profile: Profile::Compat })
}

/// With the pages' public address as they really listen, by `settings` of the pick-up; the letters' is another.
pub(crate) fn build(registered: &str, settings: impl FnOnce(&mut Rules) -> PickupSettings) -> World {
    let dir = tempfile::tempdir().unwrap();
    let mut setup = setup(&RuleFiles::embedded());
    let pickup_settings = settings(Arc::get_mut(&mut setup.rules).unwrap());
    setup.post.gate_url = Some("https://check.example.jp".to_owned());
    let contact = Contact {
        name: "株式会社ビッグツリーテクノロジー＆コンサルティング".to_owned(),
        address: setup.post.contractor.clone(),
        hours: Some("平日 9時～17時".to_owned()),
    };
    let start_at = at(registered);
    let (clock, hand) = Clock::manual(start_at);
    let store = Arc::new(Store::open(&dir.path().join("state"), Options::default()).unwrap());
    let keys = MasterKey::from_bytes([7; 32]);
    let chance = Chance::Seeded { seed: 1, drawn: 0 };
    let mut engine = Engine::open(Arc::clone(&store), setup, keys, clock.clone(), chance).unwrap();
    let leaf = LeafSettings { key: KeyKind::P256, ..LeafSettings::default() };
    engine.entrust(Authority::throwaway(leaf, start_at).unwrap(), pickup_settings).unwrap();

    let reading = reading::read(MAIL.as_bytes(), &engine.setup().rules);
    let arrived = Arrived { uid: 1, raw: MAIL.as_bytes().to_vec(), truncated: false, reading };
    engine.file(Cursor { uid_validity: 1, uid_next: 2 }, vec![arrived]).unwrap();
    let (mut codes, mut passwords) = (BTreeMap::new(), BTreeMap::new());
    for moment in [start_at.plus(60), start_at.plus(7 * DAY - 3600), start_at.plus(7 * DAY)] {
        hand.store(moment.unix(), std::sync::atomic::Ordering::Release);
        deliver(&mut engine, &mut codes, &mut passwords);
    }
    assert_eq!((codes.len(), passwords.len()), (3, 3));

    let (survey, looker) = (engine.survey(), engine.looker());
    let (handle, _thread) = start(engine).unwrap();
    let health = Arc::new(Health::default());
    let (cert, key) = server_certificate(dir.path());
    let any = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
    let site = Site { contact, pickup_url: String::new(), gate_url: None };
    let mut pages = Pages::open(any, any, site).unwrap().with_gate(any, &cert, &key, clock.clone()).unwrap();
    let (pickup, console) = (pages.pickup.address(), pages.console.address());
    let gate = pages.gate.as_ref().unwrap().0.address();
    pages.site.pickup_url = format!("http://localhost:{}", pickup.port());
    pages.site.gate_url = Some(format!("https://localhost:{}", gate.port()));
    let (tell, told) = watch::channel(false);
    let source = Source { handle: handle.clone(), survey: survey.clone(), looker, health: Arc::clone(&health), clock };
    let pages = tokio::spawn(async move { pages.run(source, told).await.unwrap() });
    let pages = std::sync::Mutex::new(Some(pages));
    World { handle, store, survey, health, hand, pickup, console, gate, codes, passwords, dir, tell, pages }
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Every letter leaves; codes and passwords by the mailbox they went to.
fn deliver(engine: &mut Engine, codes: &mut BTreeMap<String, String>, passwords: &mut BTreeMap<String, String>) {
    post::deliver(engine, |_, lease, body| {
        let to = || lease.to.as_str().to_owned();
        codes.extend(post::code_in(body).map(|code| (to(), code)));
        passwords.extend(post::password_in(body).map(|password| (to(), password)));
    });
}

/// A certificate for localhost and its key, PEM, by itself trusted.
pub(crate) fn server_certificate(dir: &Path) -> (PathBuf, PathBuf) {
    let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=CA:FALSE", "-out"])
        .arg(&cert)
        .arg("-keyout")
        .arg(&key)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (cert, key)
}

impl World {
    pub(crate) fn code(&self, local: &str) -> String {
        self.codes[&format!("{local}@pref.tottori-mihon.lg.jp")].clone()
    }

    pub(crate) fn password(&self, local: &str) -> String {
        self.passwords[&format!("{local}@pref.tottori-mihon.lg.jp")].clone()
    }

    pub(crate) async fn act<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> T {
        self.handle.call(work).await.unwrap().unwrap()
    }

    pub(crate) async fn page(&self, code: &str) -> Answer {
        request(self.pickup, "GET", &format!("/p/{code}"), "").await
    }

    /// Ends the pages in order.
    pub(crate) async fn end(&self) {
        self.tell.send(true).unwrap();
        let pages = self.pages.lock().unwrap().take().unwrap();
        pages.await.unwrap();
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.hand.fetch_add(seconds, std::sync::atomic::Ordering::AcqRel);
    }
}

pub(crate) fn tenant(serial: u16) -> TenantId {
    TenantId { authority: "310000".parse().unwrap(), serial }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    /// Lower case.
    pub head: String,
    /// As text; what is no UTF-8 is replaced.
    pub body: String,
    pub bytes: Vec<u8>,
    /// `name=value` of a cookie set.
    pub cookie: Option<String>,
}

impl Answer {
    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let (_, rest) = self.body.split_once(&format!("name=\"{name}\" value=\"")).expect("a hidden field");
        rest.split('"').next().unwrap().to_owned()
    }
}

pub(crate) async fn request(to: SocketAddr, method: &str, path: &str, body: &str) -> Answer {
    let stream = TcpStream::connect(to).await.unwrap();
    talk(stream, method, path, body, "").await
}

/// `more`: further header lines, each ended by CRLF.
pub(crate) async fn talk<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    mut stream: S,
    method: &str,
    path: &str,
    body: &str,
    more: &str,
) -> Answer {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}Content-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    read(&answer)
}

fn read(answer: &[u8]) -> Answer {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let mut bytes = answer[end + 4..].to_vec();
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        bytes = http::unchunked(&bytes).unwrap();
    }
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    let cookie = cookie.map(|line| line.split(';').next().unwrap().to_owned());
    let body = String::from_utf8_lossy(&bytes).into_owned();
    Answer { status, head: head.to_ascii_lowercase(), body, bytes, cookie }
}

/// A browser: keeps its cookie.
#[derive(Default)]
pub(crate) struct Browser {
    pub cookie: Option<String>,
}

impl Browser {
    pub(crate) async fn send(&mut self, world: &World, method: &str, path: &str, body: &str) -> Answer {
        let more = self.cookie.as_ref().map_or_else(String::new, |cookie| format!("Cookie: {cookie}\r\n"));
        let stream = TcpStream::connect(world.pickup).await.unwrap();
        let answer = talk(stream, method, path, body, &more).await;
        self.cookie = answer.cookie.clone().or(self.cookie.take());
        answer
    }

    /// Opens the page of a code and types a password.
    pub(crate) async fn password(&mut self, world: &World, code: &str, typed: &str) -> Answer {
        let page = self.send(world, "GET", &format!("/p/{code}"), "").await;
        if page.status != 200 || !page.body.contains("name=\"password\"") {
            return page;
        }
        let form = format!("step=password&token={}&password={}", page.hidden("token"), escaped(typed));
        self.send(world, "POST", &format!("/p/{code}"), &form).await
    }

    /// The same, and accepts the terms: the download page.
    pub(crate) async fn up_to_the_download(&mut self, world: &World, local: &str) -> Answer {
        let code = world.code(local);
        let terms = self.password(world, &code, &world.password(local)).await;
        assert_eq!(terms.status, 200, "{}", terms.body);
        let form = format!("step=terms&token={}&agree=yes", terms.hidden("token"));
        self.send(world, "POST", &format!("/p/{code}"), &form).await
    }

    /// Presses a button of the download page.
    pub(crate) async fn download(&mut self, world: &World, local: &str, page: &Answer, format: &str) -> Answer {
        let form = format!("token={}&format={format}", page.hidden("token"));
        self.send(world, "POST", &format!("/p/{}/certificate", world.code(local)), &form).await
    }

    /// The whole way; the file.
    pub(crate) async fn pick_up(&mut self, world: &World, local: &str) -> Vec<u8> {
        let page = self.up_to_the_download(world, local).await;
        let file = self.download(world, local, &page, "modern").await;
        assert_eq!(file.status, 200, "{}", file.body);
        file.bytes
    }
}

pub(crate) fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |so_far, byte| so_far + &format!("%{byte:02X}"))
}
