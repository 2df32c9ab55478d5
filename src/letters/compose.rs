//! From facts to final bytes: text from the template, headers by RFC 5322, RFC 3834 and research R18, one text/plain
//! part (credentials: plus one ZIP). The only importer of lettre's message builder.
//!
//! Traps of lettre 0.11 kept away from (research/dependencies.md §4): a line feed in a display name panics (we write
//! none); its Date is +0000 and a Date it cannot parse is replaced by the time of day (ours is put in after the build);
//! addresses with two dots in a row are refused (headers are written raw from checked [`MailAddress`]es).

use super::charset::iso_2022_jp;
use super::template::{Rendered, TemplateError, Templates};
use super::zip::{attachment_name, credential_zip};
use super::{Charset, Letter, Secrecy, Stamp, ZipError, reopen_zip};
use crate::domain::{MailAddress, Secret};
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Message, MultiPart, SinglePart};
use lettre::{Address, message::MessageBuilder};
use std::fmt;
use std::time::SystemTime;

/// Longest letter without attachment, in bytes (research R1).
pub const MAIL_BYTES_MAX: usize = 100_000;
/// Longest letter with a ZIP, in bytes (research R1).
pub const ZIP_MAIL_BYTES_MAX: usize = 200_000;
/// What stands in a copy in place of a secret.
const LEFT_OUT: &str = "（写しのため記載を省略しています）";
/// Longest Message-ID of somebody else's that is quoted in In-Reply-To, in octets.
const ANSWERED_ID_OCTETS_MAX: usize = 250;
/// Octets of ISO-2022-JP in one encoded word: base64 makes 48 of them, the frame 66, `Subject: ` 75 (RFC 2047 §2).
const ENCODED_WORD_OCTETS_MAX: usize = 36;

/// A finished mail.
#[derive(Clone)]
pub struct Composed {
    /// CRLF line ends, ready for DATA (not dot-stuffed).
    pub bytes: Vec<u8>,
    pub subject: String,
    /// The character set it is really in: UTF-8 where ISO-2022-JP was wanted and a character has no place there.
    pub charset: Charset,
}

/// The bytes may hold a secret: only their number is shown.
impl fmt::Debug for Composed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = format_args!("{} bytes", self.bytes.len());
        f.debug_struct("Composed").field("bytes", &bytes).field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Why a letter cannot be made. Nothing of it has left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error("the letter has {bytes} bytes, {limit} are allowed; shorten its template or split the registration")]
    TooLong { bytes: usize, limit: usize },
    #[error("a letter with a secret has a copy; send the copy without the secret instead")]
    SecretInCopy,
    #[error(transparent)]
    Zip(#[from] ZipError),
    #[error("the ZIP made is not this tenant's; report this, nothing was sent")]
    WrongZip,
    #[error("the Message-ID of our own letter holds other than printable ASCII; report this")]
    MessageId,
    #[error("the message could not be built ({0}); check the sender address in the configuration")]
    Build(String),
}

/// The letter as it leaves. Same input, same bytes, but for the salt in a credential ZIP.
pub fn compose(letter: &Letter, stamp: &Stamp, templates: &Templates) -> Result<Composed, ComposeError> {
    if letter.kind().secrecy() == Secrecy::Secret && !stamp.cc.is_empty() {
        return Err(ComposeError::SecretInCopy);
    }
    let rendered = templates.render(letter, stamp.date.date())?;
    finish(rendered, attachment(letter, stamp)?, stamp)
}

/// The ministry's copy of a letter: the same text, marked （写し）, without its secret and without the ZIP (DESIGN I4).
/// `stamp` is the copy's own: its To is the ministry, its Message-ID another.
pub fn compose_copy(letter: &Letter, stamp: &Stamp, templates: &Templates) -> Result<Composed, ComposeError> {
    let mut rendered = templates.render(&redacted(letter), stamp.date.date())?;
    rendered.subject.push_str("（写し）");
    finish(rendered, None, stamp)
}

