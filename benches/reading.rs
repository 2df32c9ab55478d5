//! How many mails a second layer 1 reads: the mails of `tests/data/reading`, and a registration of thirty centres in the
//! encodings that cost most. Goal: 20,000 typical mails a second on one core; no mail of 1 MB takes more than 50 ms.
//! `cargo bench --bench reading --no-default-features`, and with `-- worst` at its end the table of the slowest mails
//! (`-- worst WORDS`: of those whose name holds these words).

#![expect(clippy::expect_used, clippy::panic, reason = "a benchmark stops at the first surprise")]

use annai::reading::read;
use annai::rules::Rules;
use divan::counter::{BytesCount, ItemsCount};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;

#[path = "../tests/hostile/worst.rs"]
mod worst;

static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::embedded().expect("the rules as delivered are in order"));

/// Longest time a mail of 1 MB may take, in milliseconds.
const WORST_MS_MAX: f64 = 50.0;

fn main() {
    let mut after = std::env::args().skip_while(|arg| arg != "worst").skip(1).filter(|arg| arg != "--bench");
    if std::env::args().any(|arg| arg == "worst") {
        worst_cases(&after.next().unwrap_or_default());
    } else {
        divan::main();
    }
}

fn mail(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reading").join(name).with_extension("eml");
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[divan::bench(sample_count = 400, sample_size = 4, args = ["form-utf-8", "form-iso-2022-jp", "form-shift-jis", "form-base64-lf", "signature", "quoted-instruction", "html-table", "bounce-dsn"])]
fn one_mail(bencher: divan::Bencher<'_, '_>, name: &str) {
    let raw = mail(name);
    LazyLock::force(&RULES);
    bencher.counter(ItemsCount::new(1_usize)).bench(|| read(divan::black_box(&raw), &RULES));
}

/// Beside it, in the same run: what no reading can be faster than. mail-parser alone, asked for subject and text, and one
/// pattern that finds addresses.
#[divan::bench(sample_count = 400, sample_size = 4, args = ["form-utf-8", "form-base64-lf", "signature"])]
fn bare(bencher: divan::Bencher<'_, '_>, name: &str) {
    let raw = mail(name);
    let address = regex::Regex::new(r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+").expect("a pattern");
    bencher.counter(ItemsCount::new(1_usize)).bench(|| {
        let mail = mail_parser::MessageParser::default().parse(divan::black_box(&raw)).expect("a mail");
        let subject = mail.subject().map(str::len);
        (subject, mail.body_text(0).map(|text| address.find_iter(&text).count()))
    });
}

/// A mail about as long as those of a prefecture: thirty health centres, greeting, signature.
#[divan::bench(sample_count = 400, sample_size = 2)]
fn thirty_centres(bencher: divan::Bencher<'_, '_>) {
    let mut body =
        "お世話になっております。\n\n<自治体（保健所設置主体）>\n北海道 kansen@pref.mihon.lg.jp\n\n<保健所>\n"
            .to_owned();
    for n in 0..30 {
        writeln!(body, "・第{n}見本保健所　hoken{n}@pref.mihon.lg.jp").expect("a String takes all");
    }
    body.push_str("\n以上、よろしくお願いいたします。\n\n-- \n北海道見本課\n電話 000-000-0000\n");
    let raw = format!(
        "From: tanto@pref.mihon.lg.jp\nTo: covid19@bigtreetc.com\nSubject: 自治体・保健所メールアドレスの連絡（北海道）\n\
         Content-Type: text/plain; charset=utf-8\n\n{body}"
    );
    LazyLock::force(&RULES);
    bencher
        .counter(ItemsCount::new(1_usize))
        .counter(BytesCount::of_slice(raw.as_bytes()))
        .bench(|| read(divan::black_box(raw.as_bytes()), &RULES));
}

/// The slowest mails anybody can send, 1 MB each: a table of milliseconds on the processor (so that a busy machine does
/// not count), the slowest first. Goal: none takes more than 50. Ends with 1 if one does.
fn worst_cases(words: &str) {
    LazyLock::force(&RULES);
    let cases = worst::CASES.iter().filter(|(name, _)| name.contains(words));
    let mut table: Vec<(f64, &str)> = cases.map(|(name, make)| (cost(&make(1_000_000)), *name)).collect();
    table.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (ms, name) in &table {
        println!("{ms:8.2} ms  {name}");
    }
    if table.first().is_some_and(|(ms, _)| *ms > WORST_MS_MAX) {
        std::process::exit(1);
    }
}

/// The least of three readings, in milliseconds.
fn cost(raw: &[u8]) -> f64 {
    let once = || {
        let began = on_processor();
        drop(divan::black_box(read(divan::black_box(raw), &RULES)));
        on_processor() - began
    };
    (0..3).map(|_| once()).fold(f64::INFINITY, f64::min)
}

/// Milliseconds this thread has had the processor.
fn on_processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts the time of threads");
    stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).expect("nanoseconds") / 1e6
}
