//! FETCH: UID, FLAGS, RFC822.SIZE, INTERNALDATE, whole mails, headers and texts, also in parts `<origin.count>`. One
//! mail at a time is put together and sent. Never ENVELOPE or BODYSTRUCTURE.

use super::completion::Completion;
use super::folders::{positive, to_flag};
use super::sequence::{Seen, pick};
use super::session::Session;
use crate::domain::Timestamp;
use crate::sandbox::StoredMail;
use crate::sandbox::headers;
use imap_codec::imap_types::core::{AString, Literal, NString, Vec1};
use imap_codec::imap_types::datetime::DateTime;
use imap_codec::imap_types::fetch::{MacroOrMessageDataItemNames, MessageDataItem, MessageDataItemName, Section};
use imap_codec::imap_types::flag::FlagFetch;
use imap_codec::imap_types::response::{Data, Response};
use imap_codec::imap_types::sequence::SequenceSet;
use std::borrow::Cow;
use std::io;
use std::num::NonZeroU32;

/// What stands in place of NUL, which IMAP cannot carry in a literal (RFC 3501 §4.3); Dovecot does the same.
const FOR_NUL: u8 = 0x80;

impl Session {
    pub(super) async fn fetch(
        &mut self,
        set: &SequenceSet,
        names: MacroOrMessageDataItemNames<'static>,
        by_uid: bool,
    ) -> io::Result<Completion> {
        let Some(selected) = &self.selected else { return Ok(Completion::bad("Open a mailbox first.")) };
        let mut names = match &names {
            MacroOrMessageDataItemNames::Macro(all) => all.expand(),
            MacroOrMessageDataItemNames::MessageDataItemNames(names) => names.clone(),
        };
        if by_uid && !names.contains(&MessageDataItemName::Uid) {
            names.insert(0, MessageDataItemName::Uid);
        }
        if !names.iter().all(is_served) {
            return Ok(Completion::bad("This server does not take mails apart: ask for BODY[], HEADER or TEXT."));
        }
        let reads = !selected.read_only && names.iter().any(marks_as_seen);
        for seen in pick(set, &selected.uids, by_uid) {
            if let Some((mail, newly_seen)) = self.take(seen, reads) {
                let mut items: Vec<_> = names.iter().filter_map(|name| item(name, &mail)).collect();
                if newly_seen && !names.contains(&MessageDataItemName::Flags) {
                    items.push(flags(&mail));
                }
                self.send_items(seen, items).await?;
            }
        }
        Ok(Completion::ok("That is all."))
    }

    pub(super) async fn send_items(&mut self, seen: Seen, items: Vec<MessageDataItem<'_>>) -> io::Result<()> {
        let Ok(items) = Vec1::try_from(items) else { return Ok(()) };
        self.talk.send(&Response::Data(Data::Fetch { seq: positive(seen.number), items })).await
    }

    /// The mail, marked as seen if it is read; `None` if another session has removed it.
    fn take(&mut self, seen: Seen, reads: bool) -> Option<(StoredMail, bool)> {
        let (user, selected) = (self.user.as_ref()?, self.selected.as_ref()?);
        let (mail, newly_seen) = {
            let mut mailboxes = self.office.mailboxes();
            let mail = mailboxes.folder_mut(user, &selected.folder)?.mail_mut(seen.uid)?;
            let newly_seen = reads && !mail.has_flag("\\Seen");
            if newly_seen {
                mail.set_flag("\\Seen");
            }
            (mail.clone(), newly_seen)
        };
        if newly_seen {
            self.office.tell();
        }
        Some((mail, newly_seen))
    }
}

fn is_served(name: &MessageDataItemName<'_>) -> bool {
    match name {
        MessageDataItemName::Uid
        | MessageDataItemName::Flags
        | MessageDataItemName::InternalDate
        | MessageDataItemName::Rfc822
        | MessageDataItemName::Rfc822Header
        | MessageDataItemName::Rfc822Size
        | MessageDataItemName::Rfc822Text => true,
        MessageDataItemName::BodyExt { section, .. } => match section {
            None
            | Some(
                Section::Header(None)
                | Section::HeaderFields(None, _)
                | Section::HeaderFieldsNot(None, _)
                | Section::Text(None),
            ) => true,
            Some(
                Section::Part(_)
                | Section::Mime(_)
                | Section::Header(Some(_))
                | Section::HeaderFields(Some(_), _)
                | Section::HeaderFieldsNot(Some(_), _)
                | Section::Text(Some(_)),
            ) => false,
        },
        MessageDataItemName::Body
        | MessageDataItemName::BodyStructure
        | MessageDataItemName::Envelope
        | MessageDataItemName::Binary { .. }
        | MessageDataItemName::BinarySize { .. } => false,
    }
}

