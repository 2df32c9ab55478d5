//! The forms for accounts, client certificates and known domains, each from the browser to what is stored: the request
//! another person approves, the account, the journal with actor and reason, the page afterwards. And what is refused: it
//! says what to do, and changes nothing.

use crate::site::{Browser, Site, site};
use crate::world::PASSWORD;
use annai::engine::people::AccountView;
use serde_json::Value;

const LONG: &str = "another long password";
const PRINT: &str = "AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89";

type Form<'a> = &'a [(&'a str, &'a str)];

impl Site {
    async fn account(&self, name: &'static str) -> Option<AccountView> {
        let accounts = self.handle.call(|engine| engine.accounts()).await.unwrap().unwrap();
        accounts.into_iter().find(|account| account.name == name)
    }

    /// The last entry of the journal.
    async fn last_entry(&self) -> Value {
        let tail = self.handle.call(|engine| engine.journal_tail(1)).await.unwrap().unwrap();
        serde_json::to_value(tail.last().unwrap()).unwrap()
    }
}

/// A form of the admin, approved by another; both stand in the journal with the reason.
async fn approved(site: &Site, admin: &Browser, ap: &Browser, verb: &str, form: Form<'_>, told: &str) {
    let mut fields = vec![("verb", verb), ("back", "/people"), ("reason", "異動のため")];
    fields.extend(form);
    let asked = site.post(admin, "/act", &fields).await;
    assert_eq!(asked.status, 303, "{verb}: {}", asked.body);
    let path = asked.location().to_owned();
    let no = path.strip_prefix("/approvals?no=").and_then(|rest| rest.strip_suffix("&done=asked")).unwrap().to_owned();
    // Who approves reads what it is and why, and no password.
    let page = site.get(ap, &path).await.body;
    assert!(page.contains(told) && page.contains("異動のため"), "{verb}: {page}");
    assert!(!page.contains(LONG) && !page.contains("argon2"), "{page}");
    let done = site.post(ap, "/act", &[("verb", "approve"), ("ask", &no), ("back", "/approvals")]).await;
    assert_eq!((done.status, done.location()), (303, "/approvals?done=approve"), "{verb}: {}", done.body);
    let entry = site.last_entry().await;
    assert_eq!(entry["entry"]["actor"], "staff:ap", "{entry}");
    let said = entry.to_string();
    assert!(said.contains("\"asked-by\":\"admin1\"") && said.contains("異動のため") && said.contains(told), "{said}");
    assert!(!said.contains("argon2") && !said.contains(LONG), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_for_accounts_is_stored_with_actor_and_reason() {
    let site = site().await;
    let (admin, ap) = (site.log_in("admin1").await, site.log_in("ap").await);
    let page = async || site.get(&admin, "/people").await.body;

    let add = [
        ("name", "sato"),
        ("person", "佐藤 <花子>"),
        ("role", "operator"),
        ("mail", "sato@contractor.example.jp"),
        ("password", LONG),
        ("again", LONG),
    ];
    approved(&site, &admin, &ap, "user-add", &add, "アカウント sato（担当者）の登録").await;
    let sato = site.account("sato").await.unwrap();
    assert_eq!((sato.person.as_str(), sato.role_name, sato.has_password), ("佐藤 <花子>", "担当者", true));
    assert_eq!(sato.mail.unwrap().as_str(), "sato@contractor.example.jp");
    assert!(page().await.contains("佐藤 &lt;花子&gt;"));
    let first = site.log_in_by("sato", LONG).await.unwrap();

    let role = [("name", "sato"), ("role", "approver")];
    approved(&site, &admin, &ap, "user-role", &role, "アカウント sato の役割を承認者に変更").await;
    assert_eq!(site.account("sato").await.unwrap().role_name, "承認者");
    assert_eq!(site.get(&first, "/").await.status, 401, "whoever has another role logs in again");

    let mail = [("name", "sato"), ("mail", "hanako@contractor.example.jp")];
    approved(&site, &admin, &ap, "user-mail", &mail, "アカウント sato の通知先の変更").await;
    assert_eq!(site.account("sato").await.unwrap().mail.unwrap().as_str(), "hanako@contractor.example.jp");
    let nowhere = [("name", "sato"), ("mail", "")];
    approved(&site, &admin, &ap, "user-mail", &nowhere, "アカウント sato の通知先の変更").await;
    assert_eq!(site.account("sato").await.unwrap().mail, None);

    let open = site.log_in_by("sato", LONG).await.unwrap();
    let password = [("name", "sato"), ("password", PASSWORD), ("again", PASSWORD)];
    approved(&site, &admin, &ap, "user-password", &password, "アカウント sato のパスワードの変更").await;
    assert_eq!(site.get(&open, "/").await.status, 401);
    assert!(site.log_in_by("sato", LONG).await.is_none());
    let open = site.log_in_by("sato", PASSWORD).await.unwrap();

    let certificate = [("name", "sato"), ("fingerprint", PRINT)];
    approved(&site, &admin, &ap, "user-certificate", &certificate, "のクライアント証明書を abcdef").await;
    let bound = site.account("sato").await.unwrap().certificate.unwrap();
    assert_eq!(bound.fingerprint.to_string(), PRINT.replace(':', "").to_lowercase());
    assert!(page().await.contains(&bound.fingerprint.to_string()));
    assert_eq!(site.get(&open, "/").await.status, 401, "a lost certificate ends what was begun with it");
    let none = [("name", "sato"), ("fingerprint", "")];
    approved(&site, &admin, &ap, "user-certificate", &none, "アカウント sato のクライアント証明書の解除").await;
    assert_eq!(site.account("sato").await.unwrap().certificate, None);

    let open = site.log_in_by("sato", PASSWORD).await.unwrap();
    approved(&site, &admin, &ap, "user-disable", &[("name", "sato")], "アカウント sato の停止").await;
    assert!(site.account("sato").await.unwrap().disabled.is_some() && page().await.contains("再開する"));
    assert_eq!(site.get(&open, "/").await.status, 401);
    assert!(site.log_in_by("sato", PASSWORD).await.is_none());
    approved(&site, &admin, &ap, "user-enable", &[("name", "sato")], "アカウント sato の再開").await;
    assert_eq!(site.account("sato").await.unwrap().disabled, None);
    assert!(site.log_in_by("sato", PASSWORD).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_says_what_to_do_and_changes_nothing() {
    let site = site().await;
    let (admin, op) = (site.log_in("admin1").await, site.log_in("op").await);
    let add: Form = &[("name", "sato"), ("role", "operator"), ("reason", "着任")];
    let with = |fields: Form<'static>| -> Vec<(&'static str, &'static str)> {
        let kept = add.iter().filter(|(name, _)| fields.iter().all(|(other, _)| other != name));
        kept.copied().chain(fields.iter().copied()).collect()
    };
    let head = site.head();
    for (verb, form, told) in [
        ("user-add", with(&[("name", "")]), "アカウント名を入力してください。"),
        ("user-add", with(&[("name", "Satō")]), "半角の英小文字・数字"),
        ("user-add", with(&[("name", "root")]), "別の名前にしてください。"),
        ("user-add", with(&[("name", "op")]), "同じ名前のアカウントがあります。"),
        ("user-add", with(&[("role", "boss")]), "役割を選んでください。"),
        ("user-add", with(&[("reason", "")]), "理由を入力してください。"),
        ("user-add", with(&[("mail", "sato@")]), "メールアドレスが正しくありません。"),
        ("user-add", with(&[("password", "short"), ("again", "short")]), "パスワードは12文字以上"),
        ("user-add", with(&[("password", LONG), ("again", PASSWORD)]), "2つのパスワードが同じではありません。"),
        ("user-role", with(&[("name", "op"), ("reason", "")]), "理由を入力してください。"),
        ("user-role", with(&[("name", "nobody")]), "アカウント nobody はありません。"),
        ("user-role", with(&[("name", "admin1")]), "別の管理者に依頼してください。"),
        ("user-disable", with(&[("name", "admin1")]), "別の管理者に依頼してください。"),
        ("user-password", with(&[("name", "op")]), "パスワードを入力してください。"),
        ("user-certificate", with(&[("name", "op"), ("fingerprint", "ab:cd")]), "64桁"),
        ("domain-approve", with(&[("authority", "9"), ("domain", "a.lg.jp")]), "自治体のコード（6桁）"),
        ("domain-approve", with(&[("authority", "332020"), ("domain", "")]), "ドメインを入力してください。"),
        ("domain-approve", with(&[("authority", "332020"), ("domain", "a b")]), "ドメインの形をしていません。"),
        ("domain-approve", with(&[("authority", "332020"), ("domain", "gmail.com")]), "自治体のドメインを入力"),
        ("domain-forget", with(&[("authority", "332020"), ("domain", "x.lg.jp")]), "登録されていません。"),
    ] {
        let form: Vec<_> = [("verb", verb), ("back", "/people")].into_iter().chain(form).collect();
        let refused = site.post(&admin, "/act", &form).await;
        assert!([409, 422].contains(&refused.status), "{form:?}: {}", refused.status);
        assert!(refused.body.contains(told), "{form:?}: {}", refused.body);
        assert!(refused.body.contains("何も変更していません"), "{}", refused.body);
    }
    // An operator changes nobody, not even the address of their own alerts.
    let own = [("verb", "user-mail"), ("name", "op"), ("mail", "a@example.jp"), ("reason", "x"), ("back", "/people")];
    assert_eq!(site.post(&op, "/act", &own).await.status, 403);
    assert_eq!(site.head(), head);
    assert!(site.account("sato").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_can_always_keep_the_accounts() {
    let site = site().await;
    let (admin, ap) = (site.log_in("admin1").await, site.log_in("ap").await);
    approved(&site, &admin, &ap, "user-disable", &[("name", "admin2")], "アカウント admin2 の停止").await;
    // admin1 asks, ap approves: without ap nobody could approve any more, and ap made admin would not help.
    for (verb, form) in
        [("user-disable", vec![("name", "ap")]), ("user-role", vec![("name", "ap"), ("role", "auditor")])]
    {
        let head = site.head();
        let form: Vec<_> = form.into_iter().chain([("verb", verb), ("reason", "異動")]).collect();
        let refused = site.post(&admin, "/act", &form).await;
        assert!(refused.status == 409 && refused.body.contains("アカウントを管理できる人がいなくなります。"), "{verb}");
        assert_eq!(site.head(), head);
    }
    approved(&site, &admin, &ap, "user-enable", &[("name", "admin2")], "アカウント admin2 の再開").await;
    approved(&site, &admin, &ap, "user-disable", &[("name", "ap")], "アカウント ap の停止").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn domains_are_approved_and_removed_with_actor_and_reason() {
    let site = site().await;
    let op = site.log_in("op").await;
    let page = async || site.get(&op, "/domains?q=kurashiki").await.body;
    assert!(!page().await.contains("city.kurashiki.okayama.jp"));
    let form = [
        ("verb", "domain-approve"),
        ("back", "/domains?q=kurashiki"),
        ("authority", "332020 倉敷市"),
        ("domain", "@City.Kurashiki.okayama.jp"),
        ("reason", "公式サイトで確認しました"),
    ];
    let done = site.post(&op, "/act", &form).await;
    assert_eq!((done.status, done.location()), (303, "/domains?q=kurashiki&done=domain-approve"), "{}", done.body);
    let entry = site.last_entry().await;
    assert_eq!(entry["entry"]["actor"], "staff:op");
    assert!(entry.to_string().contains("公式サイトで確認しました") && entry.to_string().contains("domain-learned"));
    let shown = page().await;
    assert!(shown.contains("city.kurashiki.okayama.jp") && shown.contains("担当 op"), "{shown}");
    let code: annai::domain::LgCode = "332020".parse().unwrap();
    let known = site.handle.call(move |engine| engine.domains(Some(code))).await.unwrap().unwrap();
    assert_eq!(known.iter().map(|known| known.domain.as_str()).collect::<Vec<_>>(), ["city.kurashiki.okayama.jp"]);

    let forget = [
        ("verb", "domain-forget"),
        ("back", "/domains"),
        ("authority", "332020"),
        ("domain", "city.kurashiki.okayama.jp"),
        ("reason", "市の合併により廃止"),
    ];
    let done = site.post(&op, "/act", &forget).await;
    assert_eq!((done.status, done.location()), (303, "/domains?done=domain-forget"), "{}", done.body);
    let entry = site.last_entry().await.to_string();
    assert!(entry.contains("市の合併により廃止") && entry.contains("domain-forgotten"), "{entry}");
    assert!(!page().await.contains("city.kurashiki.okayama.jp"));
    assert!(site.handle.call(move |engine| engine.domains(Some(code))).await.unwrap().unwrap().is_empty());
    // Twice is once: the second form is refused.
    assert_eq!(site.post(&op, "/act", &forget).await.status, 409);
}
