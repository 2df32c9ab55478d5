//! One SMTP session.
//!
//! Limits: a command line [`COMMAND_OCTETS_MAX`]; mail size, line length and recipients as in `Limits`.

use super::command::{Command, parse};
use super::delivery::{Passage, Transaction, deliver};
use super::lines::{Line, Lines};
use crate::sandbox::wire::Wire;
use crate::sandbox::{DeliverError, Office, SmtpFault, SmtpStage};
use imap_codec::AuthenticateDataCodec;
use imap_codec::decode::Decoder;
use imap_codec::imap_types::auth::AuthenticateData;
use std::io;
use std::sync::Arc;

/// Octets of one command line; AUTH needs the most (RFC 4954 §4).
const COMMAND_OCTETS_MAX: usize = 12_288;
/// `Username:` and `Password:` in Base64, as AUTH LOGIN asks.
const USERNAME: &str = "334 VXNlcm5hbWU6";
const PASSWORD: &str = "334 UGFzc3dvcmQ6";
const BAD_SEQUENCE: &str = "503 5.5.1 Not now";

pub(super) struct Session {
    office: Arc<Office>,
    lines: Lines,
    client: Option<String>,
    extended: bool,
    authenticated: bool,
    mail: Option<Transaction>,
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
    async fn reply(&mut self, reply: &str) -> io::Result<()> {
        self.lines.reply(reply).await?;
        if reply.starts_with("421") { self.close().await } else { Ok(()) }
    }

