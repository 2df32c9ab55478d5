//! Lists of cards by query, in pages by key. The total is that of everything that fits, so that a person knows what "all
//! of these" would be.

use super::Board;
use super::cards::{LetterCard, MailCard, TenantCard};
use super::query::{Key, Query, holds, in_domain, in_range};
use super::trail::{KINDS, Mark};
use crate::domain::{Date, MailNo, RowNo, TenantId};
use crate::engine::views::words::Word;

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
            |word| holds(&self.name, word) || holds(self.address.as_str(), word) || id().contains(word),
            |key, value| match key {
                Key::Name => holds(&self.name, value),
                Key::Address => holds(self.address.as_str(), value),
                Key::State => is_state(self.state, value) || (value == "unreachable" && self.unreachable()),
                Key::Domain => in_domain(&self.address.domain(), value),
                Key::Days => self.deadline.is_some_and(|day| in_range(day.days_since(today), value)),
                Key::Id => id().starts_with(value),
                Key::Reason | Key::Letter => false,
            },
        )
    }
}

impl LetterCard {
    fn fits(&self, query: &Query) -> bool {
        let about = || self.tenant.map(|id| id.to_string()).unwrap_or_default();
        query.fits(
            |word| holds(self.to.as_str(), word) || self.letter.japanese().contains(word) || about().contains(word),
            |key, value| match key {
                Key::Address => holds(self.to.as_str(), value),
                Key::State => is_state(self.state, value),
                Key::Domain => in_domain(&self.to.domain(), value),
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
            |word| holds(&self.subject, word) || holds(from(), word),
            |key, value| match key {
                Key::Name => holds(&self.subject, value),
                Key::Address => holds(from(), value),
                Key::State => is_state(self.disposition, value),
                Key::Domain => self.from.as_ref().is_some_and(|from| in_domain(&from.domain(), value)),
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

impl Board {
    /// Tenants in the order of their ids.
    pub fn tenants(&self, query: &Query, today: Date, after: Option<TenantId>, limit: usize) -> Cut<TenantCard> {
        let fitting = self.tenants.values().filter(|card| card.fits(query, today));
        cut(fitting, limit, |card| card.id.to_string(), |card| after.is_some_and(|after| card.id <= after))
    }

    /// Letters, the newest first. Done ones only where the query asks for a state, or `all`.
    pub fn letters(&self, query: &Query, all: bool, before: Option<RowNo>, limit: usize) -> Cut<LetterCard> {
        let shown = |card: &LetterCard| before.is_some_and(|before| card.no >= before);
        let key = |card: &LetterCard| card.no.to_string();
        if all || query.has(Key::State) {
            return cut(self.letters.values().rev().filter(|card| card.fits(query)), limit, key, shown);
        }
        let open = self.open.iter().rev().filter_map(|no| self.letters.get(no));
        cut(open.filter(|card| card.fits(query)), limit, key, shown)
    }

    /// Mails, the newest first.
    pub fn mails(&self, query: &Query, before: Option<MailNo>, limit: usize) -> Cut<MailCard> {
        let shown = |card: &MailCard| before.is_some_and(|before| card.no >= before);
        cut(self.mails.values().rev().filter(|card| card.fits(query)), limit, |card| card.no.to_string(), shown)
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
        let about = (filter.tenant.is_some() || filter.mail.is_some())
            .then(|| self.trail.about(filter.tenant, filter.mail.as_slice()));
        let entries = self.trail.newest(before);
        let fitting = entries.filter(|(no, mark)| {
            wanted(mark) && about.as_ref().is_none_or(|numbers| numbers.binary_search(no).is_ok())
        });
        let mut items: Vec<_> = fitting.take(limit + 1).collect();
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
