//! DATA: the text of a mail, its final dot, and what may go wrong between the two.

use super::delivery::{Passage, Transaction, deliver};
use super::lines::Line;
use super::session::Session;
use crate::sandbox::{DeliverError, SmtpFault, SmtpStage};
use std::io;

impl Session {
    pub(super) async fn data(&mut self) -> io::Result<()> {
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
