//! Letters on their way out: queued with final bytes, leased before the first SMTP command, answered after the last
//! (invariants I3, I4, I7). Bytes that hold a secret are sealed from the moment they are composed until they are
//! relayed, and then deleted.

mod again;

use super::marks::{message_id, verp};
use super::records::{About, Row, Subject, WaveNo};
use super::step::Step;
use super::{Context, Engine, EngineError, SYSTEM, codec, is_secret};
use crate::crypto;
use crate::domain::{Generation, MailAddress, RowNo, Secret, TenantId, Timestamp};
use crate::letters::{Charset, Letter, LetterKind, Stamp, compose};
use crate::store::Table;
use crate::workflow::Policy;
use crate::workflow::course::CourseEvent;
use crate::workflow::delivery::{self, Delivery, DeliveryEffect, DeliveryEvent, HoldReason, Outcome, Told};
use serde_json::json;

/// Why a letter is withdrawn that its course has no use for any more.
pub(super) const MOVED_ON: &str = "the course has moved on";
/// Most rows handed out in one lease.
pub const LEASE_ROWS_MAX: usize = 128;

/// One letter to be handed to the SMTP server now.
#[derive(Debug, Clone)]
pub struct Lease {
    pub row: RowNo,
    pub envelope_from: MailAddress,
    pub to: MailAddress,
    /// Final bytes; `Debug` of a secret prints nothing.
    pub bytes: Secret<Vec<u8>>,
}

/// What became of a leased letter.
#[derive(Debug, Clone)]
pub enum Became {
    Answered(Outcome),
    /// Given back untried.
    Postponed {
        until: Timestamp,
    },
}

impl Engine {
    /// Takes rows that are due, at most `limit`, and records the attempt. A letter with a secret is taken alone: if the
    /// process dies, at most one of each connection has an unknown outcome.
    pub fn lease(&mut self, limit: usize) -> Result<Vec<Lease>, EngineError> {
        let limit = limit.min(LEASE_ROWS_MAX);
        let mut leases = Vec::new();
        // Rows that turn out not to be due make room for others: who leases nothing may sleep until something changes.
        while leases.len() < limit {
            let due = self.due_rows(self.now(), limit.saturating_sub(leases.len()))?;
            if due.is_empty() {
                break;
            }
            for (key, no) in due {
                // What the step makes of the row may put the search back.
                self.due_from = codec::next_key(&key);
                match self.step(SYSTEM, |step| step.lease(no)) {
                    Ok(Some((lease, secret))) => {
                        self.in_flight.insert(no);
                        leases.push(lease);
                        if secret {
                            return Ok(leases);
                        }
                    }
                    Ok(None) => {}
                    Err(fault) => self.set_aside(no, &fault).inspect_err(|_| self.due_from = key)?,
                }
            }
        }
        Ok(leases)
    }

    /// What became of a leased row, one way or the other.
    pub fn became(&mut self, no: RowNo, became: &Became) -> Result<(), EngineError> {
        match became {
            Became::Answered(outcome) => self.answered(no, outcome),
            Became::Postponed { until } => self.postpone(no, *until),
        }
    }

    /// A leased row was handed over, or an attempt was made.
    pub fn answered(&mut self, no: RowNo, outcome: &Outcome) -> Result<(), EngineError> {
        self.step(SYSTEM, |step| {
            step.deliver(no, &DeliveryEvent::Answered { outcome: outcome.clone() })?;
            super::outages::count_refused(step, no)
        })?;
        self.in_flight.remove(&no);
        if self.waves_under_way.is_empty() { Ok(()) } else { self.look_at_waves() }
    }

    /// Gives a leased row back untried: its domain has had enough letters for now.
    pub fn postpone(&mut self, no: RowNo, until: Timestamp) -> Result<(), EngineError> {
        self.step(SYSTEM, |step| step.deliver(no, &DeliveryEvent::Postponed { until }))?;
        self.in_flight.remove(&no);
        Ok(())
    }

