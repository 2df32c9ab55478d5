//! An accepted mail on its way: trace fields, mailbox, and what comes back to its sender.

use crate::domain::Timestamp;
use crate::sandbox::dsn::{Cause, compose};
use crate::sandbox::faults::Answer;
use crate::sandbox::mailbox::Envelope;
use crate::sandbox::server::Errand;
use crate::sandbox::{DeliverError, Office};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A mail between MAIL and its final dot.
pub(super) struct Transaction {
    /// `None` is the empty sender.
    pub(super) from: Option<String>,
    pub(super) to: Vec<String>,
}

/// How the mail came in, for its Received field.
pub(super) struct Passage<'a> {
    /// What the client called itself.
    pub(super) client: &'a str,
    /// `ESMTP`, `ESMTPS`, `ESMTPA`, `ESMTPSA` or `SMTP` (RFC 3848).
    pub(super) protocol: &'static str,
}

/// Delivers to every recipient, or bounces. The first failure is the answer for all.
pub(super) fn deliver(
    office: &Office,
    mail: &Transaction,
    passage: &Passage<'_>,
    raw: &[u8],
) -> Result<(), DeliverError> {
    for to in &mail.to {
        let at = (office.now)();
        let answer = mail.from.as_ref().and_then(|sender| Some((sender, office.desk().answer(to)?)));
        if let Some((sender, (answer, after))) = &answer {
            let serial = office.serial.fetch_add(1, Ordering::Relaxed);
            let cause = Cause { sender, recipient: to, raw, at, serial };
            send_back(office, sender, &compose(answer, &cause), at, *after)?;
        }
        if !matches!(answer, Some((_, (Answer::Bounce { .. }, _)))) {
            let envelope = Envelope { from: mail.from.clone(), to: to.clone(), at };
            let received = format!(
                "Received: from {} (localhost [127.0.0.1])\r\n\tby sandbox.invalid with {}\r\n\tfor <{to}>; {}\r\n",
                passage.client,
                passage.protocol,
                at.rfc5322()
            );
            office.deliver(envelope, stamped(mail.from.as_deref(), to, &received, raw))?;
        }
    }
    Ok(())
}

/// Puts an answer on its way to the sender of the mail that caused it; a sender elsewhere gets none.
fn send_back(office: &Office, to: &str, mail: &[u8], at: Timestamp, after: Duration) -> Result<(), DeliverError> {
    if office.mailboxes().resolve(to).is_err() {
        return Ok(());
    }
    let envelope = Envelope { from: None, to: to.to_owned(), at };
    let received = format!("Received: by mx.sandbox.invalid\r\n\tfor <{to}>; {}\r\n", at.rfc5322());
    let raw = stamped(None, to, &received, mail);
    if after.is_zero() {
        return office.deliver(envelope, raw);
    }
    office.errands.try_send(Errand { after, envelope, raw }).map_err(|_| DeliverError::TooManyMails)
}

/// The mail with the fields final delivery adds (RFC 5321 §4.4).
fn stamped(from: Option<&str>, to: &str, received: &str, raw: &[u8]) -> Arc<[u8]> {
    let mut stamped = format!("Return-Path: <{}>\r\nDelivered-To: {to}\r\n{received}", from.unwrap_or("")).into_bytes();
    stamped.extend_from_slice(raw);
    Arc::from(stamped)
}
