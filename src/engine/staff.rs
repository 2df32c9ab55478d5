//! What a person decides: about a mail in review, an outgoing mail, a tenant's course. Every act is one step with the
//! person as actor and a reason, so the journal says who did what and why.

use super::approvals::{AskVerb, Done};
use super::people::{PeopleVerb, Who};
use super::records::{Disposition, InboxItem, MatterNo, OpenMatter, Subject};
use super::step::Step;
use super::waves::WaveVerb;
use super::{Context, Engine, EngineError, codec};
use crate::domain::{LgCode, MailNo, RowNo, TenantId};
use crate::letters::LetterKind;
use crate::reading::{self, Reading};
use crate::store::Table;
use crate::workflow::Matter;
use crate::workflow::delivery::{DeliveryEvent, HoldReason};
use crate::workflow::directory::{self, Change};
use crate::workflow::{CourseEvent, ReissueReason, RevocationReason};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Longest reason kept, in characters.
pub const REASON_CHARS_MAX: usize = 500;
/// Most tenants in one bulk act.
pub const BULK_MAX: usize = 2000;

/// The verbs of staff, the same in CLI, socket and console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verb")]
pub enum Verb {
    /// Take over what the mail was read to say. `authority` settles an unknown or ambiguous authority.
    Accept {
        mail: MailNo,
        authority: Option<LgCode>,
    },
    /// Take nothing over.
    Reject {
        mail: MailNo,
        reason: String,
    },
    /// Tell the sender which lines cannot be taken over.
    AskSender {
        mail: MailNo,
    },
    /// Read the stored bytes again with the rules of today; decides anew.
    Reread {
        mail: MailNo,
    },
    /// A matter is settled.
    Close {
        matter: u64,
        reason: String,
    },
    Hold {
        row: RowNo,
        reason: String,
    },
    Release {
        row: RowNo,
    },
    Retry {
        row: RowNo,
    },
    Withdraw {
        row: RowNo,
        reason: String,
    },
    Reissue {
        tenant: TenantId,
        reason: ReissueReason,
    },
    Cancel {
        tenant: TenantId,
        reason: String,
    },
    /// Several tenants at once, at most [`BULK_MAX`]; those that cannot be re-issued now are left out and named in the
    /// journal.
    ReissueMany {
        tenants: Vec<TenantId>,
        reason: ReissueReason,
    },
    Revoke {
        tenant: TenantId,
        reason: RevocationReason,
    },
    People(PeopleVerb),
    Ask(AskVerb),
    Wave(WaveVerb),
}

impl Engine {
    /// Does what `who` decided, or keeps it as a request for a second person, as their role says.
    pub fn act(&mut self, who: impl Into<Who>, verb: &Verb) -> Result<Done, EngineError> {
        let who = who.into();
        let done = self.step(&who.actor(), |step| super::approvals::act(step, &who, verb))?;
        self.set_agenda()?;
        Ok(done)
    }
}

