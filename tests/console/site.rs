//! The console over an engine with registered, doubtful and hostile mails on the morning of the launch.

#[path = "../support/ask.rs"]
pub(crate) mod ask;
#[path = "../support/http.rs"]
mod http;

use crate::world::{PASSWORD, World, file, relayed, setup, world};
use annai::domain::MailNo;
use annai::engine::thread::{Handle, start};
use annai::health::{Health, MailboxCount};
use annai::rules::RuleFiles;
use annai::store::Store;
use annai::web::officer::Site as Officers;
use annai::web::{Contact, Pages, Source};
use annai::workflow::delivery::{Outcome, Reply, Stage};
use ask::{Answer, ask};
use http::unchunked;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

const HEAD: &str = "To: covid19@bigtreetc.com\r\nCc: follow-up@mhlw.go.jp\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n";
const DOUBTFUL: &str = "お世話になっております。倉敷市保健課です。\r\n以下のとおり連絡します。\r\n\r\n<自治体（保健所設置主体）>\r\n\
    倉敷市　hoken@city.kurashiki-mihon.lg.jp\r\n\r\n<保健所>\r\n倉敷市保健所　hokensho@@city.kurashiki-mihon.lg.jp\r\n";
const HOSTILE: &str = "<自治体（保健所設置主体）>\r\n<script>alert(1)</script>市 hoken@city.mihon.lg.jp\r\n\r\n<保健所>\r\n\
    \"><img src=x onerror=alert(1)>保健所 <script>alert(2)</script>@x.example\r\n</pre></textarea><script>alert(3)</script>\r\n\
    javascript:alert(4) {{ 7 * 7 }} {% raw %}\r\n";
const QUESTION: &str = "端末を交換した場合はどのようにすればよいでしょうか。\r\n<img src=x onerror=alert(1)>\r\n";

pub(crate) struct Site {
    pub(crate) console: SocketAddr,
    pub(crate) handle: Handle,
    store: Arc<Store>,
    _tell: watch::Sender<bool>,
    _dir: tempfile::TempDir,
}

/// A server's final no.
pub(crate) fn refused() -> Outcome {
    let reply = Reply { code: 550, enhanced: Some("5.1.1".to_owned()), text: "User unknown".to_owned() };
    Outcome::Refused { reply, stage: Stage::Rcpt }
}

/// A browser that is logged in.
pub(crate) struct Browser {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

impl Answer {
    pub(crate) fn location(&self) -> &str {
        let line = self.head.lines().find_map(|line| line.strip_prefix("location: "));
        line.unwrap_or_default()
    }
}

fn mail(from: &str, id: u32, subject: &str, body: &str) -> String {
    format!("From: {from}\r\nSubject: {subject}\r\nMessage-ID: <{id}@mihon.example>\r\n{HEAD}\r\n{body}")
}

fn fill(world: &mut World) {
    let from = "倉敷市保健課 <hoken@city.kurashiki-mihon.lg.jp>";
    file(&mut world.engine, 2, &mail(from, 2, "自治体・保健所メールアドレスの連絡（倉敷市）", DOUBTFUL));
    let from = "\"<script>alert(5)</script>\" <evil@city.mihon.lg.jp>";
    let subject = "=HYPERLINK(\"x\") 自治体・保健所メールアドレスの連絡（<script>alert(0)</script>市）";
    file(&mut world.engine, 3, &mail(from, 3, subject, HOSTILE));
    file(
        &mut world.engine,
        4,
        &mail("hoken@pref.aomori-mihon.lg.jp", 4, "問い合わせ <img src=x onerror=alert(1)>", QUESTION),
    );
    world.deliver(|_| relayed());
    // Notices are written when the launch has come; here they wait.
    world.engine.wake(100).unwrap();
    world.engine.commit().unwrap();
}

pub(crate) async fn site() -> Site {
    let mut world = world(2);
    world.everybody();
    fill(&mut world);
    over(world).await
}

/// The console over this engine.
pub(crate) async fn over(world: World) -> Site {
    let now = world.clock.now();
    let World { engine, store, clock, dir, .. } = world;
    let (survey, looker) = (engine.survey(), engine.looker());
    let (handle, _thread) = start(engine).unwrap();
    let health = Arc::new(Health::default());
    health.polled(now);
    health.counted(MailboxCount { at: now, in_mailbox: 4, filed: 4 });
    let any = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
    let contact =
        Contact { name: "委託事業者".to_owned(), address: "covid19@bigtreetc.com".parse().unwrap(), hours: None };
    let pickup_url = "https://pickup.example.jp".to_owned();
    let officers = Officers { contact, pickup_url, gate_url: None };
    let pages = Pages::open(any, any, officers).unwrap();
    let console = pages.console.address();
    let (tell, told) = watch::channel(false);
    let source = Source { handle: handle.clone(), survey, looker, health, clock };
    tokio::spawn(async move { pages.run(source, told).await });
    Site { console, handle, store, _tell: tell, _dir: dir }
}

impl Site {
    /// The rules as delivered, but without an authority and its health centres, as after SIGHUP.
    pub(crate) async fn reload_rules(&self, without: Option<&'static str>) {
        let reload = self.handle.call(move |engine| {
            let mut files = RuleFiles::embedded();
            for file in ["authorities.csv", "health_centres.csv"] {
                let text = files.0.get_mut(file).unwrap();
                let kept = text.lines().filter(|line| without.is_none_or(|code| !line.starts_with(code)));
                *text = kept.map(|line| format!("{line}\n")).collect();
            }
            engine.reload(setup(&files))
        });
        reload.await.unwrap().unwrap();
    }

