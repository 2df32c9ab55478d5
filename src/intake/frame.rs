//! Watches the octets of an IMAP server before the parser sees them, and stops what the parser could not bear.
//!
//! The parser allocates what a literal announces, recurses into parentheses until the stack ends, and trusts a space
//! after a response code. It is not asked for anything that needs more than the limits here, so whatever goes beyond them
//! is an error of the server and ends the connection. The rules hold for what this program asks (UID, RFC822.SIZE, FLAGS,
//! BODY[]): a literal stands only in a FETCH response, directly in its outermost list.
//!
//! Format: RFC 3501 §4.3 (literals) and §9.

/// Longest literal: one part of a mail ([`super::PART_OCTETS`]).
const LITERAL_OCTETS_MAX: u64 = super::fetch::PART_OCTETS as u64;
/// Longest line without its literals: a SEARCH answer of some 500,000 UIDs.
const LINE_OCTETS_MAX: usize = 4 << 20;
/// Opening parentheses in one line; answers to our commands have at most four.
const PARENTHESES_MAX: u32 = 64;

/// What was over the limit, as the end of "the server sent …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct OverLimit(pub &'static str);

/// Where in a response the next octet stands.
#[derive(Debug, Default)]
pub(super) struct Frame {
    literal_left: u64,
    line: Line,
}

#[derive(Debug, Default)]
struct Line {
    octets: usize,
    opened: u32,
    closed: u32,
    previous: u8,
    /// `* 12 …`: the only kind of line that may hold a literal.
    numbered: bool,
    brace: Brace,
}

/// How much of ` {123}` + CRLF has been seen.
#[derive(Debug, Default, Clone, Copy)]
enum Brace {
    #[default]
    None,
    Open(u64),
    Closed(u64),
}

impl Frame {
    /// Takes the next octets as they came from the server.
    pub(super) fn take(&mut self, mut octets: &[u8]) -> Result<(), OverLimit> {
        while let Some((first, rest)) = octets.split_first() {
            if self.literal_left > 0 {
                let skipped = usize::try_from(self.literal_left).unwrap_or(usize::MAX).min(octets.len());
                self.literal_left -= skipped as u64;
                octets = octets.get(skipped..).unwrap_or_default();
                continue;
            }
            self.step(*first)?;
            octets = rest;
        }
        Ok(())
    }

    fn step(&mut self, octet: u8) -> Result<(), OverLimit> {
        let line = &mut self.line;
        line.octets += 1;
        if line.octets > LINE_OCTETS_MAX {
            return Err(OverLimit("a line without end"));
        }
        if line.octets == 3 && line.previous == b' ' {
            line.numbered = octet.is_ascii_digit();
        }
        if line.previous == b']' && octet >= 0x80 {
            return Err(OverLimit("a response code without a space after it"));
        }
        match octet {
            b'(' => line.opened += 1,
            b')' => line.closed += 1,
            b'\n' => return self.end_of_line(),
            _ => {}
        }
        if line.opened > PARENTHESES_MAX {
            return Err(OverLimit("parentheses nested without end"));
        }
        line.brace = line.brace.next(octet, line.previous);
        line.previous = octet;
        Ok(())
    }

    /// A line that ends in `{n}` goes on after a literal of n octets.
    fn end_of_line(&mut self) -> Result<(), OverLimit> {
        let Brace::Closed(announced) = self.line.brace else {
            self.line = Line::default();
            return Ok(());
        };
        let outermost = self.line.opened.checked_sub(self.line.closed) == Some(1);
        if announced > LITERAL_OCTETS_MAX {
            return Err(OverLimit("more octets at once than were asked for"));
        }
        if !(self.line.numbered && outermost) {
            return Err(OverLimit("a literal where none belongs"));
        }
        self.literal_left = announced;
        self.line.brace = Brace::None;
        self.line.previous = b'\n';
        Ok(())
    }
}

impl Brace {
    fn next(self, octet: u8, previous: u8) -> Self {
        match (self, octet) {
            (_, b'{') if previous == b' ' => Self::Open(0),
            (Self::Open(n), b'0'..=b'9') => Self::Open(n.saturating_mul(10).saturating_add(u64::from(octet - b'0'))),
            (Self::Open(n), b'}') if previous != b'{' => Self::Closed(n),
            (Self::Closed(n), b'\r') => Self::Closed(n),
            (Self::None | Self::Open(_) | Self::Closed(_), _) => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), OverLimit> {
        let whole = Frame::default().take(text.as_bytes());
        let mut frame = Frame::default();
        assert_eq!(text.bytes().try_for_each(|b| frame.take(&[b])), whole, "octet by octet: {text:.60}");
        whole
    }

    #[test]
    fn ordinary_answers_pass() {
        let long = format!("* 1 FETCH (UID 1 BODY[]<0> {{300}}\r\n{})\r\na1 OK done\r\n", "(".repeat(300));
        for text in [
            "* OK [CAPABILITY IMAP4rev1] ready :( {braces} {5} here\r\n",
            "* 2 FETCH (UID 4 BODY[] \"{7}\" FLAGS (\\Seen))\r\n* SEARCH 1 2 3\r\n",
            "* 1 FETCH (UID 1 BODY[] {0}\r\n BODY[TEXT] {2}\r\n((})\r\n",
            &long,
        ] {
            assert_eq!(check(text), Ok(()));
        }
    }

    #[test]
    fn what_the_parser_could_not_bear() {
        let deep = format!("* 1 FETCH (BODYSTRUCTURE {}", "(".repeat(20_000));
        let endless = format!("* SEARCH {}", "1 ".repeat(LINE_OCTETS_MAX));
        for (text, fault) in [
            ("* 1 FETCH (BODY[] {400000000}\r\n", "more octets at once than were asked for"),
            ("* 1 FETCH (BODY[] {99999999999999999999999}\r\n", "more octets at once than were asked for"),
            ("* LIST () \"/\" {400000000}\r\n", "more octets at once than were asked for"),
            ("* LIST () \"/\" {4}\r\n", "a literal where none belongs"),
            ("* 1 FETCH (X (a {4}\r\n", "a literal where none belongs"),
            ("a1 OK [READ-ONLY]済\r\n", "a response code without a space after it"),
            (&deep, "parentheses nested without end"),
            (&endless, "a line without end"),
        ] {
            assert_eq!(check(text), Err(OverLimit(fault)), "{text:.60}");
        }
    }
}
