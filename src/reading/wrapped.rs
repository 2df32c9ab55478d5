//! Words that are wrapped: in a signature (S/MIME, `sealed`) or in winmail.dat (`tnef`). Where the mail has no words of its own,
//! these are the sender's.

use super::mime::{DEPTH_MAX, Mail, SHEETS_MAX, parse_level, readable};
use super::sheet::Sheet;
use super::{html, sealed, tnef};

/// Opens an application/pkcs7-mime part; what stays closed is marked.
pub(super) fn open_sealed(mail: &mut Mail, bytes: &[u8], name: Option<String>, depth: usize) {
    mail.attachments.extend(name);
    let Some(inner) = sealed::signed(bytes) else {
        mail.closed = true;
        return;
    };
    if depth >= DEPTH_MAX {
        mail.too_deep = true;
        return;
    }
    let Some(inner) = parse_level(&inner, depth + 1) else { return };
    mail.too_deep |= inner.too_deep;
    mail.over_limit |= inner.over_limit;
    mail.closed |= inner.closed;
    mail.attachments.extend(inner.attachments);
    mail.sheets.extend(inner.sheets);
    mail.sheets.truncate(SHEETS_MAX);
    mail.inside.extend(inner.inside);
    if is_wordless(mail) {
        (mail.plain, mail.html, mail.encoding) = (inner.plain, inner.html, inner.encoding);
        mail.mislabelled |= inner.mislabelled;
        mail.doubt |= inner.doubt;
    }
}

/// Opens a winmail.dat; `false` if it is none.
pub(super) fn open_tnef(mail: &mut Mail, bytes: &[u8]) -> bool {
    let Some(content) = tnef::read(bytes) else { return false };
    mail.over_limit |= content.over_limit;
    for (name, bytes) in content.attachments {
        if mail.sheets.len() < SHEETS_MAX {
            mail.sheets.extend(Sheet::new(&name, bytes, None));
        }
        mail.attachments.push(name);
    }
    if is_wordless(mail) {
        mail.plain = content.plain.map(|text| readable(&text).into_owned());
        mail.html = content.html.map(|page| html::page(&readable(&page)));
        mail.encoding = "TNEF";
        mail.doubt |= content.doubt;
    }
    true
}

fn is_wordless(mail: &Mail) -> bool {
    mail.html.is_none() && mail.plain.as_ref().is_none_or(|plain| plain.trim().is_empty())
}
