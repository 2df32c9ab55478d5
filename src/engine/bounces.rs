//! A report on a letter of ours: which row, and what it means for it. VERP first, then our Message-ID in the returned
//! headers; what belongs to no row is put before a person, never dropped (research R13).

use super::EngineError;
use super::marks::{row_of_bounce_address, row_of_message_id};
use super::records::{Disposition, Subject};
use super::step::Step;
use crate::domain::{MailNo, RowNo};
use crate::reading::Reading;
use crate::workflow::delivery::{BounceClass, DeliveryEvent};

/// Files a bounce: the row hears of it in the same step.
pub(super) fn file(step: &mut Step<'_>, mail: MailNo, reading: &Reading) -> Result<Disposition, EngineError> {
    let Some(row) = row_of(step, reading) else {
        step.ask(Subject::UnknownBounce { mail })?;
        return Ok(Disposition::Bounce { row: None });
    };
    let Ok(known) = step.row(row) else {
        step.ask(Subject::UnknownBounce { mail })?;
        return Ok(Disposition::Bounce { row: None });
    };
    let report = reading.recipients.iter().find(|r| r.address.same_mailbox(&known.to)).or(reading.recipients.first());
    let status = report.and_then(|r| r.status.clone());
    let event = match report.and_then(|r| r.permanent()) {
        Some(true) => DeliveryEvent::Bounced { class: BounceClass::Hard, status },
        // RFC 3464 §2.3.3: the sending server goes on trying.
        Some(false) => DeliveryEvent::Delayed,
        None => DeliveryEvent::Bounced { class: BounceClass::Soft, status },
    };
    match step.deliver(row, &event) {
        Ok(()) => {}
        Err(EngineError::Refused(_)) => step.ask(Subject::UnknownBounce { mail })?,
        Err(fault) => return Err(fault),
    }
    Ok(Disposition::Bounce { row: Some(row) })
}

fn row_of(step: &Step<'_>, reading: &Reading) -> Option<RowNo> {
    let mut to = reading.head.to.iter().chain(&reading.head.cc);
    let by_address = to.find_map(|address| row_of_bounce_address(step.context, address));
    by_address.or_else(|| reading.failed_message_id.as_deref().and_then(|id| row_of_message_id(step.context, id)))
}
