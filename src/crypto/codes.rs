//! Codes that people read on one computer and type on another (research R2): pick-up codes and passwords.
//!
//! Alphabet: 31 letters and digits without the pairs people confuse (no 0 o, no 1 i l). Five groups of four carry 99
//! bits, three groups of four 59 bits. What comes back may be in any case and width, with any hyphen or blank.

use crate::domain::Secret;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroize;

/// The characters of a code, in the order of their values.
pub const ALPHABET: [u8; 31] = *b"23456789abcdefghjkmnpqrstuvwxyz";
/// Most characters in one code: 256 bits make 32 characters with a bias below 2^-96.
pub const CODE_CHARS_MAX: usize = 32;
/// Most characters of what somebody typed that are looked at.
pub const TYPED_CHARS_MAX: usize = 128;

/// `groups` groups of `group_len` characters joined by hyphens, `k7m2-9xqd-…`, made from 256 bits.
/// Asked for more than [`CODE_CHARS_MAX`] characters, it makes that many.
///
/// The bits are read as one number and divided by 31 again and again, so every character is as likely as any other.
pub fn typeable(bytes: &[u8; 32], groups: usize, group_len: usize) -> Secret<String> {
    let mut number = *bytes;
    // The full length at once: a growing string would leave copies of the secret behind.
    let mut code = String::with_capacity(2 * CODE_CHARS_MAX);
    for at in 0..groups.saturating_mul(group_len).min(CODE_CHARS_MAX) {
        if at > 0 && at % group_len == 0 {
            code.push('-');
        }
        let digit = usize::from(divide(&mut number));
        code.push(ALPHABET.get(digit).copied().map_or('2', char::from));
    }
    number.zeroize();
    Secret::new(code)
}

/// Divides a big-endian number by 31 in place; the remainder.
fn divide(number: &mut [u8; 32]) -> u8 {
    let mut rest = 0_u16;
    for byte in number {
        let part = (rest << 8) | u16::from(*byte);
        // part < 31 * 256, so the quotient fits a byte.
        *byte = u8::try_from(part / 31).unwrap_or(u8::MAX);
        rest = part % 31;
    }
    u8::try_from(rest).unwrap_or(0)
}

/// What somebody typed, as the bare characters of a code: any case, any width (NFKC), blanks and hyphens of every kind
/// dropped. `None` if a character is left that no code contains, if nothing is left, or if it is too long.
///
/// Compare with the canonical form of the issued code, by [`super::same`].
pub fn canonical(typed: &str) -> Option<Secret<String>> {
    if typed.chars().nth(TYPED_CHARS_MAX).is_some() {
        return None;
    }
    let mut bare = String::with_capacity(4 * TYPED_CHARS_MAX);
    bare.extend(typed.nfkc().filter(|c| !is_separator(*c)).map(|c| c.to_ascii_lowercase()));
    let bare = Secret::new(bare);
    let known = !bare.reveal().is_empty() && bare.reveal().bytes().all(|byte| ALPHABET.contains(&byte));
    known.then_some(bare)
}

/// Blanks and everything that looks like a hyphen, including the long vowel mark a Japanese keyboard makes of it.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | 'ー' | '_' | '\u{200b}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_shape_and_repeat() {
        let code = typeable(&[7; 32], 5, 4);
        assert_eq!(code.reveal().len(), 24);
        assert!(code.reveal().split('-').all(|group| group.len() == 4));
        assert!(code.reveal().bytes().all(|b| b == b'-' || ALPHABET.contains(&b)));
        assert_eq!(code.reveal(), typeable(&[7; 32], 5, 4).reveal());
        assert_ne!(code.reveal(), typeable(&[8; 32], 5, 4).reveal());
        assert_eq!(typeable(&[0; 32], 3, 4).reveal(), "2222-2222-2222");
        assert_eq!(typeable(&[1; 32], 3, 0).reveal(), "");
        assert_eq!(typeable(&[1; 32], 99, 1).reveal().len(), 2 * CODE_CHARS_MAX - 1);
    }

    #[test]
    fn every_character_is_as_likely_as_any_other() {
        let mut counts = std::collections::BTreeMap::new();
        for seed in 0..2_000_u32 {
            let bits = crate::crypto::sha256(&seed.to_be_bytes()).0;
            for c in typeable(&bits, 1, 31).reveal().chars() {
                *counts.entry(c).or_insert(0_u32) += 1;
            }
        }
        // 62,000 characters, 2,000 expected of each; five standard deviations are 220.
        assert_eq!(counts.len(), 31);
        assert!(counts.values().all(|n| n.abs_diff(2_000) < 220), "{counts:?}");
    }

    fn check(typed: &str, expected: Option<&str>) {
        assert_eq!(canonical(typed).as_ref().map(|c| c.reveal().as_str()), expected, "{typed:?}");
    }

    #[test]
    fn people_type_as_they_like() {
        check("k7m2-9xqd", Some("k7m29xqd"));
        check(" K7M2 9XQD\r\n", Some("k7m29xqd"));
        check("Ｋ７Ｍ２－９ＸＱＤ", Some("k7m29xqd"));
        check("k7m2ー9xqd", Some("k7m29xqd"));
        check("k7m2‐9xqd\u{3000}", Some("k7m29xqd"));
        check("k7m2-9xq0", None);
        check("k7m2-9xqｌ", None);
        check("札幌", None);
        check("", None);
        check(" - ", None);
        check(&"a".repeat(TYPED_CHARS_MAX + 1), None);
    }
}
