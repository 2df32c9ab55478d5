//! Certificates in officers' hands (research R3, R5, R6, R20): the CA, what other programs say of its files, and the
//! pick-up step by step, with crashes in between.
#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "certificates/commands.rs"]
mod commands;
#[path = "certificates/keys.rs"]
mod keys;
#[path = "certificates/pickup.rs"]
mod pickup;
#[path = "certificates/tools.rs"]
mod tools;
#[path = "certificates/world.rs"]
mod world;

use annai::crypto::MasterKey;
use annai::domain::{Secret, Timestamp};
use annai::pki::{Authority, Custody, KeyKind, LeafSettings, Made, Order, Profile, Revoked, Serial, dir};
use annai::workflow::RevocationReason;
use std::path::Path;
use std::sync::Arc;
use tools::{attempt, run, save};
use world::at;

const PASSWORD: &str = "k7m2-9xqd-abcd";

fn now() -> Timestamp {
    // The tools look at the clock of this computer, so the certificates must be good today.
    annai::clock::Clock::System.now()
}

fn made(authority: &Arc<Authority>, serial: u8) -> (Serial, Made) {
    made_for(authority, serial, "倉吉保健所")
}

fn made_for(authority: &Arc<Authority>, serial: u8, name: &str) -> (Serial, Made) {
    let (not_before, not_after) = authority.validity(now()).unwrap();
    let serial = Serial::from_random([serial; 16]);
    let order = Order {
        authority: Arc::clone(authority),
        serial,
        issuer: authority.active().unwrap().id.clone(),
        tenant: "310000-01".to_owned(),
        name: name.to_owned(),
        not_before,
        not_after,
        password: Secret::new(PASSWORD.to_owned()),
    };
    (serial, order.make().unwrap())
}

/// Root, issuing CA and lists as files; the path of each.
struct Files {
    anchors: String,
    crls: String,
    issuing: String,
}

fn files(dir: &Path, authority: &Authority, revoked: &[Revoked]) -> Files {
    let ca = authority.active().unwrap();
    let pem = |label: &str, der: &[u8]| dir::pem(label, der);
    let list = ca.sign_crl(7, now().plus(-60), now().plus(86_400), revoked).unwrap();
    let lists = pem("X509 CRL", &list) + &pem("X509 CRL", authority.root_crl().unwrap());
    Files {
        anchors: save(dir, "root.pem", pem("CERTIFICATE", authority.root().unwrap()).as_bytes()),
        issuing: save(dir, "issuing.pem", pem("CERTIFICATE", &ca.certificate).as_bytes()),
        crls: save(dir, "lists.pem", lists.as_bytes()),
    }
}

/// Both profiles with both kinds of key are opened by openssl without `-legacy`, NSS and Java.
#[test]
fn other_programs_open_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let database = format!("sql:{}", dir.display());
    run("certutil", &["-N", "-d", &database, "--empty-password"]);
    for (number, key) in [KeyKind::Rsa2048, KeyKind::P256].into_iter().enumerate() {
        let settings = LeafSettings { key, ..world::leaf() };
        let authority = Arc::new(Authority::throwaway(settings, now()).unwrap());
        let (_, made) = made(&authority, 9);
        for profile in Profile::ALL {
            let file = save(dir, &format!("{}-{number}.p12", profile.name()), made.file(profile).reveal());
            let pass = format!("pass:{PASSWORD}");
            let shown = run("openssl", &["pkcs12", "-in", &file, "-info", "-passin", &pass, "-nodes"]);
            assert!(shown.contains("Microsoft Software Key Storage Provider"), "{shown}");
            assert_eq!(shown.matches("BEGIN CERTIFICATE").count(), 2, "leaf and intermediate, no root: {shown}");
            assert_eq!(shown.matches("BEGIN PRIVATE KEY").count(), 1, "{shown}");
            let how = match profile {
                Profile::Compat => ("pbeWithSHA1And3-KeyTripleDES-CBC", "MAC: sha1"),
                Profile::Modern => ("AES-256-CBC", "MAC: sha256"),
            };
            assert!(shown.contains(how.0) && shown.contains(how.1), "{shown}");
            let wrong = ["pkcs12", "-in", &file, "-passin", "pass:k7m2-9xqd-abce", "-nokeys"];
            assert!(!attempt("openssl", &wrong).0, "another password opens it");

            run("pk12util", &["-i", &file, "-d", &database, "-W", PASSWORD, "-K", ""]);
            let names = run("certutil", &["-L", "-d", &database]);
            assert!(names.contains("310000-01"), "{names}");

            let alias = run("keytool", &["-list", "-keystore", &file, "-storetype", "PKCS12", "-storepass", PASSWORD]);
            assert!(alias.contains("倉吉保健所 (310000-01)") && alias.contains("PrivateKeyEntry"), "{alias}");
        }
    }
}

