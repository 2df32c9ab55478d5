//! What others say of our files: openssl, NSS, Java.

use std::path::Path;
use std::process::Command;

/// Output of a program that must succeed.
pub(crate) fn run(program: &str, args: &[&str]) -> String {
    let (good, text) = attempt(program, args);
    assert!(good, "{program} {args:?}\n{text}");
    text
}

/// Whether a program succeeds, and both its outputs.
pub(crate) fn attempt(program: &str, args: &[&str]) -> (bool, String) {
    let output = Command::new(program).args(args).env("LC_ALL", "C.UTF-8").output();
    let output = output.unwrap_or_else(|fault| panic!("{program} is not there ({fault}); see tests/run"));
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

pub(crate) fn save(dir: &Path, name: &str, bytes: &[u8]) -> String {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}
