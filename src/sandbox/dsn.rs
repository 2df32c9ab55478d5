//! Mails the post office writes itself: delivery reports (RFC 3464) and out-of-office answers (RFC 3834), in the shapes
//! that come back in real life. All lines end in CRLF, lines stay below 998 octets as long as the original's do.

use super::faults::{Answer, BounceStyle};
use super::headers;
use crate::domain::Timestamp;
use std::fmt::Write as _;

const HOST: &str = "mx.sandbox.invalid";
const BOUNDARY: &str = "annai-sandbox-report";
/// 自動応答 in RFC 2047.
const SUBJECT_OUT_OF_OFFICE: &str = "=?UTF-8?B?6Ieq5YuV5b+c562U?=";
/// 配送できませんでした in RFC 2047, ISO-2022-JP.
const SUBJECT_JAPANESE: &str = "=?ISO-2022-JP?B?GyRCR1tBdyRHJC0kXiQ7JHMkRyQ3JD8bKEI=?=";

/// A mail that was accepted and now causes an answer.
pub(super) struct Cause<'a> {
    /// Who sent it, and gets the answer.
    pub(super) sender: &'a str,
    pub(super) recipient: &'a str,
    pub(super) raw: &'a [u8],
    pub(super) at: Timestamp,
    /// Makes the Message-ID unique.
    pub(super) serial: u64,
}

/// The octets of the answer, without trace fields.
pub(super) fn compose(answer: &Answer, cause: &Cause<'_>) -> Vec<u8> {
    match answer {
        Answer::Bounce { style: BounceStyle::Report, status, diagnostic } => {
            report(cause, "failed", status, diagnostic)
        }
        Answer::Delayed { status, diagnostic } => report(cause, "delayed", status, diagnostic),
        Answer::Bounce { style: BounceStyle::PlainEnglish, status: _, diagnostic } => plain_english(cause, diagnostic),
        Answer::Bounce { style: BounceStyle::PlainJapanese, status: _, diagnostic } => {
            plain_japanese(cause, diagnostic)
        }
        Answer::OutOfOffice { text } => out_of_office(cause, text),
    }
}

/// Header fields every answer of the mail system has, up to its own Content-Type.
fn system_header(cause: &Cause<'_>, subject: &str) -> String {
    let Cause { sender, at, serial, .. } = cause;
    format!(
        "From: Mail Delivery System <MAILER-DAEMON@{HOST}>\r\n\
         To: {sender}\r\n\
         Subject: {subject}\r\n\
         Date: {}\r\n\
         Message-ID: <{serial}.report@{HOST}>\r\n\
         Auto-Submitted: auto-replied\r\n\
         MIME-Version: 1.0\r\n",
        at.rfc5322()
    )
}

fn report(cause: &Cause<'_>, action: &str, status: &str, diagnostic: &str) -> Vec<u8> {
    let Cause { recipient, raw, at, .. } = cause;
    let subject =
        if action == "delayed" { "Delayed Mail (still being retried)" } else { "Undelivered Mail Returned to Sender" };
    let mut mail = system_header(cause, subject);
    let date = at.rfc5322();
    let _ = write!(
        mail,
        "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{BOUNDARY}\"\r\n\
         \r\n\
         This is a MIME-encapsulated message.\r\n\
         \r\n\
         --{BOUNDARY}\r\n\
         Content-Description: Notification\r\n\
         Content-Type: text/plain; charset=us-ascii\r\n\
         \r\n\
         This is the mail system at host {HOST}.\r\n\
         \r\n\
         <{recipient}>: {diagnostic}\r\n\
         \r\n\
         --{BOUNDARY}\r\n\
         Content-Description: Delivery report\r\n\
         Content-Type: message/delivery-status\r\n\
         \r\n\
         Reporting-MTA: dns; {HOST}\r\n\
         Arrival-Date: {date}\r\n\
         \r\n\
         Final-Recipient: rfc822; {recipient}\r\n\
         Original-Recipient: rfc822;{recipient}\r\n\
         Action: {action}\r\n\
         Status: {status}\r\n\
         Diagnostic-Code: smtp; {diagnostic}\r\n\
         \r\n\
         --{BOUNDARY}\r\n\
         Content-Description: Undelivered Message Headers\r\n\
         Content-Type: text/rfc822-headers\r\n\
         \r\n"
    );
    let mut mail = mail.into_bytes();
    mail.extend(headers::fields(raw).into_iter().flatten());
    mail.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    mail
}

