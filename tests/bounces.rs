//! Reports of mail servers: `tests/data/bounces/<family>/<case>.eml`, and beside each in `<case>.txt` what it says: the
//! kind, then a line for each failed recipient: class, address, status or `-`, source. `not-a-bounce` is any mail that
//! people wrote.
//!
//! With `ANNAI_BLESS=1` the `.txt` files are written instead; look at each of them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

use annai::reading::{Kind, Reading, read};
use annai::rules::Rules;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// An address of ours (VERP): the sender of what came back in every sample.
const OURS: &str = "bounce+7.0a1b2c3d@mail.annai.example";

fn rules() -> Rules {
    Rules::embedded().expect("the rules as delivered are in order")
}

fn samples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/bounces");
    let folders = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "eml")).collect();
    files.sort();
    files
}

fn said(reading: &Reading) -> String {
    let word = |value: serde_json::Value| value.as_str().unwrap().to_owned();
    let mut text = word(serde_json::to_value(reading.kind).unwrap()) + "\n";
    for r in &reading.recipients {
        let class = word(serde_json::to_value(r.class).unwrap());
        let status = r.status.as_deref().unwrap_or("-");
        writeln!(text, "{class} {} {status} {}", r.address.as_str(), r.source).unwrap();
    }
    text
}

fn check(path: &Path, rules: &Rules) -> Result<(), String> {
    let reading = read(&std::fs::read(path).unwrap(), rules);
    let found = said(&reading);
    let expected = path.with_extension("txt");
    let negative = std::fs::read_to_string(&expected).is_ok_and(|text| text == "not-a-bounce\n");
    if std::env::var_os("ANNAI_BLESS").is_some() && !negative {
        std::fs::write(&expected, &found).unwrap();
        return Ok(());
    }
    let wanted = std::fs::read_to_string(&expected).map_err(|e| format!("{}: {e}", expected.display()))?;
    let by_people =
        wanted == "not-a-bounce\n" && matches!(reading.kind, Kind::Inquiry | Kind::Other | Kind::NeedsReview);
    let by_people = by_people && reading.recipients.is_empty();
    if by_people || found == wanted {
        Ok(())
    } else {
        Err(format!("{}\nfound  {found}wanted {wanted}", path.display()))
    }
}

#[test]
fn every_family_is_understood() {
    let (rules, samples) = (rules(), samples());
    assert!(samples.len() >= 90, "only {} samples found", samples.len());
    let faults: Vec<_> = samples.iter().filter_map(|path| check(path, &rules).err()).collect();
    assert!(faults.is_empty(), "{} of {}\n{}", faults.len(), samples.len(), faults.join("\n"));
}

/// Line ends of the wire instead of those of a file change nothing.
#[test]
fn line_ends_do_not_matter() {
    let rules = rules();
    for path in samples() {
        let raw = std::fs::read_to_string(&path).unwrap_or_default();
        if raw.is_empty() {
            continue;
        }
        let wire = read(raw.replace('\n', "\r\n").as_bytes(), &rules);
        assert_eq!(said(&wire), said(&read(raw.as_bytes(), &rules)), "{}", path.display());
    }
}

/// Neither the address a report came back to nor the server's own is ever taken for one that failed, unless the returned
/// mail was written to it.
#[test]
fn nobody_else_has_failed() {
    let rules = rules();
    for path in samples() {
        let raw = std::fs::read(&path).unwrap();
        let reading = read(&raw, &rules);
        let raw = String::from_utf8_lossy(&raw);
        let own: Vec<_> = reading.head.from.iter().chain(&reading.head.to).collect();
        for r in &reading.recipients {
            let wrong = r.address.as_str() == OURS
                || r.address.local().eq_ignore_ascii_case("postmaster")
                    && !raw.lines().any(|line| line == format!("To: {}", r.address.as_str()))
                || r.address.local().starts_with("annai.7.")
                || own.iter().any(|own| own.same_mailbox(&r.address));
            assert!(!wrong, "{}: {}", path.display(), r.address.as_str());
        }
    }
}

/// A report that somebody pastes into a mail of their own is that person's mail.
#[test]
fn a_report_passed_on_by_a_person_is_none() {
    let rules = rules();
    let ways = [
        ("Fwd: Undelivered Mail Returned to Sender", "---------- Forwarded message ---------\n"),
        (
            "=?utf-8?B?6YWN5L+h44Gn44GN44Gq44GE5pei?=",
            "-----Original Message-----\nFrom: MAILER-DAEMON@mx.aoba.example\n",
        ),
        ("Undelivered Mail Returned to Sender", "> "),
    ];
    for path in samples() {
        let reading = read(&std::fs::read(&path).unwrap(), &rules);
        if reading.kind != Kind::Bounce {
            continue;
        }
        for (subject, mark) in ways {
            let quoted = if mark == "> " { reading.body.replace('\n', "\n> ") } else { reading.body.clone() };
            let raw = format!(
                "From: Hoken Tanto <tanto@city.aoba.example>\nTo: covid19@bigtreetc.com\nSubject: {subject}\n\
                 Content-Type: text/plain; charset=utf-8\n\n\
                 お世話になっております。以下のメールが届きました。どうすればよいでしょうか。\n\n{mark}{quoted}"
            );
            let passed_on = read(raw.as_bytes(), &rules);
            assert!(passed_on.recipients.is_empty(), "{}: {subject}: {:?}", path.display(), passed_on.kind);
            assert_ne!(passed_on.kind, Kind::Bounce, "{}: {subject}", path.display());
        }
    }
}

/// Twice the size takes about twice the time: reports made of what the patterns look for.
#[test]
fn endless_reports_are_read() {
    let rules = rules();
    for piece in
        ["<a@b.example>: ", "to ", "unknown user ", "550 ", "Final-Recipient: rfc822; a@b.example\n", "\n\n", "-"]
    {
        let body = piece.repeat(1_000_000 / piece.len());
        let head = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.aoba.example\nSubject: Undelivered mail\n";
        for kind in ["text/plain", "message/delivery-status"] {
            let reading = read(format!("{head}Content-Type: {kind}\n\n{body}").as_bytes(), &rules);
            assert!(reading.recipients.len() <= 100 && reading.kind != Kind::Registration);
        }
    }
}
