//! The console over a real engine: every view as it is written, hostile mails, acts over HTTP, rights, a real browser.
#![cfg(feature = "daemon")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "support/axe.rs"]
mod axe;
#[path = "console/browser.rs"]
mod browser;
#[path = "console/counts.rs"]
mod counts;
#[path = "console/english.rs"]
mod english;
#[path = "console/forms.rs"]
mod forms;
#[path = "console/jobs.rs"]
mod jobs;
#[path = "console/pages.rs"]
mod pages;
#[path = "console/routes.rs"]
mod routes;
#[path = "console/site.rs"]
mod site;
#[path = "people/world.rs"]
#[expect(dead_code, reason = "the world of tests/people.rs, of which not all is needed here")]
mod world;

use annai::domain::MailNo;
use annai::engine::staff::Verb;
use site::{field, site};

/// Markup in every place a mail has, as it must never stand in a page.
const HOSTILE: [&str; 4] = ["<script>alert", "<img src=x", "onerror=alert(1)>", "javascript:alert"];

#[tokio::test(flavor = "multi_thread")]
async fn no_markup_of_a_mail_reaches_a_page() {
    let site = site().await;
    let op = site.log_in("op").await;
    let mut seen = 0;
    for path in pages::PATHS {
        let page = site.get(&op, path).await;
        assert_eq!(page.status, 200, "{path}");
        seen += usize::from(page.body.contains("&lt;script&gt;alert"));
        for markup in HOSTILE {
            let links = page.body.to_lowercase();
            let inside = if markup.starts_with("javascript") {
                links.contains(&format!("href=\"{markup}"))
            } else {
                links.contains(markup)
            };
            assert!(!inside, "{path} holds {markup}");
        }
    }
    assert!(seen >= 3, "the hostile mail stands in {seen} pages only");
    // What was typed does not come back as markup either.
    for path in [
        "/search?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "/tenants?q=%3Cimg+src%3Dx%3E",
        "/audit?actor=%22%3E%3Cscript%3Ealert(1)",
    ] {
        let page = site.get(&op, path).await;
        assert!(page.status == 200 && HOSTILE.iter().all(|markup| !page.body.contains(markup)), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_corrected_and_taken_over() {
    let site = site().await;
    let op = site.log_in("op").await;
    let page = site.get(&op, "/mail/2").await;
    assert!(page.body.contains("この内容で登録する") && page.body.contains("id=\"l8\""), "{}", page.body);
    let shown = shown(&page.body);
    let form = [
        ("verb", "accept"),
        ("mail", "2"),
        ("back", "/review"),
        ("authority", "332020 倉敷市"),
        ("own", "hoken@city.kurashiki-mihon.lg.jp"),
        ("name", "倉敷市保健所"),
        ("address", "hokensho@gmail.com"),
        ("reason", ""),
        ("shown", shown.as_str()),
    ];
    // A free mail address is a doubt the mail itself did not raise: it is asked, and nothing is done yet.
    let asked = site.post(&op, "/act", &form).await;
    assert!(asked.status == 200 && asked.body.contains("free-mail"), "{} {}", asked.status, asked.body);
    assert!(site.get(&op, "/review").await.body.contains("&#x2f;mail&#x2f;2"));
    let mut good = form.to_vec();
    good[6].1 = "hokensho@city.kurashiki-mihon.lg.jp";
    good[7].1 = "電話で確認しました";
    let done = site.post(&op, "/act", &good).await;
    assert_eq!((done.status, done.location()), (303, "/review?done=accept"), "{}", done.body);
    let tenant = site.get(&op, "/tenants/332020-01").await;
    assert!(tenant.status == 200 && tenant.body.contains("hokensho@city.kurashiki-mihon.lg.jp"));
    assert!(tenant.body.contains("担当 op"), "the timeline says who did it");
    let again = site.post(&op, "/act", &good).await;
    assert_eq!(again.status, 409, "{}", again.body);
}

/// A letter of several pages, and an authority with as many health centres as Tokyo has: forms far over what officers send.
#[tokio::test(flavor = "multi_thread")]
async fn long_forms_are_taken() {
    let site = site().await;
    let op = site.log_in("op").await;
    let page = site.get(&op, "/mail/4").await.body;
    assert!(page.contains("name=\"body\""), "the draft stands on the page");
    let text = "端末の交換については、別紙の手順のとおりお進めください。\r\n".repeat(200);
    let form =
        [("verb", "write"), ("mail", "4"), ("back", "/mail/4"), ("subject", "お問い合わせについて"), ("body", &text)];
    let sent = site.post(&op, "/act", &form).await;
    assert_eq!((sent.status, sent.location()), (303, "/mail/4?done=write"), "{}", sent.body);
    let rows = site.get(&op, "/outbox?q=letter:ask-reply").await.body;
    let no = rows.split("href=\"/outbox/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let letter = site.get(&op, &format!("/outbox/{no}")).await.body;
    assert_eq!(letter.matches("別紙の手順のとおり").count(), 200, "all of it leaves");

    let shown = shown(&site.get(&op, "/mail/2").await.body);
    let centres: Vec<(String, String)> = (1..=60)
        .map(|no| (format!("倉敷市第{no}保健所"), format!("hokensho{no}@city.kurashiki-mihon.lg.jp")))
        .collect();
    let mut form =
        vec![("verb", "accept"), ("mail", "2"), ("back", "/review"), ("authority", "332020"), ("shown", &shown)];
    form.extend([("own", "hoken@city.kurashiki-mihon.lg.jp"), ("reason", "電話で確認しました")]);
    form.extend(centres.iter().flat_map(|(name, address)| [("name", name.as_str()), ("address", address.as_str())]));
    let mut done = site.post(&op, "/act", &form).await;
    if done.status == 200 {
        // Doubts about names nobody knows are asked first.
        let doubts = done.body.split("name=\"despite\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let doubts: Vec<String> = doubts.map(str::to_owned).collect();
        form.extend(doubts.iter().map(|doubt| ("despite", doubt.as_str())));
        done = site.post(&op, "/act", &form).await;
    }
    assert_eq!((done.status, done.location()), (303, "/review?done=accept"), "{}", done.body);
    assert!(site.get(&op, "/tenants?q=332020-60").await.body.contains("倉敷市第60保健所"));
    // Beyond the limit it is said what is wrong.
    let text = "あ".repeat(200_000);
    let refused = site.post(&op, "/act", &[("verb", "write"), ("mail", "4"), ("subject", "a"), ("body", &text)]).await;
    assert!(refused.status == 413 && refused.body.contains("長すぎます"), "{} {}", refused.status, refused.body);
}

/// What a page of a mail says it shows.
fn shown(page: &str) -> String {
    page.split("name=\"shown\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_registered_is_what_was_shown() {
    let site = site().await;
    let op = site.log_in("op").await;
    let form = |shown: &str| {
        [
            ("verb", "accept"),
            ("mail", "2"),
            ("authority", "332020"),
            ("own", "hoken@city.kurashiki-mihon.lg.jp"),
            ("name", "倉敷市保健所"),
            ("address", "hokensho@city.kurashiki-mihon.lg.jp"),
            ("reason", "電話で確認しました"),
            ("shown", shown),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let post = async |form: &[(String, String)]| {
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        site.post(&op, "/act", &form).await
    };
    let before = shown(&site.get(&op, "/mail/2").await.body);
    // While the page was open, the rules have changed: the mail's authority is not known any more.
    site.reload_rules(Some("332020")).await;
    let head = site.head();
    let refused = post(&form(&before)).await;
    assert!(refused.status == 409 && refused.body.contains("もう一度ご確認ください"), "{}", refused.body);
    assert_eq!(site.head(), head);
    // Back again, but meanwhile another mail of the same city has been taken over: it would now be a change.
    site.reload_rules(None).await;
    site.register("倉敷市　old@city.kurashiki-mihon.lg.jp").await;
    assert_eq!(post(&form(&before)).await.status, 409);
    // Whoever looks again sees that, and does it.
    let now = shown(&site.get(&op, "/mail/2").await.body);
    assert_ne!(now, before);
    assert_eq!(post(&form(&now)).await.status, 303);
    // Without a word about what was shown nothing is registered at all, by whatever way.
    assert_eq!(post(&form("")).await.status, 422);
    let blind = Verb::Accept { mail: MailNo(3), authority: Some("332020".parse().unwrap()), shown: None };
    let refused = site.handle.call(move |engine| engine.act("root", &blind)).await.unwrap().unwrap_err();
    assert!(refused.to_string().contains("what was shown is not named"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_without_their_token_and_foreign_pages_change_nothing() {
    let site = site().await;
    let op = site.log_in("op").await;
    let form = [("verb", "reject"), ("mail", "2"), ("reason", "x")];
    let head = site.head();
    assert_eq!(site.send("POST", "/act", &[("Cookie", &op.cookie)], &field(&form)).await.status, 403);
    let foreign =
        [("Cookie", op.cookie.as_str()), ("Origin", "https://evil.example"), ("x-csrf-token", op.csrf.as_str())];
    assert_eq!(site.send("POST", "/act", &foreign, &field(&form)).await.status, 403);
    assert_eq!(site.send("GET", "/events", &foreign, "").await.status, 403);
    for path in ["/", "/tenants", "/export/tenants.csv", "/events"] {
        assert_eq!(site.send("GET", path, &[], "").await.status, 401, "{path}");
    }
    assert_eq!(site.head(), head);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ministry_looks_and_changes_nothing() {
    let site = site().await;
    let audit = site.log_in("audit").await;
    let head = site.head();
    for path in pages::PATHS {
        let page = site.get(&audit, path).await;
        assert_eq!(page.status, 200, "{path}");
        // Their own sessions anybody may end.
        assert!(
            path == "/people"
                || !page.body.contains("action=\"/act\"")
                    && !page.body.contains("action=\"/bulk\" class=\"bulk\"><button"),
            "{path} offers an act"
        );
    }
    for form in [
        vec![("verb", "reject"), ("mail", "2"), ("reason", "x")],
        vec![("verb", "hold"), ("row", "1"), ("reason", "x")],
        vec![("verb", "reissue"), ("tenant", "310000-00"), ("why", "lost")],
    ] {
        assert_eq!(site.post(&audit, "/act", &form).await.status, 403, "{form:?}");
    }
    assert_eq!(site.post(&audit, "/bulk/run", &[("of", "letters"), ("verb", "retry"), ("no", "1")]).await.status, 403);
    assert_eq!(site.head(), head);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_are_counted_asked_and_done_one_by_one() {
    let site = site().await;
    let op = site.log_in("op").await;
    let waiting = site.get(&op, "/outbox").await.body;
    assert!(waiting.contains("letters"), "{waiting}");
    let chosen = [
        ("of", "letters"),
        ("verb", "withdraw"),
        ("all", "1"),
        ("show", "all"),
        ("q", "domain:lg.jp"),
        ("back", "/outbox"),
    ];
    let head = site.head();
    let asked = site.post(&op, "/bulk", &chosen).await;
    assert!(asked.status == 200 && asked.body.contains("件を実行する"), "{}", asked.body);
    assert_eq!(site.head(), head, "asking changes nothing");
    let mut run = chosen.to_vec();
    assert_eq!(site.post(&op, "/bulk/run", &run).await.status, 422, "without a reason");
    run.push(("reason", "点検のため"));
    let begun = site.post(&op, "/bulk/run", &run).await;
    assert_eq!(begun.status, 303);
    let job = begun.location().to_owned();
    let done = site.until(&op, &job, "終了").await;
    assert!(done.contains("できなかったもの"), "letters that have left are refused and named");
    site.until(&op, "/outbox?q=state:withdrawn", "点検のため").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_files_without_formulas_and_secrets_are_masked() {
    let site = site().await;
    let op = site.log_in("op").await;
    let file = site.get(&op, "/export/inbox.csv").await;
    assert!(file.head.contains("text/csv") && file.body.contains("\"'=HYPERLINK("), "{}", file.body);
    for kind in ["tenants", "outbox", "missing"] {
        let file = site.get(&op, &format!("/export/{kind}.csv?show=all")).await;
        assert!(file.status == 200 && file.body.lines().count() > 2, "{kind}: {}", file.body);
    }
    // The notice waits; its text is shown with the code masked.
    let rows = site.get(&op, "/outbox?q=letter:certificate-notice").await.body;
    let no = rows.split("href=\"/outbox/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let letter = site.get(&op, &format!("/outbox/{no}")).await.body;
    assert!(letter.contains("●●●●") && letter.contains("pickup.example.jp"), "{letter}");
    let audit = site.log_in("audit").await;
    assert!(!site.get(&audit, &format!("/outbox/{no}")).await.body.contains("pickup.example.jp"));
}

#[tokio::test(flavor = "multi_thread")]
async fn language_saved_views_and_presence() {
    let site = site().await;
    let (op, ap) = (site.log_in("op").await, site.log_in("ap").await);
    let cookie = format!("{}; lang=en; theme=dark", op.cookie);
    for path in pages::PATHS {
        let page = site.send("GET", path, &[("Cookie", &cookie)], "").await;
        assert!(page.status == 200 && page.body.contains("<html lang=\"en\" data-theme=\"dark\">"), "{path}");
        assert!(page.body.contains("<span>Outbox</span>"), "{path} is not in English");
    }
    let saved = site.post(&op, "/views", &[("name", "期限間近 <b>"), ("back", "/tenants?q=days:0-3")]).await;
    let kept = saved.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let cookie = format!("{}; {}", op.cookie, kept.split(';').next().unwrap());
    let page = site.send("GET", "/", &[("Cookie", &cookie)], "").await.body;
    assert!(page.contains("期限間近 &lt;b&gt;") && page.contains("&#x2f;tenants?q=days:0-3"), "{page}");
    // A saved view never leads away from here.
    let away = site.post(&op, "/views", &[("name", "x"), ("back", "//evil.example/")]).await;
    assert!(!away.head.contains("evil"), "{}", away.head);
    // Two people at one mail hear of each other; one person at another mail does not.
    assert_eq!(site.post(&op, "/mail/2/here", &[]).await.body, "[]");
    assert_eq!(site.post(&op, "/mail/2/here", &[]).await.body, "[]", "one's own other page is nobody else");
    assert_eq!(site.post(&ap, "/mail/2/here", &[]).await.body, "[\"opさん\"]");
    assert_eq!(site.post(&ap, "/mail/3/here", &[]).await.body, "[]");
}
