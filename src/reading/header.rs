//! Header fields: unfolding, encoded words (RFC 2047, joined before decoding, because mailers cut characters in two),
//! address lists (RFC 5322 §3.4) and file names (RFC 2183, RFC 2231). Works on raw bytes; never fails.

use super::charset;
use crate::domain::{MailAddress, signs};

/// Most addresses taken from one field; a longer list is cut.
pub const ADDRESSES_MAX: usize = 200;
/// Longest field looked at, in bytes; the rest is cut.
pub const FIELD_BYTES_MAX: usize = 32 * 1024;
/// Longest text of a field (subject, name of a person or file), in characters; the rest is cut.
pub const TEXT_CHARS_MAX: usize = 1_000;
/// Parameters of one field that are looked at; a file name in more pieces is cut.
pub const PARAMETERS_MAX: usize = 50;
/// Longest encoded word taken, in bytes (RFC 2047 §2 allows 75; some mailers do not care).
const WORD_BYTES_MAX: usize = 4096;

/// The readable text of an unstructured field.
pub(super) fn text(raw: &[u8]) -> String {
    clean(&words(&unfold(raw)))
}

/// The addresses of a structured field, each with its display name.
pub(super) fn addresses(raw: &[u8]) -> Vec<(Option<String>, MailAddress)> {
    let raw = unfold(raw);
    let text = if raw.is_ascii() && !raw.contains(&0x1b) {
        String::from_utf8_lossy(&raw).into_owned()
    } else {
        charset::decode(&raw, None).text
    };
    split_list(&text).into_iter().take(ADDRESSES_MAX).filter_map(|item| mailbox(&item)).collect()
}

/// A file name from Content-Disposition or Content-Type, without control characters.
pub(super) fn file_name(raw: &[u8]) -> Option<String> {
    if !raw.windows(4).any(|four| four.eq_ignore_ascii_case(b"name")) {
        return None;
    }
    let raw = unfold(raw);
    let fields = charset::decode(&raw, None).text;
    let params: Vec<(String, String)> = split_params(&fields);
    ["filename", "name"]
        .iter()
        .find_map(|key| {
            extended(&params, key).or_else(|| params.iter().find(|(k, _)| k == key).map(|(_, v)| words(v.as_bytes())))
        })
        .map(|name| clean(&name))
        .filter(|name| !name.is_empty())
}

/// One line without folds (RFC 5322 §2.2.3).
fn unfold(raw: &[u8]) -> Vec<u8> {
    let raw = raw.get(..FIELD_BYTES_MAX).unwrap_or(raw);
    raw.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect::<Vec<_>>().trim_ascii().to_vec()
}

/// One line without control characters and signs that [mislead](signs::misleads), without blanks at the ends and at
/// most [`TEXT_CHARS_MAX`] long: what may stand in a name, a letter, a log.
pub(super) fn clean(text: &str) -> String {
    let blank = |c: char| if matches!(c, '\t' | '\u{2028}' | '\u{2029}') { ' ' } else { c };
    let shown = text.chars().map(blank).filter(|c| !c.is_control() && !signs::misleads(*c));
    let text: String = shown.take(TEXT_CHARS_MAX).collect();
    text.trim().to_owned()
}

/// Decodes encoded words; bytes of neighbours of one charset are joined first.
fn words(raw: &[u8]) -> String {
    let mut out = String::new();
    let mut pending: Option<(String, Vec<u8>)> = None;
    let mut rest = raw;
    while !rest.is_empty() {
        let Some(start) = find(rest, b"=?") else { break };
        let (before, from) = rest.split_at(start);
        let Some((label, bytes, after)) = encoded_word(from) else {
            flush(&mut pending, &mut out);
            out.push_str(&charset::decode(before, None).text);
            out.push_str("=?");
            rest = from.get(2..).unwrap_or_default();
            continue;
        };
        if !before.trim_ascii().is_empty() {
            flush(&mut pending, &mut out);
            out.push_str(&charset::decode(before, None).text);
        }
        match &mut pending {
            Some((l, joined)) if *l == label => joined.extend(bytes),
            Some(_) | None => {
                flush(&mut pending, &mut out);
                pending = Some((label, bytes));
            }
        }
        rest = after;
    }
    flush(&mut pending, &mut out);
    out.push_str(&charset::decode(rest, None).text);
    out
}

