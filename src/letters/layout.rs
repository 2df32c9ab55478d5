//! Plain text for people whose gateway leaves nothing but plain text: widths in columns (a full-width character is
//! two), folding at [`COLUMNS_MAX`], and values from outside made harmless (research/domain.md §4 "Layout").

use crate::domain::signs;
use unicode_normalization::UnicodeNormalization;

/// Widest line of a mail, in columns: 35 full-width characters.
pub(super) const COLUMNS_MAX: usize = 70;
/// Longest name printed, in characters; more becomes `…`.
pub(super) const NAME_CHARS_MAX: usize = 80;
/// A bracket of up to so many characters, such as （厚生労働省）, is not torn.
const BRACKET_CHARS_MAX: usize = 10;
/// Longest sentence, subject or quoted line printed, in characters.
pub(super) const TEXT_CHARS_MAX: usize = 240;
/// Longest line of a text staff typed, in characters; longer ones are cut.
const WRITTEN_CHARS_MAX: usize = 2_000;

/// Columns a text takes. ASCII and half-width kana are one wide, combining marks none, everything else two.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

fn width(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}' | '\u{3099}' | '\u{309a}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => 0,
        c if c.is_ascii() || ('\u{ff61}'..='\u{ff9f}').contains(&c) => 1,
        _ => 2,
    }
}

/// A value that came from a mail or a file, as one line of at most `chars_max` characters: NFC, no control or
/// direction characters, no line breaks, and nothing a mail client would turn into a link.
pub(super) fn one_line(text: &str, chars_max: usize) -> String {
    let visible = |c: &char| !(c.is_control() && !c.is_whitespace() || signs::is_invisible(*c) || *c == '\u{fffc}');
    let mut line = String::with_capacity(text.len());
    for c in text.nfc().filter(visible) {
        let blank = c.is_whitespace() && c != '\u{3000}';
        if !blank {
            line.push(c);
        } else if !line.ends_with(' ') {
            line.push(' ');
        }
    }
    let line = line.trim().replace("://", "：//");
    if line.chars().count() <= chars_max {
        return line;
    }
    line.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect()
}

/// A text people typed, line by line: every line made harmless as by [`one_line`], indents kept.
pub(super) fn text_lines(text: &str) -> String {
    let line = |line: &str| {
        let indent: String = line.chars().take_while(|c| matches!(c, ' ' | '\u{3000}')).collect();
        indent + &one_line(line.trim_start(), WRITTEN_CHARS_MAX)
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Folds every line wider than [`COLUMNS_MAX`] between words or full-width characters; continued lines keep the
/// indent, one full-width blank more after a mark such as ※. URLs and runs of ASCII are never torn. Ends in one `\n`.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + 64);
    for line in text.trim_end().split('\n') {
        fold_line(line.trim_end(), &mut folded);
        folded.push('\n');
    }
    folded
}

fn fold_line(line: &str, out: &mut String) {
    if columns(line) <= COLUMNS_MAX || line.contains("://") {
        out.push_str(line);
        return;
    }
    let mut indent: String = line.chars().take_while(|c| matches!(c, ' ' | '\u{3000}')).collect();
    match line.trim_start().chars().next() {
        Some('※' | '・' | '○' | '◇') => indent.push('\u{3000}'),
        Some('>') => indent.push_str("> "),
        _ => {}
    }
    // Whether the line being written holds anything but its indent; a break there would leave an empty line.
    let (mut at, mut begun) = (0, false);
    for piece in pieces(line) {
        if begun && at + columns(piece.trim_end()) > COLUMNS_MAX {
            let kept = out.trim_end_matches([' ', '\u{3000}']).len();
            out.truncate(kept);
            out.push('\n');
            out.push_str(&indent);
            at = columns(&indent);
            begun = false;
        }
        if !begun && at + columns(&piece) > COLUMNS_MAX {
            // Too long even for a line of its own: at least without the indent.
            let kept = out.trim_end_matches([' ', '\u{3000}']).len();
            out.truncate(kept);
            at = 0;
        }
        begun |= !piece.trim().is_empty();
        at += columns(&piece);
        out.push_str(&piece);
    }
}

/// Cuts a line where it may be broken: ASCII words and short brackets stay whole, no piece begins with a mark that may
/// not begin a line, none ends with an opening bracket (行頭・行末禁則).
fn pieces(line: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut previous = None;
    // Characters still to come of a bracket kept whole.
    let mut bracket = 0_usize;
    for (at, c) in line.char_indices() {
        let joins = bracket > 0
            || previous.is_some_and(|p: char| {
                (p.is_ascii_graphic() && c.is_ascii_graphic())
                    || c == ' '
                    || width(c) == 0
                    || "、。，．・：；？！）」』】〉》〕］｝々ーぁぃぅぇぉっゃゅょァィゥェォッャュョ".contains(c)
                    || "（「『【〈《〔［｛".contains(p)
            });
        bracket = bracket.saturating_sub(1);
        if c == '（' {
            let rest = line.get(at..).unwrap_or_default();
            bracket = bracket.max(rest.chars().take(BRACKET_CHARS_MAX).position(|c| c == '）').unwrap_or(0));
        }
        match pieces.last_mut() {
            Some(last) if joins => last.push(c),
            _ => pieces.push(c.into()),
        }
        previous = Some(c);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_from_outside_become_one_harmless_line() {
        assert_eq!(one_line("札\r\nBcc: x@y.jp\u{202e}幌\0", 80), "札 Bcc: x@y.jp幌");
        assert_eq!(one_line(" か\u{3099}く ", 80), "がく");
        assert_eq!(one_line("https://evil.example/", 80), "https：//evil.example/");
        assert_eq!(one_line("あいうえお", 3), "あい…");
        assert_eq!(one_line("", 0), "");
    }

    #[test]
    fn wide_lines_are_folded_and_words_are_not_torn() {
        let line = format!("※{}。", "あ".repeat(34));
        assert_eq!(fold(&line), format!("※{}\n　あ。\n", "あ".repeat(33)));
        let address = format!("{}@city.example.lg.jp", "a".repeat(60));
        assert_eq!(fold(&format!("保健所 {address}")), format!("保健所\n{address}\n"));
        assert_eq!(fold(&format!("　　{address}")), format!("{address}\n"));
        let title = format!("{}（厚生労働省）", "あ".repeat(30));
        assert_eq!(fold(&title), format!("{}\n（厚生労働省）\n", "あ".repeat(30)));
        let url = format!("https://example.jp/{}", "a".repeat(80));
        assert_eq!(fold(&url), format!("{url}\n"));
        assert_eq!(fold("あ  \n\nい\n\n\n"), "あ\n\nい\n");
    }
}
