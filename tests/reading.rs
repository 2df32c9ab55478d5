//! Layer 1 `reading` at its boundary: raw mails in `tests/data/reading/<name>.eml`, what they say in `<name>.json`.
//!
//! With `ANNAI_CORPUS=<dir>` the test `corpus` reads every `<dir>/*.eml` and writes one JSON line each to the file named by
//! `ANNAI_CORPUS_OUT`, for scoring outside; without it the test has nothing to do and says so.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

#[path = "support/dice.rs"]
mod dice;
#[path = "reading/remarks.rs"]
mod remarks;

use annai::reading::{Reason, read};
use annai::rules::Rules;
use dice::{Dice, seed};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn rules() -> Rules {
    Rules::embedded().expect("the rules as delivered are in order")
}

fn mails(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap_or_else(|e| panic!("{}: {e}", dir.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "eml"))
        .collect();
    files.sort();
    files
}

#[test]
fn corpus() {
    let Ok(dir) = std::env::var("ANNAI_CORPUS") else {
        println!("ANNAI_CORPUS is not set: nothing to read");
        return;
    };
    let out = std::env::var("ANNAI_CORPUS_OUT").expect("ANNAI_CORPUS_OUT names the file to write");
    let rules = rules();
    let mut lines = String::new();
    for path in mails(Path::new(&dir)) {
        let reading = read(&std::fs::read(&path).unwrap(), &rules);
        writeln!(lines, "{}", reading.to_json(&path.display().to_string())).unwrap();
    }
    std::fs::write(out, lines).unwrap();
}

/// Compares one mail with what its `.json` says; with `ANNAI_BLESS=1` writes the `.json` instead.
fn check(path: &Path, rules: &Rules) -> Result<(), String> {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let reading = read(&std::fs::read(path).unwrap(), rules);
    let mut found = reading.to_json(&format!("{name}.eml"));
    let members = found.as_object_mut().unwrap();
    members.remove("body");
    if !name.starts_with("evidence") {
        members.remove("source");
        members.remove("evidence");
    }
    members.insert("machine_sign".into(), reading.head.machine_sign.clone().into());
    members.insert("failed_message_id".into(), reading.failed_message_id.clone().into());
    let expected = path.with_extension("json");
    if std::env::var_os("ANNAI_BLESS").is_some() {
        std::fs::write(&expected, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
        return Ok(());
    }
    let text = std::fs::read_to_string(&expected).map_err(|e| format!("{}: {e}", expected.display()))?;
    let wanted: serde_json::Value = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", expected.display()))?;
    if found == wanted { Ok(()) } else { Err(format!("{name}\n  found  {found}\n  wanted {wanted}")) }
}

#[test]
fn mails_say_what_they_say() {
    let rules = rules();
    let files = mails(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reading"));
    assert!(files.len() >= 25, "only {} mails found", files.len());
    let faults: Vec<String> = files.iter().filter_map(|path| check(path, &rules).err()).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_nest_of_mails_is_refused_not_followed() {
    let mut raw = "Content-Type: message/rfc822\r\n\r\n".repeat(40_000);
    raw.push_str("Subject: in\r\n\r\ntext\r\n");
    let reading = read(raw.as_bytes(), &rules());
    assert!(reading.reasons.contains(&Reason::TooDeep) && reading.needs_review(), "{:?}", reading.reasons);
}

#[test]
fn a_mail_too_large_is_not_read() {
    let raw = vec![b'a'; annai::reading::mime::MAIL_BYTES_MAX + 1];
    assert_eq!(read(&raw, &rules()).reasons, [Reason::TooLarge]);
}

#[test]
fn nothing_at_all_is_unreadable() {
    assert_eq!(read(b"", &rules()).reasons, [Reason::Unreadable]);
}

/// Mutilated mails never stop the reading, and no control character or line break ever gets into a name. The seed is
/// printed.
#[test]
fn mutilated_mails_are_read_all_the_same() {
    let mut dice = Dice(seed(Some(20_200_424)));
    let rules = rules();
    let originals: Vec<Vec<u8>> = mails(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reading"))
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    for _ in 0..400 {
        let pick = dice.below(originals.len());
        let mut raw = originals[pick].clone();
        for _ in 0..=dice.below(12) {
            let at = dice.below(raw.len().max(1)).min(raw.len().saturating_sub(1));
            match dice.below(5) {
                0 => raw.truncate(at),
                1 if at < raw.len() => raw[at] = dice.next().to_le_bytes()[0],
                2 => raw.splice(at..at, [0x1b, b'$', b'B', b'\r', b'\n']).for_each(drop),
                3 if at < raw.len() => drop(raw.remove(at)),
                _ => {
                    let other = &originals[dice.below(originals.len())];
                    let from = dice.below(other.len());
                    let to = (from + dice.below(200)).min(other.len());
                    raw.splice(at..at, other[from..to].iter().copied()).for_each(drop);
                }
            }
        }
        let reading = read(&raw, &rules);
        let names = reading.centres.iter().map(|c| &c.name).chain(reading.authority.iter().map(|a| &a.name));
        let shown = names.chain(&reading.head.from_name).chain(&reading.head.subject).chain(&reading.attachments);
        for text in shown {
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
    }
}

/// Twice the size takes about twice the time, not four times: long lines, open brackets, encoded words without end.
#[test]
fn hostile_mails_take_linear_time() {
    let rules = rules();
    let pieces =
        ["=?UTF-8?B?", "<a ", "a@b,", "> ", "(((", "<div><s>", "&#", "港区 a@x.lg.jp\n", "-----\n", "From: a\n"];
    for piece in pieces {
        for kind in ["text/plain", "text/html"] {
            let body = piece.repeat(1_000_000 / piece.len());
            let raw = format!("Subject: {body}\r\nContent-Type: {kind}; charset=utf-8\r\n\r\n{body}");
            let reading = read(raw.as_bytes(), &rules);
            assert!(reading.body.len() <= raw.len() * 3);
        }
    }
}
