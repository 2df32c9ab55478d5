//! The gateway snippets of docs/gateway, run for real: nginx and Caddy fetch our lists with fetch-crl.sh and let our
//! certificate in, a revoked one and none not. The system behind learns who it is.
#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "web/world.rs"]
#[expect(dead_code, reason = "shared with tests/web.rs")]
mod world;

use annai::crypto::MasterKey;
use annai::domain::{Timestamp, time::DAY};
use annai::engine::keys::KeysVerb;
use annai::engine::pickup::PickupSettings;
use annai::engine::staff::Verb;
use annai::pki::{Custody, KeyKind, Keyring, LeafSettings, dir};
use annai::rules::{Rules, SendWindow};
use annai::workflow::RevocationReason;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::time::Instant;
use world::{Browser, World, build, tenant};

/// How long a server may take to come up or to reload on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // Both end their workers on SIGTERM.
        let _sent = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ended = self.0.wait();
    }
}

/// nginx and Caddy judge certificates and lists by the system's clock, so this world is of today.
fn today() -> World {
    let now = annai::clock::Clock::System.now();
    let always = |rules: &mut Rules| {
        rules.schedule.send_window = SendWindow::Always;
        PickupSettings::default()
    };
    build(&Timestamp::from_unix(now.unix()).plus(-7 * DAY).rfc3339(), always)
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// The system behind the gateway: answers with the serial number it was told.
fn system() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut serial = String::new();
            for line in BufReader::new(&stream).lines() {
                let line = line.unwrap_or_default();
                if line.is_empty() {
                    break;
                }
                if let Some((_, value)) =
                    line.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case("x-client-serial"))
                {
                    value.clone_into(&mut serial);
                }
            }
            let body = format!("inside with {serial}");
            let length = body.len();
            let _gone =
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        }
    });
    port
}

