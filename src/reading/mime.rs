//! The structure of a mail: header fields, texts, names of attachments, mails inside. The only importer of mail-parser,
//! which is trusted with offsets and types only; bytes are decoded here (research/dependencies §3).
//!
//! Limits: the constants below; a mail beyond one is read as far as it goes and put before a person. The parser scans to
//! the end for every boundary that never comes, so only the first few multiparts are shown to it. It follows `message/rfc822` without limit and its result overflows
//! the stack when dropped (30,000 levels fit in 1 MB), so it never gets to see these types: a copy with the words masked
//! is parsed, and mails inside mails are opened here, one level at a time.

use super::sheet::Sheet;
use super::{charset, header, html, wrapped};
use crate::domain::Timestamp;
use mail_parser::{Encoding, HeaderName, MessageParser, MessagePart, PartType};
use regex::bytes::Regex;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Largest mail read, in bytes; intake refuses larger ones before.
pub const MAIL_BYTES_MAX: usize = 25 * 1024 * 1024;
/// Mails inside mails that are opened; deeper ones make the mail [`Reason::TooDeep`](super::Reason).
pub const DEPTH_MAX: usize = 4;
/// Parts looked at in one mail; later ones make it [`Reason::OverLimit`](super::Reason).
pub const PARTS_MAX: usize = 500;
/// Multiparts taken apart in one mail; later ones are attachments and make it [`Reason::OverLimit`](super::Reason).
pub const MULTIPARTS_MAX: usize = 10;
/// Header fields taken of the mail and of each part; more make it [`Reason::OverLimit`](super::Reason).
pub const FIELDS_MAX: usize = 500;
/// Longest text decoded from the parts of one kind together, in bytes before decoding; more makes the mail
/// [`Reason::OverLimit`](super::Reason).
pub const TEXT_BYTES_MAX: usize = 512 * 1024;
/// Attached tables kept; further ones are names only.
pub(super) const SHEETS_MAX: usize = 3;

/// A mail taken apart.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent findings, each read by another step")]
pub(super) struct Mail {
    /// Lower-case name and raw value, in order.
    pub(super) fields: Vec<(String, Vec<u8>)>,
    pub(super) date: Option<Timestamp>,
    /// `type/subtype` of the whole.
    pub(super) content_type: String,
    /// Text parts that are no attachments, joined.
    pub(super) plain: Option<String>,
    pub(super) html: Option<html::Page>,
    pub(super) attachments: Vec<String>,
    /// Attached tables.
    pub(super) sheets: Vec<Sheet>,
    /// What the plain text and the page were decoded as.
    pub(super) encoding: &'static str,
    /// message/delivery-status, message/disposition-notification, message/feedback-report, headers of a returned mail.
    pub(super) reports: Vec<(String, String)>,
    pub(super) inside: Vec<Mail>,
    pub(super) mislabelled: bool,
    pub(super) doubt: bool,
    pub(super) damaged: bool,
    pub(super) too_deep: bool,
    /// Something is encrypted, or signed in a way that cannot be opened.
    pub(super) closed: bool,
    /// A limit of this file was reached; something was not looked at.
    pub(super) over_limit: bool,
}

impl Mail {
    /// Raw value of the first field of this name (lower-case).
    pub(super) fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_slice())
    }

    /// Readable value of the first field of this name (lower-case).
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.field(name).map(header::text)
    }
}

static PARSER: LazyLock<MessageParser> =
    LazyLock::new(|| MessageParser::new().with_mime_headers().with_date_headers().default_header_raw());
static NESTING: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("(?i-u)rfc822|global|digest|multipart").ok());

/// Takes a mail apart; `None` if there is no header at all. Empty lines before the header are passed over, and lines may
/// end as they did on an old Macintosh.
pub(super) fn parse(raw: &[u8]) -> Option<Mail> {
    let raw = raw.trim_ascii_start();
    if raw.contains(&b'\n') || !raw.contains(&b'\r') {
        return parse_level(raw, 0);
    }
    let lines: Vec<u8> = raw.iter().map(|byte| if *byte == b'\r' { b'\n' } else { *byte }).collect();
    parse_level(&lines, 0)
}

