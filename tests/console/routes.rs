//! Every route of the console's listener, tried by every role and by nobody, with and without the form's token. The table
//! is compared with the routes in the sources and the verbs in the templates: what is missing here fails.

use crate::site::{Browser, Site, field, site};
use annai::workflow::rights::{Act, Right, Role, right};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Whoever reaches the listener.
    Anybody,
    /// Whoever is logged in: looking, and what concerns only oneself.
    LoggedIn,
    /// Whose role has this right, alone or with a second person.
    Right(Act),
}
use Who::{Anybody, LoggedIn};

const DECIDE: Who = Who::Right(Act::Decide);
const SEND: Who = Who::Right(Act::Send);

type Form = &'static [(&'static str, &'static str)];

/// Method, route as in the sources, an address of it, a form, who may.
const ROUTES: [(&str, &str, &str, Form, Who); 49] = [
    ("GET", "/", "/", &[], LoggedIn),
    ("GET", "/inbox", "/inbox", &[], LoggedIn),
    ("GET", "/review", "/review", &[], LoggedIn),
    ("GET", "/mail/{no}", "/mail/2", &[], LoggedIn),
    ("POST", "/mail/{no}/here", "/mail/2/here", &[], LoggedIn),
    ("GET", "/outbox", "/outbox", &[], LoggedIn),
    ("GET", "/outbox/{no}", "/outbox/1", &[], LoggedIn),
    ("GET", "/tenants", "/tenants", &[], LoggedIn),
    ("GET", "/tenants/{id}", "/tenants/310000-01", &[], LoggedIn),
    ("GET", "/progress", "/progress", &[], LoggedIn),
    ("GET", "/progress/{prefecture}", "/progress/31", &[], LoggedIn),
    ("GET", "/forecast", "/forecast", &[], LoggedIn),
    ("GET", "/audit", "/audit", &[], LoggedIn),
    ("POST", "/audit/verify", "/audit/verify", &[], LoggedIn),
    ("GET", "/health", "/health", &[], LoggedIn),
    ("GET", "/approvals", "/approvals", &[], LoggedIn),
    ("GET", "/waves", "/waves", &[], LoggedIn),
    ("GET", "/waves/{no}", "/waves/9", &[], LoggedIn),
    ("GET", "/people", "/people", &[], LoggedIn),
    ("GET", "/domains", "/domains", &[], LoggedIn),
    ("GET", "/search", "/search?q=a", &[], LoggedIn),
    ("GET", "/help", "/help", &[], LoggedIn),
    ("POST", "/act", "/act", &[("verb", "reread"), ("mail", "1")], DECIDE),
    ("POST", "/bulk", "/bulk", &[("of", "letters"), ("verb", "retry"), ("no", "1")], SEND),
    ("POST", "/bulk/run", "/bulk/run", &[("of", "letters"), ("verb", "retry"), ("no", "1")], SEND),
    ("GET", "/jobs", "/jobs", &[], LoggedIn),
    ("GET", "/jobs/{no}", "/jobs/9", &[], LoggedIn),
    ("POST", "/jobs/{no}/{what}", "/jobs/9/halt", &[], SEND),
    ("GET", "/export/{what}", "/export/tenants.csv", &[], LoggedIn),
    ("GET", "/events", "/events", &[], LoggedIn),
    ("POST", "/views", "/views", &[("name", "a"), ("back", "/tenants")], LoggedIn),
    ("POST", "/views/forget", "/views/forget", &[("name", "a")], LoggedIn),
    ("POST", "/preferences", "/preferences", &[("theme", "dark")], LoggedIn),
    ("GET", "/{*nothing}", "/nothing/here", &[], LoggedIn),
    ("GET", "/console.css", "/console.css", &[], Anybody),
    ("GET", "/console.js", "/console.js", &[], Anybody),
    ("GET", "/tokens.css", "/tokens.css", &[], Anybody),
    ("GET", "/style.css", "/style.css", &[], Anybody),
    ("GET", "/officer.css", "/officer.css", &[], Anybody),
    ("GET", "/login", "/login", &[], Anybody),
    ("POST", "/login", "/login", &[("name", "nobody"), ("password", "x")], Anybody),
    ("GET", "/account", "/account", &[], LoggedIn),
    ("POST", "/account/password", "/account/password", &[("old", "a"), ("new", "b"), ("again", "c")], LoggedIn),
    ("POST", "/account/session", "/account/session", &[("session", "99")], LoggedIn),
    ("POST", "/api/act", "/api/act", &[], DECIDE),
    ("GET", "/api/me", "/api/me", &[], LoggedIn),
    ("GET", "/healthz", "/healthz", &[], Anybody),
    ("GET", "/metrics", "/metrics", &[], Anybody),
    // The last: it ends the session.
    ("POST", "/logout", "/logout", &[], LoggedIn),
];