/// Picks a certificate up and unpacks it into PEM files: certificate with chain, key, serial number.
async fn terminal(world: &World, local: &str) -> (PathBuf, PathBuf, String) {
    let file = Browser::default().pick_up(world, local).await;
    let path = |ending: &str| world.dir.path().join(format!("{local}.{ending}"));
    std::fs::write(path("p12"), file).unwrap();
    let password = format!("pass:{}", world.password(local));
    for (what, to) in [("-nokeys", "crt"), ("-nocerts", "key")] {
        let made = Command::new("openssl")
            .args(["pkcs12", "-nodes", what, "-passin", &password, "-in"])
            .arg(path("p12"))
            .arg("-out")
            .arg(path(to))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    let serial = Command::new("openssl").args(["x509", "-noout", "-serial", "-in"]).arg(path("crt")).output().unwrap();
    let serial = String::from_utf8(serial.stdout).unwrap();
    (path("crt"), path("key"), serial.trim().strip_prefix("serial=").unwrap().to_ascii_lowercase())
}

/// Status and body as curl sees them; 000 if the handshake was refused.
fn curl(port: u16, name: &str, who: Option<&(PathBuf, PathBuf, String)>) -> (String, String) {
    let mut command = Command::new("curl");
    command.args(["-sk", "--max-time", "20", "-w", "\n%{http_code}", "--resolve", &format!("{name}:{port}:127.0.0.1")]);
    if let Some((cert, key, _)) = who {
        command.arg("--cert").arg(cert).arg("--key").arg(key);
    }
    let said = command.arg(format!("https://{name}:{port}/")).output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let (body, code) = text.rsplit_once('\n').unwrap();
    (code.to_owned(), body.to_owned())
}

fn wait_for(what: &str, is: impl Fn() -> bool) {
    let from = Instant::now();
    while !is() {
        assert!(from.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

/// What the operator's cron job does.
fn fetch(world: &World, dir: &Path, reload: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/gateway/fetch-crl.sh");
    let url = format!("http://localhost:{}", world.pickup.port());
    let said = Command::new("bash").arg(script).args([&url, dir.to_str().unwrap(), reload]).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

/// A snippet of docs/gateway with the places and ports of this test, and nothing else changed.
fn snippet(name: &str, changes: &[(&str, String)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/gateway").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    changes.iter().fold(text, |text, (old, new)| {
        assert!(text.contains(old), "{name} has no {old}");
        text.replace(old, new)
    })
}

async fn revoke(world: &World, serial: u16) {
    let reason = RevocationReason::KeyCompromise;
    world.act(move |engine| engine.act("mie", &Verb::Revoke { tenant: tenant(serial), reason })).await;
}

/// Gives a world a CA directory, from which another CA can be adopted later.
async fn with_a_directory(world: &World) -> PathBuf {
    let ca = world.dir.path().join("ca");
    std::fs::create_dir(&ca).unwrap();
    let (keys, place) = (MasterKey::from_bytes([7; 32]), ca.clone());
    let leaf = LeafSettings { key: KeyKind::P256, ..LeafSettings::default() };
    world
        .act(move |engine| {
            let custody = Custody { master: &keys, second: None };
            dir::create(&place, &custody, "帰国者フォローアップシステム", engine.now())?;
            engine.follow_keys(Keyring::new(place, keys, None, leaf), PickupSettings::default())
        })
        .await;
    ca
}

/// Another CA signs from now on.
async fn adopt_another(world: &World, ca: PathBuf) {
    world
        .act(move |engine| {
            let keys = MasterKey::from_bytes([7; 32]);
            let custody = Custody { master: &keys, second: None };
            let next = dir::rotate(&ca, &custody, &ca.join("root.key"), "帰国者フォローアップシステム", engine.now())?;
            engine.look_at_keys()?;
            let certificate = annai::crypto::sha256(&next.certificate);
            let verb = KeysVerb::Adopt { ca: next.id.clone(), certificate, reason: "年度の切替え".to_owned() };
            engine.act("mie", &Verb::Keys(verb))
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_admits_ours_and_nobody_else() {
    let world = today();
    let ca = with_a_directory(&world).await;
    let (ours, other) = (terminal(&world, "kurayoshi").await, terminal(&world, "yonago").await);
    let dir = world.dir.path().join("nginx");
    std::fs::create_dir(&dir).unwrap();
    fetch(&world, &dir, "true");
    let (port, behind, place) = (free_port(), system(), dir.display().to_string());
    for (from, to) in [("cert.pem", "server.pem"), ("key.pem", "server.key")] {
        std::fs::copy(world.dir.path().join(from), dir.join(to)).unwrap();
    }
    let server = snippet(
        "nginx.conf",
        &[
            ("listen 443 ssl;", format!("listen 127.0.0.1:{port} ssl;")),
            ("/etc/nginx/followup", place.clone()),
            ("127.0.0.1:9000", format!("127.0.0.1:{behind}")),
        ],
    );
    let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {place}/{name};\n"))
        .concat();
    let whole = format!(
        "daemon off;\nmaster_process on;\nworker_processes 1;\npid {place}/pid;\nerror_log {place}/error.log info;\n\
         events {{}}\nhttp {{\naccess_log off;\n{paths}{server}}}\n"
    );
    let file = dir.join("whole.conf");
    std::fs::write(&file, whole).unwrap();
    let nginx = |more: &[&str]| {
        let mut command = Command::new("nginx");
        command.args(["-p", &place, "-e", &format!("{place}/error.log"), "-c"]).arg(&file).args(more);
        command
    };
    let child = nginx(&[]).stderr(Stdio::null()).spawn().unwrap_or_else(|e| panic!("nginx: {e}; see tests/run"));
    let _server = Server(child);
    wait_for("nginx is up", || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());

    let name = "followup.example.jp";
    let (code, body) = curl(port, name, Some(&ours));
    let log = || std::fs::read_to_string(dir.join("error.log")).unwrap_or_default();
    assert_eq!((code.as_str(), body), ("200", format!("inside with {}", ours.2.to_ascii_uppercase())), "{}", log());
    assert_eq!(curl(port, name, None).0, "400");
    revoke(&world, 1).await;
    fetch(&world, &dir, &format!("nginx -p '{place}' -e '{place}/error.log' -c '{}' -s reload", file.display()));
    wait_for("the revoked one is refused", || curl(port, name, Some(&ours)).0 == "400");
    assert_eq!(curl(port, name, Some(&other)).0, "200", "{}", log());
    assert_eq!(curl(port, name, None).0, "400");
    assert!(log().contains("certificate revoked"), "{}", log());

    // Another CA: certificates of both get in, and the revoked one of the first still does not.
    adopt_another(&world, ca).await;
    let new = terminal(&world, "hoken").await;
    assert_eq!(curl(port, name, Some(&new)).0, "400", "not before the gateway knows its CA");
    fetch(&world, &dir, &format!("nginx -p '{place}' -e '{place}/error.log' -c '{}' -s reload", file.display()));
    wait_for("the new CA's certificate gets in", || curl(port, name, Some(&new)).0 == "200");
    assert_eq!(curl(port, name, Some(&other)).0, "200", "{}", log());
    assert_eq!(curl(port, name, Some(&ours)).0, "400");
}

#[tokio::test(flavor = "multi_thread")]
async fn caddy_admits_ours_and_nobody_else() {
    let world = today();
    let ca = with_a_directory(&world).await;
    let (ours, other) = (terminal(&world, "kurayoshi").await, terminal(&world, "yonago").await);
    let dir = world.dir.path().join("caddy");
    std::fs::create_dir(&dir).unwrap();
    fetch(&world, &dir, "true");
    let (port, behind, admin) = (free_port(), system(), free_port());
    let place = dir.display().to_string();
    let certificate = format!("tls {0}/cert.pem {0}/key.pem {{", world.dir.path().display());
    let site = snippet(
        "Caddyfile",
        &[
            ("/etc/caddy/followup", place.clone()),
            ("followup.example.jp {", format!("https://followup.example.jp:{port} {{")),
            ("tls {", certificate),
            ("127.0.0.1:9000", format!("127.0.0.1:{behind}")),
        ],
    );
    let file = dir.join("Caddyfile");
    std::fs::write(&file, format!("{{\n\tadmin localhost:{admin}\n\tauto_https disable_redirects\n}}\n{site}"))
        .unwrap();
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file).env("HOME", &dir).env("XDG_DATA_HOME", &dir);
    let log = std::fs::File::create(dir.join("log")).unwrap();
    let child = command.stdout(Stdio::null()).stderr(log).spawn();
    let _server = Server(child.unwrap_or_else(|e| panic!("caddy: {e}; see tests/run")));
    let log = || std::fs::read_to_string(dir.join("log")).unwrap_or_default();
    wait_for("caddy is up", || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());

    let name = "followup.example.jp";
    let (code, body) = curl(port, name, Some(&ours));
    assert_eq!((code.as_str(), body), ("200", format!("inside with {}", decimal(&ours.2))), "{}", log());
    assert_eq!(curl(port, name, None).0, "000");
    revoke(&world, 1).await;
    let reload = format!(
        "caddy reload --adapter caddyfile --config '{}' --address localhost:{admin} 2> '{place}/reload.log'",
        file.display()
    );
    fetch(&world, &dir, &reload);
    wait_for("the revoked one is refused", || curl(port, name, Some(&ours)).0 == "403");
    assert_eq!(curl(port, name, Some(&other)).0, "200", "{}", log());
    assert_eq!(curl(port, name, None).0, "000");

    // Another CA: certificates of both get in, and the revoked one of the first still does not.
    adopt_another(&world, ca).await;
    let new = terminal(&world, "hoken").await;
    fetch(&world, &dir, &reload);
    wait_for("the new CA's certificate gets in", || curl(port, name, Some(&new)).0 == "200");
    assert_eq!(curl(port, name, Some(&other)).0, "200", "{}", log());
    assert_eq!(curl(port, name, Some(&ours)).0, "403");
}

/// Hexadecimal digits as a decimal number, as Caddy prints serial numbers.
fn decimal(hex: &str) -> String {
    let python = format!("print(int('{hex}', 16))");
    let said = Command::new("python3").args(["-c", &python]).output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}
