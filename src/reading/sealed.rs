//! S/MIME that is not read without opening it (application/pkcs7-mime, RFC 8551 §3.5, RFC 5652): what is only signed is
//! opened without checking the signature, which proves nothing here; what is encrypted stays closed.
//!
//! Mail programs write BER with lengths left open and strings in pieces, which readers of DER refuse; so the few elements on
//! the way to the content are read here. Limits: [`NESTING_MAX`]; never more out than in.

/// Elements inside elements that are followed.
const NESTING_MAX: usize = 16;

const SEQUENCE: u8 = 0x30;
const STRING: u8 = 0x04;
const STRING_IN_PIECES: u8 = 0x24;
const CONTENT: u8 = 0xa0;
const OBJECT_ID: u8 = 0x06;
/// pkcs-7 2 (RFC 5652 §5.1).
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

/// The mail inside a signature; `None`: encrypted, compressed, only certificates, or damaged.
pub(super) fn signed(bytes: &[u8]) -> Option<Vec<u8>> {
    let (content_info, _) = inside(bytes, SEQUENCE)?;
    let (kind, rest) = inside(content_info, OBJECT_ID)?;
    if kind != SIGNED_DATA {
        return None;
    }
    let (explicit, _) = inside(rest, CONTENT)?;
    let (signed_data, _) = inside(explicit, SEQUENCE)?;
    // The version and the digests; then what is signed.
    let rest = behind(behind(signed_data, 0)?, 0)?;
    let (encapsulated, _) = inside(rest, SEQUENCE)?;
    let (explicit, _) = inside(behind(encapsulated, 0)?, CONTENT)?;
    let mut out = Vec::new();
    string(explicit, &mut out, 0)?;
    Some(out)
}

/// Tag, whether the length is given, what is inside (up to the end of the input where it is not), and what follows.
fn element(input: &[u8]) -> Option<(u8, bool, &[u8], &[u8])> {
    let (tag, rest) = input.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0x80 => return Some((*tag, false, rest, &[])),
        0..=0x7f => (usize::from(*first), rest),
        _ => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length =
                digits.iter().try_fold(0_usize, |sum, digit| sum.checked_mul(256)?.checked_add((*digit).into()))?;
            (length, rest)
        }
    };
    // A mail cut off: what is there.
    let (inside, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    Some((*tag, true, inside, rest))
}

/// What is inside the next element, which must be of this kind, and what follows if its length is given.
fn inside(input: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, _, inside, rest) = element(input)?;
    (tag == wanted).then_some((inside, rest))
}

/// What follows the next element.
fn behind(input: &[u8], depth: usize) -> Option<&[u8]> {
    let (_, given, inside, rest) = element(input)?;
    if given {
        return Some(rest);
    }
    if depth >= NESTING_MAX {
        return None;
    }
    let mut rest = inside;
    while !rest.starts_with(&[0, 0]) {
        rest = behind(rest, depth + 1)?;
    }
    rest.get(2..)
}

/// Adds a string's bytes, whole or in pieces; what follows it.
fn string<'a>(input: &'a [u8], out: &mut Vec<u8>, depth: usize) -> Option<&'a [u8]> {
    let (tag, given, inside, rest) = element(input)?;
    match tag {
        STRING => out.extend(inside),
        STRING_IN_PIECES if depth < NESTING_MAX => {
            let mut pieces = inside;
            while !pieces.is_empty() && !pieces.starts_with(&[0, 0]) {
                pieces = string(pieces, out, depth + 1)?;
            }
            if !given {
                return Some(pieces.get(2..).unwrap_or_default());
            }
        }
        _ => return None,
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(content: &[u8]) -> Vec<u8> {
        let wrap = |tag: u8, inside: &[u8]| [&[tag, 0x80], inside, &[0, 0]].concat();
        let id = [&[OBJECT_ID, 9], SIGNED_DATA].concat();
        let data = [&[OBJECT_ID, 9][..], &SIGNED_DATA[..8], &[1]].concat();
        let encapsulated = wrap(SEQUENCE, &[data, wrap(CONTENT, content)].concat());
        let digests = wrap(0x31, &wrap(SEQUENCE, &[5, 0]));
        let signed = wrap(SEQUENCE, &[vec![2, 1, 1], digests, encapsulated].concat());
        wrap(SEQUENCE, &[id, wrap(CONTENT, &signed)].concat())
    }

    #[test]
    fn strings_whole_and_in_pieces() {
        assert_eq!(signed(&sealed(&[STRING, 2, b'a', b'b'])).as_deref(), Some(&b"ab"[..]));
        let pieces =
            [STRING_IN_PIECES, 0x80, STRING, 1, b'a', STRING_IN_PIECES, 3, STRING, 1, b'b', STRING, 1, b'c', 0, 0];
        assert_eq!(signed(&sealed(&pieces)).as_deref(), Some(&b"abc"[..]));
        let nested = |n: usize| {
            let pieces = [[STRING_IN_PIECES, 0x80].repeat(n), vec![STRING, 1, b'a'], [0, 0].repeat(n)].concat();
            signed(&sealed(&pieces))
        };
        assert_eq!(nested(NESTING_MAX).as_deref(), Some(&b"a"[..]));
        assert_eq!(nested(NESTING_MAX + 1), None);
        let deep = [STRING_IN_PIECES, 0x80].repeat(100_000);
        assert_eq!(signed(&sealed(&deep)), None);
        assert_eq!(signed(&[SEQUENCE, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(behind(&[SEQUENCE, 0x80].repeat(100_000), 0), None);
    }
}