/// Carries a verb out, whoever was allowed to.
pub(super) fn act(step: &mut Step<'_>, verb: &Verb) -> Result<(), EngineError> {
    match verb {
        Verb::Accept { mail, authority } => accept(step, *mail, *authority),
        Verb::Reject { mail, reason } => {
            let mut item = in_review(step.context, *mail)?;
            item.disposition = Disposition::Rejected { reason: short(reason)? };
            close_of_mail(step, *mail)?;
            step.put_item(&item)
        }
        Verb::AskSender { mail } => {
            let mut item = in_review(step.context, *mail)?;
            let reading = read_again(step.context, &item)?;
            let given = item.answers.len();
            super::answers::answer(step, &mut item, &reading, LetterKind::CorrectionRequest)?;
            if item.answers.len() == given {
                return Err(EngineError::Refused(
                    "no letter may go to this sender: it was asked already, had enough answers today, or is a program; write by hand",
                ));
            }
            step.put_item(&item)
        }
        Verb::Reread { mail } => super::filing::reread(step, *mail),
        Verb::Close { matter, reason } => {
            let known: Option<OpenMatter> = step.context.load(Table::Review, &codec::number(*matter))?;
            let known = known.ok_or(EngineError::NoMatter(*matter))?;
            if matches!(known.subject, Subject::Mail { .. }) {
                return Err(EngineError::Refused("a mail in review is accepted or rejected, not closed"));
            }
            short(reason)?;
            step.close_matter(known.no);
            Ok(())
        }
        Verb::Hold { row, reason } => {
            short(reason)?;
            step.deliver(*row, &DeliveryEvent::Held { reason: HoldReason::Staff })
        }
        Verb::Release { row } => {
            close_of_row(step, *row)?;
            step.deliver(*row, &DeliveryEvent::Released)
        }
        Verb::Retry { row } => {
            close_of_row(step, *row)?;
            step.deliver(*row, &DeliveryEvent::RetryNow)
        }
        Verb::Withdraw { row, reason } => {
            close_of_row(step, *row)?;
            step.deliver(*row, &DeliveryEvent::Withdrawn { why: short(reason)? })
        }
        Verb::Reissue { tenant, reason } => {
            let nonce = step.nonce()?;
            close_of_tenant(step, *tenant)?;
            step.course_event(*tenant, &CourseEvent::Reissued { reason: *reason, nonce })
        }
        Verb::Cancel { tenant, reason } => {
            step.course_event(*tenant, &CourseEvent::Cancelled { reason: short(reason)? })
        }
        Verb::ReissueMany { tenants, reason } => reissue_many(step, tenants, *reason),
        Verb::Revoke { tenant, reason } => step.course_event(*tenant, &CourseEvent::Revoked { reason: *reason }),
        Verb::People(verb) => super::people::act(step, verb),
        Verb::Wave(verb) => super::waves::act(step, verb),
        Verb::Ask(_) => Err(EngineError::Refused("a request about a request is not kept")),
    }
}

fn reissue_many(step: &mut Step<'_>, tenants: &[TenantId], reason: ReissueReason) -> Result<(), EngineError> {
    if tenants.len() > BULK_MAX {
        return Err(EngineError::Input(format!("{} tenants at once are more than {BULK_MAX}", tenants.len())));
    }
    let mut refused = Vec::new();
    for tenant in tenants {
        let nonce = step.nonce()?;
        match step.course_event(*tenant, &CourseEvent::Reissued { reason, nonce }) {
            Ok(()) => close_of_tenant(step, *tenant)?,
            Err(EngineError::Refused(why)) => refused.push(json!({"tenant": tenant, "why": why})),
            Err(fault) => return Err(fault),
        }
    }
    if refused.len() == tenants.len() {
        return Err(EngineError::Refused("none of these tenants can be re-issued now"));
    }
    step.note(json!({"event": "reissued-many", "done": tenants.len() - refused.len(), "refused": refused}));
    Ok(())
}

/// A mail in review as it would be taken over.
struct Understood {
    item: InboxItem,
    reading: Reading,
    code: LgCode,
    changes: Vec<Change>,
}

/// What accepting a mail would change.
pub(super) fn changes_of(
    step: &mut Step<'_>,
    mail: MailNo,
    authority: Option<LgCode>,
) -> Result<Vec<Change>, EngineError> {
    Ok(understood(step, mail, authority)?.changes)
}

fn understood(step: &mut Step<'_>, mail: MailNo, authority: Option<LgCode>) -> Result<Understood, EngineError> {
    let item = in_review(step.context, mail)?;
    let mut reading = read_again(step.context, &item)?;
    let rules = std::sync::Arc::clone(&step.context.setup.rules);
    let code = authority
        .or_else(|| directory::code_of(&reading))
        .ok_or(EngineError::Refused("this mail names no known authority; say which one it is with --authority CODE"))?;
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
    Ok(Understood { item, reading, code, changes })
}

/// Takes over what a mail says: additions and changed addresses, and tells the sender.
fn accept(step: &mut Step<'_>, mail: MailNo, authority: Option<LgCode>) -> Result<(), EngineError> {
    let Understood { mut item, reading, code, changes } = understood(step, mail, authority)?;
    super::filing::take_over(step, code, mail, &changes)?;
    settle_undeliverable(step, &changes)?;
    item.authority = Some(code);
    item.disposition = Disposition::Revision;
    close_of_mail(step, mail)?;
    super::answers::answer(step, &mut item, &reading, LetterKind::Receipt)?;
    step.put_item(&item)
}

