//! Who failed, and why: RFC 3464 reports field by field; plain-text bounces of Postfix, Exim, Exchange, sendmail and
//! qmail by their habit of naming the address at the start of a line, the reply code below.

use super::FailedRecipient;
use super::mime::Mail;
use super::normalise::tidy;
use super::pattern::{matches, pattern};
use crate::domain::MailAddress;

/// Recipients taken from one report.
const RECIPIENTS_MAX: usize = 100;
/// Lines of a plain-text bounce looked at; the returned mail follows below.
const LINES_MAX: usize = 60;
/// Longest diagnostic text kept, in characters.
const REASON_CHARS_MAX: usize = 300;

/// What a report says.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) recipients: Vec<FailedRecipient>,
    /// Every recipient got the mail: `delivered`, `relayed` or `expanded`.
    pub(super) delivered_only: bool,
    pub(super) message_id: Option<String>,
}

/// Reads a bounce: the report if there is one, else the text.
pub(super) fn read(mail: &Mail, body: &str) -> Report {
    let statuses = mail.reports.iter().filter(|(kind, _)| kind.ends_with("delivery-status"));
    let mut report = Report::default();
    let mut delivered = 0;
    for (_, text) in statuses {
        for group in text.split("\n\n").filter(|g| !g.trim().is_empty()).take(RECIPIENTS_MAX) {
            match recipient(group) {
                Some((_, Action::Delivered)) => delivered += 1,
                Some((recipient, Action::Failed | Action::Delayed)) => report.recipients.push(recipient),
                None => {}
            }
        }
    }
    report.delivered_only = delivered > 0 && report.recipients.is_empty();
    if report.recipients.is_empty() && !report.delivered_only {
        report.recipients = from_text(body);
    }
    report.message_id = body.lines().find_map(|l| {
        l.trim().to_ascii_lowercase().starts_with("message-id:").then(|| bare_id(l.split_once(':')?.1)).flatten()
    });
    report
}

/// Message-ID of the mail a report returns (RFC 3462: message/rfc822 or text/rfc822-headers).
pub(super) fn returned_id(mail: &Mail) -> Option<String> {
    let inside = mail.inside.iter().find_map(|m| m.text("message-id"));
    let headers = || {
        let (_, text) = mail.reports.iter().find(|(kind, _)| kind == "text/rfc822-headers")?;
        text.lines().find_map(|l| field(l, "message-id").map(str::to_owned))
    };
    inside.or_else(headers).and_then(|id| bare_id(&id))
}

/// A Message-ID without its brackets.
pub(super) fn bare_id(id: &str) -> Option<String> {
    let id = id.trim().trim_start_matches('<').split('>').next().unwrap_or_default().trim();
    (!id.is_empty() && id.len() <= 998 && !id.contains(char::is_whitespace)).then(|| id.to_owned())
}

enum Action {
    Failed,
    Delayed,
    Delivered,
}

/// One group of per-recipient fields (RFC 3464 §2.3).
fn recipient(group: &str) -> Option<(FailedRecipient, Action)> {
    let group = group.replace("\n ", " ").replace("\n\t", " ");
    let get = |name: &str| group.lines().find_map(|line| field(line, name));
    let typed = |value: &str| value.split_once(';').map_or(value, |(_, v)| v).trim().to_owned();
    let address = get("final-recipient").or_else(|| get("original-recipient")).map(typed)?;
    let address: MailAddress = address.trim_matches(['<', '>']).parse().ok()?;
    let status = get("status").and_then(|s| s.split_whitespace().next()).map(str::to_owned);
    let action = match get("action").map(str::to_ascii_lowercase).as_deref() {
        Some("delivered" | "relayed" | "expanded") => Action::Delivered,
        Some("delayed") => Action::Delayed,
        Some(_) | None => Action::Failed,
    };
    let by_status = status.as_deref().and_then(permanence);
    let permanent = match action {
        Action::Delayed => Some(false),
        Action::Failed => by_status,
        Action::Delivered => None,
    };
    let reason = get("diagnostic-code").map(typed).map(|r| shorten(&r));
    Some((FailedRecipient { address, permanent, status, reason }, action))
}

fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (key, value) = line.split_once(':')?;
    key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
}

fn permanence(status: &str) -> Option<bool> {
    match status.chars().next()? {
        '5' => Some(true),
        '4' => Some(false),
        _ => None,
    }
}

fn shorten(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    one_line.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect()
}

pattern!(ADDRESS, r"^\s*(?:To:\s*)?[<(]?([A-Za-z0-9._%+/=-]+@[A-Za-z0-9.-]+)[>)]?\s*:?(.*)$");
pattern!(CODE, r"\b([45][0-9]{2})[ #-]+(?:([45]\.[0-9]{1,3}\.[0-9]{1,3}))?|\b([45]\.[0-9]{1,3}\.[0-9]{1,3})\b");
pattern!(RETURNED, r"(?i)^-+\s*(?:this is a copy|below this line|original message|returned)|^--- ");
pattern!(DELAY, r"(?i)delayed|still being retried|warning only|will (?:be retried|keep trying)|遅延|再送を試み");
pattern!(
    GONE,
    r"(?i)user unknown|unknown user|no such user|does not exist|not found|rejected|permanent|見つかりません|存在しません|配信できません"
);

/// Addresses at the start of a line, each with the reply code on its line or the few below.
fn from_text(body: &str) -> Vec<FailedRecipient> {
    let lines: Vec<&str> = body.lines().take(LINES_MAX).take_while(|l| !matches(&RETURNED, l)).collect();
    let text = tidy(&lines.join(" "));
    let overall = if matches(&DELAY, &text) {
        Some(false)
    } else if matches(&GONE, &text) {
        Some(true)
    } else {
        None
    };
    let mut found: Vec<FailedRecipient> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(hit) = ADDRESS.as_ref().and_then(|a| a.captures(line)) else { continue };
        let Some(Ok(address)) = hit.get(1).map(|m| m.as_str().parse::<MailAddress>()) else { continue };
        if found.iter().any(|f| f.address.same_mailbox(&address)) {
            continue;
        }
        let near = lines.get(index..(index + 4).min(lines.len())).unwrap_or_default().join(" ");
        let code = CODE.as_ref().and_then(|c| c.captures(&near));
        let group = |n: usize| code.as_ref().and_then(|c| c.get(n)).map(|m| m.as_str().to_owned());
        let status = group(2).or_else(|| group(3));
        let permanent = status.clone().or_else(|| group(1)).as_deref().and_then(permanence).or(overall);
        let reason = code.is_some().then(|| shorten(near.trim()));
        found.push(FailedRecipient { address, permanent, status, reason });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, address: &str, permanent: Option<bool>, status: Option<&str>) {
        let found = from_text(body);
        let found: Vec<_> = found.iter().map(|f| (f.address.as_str(), f.permanent, f.status.as_deref())).collect();
        assert_eq!(found, [(address, permanent, status)], "{body}");
    }

    #[test]
    fn bounces_without_a_report() {
        check("failed:\n\n  a@x.jp\n    host mx [192.0.2.1]: 550 unknown user\n", "a@x.jp", Some(true), None);
        check(
            "<a@x.jp>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 User unknown\n",
            "a@x.jp",
            Some(true),
            Some("5.1.1"),
        );
        check("<a@x.jp>: host mx said: 452 4.2.2 Mailbox full\n", "a@x.jp", Some(false), Some("4.2.2"));
    }
}