/// What stands in the certificate, by openssl; the chain is good for clients only, and a revoked one is refused.
#[test]
fn the_profile_is_that_of_rfc_5280() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let authority = Arc::new(Authority::throwaway(world::leaf(), now()).unwrap());
    let (serial, made) = made(&authority, 0xa7);
    let leaf = save(dir, "leaf.der", &made.certificate);
    let text =
        run("openssl", &["x509", "-in", &leaf, "-inform", "DER", "-noout", "-text", "-nameopt", "utf8,sep_comma_plus"]);
    let id = authority.active().unwrap().id.clone();
    for expected in [
        "X509v3 Key Usage: critical\n                Digital Signature\n",
        "X509v3 Extended Key Usage: \n                TLS Web Client Authentication\n",
        "X509v3 Basic Constraints: critical\n                CA:FALSE\n",
        "URI:urn:annai:tenant:310000-01",
        &format!("URI:http://pickup.example.jp/crl/{id}.crl"),
        &format!("CA Issuers - URI:http://pickup.example.jp/ca/{id}.crt"),
        "X509v3 Subject Key Identifier",
        "X509v3 Authority Key Identifier",
        "CN=倉吉保健所 (310000-01)",
        "Version: 3 (0x2)",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    let digits = run("openssl", &["x509", "-in", &leaf, "-inform", "DER", "-noout", "-serial"]);
    assert_eq!(digits.trim().to_lowercase(), format!("serial={serial}"));

    let good = files(dir, &authority, &[]);
    let verify = |files: &Files, purpose: &str| {
        attempt(
            "openssl",
            &[
                "verify",
                "-CAfile",
                &files.anchors,
                "-untrusted",
                &files.issuing,
                "-CRLfile",
                &files.crls,
                "-crl_check_all",
                "-purpose",
                purpose,
                "-x509_strict",
                &leaf,
            ],
        )
    };
    let (ok, text) = verify(&good, "sslclient");
    assert!(ok, "{text}");
    assert!(!verify(&good, "sslserver").0, "good for servers too");
    let line = Revoked { serial, at: now().plus(-30), reason: RevocationReason::Superseded };
    let (ok, text) = verify(&files(dir, &authority, &[line]), "sslclient");
    assert!(!ok && text.contains("revoked"), "{text}");
    let list = run("openssl", &["crl", "-in", &format!("{}/lists.pem", dir.display()), "-noout", "-text"]);
    for expected in
        ["X509v3 CRL Number: \n                7", "Superseded", "Next Update", "X509v3 Authority Key Identifier"]
    {
        assert!(list.contains(expected), "{expected}\n{list}");
    }
}

/// Names beyond UCS-2 and of any length make files all the same.
#[test]
fn any_name_makes_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Arc::new(Authority::throwaway(world::leaf(), now()).unwrap());
    for name in ["𠮷野保健所", &"長".repeat(200), "a\"b,c+d=e\\f", ""] {
        let (_, made) = made_for(&authority, 5, name);
        let file = save(dir.path(), "any.p12", made.modern.reveal());
        run("openssl", &["pkcs12", "-in", &file, "-passin", &format!("pass:{PASSWORD}"), "-nokeys"]);
    }
}

/// A leaf never outlives its CA, and a CA at its end issues nothing.
#[test]
fn validity_ends_with_the_ca() {
    let made = at("2020-04-01T00:00:00+09:00");
    let authority = Authority::throwaway(world::leaf(), made).unwrap();
    let end = authority.active().unwrap().not_after;
    let (not_before, not_after) = authority.validity(made.plus(86_400)).unwrap();
    assert_eq!(not_after, made.plus(731 * 86_400));
    assert_eq!(not_before, made.plus(86_400 - 3600), "backdated for clocks that are slow");
    assert_eq!(authority.validity(made).unwrap().0, authority.active().unwrap().not_before, "never before its CA");
    assert_eq!(authority.validity(end.plus(-30 * 86_400)).unwrap().1, end);
    assert!(authority.validity(end.plus(-3600)).is_err());
}

