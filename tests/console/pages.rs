//! Every view as it is written, against tests/data/console (`ANNAI_BLESS=1` writes them anew for review).

use crate::site::site;
use std::fs;
use std::path::Path;

/// Every view; each has its golden.
pub(crate) const PATHS: [&str; 23] = [
    "/",
    "/review",
    "/mail/2",
    "/mail/3",
    "/mail/4",
    "/mail/1",
    "/inbox",
    "/inbox?q=state:review",
    "/outbox",
    "/outbox?show=all",
    "/outbox/1",
    "/tenants",
    "/tenants/310000-01",
    "/progress",
    "/progress/31",
    "/forecast?days=14",
    "/audit?kind=mail-filed",
    "/health",
    "/approvals",
    "/waves",
    "/people",
    "/search?q=鳥取",
    "/help",
];

/// What differs from run to run: digests, tokens, the port.
fn masked(page: &str) -> String {
    let mut masked = String::with_capacity(page.len());
    let mut run = String::new();
    for c in page.chars().chain(['\n']) {
        if c.is_ascii_hexdigit() {
            run.push(c);
            continue;
        }
        masked.push_str(if run.len() == 64 { "DIGEST" } else { &run });
        run.clear();
        masked.push(c);
    }
    masked.pop();
    masked
}

#[tokio::test(flavor = "multi_thread")]
async fn every_view_is_as_it_was_looked_at() {
    let site = site().await;
    let op = site.log_in("op").await;
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/console");
    let mut faults = Vec::new();
    for path in PATHS {
        let path = path.replace("鳥取", "%E9%B3%A5%E5%8F%96");
        let page = if path.starts_with("/forecast") {
            site.until(&op, &path, "class=\"grid days\"").await
        } else {
            site.get(&op, &path).await.body
        };
        let page = masked(&page);
        let name: String = path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let file = dir.join(format!("{}.html", name.trim_matches('_')));
        let file = if path == "/" { dir.join("today.html") } else { file };
        if std::env::var_os("ANNAI_BLESS").is_some() {
            fs::create_dir_all(&dir).unwrap();
            fs::write(&file, &page).unwrap();
        } else if fs::read_to_string(&file).ok().as_deref() != Some(page.as_str()) {
            faults.push(file.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    assert!(faults.is_empty(), "these pages differ from tests/data/console: {faults:?}; look, then ANNAI_BLESS=1");
}
