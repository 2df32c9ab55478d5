//! What a registration changes: new, the same again, a centre more, another address, names twice, one mailbox for three.

use super::{at, rules};
use annai::domain::tenant::Provenance;
use annai::domain::{LgCode, MailNo};
use annai::reading::{self, Reading, Reason};
use annai::rules::Rules;
use annai::workflow::directory::{Change, Decision, apply, changes, code_of, decide};
use annai::workflow::{CourseEvent, Nonce, Roster};

const MINATO: &str = "港区 kansen@city.minato.tokyo.jp";

fn mail(rules: &Rules, authority: &str, centres: &[&str]) -> Reading {
    let name = authority.split(' ').next().unwrap();
    let text = format!(
        "From: <tanto@city.minato.tokyo.jp>\nTo: covid19@bigtreetc.com\nCc: follow-up@mhlw.go.jp\n\
         Subject: 自治体・保健所メールアドレスの連絡（{name}）\nMIME-Version: 1.0\n\
         Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n\
         <自治体（保健所設置主体）>\n{authority}\n\n<保健所>\n{}\n",
        centres.join("\n")
    );
    reading::read(text.as_bytes(), rules)
}

/// The directory after these mails, all taken over.
fn after(rules: &Rules, mails: &[Reading]) -> Roster {
    let code = code_of(&mails[0]).unwrap();
    let authority = rules.authorities.by_code(code).unwrap();
    let mut roster = Roster::new(code);
    for mail in mails {
        let found = changes(Some(&roster), mail, authority);
        take(&mut roster, &found);
    }
    roster
}

fn take(roster: &mut Roster, changes: &[Change]) -> Vec<String> {
    let provenance = Provenance { mail: MailNo(1), since: at("2020-04-24T10:00:00+09:00") };
    let events = apply(roster, changes, &provenance, || Nonce([1; 16]));
    let address = |event: &CourseEvent| match event {
        CourseEvent::AddressChanged { address, .. } => address.as_str().to_owned(),
        other => panic!("{other:?}"),
    };
    events.iter().map(|(id, event)| format!("{id} {}", address(event))).collect()
}

fn words(changes: &[Change]) -> Vec<String> {
    let word = |change: &Change| match change {
        Change::Added { name, address, .. } => format!("+ {name} {}", address.as_str()),
        Change::AddressChanged { id, address } => format!("~ {id} {}", address.as_str()),
    };
    changes.iter().map(word).collect()
}

fn tenants(roster: &Roster) -> Vec<String> {
    roster.courses.iter().map(|c| format!("{} {}", c.tenant.id, c.tenant.name)).collect()
}

#[test]
fn decisions() {
    let rules = rules();
    let centre = "みなと保健所 hoken@city.minato.tokyo.jp";
    let known = after(&rules, &[mail(&rules, MINATO, &[centre])]);
    assert_eq!(tenants(&known), ["131032-00 港区", "131032-01 みなと保健所"]);
    let check = |roster: Option<&Roster>, authority: &str, centres: &[&str], expected: Result<&[&str], &[Reason]>| {
        let reading = mail(&rules, authority, centres);
        match (decide(roster, &reading, &rules), expected) {
            (Decision::Register(found), Ok(expected)) => assert_eq!(words(&found), expected, "{authority} {centres:?}"),
            (Decision::Duplicate, Ok(expected)) => assert!(expected.is_empty(), "{authority} {centres:?}: duplicate"),
            (Decision::Review(found), Err(expected)) => assert_eq!(found, expected, "{authority} {centres:?}"),
            (found, expected) => panic!("{authority} {centres:?}: {found:?}, not {expected:?}"),
        }
    };
    let new = ["+ 港区 kansen@city.minato.tokyo.jp", "+ みなと保健所 hoken@city.minato.tokyo.jp"];
    check(None, MINATO, &[centre], Ok(&new));
    check(Some(&known), MINATO, &[centre], Ok(&[]));
    check(Some(&known), "港区 KANSEN@CITY.MINATO.TOKYO.JP", &["みなと保健所 hoken@City.Minato.Tokyo.jp"], Ok(&[]));
    // A tenant that is no longer named stays, so a shorter list says nothing new.
    check(Some(&known), "港区 another@city.minato.tokyo.jp", &[centre], Err(&[Reason::AddressChange]));
    check(Some(&known), MINATO, &["みなと保健所 another@city.minato.tokyo.jp"], Err(&[Reason::AddressChange]));
    check(None, "みほん市 kansen@city.minato.tokyo.jp", &[centre], Err(&[Reason::UnknownAuthority]));
}

