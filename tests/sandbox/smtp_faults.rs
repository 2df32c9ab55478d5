//! Every SMTP fault and the effect a client sees, and the mails that come back.

use super::{BRIEF, PATIENCE, converse, hear, options};
use annai::sandbox::{
    Answer, AnswerRule, BounceStyle, Faults, Pattern, PostOffice, SmtpFault, SmtpRule, SmtpStage, When,
};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

const TO: &str = "hoken@city.example.jp";
/// Later than any test is patient.
const LATE: SmtpFault = SmtpFault::Delay(Duration::from_mins(10));
const SENDER: &str = "bounce+7=hoken@city.example.jp";
const TEXT: &str = "Message-ID: <7@example.jp>\r\nSubject: Notice\r\n\r\nhello\r\n.\r\n";

async fn office(smtp: Vec<SmtpRule>) -> PostOffice {
    let office = PostOffice::start(options()).await.unwrap();
    office.set_faults(Faults { smtp, ..Faults::default() });
    office
}

fn rule(at: SmtpStage, when: When, act: SmtpFault) -> SmtpRule {
    SmtpRule { at, recipient: None, when, act }
}

/// The codes a client hears for one mail: banner, EHLO, MAIL, RCPT, DATA, final dot, QUIT.
fn send(office: &PostOffice, to: &str, patience: Duration) -> String {
    let words = format!("EHLO c\r\nMAIL FROM:<{SENDER}>\r\nRCPT TO:<{to}>\r\nDATA\r\n{TEXT}QUIT\r\n");
    codes(&hear(office.smtp_addr(), &words, patience))
}

/// The same up to RCPT.
fn ask(office: &PostOffice, to: &str) -> String {
    codes(&converse(office.smtp_addr(), &format!("EHLO c\r\nMAIL FROM:<{SENDER}>\r\nRCPT TO:<{to}>\r\nQUIT\r\n")))
}

fn codes(heard: &str) -> String {
    let last_lines = heard.lines().filter(|line| line.as_bytes().get(3) != Some(&b'-'));
    last_lines.map(|line| line.get(..3).unwrap_or(line)).collect::<Vec<_>>().join(" ")
}

