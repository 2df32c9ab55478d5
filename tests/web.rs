//! The pages over a real engine: every state of a pick-up, nothing changed by looking, health and metrics.
#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use annai::clock::Clock;
use annai::crypto::MasterKey;
use annai::domain::{Generation, Secret, TenantId, Timestamp, time::DAY};
use annai::engine::filing::Arrived;
use annai::engine::staff::Verb;
use annai::engine::survey::Survey;
use annai::engine::thread::{Handle, start};
use annai::engine::{Chance, Engine, Post, Setup};
use annai::health::{Health, MailboxCount};
use annai::letters::{Desk, TemplateFiles, Templates, ZipMethod};
use annai::reading;
use annai::rules::{RuleFiles, Rules};
use annai::store::{Options, Store};
use annai::web::door::Door;
use annai::web::{Contact, Pages, Source};
use annai::workflow::ReissueReason;
use annai::workflow::cursor::Cursor;
use annai::workflow::delivery::{Outcome, Reply};
use annai::workflow::enrolment::Certificate;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

const MAIL: &str = "From: hoken@pref.tottori-mihon.lg.jp\r\nTo: covid19@bigtreetc.com\r\nCc: follow-up@mhlw.go.jp\r\n\
    Subject: 自治体・保健所メールアドレスの連絡（鳥取県）\r\nMessage-ID: <1@pref.tottori-mihon.lg.jp>\r\n\
    MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
    <自治体（保健所設置主体）>\r\n鳥取県 hoken@pref.tottori-mihon.lg.jp\r\n\r\n<保健所>\r\n\
    倉吉保健所 kurayoshi@pref.tottori-mihon.lg.jp\r\n米子保健所 yonago@pref.tottori-mihon.lg.jp\r\n";

struct World {
    handle: Handle,
    store: Arc<Store>,
    survey: Survey,
    health: Arc<Health>,
    hand: Arc<AtomicI64>,
    pickup: SocketAddr,
    console: SocketAddr,
    /// Pick-up codes by the mailbox they went to.
    codes: BTreeMap<String, String>,
    _tell: watch::Sender<bool>,
    _dir: tempfile::TempDir,
}

/// Registered on Friday 24 April, welcomed, and notified on 1 May 2020.
fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let rules = Rules::parse(&RuleFiles::embedded()).unwrap();
    let desk = Desk {
        contractor_name: "委託事業者".to_owned(),
        contractor: "covid19@bigtreetc.com".parse().unwrap(),
        ministry: "follow-up@mhlw.go.jp".parse().unwrap(),
        from: "noreply@followup.mhlw.go.jp".parse().unwrap(),
    };
    let post = Post {
        from: desk.from.clone(),
        contractor: desk.contractor.clone(),
        ministry: desk.ministry.clone(),
        bounce: "bounce@followup.mhlw.go.jp".parse().unwrap(),
        pickup_url: "https://pickup.example.jp".to_owned(),
        unzip_password: Secret::new("zip".to_owned()),
        zip_method: ZipMethod::ZipCrypto,
    };
    let contact = Contact {
        name: "委託事業者".to_owned(),
        address: desk.contractor.clone(),
        hours: Some("平日 9時～17時".to_owned()),
    };
    let templates = Templates::parse(&TemplateFiles::embedded(), &desk).unwrap();
    let setup = Setup { rules: Arc::new(rules), templates: Arc::new(templates), post };
    let (clock, hand) = Clock::manual(at("2020-04-24T10:00:00+09:00"));
    let store = Arc::new(Store::open(&dir.path().join("state"), Options::default()).unwrap());
    let keys = MasterKey::from_bytes([7; 32]);
    let chance = Chance::Seeded { seed: 1, drawn: 0 };
    let mut engine = Engine::open(Arc::clone(&store), setup, keys, clock.clone(), chance).unwrap();

    let reading = reading::read(MAIL.as_bytes(), &engine.setup().rules);
    let arrived = Arrived { uid: 1, raw: MAIL.as_bytes().to_vec(), truncated: false, reading };
    engine.file(Cursor { uid_validity: 1, uid_next: 2 }, vec![arrived]).unwrap();
    let mut codes = BTreeMap::new();
    for moment in ["2020-04-24T10:01:00+09:00", "2020-05-01T09:00:00+09:00", "2020-05-01T10:00:00+09:00"] {
        hand.store(at(moment).unix(), Ordering::Release);
        deliver(&mut engine, &mut codes);
    }
    assert_eq!(codes.len(), 3);

    let survey = engine.survey();
    let (handle, _thread) = start(engine).unwrap();
    let health = Arc::new(Health::default());
    let any = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
    let pages = Pages::open(any, any, contact).unwrap();
    let (pickup, console) = (pages.pickup.address(), pages.console.address());
    let (tell, told) = watch::channel(false);
    let source = Source { handle: handle.clone(), survey: survey.clone(), health: Arc::clone(&health), clock };
    tokio::spawn(async move { pages.run(source, told).await });
    World { handle, store, survey, health, hand, pickup, console, codes, _tell: tell, _dir: dir }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Wakes and sends until nothing is due; every letter is taken by the server.
