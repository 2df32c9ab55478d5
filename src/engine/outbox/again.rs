//! A letter written anew: one that came back for now and goes out once more after its bytes were deleted, one that was
//! taken back with its wave, and a notice that waited into another day and would name a deadline that has come closer, or
//! has passed. Row and Message-ID stay, so nobody gets two letters (I3).

use super::{charset, content_context};
use crate::domain::{RowNo, Secret};
use crate::engine::records::{About, Row};
use crate::engine::step::Step;
use crate::engine::{EngineError, codec};
use crate::letters::{LetterKind, Stamp, compose};
use crate::store::Table;
use crate::workflow::delivery::Delivery;
use crate::workflow::enrolment::{State, is_outdated};
use serde_json::json;

impl Step<'_> {
    /// Writes a letter anew whose bytes were deleted when it left, or that was taken back with its wave: same row, same
    /// Message-ID. Gives the new bytes; `None` if its course has no use for it any more, or it went to an earlier address.
    pub(in crate::engine) fn compose_again(&mut self, no: RowNo) -> Result<Option<Secret<Vec<u8>>>, EngineError> {
        let mut row = self.row(no)?;
        let About::Tenant { tenant, generation, ordinal } = row.about else { return Ok(None) };
        let Some(roster) = self.roster(tenant.authority)?.cloned() else { return Ok(None) };
        let Some(course) = roster.course(tenant).filter(|c| c.tenant.address.same_mailbox(&row.to)) else {
            return Ok(None);
        };
        let until = match row.delivery {
            Delivery::Deferred { until, .. } => until,
            Delivery::Held { due, .. } | Delivery::Planned { due } => due.max(self.now),
            Delivery::InFlight { .. }
            | Delivery::Relayed { .. }
            | Delivery::Refused { .. }
            | Delivery::Bounced { .. }
            | Delivery::Unknown { .. }
            | Delivery::Withdrawn { .. } => return Ok(None),
        };
        let Some(letter) = self.facts(&roster, course, row.letter, generation, ordinal, until)? else {
            return Ok(None);
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
        Ok(Some(Secret::new(composed.bytes)))
    }

    /// Writes a notice anew that was never tried and names another deadline than the one it has if it leaves today; else
    /// `None`.
    pub(in crate::engine) fn dated_today(&mut self, no: RowNo) -> Result<Option<Secret<Vec<u8>>>, EngineError> {
        let row = self.row(no)?;
        let today = self.now.date();
        let untried = match row.delivery {
            Delivery::Planned { .. } | Delivery::Held { attempts: 0, .. } => true,
            Delivery::Held { .. }
            | Delivery::Deferred { .. }
            | Delivery::InFlight { .. }
            | Delivery::Relayed { .. }
            | Delivery::Refused { .. }
            | Delivery::Bounced { .. }
            | Delivery::Unknown { .. }
            | Delivery::Withdrawn { .. } => false,
        };
        // What was written today is right without a look at its course.
        if row.letter != LetterKind::CertificateNotice || !untried || row.created.date() == today {
            return Ok(None);
        }
        let About::Tenant { tenant, generation, .. } = row.about else { return Ok(None) };
        let roster = self.roster(tenant.authority)?;
        let enrolment = roster.and_then(|roster| roster.course(tenant)).and_then(|course| course.enrolment(generation));
        let Some(State::NoticeQueued { stated }) = enrolment.map(|enrolment| enrolment.state.clone()) else {
            return Ok(None);
        };
        if !is_outdated(row.dated, stated, today, &self.policy()) {
            return Ok(None);
        }
        let bytes = self.compose_again(no)?;
        if bytes.is_some() {
            self.note(json!({"event": "notice-dated", "row": no, "letter": row.letter, "about": row.about}));
            let row = self.row(no)?;
            self.put_row(Row { dated: Some(today), ..row });
        }
        Ok(bytes)
    }
}
