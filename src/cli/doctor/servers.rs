//! Are the mail servers there? A connection and the greeting; logins are the daemon's business.

use super::{Finding, block_on};
use crate::cli::CliError;
use crate::config::Config;
use crate::tls::Tls;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Time for a connection, and for the greeting.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Longest greeting line looked at, in octets (RFC 5321 §4.5.3.1.5: 512).
const GREETING_OCTETS_MAX: u64 = 1_000;

pub(super) fn check(config: &Config) -> Result<Vec<Finding>, CliError> {
    block_on(async {
        let (imap, smtp) = (&config.imap, &config.smtp);
        let (a, b) = tokio::join!(
            server("IMAP", "[imap]", &imap.host, imap.port, imap.tls, "* OK"),
            server("SMTP", "[smtp]", &smtp.host, smtp.port, smtp.tls, "220"),
        );
        vec![a, b]
    })
}

async fn server(name: &str, section: &str, host: &str, port: u16, tls: Tls, greeting: &str) -> Finding {
    let what = format!("{name} {host}:{port}");
    match timeout(CONNECT_MAX, TcpStream::connect((host, port))).await {
        Err(_) => Finding::fail(format!("{what} does not answer"), "ask for the port to be opened in the firewall"),
        Ok(Err(e)) => Finding::fail(
            format!("{what} cannot be reached ({e})"),
            format!("correct host and port in {section}, or start it"),
        ),
        Ok(Ok(stream)) => match tls {
            // The server waits for us to begin; that TLS works shows itself at the login.
            Tls::Implicit => Finding::ok(format!("{what} reachable")),
            Tls::StartTls | Tls::None => greets(&what, section, stream, greeting).await,
        },
    }
}

async fn greets(what: &str, section: &str, stream: TcpStream, greeting: &str) -> Finding {
    let mut line = String::new();
    let mut reader = BufReader::new(stream.take(GREETING_OCTETS_MAX));
    match timeout(CONNECT_MAX, reader.read_line(&mut line)).await {
        Ok(Ok(_)) if line.starts_with(greeting) => Finding::ok(format!("{what} greets")),
        Ok(Ok(_)) => Finding::fail(
            format!("{what} does not greet as expected"),
            format!("check port and tls in {section}: another service may be listening there"),
        ),
        Ok(Err(_)) | Err(_) => {
            Finding::fail(format!("{what} is silent"), format!("with implicit TLS set tls = \"implicit\" in {section}"))
        }
    }
}
