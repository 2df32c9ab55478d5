//! Letters: the queue and one letter. The text of a letter that holds a secret is never shown, to nobody.

use super::{Page, View, words};
use crate::domain::{MailAddress, RowNo, TenantId, Timestamp};
use crate::engine::records::{About, Row};
use crate::engine::staff::Verb;
use crate::engine::{EngineError, codec, facts, is_secret, outbox};
use crate::letters::LetterKind;
use crate::reading;
use crate::rules::Rules;
use crate::store::Table;
use crate::workflow::delivery::{self, Delivery, DeliveryEvent, HoldReason};
use crate::workflow::{CourseEvent, Nonce, Policy, course};
use serde::{Deserialize, Serialize};

/// Characters repeated of a state that is none.
const STATE_CHARS_MAX: usize = 40;

/// Which letters are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowFilter {
    /// One of [`words::DELIVERY`].
    pub state: Option<String>,
    pub tenant: Option<TenantId>,
    /// Also letters that are done.
    pub all: bool,
}

/// A letter in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowLine {
    pub row: RowNo,
    pub letter: &'static str,
    pub letter_name: &'static str,
    pub state: &'static str,
    pub state_name: &'static str,
    /// When it leaves or is tried again, or when it came to its state.
    pub at: Timestamp,
    pub attempts: u32,
    pub to: MailAddress,
    #[serde(flatten)]
    pub about: About,
    pub subject: String,
    /// The server's reply, or why it waits.
    pub why: Option<String>,
}

/// One letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowView {
    #[serde(flatten)]
    pub line: RowLine,
    pub created: Timestamp,
    pub first_attempt: Option<Timestamp>,
    pub message_id: String,
    pub delivery: Delivery,
    /// The letter holds a secret: its text stays sealed.
    pub sealed: bool,
    /// Its header as it leaves; `None`: the bytes have been deleted after sending.
    pub header: Option<String>,
    /// Its text, if it holds no secret.
    pub body: Option<String>,
}

impl View {
    /// Letters by number, after row `after`.
    pub fn queue(&self, filter: &RowFilter, after: Option<RowNo>, limit: usize) -> Result<Page<RowLine>, EngineError> {
        known_state(filter.state.as_deref(), &words::DELIVERY)?;
        let first = after.map_or(0, |row| row.0.saturating_add(1));
        let wanted = |row: &Row| {
            let (code, _) = words::delivery(&row.delivery);
            filter.state.as_deref().map_or(filter.all || !words::is_done(&row.delivery), |state| state == code)
        };
        let key = |row: &Row| row.no.to_string();
        let pick = |row: Row| Ok(wanted(&row).then(|| line(row)));
        if let Some(tenant) = filter.tenant {
            let mut rows = self.rows_of(tenant)?;
            rows.retain(|no| no.0 >= first);
            return Page::collect(rows.into_iter().map(|no| self.row(no)), limit, key, pick);
        }
        let rows = self.context.store.range(Table::Outbox, codec::number(first)..)?;
        Page::collect(rows.map(|row| codec::decode(&row?.1)), limit, key, pick)
    }

    /// One letter, with its text unless it holds a secret.
    pub fn letter(&self, no: RowNo) -> Result<RowView, EngineError> {
        let row = self.row(no)?;
        let sealed = is_secret(&row);
        let text = match outbox::content(&self.context, &row) {
            Ok(bytes) => Some(text_of(bytes.reveal(), sealed, self.rules())),
            Err(EngineError::Refused(_)) => None,
            Err(fault) => return Err(fault),
        };
        let (header, body) = text.map_or((None, None), |(header, body)| (Some(header), body));
        Ok(RowView {
            created: row.created,
            first_attempt: row.first_attempt,
            message_id: row.message_id.0.clone(),
            delivery: row.delivery.clone(),
            sealed,
            header,
            body,
            line: line(row),
        })
    }

