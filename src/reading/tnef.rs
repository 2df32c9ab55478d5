//! winmail.dat (TNEF, [MS-OXTNEF]): what Outlook wraps a mail into for readers it takes for Exchange. Taken of it: the text
//! (plain, else page, else RTF) and the attachments' names and bytes. No crate for it is kept well; what matters is small.
//!
//! Limits: [`ATTRIBUTES_MAX`], [`PROPERTIES_MAX`], [`RTF_BYTES_MAX`].

use super::mime::TEXT_BYTES_MAX;
use super::{charset, rtf};

/// Attributes looked at.
const ATTRIBUTES_MAX: usize = 1_000;
/// MAPI properties looked at in one attribute.
const PROPERTIES_MAX: usize = 1_000;
/// Longest RTF unpacked, in bytes; the rest is not looked at.
pub(super) const RTF_BYTES_MAX: usize = 256 * 1024;

const SIGNATURE: u32 = 0x223e_9f78;
const BODY: u32 = 0x0002_800c;
const PROPERTIES: u32 = 0x0006_9003;
const ATTACHMENT_BEGINS: u32 = 0x0006_9002;
const ATTACHMENT_TITLE: u32 = 0x0001_8010;
const ATTACHMENT_DATA: u32 = 0x0006_800f;
const ATTACHMENT_PROPERTIES: u32 = 0x0006_9005;

/// What the file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) plain: Option<String>,
    pub(super) html: Option<String>,
    pub(super) attachments: Vec<(String, Vec<u8>)>,
    /// Some letters could not be told.
    pub(super) doubt: bool,
    /// A text, or the whole, is longer than a limit allows; the rest was not looked at.
    pub(super) over_limit: bool,
}

/// Reads the file; `None` if it is none.
pub(super) fn read(bytes: &[u8]) -> Option<Content> {
    let mut input = Input(bytes);
    if input.u32()? != SIGNATURE {
        return None;
    }
    input.take(2)?;
    let mut content = Content::default();
    let mut rich = None;
    for _ in 0..ATTRIBUTES_MAX {
        let Some((id, data)) = attribute(&mut input) else { break };
        match id {
            BODY => content.plain = content.plain.take().or_else(|| Some(text(data))),
            PROPERTIES => rich = rich.or_else(|| message(&mut content, data)),
            ATTACHMENT_BEGINS => content.attachments.push(<(String, Vec<u8>)>::default()),
            ATTACHMENT_TITLE | ATTACHMENT_DATA | ATTACHMENT_PROPERTIES => attachment(&mut content, id, data),
            _ => {}
        }
    }
    content.over_limit |= attribute(&mut input).is_some();
    if content.plain.is_none()
        && content.html.is_none()
        && let Some(rich) = rich
    {
        match rtf::text(&rich) {
            rtf::Text::Plain(plain) => content.plain = Some(plain),
            rtf::Text::Page(page) => content.html = Some(page),
        }
    }
    content.attachments.retain(|(name, _)| !name.is_empty());
    let texts = content.plain.iter().chain(&content.html);
    content.doubt = texts.into_iter().any(|text| text.contains('\u{fffd}'));
    Some(content)
}

/// Level, number, length, data, check sum.
fn attribute<'a>(input: &mut Input<'a>) -> Option<(u32, &'a [u8])> {
    input.take(1)?;
    let id = input.u32()?;
    let length = usize::try_from(input.u32()?).ok()?;
    let data = input.take(length)?;
    input.take(2)?;
    Some((id, data))
}

/// The message's own properties: its texts, and the unpacked RTF.
fn message(content: &mut Content, data: &[u8]) -> Option<Vec<u8>> {
    let mut rich = None;
    for property in properties(data) {
        content.over_limit |= property.data.len() > TEXT_BYTES_MAX && matches!(property.id, 0x1000 | 0x1013);
        match property.id {
            0x1000 => content.plain = Some(property.text()),
            0x1013 => content.html = Some(charset::decode(short(property.data), None).text),
            // One byte more is unpacked, to see that there are more.
            0x1009 => rich = rtf::unpack(property.data, RTF_BYTES_MAX + 1),
            _ => {}
        }
    }
    if let Some(rich) = rich.as_mut().filter(|rich| rich.len() > RTF_BYTES_MAX) {
        rich.truncate(RTF_BYTES_MAX);
        content.over_limit = true;
    }
    content.over_limit |= Input(data).u32().and_then(|n| usize::try_from(n).ok()).is_some_and(|n| n > PROPERTIES_MAX);
    rich
}

fn attachment(content: &mut Content, id: u32, data: &[u8]) {
    let Some((name, bytes)) = content.attachments.last_mut() else { return };
    match id {
        ATTACHMENT_DATA => *bytes = data.to_vec(),
        ATTACHMENT_TITLE if name.is_empty() => *name = text(data),
        ATTACHMENT_PROPERTIES => {
            // The long name, where the title is DOS's.
            if let Some(long) = properties(data).into_iter().find(|p| p.id == 0x3707) {
                *name = long.text();
            }
        }
        _ => {}
    }
    *name = super::header::clean(name);
}