/// Every verb of a form, with fields that are understood, and the right it needs (as things stand in `site`).
const VERBS: [(&str, Form, Act); 33] = [
    ("accept", &[("mail", "9"), ("authority", "332020"), ("shown", NONE)], Act::Decide),
    ("write", &[("mail", "9"), ("subject", "a"), ("body", "b")], Act::Decide),
    ("reject", &[("mail", "9"), ("reason", "x")], Act::Decide),
    ("reread", &[("mail", "9")], Act::Decide),
    ("close", &[("matter", "99"), ("reason", "x")], Act::Decide),
    ("hold", &[("row", "999"), ("reason", "x")], Act::Send),
    ("release", &[("row", "999")], Act::Send),
    ("retry", &[("row", "999")], Act::Send),
    ("withdraw", &[("row", "999"), ("reason", "x")], Act::Send),
    ("reissue", &[("tenant", "310000-09"), ("why", "lost")], Act::Reissue),
    ("cancel", &[("tenant", "310000-09"), ("reason", "x")], Act::Cancel),
    ("revoke", &[("tenant", "310000-01"), ("why", "key-compromise")], Act::Revoke),
    ("approve", &[("ask", "99")], Act::Approve),
    ("refuse", &[("ask", "99"), ("reason", "x")], Act::Approve),
    ("recall", &[("ask", "99")], Act::Recall),
    ("plan", &[("letter", "credentials")], Act::WavePrepare),
    ("tick", &[("wave", "9"), ("row", "999"), ("on", "1")], Act::WavePrepare),
    ("let-go", &[("wave", "9"), ("revision", "1")], Act::WaveRelease),
    ("halt", &[("wave", "9"), ("reason", "x")], Act::WaveStop),
    ("take-back", &[("wave", "9"), ("reason", "x")], Act::WaveStop),
    ("end-session", &[("session", "5")], Act::Sessions),
    ("user-add", &[("name", "new"), ("role", "operator"), ("reason", "x")], Act::People),
    ("user-role", &[("name", "op"), ("role", "admin"), ("reason", "x")], Act::People),
    ("user-mail", &[("name", "ap"), ("mail", "a@example.jp"), ("reason", "x")], Act::People),
    ("user-password", &[("name", "admin2"), ("password", LONG), ("again", LONG), ("reason", "x")], Act::People),
    ("user-certificate", &[("name", "admin2"), ("reason", "x")], Act::People),
    ("user-disable", &[("name", "op"), ("reason", "x")], Act::People),
    ("user-enable", &[("name", "op"), ("reason", "x")], Act::People),
    ("domain-approve", &[("authority", "332020"), ("domain", "x.lg.jp"), ("reason", "x")], Act::Decide),
    ("domain-forget", &[("authority", "332020"), ("domain", "x.lg.jp"), ("reason", "x")], Act::Decide),
    // A form never brings a hash of its own, nor anything unheard of.
    ("user-password", &[("name", "admin2"), ("hash", "$argon2id$x"), ("reason", "x")], Act::Decide),
    ("no-such-verb", &[], Act::Decide),
    ("user-no-such", &[("name", "op"), ("reason", "x")], Act::Decide),
];
const NONE: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const LONG: &str = "another long password";
const PEOPLE: [(&str, Role); 4] =
    [("op", Role::Operator), ("ap", Role::Approver), ("audit", Role::Auditor), ("admin1", Role::Admin)];

/// `.route("/path", get(…).post(…))` of a source, as method and path.
fn routes_of(source: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for call in source.split(".route(").skip(1) {
        let mut depth = 1;
        let end = call.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        let call = &call[..end.unwrap()];
        let path = call.split('"').nth(1).unwrap().to_owned();
        let methods = [
            ("GET", "get("),
            ("POST", "post("),
            ("PUT", "put("),
            ("DELETE", "delete("),
            ("*", "any("),
            ("GET", "sheet("),
        ];
        let before = found.len();
        for (method, word) in methods {
            if call.contains(word) {
                found.push((method, path.clone()));
            }
        }
        assert!(found.len() > before, "no method of {path} is known");
    }
    found
}

