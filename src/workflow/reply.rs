//! What an SMTP server answered, and whose business the answer is (RFC 5321 §4.2, RFC 3463). Values only: the bytes are
//! read in `dispatch`.
//!
//! Limits: 500 characters of a reply's text are kept. The text may repeat an address, so `Debug` leaves it out.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest text kept of a reply, in characters.
pub const REPLY_CHARS_MAX: usize = 500;

/// One reply of an SMTP server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Three digits, RFC 5321 §4.2.1.
    pub code: u16,
    /// Enhanced status code `5.1.1` (RFC 3463), if there is one and its class agrees with `code` (RFC 2034 §4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enhanced: Option<String>,
    /// One line without control characters, without the two codes.
    pub text: String,
}

/// The step of a transaction that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Greeting, EHLO, STARTTLS, AUTH.
    Connect,
    Mail,
    Rcpt,
    /// DATA or the final dot.
    Data,
}

/// What became of one attempt to hand over one letter for one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// 250 after the final dot: the server has taken over (RFC 5321 §4.2.5).
    Relayed { reply: Reply },
    /// 4xx: not now.
    Deferred { stage: Stage, reply: Reply },
    /// 5xx: not like this.
    Refused { stage: Stage, reply: Reply },
    /// No connection, or lost before the final dot: surely not delivered (RFC 5321 §4.1.1.4).
    NotSent { why: String },
    /// Lost or silent after the final dot: the letter may have been taken over or not (RFC 1047).
    Unknown { why: String },
}

/// Whom a negative reply is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// This address takes no mail (or not now).
    Recipient,
    /// This letter is not wanted: size, content, policy. Another letter may pass.
    Letter,
    /// We are not wanted, or spoke wrongly: every letter would get this reply.
    Sender,
}

impl Reply {
    /// Takes a reply apart. `text`: all lines of the reply joined with blanks, without the three digits.
    pub fn new(code: u16, text: &str) -> Self {
        let (enhanced, rest) = match text.split_once(' ').unwrap_or((text, "")) {
            (word, rest) if is_enhanced(word, code) => (Some(word.to_owned()), rest),
            _ => (None, text),
        };
        let visible: String = rest.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let words: Vec<&str> = visible.split_whitespace().collect();
        Self { code, enhanced, text: words.join(" ").chars().take(REPLY_CHARS_MAX).collect() }
    }

    /// Whom this negative reply is about. The enhanced code decides where there is one, because 550 alone may mean
    /// "no such mailbox" as well as "not from you" (RFC 5321 §4.2.3); without one the step and the digits decide:
    ///
    /// | reply | about |
    /// |---|---|
    /// | 421 anywhere (server closes, §3.8), all at Connect and Mail but a size limit | Sender |
    /// | X.1.7, X.1.8 (sender's address), X.3.x (system), X.5.x (protocol) | Sender |
    /// | X.7.x at Rcpt: relaying denied, blocked, authentication wanted; at Data: content policy | Sender; Letter |
    /// | X.1.x, X.2.x, and X.4.x (no route to it) at Rcpt and Data | Recipient |
    /// | X.3.4, X.2.3 (too big for system, mailbox), X.6.x (content) | Letter |
    /// | no enhanced code, Rcpt: 500, 502–504, 530, 535, 538, 454 (§4.2.2, RFC 4954 §6) | Sender |
    /// | no enhanced code, Rcpt: all others (450 451 452 501 550 551 552 553 554) | Recipient |
    /// | no enhanced code, Data | Letter |
    pub fn about(&self, stage: Stage) -> About {
        if self.code == 421 {
            return About::Sender;
        }
        let (subject, detail) = self.subject_and_detail().unwrap_or(("", ""));
        let at_hand_over = matches!(stage, Stage::Rcpt | Stage::Data);
        match (subject, detail) {
            ("3", "4") | ("2", "3") => About::Letter,
            (..) if !at_hand_over => About::Sender,
            ("1", "7" | "8") | ("3" | "5", _) => About::Sender,
            ("1" | "2" | "4", _) => About::Recipient,
            ("6", _) => About::Letter,
            ("7", _) if stage == Stage::Rcpt => About::Sender,
            (..) if stage == Stage::Data => About::Letter,
            (..) => match self.code {
                500 | 502..=504 | 530 | 535 | 538 | 454 => About::Sender,
                0..=u16::MAX => About::Recipient,
            },
        }
    }

