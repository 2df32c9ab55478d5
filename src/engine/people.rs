//! Accounts and sessions of staff (research R9, R19). Every act here is a step with its actor in the journal; neither a
//! password nor its hash nor a session's token ever stands there.
//!
//! Who acts is [`Who`]: an account that proved itself, or the local user of the control socket. That socket is open to the
//! daemon's user and root only, who could read the store and the keys anyway: they count as admin, but are never the second
//! person. Nor is an account with a client certificate that gave only its password (docs/decisions/0010).

mod checks;
mod sessions;

use checks::two_can_take_part;
pub use checks::{fingerprint, name_fault, person_fault};
pub(super) use checks::{not_oneself, second_person};
pub use sessions::{Proof, SESSION_HOURS, SESSIONS_MAX, Session};

use super::step::Step;
use super::views::View;
use super::{Context, Engine, EngineError, codec};
use crate::crypto;
use crate::domain::{Digest, MailAddress, Timestamp};
use crate::rules::TwoPersons;
use crate::store::Table;
use crate::workflow::rights::{Act, Right, Role, right};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sessions::{end_sessions, session_by_no};

/// Longest account name, in characters.
pub const NAME_CHARS_MAX: usize = 32;
/// Longest name of a person, in characters.
pub const PERSON_CHARS_MAX: usize = 60;
/// Most accounts. They are listed as a whole.
pub const ACCOUNTS_MAX: usize = 200;
/// Where it stands that the two-person rule has come into force.
const IN_FORCE: &[u8] = b"two-persons-since";

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// The Unix user at the other end of the control socket.
    Local(String),
    /// An account that logged in to the console, with its client certificate where one is asked for.
    Account(String),
    /// An account that gave its password at the control socket, where no client certificate can be shown.
    Signed(String),
}

impl Who {
    pub fn name(&self) -> &str {
        match self {
            Self::Local(name) | Self::Account(name) | Self::Signed(name) => name,
        }
    }

    /// As the journal names them. Accounts are never called `root`, so the two cannot be taken for each other there.
    pub(super) fn actor(&self) -> String {
        format!("staff:{}", self.name())
    }
}

impl From<&str> for Who {
    fn from(local: &str) -> Self {
        Self::Local(local.to_owned())
    }
}

/// A person's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub name: String,
    /// 佐藤 花子
    pub person: String,
    pub role: Role,
    /// Where alerts go; `None`: this person gets none.
    pub mail: Option<MailAddress>,
    pub since: Timestamp,
    pub disabled: Option<Timestamp>,
    /// argon2id; `None`: not set yet, nobody can log in. Never leaves the store.
    pub(super) hash: Option<String>,
    pub password_since: Option<Timestamp>,
    /// The client certificate this person logs in with, where the console asks for one.
    #[serde(default)]
    pub certificate: Option<Bound>,
}

/// A client certificate that belongs to an account: bound at the first login with it, or by an admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// SHA-256 of the certificate.
    pub fingerprint: Digest,
    pub since: Timestamp,
}

/// An account as others may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountView {
    pub name: String,
    pub person: String,
    pub role: Role,
    pub role_name: &'static str,
    pub mail: Option<MailAddress>,
    pub since: Timestamp,
    pub disabled: Option<Timestamp>,
    pub has_password: bool,
    pub password_since: Option<Timestamp>,
    pub certificate: Option<Bound>,
}

