//! Every IMAP fault and the effect a client sees. Three mails lie in the INBOX.

use super::{BRIEF, PASSWORD, PATIENCE, USER, converse, hear, options};
use annai::sandbox::{Faults, ImapFault, ImapRule, ImapVerb, PostOffice, When};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

const MAIL: &[u8] = b"Subject: one of three\r\n\r\ntext\r\n";
/// One of the three as FETCH sends it.
const FETCHED: &str = "* 1 FETCH (UID 1 BODY[] {31}\r\nSubject: one of three\r\n\r\ntext\r\n)\r\n";
const FETCH: &str = "c UID FETCH 1:* BODY.PEEK[]\r\n";

async fn office(rules: Vec<ImapRule>) -> PostOffice {
    let office = PostOffice::start(options()).await.unwrap();
    for _ in 0..3 {
        office.deliver(USER, MAIL).unwrap();
    }
    office.set_faults(Faults { imap: rules, ..Faults::default() });
    office
}

fn rule(at: ImapVerb, when: When, act: ImapFault) -> ImapRule {
    ImapRule { at: Some(at), when, act }
}

fn quoted() -> String {
    PASSWORD.replace('\\', "\\\\").replace('"', "\\\"")
}

/// What a client hears after SELECT, when it says these commands and then logs out.
fn after_select(office: &PostOffice, commands: &str, patience: Duration) -> String {
    let words = format!("a LOGIN {USER} \"{}\"\r\nb SELECT INBOX\r\n{commands}d LOGOUT\r\n", quoted());
    let heard = hear(office.imap_addr(), &words, patience);
    heard.split_once("b OK [READ-WRITE] Opened.\r\n").unwrap().1.to_owned()
}

