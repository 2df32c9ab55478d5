//! The user's document, played through: registration on 20 April 2020, certificates from 1 May, credentials on 11 May,
//! the deadline on 31 May, and a new course afterwards.

use crate::officer::{Officer, closing, open_pages, serving};
use crate::support::flow::{Flow, Tls};
use crate::support::place::{returned, said, sample};
use crate::support::receiver::Letter;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

const FROM: &str = "noreply@followup.mhlw.go.jp";
const DESK: &str = "covid19@bigtreetc.com";
const MINISTRY: &str = "follow-up@mhlw.go.jp";
const NOTICE: &str = "【帰国者フォローアップシステム】クライアント証明書取得のお願い（厚生労働省）";
const PASSWORD: &str = "【帰国者フォローアップシステム】クライアント証明書取得用パスワードの送付（厚生労働省）";
const CREDENTIALS: &str = "【帰国者フォローアップシステム】ユーザID・パスワードの送付（厚生労働省）";
const URL: &str = "https://pickup.followup.mhlw.go.jp/p/";

/// Bounces on 1 May.
const SETO: &str = "seto@pref.aichi.mihon.lg.jp";
/// 札幌市保健所.
const CENTRE: &str = "011002-01";
const HOKENJO: &str = "hokenjo@city.sapporo.mihon.lg.jp";
const TENANTS: [&str; 11] = [
    "aki@pref.kochi.mihon.lg.jp",
    "first@city.nagoya.mihon.lg.jp",
    "hata@pref.kochi.mihon.lg.jp",
    HOKENJO,
    "hokenjo@city.nagoya.mihon.lg.jp",
    "ichinomiya@pref.aichi.mihon.lg.jp",
    "kansen@city.sapporo.mihon.lg.jp",
    "kansen@pref.aichi.mihon.lg.jp",
    "kansen@pref.kochi.mihon.lg.jp",
    SETO,
    "toyokawa@pref.aichi.mihon.lg.jp",
];

fn reached() -> Vec<&'static str> {
    TENANTS.into_iter().filter(|address| *address != SETO).collect()
}

/// Picks its certificate up on 7 May: 札幌市.
const PUNCTUAL: &str = "kansen@city.sapporo.mihon.lg.jp";

/// Those who let the time go by.
fn late() -> Vec<&'static str> {
    reached().into_iter().filter(|address| *address != PUNCTUAL).collect()
}

/// Every letter once, to exactly these, one recipient each.
fn expect_to(letters: &[Letter], mut expected: Vec<&str>) {
    let mut found: Vec<_> = letters.iter().map(|letter| letter.envelope_to.as_str()).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    for letter in letters {
        assert_eq!((letter.from.as_str(), letter.to.as_slice()), (FROM, &[letter.envelope_to.clone()][..]));
        assert!(letter.envelope_from.starts_with("bounce+"), "{}", letter.envelope_from);
        assert!(letter.cc.is_empty(), "{:?}", letter.cc);
    }
}

