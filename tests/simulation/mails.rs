//! Mails as officers and mail servers write them: registrations in several character sets, reports, garbage.

use super::dice::Dice;
use annai::domain::MailAddress;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use encoding_rs::{EUC_JP, Encoding, ISO_2022_JP, SHIFT_JIS, UTF_8};

/// An authority and its health centres as their officers would state them.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) centres: Vec<(String, String)>,
}

const FORM: &str = "以下のとおり自治体、保健所のメールアドレスを連絡します。\n\n<自治体（保健所設置主体）>\n";

/// A registration as the ministry asked for it; `no` makes its Message-ID.
pub(crate) fn registration(place: &Place, no: u64, dice: &mut Dice) -> Vec<u8> {
    let lines: String = place.centres.iter().map(|(name, address)| format!("{name} {address}\n")).collect();
    let body = format!("{FORM}{} {}\n\n<保健所>\n{lines}", place.name, place.address);
    let subject = format!("自治体・保健所メールアドレスの連絡（{}）", place.name);
    mail(&place.address, &subject, &body, no, dice)
}

/// A question, a greeting, or what else people write.
pub(crate) fn inquiry(place: &Place, no: u64, dice: &mut Dice) -> Vec<u8> {
    mail(&place.address, "証明書について", "お世話になっております。いつ頃届きますでしょうか。", no, dice)
}

/// Bytes that are hardly a mail.
pub(crate) fn garbage(no: u64, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = if dice.permille(500) { format!("Subject: {no}\r\n\r\n").into_bytes() } else { Vec::new() };
    bytes.extend((0..200).map(|_| u8::try_from(dice.below(256)).unwrap()));
    bytes
}

fn mail(from: &str, subject: &str, body: &str, no: u64, dice: &mut Dice) -> Vec<u8> {
    let charset: &Encoding = dice.of(&[UTF_8, UTF_8, ISO_2022_JP, SHIFT_JIS, EUC_JP]);
    let (text, _, _) = charset.encode(body);
    let head = format!(
        "From: <{from}>\r\nTo: covid19@bigtreetc.com\r\nCc: follow-up@mhlw.go.jp\r\nSubject: =?utf-8?B?{}?=\r\n\
         Message-ID: <{no}@officers.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset={}\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n",
        BASE64_STANDARD.encode(subject.as_bytes()),
        charset.name().to_ascii_lowercase(),
    );
    [head.as_bytes(), &text].concat()
}

/// A report on one of our letters, sent to its envelope sender (RFC 3464).
pub(crate) fn report(to: &MailAddress, about: &MailAddress, action: &str, status: &str, no: u64) -> Vec<u8> {
    format!(
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: {}\r\nSubject: Mail delivery\r\n\
         Message-ID: <{no}@mx.example>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nReport {no}\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
         Final-Recipient: rfc822; {}\r\nAction: {action}\r\nStatus: {status}\r\n\r\n--b--\r\n",
        to.as_str(),
        about.as_str(),
    )
    .into_bytes()
}

pub(crate) fn out_of_office(from: &str, no: u64) -> Vec<u8> {
    format!(
        "From: <{from}>\r\nTo: noreply@followup.mhlw.go.jp\r\nSubject: out of office\r\nAuto-Submitted: auto-replied\r\n\
         Message-ID: <{no}@officers.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         ただいま不在にしております。\r\n"
    )
    .into_bytes()
}
