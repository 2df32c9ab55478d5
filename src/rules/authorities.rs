//! `rules/authorities.csv` and `rules/health_centres.csv`: the bodies that may register, and the health centres known.
//! Looking them up by name is in
//! [`super::lookup`] and `centres`.

use super::RuleError;
use super::centres::CentreIndex;
use super::csv_file::{CsvFile, Row};
use super::lookup::Index;
use super::names::fold;
use crate::domain::LgCode;
use std::collections::{BTreeMap, HashMap};

/// The files' names.
pub const FILE: &str = "authorities.csv";
pub const CENTRES_FILE: &str = "health_centres.csv";

/// Longest name taken, in characters: look-ups cost by it.
pub const NAME_CHARS_MAX: usize = 100;

/// One body that runs health centres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    pub code: LgCode,
    /// Official name, 札幌市.
    pub name: String,
    /// 北海道; where the file does not say, by the first two digits of the code.
    pub prefecture: String,
    /// Host of its home page without www, city.sapporo.jp; empty if unknown.
    pub site: String,
    /// Names of its health centres as published, each with the names of offices that house it.
    pub centres: Vec<KnownCentre>,
    pub(super) centre_index: CentreIndex,
}

/// A health centre as published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCentre {
    pub name: String,
    /// Names of the offices that house it, 平塚保健福祉事務所.
    pub also: Vec<String>,
}

/// All of them, with the index to find them by code and name.
#[derive(Debug, Clone, Default)]
pub struct Authorities {
    all: Vec<Authority>,
    index: Index,
}

impl Authority {
    /// An authority; an empty `prefecture` is filled in by the code.
    pub fn new(code: LgCode, name: &str, prefecture: &str, site: &str, centres: Vec<KnownCentre>) -> Self {
        let prefecture = if prefecture.is_empty() { super::lookup::prefecture_of(code) } else { prefecture };
        let centre_index = CentreIndex::new(name, prefecture, &centres);
        let (name, prefecture, site) = (name.to_owned(), prefecture.to_owned(), site.to_owned());
        Self { code, name, prefecture, site, centres, centre_index }
    }
}

impl Authorities {
    /// Builds the index. Codes must not repeat (of two, the first is found by its code).
    pub fn new(all: Vec<Authority>) -> Self {
        let index = Index::new(&all);
        Self { all, index }
    }