fn flush(pending: &mut Option<(String, Vec<u8>)>, out: &mut String) {
    if let Some((label, bytes)) = pending.take() {
        out.push_str(&charset::decode(&bytes, Some(&label)).text);
    }
}

/// `=?charset*lang?B?data?=` at the start: label, bytes, rest.
fn encoded_word(from: &[u8]) -> Option<(String, Vec<u8>, &[u8])> {
    let inner = from.get(2..)?;
    let within = |bytes: &[u8]| bytes.len().min(WORD_BYTES_MAX);
    let (label, inner) = inner.split_at_checked(find(inner.get(..within(inner))?, b"?")?)?;
    let [b'?', how, b'?', inner @ ..] = inner else { return None };
    let (data, after) = inner.split_at_checked(word_end(inner.get(..within(inner))?)?)?;
    let bytes = match how {
        b'B' | b'b' => base64(data),
        b'Q' | b'q' => quoted_printable(&data.iter().map(|b| if *b == b'_' { b' ' } else { *b }).collect::<Vec<_>>()),
        _ => return None,
    };
    let label = String::from_utf8_lossy(label).to_ascii_lowercase();
    let label = label.split('*').next().unwrap_or_default().to_owned();
    Some((label, bytes, after.get(2..).unwrap_or_default()))
}

/// Where the data of an encoded word ends: at `?=`, unless another word begins before (`=?` never stands in data), so that
/// words without an end cost no more than their length.
fn word_end(data: &[u8]) -> Option<usize> {
    let sign = data.windows(2).position(|w| matches!(w, b"?=" | b"=?"))?;
    match data.get(sign..)? {
        [b'?', ..] => Some(sign),
        // The data's own padding: `=?=`.
        [b'=', b'?', b'=', ..] => Some(sign + 1),
        _ => None,
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

/// Base64, forgiving: other characters are skipped, decoding ends at the padding or where text follows that is none.
pub(super) fn base64(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() / 4 * 3);
    let (mut group, mut bits) = (0_u32, 0_u32);
    for byte in data {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'\r' | b'\n' | b' ' | b'\t' => continue,
            _ => break,
        };
        group = (group << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from((group >> bits) & 0xff).unwrap_or_default());
        }
    }
    out
}

/// Quoted-printable (RFC 2045 §6.7), forgiving: what is no escape stands for itself.
pub(super) fn quoted_printable(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut rest = data;
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'=', [b'\r', b'\n', after @ ..] | [b'\n', after @ ..]) => after,
            (b'=', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                out.push(hex(*high).unwrap_or_default() * 16 + hex(*low).unwrap_or_default());
                after
            }
            _ => {
                out.push(*first);
                tail
            }
        };
    }
    out
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// Splits an address list at commas and semicolons outside quotes, comments and angle brackets.
fn split_list(text: &str) -> Vec<String> {
    let (mut items, mut item) = (Vec::new(), String::new());
    let (mut quoted, mut escaped, mut comment, mut angle) = (false, false, 0_u32, false);
    for c in text.chars() {
        let separator = matches!(c, ',' | ';') && !quoted && comment == 0 && !angle;
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' if comment == 0 => quoted = !quoted,
            '(' if !quoted => comment += 1,
            ')' if !quoted => comment = comment.saturating_sub(1),
            '<' if !quoted => angle = true,
            '>' if !quoted => angle = false,
            _ => {}
        }
        if separator {
            items.push(std::mem::take(&mut item));
        } else {
            item.push(c);
        }
    }
    items.push(item);
    items
}

/// `Name <a@b>`, `a@b (Name)`, `a@b`.
fn mailbox(item: &str) -> Option<(Option<String>, MailAddress)> {
    let item = item.trim();
    if let Some((name, rest)) = item.rsplit_once('<') {
        let address = rest.split('>').next()?.trim();
        return Some((display_name(name), address.parse().ok()?));
    }
    let (address, comment) = match item.split_once('(') {
        Some((address, comment)) => (address.trim(), display_name(comment.trim_end_matches(')'))),
        None => (item, None),
    };
    // A group (`staff: a@b`) or stray words before the address.
    let address = address.rsplit([' ', ':']).next()?;
    Some((comment, address.parse().ok()?))
}

