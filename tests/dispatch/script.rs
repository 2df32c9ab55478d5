//! Against scripted servers: what no real server does when asked.

use super::scripted::{Authority, Scripted};
use super::{address, attempt, settings, submit, word};
use annai::dispatch::smtp::{REFUSALS_MAX, SmtpError, SmtpSettings, Submitter};
use annai::domain::Secret;
use annai::tls::Tls;

/// Greeting and the two EHLOs of a session in clear.
const HELLO: &str = "> 220 here\n< EHLO\n> 250 here\n< EHLO\n> 250 here\n";
/// The same with command groups.
const HELLO_GROUPS: &str = "> 220 here\n< EHLO\n> 250 here\n< EHLO annai.example.jp\n> 250-here|250 PIPELINING\n";

async fn check(script: &str, expected: &str) {
    let server = Scripted::start(script, None).await;
    assert_eq!(word(&attempt(server.port).await), expected, "{script}");
}

#[tokio::test]
async fn recipients_of_every_kind_on_one_connection() {
    let one = |reply: &str, groups: bool, first: bool| {
        let reset = if first { "" } else { "< RSET\n> 250 ok\n" };
        let tail = match (reply.starts_with('2'), groups) {
            (true, _) => "< DATA\n> 354 go\n< letter\n> 250 taken\n",
            (false, true) => "< DATA\n> 503 5.5.1 no recipient\n",
            (false, false) => "",
        };
        format!("{reset}< MAIL FROM:<bounce+n1@example.jp>\n> 250 ok\n< RCPT TO:\n> {reply}\n{tail}")
    };
    for groups in [false, true] {
        let script = [
            if groups { HELLO_GROUPS } else { HELLO },
            &one("250 ok", groups, true),
            &one("550 5.1.1 unknown", groups, true),
            &one("450 4.2.1 later", groups, false),
            &one("251 ok", groups, false),
            &one("250 ok", groups, true),
        ]
        .concat();
        let server = Scripted::start(&script, None).await;
        let mut submitter = Submitter::connect(&settings(server.port)).await.unwrap();
        let mut words = Vec::new();
        for name in ["a", "b", "c", "d", "e"] {
            words.push(word(&submit(&mut submitter, &format!("{name}@example.lg.jp")).await));
        }
        let expected =
            ["relayed 250", "refused rcpt 550 5.1.1", "deferred rcpt 450 4.2.1", "relayed 250", "relayed 250"];
        assert_eq!(words, expected);
        drop(submitter);
        let heard = server.heard().await;
        let letters = heard.split(|line| line.starts_with("DATA")).skip(1).filter(|l| l[0].starts_with("Subject"));
        let stuffed = ["Subject: x", "", "..dot", "...", "..", "end", "."];
        assert_eq!(letters.map(|letter| assert_eq!(letter[..7], stuffed)).count(), 3);
    }
}

#[tokio::test]
async fn a_server_that_says_354_without_recipient_gets_an_empty_letter() {
    let script = [
        HELLO_GROUPS,
        "< MAIL\n> 250 ok\n< RCPT\n> 550 5.1.1 no\n< DATA\n> 354 go\n< letter\n> 554 no recipients\n",
        "< RSET\n> 250 ok\n< MAIL\n> 250 ok\n< RCPT\n> 250 ok\n< DATA\n> 354 go\n< letter\n> 250 ok\n",
    ]
    .concat();
    let server = Scripted::start(&script, None).await;
    let mut submitter = Submitter::connect(&settings(server.port)).await.unwrap();
    assert_eq!(word(&submit(&mut submitter, "a@example.jp").await), "refused rcpt 550 5.1.1");
    assert_eq!(word(&submit(&mut submitter, "b@example.jp").await), "relayed 250");
    drop(submitter);
    let heard = server.heard().await;
    let data = heard.iter().position(|line| line == "DATA").unwrap();
    assert_eq!(heard[data + 1], ".");
}

#[tokio::test]
async fn cut_off_before_and_after_the_final_dot() {
    let to_data = "< MAIL\n> 250 ok\n< RCPT\n> 250 ok\n< DATA\n> 354 go\n";
    check(&format!("{HELLO}{to_data}< letter\ncut"), "unknown").await;
    check(&format!("{HELLO}{to_data}< letter\n> 2"), "unknown").await;
    check(&format!("{HELLO}{to_data}< letter\n> 354 what"), "unknown").await;
    check(&format!("{HELLO}< MAIL\n> 250 ok\n< RCPT\n> 250 ok\ncut"), "not sent").await;
    check("> 220 here\n< EHLO\ncut", "not sent").await;
    check("cut", "not sent").await;

    // Larger than every buffer on the way: the dot cannot have been written.
    let server = Scripted::start(&format!("{HELLO}{to_data}< Subject\ncut"), None).await;
    let mut submitter = Submitter::connect(&settings(server.port)).await.unwrap();
    let letter = format!("Subject: x\r\n\r\n{}", "a line of a letter\r\n".repeat(1_000_000));
    let outcome = submitter.submit(&address("bounce@example.jp"), &address("a@example.jp"), letter.as_bytes()).await;
    assert_eq!(word(&outcome), "not sent");
    assert!(!submitter.is_usable());
    assert_eq!(word(&submit(&mut submitter, "b@example.jp").await), "not sent");
}

