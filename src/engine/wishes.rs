//! A mail from a registered address that asks for another certificate: a matter with tenant and reason filled in. Nothing
//! is issued because of it; one verb of staff does the rest and closes the matter.

use super::EngineError;
use super::codec;
use super::step::{RosterRecord, Step};
use crate::domain::{MailNo, TenantId};
use crate::reading::{self, Reading};
use crate::store::Table;
use crate::workflow::course::Course;
use crate::workflow::{Matter, wish};

/// Whose wish a mail is, and the matter for staff. `None`: no wish, no registered sender, or several tenants share the
/// address and the mail names none of them.
pub(super) fn asked(
    step: &Step<'_>,
    mail: MailNo,
    reading: &Reading,
) -> Result<Option<(TenantId, Matter)>, EngineError> {
    let own = reading::own_words(&reading.body);
    let Some(reason) = wish::reissue(&own) else { return Ok(None) };
    let Some(from) = &reading.head.from else { return Ok(None) };
    let mut of_sender: Vec<Course> = Vec::new();
    for row in step.context.store.rows(Table::Roster)? {
        let record: RosterRecord = codec::decode(&row?.1)?;
        of_sender.extend(record.roster.courses.into_iter().filter(|course| course.tenant.address.same_mailbox(from)));
    }
    let text = format!("{}{own}", reading.head.subject.as_deref().unwrap_or_default());
    let named = |course: &&Course| text.contains(&course.tenant.name);
    let tenant = match of_sender.as_slice() {
        [one] => Some(one.tenant.id),
        several => {
            let mut named = several.iter().filter(named);
            named.next().filter(|_| named.next().is_none()).map(|course| course.tenant.id)
        }
    };
    Ok(tenant.map(|tenant| (tenant, Matter::ReissueAsked { mail, reason })))
}
