//! Every view in English: no word of ours is Japanese. What is data (a mail's text, a name, a letter) stands in an element
//! marked `lang="ja"`, so that a screen reader reads it as what it is, and this test lets it pass.

use crate::pages::PATHS;
use crate::site::ask::Answer;
use crate::site::{field, site};
use crate::world::PASSWORD;
use std::collections::BTreeSet;

/// Elements without an end (HTML Living Standard §13.1.2).
const VOID: [&str; 7] = ["meta", "link", "input", "br", "hr", "img", "col"];
/// Attributes people hear or read.
const SAID: [&str; 6] = ["title", "aria-label", "placeholder", "value", "alt", "data-words"];

fn is_japanese(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// The attributes of a tag.
fn attributes(tag: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once("=\"") {
        let Some((value, next)) = after.split_once('"') else { break };
        found.push((before.rsplit(' ').next().unwrap(), value));
        rest = next;
    }
    found
}

/// Japanese outside what is marked, with some words around it.
fn unmarked(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<(String, bool)> = Vec::new();
    let mut rest = page;
    while let Some((text, after)) = rest.split_once('<') {
        let marked = open.last().is_some_and(|(_, marked)| *marked);
        if !marked && text.contains(is_japanese) {
            found.push(text.trim().chars().take(60).collect());
        }
        let Some((tag, next)) = after.split_once('>') else { break };
        rest = next;
        let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap().to_lowercase();
        if tag.starts_with('/') {
            while open.pop().is_some_and(|(opened, _)| opened != name) {}
        } else if !tag.starts_with('!') {
            let attributes = attributes(tag);
            let own = attributes.iter().find(|(attribute, _)| *attribute == "lang").map(|(_, lang)| *lang == "ja");
            let marked = own.unwrap_or(marked);
            for (attribute, value) in attributes {
                if !marked && SAID.contains(&attribute) && value.contains(is_japanese) {
                    found.push(format!("{name} {attribute}={value}"));
                }
            }
            if !VOID.contains(&name.as_str()) {
                open.push((name, marked));
            }
        }
    }
    found
}

#[test]
fn japanese_is_seen_unless_it_is_marked() {
    let page =
        "<html lang=\"en\"><p>Who: <span lang=\"ja\">倉敷市<b>保健所</b></span><br><input value=\"a\"></p></html>";
    assert!(unmarked(page).is_empty());
    for bad in [
        "<p>送信</p>",
        "<p lang=\"ja\"></p>送信",
        "<input value=\"送信\">",
        "<i lang=\"ja\"><b lang=\"en\">送信</b></i>",
    ] {
        assert_eq!(unmarked(&format!("{bad}<p>")).len(), 1, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_word_of_ours_is_japanese_in_english() {
    let site = site().await;
    let mut faults = BTreeSet::new();
    for name in ["op", "admin1"] {
        let browser = site.log_in(name).await;
        let cookie = format!("{}; lang=en", browser.cookie);
        for path in PATHS {
            let path = path.replace("鳥取", "%E9%B3%A5%E5%8F%96");
            let page = site.send("GET", &path, &[("Cookie", &cookie)], "").await;
            assert_eq!(page.status, 200, "{path}");
            faults.extend(unmarked(&page.body).into_iter().map(|words| format!("{path}: {words}")));
        }
        let mut told = |what: &str, page: Answer, status: u16| {
            assert_eq!(page.status, status, "{what}");
            assert!(page.body.contains("<html lang=\"en\">"), "{what}");
            faults.extend(unmarked(&page.body).into_iter().map(|words| format!("{what}: {words}")));
        };
        // Pages of the login: as the browser asks for, as chosen, and what they refuse.
        let by_browser = [("Accept-Language", "en-GB, ja;q=0.3")];
        let chosen = [("Cookie", "lang=en"), ("Accept-Language", "ja")];
        told("/login", site.send("GET", "/login", &by_browser, "").await, 200);
        told("/login", site.send("GET", "/login?next=/waves", &chosen, "").await, 200);
        told("/login?lang=en", site.send("GET", "/login?lang=en", &[("Cookie", "lang=ja")], "").await, 200);
        told("wrong password", site.send("POST", "/login", &chosen, "name=op&password=wrong").await, 401);
        let own = [("Cookie", cookie.as_str()), ("Accept", "text/html")];
        told("/account", site.send("GET", "/account", &own, "").await, 200);
        let form = |fields: &[(&str, &str)]| field(&[&[("csrf", browser.csrf.as_str())], fields].concat());
        let other = form(&[("old", "x"), ("new", "a"), ("again", "b")]);
        told("new twice", site.send("POST", "/account/password", &own, &other).await, 400);
        let short = form(&[("old", PASSWORD), ("new", "short"), ("again", "short")]);
        told("too short", site.send("POST", "/account/password", &own, &short).await, 400);
        let wrong = form(&[("old", "x"), ("new", "a long new password"), ("again", "a long new password")]);
        told("wrong old", site.send("POST", "/account/password", &own, &wrong).await, 400);
        let nobodys = form(&[("session", "999")]);
        told("no session", site.send("POST", "/account/session", &own, &nobodys).await, 409);
        told("old form", site.send("POST", "/act", &own, "csrf=x&reason=%E9%9B%BB%E8%A9%B1").await, 403);
        let late = [("Cookie", "lang=en"), ("Accept", "text/html")];
        told("late form", site.send("POST", "/act", &late, "reason=%E9%9B%BB%E8%A9%B1").await, 401);
    }
    // The choice on the login page stays.
    let answer = site.send("GET", "/login?lang=ja", &[("Accept-Language", "en")], "").await;
    assert!(answer.head.contains("set-cookie: lang=ja;") && answer.body.contains("<html lang=\"ja\">"));
    let answer = site.send("GET", "/login?lang=%22%3E", &[], "").await;
    assert!(!answer.head.contains("set-cookie") && answer.body.contains("<html lang=\"ja\">"));
    assert!(faults.is_empty(), "{}", faults.into_iter().collect::<Vec<_>>().join("\n"));
}
