//! The two halves of a report: what the server says, and the mail it returns (RFC 3462: message/rfc822 or
//! text/rfc822-headers; in words: whatever stands below a line that says so).

use super::class::bare_id;
use super::{TEXT_BYTES_MAX, beginning};
use crate::domain::MailAddress;
use crate::reading::header;
use crate::reading::mime::Mail;
use crate::reading::normalise::tidy;
use crate::rules::Rules;

/// Lines of the returned header looked at.
const HEADER_LINES_MAX: usize = 200;
/// How the Message-ID of a letter of ours begins.
const OUR_LETTERS: &str = "annai.";
/// Envelope senders collected.
const SENDERS_MAX: usize = 20;

/// See the module.
#[derive(Debug)]
pub(super) struct Returned<'m> {
    /// What the server says: tidied, lines that hold other addresses than the failed one taken out.
    pub(super) report: String,
    /// What stands below, if the mail is returned in the text.
    below: String,
    mail: &'m Mail,
}

impl<'m> Returned<'m> {
    pub(super) fn of(mail: &'m Mail, body: &str, rules: &Rules) -> Self {
        let text: Vec<String> =
            beginning(body, TEXT_BYTES_MAX).lines().map(|line| tidy(line).trim_end().to_owned()).collect();
        let text = text.join("\n");
        let start = text.len().saturating_sub(text.trim_start().len());
        // A mark before anything is said parts nothing.
        let cut = rules.bounces.ends.iter().filter_map(|end| end.find_at(&text, start).map(|hit| hit.start()));
        let cut = cut.filter(|at| *at > start).min().unwrap_or(text.len());
        let (report, below) = text.split_at_checked(cut).unwrap_or((text.as_str(), ""));
        Self { report: without_others(report), below: below.to_owned(), mail }
    }

    /// What stands below the mark, if the mail is returned in the text.
    pub(super) fn below(&self) -> &str {
        &self.below
    }

    /// The first field of this name in the header of the returned mail.
    fn field(&self, name: &str) -> Option<Vec<u8>> {
        if let Some(value) = self.mail.inside.iter().find_map(|inner| inner.field(name)) {
            return Some(value.to_vec());
        }
        let parts = self.mail.reports.iter().filter(|(kind, _)| kind.contains("rfc822") || kind.contains("partial"));
        parts.map(|(_, text)| text.as_str()).chain([self.below.as_str()]).find_map(|text| in_text(text, name))
    }

    /// Message-ID of the returned mail.
    pub(super) fn message_id(&self) -> Option<String> {
        let said = || in_text(&self.report, "message-id");
        let id = self.field("message-id").or_else(said).map(|value| header::text(&value));
        id.and_then(|id| bare_id(&id))
    }

    /// To whom the returned mail was written.
    pub(super) fn to(&self) -> Vec<MailAddress> {
        let to = ["to", "cc"].iter().filter_map(|name| self.field(name)).flat_map(|value| addresses(&value));
        let to: Vec<_> = to.collect();
        let stamped = ["delivered-to", "x-original-to", "envelope-to"].iter().filter_map(|name| self.field(name));
        if to.is_empty() { stamped.flat_map(|value| addresses(&value)).collect() } else { to }
    }

    /// To whom it was written, if it looks like a letter of ours (its Message-ID; the engine looks at the key in it).
    pub(super) fn addressee(&self) -> Vec<MailAddress> {
        let ours = self.message_id().is_some_and(|id| id.starts_with(OUR_LETTERS));
        if ours { self.to() } else { Vec::new() }
    }

    /// Who had written it.
    pub(super) fn from(&self) -> Vec<MailAddress> {
        let names = ["from", "sender", "reply-to", "return-path"];
        names.iter().filter_map(|name| self.field(name)).flat_map(|value| addresses(&value)).collect()
    }

    /// Envelope senders the whole mail names: where it was delivered, and who sent the returned mail.
    pub(super) fn senders(&self, mail: &Mail) -> Vec<MailAddress> {
        let outer = ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to", "cc"];
        let outer = outer.iter().filter_map(|name| mail.field(name)).flat_map(addresses);
        let inner = self.field("return-path").into_iter().flat_map(|value| addresses(&value));
        let said = super::status::parts(mail)
            .filter_map(|text| in_text(text, "x-postfix-sender").or_else(|| in_text(text, "x-sender")))
            .filter_map(|value| String::from_utf8_lossy(&value).rsplit(';').next()?.trim().parse().ok())
            .collect::<Vec<MailAddress>>();
        outer.chain(inner).chain(said).take(SENDERS_MAX).collect()
    }
}

fn addresses(value: &[u8]) -> Vec<MailAddress> {
    header::addresses(value).into_iter().map(|(_, address)| address).collect()
}

/// A field in a header that stands in a text, folded lines joined.
fn in_text(text: &str, name: &str) -> Option<Vec<u8>> {
    let mut lines = text.lines().take(HEADER_LINES_MAX).peekable();
    while let Some(line) = lines.next() {
        let Some((key, value)) = line.trim_start().split_once(':') else { continue };
        if !key.trim().eq_ignore_ascii_case(name) {
            continue;
        }
        let mut value = value.trim().to_owned();
        while let Some(more) = lines.next_if(|l| l.starts_with([' ', '\t']) && !l.trim().is_empty()) {
            value.push(' ');
            value.push_str(more.trim());
        }
        return Some(value.into_bytes());
    }
    None
}

/// Lines that name senders, programs and identifiers, never the one who failed.
const OTHERS: [&str; 14] = [
    "message-id",
    "messageid",
    "from:",
    "sender:",
    "reply-to:",
    "return-path:",
    "mail from",
    "reporting-mta",
    "references:",
    "in-reply-to:",
    "received:",
    "x-mailer",
    "in:  mail from",
    "the sender is",
];

/// Words before the address of somebody who helps, who had sent, or who might be meant.
const HELP: [&str; 14] = [
    "accepting mail from",
    "try sending",
    "try emailing",
    "e.g.",
    "contact",
    "assistance",
    "for help",
    "any questions",
    "please reply",
    "please forward",
    "support",
    "問い合わせ",
    "問合せ",
    "連絡先",
];

fn without_others(report: &str) -> String {
    let mut kept = String::with_capacity(report.len());
    let mut named = false;
    let mut help = false;
    for line in report.lines() {
        let start = line.trim_start_matches([' ', '\t', '>', '*', '-']).to_ascii_lowercase();
        // The helper stands in the same line, or below it; behind the address the word helps nobody.
        let before = start.split('@').next().unwrap_or_default();
        let helper = HELP.iter().any(|word| before.contains(word));
        if line.contains('@') && (helper || help) {
            (help, named) = (false, false);
            kept.push('\n');
            continue;
        }
        help = helper && start.trim_end().ends_with([':', '：']) || help && start.is_empty();
        // `Message-ID:` with its value on the next line.
        let value_of_other = named && line.trim_start().starts_with('<');
        named = start.starts_with("message-id") && start.trim_end().ends_with(':');
        if !value_of_other && !OTHERS.iter().any(|other| start.starts_with(other)) {
            kept.push_str(line);
        }
        kept.push('\n');
    }
    kept
}
