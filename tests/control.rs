//! The verbs of staff as a user runs them: the real binary against the socket of a running daemon and against the closed
//! store of the same state, which must say the same.
#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "control/edges.rs"]
mod edges;
#[path = "control/jobs.rs"]
mod jobs;
#[path = "control/place.rs"]
mod place;
#[path = "control/retest.rs"]
mod retest;
#[path = "control/review.rs"]
mod review;
#[path = "control/trust.rs"]
mod trust;

use annai::daemon::assembly;
use annai::workflow::delivery::{Outcome, Reply};
use place::{LOOKED, Place, Running, at, text};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

/// Everything that only looks.
const QUESTIONS: &[&[&str]] = &[
    &["status"],
    &["queue"],
    &["queue", "list", "--all", "--limit", "2"],
    &["queue", "list", "--all", "--after", "2"],
    &["queue", "list", "--state", "planned"],
    &["queue", "list", "--tenant", "011002-00"],
    &["queue", "show", "1"],
    &["review"],
    &["review", "list", "--limit", "1"],
    &["review", "show", "2"],
    &["review", "show", "2", "--authority", "131032"],
    &["review", "show", "4"],
    &["tenant"],
    &["tenant", "list", "--state", "registered"],
    &["tenant", "list", "--find", "札幌"],
    &["tenant", "list", "--limit", "1"],
    &["tenant", "show", "011002-00"],
    &["tenant", "history", "011002-01"],
    &["tenant", "domains"],
    &["invite"],
    &["invite", "list", "--state", "registered"],
    &["review", "draft", "2"],
    &["forecast"],
    &["forecast", "--until", "2020-05-12"],
    &["audit", "tail"],
    &["audit", "tail", "-n", "2", "--tenant", "011002-00"],
    &["audit", "verify"],
];
/// What is refused: arguments, exit code, the sentence.
const REFUSED: &[(&[&str], i32, &str)] = &[
    (&["queue", "show", "999"], 1, "annai: there is no mail 999 in the outbox\n"),
    (&["queue", "release", "1"], 1, "annai: not held\n"),
    (&["review", "show", "99"], 1, "annai: there is no mail 99 in the inbox\n"),
    (&["review", "accept", "1"], 1, "annai: this mail is not waiting for a decision\n"),
    (
        &["review", "accept", "2"],
        2,
        "annai: look at it first: annai review show 2; it ends with the command that registers what it shows\n",
    ),
    (
        &["review", "accept", "2", "--authority", "131032", "--shown", "0123456789ab"],
        1,
        "annai: this mail reads differently than what was shown, or would change something else; look again: annai review show 2 --authority 131032\n",
    ),
    (
        &["review", "ask", "4"],
        1,
        "annai: no letter may go to this sender: it was asked already, had enough answers today, or is a program; write by hand\n",
    ),
    (&["review", "close", "1", "--reason", "x"], 1, "annai: a mail in review is accepted or rejected, not closed\n"),
    (&["review", "reject", "2", "--reason", " "], 2, "annai: a reason is needed; give another value\n"),
    (&["tenant", "show", "131032-00"], 1, "annai: there is no tenant 131032-00\n"),
    (
        &["tenant", "revoke", "011002-00", "--reason", "key-compromise"],
        1,
        "annai: no certificate of this generation is in use\n",
    ),
    (
        &["queue", "list", "--state", "sent"],
        2,
        "annai: there is no state sent (there are planned, in-flight, relayed, deferred, refused, bounced, unknown, held, withdrawn); give another value\n",
    ),
    (
        &["forecast", "--until", "2020-05-06"],
        2,
        "annai: 2020-05-06 is not within the next 400 days; give another value\n",
    ),
];

impl Place {
    /// Every question, as JSON and as a table.
    fn answers(&self) -> Vec<(Value, String)> {
        let human = |args: &[&str]| {
            let output = self.annai(args);
            assert!(output.status.success() && output.stderr.is_empty(), "{args:?}: {}", text(&output.stderr));
            text(&output.stdout)
        };
        QUESTIONS.iter().map(|args| (self.json(args), human(args))).collect()
    }

    fn refusals(&self) {
        for (args, exit, sentence) in REFUSED {
            let output = self.annai(args);
            assert_eq!(text(&output.stderr), *sentence, "{args:?}");
            assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(*exit), true), "{args:?}");
        }
    }
}