#[test]
fn from_registration_to_reissue() {
    let mut flow = Flow::start(Tls::StartTls, Tls::Implicit);
    let ports = open_pages(&flow.place);
    let officer = || Officer::new(ports).trust(&flow.place.file("tls-cert.pem"));
    let (punctual, other) = (officer(), officer());
    let names = ["sapporo", "aichi", "kochi", "nagoya", "toyota", "unknown"];
    let mails: Vec<_> = names.iter().map(|name| sample(&format!("{name}.eml"))).collect();
    flow.dovecot.deliver(mails.iter().map(Vec::as_slice));

    // Answers leave at once, outside the send window as well.
    answers(&flow.at("2020-04-20T17:30:00+09:00"));
    assert_eq!(flow.dovecot.marked("", 'a'), names.len(), "every mail has the keyword");

    quiet(&mut flow, &["2020-04-21T08:59:59+09:00"]);
    let welcomes = flow.at("2020-04-21T09:00:00+09:00");
    expect_to(&welcomes, TENANTS.to_vec());
    assert!(!welcomes.iter().any(|letter| letter.text.contains(URL)));

    // The address stands for a business day and more; nothing secret leaves before 1 May.
    quiet(&mut flow, &["2020-04-22T09:00:00+09:00", "2020-04-30T23:59:59+09:00", "2020-05-01T08:59:59+09:00"]);
    let notices = flow.at("2020-05-01T09:00:00+09:00");
    let urls = certificate_notices(&notices, &TENANTS, "令和2年5月31日（日）");

    // One of them comes back before its password has left.
    let seto = notices.iter().find(|letter| letter.envelope_to == SETO).unwrap();
    flow.dovecot.deliver([returned(&seto.envelope_from, SETO, &seto.message_id).as_slice()]);
    quiet(&mut flow, &["2020-05-01T09:05:00+09:00", "2020-05-01T09:09:59+09:00"]);
    let passwords = pickup_passwords(&flow.at("2020-05-01T09:10:00+09:00"), &reached());

    let (url, password) = (&urls[PUNCTUAL], &passwords[PUNCTUAL]);
    let daemon = serving(&flow, "2020-05-07T10:00:00+09:00");
    a_punctual_officer(&punctual, &other, url, password, &passwords[HOKENJO]);
    closing(daemon, &[url, password, &passwords[HOKENJO]]);

    quiet(&mut flow, &["2020-05-08T12:00:00+09:00", "2020-05-11T08:59:59+09:00"]);
    credentials(&flow.at("2020-05-11T09:00:00+09:00"));
    reminders(&mut flow);

    quiet(&mut flow, &["2020-05-31T23:59:59+09:00", "2020-06-01T08:59:59+09:00"]);
    let expired = flow.at("2020-06-01T09:00:00+09:00");
    expect_to(&expired, late());
    for letter in &expired {
        assert!(letter.subject.contains("クライアント証明書の取得期限の終了について"), "{}", letter.subject);
        assert_eq!(letter.below("取得期限"), "自動的にキャンセルされました。");
        assert!(letter.text.contains("令和2年5月31日（日）（終了しました）"), "{}", letter.text);
        assert!(!letter.text.contains(URL));
    }
    let (new_url, new_password) = reissue(&mut flow, &urls);
    let daemon = serving(&flow, "2020-06-02T12:30:00+09:00");
    assert!(other.look(&urls[HOKENJO]).contains("再発行済み"));
    other.pick_up(&new_url, &new_password).expect("the new certificate");
    let green = other.check();
    assert!(green.contains("この端末で利用できます") && green.contains("札幌市保健所"), "{green}");
    assert!(punctual.check().contains("この端末で利用できます"), "the other one is not touched");
    closing(daemon, &[&new_url, &new_password]);
    lost(&mut flow, &punctual, &urls[PUNCTUAL]);

    let audit = annai::engine::replay::audit(&store(&flow)).unwrap();
    assert_eq!((audit.faults.as_slice(), audit.tenants), (&[][..], TENANTS.len()));
}

/// Nothing leaves at any of these moments.
fn quiet(flow: &mut Flow, moments: &[&str]) {
    for now in moments {
        let sent: Vec<_> = flow.at(now).into_iter().map(|l| (l.subject, l.envelope_to)).collect();
        assert_eq!(sent, Vec::new(), "at {now}");
    }
}

fn answers(letters: &[Letter]) {
    let to = |address: &str| -> Vec<&Letter> { letters.iter().filter(|l| l.envelope_to == address).collect() };
    assert_eq!(letters.len(), 10, "{letters:#?}");
    let copies = to(MINISTRY);
    assert_eq!(copies.len(), 4);
    for (sender, authority, rows) in [
        ("tanto@city.sapporo.mihon.lg.jp", "札幌市", &["kansen@city.sapporo.mihon.lg.jp", HOKENJO][..]),
        ("kenko@pref.aichi.mihon.lg.jp", "愛知県", &["一宮保健所", "瀬戸保健所", "toyokawa@pref.aichi.mihon.lg.jp"]),
        ("iryo@pref.kochi.mihon.lg.jp", "高知県", &["安芸福祉保健所", "hata@pref.kochi.mihon.lg.jp"]),
        ("hoken@city.nagoya.mihon.lg.jp", "名古屋市", &["first@city.nagoya.mihon.lg.jp", "◆ご確認いただきたい事項"]),
    ] {
        let [receipt] = to(sender)[..] else { panic!("one answer to {sender}") };
        assert_eq!(receipt.subject, format!("【帰国者フォローアップシステム】メールアドレス登録の受付（{authority}）"));
        assert_eq!((receipt.to.clone(), receipt.cc.clone()), (vec![sender.to_owned()], vec![MINISTRY.to_owned()]));
        for row in rows {
            assert!(receipt.text.contains(row), "no {row} in {}", receipt.text);
        }
        assert!(String::from_utf8_lossy(&receipt.raw).contains("Auto-Submitted: auto-replied"));
        // The ministry's copy: the same mail, in a transaction of its own.
        let copy = copies.iter().find(|copy| copy.message_id == receipt.message_id).unwrap();
        assert!(copy.raw == receipt.raw && copy.envelope_from != receipt.envelope_from);
    }
    let [correction] = to("hoken@city.toyota.mihon.lg.jp")[..] else { panic!("one answer") };
    assert!(correction.text.contains("保健所"), "{}", correction.text);
    assert!(correction.cc.is_empty() && !correction.subject.contains("の受付"), "{}", correction.subject);
    let [looked_at] = to("tanto@city.kakuu.mihon.lg.jp")[..] else { panic!("one answer") };
    assert!(looked_at.subject != correction.subject && looked_at.cc.is_empty(), "{}", looked_at.subject);
    let reply_to = format!("Reply-To: {DESK}");
    assert!(letters.iter().all(|letter| String::from_utf8_lossy(&letter.raw).contains(&reply_to)));
}

