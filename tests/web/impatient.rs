//! Officers in a hurry, and people who are no officers: back button, two tabs, things that change while a page is open,
//! sessions and marks of somebody else.

use crate::world::{Answer, Browser, SEED, World, tenant, world};
use annai::domain::time::DAY;
use annai::engine::staff::Verb;
use annai::engine::survey::state_name;
use annai::workflow::{ReissueReason, RevocationReason};

fn state(world: &World, serial: u16) -> &'static str {
    let courses = world.survey.courses().unwrap();
    let course = courses.into_iter().find(|course| course.tenant.id == tenant(serial)).unwrap();
    state_name(&course.enrolments[0].state)
}

fn is_file(answer: &Answer) -> bool {
    answer.head.contains("x-pkcs12")
}

/// A page that says how things are, in plain words, and is no file.
fn tells(answer: &Answer, word: &str) {
    assert!(answer.body.contains(word) && !is_file(answer), "{word} is missing: {} {}", answer.status, answer.body);
}

async fn accept(browser: &mut Browser, world: &World, local: &str, terms: &Answer) -> Answer {
    let form = format!("step=terms&token={}&agree=yes", terms.hidden("token"));
    browser.send(world, "POST", &format!("/p/{}", world.code(local)), &form).await
}

/// After the download the earlier pages are still behind the back button; each of their forms finds the download page again.
#[tokio::test(flavor = "multi_thread")]
async fn the_back_button() {
    let world = world(SEED);
    let (code, password) = (world.code("yonago"), world.password("yonago"));
    let mut browser = Browser::default();
    let first = browser.send(&world, "GET", &format!("/p/{code}"), "").await;
    let terms = browser.password(&world, &code, &password).await;
    let ready = accept(&mut browser, &world, "yonago", &terms).await;
    assert!(is_file(&browser.download(&world, "yonago", &ready, "modern").await));
    let head = world.store.head();
    let again = accept(&mut browser, &world, "yonago", &terms).await;
    tells(&again, "証明書を発行しました");
    let form = format!("step=password&token={}&password={password}", first.hidden("token"));
    let again = browser.send(&world, "POST", &format!("/p/{code}"), &form).await;
    tells(&again, "証明書を発行しました");
    assert_eq!(world.store.head(), head, "pages only");
    assert!(is_file(&browser.download(&world, "yonago", &again, "modern").await));
}

/// Two tabs share their cookie; the older one is told to begin again, loses nothing and counts as no wrong try.
#[tokio::test(flavor = "multi_thread")]
async fn two_tabs() {
    let world = world(SEED);
    let mut browser = Browser::default();
    let older = browser.up_to_the_download(&world, "yonago").await;
    let newer = browser.up_to_the_download(&world, "yonago").await;
    let answer = browser.download(&world, "yonago", &older, "modern").await;
    if !is_file(&answer) {
        tells(&answer, "数えていません");
    }
    assert!(is_file(&browser.download(&world, "yonago", &newer, "modern").await));

    // Two offices on one screen: each tab stays with its own, or is told to begin again; never the other's file.
    let mut browser = Browser::default();
    let mine = browser.up_to_the_download(&world, "hoken").await;
    let theirs = browser.up_to_the_download(&world, "kurayoshi").await;
    tells(&browser.download(&world, "hoken", &mine, "modern").await, "もう一度パスワードを入力してください");
    let crossed = browser.download(&world, "hoken", &theirs, "modern").await;
    tells(&crossed, "もう一度パスワードを入力してください");
    assert_eq!((state(&world, 0), state(&world, 1)), ("open", "open"));
    assert!(is_file(&browser.download(&world, "kurayoshi", &theirs, "modern").await));
}

/// A session opens its own code and nothing else, before and after the download.
#[tokio::test(flavor = "multi_thread")]
async fn the_session_of_another_tenant() {
    let world = world(SEED);
    let (mut owner, mut other) = (Browser::default(), Browser::default());
    let ready = owner.up_to_the_download(&world, "yonago").await;
    other.up_to_the_download(&world, "kurayoshi").await;
    let mut forger = Browser { cookie: other.cookie.clone() };
    tells(&forger.download(&world, "yonago", &ready, "modern").await, "もう一度パスワード");
    assert!(is_file(&owner.download(&world, "yonago", &ready, "modern").await));
    let page = forger.send(&world, "GET", &format!("/p/{}", world.code("yonago")), "").await;
    tells(&page, "取得済み");
    assert!(!page.body.contains("米子"), "{}", page.body);
    tells(&forger.download(&world, "yonago", &ready, "modern").await, "取得済み");
}

