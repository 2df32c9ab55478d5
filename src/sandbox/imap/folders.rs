//! Folders: SELECT, EXAMINE, STATUS, LIST, CREATE, APPEND, and what a session sees of the selected one.

use super::completion::Completion;
use super::session::Session;
use crate::sandbox::DeliverError;
use crate::sandbox::mailbox::{Envelope, Folder, INBOX};
use imap_codec::imap_types::command::CommandBody;
use imap_codec::imap_types::core::QuotedChar;
use imap_codec::imap_types::extensions::binary::LiteralOrLiteral8;
use imap_codec::imap_types::flag::{Flag, FlagNameAttribute, FlagPerm};
use imap_codec::imap_types::mailbox::{ListMailbox, Mailbox};
use imap_codec::imap_types::response::{Code, Data, Response};
use imap_codec::imap_types::status::{StatusDataItem, StatusDataItemName};
use std::collections::BTreeSet;
use std::io;
use std::num::NonZeroU32;
use std::sync::Arc;

const SEPARATOR: char = '/';

/// The folder a session has open, as it was last told.
pub(super) struct Selected {
    pub(super) folder: String,
    pub(super) read_only: bool,
    /// Ascending; the place is the message sequence number less one.
    pub(super) uids: Vec<u32>,
    uid_validity: u32,
    version: u64,
}

/// The name under which a folder is kept.
pub(super) fn name(mailbox: &Mailbox<'_>) -> String {
    match mailbox {
        Mailbox::Inbox => INBOX.to_owned(),
        Mailbox::Other(other) => String::from_utf8_lossy(other.as_ref()).into_owned(),
    }
}

/// The folder that SELECT, EXAMINE or STATUS is about.
pub(super) fn folder_of(body: &CommandBody<'_>) -> Option<String> {
    if let CommandBody::Select { mailbox } | CommandBody::Examine { mailbox } | CommandBody::Status { mailbox, .. } =
        body
    {
        Some(name(mailbox))
    } else {
        None
    }
}

/// The flags as stored; a keyword as written, a system flag in its usual spelling.
pub(super) fn flag_names(flags: &[Flag<'_>]) -> BTreeSet<String> {
    flags.iter().map(ToString::to_string).collect()
}

pub(super) fn to_flag(name: &str) -> Option<Flag<'static>> {
    use imap_codec::imap_types::IntoStatic;
    Flag::try_from(name).ok().map(IntoStatic::into_static)
}