/// Checks the notices and returns their URLs, by recipient.
fn certificate_notices(letters: &[Letter], to: &[&str], deadline: &str) -> BTreeMap<String, String> {
    expect_to(letters, to.to_vec());
    let mut urls = BTreeMap::new();
    for letter in letters {
        assert_eq!(letter.subject, NOTICE);
        assert!(letter.below("◆取得期限").starts_with(&format!("{deadline}まで")), "{}", letter.text);
        let [line] = letter.text.lines().filter(|line| line.contains(URL)).collect::<Vec<_>>()[..] else {
            panic!("one URL in {}", letter.text)
        };
        assert!(line.starts_with(URL) && line.len() <= 72 && !line.contains(char::is_whitespace), "{line}");
        urls.insert(letter.envelope_to.clone(), line.to_owned());
    }
    assert_eq!(urls.values().collect::<BTreeSet<_>>().len(), letters.len(), "every URL is another one");
    urls
}

/// Checks the password letters and returns the passwords, by recipient.
fn pickup_passwords(letters: &[Letter], to: &[&str]) -> BTreeMap<String, String> {
    expect_to(letters, to.to_vec());
    let mut passwords = BTreeMap::new();
    for letter in letters {
        assert_eq!(letter.subject, PASSWORD);
        assert!(!letter.text.contains(URL), "{}", letter.text);
        let password = letter.below("◆証明書取得用パスワード");
        assert_eq!(password.split('-').map(str::len).collect::<Vec<_>>(), [4, 4, 4], "{password}");
        passwords.insert(letter.envelope_to.clone(), password.to_owned());
    }
    assert_eq!(passwords.values().collect::<BTreeSet<_>>().len(), letters.len(), "every password is another one");
    passwords
}

/// Opened by three programs that know nothing of annai.
fn credentials(letters: &[Letter]) {
    expect_to(letters, reached());
    let scratch = tempfile::tempdir().unwrap();
    let seven = ["7zz", "7z", "7za"].into_iter().find(|p| Command::new(p).stdout(Stdio::null()).status().is_ok());
    let seven = seven.expect("7-Zip; tests/run installs it");
    let python = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); \
                  sys.stdout.buffer.write(z.read(z.namelist()[0], pwd=sys.argv[2].encode()))";
    for letter in letters {
        assert_eq!(letter.subject, CREDENTIALS);
        assert!(!letter.text.contains("kikokuFU2020") && !letter.text.contains(URL), "{}", letter.text);
        let [(name, zip)] = &letter.attachments[..] else { panic!("one attachment") };
        assert!(name.is_ascii() && Path::new(name).extension().is_some_and(|e| e == "zip"), "{name}");
        let file = scratch.path().join(name);
        std::fs::write(&file, zip).unwrap();
        let file = file.to_str().unwrap();
        let opened = run("unzip", &["-p", "-P", "kikokuFU2020", file]);
        assert_eq!(run(seven, &["x", "-so", "-pkikokuFU2020", file]), opened);
        assert_eq!(run("python3", &["-c", python, file, "kikokuFU2020"]), opened);
        let text = String::from_utf8(opened).unwrap();
        let id = name.split('_').next().unwrap();
        assert!(letter.text.contains(id) && text.contains(&format!("ユーザID：{id}")), "{name}: {text}");
        assert!(!Command::new("unzip").args(["-p", "-P", "wrong", file]).output().unwrap().status.success());
    }
}