/// Two people with the password at two PCs: one gets it, the other reads what has happened.
#[tokio::test(flavor = "multi_thread")]
async fn two_browsers() {
    let world = world(SEED);
    let (mut one, mut two) = (Browser::default(), Browser::default());
    let first = one.up_to_the_download(&world, "hoken").await;
    let second = two.up_to_the_download(&world, "hoken").await;
    assert!(is_file(&one.download(&world, "hoken", &first, "modern").await));
    tells(&two.download(&world, "hoken", &second, "modern").await, "取得済み");
    let page = two.send(&world, "GET", &format!("/p/{}", world.code("hoken")), "").await;
    tells(&page, "再発行のご依頼");
}

/// The time is over, the session is over, somebody re-issues or revokes: at every step the page says so and takes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn things_change_while_a_page_is_open() {
    let world = world(SEED);
    let (code, password) = (world.code("yonago"), world.password("yonago"));
    // An hour at the terms: the session is over, the password opens it again.
    let mut slow = Browser::default();
    let terms = slow.password(&world, &code, &password).await;
    world.pass(3600);
    tells(&accept(&mut slow, &world, "yonago", &terms).await, "もう一度パスワードを入力してください");
    let ready = slow.up_to_the_download(&world, "yonago").await;
    world.pass(3600);
    tells(&slow.download(&world, "yonago", &ready, "modern").await, "もう一度パスワードを入力してください");

    // Staff re-issue between terms and download: old pages are dead at once.
    let ready = slow.up_to_the_download(&world, "yonago").await;
    let terms = Browser::default().password(&world, &code, &password).await;
    let reason = ReissueReason::WrongTerminal;
    world.act(move |engine| engine.act("mie", &Verb::Reissue { tenant: tenant(2), reason })).await;
    tells(&slow.download(&world, "yonago", &ready, "modern").await, "再発行済み");
    tells(&accept(&mut slow, &world, "yonago", &terms).await, "再発行済み");
    tells(&slow.password(&world, &code, &password).await, "再発行済み");
    assert_eq!(state(&world, 2), "superseded");

    // Revoked within the minutes in which the file may be fetched again: not any more.
    let mut taken = Browser::default();
    let ready = taken.up_to_the_download(&world, "kurayoshi").await;
    assert!(is_file(&taken.download(&world, "kurayoshi", &ready, "modern").await));
    let reason = RevocationReason::KeyCompromise;
    world.act(move |engine| engine.act("mie", &Verb::Revoke { tenant: tenant(1), reason })).await;
    tells(&taken.download(&world, "kurayoshi", &ready, "modern").await, "失効");

    // The deadline passes between password and download.
    let mut late = Browser::default();
    let terms = late.password(&world, &world.code("hoken"), &world.password("hoken")).await;
    world.pass(31 * DAY);
    tells(&accept(&mut late, &world, "hoken", &terms).await, "期限切れ");
    assert_eq!(state(&world, 0), "open", "looking expired nothing; the wake will");
}

/// A mark works for its own form in its own browser, however often; somebody else's repetition is nothing.
#[tokio::test(flavor = "multi_thread")]
async fn replayed_forms() {
    let world = world(SEED);
    let (code, password) = (world.code("yonago"), world.password("yonago"));
    let page = world.page(&code).await;
    let form = format!("step=password&token={}&password={password}", page.hidden("token"));
    // The mark of the first form is nobody's secret: what counts there is the password.
    let mut browser = Browser::default();
    for _ in 0..3 {
        let answer = browser.send(&world, "POST", &format!("/p/{code}"), &form).await;
        tells(&answer, "利用規約に同意する");
    }
    let terms = browser.send(&world, "POST", &format!("/p/{code}"), &form).await;
    let replay = format!("step=terms&agree=yes&token={}", terms.hidden("token"));
    let stranger = Browser::default().send(&world, "POST", &format!("/p/{code}"), &replay).await;
    assert!(stranger.status == 422 && !stranger.body.contains("米子"), "{}", stranger.body);
    // Form marks do not stand for one another.
    let crossed = format!("step=terms&agree=yes&token={}", page.hidden("token"));
    let answer = browser.send(&world, "POST", &format!("/p/{code}"), &crossed).await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert_eq!(state(&world, 2), "open");
}