pub(super) fn parse_level(raw: &[u8], depth: usize) -> Option<Mail> {
    let masked = mask(raw);
    let message = PARSER.parse(masked.as_deref().unwrap_or(raw))?;
    let root = message.parts.first()?;
    let mut mail = Mail { fields: fields(root, raw), content_type: content_type(root), ..Mail::default() };
    mail.date = date(root);
    mail.over_limit = message.parts.len() > PARTS_MAX || root.headers.len() > FIELDS_MAX;
    for (index, part) in message.parts.iter().take(PARTS_MAX).enumerate() {
        if !matches!(part.body, PartType::Multipart(_)) {
            take_part(&mut mail, part, index, raw, depth);
        }
        mail.damaged |= part.is_encoding_problem || part.offset_end == 0;
    }
    let silent = mail.plain.is_none() && mail.html.is_none() && mail.reports.is_empty() && mail.inside.is_empty();
    if silent && mail.content_type == "multipart/report" {
        // Its parts are not marked as announced: what the server says stands there all the same.
        let body = cut(&mut mail, raw.get(root.offset_body as usize..).unwrap_or_default(), 0);
        mail.plain = Some(charset::decode(body, None).text.replace("\r\n", "\n"));
    }
    Some(mail)
}

/// A copy in which no type means a mail inside, only the first types mean parts, and no field has more parameters than we
/// look at (the parser compares each with every other); `None` if that is so already.
fn mask(raw: &[u8]) -> Option<Vec<u8>> {
    let mut copy = None;
    let mut hide = |at: usize| {
        if let Some(byte) = copy.get_or_insert_with(|| raw.to_vec()).get_mut(at) {
            *byte = b'x';
        }
    };
    let mut multiparts = 0;
    for found in NESTING.as_ref()?.find_iter(raw) {
        multiparts += usize::from(found.len() == "multipart".len());
        if found.len() != "multipart".len() || multiparts > MULTIPARTS_MAX {
            hide(found.end() - 1);
        }
    }
    if raw.split(|b| *b == b';').nth(header::PARAMETERS_MAX + 1).is_some() {
        overloaded(raw).into_iter().for_each(hide);
    }
    copy
}

/// Where the fields with too many parameters begin. A field goes on while lines begin with a blank.
fn overloaded(raw: &[u8]) -> Vec<usize> {
    let (mut found, mut start, mut at, mut parameters) = (Vec::new(), 0, 0, 0);
    for line in raw.split_inclusive(|b| *b == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            (start, parameters) = (at, 0);
        }
        let before = parameters;
        let is_field = raw.get(start..start + 8).is_some_and(|name| name.eq_ignore_ascii_case(b"content-"));
        parameters += if is_field { line.split(|b| *b == b';').skip(1).count() } else { 0 };
        if before <= header::PARAMETERS_MAX && parameters > header::PARAMETERS_MAX {
            found.push(start);
        }
        at += line.len();
    }
    found
}

fn fields(part: &MessagePart<'_>, raw: &[u8]) -> Vec<(String, Vec<u8>)> {
    part.headers
        .iter()
        .take(FIELDS_MAX)
        .map(|h| {
            let value = raw.get(h.offset_start as usize..h.offset_end as usize).unwrap_or_default();
            let name = raw.get(h.offset_field as usize..h.offset_start as usize).unwrap_or_default();
            let name = String::from_utf8_lossy(name).trim().trim_end_matches(':').trim().to_ascii_lowercase();
            (name, value.to_vec())
        })
        .collect()
}

fn date(part: &MessagePart<'_>) -> Option<Timestamp> {
    let field = part.headers.iter().find(|h| h.name == HeaderName::Date)?;
    let time = field.value.as_datetime().filter(|time| time.is_valid())?;
    Some(Timestamp::from_unix(time.to_timestamp()))
}

fn content_type(part: &MessagePart<'_>) -> String {
    let field = part.headers.iter().rev().find(|h| h.name == HeaderName::ContentType);
    match field.and_then(|h| h.value.as_content_type()) {
        Some(ct) => {
            let subtype = ct.subtype().unwrap_or_default().to_ascii_lowercase();
            let subtype = subtype.replace("rfc82x", "rfc822").replace("globax", "global").replace("digesx", "digest");
            format!("{}/{subtype}", ct.ctype().to_ascii_lowercase())
        }
        None => "text/plain".to_owned(),
    }
}

