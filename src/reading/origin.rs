//! The evidence beside what was read: which text of the mail, how its bytes were decoded, which line, which letters of it,
//! and by which rule. Staff see it beside the value (research R10); nothing decides by it.

use super::facts::{Entry, Form};
use super::meant::meant;
use super::normalise::{common, tidy};
use super::{ReadCentre, Reading};
use crate::domain::MailAddress;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};

/// The text the values stand in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub part: Part,
    /// What its bytes were decoded as, by the encoding's name: `UTF-8`, `ISO-2022-JP`, `Shift_JIS`.
    pub decoder: Cow<'static, str>,
}

/// A text of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// text/plain, the sender's own words.
    Plain,
    /// text/html, the sender's own words.
    Html,
    /// Below the header block of a forwarded mail.
    Forwarded,
    /// Lines with quote marks.
    Quoted,
    /// A mail inside the mail (message/rfc822).
    Inside,
    /// A table that is attached.
    Attachment,
}

/// How a value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Name and address on one line of a section.
    #[default]
    Listed,
    /// The address on a line below the name.
    LineBelow,
    /// Outside any section, by its name alone.
    ByName,
    /// The right-hand value of a correction.
    Corrected,
    /// Not stated: the authority's name is the subject's or the greeting's.
    NotStated,
}

/// Where one tenant's name and address stand.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Evidence {
    pub rule: Rule,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Place>,
    /// Where the address as written is none: what was most likely meant. A proposal for staff, never used by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meant: Option<MailAddress>,
}

/// Letters of a line of the body as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// Letters from the line's beginning, from 0; `to` is the first behind.
    pub from: usize,
    pub to: usize,
}

/// Evidence of what `reading` took from this form: the authority first, then the health centres in their order.
pub(super) fn evidence(reading: &Reading, form: &Form) -> Vec<Evidence> {
    let lines: Vec<&str> = reading.body.split('\n').collect();
    let mut by_line: HashMap<usize, &Entry> = HashMap::new();
    for entry in &form.centres {
        by_line.entry(entry.line).or_insert(entry);
    }
    let domains = domains(reading);
    let proposals = Cell::new(0_usize);
    let of = |entry: Option<&&Entry>, name: &str, taken: bool| {
        let Some(entry) = entry else { return Evidence { rule: Rule::NotStated, ..Evidence::default() } };
        let written = if entry.name.is_empty() { name } else { &entry.name };
        let address = entry.address.as_ref().map(MailAddress::as_str);
        let name_line = Folded::of(&lines, entry.line);
        let address = address.and_then(|a| {
            let below = (entry.address_line != entry.line).then(|| Folded::of(&lines, entry.address_line));
            below.as_ref().unwrap_or(&name_line).place(a)
        });
        let proposes = !taken && proposals.get() < PROPOSALS_MAX;
        proposals.set(proposals.get() + usize::from(proposes));
        Evidence {
            rule: entry.rule,
            name: name_line.place(written),
            address,
            meant: if proposes { proposal(&lines, entry, &domains) } else { None },
        }
    };
    let authority = reading.authority.as_ref();
    let has_address = authority.is_some_and(|a| a.address.is_some());
    let head = of(form.authority.first().as_ref(), authority.map_or("", |a| a.name.as_str()), has_address);
    let centre = |c: &ReadCentre| of(c.line.and_then(|line| by_line.get(&line)), &c.name, c.address.is_some());
    let each = reading.centres.iter().map(centre);
    std::iter::once(head).chain(each).collect()
}

/// Proposals made for one mail; where more addresses are wrong, the mail is to be sent again.
const PROPOSALS_MAX: usize = 50;

/// The domains the mail uses: the sender's, and those of the addresses that were taken.
fn domains(reading: &Reading) -> BTreeSet<String> {
    let authority = reading.authority.iter().filter_map(|a| a.address.as_ref());
    let centres = reading.centres.iter().filter_map(|c| c.address.as_ref()).take(PROPOSALS_MAX);
    authority.chain(centres).chain(&reading.head.from).map(MailAddress::domain).collect()
}

fn proposal(lines: &[&str], entry: &Entry, domains: &BTreeSet<String>) -> Option<MailAddress> {
    let at = entry.address_line.max(entry.line).checked_sub(1)?;
    meant(lines.get(at)?, lines.get(at + 1).copied(), domains)
}

/// A line's letters after NFKC, in lower case, without blanks, each with its place in the line as written.
struct Folded {
    line: usize,
    letters: Vec<(char, usize)>,
}

impl Folded {
    fn of(lines: &[&str], line: usize) -> Self {
        let raw = line.checked_sub(1).and_then(|at| lines.get(at)).copied().unwrap_or_default();
        let mut letters: Vec<(char, usize)> = Vec::with_capacity(raw.len() / 2);
        let mut buffer = [0; 4];
        for (at, c) in raw.chars().enumerate() {
            if let Some(plain) = common(c) {
                letters.extend((!plain.is_whitespace()).then_some((plain.to_ascii_lowercase(), at)));
                continue;
            }
            let plain = tidy(c.encode_utf8(&mut buffer));
            letters.extend(plain.chars().filter(|c| !c.is_whitespace()).map(|c| (c.to_ascii_lowercase(), at)));
        }
        Self { line, letters }
    }

    /// Finds `value`, whose letters are folded alike.
    fn place(&self, value: &str) -> Option<Place> {
        let wanted = || value.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase());
        let (first, length) = (wanted().next()?, wanted().count());
        let mut windows = self.letters.windows(length);
        let hit =
            windows.find(|w| w.first().is_some_and(|(c, _)| *c == first) && w.iter().map(|(c, _)| *c).eq(wanted()))?;
        Some(Place { line: self.line, from: hit.first()?.1, to: hit.last()?.1 + 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_as_written() {
        let lines = ["", "　・港　区：ｈｏｋｅｎ＠x.lg.jp"];
        let found = |value| Folded::of(&lines, 2).place(value).map(|p| (p.from, p.to));
        assert_eq!(found("港区"), Some((2, 5)));
        assert_eq!(found("hoken@x.lg.jp"), Some((6, 19)));
        assert_eq!((found("北区"), found("")), (None, None));
    }
}
