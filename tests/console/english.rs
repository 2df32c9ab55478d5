//! Every view in English: no word of ours is Japanese. What is data (a mail's text, a name, a letter) stands in an element
//! marked `lang="ja"`, so that a screen reader reads it as what it is, and this test lets it pass.

use crate::pages::PATHS;
use crate::site::site;
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
    }
    assert!(faults.is_empty(), "{}", faults.into_iter().collect::<Vec<_>>().join("\n"));
}