fn sources(dir: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn every_route_and_every_verb_stands_in_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut files, mut found) = (Vec::new(), BTreeSet::new());
    sources(&root.join("src/web"), &mut files);
    for (file, source) in files {
        // These are listeners of their own, for officers and their terminals; tests/web tries them.
        if !file.contains("/web/pickup") && !file.ends_with("/web/gate.rs") {
            let source = source.split("#[cfg(test)]").next().unwrap();
            let hidden = source.contains(".nest") || source.contains(".fallback") && !file.ends_with("/web/look.rs");
            assert!(!hidden, "{file} serves what no table shows");
            found.extend(routes_of(source).into_iter().map(|(method, path)| format!("{method} {path}")));
        }
    }
    let table: BTreeSet<String> = ROUTES.iter().map(|(method, route, ..)| format!("{method} {route}")).collect();
    assert_eq!(found, table, "routes of src/web and those tried here");

    let mut offered = BTreeSet::new();
    for entry in fs::read_dir(root.join("templates/web/console")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let verbs = text.split("name=\"verb\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        // `{{ verb }}` of a letter: the four of `Send`, which other templates offer by name.
        offered.extend(verbs.filter(|verb: &String| verb != "{{ verb }}"));
    }
    let tried: BTreeSet<String> = VERBS.iter().map(|(verb, ..)| (*verb).to_owned()).collect();
    let missing: Vec<_> = offered.difference(&tried).collect();
    assert!(missing.is_empty(), "verbs of the templates that nobody tries: {missing:?}");
}

/// Asks and gives the status.
async fn status(site: &Site, browser: Option<&Browser>, method: &str, path: &str, form: Form, token: bool) -> u16 {
    let mut form = form.to_vec();
    let mut headers = Vec::new();
    if let Some(browser) = browser {
        headers.push(("Cookie", browser.cookie.as_str()));
        if token && path == "/api/act" {
            headers.push(("x-csrf-token", browser.csrf.as_str()));
        } else if token {
            form.push(("csrf", browser.csrf.as_str()));
        }
    }
    if path == "/api/act" {
        let body = serde_json::json!({"verb": "reread", "mail": 1}).to_string();
        headers.push(("Content-Type", "application/json"));
        return site.status(method, path, &headers, &body).await;
    }
    let body = if method == "POST" { field(&form) } else { String::new() };
    site.status(method, path, &headers, &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_for_every_role() {
    let site = site().await;
    for (name, role) in PEOPLE {
        let browser = site.log_in(name).await;
        for (method, route, path, form, who) in ROUTES {
            let may = match who {
                Anybody | LoggedIn => true,
                Who::Right(act) => right(role, act) != Right::Refused,
            };
            if method == "POST" && who != Anybody {
                let without = status(&site, Some(&browser), method, path, form, false).await;
                assert_eq!(without, 403, "{name} without token: {route}");
            }
            let got = status(&site, Some(&browser), method, path, form, true).await;
            assert_eq!(got != 403, may, "{name} {method} {route}: {got}");
            assert!(got < 500 || route == "/healthz", "{name} {method} {route}: {got}");
            assert!(got != 401 || route == "/login", "{name} {method} {route}: {got}");
        }
    }
    for (method, route, path, form, who) in ROUTES {
        let got = status(&site, None, method, path, form, false).await;
        let refused = got == 401 && path != "/login";
        assert_eq!(refused, who != Anybody, "nobody {method} {route}: {got}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_for_every_role() {
    let site = site().await;
    let mut browsers = Vec::new();
    for (name, role) in PEOPLE {
        browsers.push((name, role, site.log_in(name).await));
    }
    // Somebody whose session may be ended: number 5.
    site.log_in("admin2").await;
    for (name, role, browser) in &browsers {
        for (verb, fields, act) in VERBS {
            let before = site.head();
            let form: Vec<(&str, &str)> = fields.iter().copied().chain([("verb", verb)]).collect();
            let answer = site.post(browser, "/act", &form).await;
            let allowed = right(*role, act);
            assert_eq!(answer.status == 403, allowed == Right::Refused, "{name} {verb}: {}", answer.status);
            assert!([303, 403, 409, 422].contains(&answer.status), "{name} {verb}: {}", answer.status);
            if answer.status != 303 {
                assert_eq!(site.head(), before, "{name} {verb}: what is refused leaves nothing");
            } else if allowed == Right::NeedsSecond {
                assert!(answer.location().ends_with("done=asked"), "{name} alone did {verb}: {}", answer.location());
            }
        }
    }
}