fn plain_english(cause: &Cause<'_>, diagnostic: &str) -> Vec<u8> {
    let mut mail = system_header(cause, "Undelivered Mail Returned to Sender");
    let _ = write!(
        mail,
        "Content-Type: text/plain; charset=us-ascii\r\n\
         \r\n\
         This is the mail system at host {HOST}.\r\n\
         \r\n\
         Your message could not be delivered to one or more recipients.\r\n\
         It is attached below.\r\n\
         \r\n\
         <{}>: host {HOST}[192.0.2.25] said: {diagnostic} (in reply to\r\n\
         \x20   RCPT TO command)\r\n",
        cause.recipient
    );
    with_original(mail.into_bytes(), cause)
}

fn plain_japanese(cause: &Cause<'_>, diagnostic: &str) -> Vec<u8> {
    let mut mail = system_header(cause, SUBJECT_JAPANESE);
    let _ = write!(
        mail,
        "Content-Type: text/plain; charset=ISO-2022-JP\r\n\
         Content-Transfer-Encoding: 7bit\r\n\
         \r\n\
         これはメールサーバーからの自動通知です。\r\n\
         \r\n\
         次の宛先にメールを配送できませんでした。\r\n\
         宛先をご確認ください。\r\n\
         \r\n\
         <{}>: {diagnostic}\r\n",
        cause.recipient
    );
    let (octets, _, _) = encoding_rs::ISO_2022_JP.encode(&mail);
    with_original(octets.into_owned(), cause)
}

fn with_original(mut mail: Vec<u8>, cause: &Cause<'_>) -> Vec<u8> {
    mail.extend_from_slice(b"\r\n--- Original message headers ---\r\n\r\n");
    mail.extend(headers::fields(cause.raw).into_iter().flatten());
    mail
}

fn out_of_office(cause: &Cause<'_>, text: &str) -> Vec<u8> {
    let Cause { sender, recipient, raw, at, serial } = cause;
    let quoted = |name| headers::value(raw, name).map(|value| String::from_utf8_lossy(&value).into_owned());
    let subject = quoted("Subject").unwrap_or_default();
    let reference = quoted("Message-ID").map(|id| format!("In-Reply-To: {id}\r\nReferences: {id}\r\n"));
    let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    format!(
        "From: <{recipient}>\r\n\
         To: <{sender}>\r\n\
         Subject: {SUBJECT_OUT_OF_OFFICE}: {subject}\r\n\
         Date: {}\r\n\
         Message-ID: <{serial}.away@{HOST}>\r\n\
         {}\
         Auto-Submitted: auto-replied\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=UTF-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\
         \r\n\
         {text}\r\n",
        at.rfc5322(),
        reference.unwrap_or_default()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &[u8] = b"Message-ID: <letter-7@example.jp>\r\nSubject: Notice\r\n\r\nsecret text\r\n";

    fn check(answer: &Answer, expected: &[&str]) {
        let sender = "bounce+7@example.jp";
        let at = Timestamp::from_unix(1_588_291_200);
        let cause = Cause { sender, recipient: "hoken@city.example.jp", raw: RAW, at, serial: 3 };
        let mail = compose(answer, &cause);
        let text = String::from_utf8_lossy(&mail).into_owned();
        for piece in expected {
            assert!(text.contains(piece), "{piece} is missing in {text}");
        }
        assert!(!text.contains("secret text"), "only the header is returned");
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "bare line feed");
    }

    #[test]
    fn answers_have_what_a_reader_looks_for() {
        let (status, diagnostic) = ("5.1.1".to_owned(), "550 5.1.1 User unknown".to_owned());
        let bounce = |style| Answer::Bounce { style, status: status.clone(), diagnostic: diagnostic.clone() };
        let original = "<letter-7@example.jp>";
        check(
            &bounce(BounceStyle::Report),
            &[
                "report-type=delivery-status",
                "Action: failed\r\nStatus: 5.1.1",
                "Final-Recipient: rfc822; hoken@",
                original,
            ],
        );
        check(
            &bounce(BounceStyle::PlainEnglish),
            &["<hoken@city.example.jp>: host", "550 5.1.1 User unknown", original],
        );
        // 次の宛先, as JIS.
        check(&bounce(BounceStyle::PlainJapanese), &["\x1b$B<!$N08@h", "<hoken@city.example.jp>: 550", original]);
        check(&Answer::Delayed { status: "4.4.1".to_owned(), diagnostic: "451 busy".to_owned() }, &["Action: delayed"]);
        check(
            &Answer::OutOfOffice { text: "本日は不在です。\nまた後日".to_owned() },
            &["Auto-Submitted: auto-replied", "In-Reply-To: <letter-7@example.jp>", "本日は不在です。\r\nまた"],
        );
    }
}
