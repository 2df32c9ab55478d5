//! DKIM: keys made by openssl, signatures checked by mail-auth and, on our own canonical form, by openssl.

use annai::dispatch::dkim::{DkimError, SIGNED_HEADERS, Signer};
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator, Parameters, ResolverCache, Txt};
use std::borrow::Borrow;
use std::hash::Hash;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

const MAIL: &str = "From: =?utf-8?B?5Y6a5Yqm?= <noreply@example.jp>\r\nTo: a@city.example.lg.jp\r\n\
    Subject: =?utf-8?B?6Ki85piO5pu4?=\r\n\tand   more\r\nDate: Fri, 1 May 2020 09:00:00 +0900\r\n\
    Message-ID: <annai-1@example.jp>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Auto-Submitted: auto-generated\r\nX-Other: not signed\r\n\r\n  two  blanks \r\n\r\nend\r\n\r\n\r\n";

fn openssl(dir: &Path, arguments: &str) -> Vec<u8> {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(dir).output();
    let output = output.expect("openssl is missing: run tests/run, which installs it");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn signer(dir: &Path, file: &str) -> Result<Signer, DkimError> {
    Signer::from_pem("s1", "example.jp", &std::fs::read(dir.join(file)).unwrap())
}

fn signed(dir: &Path, file: &str) -> String {
    let now = "2020-05-01T09:00:00+09:00".parse().unwrap();
    String::from_utf8(signer(dir, file).unwrap().sign(MAIL.as_bytes(), now).unwrap()).unwrap()
}

/// The public half of a key as base64: the value of `p=`.
fn public(dir: &Path, file: &str) -> String {
    openssl(dir, &format!("pkey -in {file} -pubout -out public.pem"));
    let pem = std::fs::read_to_string(dir.join("public.pem")).unwrap();
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

struct OneRecord(Txt);

impl ResolverCache<Box<str>, Txt> for OneRecord {
    fn get<Q: Hash + Eq + ?Sized>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
    {
        Some(self.0.clone())
    }
    fn remove<Q: Hash + Eq + ?Sized>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
    {
        None
    }
    fn insert(&self, _: Box<str>, _: Txt, _: std::time::Instant) {}
}

async fn verdict(mail: &str, record: &str) -> DkimResult {
    let key = DomainKey::parse(record.as_bytes()).unwrap();
    let cache = OneRecord(Txt::DomainKey(Arc::new(key)));
    let authenticator = MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default()).unwrap();
    let message = AuthenticatedMessage::parse(mail.as_bytes()).unwrap();
    let outputs = authenticator.verify_dkim(Parameters::new(&message).with_txt_cache(&cache)).await;
    assert_eq!(outputs.len(), 1);
    outputs[0].result().clone()
}

#[tokio::test]
async fn signatures_hold_and_break() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    openssl(dir, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem");
    openssl(dir, "pkey -in rsa.pem -traditional -out rsa1.pem");
    openssl(dir, "genpkey -algorithm ed25519 -out ed.pem");
    assert_eq!(signed(dir, "rsa.pem"), signed(dir, "rsa1.pem"), "PKCS#8 and PKCS#1, the same bytes each time");

    let rsa = format!("v=DKIM1; k=rsa; p={}", public(dir, "rsa.pem"));
    // RFC 8463 §4: the bare key, the last 32 octets of its SubjectPublicKeyInfo (44 octets, so 16 characters off).
    let ed = format!("v=DKIM1; k=ed25519; p={}", &public(dir, "ed.pem")[16..]);
    for (file, record) in [("rsa.pem", &rsa), ("ed.pem", &ed)] {
        let mail = signed(dir, file);
        assert!(mail.ends_with(MAIL) && mail.starts_with("DKIM-Signature: v=1;"), "{mail}");
        assert!(mail.contains("d=example.jp") && mail.contains("s=s1") && mail.contains("t=1588291200"), "{mail}");
        assert_eq!(verdict(&mail, record).await, DkimResult::Pass, "{file}");
        let relaxed = mail.replace("  two  blanks \r\n", "  two blanks\r\n").replace("and   more", "and more");
        assert_eq!(verdict(&relaxed, record).await, DkimResult::Pass, "{file}");
        assert_ne!(verdict(&mail.replace("end\r\n", "End\r\n"), record).await, DkimResult::Pass, "{file}");
        for name in SIGNED_HEADERS {
            let added = mail.replace("\r\nX-Other: ", &format!("\r\n{name}: evil@example.com\r\nX-Other: "));
            assert_ne!(verdict(&added, record).await, DkimResult::Pass, "{file}: {name} added");
        }
    }
}

/// RFC 6376 §3.4.2, written once more: name in lower case, unfolded, runs of blanks as one.
fn relaxed(field: &str) -> String {
    let (name, value) = field.split_once(':').unwrap();
    let value = value.replace("\r\n", "").split([' ', '\t']).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    format!("{}:{value}", name.to_lowercase())
}

#[test]
fn openssl_agrees() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    openssl(dir, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem");
    openssl(dir, "pkey -in rsa.pem -pubout -out public.pem");
    let mail = signed(dir, "rsa.pem");
    let (head, _) = mail.split_once("\r\n\r\n").unwrap();
    let unfolded = head.replace("\r\n\t", " ").replace("\r\n ", " ");
    let (signature, fields) = unfolded.split_once("\r\n").unwrap();
    let tag = |name: &str| {
        let value = signature.split(';').find_map(|t| t.trim().strip_prefix(&format!("{name}="))).unwrap();
        value.replace(' ', "")
    };
    let mut rest: Vec<&str> = fields.split("\r\n").collect();
    let mut canonical = String::new();
    for name in tag("h").split(':') {
        let is = |field: &&str| field.split_once(':').is_some_and(|(n, _)| n.eq_ignore_ascii_case(name));
        if let Some(at) = rest.iter().rposition(is) {
            canonical.extend([&relaxed(rest.remove(at)), "\r\n"]);
        }
    }
    assert_eq!(rest, ["X-Other: not signed"]);
    // The signature's own field comes last, with an empty b= (the last tag but for a semicolon), without a line end.
    let own = &head[..head.find("\r\nFrom:").unwrap()];
    let end = if own.ends_with(';') { ";" } else { "" };
    canonical += &relaxed(&format!("{}b={end}", own.rsplit_once("b=").unwrap().0));
    std::fs::write(dir.join("canonical"), canonical).unwrap();
    std::fs::write(dir.join("b64"), tag("b")).unwrap();
    openssl(dir, "base64 -d -A -in b64 -out signature");
    let verified = openssl(dir, "dgst -sha256 -verify public.pem -signature signature canonical");
    assert_eq!(String::from_utf8(verified).unwrap().trim(), "Verified OK");

    std::fs::write(dir.join("body"), " two blanks\r\n\r\nend\r\n").unwrap();
    let digest = openssl(dir, "dgst -sha256 -binary -out hash body");
    assert!(digest.is_empty());
    assert_eq!(String::from_utf8(openssl(dir, "base64 -A -in hash")).unwrap().trim(), tag("bh"));
}

#[test]
fn keys_that_do_not_serve() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    openssl(dir, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out short.pem");
    openssl(dir, "ecparam -name prime256v1 -genkey -noout -out ec.pem");
    std::fs::write(dir.join("none.pem"), "no key").unwrap();
    for (file, words) in
        [("short.pem", "2048 to 8192 bits"), ("ec.pem", "neither Ed25519 nor RSA"), ("none.pem", "in PEM")]
    {
        let error = signer(dir, file).unwrap_err().to_string();
        assert!(error.contains(words), "{file}: {error}");
    }
}
