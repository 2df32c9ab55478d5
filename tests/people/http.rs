//! The same rights over HTTP, as a browser would try them; sessions, tokens, origins, the throttle.

#[path = "../support/ask.rs"]
mod ask;

use crate::verbs;
use crate::world::{PASSWORD, world};
use annai::domain::time::MINUTE;
use annai::health::Health;
use annai::web::Source;
use annai::web::door::Door;
use annai::web::look::dress;
use annai::web::session::{Reception, Visitor};
use annai::workflow::rights::{Right, Role, right};
use ask::{Answer, ask};
use axum::Router;
use axum::extract::Extension;
use axum::routing::get;
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::watch;

struct Site {
    console: SocketAddr,
    hand: Arc<AtomicI64>,
    handle: annai::engine::thread::Handle,
    _tell: watch::Sender<bool>,
    _dir: tempfile::TempDir,
}

/// A browser that is logged in.
struct Browser {
    cookie: String,
    csrf: String,
}

fn site() -> Site {
    let mut world = world(2);
    world.everybody();
    world.engine.commit().unwrap();
    let crate::world::World { engine, clock, hand, dir, .. } = world;
    let (survey, looker) = (engine.survey(), engine.looker());
    let (handle, _thread) = annai::engine::thread::start(engine).unwrap();
    let source = Source { handle: handle.clone(), survey, looker, health: Arc::new(Health::default()), clock };
    let page = |Extension(visitor): Extension<Visitor>| async move { format!("{} {}", visitor.name, visitor.csrf) };
    let router = dress(Reception::new(source, false).guard(Router::new().route("/", get(page))));
    let door = Door::open(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0), "web.console_listen").unwrap();
    let console = door.address();
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move { door.serve(router, told).await });
    Site { console, hand, handle, _tell: tell, _dir: dir }
}

