//! Lists of cards by query, in pages by key. The total is that of everything that fits, so that a person knows what "all
//! of these" would be.

use super::Board;
use super::cards::{LetterCard, MailCard, TenantCard, domain_in};
use super::query::{Key, Query, holds, in_domain, in_range};
use super::trail::{KINDS, Mark};
use crate::domain::{Date, MailNo, RowNo, TenantId};
use crate::engine::views::words::Word;
use crate::letters::LetterKind;
use std::ops::Bound;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut<T> {
    pub items: Vec<T>,
    /// How many fit in all.
    pub total: usize,
    /// Ask on after this key; `None`: this was the end.
    pub next: Option<String>,
}

/// Which journal entries are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrailFilter {
    /// Part of the actor's name.
    pub actor: Option<String>,
    /// One of [`KINDS`].
    pub kind: Option<String>,
    pub tenant: Option<TenantId>,
    pub mail: Option<MailNo>,
}

fn is_state(word: Word, wanted: &str) -> bool {
    wanted.split(',').any(|wanted| word.0 == wanted || word.1 == wanted)
}

impl TenantCard {
    fn fits(&self, query: &Query, today: Date) -> bool {
        let id = || self.id.to_string();
        query.fits(
            |word| self.find.contains(word),
            |key, value| match key {
                Key::Name => holds(&self.name, value),
                Key::Address => holds(self.address.as_str(), value),
                Key::State => is_state(self.state, value) || (value == "unreachable" && self.unreachable()),
                Key::Domain => in_domain(domain_in(&self.find), value),
                Key::Days => self.deadline.is_some_and(|day| in_range(day.days_since(today), value)),
                Key::Id => id().starts_with(value),
                Key::Reason | Key::Letter => false,
            },
        )
    }
}

/// For each word of a query the kinds of letters whose name holds it: asked once, not of every letter.
type Named<'q> = Vec<(&'q str, Vec<LetterKind>)>;

fn named(query: &Query) -> Named<'_> {
    let kinds = |word: &str| LetterKind::ALL.into_iter().filter(|kind| kind.japanese().contains(word)).collect();
    query.words.iter().map(|word| (word.as_str(), kinds(word))).collect()
}

impl LetterCard {
    fn fits(&self, query: &Query, named: &Named<'_>) -> bool {
        let about = || self.tenant.map(|id| id.to_string()).unwrap_or_default();
        let is_named = |word: &str| named.iter().any(|(of, kinds)| *of == word && kinds.contains(&self.letter));
        query.fits(
            |word| is_named(word) || self.find.contains(word),
            |key, value| match key {
                Key::Address => holds(self.to.as_str(), value),
                Key::State => is_state(self.state, value),
                Key::Domain => in_domain(domain_in(&self.find), value),
                Key::Reason => self.hold.is_some_and(|reason| holds(reason.word(), value)),
                Key::Letter => self.letter.name() == value || self.letter.japanese() == value,
                Key::Id => about().starts_with(value),
                Key::Name => self.letter.japanese().contains(value),
                Key::Days => false,
            },
        )
    }
}

impl MailCard {
    fn fits(&self, query: &Query) -> bool {
        let from = || self.from.as_ref().map_or("", |from| from.as_str());
        query.fits(
            |word| self.find.contains(word),
            |key, value| match key {
                Key::Name => holds(&self.subject, value),
                Key::Address => holds(from(), value),
                Key::State => is_state(self.disposition, value),
                Key::Domain => self.from.is_some() && in_domain(domain_in(&self.find), value),
                Key::Reason => self.reasons.iter().any(|r| r.code() == value || holds(r.sentence(), value)),
                Key::Id => self.authority.is_some_and(|code| code.as_str().starts_with(value)),
                Key::Letter | Key::Days => false,
            },
        )
    }
}

/// The page of `all` after what `skip` says was shown before.
fn cut<'a, T: Clone + 'a>(
    all: impl Iterator<Item = &'a T>,
    limit: usize,
    key: impl Fn(&T) -> String,
    shown: impl Fn(&T) -> bool,
) -> Cut<T> {
    let mut page = Cut { items: Vec::new(), total: 0, next: None };
    for card in all {
        page.total += 1;
        if shown(card) {
            continue;
        }
        if page.items.len() < limit {
            page.items.push(card.clone());
        } else if page.next.is_none() {
            page.next = page.items.last().map(&key);
        }
    }
    page
}

