//! The structure of a mail: header fields, texts, names of attachments, mails inside. The only importer of mail-parser,
//! which is trusted with offsets and types only; bytes are decoded here (research/dependencies §3).
//!
//! Limits: [`MAIL_BYTES_MAX`], [`DEPTH_MAX`]. The parser follows `message/rfc822` without limit and its result overflows
//! the stack when dropped (30,000 levels fit in 1 MB), so it never gets to see these types: a copy with the words masked
//! is parsed, and mails inside mails are opened here, one level at a time.

use super::{charset, header, html};
use crate::domain::Timestamp;
use mail_parser::{Encoding, HeaderName, MessageParser, MessagePart, PartType};
use regex::bytes::Regex;
use std::sync::LazyLock;

/// Largest mail read, in bytes; intake refuses larger ones before.
pub const MAIL_BYTES_MAX: usize = 25 * 1024 * 1024;
/// Mails inside mails that are opened; deeper ones make the mail [`Reason::TooDeep`](super::Reason).
pub const DEPTH_MAX: usize = 4;
/// Longest text decoded from one part, in bytes; the rest is not looked at.
const TEXT_BYTES_MAX: usize = 1024 * 1024;

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
    /// message/delivery-status, message/disposition-notification, message/feedback-report, headers of a returned mail.
    pub(super) reports: Vec<(String, String)>,
    pub(super) inside: Vec<Mail>,
    pub(super) mislabelled: bool,
    pub(super) doubt: bool,
    pub(super) damaged: bool,
    pub(super) too_deep: bool,
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
static NESTING: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("(?i-u)rfc822|global|digest").ok());

/// Takes a mail apart; `None` if there is no header at all.
pub(super) fn parse(raw: &[u8]) -> Option<Mail> {
    parse_level(raw, 0)
}

fn parse_level(raw: &[u8], depth: usize) -> Option<Mail> {
    let masked = mask(raw);
    let message = PARSER.parse(masked.as_deref().unwrap_or(raw))?;
    let root = message.parts.first()?;
    let mut mail = Mail { fields: fields(root, raw), content_type: content_type(root), ..Mail::default() };
    mail.date = date(root);
    for (index, part) in message.parts.iter().enumerate() {
        if !matches!(part.body, PartType::Multipart(_)) {
            take_part(&mut mail, part, index, raw, depth);
        }
        mail.damaged |= part.is_encoding_problem || part.offset_end == 0;
    }
    if mail.content_type == "multipart/report" && mail.plain.is_none() && mail.html.is_none() {
        // Its parts are not marked as announced: what the server says stands there all the same.
        let body = raw.get(root.offset_body as usize..).unwrap_or_default();
        mail.plain =
            Some(charset::decode(cut(body), None).text.replace("\r\n", "\n")).filter(|_| mail.inside.is_empty());
    }
    Some(mail)
}

/// A copy in which no type means a mail inside; `None` if the words do not occur.
fn mask(raw: &[u8]) -> Option<Vec<u8>> {
    let nesting = NESTING.as_ref()?;
    nesting.is_match(raw).then(|| {
        let mut copy = raw.to_vec();
        for found in nesting.find_iter(raw) {
            if let Some(last) = copy.get_mut(found.end().saturating_sub(1)) {
                *last = b'x';
            }
        }
        copy
    })
}

fn fields(part: &MessagePart<'_>, raw: &[u8]) -> Vec<(String, Vec<u8>)> {
    part.headers
        .iter()
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
    let encoding = own("content-transfer-encoding").map(<[u8]>::trim_ascii).map(<[u8]>::to_ascii_lowercase);
    let bytes = body(part, raw, encoding.as_deref());
    let charset = parameter(part, "charset");
    match kind.as_str() {
        "message/rfc822" | "message/global" if depth < DEPTH_MAX => {
            if let Some(inner) = parse_level(&bytes, depth + 1) {
                mail.too_deep |= inner.too_deep;
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
            let text = charset::decode(cut(&bytes), charset.as_deref()).text;
            mail.reports.push((kind, text.replace("\r\n", "\n")));
        }
        "text/plain" | "text/html" if !attached && (name.is_none() || index == 0 || first_words(mail)) => {
            let decoded = charset::decode(cut(&bytes), charset.as_deref());
            take_text(mail, part, &kind, &decoded);
        }
        _ => mail.attachments.push(name.unwrap_or_else(|| header::clean(&kind))),
    }
}

/// Some servers give the text of their report a file name.
fn first_words(mail: &Mail) -> bool {
    mail.content_type == "multipart/report" && mail.plain.is_none() && mail.html.is_none()
}

fn take_text(mail: &mut Mail, part: &MessagePart<'_>, kind: &str, decoded: &charset::Decoded) {
    if kind == "text/html" {
        let page = html::page(&decoded.text);
        if mail.html.is_none() {
            mail.html = Some(page);
        }
    } else {
        let mut text = decoded.text.replace("\r\n", "\n").replace('\r', "\n");
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
    }
    mail.mislabelled |= decoded.mislabelled;
    mail.doubt |= decoded.doubt;
}

fn cut(bytes: &[u8]) -> &[u8] {
    bytes.get(..TEXT_BYTES_MAX).unwrap_or(bytes)
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
    fn a_mail_in_a_mail_is_opened_and_a_deep_nest_is_not() {
        let inner = "Subject: in\r\n\r\ninner text\r\n";
        let once = format!("Subject: out\r\nContent-Type: message/rfc822\r\n\r\n{inner}");
        let mail = parse(once.as_bytes()).unwrap();
        assert_eq!(mail.inside[0].plain.as_deref(), Some("inner text\n"));
        let deep = "Content-Type: message/rfc822\r\n\r\n".repeat(40_000) + inner;
        assert!(parse(deep.as_bytes()).unwrap().too_deep);
    }
}
