//! A mail has arrived: its bytes, its disposition, what it changes in the directory, the answer to its sender and the
//! mailbox cursor become durable in one step (invariant I1). After that the mailbox may be told.

use super::records::{Disposition, InboxItem, MailboxRecord, Subject};
use super::step::Step;
use super::{Context, Engine, EngineError, SYSTEM, codec, domains};
use crate::crypto;
use crate::domain::tenant::Provenance;
use crate::domain::{Digest, LgCode, MailAddress, MailNo};
use crate::letters::LetterKind;
use crate::reading::authentication::Source;
use crate::reading::evidence::Weighed;
use crate::reading::{Kind, Reading, Reason};
use crate::store::{Table, WhoActs};
use crate::workflow::cursor::Cursor;
use crate::workflow::directory::{self, Change, Decision};
use serde_json::json;

/// Longest subject kept in an inbox item, in characters; the whole one stands in the bytes.
const SUBJECT_CHARS_MAX: usize = 200;

/// A mail as it comes from the mailbox, with its reading.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub uid: u32,
    pub raw: Vec<u8>,
    /// The mail is over the size limit; `raw` is its beginning.
    pub truncated: bool,
    pub reading: Reading,
}

impl Engine {
    /// How far the mailbox was read.
    pub fn cursor(&self) -> Result<Option<Cursor>, EngineError> {
        let record: Option<MailboxRecord> = self.context.load(Table::Meta, b"mailbox")?;
        Ok(record.map(|r| Cursor { uid_validity: r.uid_validity, uid_next: r.uid_next }))
    }

    /// Mails filed under the current UIDVALIDITY, to be compared with what the mailbox holds.
    pub fn filed(&self) -> Result<u64, EngineError> {
        Ok(self.context.load::<MailboxRecord>(Table::Meta, b"mailbox")?.unwrap_or_default().filed)
    }

    /// Files mails and then sets the cursor to `after`, even backwards. One mail that cannot be filed as it should is put
    /// before a person and does not stop the rest (invariant I10).
    pub fn file(&mut self, after: Cursor, mails: Vec<Arrived>) -> Result<(), EngineError> {
        for mail in mails {
            match self.step(SYSTEM, |step| file(step, after.uid_validity, &mail)) {
                Ok(no) if mail.reading.kind == Kind::Bounce => super::bounces::log(&self.context, no),
                Ok(_) => {}
                Err(EngineError::Store(fault)) if fault.who_acts() == WhoActs::Operator => return Err(fault.into()),
                Err(fault) => {
                    tracing::error!(uid = mail.uid, %fault, "a mail could not be filed as it should; a person must look");
                    self.step(SYSTEM, |step| file_for_a_person(step, after.uid_validity, &mail))?;
                }
            }
        }
        self.step(SYSTEM, |step| {
            let record = mailbox(step.context, after.uid_validity)?;
            step.put(Table::Meta, "mailbox", &MailboxRecord { uid_next: after.uid_next, ..record })
        })
    }
}

fn file(step: &mut Step<'_>, uid_validity: u32, arrived: &Arrived) -> Result<MailNo, EngineError> {
    let digest = digest_of(uid_validity, arrived);
    let known = known_mail(step.context, &digest)?;
    if let Some(known) = &known
        && let Some(item) = filed_at(step.context, known, uid_validity, arrived.uid)?
    {
        return Ok(item);
    }
    count_one(step, uid_validity)?;
    match known {
        Some(mut item) if item.uid_validity != uid_validity => {
            // The server numbered its mails anew: this is the mail we have, at its new place.
            item.uid_validity = uid_validity;
            item.uid = arrived.uid;
            step.put_item(&item)?;
            Ok(item.no)
        }
        Some(original) => {
            let item = new_item(step, uid_validity, arrived, digest, Disposition::Duplicate { of: Some(original.no) });
            step.put_bytes(Table::ByDigest, place(uid_validity, arrived.uid).0, codec::number(item.no.0).to_vec());
            record(step, &item)?;
            Ok(item.no)
        }
        None => file_new(step, uid_validity, arrived, digest),
    }
}

