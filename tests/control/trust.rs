//! Evidence about senders: what is weighed, what staff's acceptance teaches, and what looks like an impersonation.

use crate::place::{Place, at, text};
use annai::daemon::assembly;
use annai::domain::{LgCode, MailNo};
use annai::engine::Engine;
use annai::engine::filing::Arrived;
use annai::engine::records::Disposition;
use annai::engine::staff::Verb;
use annai::reading::authentication::{Authentication, Source, Verdict};
use annai::reading::{Reason, read};
use annai::workflow::cursor::Cursor;

const NOW: &str = "2020-05-07T11:00:00+09:00";
const MINATO: &str = "131032";

/// A registration of 港区 with one health centre.
struct Mail {
    from: &'static str,
    cc: &'static str,
    name: &'static str,
    address: &'static str,
    vouched: Option<Verdict>,
}

const HONEST: Mail = Mail {
    from: "kansen@city.minato.tokyo.jp",
    cc: "follow-up@mhlw.go.jp",
    name: "みなと保健所",
    address: "hoken@city.minato.tokyo.jp",
    vouched: None,
};

/// Files mails into an engine over the state of a place.
struct Desk {
    engine: Engine,
    uid: u32,
}

impl Desk {
    fn open(place: &Place) -> Self {
        Self { engine: assembly::engine(&place.config(), at(NOW)).unwrap(), uid: 100 }
    }

    fn file(&mut self, mail: &Mail) -> (MailNo, Disposition) {
        self.uid += 1;
        let Mail { from, cc, name, address, vouched } = mail;
        let own = from.rsplit('<').next().unwrap().trim_end_matches('>');
        let raw = format!(
            "From: {from}\r\nTo: covid19@bigtreetc.com\r\nCc: {cc}\r\nSubject: 自治体・保健所メールアドレスの連絡（港区）\r\n\
             Message-ID: <{}@x.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
             ＜自治体（保健所設置主体）＞\r\n港区 {own}\r\n＜保健所＞\r\n{name} {address}\r\n",
            self.uid
        );
        let raw = raw.replace(&format!("港区 {own}"), "港区 kansen@city.minato.tokyo.jp").into_bytes();
        let mut reading = read(&raw, &self.engine.setup().rules);
        reading.head.authentication =
            vouched.map(|dmarc| Authentication { source: Source::Own, dmarc, dkim: Verdict::None, spf: Verdict::None });
        let arrived = Arrived { uid: self.uid, raw, truncated: false, reading };
        self.engine.file(Cursor { uid_validity: 7, uid_next: self.uid + 1 }, vec![arrived]).unwrap();
        let item = self.engine.all_items().unwrap().pop().unwrap();
        (item.no, item.disposition)
    }

    fn journal(&self) -> String {
        self.engine.journal_tail(50).unwrap().iter().map(|line| line.entry.event.to_string()).collect()
    }
}

fn reasons(disposition: &Disposition) -> Vec<Reason> {
    match disposition {
        Disposition::Review { reasons } => reasons.clone(),
        other => panic!("{other:?}"),
    }
}

fn code() -> LgCode {
    MINATO.parse().unwrap()
}

#[test]
fn honest_mail_passes_and_a_stranger_who_adds_to_it_does_not() {
    let place = Place::new();
    let mut desk = Desk::open(&place);
    assert_eq!(desk.file(&HONEST).1, Disposition::Registered);
    assert!(desk.engine.domains(None).unwrap().is_empty(), "a mail alone teaches nothing");
    // The domain of a registered address is fair evidence for an addition.
    let more = Mail { name: "港区第二保健所", address: "second@city.minato.tokyo.jp", ..HONEST };
    assert_eq!(desk.file(&more).1, Disposition::Registered);
    let stranger =
        Mail { from: "x@taro.example", name: "港区第三保健所", address: "third@taro.example", ..HONEST };
    let (_, disposition) = desk.file(&stranger);
    assert_eq!(reasons(&disposition), [Reason::SenderDomainUnknown]);
    // The same data once more change nothing, so nobody is asked, whoever says it.
    assert!(matches!(desk.file(&Mail { from: "x@taro.example", ..HONEST }).1, Disposition::Duplicate { .. }));
}

