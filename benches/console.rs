//! How long every view of the console takes with many tenants, letters and journal entries, while mails are being filed.
//!
//! `cargo bench --bench console` (100,000 tenants, two letters each, most notices in waves, 1,000,000 entries;
//! `ANNAI_BENCH_TENANTS` and `ANNAI_BENCH_ENTRIES` change that; `-- outbox` measures only the views whose address holds
//! that). Rosters and letters are made through the engine, as benches/scheduler.rs does; the journal is then filled up with
//! entries about them. Asks over loopback, a new connection each time, and prints the median, the 99th percentile and the
//! worst of each view.

mod country;

use annai::clock::{Clock, monotonic};
use annai::crypto::password;
use annai::domain::{LgCode, Secret, Timestamp};
use annai::engine::Engine;
use annai::engine::jobs::{JobVerb, Target};
use annai::engine::outbox::LEASE_ROWS_MAX;
use annai::engine::people::{PeopleVerb, Who};
use annai::engine::staff::Verb;
use annai::engine::thread::{Handle, start};
use annai::engine::waves::WaveVerb;
use annai::health::Health;
use annai::letters::LetterKind;
use annai::store::{Batch, Draft, Store};
use annai::web::officer::Site;
use annai::web::{Contact, Pages, Source};
use annai::workflow::cursor::Cursor;
use annai::workflow::delivery::{Outcome, Reply};
use annai::workflow::rights::Role;
use country::{GROUP, START, TENANTS_EACH, WELCOME, arrived, codes, file, open, setup};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// 2020-05-01T09:00:00+09:00: certificates are due.
const LAUNCH: Timestamp = Timestamp::from_unix(1_588_291_200);
/// Jobs begun.
const JOBS: usize = 40;
/// Questions to each view.
const ASKED: usize = 200;
const PASSWORD: &str = "correct horse battery";
const VIEWS: [&str; 23] = [
    "/",
    "/review",
    "/approvals",
    "/inbox",
    "/inbox?q=state:registered%20a0",
    "/outbox",
    "/outbox?show=all&q=domain:lg.jp",
    "/waves",
    "/waves/1",
    "/jobs",
    "/jobs/1",
    "/domains",
    "/people",
    "/tenants",
    "/tenants?q=hoken7",
    "/tenants/{tenant}",
    "/progress",
    "/progress/13",
    "/forecast?days=14",
    "/audit",
    "/audit?kind=letter&actor=staff",
    "/health",
    "/search?q=%E7%AC%AC7",
];

fn size(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |size| size.parse().expect("a number"))
}

fn main() {
    let (tenants, entries) = (size("ANNAI_BENCH_TENANTS", 100_000), size("ANNAI_BENCH_ENTRIES", 1_000_000));
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let codes: Vec<LgCode> = codes().take(tenants.div_ceil(TENANTS_EACH)).collect();
    let (clock, hand) = Clock::manual(START);
    let began = monotonic();
    let (store, mut engine) = open(scratch.path(), setup(&codes), clock.clone());
    for (group, some) in codes.chunks(GROUP).enumerate() {
        let first = u32::try_from(group * GROUP).expect("few enough") + 1;
        file(&mut engine, first, some);
    }
    hand.store(WELCOME.unix(), Ordering::Release);
    wake(&mut engine);
    deliver(&mut engine);
    staff(&mut engine, &codes);
    // The notices are composed and wait: nothing of them leaves before two persons have looked.
    hand.store(LAUNCH.unix(), Ordering::Release);
    wake(&mut engine);
    plans(&mut engine, &codes);
    fill(&store, &codes, entries);
    println!(
        "{} tenants, {} entries, built in {:.0?}, {} MB on disk",
        codes.len() * TENANTS_EACH,
        store.head().no,
        began.elapsed(),
        store.bytes_on_disk().unwrap_or(0) / 1_000_000
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(engine, clock, &codes));
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM") || line.starts_with("VmRSS")) {
        println!("{line}");
    }
}

fn wake(engine: &mut Engine) {
    while engine.wake(GROUP).expect("woken") > 0 {
        engine.commit().expect("flushed");
    }
}

/// Everything that is due is taken by the mail server.
fn deliver(engine: &mut Engine) {
    let reply = Reply { code: 250, enhanced: None, text: "Ok".to_owned() };
    loop {
        let leases = engine.lease(LEASE_ROWS_MAX).expect("leased");
        if leases.is_empty() {
            return;
        }
        for lease in leases {
            engine.answered(lease.row, &Outcome::Relayed { reply: reply.clone() }).expect("answered");
        }
        engine.commit().expect("flushed");
    }
}

/// Two persons, and a domain of every authority.
fn staff(engine: &mut Engine, codes: &[LgCode]) {
    for (name, role) in [("op", Role::Operator), ("second", Role::Approver)] {
        let hash = password::hash(&Secret::new(PASSWORD.to_owned())).expect("a hash");
        let (person, reason) = (name.to_owned(), "bench".to_owned());
        let add = PeopleVerb::Add { name: name.to_owned(), person, role, mail: None, hash: Some(hash), reason };
        engine.act("root", &Verb::People(add)).expect("added");
    }
    for code in codes {
        let (domain, reason) = (format!("d{code}.lg.jp"), "bench".to_owned());
        engine.act("root", &Verb::ApproveDomain { authority: *code, domain, reason }).expect("approved");
    }
    engine.commit().expect("flushed");
}

