//! Raw bytes → text. Labels lie in Japanese mail, so the order of trust is: byte order mark; an ISO-2022 escape sequence;
//! UTF-8 that spells Japanese; the label, if the bytes bear it out; Shift_JIS against EUC-JP by what they spell.
//!
//! ISO-2022-JP goes through EUC-JP: the WHATWG decoder turns redundant escapes, SO/SI kana and JIS X 0212 into U+FFFD, all
//! of which real mailers send. Source: RFC 1468, RFC 2237, code pages 50220 to 50222; measured in research/dependencies §3.

use encoding_rs::{EUC_JP, Encoding, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};

/// Decoded text and how sure it is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) text: String,
    /// The label was missing or said something else; the text is sure all the same.
    pub(super) mislabelled: bool,
    /// Some bytes stand for no character.
    pub(super) doubt: bool,
    /// What the bytes were read as, by name.
    pub(super) encoding: &'static str,
}

/// The name of ISO-2022-JP with all its relatives.
const JIS: &str = "ISO-2022-JP";

/// Decodes `bytes`, which say they are in `label`.
pub(super) fn decode(bytes: &[u8], label: Option<&str>) -> Decoded {
    let label = label.map(resolve);
    if let Some((encoding, rest)) = byte_order_mark(bytes) {
        return with(encoding, rest, false);
    }
    if has_escape(bytes) {
        let honest = matches!(label, Some(Label::Jis));
        return Decoded { encoding: JIS, ..with(EUC_JP, &jis_to_euc(bytes), !honest) };
    }
    if bytes.is_ascii() && !(label == Some(Label::Jis) && bytes.contains(&SHIFT_OUT)) {
        return Decoded {
            text: String::from_utf8_lossy(bytes).into_owned(),
            encoding: "US-ASCII",
            ..Decoded::default()
        };
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && (label == Some(Label::Is(UTF_8)) || japanese(text))
    {
        let mislabelled = label != Some(Label::Is(UTF_8));
        return Decoded { text: text.to_owned(), mislabelled, doubt: false, encoding: UTF_8.name() };
    }
    match label {
        Some(Label::Is(encoding)) if ![UTF_8, SHIFT_JIS, EUC_JP].contains(&encoding) => contest(encoding, bytes),
        Some(Label::Is(encoding)) if clean(encoding, bytes) => with(encoding, bytes, false),
        Some(Label::Jis) if !plausible(SHIFT_JIS, bytes) && !plausible(EUC_JP, bytes) => {
            Decoded { encoding: JIS, ..with(EUC_JP, &jis_to_euc(bytes), false) }
        }
        Some(Label::Is(_) | Label::Jis | Label::Meaningless) | None => guess(bytes),
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Label {
    Is(&'static Encoding),
    Jis,
    /// us-ascii, iso-8859-1 and unknown names: every byte string bears them out, so they prove nothing.
    Meaningless,
}

/// The label table: what mailers call the Japanese encodings.
fn resolve(label: &str) -> Label {
    let label = label.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    match label.as_str() {
        "cp932" | "x-ms-cp932" | "ms932" | "ms_kanji" | "mskanji" | "cswindows31j" | "windows-31j" | "sjis"
        | "x-sjis" | "shift-jis" | "shift_jis" | "shiftjis" | "x-shift-jis" | "shift_jisx0213" => Label::Is(SHIFT_JIS),
        "eucjp" | "euc-jp" | "x-euc-jp" | "x-euc" | "eucjp-ms" | "eucjp-win" | "euc-jp-ms" | "cp51932" | "ujis"
        | "euc_jp" => Label::Is(EUC_JP),
        "us-ascii" | "ascii" | "ansi_x3.4-1968" | "iso-8859-1" | "latin1" | "iso-8859-15" | "windows-1252"
        | "unknown-8bit" | "x-unknown" | "" => Label::Meaningless,
        other if other.starts_with("iso-2022-jp") || other.starts_with("iso2022") || other.starts_with("cp5022") => {
            Label::Jis
        }
        "csiso2022jp" | "x-windows-iso2022jp" | "jis" | "x-iso-2022-jp" => Label::Jis,
        other => Encoding::for_label(other.as_bytes()).map_or(Label::Meaningless, Label::Is),
    }
}

fn byte_order_mark(bytes: &[u8]) -> Option<(&'static Encoding, &[u8])> {
    let marks: [(&[u8], &'static Encoding); 3] =
        [(&[0xef, 0xbb, 0xbf], UTF_8), (&[0xfe, 0xff], UTF_16BE), (&[0xff, 0xfe], UTF_16LE)];
    marks.into_iter().find_map(|(mark, encoding)| Some((encoding, bytes.strip_prefix(mark)?)))
}

fn with(encoding: &'static Encoding, bytes: &[u8], mislabelled: bool) -> Decoded {
    let (text, doubt) = encoding.decode_without_bom_handling(bytes);
    Decoded { text: text.into_owned(), mislabelled, doubt, encoding: encoding.name() }
}

fn clean(encoding: &'static Encoding, bytes: &[u8]) -> bool {
    encoding.decode_without_bom_handling_and_without_replacement(bytes).is_some()
}

/// Decodes without error into something that spells Japanese.
fn plausible(encoding: &'static Encoding, bytes: &[u8]) -> bool {
    encoding.decode_without_bom_handling_and_without_replacement(bytes).is_some_and(|text| japanese(&text))
}

/// Bytes, and characters, by which encodings are told apart: the rest of a long text is in the one its beginning is in.
const SAMPLE: usize = 16 * 1024;

/// A label of another language (`gb2312` from an English-language Outlook): nearly every text decodes under it, so what
/// spells the better Japanese counts.
fn contest(labelled: &'static Encoding, bytes: &[u8]) -> Decoded {
    let spelt = |encoding: &'static Encoding| {
        let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
        let foreign = i64::try_from(text.chars().take(SAMPLE).filter(|c| !c.is_ascii() && !in_jis(*c)).count())
            .unwrap_or(i64::MAX);
        let worth = score(&text).saturating_sub(foreign.saturating_mul(FOREIGN_COST));
        Some((worth, encoding == labelled, encoding))
    };
    match [labelled, SHIFT_JIS, EUC_JP].into_iter().filter_map(spelt).max_by_key(|(worth, own, _)| (*worth, *own)) {
        Some((worth, own, encoding)) => Decoded { doubt: worth < 0, ..with(encoding, bytes, !own) },
        None => guess(bytes),
    }
}

/// What a character outside the Japanese sets takes from the worth of a text.
const FOREIGN_COST: i64 = 6;

fn in_jis(c: char) -> bool {
    let mut buffer = [0; 4];
    !SHIFT_JIS.encode(c.encode_utf8(&mut buffer)).2
}

/// No usable label: the encoding whose text reads most like Japanese; UTF-8 with replacement if none does.
fn guess(bytes: &[u8]) -> Decoded {
    let best = [SHIFT_JIS, EUC_JP]
        .into_iter()
        .filter_map(|e| Some((e, e.decode_without_bom_handling_and_without_replacement(bytes)?)))
        .max_by_key(|(_, text)| score(text));
    match best {
        Some((encoding, text)) if japanese(&text) => with(encoding, bytes, true),
        Some(_) | None => {
            if std::str::from_utf8(bytes).is_ok() {
                return Decoded { doubt: true, ..with(UTF_8, bytes, true) };
            }
            let sample = bytes.get(..SAMPLE).unwrap_or(bytes);
            let reads = |e: &&'static Encoding| score(&e.decode_without_bom_handling(sample).0);
            let likely = [UTF_8, SHIFT_JIS, EUC_JP].into_iter().max_by_key(reads).unwrap_or(UTF_8);
            Decoded { doubt: true, ..with(likely, bytes, true) }
        }
    }
}

/// Kana and ideographs count for, half-width kana and oddities against.
fn score(text: &str) -> i64 {
    text.chars().take(SAMPLE).filter(|c| !c.is_ascii()).map(weight).sum()
}

fn weight(c: char) -> i64 {
    match c {
        '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fe}' => 3,
        '\u{4e00}'..='\u{9fff}' | '\u{3000}'..='\u{303f}' | '\u{ff01}'..='\u{ff5e}' => 2,
        '\u{ff61}'..='\u{ff9f}' => -1,
        '\u{fffd}' => -20,
        '\u{2000}'..='\u{2fff}' | '\u{3200}'..='\u{33ff}' | '\u{f900}'..='\u{faff}' | '\u{ffe0}'..='\u{ffe6}' => 0,
        _ => -3,
    }
}

/// Most of what is not ASCII is Japanese.
fn japanese(text: &str) -> bool {
    let (mut yes, mut no) = (0_u32, 0_u32);
    for c in text.chars().filter(|c| !c.is_ascii()) {
        match c {
            '\u{2000}'..='\u{33ff}'
            | '\u{3400}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{fe30}'..='\u{fe4f}'
            | '\u{ff00}'..='\u{ffef}'
            | '\u{20000}'..='\u{323af}'
            | '\u{feff}'
            | '\u{a0}'
            | '\u{d7}' => yes += 1,
            _ => no += 1,
        }
    }
    yes > no * 4
}

const ESCAPE: u8 = 0x1b;
const SHIFT_OUT: u8 = 0x0e;
const SHIFT_IN: u8 = 0x0f;

fn has_escape(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| matches!(pair, [ESCAPE, b'$' | b'(' | b'&']))
}

#[derive(Clone, Copy, PartialEq)]
enum Set {
    Single,
    Kana,
    X0208,
    X0212,
}

/// ISO-2022-JP with all its relatives → EUC-JP bytes; what is no JIS passes through.
fn jis_to_euc(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let (mut set, mut shifted, mut rest) = (Set::Single, false, bytes);
    while let [first, tail @ ..] = rest {
        if let Some((next, after)) = escape(rest) {
            (set, rest) = (next.unwrap_or(set), after);
            continue;
        }
        match (*first, set, tail) {
            (SHIFT_OUT, _, _) => (shifted, rest) = (true, tail),
            (SHIFT_IN, _, _) => (shifted, rest) = (false, tail),
            (b'\n', Set::X0208 | Set::X0212, _) => {
                out.push(b'\n');
                rest = tail;
                if !continues(rest) {
                    set = Set::Single;
                }
            }
            (a @ 0x21..=0x7e, Set::X0208 | Set::X0212, [b @ 0x21..=0x7e, after @ ..]) if !shifted => {
                if set == Set::X0212 {
                    out.push(0x8f);
                }
                out.extend([a | 0x80, b | 0x80]);
                rest = after;
            }
            (c @ 0x21..=0x5f, _, _) if shifted || set == Set::Kana => {
                out.extend([0x8e, c | 0x80]);
                rest = tail;
            }
            (c @ 0xa1..=0xdf, _, _) => {
                out.extend([0x8e, c]);
                rest = tail;
            }
            (c, _, _) => {
                out.push(c);
                rest = tail;
            }
        }
    }
    out
}

/// An escape sequence at the start: the set it calls (`None`: unknown, skipped) and what follows.
fn escape(bytes: &[u8]) -> Option<(Option<Set>, &[u8])> {
    match bytes {
        [ESCAPE, b'$', b'(', b'D', rest @ ..] => Some((Some(Set::X0212), rest)),
        [ESCAPE, b'$', b'@' | b'B', rest @ ..] | [ESCAPE, b'$', b'(', b'@' | b'B' | b'O' | b'P' | b'Q', rest @ ..] => {
            Some((Some(Set::X0208), rest))
        }
        [ESCAPE, b'(', b'I', rest @ ..] => Some((Some(Set::Kana), rest)),
        [ESCAPE, b'(', b'B' | b'J' | b'H', rest @ ..] => Some((Some(Set::Single), rest)),
        [ESCAPE, b'&', b'@', rest @ ..] => Some((None, rest)),
        _ => None,
    }
}

/// After a line that did not return to ASCII (against RFC 1468): does the next line go on in two bytes? It does not
/// if it holds a blank, an odd number of bytes, or opens with an escape of its own.
fn continues(rest: &[u8]) -> bool {
    let end = rest.iter().position(|b| matches!(*b, b'\r' | b'\n' | ESCAPE)).unwrap_or(rest.len());
    let line = rest.get(..end).unwrap_or_default();
    !line.is_empty() && line.len() % 2 == 0 && !line.contains(&b' ') && !line.contains(&b'@')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], label: Option<&str>, text: &str, mislabelled: bool) {
        let found = decode(bytes, label);
        assert_eq!(found, Decoded { text: text.into(), mislabelled, doubt: false, encoding: found.encoding });
    }

    #[test]
    fn japanese_in_every_dress() {
        let (sjis, _, _) = SHIFT_JIS.encode("①港区保健所㈱");
        let (euc, _, _) = EUC_JP.encode("港区保健所");
        check("港区".as_bytes(), Some("utf-8"), "港区", false);
        check("\u{feff}港区".as_bytes(), None, "港区", false);
        check("港区".as_bytes(), Some("iso-8859-1"), "港区", true);
        check(&sjis, Some("cp932"), "①港区保健所㈱", false);
        check(&sjis, None, "①港区保健所㈱", true);
        check(&sjis, Some("utf-8"), "①港区保健所㈱", true);
        check(&euc, Some("ujis"), "港区保健所", false);
        check(&euc, Some("us-ascii"), "港区保健所", true);
        check(&sjis, Some("gb2312"), "①港区保健所㈱", true);
        check(&euc, Some("big5"), "港区保健所", true);
        let (gbk, _, _) = encoding_rs::GBK.encode("港区の保健所です。");
        check(&gbk, Some("gb2312"), "港区の保健所です。", false);
        check(b"\xce\xb9\xdd\xbc\xde\xae", Some("shift_jis"), "ﾎｹﾝｼﾞｮ", false);
    }

    #[test]
    fn jis_and_its_relatives() {
        check(b"\x1b$B9A6h\x1b(B a", Some("ISO-2022-JP"), "港区 a", false);
        check(b"\x1b$B9A\x1b(B\x1b$B6h\x1b(B", Some("utf-8"), "港区", true);
        check(b"\x1b(IN9]\x1b(B", Some("cp50221"), "ﾎｹﾝ", false);
        check(b"\x0eN9]\x0f", Some("cp50222"), "ﾎｹﾝ", false);
        check(b"\x1b$B9A6h\nhoken@city.jp", Some("iso-2022-jp"), "港区\nhoken@city.jp", false);
    }

    #[test]
    fn broken_bytes_are_doubtful_not_fatal() {
        assert!(decode(b"\xff\xff\x80\x81 \xf0\x28", None).doubt);
    }
}
