//! Complaints of readers by way of their provider (RFC 5965, ARF), and Outlook.com's form of them without fields.

use super::{FailureClass, Recipients};
use crate::domain::MailAddress;
use crate::reading::FailedRecipient;
use crate::reading::header;
use crate::reading::mime::Mail;
use crate::rules::BounceRules;

/// What [`FailedRecipient::source`] says.
const SOURCE: &str = "arf";
/// Fields that name who complained, surest first.
const FIELDS: [&str; 3] = ["original-rcpt-to", "removal-recipient", "final-recipient"];

/// Who complained; `None`: the mail is no complaint. The list is empty where the provider keeps it to itself.
pub(super) fn read(mail: &Mail, rules: &BounceRules) -> Option<Vec<FailedRecipient>> {
    let mut reports = mail.reports.iter().filter(|(kind, _)| kind == "message/feedback-report").peekable();
    let in_words = || {
        let shaped =
            mail.text("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("feedback-report"));
        let said = || mail.text("subject").is_some_and(|subject| rules.complaints.is_match(&subject));
        shaped || !mail.inside.is_empty() && said()
    };
    if reports.peek().is_none() && !in_words() {
        return None;
    }
    let mut found = Recipients::default();
    for (_, text) in reports {
        let kind = value(text, "feedback-type").next().unwrap_or_else(|| "abuse".to_owned());
        let named = FIELDS.iter().map(|name| value(text, name).collect::<Vec<_>>()).find(|values| !values.is_empty());
        for address in named.unwrap_or_default().iter().filter_map(|value| bare(value)) {
            found.add(complainer(address, &kind));
        }
    }
    if found.list.is_empty() {
        let returned = mail.inside.iter().filter_map(|inner| {
            ["x-hmxmroriginalrecipient", "to"].into_iter().find_map(|name| inner.field(name)).map(header::addresses)
        });
        returned.flatten().for_each(|(_, address)| found.add(complainer(address, "abuse")));
    }
    Some(found.list)
}

fn complainer(address: MailAddress, kind: &str) -> FailedRecipient {
    let reason = super::class::reason(kind);
    FailedRecipient {
        address,
        class: FailureClass::Unknown,
        status: None,
        reason,
        exchanger: None,
        source: SOURCE.to_owned(),
    }
}

fn value(text: &str, name: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(move |line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

fn bare(value: &str) -> Option<MailAddress> {
    let value = value.rsplit(';').next().unwrap_or(value).trim();
    value.trim_matches(['<', '>']).parse().ok()
}
