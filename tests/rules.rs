//! Layer 1 `rules`: the files as delivered, every fault at once with its line, and names as officers write them.
//! Data: tests/data/rules.

use annai::rules::authorities::{Authorities, Authority};
use annai::rules::{Found, RuleFiles, Rules};
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

#[test]
fn every_fault_is_named_with_its_line() {
    let mut cases: Vec<PathBuf> = fs::read_dir(data("cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 10);
    for case in cases {
        let expected = fs::read_to_string(case.join("expected")).unwrap_or_default();
        assert_eq!(faults_of(&case), expected, "{}", case.display());
        assert!(!expected.is_empty(), "{}", case.display());
    }
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
