//! Names of authorities, health centres and their sections: taken out of a line and told from other words.

use super::normalise::is_letter;
use super::pattern::pattern;
use crate::rules::labels::Labels;
use std::borrow::Cow;

pattern!(
    NUMBERING,
    r"^[(\[<【〔]?\s*(?:第|その|(?i:no)\.?\s?)?(?:[0-9]{1,2}(?:-[0-9]{1,2})?|[アイウエオカキクケコサシスセソ]|[イロハニホヘト]|[IVX]{1,4}|[ivx]{1,4}|[A-Za-z])(?:\s*[)\].、:>】〕．。]+\s*|\s+)"
);
// A number that sticks to the letter behind it, which is the last of the match.
pattern!(GLUED, r"^(?:第|その)?[0-9]{1,2}[^0-9A-Za-z@._:/-]|^[❶-❿].");
pattern!(ORDINAL, r"^[(\[【〔]?(?:第)?(?:[一二三四五六七八九十]{1,2}|[甲乙丙])(?:\s*[)\].、:】〕．。]+\s*|\s+)");
pattern!(
    PHONE,
    r"(?i)\(?(?:tel|fax|℡|電話(?:番号)?|ファ(?:ッ)?クス|内線|直通|携帯)[\s:./()0-9-]*|\(?0[0-9]{1,4}[-(][0-9]{1,4}[-)][0-9]{3,4}\)?"
);
pattern!(CONTACT, r"[(〔\[](?:担当者?|主担当|係長|課長|電話|内線)[^)〕\]]*[)〕\]]");
pattern!(TOPIC, r"(?:の連絡先|の(?:送付|宛|登録)先|宛て?)?(?:は|につきましては|については)[、,]?(?:正しくは)?$");

/// Brackets that may open a numbering or hold a name, and signs of an address.
const KEPT: &str = "([<【〔「\"'“@{≪«《〈『〖〘⟨?〓\u{fffd}";
/// Circles that stand for a letter where they are doubled: 〇〇市.
const BLANKS: [char; 12] = ['〇', '○', '◯', '●', '◎', '△', '□', '◇', '▲', '■', '☆', '×'];

/// Takes marks and numbering from the front: `■`, `(1)`, `①` (which NFKC made `1`), `ア.`, `一、`
pub(super) fn unmarked(text: &str) -> &str {
    stripped(text, true)
}

fn stripped(text: &str, ordinals: bool) -> &str {
    let mut text = text.trim();
    for _ in 0..4 {
        let before = text;
        let mut chars = text.chars();
        if let (Some(first), Some(second)) = (chars.next(), chars.next())
            && first == second
            && BLANKS.contains(&first)
            && chars.next().is_some_and(is_letter)
        {
            return text;
        }
        text = text.trim_start_matches(|c: char| matches!(c, '〇' | '◯') || !is_letter(c) && !KEPT.contains(c));
        let number = |c: char| {
            c.is_ascii()
                || matches!(c, 'ア'..='ト' | 'ヘ' | 'ホ' | 'ハ' | 'ニ' | 'ロ' | '第' | 'そ' | '【' | '〔' | '❶'..='❿')
        };
        if text.starts_with(number)
            && let Some(cut) = numbering(text)
        {
            text = text.get(cut..).unwrap_or_default();
        }
        if ordinals
            && text.starts_with(|c| "一二三四五六七八九十甲乙丙第([【〔".contains(c))
            && let Some(found) = ORDINAL.as_ref().and_then(|n| n.find(text))
        {
            text = text.get(found.end()..).unwrap_or_default();
        }
        if text.len() == before.len() {
            break;
        }
    }
    text
}

/// Where the text behind its numbering begins.
fn numbering(text: &str) -> Option<usize> {
    if let Some(found) = NUMBERING.as_ref().and_then(|n| n.find(text)) {
        return Some(found.end());
    }
    let found = GLUED.as_ref().and_then(|n| n.find(text))?;
    found.as_str().char_indices().next_back().map(|(at, _)| at)
}

