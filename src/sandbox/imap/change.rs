//! STORE, COPY, MOVE, EXPUNGE.

use super::completion::Completion;
use super::fetch::flags as flags_item;
use super::folders::{flag_names, name, positive};
use super::sequence::{Ranges, pick};
use super::session::Session;
use imap_codec::imap_types::core::Vec1;
use imap_codec::imap_types::extensions::uidplus::{UidElement, UidSet};
use imap_codec::imap_types::fetch::MessageDataItem;
use imap_codec::imap_types::flag::{Flag, StoreResponse, StoreType};
use imap_codec::imap_types::mailbox::Mailbox;
use imap_codec::imap_types::response::Code;
use imap_codec::imap_types::sequence::SequenceSet;
use std::io;

/// What is left behind: by COPY and UNSELECT the original, by MOVE and CLOSE nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    Original,
    Nothing,
}

impl Session {
    pub(super) async fn store(
        &mut self,
        set: &SequenceSet,
        kind: StoreType,
        response: StoreResponse,
        flags: &[Flag<'static>],
        by_uid: bool,
    ) -> io::Result<Completion> {
        let (Some(user), Some(selected)) = (&self.user, &self.selected) else {
            return Ok(Completion::bad("Open a mailbox first."));
        };
        if selected.read_only {
            return Ok(Completion::no("The mailbox is open for reading only."));
        }
        let names = flag_names(flags);
        let mut changed = Vec::new();
        {
            let mut mailboxes = self.office.mailboxes();
            let folder = mailboxes.folder_mut(user, &selected.folder);
            let Some(folder) = folder else { return Ok(Completion::no("The mailbox is gone.")) };
            for seen in pick(set, &selected.uids, by_uid) {
                let Some(mail) = folder.mail_mut(seen.uid) else { continue };
                match kind {
                    StoreType::Replace => mail.flags.clone_from(&names),
                    StoreType::Add => names.iter().for_each(|flag| mail.set_flag(flag)),
                    StoreType::Remove => names.iter().for_each(|flag| mail.clear_flag(flag)),
                }
                changed.push((seen, flags_item(mail)));
            }
        }
        self.office.tell();
        if response == StoreResponse::Answer {
            for (seen, item) in changed {
                let uid = by_uid.then_some(MessageDataItem::Uid(positive(seen.uid)));
                self.send_items(seen, uid.into_iter().chain([item]).collect()).await?;
            }
        }
        Ok(Completion::ok("Done."))
    }

    pub(super) async fn copy(
        &mut self,
        set: &SequenceSet,
        target: &Mailbox<'static>,
        by_uid: bool,
        leave: Leave,
    ) -> io::Result<Completion> {
        let (Some(user), Some(selected)) = (&self.user, &self.selected) else {
            return Ok(Completion::bad("Open a mailbox first."));
        };
        if leave == Leave::Nothing && selected.read_only {
            return Ok(Completion::no("The mailbox is open for reading only."));
        }
        let target = name(target);
        let uids: Vec<u32> = pick(set, &selected.uids, by_uid).iter().map(|seen| seen.uid).collect();
        let copied = {
            let mut mailboxes = self.office.mailboxes();
            let Some(uid_validity) = mailboxes.folder(user, &target).map(|folder| folder.uid_validity) else {
                return Ok(Completion::no("No such mailbox.").with(Code::TryCreate));
            };
            let Some(pairs) = mailboxes.copy(user, &selected.folder, &uids, &target) else {
                return Ok(Completion::no("No room.").with(Code::OverQuota));
            };
            if leave == Leave::Nothing {
                mailboxes.remove(user, &selected.folder, |mail| pairs.binary_search_by_key(&mail.uid, |p| p.0).is_ok());
            }
            copy_uid(uid_validity, &pairs)
        };
        self.office.tell();
        match (copied, leave) {
            (None, Leave::Original | Leave::Nothing) => Ok(Completion::ok("No mail was meant.")),
            (Some(code), Leave::Original) => Ok(Completion::ok("Copied.").with(code)),
            (Some(code), Leave::Nothing) => {
                // RFC 6851 §4.3: the code comes first, before the mails are said to be gone.
                self.talk.send(&Completion::ok("Moved.").with(code).untagged()).await?;
                Ok(Completion::ok("Done."))
            }
        }
    }

    /// CLOSE (nothing marked `\Deleted` is left) or UNSELECT.
    pub(super) fn close(&mut self, leave: Leave) -> Completion {
        if self.selected.is_none() {
            return Completion::bad("Open a mailbox first.");
        }
        if leave == Leave::Nothing {
            // Of a mailbox open for reading only, nothing is removed (RFC 3501 §6.4.2).
            self.expunge(None);
        }
        self.selected = None;
        Completion::ok("Closed.")
    }

    /// Removes what is marked `\Deleted`, among these UIDs if some are given.
    pub(super) fn expunge(&mut self, uids: Option<&SequenceSet>) -> Completion {
        let (Some(user), Some(selected)) = (&self.user, &self.selected) else {
            return Completion::bad("Open a mailbox first.");
        };
        if selected.read_only {
            return Completion::no("The mailbox is open for reading only.");
        }
        let largest = selected.uids.last().copied().unwrap_or(0);
        let ranges = uids.map(|set| Ranges::new(set, largest));
        self.office.mailboxes().remove(user, &selected.folder, |mail| {
            mail.has_flag("\\Deleted") && ranges.as_ref().is_none_or(|ranges| ranges.holds(mail.uid))
        });
        self.office.tell();
        Completion::ok("Done.")
    }
}

fn copy_uid(uid_validity: u32, pairs: &[(u32, u32)]) -> Option<Code<'static>> {
    let set = |uids: Vec<UidElement>| Vec1::try_from(uids).ok().map(UidSet);
    let source = set(pairs.iter().map(|pair| UidElement::Single(positive(pair.0))).collect())?;
    let destination = set(pairs.iter().map(|pair| UidElement::Single(positive(pair.1))).collect())?;
    Some(Code::CopyUid { uid_validity: positive(uid_validity), source, destination })
}
