//! Against the real smtp-sink.

use super::postfix::Sink;
use super::{address, attempt, settings, word};
use annai::dispatch::smtp::Submitter;
use std::os::unix::fs::PermissionsExt as _;

async fn check(options: &[&str], expected: &str) {
    let sink = Sink::start(options).await;
    assert_eq!(word(&attempt(sink.port).await), expected, "smtp-sink {options:?}");
}

#[tokio::test]
async fn what_the_server_does_is_what_we_report() {
    check(&[], "relayed 250").await;
    check(&["-p"], "relayed 250").await;
    check(&["-N", "-8"], "relayed 250").await;
    check(&["-f", "CONNECT"], "refused connect 500 5.3.0").await;
    check(&["-r", "CONNECT"], "deferred connect 450 4.3.0").await;
    check(&["-f", "EHLO"], "refused connect 500 5.3.0").await;
    check(&["-f", "MAIL"], "refused mail 500 5.3.0").await;
    check(&["-r", "MAIL"], "deferred mail 450 4.3.0").await;
    check(&["-f", "RCPT", "-B", "550 5.1.1 User unknown"], "refused rcpt 550 5.1.1").await;
    check(&["-r", "RCPT", "-b", "452 4.2.2 Mailbox full"], "deferred rcpt 452 4.2.2").await;
    check(&["-f", "DATA"], "refused data 500 5.3.0").await;
    check(&["-f", ".", "-B", "554 5.7.1 Spam"], "refused data 554 5.7.1").await;
    check(&["-r", "."], "deferred data 450 4.3.0").await;
    check(&["-q", "CONNECT"], "not sent").await;
    check(&["-q", "EHLO"], "not sent").await;
    check(&["-q", "MAIL"], "not sent").await;
    check(&["-q", "RCPT"], "not sent").await;
    check(&["-q", "DATA"], "not sent").await;
    check(&["-q", "."], "unknown").await;
    check(&["-Q", "RCPT"], "deferred rcpt 421 4.0.0").await;
}

#[tokio::test]
async fn the_letter_arrives_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    // The sink may run as another user.
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let template = format!("{}/mail.", dir.path().display());
    let sink = Sink::start(&["-d", &template]).await;
    let long = "長い行".repeat(2_000);
    let letter = format!("Subject: x\r\n\r\n.\r\n..\r\n.dot\r\n{long}\r\n\r\n.\r\nlast\r\n");
    let mut submitter = Submitter::connect(&settings(sink.port)).await.unwrap();
    let (from, to) = (address("bounce+n1@example.jp"), address("a..b.@docomo.ne.jp"));
    let outcome = submitter.submit(&from, &to, letter.as_bytes()).await;
    assert_eq!(word(&outcome), "relayed 250");
    submitter.quit().await;
    let file = std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
    let dump = std::fs::read_to_string(file).unwrap();
    let (head, body) = dump.split_once("Subject: x\n").unwrap();
    assert!(head.contains("X-Rcpt-Args: <a..b.@docomo.ne.jp>"), "{head}");
    assert!(head.contains("X-Mail-Args: <bounce+n1@example.jp>"), "{head}");
    let sent = letter.replace("\r\n", "\n");
    // The sink adds an empty line at the end.
    assert_eq!(body.strip_suffix('\n').unwrap(), sent.split_once("Subject: x\n").unwrap().1);
}

#[tokio::test]
async fn many_letters_on_one_connection() {
    for options in [&[][..], &["-p"]] {
        let sink = Sink::start(options).await;
        let mut submitter = Submitter::connect(&settings(sink.port)).await.unwrap();
        let letter = format!("Subject: x\r\n\r\n{}", "a line of a letter, as long as many are\r\n".repeat(75));
        for n in 0..200 {
            let to = address(&format!("n{n}@city.example.lg.jp"));
            let outcome = submitter.submit(&address("bounce@example.jp"), &to, letter.as_bytes()).await;
            assert_eq!(word(&outcome), "relayed 250", "letter {n}, smtp-sink {options:?}");
        }
        assert!(submitter.is_usable());
        submitter.quit().await;
    }
}
