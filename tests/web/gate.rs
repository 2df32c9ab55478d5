//! The terminal check over real TLS: ours in, revoked, expired, foreign and none get their page; lists are followed.

use crate::world::{Answer, Browser, SEED, World, at, talk, tenant, world};
use annai::domain::time::DAY;
use annai::engine::staff::Verb;
use annai::engine::survey::state_name;
use annai::letters::LetterKind;
use annai::pki::{Authority, KeyKind, LeafSettings};
use annai::workflow::RevocationReason;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::process::Command;
use std::sync::Arc;
use tokio::net::TcpStream;

/// A certificate chain with its key.
struct Identity(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self(self.0.clone(), self.1.clone_key())
    }
}

/// What is in a PKCS#12 file, by openssl.
fn unpacked(world: &World, file: &[u8], password: &str) -> Identity {
    let path = world.dir.path().join("terminal.p12");
    std::fs::write(&path, file).unwrap();
    let args = ["pkcs12", "-nodes", "-passin", &format!("pass:{password}"), "-in"];
    let pem = Command::new("openssl").args(args).arg(path).output().unwrap().stdout;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem).map(Result::unwrap).collect();
    assert_eq!(chain.len(), 2);
    Identity(chain, PrivateKeyDer::from_pem_slice(&pem).unwrap())
}

async fn terminal(world: &World, local: &str) -> Identity {
    let file = Browser::default().pick_up(world, local).await;
    unpacked(world, &file, &world.password(local))
}

/// A page of the check, opened.
async fn ask(
    world: &World,
    who: Option<Identity>,
    version: &'static rustls::SupportedProtocolVersion,
    path: &str,
) -> Answer {
    sent(world, who, version, ("GET", path, "", "")).await
}

/// Method, path, body and further header lines.
async fn sent(
    world: &World,
    who: Option<Identity>,
    version: &'static rustls::SupportedProtocolVersion,
    (method, path, body, more): (&str, &str, &str, &str),
) -> Answer {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(world.dir.path().join("cert.pem")).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots);
    let config = match who {
        Some(Identity(chain, key)) => builder.with_client_auth_cert(chain, key).unwrap(),
        None => builder.with_no_client_auth(),
    };
    let stream = TcpStream::connect(world.gate).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
    talk(stream, method, path, body, more).await
}

async fn look(world: &World, who: Option<&Identity>) -> Answer {
    ask(world, who.cloned(), &rustls::version::TLS13, "/").await
}

fn state(world: &World, serial: u16) -> &'static str {
    let courses = world.survey.courses().unwrap();
    state_name(&courses.iter().find(|c| c.tenant.id == tenant(serial)).unwrap().current().unwrap().state)
}

