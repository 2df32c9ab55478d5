//! Logs: one line per event on standard error, for people or as JSON; the filter comes from `[log] level` or `ANNAI_LOG`.
//!
//! Some libraries print what must not be seen: async-imap logs LOGIN with the password and whole mails at trace level,
//! lettre prints bodies, sled is noisy. Their levels are therefore capped below whatever the user asks for ([`CAPS`]).
//!
//! Field names allowed in our own events: `tenant`, `generation`, `row`, `mail`, `letter`, `state`, `disposition`, `uid`,
//! `uidvalidity`, `attempt`, `reply` (SMTP or IMAP code only), `host`, `port`, `listen`, `to` (masked address), `count`,
//! `bytes`, `duration_ms`, `due`, `error`. Values are ids, counts, times and masked addresses: never a subject, a body,
//! an address in clear, a URL of a pick-up, a code, a password or a key.

use crate::config::{LogConfig, LogFormat};
use tracing_subscriber::filter::{EnvFilter, LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

pub const LOG_VARIABLE: &str = "ANNAI_LOG";

/// Highest level of libraries that would print secrets or mail.
const CAPS: &[(&str, LevelFilter)] = &[
    ("async_imap", LevelFilter::INFO),
    ("imap_proto", LevelFilter::INFO),
    ("imap_codec", LevelFilter::INFO),
    ("imap_types", LevelFilter::INFO),
    ("lettre", LevelFilter::OFF),
    ("sled", LevelFilter::WARN),
    ("rustls", LevelFilter::INFO),
    ("hyper", LevelFilter::INFO),
    ("h2", LevelFilter::INFO),
    ("mail_auth", LevelFilter::INFO),
    ("hickory_proto", LevelFilter::WARN),
    ("hickory_net", LevelFilter::WARN),
    ("hickory_resolver", LevelFilter::WARN),
];

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("ANNAI_LOG cannot be used ({0}); give error, warn, info, debug or trace")]
    Variable(String),
    #[error("the log level of the configuration cannot be used ({0}); give error, warn, info, debug or trace")]
    Level(String),
    #[error("logging was started twice; this is a fault of the program, please report it")]
    Twice,
}

/// Checks a filter without using it. The error is the reason alone.
pub fn check_filter(filter: &str) -> Result<(), String> {
    parse(filter).map(|_| ())
}

fn parse(filter: &str) -> Result<EnvFilter, String> {
    EnvFilter::builder().parse(filter).map_err(|e| e.to_string())
}

fn caps() -> Targets {
    Targets::new().with_default(LevelFilter::TRACE).with_targets(CAPS.iter().copied())
}

/// Starts logging for the whole process. Once only.
pub fn start(log: &LogConfig) -> Result<(), TelemetryError> {
    let filter = match std::env::var(LOG_VARIABLE) {
        Ok(text) if !text.is_empty() => parse(&text).map_err(TelemetryError::Variable)?,
        Ok(_) | Err(_) => parse(&log.level).map_err(TelemetryError::Level)?,
    };
    let layer = fmt::layer().with_writer(std::io::stderr);
    let layer = match log.format {
        LogFormat::Human => {
            layer.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).with_filter(caps()).boxed()
        }
        LogFormat::Json => layer.json().flatten_event(true).with_filter(caps()).boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(filter)).try_init().map_err(|_| TelemetryError::Twice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn libraries_that_print_secrets_are_capped_whatever_is_asked() {
        let caps = caps();
        assert!(!caps.would_enable("async_imap::client", &Level::DEBUG));
        assert!(!caps.would_enable("imap_proto::parser", &Level::TRACE));
        assert!(!caps.would_enable("lettre::transport", &Level::ERROR));
        assert!(!caps.would_enable("sled::pagecache", &Level::INFO));
        assert!(caps.would_enable("annai::dispatch", &Level::TRACE));
    }

    #[test]
    fn filters_are_checked() {
        assert!(check_filter("info,annai=debug").is_ok());
        assert!(check_filter("annai=loud").is_err());
    }
}
