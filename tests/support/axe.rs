//! Where axe-core stands: in a cache outside the tree, installed by npm if it is not there yet.

use std::path::PathBuf;
use std::process::Command;

/// The version is fixed: another one finds other things.
const AXE: &str = "axe-core@4.14.1";

pub(crate) fn axe() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache");
    let cache = cache.unwrap_or_else(home).join("annai-tests");
    let script = cache.join("node_modules/axe-core/axe.min.js");
    if !script.exists() {
        std::fs::create_dir_all(&cache).unwrap();
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(&cache).arg(AXE);
        let done = npm.output().expect("npm is needed: run tests/run once");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    script
}
