//! Whose words are whose: own text, quoted lines (`>`), the mail below a reply's or forward's header block, and the
//! signature mark. Only the sender's own words count; a forwarded registration counts if nothing stands above it.

use super::normalise::Line;
use super::pattern::{matches, pattern};

/// A body taken apart. Every line stands in exactly one of the three.
#[derive(Debug, Default)]
pub(super) struct Parts<'a, 'b> {
    /// The sender's own lines, with quoted lines between them (told apart by their depth).
    pub(super) own: Vec<&'a Line<'b>>,
    /// Lines below a header block: somebody's earlier mail, answered or forwarded.
    pub(super) below: Vec<&'a Line<'b>>,
    /// All lines, whosever they are.
    pub(super) lines: usize,
    /// The block says that the mail was forwarded.
    pub(super) forwarded: bool,
    /// Quoted lines are said to be somebody's words (`… wrote:`).
    pub(super) attributed: bool,
}

pattern!(
    SEPARATOR,
    r"(?i)^[-_=*]{2,}\s*(?:original\s*message|元のメッセージ|original|転送(?:されたメール|メッセージ)?|forwarded\s*message|begin forwarded message|ここから転送)[^a-z]*"
);
pattern!(FORWARDED, r"(?i)転送|forward|begin fo");
/// The last letter of every attribution but `On … wrote: …`, which begins with an O.
const ATTRIBUTION_ENDS: [char; 8] = [':', 'e', 'E', 's', 'S', 'た', 'ル', 'ジ'];
pattern!(FROM, r"(?i)^\**(?:from|差出人|送信者|送信元|発信者)\**\s*:");
pattern!(FIELD, r"(?i)^\**(?:sent|date|送信日時|日時|送信日|日付|to|宛先|cc|subject|件名|受信者|reply-to)\**\s*:");
pattern!(
    ATTRIBUTION,
    r"(?i)(?:wrote|さんは書きました|さんが書きました|のメール|さんのメッセージ|writes)\s*:?\s*$|^\d{4}[年/-]\d{1,2}[月/-]\d{1,2}.*<[^<>\s]+@[^<>\s]+>.{0,8}:\s*$|^on .*wrote:"
);

/// Lines looked at below a `From:` for the rest of a header block.
const BLOCK_LINES: usize = 6;

/// Takes a body apart.
pub(super) fn split<'a, 'b>(lines: &'a [Line<'b>]) -> Parts<'a, 'b> {
    let mut parts = Parts { lines: lines.len(), ..Parts::default() };
    let mut index = 0;
    while let Some(line) = lines.get(index) {
        if line.depth == 0 {
            let separator = line.text.starts_with(['-', '_', '=', '*']) && matches(&SEPARATOR, &line.text);
            if separator || header_block(lines, index) {
                parts.forwarded = separator && matches(&FORWARDED, &line.text);
                parts.below = below(lines, index);
                return parts;
            }
            if attribution(lines, index) {
                parts.attributed = true;
                if !quoted_soon(lines, index) {
                    parts.below = lines.get(index + 1..).unwrap_or_default().iter().collect();
                    return parts;
                }
                index += 1;
                continue;
            }
        }
        parts.own.push(line);
        index += 1;
    }
    parts
}

/// `From:` with at least two more header lines close below.
fn header_block(lines: &[Line<'_>], index: usize) -> bool {
    let is_from = lines.get(index).is_some_and(|l| l.text.contains(':') && matches(&FROM, &l.text));
    is_from
        && lines.iter().skip(index + 1).take(BLOCK_LINES).filter(|l| l.depth == 0 && matches(&FIELD, &l.text)).count()
            >= 2
}

/// The mail below: its header lines are nobody's words.
fn below<'a, 'b>(lines: &'a [Line<'b>], index: usize) -> Vec<&'a Line<'b>> {
    let mut rest = lines.iter().skip(index).peekable();
    while let Some(line) = rest.peek() {
        let head = line.text.is_empty()
            || matches(&SEPARATOR, &line.text)
            || matches(&FROM, &line.text)
            || matches(&FIELD, &line.text);
        if !head {
            break;
        }
        rest.next();
    }
    rest.collect()
}

fn attribution(lines: &[Line<'_>], index: usize) -> bool {
    lines.get(index).is_some_and(|line| {
        let text = line.text.trim_end();
        (text.ends_with(ATTRIBUTION_ENDS) || text.starts_with(['o', 'O'])) && matches(&ATTRIBUTION, text)
            || (line.text.ends_with(':') && line.text.contains('@') && quoted_soon(lines, index))
    })
}

fn quoted_soon(lines: &[Line<'_>], index: usize) -> bool {
    lines.iter().skip(index + 1).find(|l| !l.text.is_empty() || l.depth > 0).is_some_and(|l| l.depth > 0)
}

#[cfg(test)]
mod tests {
    use super::super::normalise::lines;
    use super::*;

    fn check(body: &str, own: usize, below: usize) {
        let lines = lines(body);
        let parts = split(&lines);
        assert_eq!((parts.own.len(), parts.below.len()), (own, below), "{body}");
    }

    #[test]
    fn blocks_and_attributions() {
        check("a\n-----元のメッセージ-----\n差出人: x\n件名: y\n\nb\nc", 1, 2);
        check("a\nFrom: x <a@x.jp>\nSent: b\nTo: c\nSubject: d\nb", 1, 1);
        check("a\n2020年4月27日(月) 11:32 X <a@x.jp>:\n\n> b", 3, 0);
        check("a\nX <a@x.jp> さんは書きました:\n> b", 2, 0);
        check("From: the heart\nb", 2, 0);
    }
}
