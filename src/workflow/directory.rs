//! What a registration mail changes in the directory (seed 4.1; research R9, R11).
//!
//! | the mail | and the directory | decision |
//! |---|---|---|
//! | has a reason for review | any | Review |
//! | certain | authority not yet there | Register |
//! | certain | says the same already | Duplicate |
//! | certain | only health centres are new | Register (these) |
//! | certain | an address differs | Review(address-change): a changed contact never gets a certificate by itself |
//! | accepted by staff | any | additions and changed addresses are taken over |
//!
//! A tenant that a later mail no longer names stays: nobody loses access because a list was short.

use super::Nonce;
use super::course::{Course, CourseEvent, Roster};
use crate::domain::tenant::Provenance;
use crate::domain::{LgCode, MailAddress, Tenant, TenantId, TenantKind};
use crate::reading::evidence::ministry_named;
use crate::reading::{Kind, Reading, Reason};
use crate::rules::{Authority, Rules};
use std::collections::{HashMap, HashSet};

/// Most health centres one authority can have; Hokkaido has 26.
pub const CENTRES_MAX: usize = 200;

/// What is to be done with a registration mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Take the changes over and tell the sender.
    Register(Vec<Change>),
    /// Nothing new in it.
    Duplicate,
    /// A person decides.
    Review(Vec<Reason>),
}

/// One difference between a mail and the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Added { kind: TenantKind, name: String, address: MailAddress },
    AddressChanged { id: TenantId, address: MailAddress },
}

/// Decides about a registration or correction, given what the directory says of its authority.
pub fn decide(roster: Option<&Roster>, reading: &Reading, rules: &Rules) -> Decision {
    let mut reasons = reading.reasons.clone();
    if rules.senders.ministry_in_cc_required && !ministry_named(reading, rules) {
        reasons.push(Reason::MinistryNotInCc);
    }
    match reading.kind {
        Kind::Registration | Kind::Correction => {}
        Kind::Inquiry
        | Kind::AutoReply
        | Kind::Bounce
        | Kind::Feedback
        | Kind::Delivered
        | Kind::Spam
        | Kind::Other
        | Kind::NeedsReview => reasons.push(Reason::UnknownKind),
    }
    let Some(authority) = code_of(reading).and_then(|code| rules.authorities.by_code(code)) else {
        reasons.push(Reason::UnknownAuthority);
        return Decision::Review(deduplicated(reasons));
    };
    let changes = changes(roster, reading, authority);
    if changes.iter().any(|change| matches!(change, Change::AddressChanged { .. })) {
        reasons.push(Reason::AddressChange);
    }
    if !reasons.is_empty() {
        return Decision::Review(deduplicated(reasons));
    }
    if changes.is_empty() { Decision::Duplicate } else { Decision::Register(changes) }
}

/// The differences between what a mail says and the directory. Entries without an address make none.
pub fn changes(roster: Option<&Roster>, reading: &Reading, authority: &Authority) -> Vec<Change> {
    let mut found: Vec<Change> = Vec::new();
    let head = reading.authority.iter().filter_map(|read| {
        read.address.as_ref().map(|address| (TenantKind::Authority, authority.name.as_str(), address))
    });
    let centres = reading.centres.iter().filter_map(|read| {
        let name = authority.knows_centre(&read.name).map_or(read.name.as_str(), |known| known.name.as_str());
        read.address.as_ref().map(|address| (TenantKind::HealthCentre, name, address))
    });
    let courses = roster.into_iter().flat_map(|r| &r.courses);
    let known: HashMap<Identity, &Course> =
        courses.map(|course| (Identity::of(course.tenant.kind, &course.tenant.name), course)).collect();
    let mut named: HashSet<Identity> = HashSet::new();
    for (kind, name, address) in head.chain(centres.take(CENTRES_MAX)) {
        let identity = Identity::of(kind, name);
        let course = known.get(&identity);
        // Of two lines about the same tenant the first counts; reading asks for a person where they differ.
        if !named.insert(identity) {
            continue;
        }
        match course {
            Some(course) if course.tenant.address.same_mailbox(address) => {}
            Some(course) => found.push(Change::AddressChanged { id: course.tenant.id, address: address.clone() }),
            None => found.push(Change::Added { kind, name: name.to_owned(), address: address.clone() }),
        }
    }
    found
}

/// The changes as events for courses that exist, and as new courses for those that do not. Nonces are drawn by `nonce`.
pub fn apply(
    roster: &mut Roster,
    changes: &[Change],
    provenance: &Provenance,
    mut nonce: impl FnMut() -> Nonce,
) -> Vec<(TenantId, CourseEvent)> {
    let mut events = Vec::new();
    for change in changes {
        match change {
            Change::Added { kind, name, address } => {
                let id = TenantId { authority: roster.code, serial: next_serial(roster, *kind) };
                let tenant = Tenant {
                    id,
                    kind: *kind,
                    name: name.clone(),
                    address: address.clone(),
                    provenance: provenance.clone(),
                };
                roster.courses.push(Course::begin(tenant, nonce(), nonce()));
            }
            Change::AddressChanged { id, address } => {
                let (address, provenance) = (address.clone(), provenance.clone());
                events.push((*id, CourseEvent::AddressChanged { address, provenance, nonce: nonce() }));
            }
        }
    }
    roster.courses.sort_by_key(|course| course.tenant.id);
    events
}

/// The code of the authority a mail names, if it is one of those in the rules.
pub fn code_of(reading: &Reading) -> Option<LgCode> {
    reading.authority.as_ref().and_then(|authority| authority.code)
}

/// What makes two entries the same tenant of a roster: there is one authority, whatever it is called; health centres go
/// by name.
#[derive(PartialEq, Eq, Hash)]
enum Identity {
    Authority,
    HealthCentre(String),
}

impl Identity {
    fn of(kind: TenantKind, name: &str) -> Self {
        match kind {
            TenantKind::Authority => Self::Authority,
            TenantKind::HealthCentre => Self::HealthCentre(crate::rules::names::fold(name)),
        }
    }
}

fn next_serial(roster: &Roster, kind: TenantKind) -> u16 {
    match kind {
        TenantKind::Authority => 0,
        TenantKind::HealthCentre => roster.courses.iter().map(|c| c.tenant.id.serial).max().unwrap_or(0) + 1,
    }
}

fn deduplicated(mut reasons: Vec<Reason>) -> Vec<Reason> {
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}