/// The page of all there are, of which `total` are known without counting: no more is looked at than is shown.
fn first<'a, T: Clone + 'a>(
    rest: impl Iterator<Item = &'a T>,
    total: usize,
    limit: usize,
    key: impl Fn(&T) -> String,
) -> Cut<T> {
    let mut items: Vec<T> = rest.take(limit.saturating_add(1)).cloned().collect();
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(key);
    Cut { items, total, next }
}

impl Board {
    /// Tenants in the order of their ids.
    pub fn tenants(&self, query: &Query, today: Date, after: Option<TenantId>, limit: usize) -> Cut<TenantCard> {
        let key = |card: &TenantCard| card.id.to_string();
        if query.is_empty() {
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            let rest = self.tenants.range((from, Bound::Unbounded)).map(|(_, card)| card);
            return first(rest, self.tenants.len(), limit, key);
        }
        let fitting = self.tenants.values().filter(|card| card.fits(query, today));
        cut(fitting, limit, key, |card| after.is_some_and(|after| card.id <= after))
    }

    /// Letters, the newest first. Done ones only where the query asks for a state, or `all`.
    pub fn letters(&self, query: &Query, all: bool, before: Option<RowNo>, limit: usize) -> Cut<LetterCard> {
        let shown = |card: &LetterCard| before.is_some_and(|before| card.no >= before);
        let key = |card: &LetterCard| card.no.to_string();
        let until = before.map_or(u64::MAX, |before| before.0);
        let named = named(query);
        if all || query.has(Key::State) {
            if query.is_empty() {
                let rest = self.letters.range(..until).rev().map(|(_, card)| card);
                return first(rest, self.letters.len(), limit, key);
            }
            return cut(self.letters.values().rev().filter(|card| card.fits(query, &named)), limit, key, shown);
        }
        if query.is_empty() {
            let rest = self.open.range(..until).rev().filter_map(|no| self.letters.get(no));
            return first(rest, self.open.len(), limit, key);
        }
        let open = self.open.iter().rev().filter_map(|no| self.letters.get(no));
        cut(open.filter(|card| card.fits(query, &named)), limit, key, shown)
    }

    /// Mails, the newest first.
    pub fn mails(&self, query: &Query, before: Option<MailNo>, limit: usize) -> Cut<MailCard> {
        let key = |card: &MailCard| card.no.to_string();
        if query.is_empty() {
            let rest = self.mails.range(..before.map_or(u64::MAX, |before| before.0)).rev().map(|(_, card)| card);
            return first(rest, self.mails.len(), limit, key);
        }
        let shown = |card: &MailCard| before.is_some_and(|before| card.no >= before);
        cut(self.mails.values().rev().filter(|card| card.fits(query)), limit, key, shown)
    }

    /// Journal entries, the newest first. `total` counts no further than the page.
    pub fn entries(&self, filter: &TrailFilter, before: Option<u64>, limit: usize) -> Cut<(u64, Mark)> {
        let bit = filter.kind.as_deref().map(|kind| KINDS.iter().position(|k| *k == kind).map_or(0, |bit| 1 << bit));
        let actors: Option<Vec<bool>> = filter
            .actor
            .as_deref()
            .map(|part| self.trail.actors().iter().map(|actor| holds(actor, &part.to_lowercase())).collect());
        let wanted = |mark: &Mark| {
            bit.is_none_or(|bit| mark.kinds & bit != 0)
                && actors.as_ref().is_none_or(|fit| fit.get(usize::from(mark.actor)).copied().unwrap_or(false))
        };
        // What concerns one tenant or mail is known by number; only the rest is a walk.
        let mut items: Vec<_> = if filter.tenant.is_some() || filter.mail.is_some() {
            let about = self.trail.about(filter.tenant, filter.mail.as_slice());
            let older = about.into_iter().rev().filter(|no| before.is_none_or(|before| *no < before));
            let marked = older.filter_map(|no| Some((no, self.trail.mark(no)?)));
            marked.filter(|(_, mark)| wanted(mark)).take(limit + 1).collect()
        } else {
            self.trail.newest(before).filter(|(_, mark)| wanted(mark)).take(limit + 1).collect()
        };
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|(no, _)| no.to_string());
        Cut { total: items.len(), items, next }
    }

    /// Every tenant that fits.
    pub fn tenants_fitting(&self, query: &Query, today: Date) -> Vec<TenantId> {
        self.tenants.values().filter(|card| card.fits(query, today)).map(|card| card.id).collect()
    }

    /// Every letter that fits, as [`Self::letters`] lists them.
    pub fn letters_fitting(&self, query: &Query, all: bool) -> Vec<RowNo> {
        self.letters(query, all, None, usize::MAX).items.into_iter().map(|card| card.no).collect()
    }
}
