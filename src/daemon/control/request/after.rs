//! The answer to an act: how what was acted on stands now.

use super::value;
use crate::engine::approvals::AskVerb;
use crate::engine::people::PeopleVerb;
use crate::engine::staff::Verb;
use crate::engine::waves::WaveVerb;
use crate::engine::{Engine, EngineError};
use serde_json::{Value, json};

/// See the module.
pub(super) fn after(engine: &Engine, act: &Verb) -> Result<Value, EngineError> {
    match act {
        Verb::Accept { mail, .. }
        | Verb::AcceptEdited { mail, .. }
        | Verb::Reject { mail, .. }
        | Verb::AskSender { mail }
        | Verb::WriteToSender { mail, .. }
        | Verb::Reread { mail } => value(engine.item(*mail)?),
        Verb::Keys(_) => value(engine.authority_view()?),
        Verb::ReissueMany { tenants, .. } => Ok(json!({"tenants": tenants, "done": true})),
        Verb::People(PeopleVerb::EndSession { session }) => Ok(json!({"session": session, "ended": true})),
        Verb::People(
            PeopleVerb::Add { name, .. }
            | PeopleVerb::SetRole { name, .. }
            | PeopleVerb::SetMail { name, .. }
            | PeopleVerb::Password { name, .. }
            | PeopleVerb::Certificate { name, .. }
            | PeopleVerb::Disable { name, .. }
            | PeopleVerb::Enable { name, .. },
        ) => value(engine.accounts()?.into_iter().find(|account| account.name == *name)),
        Verb::Ask(AskVerb::Approve { no } | AskVerb::Refuse { no, .. } | AskVerb::Recall { no }) => {
            value(engine.ask(*no)?)
        }
        Verb::Wave(WaveVerb::Plan { .. }) => value(engine.waves(None, 1)?.items.into_iter().next()),
        Verb::Wave(
            WaveVerb::Tick { wave, .. }
            | WaveVerb::Release { wave, .. }
            | WaveVerb::Halt { wave, .. }
            | WaveVerb::Withdraw { wave, .. },
        ) => value(engine.wave_of(*wave)?),
        Verb::ApproveDomain { authority, .. } | Verb::ForgetDomain { authority, .. } => {
            value(engine.domains(Some(*authority))?)
        }
        Verb::Close { matter, .. } => Ok(json!({"matter": matter, "closed": true})),
        Verb::Hold { row, .. } | Verb::Release { row } | Verb::Retry { row } | Verb::Withdraw { row, .. } => {
            value(engine.letter(*row)?)
        }
        Verb::Reissue { tenant, .. }
        | Verb::Cancel { tenant, .. }
        | Verb::Revoke { tenant, .. }
        | Verb::RenewCredentials { tenant, .. } => value(engine.tenant(*tenant)?),
    }
}