#[test]
fn the_ministry_in_cc_where_the_rules_want_it() {
    let mut rules = rules();
    rules.senders.ministry_in_cc_required = true;
    let mut reading = mail(&rules, MINATO, &["みなと保健所 hoken@city.minato.tokyo.jp"]);
    assert!(matches!(decide(None, &reading, &rules), Decision::Register(_)));
    reading.head.cc.clear();
    assert_eq!(decide(None, &reading, &rules), Decision::Review(vec![Reason::MinistryNotInCc]));
}

#[test]
fn what_staff_take_over() {
    let rules = rules();
    let minato = rules.authorities.by_code("131032".parse().unwrap()).unwrap();
    let mut roster = after(&rules, &[mail(&rules, MINATO, &["みなと保健所 hoken@city.minato.tokyo.jp"])]);
    let before = roster.clone();
    let changed = mail(&rules, "港区 new@city.minato.tokyo.jp", &["芝保健所 shiba@city.minato.tokyo.jp"]);
    let found = changes(Some(&roster), &changed, minato);
    assert_eq!(words(&found), ["~ 131032-00 new@city.minato.tokyo.jp", "+ 芝保健所 shiba@city.minato.tokyo.jp"]);
    assert_eq!(take(&mut roster, &found), ["131032-00 new@city.minato.tokyo.jp"]);
    assert_eq!(tenants(&roster), ["131032-00 港区", "131032-01 みなと保健所", "131032-02 芝保健所"]);
    assert_eq!(roster.courses[..2], before.courses[..2], "a tenant no longer named stays; an event changes an address");
    // Serial numbers are never used again.
    roster.courses.remove(1);
    let found = changes(Some(&roster), &mail(&rules, MINATO, &["みなと保健所 hoken@city.minato.tokyo.jp"]), minato);
    let added = found.into_iter().filter(|c| matches!(c, Change::Added { .. })).collect::<Vec<_>>();
    take(&mut roster, &added);
    assert_eq!(tenants(&roster).last().unwrap(), "131032-03 みなと保健所");
}

#[test]
fn of_two_lines_about_one_tenant_the_first_counts() {
    let rules = rules();
    let minato = rules.authorities.by_code("131032".parse().unwrap()).unwrap();
    let mut twice = mail(&rules, MINATO, &["みなと保健所 one@city.minato.tokyo.jp"]);
    let again = reading::ReadCentre { name: "みなと 保健所".into(), ..twice.centres[0].clone() };
    twice.centres.push(reading::ReadCentre { address: Some("two@city.minato.tokyo.jp".parse().unwrap()), ..again });
    let found = words(&changes(None, &twice, minato));
    assert_eq!(found, ["+ 港区 kansen@city.minato.tokyo.jp", "+ みなと保健所 one@city.minato.tokyo.jp"]);
    let known = after(&rules, std::slice::from_ref(&twice));
    assert!(changes(Some(&known), &twice, minato).is_empty(), "the second line does not undo the first");
}

#[test]
fn one_mailbox_for_three_tenants_and_one_name_for_two() {
    let rules = rules();
    let shared = "kansen@city.minato.tokyo.jp";
    let lines = ["みなと保健所", "芝保健所"].map(|name| format!("{name} {shared}"));
    let roster = after(&rules, &[mail(&rules, &format!("港区 {shared}"), &[&lines[0], &lines[1]])]);
    assert_eq!(roster.courses.len(), 3);
    assert!(roster.courses.iter().all(|course| course.tenant.address.as_str() == shared));
    // 中央保健所 is the name of health centres of several authorities: each has its own roster and its own tenant.
    let code = |text: &str| text.parse::<LgCode>().unwrap();
    let centres = ["131024", "131032"].map(|of| {
        let authority = rules.authorities.by_code(code(of)).unwrap();
        let reading = mail(&rules, MINATO, &["中央保健所 chuo@city.minato.tokyo.jp"]);
        let mut roster = Roster::new(code(of));
        let found = changes(None, &reading, authority);
        take(&mut roster, &found);
        tenants(&roster)[1].clone()
    });
    assert!(centres[0].starts_with("131024-01") && centres[1].starts_with("131032-01"), "{centres:?}");
    assert_ne!(centres[0], centres[1]);
}
