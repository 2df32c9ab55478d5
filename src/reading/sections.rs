//! Heading lines: `<自治体（保健所設置主体）>`, `【保健所】`, `■管内の各保健所：`, `２　保健所（3か所）`, in any bracket and width,
//! alone or with the first entry behind them. The words come from the rules (seed 4.1); how they combine stands here.

use super::names::{is_body_name, name, unmarked};
use super::normalise::is_letter;
use super::pattern::pattern;
use crate::rules::RegistrationRules;
use crate::rules::labels::Labels;
use std::borrow::Cow;

/// The two parts of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Authority,
    Centres,
}

/// What a heading says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heading<'a> {
    /// A part begins; the text behind the heading on the same line.
    Opens(Section, &'a str),
    /// Whom to ask: what follows is no data of a tenant.
    Contact,
}

/// Longest heading, in characters.
const HEADING_CHARS_MAX: usize = 40;
/// Words taken away from around a heading's own word.
const WORDS_MAX: usize = 6;

const BRACKETS: [(char, char); 16] = [
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
    ('〖', '〗'),
    ('〘', '〙'),
    ('⟨', '⟩'),
    ('“', '”'),
];

/// Signs between a heading and the first entry on its line.
const PARTING: [char; 8] = [':', '\t', ',', '=', '→', '⇒', '|', '、'];

// Signs that lead from a heading to its entry where they are repeated, or a sign that parts the cells of a row.
pattern!(LEADER, r"\.\.\.|・・|~|--|/");
pattern!(
    NUMBER,
    r"(?:[(【\[](?:全|計|合計)?[0-9]{1,3}(?:か所|箇所|個所|ヶ所|カ所|ヵ所|ケ所|所|件|保健所)[)】\]]?|(?:全|計|合計)?[0-9]{1,3}(?:か所|箇所|個所|ヶ所|カ所|ヵ所|ケ所|件)|(?:その|(?i:no\.?))?[0-9]{1,2})$"
);
pattern!(OF_BODY, r"^[^()@]{1,7}[都道府県市区](?:管内|所管|内|の)");

pattern!(COUNTED, r"(?:^|[^0-9第])([0-9]{1,3})(?:か所|箇所|個所|ヶ所|カ所|ヵ所|ケ所|件)");

/// The number a heading gives: `保健所(3か所)`.
pub(super) fn counted(heading: &str) -> Option<usize> {
    COUNTED.as_ref()?.captures(heading)?.get(1)?.as_str().parse().ok()
}

/// What a tidied line says as a heading.
pub(super) fn heading<'a>(text: &'a str, rules: &RegistrationRules) -> Option<Heading<'a>> {
    let text = unmarked(text);
    if let Some(word) = word(text, rules) {
        return Some(word.map_or(Heading::Contact, |section| Heading::Opens(section, "")));
    }
    if let Some((inner, rest)) = bracketed(text)
        && let Some(word) = word(inner, rules)
    {
        let rest = rest.trim_start_matches(PARTING).trim_start();
        return word.map(|section| Heading::Opens(section, rest));
    }
    let parted = match text.find(PARTING) {
        Some(at) => {
            let (left, right) = text.split_at_checked(at)?;
            let right = right.trim_start_matches(PARTING).trim();
            (right.contains('@') || is_label(left)).then_some((left, right))
        }
        None => None,
    };
    let parted = parted.and_then(|(left, right)| Some((word(left, rules)?, right)));
    let parted = parted.or_else(|| {
        let at = LEADER.as_ref()?.find(text)?.start();
        let (left, right) = text.split_at_checked(at)?;
        let right = right.trim_start_matches(|c: char| !is_letter(c));
        (right.contains('@') || is_label(left) && word(right, rules).is_none()).then_some(())?;
        Some((word(left, rules)?, right))
    });
    let (word, right) = parted.or_else(|| {
        let (left, right) = text.split_once(' ').filter(|(left, _)| is_label(left))?;
        let word = word(left, rules)?;
        let right = right.trim_start_matches(|c: char| !is_letter(c));
        is_entry(right, &rules.labels).then_some((word, right))
    })?;
    word.map(|section| Heading::Opens(section, right))
}

/// A row of a table whose section stands in a cell behind others: the section, and the row without that cell.
pub(super) fn row_of(text: &str, rules: &RegistrationRules) -> Option<(Section, String)> {
    if !text.contains('\t') || !text.contains('@') {
        return None;
    }
    let cells: Vec<&str> = text.split('\t').collect();
    let at = cells.iter().skip(1).position(|cell| is_label(cell) && word(cell, rules).is_some())? + 1;
    let section = word(cells.get(at)?, rules)??;
    let rest: Vec<&str> = cells.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, cell)| *cell).collect();
    Some((section, rest.join("\t")))
}

/// 自治体, 保健所名 and the like say what kind of name follows; 担当課:感染症対策課 is a detail of the tenant above.
fn is_label(words: &str) -> bool {
    words.contains("自治体")
        || words.contains("主体")
        || words.contains("保健")
        || words.contains("本庁")
        || words.contains("センター")
}

