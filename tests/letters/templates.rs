//! Faults of templates: each with file, line and remedy, all at once, before anything starts.

use super::{desk, stamp};
use annai::letters::{Charset, Letter, LetterKind, TemplateFiles, Templates, compose};

/// One change to one delivered template, and the faults it must give, as printed.
fn check_fault(file: &str, change: impl Fn(&str) -> Option<String>, expected: &[&str]) {
    let mut files = TemplateFiles::embedded();
    match change(&files.0.remove(file).unwrap_or_default()) {
        Some(text) => files.0.insert(file.to_owned(), text),
        None => None,
    };
    let faults = Templates::parse(&files, &desk()).err().unwrap_or_default();
    let printed: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let all = printed.len() == expected.len() && printed.iter().zip(expected).all(|(p, e)| p.contains(e));
    assert!(all, "{file}: expected {expected:#?}, got {printed:#?}");
}

#[test]
fn faults_of_templates_come_with_line_and_remedy() {
    let add = |line: &'static str| move |text: &str| Some(format!("{text}{line}\n"));
    let file = "expired.txt"; // 29 lines
    check_fault(file, |_| None, &["templates/mail/expired.txt:1: this file is missing; copy it"]);
    check_fault("other.txt", add("x"), &["templates/mail/other.txt:1: no letter has this name; remove"]);
    check_fault(file, add("{% if %}"), &["expired.txt:30: syntax error"]);
    check_fault(
        file,
        add("{{ ulr }}\n{{ to.nmae }} {{ days_left }}"),
        &[
            "expired.txt:30: `ulr` is no value of this letter; use one of: deadline, desk, sent, subjects, to",
            "expired.txt:31: `to.nmae`",
        ],
    );
    check_fault(file, |text| Some(text.replace("Subject: ", "件名：")), &["expired.txt:1: subject or letter is empty"]);
    check_fault(
        file,
        |text| Some(text.replacen("\n\n", "\n", 1)),
        &["expired.txt:1: subject or", "expired.txt:2: no empty line after the subject"],
    );
    check_fault(file, |_| Some("Subject: x\n\n".into()), &["expired.txt:1: subject or letter is empty"]);
    check_fault(
        file,
        add("全角文字が三十六字を超えて並んでいる行は受信者の画面で折り返されてしまいます。"),
        &["expired.txt:30: 78 columns wide, 70 are allowed"],
    );
    check_fault(file, add("<b>重要</b>"), &["expired.txt:30: HTML"]);
    check_fault(file, add("URLは https://example.jp/ です。"), &["expired.txt:30: a URL that does not stand alone"]);
    check_fault(file, add("\nhttps://example.jp/"), &[]);
    check_fault(
        file,
        |text| Some(text.replace("{{ to.id }}", "")),
        &["expired.txt:1: the letter does not say `to.id`"],
    );
    check_fault("certificate-notice.txt", add("{{ password }}"), &["`password` is no value of this letter"]);
    check_fault("pickup-password.txt", add("\n{{ url }}\n"), &["`url` is no value of this letter"]);
    check_fault("credentials.txt", add("{{ password }} {{ user_id }}"), &["`password` is no value of this letter"]);
    check_fault(
        "certificate-notice.txt",
        |text| Some(text.replace("{{ url }}", "")),
        &["the letter does not say `url`"],
    );
    check_fault(
        "pickup-password.txt",
        |text| Some(text.replacen("（厚", "{{ to.name }}（厚", 1)),
        &["pickup-password.txt:1: other letters announce"],
    );
    check_fault(
        file,
        |text| Some(format!("{text}{}", "あ\n".repeat(30_000))),
        &["expired.txt:1: longer than 100000 bytes"],
    );
    check_fault(file, |text| Some(format!("\u{feff}{}", text.replace('\n', "\r\n"))), &[]);
}

#[test]
fn faults_of_several_files_come_at_once_and_strange_characters_are_warnings() {
    let mut files = TemplateFiles::embedded();
    files.0.remove("welcome.txt");
    files.0.entry("expired.txt".into()).and_modify(|text| text.push_str("{{ x }}\n"));
    files.0.entry("reminder.txt".into()).and_modify(|text| text.push_str("{{ y }}\n"));
    let faults = Templates::parse(&files, &desk()).unwrap_err();
    assert_eq!(
        faults.iter().map(|f| f.file.rsplit('/').next().unwrap()).collect::<Vec<_>>(),
        ["expired.txt", "reminder.txt", "welcome.txt"]
    );

    let mut files = TemplateFiles::embedded();
    files.0.entry("expired.txt".into()).and_modify(|text| text.push_str("髙島—①\n"));
    let templates = Templates::parse(&files, &desk()).unwrap();
    let printed: Vec<String> = templates.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(printed.len(), 1);
    assert!(
        printed[0].contains("expired.txt:30: outside JIS X 0208: 髙 (U+9AD9), — (U+2014), ① (U+2460);"),
        "{printed:?}"
    );
    let letter = Letter::samples(LetterKind::Expired).remove(0);
    let mail = compose(&letter, &stamp("seed", Charset::Iso2022Jp), &templates).unwrap();
    assert_eq!(mail.charset, Charset::Utf8);
}
