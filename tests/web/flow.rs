//! Password → terms → certificate: what works, what is refused, and what it leaves behind.

use crate::world::{Browser, SEED, World, build, escaped, request, tenant, world};
use annai::engine::pickup::PickupSettings;
use annai::engine::records::Subject;
use annai::engine::survey::state_name;
use annai::pki::Profile;
use std::process::Command;

fn state(world: &World, serial: u16) -> &'static str {
    let courses = world.survey.courses().unwrap();
    let course = courses.iter().find(|course| course.tenant.id == tenant(serial)).unwrap();
    state_name(&course.current().unwrap().state)
}

/// The friendly name and subject as openssl reads them, without `-legacy`.
fn opened(world: &World, file: &[u8], password: &str) -> Option<String> {
    let path = world.dir.path().join("taken.p12");
    std::fs::write(&path, file).unwrap();
    let args = ["pkcs12", "-nodes", "-passin", &format!("pass:{password}"), "-in"];
    let said = Command::new("openssl").args(args).arg(path).output().unwrap();
    said.status.success().then(|| String::from_utf8_lossy(&said.stdout).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_to_the_certificate() {
    let world = world(SEED);
    let (code, password) = (world.code("kurayoshi"), world.password("kurayoshi"));
    let mut browser = Browser::default();
    let terms = browser.password(&world, &code, &password).await;
    assert_eq!(terms.status, 200);
    for word in ["利用規約に同意する", "倉吉保健所", "310000-01", "種別：保健所", "1台に限り"] {
        assert!(terms.body.contains(word), "{word} is missing: {}", terms.body);
    }
    assert!(terms.head.contains("httponly; samesite=strict"), "{}", terms.head);
    assert_eq!(state(&world, 1), "open");

    // Without accepting nothing goes on.
    let form = format!("step=terms&token={}", terms.hidden("token"));
    let again = browser.send(&world, "POST", &format!("/p/{code}"), &form).await;
    assert!(again.status == 422 && again.body.contains("同意が必要です"), "{}", again.body);
    let form = format!("step=terms&agree=yes&token={}", again.hidden("token"));
    let ready = browser.send(&world, "POST", &format!("/p/{code}"), &form).await;
    assert!(ready.status == 200 && ready.body.contains("証明書の準備ができました"), "{}", ready.body);
    assert!(ready.body.contains("互換形式") && ready.body.contains("標準形式") && ready.body.contains("10分以内"));
    assert_eq!(state(&world, 1), "open", "accepting alone issues nothing");

    let file = browser.download(&world, "kurayoshi", &ready, "compat").await;
    assert!(file.status == 200 && file.head.contains("content-type: application/x-pkcs12"), "{}", file.head);
    let name = file.head.split("filename=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(name.starts_with("310000-01") && name.ends_with(".p12"), "{name}");
    assert_eq!(state(&world, 1), "collected");
    let inside = opened(&world, &file.bytes, &password).expect("the letter's password opens it");
    assert!(inside.contains("PRIVATE KEY") && inside.matches("BEGIN CERTIFICATE").count() == 2, "{inside}");
    assert!(opened(&world, &file.bytes, "wrong").is_none());

    // The page says so, and offers both forms of the same certificate to this browser alone.
    let page = browser.send(&world, "GET", &format!("/p/{code}"), "").await;
    assert!(page.body.contains("証明書を発行しました") && page.body.contains("午前10時10分"), "{}", page.body);
    let other = browser.download(&world, "kurayoshi", &page, "modern").await;
    let other = opened(&world, &other.bytes, &password).expect("AES");
    let key =
        |text: &str| text.split("-----BEGIN PRIVATE KEY").nth(1).unwrap().split("-----END").next().unwrap().to_owned();
    assert_eq!(key(&inside), key(&other), "the same key, in another envelope");
    let elsewhere = world.page(&code).await;
    assert!(elsewhere.body.contains("取得済み") && !elsewhere.body.contains("倉吉"), "{}", elsewhere.body);

    world.pass(11 * 60);
    let late = browser.download(&world, "kurayoshi", &page, "compat").await;
    assert!(late.body.contains("取得済み") && !late.head.contains("x-pkcs12"), "{}", late.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_may_be_typed_in_any_way() {
    let world = world(SEED);
    let (code, password) = (world.code("yonago"), world.password("yonago"));
    let wide: String = password.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap()).collect();
    for typed in [password.replace('-', ""), password.to_ascii_uppercase(), format!(" {password}\u{3000}"), wide] {
        let answer = Browser::default().password(&world, &code, &typed).await;
        assert!(answer.body.contains("利用規約"), "{typed}: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_wrong_ones_lock_for_half_an_hour_and_staff_hear_of_it() {
    let world = world(SEED);
    let (code, password) = (world.code("yonago"), world.password("yonago"));
    let mut browser = Browser::default();
    for typed in ["kikokuFU2020", "0000-0000-0000", "あいうえお", "2222"] {
        let answer = browser.password(&world, &code, typed).await;
        assert!(answer.status == 422 && answer.body.contains("数えていません"), "{typed}: {}", answer.body);
        assert!(!answer.body.contains(typed), "what was typed came back");
    }
    for left in (1..10).rev() {
        let answer = browser.password(&world, &code, "2222-3333-4444").await;
        assert!(answer.status == 422 && answer.body.contains(&format!("あと{left}回")), "{}", answer.body);
    }
    let locked = browser.password(&world, &code, "2222-3333-4444").await;
    assert!(locked.status == 429 && locked.head.contains("retry-after: 1800"), "{}", locked.head);
    assert!(locked.body.contains("午前10時30分"), "{}", locked.body);
    // The right one does not help now, and the page says so at once.
    let page = browser.password(&world, &code, &password).await;
    assert!(page.status == 429 && page.body.contains("一時停止"), "{}", page.body);
    let matters = world.survey.matters().unwrap();
    assert!(
        matters.iter().any(|m| matches!(&m.subject, Subject::Tenant { tenant: t, .. } if *t == tenant(2))),
        "{matters:?}"
    );
    world.pass(30 * 60);
    assert_eq!(browser.password(&world, &code, &password).await.status, 200);
}

/// A form that does not come from our page in this browser does nothing, and counts as no try.
#[tokio::test(flavor = "multi_thread")]
async fn forms_from_elsewhere_do_nothing() {
    let world = world(SEED);
    let (code, password) = (world.code("yonago"), world.password("yonago"));
    let path = format!("/p/{code}");
    let head = world.store.head();
    let form = format!("step=password&password={password}");
    let unmarked = request(world.pickup, "POST", &path, &form).await;
    assert!(unmarked.status == 422 && unmarked.body.contains("もう一度パスワード"), "{}", unmarked.body);
    let token = world.page(&code).await.hidden("token");
    for header in ["Origin: https://evil.example\r\n", "Sec-Fetch-Site: cross-site\r\n"] {
        let stream = tokio::net::TcpStream::connect(world.pickup).await.unwrap();
        let form = format!("{form}&token={token}");
        let answer = crate::world::talk(stream, "POST", &path, &form, header).await;
        assert!(answer.status == 422 && answer.cookie.is_none(), "{header}: {answer:?}");
    }
    let other = world.page(&world.code("hoken")).await.hidden("token");
    assert_eq!(request(world.pickup, "POST", &path, &format!("{form}&token={other}")).await.status, 422);
    assert_eq!(world.store.head(), head);

    // A download needs the mark of this browser's own page.
    let (mut browser, mut thief) = (Browser::default(), Browser::default());
    let ready = browser.up_to_the_download(&world, "yonago").await;
    let stolen = thief.download(&world, "yonago", &ready, "compat").await;
    assert!(stolen.status == 422 && stolen.body.contains("Cookie"), "{}", stolen.body);
    thief.cookie = Some(format!("annai={}", "a".repeat(64)));
    assert_eq!(thief.download(&world, "yonago", &ready, "compat").await.status, 422);
    let terms = Browser::default().password(&world, &code, &password).await;
    let form = format!("token={}&format=compat", terms.hidden("token"));
    assert_eq!(browser.send(&world, "POST", &format!("{path}/certificate"), &form).await.status, 422, "terms skipped");
    assert_eq!(browser.download(&world, "yonago", &ready, "neither").await.status, 422);
    assert_eq!(state(&world, 2), "open");
    assert_eq!(browser.download(&world, "yonago", &ready, "compat").await.status, 200);
}

/// Two browsers and many clicks: one certificate.
#[tokio::test(flavor = "multi_thread")]
async fn parallel_clicks_make_one_certificate() {
    let world = world(SEED);
    let (mut one, mut two) = (Browser::default(), Browser::default());
    let (first, second) =
        (one.up_to_the_download(&world, "hoken").await, two.up_to_the_download(&world, "hoken").await);
    let mut double = Browser { cookie: one.cookie.clone() };
    let (a, b, c) = tokio::join!(
        one.download(&world, "hoken", &first, "modern"),
        double.download(&world, "hoken", &first, "modern"),
        two.download(&world, "hoken", &second, "modern"),
    );
    let files: Vec<_> = [&a, &b, &c].into_iter().filter(|answer| answer.head.contains("x-pkcs12")).collect();
    assert!(!files.is_empty() && files.len() <= 2, "{a:?}");
    let password = world.password("hoken");
    let serials: std::collections::BTreeSet<_> = files
        .iter()
        .map(|file| opened(&world, &file.bytes, &password).expect("opens"))
        .map(|text| text.split("-----BEGIN CERTIFICATE").nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(serials.len(), 1, "one certificate");
    assert_eq!(state(&world, 0), "collected");
}

#[tokio::test(flavor = "multi_thread")]
async fn strictly_once_if_so_configured() {
    let world = build(SEED, |_| PickupSettings { keep_minutes: 0, profile: Profile::Modern });
    let mut browser = Browser::default();
    let ready = browser.up_to_the_download(&world, "yonago").await;
    assert!(
        !ready.body.contains("分以内") && ready.body.find("標準形式") < ready.body.find("互換形式"),
        "{}",
        ready.body
    );
    assert!(browser.download(&world, "yonago", &ready, "modern").await.head.contains("x-pkcs12"));
    let again = browser.download(&world, "yonago", &ready, "modern").await;
    assert!(again.body.contains("取得済み") && !again.head.contains("x-pkcs12"), "{}", again.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_forms_are_put_off() {
    let world = world(SEED);
    let code = world.code("yonago");
    let mut statuses = Vec::new();
    for _ in 0..60 {
        let form = format!("step=password&password={}", escaped("not ours"));
        statuses.push(request(world.pickup, "POST", &format!("/p/{code}"), &form).await.status);
    }
    assert!(statuses.starts_with(&[422; 30]) && statuses.contains(&429), "{statuses:?}");
    let form = "step=password&password=x";
    let busy = request(world.pickup, "POST", &format!("/p/{code}"), form).await;
    assert!(busy.head.contains("retry-after: 60") && busy.body.contains("混み合っています"), "{}", busy.body);
    assert_eq!(world.page(&code).await.status, 200, "looking is not limited");
}
