//! A person decides about a mail: takes it over, as it was read or as they changed it, or asks its sender. Both go through
//! the checks an automatic registration goes through; what was changed, why and by whom stands in the journal.

use super::answers::{Asked, may_write, question, queue_answer};
use super::records::{About, Disposition, InboxItem};
use super::staff::{Verb, close_of_mail, in_review, read_again, settle_undeliverable, short};
use super::step::Step;
use super::views::View;
use super::{Context, EngineError, domains};
use crate::crypto;
use crate::domain::{Digest, LgCode, MailAddress, MailNo};
use crate::letters::{Letter, LetterKind};
use crate::reading::{Proposal, Reading, Reason};
use crate::workflow::course::Roster;
use crate::workflow::directory::{self, Change};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;

/// Longest text of a letter staff write, in characters.
pub const TEXT_CHARS_MAX: usize = 20_000;
/// Longest subject of it, in characters.
pub const SUBJECT_CHARS_MAX: usize = 200;
/// What a draft holds where staff must write something; a letter that still has it does not leave.
pub const PLACEHOLDER: &str = "【ここに回答を記入してください】";

/// A letter to the sender of a mail, ready to be looked at, changed and sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DraftView {
    pub mail: MailNo,
    pub letter: &'static str,
    pub letter_name: &'static str,
    /// `None`: nobody can be written to; the mail names no sender, or it is ours.
    pub to: Option<MailAddress>,
    pub subject: String,
    pub body: String,
    /// It cannot leave as it is: something must be filled in.
    pub unfinished: bool,
}

/// Takes over what a mail says: additions and changed addresses, and tells the sender.
pub(super) fn accept(
    step: &mut Step<'_>,
    mail: MailNo,
    authority: Option<LgCode>,
    seen: Option<Digest>,
) -> Result<(), EngineError> {
    let item = in_review(step.context, mail)?;
    let reading = read_again(step.context, &item)?;
    let code = authority
        .or_else(|| directory::code_of(&reading))
        .ok_or(EngineError::Refused("this mail names no known authority; say which one it is with --authority CODE"))?;
    as_seen(step, &reading, &[Some(code)], seen)?;
    take_over(step, item, reading, code)
}

/// What a person decides about is what they were shown: the mail reads the same today, and would change the same. `codes`:
/// the authorities it may have been shown for.
fn as_seen(
    step: &mut Step<'_>,
    reading: &Reading,
    codes: &[Option<LgCode>],
    seen: Option<Digest>,
) -> Result<(), EngineError> {
    let seen = seen
        .ok_or(EngineError::Refused("what was shown is not named; look at the mail again and register what you see"))?;
    for code in codes {
        let roster = code.map(|code| step.roster(code)).transpose()?.flatten().cloned();
        if shown(step.context, reading, *code, roster.as_ref()) == seen {
            return Ok(());
        }
    }
    Err(EngineError::Refused(
        "since this mail was shown, the rules or the directory have changed what it would do; look at it again",
    ))
}

/// The same with what staff made of it. A doubt that an edited value raises must be among `despite`.
pub(super) fn accept_edited(
    step: &mut Step<'_>,
    mail: MailNo,
    proposal: &Proposal,
    reason: &str,
    despite: &[Reason],
    seen: Option<Digest>,
) -> Result<(), EngineError> {
    short(reason)?;
    let item = in_review(step.context, mail)?;
    let mut reading = read_again(step.context, &item)?;
    as_seen(step, &reading, &[directory::code_of(&reading), proposal.authority], seen)?;
    let rules = Arc::clone(&step.context.setup.rules);
    let authority = proposal.check(&rules).map_err(|fault| EngineError::Input(fault.to_string()))?;
    let read = Proposal::of(&reading);
    let mut doubts = proposal.doubts(&read, authority, reading.head.from.as_ref(), &rules);
    doubts.retain(|doubt| !despite.contains(doubt));
    if !doubts.is_empty() {
        let told = doubts.iter().map(|doubt| format!("{}: {}", doubt.code(), doubt.sentence()));
        return Err(EngineError::Input(format!(
            "what was changed raises a doubt ({}); correct it, or confirm it with --despite CODE",
            told.collect::<Vec<_>>().join(" ")
        )));
    }
    if *proposal != read {
        step.note(json!({"event": "reading-edited", "mail": mail, "read": read, "accepted": proposal}));
    }
    proposal.put_into(&mut reading, authority);
    take_over(step, item, reading, authority.code)
}

/// What a person is shown of a mail before they decide, as a digest: how it reads, and what it would change in the
/// directory of `code`, whose roster is given.
pub(super) fn shown(context: &Context, reading: &Reading, code: Option<LgCode>, roster: Option<&Roster>) -> Digest {
    let proposal = Proposal::of(reading);
    let known = code.and_then(|code| context.setup.rules.authorities.by_code(code));
    let changes = known.map(|authority| directory::changes(roster, reading, authority)).unwrap_or_default();
    let change = |change: &Change| match change {
        Change::Added { kind, name, address } => json!([kind, name, address]),
        Change::AddressChanged { id, address } => json!([id, address]),
    };
    let told = json!([proposal, changes.iter().map(change).collect::<Vec<_>>()]);
    crypto::sha256(told.to_string().as_bytes())
}