/// Plays one fault, once; `stored` is whether the mail lies in the mailbox. The second try always goes through.
async fn check(at: SmtpStage, act: SmtpFault, expected: &str, stored: bool) {
    let office = office(vec![rule(at, When::First(1), act.clone())]).await;
    let silent = matches!(&act, SmtpFault::Silence) || act == LATE;
    let patience = if silent { BRIEF } else { PATIENCE };
    assert_eq!(
        (send(&office, TO, patience).as_str(), office.mails(TO).len() == 1),
        (expected, stored),
        "{at:?} {act:?}"
    );
    assert_eq!(office.played().smtp, [1]);
    assert_eq!(send(&office, TO, PATIENCE), "220 250 250 250 354 250 221");
    office.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dialogue_breaks_at_every_stage() {
    let reply = |text: &str| SmtpFault::Reply(text.to_owned());
    check(SmtpStage::Connect, SmtpFault::Close, "", false).await;
    check(SmtpStage::Connect, reply("421 4.3.2 Not now"), "421", false).await;
    check(SmtpStage::Banner, SmtpFault::Close, "220", false).await;
    check(SmtpStage::MailFrom, SmtpFault::Close, "220 250", false).await;
    check(SmtpStage::Rcpt, SmtpFault::Close, "220 250 250", false).await;
    check(SmtpStage::Rcpt, SmtpFault::Silence, "220 250 250", false).await;
    check(SmtpStage::Body, SmtpFault::Close, "220 250 250 250 354", false).await;
    check(SmtpStage::FinalDot, reply("452 4.3.1 Full"), "220 250 250 250 354 452 221", false).await;
    check(SmtpStage::FinalDot, reply("421 4.3.2 Bye"), "220 250 250 250 354 421", false).await;
    check(SmtpStage::FinalDot, SmtpFault::Close, "220 250 250 250 354", false).await;
    check(SmtpStage::FinalDot, SmtpFault::CloseStored, "220 250 250 250 354", true).await;
    check(SmtpStage::FinalDot, SmtpFault::Silence, "220 250 250 250 354", false).await;
    // Later than the client is patient: stored, but it does not hear of it.
    check(SmtpStage::FinalDot, LATE, "220 250 250 250 354", true).await;
    check(SmtpStage::Ehlo, LATE, "220", false).await;
    let soon = SmtpFault::Delay(Duration::from_millis(20));
    check(SmtpStage::Rcpt, soon, "220 250 250 250 354 250 221", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_by_recipient() {
    let by = |pattern: &str, when, text: &str| SmtpRule {
        at: SmtpStage::Rcpt,
        recipient: Some(Pattern::new(pattern)),
        when,
        act: SmtpFault::Reply(text.to_owned()),
    };
    let office = office(vec![
        by("gone@*", When::Always, "550 5.1.1 User unknown"),
        by("*@city.example.jp", When::FirstEach(2), "451 4.7.1 Greylisted"),
    ])
    .await;
    let run = |to: &str| ask(&office, to).split(' ').nth(3).unwrap().to_owned();
    assert_eq!([run("gone@city.example.jp"), run("gone@city.example.jp"), run("gone@city.example.jp")], ["550"; 3]);
    assert_eq!([run(TO), run(TO), run("other@city.example.jp"), run(TO)], ["451", "451", "451", "250"]);
    assert_eq!(office.played().smtp, [3, 3]);
    office.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn starttls_and_auth_are_refused() {
    let refuse = |at, text: &str| rule(at, When::Always, SmtpFault::Reply(text.to_owned()));
    let office = office(vec![
        refuse(SmtpStage::StartTls, "454 4.7.0 TLS not available"),
        refuse(SmtpStage::Auth, "454 4.7.0 Temporary failure"),
    ])
    .await;
    let heard = converse(office.smtp_addr(), "EHLO c\r\nSTARTTLS\r\nAUTH PLAIN AGEAYg==\r\nQUIT\r\n");
    assert_eq!((codes(&heard).as_str(), heard.contains("STARTTLS")), ("220 250 454 454 221", true));
    office.set_faults(Faults { hide_starttls: true, ..Faults::default() });
    let heard = converse(office.smtp_addr(), "EHLO c\r\nSTARTTLS\r\nAUTH PLAIN AGEAYg==\r\nQUIT\r\n");
    assert_eq!((codes(&heard).as_str(), heard.contains("STARTTLS")), ("220 250 503 535 221", false));
    office.shutdown().await;
    let mut options = options();
    options.smtp_auth_required = true;
    let office = PostOffice::start(options).await.unwrap();
    assert_eq!(ask(&office, TO), "220 250 530 503 221");
    office.shutdown().await;
}

/// The answer to one mail to [`TO`], as Python's email package reads it, and how many mails the recipient got.
async fn answer_to(answer: Answer, after: Duration) -> (String, usize) {
    let office = PostOffice::start(options()).await.unwrap();
    let answers = vec![AnswerRule { recipient: Pattern::new("hoken@*"), when: When::Always, after, answer }];
    office.set_faults(Faults { answers, ..Faults::default() });
    let mut changes = office.watch();
    assert_eq!(send(&office, TO, PATIENCE), "220 250 250 250 354 250 221");
    // The VERP address falls into its base mailbox.
    while office.mails("bounce@city.example.jp").is_empty() {
        changes.changed().await.unwrap();
    }
    let mail = office.mails("bounce@city.example.jp").remove(0);
    assert_eq!((mail.envelope_to.as_str(), mail.envelope_from), (SENDER, None));
    let delivered = office.mails(TO).len();
    office.shutdown().await;
    let script = format!("{}/tests/data/sandbox/dsn.py", env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new("python3");
    python.arg(script).env("PYTHONIOENCODING", "utf-8").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = python.spawn().unwrap();
    running.stdin.take().unwrap().write_all(&mail.raw).unwrap();
    let output = running.wait_with_output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), delivered)
}

#[tokio::test(flavor = "multi_thread")]
async fn bounces_come_back() {
    let (status, diagnostic) = ("5.1.1".to_owned(), "550 5.1.1 User unknown".to_owned());
    let bounce = |style| Answer::Bounce { style, status: status.clone(), diagnostic: diagnostic.clone() };
    let report = |action, status| {
        format!(
            "multipart/report <> {SENDER} auto-replied\nReporting-MTA: dns; mx.sandbox.invalid\n\
             Final-Recipient: rfc822; {TO}\nAction: {action}\nStatus: {status}\n\
             Diagnostic-Code: smtp; 550 5.1.1 User unknown\n<7@example.jp>\n"
        )
    };
    assert_eq!(answer_to(bounce(BounceStyle::Report), Duration::ZERO).await, (report("failed", "5.1.1"), 0));
    assert_eq!(answer_to(bounce(BounceStyle::Report), Duration::from_millis(20)).await, (report("failed", "5.1.1"), 0));
    let delayed = Answer::Delayed { status: "4.4.1".to_owned(), diagnostic: diagnostic.clone() };
    assert_eq!(answer_to(delayed, Duration::ZERO).await, (report("delayed", "4.4.1"), 1));

    let (english, delivered) = answer_to(bounce(BounceStyle::PlainEnglish), Duration::ZERO).await;
    assert!(english.starts_with(&format!("text/plain <> {SENDER} auto-replied\nUndelivered Mail")), "{english}");
    assert!(english.contains(&format!("<{TO}>: host")) && english.contains("Message-ID: <7@example.jp>"), "{english}");
    assert_eq!(delivered, 0);
    let (japanese, _) = answer_to(bounce(BounceStyle::PlainJapanese), Duration::ZERO).await;
    assert!(japanese.contains("\n配送できませんでした\n") && japanese.contains("次の宛先に"), "{japanese}");
    assert!(japanese.contains(&format!("<{TO}>: {diagnostic}")), "{japanese}");
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_office_comes_back_and_the_mail_is_delivered() {
    let away = Answer::OutOfOffice { text: "本日は不在です。".to_owned() };
    let (answer, delivered) = answer_to(away, Duration::ZERO).await;
    assert_eq!(answer, format!("text/plain <> {SENDER} auto-replied\n自動応答: Notice\n本日は不在です。\n"));
    assert_eq!(delivered, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_comes_back_to_the_empty_sender() {
    let office = PostOffice::start(options()).await.unwrap();
    let bounce =
        Answer::Bounce { style: BounceStyle::Report, status: "5.1.1".to_owned(), diagnostic: "550 no".to_owned() };
    let answers =
        vec![AnswerRule { recipient: Pattern::new("*"), when: When::Always, after: Duration::ZERO, answer: bounce }];
    office.set_faults(Faults { answers, ..Faults::default() });
    let words = format!("EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<{TO}>\r\nDATA\r\n{TEXT}QUIT\r\n");
    assert_eq!(codes(&converse(office.smtp_addr(), &words)), "220 250 250 250 354 250 221");
    assert_eq!((office.mailboxes().len(), office.played().answers), (1, vec![0]));
    office.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bare_line_feed_ends_no_line() {
    let office = office(Vec::new()).await;
    let smuggled = "Subject: a\r\n\r\none\n.\nMAIL FROM:<x@city.example.jp>\n.\r\n";
    let words = format!("EHLO c\r\nMAIL FROM:<{SENDER}>\r\nRCPT TO:<{TO}>\r\nDATA\r\n{smuggled}\r\n.\r\nQUIT\r\n");
    assert_eq!(codes(&converse(office.smtp_addr(), &words)), "220 250 250 250 354 250 221");
    assert_eq!(office.mails(TO).len(), 1);
    office.shutdown().await;
}
