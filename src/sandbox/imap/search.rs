//! SEARCH: all, numbers, UIDs, flags, keywords, sizes, and texts as raw octets (no character sets, no decoding). Dates are not
//! served: the sandbox's clock is the caller's, and no client of ours asks.

use super::completion::Completion;
use super::folders::positive;
use super::sequence::{Ranges, Seen};
use super::session::Session;
use crate::sandbox::StoredMail;
use crate::sandbox::headers;
use imap_codec::imap_types::core::Vec1;
use imap_codec::imap_types::response::{Data, Response};
use imap_codec::imap_types::search::SearchKey;
use std::io;

/// A search key made ready: ranges merged once, not for each mail.
enum Test {
    Always(bool),
    All(Vec<Test>),
    Either(Box<Test>, Box<Test>),
    Not(Box<Test>),
    Number(Ranges),
    Uid(Ranges),
    Flag(String),
    Larger(usize),
    Smaller(usize),
    Field(String, Vec<u8>),
    Body(Vec<u8>),
    Text(Vec<u8>),
}

impl Session {
    pub(super) async fn search(&mut self, keys: &Vec1<SearchKey<'static>>, by_uid: bool) -> io::Result<Completion> {
        let (Some(user), Some(selected)) = (&self.user, &self.selected) else {
            return Ok(Completion::bad("Open a mailbox first."));
        };
        let largest =
            (u32::try_from(selected.uids.len()).unwrap_or(u32::MAX), selected.uids.last().copied().unwrap_or(0));
        let Some(test) = all(keys.as_ref(), largest) else {
            return Ok(Completion::no("This server does not search by that."));
        };
        let found = {
            let mailboxes = self.office.mailboxes();
            let folder = mailboxes.folder(user, &selected.folder);
            let hit = |seen: &Seen| folder.and_then(|f| f.mail(seen.uid)).is_some_and(|mail| test.holds(*seen, mail));
            let all = (1..).zip(&selected.uids).map(|(number, uid)| Seen { number, uid: *uid });
            all.filter(hit).map(|seen| positive(if by_uid { seen.uid } else { seen.number })).collect()
        };
        self.talk.send(&Response::Data(Data::Search(found))).await?;
        Ok(Completion::ok("That is all."))
    }
}

/// `None`: a key that is not served. `largest` is what `*` stands for: as number, as UID.
fn all(keys: &[SearchKey<'_>], largest: (u32, u32)) -> Option<Test> {
    keys.iter().map(|key| test(key, largest)).collect::<Option<Vec<_>>>().map(Test::All)
}

fn test(key: &SearchKey<'_>, largest: (u32, u32)) -> Option<Test> {
    let flag = |name: &str| Test::Flag(name.to_owned());
    let not = |test| Test::Not(Box::new(test));
    let field = |name: &str, value: &[u8]| Test::Field(name.to_owned(), value.to_vec());
    Some(match key {
        SearchKey::And(keys) => all(keys.as_ref(), largest)?,
        SearchKey::Or(a, b) => Test::Either(Box::new(test(a, largest)?), Box::new(test(b, largest)?)),
        SearchKey::Not(key) => not(test(key, largest)?),
        SearchKey::All | SearchKey::Old => Test::Always(true),
        SearchKey::New | SearchKey::Recent => Test::Always(false),
        SearchKey::SequenceSet(set) => Test::Number(Ranges::new(set, largest.0)),
        SearchKey::Uid(set) => Test::Uid(Ranges::new(set, largest.1)),
        SearchKey::Answered => flag("\\Answered"),
        SearchKey::Deleted => flag("\\Deleted"),
        SearchKey::Draft => flag("\\Draft"),
        SearchKey::Flagged => flag("\\Flagged"),
        SearchKey::Seen => flag("\\Seen"),
        SearchKey::Keyword(keyword) => flag(keyword.as_ref()),
        SearchKey::Unanswered => not(flag("\\Answered")),
        SearchKey::Undeleted => not(flag("\\Deleted")),
        SearchKey::Undraft => not(flag("\\Draft")),
        SearchKey::Unflagged => not(flag("\\Flagged")),
        SearchKey::Unseen => not(flag("\\Seen")),
        SearchKey::Unkeyword(keyword) => not(flag(keyword.as_ref())),
        SearchKey::Larger(octets) => Test::Larger(*octets as usize),
        SearchKey::Smaller(octets) => Test::Smaller(*octets as usize),
        SearchKey::Bcc(value) => field("Bcc", value.as_ref()),
        SearchKey::Cc(value) => field("Cc", value.as_ref()),
        SearchKey::From(value) => field("From", value.as_ref()),
        SearchKey::Subject(value) => field("Subject", value.as_ref()),
        SearchKey::To(value) => field("To", value.as_ref()),
        SearchKey::Header(name, value) => field(&String::from_utf8_lossy(name.as_ref()), value.as_ref()),
        SearchKey::Body(value) => Test::Body(value.as_ref().to_vec()),
        SearchKey::Text(value) => Test::Text(value.as_ref().to_vec()),
        SearchKey::Before(_)
        | SearchKey::On(_)
        | SearchKey::Since(_)
        | SearchKey::SentBefore(_)
        | SearchKey::SentOn(_)
        | SearchKey::SentSince(_) => return None,
    })
}

impl Test {
    fn holds(&self, seen: Seen, mail: &StoredMail) -> bool {
        match self {
            Self::Always(answer) => *answer,
            Self::All(tests) => tests.iter().all(|test| test.holds(seen, mail)),
            Self::Either(a, b) => a.holds(seen, mail) || b.holds(seen, mail),
            Self::Not(test) => !test.holds(seen, mail),
            Self::Number(ranges) => ranges.holds(seen.number),
            Self::Uid(ranges) => ranges.holds(seen.uid),
            Self::Flag(flag) => mail.has_flag(flag),
            Self::Larger(octets) => mail.raw.len() > *octets,
            Self::Smaller(octets) => mail.raw.len() < *octets,
            Self::Field(name, value) => headers::value(&mail.raw, name).is_some_and(|v| headers::contains(&v, value)),
            Self::Body(value) => headers::contains(headers::split(&mail.raw).1, value),
            Self::Text(value) => headers::contains(&mail.raw, value),
        }
    }
}