/// The mail filed from this place of the mailbox, if it was read before: the first with these bytes, or a duplicate.
fn filed_at(
    context: &Context,
    same_bytes: &InboxItem,
    uid_validity: u32,
    uid: u32,
) -> Result<Option<MailNo>, EngineError> {
    if same_bytes.uid_validity == uid_validity && same_bytes.uid == uid {
        return Ok(Some(same_bytes.no));
    }
    Ok(known_mail(context, &place(uid_validity, uid))?.map(|item| item.no))
}

/// One mail more in the mailbox.
fn count_one(step: &mut Step<'_>, uid_validity: u32) -> Result<(), EngineError> {
    let record = mailbox(step.context, uid_validity)?;
    step.put(Table::Meta, "mailbox", &MailboxRecord { filed: record.filed + 1, ..record })
}

/// The bytes, and nothing decided.
fn file_for_a_person(step: &mut Step<'_>, uid_validity: u32, arrived: &Arrived) -> Result<(), EngineError> {
    count_one(step, uid_validity)?;
    let digest = digest_of(uid_validity, arrived);
    let reasons = vec![Reason::Unreadable];
    let item = new_item(step, uid_validity, arrived, digest, Disposition::Review { reasons: reasons.clone() });
    let key = codec::number(item.no.0);
    step.put_bytes(Table::Raw, key, arrived.raw.clone());
    step.put_bytes(Table::ByDigest, digest.0, key.to_vec());
    step.ask(Subject::Mail { mail: item.no, reasons })?;
    record(step, &item)
}

/// A mail the server lists but does not give has no content to compare: its place stands for it.
fn digest_of(uid_validity: u32, arrived: &Arrived) -> Digest {
    if arrived.raw.is_empty() { place(uid_validity, arrived.uid) } else { crypto::sha256(&arrived.raw) }
}

/// Stands for a place in the mailbox where the digest of a mail's bytes cannot tell mails apart.
fn place(uid_validity: u32, uid: u32) -> Digest {
    crypto::sha256(format!("withheld/{uid_validity}/{uid}").as_bytes())
}

fn file_new(step: &mut Step<'_>, uid_validity: u32, arrived: &Arrived, digest: Digest) -> Result<MailNo, EngineError> {
    let reading = &arrived.reading;
    let mut item = new_item(step, uid_validity, arrived, digest, Disposition::Unreadable);
    let key = codec::number(item.no.0);
    step.put_bytes(Table::Raw, key, arrived.raw.clone());
    step.put_bytes(Table::ByDigest, digest.0, key.to_vec());
    let mut extra = Vec::new();
    if let Some(id) = &reading.head.message_id {
        let id_key = crypto::sha256(id.as_bytes()).0;
        if step.context.store.get(Table::ByMessageId, &id_key)?.is_some() {
            extra.push(Reason::MessageIdConflict);
        } else {
            step.put_bytes(Table::ByMessageId, id_key, key.to_vec());
        }
    }
    if arrived.truncated {
        extra.push(Reason::TooLarge);
    }
    item.disposition = dispose(step, &mut item, reading, extra)?;
    record(step, &item)?;
    Ok(item.no)
}

/// Decides what becomes of a new mail and does it.
fn dispose(
    step: &mut Step<'_>,
    item: &mut InboxItem,
    reading: &Reading,
    extra: Vec<Reason>,
) -> Result<Disposition, EngineError> {
    let mail = item.no;
    let own = reading.head.from.as_ref().is_some_and(|from| from.same_mailbox(&step.context.setup.post.from));
    match reading.kind {
        Kind::Bounce => super::bounces::file(step, mail, reading),
        // Only mail servers write to the bounce address of a letter: words that no rule knows may be a report.
        Kind::Inquiry | Kind::Other | Kind::NeedsReview
            if super::bounces::addressed_row(step.context, reading).is_some() =>
        {
            let row = super::bounces::addressed_row(step.context, reading);
            super::bounces::unknown(step, mail, row)
        }
        _ if own => Ok(Disposition::OwnMail),
        Kind::AutoReply | Kind::Delivered => Ok(Disposition::AutoReply),
        Kind::Spam => Ok(Disposition::Spam),
        Kind::Inquiry | Kind::Other => {
            if let Some((tenant, matter)) = super::wishes::asked(step, mail, reading)? {
                step.ask_once(Subject::Tenant { tenant, matter })?;
                return Ok(Disposition::Inquiry);
            }
            step.ask(Subject::Inquiry { mail })?;
            Ok(Disposition::Inquiry)
        }
        Kind::Feedback => review(step, item, reading, vec![Reason::UnknownKind]),
        Kind::NeedsReview if reading.reasons.contains(&Reason::Unreadable) => {
            step.ask(Subject::Mail { mail, reasons: reading.reasons.clone() })?;
            Ok(Disposition::Unreadable)
        }
        Kind::NeedsReview => review(step, item, reading, [reading.reasons.clone(), extra].concat()),
        Kind::Registration | Kind::Correction => registration(step, item, reading, extra),
    }
}

