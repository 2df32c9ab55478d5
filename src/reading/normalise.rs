//! Text as written → text to compare: NFKC (full and half width become one), one kind of blank, no invisible characters,
//! one kind of hyphen. The line as written is kept for quoting. Source: research R10; Unicode TR15.

use crate::domain::signs;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// One line of the body.
#[derive(Debug, Clone)]
pub(super) struct Line<'a> {
    /// From 1, in the body.
    pub(super) number: usize,
    /// As written.
    pub(super) raw: &'a str,
    /// Tidied, without quote marks and blanks at the ends; tabs kept, because they part cells.
    pub(super) text: String,
    /// Quote marks before the text.
    pub(super) depth: usize,
}

/// Longest line looked at, in bytes; the rest of a longer one is not, and the mail is [`OverLimit`](super::Reason).
pub const LINE_BYTES_MAX: usize = 2_000;
/// Lines looked at; the rest of a longer body is not, and the mail is [`OverLimit`](super::Reason).
pub const LINES_MAX: usize = 5_000;

/// Does [`lines`] leave any words out?
pub(super) fn is_cut(body: &str) -> bool {
    if body.len() <= LINE_BYTES_MAX {
        return false;
    }
    let long = |line: &str| line.get(LINE_BYTES_MAX..).is_none_or(|rest| !rest.trim().is_empty());
    body.split('\n').any(|line| line.len() > LINE_BYTES_MAX && long(line))
        || body.split('\n').skip(LINES_MAX).any(|line| !line.trim().is_empty())
}

/// Splits a body into lines.
pub(super) fn lines(body: &str) -> Vec<Line<'_>> {
    body.split('\n').take(LINES_MAX).enumerate().map(|(index, raw)| line(index + 1, raw)).collect()
}

fn line(number: usize, raw: &str) -> Line<'_> {
    let end = (0..=raw.len().min(LINE_BYTES_MAX)).rev().find(|at| raw.is_char_boundary(*at)).unwrap_or(0);
    let written = raw.get(..end).unwrap_or_default();
    let tidied = match wide_numbering(written) {
        Some((number, rest)) => format!("{} {}", tidy(number), tidy(rest)),
        None => tidy(written),
    };
    let tidied = cells(tidied);
    let (mut depth, mut text) = (0, tidied.trim());
    if let Some(rest) = text.strip_prefix("| ").filter(|rest| !rest.contains('\t')) {
        // Some mail programs mark what they quote so.
        (depth, text) = (1, rest.trim_start());
    }
    while let Some(rest) = text.strip_prefix('>') {
        depth += 1;
        text = rest.trim_start();
    }
    let text = if depth == 0 && text.len() == tidied.len() { tidied } else { text.to_owned() };
    Line { number, raw, text, depth }
}

/// `１．` before half-width letters is a number of a list, and no part of an address that follows.
fn wide_numbering(raw: &str) -> Option<(&str, &str)> {
    let lead = raw.trim_start().chars().take_while(|c| matches!(c, '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ')).count();
    if !(1..=2).contains(&lead) {
        return None;
    }
    let at = raw.find('．')? + '．'.len_utf8();
    let (number, rest) = raw.split_at_checked(at)?;
    (number.trim_start().chars().count() == lead + 1 && rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
        .then_some((number, rest))
}

/// A row of a drawn table or of a CSV file, its cells parted by tabs: `| a | b |`, `│a│b│`, `"a","b"`, `"a";"b"`.
fn cells(line: String) -> String {
    let trimmed = line.trim();
    if trimmed.starts_with(['|', '│', '┃', '║'])
        && trimmed.ends_with(['|', '│', '┃', '║'])
        && trimmed.chars().nth(1).is_some()
    {
        let row = trimmed.trim_matches(['|', '│', '┃', '║']);
        return row.split(['|', '│', '┃', '║']).map(str::trim).collect::<Vec<_>>().join("\t");
    }
    let row = trimmed.strip_prefix('"').and_then(|row| row.strip_suffix('"'));
    let parted =
        row.and_then(|row| ["\",\"", "\";\""].into_iter().find(|sign| row.contains(sign)).map(|sign| (row, sign)));
    if let Some((row, sign)) = parted {
        return row.split(sign).map(str::trim).collect::<Vec<_>>().join("\t");
    }
    line
}

/// `char::is_alphanumeric`, which looks kana and kanji up in a table, without that for nearly all letters.
pub(super) fn is_letter(c: char) -> bool {
    match c {
        '\0'..='\x7f' => c.is_ascii_alphanumeric(),
        'ぁ'..='ゖ' | 'ァ'..='ヺ' | '\u{4e00}'..='\u{9fff}' => true,
        _ => c.is_alphanumeric(),
    }
}

/// NFKC, plain blanks and hyphens, nothing invisible.
pub(super) fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Nearly all lines consist of letters whose NFKC needs no table and no neighbours.
    for c in text.chars() {
        let Some(c) = common(c) else { return tidy_any(text) };
        out.push(c);
    }
    out
}

fn tidy_any(text: &str) -> String {
    if is_nfkc_quick(text.chars()) == IsNormalized::Yes {
        return text.chars().filter_map(plain).collect();
    }
    text.chars().nfkc().filter_map(plain).collect()
}

/// What [`tidy_any`] makes of a letter that stands for itself whatever is beside it: ASCII, its full-width form, kana, kanji,
/// the usual signs. `None`: look it up.
pub(super) fn common(c: char) -> Option<char> {
    match c {
        '\u{3000}' => Some(' '),
        '！'..='～' => char::from_u32(u32::from(c) - 0xfee0),
        '\t'
        | ' '..='~'
        | 'ぁ'..='ゖ'
        | 'ァ'..='ヾ'
        | '\u{4e00}'..='\u{9fff}'
        | '、'..='〃'
        | '々'..='】'
        | '〔'..='〜'
        | '\u{2500}'..='\u{25ff}'
        | '※'
        | '→' => Some(c),
        _ => None,
    }
}

fn plain(c: char) -> Option<char> {
    match c {
        '\t' => Some('\t'),
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => None,
        _ if signs::is_invisible(c) => None,
        '\u{2010}'..='\u{2013}' | '\u{2212}' => Some('-'),
        _ if c.is_control() => None,
        _ if c.is_whitespace() => Some(' '),
        _ => Some(c),
    }
}

/// Tidied and without any blanks: for comparing names, headings and subjects.
pub(super) fn squeeze(text: &str) -> String {
    tidy(text).chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_blanks_and_the_invisible() {
        assert_eq!(tidy("ｈｏｋｅｎ＠ｃｉｔｙ．ｏｔａ−ｘ．ｊｐ"), "hoken@city.ota-x.jp");
        assert_eq!(tidy("a\u{200b}b\u{3000}c\u{a0}d\te"), "ab c d\te");
        assert_eq!(squeeze("保　健　所"), "保健所");
        for c in (0..=0x2_ffff).filter_map(char::from_u32) {
            assert_eq!(is_letter(c), c.is_alphanumeric(), "{c:?}");
            let alone = tidy_any(&c.to_string());
            assert!(common(c).is_none_or(|short| alone == short.to_string()), "{c:?}");
            assert!(common(c).is_none() || is_nfkc_quick([c].into_iter()) != IsNormalized::Maybe, "{c:?} joins");
        }
        let line = &lines("> > 港区")[0];
        assert_eq!((line.depth, line.text.as_str()), (2, "港区"));
    }
}
