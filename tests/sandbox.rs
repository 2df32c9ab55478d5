//! The sandbox seen from outside: Python's imaplib and smtplib and async-imap as independent clients; its faults by
//! bare sockets, to the octet. The clock stands still at 2020-05-01 09:00 JST.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "sandbox/imap_faults.rs"]
mod imap_faults;
#[path = "sandbox/smtp_faults.rs"]
mod smtp_faults;

use annai::domain::Timestamp;
use annai::sandbox::{DeliverError, Domains, INBOX, Limits, Options, PostOffice};
use futures::StreamExt;
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

const PASSWORD: &str = "sandbox \"pass\\word";
/// How long a test listens to a server that says nothing: where it ought to speak, and where it ought not to.
const PATIENCE: Duration = Duration::from_secs(30);
const BRIEF: Duration = Duration::from_secs(1);
const USER: &str = "covid19@city.example.jp";

fn options() -> Options {
    let now = "2020-05-01T09:00:00+09:00".parse::<Timestamp>().unwrap();
    let mut options = Options::new(PASSWORD, Arc::new(move || now));
    options.domains = Domains::Only(vec!["city.example.jp".to_owned()]);
    options
}

/// Says everything at once and hears until the connection ends.
fn converse(address: SocketAddr, words: &str) -> String {
    hear(address, words, PATIENCE)
}

/// The same, or until this much silence.
fn hear(address: SocketAddr, words: &str, patience: Duration) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    // The other side may have closed already; what it said before is what counts.
    let _ = stream.write_all(words.as_bytes());
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard);
    String::from_utf8_lossy(&heard).into_owned()
}