fn in_review(context: &Context, mail: MailNo) -> Result<InboxItem, EngineError> {
    let item: InboxItem = context.load(Table::Inbox, &codec::number(mail.0))?.ok_or(EngineError::NoMail(mail))?;
    match item.disposition {
        Disposition::Review { .. } | Disposition::Unreadable | Disposition::Inquiry => Ok(item),
        Disposition::Registered
        | Disposition::Revision
        | Disposition::Duplicate { .. }
        | Disposition::AutoReply
        | Disposition::Bounce { .. }
        | Disposition::OwnMail
        | Disposition::Spam
        | Disposition::Rejected { .. } => Err(EngineError::Refused("this mail is not waiting for a decision")),
    }
}

/// Reads the stored bytes of a mail with the rules of today.
pub(super) fn read_again(context: &Context, item: &InboxItem) -> Result<Reading, EngineError> {
    let raw = context.store.get(Table::Raw, &codec::number(item.no.0))?.ok_or(EngineError::NoMail(item.no))?;
    Ok(reading::read_safely(&raw, &context.setup.rules))
}

/// A reason is never empty: it stands in the journal for whoever asks later.
pub(super) fn short(reason: &str) -> Result<String, EngineError> {
    let text: String = reason.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect();
    if text.trim().is_empty() { Err(EngineError::Input("a reason is needed".to_owned())) } else { Ok(text) }
}

pub(super) fn close_of_mail(step: &mut Step<'_>, mail: MailNo) -> Result<(), EngineError> {
    close_where(step, |subject| match subject {
        Subject::Mail { mail: of, .. } | Subject::Inquiry { mail: of } | Subject::UnknownBounce { mail: of } => {
            *of == mail
        }
        Subject::Tenant { .. }
        | Subject::Row { .. }
        | Subject::AnswerUndeliverable { .. }
        | Subject::NotComposed { .. } => false,
    })
}

fn close_of_row(step: &mut Step<'_>, row: RowNo) -> Result<(), EngineError> {
    close_where(step, |subject| match subject {
        Subject::Row { row: of, .. } | Subject::AnswerUndeliverable { row: of, .. } => *of == row,
        Subject::Mail { .. }
        | Subject::Inquiry { .. }
        | Subject::UnknownBounce { .. }
        | Subject::Tenant { .. }
        | Subject::NotComposed { .. } => false,
    })
}

fn close_of_tenant(step: &mut Step<'_>, tenant: TenantId) -> Result<(), EngineError> {
    close_where(step, |subject| match subject {
        Subject::Tenant { tenant: of, .. } | Subject::NotComposed { tenant: of, .. } => *of == tenant,
        Subject::Mail { .. }
        | Subject::Inquiry { .. }
        | Subject::UnknownBounce { .. }
        | Subject::Row { .. }
        | Subject::AnswerUndeliverable { .. } => false,
    })
}

/// A new address is what an undeliverable letter was waiting for.
fn settle_undeliverable(step: &mut Step<'_>, changes: &[Change]) -> Result<(), EngineError> {
    let has_new_address = |tenant: &TenantId| {
        changes.iter().any(|change| match change {
            Change::AddressChanged { id, .. } => id == tenant,
            Change::Added { .. } => false,
        })
    };
    close_where(step, |subject| match subject {
        Subject::Tenant { tenant, matter: Matter::Undeliverable { .. } } => has_new_address(tenant),
        Subject::Tenant { matter: Matter::NotPickedUp { .. }, .. }
        | Subject::Mail { .. }
        | Subject::Inquiry { .. }
        | Subject::UnknownBounce { .. }
        | Subject::Row { .. }
        | Subject::AnswerUndeliverable { .. }
        | Subject::NotComposed { .. } => false,
    })
}

fn close_where(step: &mut Step<'_>, is_it: impl Fn(&Subject) -> bool) -> Result<(), EngineError> {
    let mut closed: Vec<MatterNo> = Vec::new();
    for entry in step.context.store.rows(Table::Review)? {
        let matter: OpenMatter = codec::decode(&entry?.1)?;
        closed.extend(Some(matter.no).filter(|_| is_it(&matter.subject)));
    }
    for no in closed {
        step.close_matter(no);
    }
    Ok(())
}
