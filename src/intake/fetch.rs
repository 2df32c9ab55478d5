//! Getting the mails: which are there, how large they are, their octets.
//!
//! Every mail is asked for in parts of at most [`PART_OCTETS`] (`BODY.PEEK[]<offset.length>`, RFC 3501 §6.4.5), so no
//! answer is larger than that whatever RFC822.SIZE says (some servers estimate it). BODYSTRUCTURE and ENVELOPE are never
//! asked for: nested deeply enough they end the process.

use super::archive::Fetched;
use super::error::ImapError;
use super::session::{LONG_LIMIT, Session};
use super::wire::Command;
use async_imap::imap_proto::{AttributeValue, Response};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Octets asked for at once; of a mail over [`MAIL_OCTETS_MAX`] only these are kept.
pub const PART_OCTETS: u32 = 256 << 10;
/// Largest mail that is taken whole.
pub const MAIL_OCTETS_MAX: u32 = 25 << 20;
/// Mails in one batch.
pub const BATCH_MAILS_MAX: usize = 100;
/// Octets in one batch, unless it is a single mail.
pub const BATCH_OCTETS_MAX: u32 = 4 << 20;
/// UIDs in one command: keeps the line below 8,192 octets (RFC 7162 §4).
pub(super) const UIDS_MAX: usize = 500;

/// A mail in the mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    pub uid: u32,
    /// RFC822.SIZE as the server says, octets; 0 if it does not say.
    pub octets: u32,
}

impl Listed {
    /// Octets that will be taken.
    fn taken(self) -> u32 {
        if self.octets > MAIL_OCTETS_MAX { PART_OCTETS } else { self.octets }
    }
}

/// Splits into batches of at most `mails_max` (at least 1) mails and [`BATCH_OCTETS_MAX`] octets, order kept.
pub fn batches(listed: &[Listed], mails_max: usize) -> Vec<Vec<Listed>> {
    let mut batches: Vec<Vec<Listed>> = Vec::new();
    let mut octets = 0u32;
    for mail in listed {
        let with = octets.saturating_add(mail.taken());
        match batches.last_mut() {
            Some(batch) if batch.len() < mails_max && with <= BATCH_OCTETS_MAX => {
                batch.push(*mail);
                octets = with;
            }
            Some(_) | None => {
                batches.push(vec![*mail]);
                octets = mail.taken();
            }
        }
    }
    batches
}

/// A sequence set: `1:3,7`. `uids` ascending.
pub(super) fn uid_set(uids: &[u32]) -> String {
    let mut set = String::new();
    for run in uids.chunk_by(|a, b| a.checked_add(1) == Some(*b)) {
        if !set.is_empty() {
            set.push(',');
        }
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            // Writing to a String cannot fail.
            let _ = if first == last { write!(set, "{first}") } else { write!(set, "{first}:{last}") };
        }
    }
    set
}

impl Session {
    /// The UIDs of the mails from `first_uid` on, ascending.
    pub async fn uids_from(&mut self, first_uid: u32) -> Result<Vec<u32>, ImapError> {
        // `n:*` always names the last mail, even if its UID is below n (RFC 3501 §6.4.8).
        let mut uids = self.present(&format!("{first_uid}:*")).await?;
        uids.retain(|uid| *uid >= first_uid);
        Ok(uids)
    }

    /// The UIDs of the mails below `uid_next`, ascending.
    pub async fn uids_below(&mut self, uid_next: u32) -> Result<Vec<u32>, ImapError> {
        let Some(last) = uid_next.checked_sub(1).filter(|last| *last > 0) else { return Ok(Vec::new()) };
        let mut uids = self.present(&format!("1:{last}")).await?;
        uids.retain(|uid| *uid <= last);
        Ok(uids)
    }

    /// By FETCH, not SEARCH: one short line per mail, while a long SEARCH line is parsed again with every packet.
    async fn present(&mut self, set: &str) -> Result<Vec<u32>, ImapError> {
        let mut uids = BTreeSet::new();
        self.run(Command::new("FETCH", LONG_LIMIT, format!("UID FETCH {set} (UID)")), |response| {
            uids.extend(attributes(response).uid);
        })
        .await?;
        Ok(uids.into_iter().collect())
    }

    /// Sizes of these mails (ascending, at most 500). A mail the server says nothing about has size 0: it is not skipped.
    pub async fn sizes(&mut self, uids: &[u32]) -> Result<Vec<Listed>, ImapError> {
        let mut octets: BTreeMap<u32, u32> = uids.iter().map(|uid| (*uid, 0)).collect();
        let line = format!("UID FETCH {} (UID RFC822.SIZE)", uid_set(uids));
        self.run(Command::new("FETCH", LONG_LIMIT, line), |response| {
            let answer = attributes(response);
            if let (Some(place), Some(size)) = (answer.uid.and_then(|uid| octets.get_mut(&uid)), answer.size) {
                *place = size;
            }
        })
        .await?;
        Ok(octets.into_iter().map(|(uid, octets)| Listed { uid, octets }).collect())
    }

