//! An officer at a terminal, by curl and openssl: types address and password, takes the certificate, opens the check page.
//! The daemon runs for it with its pages on free ports, by TLS, at a frozen moment.

use crate::support::flow::Flow;
use crate::support::place::{Place, Running, said};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

const HOST: &str = "pickup.followup.mhlw.go.jp";

/// Gives a place pages on free ports of their own.
pub(crate) fn open_pages(place: &Place) -> (u16, u16) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", &format!("/CN={HOST}"), "-addext", &format!("subjectAltName=DNS:{HOST}")])
        .args(["-addext", "basicConstraints=CA:FALSE", "-out"])
        .arg(place.file("tls-cert.pem"))
        .arg("-keyout")
        .arg(place.file("tls-key.pem"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let listeners = [(); 3].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    let [pickup, console, gate] = listeners.map(|listener| listener.local_addr().unwrap());
    for (key, address) in [("pickup_listen", pickup), ("console_listen", console), ("gate_listen", gate)] {
        place.set("web", key, &format!("\"{address}\""));
    }
    place.set("web", "tls_cert", "\"tls-cert.pem\"");
    place.set("web", "tls_key", "\"tls-key.pem\"");
    // `annai init` made its CA today; this story begins in 2020.
    std::fs::remove_dir_all(place.file("ca")).unwrap();
    let made = said(&mut place.command("2020-04-01T00:00:00+09:00", &["ca", "init"]));
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    (pickup.port(), gate.port())
}

/// One officer with a browser's cookies and a scratch directory.
pub(crate) struct Officer {
    dir: tempfile::TempDir,
    ports: (u16, u16),
}

impl Officer {
    pub(crate) fn new(ports: (u16, u16)) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), ports }
    }

    fn curl(&self, port: u16, path: &str, more: &[&str]) -> Vec<u8> {
        let jar = self.file("cookies");
        let mut command = Command::new("curl");
        command.args(["-sS", "--max-time", "60", "--resolve", &format!("{HOST}:{port}:127.0.0.1"), "--cacert"]);
        command.arg(self.file("ca.pem")).arg("-b").arg(&jar).arg("-c").arg(&jar).args(more);
        let said = command.arg(format!("https://{HOST}:{port}{path}")).output().unwrap();
        assert!(said.status.success(), "{path}: {}", String::from_utf8_lossy(&said.stderr));
        said.stdout
    }

    fn page(&self, path: &str, form: &[&str]) -> String {
        let data: Vec<&str> = form.iter().flat_map(|field| ["--data-urlencode", field]).collect();
        String::from_utf8(self.curl(self.ports.0, path, &data)).unwrap()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What the page of an address says.
    pub(crate) fn look(&self, url: &str) -> String {
        self.page(&path(url), &[])
    }

    /// Address, password, terms, download. What comes instead of a file is returned.
    pub(crate) fn pick_up(&self, url: &str, password: &str) -> Result<(), String> {
        let path = path(url);
        let first = self.page(&path, &[]);
        let Some(token) = hidden(&first, "token") else { return Err(first) };
        let terms = self.page(&path, &["step=password", &format!("token={token}"), &format!("password={password}")]);
        let Some(token) = hidden(&terms, "token").filter(|_| terms.contains("利用規約に同意する")) else {
            return Err(terms);
        };
        let ready = self.page(&path, &["step=terms", &format!("token={token}"), "agree=yes"]);
        let Some(token) = hidden(&ready, "token") else { return Err(ready) };
        let (token, file) = (format!("token={token}"), self.file("terminal.p12"));
        let more = ["--data-urlencode", &token, "-d", "format=compat", "-o", file.to_str().unwrap()];
        self.curl(self.ports.0, &format!("{path}/certificate"), &more);
        for (what, name) in [("-nokeys", "terminal.crt"), ("-nocerts", "terminal.key")] {
            let opened = Command::new("openssl")
                .args(["pkcs12", "-nodes", what, "-passin", &format!("pass:{password}"), "-in"])
                .arg(&file)
                .arg("-out")
                .arg(self.file(name))
                .output()
                .unwrap();
            assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
        }
        Ok(())
    }

    /// The check page, with the certificate of this terminal if there is one.
    pub(crate) fn check(&self) -> String {
        let (cert, key) = (self.file("terminal.crt"), self.file("terminal.key"));
        let mut more = Vec::new();
        if cert.exists() {
            more.extend(["--cert", cert.to_str().unwrap(), "--key", key.to_str().unwrap()]);
        }
        String::from_utf8(self.curl(self.ports.1, "/", &more)).unwrap()
    }

    pub(crate) fn trust(self, ca: &Path) -> Self {
        std::fs::copy(ca, self.file("ca.pem")).unwrap();
        self
    }
}

/// The daemon with its pages at a frozen moment.
pub(crate) fn serving(flow: &Flow, now: &str) -> Running {
    flow.receiver.set_now(now);
    Running::start(flow.place.command(now, &["serve"]).env("ANNAI_LOG", "annai=trace"))
}

/// Ends the daemon in order. None of these secrets stands in its log, however much it tells.
pub(crate) fn closing(daemon: Running, secrets: &[&str]) {
    daemon.signal("TERM");
    let (code, log) = daemon.end();
    assert_eq!(code, Some(0), "{log}");
    for secret in secrets {
        let secret = secret.rsplit('/').next().unwrap();
        assert!(!log.contains(secret) && !log.contains(&secret.replace('-', "")), "a secret in the log");
    }
}

fn path(url: &str) -> String {
    format!("/p/{}", url.rsplit('/').next().unwrap())
}

fn hidden(page: &str, name: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\""))?;
    Some(rest.split('"').next().unwrap().to_owned())
}
