//! Whose addresses these are: free mail, firms and other countries, a domain one slip beside the others (research R9).
//! A list of the authorities' own domains is the daemon's business, not the reading's.

use super::{Reading, Reason};
use crate::domain::MailAddress;
use crate::rules::Rules;
use std::collections::{BTreeMap, BTreeSet};

/// Different domains of one mail that are compared with each other; no authority uses as many.
const DOMAINS_MAX: usize = 50;

/// Whose addresses these are: free mail, domains of firms and of other countries, one letter off the others.
pub(super) fn trust(reading: &mut Reading, rules: &Rules) {
    let authority = reading.authority.iter().filter_map(|a| a.address.as_ref());
    let centres = reading.centres.iter().filter_map(|c| c.address.as_ref());
    let tenants: Vec<String> = authority.chain(centres).map(MailAddress::domain).collect();
    let sender = reading.head.from.as_ref().map(MailAddress::domain);
    let mut reasons = Vec::new();
    let each: BTreeSet<&String> = tenants.iter().chain(&sender).collect();
    for domain in each {
        if rules.senders.free_mail.iter().any(|free| is_below(domain, free)) {
            reasons.push(Reason::FreeMail);
        } else if is_foreign(domain) {
            reasons.push(Reason::ForeignDomain);
        }
    }
    let mut often: BTreeMap<&str, usize> = BTreeMap::new();
    for domain in tenants.iter().chain(&sender) {
        *often.entry(domain).or_default() += 1;
    }
    let near = |(a, n): (&str, usize)| {
        often.iter().take(DOMAINS_MAX).any(|(b, m)| a != *b && (*m >= n && one_slip(a, b) || cut_off(a, b)))
    };
    let slipped: BTreeSet<&str> =
        often.iter().take(DOMAINS_MAX).filter(|(d, n)| near((d, **n))).map(|(d, _)| *d).collect();
    let centres = reading.centres.iter_mut().map(|c| &mut c.address);
    for address in centres.chain(reading.authority.iter_mut().map(|a| &mut a.address)) {
        if address.as_ref().is_some_and(|a| slipped.contains(a.domain().as_str())) {
            // Most likely mistyped: nobody may be sent anything there.
            *address = None;
            reasons.push(Reason::AddressInvalid);
        }
    }
    reading.reasons.extend(reasons);
}

/// `city.example.lg` is the beginning of `city.example.lg.jp`: its end is lost.
fn cut_off(domain: &str, other: &str) -> bool {
    other.strip_prefix(domain).is_some_and(|rest| rest.starts_with('.'))
}

/// `mail.example.jp` lies below `example.jp`, and so does `example.jp` itself.
fn is_below(domain: &str, above: &str) -> bool {
    domain.strip_suffix(above).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Domains of firms, providers, schools and of other countries. Names reserved for examples and tests (RFC 2606) belong to
/// nobody and are no country: rehearsals use them.
pub(super) fn is_foreign(domain: &str) -> bool {
    let kind = [".co.jp", ".ne.jp", ".or.jp", ".ac.jp", ".ad.jp", ".gr.jp", ".ed.jp", ".go.jp"];
    let home = ["jp", "example", "test"];
    !domain.rsplit('.').next().is_some_and(|top| home.contains(&top)) || kind.iter().any(|k| domain.ends_with(k))
}

/// Two domains one typing slip apart: a letter replaced, dropped, doubled, or two swapped.
pub(super) fn one_slip(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len().abs_diff(other.len()) > 1 {
        return false;
    }
    let longest = one.len().max(other.len());
    let front = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let back = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let swapped = match (one.get(front..front + 2), other.get(front..front + 2)) {
        (Some([a, b]), Some([c, d])) => one.len() == other.len() && front + back + 2 == longest && a == d && b == c,
        _ => false,
    };
    front + back + 1 >= longest || swapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips() {
        assert!(one_slip("city.x.lg.jp", "city.x.lg.jpp") && one_slip("city.x.lg.jp", "city.x.lgjp"));
        assert!(one_slip("city.x.lg.jp", "ctiy.x.lg.jp") && one_slip("city.x.lg.jp", "city.y.lg.jp"));
        assert!(!one_slip("city.x.lg.jp", "pref.x.lg.jp"));
    }
}
