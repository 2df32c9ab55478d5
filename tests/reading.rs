//! Layer 1 `reading` at its boundary: raw mails in `tests/data/reading/<name>.eml`, what they say in `<name>.json`.
//!
//! With `ANNAI_CORPUS=<dir>` the test `corpus` reads every `<dir>/*.eml` and writes one JSON line each to the file named by
//! `ANNAI_CORPUS_OUT`, for scoring outside; without it the test has nothing to do and says so.

use annai::reading::{Reason, read};
use annai::rules::Rules;
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