    async fn close<T>(&mut self) -> io::Result<T> {
        self.lines.wire.close().await?;
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    fn fault(&self, stage: SmtpStage, recipients: &[String]) -> Option<SmtpFault> {
        self.office.desk().smtp(stage, recipients)
    }

    /// Plays the fault of a stage; `Some` is the reply to give instead of the right one.
    async fn meet(&mut self, stage: SmtpStage) -> io::Result<Option<String>> {
        let recipients = self.mail.as_ref().map(|mail| mail.to.clone()).unwrap_or_default();
        let fault = self.fault(stage, &recipients);
        self.play(fault).await
    }

    async fn play(&mut self, fault: Option<SmtpFault>) -> io::Result<Option<String>> {
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

    async fn authenticate(&mut self, mechanism: &str, initial: Option<String>) -> io::Result<String> {
        if let Some(reply) = self.meet(SmtpStage::Auth).await? {
            return Ok(reply);
        }
        if self.authenticated || self.mail.is_some() || !self.extended {
            return Ok(BAD_SEQUENCE.to_owned());
        }
        let first = initial.map(|word| if word == "=" { Vec::new() } else { word.into_bytes() });
        let password = match mechanism {
            "PLAIN" => {
                let response = self.response("334 ", first).await?;
                crate::sandbox::imap::plain(&response.unwrap_or_default()).map(|(_, password)| password.to_vec())
            }
            "LOGIN" => {
                let _user = self.response(USERNAME, first).await?;
                self.response(PASSWORD, None).await?
            }
            _ => return Ok("504 5.5.4 PLAIN and LOGIN are offered".to_owned()),
        };
        self.authenticated = password.is_some_and(|password| self.office.knows(&password));
        let reply = if self.authenticated { "235 2.7.0 Welcome" } else { "535 5.7.8 Wrong user name or password" };
        Ok(reply.to_owned())
    }

    /// The client's response to a challenge (or the one it gave at once), out of its Base64; `None` if it is none.
    async fn response(&mut self, challenge: &str, given: Option<Vec<u8>>) -> io::Result<Option<Vec<u8>>> {
        let mut line = if let Some(line) = given {
            line
        } else {
            self.reply(challenge).await?;
            match self.lines.next(COMMAND_OCTETS_MAX).await? {
                Line::Whole(line) => line,
                Line::TooLong => return Ok(None),
            }
        };
        line.extend_from_slice(b"\r\n");
        // The same line as in IMAP's AUTHENTICATE, so the same reader.
        Ok(match AuthenticateDataCodec::default().decode(&line) {
            Ok((_, AuthenticateData::Continue(response))) => Some(response.declassify().to_vec()),
            Ok((_, AuthenticateData::Cancel)) | Err(_) => None,
        })
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

    async fn data(&mut self) -> io::Result<()> {
        if self.mail.as_ref().is_none_or(|mail| mail.to.is_empty()) {
            return self.reply("503 5.5.1 Name a recipient first").await;
        }
        if let Some(reply) = self.meet(SmtpStage::Data).await? {
            self.mail = None;
            return self.reply(&reply).await;
        }
        self.reply("354 End with a dot on a line of its own").await?;
        let text = self.text().await?;
        let recipients = self.mail.as_ref().map(|mail| mail.to.clone()).unwrap_or_default();
        let fault = self.fault(SmtpStage::FinalDot, &recipients);
        let Some(mail) = self.mail.take() else { return Ok(()) };
        let store = |text: Result<Vec<u8>, &'static str>| text.and_then(|raw| self.store(&mail, &raw));
        match fault {
            Some(SmtpFault::CloseStored) => {
                let _cut_either_way = store(text);
                self.close().await
            }
            Some(SmtpFault::Delay(pause)) => {
                let stored = store(text);
                tokio::time::sleep(pause).await;
                self.reply(stored.err().unwrap_or("250 2.0.0 Stored")).await
            }
            Some(SmtpFault::Reply(_) | SmtpFault::Close | SmtpFault::Silence) => {
                let reply = self.play(fault).await?.unwrap_or_default();
                self.reply(&reply).await
            }
            None => {
                let stored = store(text);
                self.reply(stored.err().unwrap_or("250 2.0.0 Stored")).await
            }
        }
    }

    /// Reads the text up to its final dot, without the dots that were stuffed in (RFC 5321 §4.5.2). `Err` is the reply to a
    /// text that breaks a limit.
    async fn text(&mut self) -> io::Result<Result<Vec<u8>, &'static str>> {
        let limits = self.office.limits;
        let mut text = Ok(Vec::new());
        let mut first = true;
        loop {
            // One octet more: the dot that was stuffed in.
            let line = match self.lines.next(limits.line_octets + 1).await? {
                Line::Whole(line) if line == b"." => return Ok(text),
                Line::Whole(line) => line.strip_prefix(b".").unwrap_or(&line).to_vec(),
                Line::TooLong => {
                    text = Err("554 5.6.0 A line of the mail is too long");
                    continue;
                }
            };
            if std::mem::take(&mut first)
                && let Some(reply) = self.meet(SmtpStage::Body).await?
            {
                self.reply(&reply).await?;
                return self.close().await;
            }
            let Ok(so_far) = &mut text else { continue };
            if line.len() > limits.line_octets {
                text = Err("554 5.6.0 A line of the mail is too long");
            } else if so_far.len() + line.len() + 2 > limits.mail_octets {
                text = Err("552 5.3.4 The mail is too big");
            } else {
                so_far.extend_from_slice(&line);
                so_far.extend_from_slice(b"\r\n");
            }
        }
    }

    fn store(&self, mail: &Transaction, raw: &[u8]) -> Result<(), &'static str> {
        let protocol = match (self.extended, self.lines.wire.is_tls(), self.authenticated) {
            (false, _, _) => "SMTP",
            (true, false, false) => "ESMTP",
            (true, true, false) => "ESMTPS",
            (true, false, true) => "ESMTPA",
            (true, true, true) => "ESMTPSA",
        };
        let passage = Passage { client: self.client.as_deref().unwrap_or("unknown"), protocol };
        deliver(&self.office, mail, &passage, raw).map_err(|error| match error {
            DeliverError::TooLarge => "552 5.3.4 The mail is too big",
            DeliverError::TooManyMails | DeliverError::TooManyMailboxes => "452 4.3.1 No room",
            DeliverError::NoAddress | DeliverError::UnknownDomain => "550 5.1.1 No such mailbox",
        })
    }
}