fn marks_as_seen(name: &MessageDataItemName<'_>) -> bool {
    matches!(
        name,
        MessageDataItemName::Rfc822
            | MessageDataItemName::Rfc822Text
            | MessageDataItemName::BodyExt { peek: false, .. }
    )
}

fn item<'a>(name: &MessageDataItemName<'a>, mail: &'a StoredMail) -> Option<MessageDataItem<'a>> {
    let (header, text) = headers::split(&mail.raw);
    Some(match name {
        MessageDataItemName::Uid => MessageDataItem::Uid(positive(mail.uid)),
        MessageDataItemName::Flags => flags(mail),
        MessageDataItemName::InternalDate => MessageDataItem::InternalDate(internal_date(mail.received_at)?),
        MessageDataItemName::Rfc822Size => {
            MessageDataItem::Rfc822Size(u32::try_from(mail.raw.len()).unwrap_or(u32::MAX))
        }
        MessageDataItemName::Rfc822 => MessageDataItem::Rfc822(octets(Cow::Borrowed(&mail.raw))),
        MessageDataItemName::Rfc822Header => MessageDataItem::Rfc822Header(octets(Cow::Borrowed(header))),
        MessageDataItemName::Rfc822Text => MessageDataItem::Rfc822Text(octets(Cow::Borrowed(text))),
        MessageDataItemName::BodyExt { section, partial, peek: _ } => {
            let whole = match section {
                None => Cow::Borrowed(&*mail.raw),
                Some(Section::Header(None)) => Cow::Borrowed(header),
                Some(Section::Text(None)) => Cow::Borrowed(text),
                Some(Section::HeaderFields(None, names)) => Cow::Owned(chosen(header, names.as_ref(), true)),
                Some(Section::HeaderFieldsNot(None, names)) => Cow::Owned(chosen(header, names.as_ref(), false)),
                Some(
                    Section::Part(_)
                    | Section::Mime(_)
                    | Section::Header(Some(_))
                    | Section::HeaderFields(Some(_), _)
                    | Section::HeaderFieldsNot(Some(_), _)
                    | Section::Text(Some(_)),
                ) => return None,
            };
            let data = octets(cut(whole, *partial));
            MessageDataItem::BodyExt { section: section.clone(), origin: partial.map(|(origin, _)| origin), data }
        }
        MessageDataItemName::Body
        | MessageDataItemName::BodyStructure
        | MessageDataItemName::Envelope
        | MessageDataItemName::Binary { .. }
        | MessageDataItemName::BinarySize { .. } => return None,
    })
}

pub(super) fn flags(mail: &StoredMail) -> MessageDataItem<'static> {
    MessageDataItem::Flags(mail.flags.iter().filter_map(|flag| to_flag(flag)).map(FlagFetch::Flag).collect())
}

fn internal_date(at: Timestamp) -> Option<DateTime> {
    let date = chrono::DateTime::parse_from_rfc3339(&at.rfc3339()).ok()?;
    DateTime::try_from(date).ok()
}

/// `<origin.count>`: an origin beyond the end gives nothing (RFC 3501 §6.4.5).
fn cut(whole: Cow<'_, [u8]>, partial: Option<(u32, NonZeroU32)>) -> Cow<'_, [u8]> {
    let Some((origin, count)) = partial else { return whole };
    let start = (origin as usize).min(whole.len());
    let end = start.saturating_add(count.get() as usize).min(whole.len());
    match whole {
        Cow::Borrowed(octets) => Cow::Borrowed(octets.get(start..end).unwrap_or_default()),
        Cow::Owned(octets) => Cow::Owned(octets.get(start..end).unwrap_or_default().to_vec()),
    }
}

fn chosen(header: &[u8], names: &[AString<'_>], wanted: bool) -> Vec<u8> {
    let is_listed = |field: &Vec<u8>| names.iter().any(|name| headers::is_named(field, name.as_ref()));
    let mut chosen: Vec<u8> =
        headers::fields(header).into_iter().filter(|f| is_listed(f) == wanted).flatten().collect();
    chosen.extend_from_slice(b"\r\n");
    chosen
}

fn octets(octets: Cow<'_, [u8]>) -> NString<'_> {
    let octets = if octets.contains(&0) {
        Cow::Owned(octets.iter().map(|b| if *b == 0 { FOR_NUL } else { *b }).collect())
    } else {
        octets
    };
    NString::from(Literal::unvalidated(octets))
}
