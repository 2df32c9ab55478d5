//! What lists, counts and pictures need of everything, in memory and current: one card per tenant, letter, mail and
//! matter, and which journal entries concern whom. A view over 100,000 tenants is then a walk over cards, not over the
//! store; what a page shows in full is loaded from the store, one record each.
//!
//! The board is built from the tables once and follows the journal: an entry names what it concerns, and the cards of
//! that are made anew from their records. It can be thrown away at any moment. Sizes: about 150 bytes a card.
//!
//! | file | what |
//! |---|---|
//! | `cards` | the cards, made from records |
//! | `lines` | whom a journal entry concerns |
//! | `trail` | the entries by tenant and mail, by actor and kind |
//! | `follow` | the board that keeps itself current |
//! | `asked` | a query made ready for a walk over cards |
//! | `texts` | what words are looked for in |
//! | `query` | what is typed into the search box |
//! | `lists` | lists by query, in pages by key |
//! | `figures` | counts and pictures |
//! | `tally` | what is counted, with every change |

mod asked;
mod cards;
mod figures;
mod follow;
mod lines;
mod lists;
mod query;
mod tally;
mod texts;
mod trail;

pub use cards::{LetterCard, MailCard, MatterCard, TenantCard};
pub use figures::{AGES, Coverage, DayCount, Funnel, Shape};
pub use follow::Following;
pub(crate) use follow::Kept;
pub use lists::{Cut, TrailFilter};
pub use query::{Key, Query};
pub use trail::{KINDS, Mark, Trail};

use super::View;
use crate::domain::{LgCode, MailNo, TenantId};
use crate::engine::records::{InboxItem, OpenMatter, Row};
use crate::engine::step::RosterRecord;
use crate::engine::{EngineError, codec};
use crate::store::Table;
use lines::Line;
use std::collections::{BTreeMap, BTreeSet};
use tally::{Tally, Way};
use texts::Texts;

/// Journal entries taken in at once; readers wait no longer than these need.
const ENTRIES_AT_ONCE: usize = 2_000;

/// See the module.
#[derive(Debug, Default)]
pub struct Board {
    pub tenants: BTreeMap<TenantId, TenantCard>,
    pub letters: BTreeMap<u64, LetterCard>,
    /// Letters that are not done.
    pub open: BTreeSet<u64>,
    pub mails: BTreeMap<u64, MailCard>,
    pub matters: BTreeMap<u64, MatterCard>,
    pub trail: Trail,
    /// The last journal entry the cards know of.
    pub seen: u64,
    /// Requests that wait for a second person.
    pub requests: u64,
    tally: Tally,
    texts: Found,
}

/// What words are looked for in.
#[derive(Debug, Default)]
struct Found {
    tenants: Texts<TenantId>,
    letters: Texts<u64>,
    mails: Texts<u64>,
}

/// What has changed: new cards, and matters that are over.
#[derive(Debug, Default)]
struct News {
    seen: u64,
    rosters: Vec<(LgCode, Vec<TenantCard>)>,
    letters: Vec<LetterCard>,
    mails: Vec<MailCard>,
    matters: Vec<(u64, Option<MatterCard>)>,
    /// Counted anew, if an entry was about one.
    requests: Option<u64>,
    lines: Vec<Line>,
}

/// One record nobody can read must not keep all the others from being shown: it is told in the log and left out.
fn readable<T>(read: Result<Option<T>, EngineError>) -> Result<Option<T>, EngineError> {
    if let Err(EngineError::Record(fault)) = &read {
        tracing::error!(%fault, "a record is left out of the console's lists; run annai doctor");
        return Ok(None);
    }
    read
}

impl Board {
    /// Reads every table once. The trail is filled later, bit by bit.
    fn load(view: &View) -> Result<Self, EngineError> {
        let store = &view.context.store;
        // What comes after this number is read again from the journal.
        let mut board = Self { seen: store.head().no, ..Self::default() };
        board.trail.reserve(board.seen);
        for row in store.rows(Table::Roster)? {
            let Some(record) = readable(codec::decode::<RosterRecord>(&row?.1).map(Some))? else { continue };
            record.roster.courses.iter().for_each(|course| board.put_tenant(TenantCard::of(course)));
        }
        for row in store.rows(Table::Outbox)? {
            let row = readable(codec::decode::<Row>(&row?.1).map(Some))?;
            if let Some(row) = row {
                board.put_letter(LetterCard::of(row));
            }
        }
        for row in store.rows(Table::Inbox)? {
            let item = readable(codec::decode::<InboxItem>(&row?.1).map(Some))?;
            if let Some(item) = item {
                board.put_mail(MailCard::of(item));
            }
        }
        for row in store.rows(Table::Review)? {
            let matter = readable(codec::decode::<OpenMatter>(&row?.1).map(Some))?;
            board.matters.extend(matter.map(MatterCard::of).map(|card| (card.no, card)));
        }
        board.requests = view.requests_waiting()?;
        Ok(board)
    }

