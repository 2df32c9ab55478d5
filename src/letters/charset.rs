//! Which characters old mail systems can show, and ISO-2022-JP (RFC 1468) in its strict sense: ASCII and JIS X 0208.
//!
//! encoding_rs alone will not do (measured, research/domain.md §6.3): it writes `&#8212;` for what it cannot map, uses
//! NEC and IBM extensions nobody registered (①, 髙), turns half-width kana into full-width silently, and knows the wave
//! dash and the minus sign only by their Microsoft twins. Here such a text gives `None` and the caller sends UTF-8.

use encoding_rs::ISO_2022_JP;

/// The text in ISO-2022-JP, or `None` if a character has no place in ASCII or JIS X 0208.
pub fn iso_2022_jp(text: &str) -> Option<Vec<u8>> {
    if text.chars().any(|c| ('\u{ff61}'..='\u{ff9f}').contains(&c)) {
        return None;
    }
    let twins: String = text.chars().map(microsoft_twin).collect();
    let (bytes, _, unmappable) = ISO_2022_JP.encode(&twins);
    (!unmappable && is_strict(&bytes)).then(|| bytes.into_owned())
}

/// Characters of the text that strict ISO-2022-JP does not have, each once, in order of appearance.
pub fn outside_jis(text: &str) -> Vec<char> {
    let mut found = Vec::new();
    for c in text.chars().filter(|c| !c.is_ascii()) {
        if !found.contains(&c) && iso_2022_jp(c.encode_utf8(&mut [0; 4])).is_none() {
            found.push(c);
        }
    }
    found
}

/// The same JIS X 0208 cell under the name the WHATWG table gives it.
fn microsoft_twin(c: char) -> char {
    match c {
        '\u{301c}' => '\u{ff5e}', // wave dash, 0x2141
        '\u{2016}' => '\u{2225}', // double vertical line, 0x2142
        '\u{2212}' => '\u{ff0d}', // minus sign, 0x215D
        '\u{a2}' => '\u{ffe0}',
        '\u{a3}' => '\u{ffe1}',
        '\u{ac}' => '\u{ffe2}',
        '\u{a5}' => '\u{ffe5}',
        _ => c,
    }
}

/// Only `ESC ( B` and `ESC $ B`, and in the latter only the rows JIS X 0208 fills: 1 to 8 and 16 to 84.
fn is_strict(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let mut double = false;
    loop {
        rest = match rest {
            [] => return !double,
            [0x1b, b'$', b'B', tail @ ..] => {
                double = true;
                tail
            }
            [0x1b, b'(', b'B', tail @ ..] => {
                double = false;
                tail
            }
            [0x1b, ..] => return false,
            [row, _, tail @ ..] if double => match row.wrapping_sub(0x20) {
                1..=8 | 16..=84 => tail,
                _ => return false,
            },
            [_] if double => return false,
            [_, tail @ ..] => tail,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_characters_only() {
        for good in ["港区", "abc\r\n", "〜", "～", "−", "－", "―", "竈檮鰺葛祇", "凜", "℃※○◆【】"]
        {
            assert!(iso_2022_jp(good).is_some(), "{good}");
        }
        for bad in ["—", "①", "Ⅰ", "№", "㈱", "髙", "﨑", "ｱ", "𠮷", "葛\u{e0100}", "©", "🙂", "\u{1b}$B"]
        {
            assert!(iso_2022_jp(bad).is_none(), "{bad}");
        }
        assert_eq!(outside_jis("髙橋—髙島"), ['髙', '—']);
        assert_eq!(iso_2022_jp("〜−").unwrap(), b"\x1b$B!A!]\x1b(B");
    }
}
