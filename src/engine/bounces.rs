//! A report on a letter of ours: which row, and what it means for it. VERP first, then our Message-ID in the returned
//! headers; what belongs to no row, or does not say how final it is, is put before a person, never dropped (research R13).

use super::marks::{row_of_bounce_address, row_of_message_id};
use super::records::{About, Disposition, InboxItem, Row, Subject};
use super::step::Step;
use super::{Context, EngineError, codec, is_secret, outages};
use crate::domain::{MailAddress, MailNo, RowNo};
use crate::reading::{FailureClass, Reading};
use crate::store::Table;
use crate::workflow::delivery::{BounceClass, Delivery, DeliveryEvent};

/// Files a bounce: the row hears of it in the same step.
pub(super) fn file(step: &mut Step<'_>, mail: MailNo, reading: &Reading) -> Result<Disposition, EngineError> {
    let Some((no, row)) = row_of(step.context, reading).and_then(|no| Some((no, step.row(no).ok()?))) else {
        return unknown(step, mail, None);
    };
    let report = reading.recipients.iter().find(|r| r.address.same_mailbox(&row.to)).or(reading.recipients.first());
    let status = report.and_then(|r| r.status.clone());
    let class = report.map_or(FailureClass::Unknown, |r| r.class);
    let done = match class {
        FailureClass::Hard => step.deliver(no, &DeliveryEvent::Bounced { class: BounceClass::Hard, status }),
        FailureClass::Soft => returned(step, no, &row, status),
        FailureClass::Delayed => step.deliver(no, &DeliveryEvent::Delayed),
        FailureClass::Unknown => return unknown(step, mail, Some(no)),
    };
    match done {
        Ok(()) => {}
        Err(EngineError::Refused(_)) => return unknown(step, mail, Some(no)),
        Err(fault) => return Err(fault),
    }
    if let About::Tenant { tenant, .. } = row.about {
        outages::count(step, tenant, &row.to, report.and_then(|r| r.exchanger.as_deref()))?;
    }
    Ok(Disposition::Bounce { row: Some(no) })
}

/// A report nobody can act on without a person.
pub(super) fn unknown(step: &mut Step<'_>, mail: MailNo, row: Option<RowNo>) -> Result<Disposition, EngineError> {
    step.ask(Subject::UnknownBounce { mail, row })?;
    Ok(Disposition::Bounce { row })
}

/// The letter came back for now. It goes out once more; one with a secret is written anew, because its bytes were deleted
/// when it left. Where its course has no use for it any more, it stays where it is.
fn returned(step: &mut Step<'_>, no: RowNo, before: &Row, status: Option<String>) -> Result<(), EngineError> {
    step.deliver(no, &DeliveryEvent::Returned { status: status.clone() })?;
    let again = matches!(step.row(no)?.delivery, Delivery::Deferred { .. });
    if again && is_secret(before) && before.delivery.has_ended() && step.compose_again(no)?.is_none() {
        step.deliver(no, &DeliveryEvent::Bounced { class: BounceClass::Soft, status })?;
    }
    Ok(())
}

/// The letter a report is about.
fn row_of(context: &Context, reading: &Reading) -> Option<RowNo> {
    let mut said = reading.returned_to.iter();
    let by_address = addressed_row(context, reading).or_else(|| said.find_map(|a| row_of_bounce_address(context, a)));
    by_address.or_else(|| reading.failed_message_id.as_deref().and_then(|id| row_of_message_id(context, id)))
}

/// The letter at whose bounce address a mail arrived. Only mail servers write there.
pub(super) fn addressed_row(context: &Context, reading: &Reading) -> Option<RowNo> {
    let mut to = reading.head.to.iter().chain(&reading.head.cc);
    to.find_map(|address: &MailAddress| row_of_bounce_address(context, address))
}

/// Says in the log that a tenant cannot be reached any more, once the step that filed the report is taken.
pub(super) fn log(context: &Context, mail: MailNo) {
    let item: Option<InboxItem> = context.load(Table::Inbox, &codec::number(mail.0)).ok().flatten();
    let Some(Disposition::Bounce { row: Some(no) }) = item.map(|item| item.disposition) else { return };
    let row: Option<Row> = context.load(Table::Outbox, &codec::number(no.0)).ok().flatten();
    let Some(Row { about: About::Tenant { tenant, .. }, to, letter, delivery, .. }) = row else { return };
    if let Delivery::Bounced { status, .. } = delivery {
        let (letter, to, status) = (letter.name(), to.masked(), status.unwrap_or_default());
        tracing::info!(%tenant, row = no.0, letter, to, status, "a report says the letter cannot be delivered");
    }
}
