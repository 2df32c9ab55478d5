//! Modified UTF-7 for mailbox names (RFC 3501 §5.1.3), and the base64 it shares with SASL (RFC 4648 §4).

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const MAILBOX: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// A mailbox name for the wire: `処理済み` becomes `&UeZ0Bm4IMH8-`.
pub fn encode(name: &str) -> String {
    let mut wire = String::with_capacity(name.len());
    let mut run: Vec<u8> = Vec::new();
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            close(&mut run, &mut wire);
            wire.push(c);
            if c == '&' {
                wire.push('-');
            }
        } else {
            let mut units = [0u16; 2];
            run.extend(c.encode_utf16(&mut units).iter().flat_map(|u| u.to_be_bytes()));
        }
    }
    close(&mut run, &mut wire);
    wire
}

fn close(run: &mut Vec<u8>, wire: &mut String) {
    if !run.is_empty() {
        wire.push('&');
        wire.push_str(&digits(run, MAILBOX));
        wire.push('-');
        run.clear();
    }
}

/// Standard base64 with padding.
pub(super) fn base64(octets: &[u8]) -> String {
    let mut text = digits(octets, STANDARD);
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

fn digits(octets: &[u8], alphabet: &[u8; 64]) -> String {
    // The final capacity at once: a growing buffer would leave copies of a password behind.
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    for group in octets.chunks(3) {
        let mut padded = [0u8; 4];
        for (to, from) in padded.iter_mut().skip(1).zip(group) {
            *to = *from;
        }
        let bits = u32::from_be_bytes(padded);
        for place in 0..=group.len() {
            let index = (bits >> (18 - 6 * place)) & 63;
            text.push(alphabet.get(index as usize).copied().map_or('=', char::from));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_on_the_wire() {
        for (name, wire) in [
            ("INBOX", "INBOX"),
            ("処理済み", "&UeZ0Bm4IMH8-"),
            ("INBOX.処理済み/済", "INBOX.&UeZ0Bm4IMH8-/&bgg-"),
            ("R&D", "R&-D"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("😀", "&2D3eAA-"),
            ("a\u{9}b", "a&AAk-b"),
            ("", ""),
        ] {
            assert_eq!(encode(name), wire);
        }
    }

    #[test]
    fn base64_of_rfc4648() {
        for (octets, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(octets.as_bytes()), text);
        }
    }
}
