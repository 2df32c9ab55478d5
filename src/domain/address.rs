//! A mail address as the machine uses it: one ASCII addr-spec (RFC 5322 §3.4.1, RFC 5321 §4.1.2), never a display name.
//!
//! Limits: 254 octets in all, 64 in the local part (RFC 5321 §4.5.3.1). Lenient where Japanese carriers are: dots may
//! stand at the end of the local part or next to each other (`a..b.@docomo.ne.jp` exists and receives mail).

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Longest address taken, in octets (RFC 5321 §4.5.3.1.3 less the angle brackets).
pub const ADDRESS_OCTETS_MAX: usize = 254;
/// Longest local part taken, in octets (RFC 5321 §4.5.3.1.1).
pub const LOCAL_OCTETS_MAX: usize = 64;

/// One mail address, checked. Has no `Display`: who wants it in clear says [`MailAddress::as_str`]; logs get
/// [`MailAddress::masked`], which is also what `Debug` prints.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailAddress(String);

/// Why a text is no mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("no @ in it")]
    NoAt,
    #[error("more than one @ in it")]
    SeveralAt,
    #[error("longer than 254 characters, or more than 64 before the @")]
    TooLong,
    #[error("nothing before the @, or a character there that no address has")]
    Local,
    #[error("the part after the @ is no domain name")]
    Domain,
}

impl MailAddress {
    /// The address in clear, as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the @.
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// The part after the @, lower-case.
    pub fn domain(&self) -> String {
        self.0.rsplit_once('@').map_or_else(String::new, |(_, domain)| domain.to_ascii_lowercase())
    }

    /// For logs: first letter of the local part and the domain, `k***@city.example.lg.jp`.
    pub fn masked(&self) -> String {
        let first: String = self.local().chars().take(1).collect();
        format!("{first}***@{}", self.domain())
    }

    /// Two spellings of one mailbox: domains never differ by case, and no receiving system we know tells local parts
    /// apart by case either.
    pub fn same_mailbox(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl FromStr for MailAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (local, domain) = text.split_once('@').ok_or(AddressError::NoAt)?;
        if domain.contains('@') {
            return Err(AddressError::SeveralAt);
        }
        if text.len() > ADDRESS_OCTETS_MAX || local.len() > LOCAL_OCTETS_MAX {
            return Err(AddressError::TooLong);
        }
        let atext = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        if local.is_empty() || !local.chars().all(atext) {
            return Err(AddressError::Local);
        }
        if !is_domain(domain) {
            return Err(AddressError::Domain);
        }
        Ok(Self(text.to_owned()))
    }
}

/// At least two labels of letters, digits and inner hyphens, the last not a number (RFC 1123 §2.1).
fn is_domain(domain: &str) -> bool {
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let labels = domain.split('.').count();
    let last_is_number = domain.rsplit('.').next().is_some_and(|l| l.chars().all(|c| c.is_ascii_digit()));
    labels >= 2 && !last_is_number && domain.split('.').all(label)
}

impl fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl TryFrom<String> for MailAddress {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<MailAddress> for String {
    fn from(address: MailAddress) -> Self {
        address.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(), AddressError>) {
        assert_eq!(text.parse::<MailAddress>().map(|_| ()), expected, "{text}");
    }

    #[test]
    fn accepts_what_receives_mail_and_refuses_the_rest() {
        check("hoken@city.sapporo.jp", Ok(()));
        check("a..b.@docomo.ne.jp", Ok(()));
        check("hoken", Err(AddressError::NoAt));
        check("a@b@c.jp", Err(AddressError::SeveralAt));
        check("a@b", Err(AddressError::Domain));
        check("a@b..jp", Err(AddressError::Domain));
        check("a@-b.jp", Err(AddressError::Domain));
        check("a@192.0.2.1", Err(AddressError::Domain));
        check("ａ@b.jp", Err(AddressError::Local));
        check("@b.jp", Err(AddressError::Local));
        check("a b@c.jp", Err(AddressError::Local));
        check("a\r\nBcc: x@c.jp", Err(AddressError::Local));
        check(&format!("{}@b.jp", "a".repeat(65)), Err(AddressError::TooLong));
    }

    #[test]
    fn debug_never_shows_the_local_part() {
        let address: MailAddress = "kansensho@city.example.lg.jp".parse().unwrap();
        assert_eq!(format!("{address:?}"), "k***@city.example.lg.jp");
    }
}
