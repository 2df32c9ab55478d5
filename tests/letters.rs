//! Letters as their receivers' programs see them: every sample of every kind, composed, kept byte for byte under
//! tests/data/letters (`ANNAI_BLESS=1` writes them anew) and read back by parsers that are not ours.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

use annai::domain::{MailAddress, MessageId};
use annai::letters::compose::{MAIL_BYTES_MAX, ZIP_MAIL_BYTES_MAX};
use annai::letters::{
    Addressee, Charset, ComposeError, Composed, Desk, Letter, LetterKind, Secrecy, Stamp, TemplateFiles, Templates,
    compose, compose_copy,
};
use mail_parser::{MessageParser, MimeHeaders};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[path = "letters/templates.rs"]
mod templates;
#[path = "letters/zips.rs"]
mod zips;

fn address(text: &str) -> MailAddress {
    text.parse().unwrap()
}

fn desk() -> Desk {
    Desk {
        contractor_name: "株式会社ビッグツリーテクノロジー＆コンサルティング".into(),
        contractor: address("covid19@bigtreetc.com"),
        ministry: address("follow-up@mhlw.go.jp"),
        from: address("noreply@followup.mhlw.go.jp"),
    }
}

fn delivered() -> Templates {
    Templates::parse(&TemplateFiles::embedded(), &desk())
        .unwrap_or_else(|faults| panic!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

fn stamp(name: &str, charset: Charset) -> Stamp {
    Stamp {
        message_id: MessageId(format!("annai-{name}@followup.mhlw.go.jp")),
        date: "2020-05-01T09:30:00+09:00".parse().unwrap(),
        from: address("noreply@followup.mhlw.go.jp"),
        reply_to: address("covid19@bigtreetc.com"),
        to: address("hokenjo@city.minato.example.jp"),
        cc: Vec::new(),
        answers: None,
        charset,
    }
}

/// The stamp a letter of this kind gets: answers are copied to the ministry and refer to the mail answered.
fn stamp_for(letter: &Letter, name: &str, charset: Charset) -> Stamp {
    let mut stamp = stamp(name, charset);
    if !letter.kind().windowed() {
        stamp.answers = Some("20200428001500.1234@city.minato.example.jp".into());
        stamp.cc = vec![address("follow-up@mhlw.go.jp")];
    }
    stamp
}

fn all_samples() -> Vec<(String, Letter)> {
    let numbered = |kind: LetterKind| {
        let name = move |at| format!("{}-{}", kind.name(), at + 1);
        Letter::samples(kind).into_iter().enumerate().map(move |(at, letter)| (name(at), letter))
    };
    LetterKind::ALL.into_iter().flat_map(numbered).collect()
}

fn body(mail: &Composed) -> String {
    let message = MessageParser::default().parse(&mail.bytes).unwrap();
    message.body_text(0).unwrap().replace("\r\n", "\n")
}

fn golden_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/letters").join(format!("{name}.eml"))
}

/// The salted ZIP cannot be the same twice: in the golden its lines are replaced by one word.
fn without_zip(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let Some((head, rest)) = text.split_once("filename=") else { return bytes.to_vec() };
    let (headers, rest) = rest.split_once("\r\n\r\n").unwrap();
    let (_, end) = rest.split_once("\r\n--").unwrap();
    format!("{head}filename={headers}\r\n\r\n(ZIP)\r\n--{end}").into_bytes()
}

#[test]
fn goldens() {
    let templates = delivered();
    let bless = std::env::var_os("ANNAI_BLESS").is_some();
    let mut different = Vec::new();
    for (name, letter) in all_samples() {
        for (charset, suffix) in [(Charset::Utf8, ""), (Charset::Iso2022Jp, "-jis")] {
            let name = format!("{name}{suffix}");
            let mail = compose(&letter, &stamp_for(&letter, &name, charset), &templates).unwrap();
            assert_eq!(mail.charset, charset, "{name}: the delivered texts stay inside JIS X 0208");
            let bytes = without_zip(&mail.bytes);
            if bless {
                std::fs::write(golden_path(&name), &bytes).unwrap();
            } else if std::fs::read(golden_path(&name)).unwrap_or_default() != bytes {
                different.push(name);
            }
        }
    }
    assert!(different.is_empty(), "changed, look at them and bless with ANNAI_BLESS=1: {different:?}");
}

#[test]
fn every_letter_keeps_the_form() {
    let templates = delivered();
    assert_eq!(templates.warnings(), [], "the delivered texts stay inside JIS X 0208");
    for (name, letter) in all_samples() {
        for charset in [Charset::Utf8, Charset::Iso2022Jp] {
            let stamp = stamp_for(&letter, &name, charset);
            let mail = compose(&letter, &stamp, &templates).unwrap();
            check_form(&name, &letter, &stamp, &mail);
        }
    }
}

fn check_form(name: &str, letter: &Letter, stamp: &Stamp, mail: &Composed) {
    let raw = String::from_utf8(mail.bytes.clone()).unwrap();
    let (credentials, report) = (letter.kind() == LetterKind::Credentials, letter.kind() == LetterKind::Report);
    assert!(mail.bytes.len() <= if credentials || report { ZIP_MAIL_BYTES_MAX } else { MAIL_BYTES_MAX }, "{name}");
    assert!(raw.split("\r\n").all(|l| l.len() <= 998 && !l.contains(['\r', '\n'])), "{name}");
    assert!(raw.is_ascii() && !raw.contains("&#"), "{name}");
    let words = raw.split_whitespace().filter(|word| word.starts_with("=?"));
    assert!(words.clone().count() > 1 && words.clone().all(|w| w.len() <= 75 && w.ends_with("?=")), "{name}");
    for line in ["From: noreply@followup.mhlw.go.jp\r\n", "X-Auto-Response-Suppress: All\r\n", "MIME-Version: 1.0\r\n"]
    {
        assert_eq!(raw.matches(line).count(), 1, "{name}: {line}");
    }
    assert!(
        raw.contains("\r\nDate: Fri, 1 May 2020 09:30:00 +0900\r\n")
            || raw.starts_with("Date: Fri, 1 May 2020 09:30:00 +0900"),
        "{name}"
    );
    assert_eq!(raw.contains("Auto-Submitted: auto-replied\r\n"), stamp.answers.is_some(), "{name}");
    assert_eq!(raw.contains("Auto-Submitted: auto-generated\r\n"), stamp.answers.is_none(), "{name}");

    let message = MessageParser::default().parse(&mail.bytes).unwrap();
    assert_eq!(message.subject(), Some(mail.subject.as_str()), "{name}");
    assert!(message.subject().unwrap().starts_with("【帰国者フォローアップシステム】"), "{name}");
    let to = message.to().unwrap();
    assert_eq!((to.iter().count(), to.first().unwrap().address()), (1, Some(stamp.to.as_str())), "{name}");
    assert_eq!(message.reply_to().unwrap().first().unwrap().address(), Some("covid19@bigtreetc.com"), "{name}");
    assert_eq!(message.message_id(), Some(stamp.message_id.0.as_str()), "{name}");
    assert_eq!(message.in_reply_to().as_text(), stamp.answers.as_deref(), "{name}");
    assert_eq!(message.attachment_count(), usize::from(credentials || report), "{name}");
    let attached = message.attachment(0).and_then(|part| part.attachment_name());
    assert_eq!(attached.is_some(), credentials || report, "{name}");
    assert!(
        attached.is_none_or(|file| file.is_ascii() && file.ends_with(if report { ".csv" } else { "_account.zip" })),
        "{name}"
    );
    assert_eq!(message.html_bodies().filter(|part| part.is_text_html()).count(), 0, "{name}");
    check_text(name, &body(mail));
}

fn check_text(name: &str, body: &str) {
    let wide = |line: &str| line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>();
    // What staff ask, a person has decided.
    let asked = name.starts_with("ask-");
    assert_eq!(body.starts_with("このメールはシステムから自動的に送信されています\n"), !asked, "{name}");
    assert!(body.contains("ご担当者様\n") && body.contains("covid19@bigtreetc.com"), "{name}");
    let lines: Vec<&str> = body.split('\n').collect();
    for (at, line) in lines.iter().enumerate() {
        let url = line.contains("://");
        let address = line.contains('@') && !line.trim().contains(' ');
        assert!(url || address || wide(line) <= 70, "{name}: {line}");
        assert!(
            !url || (line.starts_with("https://") && lines[at - 1].is_empty() && lines[at + 1].is_empty()),
            "{name}"
        );
        assert!(!line.ends_with([' ', '　', '\r']), "{name}: {line:?}");
    }
    assert!(!body.contains("\n\n\n"), "{name}: {body}");
}

fn facts(letter: &Letter) -> String {
    body(&compose(letter, &stamp_for(letter, "facts", Charset::Utf8), &delivered()).unwrap())
}

#[test]
fn the_facts_of_the_seed_are_in_the_letters() {
    let check = |kind: LetterKind, facts_of_it: &[&str]| {
        for letter in Letter::samples(kind) {
            let text: String = facts(&letter).split_whitespace().collect();
            for fact in facts_of_it {
                let fact: String = fact.split_whitespace().collect();
                assert!(text.contains(&fact), "{}: {fact}", kind.name());
            }
        }
    };
    let notice = "【帰国者フォローアップシステム】クライアント証明書取得のお願い（厚生労働省）";
    let password = "【帰国者フォローアップシステム】クライアント証明書取得用パスワードの送付（厚生労働省）";
    let pdf = "https://www.mhlw.go.jp/content/000630891.pdf";
    let date = "令和2年5月31日（日）";
    let sender = "noreply@followup.mhlw.go.jp";
    check(
        LetterKind::CertificateNotice,
        &[
            pdf,
            date,
            password,
            sender,
            "30日以内",
            "自動的にキャンセル",
            "1台の端末のみ",
            "インターネットに接続可能な端末",
            "Internet Explorer",
            "当該URLは無効",
            "手で入力",
        ],
    );
    check(LetterKind::PickupPassword, &[date, notice, "nq7w-3kfz-x9mt"]);
    check(
        LetterKind::Welcome,
        &[pdf, notice, password, sender, "令和2年5月1日（金）以降", "システム管理担当者", "返信は不要"],
    );
    check(LetterKind::Reminder, &[date, notice, password, "令和2年5月1日（金）"]);
    check(LetterKind::Expired, &[date, "131032-01", "返信"]);
    check(LetterKind::Credentials, &[pdf, "131032-0", "解凍パスワード"]);
    check(LetterKind::CredentialsReady, &["131032-0", "1回限り", "記載していません"]);
    check(LetterKind::Report, &["annai audit verify --anchor", "監査証跡", "2／155"]);
    check(LetterKind::Alert, &["annai doctor", "1時間に1通まで"]);
    check(LetterKind::CorrectionRequest, &["みなと保健所　hokenjo@city.minato", "（2）"]);
    let subject = |kind| compose(&Letter::samples(kind)[0], &stamp("s", Charset::Utf8), &delivered()).unwrap().subject;
    assert_eq!(subject(LetterKind::CertificateNotice), notice);
    assert_eq!(subject(LetterKind::PickupPassword), password);
}

/// Every secret of the samples, wherever it is used.
fn secrets() -> Vec<String> {
    let of = |letter: &Letter| match letter {
        Letter::CertificateNotice { url, .. } => vec![url.reveal().clone()],
        Letter::PickupPassword { password, .. } => vec![password.reveal().clone()],
        Letter::Credentials { user_id, password, unzip_password, .. } => {
            vec![user_id.clone(), password.reveal().clone(), unzip_password.reveal().clone()]
        }
        Letter::Receipt { .. }
        | Letter::UnderReview { .. }
        | Letter::CorrectionRequest { .. }
        | Letter::Welcome { .. }
        | Letter::Reminder { .. }
        | Letter::Ask { .. }
        | Letter::Written { .. }
        | Letter::Expired { .. }
        | Letter::CredentialsReady { .. }
        | Letter::Report(_)
        | Letter::Alert { .. } => Vec::new(),
    };
    let mut all: Vec<String> = all_samples().iter().flat_map(|(_, letter)| of(letter)).collect();
    all.sort();
    all.dedup();
    all
}

#[test]
fn no_mail_holds_two_secrets_and_harmless_ones_hold_none() {
    let (templates, secrets) = (delivered(), secrets());
    for (name, letter) in all_samples() {
        let mail = compose(&letter, &stamp_for(&letter, &name, Charset::Utf8), &templates).unwrap();
        let text = body(&mail) + &mail.subject;
        let held = secrets.iter().filter(|secret| text.contains(secret.as_str())).count();
        let allowed = usize::from(matches!(letter.kind(), LetterKind::CertificateNotice | LetterKind::PickupPassword));
        assert_eq!(held, allowed, "{name}");
        assert!(!secrets.iter().any(|secret| mail.subject.contains(secret.as_str())), "{name}");
        let shown = format!("{letter:?}{mail:?}");
        let account = |s: &&String| s.as_str() != "minato-hc01";
        assert!(
            !secrets.iter().filter(account).any(|secret| shown.contains(secret.as_str())),
            "{name}: Debug is silent"
        );
        let copied = Stamp { cc: vec![address("follow-up@mhlw.go.jp")], ..stamp(&name, Charset::Utf8) };
        let refused = matches!(compose(&letter, &copied, &templates), Err(ComposeError::SecretInCopy));
        assert_eq!(refused, letter.kind().secrecy() == Secrecy::Secret, "{name}");
        check_copy(&letter, &templates, &secrets);
    }
}

fn check_copy(letter: &Letter, templates: &Templates, secrets: &[String]) {
    let mut stamp = stamp("copy", Charset::Utf8);
    stamp.to = address("follow-up@mhlw.go.jp");
    let copy = compose_copy(letter, &stamp, templates).unwrap();
    let text = body(&copy);
    assert!(copy.subject.ends_with("（写し）"), "{}", copy.subject);
    assert!(!secrets.iter().any(|secret| text.contains(secret.as_str())), "{text}");
    let message = MessageParser::default().parse(&copy.bytes).unwrap();
    assert_eq!(message.attachment_count(), 0);
}

#[test]
fn names_and_subjects_inject_nothing() {
    let templates = delivered();
    let evil = "札\r\nBcc: evil@example.org\r\n\r\nhttps://evil.example/ \u{202e}=?utf-8?Q?=0D=0ABcc:_x?= \0<b>";
    let to = Addressee { name: evil.into(), authority: evil.into(), ..sample_centre() };
    let stamp = Stamp { answers: Some("a\r\nBcc: evil@example.org".into()), ..stamp("evil", Charset::Iso2022Jp) };
    let letters = [
        Letter::Expired { to, deadline: "2020-05-31".parse().unwrap() },
        Letter::Receipt { authority: evil.into(), received: stamp.date, rows: Vec::new(), notes: vec![evil.into()] },
        Letter::UnderReview { received: stamp.date, subject: evil.repeat(200) },
    ];
    for letter in letters {
        let mail = compose(&letter, &stamp, &templates).unwrap();
        let message = MessageParser::default().parse(&mail.bytes).unwrap();
        assert!(message.bcc().is_none() && message.in_reply_to().as_text().is_none());
        let raw = String::from_utf8_lossy(&mail.bytes).into_owned();
        let head = raw.split("\r\n\r\n").next().unwrap();
        assert!(!head.to_lowercase().contains("\nbcc") && !head.contains("=?utf-8?Q?"), "{head}");
        let text = body(&mail);
        assert!(!text.contains("https://evil") && !text.contains('\0') && !text.contains('\u{202e}'), "{text}");
        assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
    }
    let odd = Stamp { to: address("a..b.@docomo.ne.jp"), ..stamp };
    let mail = compose(&Letter::samples(LetterKind::Welcome)[0], &odd, &templates).unwrap();
    assert!(String::from_utf8(mail.bytes).unwrap().contains("\r\nTo: a..b.@docomo.ne.jp\r\n"));
}

fn sample_centre() -> Addressee {
    let letter = Letter::samples(LetterKind::Expired).remove(0);
    let Letter::Expired { to, .. } = letter else { panic!("a sample of its kind") };
    to
}

#[test]
fn a_registration_too_long_to_answer_is_refused_not_cut() {
    let Letter::Receipt { authority, received, rows, .. } = Letter::samples(LetterKind::Receipt).remove(0) else {
        panic!("a sample of its kind")
    };
    let rows = rows.into_iter().cycle().take(3000).collect();
    let letter = Letter::Receipt { authority, received, rows, notes: Vec::new() };
    let answer = compose(&letter, &stamp("long", Charset::Utf8), &delivered());
    assert!(matches!(answer, Err(ComposeError::TooLong { limit: MAIL_BYTES_MAX, .. })), "{answer:?}");
}

#[test]
fn python_reads_both_character_sets_strictly() {
    // The second column is what encoding_rs would have written silently or as an entity.
    let cases = [
        ("みなと保健所", true),
        ("横浜市〜−", true),
        ("髙島保健所", false),
        ("ﾐﾅﾄ保健所", false),
        ("①保健所", false),
        ("𠮷野—", false),
    ];
    let templates = delivered();
    for (name, strict) in cases {
        let letter = Letter::Expired {
            to: Addressee { name: name.into(), ..sample_centre() },
            deadline: "2020-05-31".parse().unwrap(),
        };
        let mail = compose(&letter, &stamp("python", Charset::Iso2022Jp), &templates).unwrap();
        assert_eq!(mail.charset == Charset::Iso2022Jp, strict, "{name}");
        assert!(!mail.bytes.windows(2).any(|pair| pair == b"&#"), "{name}");
        check_python(&mail.bytes, &mail.subject, name);
    }
    for (name, letter) in all_samples() {
        for charset in [Charset::Utf8, Charset::Iso2022Jp] {
            let mail = compose(&letter, &stamp_for(&letter, &name, charset), &templates).unwrap();
            check_python(&mail.bytes, &mail.subject, "ご担当者様");
        }
    }
}

/// Python's email module decodes subject and text with `errors="strict"`; WHATWG and Unicode name two cells differently.
fn check_python(mail: &[u8], subject: &str, expected: &str) {
    let program = r"
import sys, re, base64, email, email.header
m = email.message_from_bytes(sys.stdin.buffer.read())
words = re.findall(r'=\?([^?]+)\?[bB]\?([^?]*)\?=', m['Subject'])
assert words
for charset, word in words:
    base64.b64decode(word, validate=True).decode(charset, 'strict')
parts = email.header.decode_header(m['Subject'])
print(''.join(b if isinstance(b, str) else b.decode(c or 'ascii', 'strict') for b, c in parts))
t = next(p for p in m.walk() if p.get_content_type() == 'text/plain')
raw = t.get_payload(decode=True)
if t['Content-Transfer-Encoding'] == '7bit':
    assert all(b < 128 for b in raw) and max(map(len, raw.split(b'\n'))) < 998
sys.stdout.buffer.write(raw.decode(t.get_content_charset(), 'strict').encode())
";
    let out = run("python3", &["-X", "utf8", "-c", program], mail);
    let same = |text: &str| text.replace('～', "〜").replace('－', "−");
    let (head, text) = out.split_once('\n').unwrap();
    assert_eq!(same(head.trim_end()), same(subject));
    assert!(same(text).replace("\r\n　", "").contains(&same(expected)), "{expected}: {text}");
}

fn run(program: &str, args: &[&str], input: &[u8]) -> String {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{program}: {e}; tests/run installs it"));
    child.stdin.take().unwrap().write_all(input).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "{program}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}
