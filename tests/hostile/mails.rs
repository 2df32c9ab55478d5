//! Some nine hundred malformed and hostile mails, made from one proper registration and a seed. Each says what may become
//! of it: it may be taken over by itself only with the addresses of the proper one, or never.

use super::dice::Dice;
use super::tricks;
use super::worst;
use base64::prelude::{BASE64_STANDARD, Engine as _};

/// The only addresses that may ever be taken over by themselves.
pub(crate) const AUTHORITY: &str = "kansen@city.minato.lg.jp";
pub(crate) const CENTRE: &str = "hoken@city.minato.lg.jp";
/// Where an attacker would have certificates sent to.
pub(crate) const EVIL: &str = "evil@pref.mihon.lg.jp";

/// What may become of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum May {
    /// It may be taken over, with the true addresses and no others.
    Register,
    /// A person must look, or it is no registration.
    Never,
    /// Bytes were changed at random, perhaps inside an address: whatever it says, it is read.
    Anything,
}

#[derive(Debug, Clone)]
pub(crate) struct Hostile {
    pub(crate) name: String,
    pub(crate) raw: Vec<u8>,
    pub(crate) may: May,
}

impl Hostile {
    pub(crate) fn new(name: impl Into<String>, raw: impl Into<Vec<u8>>, may: May) -> Self {
        Self { name: name.into(), raw: raw.into(), may }
    }
}

pub(crate) const SUBJECT: &str = "自治体・保健所メールアドレスの連絡（港区）";

/// The body of the proper registration.
pub(crate) fn form() -> String {
    form_with("港区", AUTHORITY, "みなと保健所", CENTRE)
}

pub(crate) fn form_with(authority: &str, address: &str, centre: &str, centre_address: &str) -> String {
    format!(
        "お世話になっております。\r\n\r\n<自治体（保健所設置主体）>\r\n{authority}　{address}\r\n\r\n<保健所>\r\n\
         {centre}　{centre_address}\r\n\r\n以上、よろしくお願いいたします。\r\n"
    )
}

/// A whole mail from head lines (each ended), type and body.
pub(crate) fn mail(head: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let mut raw = format!("{head}MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n").into_bytes();
    raw.extend(body);
    raw
}

pub(crate) const FROM: &str = "From: =?UTF-8?B?5riv5Yy6?= <tanto@city.minato.lg.jp>\r\n";
pub(crate) const TO: &str = "To: covid19@bigtreetc.com\r\nCc: follow-up@mhlw.go.jp\r\n";

/// The usual head with this subject, as written.
pub(crate) fn head(subject: &str) -> String {
    format!(
        "{FROM}{TO}Subject: {subject}\r\nDate: Mon, 27 Apr 2020 10:00:00 +0900\r\nMessage-ID: <a@city.minato.lg.jp>\r\n"
    )
}

pub(crate) fn utf8(body: &str) -> Vec<u8> {
    mail(&head(SUBJECT), "text/plain; charset=utf-8", body.as_bytes())
}

pub(crate) fn html(page: &str) -> Vec<u8> {
    mail(&head(SUBJECT), "text/html; charset=utf-8", page.as_bytes())
}

pub(crate) fn multipart(parts: &[(&str, &str)]) -> Vec<u8> {
    let parts: String = parts.iter().map(|(head, body)| format!("--b\r\n{head}\r\n\r\n{body}\r\n")).collect();
    mail(&head(SUBJECT), "multipart/mixed; boundary=b", format!("{parts}--b--\r\n").as_bytes())
}

pub(crate) fn word(bytes: &[u8]) -> String {
    format!("=?UTF-8?B?{}?=", BASE64_STANDARD.encode(bytes))
}

/// The proper registration in the dresses that programs of officers give it.
pub(crate) fn proper() -> Vec<(&'static str, Vec<u8>)> {
    let jis = encoding_rs::ISO_2022_JP.encode(&form()).0.into_owned();
    let sjis = encoding_rs::SHIFT_JIS.encode(&form()).0.into_owned();
    let page = format!("<html><body>{}</body></html>", form().replace('<', "&lt;").replace("\r\n", "<br>\r\n"));
    let both = format!(
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{page}\r\n--b--\r\n",
        form()
    );
    vec![
        ("utf-8", utf8(&form())),
        ("jis", mail(&head(&word(SUBJECT.as_bytes())), "text/plain; charset=iso-2022-jp", &jis)),
        ("sjis", mail(&head(&word(SUBJECT.as_bytes())), "text/plain; charset=shift_jis", &sjis)),
        ("base64", {
            let kind = "text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64";
            mail(&head(&word(SUBJECT.as_bytes())), kind, BASE64_STANDARD.encode(form().as_bytes()).as_bytes())
        }),
        ("html", html(&page)),
        ("both", mail(&head(SUBJECT), "multipart/alternative; boundary=b", both.as_bytes())),
    ]
}

/// All of them.
pub(crate) fn all(seed: u64) -> Vec<Hostile> {
    let mut mails = Vec::new();
    truncated(&mut mails);
    mutilated(&mut mails, &mut Dice(seed));
    for (name, make) in worst::CASES {
        mails.push(Hostile::new(format!("worst: {name}"), make(12_000), May::Anything));
    }
    tricks::all(&mut mails);
    mails
}

/// Cut off at some fifty places each. What is left may be a whole registration, or not.
fn truncated(mails: &mut Vec<Hostile>) {
    for (dress, raw) in proper() {
        for step in 0..50 {
            let at = raw.len() * step / 50;
            mails.push(Hostile::new(format!("{dress} cut at {at}"), &raw[..at], May::Register));
        }
    }
}

/// Bytes changed, lost, doubled and mixed.
fn mutilated(mails: &mut Vec<Hostile>, dice: &mut Dice) {
    let originals = proper();
    for no in 0..150 {
        let (dress, original) = &originals[dice.below(originals.len())];
        let mut raw = original.clone();
        for _ in 0..=dice.below(12) {
            let at = dice.below(raw.len());
            match dice.below(6) {
                0 => raw[at] = u8::try_from(dice.below(256)).unwrap(),
                1 => drop(raw.remove(at)),
                2 => raw.splice(at..at, [0x1b, b'$', b'B', b'\r', b'\n']).for_each(drop),
                3 => raw.splice(at..at, *b"\r\n\r\n").for_each(drop),
                4 => raw[at] = 0,
                _ => {
                    let (_, other) = &originals[dice.below(originals.len())];
                    let from = dice.below(other.len());
                    let to = (from + dice.below(200)).min(other.len());
                    raw.splice(at..at, other[from..to].iter().copied()).for_each(drop);
                }
            }
        }
        mails.push(Hostile::new(format!("{dress} mutilated {no}"), raw, May::Anything));
    }
}
