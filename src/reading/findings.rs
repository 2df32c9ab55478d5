//! Where in a mail each reason comes from: the line staff are shown and the sender is quoted.

use super::names::is_centre_name;
use super::normalise::lines;
use super::trust::is_foreign;
use super::{Reading, Reason, doubts, remarks};
use crate::domain::{MailAddress, signs};
use crate::rules::Rules;

/// Lines named for one reason at most.
pub const LINES_PER_REASON_MAX: usize = 20;
/// Longest quoted line, in characters.
pub const QUOTED_CHARS_MAX: usize = 120;

/// A reason and the lines of the body it comes from; none where it is about the mail as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub reason: Reason,
    /// From 1, in their order.
    pub lines: Vec<usize>,
}

/// Every reason with its lines. `reasons` may hold more than the reading's own.
pub fn findings(reading: &Reading, reasons: &[Reason], rules: &Rules) -> Vec<Finding> {
    let each = reasons.iter().map(|reason| {
        let mut lines = lines_of(reading, *reason, rules);
        lines.sort_unstable();
        lines.dedup();
        lines.truncate(LINES_PER_REASON_MAX);
        Finding { reason: *reason, lines }
    });
    each.collect()
}

/// A line of the body as it may be quoted: one line without control characters and signs that mislead, cut where it is
/// long.
pub fn quoted(reading: &Reading, line: usize) -> Option<String> {
    let text = reading.body.lines().nth(line.checked_sub(1)?)?.trim();
    Some(text.chars().filter(|c| !c.is_control() && !signs::misleads(*c)).take(QUOTED_CHARS_MAX).collect())
}

fn lines_of(reading: &Reading, reason: Reason, rules: &Rules) -> Vec<usize> {
    let head = || reading.authority.iter().filter_map(|a| a.line).collect::<Vec<_>>();
    let phrases = &rules.registration.phrases;
    match reason {
        Reason::UnknownAuthority
        | Reason::AuthorityAmbiguous
        | Reason::SubjectDiffers
        | Reason::AuthorityAddressMissing => head(),
        Reason::AddressMissing | Reason::AddressInvalid => without_address(reading),
        Reason::FreeMail => by_domain(reading, |domain| rules.senders.is_free_mail(domain)),
        Reason::ForeignDomain => by_domain(reading, |domain| is_foreign(domain) && !rules.senders.is_free_mail(domain)),
        Reason::AddressDomainUnknown | Reason::LookAlikeDomain => {
            let sender = reading.head.from.as_ref().map(MailAddress::domain);
            by_domain(reading, |domain| Some(domain) != sender.as_deref())
        }
        Reason::UnknownCentre => {
            let strange = reading.centres.iter().filter(|c| !is_centre_name(&c.name));
            strange.filter_map(|c| c.line).collect()
        }
        Reason::CharsetDoubt => by_text(reading, |text| text.contains(['\u{fffd}', '〓'])),
        Reason::QuestionBesides | Reason::Inquiry => by_text(reading, |text| doubts::asks(text, phrases)),
        Reason::Withdrawal => by_text(reading, |text| phrases.withdraws.is_in(text)),
        Reason::DateChange => by_text(reading, |text| {
            phrases.from_day.is_in(text) || text.contains('@') && remarks::is_dated(text, phrases)
        }),
        Reason::Provisional => by_text(reading, |text| phrases.provisional.is_in(text)),
        Reason::Condition => remarks::lines_of(reading, rules),
        Reason::CountDiffers => by_text(reading, |text| doubts::announced(text).is_some()),
        Reason::AttachmentOnly => by_text(reading, |text| text.contains("添付") || text.contains("://")),
        Reason::Correction | Reason::AddressChange | Reason::Forwarded | Reason::QuotedData => {
            let centres = reading.centres.iter().filter(|c| c.address.is_some()).filter_map(|c| c.line);
            head().into_iter().chain(centres).collect()
        }
        Reason::SectionMissing
        | Reason::NothingFilledIn
        | Reason::Contradiction
        | Reason::SeveralFrom
        | Reason::TooLarge
        | Reason::TooDeep
        | Reason::OverLimit
        | Reason::HiddenText
        | Reason::Encrypted
        | Reason::Unreadable
        | Reason::UnknownKind
        | Reason::NewContact
        | Reason::TenantRemoved
        | Reason::MessageIdConflict
        | Reason::MinistryNotInCc
        | Reason::SenderDomainUnknown
        | Reason::AuthenticationFailed
        | Reason::EvidenceWeak
        | Reason::NameShowsOtherAddress
        | Reason::OtherAuthoritysDomain
        | Reason::KnownDomainForged => Vec::new(),
    }
}

/// Lines of tenants that have no address.
fn without_address(reading: &Reading) -> Vec<usize> {
    let head = reading.authority.iter().filter(|a| a.address.is_none()).filter_map(|a| a.line);
    head.chain(reading.centres.iter().filter(|c| c.address.is_none()).filter_map(|c| c.line)).collect()
}

/// Lines of tenants whose address is of such a domain.
fn by_domain(reading: &Reading, is_it: impl Fn(&str) -> bool) -> Vec<usize> {
    let head = reading.authority.iter().map(|a| (&a.address, a.line));
    let all = head.chain(reading.centres.iter().map(|c| (&c.address, c.line)));
    all.filter(|(address, _)| address.as_ref().is_some_and(|a| is_it(&a.domain()))).filter_map(|(_, l)| l).collect()
}

/// Lines of the sender's own words that say so.
fn by_text(reading: &Reading, says: impl Fn(&str) -> bool) -> Vec<usize> {
    let found = lines(&reading.body).into_iter().filter(|line| line.depth == 0 && says(&line.text));
    found.map(|line| line.number).take(LINES_PER_REASON_MAX).collect()
}
