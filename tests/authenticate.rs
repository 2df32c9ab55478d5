//! The own check of DKIM, SPF and DMARC against a real DNS server on loopback, and what the engine makes of it.
#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use annai::dispatch::dkim::Signer;
use annai::domain::Timestamp;
use annai::intake::Authenticator;
use annai::reading::authentication::{Authentication, Grade, Verdict};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::TXT;
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::process::Command;

const MAIL: &str = "From: =?utf-8?B?5riv5Yy6?= <kansen@city.minato.tokyo.jp>\r\nTo: covid19@bigtreetc.com\r\n\
    Subject: x\r\nDate: Fri, 24 Apr 2020 10:00:00 +0900\r\nMessage-ID: <1@city.minato.tokyo.jp>\r\n\r\nHello.\r\n";
const ENVELOPE: &str = "Return-Path: <kansen@city.minato.tokyo.jp>\r\n\
    Received: from mail.city.minato.tokyo.jp (mail [192.0.2.7]) by mx.bigtree.example; Fri, 24 Apr 2020 10:00:01 +0900\r\n";

/// Answers TXT questions from a table; everything else does not exist. A name with the value `-` gets no answer at all.
fn dns(records: &[(&str, &str)]) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = socket.local_addr().unwrap();
    let records: BTreeMap<String, String> =
        records.iter().map(|(name, text)| (format!("{name}."), (*text).to_owned())).collect();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok((length, peer)) = socket.recv_from(&mut bytes) {
            let question = Message::from_vec(&bytes[..length]).unwrap();
            let asked = question.queries[0].clone();
            let mut answer = Message::new(question.metadata.id, MessageType::Response, question.metadata.op_code);
            let name = asked.name().to_ascii().to_ascii_lowercase();
            match records.get(&name).filter(|_| asked.query_type() == RecordType::TXT) {
                Some(text) if text == "-" => continue,
                Some(text) => {
                    let parts = text.as_bytes().chunks(200).map(|c| String::from_utf8(c.to_vec()).unwrap()).collect();
                    answer.add_answer(Record::from_rdata(asked.name().clone(), 60, RData::TXT(TXT::new(parts))));
                }
                None => answer.metadata.response_code = ResponseCode::NXDomain,
            }
            answer.add_query(asked);
            socket.send_to(&answer.to_vec().unwrap(), peer).unwrap();
        }
    });
    server
}

/// A signed mail and the key's record.
fn signed(mail: &str, domain: &str) -> (String, String) {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key.pem");
    let openssl = |args: &[&str]| {
        let output = Command::new("openssl").args(args).output().unwrap();
        assert!(output.status.success());
        output.stdout
    };
    let path = key.to_str().unwrap();
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", path]);
    let der = openssl(&["pkey", "-in", path, "-pubout", "-outform", "DER"]);
    // SubjectPublicKeyInfo of Ed25519 ends in the 32 bytes of the key (RFC 8410 §4); the record holds these (RFC 8463).
    let public = BASE64_STANDARD.encode(&der[der.len() - 32..]);
    let signer = Signer::from_pem("s1", domain, &std::fs::read(&key).unwrap()).unwrap();
    let header = signer.sign(mail.as_bytes(), Timestamp::from_unix(1_587_690_000)).unwrap();
    (String::from_utf8(header).unwrap(), format!("v=DKIM1; k=ed25519; p={public}"))
}

fn check(mail: &str, records: &[(&str, &str)]) -> Option<Authentication> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let own = ["mx.bigtree.example".to_owned()];
        Authenticator::new(Some(dns(records))).unwrap().check(mail.as_bytes(), &own).await
    })
}

fn verdicts(found: Option<Authentication>) -> (Verdict, Verdict, Verdict, Grade) {
    let found = found.unwrap();
    (found.dmarc, found.dkim, found.spf, found.grade())
}

const DMARC: (&str, &str) = ("_dmarc.city.minato.tokyo.jp", "v=DMARC1; p=reject");
const SPF: (&str, &str) = ("city.minato.tokyo.jp", "v=spf1 ip4:192.0.2.7 -all");

#[test]
fn a_signature_of_the_sender_is_strong_and_a_changed_text_speaks_against_it() {
    use Verdict::{Fail, None as Unsaid, Pass};
    let (mail, key) = signed(MAIL, "city.minato.tokyo.jp");
    let key = ("s1._domainkey.city.minato.tokyo.jp", key.as_str());
    assert_eq!(verdicts(check(&mail, &[key, DMARC])), (Pass, Pass, Unsaid, Grade::Strong));
    assert_eq!(verdicts(check(&mail, &[key])), (Unsaid, Pass, Unsaid, Grade::Strong));
    let changed = mail.replace("Hello.", "Hello!");
    assert_eq!(verdicts(check(&changed, &[key, DMARC])), (Unsaid, Fail, Unsaid, Grade::Against));
    let from_elsewhere = format!("{ENVELOPE}{changed}").replace("192.0.2.7", "198.51.100.9");
    assert_eq!(verdicts(check(&from_elsewhere, &[key, DMARC, SPF])), (Fail, Fail, Fail, Grade::Against));
    // A list's signature is no signature of the sender.
    let (mail, key) = signed(MAIL, "list.example");
    let key = ("s1._domainkey.list.example", key.as_str());
    assert_eq!(verdicts(check(&mail, &[key])), (Unsaid, Unsaid, Unsaid, Grade::Nothing));
}

#[test]
fn spf_counts_where_the_own_server_says_from_where_it_came() {
    use Verdict::{Fail, None as Unsaid, Pass};
    let mail = format!("{ENVELOPE}{MAIL}");
    assert_eq!(verdicts(check(&mail, &[SPF])), (Unsaid, Unsaid, Pass, Grade::Fair));
    assert_eq!(verdicts(check(&mail, &[SPF, DMARC])), (Pass, Unsaid, Pass, Grade::Strong));
    let elsewhere = mail.replace("192.0.2.7", "198.51.100.9");
    assert_eq!(verdicts(check(&elsewhere, &[SPF, DMARC])), (Fail, Unsaid, Fail, Grade::Against));
    // The line of another server, or one that anybody can have written below, tells nothing.
    let foreign = mail.replace("by mx.bigtree.example", "by mx.attacker.example");
    assert_eq!(verdicts(check(&foreign, &[SPF, DMARC])), (Unsaid, Unsaid, Unsaid, Grade::Nothing));
    let below = format!("Received: from x ([198.51.100.9]) by relay.example; now\r\n{mail}");
    assert_eq!(verdicts(check(&below, &[SPF, DMARC])), (Unsaid, Unsaid, Unsaid, Grade::Nothing));
    // The name a sender gives itself is no address.
    let named =
        mail.replace("from mail.city.minato.tokyo.jp (mail [192.0.2.7])", "from [192.0.2.7] (x [198.51.100.9])");
    assert_eq!(verdicts(check(&named, &[SPF])), (Unsaid, Unsaid, Fail, Grade::Against));
}

#[test]
fn a_dns_that_does_not_answer_says_nothing() {
    let mail = format!("{ENVELOPE}{MAIL}");
    let found = check(&mail, &[(SPF.0, "-"), (DMARC.0, "-")]);
    assert!(found.is_none_or(|found| found.grade() == Grade::Nothing));
    assert!(check("no mail", &[]).is_none());
    let two = MAIL.replace("\r\nTo:", ", evil@x.example\r\nTo:");
    assert!(check(&two, &[]).is_none(), "several senders");
}
