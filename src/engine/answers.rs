//! What the sender of a mail is told at once: a receipt, a request for correction, or that a person will look.
//!
//! Every automatic answer obeys RFC 3834 §2 and research R14: never to a mail a program wrote, never to ourselves, at
//! most one per mail and `receipts_per_sender_per_day` per sender and day. A copy of a receipt goes to the ministry in a
//! transaction of its own, so that its refusal never touches the officer's mail.

use super::records::{About, Disposition, InboxItem, row_key};
use super::step::Step;
use super::{Context, EngineError, codec};
use crate::crypto::Purpose;
use crate::domain::{MailAddress, RowNo, TenantKind};
use crate::letters::{Fault, Letter, LetterKind, Question, Understood};
use crate::reading::family::{Family, family_of};
use crate::reading::findings::{Finding, findings, quoted};
use crate::reading::{Reading, Reason};
use crate::rules::Rules;
use crate::store::Table;
use serde_json::json;

/// Counts of former days deleted with each answer.
const OLD_TALLIES_MAX: usize = 4;

/// A draft, and whether something must still be written into it.
pub(super) struct Asked {
    pub(super) letter: Letter,
    pub(super) unfinished: bool,
}

/// Queues an answer, if one may be given.
pub(super) fn answer(
    step: &mut Step<'_>,
    item: &mut InboxItem,
    reading: &Reading,
    letter: LetterKind,
) -> Result<(), EngineError> {
    let facts = facts(letter, item, reading, &step.context.setup.rules);
    ask(step, item, reading, &facts)
}

/// Queues this letter to the sender, if one of its kind may be given.
pub(super) fn ask(
    step: &mut Step<'_>,
    item: &mut InboxItem,
    reading: &Reading,
    letter: &Letter,
) -> Result<(), EngineError> {
    let Some(to) = reading.head.from.clone().filter(|to| may_answer(step, reading, to)) else { return Ok(()) };
    let about = About::Mail { mail: item.no, copy: false };
    let given_before = step.context.store.get(Table::Letter, row_key(&about, letter.kind()).as_bytes())?.is_some();
    if given_before || !take_from_daily_allowance(step, &to)? {
        return Ok(());
    }
    queue_answer(step, item, about, &to, reading.head.message_id.clone(), letter)
}

/// Queues a letter to the sender of a mail; of a receipt the ministry gets a copy.
pub(super) fn queue_answer(
    step: &mut Step<'_>,
    item: &mut InboxItem,
    about: About,
    to: &MailAddress,
    answers: Option<String>,
    letter: &Letter,
) -> Result<(), EngineError> {
    let copy = (letter.kind() == LetterKind::Receipt).then(|| step.context.setup.post.ministry.clone());
    let cc = copy.iter().cloned().collect();
    let row = step.queue_letter(about, to, cc, answers, letter, step.now)?;
    item.answers.push(row);
    if let Some(ministry) = copy {
        item.answers.push(step.queue_copy(row, About::Mail { mail: item.no, copy: true }, ministry)?);
    }
    Ok(())
}

/// What the sender of a mail in review is to be asked: the draft of the heaviest reason, with every reason in it and the
/// lines they come from.
pub(super) fn question(context: &Context, item: &InboxItem, reading: &Reading) -> Asked {
    let reasons = reasons_of(item, reading);
    let (received, subject) = (item.filed, item.subject.clone());
    let faults = faults(reading, &reasons, &context.setup.rules);
    let about = match family_of(&reasons) {
        Family::Mend => {
            return Asked { letter: Letter::CorrectionRequest { received, subject, faults }, unfinished: false };
        }
        Family::Origin => Question::Origin,
        Family::Authority => Question::Authority,
        Family::Resend => Question::Resend,
        Family::Confirm => Question::Confirm,
        Family::Reply => Question::Reply,
    };
    let rows = understood(reading, &official_name(reading, &context.setup.rules));
    Asked { letter: Letter::Ask { about, received, subject, faults, rows }, unfinished: about == Question::Reply }
}

