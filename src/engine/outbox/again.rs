//! A letter written anew: one that came back for now and goes out once more after its bytes were deleted, and one that was
//! taken back with its wave. Row and Message-ID stay, so nobody gets two letters (I3).

use super::{charset, content_context};
use crate::domain::RowNo;
use crate::engine::records::About;
use crate::engine::step::Step;
use crate::engine::{EngineError, codec};
use crate::letters::{Stamp, compose};
use crate::store::Table;
use crate::workflow::delivery::Delivery;

impl Step<'_> {
    /// Writes a letter anew whose bytes were deleted when it left, or that was taken back with its wave: same row, same
    /// Message-ID. False if its course has no use for it any more, or it went to an earlier address.
    pub(in crate::engine) fn compose_again(&mut self, no: RowNo) -> Result<bool, EngineError> {
        let mut row = self.row(no)?;
        let About::Tenant { tenant, generation, ordinal } = row.about else { return Ok(false) };
        let Some(roster) = self.roster(tenant.authority)?.cloned() else { return Ok(false) };
        let Some(course) = roster.course(tenant).filter(|c| c.tenant.address.same_mailbox(&row.to)) else {
            return Ok(false);
        };
        let until = match row.delivery {
            Delivery::Deferred { until, .. } => until,
            Delivery::Held { due, .. } => due.max(self.now),
            Delivery::Planned { .. }
            | Delivery::InFlight { .. }
            | Delivery::Relayed { .. }
            | Delivery::Refused { .. }
            | Delivery::Bounced { .. }
            | Delivery::Unknown { .. }
            | Delivery::Withdrawn { .. } => return Ok(false),
        };
        let Some(letter) = self.facts(&roster, course, row.letter, generation, ordinal, until)? else {
            return Ok(false);
        };
        let post = &self.context.setup.post;
        let stamp = Stamp {
            message_id: row.message_id.clone(),
            date: until,
            from: post.from.clone(),
            reply_to: post.contractor.clone(),
            to: row.to.clone(),
            cc: Vec::new(),
            answers: None,
            charset: charset(self.context, &row.to),
        };
        let composed = compose(&letter, &stamp, &self.context.setup.templates)?;
        let nonce = self.seal_nonce()?;
        let sealed = self.context.keys.seal(&content_context(row.content), nonce, &composed.bytes);
        self.put_bytes(Table::Content, codec::number(row.content.0), sealed);
        if row.subject != composed.subject {
            row.subject = composed.subject;
            self.put_row(row);
        }
        Ok(true)
    }
}