async fn fetch_under(fault: ImapFault) -> String {
    let office = office(vec![rule(ImapVerb::Fetch, When::First(1), fault.clone())]).await;
    let patience = if fault == ImapFault::Silence { BRIEF } else { PATIENCE };
    let heard = after_select(&office, FETCH, patience);
    assert_eq!(office.played().imap, [1]);
    // The fault is over: the next client gets everything.
    assert!(after_select(&office, FETCH, PATIENCE).contains("c OK"));
    office.shutdown().await;
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn fetch_goes_wrong_in_every_way() {
    let heard = fetch_under(ImapFault::CutAfterOctets(40)).await;
    assert_eq!(heard, FETCHED.get(..40).unwrap());
    let heard = fetch_under(ImapFault::CutAfterResponses(1)).await;
    assert_eq!(heard, FETCHED);
    let heard = fetch_under(ImapFault::CutAfterResponses(99)).await;
    assert_eq!((heard.matches("FETCH (UID").count(), heard.contains("c OK")), (3, false), "{heard}");
    let heard = fetch_under(ImapFault::ByeAfterResponses(1)).await;
    assert_eq!(heard, format!("{FETCHED}* BYE The sandbox leaves now.\r\n"));
    let heard = fetch_under(ImapFault::No("[SERVERBUG] try later".to_owned())).await;
    assert!(heard.starts_with("c NO [SERVERBUG] try later\r\n* BYE"), "{heard}");
    let heard = fetch_under(ImapFault::Garbage).await;
    assert!(heard.starts_with("%$#{ this line is no IMAP }(\r\n* 1 FETCH") && heard.contains("c OK"), "{heard}");
    let stray = "* 2 FETCH (FLAGS (\\Seen))\r\nZ9 NO another tag\r\n";
    let heard = fetch_under(ImapFault::Before(stray.to_owned())).await;
    assert!(heard.starts_with(stray) && heard.contains("* 1 FETCH") && heard.contains("c OK"), "{heard}");
    let heard = fetch_under(ImapFault::Instead("{tag} BAD\r\n".to_owned())).await;
    assert!(heard.starts_with("c BAD\r\n* BYE"), "{heard}");
    let heard = fetch_under(ImapFault::Silence).await;
    assert_eq!(heard, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_drips() {
    let drip = ImapFault::Drip { octets_per_second: 1000 };
    let started = tokio::time::Instant::now();
    let heard = fetch_under(drip).await;
    // Three responses of about 65 octets and the tagged line.
    assert!(started.elapsed() > Duration::from_millis(180), "{:?}", started.elapsed());
    assert!(heard.contains("c OK"), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_greeting_goes_wrong() {
    let greeting = |act| rule(ImapVerb::Greeting, When::Always, act);
    let check = async |act, expected: &str| {
        let open = matches!(act, ImapFault::Silence | ImapFault::Instead(_));
        let patience = if open { BRIEF } else { PATIENCE };
        let office = office(vec![greeting(act)]).await;
        assert_eq!(hear(office.imap_addr(), "a NOOP\r\n", patience), expected);
        office.shutdown().await;
    };
    check(ImapFault::CutAfterOctets(0), "").await;
    check(ImapFault::CutAfterResponses(0), "").await;
    check(ImapFault::CutAfterOctets(4), "* OK").await;
    check(ImapFault::Silence, "").await;
    let preauth = ImapFault::Instead("* PREAUTH hello\r\n".to_owned());
    check(preauth, "* PREAUTH hello\r\na OK Done.\r\n").await;
    let office = office(vec![greeting(ImapFault::ByeAfterResponses(0))]).await;
    assert!(converse(office.imap_addr(), "a NOOP\r\n").starts_with("* BYE"));
    office.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uid_validity_changes_at_select() {
    let office = office(vec![rule(ImapVerb::Select, When::Nth(2), ImapFault::ChangeUidValidity)]).await;
    let uid_validity = || {
        let words = format!("a LOGIN {USER} \"{}\"\r\nb EXAMINE INBOX\r\nc LOGOUT\r\n", quoted());
        let heard = converse(office.imap_addr(), &words);
        heard.split_once("[UIDVALIDITY ").unwrap().1.split_once(']').unwrap().0.parse::<u32>().unwrap()
    };
    let first = uid_validity();
    let (second, third) = (uid_validity(), uid_validity());
    assert!(second > first && third == second, "{first} {second} {third}");
    office.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_command_by_turns_or_by_chance() {
    let busy = |when| vec![ImapRule { at: None, when, act: ImapFault::No("busy".to_owned()) }];
    let run = async |seed, when| {
        let office = office(Vec::new()).await;
        office.set_faults(Faults { seed, imap: busy(when), ..Faults::default() });
        let words: String = (0..40).map(|_| "n NOOP\r\n").collect();
        let heard = converse(office.imap_addr(), &format!("{words}z LOGOUT\r\n"));
        office.shutdown().await;
        heard.lines().filter(|line| line.starts_with('n')).map(|line| line.starts_with("n NO ")).collect::<Vec<_>>()
    };
    let refused = |run: &[bool]| run.iter().filter(|no| **no).count();
    assert_eq!(refused(&run(0, When::EveryNth(4)).await), 10);
    let (one, again, other) =
        (run(1, When::Chance(50)).await, run(1, When::Chance(50)).await, run(2, When::Chance(50)).await);
    assert!(one == again && one != other && refused(&one) > 5 && refused(&one) < 35);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_keeps_alive_and_ends_with_the_uid_validity() {
    let keep_alive = ImapFault::KeepAlive { every: Duration::from_millis(20) };
    let office = office(vec![rule(ImapVerb::Idle, When::Always, keep_alive)]).await;
    let mut stream = TcpStream::connect(office.imap_addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let words = format!("a LOGIN {USER} \"{}\"\r\nb SELECT INBOX\r\nc IDLE\r\n", quoted());
    stream.write_all(words.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "* OK Still here"));
    office.deliver(USER, MAIL).unwrap();
    assert!(lines.any(|line| line == "* 4 EXISTS"));
    office.change_uid_validity(USER);
    assert!(lines.any(|line| line.starts_with("* BYE")));
    office.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn starttls_is_stripped_or_refused_and_nothing_said_ahead_counts() {
    let office = office(Vec::new()).await;
    assert!(converse(office.imap_addr(), "a LOGOUT\r\n").contains("STARTTLS"));
    // What came in clear behind STARTTLS is not obeyed.
    let heard = hear(office.imap_addr(), "a STARTTLS\r\nb NOOP\r\n", BRIEF);
    assert!(heard.contains("a OK") && !heard.contains("b OK"), "{heard}");
    office.set_faults(Faults { hide_starttls: true, ..Faults::default() });
    let heard = converse(office.imap_addr(), "a STARTTLS\r\nb LOGOUT\r\n");
    assert!(!heard.contains("STARTTLS") && heard.contains("a BAD"), "{heard}");
    let slipped_in = ImapFault::Instead("{tag} OK go\r\n* PREAUTH slipped in\r\n".to_owned());
    office.set_faults(Faults { imap: vec![rule(ImapVerb::StartTls, When::Always, slipped_in)], ..Faults::default() });
    let heard = hear(office.imap_addr(), "a STARTTLS\r\n", BRIEF);
    assert!(heard.ends_with("a OK go\r\n* PREAUTH slipped in\r\n"), "{heard}");
    let refuse = rule(ImapVerb::StartTls, When::Always, ImapFault::No("no certificate".to_owned()));
    office.set_faults(Faults { imap: vec![refuse], ..Faults::default() });
    let heard = converse(office.imap_addr(), "a STARTTLS\r\nb LOGOUT\r\n");
    assert!(heard.contains("STARTTLS") && heard.contains("a NO no certificate"), "{heard}");
    office.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_commands_and_endless_lines_are_answered() {
    let office = office(Vec::new()).await;
    let ill = "x UID SEARCH BOGUS\r\ny FETCH 1 ENVELOPE\r\nz UID SEARCH SINCE 1-May-2020\r\n";
    let heard = after_select(&office, ill, PATIENCE);
    assert!(heard.contains("x BAD") && heard.contains("y BAD") && heard.contains("z NO"), "{heard}");
    let heard = converse(office.imap_addr(), "a SELECT INBOX\r\nb APPEND INBOX {99999999}\r\nc LOGOUT\r\n");
    assert!(heard.contains("a BAD") && heard.contains("b NO") && heard.contains("c OK"), "{heard}");
    let heard = converse(office.imap_addr(), &format!("a NOOP {}", "x".repeat(70_000)));
    assert!(heard.ends_with("* BYE The command is too long.\r\n"), "{heard}");
    office.shutdown().await;
}
