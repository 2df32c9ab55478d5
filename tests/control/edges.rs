//! What goes wrong around the verbs of staff: a store that is busy, a state that is not there, output that is piped.

use crate::place::{LOOKED, Place, text};
use serde_json::Value;
use std::process::{Command, Stdio};

#[test]
fn commands_at_the_same_time_wait_for_each_other() {
    let place = Place::new();
    let start = |_| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_annai"));
        command.args(["tenant", "--json", "--config"]).arg(place.path("annai.toml")).env("ANNAI_NOW", LOOKED);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = (0..6).map(start).collect();
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
}

#[test]
fn a_state_directory_without_a_state_is_no_empty_programme() {
    let place = Place::new();
    let config = std::fs::read_to_string(place.path("annai.toml")).unwrap();
    std::fs::write(place.path("annai.toml"), format!("state_dir = \"staet\"\n{config}")).unwrap();
    let output = place.annai(&["status"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("there is no state in ") && said.contains("staet; correct state_dir"), "{said}");
    assert!(!place.path("staet").exists(), "looking makes nothing");
}

#[test]
fn piped_tables_are_whole_and_those_of_a_terminal_keep_its_width() {
    let place = Place::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_annai"));
    command.args(["review", "--config"]).arg(place.path("annai.toml")).env("ANNAI_NOW", LOOKED).env_remove("COLUMNS");
    let piped = text(&command.output().unwrap().stdout);
    assert!(!piped.contains('…'), "{piped}");
    let narrow = text(&command.env("COLUMNS", "60").output().unwrap().stdout);
    assert!(narrow.contains('…') && narrow.lines().count() == piped.lines().count(), "{narrow}");
}

#[test]
fn the_journal_goes_to_standard_output() {
    let place = Place::new();
    let exported = place.annai(&["audit", "export", "-"]);
    assert!(exported.status.success(), "{}", text(&exported.stderr));
    place.json(&["audit", "export", "journal.jsonl"]);
    assert_eq!(exported.stdout, std::fs::read(place.path("journal.jsonl")).unwrap());
    let left: Vec<_> = std::fs::read_dir(place.path("state")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_str().unwrap().starts_with("export")) && !place.path("-").exists());
}

#[test]
fn a_failed_restore_leaves_nothing() {
    let place = Place::new();
    std::fs::write(place.path("garbage"), "no backup").unwrap();
    let output = place.annai(&["restore", "garbage", "--into", "new"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!place.path("new").exists());
}

#[test]
fn an_expired_tenant_is_one_that_has_expired_and_rules_are_named_right() {
    let place = Place::new();
    let reissue = |reason: &str| place.annai(&["tenant", "reissue", "011002-00", "--reason", reason]);
    let refused = reissue("expired");
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused.stdout));
    assert!(text(&refused.stdout).contains("has expired; give the reason"), "{}", text(&refused.stdout));
    assert_eq!(reissue("lost").status.code(), Some(0));

    std::fs::write(place.path("rules/sender.toml"), "").unwrap();
    let checked = place.annai(&["rules", "check", "rules"]);
    assert_eq!(checked.status.code(), Some(2));
    assert!(text(&checked.stderr).contains("sender.toml: no rules file has this name"), "{}", text(&checked.stderr));
}

#[test]
fn domains_are_shown_approved_and_taken_back() {
    let place = Place::new();
    assert_eq!(place.json(&["tenant", "domains"]), Value::Array(Vec::new()));
    let change = |more: &[&str]| place.annai(&[&["tenant", "domains", "131032"], more].concat());
    assert_eq!(change(&["--approve", "city.minato.tokyo.jp"]).status.code(), Some(2), "without a reason");
    assert!(change(&["--approve", "city.minato.tokyo.jp", "--reason", "名簿で確認"]).status.success());
    let known = place.json(&["tenant", "domains"]);
    assert_eq!((&known[0]["domain"], &known[0]["authority"]), (&"city.minato.tokyo.jp".into(), &"131032".into()));
    assert_eq!(change(&["--approve", "gmail.com", "--reason", "x"]).status.code(), Some(2));
    assert!(change(&["--forget", "city.minato.tokyo.jp", "--reason", "誤り"]).status.success());
    assert_eq!(place.json(&["tenant", "domains", "131032"]), Value::Array(Vec::new()));
}
