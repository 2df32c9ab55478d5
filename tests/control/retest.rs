//! `rules test`: what other rules would make of the mails that are here.

use crate::place::{Place, Running, data, text};
use serde_json::Value;

#[test]
fn exactly_what_would_come_out_differently_is_told() {
    let place = Place::new();
    let test = |place: &Place| {
        let output = place.annai(&["rules", "test", "--rules", "rules", "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code(), report, text(&output.stderr))
    };
    let (code, report, _) = test(&place);
    assert_eq!((code, &report["mails"], &report["different"]), (Some(0), &5.into(), &0.into()));

    // Sapporo is taken from the list, and 霞関市 is put in its place.
    let file = place.path("rules/authorities.csv");
    let delivered = std::fs::read_to_string(&file).unwrap();
    let line = delivered.lines().find(|line| line.contains("札幌市")).unwrap();
    std::fs::write(&file, delivered.replace(line, &line.replace("札幌市", "霞関市"))).unwrap();
    let before = place.json(&["status"]);
    let (code, closed, _) = test(&place);
    assert_eq!(code, Some(1));
    let of = |mail: u64| closed["items"].as_array().unwrap().iter().find(|item| item["mail"] == mail).unwrap().clone();
    let (sapporo, unknown) = (of(1), of(2));
    assert_eq!(
        (&sapporo["before"]["disposition"], &sapporo["after"]["disposition"]),
        (&"registered".into(), &"review".into())
    );
    assert_eq!((&sapporo["before"]["authority"], &sapporo["after"]["authority"]), (&"011002".into(), &Value::Null));
    assert_eq!(sapporo["after"]["reasons"], serde_json::json!(["unknown-authority"]));
    assert_eq!(sapporo["before"]["tenants"], sapporo["after"]["tenants"]);
    assert_eq!((&unknown["before"]["authority"], &unknown["after"]["authority"]), (&Value::Null, &"011002".into()));
    assert_eq!(unknown["after"]["disposition"], "registered");
    let human = text(&place.annai(&["rules", "test", "--rules", "rules"]).stdout);
    assert!(human.contains("  扱い：registered → review\n") && human.contains("5通を読み直し"), "{human}");
    assert_eq!(place.json(&["status"]), before, "nothing was changed");

    let running = Running::start(&place);
    assert_eq!(test(&place).1, closed, "the daemon says the same");
    running.stop();

    std::fs::write(&file, "code,name\n1,x\n").unwrap();
    let (code, _, said) = test(&place);
    assert_eq!(code, Some(2));
    assert!(said.contains("authorities.csv:2:"), "{said}");
}

/// The mails of the reading's own tests are fixtures in the same form.
#[test]
fn fixtures_pair_a_mail_with_its_reading() {
    let place = Place::new();
    let mails = data("reading");
    let output = place.annai(&["rules", "test", "--fixtures", mails.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
}
