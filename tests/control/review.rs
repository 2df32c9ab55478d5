//! A mail in review: the draft, one's own words, and taking it over with changes.

use crate::place::{Place, Running, text};
use serde_json::Value;

impl Place {
    /// Looks at a mail and takes over what was shown.
    pub(crate) fn accept(&self, mail: &str, more: &[&str]) -> Value {
        let authority: Vec<&str> = more.iter().copied().take_while(|arg| *arg != "--edit").collect();
        let shown = self.json(&[&["review", "show", mail], &authority[..]].concat())["shown"].clone();
        self.json(&[&["review", "accept", mail, "--shown", shown.as_str().unwrap()], more].concat())
    }
}

fn refusal(place: &Place, args: &[&str], exit: i32) -> String {
    let output = place.annai(args);
    assert_eq!(output.status.code(), Some(exit), "{args:?}: {}", text(&output.stderr));
    text(&output.stderr)
}

#[test]
fn every_reason_has_its_line_and_the_draft_quotes_it() {
    let place = Place::new();
    let shown = place.json(&["review", "show", "2"]);
    assert_eq!(shown["reasons"][0]["code"], "unknown-authority");
    let line = shown["reasons"][0]["lines"][0].as_u64().unwrap();
    let written = shown["lines"].as_array().unwrap().iter().find(|l| l["no"] == line).unwrap()["text"].clone();
    let draft = place.json(&["review", "draft", "2"]);
    assert_eq!((&draft["letter"], &draft["unfinished"]), (&"ask-authority".into(), &false.into()));
    let body = draft["body"].as_str().unwrap();
    assert!(body.contains(&format!("> {}", written.as_str().unwrap().trim())), "{body}");
    assert!(body.contains("保健所を設置する自治体の名称を確認できませんでした。"), "{body}");
    // Looking changes nothing; asking sends exactly that.
    assert_eq!(place.json(&["review", "draft", "2"]), draft);
    let asked = place.json(&["review", "ask", "2"]);
    let row = asked["answers"].as_array().unwrap().last().unwrap().to_string();
    let letter = place.json(&["queue", "show", &row]);
    assert_eq!((&letter["letter"], &letter["subject"]), (&draft["letter"], &draft["subject"]));
    assert_eq!(letter["body"].as_str().unwrap().trim_end(), body.trim_end());
    assert!(refusal(&place, &["review", "ask", "2"], 1).contains("it was asked already"));
}

#[test]
fn staff_write_in_their_own_words() {
    let place = Place::new();
    let inquiry = place.json(&["review", "draft", "3"]);
    assert_eq!((&inquiry["letter"], &inquiry["unfinished"]), (&"ask-reply".into(), &true.into()));
    assert!(refusal(&place, &["review", "ask", "3"], 1).contains("no answer in it yet"));
    let draft = inquiry["body"].as_str().unwrap();
    std::fs::write(place.path("unfinished.txt"), draft).unwrap();
    assert!(refusal(&place, &["review", "ask", "3", "--text", "unfinished.txt"], 2).contains("the text still says"));
    std::fs::write(place.path("empty.txt"), "\n").unwrap();
    assert!(refusal(&place, &["review", "ask", "3", "--text", "empty.txt"], 2).contains("1 to 20000"));

    let own = draft.replace("【ここに回答を記入してください】", "端末は1台です。\u{202e}\u{1b}[31m");
    std::fs::write(place.path("own.txt"), own).unwrap();
    for times in 1..=2 {
        // Two letters of their own are two letters, never one twice.
        let sent = place.json(&["review", "ask", "3", "--text", "own.txt", "--subject", "端末の台数について"]);
        let rows = sent["answers"].as_array().unwrap();
        assert_eq!(rows.len(), times);
        let letter = place.json(&["queue", "show", &rows[times - 1].to_string()]);
        assert_eq!((&letter["about"], &letter["subject"]), (&"reply".into(), &"端末の台数について".into()));
        let body = letter["body"].as_str().unwrap();
        assert!(body.contains("端末は1台です。") && !body.contains(['\u{202e}', '\u{1b}']), "{body:?}");
    }
    let told = text(&place.annai(&["audit", "tail"]).stdout);
    assert!(told.contains("担当者が作成した文面を送りました"), "{told}");
}