    /// The octets of these mails (at most [`BATCH_MAILS_MAX`]), in UID order. Mails expunged meanwhile are missing; a
    /// mail the server lists but does not give comes empty and truncated.
    pub async fn fetch(&mut self, batch: &[Listed]) -> Result<Vec<Fetched>, ImapError> {
        let uids: Vec<u32> = batch.iter().map(|mail| mail.uid).collect();
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        let mut first_parts = match self.parts(&uids, 0).await {
            Err(ImapError::Refused { .. }) => BTreeMap::new(),
            parts => parts?,
        };
        let mut mails = Vec::with_capacity(batch.len());
        let mut missing = Vec::new();
        for mail in batch {
            match first_parts.remove(&mail.uid) {
                Some(part) => mails.push(self.complete(*mail, part).await?),
                None => missing.push(*mail),
            }
        }
        if !missing.is_empty() {
            mails.extend(self.one_by_one(&missing).await?);
            mails.sort_unstable_by_key(|mail| mail.uid);
        }
        Ok(mails)
    }

    /// For mails a common command did not bring: gone, or not readable on the server.
    async fn one_by_one(&mut self, missing: &[Listed]) -> Result<Vec<Fetched>, ImapError> {
        let uids: Vec<u32> = missing.iter().map(|mail| mail.uid).collect();
        let present = self.present(&uid_set(&uids)).await?;
        let mut mails = Vec::new();
        for mail in missing.iter().filter(|mail| present.binary_search(&mail.uid).is_ok()) {
            let mut part = match self.parts(&[mail.uid], 0).await {
                Err(ImapError::Refused { .. }) => BTreeMap::new(),
                parts => parts?,
            };
            mails.push(match part.remove(&mail.uid) {
                Some(part) => self.complete(*mail, part).await?,
                None => Fetched::withheld(mail.uid, mail.octets),
            });
        }
        Ok(mails)
    }

    /// Goes on from the first part to the end of the mail: an empty part, or a short one that reaches the stated size.
    async fn complete(&mut self, mail: Listed, first: Vec<u8>) -> Result<Fetched, ImapError> {
        let mut raw = first;
        let mut latest = raw.len();
        let whole = |raw: &Vec<u8>, latest: usize| {
            latest == 0 || (latest < PART_OCTETS as usize && raw.len() >= mail.octets as usize)
        };
        while mail.octets <= MAIL_OCTETS_MAX && !whole(&raw, latest) {
            let offset = u32::try_from(raw.len()).unwrap_or(u32::MAX);
            if offset > MAIL_OCTETS_MAX {
                break;
            }
            let part = self.parts(&[mail.uid], offset).await?.remove(&mail.uid).unwrap_or_default();
            latest = part.len();
            raw.extend(part);
        }
        let truncated = mail.octets > MAIL_OCTETS_MAX || raw.len() > MAIL_OCTETS_MAX as usize;
        if truncated {
            raw.truncate(PART_OCTETS as usize);
            raw.shrink_to_fit();
        }
        Ok(Fetched { uid: mail.uid, raw, truncated, octets: mail.octets })
    }

    /// The part of each mail that begins at `offset`.
    async fn parts(&mut self, uids: &[u32], offset: u32) -> Result<BTreeMap<u32, Vec<u8>>, ImapError> {
        let mut parts = BTreeMap::new();
        let line = format!("UID FETCH {} (UID BODY.PEEK[]<{offset}.{PART_OCTETS}>)", uid_set(uids));
        self.run(Command::new("FETCH", LONG_LIMIT, line), |response| {
            let answer = attributes(response);
            let (Some(uid), Some((at, data))) = (answer.uid, answer.body) else { return };
            if uids.binary_search(&uid).is_ok() && at.is_none_or(|at| at == offset) {
                parts.insert(uid, data.to_vec());
            }
        })
        .await?;
        Ok(parts)
    }
}

/// What one FETCH answer says; a change of flags of some other mail says none of it.
#[derive(Debug, Default)]
struct Attributes<'a> {
    uid: Option<u32>,
    size: Option<u32>,
    /// Offset and octets.
    body: Option<(Option<u32>, &'a [u8])>,
}

fn attributes<'a>(response: &'a Response<'_>) -> Attributes<'a> {
    let mut answer = Attributes::default();
    let Response::Fetch(_, values) = response else { return answer };
    for value in values {
        if let AttributeValue::Uid(uid) = value {
            answer.uid = Some(*uid);
        } else if let AttributeValue::Rfc822Size(size) = value {
            answer.size = Some(*size);
        } else if let AttributeValue::BodySection { section: None, index, data: Some(data) } = value {
            answer.body = Some((*index, data));
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_short() {
        assert_eq!(uid_set(&[1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
        assert_eq!(uid_set(&[u32::MAX]), "4294967295");
        assert_eq!(uid_set(&[]), "");
    }

    #[test]
    fn batches_keep_both_limits() {
        let sizes = |octets: &[u32]| -> Vec<Listed> {
            octets.iter().zip(1..).map(|(octets, uid)| Listed { uid, octets: *octets }).collect()
        };
        let lengths = |octets: &[u32], max| batches(&sizes(octets), max).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(&[5_000; 250], BATCH_MAILS_MAX), [100, 100, 50]);
        assert_eq!(lengths(&[3 << 20, 1 << 20, 1, 3 << 20], BATCH_MAILS_MAX), [2, 2]);
        assert_eq!(lengths(&[20 << 20, 1, 1], BATCH_MAILS_MAX), [1, 2]);
        assert_eq!(lengths(&[1, 30 << 20, 1], BATCH_MAILS_MAX), [3]);
        assert_eq!(lengths(&[1, 1, 1], 1), [1, 1, 1]);
        assert!(batches(&[], BATCH_MAILS_MAX).is_empty());
    }
}
