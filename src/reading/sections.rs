//! Heading lines: `<自治体（保健所設置主体）>`, `【保健所】`, `■保健所：`, `２　保健所`, in any bracket and width, alone or
//! with the first entry behind them. The words come from the rules (seed 4.1).

use super::names::{is_centre_name, name, unmarked};
use crate::rules::RegistrationRules;

/// The two parts of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Authority,
    Centres,
}

/// Longest heading, in characters.
const HEADING_CHARS_MAX: usize = 40;

const BRACKETS: [(char, char); 12] = [
    ('<', '>'),
    ('【', '】'),
    ('[', ']'),
    ('《', '》'),
    ('〈', '〉'),
    ('「', '」'),
    ('『', '』'),
    ('〔', '〕'),
    ('≪', '≫'),
    ('«', '»'),
    ('(', ')'),
    ('{', '}'),
];

/// The section a tidied line opens, and what stands behind the heading on the same line.
pub(super) fn heading<'a>(text: &'a str, rules: &RegistrationRules) -> Option<(Section, &'a str)> {
    let text = unmarked(text);
    if let Some((inner, rest)) = bracketed(text) {
        return Some((section(inner, rules)?, rest.trim_start_matches([':', ' ', '\t'])));
    }
    if let Some((left, right)) = text.split_once([':', '\t', ','])
        && let Some(section) = section(left, rules)
    {
        return Some((section, right.trim()));
    }
    if let Some((left, right)) = text.split_once(' ')
        && is_entry(right)
        && let Some(section) = section(left, rules)
    {
        return Some((section, right.trim()));
    }
    let bare = text.trim_end_matches(|c: char| !c.is_alphanumeric() && c != ')');
    Some((section(bare, rules)?, ""))
}

/// `渡島保健所 a@…` behind a bare heading: the name of a tenant and its address.
fn is_entry(text: &str) -> bool {
    text.split_once('@').is_some_and(|(before, _)| {
        let name = name(before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')));
        is_centre_name(&name) || name.ends_with(['都', '道', '府', '県', '市', '区'])
    })
}

/// `<inner> rest`, whatever the bracket.
pub(super) fn bracketed(text: &str) -> Option<(&str, &str)> {
    let open = text.chars().next()?;
    let (_, close) = BRACKETS.iter().find(|(o, _)| *o == open)?;
    let inner = text.get(open.len_utf8()..)?;
    let mut depth = 1_u32;
    for (at, c) in inner.char_indices() {
        depth = if c == open {
            depth + 1
        } else if c == *close {
            depth - 1
        } else {
            depth
        };
        if depth == 0 {
            return Some((inner.get(..at)?, inner.get(at + close.len_utf8()..)?.trim()));
        }
    }
    None
}

/// Words that may follow a heading's own word.
const TAILS: [&str; 9] =
    ["のメールアドレス", "メールアドレス", "の連絡先", "連絡先", "一覧", "について", "分", "宛", "は次のとおり"];

/// Words that may stand before it.
const HEADS: [&str; 7] = ["設置", "各", "管内", "所管", "管轄", "当該", "貴"];

fn section(words: &str, rules: &RegistrationRules) -> Option<Section> {
    if words.len() > HEADING_CHARS_MAX * 4 {
        return None;
    }
    let words: String = words.chars().filter(|c| !c.is_whitespace()).collect();
    let words = unmarked(&words);
    let bare = words.split('(').next().unwrap_or(words);
    let cut = TAILS.iter().find_map(|tail| bare.strip_suffix(tail)).unwrap_or(bare);
    let core = HEADS.iter().find_map(|head| cut.strip_prefix(head)).unwrap_or(cut);
    let among = |list: &[String], word: &str| !word.is_empty() && list.iter().any(|h| h == word);
    for word in [words, bare, cut, core] {
        if among(&rules.authority_headings, word) {
            return Some(Section::Authority);
        }
        if among(&rules.centre_headings, word) {
            return Some(Section::Centres);
        }
    }
    None
}