/// Waves of all notices that wait but a tenth, each with a request for a second person, and jobs.
fn plans(engine: &mut Engine, codes: &[LgCode]) {
    let op = || Who::Account("op".to_owned());
    let waiting = |engine: &Engine| engine.unplanned().expect("counted").first().map_or(0, |kind| kind.count);
    let keep = waiting(engine) / 10;
    while waiting(engine) > keep {
        let plan = WaveVerb::Plan { letter: LetterKind::CertificateNotice };
        engine.act(op(), &Verb::Wave(plan)).expect("planned");
        let no = engine.waves(None, 1).expect("a wave").items.first().expect("a wave").no;
        engine.act(op(), &Verb::Wave(WaveVerb::Release { wave: no, revision: 1 })).expect("asked");
        engine.commit().expect("flushed");
    }
    for some in codes.chunks(codes.len().div_ceil(JOBS)) {
        let targets: Vec<_> =
            some.iter().map(|code| Target::Tenant(format!("{code}-01").parse().expect("a tenant"))).collect();
        let verb = JobVerb::Cancel { reason: "bench".to_owned() };
        engine.begin_job(&op(), verb, &targets).expect("begun");
    }
    engine.commit().expect("flushed");
}

async fn measure(engine: Engine, clock: Clock, codes: &[LgCode]) {
    let (survey, looker) = (engine.survey(), engine.looker());
    let (handle, _thread) = start(engine).expect("a thread");
    let any = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
    let contact =
        Contact {
            name: "受託者".into(), address: "covid19@bigtreetc.com".parse().expect("an address"), hours: None
        };
    let site = Site { contact, pickup_url: "https://pickup.example.jp".to_owned(), gate_url: None };
    let pages = Pages::open(any, any, site).expect("listeners");
    let console = pages.console.address();
    let source = Source { handle: handle.clone(), survey, looker, health: Arc::new(Health::default()), clock };
    let (_tell, told) = watch::channel(false);
    tokio::spawn(async move { pages.run(source, told).await });

    let form = format!("name=op&password={}", PASSWORD.replace(' ', "+"));
    let answer = ask(console, "POST", "/login", "", &form).await;
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a session");
    let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    let began = monotonic();
    while !ask(console, "GET", "/audit", &cookie, "").await.starts_with("HTTP/1.1 200") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let cards = began.elapsed();
    while ask(console, "GET", "/audit", &cookie, "").await.contains("古い記録を読み込んでいます") {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("cards ready after {cards:.1?}, the whole journal indexed after {:.1?}", began.elapsed());

    let over = Arc::new(AtomicBool::new(false));
    let filing = tokio::spawn(keep_filing(handle, codes.to_vec(), Arc::clone(&over)));
    let tenant = format!("/tenants/{}-03", codes.get(codes.len() / 2).expect("a code"));
    println!("{:<36} {:>9} {:>9} {:>9} {:>8}", "view, while mails are filed", "median", "p99", "worst", "kB");
    let only = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    for view in VIEWS.into_iter().filter(|view| only.as_deref().is_none_or(|part| view.contains(part))) {
        let path = view.replace("/tenants/{tenant}", &tenant);
        let mut times = Vec::with_capacity(ASKED);
        let mut length = 0;
        for _ in 0..ASKED {
            let began = monotonic();
            let page = ask(console, "GET", &path, &cookie, "").await;
            times.push(began.elapsed());
            assert!(page.starts_with("HTTP/1.1 200"), "{path}: {}", page.chars().take(200).collect::<String>());
            length = page.len();
        }
        times.sort();
        let (median, p99) = (times[ASKED / 2], times[ASKED * 99 / 100]);
        let worst = times.last().expect("a time");
        println!("{view:<36} {median:>9.1?} {p99:>9.1?} {worst:>9.1?} {:>8}", length / 1000);
    }
    over.store(true, Ordering::Release);
    println!("{} mails were filed meanwhile", filing.await.expect("filed"));
}

async fn ask(to: SocketAddr, method: &str, path: &str, cookie: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(to).await.expect("connected");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nCookie: {cookie}\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("answered");
    answer
}

/// Files corrected registrations one after the other until told to end.
async fn keep_filing(handle: Handle, codes: Vec<LgCode>, over: Arc<AtomicBool>) -> usize {
    let mut filed = 0;
    for (uid, code) in (1_000_000_u32..).zip(codes.into_iter().cycle()) {
        if over.load(Ordering::Acquire) {
            break;
        }
        let after = Cursor { uid_validity: 1, uid_next: uid + 1 };
        let done = handle.call(move |engine| engine.file(after, vec![arrived(uid, code)])).await;
        done.expect("the engine").expect("filed");
        filed += 1;
    }
    filed
}

/// Entries about tenants, as letters leave and staff decide, until there are so many.
fn fill(store: &Store, codes: &[LgCode], entries: usize) {
    let mut no = usize::try_from(store.head().no).unwrap_or(0);
    while no < entries {
        let mut batch = Batch::new();
        for _ in 0..GROUP {
            let code = codes[no % codes.len()];
            let tenant = format!("{code}-{:02}", no % TENANTS_EACH);
            let staff = no.is_multiple_of(10);
            let event = if staff {
                serde_json::json!({"event": "staff", "act": {"verb": "close", "matter": no, "reason": "電話で確認しました"}, "tenant": tenant})
            } else {
                serde_json::json!({"event": "letter", "row": no % 100_000 + 1, "letter": "reminder", "message_id": format!("{no}@annai"),
                    "about": {"about": "tenant", "tenant": tenant, "generation": 1, "ordinal": 7},
                    "delivery": {"state": "relayed", "at": "2020-05-20T09:00:00+09:00", "reply": null}})
            };
            batch.journal(Draft {
                at: WELCOME,
                actor: if staff { format!("staff:op{}", no % 7) } else { "system".into() },
                subject: String::new(),
                event,
                changes: serde_json::value::to_raw_value(&[(); 0]).expect("an empty list"),
            });
            no += 1;
        }
        store.apply(batch).expect("staged");
    }
}