fn deliver(engine: &mut Engine, codes: &mut BTreeMap<String, String>) {
    loop {
        let woken = engine.wake(100).unwrap();
        let leases = engine.lease(32).unwrap();
        if woken == 0 && leases.is_empty() {
            return engine.commit().unwrap();
        }
        for lease in leases {
            let body = reading::read(lease.bytes.reveal(), &engine.setup().rules).body;
            let code = body.lines().find_map(|line| line.strip_prefix("https://pickup.example.jp/p/"));
            if let Some(code) = code {
                codes.insert(lease.to.as_str().to_owned(), code.trim().to_owned());
            }
            let reply = Reply { code: 250, enhanced: None, text: "ok".to_owned() };
            engine.answered(lease.row, &Outcome::Relayed { reply }).unwrap();
        }
    }
}

impl World {
    fn code(&self, local: &str) -> String {
        self.codes[&format!("{local}@pref.tottori-mihon.lg.jp")].clone()
    }

    async fn act<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Engine) -> Result<T, annai::engine::EngineError> + Send + 'static,
    ) -> T {
        self.handle.call(work).await.unwrap().unwrap()
    }

    async fn page(&self, code: &str) -> Answer {
        request(self.pickup, "GET", &format!("/p/{code}"), "").await
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

async fn request(to: SocketAddr, method: &str, path: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

fn tenant(serial: u16) -> TenantId {
    TenantId { authority: "310000".parse().unwrap(), serial }
}

#[track_caller]
fn shows(answer: &Answer, status: u16, words: &[&str]) {
    assert_eq!(answer.status, status, "{answer:?}");
    for word in words.iter().chain(&["covid19@bigtreetc.com", "平日"]) {
        assert!(answer.body.contains(word), "{word} is missing: {}", answer.body);
    }
    for name in ["鳥取県", "倉吉", "米子", "310000"] {
        assert!(!answer.body.contains(name), "a page names the tenant");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_state_has_its_page() {
    let world = world();
    let (kurayoshi, yonago, authority) = (world.code("kurayoshi"), world.code("yonago"), world.code("hoken"));
    shows(&world.page(&kurayoshi).await, 200, &["未取得", "令和2年5月31日（日）", "次にしていただくこと"]);
    for unknown in ["2222-2222-2222-2222-2222", "short", "k7m2", "%E3%81%82", "%82%A0", "a%00b", &"x".repeat(3000)] {
        let answer = world.page(unknown).await;
        shows(&answer, 404, &["確認できませんでした"]);
        assert!(!answer.body.contains(unknown), "what was typed came back: {unknown}");
    }
    world
        .act(|engine| {
            let certificate = Certificate { serial: "ab12".to_owned(), not_after: engine.now().plus(365 * DAY) };
            engine.picked_up(tenant(1), Generation(1), certificate)
        })
        .await;
    shows(&world.page(&kurayoshi).await, 200, &["取得済み", "令和2年5月1日（金）"]);
    let reason = ReissueReason::TerminalReplaced;
    world.act(move |engine| engine.act("mie", &Verb::Reissue { tenant: tenant(2), reason })).await;
    shows(&world.page(&yonago).await, 200, &["再発行済み"]);
    world.hand.fetch_add(31 * DAY, Ordering::AcqRel);
    shows(&world.page(&authority).await, 200, &["期限切れ", "令和2年5月31日（日）"]);
    world.act(|engine| engine.wake(10)).await;
    shows(&world.page(&authority).await, 200, &["期限切れ"]);
    let reason = annai::workflow::RevocationReason::KeyCompromise;
    world.act(move |engine| engine.act("mie", &Verb::Revoke { tenant: tenant(1), reason })).await;
    shows(&world.page(&kurayoshi).await, 200, &["失効"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_pick_up_is_refused() {
    let world = world();
    let pick_up = |engine: &mut Engine| {
        let certificate = Certificate { serial: "ab12".to_owned(), not_after: engine.now().plus(DAY) };
        engine.picked_up(tenant(1), Generation(1), certificate)
    };
    world.act(pick_up).await;
    let head = world.store.head();
    assert!(world.handle.call(pick_up).await.unwrap().is_err());
    assert_eq!(world.store.head(), head, "a refused pick-up left a trace");
    world.act(|engine| engine.seen_in_use(tenant(1), Generation(1))).await;
    assert!(world.handle.call(|engine| engine.seen_in_use(tenant(2), Generation(1))).await.unwrap().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_changes_nothing() {
    let world = world();
    let code = world.code("yonago");
    let before = (world.store.head(), world.survey.rosters().unwrap(), world.survey.rows().unwrap());
    for round in 0..1000 {
        let method = ["GET", "HEAD", "OPTIONS", "POST"][round % 4];
        let answer = request(world.pickup, method, &format!("/p/{code}"), "").await;
        let expected = if method == "OPTIONS" { 204 } else { 200 };
        assert_eq!(answer.status, expected, "{method}");
        assert_eq!(answer.body.is_empty(), matches!(method, "HEAD" | "OPTIONS"), "{method}");
    }
    for method in ["PUT", "DELETE", "PATCH"] {
        assert_eq!(request(world.pickup, method, &format!("/p/{code}"), "x=1").await.status, 405);
    }
    assert_eq!((world.store.head(), world.survey.rosters().unwrap(), world.survey.rows().unwrap()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_may_be_typed_in_any_way() {
    let world = world();
    let code = world.code("kurayoshi");
    let wide: String = code
        .to_ascii_uppercase()
        .chars()
        .map(|c| if c == '-' { 'ー' } else { char::from_u32(u32::from(c) + 0xFEE0).unwrap() })
        .collect();
    let escaped = |text: &str| text.bytes().fold(String::new(), |so_far, byte| so_far + &format!("%{byte:02X}"));
    for typed in [code.clone(), code.replace('-', ""), code.to_ascii_uppercase(), format!(" {code} "), wide] {
        shows(&world.page(&escaped(&typed)).await, 200, &["未取得"]);
        let get = request(world.pickup, "GET", &format!("/?code={}", escaped(&typed)), "").await;
        let post = request(world.pickup, "POST", "/", &format!("code={}", escaped(&typed))).await;
        for answer in [get, post] {
            assert_eq!(answer.status, 303, "{typed}");
            assert!(answer.head.contains(&format!("location: /p/{code}\r\n")), "{}", answer.head);
        }
    }
    let again = request(world.pickup, "POST", "/", &format!("code={}", escaped("<b>あ</b>"))).await;
    assert!(again.status == 200 && again.body.contains("role=\"alert\"") && !again.body.contains("<b>"), "{again:?}");
    assert_eq!(request(world.pickup, "GET", "/", "").await.status, 200);
    assert_eq!(request(world.pickup, "POST", "/", "").await.status, 200);
    assert_eq!(request(world.pickup, "POST", "/", &format!("code={}", "2".repeat(5000))).await.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_its_headers() {
    let world = world();
    let code = world.code("kurayoshi");
    let paths =
        ["/".to_owned(), format!("/p/{code}"), "/p/unknown".to_owned(), "/style.css".to_owned(), "/none".to_owned()];
    let pickup = paths.iter().map(|path| (world.pickup, path.as_str()));
    let console = ["/", "/healthz", "/metrics", "/none"].into_iter().map(|path| (world.console, path));
    for (to, path) in pickup.chain(console) {
        let answer = request(to, "GET", path, "").await;
        for header in [
            "content-security-policy: default-src 'none'",
            "frame-ancestors 'none'",
            "cache-control: no-store",
            if to == world.console { "referrer-policy: same-origin" } else { "referrer-policy: no-referrer" },
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
        ] {
            assert!(answer.head.contains(header), "{path} lacks {header}: {}", answer.head);
        }
        assert!(!answer.head.contains("set-cookie"), "{path}");
        assert!(to == world.console || !answer.body.contains("<script"), "{path}");
    }
}

/// Prometheus text 0.0.4, strictly: HELP, TYPE, then samples of that name only; returns the samples.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    let mut names = Vec::new();
    let (mut helped, mut typed) = (String::new(), String::new());
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').unwrap();
            assert!(!words.is_empty() && !names.contains(&name.to_owned()), "{line}");
            names.push(name.to_owned());
            name.clone_into(&mut helped);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(name == helped && ["gauge", "counter"].contains(&kind), "{line}");
            name.clone_into(&mut typed);
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, label) = series.split_once('{').unwrap_or((series, ""));
            assert_eq!(name, typed, "{line}");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
            if !label.is_empty() {
                let (key, word) = label.strip_suffix("\"}").unwrap().split_once("=\"").unwrap();
                assert!(key.bytes().all(|b| b.is_ascii_lowercase()) && !word.contains(['"', '\\']), "{line}");
            }
            assert!(samples.insert(series.to_owned(), value.parse().unwrap()).is_none(), "twice: {line}");
        }
    }
    samples
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_what_is_there() {
    let world = world();
    let answer = request(world.console, "GET", "/metrics", "").await;
    assert!(answer.head.contains("content-type: text/plain; version=0.0.4"), "{}", answer.head);
    let samples = parse(&answer.body);
    for (series, value) in [
        ("annai_engine_up", 1.0),
        ("annai_store_up", 1.0),
        ("annai_journal_in_order", 1.0),
        ("annai_mails{disposition=\"registered\"}", 1.0),
        ("annai_mails{disposition=\"review\"}", 0.0),
        ("annai_tenants{state=\"open\"}", 3.0),
        ("annai_tenants{state=\"expired\"}", 0.0),
        // Receipt and its copy, three welcomes, three notices, three passwords.
        ("annai_letters{state=\"relayed\"}", 11.0),
        ("annai_letters{state=\"unknown\"}", 0.0),
        ("annai_unknown_outcomes", 0.0),
        ("annai_matters_open", 0.0),
        ("annai_oldest_matter_age_seconds", 0.0),
        ("annai_letter_starvation_seconds", 0.0),
        ("annai_letters_waiting_for_wave", 0.0),
        ("annai_requests_open", 0.0),
        ("annai_tenants_with_certificate", 0.0),
        ("annai_registration_to_certificate_seconds{share=\"0.9\"}", 0.0),
        ("annai_letter_lateness_seconds{letter=\"reminder\"}", 0.0),
    ] {
        assert_eq!(samples.get(series), Some(&value), "{series} in {samples:?}");
    }
    assert!(!samples.contains_key("annai_last_poll_age_seconds"));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_what_is_wrong() {
    let world = world();
    let now = at("2020-05-01T10:00:00+09:00");
    let check = async |status: u16, reason: &str| {
        let answer = request(world.console, "GET", "/healthz", "").await;
        assert_eq!(answer.status, status, "{}", answer.body);
        let report: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(report["ok"], status == 200);
        let reasons = report["reasons"].to_string();
        assert!(reasons.contains(reason), "{reasons}");
    };
    check(503, "not been read since the start").await;
    world.health.polled(now);
    check(200, "").await;
    world.health.imap_trouble(now, "the password is refused".to_owned(), true);
    check(503, "the password is refused").await;
    world.health.polled(now);
    world.health.smtp_trouble(now, "no route".to_owned(), false);
    check(503, "smtp").await;
    world.health.smtp_works();
    world.health.counted(MailboxCount { at: now, in_mailbox: 2, filed: 1 });
    check(503, "never filed").await;
    world.health.counted(MailboxCount { at: now, in_mailbox: 1, filed: 1 });
    check(200, "").await;
    world.hand.fetch_add(2 * 3600, Ordering::AcqRel);
    check(503, "last read 7200 seconds ago").await;
    world.health.polled(now.plus(2 * 3600));
    // An engine that died: pages still say so.
    assert!(world.handle.call::<()>(|_| panic!("a fault that ends the engine's thread")).await.is_err());
    check(503, "engine does not answer").await;
    assert_eq!(
        parse(&request(world.console, "GET", "/metrics", "").await.body)["annai_engine_up"].to_bits(),
        0.0_f64.to_bits()
    );
    assert_eq!(world.page(&world.code("hoken")).await.status, 503);
}

#[test]
fn a_busy_address_is_told_with_its_setting() {
    let busy = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let fault = Door::open(busy.local_addr().unwrap(), "web.pickup_listen").unwrap_err().to_string();
    assert!(fault.contains("web.pickup_listen") && fault.contains("give another address"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_speak_tls_and_a_silent_client_holds_nobody_up() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=CA:FALSE",
        ])
        .arg("-out")
        .arg(&cert)
        .arg("-keyout")
        .arg(&key)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let any = || Door::open(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0), "web.pickup_listen").unwrap();
    let door = any().with_tls(&cert, &key).unwrap();
    let address = door.address();
    let router = axum::Router::new().route("/", axum::routing::get(|| async { "hello" }));
    let (_tell, told) = watch::channel(false);
    tokio::spawn(async move { door.serve(router, told).await });

    let _silent = TcpStream::connect(address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(annai::tls::client_config(Some(&cert)).unwrap());
    let stream = TcpStream::connect(address).await.unwrap();
    let mut stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200") && answer.ends_with(b"hello"));

    // A key that belongs to no certificate, or none at all, is told with the settings.
    for wrong in [(key.clone(), cert.clone()), (dir.path().join("none.pem"), key.clone())] {
        let fault = any().with_tls(&wrong.0, &wrong.1).unwrap_err().to_string();
        assert!(fault.contains("web.tls_cert"), "{fault}");
    }
}
