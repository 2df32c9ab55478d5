//! An authenticated IMAP session: the few commands this program uses, each with a time limit, each either done or an
//! error. A lost or cancelled command takes the connection with it; every later command then says [`Loss::Before`].
//!
//! Source: RFC 3501 §6.3 and §6.4, RFC 2177 (IDLE), RFC 6851 (MOVE), RFC 4315 (UIDPLUS).

use super::error::{ImapError, Loss};
use super::login::{self, Offers, quoted, refusal};
use super::settings::{AfterFiling, ImapSettings};
use super::wire::{Answer, Command, Idled, Wire};
use super::{fetch, mutf7};
use async_imap::imap_proto::{MailboxDatum, Response, ResponseCode};
use std::time::Duration;

/// Longest single IDLE; servers may hang up after 30 minutes (RFC 2177).
pub const IDLE_ROUND: Duration = Duration::from_mins(25);
/// Commands with a short answer.
const SHORT_LIMIT: Duration = Duration::from_mins(1);
/// Commands over many mails, or over a mailbox the server must first index.
pub(super) const LONG_LIMIT: Duration = Duration::from_mins(5);
const LOGOUT_LIMIT: Duration = Duration::from_secs(5);

/// An authenticated session. See the module for what becomes of it after an error.
#[derive(Debug)]
pub struct Session {
    /// Taken out for the time of a command and put back only when the command ended as it should.
    wire: Option<Wire>,
    offers: Offers,
    mailbox: String,
    read_only_wanted: bool,
    keyword: Option<String>,
    uid_validity: Option<u32>,
}

/// The mailbox as it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selected {
    pub uid_validity: u32,
    /// `None`: the server did not say.
    pub uid_next: Option<u32>,
    /// Mails in the mailbox.
    pub exists: u32,
    pub read_only: bool,
    /// The server keeps the keyword we set on filed mails.
    pub can_keep_keywords: bool,
}

/// Why [`Session::wait`] returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// Mails came or went.
    News,
    /// The time is over.
    Quiet,
    /// The server has no IDLE; nothing was waited for.
    NotOffered,
}

impl Session {
    /// Connects and logs in. Nothing is selected yet.
    pub async fn open(settings: &ImapSettings) -> Result<Self, ImapError> {
        let (wire, offers) = login::open(settings).await?;
        Ok(Self {
            wire: Some(wire),
            offers,
            mailbox: wire_name(&settings.mailbox)?,
            read_only_wanted: settings.after == AfterFiling::Nothing,
            keyword: match &settings.after {
                AfterFiling::Keyword(keyword) => Some(atom(keyword)?),
                AfterFiling::Move(_) | AfterFiling::Nothing => None,
            },
            uid_validity: None,
        })
    }

    /// Opens the mailbox; without anything to mark afterwards, read-only (EXAMINE).
    pub async fn select(&mut self) -> Result<Selected, ImapError> {
        self.uid_validity = None;
        let name = if self.read_only_wanted { "EXAMINE" } else { "SELECT" };
        let line = format!("{name} {}", self.mailbox);
        let keyword = self.keyword.clone();
        let (mut uid_validity, mut uid_next, mut exists) = (None, None, None);
        let (mut sticky, mut keeps, mut read_only) = (true, true, self.read_only_wanted);
        self.run(Command::new(name, LONG_LIMIT, line), |response| {
            if let Response::MailboxData(MailboxDatum::Exists(count)) = response {
                exists = Some(*count);
            }
            let Some(code) = code(response) else { return };
            if let ResponseCode::UidValidity(value) = code {
                uid_validity = Some(*value);
            } else if let ResponseCode::UidNext(value) = code {
                uid_next = Some(*value);
            } else if let ResponseCode::PermanentFlags(flags) = code {
                let ours = |flag: &str| keyword.as_ref().is_some_and(|keyword| flag.eq_ignore_ascii_case(keyword));
                keeps = flags.iter().any(|flag| flag == "\\*" || ours(flag));
            }
            sticky &= *code != ResponseCode::UidNotSticky;
            read_only |= *code == ResponseCode::ReadOnly;
        })
        .await?;
        let (Some(uid_validity), Some(exists), true) = (uid_validity, exists, sticky) else {
            return Err(ImapError::Unfit(
                "the IMAP server gives no lasting UIDs for this mailbox (UIDVALIDITY); choose another mailbox or server"
                    .to_owned(),
            ));
        };
        self.uid_validity = Some(uid_validity);
        Ok(Selected { uid_validity, uid_next, exists, read_only, can_keep_keywords: keeps && !read_only })
    }

    /// Mails below `uid_next` without our keyword, ascending.
    pub async fn unmarked_below(&mut self, uid_next: u32) -> Result<Vec<u32>, ImapError> {
        let (Some(keyword), Some(last)) = (self.keyword.clone(), uid_next.checked_sub(1).filter(|last| *last > 0))
        else {
            return Ok(Vec::new());
        };
        let mut uids = Vec::new();
        let line = format!("UID SEARCH UID 1:{last} UNKEYWORD {keyword}");
        self.run(Command::new("SEARCH", LONG_LIMIT, line), |response| {
            if let Response::MailboxData(MailboxDatum::Search(found)) = response {
                uids.extend(found.iter().copied().filter(|uid| *uid <= last));
            }
        })
        .await?;
        uids.sort_unstable();
        uids.dedup();
        Ok(uids)
    }