/// What a terminal would act on: control characters but the line end, and marks that turn the writing direction.
fn is_hostile(c: char) -> bool {
    (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c)
}

#[test]
fn the_socket_and_the_closed_store_say_the_same() {
    let place = Place::new();
    let closed = place.answers();
    place.refusals();

    let running = Running::start(&place);
    let open = place.answers();
    place.refusals();
    let second = place.annai(&["serve", "--once"]);
    let said = text(&second.stderr);
    assert_eq!(second.status.code(), Some(1));
    assert!(said.starts_with("annai: another annai (pid ") && said.contains("is using this state directory"), "{said}");
    running.stop();
    assert!(!place.path("state/annai.sock").exists());

    for ((args, mut closed), mut open) in QUESTIONS.iter().zip(closed).zip(open) {
        if args == &["status"] {
            assert_eq!(closed.0["daemon"], Value::Null);
            assert!(open.0["daemon"].is_object());
            (closed.0["daemon"], closed.1) = (Value::Null, String::new());
            (open.0["daemon"], open.1) = (Value::Null, String::new());
        }
        assert_eq!(closed, open, "{args:?}");
        assert!(!closed.1.contains(is_hostile), "{args:?}: {:?}", closed.1);
    }
}

#[test]
fn what_staff_see() {
    let place = Place::new();
    let status = place.json(&["status"]);
    assert_eq!(status["mails"]["registered"], 2, "{status}");
    assert_eq!(status["mails"]["review"], 2, "{status}");
    assert_eq!(status["mails"]["inquiry"], 1);
    assert_eq!((&status["mailbox"]["filed"], &status["matters"]["open"]), (&5.into(), &3.into()));
    assert_eq!(status["rules"]["registered"], 2);

    // What the hostile mail says is there, but a terminal is never told to do anything.
    let output = place.annai(&["review", "show", "4", "--json"]);
    assert!(text(&output.stdout).contains("\\u001b[31m") || text(&output.stdout).contains("悪意"));
    assert!(!text(&output.stdout).contains(is_hostile));

    let show = place.json(&["review", "show", "2", "--authority", "131032"]);
    assert_eq!(show["reasons"][0]["code"], "unknown-authority");
    assert_eq!(show["changes"][0]["change"], "added");
    assert_eq!(place.json(&["review", "show", "2"])["changes"], Value::Array(Vec::new()));

    let pages = (place.json(&["tenant", "list", "--limit", "1"]), place.json(&["tenant"]));
    let next = pages.0["next"].as_str().unwrap();
    assert_eq!(place.json(&["tenant", "list", "--after", next])["items"][0], pages.1["items"][1]);

    let history = text(&place.annai(&["tenant", "history", "011002-00"]).stdout);
    assert!(history.contains("メール1を受信しました：登録"), "{history}");
    assert!(history.contains("「疎通確認」を作成しました"), "{history}");
}

#[test]
fn a_forecast_follows_the_schedule() {
    let place = Place::new();
    let forecast = place.json(&["forecast"]);
    let letters = |day: &str, kind: &str| {
        let days = forecast["days"].as_array().unwrap();
        days.iter().find(|d| d["day"] == day).map_or(0, |d| d["letters"][kind].as_u64().unwrap_or(0))
    };
    let tenants = place.json(&["tenant"])["items"].as_array().unwrap().len() as u64;
    assert_eq!(letters("2020-05-07", "welcome"), tenants);
    assert_eq!(letters("2020-05-08", "certificate-notice"), tenants, "{forecast}");
    assert_eq!(letters("2020-05-08", "pickup-password"), tenants);
    assert_eq!(letters("2020-05-11", "credentials"), tenants);
    // 7 June minus 14 days is a Sunday: the reminder comes on the Friday before.
    assert_eq!(letters("2020-05-22", "reminder"), tenants);
    assert_eq!(forecast["cut_short"], false);
}

