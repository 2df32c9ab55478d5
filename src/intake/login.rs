//! From settings to an authenticated connection: TCP, TLS, authentication. A password is sent only over verified TLS or
//! to a loopback address.
//!
//! Sources: RFC 3501 §6.2 and §11.1, RFC 2595 (STARTTLS), RFC 4616 (PLAIN), RFC 4959 (SASL-IR), RFC 5530 (codes),
//! RFC 8314; XOAUTH2 as Google and Microsoft document it.

use super::error::{ImapError, Loss};
use super::mutf7::base64;
use super::pipe::Pipe;
use super::settings::{ImapSettings, Login};
use super::wire::{Answer, Command, Wire};
use crate::domain::Secret;
use crate::tls::Tls;
use crate::tls::client_config;
use async_imap::imap_proto::{Capability, Response};
use rustls_pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

const CONNECT_LIMIT: Duration = Duration::from_secs(20);
const GREETING_LIMIT: Duration = Duration::from_secs(30);
const TLS_LIMIT: Duration = Duration::from_secs(20);
/// Servers delay the answer to a wrong password on purpose.
const LOGIN_LIMIT: Duration = Duration::from_mins(1);
/// A silent peer is asked after this time, then [`PROBES`] times every [`PROBE_EVERY`]; then the connection is dead.
const KEEP_ALIVE_AFTER: Duration = Duration::from_mins(1);
const PROBE_EVERY: Duration = Duration::from_secs(15);
const PROBES: u32 = 4;
/// Sent octets the peer does not acknowledge for so long end the connection.
const USER_TIMEOUT: Duration = Duration::from_mins(1);
/// Codes of RFC 5530 with which a server refuses a login for now, not for ever.
const LATER: [&str; 4] = ["[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]"];

/// What the server offers, upper case: `IDLE`, `AUTH=PLAIN`.
pub(super) type Offers = BTreeSet<String>;

/// Connects, protects and authenticates.
pub(super) async fn open(settings: &ImapSettings) -> Result<(Wire, Offers), ImapError> {
    let stream = connect(settings).await?;
    let wire = match settings.tls {
        Tls::Implicit => greeted(Wire::new(Pipe::tls(protect(settings, stream).await?))).await?,
        Tls::StartTls => start_tls(settings, stream).await?,
        Tls::None => greeted(Wire::new(Pipe::plain(stream))).await?,
    };
    let (wire, offers) = offers(wire).await?;
    let wire = authenticate(settings, wire, &offers).await?;
    // More is offered after the login than before (RFC 3501 §6.2).
    self::offers(wire).await
}

async fn connect(settings: &ImapSettings) -> Result<TcpStream, ImapError> {
    let unreachable =
        |reason: String| ImapError::Unreachable { host: settings.host.clone(), port: settings.port, reason };
    let no_answer = |_| unreachable(format!("no answer within {} s", CONNECT_LIMIT.as_secs()));
    let resolving = timeout(CONNECT_LIMIT, lookup_host((settings.host.as_str(), settings.port)));
    let found = resolving.await.map_err(no_answer)?.map_err(|e| unreachable(e.to_string()))?;
    let clear = settings.tls == Tls::None;
    let addresses: Vec<SocketAddr> = found.filter(|address| !clear || address.ip().is_loopback()).collect();
    if clear && addresses.is_empty() {
        return Err(ImapError::Unfit(format!(
            "[imap] tls = \"none\" is for loopback only and {} is not; use \"implicit\" or \"starttls\"",
            settings.host
        )));
    }
    let connected = timeout(CONNECT_LIMIT, TcpStream::connect(addresses.as_slice())).await.map_err(no_answer)?;
    let stream = connected.map_err(|e| unreachable(e.to_string()))?;
    let prepare = || -> io::Result<()> {
        stream.set_nodelay(true)?;
        let socket = SockRef::from(&stream);
        let keep_alive =
            TcpKeepalive::new().with_time(KEEP_ALIVE_AFTER).with_interval(PROBE_EVERY).with_retries(PROBES);
        socket.set_tcp_keepalive(&keep_alive)?;
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
        Ok(())
    };
    prepare().map_err(|e| unreachable(e.to_string()))?;
    Ok(stream)
}

