//! RTF as it stands in winmail.dat → text: unpacked ([MS-OXRTFCP]), and read as far as letters and line ends go; where Outlook
//! has put a page into it ([MS-OXRTFEX]), the page. Linear time; what is not known is skipped.

use encoding_rs::SHIFT_JIS;

/// Groups inside groups that are told apart; deeper ones count as the one around them.
const GROUPS_MAX: usize = 100;
/// What every packed text may refer back to ([MS-OXRTFCP] §2.1.2.1).
const DICTIONARY: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// What the RTF holds.
pub(super) enum Text {
    Plain(String),
    Page(String),
}

/// Unpacks RTF up to so many bytes; `None` if it is packed in no known way.
pub(super) fn unpack(packed: &[u8], most: usize) -> Option<Vec<u8>> {
    let data = packed.get(16..)?;
    match packed.get(8..12)? {
        b"MELA" => return data.get(..data.len().min(most)).map(<[u8]>::to_vec),
        b"LZFu" => {}
        _ => return None,
    }
    let mut out = DICTIONARY.to_vec();
    let end = DICTIONARY.len() + most;
    let mut bytes = data.iter();
    'runs: while let Some(control) = bytes.next() {
        for bit in 0..8 {
            if out.len() >= end {
                break 'runs;
            }
            let Some(first) = bytes.next() else { break 'runs };
            if control >> bit & 1 == 0 {
                out.push(*first);
                continue;
            }
            let Some(second) = bytes.next() else { break 'runs };
            // A place in a ring of 4,096 bytes, and a length.
            let place = usize::from(*first) << 4 | usize::from(*second >> 4);
            let back = (out.len() % 4_096 + 4_096 - place) % 4_096;
            let Some(from) = out.len().checked_sub(back).filter(|_| back > 0) else { break 'runs };
            for at in from..from + usize::from(second & 0x0f) + 2 {
                out.push(out.get(at).copied().unwrap_or_default());
            }
        }
    }
    out.drain(..DICTIONARY.len());
    Some(out)
}

/// Reads RTF.
pub(super) fn text(rtf: &[u8]) -> Text {
    let page = rtf.windows(10).take(1_000).any(|w| w == b"\\fromhtml1");
    let mut reader = Reader { page, ..Reader::default() };
    let mut rest = rtf;
    while let [first, after @ ..] = rest {
        rest = match first {
            b'{' => reader.open(after),
            b'}' => reader.close(after),
            b'\\' => reader.control(after),
            b'\r' | b'\n' => after,
            letter => {
                reader.byte(*letter);
                after
            }
        };
    }
    reader.flush();
    if page { Text::Page(reader.out) } else { Text::Plain(reader.out) }
}

#[derive(Default)]
struct Reader {
    out: String,
    /// Bytes in the code page of the text, not decoded yet.
    bytes: Vec<u8>,
    page: bool,
    /// Of each open group: is it text? And is it a tag of the page?
    groups: Vec<(bool, bool)>,
    /// Inside what only RTF readers are to see.
    only_rtf: bool,
    /// Letters that stand for the last `\u` in readers without Unicode.
    skip: usize,
    deeper: usize,
}

impl Reader {
    fn now(&self) -> (bool, bool) {
        self.groups.last().copied().unwrap_or((true, false))
    }

    fn open<'a>(&mut self, after: &'a [u8]) -> &'a [u8] {
        self.flush();
        if self.groups.len() >= GROUPS_MAX {
            self.deeper += 1;
            return after;
        }
        let unseen: [&[u8]; 6] = [b"\\fonttbl", b"\\colortbl", b"\\stylesheet", b"\\info", b"\\pict", b"\\*"];
        let tag = self.page && after.starts_with(b"\\*\\htmltag");
        let (shown, _) = self.now();
        self.groups.push((shown && (tag || !unseen.iter().any(|word| after.starts_with(word))), tag));
        after
    }

    fn close<'a>(&mut self, after: &'a [u8]) -> &'a [u8] {
        self.flush();
        if self.deeper > 0 {
            self.deeper -= 1;
        } else {
            self.groups.pop();
        }
        after
    }

    /// What follows a backslash.
    fn control<'a>(&mut self, after: &'a [u8]) -> &'a [u8] {
        match after {
            [b'\'', high, low, rest @ ..] => {
                let digit = |c: &u8| char::from(*c).to_digit(16).and_then(|d| u8::try_from(d).ok());
                if let (Some(high), Some(low)) = (digit(high), digit(low)) {
                    self.byte(high * 16 + low);
                }
                rest
            }
            [c, rest @ ..] if !c.is_ascii_alphabetic() => {
                match c {
                    b'~' => self.byte(b' '),
                    b'{' | b'}' | b'\\' => self.byte(*c),
                    _ => {}
                }
                rest
            }
            _ => {
                let end = after.iter().position(|c| !c.is_ascii_alphabetic()).unwrap_or(after.len());
                let (word, rest) = after.split_at_checked(end).unwrap_or((after, &[]));
                let digits = rest.iter().take(8).take_while(|c| c.is_ascii_digit() || **c == b'-').count();
                let (number, rest) = rest.split_at_checked(digits).unwrap_or((&[], rest));
                self.word(word, std::str::from_utf8(number).ok().and_then(|n| n.parse().ok()));
                rest.strip_prefix(b" ").unwrap_or(rest)
            }
        }
    }

    fn word(&mut self, word: &[u8], number: Option<i32>) {
        match word {
            b"htmlrtf" => {
                self.flush();
                self.only_rtf = number != Some(0);
            }
            b"par" | b"line" | b"row" => self.push('\n'),
            b"tab" | b"cell" => self.push('\t'),
            b"u" => {
                let unit = number.and_then(|n| u32::try_from(if n < 0 { n + 0x1_0000 } else { n }).ok());
                self.push(unit.and_then(char::from_u32).unwrap_or('\u{fffd}'));
                self.skip = 1;
            }
            _ => {}
        }
    }

    fn byte(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if self.now().0 && !self.only_rtf {
            self.bytes.push(byte);
        }
    }

    fn push(&mut self, c: char) {
        self.flush();
        if self.now().0 && !self.only_rtf {
            self.out.push(c);
        }
    }

    fn flush(&mut self) {
        let (text, _) = SHIFT_JIS.decode_without_bom_handling(&self.bytes);
        if self.page && !self.now().1 {
            self.out.push_str(&text.replace('&', "&amp;").replace('<', "&lt;"));
        } else {
            self.out.push_str(&text);
        }
        self.bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rtf: &str, wanted: &str) {
        let (Text::Plain(found) | Text::Page(found)) = text(rtf.as_bytes());
        assert_eq!(found, wanted);
    }

    #[test]
    fn letters_and_line_ends() {
        check(
            r"{\rtf1\ansi{\fonttbl{\f0 MS Gothic;}}\pard\f0 \'8d\'60\'8b\'e6\tab a@x.jp\par b\\c\u28207?\par}",
            "港区\ta@x.jp\nb\\c港\n",
        );
        check(
            r"{\rtf1\fromhtml1 {\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 a<b\htmlrtf \par\htmlrtf0 {\*\htmltag72 </p>}}",
            "<p>a&lt;b</p>",
        );
        check(&"{".repeat(10_000), "");
    }

    /// A group that is not to be seen, as deep as groups are told apart and one deeper.
    #[test]
    fn groups_in_groups() {
        let hidden_below = |groups: usize| "{".repeat(groups) + r"{\*x}";
        check(&hidden_below(GROUPS_MAX - 1), "");
        check(&hidden_below(GROUPS_MAX), "x");
    }

    #[test]
    fn packed_and_not() {
        let raw = |kind: &[u8], data: &[u8]| [&[0; 8], kind, &[0; 4], data].concat();
        assert_eq!(unpack(&raw(b"MELA", b"abc"), 2).as_deref(), Some(&b"ab"[..]));
        // Two letters, then four letters back in the ring, which overlap.
        let packed = raw(b"LZFu", &[0b100, b'a', b'b', 0x0d, 0x02]);
        let at = u16::try_from(DICTIONARY.len() << 4 | 2).unwrap().to_be_bytes();
        let packed = [packed.get(..19).unwrap(), &at].concat();
        assert_eq!(unpack(&packed, 100).as_deref(), Some(&b"ababab"[..]));
        assert_eq!(unpack(b"short", 100), None);
    }
}