#[test]
fn a_mail_is_taken_over_with_changes() {
    let place = Place::new();
    let running = Running::start(&place);
    let shown = place.json(&["review", "show", "2"]);
    let name = shown["proposal"]["centres"][0]["name"].as_str().unwrap().to_owned();
    let set = |address: &str| format!("{name}={address}");
    let looked = place.json(&["review", "show", "2", "--authority", "131032"])["shown"].as_str().unwrap().to_owned();
    let accept = ["review", "accept", "2", "--authority", "131032", "--shown", &looked];
    let with = |more: &[&str], set: &str| -> Vec<String> {
        accept.iter().copied().chain(["--set", set]).chain(more.iter().copied()).map(str::to_owned).collect()
    };
    let run = |args: &[String], exit: i32| refusal(&place, &args.iter().map(String::as_str).collect::<Vec<_>>(), exit);

    assert!(run(&with(&[], &set("a@city.minato.tokyo.jp")), 2).contains("--reason"), "a change needs its reason");
    assert!(run(&with(&["--reason", "電話で確認"], &set("a@b")), 2).contains("no domain name"));
    let doubted = run(&with(&["--reason", "電話で確認"], &set("minato@gmail.com")), 2);
    assert!(doubted.contains("free-mail") && doubted.contains("--despite"), "{doubted}");
    assert_eq!(place.json(&["review", "show", "2"])["disposition"]["disposition"], "review", "nothing was taken over");

    run(&with(&["--reason", "電話で確認", "--despite", "free-mail"], &set("minato@gmail.com")), 0);
    running.stop();
    let tenants = place.json(&["tenant", "list", "--find", "131032"]);
    let addresses: Vec<_> = tenants["items"].as_array().unwrap().iter().map(|t| t["address"].clone()).collect();
    assert!(addresses.contains(&Value::from("minato@gmail.com")), "{tenants}");
    let tail = place.json(&["audit", "tail"]);
    let lines = tail.as_array().unwrap();
    let edited = lines.iter().find(|line| line.to_string().contains("reading-edited")).unwrap();
    assert!(edited["entry"]["actor"].as_str().unwrap().starts_with("staff:"));
    let said = edited["entry"]["event"].to_string();
    assert!(said.contains("電話で確認") && said.contains("minato@gmail.com") && said.contains(&name), "{said}");
    assert_eq!(place.json(&["audit", "verify"])["faults"], Value::Array(Vec::new()));
}

/// The file is what `review show` gives, changed: another name, one health centre left out.
#[test]
fn the_proposal_is_a_file_to_be_changed() {
    let place = Place::new();
    let mut proposal = place.json(&["review", "show", "2"])["proposal"].clone();
    proposal["authority"] = "131032".into();
    proposal["centres"] = serde_json::json!([{"name": "みなと保健所", "address": proposal["centres"][0]["address"]}]);
    std::fs::write(place.path("edit.json"), proposal.to_string()).unwrap();
    let taken = place.accept("2", &["--edit", "edit.json", "--reason", "名称を訂正"]);
    assert_eq!(taken["disposition"]["disposition"], "revision");
    let names: Vec<_> = place.json(&["tenant", "list", "--find", "131032"])["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tenant| tenant["name"].clone())
        .collect();
    assert_eq!(names, ["港区", "みなと保健所"]);
    std::fs::write(place.path("edit.json"), "{\"centres\": 1}").unwrap();
    let edit = ["review", "accept", "2", "--edit", "edit.json", "--reason", "名称を訂正"];
    assert!(refusal(&place, &edit, 2).contains("edit.json"));
}

/// Between the look and the decision another person has taken a mail of the same authority over: what would be registered
/// now is not what was looked at, so nothing is, over the socket and on the closed store alike.
#[test]
fn only_what_was_looked_at_is_registered() {
    let place = Place::new();
    let running = Running::start(&place);
    let human = text(&place.annai(&["review", "show", "2", "--authority", "131032"]).stdout);
    let line = human.lines().find(|line| line.contains("annai review accept")).unwrap().trim().to_owned();
    let command: Vec<&str> = line.split(' ').skip(1).collect();
    assert_eq!(command[..5], ["review", "accept", "2", "--authority", "131032"], "{line}");
    // Meanwhile the same address came in with another mail, and was taken over.
    assert_eq!(place.accept("4", &["--authority", "131032"])["disposition"]["disposition"], "revision");
    let refused = refusal(&place, &command, 1);
    assert!(refused.contains("look again: annai review show 2 --authority 131032"), "{refused}");
    running.stop();
    assert!(refusal(&place, &command, 1).contains("look again"));
    assert_eq!(place.json(&["review", "show", "2"])["disposition"]["disposition"], "review");
    // Whoever looks again registers what they see.
    let human = text(&place.annai(&["review", "show", "2", "--authority", "131032"]).stdout);
    let line = human.lines().find(|line| line.contains("annai review accept")).unwrap().trim().to_owned();
    let done = place.annai(&line.split(' ').skip(1).collect::<Vec<_>>());
    assert!(done.status.success(), "{}", text(&done.stderr));
}
