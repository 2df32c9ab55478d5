//! What a visitor sees who only looks, and that looking changes nothing but the timeline.

use crate::world::{Answer, Browser, SEED, escaped, request, tenant, world};
use annai::domain::time::DAY;
use annai::engine::staff::Verb;
use annai::engine::views::HistoryOf;
use annai::workflow::{ReissueReason, RevocationReason};
use std::sync::atomic::Ordering;

#[track_caller]
fn shows(answer: &Answer, status: u16, words: &[&str]) {
    assert_eq!(answer.status, status, "{answer:?}");
    for word in words.iter().chain(&["covid19@bigtreetc.com", "平日"]) {
        assert!(answer.body.contains(word), "{word} is missing: {}", answer.body);
    }
    for name in ["鳥取県", "倉吉", "米子", "310000"] {
        assert!(!answer.body.contains(name), "a page names the tenant");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_state_has_its_page() {
    let world = world(SEED);
    let (kurayoshi, yonago, authority) = (world.code("kurayoshi"), world.code("yonago"), world.code("hoken"));
    shows(&world.page(&kurayoshi).await, 200, &["未取得", "令和2年5月31日（日）", "あと30日", "お進みいただく前に"]);
    for unknown in ["2222-2222-2222-2222-2222", "short", "k7m2", "%E3%81%82", "%82%A0", "a%00b", &"x".repeat(3000)] {
        let answer = world.page(unknown).await;
        shows(&answer, 404, &["確認できませんでした", "次にしていただくこと"]);
        assert!(!answer.body.contains(unknown), "what was typed came back: {unknown}");
    }
    Browser::default().pick_up(&world, "kurayoshi").await;
    shows(&world.page(&kurayoshi).await, 200, &["取得済み", "令和2年5月1日（金）", "再発行のご依頼"]);
    let reason = ReissueReason::TerminalReplaced;
    world.act(move |engine| engine.act("mie", &Verb::Reissue { tenant: tenant(2), reason })).await;
    shows(&world.page(&yonago).await, 200, &["再発行済み", "令和2年5月1日（金）"]);
    world.hand.fetch_add(31 * DAY, Ordering::AcqRel);
    shows(&world.page(&authority).await, 200, &["期限切れ", "令和2年5月31日（日）", "再発行のご依頼"]);
    world.act(|engine| engine.wake(10)).await;
    shows(&world.page(&authority).await, 200, &["期限切れ"]);
    let reason = RevocationReason::KeyCompromise;
    world.act(move |engine| engine.act("mie", &Verb::Revoke { tenant: tenant(1), reason })).await;
    shows(&world.page(&kurayoshi).await, 200, &["失効", "令和2年6月1日（月）"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_has_an_english_side() {
    let world = world(SEED);
    let code = world.code("yonago");
    for (path, words) in [
        ("/?lang=en".to_owned(), ["Enter your pick-up code", "Contact"]),
        (format!("/p/{code}?lang=en"), ["Not yet picked up", "2020-05-31"]),
        ("/p/none?lang=en".to_owned(), ["Not found", "What to do now"]),
        ("/help?lang=en".to_owned(), ["For the system administrator", "certutil -user -importpfx"]),
    ] {
        let english = request(world.pickup, "GET", &path, "").await;
        assert!(english.body.contains("<html lang=\"en\">") && english.body.contains("?lang=ja"), "{path}");
        for word in words {
            assert!(english.body.contains(word), "{path} lacks {word}: {}", english.body);
        }
        let japanese = request(world.pickup, "GET", &path.replace("lang=en", "lang=ja"), "").await;
        assert!(japanese.body.contains("<html lang=\"ja\">") && japanese.body.contains("お問い合わせ"), "{path}");
    }
    let typed = request(world.pickup, "POST", "/?lang=en", &format!("code={code}")).await;
    assert!(typed.head.contains(&format!("location: /p/{code}?lang=en\r\n")), "{}", typed.head);
}

/// A thousand requests of the kinds mail filters make (research §1.3, R3): the same address, its page again, blank forms.
#[tokio::test(flavor = "multi_thread")]
async fn looking_changes_nothing() {
    let world = world(SEED);
    let code = world.code("yonago");
    let state = || (world.survey.rosters().unwrap(), world.survey.rows().unwrap(), world.survey.matters().unwrap());
    let (before, head) = (state(), world.store.head());
    for round in 0..1000 {
        let (method, path, body) = match round % 8 {
            0 | 4 => ("GET", format!("/p/{code}"), ""),
            1 => ("HEAD", format!("/p/{code}"), ""),
            2 => ("OPTIONS", format!("/p/{code}"), ""),
            3 => ("POST", format!("/p/{code}"), ""),
            5 => ("POST", format!("/p/{code}"), "step=password&token=&password="),
            6 => ("POST", format!("/p/{code}/certificate"), ""),
            _ => ("GET", format!("/p/{code}?utm_source=scan"), ""),
        };
        let answer = request(world.pickup, method, &path, body).await;
        assert_eq!(answer.status, if method == "OPTIONS" { 204 } else { 200 }, "{method} {path}");
        assert_eq!(answer.body.is_empty(), matches!(method, "HEAD" | "OPTIONS"), "{method}");
        assert!(answer.cookie.is_none(), "looking leaves no cookie");
    }
    for method in ["PUT", "DELETE", "PATCH"] {
        assert_eq!(request(world.pickup, method, &format!("/p/{code}"), "x=1").await.status, 405);
    }
    assert_eq!(request(world.pickup, "GET", &format!("/p/{code}/certificate"), "").await.status, 303);
    assert_eq!((state(), world.store.head()), (before.clone(), head));

    // They stand in the timeline as what they were.
    world.end().await;
    assert_eq!(state(), before);
    let lines = world.act(|engine| engine.history(HistoryOf::Tenant(tenant(2)), None, 1000)).await.items;
    let text: Vec<String> = lines.into_iter().flat_map(|line| line.text).collect();
    for (kind, count) in [("表示のみ", 375), ("存在確認のみ", 125), ("方法確認のみ", 125), ("空の送信のみ", 375)]
    {
        let told = text.iter().any(|line| line.contains(kind) && line.contains(&format!("{count}回")));
        assert!(told, "{kind} {count} is missing in {text:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_may_be_typed_in_any_way() {
    let world = world(SEED);
    let code = world.code("kurayoshi");
    let wide: String = code
        .to_ascii_uppercase()
        .chars()
        .map(|c| if c == '-' { 'ー' } else { char::from_u32(u32::from(c) + 0xFEE0).unwrap() })
        .collect();
    for typed in [code.clone(), code.replace('-', ""), code.to_ascii_uppercase(), format!(" {code} "), wide] {
        shows(&world.page(&escaped(&typed)).await, 200, &["未取得"]);
        let get = request(world.pickup, "GET", &format!("/?code={}", escaped(&typed)), "").await;
        let post = request(world.pickup, "POST", "/", &format!("code={}", escaped(&typed))).await;
        for answer in [get, post] {
            assert_eq!(answer.status, 303, "{typed}");
            assert!(answer.head.contains(&format!("location: /p/{code}\r\n")), "{}", answer.head);
        }
    }
    let again = request(world.pickup, "POST", "/", &format!("code={}", escaped("<b>あ</b>"))).await;
    assert!(again.status == 200 && again.body.contains("role=\"alert\"") && !again.body.contains("<b>あ"), "{again:?}");
    assert_eq!(request(world.pickup, "GET", "/", "").await.status, 200);
    assert_eq!(request(world.pickup, "POST", "/", "").await.status, 200);
    assert_eq!(request(world.pickup, "POST", "/", &format!("code={}", "2".repeat(5000))).await.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_its_headers_and_is_small() {
    let world = world(SEED);
    let code = world.code("kurayoshi");
    let paths =
        ["/", &format!("/p/{code}"), "/p/unknown", "/officer.css", "/tokens.css", "/help", "/help/print", "/none"];
    let pickup = paths.into_iter().map(|path| (world.pickup, path));
    let console = ["/", "/healthz", "/metrics", "/none"].into_iter().map(|path| (world.console, path));
    let mut sheet = 0;
    for (to, path) in pickup.chain(console) {
        let answer = request(to, "GET", path, "").await;
        for header in [
            "content-security-policy: default-src 'none'",
            "frame-ancestors 'none'",
            "cache-control: no-store",
            if to == world.console { "referrer-policy: same-origin" } else { "referrer-policy: no-referrer" },
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
        ] {
            assert!(answer.head.contains(header), "{path} lacks {header}: {}", answer.head);
        }
        assert!(!answer.head.contains("set-cookie"), "{path}");
        assert!(to == world.console || !answer.body.contains("<script"), "{path}");
        if path == "/officer.css" {
            sheet = answer.bytes.len();
            assert!(!answer.body.contains("var("), "Internet Explorer mode knows no custom properties");
        }
    }
    for path in ["/", &format!("/p/{code}"), "/help", "/help/print"] {
        let page = request(world.pickup, "GET", path, "").await.bytes.len();
        assert!(page + sheet < 50_000, "{path}: {page} + {sheet} bytes");
    }
}

/// Lists and certificates of the authority are for everybody and may be kept for a while.
#[tokio::test(flavor = "multi_thread")]
async fn lists_are_public() {
    let world = world(SEED);
    for (path, kind) in [
        ("/crl/issuing.crl", "application/pkix-crl"),
        ("/crl/root.crl", "application/pkix-crl"),
        ("/ca/issuing.crt", "application/pkix-cert"),
        ("/ca/root.crt", "application/pkix-cert"),
    ] {
        let answer = request(world.pickup, "GET", path, "").await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.head.contains(&format!("content-type: {kind}")), "{}", answer.head);
        assert!(answer.head.contains("cache-control: public, max-age=300"), "{}", answer.head);
        assert_eq!(answer.bytes[0], 0x30, "DER");
    }
    let ids = request(world.pickup, "GET", "/ca/ids.txt", "").await;
    assert!(ids.head.contains("content-type: text/plain") && ids.body.trim().len() == 16, "{ids:?}");
    assert_eq!(request(world.pickup, "GET", &format!("/ca/{}.crt", ids.body.trim()), "").await.status, 200);
    for path in ["/crl/none.crl", "/ca/root.key", "/crl/..%2Fmaster.key", "/crl/"] {
        assert_eq!(request(world.pickup, "GET", path, "").await.status, 404, "{path}");
    }
}

/// What goes wrong (research §2.3, R20), and what the help pages say to each.
#[tokio::test(flavor = "multi_thread")]
async fn the_help_answers_every_row_of_what_goes_wrong() {
    let world = world(SEED);
    let japanese = request(world.pickup, "GET", "/help", "").await.body;
    let english = request(world.pickup, "GET", "/help?lang=en", "").await.body;
    for (ja, en) in [
        // URL expired or already used: state, date, where to ask.
        (
            &["「期限切れ」「取得済み」「再発行済み」「失効」と表示される", "日付と次の手順", "お問い合わせ先"][..],
            &["expired, picked up, re-issued or revoked", "names the date", "Ask the contact"][..],
        ),
        // Password mail not there.
        (
            &["パスワードのメールが届かない", "同じ日に", "翌開庁日"],
            &["The mail with the password has not come", "same day", "next working day"],
        ),
        // "The password is not right" at import: half width, the other profile.
        (
            &["パスワードが正しくありません", "半角小文字", "互換形式"],
            &["password you entered is incorrect", "half width", "compatible format"],
        ),
        // Download broke off, window closed.
        (
            &["ダウンロードが途中で切れた", "10分以内", "再発行をご依頼"],
            &["download broke off", "Within 10 minutes", "re-issue"],
        ),
        // Wrong PC, replaced, broken.
        (
            &["別の端末にインストールした、端末を交換した、故障・紛失した", "失効します"],
            &["Installed on the wrong PC; PC replaced, broken or lost", "revoked"],
        ),
        // Other Windows user; browser not restarted.
        (&["別のWindowsユーザー", "画面をすべて閉じてから"], &["Another Windows user", "close all windows"]),
        // Link not clickable.
        (&["メールのURLを開けない", "最後の20文字"], &["cannot be clicked", "last 20 characters"]),
        // Sanitising, virtual browser: a paragraph for the administrator.
        (
            &["仮想ブラウザで証明書が消える", "無害化", "TLSの復号・検査の対象から除外", "certutil -user -importpfx"],
            &["virtual browser forgets it", "sanitising", "without TLS inspection"],
        ),
        // Another tenant's certificate.
        (&["別の機関の名称が表示される", "そこで手続をやめ"], &["name of another office", "Stop there"]),
    ] {
        for (page, words) in [(&japanese, ja), (&english, en)] {
            for word in words {
                assert!(page.contains(word), "the help does not say {word}");
            }
        }
    }
}

/// Internet Explorer mode drops a whole rule for a selector it does not know, and knows neither grid nor newer functions.
#[tokio::test(flavor = "multi_thread")]
async fn pages_stand_in_internet_explorer_mode() {
    let world = world(SEED);
    let sheet = request(world.pickup, "GET", "/officer.css", "").await.body;
    let rules = sheet.split("*/").map(|part| part.split("/*").next().unwrap()).collect::<String>();
    for unknown in [
        "var(",
        "grid",
        "gap:",
        ":is(",
        ":where(",
        ":has(",
        ":focus-visible",
        ":focus-within",
        "min(",
        "max(",
        "clamp(",
        "aspect-ratio",
        "inset:",
        "sticky",
        "@layer",
        "@container",
        "@supports",
        "object-fit",
        "place-",
        "inset-",
        "margin-inline",
        "padding-block",
        "rgb(from",
        "color-mix",
        "fit-content",
        "max-content",
        "min-content",
        "::marker",
        "@import",
    ] {
        assert!(!rules.contains(unknown), "Internet Explorer mode does not know {unknown}");
    }
    let code = world.code("kurayoshi");
    for path in ["/", &format!("/p/{code}"), "/p/none", "/help", "/help/print"] {
        let page = request(world.pickup, "GET", path, "").await.body;
        for unknown in [
            "<script",
            "<dialog",
            "<details",
            "<template",
            "loading=",
            "srcset",
            "type=\"email\"",
            "<picture",
            "style=",
        ] {
            assert!(!page.contains(unknown), "{path}: {unknown}");
        }
        assert!(page.contains("http-equiv=\"X-UA-Compatible\" content=\"IE=edge\""), "{path}");
    }
}