/// A number that is never zero by construction (UIDs, UIDVALIDITY, sequence numbers).
pub(super) fn positive(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Session {
    pub(super) async fn select(&mut self, mailbox: &Mailbox<'static>, read_only: bool) -> io::Result<Completion> {
        self.selected = None;
        let folder = name(mailbox);
        let Some((selected, responses)) = self.look_into(folder, read_only) else {
            return Ok(Completion::no("No such mailbox."));
        };
        for response in responses {
            self.talk.send(&response).await?;
        }
        self.selected = Some(selected);
        let code = if read_only { Code::ReadOnly } else { Code::ReadWrite };
        Ok(Completion::ok("Opened.").with(code))
    }

    fn look_into(&self, name: String, read_only: bool) -> Option<(Selected, Vec<Response<'static>>)> {
        let user = self.user.as_ref()?;
        let mailboxes = self.office.mailboxes();
        let folder = mailboxes.folder(user, &name)?;
        let flags = all_flags(folder);
        let permanent = if read_only {
            Vec::new()
        } else {
            flags.iter().cloned().map(FlagPerm::Flag).chain([FlagPerm::Asterisk]).collect()
        };
        let code = |code, text| Completion::ok(text).with(code).untagged();
        let responses = vec![
            Response::Data(Data::Flags(flags)),
            Response::Data(Data::Exists(count(folder.mails.len()))),
            Response::Data(Data::Recent(0)),
            code(Code::UidValidity(positive(folder.uid_validity)), "UIDs are valid."),
            code(Code::UidNext(positive(folder.uid_next)), "The next UID."),
            code(Code::PermanentFlags(permanent), "These flags last."),
        ];
        let selected = Selected {
            read_only,
            uids: folder.mails.iter().map(|mail| mail.uid).collect(),
            uid_validity: folder.uid_validity,
            version: folder.version,
            folder: name,
        };
        Some((selected, responses))
    }

    /// Tells of mails that came, and (if numbers may change) of mails that went. A new UIDVALIDITY ends the session.
    pub(super) async fn report_news(&mut self, numbers_may_change: bool) -> io::Result<()> {
        match self.news(numbers_may_change) {
            Some(responses) => {
                for response in responses {
                    self.talk.send(&response).await?;
                }
                Ok(())
            }
            None => self.talk.bye("The mailbox has changed its UIDVALIDITY.").await,
        }
    }

    fn news(&mut self, numbers_may_change: bool) -> Option<Vec<Response<'static>>> {
        let (Some(user), Some(selected)) = (&self.user, &mut self.selected) else { return Some(Vec::new()) };
        let mailboxes = self.office.mailboxes();
        let folder = mailboxes.folder(user, &selected.folder)?;
        if folder.uid_validity != selected.uid_validity {
            return None;
        }
        let mut responses = Vec::new();
        if folder.version == selected.version {
            return Some(responses);
        }
        if numbers_may_change {
            // From the end, so that each number is right when it is sent.
            for place in (0..selected.uids.len()).rev() {
                if selected.uids.get(place).is_some_and(|uid| folder.mail(*uid).is_none()) {
                    selected.uids.remove(place);
                    responses.push(Response::Data(Data::Expunge(positive(count(place + 1)))));
                }
            }
            selected.version = folder.version;
        }
        let last = selected.uids.last().copied().unwrap_or(0);
        let before = selected.uids.len();
        selected.uids.extend(folder.mails.iter().map(|mail| mail.uid).filter(|uid| *uid > last));
        if selected.uids.len() > before {
            responses.push(Response::Data(Data::Exists(count(selected.uids.len()))));
        }
        Some(responses)
    }

    pub(super) async fn status(
        &mut self,
        mailbox: Mailbox<'static>,
        wanted: &[StatusDataItemName],
    ) -> io::Result<Completion> {
        let items = {
            let mailboxes = self.office.mailboxes();
            let folder = self.user.as_ref().and_then(|user| mailboxes.folder(user, &name(&mailbox)));
            let Some(folder) = folder else { return Ok(Completion::no("No such mailbox.")) };
            let with = |flag| folder.mails.iter().filter(|mail| mail.has_flag(flag)).count();
            let item = |wanted: &StatusDataItemName| match wanted {
                StatusDataItemName::Messages => StatusDataItem::Messages(count(folder.mails.len())),
                StatusDataItemName::Recent => StatusDataItem::Recent(0),
                StatusDataItemName::UidNext => StatusDataItem::UidNext(positive(folder.uid_next)),
                StatusDataItemName::UidValidity => StatusDataItem::UidValidity(positive(folder.uid_validity)),
                StatusDataItemName::Unseen => {
                    StatusDataItem::Unseen(count(folder.mails.len().saturating_sub(with("\\Seen"))))
                }
                StatusDataItemName::Deleted => StatusDataItem::Deleted(count(with("\\Deleted"))),
                StatusDataItemName::DeletedStorage => StatusDataItem::DeletedStorage(0),
            };
            wanted.iter().map(item).collect::<Vec<_>>()
        };
        self.talk.send(&Response::Data(Data::Status { mailbox, items: items.into() })).await?;
        Ok(Completion::ok("That is all."))
    }

    pub(super) async fn list(
        &mut self,
        reference: &Mailbox<'static>,
        wildcard: &ListMailbox<'static>,
    ) -> io::Result<Completion> {
        let reference = match reference {
            Mailbox::Inbox => INBOX.to_owned(),
            Mailbox::Other(other) => String::from_utf8_lossy(other.as_ref()).into_owned(),
        };
        let wildcard = match wildcard {
            ListMailbox::Token(token) => String::from_utf8_lossy(token.as_ref()).into_owned(),
            ListMailbox::String(string) => String::from_utf8_lossy(string.as_ref()).into_owned(),
        };
        let delimiter = QuotedChar::try_from(SEPARATOR).ok();
        let mut lines = Vec::new();
        if wildcard.is_empty() {
            // RFC 3501 §6.3.8: an empty name asks for the separator.
            lines.extend(Mailbox::try_from(String::new()).ok().map(|root| (vec![FlagNameAttribute::Noselect], root)));
        } else {
            let pattern = format!("{reference}{wildcard}");
            let folders = self.user.as_ref().map(|user| self.office.mailboxes().folders(user)).unwrap_or_default();
            let found = folders.into_iter().filter(|folder| fits(pattern.as_bytes(), folder.as_bytes()));
            lines.extend(found.filter_map(|folder| Mailbox::try_from(folder).ok()).map(|m| (Vec::new(), m)));
        }
        for (items, mailbox) in lines {
            self.talk.send(&Response::Data(Data::List { items, delimiter, mailbox })).await?;
        }
        Ok(Completion::ok("That is all."))
    }

    pub(super) fn create(&mut self, mailbox: &Mailbox<'static>) -> Completion {
        let Some(user) = &self.user else { return Completion::bad("Log in first.") };
        if self.office.mailboxes().create_folder(user, &name(mailbox)) {
            Completion::ok("Made.")
        } else {
            Completion::no("It exists, or there are too many.")
        }
    }

    pub(super) fn append(
        &mut self,
        mailbox: &Mailbox<'static>,
        flags: &[Flag<'static>],
        message: LiteralOrLiteral8<'static>,
    ) -> Completion {
        let Some(user) = self.user.clone() else { return Completion::bad("Log in first.") };
        let raw: Arc<[u8]> = match message {
            LiteralOrLiteral8::Literal(literal) => Arc::from(literal.into_inner().into_owned()),
            LiteralOrLiteral8::Literal8(literal) => Arc::from(literal.data.into_owned()),
        };
        let folder = name(mailbox);
        let envelope = Envelope { from: None, to: user.clone(), at: (self.office.now)() };
        let (stored, uid_validity) = {
            let mut mailboxes = self.office.mailboxes();
            let stored = mailboxes.append(&user, &folder, envelope, raw, flag_names(flags));
            (stored, mailboxes.folder(&user, &folder).map_or(0, |f| f.uid_validity))
        };
        match stored {
            Ok(uid) => {
                self.office.tell();
                let code = Code::AppendUid { uid_validity: positive(uid_validity), uid: positive(uid) };
                Completion::ok("Stored.").with(code)
            }
            Err(DeliverError::NoAddress) => Completion::no("No such mailbox.").with(Code::TryCreate),
            Err(DeliverError::TooLarge) => Completion::no("The mail is too big.").with(Code::TooBig),
            Err(DeliverError::UnknownDomain | DeliverError::TooManyMails | DeliverError::TooManyMailboxes) => {
                Completion::no("No room.").with(Code::OverQuota)
            }
        }
    }
}

/// The system flags, and the keywords in use.
fn all_flags(folder: &Folder) -> Vec<Flag<'static>> {
    let system = [Flag::Answered, Flag::Flagged, Flag::Deleted, Flag::Seen, Flag::Draft];
    let used: BTreeSet<&String> = folder.mails.iter().flat_map(|mail| &mail.flags).collect();
    let keywords = used.into_iter().filter(|flag| !flag.starts_with('\\')).filter_map(|flag| to_flag(flag));
    system.into_iter().chain(keywords).collect()
}

/// LIST wildcards: `*` any run, `%` any run without the separator.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((wild @ (b'*' | b'%'), rest)), _) => {
            let run = name.iter().position(|b| *wild == b'%' && *b == SEPARATOR as u8).unwrap_or(name.len());
            (0..=run).any(|taken| fits(rest, name.get(taken..).unwrap_or_default()))
        }
        (Some((first, rest)), Some((head, tail))) => first.eq_ignore_ascii_case(head) && fits(rest, tail),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_wildcards() {
        let fits = |pattern: &str, name: &str| fits(pattern.as_bytes(), name.as_bytes());
        assert!(fits("*", "INBOX") && fits("%", "INBOX") && fits("inbox", "INBOX"));
        assert!(fits("done/*", "done/a/b") && fits("*b", "done/a/b"));
        assert!(!fits("%", "done/a") && !fits("INBOX", "INBOX/x"));
    }
}