fn registration(
    step: &mut Step<'_>,
    item: &mut InboxItem,
    reading: &Reading,
    extra: Vec<Reason>,
) -> Result<Disposition, EngineError> {
    let rules = &step.context.setup.rules;
    let code = directory::code_of(reading);
    let context = step.context;
    let roster = code.map(|code| step.roster(code)).transpose()?.flatten();
    let decision = directory::decide(roster, reading, rules);
    let weighed = domains::weigh(context, code, roster, reading)?;
    let suspect = weighed.reasons.iter().any(|reason| reason.is_impersonation());
    let decision = match decision {
        // What changes nothing needs no evidence; an impersonation is shown all the same.
        Decision::Duplicate if !suspect => Decision::Duplicate,
        Decision::Register(_) | Decision::Duplicate if !weighed.reasons.is_empty() => {
            Decision::Review(weighed.reasons.clone())
        }
        Decision::Review(reasons) => Decision::Review([reasons, weighed.reasons.clone()].concat()),
        Decision::Register(changes) => Decision::Register(changes),
        Decision::Duplicate => Decision::Duplicate,
    };
    if suspect {
        note_impersonation(step, item, code, &weighed);
    }
    let decision = match decision {
        Decision::Register(_) | Decision::Duplicate if !extra.is_empty() => Decision::Review(extra),
        Decision::Review(reasons) => Decision::Review([reasons, extra].concat()),
        Decision::Register(changes) => Decision::Register(changes),
        Decision::Duplicate => Decision::Duplicate,
    };
    match (decision, code) {
        (Decision::Register(changes), Some(code)) => {
            take_over(step, code, item.no, &changes)?;
            super::answers::answer(step, item, reading, LetterKind::Receipt)?;
            Ok(Disposition::Registered)
        }
        (Decision::Duplicate, _) => {
            super::answers::answer(step, item, reading, LetterKind::Receipt)?;
            Ok(Disposition::Duplicate { of: None })
        }
        (Decision::Review(reasons), _) => review(step, item, reading, reasons),
        (Decision::Register(_), None) => review(step, item, reading, vec![Reason::UnknownAuthority]),
    }
}

/// Somebody seems to write in another's name: it stands in the journal whatever becomes of the mail.
fn note_impersonation(step: &mut Step<'_>, item: &InboxItem, code: Option<LgCode>, weighed: &Weighed) {
    let how: Vec<&str> = weighed.reasons.iter().filter(|r| r.is_impersonation()).map(|r| r.code()).collect();
    let from = item.from.as_ref().map(MailAddress::masked);
    tracing::warn!(mail = item.no.0, ?how, "a mail looks like an impersonation; a person must look");
    step.note(json!({
        "event": "impersonation-suspected", "mail": item.no, "authority": code, "from": from, "how": how,
    }));
}

/// Carries changes of the directory out, with everything that follows.
pub(super) fn take_over(
    step: &mut Step<'_>,
    code: LgCode,
    mail: MailNo,
    changes: &[Change],
) -> Result<(), EngineError> {
    let mut roster = step.roster(code)?.cloned().unwrap_or_else(|| crate::workflow::Roster::new(code));
    let before: Vec<_> = roster.courses.iter().map(|course| course.tenant.id).collect();
    let provenance = Provenance { mail, since: step.now };
    // Two nonces for each new tenant, one for each changed address.
    let nonces: Vec<_> = (0..changes.len() * 2).map(|_| step.nonce()).collect::<Result<_, _>>()?;
    let mut nonces = nonces.into_iter();
    let spare = step.nonce()?;
    let events = directory::apply(&mut roster, changes, &provenance, || nonces.next().unwrap_or(spare));
    let added: Vec<_> = roster.courses.iter().map(|c| c.tenant.id).filter(|id| !before.contains(id)).collect();
    step.put_roster(roster, added);
    events.iter().try_for_each(|(id, event)| step.course_event(*id, event))
}