    /// The text of a letter as it leaves, each secret in it masked. `None`: its bytes have been deleted after sending, or a
    /// secret could not be found in the text, and then none of it is shown.
    pub fn preview(&self, no: RowNo) -> Result<Option<String>, EngineError> {
        let row = self.row(no)?;
        let bytes = match outbox::content(&self.context, &row) {
            Ok(bytes) => bytes,
            Err(EngineError::Refused(_)) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let mut text = reading::read_safely(bytes.reveal(), self.rules()).body;
        if !is_secret(&row) {
            return Ok(Some(text));
        }
        let About::Tenant { tenant, generation, .. } = row.about else { return Ok(None) };
        let course = self.course(tenant)?;
        let mut masked = row.letter == LetterKind::Credentials;
        for secret in facts::secrets(&self.context, &course, generation)? {
            let secret = secret.reveal();
            masked |= text.contains(secret.as_str());
            let mask: String = secret.chars().map(|c| if c.is_alphanumeric() { '●' } else { c }).collect();
            text = text.replace(secret.as_str(), &mask);
        }
        Ok(masked.then_some(text))
    }

    /// Whether a verb about a letter or a tenant's course would be taken at this moment: the machines are asked, nothing
    /// changes. Verbs about mails and matters are always answered with yes; only doing them tells.
    pub fn would_take(&self, verb: &Verb) -> Result<(), EngineError> {
        let rules = self.rules();
        let letter = |no: RowNo, event: &DeliveryEvent| {
            let row = self.row(no)?;
            let (now, first) = (self.now(), row.first_attempt.unwrap_or_else(|| self.now()));
            delivery::step(&row.delivery, event, is_secret(&row), first, now, &rules.schedule)?;
            Ok(())
        };
        let course = |id: TenantId, event: &CourseEvent| {
            course::step(&self.course(id)?, event, self.now(), &Policy::of(rules))?;
            Ok(())
        };
        match verb {
            Verb::Hold { row, .. } => letter(*row, &DeliveryEvent::Held { reason: HoldReason::Staff }),
            Verb::Release { row } => letter(*row, &DeliveryEvent::Released),
            Verb::Retry { row } => letter(*row, &DeliveryEvent::RetryNow),
            Verb::Withdraw { row, reason } => letter(*row, &DeliveryEvent::Withdrawn { why: reason.clone() }),
            Verb::Reissue { tenant, reason } => {
                course(*tenant, &CourseEvent::Reissued { reason: *reason, nonce: Nonce([0; 16]) })
            }
            Verb::Cancel { tenant, reason } => course(*tenant, &CourseEvent::Cancelled { reason: reason.clone() }),
            Verb::Revoke { tenant, reason } => course(*tenant, &CourseEvent::Revoked { reason: *reason }),
            Verb::RenewCredentials { tenant, .. } => {
                course(*tenant, &CourseEvent::CredentialsRenewed { nonce: Nonce([0; 16]) })
            }
            Verb::Accept { .. }
            | Verb::AcceptEdited { .. }
            | Verb::WriteToSender { .. }
            | Verb::Reject { .. }
            | Verb::AskSender { .. }
            | Verb::Reread { .. }
            | Verb::ApproveDomain { .. }
            | Verb::ForgetDomain { .. }
            | Verb::ReissueMany { .. }
            | Verb::People(_)
            | Verb::Keys(_)
            | Verb::Ask(_)
            | Verb::Wave(_)
            | Verb::Close { .. } => Ok(()),
        }
    }

    /// Numbers of the letters to one tenant, in their order.
    pub(super) fn rows_of(&self, tenant: TenantId) -> Result<Vec<RowNo>, EngineError> {
        let letters = self.context.store.prefix(Table::Letter, format!("t/{tenant}/").as_bytes())?;
        let rows: Result<Vec<_>, _> =
            letters.map(|entry| entry.map(|(_, no)| codec::number_of(&no).map(RowNo))).collect();
        let mut rows: Vec<_> = rows?.into_iter().flatten().collect();
        rows.sort_unstable();
        Ok(rows)
    }
}

/// Refuses a filter by a state that is none.
pub(super) fn known_state(given: Option<&str>, known: &[words::Word]) -> Result<(), EngineError> {
    let Some(state) = given.filter(|given| known.iter().all(|(code, _)| code != given)) else { return Ok(()) };
    let state: String = state.chars().filter(|c| !c.is_control()).take(STATE_CHARS_MAX).collect();
    let codes: Vec<&str> = known.iter().map(|(code, _)| *code).collect();
    Err(EngineError::Input(format!("there is no state {state} (there are {})", codes.join(", "))))
}

fn line(row: Row) -> RowLine {
    let (state, state_name) = words::delivery(&row.delivery);
    let (at, attempts) = match &row.delivery {
        Delivery::Planned { due } => (*due, 0),
        Delivery::InFlight { attempt, since } => (*since, *attempt),
        Delivery::Deferred { until, attempts, .. } => (*until, *attempts),
        Delivery::Unknown { since, attempts, .. } => (*since, *attempts),
        Delivery::Held { due, attempts, .. } => (*due, *attempts),
        Delivery::Relayed { at, .. }
        | Delivery::Refused { at, .. }
        | Delivery::Bounced { at, .. }
        | Delivery::Withdrawn { at, .. } => (*at, row.attempts),
    };
    RowLine {
        row: row.no,
        letter: row.letter.name(),
        letter_name: row.letter.japanese(),
        state,
        state_name,
        at,
        attempts,
        to: row.to,
        why: words::why(&row.delivery, words::Lang::Ja),
        about: row.about,
        subject: row.subject,
    }
}

/// Header and text of a letter; no text if it is sealed.
fn text_of(bytes: &[u8], sealed: bool, rules: &Rules) -> (String, Option<String>) {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(bytes.len());
    let header = bytes.get(..end).map(|head| String::from_utf8_lossy(head).replace("\r\n", "\n")).unwrap_or_default();
    let body = (!sealed).then(|| reading::read_safely(bytes, rules).body);
    (header, body)
}