/// The certificate notice stands in the queue: staff see everything of it but the secret.
#[test]
fn a_letter_with_a_secret_stays_sealed() {
    let place = Place::new();
    let reply = Reply::new(250, "2.0.0 ok");
    for now in ["2020-05-07T16:00:00+09:00", "2020-05-08T16:15:00+09:00"] {
        let mut engine = assembly::engine(&place.config(), at(now)).unwrap();
        engine.wake(100).unwrap();
        while let leases @ [_, ..] = &engine.lease(1).unwrap()[..] {
            for lease in leases.iter().filter(|_| now < "2020-05-08") {
                engine.answered(lease.row, &Outcome::Relayed { reply: reply.clone() }).unwrap();
            }
        }
        engine.commit().unwrap();
    }
    // The second engine took every notice and ended without an answer: a crash in the middle.
    let notices = place.json(&["queue", "list", "--state", "in-flight"]);
    let notice = notices["items"][0].clone();
    assert_eq!(notice["letter"], "certificate-notice", "{notices}");
    let row = notice["row"].to_string();
    let shown = place.json(&["queue", "show", &row]);
    assert_eq!((&shown["sealed"], &shown["body"]), (&true.into(), &Value::Null));
    assert!(shown["header"].as_str().unwrap().contains("Message-ID:"));
    let human = text(&place.annai(&["queue", "show", &row]).stdout);
    assert!(human.contains("本文は封印されています"), "{human}");
    for output in [human, shown.to_string(), text(&place.annai(&["audit", "tail"]).stdout)] {
        assert!(!output.contains("pickup.example.jp"), "{output}");
    }
}

#[test]
fn staff_act_through_the_daemon_and_without() {
    let place = Place::new();
    let running = Running::start(&place);
    assert_eq!(place.json(&["queue", "hold", "1", "--reason", "電話で確認中"])["state"], "held");
    let answers = |item: Value| item["answers"].as_array().unwrap().len();
    assert_eq!(answers(place.json(&["review", "ask", "2"])), answers(place.json(&["review", "show", "4"])) + 1);
    assert_eq!(place.accept("2", &["--authority", "131032"])["disposition"]["disposition"], "revision");
    assert_eq!(place.json(&["review", "reread", "4"])["disposition"]["disposition"], "review");
    let cancelled = place.json(&["tenant", "cancel", "011002-01", "--reason", "統合のため"]);
    assert_eq!(cancelled["state"], "cancelled");
    running.stop();

    // A released letter has its whole retry time again.
    assert!(place.json(&["queue", "show", "1"])["first_attempt"].is_string());
    assert_eq!(place.json(&["queue", "release", "1"])["first_attempt"], Value::Null);
    assert_eq!(place.json(&["queue", "retry", "1"])["state"], "planned");
    assert_eq!(place.json(&["queue", "withdraw", "1", "--reason", "不要"])["state"], "withdrawn");
    assert_eq!(place.json(&["review", "reject", "4", "--reason", "不審"])["disposition"]["disposition"], "rejected");

    let inquiry = place.json(&["review"])["items"][0]["matter"].to_string();
    assert_eq!(place.json(&["review", "close", &inquiry, "--reason", "回答済み"])["closed"], true);
    assert_eq!(place.json(&["status"])["matters"]["open"], 0);

    // Several at once are only shown; then each is tried and told.
    let several = ["tenant", "reissue", "011002-01", "131032-00", "011002-77", "--reason", "lost"];
    let shown = place.annai(&[&several[..], &["--json"]].concat());
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!((&shown["dry_run"], &shown["failed"]), (&true.into(), &1.into()));
    assert_eq!(place.json(&["tenant", "show", "011002-01"])["generation"], 1);
    let applied = place.annai(&[&several[..], &["--apply", "--json"]].concat());
    assert_eq!(applied.status.code(), Some(1));
    let applied: Value = serde_json::from_slice(&applied.stdout).unwrap();
    assert_eq!((&applied["done"], &applied["failed"]), (&2.into(), &1.into()));
    assert_eq!(place.json(&["tenant", "show", "011002-01"])["generation"], 2);

    let who = text(&Command::new("id").arg("-un").output().unwrap().stdout);
    let tail = place.json(&["audit", "tail"]);
    let actors: Vec<_> = tail.as_array().unwrap().iter().map(|line| line["entry"]["actor"].as_str().unwrap()).collect();
    assert_eq!(actors.last(), Some(&format!("staff:{}", who.trim()).as_str()));
    assert_eq!(actors.iter().filter(|actor| actor.starts_with("staff:")).count(), 12, "{actors:?}");
    assert_eq!(place.json(&["audit", "verify"])["faults"], Value::Array(Vec::new()));
}

