//! What any program writes about a mail that failed: as plain text and as a report (RFC 3464). It stays a bounce or a
//! delivery notice, and says nothing that acts on whoever reads it.
#![no_main]

use annai::reading::{Kind, read};
use annai::rules::Rules;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::embedded().expect("the rules as delivered are in order"));

const HEAD: &str = "From: MAILER-DAEMON@mx.example.jp\r\nReturn-Path: <>\r\nSubject: Undelivered Mail Returned to Sender\r\n";

fn check(mail: &[u8]) {
    let reading = read(mail, &RULES);
    assert!(matches!(reading.kind, Kind::Bounce | Kind::Delivered), "{:?}", reading.kind);
    assert!(reading.centres.is_empty() && reading.authority.is_none());
    for recipient in &reading.recipients {
        for text in recipient.status.iter().chain(&recipient.reason) {
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
    }
}

fuzz_target!(|report: &[u8]| {
    check(&[HEAD.as_bytes(), b"\r\n", report].concat());
    let frame = "Content-Type: multipart/report; report-type=delivery-status; boundary=\"=_b_=\"\r\n\r\n\
                 --=_b_=\r\nContent-Type: message/delivery-status\r\n\r\n";
    // A boundary in the report would let it write parts of its own.
    if !report.windows(5).any(|w| w == b"=_b_=") {
        check(&[HEAD.as_bytes(), frame.as_bytes(), report, b"\r\n--=_b_=--\r\n"].concat());
    }
});