/// A name without marks, numbering, labels, separators, telephone numbers and quotes.
pub(super) fn name(text: &str, labels: &Labels) -> String {
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let phone =
        text.contains(|c: char| c.is_ascii_alphanumeric() || matches!(c, '電' | '線' | '通' | '携' | 'フ' | '℡'));
    let text = if phone { without(&PHONE, Cow::Borrowed(text)) } else { Cow::Borrowed(text) };
    let text = if text.contains(['(', '[', '〔']) { without(&CONTACT, text) } else { text };
    // 五 島 保 健 所 is no fifth entry of a list: gathered before kanji count as numbers.
    let text = gathered(stripped(&text, false));
    let mut name = unmarked(&text);
    for _ in 0..LABELS_MAX {
        let before = name;
        name = name
            .trim_end_matches(|c: char| !is_letter(c) && !matches!(c, ')' | '?' | '〓' | '\u{fffd}'))
            .trim_start_matches(opener);
        name = unwrapped(name);
        if !BODY_ENDS.iter().any(|end| name.ends_with(end)) {
            name = [&labels.behind, &*TOPIC, &labels.parted].into_iter().map(Option::as_ref).fold(name, cut_end);
        }
        if let Some(label) = labels.before.as_ref().and_then(|p| p.find(name)) {
            name = name.get(label.end()..).unwrap_or_default();
        }
        if name.len() == before.len() {
            break;
        }
    }
    let number = |c: char| c.is_ascii() || matches!(c, '第' | 'そ' | 'の' | '❶'..='❿');
    if name.chars().all(number) || name.chars().nth(1).is_none() {
        // A number or a letter left over names nobody.
        return String::new();
    }
    if !name.contains(char::is_whitespace) {
        return name.to_owned();
    }
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `五 島 保 健 所` → `五島保健所`: letters set apart to fill the line, three or more.
fn gathered(text: &str) -> Cow<'_, str> {
    let letter = |c: char| !c.is_ascii() && (('\u{4e00}'..='\u{9fff}').contains(&c) || c.is_alphabetic());
    let first = |word: &str| word.chars().next().is_some_and(letter);
    // A word of one letter, whatever sign stands before it.
    let single = |word: &str| {
        let mut back = word.chars().rev();
        back.next().is_some_and(letter) && back.next().is_none_or(|c| !is_letter(c))
    };
    // The last letter of a name, with something behind it: 所のメールアドレス, 市:
    let ending = |word: &str| {
        let mut chars = word.chars();
        chars.next().is_some_and(|c| "所市区県府都道".contains(c))
            && chars.next().is_some_and(|c| !is_letter(c) || ('ぁ'..='ん').contains(&c))
    };
    if text.split([' ', '\t']).all(|word| !word.is_empty() && !single(word)) {
        return Cow::Borrowed(text);
    }
    let words: Vec<&str> = text.split([' ', '\t']).filter(|w| !w.is_empty()).collect();
    let joins = |index: usize| words.get(index).is_some_and(|w| single(w) && first(w) || ending(w));
    let mut out = String::with_capacity(text.len());
    let mut run = 0_usize;
    for (index, word) in words.iter().enumerate() {
        let goes_on = run > 0 && joins(index) && (run >= 2 || joins(index + 1));
        if index > 0 && !goes_on {
            out.push(' ');
        }
        out.push_str(word);
        run = if goes_on { run + 1 } else { 1 };
        if !single(word) {
            run = 0;
        }
    }
    if out.len() == text.len() { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

/// Labels taken from around one name.
const LABELS_MAX: usize = 6;

fn opener(c: char) -> bool {
    !is_letter(c) && !matches!(c, '(' | '[' | '<' | '【' | '〔' | '〓' | '?' | '\u{fffd}') && !BLANKS.contains(&c)
}

fn without<'a>(pattern: &std::sync::LazyLock<Option<regex::Regex>>, text: Cow<'a, str>) -> Cow<'a, str> {
    match pattern.as_ref() {
        Some(p) if p.is_match(&text) => Cow::Owned(p.replace_all(&text, " ").into_owned()),
        Some(_) | None => text,
    }
}

fn cut_end<'a>(name: &'a str, pattern: Option<&regex::Regex>) -> &'a str {
    pattern.and_then(|p| p.find(name)).and_then(|found| name.get(..found.start())).unwrap_or(name)
}

/// Without brackets around the whole, and without a closing bracket nothing opened: `(港区)`, `港区)`.
fn unwrapped(name: &str) -> &str {
    let pairs = [('(', ')'), ('[', ']'), ('<', '>'), ('【', '】'), ('〔', '〕'), ('「', '」')];
    for (open, close) in pairs {
        match (name.find(open), name.find(close)) {
            (Some(0), Some(end)) if end + close.len_utf8() == name.len() => {
                return name.trim_start_matches(open).trim_end_matches(close);
            }
            (Some(0), None) => return name.trim_start_matches(open),
            (None, Some(_)) => return name.trim_end_matches(close),
            (Some(_) | None, Some(_) | None) => {}
        }
    }
    name
}

/// Endings of names of authorities, health centres and their sections.
const BODY_ENDS: [&str; 28] = [
    "保健所",
    "センター",
    "事務所",
    "支所",
    "分室",
    "支部",
    "課",
    "係",
    "室",
    "班",
    "部",
    "局",
    "グループ",
    "チーム",
    "担当",
    "市",
    "区",
    "県",
    "府",
    "都",
    "北海道",
    "町",
    "村",
    "庁",
    "役所",
    "役場",
    "本所",
    "分所",
];

/// Could this be the name of an authority, a health centre or a section of one?
pub(super) fn is_body_name(name: &str) -> bool {
    let bare = name.split('(').next().unwrap_or(name).trim_end();
    let whole = name.trim_end_matches(')');
    [bare, whole].iter().any(|n| BODY_ENDS.iter().any(|end| n.ends_with(end)))
}

/// Does this name only a section, of whatever body: 企画総務課?
pub(super) fn is_section_name(name: &str) -> bool {
    let ends = ["課", "係", "室", "班", "グループ", "チーム", "担当"];
    !is_centre_name(name) && ends.iter().any(|end| name.trim_end_matches(')').ends_with(end))
}

/// The health centre in a longer name, its section and office left out: 西彼保健所 in 西彼保健所 保健予防課 and in
/// 長崎振興局保健部(西彼保健所). Empty if there is none.
pub(super) fn centre_in(name: &str) -> String {
    let parts = name.split(['(', ')']).filter(|part| is_centre_name(part));
    let part: String = parts.take(1).flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
    let ends = ["保健所", "センター", "事務所"];
    let end = ends.iter().filter_map(|end| part.find(end).map(|at| at + end.len())).min().unwrap_or(part.len());
    part.get(..end).unwrap_or_default().to_owned()
}

/// Does this name a health centre (and not its section's mail address or a person)?
pub(super) fn is_centre_name(name: &str) -> bool {
    [
        "保健所",
        "保健センター",
        "厚生センター",
        "健康センター",
        "福祉センター",
        "環境センター",
        "保健福祉事務所",
        "健康福祉事務所",
        "福祉環境事務所",
        "保健事務所",
        "支所",
    ]
    .iter()
    .any(|word| name.contains(word))
}
