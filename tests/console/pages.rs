//! Every view as it is written, against tests/data/console (`ANNAI_BLESS=1` writes them anew for review): the frame once,
//! and of each page what is its own.

use crate::site::site;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Every view; each has its golden.
pub(crate) const PATHS: [&str; 25] = [
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
    "/domains",
    "/jobs",
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

/// What belongs to one page: its title and what stands in `<main>`; and the frame around it, without what says where one
/// is, so that it is the same on every page.
fn apart(page: &str) -> (String, String) {
    let between = |from: &str, to: &str| {
        let start = page.find(from).unwrap_or_else(|| panic!("no {from}")) + from.len();
        let end = start + page[start..].find(to).unwrap_or_else(|| panic!("no {to}"));
        (start, end)
    };
    let (title, main) = (between("<title>", "</title>"), between("<main id=\"main\" tabindex=\"-1\">\n", "</main>"));
    let own = format!("<title>{}</title>\n{}", &page[title.0..title.1], &page[main.0..main.1]);
    let mut frame = format!("{}TITLE{}MAIN\n{}", &page[..title.0], &page[title.1..main.0], &page[main.1..]);
    frame = frame.replace(" aria-current=\"page\"", "").replace("<meta http-equiv=\"refresh\" content=\"2\">", "");
    for field in ["name=\"q\" type=\"search\" value=\"", "name=\"back\" value=\""] {
        let start = frame.find(field).unwrap_or_else(|| panic!("no {field}")) + field.len();
        let end = start + frame[start..].find('"').unwrap();
        frame.replace_range(start..end, "HERE");
    }
    (frame, own)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_view_is_as_it_was_looked_at() {
    let site = site().await;
    let op = site.log_in("op").await;
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/console");
    let mut faults = Vec::new();
    let mut check = |name: &str, found: &str| {
        let file = dir.join(format!("{name}.html"));
        if std::env::var_os("ANNAI_BLESS").is_some() {
            fs::create_dir_all(&dir).unwrap();
            fs::write(&file, found).unwrap();
        } else if fs::read_to_string(&file).ok().as_deref() != Some(found) {
            faults.push(name.to_owned());
        }
    };
    let mut frames = BTreeSet::new();
    for path in PATHS {
        let path = path.replace("鳥取", "%E9%B3%A5%E5%8F%96");
        let page = if path.starts_with("/forecast") {
            site.until(&op, &path, "class=\"grid days\"").await
        } else {
            site.get(&op, &path).await.body
        };
        let (frame, own) = apart(&masked(&page));
        let name: String = path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        check(if path == "/" { "today" } else { name.trim_matches('_') }, &own);
        frames.insert(frame);
    }
    // Around the console: the login, one's own account, and a form that came too late.
    let browser = [("Cookie", op.cookie.as_str()), ("Accept", "text/html")];
    let typed = "csrf=x&back=%2Fmail%2F2&reason=%E9%9B%BB%E8%A9%B1%E3%81%A7%E7%A2%BA%E8%AA%8D";
    for (name, method, path, headers, body) in [
        ("login", "GET", "/login?next=/mail/2", &[][..], ""),
        ("login_en", "GET", "/login", &[("Accept-Language", "en")][..], ""),
        ("account", "GET", "/account", &browser[..], ""),
        ("form_of_an_earlier_session", "POST", "/act", &browser[..], typed),
        ("form_without_a_session", "POST", "/act", &browser[1..], typed),
    ] {
        check(name, &masked(&site.send(method, path, headers, body).await.body));
    }
    assert_eq!(frames.len(), 1, "the frame is the same on every page");
    check("frame", frames.first().unwrap());
    assert!(faults.is_empty(), "these pages differ from tests/data/console: {faults:?}; look, then ANNAI_BLESS=1");
}

/// What is typed into the address line and is no number, or a number of nothing, is told so in the console's own page.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_nothing_is_told_so() {
    let site = site().await;
    let op = site.log_in("op").await;
    for under in ["mail", "outbox", "tenants", "waves", "jobs", "progress", "nothing"] {
        for what in ["abc", "999999", "-1", "99999999999999999999999"] {
            let answer = site.get(&op, &format!("/{under}/{what}")).await;
            assert_eq!(answer.status, 404, "/{under}/{what}");
            assert!(answer.body.contains("見つかりません"), "/{under}/{what}: {}", answer.body);
        }
    }
}
