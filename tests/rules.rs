//! Layer 1 `rules`: the files as delivered, every fault at once with its line, and names as officers write them.
//! Data: tests/data/rules.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use annai::domain::Date;
use annai::domain::time::Weekday;
use annai::rules::authorities::{Authorities, Authority};
use annai::rules::{Found, RuleFiles, Rules};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/rules").join(name)
}

fn embedded() -> Rules {
    Rules::embedded().unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// The faults of the delivered rules after this case's files have replaced theirs, one per line. A file `missing` names
/// the files to take away.
fn faults_of(case: &Path) -> String {
    let mut files = RuleFiles::embedded();
    for entry in fs::read_dir(case).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        match name.as_str() {
            "expected" => {}
            "missing" => text.lines().for_each(|name| assert!(files.0.remove(name).is_some(), "{name}")),
            _ => assert!(files.0.insert(name, text).is_some(), "not a rules file: {}", path.display()),
        }
    }
    let faults = Rules::parse(&files).err().unwrap_or_default();
    faults.iter().fold(String::new(), |mut lines, fault| {
        writeln!(lines, "{fault}").unwrap();
        lines
    })
}

/// A word boundary of Unicode in any pattern would make every search in Japanese text a hundred times slower.
#[test]
fn no_pattern_holds_a_word_boundary_of_unicode() {
    let rules = embedded();
    let (bounces, mail) = (&rules.bounces, &rules.registration);
    let sets = [
        &bounces.mailers,
        &bounces.offices,
        &bounces.subjects,
        &bounces.phrases,
        &bounces.notices,
        &bounces.arrived,
        &bounces.complaints,
        &bounces.answers,
        &bounces.delayed,
        &bounces.full,
        &bounces.soft,
        &bounces.hard,
    ];
    let mut all: Vec<&str> = sets.iter().flat_map(|set| set.patterns()).map(String::as_str).collect();
    let families = bounces.families.iter().flat_map(|f| f.text.iter().chain(&f.head).chain(&f.recipients));
    let single = bounces.ends.iter().chain(&bounces.recipients).chain(families).chain(&mail.subjects);
    let labels = [&mail.labels.before, &mail.labels.behind, &mail.labels.parted];
    all.extend(single.chain(labels.into_iter().flatten()).map(regex::Regex::as_str));
    all.extend(mail.phrases.each().map(|(name, phrase)| phrase.pattern().unwrap_or_else(|| panic!("{name} is empty"))));
    assert!(all.len() > 300, "{} patterns", all.len());
    let plain = |pattern: &str| pattern.replace(r"\\", "").replace(r"(?-u:\b)", "");
    let slow = |pattern: &&str| [r"\b", r"\B", r"\<", r"\>"].iter().any(|sign| plain(pattern).contains(sign));
    assert_eq!(all.into_iter().filter(slow).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn every_fault_is_named_with_its_line() {
    let mut cases: Vec<PathBuf> = fs::read_dir(data("cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 10);
    let mut wrong = String::new();
    for case in cases {
        let expected = fs::read_to_string(case.join("expected")).unwrap_or_default();
        let faults = faults_of(&case);
        if faults != expected || faults.is_empty() {
            writeln!(wrong, "== {}\n{faults}", case.display()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "other faults than expected in:\n{wrong}");
}

#[test]
fn the_rules_as_delivered_are_in_order() {
    let rules = embedded();
    let all = rules.authorities.all();
    assert_eq!(all.len(), 155);
    assert_eq!(all.iter().map(|authority| authority.centres.len()).sum::<usize>(), 469);
    assert!(all.iter().all(|authority| !authority.site.is_empty() && !authority.prefecture.is_empty()));
    assert_eq!(rules.holidays.last_year(), Some(2027));
}

#[test]
fn health_centres_may_be_unknown_and_other_columns_are_ignored() {
    let mut files = RuleFiles::embedded();
    files.0.remove("health_centres.csv");
    files.0.insert("authorities.csv".to_owned(), "\u{feff}name,remark,code\r\n札幌市,x,011002\r\n".to_owned());
    let rules = Rules::parse(&files).unwrap();
    let [sapporo] = rules.authorities.all() else { panic!("one row") };
    assert_eq!((sapporo.name.as_str(), sapporo.prefecture.as_str()), ("札幌市", "北海道"));
    assert!(sapporo.centres.is_empty());
}

#[test]
fn damaged_files_give_faults_within_the_file() {
    let sound = RuleFiles::embedded();
    for name in ["registration.toml", "schedule.toml", "senders.toml"] {
        let text = &sound.0[name];
        for (at, _) in text.char_indices().step_by(101) {
            let (head, tail) = text.split_at(at);
            let tail_less_one: String = tail.chars().skip(1).collect();
            for damaged in [head.to_owned(), format!("{head}{tail_less_one}"), format!("{head}\"{tail}")] {
                let lines = damaged.lines().count().max(1);
                let mut files = sound.clone();
                for (other, text) in [("authorities.csv", "code,name\n011002,札幌市\n"), ("health_centres.csv", "")]
                {
                    files.0.insert(other.to_owned(), text.to_owned());
                }
                files.0.insert(name.to_owned(), damaged);
                for fault in Rules::parse(&files).err().unwrap_or_default() {
                    assert!(fault.file == name && (1..=lines).contains(&fault.line), "byte {at}: {fault}");
                }
            }
        }
    }
}

/// Rows of a table file, cells parted by `|`; `#` begins a comment.
fn table(name: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(data(name)).unwrap();
    let rows = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

fn shown(found: &Found<'_>) -> String {
    match found {
        Found::One(authority) => authority.name.clone(),
        Found::Several(several) => {
            let names: Vec<String> = several.iter().map(|a| format!("{}{}", a.prefecture, a.name)).collect();
            names.join("+")
        }
        Found::None => "-".to_owned(),
    }
}

/// The delivered authorities and two cities of one name.
fn with_homonyms() -> Authorities {
    let mut all = embedded().authorities.all().to_vec();
    for code in ["132063", "342084"] {
        all.push(Authority::new(code.parse().unwrap(), "府中市", "", "", Vec::new()));
    }
    Authorities::new(all)
}

#[test]
fn authorities_are_found_as_officers_write_them() {
    let authorities = with_homonyms();
    for row in table("authorities.txt") {
        let [text, find, find_in] = row.as_slice() else { panic!("{row:?}") };
        let found = (shown(&authorities.find(text)), shown(&authorities.find_in(text)));
        assert_eq!(found, (find.clone(), find_in.clone()), "{text}");
    }
    for authority in embedded().authorities.all() {
        assert_eq!(authorities.by_code(authority.code).map(|a| &a.name), Some(&authority.name));
        assert_eq!(authorities.find(&authority.name).one().map(|a| a.code), Some(authority.code));
        let full = format!("{} {}役所", authority.prefecture, authority.name);
        let expected = if authority.name == authority.prefecture { continue } else { Some(authority.code) };
        assert_eq!(authorities.find_in(&full).one().map(|a| a.code), expected, "{full}");
    }
}

#[test]
fn health_centres_are_found_as_officers_write_them() {
    let authorities = embedded().authorities;
    for row in table("centres.txt") {
        let [authority, text, expected] = row.as_slice() else { panic!("{row:?}") };
        let authority = authorities.find(authority).one().unwrap();
        let found = authority.knows_centre(text).map_or("-", |centre| centre.name.as_str());
        assert_eq!(found, expected, "{text}");
    }
    for authority in authorities.all() {
        for centre in &authority.centres {
            let full = format!("{}　{}", authority.name, centre.name);
            assert_eq!(authority.knows_centre(&centre.name), Some(centre));
            assert_eq!(authority.knows_centre(&full), Some(centre));
            for office in std::iter::once(&centre.name).chain(&centre.also) {
                let text = format!("{} {} 感染症係", authority.name, office);
                assert_eq!(authorities.find_in(&text).one().map(|a| a.code), Some(authority.code), "{text}");
                let text = format!("{}{}", authority.name, office);
                assert_eq!(authorities.find_in(&text).one().map(|a| a.code), Some(authority.code), "{text}");
            }
        }
    }
}

#[test]
fn subjects_are_known_in_their_variants() {
    let rules = embedded().registration;
    for row in table("subjects.txt") {
        let [subject, expected] = row.as_slice() else { panic!("{row:?}") };
        let plain = annai::rules::names::plain(subject);
        let found = rules.subjects.iter().enumerate().find_map(|(at, pattern)| {
            let authority = pattern.captures(&plain)?.name("authority")?.as_str().to_owned();
            Some(format!("{at} {authority}"))
        });
        assert_eq!(found.as_deref().unwrap_or("-"), expected, "{subject}");
    }
}

fn day(year: i32, month: u32, day: u32) -> Date {
    Date::new(year, month, day).unwrap()
}

/// The so many-th Monday of a month (国民の祝日に関する法律 第2条, ハッピーマンデー).
fn monday(year: i32, month: u32, nth: u32) -> Date {
    let first = (1..=7).map(|d| day(year, month, d)).find(|d| d.weekday() == Weekday::Mon).unwrap();
    first.plus_days(7 * (nth - 1))
}

/// The day of an equinox by the usual formula (海上保安庁水路部『新こよみ便利帳』, 1980 to 2099).
fn equinox(year: i32, month: u32, base: f64) -> Date {
    let years = f64::from(year - 1980);
    let exact = base + 0.242_194 * years - (years / 4.0).floor();
    (20..=24).map(|d| day(year, month, d)).find(|d| f64::from(d.day() + 1) > exact).unwrap()
}

/// Holidays of a year by the law: Art. 2, the special acts for 2020 and 2021, then Art. 3 (2) and (3).
fn by_law(year: i32) -> BTreeSet<Date> {
    let mut days: BTreeSet<Date> = [(1, 1), (2, 11), (2, 23), (4, 29), (5, 3), (5, 4), (5, 5), (11, 3), (11, 23)]
        .map(|(m, d)| day(year, m, d))
        .into();
    days.extend([monday(year, 1, 2), monday(year, 9, 3)]);
    days.extend([equinox(year, 3, 20.8431), equinox(year, 9, 23.2488)]);
    // 海の日, スポーツの日, 山の日
    days.extend(match year {
        2020 => [day(year, 7, 23), day(year, 7, 24), day(year, 8, 10)],
        2021 => [day(year, 7, 22), day(year, 7, 23), day(year, 8, 8)],
        _ => [monday(year, 7, 3), monday(year, 10, 2), day(year, 8, 11)],
    });
    let substitutes: Vec<Date> = days
        .iter()
        .filter(|d| d.weekday() == Weekday::Sun)
        .map(|sunday| (1..=7).map(|n| sunday.plus_days(n)).find(|d| !days.contains(d)).unwrap())
        .collect();
    let between: Vec<Date> = days
        .iter()
        .map(|d| d.plus_days(1))
        .filter(|d| !days.contains(d) && days.contains(&d.plus_days(1)) && d.weekday() != Weekday::Sun)
        .collect();
    days.extend(substitutes);
    days.extend(between);
    days
}

#[test]
fn the_holidays_are_those_of_the_law() {
    let listed: BTreeSet<Date> = embedded().holidays.days.into_keys().collect();
    let computed: BTreeSet<Date> = (2020..=2027).flat_map(by_law).collect();
    assert_eq!(listed, computed);
    // Days that stand in the Cabinet Office's list for reasons of their own.
    for known in [day(2020, 7, 24), day(2021, 8, 9), day(2024, 9, 23), day(2026, 9, 22), day(2027, 3, 22)] {
        assert!(listed.contains(&known), "{known}");
    }
}