async fn protect(
    settings: &ImapSettings,
    stream: TcpStream,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, ImapError> {
    let config = client_config(settings.ca_file.as_deref())?;
    let name = ServerName::try_from(settings.host.clone())
        .map_err(|_| ImapError::Unfit(format!("[imap] host = \"{}\" is no host name; correct it", settings.host)))?;
    let late = Loss::TimedOut { command: "the TLS handshake", limit: TLS_LIMIT };
    let shaken = timeout(TLS_LIMIT, TlsConnector::from(config).connect(name, stream)).await.map_err(|_| late)?;
    shaken.map_err(|e| match e.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(reason)) => {
            ImapError::Certificate { host: settings.host.clone(), reason: reason.to_string() }
        }
        Some(_) => ImapError::Unreachable { host: settings.host.clone(), port: settings.port, reason: e.to_string() },
        None => ImapError::Lost(Loss::Io(e.kind())),
    })
}

async fn greeted(wire: Wire) -> Result<Wire, ImapError> {
    let mut preauth = false;
    let wire = wire.greeting(GREETING_LIMIT, &mut preauth).await?;
    if preauth {
        // Nobody can tell whose mailbox this is, and STARTTLS would no longer be allowed (RFC 2595 §2.1).
        return Err(ImapError::Unfit(
            "the IMAP server logged us in by itself (PREAUTH); turn that off for this port".to_owned(),
        ));
    }
    Ok(wire)
}

/// STARTTLS or nothing.
async fn start_tls(settings: &ImapSettings, stream: TcpStream) -> Result<Wire, ImapError> {
    let wire = greeted(Wire::new(Pipe::before_starttls(stream))).await?;
    let (wire, offers) = offers(wire).await?;
    if !offers.contains("STARTTLS") {
        return Err(no_tls("does not offer STARTTLS"));
    }
    let (wire, answer) = wire.exchange(Command::new("STARTTLS", LOGIN_LIMIT, "STARTTLS"), |_| {}).await?;
    if let Answer::No { .. } = answer {
        return Err(no_tls("refused STARTTLS"));
    }
    let Some(stream) = wire.into_pipe().into_plain() else { return Err(no_tls("already uses TLS")) };
    if stream.try_read(&mut [0u8; 1]).is_ok_and(|octets| octets > 0) {
        return Err(no_tls("sent octets in clear after its answer to STARTTLS (an injection?)"));
    }
    // What was said in clear is forgotten: new parser, new tags, capabilities asked again (RFC 3501 §6.2.1).
    Ok(Wire::new(Pipe::tls(protect(settings, stream).await?)))
}

fn no_tls(fault: &str) -> ImapError {
    ImapError::Unfit(format!("the IMAP server {fault}; nothing was sent. Check [imap] port and tls with its operator"))
}

async fn offers(wire: Wire) -> Result<(Wire, Offers), ImapError> {
    let mut offers = Offers::new();
    let (wire, answer) = wire
        .exchange(Command::new("CAPABILITY", LOGIN_LIMIT, "CAPABILITY"), |response| {
            if let Response::Capabilities(capabilities) = response {
                offers.extend(capabilities.iter().map(offer));
            }
        })
        .await?;
    refusal("CAPABILITY", answer)?;
    Ok((wire, offers))
}

fn offer(capability: &Capability<'_>) -> String {
    match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(name) => format!("AUTH={}", name.to_ascii_uppercase()),
        Capability::Atom(name) => name.to_ascii_uppercase(),
    }
}

