//! Planted canaries: everything secret that a whole course really used is looked for in all that annai leaves behind:
//! the state directory, logs at trace level, the exported journal, a backup (invariants I4 and I9).

#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "canaries/search.rs"]
mod search;
mod support;

use annai::sandbox::{Faults, SmtpFault, SmtpRule, SmtpStage, When};
use search::{Canary, Haystack};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use support::local::Local;
use support::place::{Place, Running, Said, said, sample};
use support::receiver::{Letter, SMTP_PASSWORD};

const URL: &str = "https://pickup.followup.mhlw.go.jp/p/";
/// 札幌市保健所.
const TENANT: &str = "011002-01";
const END: &str = "2020-06-01T12:00:00+09:00";
const UNZIP: &str = "Kaitou-9271-Canary";

#[test]
fn no_secret_is_left_anywhere() {
    let local = Local::start();
    local.place.secret("secrets/unzip-password", UNZIP);
    let logs = course(&local);
    let letters = local.receiver.letters();
    one_secret_per_letter(&letters);
    let canaries = canaries(&local, &letters);
    assert!(canaries.len() >= 3 + 3 * 4, "the secrets of at least four tenants: {}", canaries.len());

    let mut hay = Haystack::default();
    logs.into_iter().enumerate().for_each(|(no, log)| hay.add(&format!("log {no}"), log.into_bytes()));
    hay.add_tree(&local.place.file("state"));
    for (what, verb) in [("journal", &["audit", "export"][..]), ("backup", &["backup"])] {
        let file = local.place.file(what);
        let said = said(local.place.command(END, verb).arg(&file));
        assert_eq!(said.code, Some(0), "{what}: {}", said.stderr);
        hay.add(what, fs::read(file).unwrap());
    }
    for verb in
        [&["status"][..], &["tenant", "list"], &["tenant", "show", TENANT], &["tenant", "history", TENANT], &["queue"]]
    {
        for json in [&[][..], &["--json"]] {
            let said = said(local.place.command(END, verb).args(json).env("ANNAI_LOG", "trace"));
            assert_eq!(said.code, Some(0), "{verb:?}: {}", said.stderr);
            hay.add(&verb.join(" "), (said.stdout + &said.stderr).into_bytes());
        }
    }

    // The search sees: an address that may stand there is found in each of the four.
    let address = Canary::new("an address", "hokenjo@city.sapporo.mihon.lg.jp");
    let places = hay.find(&address);
    for place in ["state", "journal", "backup"] {
        assert!(places.iter().any(|found| found.contains(place)), "the search is blind in {place}: {places:?}");
    }
    let masked = hay.find(&Canary::new("a masked address", "h***@city.sapporo.mihon.lg.jp"));
    assert!(masked.len() >= 4 && masked.iter().all(|place| place.starts_with("log")), "{masked:?}");

    let found: Vec<String> = canaries
        .iter()
        .flat_map(|canary| hay.find(canary).into_iter().map(move |place| format!("{} in {place}", canary.what)))
        .collect();
    assert_eq!(found, Vec::<String>::new());
}

/// A course to its end, with trouble on the way; returns all logs.
fn course(local: &Local) -> Vec<String> {
    for name in ["sapporo.eml", "kochi.eml", "toyota.eml", "yokohama.eml"] {
        local.deliver(&sample(name));
    }
    let mut logs = Vec::new();
    for (no, now) in [
        "2020-04-20T10:00:00+09:00",
        "2020-05-01T09:00:00+09:00",
        "2020-05-01T09:30:00+09:00",
        "2020-05-11T09:00:00+09:00",
        "2020-05-29T09:00:00+09:00",
        "2020-06-01T09:00:00+09:00",
    ]
    .into_iter()
    .enumerate()
    {
        local.receiver.set_now(now);
        // The relay puts some letters off and hangs up after taking others.
        let rule = |at, when, act| SmtpRule { at, recipient: None, when, act };
        let smtp = vec![
            rule(SmtpStage::Rcpt, When::Nth(2), SmtpFault::Reply("451 4.7.1 Greylisted".to_owned())),
            rule(SmtpStage::FinalDot, When::Nth(4), SmtpFault::Close),
        ];
        local.receiver.office.set_faults(Faults { smtp, ..Faults::default() });
        local.place.set("log", "format", if no % 2 == 0 { "\"human\"" } else { "\"json\"" });
        logs.push(traced(&local.place, now));
        local.receiver.office.set_faults(Faults::default());
        let later = now.parse::<annai::domain::Timestamp>().unwrap().plus(120).rfc3339();
        logs.push(traced(&local.place, &later));
    }
    logs.push(refused(local));
    logs.push(served(local));
    logs
}

