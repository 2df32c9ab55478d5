//! The pick-up over the engine: passwords, one certificate, the same bytes for a while, then never again.

use crate::world::{World, at, tenant};
use annai::domain::{Generation, Secret, Timestamp};
use annai::engine::certificates::Standing;
use annai::engine::pickup::{
    Claim, CredentialsHere, Opening, PickupSettings, Seen, Stage, Taken, VisitKind, Visits, WRONG_MAX, take,
};
use annai::engine::records::{OpenMatter, Subject};
use annai::engine::staff::Verb;
use annai::engine::thread::start;
use annai::pki::Profile;
use annai::workflow::{Matter, ReissueReason, RevocationReason};
use std::sync::atomic::Ordering;

fn seen(world: &mut World, serial: &str) -> Seen {
    world.engine.terminal_seen(serial).unwrap()
}

/// Full width, capitals, blanks, without hyphens: all the same password; what cannot be one is not counted.
#[test]
fn passwords_are_typed_in_many_ways() {
    let mut world = World::new();
    let (code, password) = (world.code(), world.password());
    let full: String = password.chars().map(|c| char::from_u32(c as u32 + 0xfee0).unwrap()).collect();
    for typed in [&password, &full, &password.to_uppercase(), &password.replace('-', " "), &password.replace('-', "")] {
        let opening = world.engine.open_pickup(&code.to_uppercase(), typed).unwrap();
        assert!(matches!(opening, Opening::Opened { .. }), "{typed}: {opening:?}");
    }
    for typed in ["", " 　", "0000-0000-0000", "k7m2", &code] {
        let opening = world.engine.open_pickup(&code, typed).unwrap();
        assert!(matches!(opening, Opening::Malformed), "{typed}: {opening:?}");
    }
    assert_eq!(world.engine.pickup(&code).unwrap().unwrap().attempts_left, WRONG_MAX);
    assert!(matches!(world.engine.open_pickup("2222-2222-2222-2222-2222", &password).unwrap(), Opening::Unknown));
}

