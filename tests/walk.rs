//! An officer's whole way in a real browser, without scripts: address → password → terms → download → import → restart →
//! the green page. Pictures of every page lie in target/screenshots afterwards; CI keeps them.
#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/axe.rs"]
mod axe;
#[path = "support/chromium.rs"]
mod chromium;
#[path = "web/world.rs"]
#[expect(dead_code, reason = "shared with tests/web.rs")]
mod world;

use annai::domain::{Timestamp, time::DAY};
use annai::engine::pickup::PickupSettings;
use annai::engine::staff::Verb;
use annai::engine::survey::state_name;
use annai::rules::Rules;
use annai::workflow::{ReissueReason, RevocationReason};
use chromium::{Chromium, Home};
use world::{World, build, tenant};

/// A browser offers no certificate that has run out by its own clock, so this world is of today.
fn today() -> World {
    let now = annai::clock::Clock::System.now();
    let always = |rules: &mut Rules| {
        rules.schedule.send_window = annai::rules::SendWindow::Always;
        PickupSettings::default()
    };
    build(&Timestamp::from_unix(now.unix()).plus(-7 * DAY).rfc3339(), always)
}

fn state(world: &World, serial: u16) -> &'static str {
    let courses = world.survey.courses().unwrap();
    state_name(&courses.iter().find(|c| c.tenant.id == tenant(serial)).unwrap().current().unwrap().state)
}

/// The page says this in Japanese, and not in English; pictures of both.
fn both(browser: &mut Chromium, page: &str, name: &str, word: &str) {
    browser.open(page);
    assert!(browser.text().contains(word), "{}", browser.text());
    browser.pictures(name);
    browser.open(&format!("{page}?lang=en"));
    assert!(!browser.text().contains(word), "{}", browser.text());
    browser.pictures(&format!("{name}-en"));
}

