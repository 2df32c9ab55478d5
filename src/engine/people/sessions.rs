//! Sessions: begun by a verified password, known by a token of which only the digest is stored. Passwords are verified
//! beside the engine's thread ([`Survey::prove`]), because that takes its time on purpose.

use super::{Account, AccountView, Bound, Who, account, checks, put};
use crate::crypto;
use crate::domain::time::{HOUR, MINUTE};
use crate::domain::{Digest, Secret, Timestamp};
use crate::engine::step::Step;
use crate::engine::survey::Survey;
use crate::engine::views::View;
use crate::engine::{Context, Engine, EngineError, SYSTEM, codec};
use crate::store::Table;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Sessions one account may have at once; the oldest gives way.
pub const SESSIONS_MAX: usize = 5;
/// Hours after which a session ends whatever happens in it.
pub const SESSION_HOURS: i64 = 12;
/// What is kept of a browser's name, in characters.
const AGENT_CHARS_MAX: usize = 120;

/// One login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub no: u64,
    pub account: String,
    pub since: Timestamp,
    pub seen: Timestamp,
    /// Address of the browser.
    pub from: String,
    /// What the browser calls itself.
    pub agent: String,
    /// Minutes without a click after which it ends, by the rules of its beginning.
    pub idle_minutes: u32,
    /// SHA-256 of the client certificate it began with. It is good with that one only; `None`: with none only.
    #[serde(default)]
    pub fingerprint: Option<Digest>,
}

fn sessions(context: &Context) -> Result<Vec<(Vec<u8>, Session)>, EngineError> {
    let rows = context.store.rows(Table::Session)?;
    rows.map(|row| row.map_err(Into::into).and_then(|(key, value)| Ok((key.to_vec(), codec::decode(&value)?))))
        .collect()
}

pub(super) fn session_by_no(context: &Context, no: u64) -> Result<(Vec<u8>, Session), EngineError> {
    let found = sessions(context)?.into_iter().find(|(_, session)| session.no == no);
    found.ok_or_else(|| EngineError::Input(format!("there is no session {no}")))
}

pub(super) fn end_sessions(step: &mut Step<'_>, account: &str) -> Result<(), EngineError> {
    for (key, session) in sessions(step.context)? {
        if session.account == account {
            step.delete(Table::Session, key);
        }
    }
    Ok(())
}

/// Key of a session's record.
fn session_key(token: &Secret<String>) -> [u8; 32] {
    crypto::sha256(token.reveal().as_bytes()).0
}

impl Session {
    /// Whether it is over at `now`. `factor`: how much faster the clock runs than people do.
    pub fn is_over(&self, now: Timestamp, factor: i64) -> bool {
        let (idle, whole) = (i64::from(self.idle_minutes) * MINUTE, SESSION_HOURS * HOUR);
        now.since(self.seen) >= idle.saturating_mul(factor) || now.since(self.since) >= whole.saturating_mul(factor)
    }
}

impl View {
    /// Who is logged in, the newest last.
    pub fn sessions(&self) -> Result<Vec<Session>, EngineError> {
        let mut all: Vec<_> = sessions(&self.context)?.into_iter().map(|(_, session)| session).collect();
        all.sort_by_key(|session| session.no);
        Ok(all)
    }
}

impl Engine {
    /// Begins a session of an account whose password `proof` was just verified (off this thread); gives its token.
    pub fn log_in(
        &mut self,
        name: &str,
        proof: &Proof,
        from: &str,
        agent: &str,
    ) -> Result<Secret<String>, EngineError> {
        let who = Who::Account(name.to_owned());
        self.step(&who.actor(), |step| {
            let account = account(step.context, name)?;
            // Changed or disabled while it was being verified.
            if !account.can_log_in() || account.hash.as_deref() != Some(proof.hash.as_str()) {
                return Err(EngineError::Refused("this account cannot log in"));
            }
            second_factor(step, account, proof.certificate)?;
            let own = sessions(step.context)?.into_iter().filter(|(_, session)| session.account == name);
            let mut own: Vec<_> = own.collect();
            own.sort_by_key(|(_, session)| session.no);
            let surplus = (own.len() + 1).saturating_sub(SESSIONS_MAX);
            own.into_iter().take(surplus).for_each(|(key, _)| step.delete(Table::Session, key));
            let token = Secret::new(crypto::typeable(&step.token()?, 1, crypto::codes::CODE_CHARS_MAX).reveal().clone());
            let clean = |text: &str| text.chars().filter(|c| !c.is_control()).take(AGENT_CHARS_MAX).collect::<String>();
            let session = Session {
                no: step.next_number(|counters| &mut counters.sessions),
                account: name.to_owned(),
                since: step.now,
                seen: step.now,
                from: clean(from),
                agent: clean(agent),
                idle_minutes: step.context.setup.rules.schedule.oversight.idle_minutes,
                fingerprint: proof.certificate,
            };
            step.note(json!({"event": "logged-in", "session": session.no, "from": session.from, "certificate": session.fingerprint.is_some()}));
            step.put(Table::Session, session_key(&token), &session)?;
            Ok(token)
        })
    }