    /// A further mail of 倉敷市, taken over by the local user.
    pub(crate) async fn register(&self, authority: &'static str) {
        let done = self.handle.call(move |engine| {
            let body = format!("<自治体（保健所設置主体）>\r\n{authority}\r\n\r\n<保健所>\r\n");
            let from = "倉敷市保健課 <hoken@city.kurashiki-mihon.lg.jp>";
            let mail = mail(from, 9, "自治体・保健所メールアドレスの連絡（倉敷市）", &body);
            file(engine, 9, &mail);
            let no = MailNo(5);
            if engine.item(no)?.disposition.name() == "review" {
                let accept = engine.view().acceptance(no, None)?;
                engine.act("root", &accept)?;
            }
            Ok(())
        });
        done.await.unwrap().unwrap();
    }

    /// Entries of the journal but those of logins.
    pub(crate) fn head(&self) -> u64 {
        self.store.head().no
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        ask(self.console, method, path, headers, body).await
    }

    /// The status alone: of an answer that may never end, the rest is not waited for.
    pub(crate) async fn status(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> u16 {
        if path != "/events" {
            return self.send(method, path, headers, body).await.status;
        }
        let mut stream = TcpStream::connect(self.console).await.unwrap();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.console);
        headers.iter().for_each(|(name, value)| request.push_str(&format!("{name}: {value}\r\n")));
        stream.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        std::str::from_utf8(&start).unwrap().split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) async fn log_in(&self, name: &str) -> Browser {
        self.log_in_by(name, PASSWORD).await.unwrap_or_else(|| panic!("{name} cannot log in"))
    }

    /// `None`: refused.
    pub(crate) async fn log_in_by(&self, name: &str, password: &str) -> Option<Browser> {
        let form = field(&[("name", name), ("password", password)]);
        let answer = self.send("POST", "/login", &[], &form).await;
        if answer.status == 401 {
            return None;
        }
        assert_eq!(answer.status, 303, "{}", answer.body);
        let cookie = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let me = self.send("GET", "/api/me", &[("Cookie", &cookie)], "").await;
        let me: serde_json::Value = serde_json::from_str(&me.body).unwrap();
        let browser = Browser { cookie, csrf: me["csrf"].as_str().unwrap().to_owned() };
        self.until(&browser, "/", "annai").await;
        Some(browser)
    }

    pub(crate) async fn get(&self, browser: &Browser, path: &str) -> Answer {
        let mut answer = self.send("GET", path, &[("Cookie", &browser.cookie)], "").await;
        if answer.head.contains("transfer-encoding: chunked") {
            answer.body = String::from_utf8(unchunked(answer.body.as_bytes()).unwrap()).unwrap();
        }
        answer
    }

    pub(crate) async fn post(&self, browser: &Browser, path: &str, form: &[(&str, &str)]) -> Answer {
        let mut form = form.to_vec();
        form.push(("csrf", &browser.csrf));
        self.send("POST", path, &[("Cookie", &browser.cookie)], &field(&form)).await
    }

    /// Asks again until the page is there and says this.
    pub(crate) async fn until(&self, browser: &Browser, path: &str, words: &str) -> String {
        for _ in 0..2_000 {
            let page = self.get(browser, path).await;
            if page.status == 200 && page.body.contains(words) {
                return page.body;
            }
            // A step of the engine in between: whatever runs has had its turn.
            let _turn = self.handle.call(|engine| Ok(engine.now())).await;
        }
        panic!("{path} never says {words}");
    }
}

/// Fields as a form.
pub(crate) fn field(form: &[(&str, &str)]) -> String {
    let part = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    form.iter().map(|(name, value)| format!("{}={}", part(name), part(value))).collect::<Vec<_>>().join("&")
}