fn parameter(part: &MessagePart<'_>, key: &str) -> Option<String> {
    let field = part.headers.iter().rev().find(|h| h.name == HeaderName::ContentType)?;
    field.value.as_content_type()?.attribute(key).map(str::to_owned)
}

fn take_part(mail: &mut Mail, part: &MessagePart<'_>, index: usize, raw: &[u8], depth: usize) {
    let kind = content_type(part);
    let own_fields = if index == 0 { Vec::new() } else { fields(part, raw) };
    let own = |key: &str| {
        if index == 0 { mail.field(key) } else { own_fields.iter().find(|(n, _)| n == key).map(|(_, v)| v.as_slice()) }
    };
    let disposition = own("content-disposition");
    let attached = disposition.is_some_and(|d| d.trim_ascii().to_ascii_lowercase().starts_with(b"attachment"));
    let name = disposition.and_then(header::file_name).or_else(|| own("content-type").and_then(header::file_name));
    let encoding = own("content-transfer-encoding").map(|value| value.trim_ascii().to_ascii_lowercase());
    let bytes = body(part, raw, encoding.as_deref());
    let charset = parameter(part, "charset");
    match kind.as_str() {
        "message/rfc822" | "message/global" if depth < DEPTH_MAX => {
            if let Some(inner) = parse_level(&bytes, depth + 1) {
                mail.too_deep |= inner.too_deep;
                mail.over_limit |= inner.over_limit;
                mail.inside.push(inner);
            }
            mail.attachments.extend(name);
        }
        "message/rfc822" | "message/global" => mail.too_deep = true,
        "message/delivery-status"
        | "message/global-delivery-status"
        | "message/disposition-notification"
        | "message/feedback-report"
        | "text/rfc822-headers"
        | "message/rfc822-headers"
        | "text/rfc822"
        | "message/partial" => {
            let taken = mail.reports.iter().map(|(_, text)| text.len()).sum();
            let text = charset::decode(cut(mail, &bytes, taken), charset.as_deref()).text;
            mail.reports.push((kind, text.replace("\r\n", "\n")));
        }
        "text/plain" if !attached && (name.is_none() || index == 0 || first_words(mail)) => {
            let taken = mail.plain.as_ref().map_or(0, String::len);
            let decoded = charset::decode(cut(mail, &bytes, taken), charset.as_deref());
            take_plain(mail, part, &decoded);
        }
        // Of several pages the first counts, as in every mail program.
        "text/html" if !attached && (name.is_none() || index == 0) && mail.html.is_some() => {}
        "text/html" if !attached && (name.is_none() || index == 0 || first_words(mail)) => {
            let decoded = charset::decode(cut(mail, &bytes, 0), charset.as_deref());
            take_page(mail, &decoded);
        }
        _ if kind.starts_with("multiparx/") => mail.over_limit = true,
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => wrapped::open_sealed(mail, &bytes, name, depth),
        "application/pgp-encrypted" => mail.closed = true,
        _ if is_tnef(&kind, name.as_deref()) && wrapped::open_tnef(mail, &bytes) => {}
        _ => {
            let name = name.unwrap_or_else(|| header::clean(&kind));
            if mail.sheets.len() < SHEETS_MAX {
                mail.sheets.extend(Sheet::new(&name, bytes, charset));
            }
            mail.attachments.push(name);
        }
    }
}

fn is_tnef(kind: &str, name: Option<&str>) -> bool {
    matches!(kind, "application/ms-tnef" | "application/vnd.ms-tnef")
        || name.is_some_and(|name| name.eq_ignore_ascii_case("winmail.dat"))
}

/// Some servers give the text of their report a file name.
fn first_words(mail: &Mail) -> bool {
    mail.content_type == "multipart/report" && mail.plain.is_none() && mail.html.is_none()
}

fn take_page(mail: &mut Mail, decoded: &charset::Decoded) {
    let mut page = html::page(&decoded.text);
    if let Cow::Owned(text) = readable(&page.text) {
        page.text = text;
    }
    mail.html = Some(page);
    if mail.encoding.is_empty() {
        mail.encoding = decoded.encoding;
    }
    mail.mislabelled |= decoded.mislabelled;
    mail.doubt |= decoded.doubt;
}