impl Site {
    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        ask(self.console, method, path, headers, body).await
    }

    async fn try_log_in(&self, name: &str, password: &str) -> Answer {
        let body = format!("name={name}&password={}&next=%2Fqueue", password.replace(' ', "+"));
        self.ask("POST", "/login", &[], &body).await
    }

    async fn log_in(&self, name: &str) -> Browser {
        let answer = self.try_log_in(name, PASSWORD).await;
        assert_eq!(answer.status, 303, "{name}: {}", answer.body);
        let cookie = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        for flag in ["Path=/", "HttpOnly", "SameSite=Strict"] {
            assert!(cookie.contains(flag), "{cookie}");
        }
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let me = self.ask("GET", "/api/me", &[("Cookie", &cookie)], "").await;
        let me: Value = serde_json::from_str(&me.body).unwrap();
        assert_eq!(me["name"], name);
        Browser { cookie, csrf: me["csrf"].as_str().unwrap().to_owned() }
    }

    async fn act(&self, browser: &Browser, verb: &Value) -> Answer {
        let headers = [
            ("Cookie", browser.cookie.as_str()),
            ("x-csrf-token", browser.csrf.as_str()),
            ("Content-Type", "application/json"),
        ];
        self.ask("POST", "/api/act", &headers, &verb.to_string()).await
    }

    async fn page(&self, browser: &Browser) -> u16 {
        self.ask("GET", "/", &[("Cookie", &browser.cookie)], "").await.status
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_over_http() {
    let site = site();
    for (name, role) in
        [("op", Role::Operator), ("ap", Role::Approver), ("audit", Role::Auditor), ("admin1", Role::Admin)]
    {
        let browser = site.log_in(name).await;
        for (act, verb) in verbs() {
            let answer = site.act(&browser, &serde_json::to_value(&verb).unwrap()).await;
            assert_eq!(answer.status == 403, right(role, act) == Right::Refused, "{name} {verb:?}: {}", answer.body);
            assert!([200, 403, 409].contains(&answer.status), "{name} {verb:?}: {} {}", answer.status, answer.body);
            let alone = answer.body.contains("\"done\":true");
            assert!(!alone || right(role, act) == Right::Allowed, "{name} alone did {verb:?}");
            if let Some(no) = serde_json::from_str::<Value>(&answer.body).ok().and_then(|done| done["asked"].as_u64()) {
                let recall = serde_json::json!({"verb": "ask", "ask": "recall", "no": no});
                assert_eq!(site.act(&browser, &recall).await.status, 200);
            }
        }
        assert_eq!(site.act(&browser, &serde_json::json!({"verb": "no-such-verb"})).await.status, 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_are_ours_and_sessions_end() {
    let site = site();
    let html = [("Accept", "text/html")];
    let answer = site.ask("GET", "/?a=1&b=%2F", &html, "").await;
    assert!(
        answer.status == 303 && answer.head.contains("location: /login?next=/%3Fa%3D1%26b%3D%252F"),
        "{}",
        answer.head
    );
    assert_eq!(site.ask("GET", "/", &[], "").await.status, 401);
    assert_eq!(site.ask("GET", "/", &[("Cookie", "annai=x")], "").await.status, 401);
    assert!(site.ask("GET", "/login", &[], "").await.body.contains("パスワード"));

    let browser = site.log_in("op").await;
    let (cookie, csrf) = (browser.cookie.as_str(), browser.csrf.as_str());
    assert_eq!(site.page(&browser).await, 200);
    let own = format!("http://{}", site.console);
    for (origin, form, expected) in [
        (own.as_str(), format!("csrf={csrf}"), 303),
        (own.as_str(), "csrf=x".to_owned(), 403),
        (own.as_str(), String::new(), 403),
        ("http://evil.example", format!("csrf={csrf}"), 403),
        ("null", format!("csrf={csrf}"), 403),
    ] {
        // The one that is right logs out, so it comes from a session of its own.
        let browser = if expected == 303 {
            site.log_in("op").await
        } else {
            Browser { cookie: cookie.into(), csrf: csrf.into() }
        };
        let form = form.replace(csrf, &browser.csrf);
        let answer = site.ask("POST", "/logout", &[("Cookie", &browser.cookie), ("Origin", origin)], &form).await;
        assert_eq!(answer.status, expected, "{origin} {form}");
        assert_eq!(site.page(&browser).await, if expected == 303 { 401 } else { 200 });
    }
    assert_eq!(site.ask("GET", "/", &[("Cookie", cookie), ("Origin", "http://evil.example")], "").await.status, 403);

    // Half an hour without a click.
    site.hand.fetch_add(29 * MINUTE, Ordering::AcqRel);
    assert_eq!(site.page(&browser).await, 200);
    site.hand.fetch_add(29 * MINUTE, Ordering::AcqRel);
    assert_eq!(site.page(&browser).await, 200, "each click counts");
    site.hand.fetch_add(30 * MINUTE, Ordering::AcqRel);
    assert_eq!(site.page(&browser).await, 401);

    // A page that only keeps itself current is nobody's click (Fetch Metadata says which it is).
    let browser = site.log_in("op").await;
    let by_itself = [("Cookie", browser.cookie.as_str()), ("Sec-Fetch-Dest", "empty")];
    site.hand.fetch_add(20 * MINUTE, Ordering::AcqRel);
    assert_eq!(site.ask("GET", "/", &by_itself, "").await.status, 200);
    site.hand.fetch_add(10 * MINUTE, Ordering::AcqRel);
    assert_eq!(site.ask("GET", "/", &by_itself, "").await.status, 401);

    // A form that comes too late, or from an earlier session: nothing is done, and what was typed is not lost.
    let typed = "csrf=x&reason=%E9%9B%BB%E8%A9%B1%3Cb%3E&password=hidden-one&back=%2Fmail%2F2";
    for (cookie, expected, leads) in
        [("annai=x", 401, "login?next=&#x2f;mail&#x2f;2"), ("", 401, "login?next=&#x2f;mail&#x2f;2")]
    {
        let answer = site.ask("POST", "/", &[("Cookie", cookie), html[0]], typed).await;
        assert_eq!(answer.status, expected);
        assert!(answer.body.contains("電話&lt;b&gt;") && answer.body.contains(leads), "{}", answer.body);
        assert!(!answer.body.contains("hidden-one") && answer.body.contains("実行していません"), "{}", answer.body);
    }
    let browser = site.log_in("op").await;
    let answer = site.ask("POST", "/", &[("Cookie", &browser.cookie), html[0]], typed).await;
    assert!(
        answer.status == 403
            && answer.body.contains("電話&lt;b&gt;")
            && answer.body.contains("href=\"&#x2f;mail&#x2f;2\"")
    );
    let away = typed.replace("%2Fmail%2F2", "https:%2F%2Fevil.example");
    let answer = site.ask("POST", "/", &[("Cookie", &browser.cookie), html[0]], &away).await;
    assert!(!answer.body.contains("evil.example"), "{}", answer.body);

    // Killed by an admin; not by another operator.
    let browser = site.log_in("op").await;
    let sessions = site.handle.call(|engine| engine.sessions()).await.unwrap().unwrap();
    let kill = serde_json::json!({"verb": "people", "people": "end-session", "session": sessions.last().unwrap().no});
    let approver = site.log_in("ap").await;
    assert_eq!(site.act(&approver, &kill).await.status, 403);
    let admin = site.log_in("admin1").await;
    assert_eq!(site.act(&admin, &kill).await.status, 200);
    assert_eq!(site.page(&browser).await, 401);

    // A new password ends every session of the account.
    let browser = site.log_in("op").await;
    let form =
        format!("csrf={}&old={}&new=another+long+one&again=another+long+one", browser.csrf, PASSWORD.replace(' ', "+"));
    assert_eq!(site.ask("POST", "/account/password", &[("Cookie", &browser.cookie)], &form).await.status, 303);
    assert_eq!(site.page(&browser).await, 401);
    assert_eq!(site.try_log_in("op", PASSWORD).await.status, 401);
    assert_eq!(site.try_log_in("op", "another long one").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down() {
    let site = site();
    for _ in 0..5 {
        let answer = site.try_log_in("op", "wrong password").await;
        assert!(answer.status == 401 && answer.body.contains("アカウント名またはパスワードが違います"));
    }
    let answer = site.try_log_in("op", PASSWORD).await;
    assert!(answer.status == 429 && answer.body.contains("30秒後"), "{} {}", answer.status, answer.body);
    site.hand.fetch_add(30, Ordering::AcqRel);
    assert_eq!(site.try_log_in("op", PASSWORD).await.status, 303);
    // A name that does not exist is told the same.
    assert_eq!(site.try_log_in("nobody", PASSWORD).await.status, 401);
    let tail = site.handle.call(|engine| engine.journal_tail(20)).await.unwrap().unwrap();
    let tail = serde_json::to_string(&tail).unwrap();
    assert!(tail.contains("log-in-failed") && !tail.contains("nobody"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_begun_with_a_certificate_is_nothing_without_it() {
    let site = site();
    let token = site.handle.call(|engine| {
        let mut proof = engine.survey().prove("op", &annai::domain::Secret::new(PASSWORD.to_owned()))?.unwrap();
        proof.certificate = Some(annai::crypto::sha256(b"a certificate"));
        engine.log_in("op", &proof, "127.0.0.1", "test")
    });
    let browser = Browser { cookie: format!("annai={}", token.await.unwrap().unwrap().reveal()), csrf: String::new() };
    assert_eq!(site.page(&browser).await, 401);
    let tail = site.handle.call(|engine| engine.journal_tail(5)).await.unwrap().unwrap();
    assert!(serde_json::to_string(&tail).unwrap().contains("session-misused"));
}

/// OpenSSL as the browser, with a person's certificate or none: what the server answered, if it let it in.
fn over_tls(to: SocketAddr, dir: &std::path::Path, person: Option<&str>, ask: &str) -> String {
    let mut command = std::process::Command::new("openssl");
    command.args(["s_client", "-quiet", "-ign_eof", "-connect", &to.to_string()]).current_dir(dir);
    if let Some(person) = person {
        command.args(["-cert", &format!("{person}.pem"), "-key", &format!("{person}.key")]);
    }
    command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), ask.as_bytes()).unwrap();
    String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned()
}

/// A console behind TLS that asks for a client certificate, and the certificates of two people.
async fn with_certificates(dir: &std::path::Path) -> (SocketAddr, annai::engine::thread::Handle, watch::Sender<bool>) {
    let openssl = |line: &str| {
        let args = line.split(' ');
        let done = std::process::Command::new("openssl").args(args).current_dir(dir).output().unwrap();
        assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!("req -x509 {key} -days 2 -subj /CN=staff -keyout ca.key -out ca.pem"));
    openssl(&format!(
        "req -x509 {key} -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout web.key -out web.pem"
    ));
    std::fs::write(dir.join("v3"), "basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n").unwrap();
    for person in ["sato", "suzuki"] {
        openssl(&format!("req -new {key} -subj /CN={person} -keyout {person}.key -out {person}.csr"));
        let sign = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile v3";
        openssl(&format!("x509 -req -in {person}.csr {sign} -out {person}.pem"));
    }
    let mut world = world(1);
    world.everybody();
    world.engine.commit().unwrap();
    let crate::world::World { engine, clock, .. } = world;
    let (survey, looker) = (engine.survey(), engine.looker());
    let (handle, _thread) = annai::engine::thread::start(engine).unwrap();
    let source = Source { handle: handle.clone(), survey, looker, health: Arc::new(Health::default()), clock };
    let any = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
    let door = Door::open(any, "web.console_listen").unwrap();
    let door = door.with_tls_for(&dir.join("web.pem"), &dir.join("web.key"), &dir.join("ca.pem")).unwrap();
    assert!(door.is_tls());
    let (to, router) = (door.address(), dress(Reception::new(source, true).guard(Router::new())));
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move { door.serve(router, told).await });
    (to, handle, tell)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_is_the_second_factor() {
    let dir = tempfile::tempdir().unwrap();
    let (to, handle, _tell) = with_certificates(dir.path()).await;
    let ask = async |person: Option<&'static str>, request: String| {
        let at = dir.path().to_owned();
        tokio::task::spawn_blocking(move || over_tls(to, &at, person, &request)).await.unwrap()
    };
    let page = format!("GET /login HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\r\n");
    let with = ask(Some("sato"), page.clone()).await;
    assert!(with.contains("HTTP/1.1 200") && with.contains("パスワード"), "{with}");
    assert!(!ask(None, page).await.contains("HTTP/1.1"));

    let log_in = async |person: &'static str, account: &str| {
        let form = format!("name={account}&password={}", PASSWORD.replace(' ', "+"));
        let head = format!("POST /login HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n");
        let kind = format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}", form.len());
        ask(Some(person), format!("{head}{kind}\r\n\r\n{form}")).await
    };
    let print = async |name: &'static str| {
        let accounts = handle.call(|engine| engine.accounts()).await.unwrap().unwrap();
        accounts.into_iter().find(|account| account.name == name).unwrap().certificate.map(|bound| bound.fingerprint)
    };
    // The first certificate an account comes with becomes its own.
    assert_eq!(print("op").await, None);
    assert!(log_in("sato", "op").await.contains("HTTP/1.1 303"));
    let bound = print("op").await.unwrap();
    assert!(log_in("sato", "op").await.contains("HTTP/1.1 303"));
    // Neither another's certificate with op's password, nor op's certificate with another's password.
    let refused = log_in("suzuki", "op").await;
    assert!(refused.contains("HTTP/1.1 401") && refused.contains("管理者に登録の解除を依頼してください"), "{refused}");
    let refused = log_in("sato", "ap").await;
    assert!(refused.contains("HTTP/1.1 401") && refused.contains("別のアカウントのものです"), "{refused}");
    assert_eq!((print("op").await, print("ap").await), (Some(bound), None));
    let tail = handle.call(|engine| engine.journal_tail(10)).await.unwrap().unwrap();
    let tail = serde_json::to_string(&tail).unwrap();
    assert!(tail.contains("certificate-bound") && tail.matches("log-in-failed").count() == 2, "{tail}");

    // The certificate was renewed: an admin takes the old one away, another approves, the next login binds the new one.
    let reset = annai::engine::staff::Verb::People(annai::engine::people::PeopleVerb::Certificate {
        name: "op".to_owned(),
        fingerprint: None,
        reason: "端末の更新".to_owned(),
    });
    handle
        .call(move |engine| {
            let annai::engine::approvals::Done::Asked(no) = engine.act(crate::who("admin1"), &reset)? else {
                panic!("one person alone took a second factor away")
            };
            engine.act(crate::who("ap"), &annai::engine::staff::Verb::Ask(crate::AskVerb::Approve { no }))
        })
        .await
        .unwrap()
        .unwrap();
    let sessions = handle.call(|engine| engine.sessions()).await.unwrap().unwrap();
    assert!(sessions.is_empty(), "what was begun with the old one has ended");
    assert!(log_in("suzuki", "op").await.contains("HTTP/1.1 303"));
    assert_ne!(print("op").await, Some(bound));
    assert!(log_in("sato", "op").await.contains("HTTP/1.1 401"), "the old one is nobody's");

    // A session is good with the certificate it began with; with another it ends, once and for all.
    let answer = log_in("suzuki", "op").await;
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let own = format!("GET /account HTTP/1.1\r\nHost: {to}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
    assert!(ask(Some("suzuki"), own.clone()).await.contains("HTTP/1.1 200"));
    for person in ["sato", "sato", "suzuki"] {
        assert!(ask(Some(person), own.clone()).await.contains("HTTP/1.1 401"), "{person}");
    }
    let tail = handle.call(|engine| engine.journal_tail(10)).await.unwrap().unwrap();
    assert_eq!(serde_json::to_string(&tail).unwrap().matches("session-misused").count(), 1);
}