/// Puts a mail before a person. Where the sender can mend it, they are told which line; otherwise that it has arrived.
fn review(
    step: &mut Step<'_>,
    item: &mut InboxItem,
    reading: &Reading,
    reasons: Vec<Reason>,
) -> Result<Disposition, EngineError> {
    step.ask(Subject::Mail { mail: item.no, reasons: reasons.clone() })?;
    match reading.kind {
        Kind::Registration | Kind::Correction => {
            if reasons.iter().any(|reason| reason.is_impersonation()) {
                // Whoever is named as the sender most likely wrote nothing: staff decide whom to ask.
                return Ok(Disposition::Review { reasons });
            }
            let mendable = !reasons.is_empty() && reasons.iter().all(|reason| super::answers::is_mendable(*reason));
            let letter = if mendable { LetterKind::CorrectionRequest } else { LetterKind::UnderReview };
            super::answers::answer(step, item, reading, letter)?;
        }
        Kind::Inquiry
        | Kind::AutoReply
        | Kind::Bounce
        | Kind::Feedback
        | Kind::Delivered
        | Kind::Spam
        | Kind::Other
        | Kind::NeedsReview => {}
    }
    Ok(Disposition::Review { reasons })
}

/// Reads a mail in review again, with the rules of today, and decides anew.
pub(super) fn reread(step: &mut Step<'_>, mail: MailNo) -> Result<(), EngineError> {
    let item: Option<InboxItem> = step.context.load(Table::Inbox, &codec::number(mail.0))?;
    let mut item = item.ok_or(EngineError::NoMail(mail))?;
    if !matches!(item.disposition, Disposition::Review { .. } | Disposition::Unreadable) {
        return Err(EngineError::Refused("this mail is not waiting for a decision"));
    }
    let reading = super::staff::read_again(step.context, &item)?;
    super::staff::close_of_mail(step, mail)?;
    item.authority = directory::code_of(&reading);
    item.disposition = dispose(step, &mut item, &reading, Vec::new())?;
    record(step, &item)
}

fn new_item(
    step: &mut Step<'_>,
    uid_validity: u32,
    arrived: &Arrived,
    digest: Digest,
    disposition: Disposition,
) -> InboxItem {
    let reading = &arrived.reading;
    let subject = reading.head.subject.as_deref().unwrap_or_default();
    InboxItem {
        no: step.next_mail(),
        uid_validity,
        uid: arrived.uid,
        filed: step.now,
        digest,
        octets: arrived.raw.len() as u64,
        truncated: arrived.truncated,
        from: reading.head.from.clone(),
        subject: subject.chars().filter(|c| !c.is_control()).take(SUBJECT_CHARS_MAX).collect(),
        authority: directory::code_of(reading),
        disposition,
        authentication: reading.head.authentication.clone().filter(|found| found.source == Source::Own),
        answers: Vec::new(),
    }
}

fn record(step: &mut Step<'_>, item: &InboxItem) -> Result<(), EngineError> {
    step.note(json!({
        "event": "mail-filed", "mail": item.no, "uid_validity": item.uid_validity, "uid": item.uid,
        "digest": item.digest, "octets": item.octets, "outcome": item.disposition, "answers": item.answers,
    }));
    step.put_item(item)
}

fn known_mail(context: &Context, digest: &Digest) -> Result<Option<InboxItem>, EngineError> {
    let Some(key) = context.store.get(Table::ByDigest, &digest.0)? else { return Ok(None) };
    context.load(Table::Inbox, &key)
}

/// What is known of the mailbox under this UIDVALIDITY.
fn mailbox(context: &Context, uid_validity: u32) -> Result<MailboxRecord, EngineError> {
    let record: MailboxRecord = context.load(Table::Meta, b"mailbox")?.unwrap_or_default();
    let afresh = MailboxRecord { uid_validity, uid_next: 1, filed: 0 };
    Ok(if record.uid_validity == uid_validity { record } else { afresh })
}