/// A tenant's certificate is picked up elsewhere and imported into this home.
async fn installed(world: &World, local: &str, home: &Home) {
    let file = world::Browser::default().pick_up(world, local).await;
    let path = world.dir.path().join("installed.p12");
    std::fs::write(&path, file).unwrap();
    assert!(home.import(&path, &world.password(local)).contains("IMPORT SUCCESSFUL"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_gets_a_certificate_and_sees_it_work() {
    let world = today();
    let home = Home::new();
    let site = format!("http://localhost:{}", world.pickup.port());
    let gate = format!("https://localhost:{}", world.gate.port());
    let password = world.password("kurayoshi");
    let mut browser = Chromium::start(&home, false);

    // Typed by hand, in full width and upper case.
    browser.open(&site);
    browser.pictures("enter");
    let wide: String = world
        .code("kurayoshi")
        .to_uppercase()
        .chars()
        .map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap())
        .collect();
    browser.type_into("#code", &wide);
    browser.press("button");
    assert!(browser.text().contains("未取得"), "{}", browser.text());
    browser.pictures("password");
    browser.type_into("#password", "2222-3333-4444");
    browser.press("button");
    assert!(browser.text().contains("パスワードが正しくありません"), "{}", browser.text());
    browser.pictures("password-wrong");
    browser.type_into("#password", &password.to_uppercase());
    browser.press("button");
    assert!(browser.text().contains("倉吉保健所"), "{}", browser.text());
    browser.pictures("terms");
    browser.click("input[name=agree]");
    browser.press("button");
    assert!(browser.text().contains("証明書の準備ができました"), "{}", browser.text());
    browser.pictures("ready");
    browser.download(".choice.first button");
    assert_eq!(state(&world, 1), "collected");
    browser.open(&format!("{site}/p/{}", world.code("kurayoshi")));
    assert!(browser.text().contains("証明書を発行しました"), "{}", browser.text());
    browser.pictures("ready-again");
    browser.quit();

    // Without the certificate the check page says what to do.
    let mut browser = Chromium::start(&home, false);
    browser.open(&gate);
    assert!(browser.text().contains("証明書を確認できませんでした"), "{}", browser.text());
    browser.pictures("gate-none");
    browser.quit();

    let file = home.downloaded();
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("310000-01") && name.is_ascii(), "{name}");
    assert!(home.import(&file, &password).contains("IMPORT SUCCESSFUL"));
    let mut browser = Chromium::start(&home, false);
    browser.open(&gate);
    let colour = browser.evaluate("getComputedStyle(document.querySelector('.verdict h1')).color");
    assert_eq!(colour, "rgb(17, 90, 54)", "green");
    both(&mut browser, &gate, "gate-yes", "この端末で利用できます");
    assert_eq!(state(&world, 1), "in-use");

    let reason = RevocationReason::KeyCompromise;
    world.act(move |engine| engine.act("mie", &Verb::Revoke { tenant: tenant(1), reason })).await;
    browser.open(&gate);
    assert!(browser.text().contains("失効しています"), "{}", browser.text());
    browser.pictures("gate-revoked");
    browser.quit();
}

/// The mode `page`: user id and password on the check page, once, in a real browser.
#[tokio::test(flavor = "multi_thread")]
async fn an_officer_sees_user_id_and_password_once() {
    let now = annai::clock::Clock::System.now();
    let world = build(&Timestamp::from_unix(now.unix()).plus(-7 * DAY).rfc3339(), |rules| {
        rules.schedule.send_window = annai::rules::SendWindow::Always;
        rules.schedule.credentials.by_page = true;
        PickupSettings::default()
    });
    let home = Home::new();
    let gate = format!("https://localhost:{}", world.gate.port());
    installed(&world, "kurayoshi", &home).await;
    let mut browser = Chromium::start(&home, false);
    both(&mut browser, &gate, "gate-credentials-ready", "表示できるのは1回限りです");
    browser.open(&gate);
    browser.press("form button");
    let shown = browser.text();
    assert!(shown.contains("310000-01") && shown.contains("倉吉保健所"), "{shown}");
    browser.pictures("gate-credentials");
    // Back, forward, and the button once more: never again.
    browser.open(&gate);
    assert!(browser.text().contains("に表示済みです"), "{}", browser.text());
    browser.pictures("gate-credentials-shown");
    browser.quit();
}

/// Pages nobody comes to on the straight way.
#[tokio::test(flavor = "multi_thread")]
async fn every_other_page_of_an_officer() {
    let world = today();
    let home = Home::new();
    let site = format!("http://localhost:{}", world.pickup.port());
    let gate = format!("https://localhost:{}", world.gate.port());
    let password = world.password("kurayoshi");
    let mut browser = Chromium::start(&home, false);
    browser.open(&format!("{site}/?code=x"));
    browser.pictures("enter-wrong");
    let page = format!("{site}/p/{}?lang=en", world.code("kurayoshi"));
    browser.open(&page);
    browser.type_into("#password", &password);
    browser.press("button");
    browser.pictures("terms-en");
    browser.click("input[name=agree]");
    browser.press("button");
    browser.pictures("ready-en");
    browser.open(&format!("{gate}/?lang=en"));
    browser.pictures("gate-none-en");

    // Ten wrong ones.
    let code = world.code("yonago");
    let mut other = world::Browser::default();
    for _ in 0..10 {
        other.password(&world, &code, "2222-3333-4444").await;
    }
    for (name, query) in [("locked", ""), ("locked-en", "?lang=en")] {
        browser.open(&format!("{site}/p/{code}{query}"));
        browser.pictures(name);
    }
    browser.quit();

    // A certificate of somebody else, one that has ended.
    let theirs = today();
    let leaf = annai::pki::LeafSettings { key: annai::pki::KeyKind::P256, ..annai::pki::LeafSettings::default() };
    let authority = annai::pki::Authority::throwaway(leaf, annai::clock::Clock::System.now()).unwrap();
    theirs.act(move |engine| engine.entrust(authority, PickupSettings::default())).await;
    installed(&theirs, "hoken", &home).await;
    let mut browser = Chromium::start(&home, false);
    both(&mut browser, &gate, "gate-foreign", "この証明書では利用できません");
    browser.quit();
    let home = Home::new();
    installed(&world, "hoken", &home).await;
    // By the server's clock three years have gone by; the browser, by its own, still offers it.
    world.pass(3 * 365 * DAY);
    world.act(|engine| engine.wake(100)).await;
    let mut browser = Chromium::start(&home, false);
    for (name, query, word) in
        [("gate-expired", "", "有効期限が切れています"), ("gate-expired-en", "?lang=en", "has expired")]
    {
        open_until(&mut browser, &format!("{gate}/{query}"), word);
        browser.pictures(name);
    }
    browser.quit();
}

/// The gate follows the lists every few seconds.
fn open_until(browser: &mut Chromium, url: &str, word: &str) {
    for _ in 0..2000 {
        browser.open(url);
        if browser.text().contains(word) {
            return;
        }
    }
    panic!("never {word}: {}", browser.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_fits_a_telephone_and_the_sheet_one_page() {
    let world = today();
    let home = Home::new();
    let site = format!("http://localhost:{}", world.pickup.port());
    let mut browser = Chromium::start(&home, false);
    for (name, path) in [
        ("unknown", "/p/2222-2222-2222-2222-2222".to_owned()),
        ("enter-en", "/?lang=en".to_owned()),
        ("password-en", format!("/p/{}?lang=en", world.code("hoken"))),
        ("help", "/help".to_owned()),
        ("help-en", "/help?lang=en".to_owned()),
        ("unknown-en", "/p/2222-2222-2222-2222-2222?lang=en".to_owned()),
    ] {
        browser.open(&format!("{site}{path}"));
        browser.pictures(name);
    }
    browser.open(&format!("{site}/help/print"));
    browser.pictures("sheet");
    assert_eq!(browser.sheets("sheet"), 1, "sheets of A4");
    world::Browser::default().pick_up(&world, "kurayoshi").await;
    let reason = ReissueReason::TerminalReplaced;
    world.act(move |engine| engine.act("mie", &Verb::Reissue { tenant: tenant(2), reason })).await;
    world.pass(31 * DAY);
    for (name, local, word) in [
        ("state-collected", "kurayoshi", "取得済み"),
        ("state-reissued", "yonago", "再発行済み"),
        ("state-expired", "hoken", "期限切れ"),
    ] {
        both(&mut browser, &format!("{site}/p/{}", world.code(local)), name, word);
    }
    let reason = RevocationReason::KeyCompromise;
    world.act(move |engine| engine.act("mie", &Verb::Revoke { tenant: tenant(1), reason })).await;
    both(&mut browser, &format!("{site}/p/{}", world.code("kurayoshi")), "state-void", "失効");
    browser.quit();
}