    /// Whether nothing is due now and nothing is in flight.
    pub fn outbox_is_idle(&self) -> Result<bool, EngineError> {
        Ok(self.in_flight.is_empty() && self.due_rows(self.now(), 1)?.is_empty())
    }

    /// When the next row is due.
    pub fn next_due(&self) -> Result<Option<Timestamp>, EngineError> {
        let mut rows = self.context.store.range(Table::Due, self.due_from.clone()..)?;
        let idle = |key: &[u8]| codec::row_of(key).is_some_and(|no| !self.in_flight.contains(&no));
        rows.find_map(|row| match row {
            Ok((key, _)) if idle(&key) => Some(Ok(codec::moment_of(&key))),
            Ok(_) => None,
            Err(fault) => Some(Err(fault.into())),
        })
        .transpose()
        .map(Option::flatten)
    }

    /// Rows that are due and not in flight, the earliest first, with their keys in the index.
    fn due_rows(&self, now: Timestamp, limit: usize) -> Result<Vec<(Vec<u8>, RowNo)>, EngineError> {
        let due = self.context.store.range(Table::Due, self.due_from.clone()..codec::after(now))?;
        let mut found = Vec::new();
        for row in due {
            let (key, _) = row?;
            let no = codec::row_of(&key).filter(|no| !self.in_flight.contains(no));
            found.extend(no.map(|no| (key.to_vec(), no)));
            if found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }

    /// A row that cannot be leased must not stop the others (I10): it is held, and staff are asked.
    fn set_aside(&mut self, no: RowNo, fault: &EngineError) -> Result<(), EngineError> {
        tracing::error!(row = no.0, %fault, "a letter could not be taken for sending; it is held");
        self.step(SYSTEM, |step| {
            step.deliver(no, &DeliveryEvent::Held { reason: delivery::HoldReason::LetterRefused })?;
            step.ask(Subject::Row { row: no, reason: delivery::HoldReason::LetterRefused })
        })
    }
}

impl Step<'_> {
    /// Marks a row in flight. `None` if a crash had cut its last attempt off and it is not due again yet.
    fn lease(&mut self, no: RowNo) -> Result<Option<(Lease, bool)>, EngineError> {
        let before = self.row(no)?;
        if matches!(before.delivery, Delivery::InFlight { .. }) {
            self.deliver(no, &DeliveryEvent::LeaseLost)?;
            return Ok(None);
        }
        let before = before.delivery.due(is_secret(&before), &self.context.setup.rules.schedule);
        let dated = self.dated_today(no)?;
        self.deliver(no, &DeliveryEvent::Leased)?;
        let row = self.row(no)?;
        if let Some(until) = too_late(&row, before, self.now, &self.policy()) {
            self.deliver(no, &DeliveryEvent::Postponed { until })?;
            // It was not tried: the time for giving up has not begun.
            let row = self.row(no)?;
            let untried = Row { first_attempt: None, attempts: row.attempts.saturating_sub(1), ..row };
            self.put_row(untried);
            return Ok(None);
        }
        let bytes = dated.map_or_else(|| content(self.context, &row), Ok)?;
        let envelope_from = verp(self.context, no)?;
        let secret = is_secret(&row);
        Ok(Some((Lease { row: no, envelope_from, to: row.to, bytes }, secret)))
    }

