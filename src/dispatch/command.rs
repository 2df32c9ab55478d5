//! The envelope commands of one letter, with the parameters this server offers to understand; and the line ends of what
//! follows them.

use crate::domain::MailAddress;
use std::borrow::Cow;
use std::fmt::Write as _;

/// What the server offers (EHLO keywords, any case).
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "four independent keywords of one reply")]
pub(super) struct Offers {
    pub(super) pipelining: bool,
    dsn: bool,
    eight_bit: bool,
    size: bool,
}

impl Offers {
    pub(super) fn new<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut offers = Self::default();
        for line in lines.skip(1) {
            match line.split_whitespace().next().unwrap_or("").to_ascii_uppercase().as_str() {
                "PIPELINING" => offers.pipelining = true,
                "DSN" => offers.dsn = true,
                "8BITMIME" => offers.eight_bit = true,
                "SIZE" => offers.size = true,
                _ => {}
            }
        }
        offers
    }

    /// RFC 1870 (SIZE), 6152 (BODY), 3461 §4.3 and §4.4 (RET, ENVID: the tag in the envelope address).
    pub(super) fn mail(self, from: &MailAddress, bytes: &[u8]) -> String {
        let mut command = format!("MAIL FROM:<{}>", from.as_str());
        if self.size {
            let _ = write!(command, " SIZE={}", bytes.len());
        }
        if self.eight_bit && !bytes.is_ascii() {
            command += " BODY=8BITMIME";
        }
        if self.dsn {
            let _ = write!(command, " RET=HDRS ENVID={}", xtext(from.local()));
        }
        command + "\r\n"
    }

    /// RFC 3461 §4.1: no report when all is well.
    pub(super) fn rcpt(self, to: &MailAddress) -> String {
        let notify = if self.dsn { " NOTIFY=FAILURE,DELAY" } else { "" };
        format!("RCPT TO:<{}>{notify}\r\n", to.as_str())
    }
}

/// RFC 3461 §4: printable ASCII but `+` and `=`, the rest as `+XX`.
fn xtext(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_graphic() && byte != b'+' && byte != b'=' {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "+{byte:02X}");
        }
        out
    })
}

/// RFC 5321 §2.3.8: CR and LF only together.
pub(super) fn crlf_only(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut previous = 0;
    let bare = |byte: u8, previous: u8| (byte == b'\n') != (previous == b'\r');
    let clean = bytes.iter().all(|&byte| !bare(byte, std::mem::replace(&mut previous, byte))) && previous != b'\r';
    if clean {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    let mut rest = bytes.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b'\r' => {
                rest.next_if_eq(&b'\n');
                out.extend(b"\r\n");
            }
            b'\n' => out.extend(b"\r\n"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 6] = ["relay.example.jp", "pipelining", "SIZE 10240000", "8BITMIME", "DSN", "AUTH PLAIN LOGIN"];

    #[test]
    fn parameters_only_where_offered() {
        let from: MailAddress = "bounce+131032-00=n1@example.jp".parse().unwrap();
        let to: MailAddress = "a..b.@docomo.ne.jp".parse().unwrap();
        let none = Offers::new(["relay.example.jp"].into_iter());
        assert_eq!(none.mail(&from, "あ".as_bytes()), "MAIL FROM:<bounce+131032-00=n1@example.jp>\r\n");
        assert_eq!(none.rcpt(&to), "RCPT TO:<a..b.@docomo.ne.jp>\r\n");
        let all = Offers::new(ALL.into_iter());
        assert!(all.pipelining);
        assert_eq!(
            all.mail(&from, "あ".as_bytes()),
            "MAIL FROM:<bounce+131032-00=n1@example.jp> SIZE=3 BODY=8BITMIME RET=HDRS ENVID=bounce+2B131032-00+3Dn1\r\n"
        );
        assert!(!all.mail(&from, b"a").contains("BODY"));
        assert_eq!(all.rcpt(&to), "RCPT TO:<a..b.@docomo.ne.jp> NOTIFY=FAILURE,DELAY\r\n");
    }

    #[test]
    fn every_line_ends_with_crlf() {
        let check = |from: &str, to: &str| assert_eq!(crlf_only(from.as_bytes()), to.as_bytes(), "{from:?}");
        check("a\r\nb\r\n", "a\r\nb\r\n");
        check("", "");
        check("a\n.\nb", "a\r\n.\r\nb");
        check("a\r.\rb\r", "a\r\n.\r\nb\r\n");
        check("a\r\r\n\n", "a\r\n\r\n\r\n");
        assert!(matches!(crlf_only(b"a\r\n\r\n"), Cow::Borrowed(_)));
        assert!(matches!(crlf_only(b"a\n"), Cow::Owned(_)));
    }
}
