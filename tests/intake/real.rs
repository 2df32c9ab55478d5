//! A real Dovecot: TLS both ways, 300 mails of all sizes, marks, restart, new UIDVALIDITY, IDLE.

use crate::shelf::{Shelf, Swift};
use crate::support::dovecot::{Dovecot, Options, PASSWORD, USER};
use annai::domain::Secret;
use annai::intake::{
    AfterFiling, ImapError, ImapSettings, Login, MAIL_OCTETS_MAX, PART_OCTETS, Session, Woken, once, run,
};
use annai::tls::Tls;
use std::sync::Arc;
use std::time::Duration;

fn settings(server: &Dovecot, tls: Tls) -> ImapSettings {
    ImapSettings {
        host: "localhost".to_owned(),
        port: if tls == Tls::Implicit { server.tls_port } else { server.port },
        tls,
        ca_file: Some(server.ca()),
        user: USER.to_owned(),
        login: Login::Password(Secret::new(PASSWORD.to_owned())),
        mailbox: "INBOX".to_owned(),
        after: AfterFiling::default(),
    }
}

/// A mail of exactly so many octets on the wire (CRLF).
fn mail(number: usize, octets: usize) -> Vec<u8> {
    let mut raw = format!("From: a@example.jp\r\nSubject: {number}\r\n\r\n").into_bytes();
    while raw.len() + 72 <= octets {
        raw.extend_from_slice(&[b'x'; 70]);
        raw.extend_from_slice(b"\r\n");
    }
    raw.resize(octets.max(raw.len() + 2) - 2, b'y');
    raw.extend_from_slice(b"\r\n");
    raw
}

fn deliver(server: &Dovecot, mails: &[Vec<u8>]) {
    server.deliver(mails.iter().map(Vec::as_slice));
}

#[tokio::test]
async fn tls_both_ways_and_the_wrong_ca() {
    let server = Dovecot::start();
    for tls in [Tls::Implicit, Tls::StartTls, Tls::None] {
        let mut session = Session::open(&settings(&server, tls)).await.unwrap();
        let opened = session.select().await.unwrap();
        assert!(!opened.read_only && opened.can_keep_keywords && opened.exists == 0, "{tls:?}: {opened:?}");
        session.logout().await.unwrap();
    }
    for tls in [Tls::Implicit, Tls::StartTls] {
        let foreign = ImapSettings { ca_file: Some(server.foreign_ca()), ..settings(&server, tls) };
        let error = Session::open(&foreign).await.unwrap_err();
        assert!(matches!(error, ImapError::Certificate { .. }), "{tls:?}: {error}");
        let misnamed = ImapSettings { host: "127.0.0.2".to_owned(), ..settings(&server, tls) };
        assert!(Session::open(&misnamed).await.is_err(), "{tls:?}");
    }
    let login = Login::Password(Secret::new("wrong".to_owned()));
    let error = Session::open(&ImapSettings { login, ..settings(&server, Tls::None) }).await.unwrap_err();
    assert!(matches!(error, ImapError::Login { .. }), "{error}");
}

#[tokio::test]
async fn three_hundred_mails_of_all_sizes() {
    let server = Dovecot::start();
    let part = PART_OCTETS as usize;
    let mut sizes =
        vec![3 << 20, 30 << 20, part - 1, part, part + 1, MAIL_OCTETS_MAX as usize, MAIL_OCTETS_MAX as usize + 1];
    sizes.resize(300, 5_000);
    let mails: Vec<Vec<u8>> = sizes.iter().enumerate().map(|(number, octets)| mail(number, *octets)).collect();
    deliver(&server, &mails);
    let shelf = Shelf::default();
    let tally = once(&settings(&server, Tls::Implicit), &shelf, &Swift).await.unwrap();
    assert_eq!((tally.filed, tally.truncated, tally.marked), (300, 2, 300));
    assert_eq!(shelf.again(), 0);
    for (filed, sent) in shelf.mails().iter().zip(&mails) {
        assert_eq!(filed.octets as usize, sent.len());
        let whole = if sent.len() > MAIL_OCTETS_MAX as usize { &sent[..part] } else { sent };
        assert!(filed.raw == whole && filed.truncated == (sent.len() > whole.len()), "{filed:?}");
    }
    assert_eq!(shelf.census().map(|census| census.present), Some(300));
    // Dovecot keeps keywords as letters in the file name; `a` is the first one.
    assert_eq!(server.marked("", 'a'), 300);
    let again = once(&settings(&server, Tls::Implicit), &shelf, &Swift).await.unwrap();
    assert_eq!((again.filed, again.marked, shelf.again()), (0, 0, 0));
}

#[tokio::test]
async fn what_was_filed_but_not_marked_is_marked_later() {
    let server = Dovecot::start();
    deliver(&server, &(0..5).map(|n| mail(n, 300)).collect::<Vec<_>>());
    let shelf = Shelf::default();
    let silent = ImapSettings { after: AfterFiling::Nothing, ..settings(&server, Tls::None) };
    assert_eq!(once(&silent, &shelf, &Swift).await.unwrap().marked, 0);
    let tally = once(&settings(&server, Tls::None), &shelf, &Swift).await.unwrap();
    assert_eq!((tally.filed, tally.marked, server.marked("", 'a')), (0, 5, 5));
}

