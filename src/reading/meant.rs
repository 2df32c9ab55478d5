//! What was most likely meant where an address as written is none: `hoken@city,x.lg.jp`, `hoken city.x.lg.jp`,
//! `hoken@city.x.1g.jp`, `hoken@city.x.lg`. Only a proposal beside a review: it must lead to a domain the same mail uses
//! elsewhere, and a person decides.

use super::entry;
use super::normalise::tidy;
use crate::domain::MailAddress;
use std::collections::BTreeSet;

/// Longest line and domain looked at, in bytes, and most domains compared: a proposal is not worth more.
const LINE_BYTES_MAX: usize = 300;
const DOMAIN_BYTES_MAX: usize = 80;
const DOMAINS_MAX: usize = 20;
/// Letters replaced, dropped or added in a mistyped domain.
const SLIPS_MAX: usize = 2;

/// Ways in which people write the sign @ in words or miss it on the keyboard.
const AT: [&str; 9] = ["アットマーク", "アット", "(at)", "[at]", "<at>", "{at}", " at ", "★", "#"];

/// The address that was meant on this line (and the one below it, if the line breaks off), among `domains`.
pub(super) fn meant(line: &str, below: Option<&str>, domains: &BTreeSet<String>) -> Option<MailAddress> {
    let line = mended(line)?;
    let torn = below.and_then(mended).map(|below| format!("{line}{below}"));
    let joined: String = line.chars().filter(|c| *c != ' ').collect();
    [Some(line), Some(joined), torn].into_iter().flatten().find_map(|text| found(&text, domains))
}

/// The line with its signs set right: one @, points between labels, no blanks around either.
fn mended(line: &str) -> Option<String> {
    let mut text = tidy(line).to_ascii_lowercase();
    if text.len() > LINE_BYTES_MAX {
        return None;
    }
    for word in AT {
        text = text.replace(word, "@");
    }
    text = text.replace("(@)", "@");
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let between = out.ends_with(|c: char| c.is_ascii_alphanumeric())
            && chars.peek().is_some_and(|c| c.is_ascii_alphanumeric() || *c == ' ' || *c == '.');
        match c {
            ',' | '、' | '。' | ';' | ':' | '/' if between => out.push('.'),
            '.' | '@' if out.ends_with(c) => {}
            ' ' if out.ends_with(['.', '@']) || matches!(chars.peek(), Some('.' | '@')) => {}
            _ => out.push(c),
        }
    }
    Some(out)
}

fn found(text: &str, domains: &BTreeSet<String>) -> Option<MailAddress> {
    let known = || domains.iter().take(DOMAINS_MAX).filter(|d| d.len() <= DOMAIN_BYTES_MAX);
    if let Some((before, after)) = text.split_once('@') {
        let local: String = tail(before);
        let (rest, _) = before.split_at_checked(before.len().saturating_sub(local.len()))?;
        if rest.strip_suffix(' ').is_some_and(|rest| rest.ends_with(|c: char| c.is_ascii_alphanumeric())) {
            // ho ken@…: the blank may stand inside.
            return None;
        }
        let domain: String =
            after.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).collect();
        let domain = domain.trim_end_matches(['.', '-']);
        let mut near = known()
            .filter(|d| *d == domain || d.strip_prefix(domain).is_some_and(|_| !domain.is_empty()) || slips(d, domain));
        let one = near.next().filter(|_| near.next().is_none())?;
        return entry::only(&format!("{local}@{one}"));
    }
    // The sign is missing altogether: what stands before a known domain.
    known().find_map(|domain| {
        let (before, _) = text.split_once(domain.as_str())?;
        entry::only(&format!("{}@{domain}", tail(before.trim_end())))
    })
}

/// The letters of a local part at the end of a text.
fn tail(before: &str) -> String {
    let local = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    let mut letters: Vec<char> = before.chars().rev().take_while(local).collect();
    letters.reverse();
    letters.into_iter().collect::<String>().trim_matches(['.', '-']).to_owned()
}

/// Are the two at most [`SLIPS_MAX`] slips apart?
fn slips(one: &str, other: &str) -> bool {
    if other.len() > DOMAIN_BYTES_MAX || one.len().abs_diff(other.len()) > SLIPS_MAX {
        return false;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (b, up) in other.bytes().zip(row.iter().skip(1)) {
            left = (corner + usize::from(a != b)).min(up + 1).min(left + 1);
            corner = *up;
            next.push(left);
        }
        row = next;
    }
    row.last().is_some_and(|d| *d <= SLIPS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proposals_lead_to_a_known_domain() {
        let domains: BTreeSet<String> = ["city.minato.lg.jp".to_owned()].into();
        let check = |line: &str, address: Option<&str>| {
            let found = meant(line, None, &domains);
            assert_eq!(found.as_ref().map(MailAddress::as_str), address, "{line}");
        };
        let right = Some("hoken@city.minato.lg.jp");
        for line in [
            "港区　hoken@city,minato.lg.jp",
            "港区　hoken@city.minato.lg、jp",
            "港区　hoken city.minato.lg.jp",
            "港区　hokencity.minato.lg.jp",
            "港区　hoken＠city. minato.lg.jp",
            "港区　hoken@@city.minato.lg.jp",
            "港区　hoken@city..minato.lg.jp",
            "港区　hoken@city.minato.1g.jp",
            "港区　hoken@city.minato.lg",
            "港区　hoken（アット）city.minato.lg.jp",
            "港区　hokenアットマークcity.minato.lg.jp",
            "港区　hoken(at)city.minato.lg.jp",
            "港区　hoken@ctiy.minato.lg.jp",
            "港区　ho ken@city.minato.lg.jp",
        ] {
            check(line, right);
        }
        check("港区　hoken@example.com", None);
        check("港区", None);
    }
}
