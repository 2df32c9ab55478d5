//! What a person decides: about a mail in review, an outgoing mail, a tenant's course. Every act is one step with the
//! person as actor and a reason, so the journal says who did what and why.

use super::approvals::{AskVerb, Done};
use super::keys::KeysVerb;
use super::people::{PeopleVerb, Who};
use super::records::{Disposition, InboxItem, MatterNo, OpenMatter, Subject};
use super::step::Step;
use super::waves::WaveVerb;
use super::{Context, Engine, EngineError, codec, domains, review};
use crate::domain::{Digest, LgCode, MailNo, RowNo, TenantId};
use crate::reading::{self, Proposal, Reading, Reason};
use crate::rules::Rules;
use crate::store::Table;
use crate::workflow::Matter;
use crate::workflow::delivery::{DeliveryEvent, HoldReason};
use crate::workflow::directory::Change;
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
    /// Take over what the mail was read to say. `authority` settles an unknown or ambiguous authority. `shown`: what they
    /// were shown ([`review::shown`]); refused without it, and if the mail reads differently now or the directory has
    /// moved on.
    Accept {
        mail: MailNo,
        authority: Option<LgCode>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shown: Option<Digest>,
    },
    /// Take over what staff made of it. `despite`: doubts about the edited values that they confirm. `shown`: as above.
    AcceptEdited {
        mail: MailNo,
        proposal: Proposal,
        reason: String,
        #[serde(default)]
        despite: Vec<Reason>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shown: Option<Digest>,
    },
    /// Take nothing over.
    Reject {
        mail: MailNo,
        reason: String,
    },
    /// Ask the sender what the draft asks ([`Engine::draft`]).
    AskSender {
        mail: MailNo,
    },
    /// Ask in one's own words.
    WriteToSender {
        mail: MailNo,
        subject: String,
        body: String,
    },
    /// Read the stored bytes again with the rules of today; decides anew.
    Reread {
        mail: MailNo,
    },
    /// A domain belongs to an authority: mails from there are its own, as far as a domain can tell.
    ApproveDomain {
        authority: LgCode,
        domain: String,
        reason: String,
    },
    /// It does not, or not any more.
    ForgetDomain {
        authority: LgCode,
        domain: String,
        reason: String,
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
    /// A new password for the real system, told as the first one was.
    RenewCredentials {
        tenant: TenantId,
        reason: String,
    },
    People(PeopleVerb),
    Keys(KeysVerb),
    Ask(AskVerb),
    Wave(WaveVerb),
}

impl Engine {
    /// Does what `who` decided, or keeps it as a request for a second person, as their role says.
    pub fn act(&mut self, who: impl Into<Who>, verb: &Verb) -> Result<Done, EngineError> {
        let who = who.into();
        let done = self.step(&who.actor(), |step| super::approvals::act(step, &who, verb))?;
        self.set_agenda()?;
        if matches!(verb, Verb::Keys(_) | Verb::Ask(_)) {
            self.put_in_force()?;
        }
        Ok(done)
    }
}

/// Carries a verb out, whoever was allowed to.
pub(super) fn act(step: &mut Step<'_>, verb: &Verb) -> Result<(), EngineError> {
    match verb {
        Verb::Accept { mail, authority, shown } => review::accept(step, *mail, *authority, *shown),
        Verb::AcceptEdited { mail, proposal, reason, despite, shown } => {
            review::accept_edited(step, *mail, proposal, reason, despite, *shown)
        }
        Verb::Reject { mail, reason } => {
            let mut item = in_review(step.context, *mail)?;
            item.disposition = Disposition::Rejected { reason: short(reason)? };
            close_of_mail(step, *mail)?;
            step.put_item(&item)
        }
        Verb::AskSender { mail } => review::ask_sender(step, *mail),
        Verb::WriteToSender { mail, subject, body } => review::write_to_sender(step, *mail, subject, body),
        Verb::Reread { mail } => super::filing::reread(step, *mail),
        Verb::ApproveDomain { authority, domain, reason } => {
            short(reason)?;
            domains::approve(step, *authority, domain)
        }
        Verb::ForgetDomain { authority, domain, reason } => {
            short(reason)?;
            domains::forget(step, *authority, domain)
        }
        Verb::Close { matter, reason } => close(step, *matter, reason),
        Verb::Hold { row, reason } => {
            short(reason)?;
            step.deliver(*row, &DeliveryEvent::Held { reason: HoldReason::Staff })
        }
        Verb::Release { row } => {
            if step.row(*row)?.delivery.waits_for_wave() {
                return Err(EngineError::Refused("this letter leaves with its wave; see `annai wave`"));
            }
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
            super::approvals::count_reissue(step)?;
            close_of_tenant(step, *tenant)?;
            step.course_event(*tenant, &CourseEvent::Reissued { reason: *reason, nonce })
        }
        Verb::Cancel { tenant, reason } => {
            step.course_event(*tenant, &CourseEvent::Cancelled { reason: short(reason)? })
        }
        Verb::ReissueMany { tenants, reason } => reissue_many(step, tenants, *reason),
        Verb::Revoke { tenant, reason } => step.course_event(*tenant, &CourseEvent::Revoked { reason: *reason }),
        Verb::RenewCredentials { tenant, reason } => {
            short(reason)?;
            renew_credentials(step, *tenant)
        }
        Verb::People(verb) => super::people::act(step, verb),
        Verb::Keys(verb) => super::keys::act(step, verb),
        Verb::Wave(verb) => super::waves::act(step, verb),
        Verb::Ask(_) => Err(EngineError::Refused("a request about a request is not kept")),
    }
}