/// The gate follows the authority by itself; until its first look it lets nobody in.
async fn ready(world: &World) {
    for _ in 0..1000 {
        if !look(world, None).await.body.contains("ただいま確認できません") {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_terminal_is_green_and_in_use() {
    let world = world(SEED);
    ready(&world).await;
    let ours = terminal(&world, "kurayoshi").await;
    assert_eq!(state(&world, 1), "collected");
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let page = ask(&world, Some(ours.clone()), version, "/").await;
        assert_eq!(page.status, 200, "{}", page.body);
        for word in ["この端末で利用できます", "verdict yes", "倉吉保健所", "310000-01", "令和2年5月1日（金）"]
        {
            assert!(page.body.contains(word), "{word} is missing: {}", page.body);
        }
        assert!(page.head.contains("cache-control: no-store"), "{}", page.head);
    }
    assert_eq!(state(&world, 1), "in-use");
    // A client that sends its own certificate only, as some do.
    let alone = Identity(ours.0[..1].to_vec(), ours.1.clone_key());
    assert_eq!(look(&world, Some(&alone)).await.status, 200);
    let english = ask(&world, Some(ours), &rustls::version::TLS13, "/?lang=en").await;
    assert!(english.body.contains("This terminal can be used"), "{}", english.body);
    let none = look(&world, None).await;
    assert!(none.status == 403 && none.body.contains("証明書を確認できませんでした"), "{}", none.body);
    assert!(
        none.body.contains("ブラウザの画面をすべて閉じて") && none.body.contains("インストール方法"),
        "{}",
        none.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_one_is_told_when() {
    let world = world(SEED);
    ready(&world).await;
    let ours = terminal(&world, "kurayoshi").await;
    assert_eq!(look(&world, Some(&ours)).await.status, 200);
    let reason = RevocationReason::KeyCompromise;
    world.act(move |engine| engine.act("mie", &Verb::Revoke { tenant: tenant(1), reason })).await;
    // At once, whatever list the gate still holds.
    let page = look(&world, Some(&ours)).await;
    assert!(page.status == 403 && page.body.contains("失効しています"), "{}", page.body);
    assert!(page.body.contains("令和2年5月1日（金）") && !page.body.contains("倉吉"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_the_expired_get_their_page() {
    let world = world(SEED);
    ready(&world).await;
    let ours = terminal(&world, "yonago").await;
    // Signed by an authority of the same names and shape.
    let other = crate::world::build(SEED, |_| annai::engine::pickup::PickupSettings::default());
    let leaf = LeafSettings { key: KeyKind::P256, ..LeafSettings::default() };
    let authority = Authority::throwaway(leaf, at(SEED)).unwrap();
    other.act(move |engine| engine.entrust(authority, annai::engine::pickup::PickupSettings::default())).await;
    let foreign = terminal(&other, "yonago").await;
    let page = look(&world, Some(&foreign)).await;
    assert!(page.status == 403 && page.body.contains("この証明書では利用できません"), "{}", page.body);
    assert_eq!(state(&world, 2), "collected");

    world.pass(3000 * DAY);
    let page = look(&world, Some(&ours)).await;
    assert!(page.status == 403 || page.status == 503, "{}", page.body);
    assert!(page.body.contains("有効期限が切れています") || page.body.contains("ただいま確認"), "{}", page.body);
    assert_eq!(state(&world, 2), "collected", "not in use by an expired certificate");
}

/// Chain and lists by themselves, without the directory's word.
#[tokio::test(flavor = "multi_thread")]
async fn the_wicket_follows_the_lists() {
    use annai::web::wicket::{Verdict, Wicket};
    let world = world(SEED);
    let ours = terminal(&world, "kurayoshi").await;
    let (clock, hand) = annai::clock::Clock::manual(at("2020-05-01T10:00:00+09:00"));
    let path = |name: &str| world.dir.path().join(name);
    let wicket = Wicket::new(&path("cert.pem"), &path("key.pem"), clock).unwrap();
    assert_eq!(wicket.verdict(&ours.0), Verdict::CannotTell, "no authority yet");
    let trust = world.act(|engine| engine.trust()).await.unwrap();
    assert!(wicket.follow(&trust).unwrap() && !wicket.follow(&trust).unwrap());
    assert_eq!(wicket.verdict(&ours.0), Verdict::Good);
    assert_eq!(wicket.verdict(&ours.0[..1]), Verdict::Good);
    assert_eq!(wicket.verdict(&ours.0[1..]), Verdict::Foreign, "the issuing CA is no terminal");
    assert_eq!(wicket.verdict(&[]), Verdict::Foreign);
    let own = CertificateDer::from_pem_file(path("cert.pem")).unwrap();
    assert_eq!(wicket.verdict(&[own]), Verdict::Foreign);

    let reason = RevocationReason::CessationOfOperation;
    world.act(move |engine| engine.act("mie", &Verb::Revoke { tenant: tenant(1), reason })).await;
    assert_eq!(wicket.verdict(&ours.0), Verdict::Good, "the old list");
    let newer = world.act(|engine| engine.trust()).await.unwrap();
    assert!(newer.version != trust.version && wicket.follow(&newer).unwrap());
    assert_eq!(wicket.verdict(&ours.0), Verdict::Revoked);
    // A list that has run out: nobody can tell any more.
    wicket.follow(&trust).unwrap();
    hand.fetch_add(60 * DAY, std::sync::atomic::Ordering::AcqRel);
    assert_eq!(wicket.verdict(&ours.0), Verdict::CannotTell);
    hand.fetch_add(3000 * DAY, std::sync::atomic::Ordering::AcqRel);
    assert_eq!(wicket.verdict(&ours.0), Verdict::Expired);
}

/// The mode `page` (seed 4.4 without an attachment): a mail says that they are ready, and the check page shows them once,
/// to the terminal they belong to.
#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_shown_once_behind_the_certificate() {
    let world = by_page("2020-05-08T10:00:00+09:00");
    ready(&world).await;
    let (ours, other) = (terminal(&world, "kurayoshi").await, terminal(&world, "yonago").await);
    let send = async |who: Option<&Identity>, method: &str, path: &str, body: &str, more: &str| {
        sent(&world, who.cloned(), &rustls::version::TLS13, (method, path, body, more)).await
    };
    let page = look(&world, Some(&ours)).await;
    assert!(page.body.contains("表示できるのは1回限りです"), "{}", page.body);
    let token = format!("token={}", page.hidden("token"));

    // Looking, forms without their token, of other terminals and other sites: nothing is shown.
    for method in ["GET", "HEAD"] {
        assert_eq!(send(Some(&ours), method, "/credentials", "", "").await.status, 303);
    }
    let theirs = format!("token={}", look(&world, Some(&other)).await.hidden("token"));
    let strange = [
        send(Some(&ours), "POST", "/credentials", "", "").await,
        send(Some(&ours), "POST", "/credentials", "token=x", "").await,
        send(Some(&ours), "POST", "/credentials", &theirs, "").await,
        send(Some(&other), "POST", "/credentials", &token, "").await,
        send(Some(&ours), "POST", "/credentials", &token, "Sec-Fetch-Site: cross-site\r\n").await,
        send(Some(&ours), "POST", "/credentials", &token, "Origin: https://evil.example\r\n").await,
        send(None, "POST", "/credentials", &token, "").await,
    ];
    for answer in &strange {
        assert!(!answer.body.contains("もう一度表示することができません"), "{}", answer.body);
    }
    assert_eq!(strange[6].status, 403);
    assert!(look(&world, Some(&ours)).await.body.contains("表示できるのは1回限りです"), "nothing has changed");

    // Three buttons at once: one answer has them, the others say so.
    let clicks = [(); 3].map(|()| send(Some(&ours), "POST", "/credentials", &token, "Sec-Fetch-Site: same-origin\r\n"));
    let answers = futures::future::join_all(clicks).await;
    let shown: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(shown.len(), 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    for word in ["倉吉保健所", "ユーザID", "310000-01", "もう一度表示することができません"] {
        assert!(shown[0].body.contains(word), "{word}: {}", shown[0].body);
    }
    assert!(shown[0].head.contains("cache-control: no-store"), "{}", shown[0].head);
    let again = send(Some(&ours), "POST", "/credentials", &token, "").await;
    assert_eq!(again.status, 303);
    let page = look(&world, Some(&ours)).await;
    assert!(page.body.contains("に表示済みです") && !page.body.contains("token"), "{}", page.body);
    let password = shown[0].body.split("<b>").last().unwrap().split("</b>").next().unwrap();
    assert_eq!(password.len(), 19, "{password}");
    assert!(!page.body.contains(password));
}

/// Before their day the page says when; the letter that announces them holds neither them nor any other secret.
#[tokio::test(flavor = "multi_thread")]
async fn credentials_by_page_are_announced() {
    let early = by_page(SEED);
    ready(&early).await;
    let ours = terminal(&early, "kurayoshi").await;
    let page = look(&early, Some(&ours)).await;
    assert!(
        page.body.contains("令和2年5月11日（月）午前0時") && page.body.contains("この画面でご確認"),
        "{}",
        page.body
    );

    let world = by_page("2020-05-08T10:00:00+09:00");
    let rows = world.survey.rows().unwrap();
    let announced: Vec<_> = rows.iter().filter(|row| row.letter == LetterKind::CredentialsReady).collect();
    let mut to: Vec<_> = announced.iter().map(|row| row.to.as_str().split('@').next().unwrap()).collect();
    to.sort_unstable();
    assert_eq!(to, ["hoken", "kurayoshi", "yonago"], "each tenant once");
    assert!(rows.iter().all(|row| row.letter != LetterKind::Credentials), "nothing is attached");
    let (code, password) = (world.code("kurayoshi"), world.password("kurayoshi"));
    for row in announced {
        let no = row.no;
        let view = world.act(move |engine| engine.letter(no)).await;
        let text = serde_json::to_string(&view).unwrap();
        assert!(
            text.contains("https://check.example.jp") && text.contains("１回限り") | text.contains("1回限り"),
            "{text}"
        );
        assert!(!text.contains(&code) && !text.contains(&password), "a secret in {text}");
    }
}

fn by_page(registered: &str) -> World {
    crate::world::build(registered, |rules| {
        rules.schedule.credentials.by_page = true;
        annai::engine::pickup::PickupSettings::default()
    })
}