/// `渡島保健所 a@…` behind a bare heading: the name of a tenant and its address, or either.
fn is_entry(text: &str, labels: &Labels) -> bool {
    let before = text.split('@').next().unwrap_or(text);
    let local = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name = name(before.trim_end_matches(local), labels);
    is_body_name(&name) && !name.ends_with(['課', '係', '室']) || name.is_empty() && text.contains('@')
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

/// What words that are nothing but a heading open; `Some(None)`: a contact.
#[expect(clippy::option_option, reason = "no heading, or one that opens no section")]
fn word(line: &str, rules: &RegistrationRules) -> Option<Option<Section>> {
    if line.contains('@') || line.chars().nth(HEADING_CHARS_MAX).is_some() {
        return None;
    }
    let headings = &rules.headings;
    let words = bare(unmarked(bare(line)));
    let words = if words.contains(char::is_whitespace) {
        Cow::Owned(words.chars().filter(|c| !c.is_whitespace()).collect())
    } else {
        Cow::Borrowed(words)
    };
    let mut core: &str = &words;
    for _ in 0..WORDS_MAX {
        if core.is_empty() {
            return None;
        } else if headings.authority.contains(core) {
            return Some(Some(Section::Authority));
        } else if headings.centres.contains(core) {
            return Some(Some(Section::Centres));
        } else if headings.contact.contains(core) {
            return Some(None);
        }
        core = shorter(core, rules)?;
    }
    None
}

/// The heading without one word around it.
fn shorter<'a>(words: &'a str, rules: &RegistrationRules) -> Option<&'a str> {
    let joint = |c: char| !is_letter(c) && !matches!(c, '(' | ')') || matches!(c, 'の' | 'と' | '及' | 'び');
    if words.bytes().any(|b| b.is_ascii_digit())
        && let Some(found) = NUMBER.as_ref().and_then(|n| n.find(words))
    {
        return words.get(..found.start()).map(|w| w.trim_end_matches(joint));
    }
    if let Some((outside, inside)) = words.strip_suffix(')').and_then(|words| words.split_once('(')) {
        // 登録アドレス(自治体): what stands before the bracket is no heading's own word.
        let around = |word: &str| rules.headings.stands_around(word);
        return Some(if outside.is_empty() || around(outside) { inside } else { outside });
    }
    let headings = &rules.headings;
    let behind = words.chars().next_back().and_then(|letter| headings.behind.get(&letter));
    if let Some(rest) = behind.into_iter().flatten().find_map(|word| words.strip_suffix(word.as_str())) {
        return Some(rest.trim_end_matches(joint));
    }
    let before = words.chars().next().and_then(|letter| headings.before.get(&letter));
    if let Some(rest) = before.into_iter().flatten().find_map(|word| words.strip_prefix(word.as_str())) {
        return Some(rest.trim_start_matches(joint));
    }
    let of_body = OF_BODY.as_ref().and_then(|p| p.find(words))?;
    words.get(of_body.end()..).map(|rest| rest.trim_start_matches(joint))
}

/// Without the signs around it; a bracket that opens inside stays closed.
fn bare(text: &str) -> &str {
    let sign = |c: char| !is_letter(c) || matches!(c, '〇' | '◯');
    let text = text.trim_start_matches(sign);
    let end = text.trim_end_matches(sign);
    let closed = end.contains('(') && !end.contains(')');
    if closed && text.get(end.len()..).is_some_and(|rest| rest.starts_with(')')) {
        return text.get(..=end.len()).unwrap_or(end);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;

    #[test]
    fn headings_in_any_dress() {
        let rules = Rules::embedded().unwrap();
        let check = |line: &str, section: Option<Section>, rest: &str| {
            let found = heading(line, &rules.registration);
            assert_eq!(found, section.map(|s| Heading::Opens(s, rest)), "{line}");
        };
        let (authority, centres) = (Some(Section::Authority), Some(Section::Centres));
        for line in [
            "<自治体(保健所設置主体)>",
            "1. 自治体名及びメールアドレス:",
            "(1)自治体(主管課)",
            "[自治体の担当部署]",
            "== 自治体 ==",
            "衛生主管部(局)",
            "<<自治体>>",
            "自治体↓",
            "1-1 保健所を設置する自治体",
        ] {
            check(line, authority, "");
        }
        for line in [
            "【保 健 所】",
            "■管内の各保健所一覧",
            "2 保健所(3か所)",
            "〖県内の保健所〗",
            "第2 当県の保健所",
            "札幌市内の保健所",
            "保健所 計3箇所",
            "◆◇保健所名◇◆",
            "イ 保健所(支所を含む)",
            "保健所のメールアドレスについて",
        ] {
            check(line, centres, "");
        }
        assert_eq!(heading("【本件担当】", &rules.registration), Some(Heading::Contact));
        check("保健所:港区保健所", centres, "港区保健所");
        check("自治体\t札幌市\ta@x.lg.jp", authority, "札幌市\ta@x.lg.jp");
        check("保健所名 港区保健所 a@x.lg.jp", centres, "港区保健所 a@x.lg.jp");
        for line in [
            "港区保健所",
            "札幌市保健所",
            "担当課:感染症対策課",
            "保健所 保健予防課",
            "保健所の登録をお願いします。",
            "担当:山田",
            "第一保健所",
        ] {
            check(line, None, "");
        }
    }
}
