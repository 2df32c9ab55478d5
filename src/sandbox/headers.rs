//! Header fields of a raw mail, by octets: enough for SEARCH, for `BODY[HEADER]` and for quoting a mail in a bounce.
//! The daemon's own reading is elsewhere and knows more; the sandbox must not share its mistakes.

/// Header and text of a mail; the empty line between them belongs to the header (RFC 3501 §6.4.5).
pub(super) fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    let mut start = 0;
    for line in raw.split_inclusive(|b| *b == b'\n') {
        start += line.len();
        if line == b"\r\n" || line == b"\n" {
            break;
        }
    }
    raw.split_at_checked(start).unwrap_or((raw, &[]))
}

/// Each field with its folded lines and line ends, in order.
pub(super) fn fields(raw: &[u8]) -> Vec<Vec<u8>> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for line in split(raw).0.split_inclusive(|b| *b == b'\n') {
        let folded = line.first().is_some_and(|b| *b == b' ' || *b == b'\t');
        match fields.last_mut() {
            Some(field) if folded => field.extend_from_slice(line),
            _ if line == b"\r\n" || line == b"\n" => {}
            _ => fields.push(line.to_vec()),
        }
    }
    fields
}

/// Whether a field as given by [`fields`] has this name.
pub(super) fn is_named(field: &[u8], name: &[u8]) -> bool {
    let end = field.iter().position(|b| *b == b':').unwrap_or(0);
    field.get(..end).is_some_and(|found| found.trim_ascii().eq_ignore_ascii_case(name))
}

/// Value of the first field of this name, on one line.
pub(super) fn value(raw: &[u8], name: &str) -> Option<Vec<u8>> {
    let field = fields(raw).into_iter().find(|field| is_named(field, name.as_bytes()))?;
    let start = field.iter().position(|b| *b == b':')? + 1;
    let unfolded: Vec<u8> = field.get(start..)?.iter().filter(|b| **b != b'\r' && **b != b'\n').copied().collect();
    Some(unfolded.trim_ascii().to_vec())
}

/// Whether `needle` occurs, ASCII letters compared without case.
pub(super) fn contains(hay: &[u8], needle: &[u8]) -> bool {
    needle.is_empty() || hay.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_fields_are_one() {
        let raw = b"Subject: one\r\n two\r\nFROM : a@b.jp\r\n\r\nSubject: no\r\n";
        assert_eq!(value(raw, "subject").unwrap(), b"one two");
        assert_eq!(value(raw, "From").unwrap(), b"a@b.jp");
        assert_eq!(value(raw, "To"), None);
        assert_eq!(split(raw).1, b"Subject: no\r\n");
        assert_eq!(split(b"no header"), (b"no header".as_slice(), b"".as_slice()));
    }

    #[test]
    fn search_is_without_case() {
        assert!(contains(b"Hello", b"hELL"));
        assert!(contains(b"x", b""));
        assert!(!contains(b"Hello", b"hello!"));
    }
}
