//! What stands beside the data, sentence by sentence: every line of `tests/data/remarks/{harmful,harmless}-*.txt` is put
//! into a registration mail of 山形県, in each of the places where officers write such a sentence. A harmful one must go
//! before a person wherever it stands; a harmless one must not.
//!
//! In the files 東保健所, 西保健所, 北保健所 and 南保健所 stand for the four health centres of the mail, a line that begins
//! with `#` is a note.

use annai::reading::{Reading, read};
use annai::rules::Rules;
use std::path::{Path, PathBuf};

/// Where a sentence stands in the mail.
#[derive(Debug, Clone, Copy)]
enum Place {
    AfterTheData,
    BeforeTheData,
    Starred,
    AfterTheClosing,
    Wrapped,
    BehindAGreeting,
    /// A note in brackets behind an address; see the files `beside-*`.
    Beside,
}

const PLACES: [Place; 6] = [
    Place::AfterTheData,
    Place::BeforeTheData,
    Place::Starred,
    Place::AfterTheClosing,
    Place::Wrapped,
    Place::BehindAGreeting,
];

/// Characters in a line of a mail program that breaks its lines.
const WRAP: usize = 30;

fn mail(sentence: &str, place: Place) -> String {
    let own = [
        ("東保健所", "村山保健所"),
        ("西保健所", "最上保健所"),
        ("北保健所", "置賜保健所"),
        ("南保健所", "庄内保健所"),
    ];
    let mut sentence = sentence.to_owned();
    for (stands, name) in own {
        sentence = sentence.replace(stands, name);
    }
    let [mut greeting, mut before, mut data, mut after, mut end, mut beside] = [const { String::new() }; 6];
    match place {
        Place::AfterTheData => after = format!("{sentence}\n\n"),
        Place::BeforeTheData => before = format!("{sentence}\n\n"),
        Place::Starred => data = format!("※{sentence}\n"),
        Place::AfterTheClosing => end = format!("\n{sentence}\n"),
        Place::Wrapped => {
            let letters: Vec<char> = sentence.chars().collect();
            let lines: Vec<String> = letters.chunks(WRAP).map(|line| line.iter().collect()).collect();
            after = format!("{}\n\n", lines.join("\n"));
        }
        Place::BehindAGreeting => greeting.push_str(&sentence),
        Place::Beside => beside = format!("（{sentence}）"),
    }
    format!(
        "From: kenko@pref.yamagata-rei.lg.jp\r\nTo: covid19@bigtreetc.com\r\nCc: follow-up@mhlw.go.jp\r\n\
         Subject: 自治体・保健所メールアドレスの連絡（山形県）\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         いつもお世話になっております。山形県健康課の本間です。{greeting}\n以下のとおり自治体、保健所のメールアドレスを連絡します。\n\n{before}\
         <自治体（保健所設置主体）>\n山形県　kenko@pref.yamagata-rei.lg.jp\n\n<保健所>\n村山保健所　murayama@pref.yamagata-rei.lg.jp{beside}\n\
         最上保健所　mogami@pref.yamagata-rei.lg.jp\n置賜保健所　okitama@pref.yamagata-rei.lg.jp\n庄内保健所　shonai@pref.yamagata-rei.lg.jp\n{data}\n\
         {after}以上、よろしくお願いいたします。\n{end}\n--\n山形県健康課　本間\nTEL 023-000-0000\n"
    )
}

fn sentences(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

fn reading(sentence: &str, place: Place, rules: &Rules) -> Reading {
    read(mail(sentence, place).as_bytes(), rules)
}

/// The sentences of a file that are read otherwise than they should be in some place, and all its readings.
fn wrong(file: &Path, harmful: bool, rules: &Rules) -> (Vec<String>, usize, usize) {
    let mut faults = Vec::new();
    let (mut wrong, mut all) = (0, 0);
    for sentence in sentences(file) {
        let odd: Vec<String> = PLACES
            .into_iter()
            .map(|place| (place, reading(&sentence, place, rules)))
            .filter(|(_, read)| read.needs_review() != harmful)
            .map(|(place, read)| format!("{place:?} {:?}", read.reasons))
            .collect();
        all += PLACES.len();
        wrong += odd.len();
        if !odd.is_empty() {
            faults.push(format!("{sentence}   [{}]", odd.join(", ")));
        }
    }
    (faults, wrong, all)
}

#[test]
fn a_mail_without_a_remark_is_sure() {
    let rules = super::rules();
    for place in PLACES {
        let read = reading("", place, &rules);
        assert!(!read.needs_review() && read.centres.len() == 4, "{place:?}: {:?}", read.reasons);
    }
}

/// Needless questions in a hundred mails with a harmless remark, at most. Few mails hold any: the rule is to ask about what
/// touches the data and is not known to say nothing, and these files are of unusual ones.
const NEEDLESS_PERCENT_MAX: usize = 12;

fn files(kind: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/remarks");
    let entries = std::fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(kind)));
    assert!(files.len() >= 2, "only {} files of {kind} remarks in {}", files.len(), dir.display());
    files
}

#[test]
fn a_harmful_remark_goes_before_a_person_wherever_it_stands() {
    let rules = super::rules();
    for file in files("harmful") {
        let (faults, ..) = wrong(&file, true, &rules);
        assert!(faults.is_empty(), "{}: passed silently:\n{}", file.display(), faults.join("\n"));
    }
}

#[test]
fn a_harmless_remark_is_seldom_asked_about() {
    let rules = super::rules();
    let (mut needless, mut mails) = (0, 0);
    for file in files("harmless") {
        let (faults, wrong, all) = wrong(&file, false, &rules);
        println!("{}: {wrong} of {all}\n{}", file.display(), faults.join("\n"));
        (needless, mails) = (needless + wrong, mails + all);
    }
    assert!(needless * 100 <= mails * NEEDLESS_PERCENT_MAX, "{needless} of {mails} mails were asked about");
}

#[test]
fn notes_beside_an_address() {
    let rules = super::rules();
    for (harmful, kind) in [(true, "beside-harmful.txt"), (false, "beside-harmless.txt")] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/remarks").join(kind);
        let odd = |note: &String| reading(note, Place::Beside, &rules).needs_review() != harmful;
        let faults: Vec<String> = sentences(&file).into_iter().filter(odd).collect();
        assert!(faults.is_empty(), "{kind}: read otherwise: {faults:?}");
    }
}
