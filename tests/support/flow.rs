//! A place whose mailbox is a private Dovecot and whose letters go to the post office of the test process: real TLS by
//! private authorities on both ways.

use super::dovecot::{self, Dovecot};
use super::place::Place;
use super::receiver::{Letter, Receiver, SMTP_PASSWORD, SMTP_USER};
use annai::config::{Config, TestOverrides};
use annai::daemon::assembly;
use annai::engine::Engine;

pub(crate) struct Flow {
    pub(crate) place: Place,
    pub(crate) dovecot: Dovecot,
    pub(crate) receiver: Receiver,
    seen: usize,
}

/// How a connection is protected: `tls` as in annai.toml.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tls {
    Implicit,
    StartTls,
}

impl Flow {
    pub(crate) fn start(imap: Tls, smtp: Tls) -> Self {
        let place = Place::init();
        let dovecot = Dovecot::start();
        let receiver = Receiver::open(&place.file("smtp-ca.pem"));
        std::fs::copy(dovecot.ca(), place.file("imap-ca.pem")).expect("CA file");
        place.secret("secrets/imap-password", dovecot::PASSWORD);
        place.secret("secrets/smtp-password", SMTP_PASSWORD);
        place.set("imap", "host", "\"127.0.0.1\"");
        place.set("imap", "tls", imap.word());
        let port = if imap == Tls::Implicit { dovecot.tls_port } else { dovecot.port };
        place.set("imap", "port", &port.to_string());
        place.set("imap", "ca_file", "\"imap-ca.pem\"");
        place.set("imap", "user", &format!("\"{}\"", dovecot::USER));
        place.set("smtp", "host", "\"localhost\"");
        place.set("smtp", "tls", smtp.word());
        let (plain, tls) = (receiver.office.smtp_addr().port(), receiver.office.smtps_addr().port());
        place.set("smtp", "port", &(if smtp == Tls::Implicit { tls } else { plain }).to_string());
        place.set("smtp", "ca_file", "\"smtp-ca.pem\"");
        place.set("smtp", "user", &format!("\"{SMTP_USER}\""));
        place.set("smtp", "password_file", "\"secrets/smtp-password\"");
        // Several daemons run side by side in one test process.
        for key in ["pickup_listen", "console_listen"] {
            place.set("web", key, &format!("\"127.0.0.1:{}\"", dovecot::free_port()));
        }
        Self { place, dovecot, receiver, seen: 0 }
    }

    /// `serve --once` at this moment; the letters it sent.
    pub(crate) fn at(&mut self, now: &str) -> Vec<Letter> {
        self.receiver.set_now(now);
        self.place.once(now);
        self.new_letters()
    }

    /// Letters nobody has looked at yet. The ministry's reports come day by day and are another test's business.
    pub(crate) fn new_letters(&mut self) -> Vec<Letter> {
        let mut new = self.receiver.letters_after(self.seen);
        self.seen += new.len();
        new.retain(|letter| !letter.subject.contains("日次報告") && !letter.subject.contains("週次報告"));
        new
    }
}

/// The engine over a place's state directory; no daemon may be running.
pub(crate) fn engine(place: &Place, now: &str) -> Engine {
    let config = Config::load(&place.file("annai.toml")).expect("a configuration");
    let overrides = TestOverrides { now: Some(now.parse().expect("a moment")), seed: Some(7) };
    assembly::engine(&config, overrides).expect("an engine")
}

impl Tls {
    fn word(self) -> &'static str {
        match self {
            Self::Implicit => "\"implicit\"",
            Self::StartTls => "\"starttls\"",
        }
    }
}
