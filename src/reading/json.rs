//! `annai read --json`: the schema of the contract, one object per mail (ARCHITECTURE.md, contracts).

use super::{ReadAuthority, ReadCentre, Reading};
use crate::domain::MailAddress;
use serde_json::{Value, json};

impl Reading {
    /// The object `annai read --json` prints; `file` is the path as given.
    pub fn to_json(&self, file: &str) -> Value {
        json!({
            "file": file,
            "kind": self.kind,
            "review": self.needs_review(),
            "reasons": self.reasons.iter().map(|r| r.code()).collect::<Vec<_>>(),
            "authority": self.authority.as_ref().map(authority),
            "centres": self.centres.iter().map(centre).collect::<Vec<_>>(),
            "warnings": self.warnings.iter()
                .map(|w| json!({ "code": w.code.code(), "line": w.line, "text": w.text })).collect::<Vec<_>>(),
            "subject": self.head.subject,
            "from_name": self.head.from_name,
            "body": self.body,
            "source": self.source,
            "evidence": self.evidence,
            "attachments": self.attachments,
            "recipients": self.recipients.iter()
                .map(|r| json!({
                    "address": r.address.as_str(), "permanent": r.permanent(), "status": r.status, "reason": r.reason,
                    "class": r.class, "source": r.source,
                }))
                .collect::<Vec<_>>(),
        })
    }
}

fn authority(authority: &ReadAuthority) -> Value {
    json!({
        "name": authority.name,
        "address": authority.address.as_ref().map(MailAddress::as_str),
        "code": authority.code,
    })
}

fn centre(centre: &ReadCentre) -> Value {
    json!({
        "name": centre.name,
        "address": centre.address.as_ref().map(MailAddress::as_str),
        "other_addresses": centre.other_addresses.iter().map(MailAddress::as_str).collect::<Vec<_>>(),
    })
}
