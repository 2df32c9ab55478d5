//! User ids and passwords of tenants (seed 4.4): made by the policy in `rules/schedule.toml`, or given by staff. The target
//! system gets ids with hashes, never a password in the clear.

use super::views::Page;
use super::{Context, Engine, EngineError, codec};
use crate::crypto::{self, Purpose, codes};
use crate::domain::{Secret, TenantId};
use crate::rules::accounts::Account;
use crate::store::Table;
use crate::workflow::Course;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Most hashes made in one go.
pub(super) const HASHES_MAX: usize = 8;

/// What is sealed in the table `Account`.
#[derive(Serialize, Deserialize)]
struct Given {
    user_id: String,
    password: String,
}

impl Drop for Given {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.password);
    }
}

/// One line for the target system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HashedAccount {
    pub tenant: TenantId,
    pub name: String,
    pub user_id: String,
    /// Argon2id in PHC form.
    pub password_hash: String,
}

fn context_of(tenant: TenantId) -> Vec<u8> {
    format!("account/{tenant}").into_bytes()
}

impl Context {
    /// User id and password of a tenant: those staff have given for it, else those of the policy.
    pub(super) fn account(&self, course: &Course) -> Result<(String, Secret<String>), EngineError> {
        let tenant = course.tenant.id;
        if let Some(sealed) = self.store.get(Table::Imported, tenant.to_string().as_bytes())? {
            let bytes = self.keys.open(&context_of(tenant), &sealed).map_err(|_| EngineError::WrongKey)?;
            let mut given: Given = codec::decode(bytes.reveal())?;
            return Ok((std::mem::take(&mut given.user_id), Secret::new(std::mem::take(&mut given.password))));
        }
        let policy = &self.setup.rules.schedule.credentials;
        let about = [tenant.to_string().as_bytes(), &course.credential.nonce.0].concat();
        let groups = usize::try_from(policy.password_groups).unwrap_or(4);
        let password = codes::typeable(self.keys.derive(Purpose::Password, &about).reveal(), groups, 4);
        Ok((format!("{}{tenant}", policy.user_id_prefix), password))
    }
}

impl Engine {
    /// Takes over user ids and passwords from outside. All or none: an unknown tenant refuses the whole list. Letters
    /// composed before keep what they say.
    pub fn import_accounts(&mut self, who: &str, accounts: &[Account]) -> Result<usize, EngineError> {
        for account in accounts {
            self.course(account.tenant)?;
        }
        self.step(&format!("staff:{who}"), |step| {
            step.note(json!({"event": "credentials-imported", "count": accounts.len()}));
            for account in accounts {
                let given = Given { user_id: account.user_id.clone(), password: account.password.reveal().clone() };
                let clear = Secret::new(codec::encode(&given)?);
                let nonce = step.seal_nonce()?;
                let sealed = step.context.keys.seal(&context_of(account.tenant), nonce, clear.reveal());
                step.put_bytes(Table::Imported, account.tenant.to_string(), sealed);
            }
            Ok(accounts.len())
        })
    }

    /// User ids with hashes of their passwords, for the system they open; those after `after`, at most [`HASHES_MAX`]: each
    /// is slow on purpose, and other steps wait meanwhile.
    pub fn export_accounts(
        &mut self,
        who: &str,
        after: Option<TenantId>,
        limit: usize,
    ) -> Result<Page<HashedAccount>, EngineError> {
        let rosters = self.survey().rosters()?;
        let courses = rosters.iter().flat_map(|roster| &roster.courses);
        let mut courses = courses.filter(|course| after.is_none_or(|after| course.tenant.id > after)).peekable();
        let mut lines: Vec<HashedAccount> = Vec::new();
        for course in courses.by_ref().take(limit.clamp(1, HASHES_MAX)) {
            let (user_id, password) = self.context.account(course)?;
            let salt = self.chance.bytes::<16>()?;
            lines.push(HashedAccount {
                tenant: course.tenant.id,
                name: course.tenant.name.clone(),
                user_id,
                password_hash: crypto::password_hash(&password, &salt),
            });
        }
        let next = courses.peek().and_then(|_| lines.last()).map(|line| line.tenant.to_string());
        self.step(&format!("staff:{who}"), |step| {
            step.note(json!({"event": "credentials-exported", "count": lines.len()}));
            Ok(Page { items: lines, next })
        })
    }
}