#[test]
fn what_staff_accept_is_known_and_can_be_taken_back() {
    let place = Place::new();
    let mut desk = Desk::open(&place);
    let (mail, disposition) = desk.file(&Mail { name: "山の家", ..HONEST });
    assert_eq!(reasons(&disposition), [Reason::UnknownCentre]);
    let accept = desk.engine.view().acceptance(mail, None).unwrap();
    desk.engine.act("hanako", &accept).unwrap();
    let known = desk.engine.domains(Some(code())).unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!((known[0].domain.as_str(), known[0].known.mail), ("city.minato.tokyo.jp", Some(mail)));
    assert_eq!(known[0].known.by, "staff:hanako");
    assert!(desk.journal().contains("domain-learned"));

    let elsewhere = Mail { from: "kansen@minato.example", name: "港区第二保健所", ..HONEST };
    assert_eq!(reasons(&desk.file(&elsewhere).1), [Reason::SenderDomainUnknown]);
    let approve = |domain: &str| Verb::ApproveDomain {
        authority: code(),
        domain: domain.to_owned(),
        reason: "電話で確認".to_owned(),
    };
    assert!(desk.engine.act("hanako", &approve("gmail.com")).is_err(), "anybody has a mailbox there");
    desk.engine.act("hanako", &approve("minato.example")).unwrap();
    let (mail, disposition) = desk.file(&Mail { address: "second@city.minato.tokyo.jp", ..elsewhere });
    assert_eq!(disposition, Disposition::Registered);
    let view = desk.engine.mail(mail, None).unwrap();
    let domain = view.evidence.iter().find(|piece| piece.name == "差出人のドメイン").unwrap();
    assert_eq!((domain.mark, domain.piece.text.contains("確認済み")), ("◎", true));

    let forget = Verb::ForgetDomain { authority: code(), domain: "minato.example".into(), reason: "廃止".into() };
    desk.engine.act("hanako", &forget).unwrap();
    assert!(desk.engine.act("hanako", &forget).is_err());
    let third = Mail { from: "kansen@minato.example", name: "港区第三保健所", ..HONEST };
    assert_eq!(reasons(&desk.file(&third).1), [Reason::SenderDomainUnknown]);
}

#[test]
fn impersonations_are_held_journalled_and_not_answered() {
    let place = Place::new();
    let mut desk = Desk::open(&place);
    let others: LgCode = "011002".parse().unwrap();
    let approve =
        |authority, domain: &str| Verb::ApproveDomain { authority, domain: domain.into(), reason: "x".into() };
    desk.engine.act("hanako", &approve(code(), "city.minato.tokyo.jp")).unwrap();
    desk.engine.act("hanako", &approve(others, "city.sapporo.jp")).unwrap();
    let cases = [
        (Mail { from: "x@city.sapporo.jp", ..HONEST }, Reason::OtherAuthoritysDomain),
        (Mail { from: "x@city-minato.tokyo.jp", ..HONEST }, Reason::LookAlikeDomain),
        (Mail { from: "x@city.rninato.tokyo.jp", ..HONEST }, Reason::LookAlikeDomain),
        (Mail { from: "\"kansen@city.minato.tokyo.jp\" <x@taro.example>", ..HONEST }, Reason::NameShowsOtherAddress),
        (Mail { vouched: Some(Verdict::Fail), ..HONEST }, Reason::KnownDomainForged),
    ];
    for (mail, reason) in cases {
        let (no, disposition) = desk.file(&mail);
        assert!(reasons(&disposition).contains(&reason), "{}: {disposition:?}", mail.from);
        assert!(desk.engine.item(no).unwrap().answers.is_empty(), "whoever is named wrote nothing");
        let journal = desk.journal();
        assert!(journal.contains("impersonation-suspected") && journal.contains(reason.code()), "{}", reason.code());
        assert_eq!(desk.engine.draft(no).unwrap().letter, "ask-origin");
    }
}

/// What was found when the mail came in stands with it: a later reading says the same without asking anybody.
#[test]
fn the_check_of_its_origin_is_kept_with_the_mail() {
    let place = Place::new();
    let mut desk = Desk::open(&place);
    let (mail, disposition) = desk.file(&Mail { name: "山の家", vouched: Some(Verdict::Pass), ..HONEST });
    assert_eq!(reasons(&disposition), [Reason::UnknownCentre]);
    let proof = desk.engine.mail(mail, None).unwrap().evidence[0].piece.text.clone();
    assert!(proof.contains("DMARC 合格"), "{proof}");
    desk.engine.act("hanako", &Verb::Reread { mail }).unwrap();
    assert!(desk.engine.item(mail).unwrap().authentication.is_some());
    desk.engine.commit().unwrap();
    drop(desk);
    let shown = text(&place.annai(&["review", "show", &mail.to_string()]).stdout);
    assert!(shown.contains("送信元の認証") && shown.contains("DMARC 合格"), "{shown}");
}

/// The gateway's header counts once its name is configured; a first registration without any evidence is looked at.
#[test]
fn the_policy_decides_how_much_is_needed() {
    let place = Place::new();
    let config = std::fs::read_to_string(place.path("annai.toml")).unwrap();
    std::fs::write(place.path("annai.toml"), format!("rules_dir = \"rules\"\n{config}")).unwrap();
    let file = place.path("rules/senders.toml");
    let delivered = std::fs::read_to_string(&file).unwrap();
    let bare = Mail { cc: "x@taro.example", from: "x@taro.example", ..HONEST };
    let outcome = |change: &[(&str, &str)]| {
        let mut rules = delivered.clone();
        for (from, to) in change {
            assert!(rules.contains(from));
            rules = rules.replace(from, to);
        }
        std::fs::write(&file, rules).unwrap();
        let mut desk = Desk::open(&place);
        let place = desk.file(&bare).1;
        match place {
            Disposition::Review { reasons } => reasons,
            _ => Vec::new(),
        }
    };
    assert_eq!(outcome(&[]), [Reason::EvidenceWeak]);
    assert_eq!(outcome(&[("needed_first = 1", "needed_first = 0")]), []);
}