    fn subject_and_detail(&self) -> Option<(&str, &str)> {
        self.enhanced.as_deref()?.split_once('.')?.1.split_once('.')
    }
}

/// `4.2.2` under a 4xx: class agrees with the first digit, subject and detail have one to three digits.
fn is_enhanced(word: &str, code: u16) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    parts.len() == 3
        && parts.iter().all(number)
        && parts.first().is_some_and(|class| *class == (code / 100).to_string())
}

/// `550 5.1.1 User unknown`: for staff. May hold an address; logs take `Debug`.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = &self.enhanced {
            write!(f, " {enhanced}")?;
        }
        if self.text.is_empty() { Ok(()) } else { write!(f, " {}", self.text) }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.enhanced.as_deref().unwrap_or("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, stage: Stage, enhanced: Option<&str>, about: About) {
        let (code, text) = line.split_once(' ').unwrap_or((line, ""));
        let reply = Reply::new(code.parse().unwrap(), text);
        assert_eq!(reply.enhanced.as_deref(), enhanced, "{line}");
        assert_eq!(reply.about(stage), about, "{line} at {stage:?}");
        assert_eq!(reply.to_string(), line);
    }

    #[test]
    fn whose_business_a_reply_is() {
        use {About::*, Stage::*};
        check("550 5.1.1 User unknown", Rcpt, Some("5.1.1"), Recipient);
        check("550 User unknown", Rcpt, None, Recipient);
        check("553 mailbox name not allowed", Rcpt, None, Recipient);
        check("501 5.1.3 Bad recipient address syntax", Rcpt, Some("5.1.3"), Recipient);
        check("450 4.2.1 greylisted", Rcpt, Some("4.2.1"), Recipient);
        check("452 4.2.2 over quota", Rcpt, Some("4.2.2"), Recipient);
        check("450 4.4.1 no route", Rcpt, Some("4.4.1"), Recipient);
        check("554 5.7.1 Relay access denied", Rcpt, Some("5.7.1"), Sender);
        check("530 Authentication required", Rcpt, None, Sender);
        check("503 5.5.1 need MAIL", Rcpt, Some("5.5.1"), Sender);
        check("451 4.3.0 try later", Rcpt, Some("4.3.0"), Sender);
        check("550 5.1.8 sender's domain unknown", Rcpt, Some("5.1.8"), Sender);
        check("421 4.2.1 closing", Data, Some("4.2.1"), Sender);
        check("550 5.1.1 sender refused", Mail, Some("5.1.1"), Sender);
        check("552 5.3.4 too big", Mail, Some("5.3.4"), Letter);
        check("554 5.7.1 spam", Data, Some("5.7.1"), Letter);
        check("554 no", Data, None, Letter);
        check("550 5.6.1 media not supported", Data, Some("5.6.1"), Letter);
        check("552 5.2.2 over quota", Data, Some("5.2.2"), Recipient);
        check("554 no service for you", Connect, None, Sender);
        check("550", Rcpt, None, Recipient);
    }

    #[test]
    fn a_code_of_another_class_is_text() {
        check("450 5.1.1 odd", Stage::Rcpt, None, About::Recipient);
        check("550 5.1 odd", Stage::Rcpt, None, About::Recipient);
        check("550 5.1.1.1 odd", Stage::Rcpt, None, About::Recipient);
    }

    #[test]
    fn text_is_one_clean_line_and_debug_is_silent() {
        let reply = Reply::new(550, &format!("5.1.1 <a@b.jp>:\r\n\u{1b}[2J  no{}", "x".repeat(900)));
        assert!(reply.text.starts_with("<a@b.jp>: [2J nox"), "{}", reply.text);
        assert_eq!(reply.text.chars().count(), REPLY_CHARS_MAX);
        assert_eq!(format!("{reply:?}"), "550 5.1.1");
    }
}