#[tokio::test]
async fn filed_mails_move_to_a_folder_with_a_japanese_name() {
    let server = Dovecot::start();
    deliver(&server, &(0..120).map(|n| mail(n, 300)).collect::<Vec<_>>());
    let moving =
        ImapSettings { after: AfterFiling::Move("処理済み".to_owned()), ..settings(&server, Tls::StartTls) };
    let shelf = Shelf::default();
    let tally = once(&moving, &shelf, &Swift).await.unwrap();
    assert_eq!((tally.filed, tally.marked, shelf.mails().len()), (120, 120, 120));
    assert_eq!(server.files(".&UeZ0Bm4IMH8-").len(), 120);
    assert_eq!(shelf.census().map(|census| census.present), Some(0));
}

#[tokio::test]
async fn a_read_only_mailbox_is_read_and_left_alone() {
    let server = Dovecot::with(Options { read_only: true });
    deliver(&server, &(0..3).map(|n| mail(n, 300)).collect::<Vec<_>>());
    let shelf = Shelf::default();
    let mut session = Session::open(&settings(&server, Tls::None)).await.unwrap();
    assert!(session.select().await.unwrap().read_only);
    let tally = once(&settings(&server, Tls::None), &shelf, &Swift).await.unwrap();
    assert_eq!((tally.filed, tally.marked), (3, 0));
}

#[tokio::test]
async fn new_uids_are_read_again_from_the_first_mail() {
    let mut server = Dovecot::start();
    deliver(&server, &(0..7).map(|n| mail(n, 300)).collect::<Vec<_>>());
    let shelf = Shelf::default();
    once(&settings(&server, Tls::None), &shelf, &Swift).await.unwrap();
    let before = shelf.current().unwrap();
    server.forget_uids();
    let tally = once(&settings(&server, Tls::None), &shelf, &Swift).await.unwrap();
    let after = shelf.current().unwrap();
    assert_ne!(before.uid_validity, after.uid_validity);
    assert_eq!((tally.filed, shelf.mails().len()), (7, 14), "all again; the engine sees by digest that they are known");
}

/// The daemon's loop: wakes by IDLE, survives a restart in the middle, goes on where it stopped.
#[tokio::test]
async fn the_loop_survives_a_restart_and_wakes_by_idle() {
    let mut server = Dovecot::start();
    deliver(&server, &(0..400).map(|n| mail(n, 20_000)).collect::<Vec<_>>());
    let shelf = Arc::new(Shelf::held());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let task = tokio::spawn({
        let (settings, shelf) = (settings(&server, Tls::Implicit), Arc::clone(&shelf));
        async move {
            let shutdown = async { stopped.await.unwrap_or(()) };
            run(&settings, shelf.as_ref(), &Swift, shutdown).await
        }
    });
    let soon = |what| tokio::time::timeout(Duration::from_mins(1), what);
    soon(shelf.held.notified()).await.expect("the first batch is being filed");
    server.down();
    server.up();
    shelf.go.notify_one();
    soon(shelf.at_end.notified()).await.expect("read to the end after the restart");
    assert_eq!((shelf.mails().len(), shelf.again()), (400, 0));
    assert!(!shelf.troubles().is_empty(), "the restart came in the middle");
    assert_eq!(server.marked("", 'a'), 400, "what was filed without a connection is marked by the next one");
    deliver(&server, &[mail(400, 300)]);
    soon(shelf.at_end.notified()).await.expect("woken by the delivery");
    assert_eq!(shelf.mails().len(), 401);
    stop.send(()).unwrap();
    task.await.unwrap().unwrap();
}

#[tokio::test]
async fn idle_wakes_for_a_delivery_and_ends_by_itself() {
    let server = Dovecot::start();
    let mut session = Session::open(&settings(&server, Tls::None)).await.unwrap();
    session.select().await.unwrap();
    assert_eq!(session.wait(Duration::from_millis(10)).await.unwrap(), Woken::Quiet);
    let (woken, ()) = tokio::join!(session.wait(Duration::from_mins(1)), async {
        deliver(&server, &[mail(0, 300)]);
    });
    assert_eq!(woken.unwrap(), Woken::News);
    session.noop().await.unwrap();
    assert_eq!(session.count().await.unwrap(), 1);
}

/// Commands go out in one piece with `TCP_NODELAY`; in pieces each waits some 40 ms for a delayed acknowledgement.
#[tokio::test]
async fn a_hundred_commands_do_not_wait_for_acknowledgements() {
    let server = Dovecot::start();
    for tls in [Tls::None, Tls::Implicit] {
        let mut session = Session::open(&settings(&server, tls)).await.unwrap();
        let start = tokio::time::Instant::now();
        for _ in 0..100 {
            session.noop().await.unwrap();
        }
        assert!(start.elapsed() < Duration::from_secs(3), "{tls:?}: {:?}", start.elapsed());
    }
}