/// 14, 7, 3 and 1 days before the deadline; where that is no business day, on the one before.
fn reminders(flow: &mut Flow) {
    for (before, now, days_left) in [
        ("2020-05-14T12:00:00+09:00", "2020-05-15T09:00:00+09:00", 16),
        ("2020-05-21T12:00:00+09:00", "2020-05-22T09:00:00+09:00", 9),
        ("2020-05-27T12:00:00+09:00", "2020-05-28T09:00:00+09:00", 3),
        ("2020-05-28T16:00:00+09:00", "2020-05-29T09:00:00+09:00", 2),
    ] {
        quiet(flow, &[before]);
        let letters = flow.at(now);
        expect_to(&letters, late());
        for letter in letters {
            assert!(letter.subject.contains("クライアント証明書の取得期限のお知らせ"), "{}", letter.subject);
            assert_eq!(letter.subject.contains("【重要】"), days_left == 2, "{}", letter.subject);
            assert_eq!(letter.below("◆取得期限"), format!("令和2年5月31日（日）まで（あと{days_left}日）"));
            assert!(!letter.text.contains(URL), "{}", letter.text);
        }
    }
}

/// Staff give one tenant another course: another URL, another password, another deadline.
fn reissue(flow: &mut Flow, old_urls: &BTreeMap<String, String>) -> (String, String) {
    let now = "2020-06-01T10:00:00+09:00";
    for args in [&["tenant", "reissue", CENTRE, "--reason", "expired"][..], &["audit", "verify"]] {
        let said = said(&mut flow.place.command(now, args));
        assert_eq!(said.code, Some(0), "{args:?}: {}", said.stderr);
    }
    let notices = flow.at(now);
    let urls = certificate_notices(&notices, &[HOKENJO], "令和2年7月1日（水）");
    assert_ne!(urls[HOKENJO], old_urls[HOKENJO]);
    assert!(notices[0].text.contains("以前にお送りした証明書取得用URLは、無効になりました"), "{}", notices[0].text);
    quiet(flow, &["2020-06-01T10:09:59+09:00"]);
    let passwords = pickup_passwords(&flow.at("2020-06-01T10:10:00+09:00"), &[HOKENJO]);
    quiet(flow, &["2020-06-02T12:00:00+09:00"]);
    (urls[HOKENJO].clone(), passwords[HOKENJO].clone())
}

/// Address, password, terms, certificate, terminal check; nobody else gets it, and not by another's password.
fn a_punctual_officer(officer: &Officer, other: &Officer, url: &str, password: &str, others: &str) {
    assert!(officer.check().contains("証明書を確認できませんでした"), "no certificate yet");
    let wrong = other.pick_up(url, others).unwrap_err();
    assert!(wrong.contains("パスワードが正しくありません") && !wrong.contains("札幌市"), "{wrong}");
    officer.pick_up(url, password).expect("a certificate");
    assert!(officer.look(url).contains("証明書を発行しました"), "this browser may fetch it again");
    let void = other.pick_up(url, password).unwrap_err();
    assert!(void.contains("取得済み") && void.contains("令和2年5月7日（木）"), "{void}");
    let green = officer.check();
    for word in ["この端末で利用できます", "札幌市", "011002-00"] {
        assert!(green.contains(word), "{word} is missing: {green}");
    }
}

/// A terminal is lost: its certificate is refused at once, its address long void.
fn lost(flow: &mut Flow, officer: &Officer, url: &str) {
    let now = "2020-06-03T10:00:00+09:00";
    let said = said(&mut flow.place.command(now, &["tenant", "reissue", "011002-00", "--reason", "lost"]));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let daemon = serving(flow, now);
    let refused = officer.check();
    assert!(refused.contains("失効しています") && refused.contains("令和2年6月3日（水）"), "{refused}");
    assert!(officer.look(url).contains("再発行済み"));
    closing(daemon, &[url]);
}

fn store(flow: &Flow) -> annai::store::Store {
    annai::store::Store::open(&flow.place.file("state"), annai::store::Options::default()).unwrap()
}

fn run(program: &str, args: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(args).output().unwrap_or_else(|e| panic!("{program}: {e}; see tests/run"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