#[tokio::test]
async fn silence_at_every_step_ends() {
    let steps = ["> 220 here", "< EHLO", "> 250 here", "< EHLO", "> 250 here", "< MAIL", "> 250 ok", "< RCPT"];
    let data = ["> 250 ok", "< DATA", "> 354 go", "< letter"];
    let all = [&steps[..], &data].concat();
    for length in (0..=all.len()).filter(|n| *n == 0 || all[n - 1].starts_with('<')) {
        let script = format!("{}\nsilence", all[..length].join("\n"));
        let expected = if length == all.len() { "unknown" } else { "not sent" };
        check(&script, expected).await;
        tokio::time::resume();
    }
}

#[tokio::test]
async fn a_server_that_closes_says_so_once() {
    for (step, stage) in [
        ("< MAIL\n> 421 4.3.2 closing", "mail"),
        ("< MAIL\n> 250 ok\n< RCPT\n> 421 4.3.2 closing", "rcpt"),
        ("< MAIL\n> 250 ok\n< RCPT\n> 250 ok\n< DATA\n> 421 4.3.2 closing", "data"),
        ("< MAIL\n> 250 ok\n< RCPT\n> 250 ok\n< DATA\n> 354 go\n< letter\n> 421 4.3.2 closing", "data"),
    ] {
        for hello in [HELLO, HELLO_GROUPS] {
            let server = Scripted::start(&format!("{hello}{step}\ncut"), None).await;
            let mut submitter = Submitter::connect(&settings(server.port)).await.unwrap();
            let outcome = submit(&mut submitter, "a@example.jp").await;
            assert_eq!(word(&outcome), format!("deferred {stage} 421 4.3.2"), "{step}");
            assert!(!submitter.is_usable());
        }
    }
    check("> 421 4.3.2 busy", "deferred connect 421 4.3.2").await;
    check("> 554 5.7.1 not you", "refused connect 554 5.7.1").await;
}

#[tokio::test]
async fn odd_replies() {
    let no = "< MAIL\n> 250 ok\n< RCPT\n> 550";
    check(&format!("{HELLO}{no}-5.1.1 no|550-5.1.1 such|550 5.1.1 mailbox"), "refused rcpt 550 5.1.1").await;
    check(&format!("{HELLO}{no} 5.1.1 あ"), "refused rcpt 550 5.1.1").await;
    check(&format!("{HELLO}{no} {}", "x".repeat(5_000)), "not sent").await;
    check(&format!("{HELLO}{no}-x|551 y"), "not sent").await;
    check("> hello", "not sent").await;
    check(&format!("{HELLO}< MAIL\n> 354 what"), "not sent").await;
    for hello in [HELLO, HELLO_GROUPS] {
        check(&format!("{hello}< MAIL\n> 250 ok\n< RCPT\n> 250 ok\n< DATA\n> 250 what"), "not sent").await;
    }
}

#[tokio::test]
async fn a_cancelled_submission_ends_the_session() {
    let server = Scripted::start(&format!("{HELLO}< MAIL\nsilence"), None).await;
    let mut submitter = Submitter::connect(&settings(server.port)).await.unwrap();
    let limit = std::time::Duration::from_secs(1);
    tokio::time::timeout(limit, submit(&mut submitter, "a@example.jp")).await.unwrap_err();
    assert!(!submitter.is_usable());
}

#[tokio::test]
async fn an_idle_session_is_asked_first() {
    for end in ["cut", "< NOOP\ncut", "< NOOP\n> 421 4.4.2 idle too long"] {
        let server = Scripted::start(&format!("{HELLO}< NOOP\n> 250 ok\n{end}"), None).await;
        let mut submitter = Submitter::connect(&settings(server.port)).await.unwrap();
        assert!(submitter.still_there().await);
        assert!(!submitter.still_there().await, "{end}");
        assert_eq!(word(&submit(&mut submitter, "a@example.jp").await), "not sent");
    }
}

#[tokio::test]
async fn a_session_full_of_refusals_is_given_up() {
    let refused = "< MAIL\n> 250 ok\n< RCPT\n> 550 5.1.1 no\n< RSET\n> 250 ok\n".repeat(10);
    let server = Scripted::start(&format!("{HELLO}{refused}"), None).await;
    let mut submitter = Submitter::connect(&settings(server.port)).await.unwrap();
    for _ in 0..REFUSALS_MAX {
        assert!(submitter.is_usable());
        assert_eq!(word(&submit(&mut submitter, "a@example.jp").await), "refused rcpt 550 5.1.1");
    }
    assert!(!submitter.is_usable());
}

