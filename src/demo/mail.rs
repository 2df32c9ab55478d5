//! The story's mails as bytes: RFC 5322 with RFC 2047 headers in the character set the sender's program used.

use super::story::{Charset, Content, Story, StoryMail};
use crate::domain::{MailAddress, Timestamp};
use encoding_rs::{ISO_2022_JP, SHIFT_JIS};
use std::fmt::Write as _;

/// Characters in one encoded word: three octets each, written with three characters, stay below the 75 of RFC 2047 §2.
const WORD_CHARS: usize = 5;

/// Who gets the mail, as its header says.
pub(super) struct Addressees<'a> {
    pub(super) to: &'a MailAddress,
    pub(super) cc: &'a MailAddress,
}

/// The bytes of a mail; `None` if it repeats one that is not there.
pub(super) fn bytes(story: &Story, mail: &StoryMail, to: &Addressees<'_>) -> Option<Vec<u8>> {
    match &mail.content {
        Content::Again { again } => {
            let original = story.mail.iter().find(|m| m.id == *again && m.id != mail.id)?;
            match &original.content {
                Content::Again { .. } => None,
                Content::Written { .. } => bytes(story, original, to),
            }
        }
        Content::Written { from, name, charset, subject, body } => {
            let head = head(&mail.id, mail.at, from, name, *charset, subject, to);
            let body = body.replace("\r\n", "\n").replace('\n', "\r\n");
            Some([head.into_bytes(), octets(*charset, &body)].concat())
        }
    }
}

fn head(
    id: &str,
    at: Timestamp,
    from: &MailAddress,
    name: &str,
    charset: Charset,
    subject: &str,
    to: &Addressees<'_>,
) -> String {
    let (label, transfer) = match charset {
        Charset::Utf8 => ("UTF-8", "8bit"),
        Charset::Iso2022Jp => ("ISO-2022-JP", "7bit"),
        Charset::ShiftJis => ("Shift_JIS", "8bit"),
    };
    format!(
        "From: {} <{}>\r\nTo: {}\r\nCc: {}\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{id}.{}@{}>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset={label}\r\nContent-Transfer-Encoding: {transfer}\r\n\r\n",
        words(charset, label, name),
        from.as_str(),
        to.to.as_str(),
        to.cc.as_str(),
        words(charset, label, subject),
        at.rfc5322(),
        at.unix(),
        from.domain(),
    )
}

/// RFC 2047 §4.2, Q encoding, folded.
fn words(charset: Charset, label: &str, text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let word = |chunk: &[char]| {
        let text: String = chunk.iter().collect();
        let mut word = format!("=?{label}?Q?");
        for octet in octets(charset, &text) {
            let _ = write!(word, "={octet:02X}");
        }
        word + "?="
    };
    chars.chunks(WORD_CHARS).map(word).collect::<Vec<_>>().join("\r\n ")
}

fn octets(charset: Charset, text: &str) -> Vec<u8> {
    match charset {
        Charset::Utf8 => text.as_bytes().to_vec(),
        Charset::Iso2022Jp => ISO_2022_JP.encode(text).0.into_owned(),
        Charset::ShiftJis => SHIFT_JIS.encode(text).0.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading;
    use crate::rules::{RuleFiles, Rules};

    #[test]
    fn every_mail_reads_as_it_was_written() {
        let rules = Rules::parse(&RuleFiles::embedded()).unwrap();
        let story = Story::load().unwrap();
        let to = "covid19@bigtreetc.com".parse().unwrap();
        let cc = "follow-up@mhlw.go.jp".parse().unwrap();
        for mail in &story.mail {
            let raw = bytes(&story, mail, &Addressees { to: &to, cc: &cc }).unwrap();
            let reading = reading::read_safely(&raw, &rules);
            if let Content::Written { from, subject, body, .. } = &mail.content {
                assert_eq!(reading.head.from.as_ref(), Some(from), "{}", mail.id);
                assert_eq!(reading.head.subject.as_deref(), Some(subject.as_str()), "{}", mail.id);
                assert_eq!(reading.body.trim_end(), body.trim_end(), "{}", mail.id);
            }
        }
    }
}
