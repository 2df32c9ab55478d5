//! A real browser: Chromium goes through the console with the keyboard only, and axe-core looks at every page in both
//! colour schemes and two widths. Needs chromium, node and npm; axe-core is kept in a cache outside the tree.

use crate::axe::axe;
use crate::pages::PATHS;
use crate::site::site;
use crate::world::PASSWORD;
use std::path::Path;
use std::process::Command;

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
