//! Which domains belong to which authority. Only a person teaches it: by accepting a mail, or by saying so. What is known
//! is shown, can be taken back, and stands in the journal. It is evidence about later mails (`reading::evidence`), no more.

use super::records::InboxItem;
use super::step::Step;
use super::views::{Page, View};
use super::{Context, EngineError, codec};
use crate::domain::{LgCode, MailAddress, MailNo, Timestamp};
use crate::reading::Reading;
use crate::reading::evidence::{self, Acquaintance, Weighed};
use crate::store::Table;
use crate::workflow::course::Roster;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;

/// Known domains compared with a stranger; there are some 600 authorities and offices.
pub const COMPARED_MAX: usize = 5_000;
/// Authorities one domain can be known for: a prefecture's network serves its municipalities.
pub const AUTHORITIES_MAX: usize = 50;

/// Begin of the keys by domain; beside them stand those by authority.
const BY_NAME: &str = "domain/";

/// Why a domain is known for an authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    pub authority: LgCode,
    pub since: Timestamp,
    /// Who approved it.
    pub by: String,
    /// The mail that was accepted; `None`: they said so.
    pub mail: Option<MailNo>,
}

/// A known domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DomainView {
    pub domain: String,
    #[serde(flatten)]
    pub known: Known,
}

/// What is known of the domains in a mail that speaks for `code`.
pub(super) fn acquaintance(
    context: &Context,
    code: Option<LgCode>,
    roster: Option<&Roster>,
    reading: &Reading,
) -> Result<Acquaintance, EngineError> {
    let addresses = roster.into_iter().flat_map(|r| &r.courses).map(|course| course.tenant.address.domain());
    let registered: BTreeSet<String> = addresses.filter(|d| evidence::may_be_known(d, &context.setup.rules)).collect();
    let mut found = Acquaintance {
        first: registered.is_empty() && roster.is_none_or(|r| r.courses.is_empty()),
        registered,
        ..Acquaintance::default()
    };
    let sender = reading.head.from.as_ref().map(MailAddress::domain);
    let mut strangers = Vec::new();
    for domain in evidence::listed(reading).into_iter().chain(sender.clone()) {
        let known = known(context, &domain)?;
        if known.iter().any(|k| Some(k.authority) == code) {
            found.approved.insert(domain);
        } else if known.is_empty() {
            strangers.push(domain);
        } else if Some(&domain) == sender.as_ref() && code.is_some() {
            found.of_another = true;
        }
    }
    strangers.retain(|domain| !found.registered.contains(domain));
    found.look_alike = look_alike(context, &strangers, &found)?;
    if let Some(code) = code.filter(|_| found.approved.is_empty()) {
        // That nothing of this mail is approved means something only where others are.
        found.approved = approved(context, code)?;
    }
    Ok(found)
}

/// The known domain that one of these is mistaken for.
fn look_alike(context: &Context, strangers: &[String], found: &Acquaintance) -> Result<Option<String>, EngineError> {
    if strangers.is_empty() {
        return Ok(None);
    }
    let alike = |known: &str| strangers.iter().any(|domain| evidence::looks_like(domain, known));
    if let Some(known) = found.registered.iter().find(|known| alike(known)) {
        return Ok(Some(known.clone()));
    }
    for row in context.store.prefix(Table::Domain, BY_NAME.as_bytes())?.take(COMPARED_MAX) {
        let key = row?.0;
        let known = String::from_utf8_lossy(key.get(BY_NAME.len()..).unwrap_or_default());
        if alike(&known) {
            return Ok(Some(known.into_owned()));
        }
    }
    Ok(None)
}

fn approved(context: &Context, code: LgCode) -> Result<BTreeSet<String>, EngineError> {
    let rows = context.store.prefix(Table::Domain, of_authority(code, "").as_bytes())?;
    let domain = |key: &[u8]| String::from_utf8_lossy(key).rsplit('/').next().unwrap_or_default().to_owned();
    rows.map(|row| Ok(domain(&row?.0))).collect()
}

fn known(context: &Context, domain: &str) -> Result<Vec<Known>, EngineError> {
    Ok(context.load(Table::Domain, by_name(domain).as_bytes())?.unwrap_or_default())
}

fn by_name(domain: &str) -> String {
    format!("{BY_NAME}{domain}")
}

fn of_authority(code: LgCode, domain: &str) -> String {
    format!("authority/{code}/{domain}")
}

/// Everything that speaks for and against a mail, given what is known now.
pub(super) fn weigh(
    context: &Context,
    code: Option<LgCode>,
    roster: Option<&Roster>,
    reading: &Reading,
) -> Result<Weighed, EngineError> {
    let known = acquaintance(context, code, roster, reading)?;
    Ok(evidence::weigh(reading, &known, &context.setup.rules))
}