    fn put_letter(&mut self, mut card: LetterCard) {
        let earlier = self.letters.get(&card.no.0).map(|earlier| earlier.text);
        card.text = self.texts.letters.keep(card.no.0, earlier, &card.findable());
        if card.done {
            self.open.remove(&card.no.0);
        } else {
            self.open.insert(card.no.0);
        }
        self.tally.letter(&card, Way::In);
        if let Some(old) = self.letters.insert(card.no.0, card) {
            self.tally.letter(&old, Way::Out);
        }
    }

    fn put_mail(&mut self, mut card: MailCard) {
        let earlier = self.mails.get(&card.no.0).map(|earlier| earlier.text);
        card.text = self.texts.mails.keep(card.no.0, earlier, &card.findable());
        self.tally.mail(&card, Way::In);
        if let Some(old) = self.mails.insert(card.no.0, card) {
            self.tally.mail(&old, Way::Out);
        }
    }

    fn put_tenant(&mut self, mut card: TenantCard) {
        let earlier = self.tenants.get(&card.id).map(|earlier| earlier.text);
        card.text = self.texts.tenants.keep(card.id, earlier, &card.findable());
        self.tally.tenant(&card, Way::In);
        if let Some(old) = self.tenants.insert(card.id, card) {
            self.tally.tenant(&old, Way::Out);
        }
    }

    fn apply(&mut self, news: News) {
        for (code, cards) in news.rosters {
            let of_roster = TenantId { authority: code, serial: 0 }..=TenantId { authority: code, serial: u16::MAX };
            let stays = |id: &TenantId| cards.iter().any(|card| card.id == *id);
            let gone: Vec<TenantId> =
                self.tenants.range(of_roster).map(|(id, _)| *id).filter(|id| !stays(id)).collect();
            for id in gone {
                if let Some(card) = self.tenants.remove(&id) {
                    self.texts.tenants.forget(card.text);
                    self.tally.tenant(&card, Way::Out);
                }
            }
            for card in cards {
                self.put_tenant(card);
            }
        }
        news.letters.into_iter().for_each(|card| self.put_letter(card));
        news.mails.into_iter().for_each(|card| self.put_mail(card));
        self.requests = news.requests.unwrap_or(self.requests);
        for (no, card) in news.matters {
            match card {
                Some(card) => drop(self.matters.insert(no, card)),
                None => drop(self.matters.remove(&no)),
            }
        }
        news.lines.iter().for_each(|line| self.trail.put(line));
        self.seen = self.seen.max(news.seen);
    }
}

impl News {
    /// What the entries after `seen` concern, as it stands now.
    fn gather(view: &View, seen: u64) -> Result<Self, EngineError> {
        let store = &view.context.store;
        let mut news = Self { seen, ..Self::default() };
        for line in store.journal_lines(seen.saturating_add(1)).take(ENTRIES_AT_ONCE) {
            let (no, json) = line?;
            news.lines.push(Line::read(no, &json));
            news.seen = no;
        }
        let all = |pick: fn(&Line) -> &[u64]| -> BTreeSet<u64> {
            news.lines.iter().flat_map(|line| pick(line).iter().copied()).collect()
        };
        let (rows, mails, matters) = (all(|l| &l.rows), all(|l| &l.mails), all(|l| &l.matters));
        let mut codes: BTreeSet<LgCode> =
            news.lines.iter().flat_map(|line| line.tenants.iter().map(|id| id.authority)).collect();
        for no in mails {
            // A mail named in the journal may be gone after its retention time.
            let Some(item) = readable(view.context.load::<InboxItem>(Table::Inbox, &codec::number(no)))? else {
                continue;
            };
            codes.extend(item.authority);
            news.mails.push(MailCard::of(item));
        }
        for no in rows {
            let row = readable(view.context.load::<Row>(Table::Outbox, &codec::number(no)))?;
            news.letters.extend(row.map(LetterCard::of));
        }
        for no in matters {
            let matter = readable(view.context.load::<OpenMatter>(Table::Review, &codec::number(no)))?;
            news.matters.push((no, matter.map(MatterCard::of)));
        }
        for code in codes {
            let roster = readable(view.roster(code))?;
            news.rosters.push((code, roster.iter().flat_map(|r| &r.courses).map(TenantCard::of).collect()));
        }
        if news.lines.iter().any(|line| line.about_requests) {
            news.requests = Some(view.requests_waiting()?);
        }
        Ok(news)
    }
}

impl Board {
    pub fn tenant(&self, id: TenantId) -> Option<&TenantCard> {
        self.tenants.get(&id)
    }

    pub fn mail(&self, no: MailNo) -> Option<&MailCard> {
        self.mails.get(&no.0)
    }
}