fn traced(place: &Place, now: &str) -> String {
    let said = run(place, now);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    said.stdout + &said.stderr
}

fn run(place: &Place, now: &str) -> Said {
    said(place.command(now, &["serve", "--once"]).env("ANNAI_LOG", "trace"))
}

/// A run that fails: the server knows another password.
fn refused(local: &Local) -> String {
    let now = "2020-06-01T10:00:00+09:00";
    local.place.secret("secrets/imap-password", &format!("{SMTP_PASSWORD}x"));
    let said = run(&local.place, now);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    local.place.secret("secrets/imap-password", SMTP_PASSWORD);
    said.stdout + &said.stderr
}

/// The daemon itself for a moment, with another mail.
fn served(local: &Local) -> String {
    let now = "2020-06-01T11:00:00+09:00";
    let running = Running::start(local.place.command(now, &["serve"]).env("ANNAI_LOG", "trace"));
    local.deliver(&sample("nagoya.eml"));
    local
        .receiver
        .wait_until("nagoya has an answer", |office| !office.mails("hoken@city.nagoya.mihon.lg.jp").is_empty());
    running.signal("TERM");
    let (code, log) = running.end();
    assert_eq!(code, Some(0), "{log}");
    log
}

/// Everything secret, from the letters as they arrived and the files as they lie there.
fn canaries(local: &Local, letters: &[Letter]) -> Vec<Canary> {
    let mut canaries = vec![
        Canary::new("IMAP and SMTP password", SMTP_PASSWORD),
        Canary::new("unzip password", UNZIP),
        Canary::bytes("master key", &master_key(&local.place.file("secrets/master.key"))),
    ];
    let mut kinds = BTreeMap::<&str, usize>::new();
    for letter in letters {
        for (kind, secret) in secrets(letter) {
            *kinds.entry(kind).or_default() += 1;
            canaries.push(Canary::new(&format!("{kind} of {}", letter.envelope_to), &secret));
        }
    }
    for kind in ["pick-up code", "pick-up password", "user password"] {
        // The relay cuts one off, and whether that one arrived nobody knows.
        assert!(kinds.get(kind).is_some_and(|count| *count >= 4), "{kind}: {kinds:?}");
    }
    canaries
}

/// The secrets in one letter.
fn secrets(letter: &Letter) -> Vec<(&'static str, String)> {
    let codes = letter.text.lines().filter_map(|line| line.trim().strip_prefix(URL));
    let mut found: Vec<_> = codes.map(|code| ("pick-up code", code.to_owned())).collect();
    if letter.subject.contains("クライアント証明書取得用パスワード") {
        found.push(("pick-up password", letter.below("◆証明書取得用パスワード").to_owned()));
    }
    for (name, zip) in letter.attachments.iter().filter(|(name, _)| name.ends_with(".zip")) {
        let unzip = annai::domain::Secret::new(UNZIP.to_owned());
        let opened = annai::letters::reopen_zip(zip, &unzip).unwrap_or_else(|e| panic!("{name}: {e}"));
        found.push(("user password", opened.password.reveal().clone()));
    }
    found
}

/// Never two of URL, password and credentials in one message, and none in a copy.
fn one_secret_per_letter(letters: &[Letter]) {
    let all: Vec<_> = letters.iter().flat_map(secrets).collect();
    for letter in letters {
        let own = secrets(letter);
        assert!(own.len() <= 1, "{} holds {} secrets", letter.subject, own.len());
        assert!(own.is_empty() || letter.cc.is_empty(), "{} has a copy", letter.subject);
        let raw = String::from_utf8_lossy(&letter.raw);
        let both = letter.text.clone() + &raw;
        let strange = all.iter().filter(|(_, secret)| !own.iter().any(|(_, mine)| mine == secret));
        for (kind, secret) in strange {
            assert!(!both.contains(secret.as_str()), "{} holds somebody else's {kind}", letter.subject);
        }
        assert!(!both.contains(UNZIP), "{} holds the unzip password", letter.subject);
    }
}

fn master_key(path: &Path) -> Vec<u8> {
    let text = fs::read_to_string(path).unwrap();
    let hex: String = text.lines().filter(|line| !line.starts_with('#')).flat_map(str::chars).collect();
    let digits: Vec<u8> = hex.chars().filter_map(|c| c.to_digit(16)).map(|d| u8::try_from(d).unwrap()).collect();
    assert_eq!(digits.len(), 64, "a key of 32 bytes");
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
}
