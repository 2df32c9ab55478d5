//! Notices of Amazon SES as they come by mail through SNS: JSON in the body.

use super::class::{self, Codes};
use super::{FailureClass, Recipients};
use crate::domain::MailAddress;
use crate::reading::mime::Mail;
use crate::reading::{FailedRecipient, Kind};
use serde_json::Value;

/// What [`FailedRecipient::source`] says.
const SOURCE: &str = "ses";

/// The kind of the notice and who it is about; `None`: the mail is no such notice.
pub(super) fn read(mail: &Mail, body: &str) -> Option<(Kind, Vec<FailedRecipient>)> {
    let start = body.trim_start();
    if !start.starts_with('{') || mail.field("from").is_none() {
        return None;
    }
    let end = start.find("\n--\n").unwrap_or(start.len());
    let text = start.get(..end)?;
    let text = text.get(..=text.rfind('}')?)?;
    // On its way a long line is cut, and the rest begins with a blank.
    let whole = || text.replace("\n ", "").replace('\n', "");
    let notice: Value = serde_json::from_str(text).or_else(|_| serde_json::from_str(&whole())).ok()?;
    // SNS itself may be the envelope, its message a text.
    let inner = notice.get("Message").and_then(Value::as_str).and_then(|text| serde_json::from_str(text).ok());
    let notice = inner.unwrap_or(notice);
    let kind = notice.get("notificationType").or_else(|| notice.get("eventType"))?.as_str()?;
    match kind {
        "Bounce" => Some((Kind::Bounce, bounced(notice.get("bounce")?))),
        "Complaint" => Some((Kind::Feedback, complained(notice.get("complaint")?))),
        "Delivery" => Some((Kind::Delivered, Vec::new())),
        _ => None,
    }
}

fn bounced(bounce: &Value) -> Vec<FailedRecipient> {
    let class = match bounce.get("bounceType").and_then(Value::as_str) {
        Some("Permanent") => FailureClass::Hard,
        Some("Transient") => FailureClass::Soft,
        Some(_) | None => FailureClass::Unknown,
    };
    let mut found = Recipients::default();
    for entry in bounce.get("bouncedRecipients").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        let Some(address) = text("emailAddress").and_then(address) else { continue };
        let class = if text("action") == Some("delayed") { FailureClass::Delayed } else { class };
        let status = text("status").and_then(|status| Codes::of(status).status);
        let reason = text("diagnosticCode").and_then(class::reason);
        found.add(FailedRecipient { address, class, status, reason, exchanger: None, source: SOURCE.to_owned() });
    }
    found.list
}

fn complained(complaint: &Value) -> Vec<FailedRecipient> {
    let mut found = Recipients::default();
    let kind = complaint.get("complaintFeedbackType").and_then(Value::as_str).unwrap_or("abuse");
    for entry in complaint.get("complainedRecipients").and_then(Value::as_array).into_iter().flatten() {
        let Some(address) = entry.get("emailAddress").and_then(Value::as_str).and_then(address) else { continue };
        let (class, reason) = (FailureClass::Unknown, class::reason(kind));
        found.add(FailedRecipient { address, class, status: None, reason, exchanger: None, source: SOURCE.to_owned() });
    }
    found.list
}

/// `a@b`, or `Name <a@b>`.
fn address(text: &str) -> Option<MailAddress> {
    text.rsplit('<').next()?.trim().trim_end_matches('>').parse().ok()
}