/// What is done to accounts and sessions. A reason is at most [`REASON_CHARS_MAX`](super::staff::REASON_CHARS_MAX)
/// characters; the console asks for one with everything that concerns another person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "people")]
pub enum PeopleVerb {
    Add {
        name: String,
        person: String,
        role: Role,
        mail: Option<MailAddress>,
        hash: Option<String>,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    SetRole {
        name: String,
        role: Role,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    SetMail {
        name: String,
        mail: Option<MailAddress>,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// `hash`: argon2id, made where the password was typed; the journal leaves it out, and nothing is done without it.
    /// `reason`: why it is another person who sets it.
    Password {
        name: String,
        #[serde(default)]
        hash: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// Which client certificate the account logs in with. `None`: none is bound any more, the next login binds the one it
    /// is made with.
    Certificate {
        name: String,
        fingerprint: Option<Digest>,
        reason: String,
    },
    Disable {
        name: String,
        reason: String,
    },
    Enable {
        name: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    EndSession {
        session: u64,
    },
}

impl PeopleVerb {
    /// Why; empty where none was asked for.
    pub fn reason(&self) -> &str {
        match self {
            Self::Add { reason, .. }
            | Self::SetRole { reason, .. }
            | Self::SetMail { reason, .. }
            | Self::Password { reason, .. }
            | Self::Certificate { reason, .. }
            | Self::Disable { reason, .. }
            | Self::Enable { reason, .. } => reason,
            Self::EndSession { .. } => "",
        }
    }

    /// Which right it needs. Everybody may change their own password and end their own session.
    pub(super) fn act(&self, context: &Context, who: &Who) -> Result<Act, EngineError> {
        let own = |name: &str| matches!(who, Who::Account(own) | Who::Signed(own) if own == name);
        Ok(match self {
            Self::Password { name, .. } if own(name) => Act::OwnPassword,
            Self::Add { .. }
            | Self::SetRole { .. }
            | Self::SetMail { .. }
            | Self::Password { .. }
            | Self::Certificate { .. }
            | Self::Disable { .. }
            | Self::Enable { .. } => Act::People,
            Self::EndSession { session } => {
                let (_, session) = session_by_no(context, *session)?;
                if own(&session.account) { Act::OwnPassword } else { Act::Sessions }
            }
        })
    }
}

impl Account {
    pub fn view(&self) -> AccountView {
        AccountView {
            name: self.name.clone(),
            person: self.person.clone(),
            role: self.role,
            role_name: self.role.japanese(),
            mail: self.mail.clone(),
            since: self.since,
            disabled: self.disabled,
            has_password: self.hash.is_some(),
            password_since: self.password_since,
            certificate: self.certificate,
        }
    }

    fn can_log_in(&self) -> bool {
        self.disabled.is_none() && self.hash.is_some()
    }
}

/// The role of who acts. Fails for an account that is not there or disabled.
pub(super) fn role_of(context: &Context, who: &Who) -> Result<Role, EngineError> {
    match who {
        Who::Local(_) => Ok(Role::Admin),
        Who::Account(name) | Who::Signed(name) => {
            let account = account(context, name)?;
            if account.disabled.is_some() {
                return Err(EngineError::Refused("this account is disabled"));
            }
            Ok(account.role)
        }
    }
}

fn account(context: &Context, name: &str) -> Result<Account, EngineError> {
    let known = context.load(Table::Account, name.as_bytes())?;
    known.ok_or_else(|| EngineError::Input(format!("there is no account {}", shown(name))))
}

fn accounts(context: &Context) -> Result<Vec<Account>, EngineError> {
    context.store.rows(Table::Account)?.map(|row| codec::decode(&row?.1)).collect()
}

/// Whether `act` needs a second person now.
pub(super) fn two_persons(context: &Context, act: Act) -> Result<bool, EngineError> {
    let since: Option<Timestamp> = context.load(Table::Meta, IN_FORCE)?;
    Ok(match context.setup.rules.schedule.oversight.two_persons {
        TwoPersons::Never => false,
        // The first accounts have nobody to approve them.
        TwoPersons::Always => act != Act::People || since.is_some(),
        TwoPersons::WithAccounts => since.is_some(),
    })
}

/// Carries out what was allowed or approved.
pub(super) fn act(step: &mut Step<'_>, verb: &PeopleVerb) -> Result<(), EngineError> {
    if verb.reason().chars().count() > super::staff::REASON_CHARS_MAX {
        return Err(EngineError::Input(checks::LONG_REASON.to_owned()));
    }
    match verb {
        PeopleVerb::Add { name, person, role, mail, hash, reason: _ } => {
            add(step, name, person, *role, mail.as_ref(), hash.as_deref())
        }
        PeopleVerb::SetRole { name, role, reason: _ } => {
            end_sessions(step, name)?;
            change(step, name, |account, _| account.role = *role)
        }
        PeopleVerb::SetMail { name, mail, reason: _ } => change(step, name, |account, _| account.mail.clone_from(mail)),
        PeopleVerb::Password { name, hash, reason: _ } => {
            checked(hash)?;
            end_sessions(step, name)?;
            change(step, name, |account, now| {
                account.hash = Some(hash.clone());
                account.password_since = Some(now);
            })
        }
        PeopleVerb::Certificate { name, fingerprint, reason } => {
            super::staff::short(reason)?;
            checks::own_certificate(step.context, *fingerprint, name)?;
            end_sessions(step, name)?;
            change(step, name, |account, now| {
                account.certificate = fingerprint.map(|fingerprint| Bound { fingerprint, since: now });
            })
        }
        PeopleVerb::Disable { name, reason } => {
            super::staff::short(reason)?;
            end_sessions(step, name)?;
            change(step, name, |account, now| account.disabled = Some(now))
        }
        PeopleVerb::Enable { name, reason: _ } => change(step, name, |account, _| account.disabled = None),
        PeopleVerb::EndSession { session } => {
            let (key, _) = session_by_no(step.context, *session)?;
            step.delete(Table::Session, key);
            Ok(())
        }
    }
}

fn add(
    step: &mut Step<'_>,
    name: &str,
    person: &str,
    role: Role,
    mail: Option<&MailAddress>,
    hash: Option<&str>,
) -> Result<(), EngineError> {
    if let Some(fault) = name_fault(name).or_else(|| person_fault(person)) {
        return Err(EngineError::Input(fault.to_owned()));
    }
    let known = accounts(step.context)?;
    if known.iter().any(|account| account.name == name) {
        return Err(EngineError::Refused("there is an account of this name already; names are never used again"));
    }
    if known.len() >= ACCOUNTS_MAX {
        return Err(EngineError::Refused("there are 200 accounts already; more than this programme has people"));
    }
    hash.map_or(Ok(()), checked)?;
    let account = Account {
        name: name.to_owned(),
        person: person.to_owned(),
        role,
        mail: mail.cloned(),
        since: step.now,
        disabled: None,
        hash: hash.map(str::to_owned),
        password_since: hash.map(|_| step.now),
        certificate: None,
    };
    put(step, account)
}

fn change(step: &mut Step<'_>, name: &str, change: impl FnOnce(&mut Account, Timestamp)) -> Result<(), EngineError> {
    let mut account = account(step.context, name)?;
    change(&mut account, step.now);
    put(step, account)
}

/// Stores an account. The two-person rule comes into force with the second person, and stays; from then on it is never
/// left without the people it needs.
fn put(step: &mut Step<'_>, account: Account) -> Result<(), EngineError> {
    step.put(Table::Account, account.name.as_bytes(), &account)?;
    let before = accounts(step.context)?;
    let mut all: Vec<Account> = before.iter().filter(|other| other.name != account.name).cloned().collect();
    all.push(account);
    if two_persons(step.context, Act::People)? && checks::can_be_kept(&before) && !checks::can_be_kept(&all) {
        return Err(EngineError::Refused(
            "nobody could keep accounts any more; first make another person admin, and a second one approver or admin",
        ));
    }
    if two_can_take_part(&all) && step.context.load::<Timestamp>(Table::Meta, IN_FORCE)?.is_none() {
        step.note(json!({"event": "two-persons-in-force"}));
        step.put(Table::Meta, IN_FORCE, &step.now.clone())?;
    }
    Ok(())
}

fn checked(hash: &str) -> Result<(), EngineError> {
    if crypto::password::is_hash(hash) {
        return Ok(());
    }
    Err(EngineError::Input("this is no argon2id hash of a password".to_owned()))
}

fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect()
}

impl Engine {
    /// Whether `who` may do this now, and whether alone.
    pub fn may(&self, who: &Who, act: Act) -> Result<Right, EngineError> {
        let context = &self.context;
        Ok(match right(role_of(context, who)?, act) {
            Right::NeedsSecond if !two_persons(context, act)? => Right::Allowed,
            right @ (Right::Allowed | Right::NeedsSecond | Right::Refused) => right,
        })
    }

    /// The refusal of an act, in words.
    pub fn forbidden(&self, who: &Who, act: Act) -> EngineError {
        match role_of(&self.context, who) {
            Ok(role) => EngineError::Forbidden { role, act },
            Err(fault) => fault,
        }
    }
}

impl View {
    pub fn accounts(&self) -> Result<Vec<AccountView>, EngineError> {
        Ok(accounts(&self.context)?.iter().map(Account::view).collect())
    }

    /// Since when two persons are needed; `None`: one may act alone.
    pub fn two_persons_since(&self) -> Result<Option<Timestamp>, EngineError> {
        self.context.load(Table::Meta, IN_FORCE)
    }
}
