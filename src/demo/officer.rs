//! An officer at a terminal, played over the real pages: reads address and password in the mailbox, types them, accepts the
//! terms, takes the file and opens it; later shows the certificate at the terminal check. One connection for each request,
//! and HTTP/1.0 (RFC 1945), in which an answer ends with its connection: nothing comes in chunks, and no client is needed.

use super::scene::Watcher;
use crate::crypto;
use crate::domain::{MailAddress, Secret, TenantId};
use crate::pki::p12;
use crate::reading;
use crate::tls;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use std::io::{Error, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long one request may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Longest answer read, in bytes.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;
/// The line above the password in its letter.
const ABOVE_PASSWORD: &str = "◆証明書取得用パスワード";

/// What an officer finds in the mailbox.
#[derive(Debug)]
pub(super) struct Found {
    /// `http://…/p/<code>`.
    pub(super) url: String,
    pub(super) password: Secret<String>,
}

/// The newest address and password for a tenant among the mails of its mailbox, which others may share.
pub(super) fn found(watcher: &Watcher, address: &MailAddress, tenant: TenantId) -> Option<Found> {
    let (mut url, mut password) = (None, None);
    let base = format!("http://{}/p/", watcher.pickup);
    for mail in watcher.office.mails(address.as_str()) {
        let body = reading::read_safely(&mail.raw, &watcher.rules).body;
        if !body.contains(&tenant.to_string()) {
            continue;
        }
        if let Some(line) = body.lines().map(str::trim).find(|line| line.starts_with(&base)) {
            url = Some(line.to_owned());
            password = None;
        } else if let Some((_, below)) = body.split_once(ABOVE_PASSWORD) {
            password = below.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned);
        }
    }
    Some(Found { url: url?, password: Secret::new(password?) })
}

/// A certificate in the store of a terminal.
#[derive(Debug)]
pub(super) struct Installed {
    key: Secret<Vec<u8>>,
    chain: Vec<Vec<u8>>,
}

/// Takes the certificate by its pages and opens the file.
pub(super) async fn pick_up(pickup: SocketAddr, found: &Found) -> Result<Installed> {
    let path = found.url.split_once("/p/").map(|(_, code)| format!("/p/{code}")).ok_or_else(odd)?;
    let mut browser = Browser { to: pickup, cookie: None, from: stand_in(&path) };
    let mut token = browser.token("GET", &path, "").await?;
    let password = found.password.reveal();
    token = browser.token("POST", &path, &format!("step=password&token={token}&password={password}")).await?;
    token = browser.token("POST", &path, &format!("step=terms&token={token}&agree=yes")).await?;
    let form = format!("token={token}&format=modern");
    let file = browser.ask("POST", &format!("{path}/certificate"), &form).await?;
    let (key, chain) = p12::read(&file.body, &found.password).map_err(Error::other)?;
    Ok(Installed { key, chain })
}

/// Opens the terminal check with a certificate.
pub(super) async fn show(gate: SocketAddr, gate_ca: &str, installed: &Installed) -> Result<()> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(gate_ca.as_bytes()).map_err(Error::other)?).map_err(Error::other)?;
    let chain = installed.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(installed.key.reveal().clone()));
    let config = ClientConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .map_err(Error::other)?;
    let name = ServerName::try_from("localhost").map_err(Error::other)?;
    let stream = timeout(PATIENCE, TcpStream::connect(gate)).await??;
    let stream = timeout(PATIENCE, TlsConnector::from(Arc::new(config)).connect(name, stream)).await??;
    let answer = timeout(PATIENCE, talk(stream, "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")).await??;
    if answer.status == 200 { Ok(()) } else { Err(odd()) }
}

struct Browser {
    to: SocketAddr,
    cookie: Option<String>,
    /// Each officer has a network of their own, as behind a proxy.
    from: String,
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Browser {
    /// Sends a form, or opens a page; the token of the form that comes.
    async fn token(&mut self, method: &str, path: &str, form: &str) -> Result<String> {
        let page = self.ask(method, path, form).await?;
        let page = String::from_utf8_lossy(&page.body).into_owned();
        let token = page.split_once("name=\"token\" value=\"").and_then(|(_, rest)| rest.split('"').next());
        token.map(str::to_owned).ok_or_else(odd)
    }

    async fn ask(&mut self, method: &str, path: &str, form: &str) -> Result<Answer> {
        let cookie = self.cookie.as_ref().map_or_else(String::new, |cookie| format!("Cookie: {cookie}\r\n"));
        let (host, from, length) = (self.to, &self.from, form.len());
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {host}\r\nX-Forwarded-For: {from}\r\n{cookie}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
        );
        let stream = timeout(PATIENCE, TcpStream::connect(self.to)).await??;
        let answer = timeout(PATIENCE, talk(stream, &request)).await??;
        let set = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        self.cookie = set.and_then(|line| line.split(';').next()).map(str::to_owned).or(self.cookie.take());
        if answer.status == 200 { Ok(answer) } else { Err(odd()) }
    }
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, request: &str) -> Result<Answer> {
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut bytes = Vec::new();
    // A peer that closes without a farewell has sent everything all the same; a file cut short does not open.
    let _closed = stream.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes).await;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(odd)?;
    let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned();
    let body = bytes.get(end + 4..).unwrap_or_default().to_vec();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(odd)?;
    Ok(Answer { status, head, body })
}

/// An address nobody has (RFC 2544), the same for the same path.
fn stand_in(path: &str) -> String {
    let [first, second, ..] = crypto::sha256(path.as_bytes()).0;
    format!("198.18.{first}.{second}")
}

fn odd() -> Error {
    Error::other("a page of the demo did not answer as it should; please report this")
}