/// A new password made by the policy; what staff gave for the tenant is void with the password it held.
fn renew_credentials(step: &mut Step<'_>, tenant: TenantId) -> Result<(), EngineError> {
    let nonce = step.nonce()?;
    step.delete(Table::Imported, tenant.to_string());
    step.course_event(tenant, &CourseEvent::CredentialsRenewed { nonce })
}

fn close(step: &mut Step<'_>, matter: u64, reason: &str) -> Result<(), EngineError> {
    let known: Option<OpenMatter> = step.context.load(Table::Review, &codec::number(matter))?;
    let known = known.ok_or(EngineError::NoMatter(matter))?;
    if matches!(known.subject, Subject::Mail { .. }) {
        return Err(EngineError::Refused("a mail in review is accepted or rejected, not closed"));
    }
    short(reason)?;
    if let Subject::FailingTogether { tenants, .. } = &known.subject {
        super::outages::settled(step, tenants)?;
    }
    step.close_matter(known.no);
    Ok(())
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
            Err(fault @ (EngineError::Refused(_) | EngineError::NoTenant(_))) => {
                refused.push(json!({"tenant": tenant, "why": fault.to_string()}));
            }
            Err(fault) => return Err(fault),
        }
    }
    if refused.len() == tenants.len() {
        return Err(EngineError::Refused("none of these tenants can be re-issued now"));
    }
    step.note(json!({"event": "reissued-many", "done": tenants.len() - refused.len(), "refused": refused}));
    Ok(())
}

pub(super) fn in_review(context: &Context, mail: MailNo) -> Result<InboxItem, EngineError> {
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
    read_by(context, item, &context.setup.rules)
}

/// Reads the stored bytes of a mail with these rules; what was found of its origin when it came in still holds.
pub(super) fn read_by(context: &Context, item: &InboxItem, rules: &Rules) -> Result<Reading, EngineError> {
    let raw = context.store.get(Table::Raw, &codec::number(item.no.0))?.ok_or(EngineError::NoMail(item.no))?;
    let mut reading = reading::read_safely(&raw, rules);
    if reading.head.authentication.is_none() {
        reading.head.authentication.clone_from(&item.authentication);
    }
    Ok(reading)
}

/// A reason is never empty: it stands in the journal for whoever asks later.
pub(super) fn short(reason: &str) -> Result<String, EngineError> {
    let text: String = reason.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect();
    if text.trim().is_empty() { Err(EngineError::Input("a reason is needed".to_owned())) } else { Ok(text) }
}

pub(super) fn close_of_mail(step: &mut Step<'_>, mail: MailNo) -> Result<(), EngineError> {
    close_where(step, |subject| match subject {
        Subject::Mail { mail: of, .. } | Subject::Inquiry { mail: of } | Subject::UnknownBounce { mail: of, .. } => {
            *of == mail
        }
        Subject::Tenant { .. }
        | Subject::Row { .. }
        | Subject::AnswerUndeliverable { .. }
        | Subject::FailingTogether { .. }
        | Subject::NotComposed { .. } => false,
    })
}

fn close_of_row(step: &mut Step<'_>, row: RowNo) -> Result<(), EngineError> {
    close_where(step, |subject| match subject {
        Subject::Row { row: of, .. } | Subject::AnswerUndeliverable { row: of, .. } => *of == row,
        Subject::Mail { .. }
        | Subject::Inquiry { .. }
        | Subject::UnknownBounce { .. }
        | Subject::FailingTogether { .. }
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
        | Subject::FailingTogether { .. }
        | Subject::Row { .. }
        | Subject::AnswerUndeliverable { .. } => false,
    })
}

/// A new address is what an undeliverable letter was waiting for.
pub(super) fn settle_undeliverable(step: &mut Step<'_>, changes: &[Change]) -> Result<(), EngineError> {
    let has_new_address = |tenant: &TenantId| {
        changes.iter().any(|change| match change {
            Change::AddressChanged { id, .. } => id == tenant,
            Change::Added { .. } => false,
        })
    };
    close_where(step, |subject| match subject {
        Subject::Tenant { tenant, matter: Matter::Undeliverable { .. } } => has_new_address(tenant),
        Subject::Tenant {
            matter: Matter::NotPickedUp { .. } | Matter::WrongPasswords { .. } | Matter::ReissueAsked { .. },
            ..
        }
        | Subject::Mail { .. }
        | Subject::Inquiry { .. }
        | Subject::UnknownBounce { .. }
        | Subject::FailingTogether { .. }
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