    /// All of them, in the order of the file.
    pub fn all(&self) -> &[Authority] {
        &self.all
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// Reads both files; `Err`: all their faults. `centres` may be empty.
    pub(super) fn parse(authorities: &str, centres: &str) -> Result<Self, Vec<RuleError>> {
        let mut file = CsvFile::open(FILE, authorities, &["code", "name"], &["prefecture", "url"]);
        let entries = read_authorities(&mut file);
        let mut faults = file.close();
        let (mut known, centre_faults) = read_centres(centres, &entries);
        faults.extend(centre_faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        let build = |entry: Entry| {
            let Entry { code, name, prefecture, site, .. } = entry;
            Authority::new(code, &name, &prefecture, &site, known.remove(&code).unwrap_or_default())
        };
        Ok(Self::new(entries.into_iter().map(build).collect()))
    }
}

/// A good row of authorities.csv.
#[derive(Debug)]
struct Entry {
    code: LgCode,
    name: String,
    prefecture: String,
    site: String,
}

fn read_authorities(file: &mut CsvFile) -> Vec<Entry> {
    let rows = std::mem::take(&mut file.rows);
    if rows.is_empty() && file.is_sound() {
        file.fault(0, "no authority in it", "give at least one row with code and name");
    }
    let mut seen: HashMap<LgCode, usize> = HashMap::new();
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        let (name, url) = (row.cell(1), row.cell(3));
        if name.is_empty() {
            file.fault(row.at, "an authority without a name", "give its official name");
        }
        if name.chars().count() > NAME_CHARS_MAX {
            file.fault(row.at, "a name too long", format!("give at most {NAME_CHARS_MAX} characters"));
        }
        let site = site(url);
        if site.is_none() {
            file.fault(row.at, format!("\"{url}\" is no home page"), "write it like https://www.city.example.lg.jp/");
        }
        let Some(code) = code(file, &row) else { continue };
        if let Some(first) = seen.insert(code, row.at) {
            let fault = format!("code {code} stands in line {} already", file.line(first));
            file.fault(row.at, fault, "take one of them out");
        }
        let (name, prefecture) = (name.to_owned(), row.cell(2).to_owned());
        entries.push(Entry { code, name, prefecture, site: site.unwrap_or_default() });
    }
    entries
}

type CentresByCode = HashMap<LgCode, Vec<KnownCentre>>;

fn read_centres(text: &str, authorities: &[Entry]) -> (CentresByCode, Vec<RuleError>) {
    let mut known: CentresByCode = authorities.iter().map(|a| (a.code, Vec::new())).collect();
    if text.trim().is_empty() {
        return (known, Vec::new());
    }
    let mut file = CsvFile::open(CENTRES_FILE, text, &["authority_code", "name"], &["also"]);
    let mut seen: HashMap<(LgCode, String), usize> = HashMap::new();
    let mut strangers: BTreeMap<LgCode, usize> = BTreeMap::new();
    for row in std::mem::take(&mut file.rows) {
        let name = row.cell(1);
        if name.is_empty() {
            file.fault(row.at, "a health centre without a name", "give its name");
        }
        let Some(code) = code(&mut file, &row) else { continue };
        if let Some(first) = seen.insert((code, fold(name)), row.at).filter(|_| !name.is_empty()) {
            let fault = format!("{name} of {code} stands in line {} already", file.line(first));
            file.fault(row.at, fault, "take one of them out");
        }
        let Some(centres) = known.get_mut(&code) else {
            strangers.entry(code).or_insert(row.at);
            continue;
        };
        let also = row.cell(2).split(['、', ';']).map(str::trim).filter(|a| !a.is_empty()).map(str::to_owned);
        centres.push(KnownCentre { name: name.to_owned(), also: also.collect() });
    }
    // Where no authority could be read, or none of these, the cause is one and not in each row.
    if known.values().any(|centres| !centres.is_empty()) {
        for (code, at) in strangers {
            file.fault(
                at,
                format!("no authority has the code {code}"),
                format!("add it to {FILE} or correct the code"),
            );
        }
    } else if let Some(at) = strangers.into_values().min().filter(|_| !known.is_empty()) {
        let fault = format!("not one of these health centres belongs to an authority of {FILE}");
        file.fault(at, fault, format!("take {CENTRES_FILE} away, or fill it for your authorities"));
    }
    (known, file.close())
}

/// The code in the row's first wanted column. Where a spreadsheet has eaten the leading zero, the remedy says so.
fn code(file: &mut CsvFile, row: &Row) -> Option<LgCode> {
    let text = row.cell(0);
    match text.parse() {
        Ok(code) => Some(code),
        Err(error) => {
            let remedy = match text.len() {
                5 if format!("0{text}").parse::<LgCode>().is_ok() => format!("write 0{text}, with its leading zero"),
                _ => "look it up in the ministry's list (全国地方公共団体コード)".to_owned(),
            };
            file.fault(row.at, format!("\"{text}\" is no code: {error}"), remedy);
            None
        }
    }
}

/// The host of a home page without a leading www; empty for an empty cell, `None` if it is no address of a page.
fn site(url: &str) -> Option<String> {
    if url.is_empty() {
        return Some(String::new());
    }
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', ':', '?', '#']).next()?.to_ascii_lowercase();
    let is_host = host.contains('.') && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
    let first_goes = host.split_once('.').filter(|(first, rest)| {
        rest.contains('.') && (*first == "web" || first.trim_end_matches(|c: char| c.is_ascii_digit()) == "www")
    });
    is_host.then(|| first_goes.map_or(host.as_str(), |(_, rest)| rest).to_owned())
}
