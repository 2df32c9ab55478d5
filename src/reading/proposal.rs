//! What a mail would register, as a value staff can change before they accept it: authority, names, addresses. What they
//! typed goes through the checks a mail goes through; a doubt that the mail itself did not raise must be confirmed.

use super::names::is_centre_name;
use super::trust::{is_foreign, one_slip};
use super::{ReadAuthority, ReadCentre, Reading, Reason};
use crate::domain::{LgCode, MailAddress};
use crate::rules::{Authority, Rules};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most health centres a proposal may hold; Hokkaido has 26.
pub const CENTRES_MAX: usize = 200;
/// Longest name of a health centre, in characters.
pub const NAME_CHARS_MAX: usize = 80;

/// What a mail would register, or what staff make of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// `None`: not known; a proposal without it cannot be accepted.
    pub authority: Option<LgCode>,
    /// The authority's own address; `None`: left as it is.
    pub address: Option<MailAddress>,
    #[serde(default)]
    pub centres: Vec<ProposedCentre>,
}

/// A health centre of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposedCentre {
    pub name: String,
    /// `None`: not registered, or left as it is.
    pub address: Option<MailAddress>,
}

/// Why a proposal cannot be taken over by anybody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProposalError {
    #[error("the proposal names no authority; give its code")]
    NoAuthority,
    #[error("{0} is not in rules/authorities.csv")]
    UnknownAuthority(LgCode),
    #[error("a health centre has an empty name, or one of more than {NAME_CHARS_MAX} characters")]
    Name,
    #[error("{0} stands twice with different addresses")]
    Twice(String),
    #[error("it has more than {CENTRES_MAX} health centres")]
    TooMany,
}

impl Proposal {
    /// What the mail says, as it was read.
    pub fn of(reading: &Reading) -> Self {
        let centre = |c: &ReadCentre| ProposedCentre { name: c.name.clone(), address: c.address.clone() };
        Self {
            authority: reading.authority.as_ref().and_then(|a| a.code),
            address: reading.authority.as_ref().and_then(|a| a.address.clone()),
            centres: reading.centres.iter().map(centre).collect(),
        }
    }

    /// The authority it speaks of; an error for what nobody may take over.
    pub fn check<'r>(&self, rules: &'r Rules) -> Result<&'r Authority, ProposalError> {
        let code = self.authority.ok_or(ProposalError::NoAuthority)?;
        let authority = rules.authorities.by_code(code).ok_or(ProposalError::UnknownAuthority(code))?;
        if self.centres.len() > CENTRES_MAX {
            return Err(ProposalError::TooMany);
        }
        let mut named: BTreeMap<String, &Option<MailAddress>> = BTreeMap::new();
        for centre in &self.centres {
            let length = centre.name.trim().chars().count();
            if length == 0 || length > NAME_CHARS_MAX || centre.name.chars().any(char::is_control) {
                return Err(ProposalError::Name);
            }
            let before = named.insert(crate::rules::names::fold(&centre.name), &centre.address);
            if before.is_some_and(|before| *before != centre.address) {
                return Err(ProposalError::Twice(centre.name.clone()));
            }
        }
        Ok(authority)
    }

    /// The doubts a mail would raise by what here is not in `before`. `sender`: the address the mail came from.
    pub fn doubts(
        &self,
        before: &Self,
        authority: &Authority,
        sender: Option<&MailAddress>,
        rules: &Rules,
    ) -> BTreeSet<Reason> {
        let mut reasons = BTreeSet::new();
        let addresses = || self.addresses();
        let domains: Vec<String> = addresses().chain(sender).map(MailAddress::domain).collect();
        for domain in addresses().filter(|a| before.addresses().all(|b| b != *a)).map(MailAddress::domain) {
            if rules.senders.is_free_mail(&domain) {
                reasons.insert(Reason::FreeMail);
            } else if is_foreign(&domain) {
                reasons.insert(Reason::ForeignDomain);
            }
            if domains.iter().any(|other| *other != domain && one_slip(other, &domain)) {
                reasons.insert(Reason::AddressInvalid);
            }
        }
        let strange = |c: &ProposedCentre| !is_centre_name(&c.name) && authority.knows_centre(&c.name).is_none();
        let new = |c: &&ProposedCentre| before.centres.iter().all(|b| b.name != c.name);
        if self.centres.iter().filter(new).any(strange) {
            reasons.insert(Reason::UnknownCentre);
        }
        if addresses().next().is_none() {
            reasons.insert(Reason::NothingFilledIn);
        }
        reasons
    }

    fn addresses(&self) -> impl Iterator<Item = &MailAddress> {
        self.address.iter().chain(self.centres.iter().filter_map(|c| c.address.as_ref()))
    }

    /// The reading with this in place of what was read; lines and further addresses stay where a name stays.
    pub fn put_into(&self, reading: &mut Reading, authority: &Authority) {
        let line = reading.authority.as_ref().and_then(|a| a.line);
        reading.authority = Some(ReadAuthority {
            name: authority.name.clone(),
            address: self.address.clone(),
            code: Some(authority.code),
            other_addresses: Vec::new(),
            line,
        });
        let line_of = |name: &str| reading.centres.iter().find(|c| c.name == name).and_then(|c| c.line);
        let centre = |c: &ProposedCentre| ReadCentre {
            name: c.name.trim().to_owned(),
            address: c.address.clone(),
            other_addresses: Vec::new(),
            line: line_of(&c.name),
        };
        let centres = self.centres.iter().map(centre).collect();
        reading.centres = centres;
    }
}

#[cfg(all(test, feature = "daemon"))]
mod tests {
    use super::*;

    fn proposal(centres: &[(&str, Option<&str>)]) -> Proposal {
        let centre = |(name, address): &(&str, Option<&str>)| ProposedCentre {
            name: (*name).to_owned(),
            address: address.map(|a| a.parse().unwrap()),
        };
        Proposal {
            authority: Some("131032".parse().unwrap()),
            address: Some("kansen@city.minato.tokyo.jp".parse().unwrap()),
            centres: centres.iter().map(centre).collect(),
        }
    }

    fn doubts(proposal: &Proposal) -> Vec<Reason> {
        let rules = Rules::embedded().unwrap();
        proposal.doubts(&Proposal::default(), proposal.check(&rules).unwrap(), None, &rules).into_iter().collect()
    }

    #[test]
    fn what_staff_type_is_checked_like_a_mail() {
        assert_eq!(doubts(&proposal(&[("みなと保健所", Some("hoken@city.minato.tokyo.jp"))])), []);
        assert_eq!(doubts(&proposal(&[("みなと保健所", Some("x@gmail.com"))])), [Reason::FreeMail]);
        assert_eq!(doubts(&proposal(&[("みなと保健所", Some("x@city.minatp.tokyo.jp"))])), [Reason::AddressInvalid]);
        assert_eq!(doubts(&proposal(&[("山田", Some("x@city.minato.tokyo.jp"))])), [Reason::UnknownCentre]);
    }

    #[test]
    fn what_nobody_may_take_over_is_an_error() {
        let rules = Rules::embedded().unwrap();
        let twice = proposal(&[("みなと保健所", Some("a@x.lg.jp")), ("みなと保健所", None)]);
        assert!(matches!(twice.check(&rules), Err(ProposalError::Twice(_))));
        assert_eq!(proposal(&[(" ", None)]).check(&rules), Err(ProposalError::Name));
        assert_eq!(Proposal::default().check(&rules), Err(ProposalError::NoAuthority));
    }
}
