//! The SMTP session against Postfix's smtp-sink and against a server that plays scripts; DKIM against mail-auth's
//! verifier and against openssl.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

#[path = "dispatch/dkim.rs"]
mod dkim;
#[path = "support/postfix.rs"]
mod postfix;
#[path = "dispatch/script.rs"]
mod script;
#[path = "support/scripted.rs"]
mod scripted;
#[path = "dispatch/sink.rs"]
mod sink;

use annai::dispatch::smtp::{SmtpSettings, Submitter};
use annai::domain::MailAddress;
use annai::tls::Tls;
use annai::workflow::reply::{Outcome, Stage};

/// A loopback server without TLS.
fn settings(port: u16) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".into(),
        port,
        tls: Tls::None,
        ca_file: None,
        user: None,
        password: None,
        helo_name: "annai.example.jp".into(),
    }
}

fn address(text: &str) -> MailAddress {
    text.parse().unwrap()
}

/// One attempt with a small letter; a session that does not come about counts as an attempt too.
async fn attempt(port: u16) -> Outcome {
    match Submitter::connect(&settings(port)).await {
        Ok(mut submitter) => submit(&mut submitter, "kansensho@city.example.lg.jp").await,
        Err(error) => error.outcome(),
    }
}

async fn submit(submitter: &mut Submitter, recipient: &str) -> Outcome {
    let letter = b"Subject: x\r\n\r\n.dot\r\n..\r\n.\r\nend\r\n";
    submitter.submit(&address("bounce+n1@example.jp"), &address(recipient), letter).await
}

/// `relayed 250`, `refused rcpt 550 5.1.1`, `not sent`: an outcome in a word.
fn word(outcome: &Outcome) -> String {
    let stage = |stage: &Stage| format!("{stage:?}").to_lowercase();
    match outcome {
        Outcome::Relayed { reply } => format!("relayed {}", reply.code),
        Outcome::Deferred { stage: s, reply } => format!("deferred {} {reply:?}", stage(s)),
        Outcome::Refused { stage: s, reply } => format!("refused {} {reply:?}", stage(s)),
        Outcome::NotSent { .. } => "not sent".into(),
        Outcome::Unknown { .. } => "unknown".into(),
    }
}
