//! `/healthz`, `/metrics` and the page with the same figures; listeners and their TLS.

use crate::world::{SEED, at, request, server_certificate, world};
use annai::health::MailboxCount;
use annai::web::door::Door;
use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// Prometheus' own checker, where it is installed (`tests/run` fetches it out of Debian's package `prometheus`, which would
/// bring a server and a browser's worth of scripts with it). Elsewhere [`parse`] alone checks the text.
fn lint(text: &str) {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else { return };
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "promtool: {said}");
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
    let world = world(SEED);
    let answer = request(world.console, "GET", "/metrics", "").await;
    assert!(answer.head.contains("content-type: text/plain; version=0.0.4"), "{}", answer.head);
    lint(&answer.body);
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
    // The list was made when the CA was entrusted; a list that grows old shows.
    let age = samples["annai_crl_age_seconds"];
    assert!((0.0..86_400.0).contains(&age), "{age}");
    world.hand.fetch_add(5 * 3600, Ordering::AcqRel);
    let later = parse(&request(world.console, "GET", "/metrics", "").await.body)["annai_crl_age_seconds"];
    assert_eq!(later.to_bits(), (age + 18_000.0).to_bits(), "{age} and five hours");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_what_is_wrong() {
    let world = world(SEED);
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
    // Looking goes on, trying does not.
    let code = world.code("hoken");
    let page = world.page(&code).await;
    assert_eq!(page.status, 200);
    let form = format!("step=password&password=2222-2222-2222&token={}", page.hidden("token"));
    assert_eq!(request(world.pickup, "POST", &format!("/p/{code}"), &form).await.status, 503);
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
    let (cert, key) = server_certificate(dir.path());
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