fn redacted(letter: &Letter) -> Letter {
    let left_out = || Secret::new(LEFT_OUT.to_owned());
    let mut copy = letter.clone();
    match &mut copy {
        Letter::CertificateNotice { url, .. } => *url = left_out(),
        Letter::PickupPassword { password, .. } => *password = left_out(),
        Letter::Credentials { .. }
        | Letter::CredentialsReady { .. }
        | Letter::Receipt { .. }
        | Letter::UnderReview { .. }
        | Letter::CorrectionRequest { .. }
        | Letter::Ask { .. }
        | Letter::Written { .. }
        | Letter::Welcome { .. }
        | Letter::Reminder { .. }
        | Letter::Expired { .. }
        | Letter::Report(_)
        | Letter::Alert { .. } => {}
    }
    copy
}

fn finish(rendered: Rendered, attachment: Option<SinglePart>, stamp: &Stamp) -> Result<Composed, ComposeError> {
    let Rendered { subject, body } = rendered;
    let limit = if attachment.is_some() { ZIP_MAIL_BYTES_MAX } else { MAIL_BYTES_MAX };
    let body = body.replace('\n', "\r\n");
    let old = match stamp.charset {
        Charset::Utf8 => None,
        Charset::Iso2022Jp => iso_2022_jp(&body).zip(iso_2022_jp_words(&subject)),
    };
    let charset = if old.is_some() { Charset::Iso2022Jp } else { Charset::Utf8 };
    let (text, subject_header) = if let Some((body, words)) = old {
        let plain = content_type("text/plain; charset=ISO-2022-JP")?;
        let text = Body::dangerous_pre_encoded(body, ContentTransferEncoding::SevenBit);
        let header = HeaderValue::dangerous_new_pre_encoded(name("Subject"), subject.clone(), words);
        (SinglePart::builder().content_type(plain).body(text), header)
    } else {
        let plain = SinglePart::builder().content_type(content_type("text/plain; charset=UTF-8")?);
        (plain.body(base64(body.into_bytes())?), header("Subject", &subject))
    };

    let builder = headers(stamp, subject_header)?;
    let built = match attachment {
        None => builder.singlepart(text),
        Some(zip) => builder.multipart(MultiPart::mixed().boundary(boundary(stamp)).singlepart(text).singlepart(zip)),
    };
    let mut message = built.map_err(|e| ComposeError::Build(e.to_string()))?;
    message.headers_mut().insert_raw(header("Date", &stamp.date.rfc5322()));
    let bytes = message.formatted();
    if bytes.len() > limit {
        return Err(ComposeError::TooLong { bytes: bytes.len(), limit });
    }
    Ok(Composed { bytes, subject, charset })
}

fn headers(stamp: &Stamp, subject: HeaderValue) -> Result<MessageBuilder, ComposeError> {
    let own_id = quotable_id(&stamp.message_id.0).ok_or(ComposeError::MessageId)?;
    let raw = |address: &MailAddress| header_address(address);
    let envelope =
        Envelope::new(Some(raw(&stamp.from)), vec![raw(&stamp.to)]).map_err(|e| ComposeError::Build(e.to_string()))?;
    let copies: Vec<&str> = stamp.cc.iter().map(MailAddress::as_str).collect();
    let mut builder = Message::builder()
        .envelope(envelope)
        // A stand-in, or lettre asks the clock; the real one, with +0900, replaces it in its place. Never the real one:
        // lettre panics at dates after the year 9999.
        .date(SystemTime::UNIX_EPOCH)
        .raw_header(header("From", stamp.from.as_str()))
        .raw_header(header("Reply-To", stamp.reply_to.as_str()))
        .raw_header(header("To", stamp.to.as_str()));
    if !copies.is_empty() {
        builder = builder.raw_header(header("Cc", &copies.join(", ")));
    }
    builder = builder.raw_header(subject).raw_header(header("Message-ID", &own_id));
    if let Some(id) = stamp.answers.as_deref().and_then(quotable_id) {
        builder = builder.raw_header(header("In-Reply-To", &id)).raw_header(header("References", &id));
    }
    let submitted = if stamp.answers.is_some() { "auto-replied" } else { "auto-generated" };
    Ok(builder.raw_header(header("Auto-Submitted", submitted)).raw_header(header("X-Auto-Response-Suppress", "All")))
}

