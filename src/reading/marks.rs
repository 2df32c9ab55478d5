//! What kind of line it is: closing words, sentences, notes, contact lines, ruled lines, the start of a signature.
//! Rules of the language of Japanese official mail (seed 4.1, research §6.1), not of single senders.

use super::facts::Said;
use super::names::{is_body_name, is_centre_name, name, unmarked};
use super::normalise::{Line, is_letter};
use super::pattern::{matches, pattern};
use super::sections;
use crate::rules::labels::Labels;

pattern!(
    CLOSING,
    r"^(?:以 ?上|まずは|今後とも|引き続き|何卒|どうぞ|[御ご](?:査収|確認)|よろしく|宜しく|お忙しい|お手数|取り急ぎ|とりいそぎ)|(?:よろしく|宜しく)お(?:願い|ねがい)|お願い(?:いたし|致し|申し|し)|(?:取り急ぎ|とりいそぎ)|(?:下記|以下|担当)(?:まで|あて|に)?.{0,8}(?:連絡|問い?合わ?せ)|心当たり"
);
pattern!(
    PROSE,
    r"(?:。|です|ます|ません|ました|でした|ください|下さい|御中|様|か|ご報告まで|ご連絡まで|[ぁ-ん]{3}|[ぁ-ん]+[)）]?[?!]|(?:。|です|ます|ません|ました|でした|ください|下さい)[)」』\]])$"
);
pattern!(NOTE, r"^(?:※|\*|注[:意1-9 ]|\(注|\(※|なお|備考|\(備考)");
pattern!(CONTACT, r"(?i)^\(?(?:担当|tel|電話|fax|ファ|〒|住所|所在|内線|携帯|直通|氏名|責任者|℡|hp|url|http)");
pattern!(TELEPHONE, r"[0-9]{2,5}-[0-9]{1,4}-[0-9]{3,4}");
pattern!(
    PERSON,
    r"^(?:主事|主任|主査|係長|課長|局長|所長|専門官|係員|技師|担当|主幹|副主幹|参事|保健師|室長|班長|次長|部長|事務|専門員|補佐|技術|主席|統括|会計年度)[^:]{0,8}[ :]"
);
pattern!(PERSON_NAME, r"^[\p{Han}々ヶぁ-んァ-ヶー]{1,5} ?[\p{Han}々ぁ-んァ-ヶー]{1,5}(?: ?[(（][^()]*[)）])?$");
pattern!(
    REGION,
    r"^(?:県|市|区|都|府|道)?(?:[東西南北中央]{1,3}部?|[上中下]越)$|(?:地域|圏域|圏|管内|地区|ブロック|エリア|方面|管轄)\)?$"
);
/// Closing words: よろしくお願いします, 以上.
pub(super) fn is_closing(text: &str) -> bool {
    matches(&CLOSING, text)
}

/// A sentence or a form of address.
pub(super) fn is_prose(text: &str) -> bool {
    matches(&PROSE, text)
}

/// Letters of hiragana that make a line words and no name, and the length of such a line, in characters.
const SPOKEN_KANA_MIN: usize = 5;
const SPOKEN_CHARS_MIN: usize = 16;

/// Part of a sentence, wherever a mail program broke it; no name, post or address of a house.
pub(super) fn is_spoken(text: &str) -> bool {
    let kana = || text.chars().filter(|c| matches!(c, 'ぁ'..='ゖ'));
    text.chars().nth(SPOKEN_CHARS_MIN - 1).is_some() && kana().nth(SPOKEN_KANA_MIN - 1).is_some() || is_prose(text)
}

/// A note: ※, 注, 備考.
pub(super) fn is_note(text: &str, labels: &Labels) -> bool {
    // A star may also be a bullet: * 港区保健所 a@…
    text.starts_with(|c| "※*注(な備".contains(c))
        && matches(&NOTE, text)
        && (!text.starts_with('*') || !is_starred_entry(text, labels))
}

