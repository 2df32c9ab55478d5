//! From a host name to a protected stream: TCP, implicit TLS, or STARTTLS without a way back (RFC 3207, RFC 8314).
//!
//! STARTTLS is spoken here, not by the SMTP library, because bytes that stand in the buffer when TLS begins must end
//! the session: they came in clear and would be taken for replies under TLS (CVE-2011-0411 and its kin).

use super::smtp::{CONNECT_LIMIT, GREETING_LIMIT, SmtpError, SmtpSettings};
use super::wire::{LINE_OCTETS_MAX, Stream, Wire};
use crate::tls::Tls;
use crate::tls::client_config;
use crate::workflow::reply::Reply;
use rustls_pki_types::ServerName;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Most lines of one reply; EHLO is the longest.
const REPLY_LINES_MAX: usize = 100;

pub(super) async fn open(settings: &SmtpSettings) -> Result<Wire, SmtpError> {
    let unreachable = |e: io::Error| SmtpError::Unreachable {
        host: settings.host.clone(),
        port: settings.port,
        reason: e.to_string(),
    };
    let tcp = timeout(CONNECT_LIMIT, TcpStream::connect((settings.host.as_str(), settings.port)))
        .await
        .map_err(|_| SmtpError::Silent { step: "connect", limit: CONNECT_LIMIT })?
        .map_err(unreachable)?;
    // Commands are small and wait for their replies: with Nagle's algorithm every letter takes 40 ms.
    tcp.set_nodelay(true).map_err(unreachable)?;
    match settings.tls {
        Tls::None if !stays_here(tcp.peer_addr().map_err(unreachable)?.ip()) => Err(SmtpError::ClearText),
        Tls::None => Ok(Wire::new(Stream::Clear(tcp), Vec::new())),
        Tls::Implicit => Ok(Wire::new(protect(tcp, settings).await?, Vec::new())),
        Tls::StartTls => {
            let (tcp, greeting) = start_tls(tcp, &settings.helo_name).await?;
            Ok(Wire::new(protect(tcp, settings).await?, greeting))
        }
    }
}

/// The peer is this machine: clear text is seen by nobody.
fn stays_here(peer: IpAddr) -> bool {
    peer.to_canonical().is_loopback()
}

async fn protect(tcp: TcpStream, settings: &SmtpSettings) -> Result<Stream, SmtpError> {
    let config = client_config(settings.ca_file.as_deref())?;
    let name = ServerName::try_from(settings.host.clone()).map_err(|e| SmtpError::Tls(e.to_string()))?;
    let stream = within("TLS", TlsConnector::from(config).connect(name, tcp)).await?;
    Ok(Stream::Tls(Box::new(stream.map_err(|e| SmtpError::Tls(e.to_string()))?)))
}

/// Greeting, EHLO, STARTTLS in clear. Returns the greeting as it came.
async fn start_tls(tcp: TcpStream, me: &str) -> Result<(TcpStream, Vec<u8>), SmtpError> {
    let mut stream = BufReader::new(tcp);
    let greeting = expect(&mut stream, "greeting", "").await?;
    let offers = expect(&mut stream, "EHLO", &format!("EHLO {me}\r\n")).await?;
    let offered = offers.lines().any(|line| line.get(4..).is_some_and(|k| k.trim().eq_ignore_ascii_case("STARTTLS")));
    if !offered {
        return Err(SmtpError::NoStartTls);
    }
    expect(&mut stream, "STARTTLS", "STARTTLS\r\n").await?;
    if !stream.buffer().is_empty() {
        return Err(SmtpError::Injected);
    }
    Ok((stream.into_inner(), greeting.into_bytes()))
}

/// Says something (or nothing) and reads one whole reply, which must be positive.
async fn expect(stream: &mut BufReader<TcpStream>, step: &'static str, line: &str) -> Result<String, SmtpError> {
    let lost = |e: io::Error| SmtpError::Lost { step, reason: e.to_string() };
    let text = within(step, async {
        stream.get_mut().write_all(line.as_bytes()).await?;
        read_reply(stream).await
    })
    .await?
    .map_err(lost)?;
    let code: u16 = text.get(..3).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    let words: Vec<&str> = text.lines().filter_map(|line| line.get(4..)).collect();
    match code {
        200..300 => Ok(text),
        400..600 => Err(SmtpError::Refused { step, reply: Reply::new(code, &words.join(" ")) }),
        0..=u16::MAX => Err(SmtpError::Lost { step, reason: format!("the server answered with {code}") }),
    }
}

/// All lines of a reply; the last has no hyphen after its code (RFC 5321 §4.2.1).
async fn read_reply(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut text = String::new();
    for _ in 0..REPLY_LINES_MAX {
        let mut line = Vec::new();
        stream.take(LINE_OCTETS_MAX as u64).read_until(b'\n', &mut line).await?;
        if line.last() != Some(&b'\n') {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "incomplete reply"));
        }
        let line: String = line.into_iter().map(|b| if b.is_ascii() { char::from(b) } else { '?' }).collect();
        text += &line;
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(text);
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "reply too long"))
}

async fn within<F: Future>(step: &'static str, work: F) -> Result<F::Output, SmtpError> {
    timeout(GREETING_LIMIT, work).await.map_err(|_| SmtpError::Silent { step, limit: GREETING_LIMIT })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_text_stays_on_this_machine() {
        for (peer, stays) in [
            ("127.0.0.1", true),
            ("127.8.8.8", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("10.0.0.1", false),
            ("::", false),
            ("0.0.0.0", false),
            ("192.0.2.1", false),
            ("fe80::1", false),
        ] {
            assert_eq!(stays_here(peer.parse().unwrap()), stays, "{peer}");
        }
    }
}