/// Made, loaded, rotated, and an outside CA taken over; the keys are nowhere in the clear.
#[test]
fn the_ca_directory() {
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path();
    let (master, second) = (MasterKey::from_bytes([5; 32]), Secret::new("二人目の合言葉".to_owned()));
    let custody = Custody { master: &master, second: Some(&second) };
    assert!(dir::load(ca, &custody, LeafSettings::default()).unwrap().is_none());
    let first = dir::create(ca, &custody, "帰国者フォローアップシステム", now()).unwrap();
    assert!(dir::create(ca, &custody, "別", now()).is_err(), "never overwritten");
    let second_ca = dir::rotate(ca, &custody, &ca.join("root.key"), "帰国者フォローアップシステム", now()).unwrap().id;
    let loaded = dir::load(ca, &custody, LeafSettings::default()).unwrap().unwrap();
    assert_eq!(loaded.active().unwrap().id, first, "a new one waits");
    dir::mark(ca, &second_ca).unwrap();
    let loaded = dir::load(ca, &custody, LeafSettings::default()).unwrap().unwrap();
    assert_eq!(loaded.active().unwrap().id, second_ca);
    assert!(loaded.all().iter().any(|issuing| issuing.id == first), "the first still signs its list");
    assert!(dir::load(ca, &Custody { master: &master, second: None }, LeafSettings::default()).is_err());
    for file in std::fs::read_dir(ca).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"PRIVATE KEY"), "a key in the clear");
    }

    // An outside CA, made by openssl.
    let out = tempfile::tempdir().unwrap();
    let path = |name: &str| out.path().join(name).to_str().unwrap().to_owned();
    let root = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Root", "-days", "900", "-keyout"];
    run("openssl", &[&root[..], &[&path("root.key"), "-out", &path("root.pem")]].concat());
    let request = ["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Sub", "-keyout", &path("sub.key"), "-out"];
    run("openssl", &[&request[..], &[&path("sub.csr")]].concat());
    save(out.path(), "ext", b"basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n");
    let sign =
        ["x509", "-req", "-days", "800", "-CA", &path("root.pem"), "-CAkey", &path("root.key"), "-CAcreateserial"];
    run(
        "openssl",
        &[&sign[..], &["-in", &path("sub.csr"), "-extfile", &path("ext"), "-out", &path("sub.pem")]].concat(),
    );
    let read = |name: &str| std::fs::read(path(name)).unwrap();
    let import = |certificates: &[u8], key: &[u8]| annai::pki::import::from_pem(certificates, key, now());
    let chain = [read("sub.pem"), read("root.pem")].concat();
    let why = |result: Result<annai::pki::import::Foreign, annai::pki::PkiError>| result.unwrap_err().to_string();
    assert!(why(import(&read("sub.pem"), &read("sub.key"))).contains("signed this one is missing"));
    assert!(why(import(&read("sub.pem"), &read("root.key"))).contains("belongs to none"));
    assert!(import(&chain, b"-----BEGIN").is_err());
    let foreign = import(&chain, &read("sub.key")).unwrap();
    dir::take_over(ca, &custody, &foreign).unwrap();
    dir::mark(ca, &foreign.issuing.id).unwrap();

    let export =
        ["pkcs12", "-export", "-in", &path("sub.pem"), "-inkey", &path("sub.key"), "-certfile", &path("root.pem")];
    run("openssl", &[&export[..], &["-passout", "pass:secret", "-out", &path("sub.p12")]].concat());
    let word = Secret::new("secret".to_owned());
    let again = annai::pki::import::from_pkcs12(&read("sub.p12"), &word, now()).unwrap();
    assert_eq!(again.issuing.id, foreign.issuing.id);

    let authority = dir::load(ca, &custody, world::leaf()).unwrap().map(Arc::new).unwrap();
    assert_eq!(authority.active().unwrap().id, foreign.issuing.id);
    let (_, made) = made(&authority, 3);
    let leaf = save(out.path(), "leaf.der", &made.certificate);
    run(
        "openssl",
        &["verify", "-CAfile", &path("root.pem"), "-untrusted", &path("sub.pem"), "-purpose", "sslclient", &leaf],
    );
}
