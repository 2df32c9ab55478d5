//! The real binary as a user runs it. Cases are data (`tests/data/cli/cases.toml`); what needs several steps is here.
//! `ANNAI_BLESS=1` writes the help snapshot anew for review.
#![cfg(feature = "daemon")]

use annai::config::Config;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Files made in {tmp} before.
    #[serde(default)]
    files: BTreeMap<String, String>,
    exit: i32,
    stdout: Option<String>,
    stderr: String,
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cli")
}

fn annai(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_annai"));
    for name in ["ANNAI_CONFIG", "ANNAI_NOW", "ANNAI_SEED", "ANNAI_LOG", "COLUMNS"] {
        command.env_remove(name);
    }
    command.args(args).current_dir(data()).stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn check(case: &Case) {
    let tmp = tempfile::tempdir().unwrap();
    let fill = |t: &str| t.replace("{tmp}", &tmp.path().display().to_string());
    for (name, content) in &case.files {
        std::fs::write(tmp.path().join(name), content).unwrap();
    }
    let args: Vec<String> = case.args.iter().map(|a| fill(a)).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let output = annai(&args).envs(&case.env).output().unwrap();
    assert_eq!(text(&output.stderr), fill(&case.stderr), "{}: stderr", case.name);
    assert_eq!(output.status.code(), Some(case.exit), "{}: exit code", case.name);
    match case.stdout.as_deref() {
        Some("") => assert!(output.stdout.is_empty(), "{}: stdout", case.name),
        Some(part) => assert!(text(&output.stdout).contains(&fill(part)), "{}: {}", case.name, text(&output.stdout)),
        None => {}
    }
    let left = std::fs::read_dir(tmp.path()).unwrap().count();
    assert_eq!(left, case.files.len(), "{}: something was written", case.name);
}

#[test]
fn cases() {
    let cases: Cases = toml::from_str(&std::fs::read_to_string(data().join("cases.toml")).unwrap()).unwrap();
    cases.case.iter().for_each(check);
}

#[test]
fn help_is_as_reviewed() {
    let mut help = String::new();
    let verbs = [
        "", "serve", "read", "init", "doctor", "status", "queue", "review", "tenant", "invite", "ca", "forecast",
        "rules", "template", "audit", "backup", "restore", "demo",
    ];
    for verb in verbs {
        let args: Vec<&str> = [verb, "--help"].into_iter().filter(|a| !a.is_empty()).collect();
        let output = annai(&args).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        help.push_str(&format!("$ annai {}\n{}\n", args.join(" "), text(&output.stdout)));
    }
    let snapshot = data().join("help.txt");
    if std::env::var_os("ANNAI_BLESS").is_some() {
        std::fs::write(&snapshot, &help).unwrap();
    }
    assert_eq!(help, std::fs::read_to_string(snapshot).unwrap());
}

#[test]
fn wrong_usage_exits_with_2() {
    for args in [&["sevre"][..], &[], &["read"], &["demo", "--listen", "0.0.0.0"], &["tenant", "show", "港区"]] {
        let output = annai(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn init_writes_what_loads_and_never_again() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("new/place");
    let dir_text = dir.display().to_string();
    assert!(annai(&["init", &dir_text]).output().unwrap().status.success());

    let config = Config::load(&dir.join("annai.toml")).unwrap();
    assert_eq!(config.keys.unzip_password().unwrap().reveal(), "kikokuFU2020");
    assert_eq!(config.rules_dir, Some(dir.join("rules")));
    let mode = |name: &str| std::fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("secrets"), mode("ca")), (0o700, 0o700));
    assert_eq!((mode("secrets/master.key"), mode("secrets/unzip-password")), (0o600, 0o600));

    let config_text = dir.join("annai.toml").display().to_string();
    assert!(annai(&["rules", "check", "--config", &config_text]).output().unwrap().status.success());

    assert!(annai(&["template", "check", "--config", &config_text]).output().unwrap().status.success());
    let letter = annai(&["template", "preview", "pickup-password", "--config", &config_text]).output().unwrap();
    assert!(
        text(&letter.stdout).contains("クライアント証明書取得用パスワードの送付（厚生労働省）"),
        "{}",
        text(&letter.stderr)
    );

    let key = std::fs::read(dir.join("secrets/master.key")).unwrap();
    let again = annai(&["init", &dir_text]).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("master.key exists already"));
    assert_eq!(std::fs::read(dir.join("secrets/master.key")).unwrap(), key);
}

/// Every setting that `init` writes as a comment must load when the comment sign is taken off.
#[test]
fn every_commented_setting_is_a_real_one() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("a");
    assert!(annai(&["init", &dir.display().to_string()]).output().unwrap().status.success());
    let path = dir.join("annai.toml");
    let written = std::fs::read_to_string(&path).unwrap();
    let setting = |l: &str| {
        l.strip_prefix("# ").is_some_and(|l| {
            l.split_once(" = ")
                .is_some_and(|(k, _)| k.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'))
        })
    };
    let open: Vec<&str> = written
        .lines()
        .map(|l| if setting(l) && !l.contains("oauth2_token_file") { l.trim_start_matches("# ") } else { l })
        .collect();
    std::fs::write(&path, open.join("\n")).unwrap();
    let config = Config::load(&path).unwrap();
    assert!(config.smtp.dkim.is_some() && config.web.gate_listen.is_some() && config.mail.hours.is_some());
}