#[test]
fn backup_restore_and_the_exported_journal() {
    let place = Place::new();
    let running = Running::start(&place);
    let backup = place.json(&["backup", "through.backup"]);
    let export = place.json(&["audit", "export", "journal.jsonl"]);
    running.stop();
    for name in ["through.backup", "journal.jsonl"] {
        let mode = std::fs::metadata(place.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
        let again = place.annai(&["backup", name]);
        assert_eq!(again.status.code(), Some(2));
        assert!(text(&again.stderr).contains("exists already and is never overwritten"), "{}", text(&again.stderr));
    }
    assert_eq!(place.json(&["backup", "closed.backup"])["sha256"], backup["sha256"]);

    let into_full = place.annai(&["restore", "through.backup", "--into", "secrets"]);
    assert_eq!(into_full.status.code(), Some(1));
    let whole = std::fs::read(place.path("through.backup")).unwrap();
    std::fs::write(place.path("half.backup"), &whole[..whole.len() / 2]).unwrap();
    let half = place.annai(&["restore", "half.backup", "--into", "again"]);
    assert!(text(&half.stderr).contains("no complete annai backup"), "{}", text(&half.stderr));
    let restored = place.json(&["restore", "through.backup", "--into", "again"]);
    assert_eq!((&restored["rows"], &restored["journal"]), (&backup["rows"], &backup["journal"]));
    let before = place.json(&["tenant"]);
    std::fs::rename(place.path("state"), place.path("old")).unwrap();
    std::fs::rename(place.path("again"), place.path("state")).unwrap();
    assert_eq!(place.json(&["tenant"]), before);

    let verified = place.json(&["audit", "verify", "journal.jsonl"]);
    assert_eq!((&verified["anchor"], &verified["entries"]), (&export["anchor"], &export["entries"]));
    let whole = std::fs::read_to_string(place.path("journal.jsonl")).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let altered = whole.replacen("札幌市", "札榥市", 1);
    let missing = [&lines[..1], &lines[2..]].concat().join("\n");
    let cut = lines[..lines.len() - 1].join("\n");
    for (broken, fault) in
        [(altered, "was altered"), (missing, "entry 3 follows entry 1"), (cut, "something is missing")]
    {
        std::fs::write(place.path("broken.jsonl"), broken).unwrap();
        let output = place.annai(&["audit", "verify", "broken.jsonl"]);
        assert_eq!(output.status.code(), Some(1), "{fault}");
        assert!(text(&output.stdout).contains(fault), "{fault}: {}", text(&output.stdout));
    }
}

#[test]
fn what_is_no_request_is_refused_and_what_a_killed_daemon_left_does_no_harm() {
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::net::{UnixListener, UnixStream};
    let place = Place::new();
    // A socket without a listener, as kill -9 leaves it.
    drop(UnixListener::bind(place.path("state/annai.sock")).unwrap());
    assert_eq!(place.json(&["status"])["daemon"], Value::Null);
    let running = Running::start(&place);
    let ask = |line: &[u8]| {
        let mut stream = UnixStream::connect(place.path("state/annai.sock")).unwrap();
        stream.write_all(line).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        answer
    };
    for line in [
        &b"{}\n"[..],
        b"\xff\n",
        b"{\"request\":\"act\",\"who\":\"root\"}\n",
        b"{\"request\":\"status\"",
        &vec![b'x'; 65536],
    ] {
        let answer: Value = serde_json::from_str(&ask(line)).unwrap();
        assert_eq!(answer["exit"], 2, "{answer}");
        assert!(answer["error"].is_string());
    }
    assert_eq!(ask(b""), "");
    assert!(ask(b"{\"request\":\"status\"}\n").starts_with("{\"ok\":{"));
    let relative = ask(b"{\"request\":\"backup\",\"path\":\"here\"}\n");
    assert!(relative.contains("no absolute path"), "{relative}");
    running.stop();
}

#[test]
fn a_closed_output_is_no_fault() {
    let place = Place::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_annai"));
    command.args(["audit", "tail", "--config"]).arg(place.path("annai.toml")).env("ANNAI_NOW", LOOKED);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
}