/// Ten wrong ones lock for half an hour, over restarts, and staff are told once; then it opens again.
#[test]
fn ten_wrong_passwords_lock_for_half_an_hour() {
    let mut world = World::new();
    let (code, right) = (world.code(), world.password());
    for left in (0..WRONG_MAX).rev() {
        let opening = world.engine.open_pickup(&code, "2222-2222-2222").unwrap();
        if left == 5 {
            world.engine.commit().unwrap();
            world = world.restart(2);
        }
        match opening {
            Opening::Wrong { left: told } => assert_eq!(told, left),
            Opening::Locked { until } => assert_eq!((left, until), (0, at("2020-05-01T11:00:00+09:00"))),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(world.engine.open_pickup(&code, &right).unwrap(), Opening::Locked { .. }));
    let is_it = |matter: &OpenMatter| {
        let about = Matter::WrongPasswords { generation: Generation(1) };
        matter.subject == Subject::Tenant { tenant: tenant(), matter: about }
    };
    assert_eq!(world.engine.matters(100).unwrap().iter().filter(|matter| is_it(matter)).count(), 1);
    world.go("2020-05-01T11:00:00+09:00");
    assert!(matches!(world.engine.open_pickup(&code, &right).unwrap(), Opening::Opened { .. }));
}

/// Scanners change nothing and stand in the timeline as what they are.
#[test]
fn scanners_are_told_from_officers() {
    let mut world = World::new();
    let before = world.engine.course(tenant()).unwrap();
    let visit = |kind| Visits {
        code: Secret::new(world.code()),
        kind,
        count: 250,
        first: at("2020-05-01T10:31:00+09:00"),
        last: at("2020-05-01T10:32:00+09:00"),
    };
    let stranger = Visits { code: Secret::new("2222-2222-2222-2222-2222".to_owned()), ..visit(VisitKind::Get) };
    let visits = [visit(VisitKind::Get), visit(VisitKind::Head), visit(VisitKind::BlankPost), stranger];
    world.engine.pickup_visits(&visits).unwrap();
    assert_eq!(world.engine.course(tenant()).unwrap(), before);
    let journal = world.journal();
    assert_eq!(journal.matches("250回").count(), 3, "{journal}");
    assert!(journal.contains("空の送信のみ"), "{journal}");
    assert!(!journal.contains(&world.code()), "the code stands in the journal");
}

/// The whole way: once, the same bytes for this browser, nothing for others, wiped after ten minutes.
#[test]
fn once_but_recoverable() {
    let mut world = World::new();
    let code = world.code();
    assert!(matches!(world.take("nobody", Profile::Compat), Taken::NoSession));
    let (other, session) = (world.opened(), world.opened());
    let (bytes, serial) = world.file(&session, Profile::Modern);
    assert_eq!(world.file(&session, Profile::Modern), (bytes, serial.clone()), "the same bytes");
    assert!(matches!(world.take(&other, Profile::Modern), Taken::NotOpen(_)), "another browser");
    assert!(matches!(world.engine.open_pickup(&code, &world.password()).unwrap(), Opening::NotOpen(_)));
    let again = world.engine.pickup_as(&code, Some(&session)).unwrap().unwrap();
    assert!(matches!(again.stage, Stage::Collected { .. }) && again.again_until.is_some());
    world.engine.pickup_received(&code, &session).unwrap();

    // A crash in between takes nothing away; the third fetch is the last.
    world.engine.commit().unwrap();
    world = world.restart(3);
    assert_eq!(world.file(&session, Profile::Compat).1, serial, "the other kind of file, the same certificate");
    assert!(matches!(world.take(&session, Profile::Compat), Taken::NotOpen(_)));

    world.go("2020-05-01T10:41:00+09:00");
    let journal = world.journal();
    assert!(matches!(world.take(&session, Profile::Modern), Taken::NotOpen(_)), "the time is over");
    for line in [
        "正しく入力されました",
        "発行を開始しました",
        "取得されました",
        "再取得されました（3回目）",
        "送信が完了しました",
        "消去しました",
    ] {
        assert!(journal.contains(line), "{line}\n{journal}");
    }
}

/// Neither the key nor the file is in the state directory in the clear, and nothing sealed is left in the store.
#[test]
fn the_key_is_wiped() {
    let mut world = World::new();
    let session = world.opened();
    let (bytes, _) = world.file(&session, Profile::Modern);
    world.engine.commit().unwrap();
    let canary = &bytes[bytes.len() / 2..bytes.len() / 2 + 24];
    let holds = |world: &World| {
        let files = walk(&world.state());
        files.iter().any(|file| std::fs::read(file).unwrap().windows(24).any(|window| window == canary))
    };
    assert!(!holds(&world), "the file lies in the state directory");
    assert!(world.engine.kept_files().unwrap() > 0);
    world.go("2020-05-01T10:41:00+09:00");
    assert_eq!(world.engine.kept_files().unwrap(), 0);
    assert!(!holds(&world));

    // Strict: nothing is kept at all.
    let mut strict = World::with(PickupSettings { keep_minutes: 0, ..PickupSettings::default() }, "");
    let session = strict.opened();
    strict.file(&session, Profile::Modern);
    assert_eq!(strict.engine.kept_files().unwrap(), 0);
    assert!(matches!(strict.take(&session, Profile::Modern), Taken::NotOpen(_)));
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// A crash after the intent, after the making, after the delivery: one certificate, one serial number.
#[test]
fn a_crash_anywhere_leaves_one_certificate() {
    let mut world = World::new();
    let (code, session) = (world.code(), world.opened());
    let mut serials = Vec::new();
    for round in 0..3 {
        let Claim::Make(order) = world.engine.claim(&code, &session, Profile::Compat).unwrap() else { panic!() };
        serials.push(order.serial);
        let record = world.engine.certificate(&order.serial).unwrap().unwrap();
        assert_eq!(record.standing, Standing::Ordered, "the intent is stored before anything is signed");
        if round == 1 {
            let _made_and_lost = order.make().unwrap();
        }
        world.engine.commit().unwrap();
        world = world.restart(10 + round);
    }
    let (_, serial) = world.file(&session, Profile::Compat);
    serials.dedup();
    assert_eq!(serials.iter().map(ToString::to_string).collect::<Vec<_>>(), [serial]);
    assert_eq!(world.engine.certificates().unwrap().len(), 1);
}

/// Forty requests at once, from two browsers: one certificate leaves.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_requests_make_one_certificate() {
    let mut world = World::new();
    let (code, sessions) = (world.code(), [world.opened(), world.opened()]);
    let World { engine, .. } = world;
    let (handle, _thread) = start(engine).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..40 {
        let (handle, code, session) = (handle.clone(), code.clone(), sessions[at % 2].clone());
        tasks.spawn(async move { take(&handle, code, session, Profile::Compat).await.unwrap().unwrap() });
    }
    let mut given = std::collections::BTreeSet::new();
    let mut files = 0;
    while let Some(taken) = tasks.join_next().await {
        if let Taken::File { bytes, serial, .. } = taken.unwrap() {
            given.insert((bytes.reveal().clone(), serial));
            files += 1;
        }
    }
    assert_eq!(given.len(), 1, "one file, one serial number");
    assert_eq!(files, 3, "one browser, three fetches");
    let issued = handle.call(|engine| engine.certificates()).await.unwrap().unwrap();
    assert_eq!(issued.len(), 1);
}

/// Re-issue: the old address is void at once; the old certificate lives until the new one is picked up and is dead in
/// that same step, with the list that says so.
#[test]
fn a_new_certificate_ends_the_old_one() {
    let mut world = World::new();
    let (old_code, session) = (world.code(), world.opened());
    let (_, old) = world.file(&session, Profile::Compat);
    assert!(matches!(seen(&mut world, &old), Seen::Ours { first: true, credentials: CredentialsHere::No, .. }));
    assert!(matches!(seen(&mut world, &old.to_uppercase()), Seen::Ours { first: false, .. }));
    let version = world.engine.trust().unwrap().unwrap().version;
    let reissue = Verb::Reissue { tenant: tenant(), reason: ReissueReason::TerminalReplaced };
    world.engine.act("tanaka", &reissue).unwrap();
    world.go("2020-05-07T10:00:00+09:00");
    world.go("2020-05-07T10:30:00+09:00");
    assert_ne!(world.code(), old_code);
    assert!(matches!(seen(&mut world, &old), Seen::Ours { .. }), "until the new one is there");
    let session = world.opened();
    let (_, new) = world.file(&session, Profile::Compat);
    let reason = RevocationReason::Superseded;
    assert_eq!(seen(&mut world, &old), Seen::Revoked { at: at("2020-05-07T10:30:00+09:00"), reason });
    assert!(matches!(seen(&mut world, &new), Seen::Ours { .. }));
    assert!(world.engine.trust().unwrap().unwrap().version != version);
    let states = world.engine.crl_states().unwrap();
    assert_eq!((states[0].revoked, states[0].fault.clone()), (1, None));
    assert!(matches!(world.engine.open_pickup(&old_code, &world.password()).unwrap(), Opening::NotOpen(_)));

    // Lost: dead at once.
    world.engine.act("tanaka", &Verb::Reissue { tenant: tenant(), reason: ReissueReason::Lost }).unwrap();
    assert!(matches!(seen(&mut world, &new), Seen::Revoked { reason: RevocationReason::KeyCompromise, .. }));
    assert!(matches!(seen(&mut world, "00"), Seen::Foreign));
    assert!(matches!(seen(&mut world, "abcdef"), Seen::Foreign));
}

/// A list is made every day, and where none could be made nothing is issued (I11).
#[test]
fn lists_have_a_rhythm() {
    let mut world = World::new();
    let number = |world: &World| world.engine.crl_states().unwrap()[0].number;
    let before = number(&world);
    world.go("2020-05-02T10:29:00+09:00");
    world.go("2020-05-02T10:31:00+09:00");
    assert_eq!(number(&world), before + 1);
    let id = world.authority().active().unwrap().id.clone();
    for file in ["issuing.crl".to_owned(), format!("{id}.crl"), "root.crl".to_owned()] {
        assert!(world.engine.crl(&file).unwrap().is_some_and(|der| der[0] == 0x30), "{file}");
    }
    assert!(world.engine.crl("../x.crl").unwrap().is_none());
    assert!(world.engine.ca_certificate("issuing.crt").is_some() && world.engine.ca_certificate("x").is_none());
    let session = world.opened();
    // The clock jumps back before the list: something is wrong, nothing is issued.
    world.hand.store(at("2020-05-01T10:31:00+09:00").unix(), Ordering::Release);
    assert!(matches!(world.take(&session, Profile::Compat), Taken::Unavailable { .. }));
    // Eight days without a wake: the list is out of date.
    world.hand.store(at("2020-05-10T10:31:00+09:00").unix(), Ordering::Release);
    let session = world.opened();
    assert!(matches!(world.take(&session, Profile::Compat), Taken::Unavailable { .. }));
    world.go("2020-05-10T10:32:00+09:00");
    world.file(&session, Profile::Compat);
}

/// Credentials on the check page: not before their day, once, behind the certificate.
#[test]
fn credentials_by_page() {
    let mut world = World::with(PickupSettings::default(), "by = \"page\"");
    let session = world.opened();
    let (_, serial) = world.file(&session, Profile::Compat);
    let here = |world: &mut World, serial: &str| match seen(world, serial) {
        Seen::Ours { credentials, .. } => credentials,
        other => panic!("{other:?}"),
    };
    let day: Timestamp = at("2020-05-11T00:00:00+09:00");
    assert_eq!(here(&mut world, &serial), CredentialsHere::NotYet { from: Some(day) });
    assert!(world.engine.show_credentials(&serial).unwrap().is_none());
    world.go("2020-05-11T09:00:00+09:00");
    assert_eq!(here(&mut world, &serial), CredentialsHere::Ready);
    let shown = world.engine.show_credentials(&serial).unwrap().unwrap();
    assert_eq!((shown.user_id.as_str(), shown.password.reveal().len()), ("310000-01", 19));
    assert!(world.engine.show_credentials(&serial).unwrap().is_none(), "once");
    assert_eq!(here(&mut world, &serial), CredentialsHere::Shown { at: at("2020-05-11T09:00:00+09:00") });
    assert!(!world.journal().contains(shown.password.reveal().as_str()));
}

/// 再発行の依頼 by mail: from the registered address a matter with everything filled in, which the verb closes; quoted
/// letters of ours, thanks, and strangers are no wish.
#[test]
fn asking_for_another_certificate_by_mail() {
    let mut world = World::new();
    let asked = |world: &World| {
        let matters = world.engine.matters(100).unwrap();
        let wishes = matters.into_iter().filter_map(|matter| match matter.subject {
            Subject::Tenant { tenant, matter: Matter::ReissueAsked { reason, .. } } => Some((tenant, reason)),
            _ => None,
        });
        wishes.collect::<Vec<_>>()
    };
    let quoted = "\r\n\r\n-----Original Message-----\r\nFrom: noreply@followup.mhlw.go.jp\r\nSubject: 取得期限\r\n\r\n証明書の再発行をお申し出ください。\r\n";
    world.mail("kurayoshi@pref.tottori-mihon.lg.jp", "Re: 取得期限", &format!("承知しました。{quoted}"));
    world.mail("somebody@example.com", "再発行", "倉吉保健所です。証明書の再発行をお願いします。\r\n");
    assert_eq!(asked(&world), []);
    let wish = format!("端末の入れ替えのため、証明書の再発行をお願いします。{quoted}");
    world.mail("Kurayoshi@pref.tottori-mihon.lg.jp", "Re: 取得期限", &wish);
    world.mail("kurayoshi@pref.tottori-mihon.lg.jp", "再送", "先ほどの再発行の件、よろしくお願いします。\r\n");
    let reason = ReissueReason::TerminalReplaced;
    assert_eq!(asked(&world), [(tenant(), Some(reason)), (tenant(), None)]);
    let expired = Verb::Reissue { tenant: tenant(), reason: ReissueReason::Expired };
    assert!(world.engine.act("tanaka", &expired).is_err(), "nothing has expired");
    world.engine.act("tanaka", &Verb::Reissue { tenant: tenant(), reason }).unwrap();
    assert_eq!(asked(&world), []);
    assert_eq!(world.engine.course(tenant()).unwrap().enrolments.len(), 2);
}

/// The renewal ladder: sixty days before the end the next generation begins; the old certificate works until the new one is
/// picked up. What nobody picks up is begun again at the next rung.
#[test]
fn certificates_are_renewed_in_time() {
    let mut world = World::new();
    let session = world.opened();
    let (_, serial) = world.file(&session, Profile::Compat);
    let generations = |world: &World| world.engine.course(tenant()).unwrap().enrolments.len();
    // 730 days from 1 May 2020 end on 1 May 2022; the first rung is 2 March.
    world.go("2022-03-01T10:00:00+09:00");
    assert_eq!(generations(&world), 1);
    for moment in ["2022-03-02T10:00", "2022-03-02T10:30"] {
        world.go(&format!("{moment}:00+09:00"));
    }
    assert_eq!(generations(&world), 2);
    assert!(matches!(seen(&mut world, &serial), Seen::Ours { .. }));
    for moment in ["2022-04-02T10:00", "2022-04-04T10:00", "2022-04-18T10:00", "2022-04-18T10:30"] {
        world.go(&format!("{moment}:00+09:00"));
    }
    assert_eq!(generations(&world), 3, "the second rung after nobody took the first");
    let session = world.opened();
    let (_, new) = world.file(&session, Profile::Compat);
    assert!(matches!(seen(&mut world, &serial), Seen::Revoked { reason: RevocationReason::Superseded, .. }));
    assert!(matches!(seen(&mut world, &new), Seen::Ours { .. }));
    world.go("2024-06-01T10:00:00+09:00");
    assert!(matches!(seen(&mut world, &new), Seen::Expired { .. }));
}

/// User ids and passwords from a list: told as they are, exported as hashes only, sealed at rest.
#[test]
fn accounts_from_a_list() {
    let mut world = World::new();
    let list = "tenant,user_id,password\n310000-01,kurayoshi01,Canary-Pass-4711\n";
    let accounts = annai::rules::accounts::parse("list.csv", list).unwrap();
    assert_eq!(world.engine.import_accounts("tanaka", &accounts).unwrap(), 1);
    let stranger = annai::rules::accounts::parse("list.csv", &list.replace("310000-01", "310000-09")).unwrap();
    assert!(world.engine.import_accounts("tanaka", &stranger).is_err());
    let page = world.engine.export_accounts("tanaka", None, 10).unwrap();
    assert_eq!(page.items.len(), 2);
    assert_eq!(page.items[1].user_id, "kurayoshi01");
    assert!(page.items[1].password_hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!((page.items[0].user_id.as_str(), page.next), ("310000-00", None));
    world.engine.commit().unwrap();
    for file in walk(&world.state()) {
        let bytes = std::fs::read(file).unwrap();
        assert!(!bytes.windows(16).any(|window| window == b"Canary-Pass-4711"));
    }
    // The mail's ZIP says so too.
    let mail = world.credentials_mail("2020-05-11T10:00:00+09:00");
    let opened = annai::letters::zip::reopen_zip(&mail, &Secret::new("kikokuFU2020".to_owned())).unwrap();
    assert_eq!((opened.user_id.as_str(), opened.password.reveal().as_str()), ("kurayoshi01", "Canary-Pass-4711"));
    // A new password for it: made by the policy, told again.
    let renew = Verb::RenewCredentials { tenant: tenant(), reason: "忘れた".to_owned() };
    world.engine.act("tanaka", &renew).unwrap();
    let mail = world.credentials_mail("2020-05-12T10:00:00+09:00");
    let again = annai::letters::zip::reopen_zip(&mail, &Secret::new("kikokuFU2020".to_owned())).unwrap();
    assert_eq!((again.user_id.as_str(), again.password.reveal().len()), ("310000-01", 19));
}