/// A NO as an error.
pub(super) fn refusal(command: &'static str, answer: Answer) -> Result<(), ImapError> {
    match answer {
        Answer::Ok => Ok(()),
        Answer::No { text, try_create } => Err(ImapError::Refused { command, text, try_create }),
    }
}

async fn authenticate(settings: &ImapSettings, wire: Wire, offers: &Offers) -> Result<Wire, ImapError> {
    let command = match &settings.login {
        Login::XOAuth2TokenFile(file) => xoauth2(&settings.user, &token(file).await?, offers),
        Login::Password(password) if offers.contains("AUTH=PLAIN") => plain(&settings.user, password, offers),
        Login::Password(password) => login(&settings.user, password, offers)?,
    };
    let name = command.name;
    let (wire, answer) = wire.exchange(command, |_| {}).await?;
    match answer {
        Answer::Ok => Ok(wire),
        Answer::No { text, try_create } if LATER.iter().any(|code| text.starts_with(code)) => {
            Err(ImapError::Refused { command: name, text, try_create })
        }
        Answer::No { text, .. } => Err(ImapError::Login { text }),
    }
}

/// RFC 4616: nothing, user, password, each ended by NUL but the last.
fn plain(user: &str, password: &Secret<String>, offers: &Offers) -> Command {
    let proof = Zeroizing::new(format!("\0{user}\0{}", password.reveal()));
    sasl("PLAIN", &proof, offers)
}

/// A refusal comes as a `+` with a JSON text first, which wants an empty line.
fn xoauth2(user: &str, token: &Secret<String>, offers: &Offers) -> Command {
    let proof = Zeroizing::new(format!("user={user}\u{1}auth=Bearer {}\u{1}\u{1}", token.reveal()));
    sasl("XOAUTH2", &proof, offers).replying(Zeroizing::new(String::new()))
}

fn sasl(mechanism: &str, proof: &str, offers: &Offers) -> Command {
    let encoded = Zeroizing::new(base64(proof.as_bytes()));
    if offers.contains("SASL-IR") {
        let line = format!("AUTHENTICATE {mechanism} {}", encoded.as_str());
        return Command::new("AUTHENTICATE", LOGIN_LIMIT, line);
    }
    Command::new("AUTHENTICATE", LOGIN_LIMIT, format!("AUTHENTICATE {mechanism}")).replying(encoded)
}

fn login(user: &str, password: &Secret<String>, offers: &Offers) -> Result<Command, ImapError> {
    if offers.contains("LOGINDISABLED") {
        return Err(ImapError::Unfit(
            "the IMAP server takes no password on this connection (LOGINDISABLED); use tls = \"implicit\" or an OAuth token"
                .to_owned(),
        ));
    }
    let fault = || {
        ImapError::Unfit("user or password has characters this IMAP server cannot take; use printable ASCII".to_owned())
    };
    let user = quoted(user).ok_or_else(fault)?;
    let password = quoted(password.reveal()).ok_or_else(fault)?;
    Ok(Command::new("LOGIN", LOGIN_LIMIT, format!("LOGIN {} {}", user.as_str(), password.as_str())))
}

/// RFC 3501 §9 `quoted`; `None` if the text does not fit in one.
pub(super) fn quoted(text: &str) -> Option<Zeroizing<String>> {
    if !text.chars().all(|c| matches!(c, ' '..='~')) {
        return None;
    }
    // Twice the length and two: it never grows, so no copy of a password is left behind.
    let mut quoted = Zeroizing::new(String::with_capacity(text.len() * 2 + 2));
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    Some(quoted)
}

async fn token(file: &Path) -> Result<Secret<String>, ImapError> {
    let read = tokio::fs::read_to_string(file).await.map(Zeroizing::new);
    let text = read.map_err(|e| {
        let file = file.display();
        ImapError::Unfit(format!("the token file {file} cannot be read ({}); check its path and permissions", e.kind()))
    })?;
    Ok(Secret::new(text.trim().to_owned()))
}