/// What is attached: the ZIP of credentials, the list of a report.
fn attachment(letter: &Letter, stamp: &Stamp) -> Result<Option<SinglePart>, ComposeError> {
    if let Letter::Report(report) = letter {
        let file = format!("report-{}.csv", report.until.date());
        let kind = content_type(&format!("text/csv; charset=UTF-8; name=\"{file}\""))?;
        return Ok(Some(Attachment::new(file).body(base64(report.csv.clone().into_bytes())?, kind)));
    }
    credentials(letter, stamp)
}

/// The encrypted ZIP of a credential letter, opened again and compared with the addressee before it leaves.
fn credentials(letter: &Letter, stamp: &Stamp) -> Result<Option<SinglePart>, ComposeError> {
    let Letter::Credentials { to, user_id, password, unzip_password, method } = letter else { return Ok(None) };
    let bytes = credential_zip(to, user_id, password, unzip_password, *method, stamp.date)?;
    let opened = reopen_zip(&bytes, unzip_password)?;
    let same = |a: &Secret<String>, b: &Secret<String>| a.reveal() == b.reveal();
    if opened.tenant_id != to.id || opened.user_id != *user_id || !same(&opened.password, password) {
        return Err(ComposeError::WrongZip);
    }
    let file = attachment_name(&to.id);
    // `name` besides `filename`: older gateways look only there.
    let kind = content_type(&format!("application/zip; name=\"{file}\""))?;
    Ok(Some(Attachment::new(file).body(base64(bytes)?, kind)))
}

fn name(text: &'static str) -> HeaderName {
    HeaderName::new_from_ascii_str(text)
}

/// A header; whatever is not printable ASCII in the value is encoded (RFC 2047), line breaks too.
fn header(key: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(name(key), value.to_owned())
}

/// Dots in a row, as Japanese carriers gave them out, stay as they are.
fn header_address(address: &MailAddress) -> Address {
    Address::new_dangerous(address.local(), address.domain())
}

fn content_type(text: &str) -> Result<ContentType, ComposeError> {
    ContentType::parse(text).map_err(|e| ComposeError::Build(e.to_string()))
}

fn base64(bytes: Vec<u8>) -> Result<Body, ComposeError> {
    Body::new_with_encoding(bytes, ContentTransferEncoding::Base64)
        .map_err(|_| ComposeError::Build("base64".to_owned()))
}

/// `<id>`, or `None` for what cannot stand in a header line.
fn quotable_id(id: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_graphic() && c != '<' && c != '>';
    (!id.is_empty() && id.len() <= ANSWERED_ID_OCTETS_MAX && id.chars().all(fits)).then(|| format!("<{id}>"))
}

/// From the Message-ID, so that the same letter has the same bytes.
fn boundary(stamp: &Stamp) -> String {
    let id: String = stamp.message_id.0.chars().filter(char::is_ascii_alphanumeric).take(50).collect();
    format!("part-{id}")
}

/// The subject as encoded words in ISO-2022-JP, each beginning and ending in ASCII (RFC 1468), one per line.
fn iso_2022_jp_words(subject: &str) -> Option<String> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    let mut word = String::new();
    for c in subject.chars() {
        word.push(c);
        if iso_2022_jp(&word)?.len() > ENCODED_WORD_OCTETS_MAX {
            word.pop();
            words.push(iso_2022_jp(&word)?);
            word = c.into();
        }
    }
    words.push(iso_2022_jp(&word)?);
    let encode = |bytes: Vec<u8>| {
        let text = String::from_utf8(base64(bytes).ok()?.into_vec()).ok()?;
        Some(format!("=?ISO-2022-JP?B?{}?=", text.trim_end()))
    };
    words.into_iter().map(encode).collect::<Option<Vec<_>>>().map(|words| words.join("\r\n "))
}