/// Why a mail waits: what was decided when it was filed, and what the reading says today.
pub(super) fn reasons_of(item: &InboxItem, reading: &Reading) -> Vec<Reason> {
    let mut reasons = reading.reasons.clone();
    match &item.disposition {
        Disposition::Review { reasons: filed } => reasons.extend(filed),
        Disposition::Inquiry => reasons.push(Reason::Inquiry),
        Disposition::Registered
        | Disposition::Revision
        | Disposition::Duplicate { .. }
        | Disposition::AutoReply
        | Disposition::Bounce { .. }
        | Disposition::OwnMail
        | Disposition::Spam
        | Disposition::Rejected { .. }
        | Disposition::Unreadable => {}
    }
    if reasons.len() > 1 && item.disposition == Disposition::Inquiry {
        // A question is answered; that it is no registration is no fault of it.
        reasons.retain(|reason| *reason != Reason::UnknownKind);
    }
    reasons.sort_unstable();
    reasons.dedup();
    reasons
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

/// Whether a person may write there: never to ourselves.
pub(super) fn may_write(context: &Context, to: &MailAddress) -> bool {
    let post = &context.setup.post;
    ![&post.from, &post.contractor, &post.ministry, &post.bounce].iter().any(|own| own.same_mailbox(to))
}

fn may_answer(step: &Step<'_>, reading: &Reading, to: &MailAddress) -> bool {
    let local = to.local().to_ascii_lowercase();
    let machine = ["mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply"].contains(&local.as_str());
    reading.head.machine_sign.is_none() && !machine && may_write(step.context, to)
}

/// Counts one answer to this sender today; false if there were enough.
fn take_from_daily_allowance(step: &mut Step<'_>, to: &MailAddress) -> Result<bool, EngineError> {
    let tag = step.context.keys.tag(Purpose::Lookup, to.as_str().to_ascii_lowercase().as_bytes());
    let today = format!("answers/{}/", step.now.date());
    let key = [today.as_bytes(), &tag].concat();
    let old = step.context.store.range(Table::Tally, &b"answers/"[..]..today.as_bytes())?.take(OLD_TALLIES_MAX);
    for counted in old.collect::<Result<Vec<_>, _>>()? {
        step.delete(Table::Tally, counted.0.to_vec());
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
        LetterKind::CorrectionRequest => {
            Letter::CorrectionRequest { received, subject, faults: faults(reading, &reading.reasons, rules) }
        }
        LetterKind::UnderReview
        | LetterKind::AskAuthority
        | LetterKind::AskResend
        | LetterKind::AskConfirm
        | LetterKind::AskOrigin
        | LetterKind::AskReply
        | LetterKind::Welcome
        | LetterKind::CertificateNotice
        | LetterKind::PickupPassword
        | LetterKind::Reminder
        | LetterKind::Expired
        | LetterKind::Credentials
        | LetterKind::CredentialsReady
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

/// Each reason as the sender is told it, with the lines it comes from, as written.
fn faults(reading: &Reading, reasons: &[Reason], rules: &Rules) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    for Finding { reason, lines } in findings(reading, reasons, rules) {
        let sentence = reason.to_sender().to_owned();
        let quoted: Vec<_> = lines.into_iter().filter_map(|line| quoted(reading, line)).collect();
        if quoted.is_empty() {
            faults.push(Fault { quoted: None, sentence });
        } else {
            faults.extend(quoted.into_iter().map(|line| Fault { quoted: Some(line), sentence: sentence.clone() }));
        }
    }
    let mut seen = std::collections::HashSet::new();
    faults.retain(|fault| seen.insert((fault.sentence.clone(), fault.quoted.clone())));
    faults
}

impl Step<'_> {
    /// Queues a further recipient of a mail that stands in the outbox already and leaves now.
    fn queue_copy(&mut self, of: RowNo, about: About, to: MailAddress) -> Result<RowNo, EngineError> {
        let mut row = self.row(of)?;
        row.no = self.next_row();
        row.about = about;
        row.to = to;
        row.indexed = None;
        let no = row.no;
        self.note(json!({
            "event": "letter-queued", "row": no, "letter": row.letter, "about": row.about, "copy-of": of, "to": row.to,
            "due": self.now,
        }));
        self.add_row(row)?;
        Ok(no)
    }
}
