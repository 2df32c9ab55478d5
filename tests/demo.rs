//! `annai demo` as a newcomer runs it: the real binary, its pages, its end.
#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long any single thing may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);
/// How long the demo may take to end when told to.
const PROMPT: Duration = Duration::from_secs(15);

struct Demo {
    child: Child,
    out: BufReader<ChildStdout>,
    tmp: tempfile::TempDir,
    /// Console, page, pick-up.
    urls: Vec<String>,
}

impl Demo {
    fn start(args: &[&str]) -> Self {
        let tmp = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_annai"));
        command.arg("demo").args(args).env("TMPDIR", tmp.path()).env_remove("ANNAI_LOG").stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut demo = Self { child, out, tmp, urls: Vec::new() };
        while demo.urls.len() < 3 {
            let line = demo.line();
            let url = line.split_whitespace().find(|word| word.starts_with("http://"));
            demo.urls.extend(url.map(|url| url.trim_end_matches('/').trim_start_matches("http://").to_owned()));
        }
        demo
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.out.read_line(&mut line).unwrap() > 0, "the demo ended early");
        line
    }

    /// Everything up to the line that says that the story is over.
    fn story(&mut self) -> String {
        let mut text = String::new();
        while !text.contains("The story is over") {
            text.push_str(&self.line());
        }
        text
    }

    fn interrupt(&self) {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end; kills the demo and fails if that takes too long.
    fn end(mut self, limit: Duration) -> (ExitStatus, String, tempfile::TempDir) {
        let id = self.child.id().to_string();
        let (tell, told) = mpsc::channel();
        let waiting = std::thread::spawn(move || {
            let mut rest = String::new();
            self.out.read_to_string(&mut rest).unwrap();
            let status = self.child.wait().unwrap();
            let _late = tell.send(());
            (status, rest, self.tmp)
        });
        let in_time = told.recv_timeout(limit).is_ok();
        if !in_time {
            let _gone = Command::new("kill").args(["-KILL", &id]).status();
        }
        let ended = waiting.join().unwrap();
        assert!(in_time, "the demo did not end within {limit:?}");
        ended
    }
}

fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Addresses on which a process listens, from /proc (Linux).
fn listening(pid: u32) -> Vec<IpAddr> {
    let links = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let sockets: BTreeSet<String> = links
        .filter_map(|link| std::fs::read_link(link.unwrap().path()).ok())
        .filter_map(|to| Some(to.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let mut found = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for line in std::fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if fields[3] == "0A" && sockets.contains(fields[9]) {
                let hex = fields[1].split(':').next().unwrap();
                assert_eq!(hex.len(), 8, "the demo listens on IPv6: {hex}");
                found.push(IpAddr::V4(Ipv4Addr::from(u32::from_str_radix(hex, 16).unwrap().swap_bytes())));
            }
        }
    }
    found
}

fn subjects<'a>(data: &'a Value, address: &str) -> Vec<&'a str> {
    let mails = data["mailboxes"][address].as_array().unwrap_or_else(|| panic!("{address} has no mail"));
    mails.iter().map(|subject| subject.as_str().unwrap()).collect()
}