fn login(port: u16) -> SmtpSettings {
    let password = Some(Secret::new("hi\"m\\itsu".to_owned()));
    SmtpSettings { user: Some("annai".into()), password, ..settings(port) }
}

#[tokio::test]
async fn passwords() {
    let offers = |auth: &str| format!("> 220 here\n< EHLO\n> 250-here|250 {auth}\n< EHLO\n> 250-here|250 {auth}\n");
    // printf '\0annai\0hi"m\itsu' | base64
    let plain = "< AUTH PLAIN AGFubmFpAGhpIm1caXRzdQ==\n";
    let server = Scripted::start(&format!("{}{plain}> 235 ok", offers("AUTH PLAIN LOGIN")), None).await;
    Submitter::connect(&login(server.port)).await.unwrap();
    let steps = "< AUTH LOGIN\n> 334 VXNlcm5hbWU6\n< YW5uYWk=\n> 334 UGFzc3dvcmQ6\n< aGkibVxpdHN1\n> 235 ok";
    let server = Scripted::start(&format!("{}{steps}", offers("AUTH LOGIN")), None).await;
    Submitter::connect(&login(server.port)).await.unwrap();

    let server = Scripted::start(&format!("{}{plain}> 535 5.7.8 wrong", offers("AUTH PLAIN")), None).await;
    let error = Submitter::connect(&login(server.port)).await.unwrap_err();
    assert_eq!(error.to_string(), "the server refuses us at AUTH: 535 5.7.8 wrong");
    assert!(error.needs_staff() && !format!("{error:?} {:?}", login(1)).contains("itsu"));
    let server = Scripted::start(HELLO, None).await;
    assert!(matches!(Submitter::connect(&login(server.port)).await, Err(SmtpError::NoMechanism)));
}

fn protected(port: u16, tls: Tls, authority: &Authority) -> SmtpSettings {
    SmtpSettings { host: "localhost".into(), tls, ca_file: Some(authority.ca_file.clone()), ..settings(port) }
}

const TLS_SESSION: &str = "tls\n> 220 here\n< EHLO\n> 250 here\n< EHLO\n> 250 here\n";
const STARTTLS_SESSION: &str = "> 220 here\n< EHLO\n> 250-here|250 starttls\n< STARTTLS\n> 220 go\n\
                                tls\n< EHLO\n> 250 here\n< EHLO\n> 250 here\n";
const LETTER: &str = "< MAIL\n> 250 ok\n< RCPT\n> 250 ok\n< DATA\n> 354 go\n< letter\n> 250 ok\n";

#[tokio::test]
async fn tls_with_the_right_certificate_and_no_other() {
    let (right, other, elsewhere) = (Authority::new("localhost"), Authority::new("localhost"), Authority::new("b.jp"));
    for (tls, session) in [(Tls::Implicit, TLS_SESSION), (Tls::StartTls, STARTTLS_SESSION)] {
        let server = Scripted::start(&format!("{session}{LETTER}"), Some(&right)).await;
        let mut submitter = Submitter::connect(&protected(server.port, tls, &right)).await.unwrap();
        assert_eq!(word(&submit(&mut submitter, "a@example.jp").await), "relayed 250");
        for (served, trusted) in [(&right, &other), (&elsewhere, &elsewhere)] {
            let server = Scripted::start(session, Some(served)).await;
            let error = Submitter::connect(&protected(server.port, tls, trusted)).await.unwrap_err();
            assert!(matches!(error, SmtpError::Tls(_)), "{error}");
            assert!(error.needs_staff());
        }
    }
}

#[tokio::test]
async fn starttls_never_goes_on_in_clear() {
    let authority = Authority::new("localhost");
    let start = "> 220 here\n< EHLO\n> 250-here|250 STARTTLS\n< STARTTLS\n";
    for (script, wanted) in [
        ("> 220 here\n< EHLO\n> 250-here|250 PIPELINING\n".to_owned(), "offers no STARTTLS"),
        (format!("{start}> 454 4.7.0 not now"), "refuses us at STARTTLS: 454 4.7.0 not now"),
        (format!("{start}> 220 go|250 injected"), "somebody may be listening in"),
        (format!("{start}> 220 go\n> 250 injected"), "TLS with the server failed|somebody may be listening in"),
    ] {
        let server = Scripted::start(&script, None).await;
        let settings = SmtpSettings { user: Some("u".into()), ..protected(server.port, Tls::StartTls, &authority) };
        let error = Submitter::connect(&settings).await.unwrap_err().to_string();
        assert!(wanted.split('|').any(|w| error.contains(w)), "{error}");
        let heard = server.heard().await;
        assert!(heard.iter().all(|line| !line.starts_with("MAIL") && !line.starts_with("AUTH")), "{heard:?}");
    }
}

#[tokio::test]
async fn nobody_listens() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(word(&attempt(port).await), "not sent");
}
