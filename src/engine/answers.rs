//! What the sender of a mail is told at once: a receipt, a request for correction, or that a person will look.
//!
//! Every automatic answer obeys RFC 3834 §2 and research R14: never to a mail a program wrote, never to ourselves, at
//! most one per mail and `receipts_per_sender_per_day` per sender and day. A copy of a receipt goes to the ministry in a
//! transaction of its own, so that its refusal never touches the officer's mail.

use super::records::{About, InboxItem, row_key};
use super::step::Step;
use super::{EngineError, codec};
use crate::crypto::Purpose;
use crate::domain::{MailAddress, RowNo, TenantKind};
use crate::letters::{Fault, Letter, LetterKind, Understood};
use crate::reading::{Reading, Reason};
use crate::rules::Rules;
use crate::store::Table;

/// Longest quoted line in a request for correction, in characters.
const QUOTED_CHARS_MAX: usize = 60;

/// Counts of former days deleted with each answer.
const OLD_TALLIES_MAX: usize = 4;

/// Queues an answer, if one may be given.
pub(super) fn answer(
    step: &mut Step<'_>,
    item: &mut InboxItem,
    reading: &Reading,
    letter: LetterKind,
) -> Result<(), EngineError> {
    let Some(to) = reading.head.from.clone().filter(|to| may_answer(step, reading, to)) else { return Ok(()) };
    let about = About::Mail { mail: item.no, copy: false };
    let given_before = step.context.store.get(Table::Letter, row_key(&about, letter).as_bytes())?.is_some();
    if given_before || !take_from_daily_allowance(step, &to)? {
        return Ok(());
    }
    let facts = facts(letter, item, reading, &step.context.setup.rules);
    let answers = reading.head.message_id.clone();
    let copy = match letter {
        LetterKind::Receipt => Some(step.context.setup.post.ministry.clone()),
        LetterKind::UnderReview
        | LetterKind::CorrectionRequest
        | LetterKind::Welcome
        | LetterKind::CertificateNotice
        | LetterKind::PickupPassword
        | LetterKind::Reminder
        | LetterKind::Expired
        | LetterKind::Credentials
        | LetterKind::Report
        | LetterKind::Alert => None,
    };
    let cc = copy.iter().cloned().collect();
    let row = step.queue_letter(about, &to, cc, answers, &facts, step.now)?;
    item.answers.push(row);
    if let Some(ministry) = copy {
        item.answers.push(step.queue_copy(row, About::Mail { mail: item.no, copy: true }, ministry)?);
    }
    Ok(())
}

/// Whether the sender could mend it if told which line.
pub(super) fn is_mendable(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::SectionMissing
            | Reason::AuthorityAddressMissing
            | Reason::AddressMissing
            | Reason::AddressInvalid
            | Reason::NothingFilledIn
    )
}

fn may_answer(step: &Step<'_>, reading: &Reading, to: &MailAddress) -> bool {
    let post = &step.context.setup.post;
    let ours = [&post.from, &post.contractor, &post.ministry, &post.bounce];
    let local = to.local().to_ascii_lowercase();
    let machine = ["mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply"].contains(&local.as_str());
    reading.head.machine_sign.is_none() && !machine && !ours.iter().any(|own| own.same_mailbox(to))
}

/// Counts one answer to this sender today; false if there were enough.
fn take_from_daily_allowance(step: &mut Step<'_>, to: &MailAddress) -> Result<bool, EngineError> {
    let tag = step.context.keys.tag(Purpose::Lookup, to.as_str().to_ascii_lowercase().as_bytes());
    let today = format!("answers/{}/", step.now.date());
    let key = [today.as_bytes(), &tag].concat();
    let old = step.context.store.prefix(Table::Tally, b"answers/")?.take(OLD_TALLIES_MAX);
    for counted in old.collect::<Result<Vec<_>, _>>()? {
        if *counted.0 < *today.as_bytes() {
            step.delete(Table::Tally, counted.0.to_vec());
        }
    }
    let given = step.context.store.get(Table::Tally, &key)?.and_then(|b| codec::number_of(&b)).unwrap_or(0);
    if given >= u64::from(step.context.setup.rules.schedule.receipts_per_sender_per_day) {
        return Ok(false);
    }
    step.put_bytes(Table::Tally, key, codec::number(given + 1).to_vec());
    Ok(true)
}

fn facts(letter: LetterKind, item: &InboxItem, reading: &Reading, rules: &Rules) -> Letter {
    let received = item.filed;
    let subject = item.subject.clone();
    match letter {
        LetterKind::Receipt => {
            let authority = official_name(reading, rules);
            let notes = reading.warnings.iter().map(|warning| warning.text.clone()).collect();
            Letter::Receipt { rows: understood(reading, &authority), authority, received, notes }
        }
        LetterKind::CorrectionRequest => Letter::CorrectionRequest { received, subject, faults: faults(reading) },
        LetterKind::UnderReview
        | LetterKind::Welcome
        | LetterKind::CertificateNotice
        | LetterKind::PickupPassword
        | LetterKind::Reminder
        | LetterKind::Expired
        | LetterKind::Credentials
        | LetterKind::Report
        | LetterKind::Alert => Letter::UnderReview { received, subject },
    }
}

fn official_name(reading: &Reading, rules: &Rules) -> String {
    let authority = reading.authority.as_ref();
    let known = authority.and_then(|a| a.code).and_then(|code| rules.authorities.by_code(code));
    known.map(|a| a.name.clone()).or_else(|| authority.map(|a| a.name.clone())).unwrap_or_default()
}

fn understood(reading: &Reading, authority: &str) -> Vec<Understood> {
    let head = reading.authority.iter().map(|a| (TenantKind::Authority, authority.to_owned(), &a.address));
    let centres = reading.centres.iter().map(|c| (TenantKind::HealthCentre, c.name.clone(), &c.address));
    head.chain(centres)
        .filter_map(|(kind, name, address)| address.clone().map(|address| Understood { kind, name, address }))
        .collect()
}

/// Each reason with the lines it comes from, as written.
fn faults(reading: &Reading) -> Vec<Fault> {
    let quoted = |no: usize| {
        let text = reading.body.lines().nth(no.checked_sub(1)?)?.trim();
        Some(text.chars().filter(|c| !c.is_control()).take(QUOTED_CHARS_MAX).collect::<String>())
    };
    let without_address = || {
        let head = reading.authority.iter().filter(|a| a.address.is_none()).filter_map(|a| a.line);
        head.chain(reading.centres.iter().filter(|c| c.address.is_none()).filter_map(|c| c.line)).filter_map(quoted)
    };
    let mut faults = Vec::new();
    for reason in &reading.reasons {
        let sentence = reason.sentence().to_owned();
        let about_lines = matches!(reason, Reason::AddressMissing | Reason::AddressInvalid);
        let lines: Vec<_> = without_address().filter(|_| about_lines).collect();
        if lines.is_empty() {
            faults.push(Fault { quoted: None, sentence });
        } else {
            faults.extend(lines.into_iter().map(|line| Fault { quoted: Some(line), sentence: sentence.clone() }));
        }
    }
    faults
}

impl Step<'_> {
    /// Queues a further recipient of a mail that stands in the outbox already.
    fn queue_copy(&mut self, of: RowNo, about: About, to: MailAddress) -> Result<RowNo, EngineError> {
        let mut row = self.row(of)?;
        row.no = self.next_row();
        row.about = about;
        row.to = to;
        row.indexed = None;
        let no = row.no;
        self.add_row(row)?;
        Ok(no)
    }
}