#[test]
fn doctor_tells_what_is_missing_and_what_is_open() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("a");
    assert!(annai(&["init", &dir.display().to_string()]).output().unwrap().status.success());
    let config = dir.join("annai.toml").display().to_string();
    let doctor = || annai(&["doctor", "--offline", "--json", "--config", &config]).output().unwrap();
    let level = |output: &Output, part: &str| {
        let found = lines(output).into_iter().find(|l| l["what"].as_str().unwrap().contains(part));
        found.unwrap_or_else(|| panic!("{part}: {}", text(&output.stdout)))["level"].as_str().unwrap().to_owned()
    };

    let first = doctor();
    assert_eq!(first.status.code(), Some(1), "no password file yet");
    assert_eq!(level(&first, "imap-password"), "FAIL");
    assert_eq!(level(&first, "master key"), "OK");
    assert_eq!(level(&first, "ZIP password"), "WARN");

    let password = dir.join("secrets/imap-password");
    std::fs::write(&password, "correct horse\n").unwrap();
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(level(&doctor(), "imap-password"), "OK");

    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::set_permissions(dir.join("state"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let open = doctor();
    assert_eq!((level(&open, "imap-password"), level(&open, "state directory")), ("WARN".into(), "FAIL".into()));
    assert!(!text(&open.stdout).contains("correct horse"));
}

#[test]
fn read_keeps_one_line_per_file_in_order() {
    let mut files: Vec<String> = Vec::new();
    for _ in 0..40 {
        files.extend(
            ["mails/registration.eml", "mails/garbage.eml", "none.eml", "mails", "mails/empty.eml"].map(str::to_owned),
        );
    }
    let mut args = vec!["read", "--json"];
    args.extend(files.iter().map(String::as_str));
    let output = annai(&args).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "some files cannot be read");
    let names: Vec<String> = lines(&output).iter().map(|l| l["file"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, files);
    assert_eq!(text(&output.stderr).lines().count(), 80);
    let missing = &lines(&output)[2];
    assert_eq!(missing["reasons"], serde_json::json!(["unreadable"]));
    assert_eq!(missing["review"], true);
}

#[test]
fn read_takes_standard_input() {
    let mail = std::fs::read(data().join("mails/registration.eml")).unwrap();
    let mut child = annai(&["read", "--json", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&mail).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(lines(&output)[0]["file"], "-");
}

/// A configuration that only lies around must not keep mails from being read; one that was named must be in order.
#[test]
fn read_answers_beside_a_broken_configuration() {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::write(tmp.path().join("annai.toml"), "nonsense = 1\n").unwrap();
    let mail = data().join("mails/registration.eml").display().to_string();
    let read = |more: &[&str]| annai(&[&["read", "--json", &mail], more].concat()).current_dir(&tmp).output().unwrap();
    let beside = read(&[]);
    assert_eq!((beside.status.code(), lines(&beside).len()), (Some(0), 1));
    let said = text(&beside.stderr);
    assert!(said.lines().count() == 1 && said.contains("the built-in rules are used"), "{said}");
    let named = read(&["--config", "annai.toml"]);
    assert_eq!((named.status.code(), lines(&named).len()), (Some(2), 0));
}

#[test]
fn no_mail_reaches_the_terminal_raw() {
    let output = annai(&["read", "mails/escape.eml", "mails/garbage.eml"]).output().unwrap();
    assert!(output.status.success());
    assert!(text(&output.stdout).chars().all(|c| c == '\n' || !c.is_control()));
}

#[test]
fn rules_are_tried_on_samples() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().display().to_string();
    std::fs::copy(data().join("mails/registration.eml"), tmp.path().join("a.eml")).unwrap();
    let test = |more: &[&str]| {
        annai(&[&["rules", "test", "--fixtures", dir.as_str()], more].concat()).output().unwrap().status.code()
    };
    assert_eq!(test(&[]), Some(1), "nothing to compare with");
    assert_eq!(test(&["--record"]), Some(0));
    assert_eq!(test(&[]), Some(0));
    std::fs::write(tmp.path().join("a.json"), "{\"kind\": \"spam\"}").unwrap();
    assert_eq!(test(&[]), Some(1));
}

#[test]
fn read_understands_a_registration() {
    let output = annai(&["read", "--json", "mails/registration.eml"]).output().unwrap();
    let read = &lines(&output)[0];
    assert_eq!((read["kind"].as_str(), read["authority"]["code"].as_str()), (Some("registration"), Some("011002")));
    assert_eq!(read["centres"][0]["address"], "hokenjo@city.sapporo.jp");
}

/// A mail in a mail in a mail …: the parser recurses, and a stack that overflows would take the whole process with it.
#[test]
fn nesting_takes_nobody_down() {
    let tmp = tempfile::tempdir().unwrap();
    let forwarded = "Content-Type: message/rfc822\r\n\r\n".repeat(100_000);
    let mut parts = String::new();
    for depth in 0..20_000 {
        parts.push_str(&format!("Content-Type: multipart/mixed; boundary=b{depth}\r\n\r\n--b{depth}\r\n"));
    }
    for (name, bytes) in [("forwarded.eml", &forwarded), ("parts.eml", &parts)] {
        std::fs::write(tmp.path().join(name), bytes).unwrap();
    }
    let path = |name: &str| tmp.path().join(name).display().to_string();
    let files = [path("forwarded.eml"), path("parts.eml"), "mails/registration.eml".to_owned()];
    let output = annai(&["read", "--json", &files[0], &files[1], &files[2]]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let kinds: Vec<Value> = lines(&output).into_iter().map(|l| l["review"].clone()).collect();
    assert_eq!(kinds, [true, true, false]);
}