#[test]
fn the_whole_story_is_told_and_everything_can_be_looked_at() {
    let mut demo = Demo::start(&["--speed", "0.2", "--port", "18100"]);
    let told = demo.story();
    for expected in ["証明書発行通知を", "期限切れのお知らせを", "Sapporo", "played by the demo"] {
        assert!(told.contains(expected), "{expected} is missing in {told}");
    }
    let listening = listening(demo.child.id());
    assert!(listening.len() >= 7 && listening.iter().all(IpAddr::is_loopback), "{listening:?}");

    let (console, page, pickup) = (demo.urls[0].clone(), demo.urls[1].clone(), demo.urls[2].clone());
    let data: Value = serde_json::from_str(&get(&page, "/demo.json").1).unwrap();
    assert_eq!(data["finished"], true);
    assert!(data["counts"]["mails_out"].as_u64().unwrap() > 100 && data["counts"]["returned"].as_u64().unwrap() >= 2);
    let letters = subjects(&data, "hokensho@city.sapporo-mihon.lg.jp");
    for expected in ["クライアント証明書取得のお願い", "取得用パスワードの送付"] {
        assert_eq!(letters.iter().filter(|subject| subject.contains(expected)).count(), 1, "{expected}: {letters:?}");
    }
    let late = subjects(&data, "kiso@pref.nagano-mihon.lg.jp");
    assert!(late.iter().any(|subject| subject.contains("期限のお知らせ")), "no reminder: {late:?}");
    // Shift_JIS, ISO-2022-JP and full width were all read; a template nobody filled in registered nobody.
    for address in [
        "yonago@pref.tottori-mihon.lg.jp",
        "hokensho-cert@city.yokohama-mihon.lg.jp",
        "hokensho@city.shibuya-mihon.lg.jp",
    ] {
        assert!(!subjects(&data, address).is_empty());
    }
    assert!(data["mailboxes"].get("hokensho@city.yukemuri-mihon.lg.jp").is_none());
    // Every page, every mailbox and every mail can be shown.
    for path in ["/", "/tenants", "/mailboxes", "/queue", "/style.css", "/demo.js"] {
        assert_eq!(get(&page, path).0, 200, "{path}");
    }
    for (address, mails) in data["mailboxes"].as_object().unwrap() {
        assert_eq!(get(&page, &format!("/mailbox/{address}")).0, 200, "{address}");
        assert_eq!(get(&page, &format!("/mailbox/{address}/{}", mails.as_array().unwrap().len())).0, 200, "{address}");
    }
    assert!(get(&page, "/mailbox/kiso@pref.nagano-mihon.lg.jp/2").1.contains(&format!("{}&#x2f;p&#x2f;", pickup)));
    assert_eq!(get(&pickup, "/").0, 200);
    assert_eq!(get(&console, "/healthz").0, 200, "{}", get(&console, "/healthz").1);

    a_visitor_takes_a_certificate(&page, &pickup);

    demo.interrupt();
    let (status, rest, tmp) = demo.end(PROMPT);
    assert!(status.success() && rest.contains("removed"), "{status} {rest}");
    assert_eq!(std::fs::read_dir(tmp.path()).unwrap().count(), 0, "something was left behind");
}

/// Whoever watches can do what an officer does: with curl as a browser, openssl as its certificate store.
fn a_visitor_takes_a_certificate(page: &str, pickup: &str) {
    let overview = get(page, "/").1;
    assert!(overview.contains("あなたの番です"), "{overview}");
    let gate = gate(&overview);
    let box_of = "/mailbox/hokensho@city.oita-mihon.lg.jp";
    let mails: Vec<String> =
        (1..20).map(|no| get(page, &format!("{box_of}/{no}"))).take_while(|a| a.0 == 200).map(|a| a.1).collect();
    let last = |mark: &str| mails.iter().rev().find(|mail| mail.contains(mark)).unwrap_or_else(|| panic!("no {mark}"));
    let path = last("&#x2f;p&#x2f;").split("&#x2f;p&#x2f;").nth(1).unwrap().split('"').next().unwrap();
    let path = format!("/p/{path}");
    let password = last("取得用パスワードの送付").split("◆証明書取得用パスワード").nth(1).unwrap();
    let password = password.lines().map(str::trim).find(|line| line.len() == 14).unwrap();
    assert!(overview.contains(password), "the page shows the password of the newest letter");
    take(pickup, &path, password, &gate);
}

/// The address of the terminal check in the visitor's instructions.
fn gate(overview: &str) -> String {
    let gate = overview.split("端末の確認ページ").next().unwrap().rsplit("href=\"").next().unwrap();
    gate.split('"').next().unwrap().replace("&#x2f;", "/")
}

