//! Receipts (RFC 8098) that say the opposite: the server threw the mail away by itself, as Dovecot does for a rule of the
//! recipient or a full mailbox. Why stands in the text. A receipt that a person caused is left to the caller.

use super::class::{self, Codes};
use super::{Recipients, beginning};
use crate::reading::FailedRecipient;
use crate::reading::mime::Mail;
use crate::rules::BounceRules;

/// The part that holds the fields.
pub(in crate::reading) const KIND: &str = "message/disposition-notification";
/// What [`FailedRecipient::source`] says.
const SOURCE: &str = "rfc8098";
/// Text searched for the reason, in bytes.
const WORDS_BYTES_MAX: usize = 2_000;

/// Does it say that the mail was thrown away without a person?
pub(in crate::reading) fn rejects(text: &str) -> bool {
    let said =
        text.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("disposition"));
    let said = said.map(|(_, value)| value.to_ascii_lowercase()).unwrap_or_default();
    said.trim_start().starts_with("automatic-action") && said.contains("deleted")
}

/// Who rejected the mail; nobody if there is no such receipt.
pub(super) fn read(mail: &Mail, body: &str, rules: &BounceRules) -> Vec<FailedRecipient> {
    let words = beginning(body, WORDS_BYTES_MAX);
    let mut found = Recipients::default();
    for (_, text) in mail.reports.iter().filter(|(kind, text)| kind == KIND && rejects(text)) {
        let Some(address) = super::status::field(text, "final-recipient") else { continue };
        let codes = Codes::of(words);
        let class = class::of_failure(&codes, words, rules);
        let reason = class::reason(words);
        found.add(FailedRecipient {
            address,
            class,
            status: codes.status,
            reason,
            exchanger: None,
            source: SOURCE.to_owned(),
        });
    }
    found.list
}