fn display_name(raw: &str) -> Option<String> {
    let raw = raw.trim();
    let inner = raw.strip_prefix('"').and_then(|r| r.strip_suffix('"')).unwrap_or(raw);
    let name = clean(&words(inner.replace("\\\"", "\"").replace("\\\\", "\\").as_bytes()));
    (!name.is_empty()).then_some(name)
}

fn split_params(field: &str) -> Vec<(String, String)> {
    let mut params = Vec::new();
    let (mut part, mut quoted) = (String::new(), false);
    for c in field.chars().chain([';']) {
        if params.len() == PARAMETERS_MAX {
            break;
        }
        match c {
            '"' => quoted = !quoted,
            ';' if !quoted => {
                if let Some((key, value)) = part.split_once('=') {
                    params.push((key.trim().to_ascii_lowercase(), value.trim().to_owned()));
                }
                part.clear();
            }
            _ => part.push(c),
        }
    }
    params
}

/// RFC 2231: `key*=utf-8''%e6…` and `key*0*=…; key*1*=…`, joined before decoding.
fn extended(params: &[(String, String)], key: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut label = None;
    let pieces = std::iter::once(String::new()).chain((0..params.len()).map(|n| n.to_string()));
    for piece in pieces {
        let star = if piece.is_empty() { format!("{key}*") } else { format!("{key}*{piece}*") };
        let plain = format!("{key}*{piece}");
        let Some((k, value)) = params.iter().find(|(k, _)| *k == star || (!piece.is_empty() && *k == plain)) else {
            if piece.is_empty() {
                continue;
            }
            break;
        };
        let coded = k.ends_with('*');
        let value = match value.splitn(3, '\'').collect::<Vec<_>>().as_slice() {
            [charset, _, value] if coded && label.is_none() => {
                label = Some((*charset).to_owned());
                (*value).to_owned()
            }
            _ => value.clone(),
        };
        let unescaped = quoted_printable(&value.bytes().map(|b| if b == b'%' { b'=' } else { b }).collect::<Vec<_>>());
        bytes.extend(if coded { unescaped } else { value.into_bytes() });
    }
    (!bytes.is_empty()).then(|| charset::decode(&bytes, label.as_deref()).text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_cut_inside_a_character_are_joined() {
        assert_eq!(text(b"=?UTF-8?B?5ris?=\r\n =?utf-8?B?5Yy6?= x"), "港区 x".replace('港', "測"));
        assert_eq!(text(b"=?UTF-8?Q?=E6=B8?= =?UTF-8?Q?=AF=E5=8C=BA?="), "港区");
        assert_eq!(text(b"=?ISO-2022-JP?B?GyRCOUE2aBsoQg==?="), "港区");
        assert_eq!(text(b"a =? b"), "a =? b");
    }

    #[test]
    fn address_lists() {
        let list = addresses("\"港区, 担当\" <a@x.jp>, b@x.jp (山田), =?UTF-8?B?5riv5Yy6?= <c@x.jp>".as_bytes());
        let list: Vec<_> = list.iter().map(|(n, a)| (n.as_deref(), a.as_str())).collect();
        assert_eq!(list, [(Some("港区, 担当"), "a@x.jp"), (Some("山田"), "b@x.jp"), (Some("港区"), "c@x.jp")]);
        assert_eq!(addresses(b"\x1b$B9A6h<,\"\x1b(B <a@x.jp>").len(), 1);
    }

    #[test]
    fn file_names() {
        let check = |raw: &[u8], name: &str| assert_eq!(file_name(raw).as_deref(), Some(name));
        check(b"attachment; filename*=utf-8''%e6%b8%af.pdf", "港.pdf");
        check(b"attachment; filename*0*=utf-8''%e6%b8; filename*1*=%af.pdf; filename=x", "港.pdf");
        check(b"attachment; filename=\"=?utf-8?B?5riv?=.pdf\"", "港.pdf");
        assert_eq!(file_name(b"attachment"), None);
    }
}
