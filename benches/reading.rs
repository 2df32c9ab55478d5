//! How many mails a second layer 1 reads: the mails of `tests/data/reading`, and a registration of thirty centres in the
//! encodings that cost most. Goal: 20,000 typical mails a second on one core; no mail of 1 MB takes more than 50 ms.
//! `cargo bench --bench reading --no-default-features`

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

fn main() {
    divan::main();
}

fn mail(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reading").join(name).with_extension("eml");
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[divan::bench(args = ["form-utf-8", "form-iso-2022-jp", "form-shift-jis", "form-base64-lf", "signature", "quoted-instruction", "html-table", "bounce-dsn"])]
fn one_mail(bencher: divan::Bencher<'_, '_>, name: &str) {
    let raw = mail(name);
    LazyLock::force(&RULES);
    bencher.counter(ItemsCount::new(1_usize)).bench(|| read(divan::black_box(&raw), &RULES));
}

/// A mail about as long as those of a prefecture: thirty health centres, greeting, signature.
#[divan::bench]
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

/// The slowest mails anybody can send, 1 MB each. Goal: none takes more than 50 ms.
#[divan::bench(args = worst::CASES.iter().map(|(name, _)| *name), sample_count = 3, sample_size = 1)]
fn worst_case(bencher: divan::Bencher<'_, '_>, name: &str) {
    let (_, make) = worst::CASES.iter().find(|(n, _)| *n == name).expect("one of the list");
    let raw = make(1_000_000);
    LazyLock::force(&RULES);
    bencher.bench(|| read(divan::black_box(&raw), &RULES));
}