    /// One event of a row's life, with everything that follows from it.
    pub(super) fn deliver(&mut self, no: RowNo, event: &DeliveryEvent) -> Result<(), EngineError> {
        let mut row = self.row(no)?;
        let now = self.now;
        let schedule = &self.context.setup.rules.schedule;
        let first_attempt = row.first_attempt.unwrap_or(now);
        let (next, effects) = delivery::step(&row.delivery, event, is_secret(&row), first_attempt, now, schedule)?;
        if matches!(event, DeliveryEvent::Leased | DeliveryEvent::Postponed { .. }) {
            row.first_attempt = Some(first_attempt);
        } else {
            if matches!(event, DeliveryEvent::Released) {
                // The time for giving up runs from here anew; else a released letter would be held again at once.
                row.first_attempt = None;
            }
            self.note(json!({
                "event": "letter", "row": no, "letter": row.letter, "about": row.about, "message_id": row.message_id, "delivery": next,
            }));
        }
        if matches!(event, DeliveryEvent::Released | DeliveryEvent::RetryNow) {
            // A person gave it another chance: the time after which it is given up begins anew.
            row.first_attempt = None;
        }
        if let Delivery::InFlight { attempt, .. } = &next {
            row.attempts = *attempt;
        }
        row.delivery = next;
        if is_secret(&row) && row.delivery.has_ended() {
            self.delete(Table::Content, codec::number(row.content.0));
        }
        let about = row.about.clone();
        let letter = row.letter;
        super::waves::moved(self, &row)?;
        self.put_row(row);
        for effect in effects {
            match effect {
                DeliveryEffect::AskStaff(reason) => self.ask(Subject::Row { row: no, reason })?,
                DeliveryEffect::TellMachine(told) => self.tell(no, &about, letter, told)?,
            }
        }
        Ok(())
    }

