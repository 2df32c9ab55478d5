//! Delivery reports with fields (RFC 3464 §2, RFC 6533): one group of lines a recipient. Read as they come in life: fields
//! in any order, groups run together, types missing, several dialects of the address type.

use super::class::{self, Codes};
use super::{FailureClass, Recipients};
use crate::domain::MailAddress;
use crate::reading::FailedRecipient;
use crate::reading::mime::Mail;
use crate::rules::BounceRules;

/// Longest field kept, in bytes, folded lines joined.
const FIELD_BYTES_MAX: usize = 4_000;

/// What the groups say together.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) recipients: Vec<FailedRecipient>,
    /// At least one recipient got the mail: `delivered`, `relayed`, `expanded`.
    pub(super) delivered: bool,
}

/// The parts that hold such fields.
pub(super) fn parts(mail: &Mail) -> impl Iterator<Item = &str> {
    mail.reports.iter().filter(|(kind, _)| kind.ends_with("delivery-status")).map(|(_, text)| text.as_str())
}

/// Reads the groups of all parts. `to`: to whom a letter of ours was written.
pub(super) fn read<'a>(parts: impl Iterator<Item = &'a str>, to: &[MailAddress], rules: &BounceRules) -> Found {
    let mut recipients = Recipients::default();
    let mut delivered = false;
    for text in parts {
        for group in groups(text) {
            match recipient(&group, to, rules) {
                Some(Outcome::Failed(recipient)) => recipients.add(recipient),
                Some(Outcome::Delivered) => delivered = true,
                None => {}
            }
        }
    }
    Found { recipients: recipients.list, delivered }
}

/// Fields of one recipient: lower-case name and value.
type Group = Vec<(String, String)>;

/// A blank line ends a group, and so does a second address of the same kind.
fn groups(text: &str) -> Vec<Group> {
    let mut all = vec![Group::new()];
    for line in text.lines() {
        let Some(group) = all.last_mut() else { break };
        if line.trim().is_empty() {
            if !group.is_empty() {
                all.push(Group::new());
            }
            continue;
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = group.last_mut().filter(|(_, value)| value.len() < FIELD_BYTES_MAX) {
                value.push(' ');
                value.push_str(line.trim());
            }
            continue;
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        let field = (name.trim().to_ascii_lowercase(), super::beginning(value.trim(), FIELD_BYTES_MAX).to_owned());
        if field.0 == "final-recipient" && group.iter().any(|(name, _)| *name == field.0) {
            all.push(vec![field]);
        } else {
            group.push(field);
        }
    }
    all
}

enum Outcome {
    Failed(FailedRecipient),
    Delivered,
}

fn recipient(group: &Group, to: &[MailAddress], rules: &BounceRules) -> Option<Outcome> {
    let get = |name: &str| group.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    let names = ["final-recipient", "original-recipient", "x-actual-recipient", "x-original-recipient"];
    // Where forwarding changed the address, the one we wrote to is the one we know.
    let said = || names.iter().filter_map(|name| get(name).and_then(address));
    let address = said().find(|said| to.iter().any(|to| to.same_mailbox(said))).or_else(|| said().next())?;
    let action = get("action").and_then(|a| a.split([' ', '\t', '(', ';']).next()).unwrap_or_default();
    let diagnostic = get("diagnostic-code").or_else(|| get("x-smtp-diagnostic")).unwrap_or_default();
    let words = typed(diagnostic);
    let codes = Codes {
        status: get("status").and_then(|s| Codes::of(s).status).or_else(|| Codes::of(words).status),
        reply: Codes::of(words).reply,
    };
    let succeeded = ["delivered", "deliverable", "relayed", "relay", "expanded"];
    let class = if succeeded.iter().any(|word| action.eq_ignore_ascii_case(word)) {
        return Some(Outcome::Delivered);
    } else if action.eq_ignore_ascii_case("delayed") || action.eq_ignore_ascii_case("deferred") {
        FailureClass::Delayed
    } else if action.is_empty() && codes.status.as_deref().is_some_and(|s| s.starts_with('2')) {
        return Some(Outcome::Delivered);
    } else {
        class::of_failure(&codes, words, rules)
    };
    let (status, reason) = (codes.status, class::reason(words));
    let exchanger = get("remote-mta").and_then(host);
    let source = SOURCE.to_owned();
    Some(Outcome::Failed(FailedRecipient { address, class, status, reason, exchanger, source }))
}

/// The name of a server: `dns; mx.example.jp (192.0.2.1)`.
fn host(value: &str) -> Option<String> {
    let name = typed(value).split([' ', '(', '[']).next()?.trim_end_matches('.').to_ascii_lowercase();
    let is_name = name.contains('.') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.');
    (is_name && name.len() <= 253 && name.chars().any(|c| c.is_ascii_alphabetic())).then_some(name)
}

/// What [`FailedRecipient::source`] says.
const SOURCE: &str = "rfc3464";

/// A value without its type: `rfc822; a@b`, `smtp; 550 …`, `X-Postfix; …`.
fn typed(value: &str) -> &str {
    let is_type = |kind: &str| kind.len() <= 20 && kind.trim().chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    match value.split_once(';') {
        Some((kind, rest)) if is_type(kind) => rest.trim(),
        Some(_) | None => value.trim(),
    }
}

/// The address in the first field of this name (lower-case).
pub(super) fn field(text: &str, name: &str) -> Option<MailAddress> {
    groups(text).iter().flatten().find(|(n, _)| n == name).and_then(|(_, value)| address(value))
}

/// The address in a field, bare, in angle brackets, or with a comment.
fn address(value: &str) -> Option<MailAddress> {
    let value = typed(value);
    let inner = value.split_once('<').map_or(value, |(_, rest)| rest.split('>').next().unwrap_or_default());
    let bare = inner.split_whitespace().find(|word| word.contains('@'))?;
    let bare = bare.trim_matches(|c: char| "<>()[]\"';,".contains(c)).trim_end_matches('.');
    bare.strip_prefix("mailto:").unwrap_or(bare).parse().ok()
}