fn take_over(step: &mut Step<'_>, mut item: InboxItem, mut reading: Reading, code: LgCode) -> Result<(), EngineError> {
    let rules = Arc::clone(&step.context.setup.rules);
    let known = rules.authorities.by_code(code);
    let known = known.ok_or_else(|| EngineError::Input(format!("{code} is not in rules/authorities.csv")))?;
    if let Some(stated) = &mut reading.authority {
        stated.code = Some(code);
    }
    let changes = directory::changes(step.roster(code)?, &reading, known);
    if changes.is_empty() {
        return Err(EngineError::Refused(
            "this mail says nothing that could be taken over; reject it or ask the sender",
        ));
    }
    super::filing::take_over(step, code, item.no, &changes)?;
    settle_undeliverable(step, &changes)?;
    domains::learn_from(step, &item, code, &reading)?;
    item.authority = Some(code);
    item.disposition = Disposition::Revision;
    close_of_mail(step, item.no)?;
    super::answers::answer(step, &mut item, &reading, LetterKind::Receipt)?;
    step.put_item(&item)
}

/// Sends the draft as it stands, once for each kind of question.
pub(super) fn ask_sender(step: &mut Step<'_>, mail: MailNo) -> Result<(), EngineError> {
    let mut item = in_review(step.context, mail)?;
    let reading = read_again(step.context, &item)?;
    let Asked { letter, unfinished } = question(step.context, &item, &reading);
    if unfinished {
        return Err(EngineError::Refused("the draft has no answer in it yet; write one and send it as your own text"));
    }
    let given = item.answers.len();
    super::answers::ask(step, &mut item, &reading, &letter)?;
    if item.answers.len() == given {
        return Err(EngineError::Refused(
            "no letter may go to this sender: it was asked already, had enough answers today, or is a program; write by hand",
        ));
    }
    step.put_item(&item)
}

/// Sends what staff made of the draft. A person answers for it, so no daily limit counts; our own addresses are still
/// never written to.
pub(super) fn write_to_sender(step: &mut Step<'_>, mail: MailNo, subject: &str, body: &str) -> Result<(), EngineError> {
    let mut item = in_review(step.context, mail)?;
    let reading = read_again(step.context, &item)?;
    let subject = bounded(subject, SUBJECT_CHARS_MAX, "subject")?;
    let body = bounded(body, TEXT_CHARS_MAX, "text")?;
    if body.contains(PLACEHOLDER) {
        return Err(EngineError::Input(format!("the text still says {PLACEHOLDER}")));
    }
    let to = reading.head.from.clone().filter(|to| may_write(step.context, to));
    let to = to.ok_or(EngineError::Refused("this mail names no sender that can be written to"))?;
    let kind = question(step.context, &item, &reading).letter.kind();
    let ordinal = u32::try_from(item.answers.len()).unwrap_or(u32::MAX).saturating_add(1);
    let about = About::Reply { mail, ordinal };
    let answers = reading.head.message_id.clone();
    queue_answer(step, &mut item, about, &to, answers, &Letter::Written { kind, subject, body })?;
    step.put_item(&item)
}

fn bounded(text: &str, chars_max: usize, what: &str) -> Result<String, EngineError> {
    let length = text.chars().count();
    if text.trim().is_empty() || length > chars_max {
        return Err(EngineError::Input(format!("the {what} has {length} characters, 1 to {chars_max} are possible")));
    }
    Ok(text.trim_end().to_owned())
}

impl View {
    /// The verb that takes a mail over as it reads at this moment, for whoever looks and decides at once.
    pub fn acceptance(&self, mail: MailNo, authority: Option<LgCode>) -> Result<Verb, EngineError> {
        let shown = Some(self.mail_with(mail, authority, &[])?.shown);
        Ok(Verb::Accept { mail, authority, shown })
    }

    /// What the sender of a mail in review would be asked. Changes nothing.
    pub fn draft(&self, mail: MailNo) -> Result<DraftView, EngineError> {
        let item = in_review(&self.context, mail)?;
        let reading = self.read_aside(&item)?;
        let Asked { letter, unfinished } = question(&self.context, &item, &reading);
        let (subject, body) = self
            .context
            .setup
            .templates
            .draft(&letter, self.now().date())
            .map_err(crate::letters::ComposeError::from)?;
        let kind = letter.kind();
        let to = reading.head.from.filter(|to| may_write(&self.context, to));
        Ok(DraftView { mail, letter: kind.name(), letter_name: kind.japanese(), to, subject, body, unfinished })
    }
}
