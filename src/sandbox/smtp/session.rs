//! One SMTP session.
//!
//! Limits: a command line [`COMMAND_OCTETS_MAX`]; mail size, line length and recipients as in `Limits`.

use super::command::{Command, parse};
use super::delivery::Transaction;
use super::lines::{Line, Lines};
use crate::sandbox::wire::Wire;
use crate::sandbox::{DeliverError, Office, SmtpFault, SmtpStage};
use std::io;
use std::sync::Arc;

/// Octets of one command line; AUTH needs the most (RFC 4954 §4).
pub(super) const COMMAND_OCTETS_MAX: usize = 12_288;
pub(super) const BAD_SEQUENCE: &str = "503 5.5.1 Not now";

pub(super) struct Session {
    pub(super) office: Arc<Office>,
    pub(super) lines: Lines,
    pub(super) client: Option<String>,
    pub(super) extended: bool,
    pub(super) authenticated: bool,
    pub(super) mail: Option<Transaction>,
}

impl Session {
    pub(super) fn new(office: Arc<Office>, wire: Wire) -> Self {
        Self { office, lines: Lines::new(wire), client: None, extended: false, authenticated: false, mail: None }
    }

    pub(super) async fn run(mut self) -> io::Result<()> {
        let banner =
            self.meet(SmtpStage::Connect).await?.unwrap_or("220 sandbox.invalid ESMTP annai sandbox".to_owned());
        self.reply(&banner).await?;
        if let Some(reply) = self.meet(SmtpStage::Banner).await? {
            self.reply(&reply).await?;
        }
        loop {
            let line = match self.lines.next(COMMAND_OCTETS_MAX).await? {
                Line::Whole(line) => line,
                Line::TooLong => {
                    self.reply("500 5.5.6 Line too long").await?;
                    continue;
                }
            };
            let command = parse(&line);
            if command == Command::Quit {
                self.reply("221 2.0.0 Bye").await?;
                return self.lines.wire.close().await;
            }
            if command != Command::StartTls {
                self.obey(command).await?;
            } else if self.may_start_tls().await? {
                // What was said in clear is forgotten (RFC 3207 §4.2), octets sent ahead too.
                let wire = self.lines.wire.secure(&self.office.tls).await?;
                self = Self::new(self.office, wire);
            }
        }
    }

    async fn obey(&mut self, command: Command) -> io::Result<()> {
        match command {
            Command::Ehlo(client) => self.greet(client, true).await,
            Command::Helo(client) => self.greet(client, false).await,
            Command::Auth { mechanism, initial } => {
                let reply = self.authenticate(&mechanism, initial).await?;
                self.reply(&reply).await
            }
            Command::Mail { from, size } => self.mail(from, size).await,
            Command::Rcpt { to } => self.rcpt(to).await,
            Command::Data => self.data().await,
            Command::Rset => {
                self.mail = None;
                self.reply("250 2.0.0 OK").await
            }
            Command::Noop => self.reply("250 2.0.0 OK").await,
            Command::Vrfy => self.reply("252 2.5.0 Send it and see").await,
            Command::Malformed => self.reply("501 5.5.4 Malformed arguments").await,
            Command::Unknown | Command::StartTls | Command::Quit => self.reply("500 5.5.1 Unknown command").await,
        }
    }

    /// Sends a reply; after 421 the connection is over (RFC 5321 §3.8).
    pub(super) async fn reply(&mut self, reply: &str) -> io::Result<()> {
        self.lines.reply(reply).await?;
        if reply.starts_with("421") { self.close().await } else { Ok(()) }
    }

