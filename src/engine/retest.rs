//! What other rules would make of the mails that are here: every stored mail is read by the rules in force and by the new
//! ones, and what would come out differently is told. Changes nothing. The directory is left out of it: each mail is taken
//! as if it were the first of its authority, for what is registered already would hide every difference.

use super::records::InboxItem;
use super::views::View;
use super::{EngineError, codec, domains, staff};
use crate::domain::{LgCode, MailAddress, MailNo};
use crate::reading::evidence::{self, Acquaintance};
use crate::reading::{Kind, Reading};
use crate::rules::Rules;
use crate::store::Table;
use crate::workflow::directory::{self, Decision};
use serde::Serialize;
use std::collections::BTreeMap;

/// Mails read for one answer.
pub const MAILS_MAX: usize = 100;

/// One part of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retest {
    /// Mails read.
    pub mails: u64,
    pub items: Vec<Difference>,
    /// Ask on after this mail; `None`: this was the end.
    pub next: Option<MailNo>,
}

/// A mail that would come out differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub mail: MailNo,
    pub from: Option<MailAddress>,
    pub subject: String,
    pub before: Outcome,
    pub after: Outcome,
}

/// What comes out of one mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// A word of [`super::records::Disposition::WORDS`].
    pub disposition: &'static str,
    pub reasons: Vec<&'static str>,
    pub authority: Option<LgCode>,
    /// Name → address, the authority's own under its name.
    pub tenants: BTreeMap<String, Option<MailAddress>>,
    /// Bounces: who failed.
    pub recipients: Vec<MailAddress>,
}

impl View {
    /// Reads stored mails after `after` by `rules`; at most `limit` mails, and never more than [`MAILS_MAX`].
    pub fn retest(&self, rules: &Rules, after: Option<MailNo>, limit: usize) -> Result<Retest, EngineError> {
        let first = after.map_or(0, |no| no.0.saturating_add(1));
        let limit = limit.clamp(1, MAILS_MAX);
        let mut found = Retest { mails: 0, items: Vec::new(), next: None };
        let mut last = None;
        for row in self.context.store.range(Table::Inbox, codec::number(first)..)? {
            let item: InboxItem = codec::decode(&row?.1)?;
            if found.mails >= limit as u64 {
                found.next = last;
                break;
            }
            found.mails += 1;
            last = Some(item.no);
            let before = self.outcome(&item, &self.context.setup.rules)?;
            let after = self.outcome(&item, rules)?;
            if before != after {
                let InboxItem { no, from, subject, .. } = item;
                found.items.push(Difference { mail: no, from, subject, before, after });
            }
        }
        Ok(found)
    }

    fn outcome(&self, item: &InboxItem, rules: &Rules) -> Result<Outcome, EngineError> {
        let reading = staff::read_by(&self.context, item, rules)?;
        let authority = directory::code_of(&reading);
        let known = domains::acquaintance(&self.context, authority, None, &reading)?;
        let (disposition, reasons) = self.disposition(&reading, &known, rules);
        let mut tenants = BTreeMap::new();
        if let Some(read) = &reading.authority {
            tenants.insert(read.name.clone(), read.address.clone());
        }
        tenants.extend(reading.centres.iter().map(|read| (read.name.clone(), read.address.clone())));
        let recipients = reading.recipients.iter().map(|failed| failed.address.clone()).collect();
        Ok(Outcome { disposition, reasons, authority, tenants, recipients })
    }

    fn disposition(&self, reading: &Reading, known: &Acquaintance, rules: &Rules) -> (&'static str, Vec<&'static str>) {
        let own = reading.head.from.as_ref().is_some_and(|from| from.same_mailbox(&self.context.setup.post.from));
        let own_reasons = || reading.reasons.iter().map(|reason| reason.code()).collect();
        match reading.kind {
            Kind::Bounce => ("bounce", own_reasons()),
            _ if own => ("own-mail", own_reasons()),
            Kind::AutoReply | Kind::Delivered => ("auto-reply", own_reasons()),
            Kind::Spam => ("spam", own_reasons()),
            Kind::Inquiry | Kind::Other => ("inquiry", own_reasons()),
            Kind::Feedback | Kind::NeedsReview => ("review", own_reasons()),
            Kind::Registration | Kind::Correction => {
                let mut reasons = evidence::weigh(reading, known, rules).reasons;
                match directory::decide(None, reading, rules) {
                    Decision::Review(more) => reasons.extend(more),
                    Decision::Register(_) | Decision::Duplicate => {}
                }
                reasons.sort_unstable();
                reasons.dedup();
                let disposition = if reasons.is_empty() { "registered" } else { "review" };
                (disposition, reasons.iter().map(|reason| reason.code()).collect())
            }
        }
    }
}