    /// A click: the session goes on. Does nothing for one that is over.
    pub fn touch_session(&mut self, token: &Secret<String>) -> Result<(), EngineError> {
        let key = session_key(token);
        self.step(SYSTEM, |step| match step.context.load::<Session>(Table::Session, &key)? {
            Some(session) => step.put(Table::Session, key, &Session { seen: step.now, ..session }),
            None => Ok(()),
        })
    }

    pub fn log_out(&mut self, token: &Secret<String>) -> Result<(), EngineError> {
        let key = session_key(token);
        let Some(session) = self.context.load::<Session>(Table::Session, &key)? else { return Ok(()) };
        self.step(&Who::Account(session.account).actor(), |step| {
            step.note(json!({"event": "logged-out", "session": session.no}));
            step.delete(Table::Session, key);
            Ok(())
        })
    }

    /// The token was shown with another client certificate than the session began with: somebody else has it, or the
    /// certificate was renewed. The session ends, so that this stands in the journal once.
    pub fn session_misused(&mut self, token: &Secret<String>, from: &str) -> Result<(), EngineError> {
        let key = session_key(token);
        let Some(session) = self.context.load::<Session>(Table::Session, &key)? else { return Ok(()) };
        self.step(SYSTEM, |step| {
            step.note(
                json!({"event": "session-misused", "session": session.no, "account": session.account, "from": from}),
            );
            step.delete(Table::Session, key);
            Ok(())
        })
    }

    /// A password was wrong; only names that exist are kept, so that nobody's typing stands in the journal.
    pub fn log_in_failed(&mut self, name: &str, from: &str) -> Result<(), EngineError> {
        if self.context.load::<Account>(Table::Account, name.as_bytes())?.is_none() {
            return Ok(());
        }
        self.step(SYSTEM, |step| {
            step.note(json!({"event": "log-in-failed", "account": name, "from": from}));
            Ok(())
        })
    }
}

/// A password that was verified.
#[derive(Debug, Clone)]
pub struct Proof {
    hash: String,
    /// SHA-256 of the client certificate the browser showed; the handshake has verified it. `None`: none is asked for.
    pub certificate: Option<Digest>,
}

/// The certificate must be the account's own; the first one it comes with becomes that. Where the console asks for none, the
/// password is enough: whoever may change that in the configuration could change everything.
fn second_factor(step: &mut Step<'_>, account: Account, shown: Option<Digest>) -> Result<(), EngineError> {
    let Some(fingerprint) = shown else { return Ok(()) };
    match account.certificate {
        Some(bound) if bound.fingerprint == fingerprint => Ok(()),
        Some(_) => Err(EngineError::Refused(
            "this account logs in with another client certificate; if yours was renewed, an admin must reset it",
        )),
        None => {
            checks::own_certificate(step.context, shown, &account.name)?;
            step.note(json!({"event": "certificate-bound", "account": account.name, "fingerprint": fingerprint}));
            put(step, Account { certificate: Some(Bound { fingerprint, since: step.now }), ..account })
        }
    }
}

impl Survey {
    /// Verifies a password, beside the engine's thread; takes its time on purpose. Unknown names take as long.
    pub fn prove(&self, name: &str, password: &Secret<String>) -> Result<Option<Proof>, EngineError> {
        let account: Option<Account> = self.load(Table::Account, name.as_bytes())?;
        let hash = account.filter(Account::can_log_in).and_then(|account| account.hash);
        let same = crypto::password::verify(password, hash.as_deref());
        Ok(hash.filter(|_| same).map(|hash| Proof { hash, certificate: None }))
    }

    /// The session of a token with its account; `None`: there is none, or the account is disabled.
    pub fn session(&self, token: &Secret<String>) -> Result<Option<(Session, AccountView)>, EngineError> {
        let Some(session) = self.load::<Session>(Table::Session, &session_key(token))? else { return Ok(None) };
        let account: Option<Account> = self.load(Table::Account, session.account.as_bytes())?;
        Ok(account.filter(Account::can_log_in).map(|account| (session, account.view())))
    }

    /// Whether anybody can log in at all.
    pub fn has_accounts(&self) -> Result<bool, EngineError> {
        Ok(self.all::<Account>(Table::Account)?.iter().any(Account::can_log_in))
    }
}