    /// Sets the keyword on these mails. UIDs that are gone are no error.
    pub async fn flag_processed(&mut self, uids: &[u32]) -> Result<(), ImapError> {
        let Some(keyword) = self.keyword.clone().filter(|_| !uids.is_empty()) else { return Ok(()) };
        let line = format!("UID STORE {} +FLAGS.SILENT ({keyword})", fetch::uid_set(uids));
        self.run(Command::new("STORE", LONG_LIMIT, line), |_| {}).await
    }

    /// Moves these mails to `folder` (as people write it), which is created if missing. UIDs that are gone are no error.
    pub async fn move_to(&mut self, uids: &[u32], folder: &str) -> Result<(), ImapError> {
        if uids.is_empty() {
            return Ok(());
        }
        let folder = wire_name(folder)?;
        match self.try_move(uids, &folder).await {
            Err(ImapError::Refused { try_create: true, .. }) => {
                self.run(Command::new("CREATE", SHORT_LIMIT, format!("CREATE {folder}")), |_| {}).await?;
                self.try_move(uids, &folder).await
            }
            done => done,
        }
    }

    async fn try_move(&mut self, uids: &[u32], folder: &str) -> Result<(), ImapError> {
        let set = fetch::uid_set(uids);
        if self.offers.contains("MOVE") {
            return self.run(Command::new("MOVE", LONG_LIMIT, format!("UID MOVE {set} {folder}")), |_| {}).await;
        }
        if !self.offers.contains("UIDPLUS") {
            return Err(ImapError::Unfit(
                "the IMAP server can neither MOVE nor expunge single mails (UIDPLUS); mark filed mails by a keyword instead"
                    .to_owned(),
            ));
        }
        self.run(Command::new("COPY", LONG_LIMIT, format!("UID COPY {set} {folder}")), |_| {}).await?;
        let delete = format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)");
        self.run(Command::new("STORE", LONG_LIMIT, delete), |_| {}).await?;
        self.run(Command::new("EXPUNGE", LONG_LIMIT, format!("UID EXPUNGE {set}")), |_| {}).await
    }

    /// Mails in the mailbox now.
    pub async fn count(&mut self) -> Result<u32, ImapError> {
        Ok(self.select().await?.exists)
    }

    /// Waits for a change, at most `max` and at most [`IDLE_ROUND`]. Must not be cancelled by a caller that wants to go
    /// on with this session: like any command it takes the connection with it.
    pub async fn wait(&mut self, max: Duration) -> Result<Woken, ImapError> {
        if !self.offers.contains("IDLE") {
            return Ok(Woken::NotOffered);
        }
        let wire = self.wire.take().ok_or(Loss::Before)?;
        let (wire, idled) = wire.idle(max.min(IDLE_ROUND)).await?;
        self.wire = Some(wire);
        Ok(match idled {
            Idled::News => Woken::News,
            Idled::Quiet => Woken::Quiet,
            Idled::NotOffered => {
                // Offered but refused, as some proxies do: this session polls.
                self.offers.remove("IDLE");
                Woken::NotOffered
            }
        })
    }

    /// Is the server there, and let it tell what is new.
    pub async fn noop(&mut self) -> Result<(), ImapError> {
        self.run(Command::new("NOOP", SHORT_LIMIT, "NOOP"), |_| {}).await
    }

    /// Ends the session in good order.
    pub async fn logout(mut self) -> Result<(), ImapError> {
        self.run(Command::new("LOGOUT", LOGOUT_LIMIT, "LOGOUT"), |_| {}).await
    }

    /// Runs one command to its own tagged OK.
    pub(super) async fn run(
        &mut self,
        command: Command,
        mut each: impl FnMut(&Response<'_>) + Send,
    ) -> Result<(), ImapError> {
        let name = command.name;
        let known = self.uid_validity;
        let mut replaced = false;
        let wire = self.wire.take().ok_or(Loss::Before)?;
        let (wire, answer): (Wire, Answer) = wire
            .exchange(command, |response| {
                if let (Some(known), Some(ResponseCode::UidValidity(now))) = (known, code(response)) {
                    replaced |= known != *now;
                }
                each(response);
            })
            .await?;
        if replaced {
            return Err(Loss::MailboxReplaced.into());
        }
        self.wire = Some(wire);
        refusal(name, answer)
    }
}

/// The code of a status answer, untagged or tagged.
fn code<'a, 'r>(response: &'a Response<'r>) -> Option<&'a ResponseCode<'r>> {
    if let Response::Data { outcome, .. } | Response::Done { outcome, .. } = response {
        return outcome.code.as_ref();
    }
    None
}

fn wire_name(mailbox: &str) -> Result<String, ImapError> {
    let name = quoted(&mutf7::encode(mailbox)).filter(|_| !mailbox.is_empty());
    name.map(|name| name.to_string()).ok_or_else(|| ImapError::Unfit("[imap] mailbox is empty; name one".to_owned()))
}

/// RFC 3501 §9 `atom`: what may stand for a keyword.
fn atom(keyword: &str) -> Result<String, ImapError> {
    let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '(' | ')' | '{' | '%' | '*' | '"' | '\\' | ']');
    if !keyword.is_empty() && keyword.chars().all(fits) {
        return Ok(keyword.to_owned());
    }
    Err(ImapError::Unfit(format!("{keyword:?} is no IMAP keyword; use letters, digits and $")))
}
