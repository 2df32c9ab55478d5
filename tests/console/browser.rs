//! A real browser: Chromium goes through the console with the keyboard only, and axe-core looks at every page in both
//! colour schemes and two widths. Needs chromium, node and npm; axe-core is kept in a cache outside the tree.

use crate::pages::PATHS;
use crate::site::site;
use crate::world::PASSWORD;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version is fixed: another one finds other things.
const AXE: &str = "axe-core@4.14.1";

/// Where axe-core stands; installed if it is not there yet.
fn axe() -> PathBuf {
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

#[tokio::test(flavor = "multi_thread")]
async fn chromium_goes_through_with_the_keyboard_and_axe_finds_nothing_serious() {
    let site = site().await;
    // The board is there before the browser comes.
    site.log_in("audit").await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/console/drive.mjs");
    let mut node = Command::new("node");
    node.arg(script).arg(format!("http://{}", site.console)).arg(axe()).arg("op").arg(PASSWORD).args(PATHS);
    let ended =
        tokio::task::spawn_blocking(move || node.output().expect("node is needed: run tests/run once")).await.unwrap();
    assert!(
        ended.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&ended.stdout),
        String::from_utf8_lossy(&ended.stderr)
    );
}