/// Runs a Python client against the post office; it fails with what the script says.
fn python(script: &str, office: &PostOffice, ports: [u16; 2]) {
    let directory = tempfile::tempdir().unwrap();
    let ca = directory.path().join("ca.pem");
    std::fs::write(&ca, office.ca_pem()).unwrap();
    let script = format!("{}/tests/data/sandbox/{script}", env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("python3");
    command.arg(script).args(ports.map(|port| port.to_string())).arg(&ca).args([USER, PASSWORD]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn imaplib_reads_the_mailbox() {
    let office = PostOffice::start(options()).await.unwrap();
    for mail in
        ["Subject: one\r\n\r\n1\r\n", "Subject: two\r\nTo: a@b.jp\r\n\r\nsecond text\r\n", "Subject: three\r\n\r\n3"]
    {
        office.deliver(USER, mail.as_bytes()).unwrap();
    }
    python("imap.py", &office, [office.imap_addr().port(), office.imaps_addr().port()]);
    let left = office.mails(USER);
    assert_eq!(left.iter().map(|mail| mail.uid).collect::<Vec<_>>(), [1, 3]);
    assert!(left[0].has_flag("\\Seen") && !left[1].has_flag("\\Seen"));
    assert!(office.mails_in(USER, "Done")[0].has_flag("\\Seen"));
    office.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn smtplib_delivers() {
    let mut options = options();
    options.limits.mail_octets = 1_000_000;
    let office = PostOffice::start(options).await.unwrap();
    let mut changes = office.watch();
    changes.mark_unchanged();
    python("smtp.py", &office, [office.smtp_addr().port(), office.smtps_addr().port()]);
    assert!(changes.has_changed().unwrap());
    assert_eq!(office.mailboxes(), ["hoken@city.example.jp"]);
    let mails = office.mails("Hoken@City.example.jp");
    assert_eq!(mails.len(), 2);
    let first = String::from_utf8(mails[0].raw.to_vec()).unwrap();
    assert_eq!(
        first,
        "Return-Path: <from@example.jp>\r\nDelivered-To: hoken@city.example.jp\r\n\
         Received: from CLIENT (localhost [127.0.0.1])\r\n\tby sandbox.invalid with ESMTPSA\r\n\
         \tfor <hoken@city.example.jp>; Fri, 1 May 2020 09:00:00 +0900\r\n\
         Subject: dots\r\n\r\n.one dot\r\n..two dots\r\n.\r\nlast 札幌\r\n"
            .replace("CLIENT", client_name(&first))
    );
    assert_eq!(mails[1].envelope_to, "hoken+sub@city.example.jp");
    assert_eq!(mails[1].envelope_from.as_deref(), Some("bounce+7@city.example.jp"));
    assert_eq!((mails[0].received, mails[1].received), (1, 2));
    office.shutdown().await;
}

/// What the client calls itself depends on the machine's name.
fn client_name(mail: &str) -> &str {
    mail.split_once("Received: from ").and_then(|(_, rest)| rest.split_once(" (")).map_or("", |(name, _)| name)
}

struct XOAuth2(String);

impl async_imap::Authenticator for &XOAuth2 {
    type Response = String;
    fn process(&mut self, challenge: &[u8]) -> String {
        // The second challenge is the reason for a refusal and wants an empty answer.
        if challenge.is_empty() { self.0.clone() } else { String::new() }
    }
}

async fn connect(office: &PostOffice) -> async_imap::Client<tokio::net::TcpStream> {
    let stream = tokio::net::TcpStream::connect(office.imap_addr()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut client = async_imap::Client::new(stream);
    client.read_response().await.unwrap().unwrap();
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn async_imap_reads_and_idles() {
    let office = PostOffice::start(options()).await.unwrap();
    office.deliver(USER, b"Subject: one\r\n\r\n\x001\r\n").unwrap();
    let mut session = connect(&office).await.login(USER, PASSWORD).await.map_err(|(error, _)| error).unwrap();
    let mailbox = session.select(INBOX).await.unwrap();
    assert_eq!((mailbox.exists, mailbox.uid_next), (1, Some(2)));
    assert!(mailbox.uid_validity.is_some());
    let mails: Vec<_> = session.uid_fetch("1:*", "(UID BODY.PEEK[])").await.unwrap().collect().await;
    assert_eq!(mails.len(), 1);
    // NUL cannot travel in a literal.
    assert_eq!(mails[0].as_ref().unwrap().body().unwrap(), b"Subject: one\r\n\r\n\x801\r\n");

    let mut idle = session.idle();
    idle.init().await.unwrap();
    let (wait, _stop) = idle.wait_with_timeout(Duration::from_secs(20));
    let delivered = async {
        office.deliver(USER, b"Subject: two\r\n\r\n2\r\n").unwrap();
    };
    let (told, ()) = tokio::join!(wait, delivered);
    assert!(matches!(told.unwrap(), async_imap::extensions::idle::IdleResponse::NewData(_)));
    let mut session = idle.done().await.unwrap();
    assert_eq!(session.uid_search("UNSEEN UID 2:*").await.unwrap().into_iter().collect::<Vec<_>>(), [2]);
    session.uid_mv("1", "INBOX").await.unwrap();
    assert_eq!(office.mails(USER).iter().map(|mail| mail.uid).collect::<Vec<_>>(), [2, 3]);
    session.logout().await.unwrap();
    office.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_the_mailbox_and_a_wrong_one_does_not() {
    let office = PostOffice::start(options()).await.unwrap();
    let token = |token: &str| XOAuth2(format!("user={USER}\x01auth=Bearer {token}\x01\x01"));
    let right = token(PASSWORD);
    let mut session = connect(&office).await.authenticate("XOAUTH2", &right).await.map_err(|(error, _)| error).unwrap();
    session.select(INBOX).await.unwrap();
    let wrong = token("expired");
    let refused = connect(&office).await.authenticate("XOAUTH2", &wrong).await;
    assert!(matches!(refused.map(|_| ()).map_err(|(error, _)| error), Err(async_imap::error::Error::No(_))));
    office.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_unknown_domains_are_refused() {
    let mut options = options();
    options.limits = Limits { mail_octets: 10, mailboxes: 1, mails: 2, connections: 1, ..Limits::default() };
    let office = PostOffice::start(options).await.unwrap();
    assert_eq!(office.deliver("a@elsewhere.example", b"x"), Err(DeliverError::UnknownDomain));
    assert_eq!(office.deliver("nobody", b"x"), Err(DeliverError::NoAddress));
    assert_eq!(office.deliver(USER, b"12345678901"), Err(DeliverError::TooLarge));
    assert_eq!(office.deliver(USER, b"1"), Ok(()));
    assert_eq!(office.deliver("other@city.example.jp", b"1"), Err(DeliverError::TooManyMailboxes));
    assert_eq!(office.deliver(USER, b"2"), Ok(()));
    assert_eq!(office.deliver(USER, b"3"), Err(DeliverError::TooManyMails));
    let first = connect(&office).await;
    assert_eq!(converse(office.smtp_addr(), "EHLO c\r\n"), "", "one connection too many");
    drop(first);
    office.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_closes_every_connection_and_frees_the_ports() {
    let office = PostOffice::start(options()).await.unwrap();
    let mut session = connect(&office).await.login(USER, PASSWORD).await.map_err(|(error, _)| error).unwrap();
    let (imap, smtp) = (office.imap_addr(), office.smtp_addr());
    office.shutdown().await;
    assert!(session.noop().await.is_err());
    let mut options = options();
    options.imap_port = imap.port();
    options.smtp_port = smtp.port();
    let again = PostOffice::start(options.clone()).await.unwrap();
    assert!(PostOffice::start(options).await.is_err(), "a port cannot be opened twice");
    again.shutdown().await;
}

/// Whether our own TLS library, trusting this authority alone, accepts the server under this name.
async fn trusts(authority: &PostOffice, server: &PostOffice, name: &'static str) -> bool {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.ca_pem().as_bytes()).unwrap()).unwrap();
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = tokio::net::TcpStream::connect(server.imaps_addr()).await.unwrap();
    let name = ServerName::try_from(name).unwrap();
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_is_good_for_its_names_and_dates_only() {
    let office = PostOffice::start(options()).await.unwrap();
    assert!(trusts(&office, &office, "localhost").await);
    assert!(trusts(&office, &office, "127.0.0.1").await);
    assert!(!trusts(&office, &office, "mail.example.jp").await);
    let mut expired = options();
    expired.certificate_not_after = "2020-06-01T00:00:00Z".parse().unwrap();
    let expired = PostOffice::start(expired).await.unwrap();
    assert!(!trusts(&expired, &expired, "localhost").await);
    assert!(!trusts(&expired, &office, "localhost").await, "another authority");
    office.shutdown().await;
    expired.shutdown().await;
}
