//! Each limit of the reading, from both sides: up to it nothing is said, beyond it a person must look (or the text is cut).

use super::RULES;
use super::mails::{FROM, SUBJECT, TO, form, head, html, mail, utf8};
use annai::reading::findings::{LINES_PER_REASON_MAX, QUOTED_CHARS_MAX, findings, quoted};
use annai::reading::{Reading, Reason, limits, read};

fn reading(raw: &[u8]) -> Reading {
    read(raw, &RULES)
}

/// `make(n)` is read without `reason` up to `limit` and with it beyond.
fn check(limit: usize, reason: Reason, make: impl Fn(usize) -> Vec<u8>) {
    let (at, beyond) = (reading(&make(limit)).reasons, reading(&make(limit + 1)).reasons);
    assert!(!at.contains(&reason), "{limit}: {at:?}");
    assert!(beyond.contains(&reason), "{}: {beyond:?}", limit + 1);
}

fn parts(head: &str, n: usize) -> Vec<u8> {
    let part = format!("--b\r\n{head}\r\n\r\nx\r\n");
    mail(&super::mails::head(SUBJECT), "multipart/mixed; boundary=b", (part.repeat(n) + "--b--").as_bytes())
}

#[test]
fn size() {
    let make = |n: usize| {
        let mut raw = utf8(&form());
        raw.resize(n, b'\n');
        raw
    };
    check(limits::MAIL_BYTES_MAX, Reason::TooLarge, make);
}

#[test]
fn depth() {
    let make = |n: usize| ("Content-Type: message/rfc822\r\n\r\n".repeat(n) + "Subject: x\r\n\r\nx").into_bytes();
    check(limits::DEPTH_MAX, Reason::TooDeep, make);
}

#[test]
fn parts_of_a_mail() {
    // The whole is a part as well.
    check(limits::PARTS_MAX - 1, Reason::OverLimit, |n| parts("Content-Type: application/x; name=a", n));
}

#[test]
fn multiparts() {
    // The whole is a multipart as well.
    let make = |n| parts("Content-Type: multipart/mixed; boundary=z", n);
    check(limits::MULTIPARTS_MAX - 1, Reason::OverLimit, make);
}

#[test]
fn header_fields() {
    let own = 2;
    let make =
        |n: usize| ("Subject: x\r\nFrom: a@x.jp\r\n".to_owned() + &"X: y\r\n".repeat(n - own) + "\r\nx").into_bytes();
    check(limits::FIELDS_MAX, Reason::OverLimit, make);
    // A second sender behind the limit does not go unseen.
    let late = format!("{FROM}{TO}{}From: b@x.jp\r\n\r\n{}", "X: y\r\n".repeat(limits::FIELDS_MAX), form());
    assert!(reading(late.as_bytes()).needs_review());
}

#[test]
fn length_of_texts() {
    let line = "a".repeat(1_023) + "\n";
    let fits = limits::TEXT_BYTES_MAX / line.len();
    let make = |n: usize| mail(&head(SUBJECT), "text/plain; charset=utf-8", line.repeat(n).as_bytes());
    check(fits, Reason::OverLimit, make);
    let half = "a\n".repeat(limits::TEXT_BYTES_MAX / 4 + 10);
    let two =
        |text: &str| super::mails::multipart(&[("Content-Type: text/plain", text), ("Content-Type: text/plain", text)]);
    assert!(reading(&two(&half)).reasons.contains(&Reason::OverLimit), "together they are too long");
}

#[test]
fn lines() {
    let make = |n: usize| utf8(&format!("{}{}", "\n".repeat(n - 1), "港区"));
    check(limits::LINES_MAX, Reason::OverLimit, make);
    check(limits::LINE_BYTES_MAX, Reason::OverLimit, |n| utf8(&(form() + &"a".repeat(n))));
    let blanks = utf8(&(form() + &" ".repeat(limits::LINE_BYTES_MAX * 2) + &"\n".repeat(limits::LINES_MAX * 2)));
    assert!(reading(&blanks).reasons.is_empty(), "blanks are no words");
}

#[test]
fn addresses_of_a_line() {
    let line = |n: usize| (0..n).map(|i| format!("a{i}@x.jp ")).collect::<String>();
    let make = |n: usize| utf8(&form().replace("hoken@city.minato.lg.jp", &line(n)));
    check(limits::ADDRESSES_MAX, Reason::AddressInvalid, make);
}

#[test]
fn texts_of_a_header() {
    let long = "あ".repeat(limits::TEXT_CHARS_MAX + 10);
    let read = reading(format!("Subject: {long}\r\nFrom: {long} <a@x.jp>\r\n\r\nx").as_bytes());
    assert_eq!(read.head.subject.unwrap().chars().count(), limits::TEXT_CHARS_MAX);
    assert_eq!(read.head.from_name.unwrap().chars().count(), limits::TEXT_CHARS_MAX);
    let list = |n: usize| "a@x.jp, ".repeat(n);
    let cc = |n: usize| reading(format!("Cc: {}\r\n\r\nx", list(n)).as_bytes()).head.cc.len();
    assert_eq!(cc(limits::LISTED_ADDRESSES_MAX), limits::LISTED_ADDRESSES_MAX);
    assert_eq!(cc(limits::LISTED_ADDRESSES_MAX + 1), limits::LISTED_ADDRESSES_MAX);
    let late = format!("Cc: {}a@x.jp\r\n\r\nx", " ".repeat(limits::FIELD_BYTES_MAX));
    assert!(reading(late.as_bytes()).head.cc.is_empty());
}

#[test]
fn pieces_of_a_file_name() {
    let pieces = |n: usize| (0..n).map(|i| format!("; filename*{i}*=a")).collect::<String>();
    let make = |n: usize| parts(&format!("Content-Disposition: attachment{}", pieces(n)), 1);
    assert_eq!(reading(&make(limits::PARAMETERS_MAX)).attachments[0].len(), limits::PARAMETERS_MAX);
    assert_eq!(reading(&make(limits::PARAMETERS_MAX + 10)).attachments[0].len(), limits::PARAMETERS_MAX);
}

#[test]
fn veils() {
    let page = |n: usize| html(&format!("{}a@x.jp{}港区", "<s><del>".repeat(n / 2), "</del></s>".repeat(n / 2)));
    assert_eq!(reading(&page(limits::VEILS_MAX)).body.trim(), "港区");
    assert_eq!(reading(&page(limits::VEILS_MAX + 2)).body.trim(), "");
}

/// What staff are shown and the sender is quoted: so many lines a reason, and so much of a line.
#[test]
fn lines_and_letters_quoted() {
    let shown = |lacking: usize| {
        let names = "東西南北中山川海島森林谷橋宮寺城門港浜岡原".chars();
        let centres: String = names.take(lacking).map(|name| format!("{name}町保健所　x@\r\n")).collect();
        let read = reading(&utf8(&form().replace("<保健所>\r\n", &format!("<保健所>\r\n{centres}"))));
        findings(&read, &[Reason::AddressInvalid], &RULES)[0].lines.len()
    };
    assert_eq!(shown(LINES_PER_REASON_MAX), LINES_PER_REASON_MAX);
    assert_eq!(shown(LINES_PER_REASON_MAX + 1), LINES_PER_REASON_MAX);
    let letters = |length: usize| quoted(&reading(&utf8(&"あ".repeat(length))), 1).unwrap().chars().count();
    assert_eq!(letters(QUOTED_CHARS_MAX), QUOTED_CHARS_MAX);
    assert_eq!(letters(QUOTED_CHARS_MAX + 1), QUOTED_CHARS_MAX);
}
