//! The object `annai read --json` prints for one mail (DESIGN §7): names and shapes are fixed, other programs read them.

use crate::domain::MailAddress;
use crate::reading::{ReadCentre, Reading};
use serde_json::{Value, json};

/// The object for one mail; `file` is the path as given.
pub(super) fn object(reading: &Reading, file: &str) -> Value {
    let centre = |c: &ReadCentre| {
        let others: Vec<&str> = c.other_addresses.iter().map(MailAddress::as_str).collect();
        json!({ "name": c.name, "address": c.address, "other_addresses": others })
    };
    let authority = reading.authority.as_ref().map(|a| {
        let code = a.code.as_ref().map(crate::domain::LgCode::as_str);
        json!({ "name": a.name, "address": a.address, "code": code })
    });
    json!({
        "file": file,
        "kind": reading.kind,
        "review": !reading.reasons.is_empty(),
        "reasons": reading.reasons,
        "authority": authority,
        "centres": reading.centres.iter().map(centre).collect::<Vec<_>>(),
        "warnings": reading.warnings,
        "subject": reading.head.subject,
        "from_name": reading.head.from_name,
        "body": reading.body,
        "attachments": reading.attachments,
        "recipients": reading.recipients,
    })
}