fn is_starred_entry(text: &str, labels: &Labels) -> bool {
    let before = text.split('@').next().unwrap_or(text);
    let name =
        name(before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')), labels);
    let prose = !text.contains('@') && is_prose(text);
    !prose && (is_body_name(&name) || name.is_empty() && text.contains('@'))
}

/// A person with a title: 主任 山田.
pub(super) fn is_person(text: &str) -> bool {
    matches(&PERSON, text) && !text.starts_with("担当")
}

/// A line of telephone numbers, postal addresses, persons.
pub(super) fn is_contact(text: &str) -> bool {
    matches(&CONTACT, text) || text.contains('-') && matches(&TELEPHONE, text)
}

/// The head of a table: nothing but words for columns, at least two.
pub(super) fn is_table_head(text: &str, labels: &Labels) -> bool {
    let mut cells = text.split(['\t', ' ', '|']).filter(|c| !c.is_empty()).peekable();
    let two = !text.contains('@') && text.split_whitespace().nth(1).is_some();
    two && cells.peek().is_some() && cells.all(|cell| labels.columns.contains(&cell.to_lowercase()))
}

/// A ruled line: five signs or more and no letters.
pub(super) fn is_rule(text: &str) -> bool {
    let text = text.trim();
    !text.chars().any(|c| is_letter(c) && !matches!(c, 'ー' | '一')) && text.chars().nth(4).is_some()
}

/// A line that parts a list by region and names nobody: `【県北地域】`.
pub(super) fn is_region(text: &str) -> bool {
    matches(&REGION, text) || sections::bracketed(text).is_some_and(|(_, rest)| rest.is_empty())
}

/// Does a signature without any mark begin here? The paragraph has a telephone, a postal code, a person's title or the
/// sender's own address, and its first line names a section or a person who has introduced himself in `words`, but no
/// tenant that is not `listed` yet.
pub(super) fn signature(
    lines: &[&Line<'_>],
    own: &str,
    words: &[Said],
    labels: &Labels,
    listed: impl Fn(&str) -> bool,
) -> bool {
    let paragraph: Vec<_> = lines.iter().take_while(|l| !l.text.is_empty() && l.depth == 0).take(10).collect();
    let Some(first) = paragraph.first().map(|l| unframed(&l.text)).filter(|first| !first.contains('@')) else {
        return false;
    };
    let said = || words.iter().map(|said| said.text.as_str());
    let is_own = |text: &str| !own.is_empty() && text.to_ascii_lowercase().contains(own);
    let signs = paragraph.iter().skip(1).any(|l| {
        let text = unframed(&l.text);
        is_contact(text) || matches(&PERSON, text) || is_own(text) || introduced(text, said())
    });
    if !first.contains(is_letter) && paragraph.iter().any(|l| is_own(&l.text)) {
        // --- above the sender's own address.
        return true;
    }
    let ends = ["保健所", "センター", "事務所", "支所"];
    let tenant = ends.iter().any(|end| first.trim_end_matches(')').ends_with(end));
    // A mark or a number before it: an entry of a list.
    let listed_line = unmarked(first).len() != first.len() && !is_contact(first);
    if !signs || tenant || listed_line {
        return false;
    }
    let others = paragraph.iter().skip(1).map(|l| l.text.as_str());
    if introduced(first, said()) || introduced(first, others) || is_contact(first) {
        return true;
    }
    let name = name(first, labels);
    if is_centre_name(&name) && !listed(&name) {
        return false;
    }
    first.split(':').next().is_some_and(|n| is_body_name(n) || matches(&PERSON, n))
}

/// Without the frame drawn at its left: │ 山田.
fn unframed(text: &str) -> &str {
    text.trim().trim_start_matches(['│', '┃', '║', '|']).trim_start()
}

/// A line that is nothing but the name of a person who has introduced himself.
fn introduced<'t>(line: &str, mut words: impl Iterator<Item = &'t str>) -> bool {
    matches(&PERSON_NAME, line) && !is_body_name(line.split('(').next().unwrap_or(line)) && {
        let family: String = line.chars().filter(|c| !c.is_whitespace()).take(2).collect();
        words.any(|w| w.contains(&family))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ruled_lines() {
        assert!(is_rule("----------") && is_rule("☆*:;;;;;:*☆") && is_rule("――――――――"));
        assert!(!is_rule("--- a ---") && !is_rule("---"));
    }
}
