//! The two lists that leave this house for other people's spreadsheets: user ids with hashes for the system they open, and the
//! ministry's list of authorities. Every payload that may be a name at all is one here, even though a person had to let it in.

use crate::alive::{assert_clean, assert_no_formula};
use crate::mails::{MARK, PAYLOADS};
use crate::support::local::Local;
use crate::support::place::said;
use crate::world::{relayed, setup, world};
use annai::config::{Config, TestOverrides};
use annai::daemon::assembly;
use annai::domain::MailNo;
use annai::engine::filing::Arrived;
use annai::engine::staff::Verb;
use annai::letters::Period;
use annai::reading::{Proposal, ProposedCentre, Reason, read};
use annai::rules::RuleFiles;
use annai::workflow::cursor::Cursor;
use base64::prelude::{BASE64_STANDARD, Engine as _};

const NOW: &str = "2020-05-11T10:00:00+09:00";
const DOUBTFUL: &str = "From: hoken@pref.tottori-mihon.lg.jp\r\nTo: covid19@bigtreetc.com\r\nSubject: =?utf-8?B?6bO05Y+W55yM?=\r\n\
    MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
    <自治体（保健所設置主体）>\r\n鳥取県 head@pref.tottori-mihon.lg.jp\r\n\r\n<保健所>\r\n謎の保健所 a@b@c\r\n";

/// Payloads a person could accept as a name.
fn names() -> Vec<String> {
    let plain = |name: &&str| !name.chars().any(char::is_control) && !name.trim().is_empty();
    let named = PAYLOADS.into_iter().filter(plain).enumerate().map(|(no, name)| format!("{name}{no}"));
    named.map(|name| name.chars().take(60).collect()).collect()
}

#[test]
fn user_ids_leave_for_a_spreadsheet() {
    let names = names();
    assert!(names.len() > 20);
    let local = Local::start();
    let config = Config::load(&local.place.file("annai.toml")).unwrap();
    let overrides = TestOverrides { now: Some(NOW.parse().unwrap()), seed: Some(1) };
    let mut engine = assembly::engine(&config, overrides).unwrap();
    let reading = read(DOUBTFUL.as_bytes(), &engine.setup().rules);
    let mail = Arrived { uid: 1, raw: DOUBTFUL.as_bytes().to_vec(), truncated: false, reading };
    engine.file(Cursor { uid_validity: 1, uid_next: 2 }, vec![mail]).unwrap();
    let address = |name: &str| Some(format!("{name}@pref.tottori-mihon.lg.jp").parse().unwrap());
    let centre =
        |(no, name): (usize, &String)| ProposedCentre { name: name.clone(), address: address(&format!("c{no}")) };
    let proposal = Proposal {
        authority: Some("310000".parse().unwrap()),
        address: address("head"),
        centres: names.iter().enumerate().map(centre).collect(),
    };
    let (reason, despite) = ("試験".to_owned(), Reason::ALL.to_vec());
    let shown = Some(engine.view().mail(MailNo(1), None).unwrap().shown);
    engine.act("root", &Verb::AcceptEdited { mail: MailNo(1), proposal, reason, despite, shown }).unwrap();
    engine.commit().unwrap();
    drop(engine);

    let file = local.place.file("ids.csv");
    let export = ["tenant", "export", "--credentials", file.to_str().unwrap()];
    let run = said(&mut local.place.command(NOW, &export));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_clean("what the command says", &run.stdout);
    let text = std::fs::read_to_string(&file).unwrap();
    // A program reads this list too, so it begins with its head and not with a mark.
    assert!(text.starts_with("tenant,name,user_id,password_hash\r\n"), "{}", &text[..60]);
    assert_eq!(assert_no_formula("credentials", &format!("\u{feff}{text}")), names.len() + 1);
    assert!(text.matches(MARK).count() >= names.len() && text.matches("$argon2id$").count() == names.len() + 1);
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    // What stands there is not written over.
    assert_ne!(said(&mut local.place.command(NOW, &export)).code, Some(0));
}

#[test]
fn the_ministrys_list_is_for_a_spreadsheet() {
    let mut files = RuleFiles::embedded();
    let authorities = files.0.get_mut("authorities.csv").unwrap();
    let mut taken = names().into_iter().filter(|name| !name.contains('"'));
    let mut put = 0;
    *authorities = authorities
        .lines()
        .map(|line| {
            let Some((code, rest)) = line.split_once(',') else { return format!("{line}\n") };
            let name = rest.split(',').next().unwrap();
            // 鳥取県 keeps its name: its registration is read.
            if code == "310000" || !code.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() {
                return format!("{line}\n");
            }
            let Some(hostile) = taken.next() else { return format!("{line}\n") };
            put += 1;
            format!("{}\n", line.replacen(name, &format!("\"{hostile}\""), 1))
        })
        .collect();
    assert!(put > 20, "{put}");
    let mut world = world(2);
    world.deliver(|_| relayed());
    world.engine.reload(setup(&files)).unwrap();
    let (from, now) = (world.engine.reported(Period::Weekly).unwrap(), world.engine.now());
    let gathered = world.engine.survey().gather(from, now, &world.engine.setup().rules).unwrap();
    world.engine.report(Period::Weekly, &gathered).unwrap();
    let lease = world.engine.lease(1).unwrap().remove(0);
    let mail = String::from_utf8(lease.bytes.reveal().clone()).unwrap();
    let part = mail.split("text/csv").nth(1).unwrap().split_once("\r\n\r\n").unwrap().1;
    let encoded: String = part.lines().take_while(|line| !line.starts_with("--")).collect();
    let list = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).unwrap()).unwrap();
    let lines = assert_no_formula("weekly list", &list);
    assert_eq!(lines, world.engine.setup().rules.authorities.all().len());
    assert!(list.matches(MARK).count() >= put, "{list}");
}
