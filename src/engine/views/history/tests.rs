//! Every event the engine notes, and every verb, is a sentence in both languages.

use super::super::words::Lang;
use super::{sentence, sentence_of};
use crate::engine::staff::Verb;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// One of every event, with the fields a sentence needs.
fn events() -> Vec<Value> {
    let at = "2020-05-01T09:00:00+09:00";
    let close = json!({"verb": "close", "matter": 7, "reason": "x"});
    let subject = json!({"about": "inquiry", "mail": 1});
    let of = |name: &str, fields: Value| {
        let mut event = fields;
        event["event"] = name.into();
        event
    };
    let tenant = || json!({"tenant": "131032-01", "generation": 2, "serial": "0a", "left": 3, "fetch": 2, "count": 4});
    vec![
        of("mail-filed", json!({"mail": 1, "outcome": {"disposition": "registered"}})),
        of("letter-queued", json!({"row": 1, "letter": "receipt", "to": "a@x.lg.jp", "due": at})),
        of("letter", json!({"row": 1, "letter": "receipt", "delivery": {"state": "planned", "due": at}})),
        of("notice-dated", json!({"row": 1, "letter": "certificate-notice"})),
        of("matter-opened", json!({"no": 1, "subject": subject})),
        of("matter-closed", json!({"no": 1})),
        of("matter-grown", json!({"no": 1})),
        of("staff", json!({"act": close})),
        of("domain-learned", json!({"domain": "x.lg.jp", "authority": "131032"})),
        of("domain-forgotten", json!({"domain": "x.lg.jp", "authority": "131032"})),
        of("impersonation-suspected", json!({"mail": 1})),
        of("reading-edited", json!({"mail": 1})),
        of("asked", json!({"ask": 1, "act": close})),
        of("approved", json!({"ask": 1, "asked-by": "sato", "act": close})),
        of("request-lapsed", json!({"ask": 1})),
        of("two-persons-in-force", json!({})),
        of("logged-in", json!({"session": 1, "from": "127.0.0.1"})),
        of("logged-out", json!({"session": 1})),
        of("certificate-bound", json!({"account": "sato", "fingerprint": "0a"})),
        of("session-misused", json!({"session": 1, "account": "sato", "from": "127.0.0.1"})),
        of("log-in-failed", json!({"account": "sato", "from": "127.0.0.1"})),
        of("reissued-many", json!({"done": 2, "refused": []})),
        of("report", json!({"period": "weekly"})),
        of("alert", json!({"cause": "bounces"})),
        of("job-begun", json!({"job": 1, "count": 3, "verb": {"job-verb": "retry"}})),
        of("job-steered", json!({"job": 1, "pace": "halted"})),
        of("job-steered", json!({"job": 1, "pace": "running"})),
        of("wave-planned", json!({"wave": 1, "letters": 3})),
        of("wave", json!({"wave": 1, "now": {"state": "withdrawn", "at": at, "why": "x"}})),
        of("wave-taken-back", json!({"wave": 1, "row": 2, "letter": "certificate-notice"})),
        of("pickup-visited", json!({"kind": "get", "count": 2, "first": at, "last": at})),
        of("certificate-revoked", json!({"serial": "0a", "reason": "superseded"})),
        of("revocation-list", json!({"number": 1, "revoked": 0})),
        of("ca-adopted", json!({"issuer": "0a"})),
        of("key-wiped", tenant()),
        of("picked-up", tenant()),
        of("seen-in-use", tenant()),
        of("pickup-opened", tenant()),
        of("pickup-wrong-password", tenant()),
        of("pickup-wrong-password", json!({"left": 0, "generation": 1})),
        of("pickup-received", tenant()),
        of("picked-up-again", tenant()),
        of("certificate-ordered", tenant()),
        of("certificate-to-revoke", tenant()),
        of("credentials-shown", tenant()),
        of("credentials-imported", tenant()),
        of("credentials-exported", tenant()),
    ]
}

/// One of every verb, by the words of its record.
fn verbs() -> Vec<Value> {
    let proposal = json!({"authority": "131032", "address": null});
    let people = |name: &str| json!({"verb": "people", "people": name, "name": "sato", "person": "x", "role": "operator", "hash": "x", "reason": "x", "session": 1});
    let ask = |name: &str| json!({"verb": "ask", "ask": name, "no": 1, "reason": "x"});
    let wave = |name: &str| json!({"verb": "wave", "wave-verb": name, "wave": 1, "row": 1, "on": true, "revision": 1, "letter": "credentials", "reason": "x"});
    let mut verbs = vec![
        json!({"verb": "accept", "mail": 1}),
        json!({"verb": "accept", "mail": 1, "authority": "131032"}),
        json!({"verb": "accept-edited", "mail": 1, "proposal": proposal, "reason": "x"}),
        json!({"verb": "reject", "mail": 1, "reason": "x"}),
        json!({"verb": "ask-sender", "mail": 1}),
        json!({"verb": "write-to-sender", "mail": 1, "subject": "x", "body": "x"}),
        json!({"verb": "reread", "mail": 1}),
        json!({"verb": "approve-domain", "authority": "131032", "domain": "x.lg.jp", "reason": "x"}),
        json!({"verb": "forget-domain", "authority": "131032", "domain": "x.lg.jp", "reason": "x"}),
        json!({"verb": "close", "matter": 1, "reason": "x"}),
        json!({"verb": "hold", "row": 1, "reason": "x"}),
        json!({"verb": "release", "row": 1}),
        json!({"verb": "retry", "row": 1}),
        json!({"verb": "withdraw", "row": 1, "reason": "x"}),
        json!({"verb": "reissue", "tenant": "131032-01", "reason": "lost"}),
        json!({"verb": "reissue-many", "tenants": ["131032-01"], "reason": "lost"}),
        json!({"verb": "cancel", "tenant": "131032-01", "reason": "x"}),
        json!({"verb": "revoke", "tenant": "131032-01", "reason": "key-compromise"}),
        json!({"verb": "keys", "keys": "adopt", "ca": "0a", "certificate": "00".repeat(32), "reason": "x"}),
        json!({"verb": "renew-credentials", "tenant": "131032-01", "reason": "x"}),
    ];
    verbs.extend(["approve", "refuse", "recall"].map(ask));
    verbs.extend(["plan", "tick", "release", "halt", "withdraw"].map(wave));
    verbs.extend(["add", "set-role", "set-mail", "password", "disable", "enable", "end-session"].map(people));
    verbs
}

fn check(what: &Value, tell: impl Fn(Lang) -> String) {
    let (ja, en) = (tell(Lang::Ja), tell(Lang::En));
    assert!(en.is_ascii() && en.contains(' '), "{what} in English: {en}");
    assert!(!ja.is_ascii(), "{what} in Japanese: {ja}");
}

/// Names in `"event": "…"` of the engine's sources.
fn noted(dir: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            noted(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "rs") && !path.ends_with("tests.rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            let own = source.split("#[cfg(test)]").next().unwrap();
            let names = own.split("\"event\": \"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
            found.extend(names);
        }
    }
}

#[test]
fn every_event_is_told_in_both_languages() {
    let mut written = BTreeSet::new();
    noted(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine"), &mut written);
    let told: BTreeSet<String> = events().iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect();
    assert_eq!(written, told, "events the engine notes, and those tried here");
    for event in events() {
        check(&event, |lang| sentence(&event, lang));
    }
}

#[test]
fn every_verb_is_told_in_both_languages() {
    for told in verbs() {
        let verb: Verb = serde_json::from_value(told.clone()).unwrap();
        check(&told, |lang| sentence_of(&verb, lang));
    }
}