    pub(super) async fn close<T>(&mut self) -> io::Result<T> {
        self.lines.wire.close().await?;
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    pub(super) fn fault(&self, stage: SmtpStage, recipients: &[String]) -> Option<SmtpFault> {
        self.office.desk().smtp(stage, recipients)
    }

    /// Plays the fault of a stage; `Some` is the reply to give instead of the right one.
    pub(super) async fn meet(&mut self, stage: SmtpStage) -> io::Result<Option<String>> {
        let recipients = self.mail.as_ref().map(|mail| mail.to.clone()).unwrap_or_default();
        let fault = self.fault(stage, &recipients);
        self.play(fault).await
    }

    pub(super) async fn play(&mut self, fault: Option<SmtpFault>) -> io::Result<Option<String>> {
        match fault {
            None => Ok(None),
            Some(SmtpFault::Reply(reply)) => Ok(Some(reply)),
            Some(SmtpFault::Close | SmtpFault::CloseStored) => self.close().await,
            Some(SmtpFault::Delay(pause)) => {
                tokio::time::sleep(pause).await;
                Ok(None)
            }
            Some(SmtpFault::Silence) => self.lines.drain().await.map(|()| None),
        }
    }

    async fn greet(&mut self, client: String, extended: bool) -> io::Result<()> {
        if let Some(reply) = self.meet(SmtpStage::Ehlo).await? {
            return self.reply(&reply).await;
        }
        self.client = Some(client.chars().filter(char::is_ascii_graphic).collect());
        self.extended = extended;
        self.mail = None;
        if !extended {
            return self.reply("250 sandbox.invalid").await;
        }
        let mut lines = vec!["250-sandbox.invalid".to_owned()];
        lines.push(format!("250-SIZE {}", self.office.limits.mail_octets));
        if self.offers_tls() {
            lines.push("250-STARTTLS".to_owned());
        }
        for word in ["AUTH PLAIN LOGIN", "8BITMIME", "PIPELINING"] {
            lines.push(format!("250-{word}"));
        }
        lines.push("250 ENHANCEDSTATUSCODES".to_owned());
        self.reply(&lines.join("\r\n")).await
    }

    fn offers_tls(&self) -> bool {
        !self.lines.wire.is_tls() && !self.office.desk().hide_starttls()
    }

    async fn may_start_tls(&mut self) -> io::Result<bool> {
        let refusal = match self.meet(SmtpStage::StartTls).await? {
            Some(reply) => Some(reply),
            None => (!self.offers_tls()).then(|| BAD_SEQUENCE.to_owned()),
        };
        self.reply(refusal.as_deref().unwrap_or("220 2.0.0 Begin TLS now")).await?;
        Ok(refusal.is_none())
    }

    async fn mail(&mut self, from: Option<String>, size: Option<usize>) -> io::Result<()> {
        if self.client.is_none() || self.mail.is_some() {
            return self.reply(BAD_SEQUENCE).await;
        }
        if self.office.smtp_auth_required && !self.authenticated {
            return self.reply("530 5.7.0 Authenticate first").await;
        }
        if let Some(reply) = self.meet(SmtpStage::MailFrom).await? {
            return self.reply(&reply).await;
        }
        if size.is_some_and(|octets| octets > self.office.limits.mail_octets) {
            return self.reply("552 5.3.4 The mail is too big").await;
        }
        self.mail = Some(Transaction { from, to: Vec::new() });
        self.reply("250 2.1.0 OK").await
    }

    async fn rcpt(&mut self, to: String) -> io::Result<()> {
        let Some(mail) = &self.mail else { return self.reply(BAD_SEQUENCE).await };
        if mail.to.len() >= self.office.limits.recipients {
            return self.reply("452 4.5.3 Too many recipients").await;
        }
        let fault = self.fault(SmtpStage::Rcpt, std::slice::from_ref(&to));
        if let Some(reply) = self.play(fault).await? {
            return self.reply(&reply).await;
        }
        let resolved = self.office.mailboxes().resolve(&to);
        let reply = match resolved {
            Ok(_) => {
                if let Some(mail) = &mut self.mail {
                    mail.to.push(to);
                }
                "250 2.1.5 OK"
            }
            Err(DeliverError::UnknownDomain) => "550 5.7.1 Relaying is not done here",
            Err(
                DeliverError::NoAddress
                | DeliverError::TooLarge
                | DeliverError::TooManyMails
                | DeliverError::TooManyMailboxes,
            ) => "501 5.1.3 No mail address",
        };
        self.reply(reply).await
    }
}