    fn tell(&mut self, no: RowNo, about: &About, letter: LetterKind, told: Told) -> Result<(), EngineError> {
        let About::Tenant { tenant, generation, ordinal } = *about else {
            return match told {
                Told::Relayed | Told::Returned => Ok(()),
                // A report nobody gets is told by its row; a matter about a matter would go on for ever.
                Told::Undeliverable { .. } if matches!(about, About::Report { .. }) => Ok(()),
                Told::Undeliverable { class: _, status } => self.ask(Subject::AnswerUndeliverable { row: no, status }),
            };
        };
        let event = match told {
            Told::Relayed => CourseEvent::Relayed { letter, generation, ordinal },
            Told::Returned => CourseEvent::Returned { letter, generation, ordinal },
            Told::Undeliverable { class: _, status } => {
                let why = status.unwrap_or_else(|| "配信不能".to_owned());
                CourseEvent::Undeliverable { letter, generation, ordinal, why }
            }
        };
        match self.course_event(tenant, &event) {
            // The course has moved on since the letter left; the row keeps what happened.
            Ok(()) | Err(EngineError::Refused(_)) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    /// Composes a letter of a tenant's course and queues it.
    pub(super) fn queue_for_tenant(
        &mut self,
        id: TenantId,
        letter: LetterKind,
        generation: Generation,
        ordinal: u32,
        not_before: Timestamp,
    ) -> Result<(), EngineError> {
        let roster = self.roster(id.authority)?.cloned().ok_or(EngineError::NoTenant(id))?;
        let course = roster.course(id).ok_or(EngineError::NoTenant(id))?;
        let about = About::Tenant { tenant: id, generation, ordinal };
        let due = if letter.windowed() {
            self.policy().calendar.next_open(&self.context.setup.rules.schedule.send_window, not_before)
        } else {
            not_before
        };
        let Some(facts) = self.facts(&roster, course, letter, generation, ordinal, due)? else {
            return Err(EngineError::Refused("this letter does not go to a tenant"));
        };
        let to = course.tenant.address.clone();
        match self.queue_letter(about, &to, Vec::new(), None, &facts, due) {
            Ok(_) => Ok(()),
            Err(EngineError::Compose(fault)) => {
                self.ask(Subject::NotComposed { tenant: id, letter, why: fault.to_string() })
            }
            Err(fault) => Err(fault),
        }
    }

    /// Composes a letter and puts it into the outbox. Its Message-ID is fixed from here on.
    pub(super) fn queue_letter(
        &mut self,
        about: About,
        to: &MailAddress,
        cc: Vec<MailAddress>,
        answers: Option<String>,
        letter: &Letter,
        due: Timestamp,
    ) -> Result<RowNo, EngineError> {
        let post = &self.context.setup.post;
        let no = self.next_row();
        let message_id = message_id(self.context, no);
        let stamp = Stamp {
            message_id: message_id.clone(),
            date: due.max(self.now),
            from: post.from.clone(),
            reply_to: post.contractor.clone(),
            to: to.clone(),
            cc,
            answers,
            charset: charset(self.context, to),
        };
        let composed = compose(letter, &stamp, &self.context.setup.templates)?;
        let waits = super::waves::must_wait(self, &about, letter.kind())?;
        let row = Row {
            no,
            about,
            letter: letter.kind(),
            to: to.clone(),
            subject: composed.subject,
            message_id,
            content: no,
            created: self.now,
            first_attempt: None,
            attempts: 0,
            delivery: if waits {
                Delivery::Held { reason: HoldReason::Wave, due, attempts: 0 }
            } else {
                Delivery::Planned { due }
            },
            indexed: None,
            wave: waits.then_some(WaveNo::NONE),
            dated: None,
        };
        let stored = if is_secret(&row) {
            let nonce = self.seal_nonce()?;
            self.context.keys.seal(&content_context(no), nonce, &composed.bytes)
        } else {
            composed.bytes
        };
        self.note(json!({
            "event": "letter-queued", "row": no, "letter": row.letter, "about": row.about, "message_id": row.message_id,
            "to": row.to, "due": due, "digest": crypto::sha256(&stored),
        }));
        self.put_bytes(Table::Content, codec::number(no.0), stored);
        super::waves::moved(self, &row)?;
        self.add_row(row)?;
        Ok(no)
    }

    /// Takes back what has not left of one kind of letter of one generation.
    pub(super) fn withdraw_unsent(
        &mut self,
        id: TenantId,
        generation: Generation,
        letter: LetterKind,
    ) -> Result<(), EngineError> {
        let prefix = format!("t/{id}/{generation}/{}/", letter.name());
        let rows: Vec<_> = self.context.store.prefix(Table::Letter, prefix.as_bytes())?.collect::<Result<_, _>>()?;
        for no in rows.iter().filter_map(|(_, no)| codec::number_of(no).map(RowNo)) {
            let event = DeliveryEvent::Withdrawn { why: MOVED_ON.to_owned() };
            match self.deliver(no, &event) {
                // It has left already, or is final.
                Ok(()) | Err(EngineError::Refused(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }
}

/// When a letter may leave that was due in the hours of the send window, but is taken up outside them after an outage.
/// A letter due outside them was put there by a person; and a second attempt follows the retry list at any hour.
fn too_late(row: &Row, due: Option<Timestamp>, now: Timestamp, policy: &Policy<'_>) -> Option<Timestamp> {
    let window = &policy.rules.schedule.send_window;
    let opens = |from| policy.calendar.next_open(window, from);
    let first = matches!(row.delivery, Delivery::InFlight { attempt: 1, .. }) && row.first_attempt == Some(now);
    let was_open = due.is_some_and(|due| opens(due) == due);
    Some(opens(now)).filter(|open| row.letter.windowed() && first && was_open && *open > now)
}

/// The bytes of a row, opened if they are sealed.
pub(crate) fn content(context: &Context, row: &Row) -> Result<Secret<Vec<u8>>, EngineError> {
    let stored = context.store.get(Table::Content, &codec::number(row.content.0))?;
    let stored = stored.ok_or(EngineError::Refused("the bytes of this letter have been deleted"))?;
    if is_secret(row) {
        context.keys.open(&content_context(row.content), &stored).map_err(|_| EngineError::WrongKey)
    } else {
        Ok(Secret::new(stored.to_vec()))
    }
}

fn content_context(no: RowNo) -> Vec<u8> {
    format!("outbox/{no}").into_bytes()
}

fn charset(context: &Context, to: &MailAddress) -> Charset {
    let domain = to.domain();
    let old = |suffix: &String| domain == *suffix || domain.ends_with(&format!(".{suffix}"));
    if context.setup.rules.senders.iso_2022_jp.iter().any(old) { Charset::Iso2022Jp } else { Charset::Utf8 }
}