fn take_plain(mail: &mut Mail, part: &MessagePart<'_>, decoded: &charset::Decoded) {
    let mut text = readable(&decoded.text).into_owned();
    if parameter(part, "format").is_some_and(|f| f.eq_ignore_ascii_case("flowed")) {
        text = unflow(&text, parameter(part, "delsp").is_some_and(|d| d.eq_ignore_ascii_case("yes")));
    }
    match &mut mail.plain {
        Some(plain) => {
            plain.push('\n');
            plain.push_str(&text);
        }
        None => mail.plain = Some(text),
    }
    mail.encoding = decoded.encoding;
    mail.mislabelled |= decoded.mislabelled;
    mail.doubt |= decoded.doubt;
}

/// Lines that end in `\n`, tabs, and no other control characters.
pub(super) fn readable(text: &str) -> Cow<'_, str> {
    // 0xc2 begins the C1 controls, and more.
    let odd = |b: &u8| (*b < b' ' && *b != b'\n' && *b != b'\t') || *b == 0x7f || *b == 0xc2;
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, from)) = rest.bytes().position(|b| odd(&b)).map(|at| rest.split_at(at)) {
        out.push_str(before);
        let mut after = from.chars();
        match after.next() {
            Some('\r') if !from.starts_with("\r\n") => out.push('\n'),
            Some(c) if !c.is_control() => out.push(c),
            Some(_) | None => {}
        }
        rest = after.as_str();
    }
    if rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// What may still be taken of a text when so many bytes of its kind were taken before.
fn cut<'a>(mail: &mut Mail, bytes: &'a [u8], taken: usize) -> &'a [u8] {
    let Some(part) = bytes.get(..TEXT_BYTES_MAX.saturating_sub(taken)) else { return bytes };
    if part.len() < bytes.len() {
        mail.over_limit = true;
        // At the end of a line, where no encoding has half a character.
        let end = part.iter().rposition(|b| *b == b'\n').map_or(part.len(), |at| at + 1);
        return part.get(..end).unwrap_or(part);
    }
    part
}

/// Raw bytes of a part, its transfer encoding undone.
fn body(part: &MessagePart<'_>, raw: &[u8], encoding: Option<&[u8]>) -> Vec<u8> {
    let end = if part.offset_end == 0 { raw.len() } else { part.offset_end as usize };
    let bytes = raw.get(part.offset_body as usize..end.min(raw.len())).unwrap_or_default();
    match (part.encoding, encoding) {
        (Encoding::Base64, _) | (_, Some(b"base64")) => header::base64(bytes),
        (Encoding::QuotedPrintable, _) | (_, Some(b"quoted-printable")) => header::quoted_printable(bytes),
        (Encoding::None, _) => bytes.to_vec(),
    }
}

/// Joins soft line breaks (RFC 3676 §4). Only lines of one quote depth join; the signature mark stays alone.
fn unflow(text: &str, delsp: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open = false;
    for line in text.split('\n') {
        let depth = line.bytes().take_while(|b| *b == b'>').count();
        let content = line.get(depth..).unwrap_or_default();
        let content = content.strip_prefix(' ').unwrap_or(content);
        if open && depth == 0 && content != "-- " {
            out.push_str(content);
        } else {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(if depth == 0 { content } else { line });
        }
        open = depth == 0 && content.ends_with(' ') && content != "-- ";
        if open && delsp {
            out.pop();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flowed_lines_join() {
        assert_eq!(unflow("a \nb\n-- \nc\n> d \n> e", false), "a b\n-- \nc\n> d \n> e");
        assert_eq!(unflow("保健 \n所", true), "保健所");
    }

    #[test]
    fn lines_end_in_one_way_and_nothing_controls() {
        assert_eq!(readable("a\r\nb\rc\n\u{1b}[2J\u{9b}d\u{a0}\u{7f}\te\r"), "a\nb\nc\n[2Jd\u{a0}\te\n");
        assert!(matches!(readable("港区\n\ta"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_mail_in_a_mail_is_opened_and_a_deep_nest_is_not() {
        let inner = "Subject: in\r\n\r\ninner text\r\n";
        let once = format!("Subject: out\r\nContent-Type: message/rfc822\r\n\r\n{inner}");
        let mail = parse(once.as_bytes()).unwrap();
        assert_eq!(mail.inside[0].plain.as_deref(), Some("inner text\n"));
        let deep = "Content-Type: message/rfc822\r\n\r\n".repeat(40_000) + inner;
        assert!(parse(deep.as_bytes()).unwrap().too_deep);
    }
}