/// The sender's domain and those of the addresses taken over are known from here on: a person accepted them.
pub(super) fn learn_from(
    step: &mut Step<'_>,
    item: &InboxItem,
    code: LgCode,
    reading: &Reading,
) -> Result<(), EngineError> {
    let sender = reading.head.from.as_ref().map(MailAddress::domain);
    let domains: BTreeSet<String> = evidence::listed(reading).into_iter().chain(sender).collect();
    for domain in domains {
        if evidence::may_be_known(&domain, &step.context.setup.rules) {
            learn(step, code, &domain, Some(item.no))?;
        }
    }
    Ok(())
}

/// One domain more is known for an authority; known already: nothing changes.
pub(super) fn learn(step: &mut Step<'_>, code: LgCode, domain: &str, mail: Option<MailNo>) -> Result<(), EngineError> {
    let mut all = known(step.context, domain)?;
    if all.iter().any(|known| known.authority == code) {
        return Ok(());
    }
    if all.len() >= AUTHORITIES_MAX {
        return Err(EngineError::Refused(
            "this domain is known for as many authorities as can be; take one away first",
        ));
    }
    all.push(Known { authority: code, since: step.now, by: step.actor.clone(), mail });
    step.note(json!({"event": "domain-learned", "authority": code, "domain": domain, "mail": mail}));
    step.put_bytes(Table::Domain, of_authority(code, domain), Vec::new());
    step.put(Table::Domain, by_name(domain), &all)
}

/// A person says that a domain belongs to an authority.
pub(super) fn approve(step: &mut Step<'_>, code: LgCode, domain: &str) -> Result<(), EngineError> {
    let rules = std::sync::Arc::clone(&step.context.setup.rules);
    if rules.authorities.by_code(code).is_none() {
        return Err(EngineError::Input(format!("{code} is not in rules/authorities.csv")));
    }
    let domain = domain_name(domain)?;
    if !evidence::may_be_known(&domain, &rules) {
        return Err(EngineError::Input(format!("at {domain} anybody, a firm or another country has mailboxes")));
    }
    learn(step, code, &domain, None)
}

/// A person says that it does not, or not any more.
pub(super) fn forget(step: &mut Step<'_>, code: LgCode, domain: &str) -> Result<(), EngineError> {
    let domain = domain_name(domain)?;
    let mut all = known(step.context, &domain)?;
    let before = all.len();
    all.retain(|known| known.authority != code);
    if all.len() == before {
        return Err(EngineError::Refused("this domain is not known for this authority"));
    }
    step.note(json!({"event": "domain-forgotten", "authority": code, "domain": domain}));
    step.delete(Table::Domain, of_authority(code, &domain));
    if all.is_empty() {
        step.delete(Table::Domain, by_name(&domain));
        return Ok(());
    }
    step.put(Table::Domain, by_name(&domain), &all)
}

fn domain_name(text: &str) -> Result<String, EngineError> {
    let address = format!("x@{}", text.trim().trim_start_matches('@')).parse::<MailAddress>();
    address.map(|address| address.domain()).map_err(|_| EngineError::Input(format!("{text} is no domain name")))
}

impl View {
    /// Known domains of which `wanted` holds, after a domain; a page by key.
    pub fn domains_where(
        &self,
        wanted: impl Fn(&str, LgCode) -> bool,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<DomainView>, EngineError> {
        // A domain of this name and no longer one: the next key after it.
        let first = after.map_or_else(|| BY_NAME.to_owned(), |after| format!("{BY_NAME}{after}\0"));
        let end = format!("{BY_NAME}\u{10ffff}");
        let rows = self.context.store.range(Table::Domain, first.into_bytes()..end.into_bytes())?;
        let entries = rows.map(|row| {
            let (key, known) = row?;
            let domain = String::from_utf8_lossy(key.get(BY_NAME.len()..).unwrap_or_default()).into_owned();
            Ok((domain, codec::decode::<Vec<Known>>(&known)?))
        });
        let mut page = Page::collect(
            entries,
            limit,
            |(domain, _)| domain.clone(),
            |(domain, known)| {
                let of: Vec<_> = known.into_iter().filter(|known| wanted(&domain, known.authority)).collect();
                Ok(Some((domain, of)).filter(|(_, of)| !of.is_empty()))
            },
        )?;
        let views = page
            .items
            .drain(..)
            .flat_map(|(domain, of)| of.into_iter().map(move |known| DomainView { domain: domain.clone(), known }));
        Ok(Page { items: views.collect(), next: page.next })
    }

    /// Known domains in their order; of one authority, or all.
    pub fn domains(&self, of: Option<LgCode>) -> Result<Vec<DomainView>, EngineError> {
        let mut views = Vec::new();
        for row in self.context.store.prefix(Table::Domain, BY_NAME.as_bytes())?.take(COMPARED_MAX) {
            let (key, known) = row?;
            let domain = String::from_utf8_lossy(key.get(BY_NAME.len()..).unwrap_or_default()).into_owned();
            let known: Vec<Known> = codec::decode(&known)?;
            let wanted = known.into_iter().filter(|known| of.is_none_or(|code| known.authority == code));
            views.extend(wanted.map(|known| DomainView { domain: domain.clone(), known }));
        }
        Ok(views)
    }
}