/// Text in the code page of who wrote it, closed by a zero.
fn text(data: &[u8]) -> String {
    let data = short(data.strip_suffix(b"\0").unwrap_or(data));
    charset::decode(data, None).text
}

fn short(data: &[u8]) -> &[u8] {
    data.get(..TEXT_BYTES_MAX).unwrap_or(data)
}

struct Property<'a> {
    kind: u16,
    id: u16,
    data: &'a [u8],
}

impl Property<'_> {
    fn text(&self) -> String {
        if self.kind != 0x1f {
            return text(self.data);
        }
        let units = short(self.data).chunks_exact(2).filter_map(|pair| Some(u16::from_le_bytes(pair.try_into().ok()?)));
        let text: String = char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect();
        text.trim_end_matches('\0').to_owned()
    }
}

/// The properties of one value that are texts or bytes.
fn properties(data: &[u8]) -> Vec<Property<'_>> {
    let mut input = Input(data);
    let mut found = Vec::new();
    let count = input.u32().and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
    for _ in 0..count.min(PROPERTIES_MAX) {
        let Some(property) = property(&mut input) else { break };
        found.extend(property);
    }
    found
}

/// The next property, `Some(None)` where it is a number; `None` at the end.
#[expect(clippy::option_option, reason = "the end, or a property that is no text")]
fn property<'a>(input: &mut Input<'a>) -> Option<Option<Property<'a>>> {
    let (kind, id) = (input.u16()?, input.u16()?);
    if id >= 0x8000 {
        input.take(16)?;
        let length = if input.u32()? == 0 { 4 } else { padded(input.u32()?)? };
        input.take(length)?;
    }
    let (kind, many) = (kind & !0x1000, kind & 0x1000 != 0);
    let varies = matches!(kind, 0x0d | 0x1e | 0x1f | 0x102);
    let count = if many || varies { usize::try_from(input.u32()?).ok()? } else { 1 };
    let mut first = None;
    for index in 0..count.min(PROPERTIES_MAX) {
        if varies {
            let length = usize::try_from(input.u32()?).ok()?;
            let data = input.take(length)?;
            input.take(padded(u32::try_from(length).ok()?)? - length)?;
            first = if index == 0 { Some(Property { kind, id, data }) } else { first };
        } else {
            input.take(match kind {
                0x05 | 0x06 | 0x07 | 0x14 | 0x40 => 8,
                0x48 => 16,
                _ => 4,
            })?;
        }
    }
    Some(first)
}

fn padded(length: u32) -> Option<usize> {
    usize::try_from(length.checked_next_multiple_of(4)?).ok()
}

/// Bytes still to be read, numbers with the smallest byte first.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(attributes: &[(u32, Vec<u8>)]) -> Vec<u8> {
        let mut file = [&SIGNATURE.to_le_bytes()[..], &[1, 0]].concat();
        for (id, data) in attributes {
            let length = u32::try_from(data.len()).unwrap();
            file.extend([&[1][..], &id.to_le_bytes(), &length.to_le_bytes(), data, &[0, 0]].concat());
        }
        file
    }

    /// A property of one text or of bytes.
    fn property(kind: u16, id: u16, data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap();
        let fill = vec![0; data.len().next_multiple_of(4) - data.len()];
        [&kind.to_le_bytes()[..], &id.to_le_bytes(), &1_u32.to_le_bytes(), &length.to_le_bytes(), data, &fill].concat()
    }

    fn message(properties: &[Vec<u8>]) -> Content {
        let count = u32::try_from(properties.len()).unwrap().to_le_bytes();
        read(&file(&[(PROPERTIES, [&count[..], &properties.concat()].concat())])).unwrap()
    }

    /// `make(n)` is read whole up to `limit`; beyond, the mail goes to a person.
    fn check(limit: usize, make: impl Fn(usize) -> Content) {
        assert!(!make(limit).over_limit, "{limit}");
        assert!(make(limit + 1).over_limit, "{}", limit + 1);
    }

    #[test]
    fn limits_from_both_sides() {
        let attributes = |n: usize| {
            let mut all = vec![(1, Vec::new()); n - 1];
            all.push((BODY, b"a\0".to_vec()));
            read(&file(&all)).unwrap()
        };
        check(ATTRIBUTES_MAX, attributes);
        assert_eq!(attributes(ATTRIBUTES_MAX).plain.as_deref(), Some("a"));
        let properties = |n: usize| {
            let mut all = vec![property(0x1e, 1, b""); n - 1];
            all.push(property(0x1e, 0x1000, b"a"));
            message(&all)
        };
        check(PROPERTIES_MAX, properties);
        assert_eq!(properties(PROPERTIES_MAX).plain.as_deref(), Some("a"));
        check(TEXT_BYTES_MAX, |n| message(&[property(0x1e, 0x1000, &vec![b'a'; n])]));
        let raw = |n: usize| [&[0; 8][..], b"MELA", &[0; 4], &vec![b'a'; n]].concat();
        check(RTF_BYTES_MAX, |n| message(&[property(0x102, 0x1009, &raw(n))]));
    }
}