fn take(pickup: &str, path: &str, password: &str, gate: &str) {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).display().to_string();
    let run = |program: &str, args: &[&str]| {
        let said = Command::new(program).args(args).output().unwrap();
        assert!(said.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8_lossy(&said.stdout).into_owned()
    };
    let (jar, p12, pem) = (file("jar"), file("a.p12"), file("a.pem"));
    let form = |path: &str, more: &[&str]| {
        run("curl", &[&["-sS", "-b", &jar, "-c", &jar][..], more, &[&format!("http://{pickup}{path}")]].concat())
    };
    let token =
        |page: &str| page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let first = token(&form(path, &[]));
    let terms = form(path, &["-d", &format!("step=password&token={first}&password={password}")]);
    assert!(terms.contains("大分市保健所"), "{terms}");
    let ready = form(path, &["-d", &format!("step=terms&agree=yes&token={}", token(&terms))]);
    form(&format!("{path}/certificate"), &["-d", &format!("format=modern&token={}", token(&ready)), "-o", &p12]);
    run("openssl", &["pkcs12", "-nodes", "-in", &p12, "-passin", &format!("pass:{password}"), "-out", &pem]);
    // A browser of today offers it: it has not run out by today's clock.
    run("openssl", &["x509", "-in", &pem, "-noout", "-checkend", "0"]);
    let green = run("curl", &["-sSk", "--cert", &pem, gate]);
    assert!(green.contains("この端末で利用できます") && green.contains("大分市保健所"), "{green}");
}

/// In the middle of the story, which waits meanwhile and goes on by itself afterwards.
#[test]
fn a_visitor_takes_a_certificate_while_the_story_waits() {
    let demo = Demo::start(&["--speed", "0.4", "--port", "18200"]);
    let (page, pickup) = (demo.urls[1].clone(), demo.urls[2].clone());
    let end = annai::clock::monotonic() + PATIENCE;
    let path = loop {
        let head = head(&page, "/try");
        if let Some((_, path)) = head.split_once("/p/") {
            break format!("/p/{}", path.lines().next().unwrap());
        }
        assert!(annai::clock::monotonic() < end, "it was never the visitor's turn");
    };
    let now = || serde_json::from_str::<Value>(&get(&page, "/demo.json").1).unwrap();
    let stands = now()["now"].clone();
    let overview = get(&page, "/").1;
    assert!(overview.contains("物語の時計は止まっています") && overview.contains("pk12util"), "{overview}");
    let password = overview.split("<code>").nth(1).unwrap().split("</code>").next().unwrap();
    assert_eq!(now()["now"], stands, "the clock stands still");
    take(&pickup, &path, password, &gate(&overview));
    while now()["now"] == stands {
        assert!(annai::clock::monotonic() < end, "the story does not go on");
    }
    let log = now()["log"].to_string();
    assert!(log.contains("物語を続けます") && log.contains("http://"), "{log}");
    assert!(get(&page, "/").1.contains("あなたの端末で利用できることを確認しました"));
    demo.interrupt();
    assert!(demo.end(PROMPT).0.success());
}

/// The header of an answer.
fn head(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().0.to_owned()
}

#[test]
fn it_ends_by_itself_and_takes_other_ports_when_its_own_are_busy() {
    let busy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = busy.local_addr().unwrap().port();
    let demo = Demo::start(&["--speed", "0.05", "--days", "10", "--exit", "--port", &port.to_string()]);
    let mut ports = BTreeSet::from([port]);
    for url in &demo.urls {
        let address: SocketAddr = url.parse().unwrap();
        assert!(address.ip().is_loopback() && ports.insert(address.port()), "{url}");
    }
    let (status, told, tmp) = demo.end(PATIENCE);
    assert!(status.success() && told.contains("The story is over"), "{status} {told}");
    assert_eq!(std::fs::read_dir(tmp.path()).unwrap().count(), 0, "something was left behind");
}

#[test]
fn ctrl_c_ends_it_in_the_middle() {
    let demo = Demo::start(&["--speed", "600", "--port", "18300"]);
    demo.interrupt();
    let (status, _, tmp) = demo.end(PROMPT);
    assert!(status.success(), "{status}");
    assert_eq!(std::fs::read_dir(tmp.path()).unwrap().count(), 0, "something was left behind");
}

#[test]
fn what_is_kept_is_an_ordinary_set_up_and_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kept").display().to_string();
    let demo = Demo::start(&["--speed", "0.05", "--days", "1", "--exit", "--port", "18400", "--keep", &path]);
    assert!(demo.end(PATIENCE).0.success());
    annai::config::Config::load(&dir.path().join("kept/annai.toml")).unwrap();
    let again = Command::new(env!("CARGO_BIN_EXE_annai")).args(["demo", "--exit", "--keep", &path]).output().unwrap();
    let said = String::from_utf8(again.stderr).unwrap();
    assert_eq!(again.status.code(), Some(2), "{said}");
    assert!(said.contains("--keep"), "{said}");
}
