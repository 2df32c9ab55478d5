//! Lists of cards by query, in pages by key. The total is that of everything that fits, so that a person knows what "all
//! of these" would be.

use super::Board;
use super::asked::Asked;
use super::cards::{LetterCard, MailCard, TenantCard};
use super::query::{Key, Query, holds};
use super::trail::{KINDS, Mark};
use crate::domain::{Date, MailNo, RowNo, TenantId};
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
        let asked = Asked::of_tenants(query, &self.texts.tenants);
        if asked.is_about_texts() {
            let all = self.texts.tenants.owners(|text| asked.text(text));
            let (total, rest) = (all.len(), all.into_iter().filter(|id| after.is_none_or(|after| *id > after)));
            return first(rest.filter_map(|id| self.tenants.get(&id)), total, limit, key);
        }
        let fitting = self.tenants.values().filter(|card| asked.tenant(card, today));
        cut(fitting, limit, key, |card| after.is_some_and(|after| card.id <= after))
    }

    /// Letters, the newest first. Done ones only where the query asks for a state, or `all`.
    pub fn letters(&self, query: &Query, all: bool, before: Option<RowNo>, limit: usize) -> Cut<LetterCard> {
        let shown = |card: &LetterCard| before.is_some_and(|before| card.no >= before);
        let key = |card: &LetterCard| card.no.to_string();
        let until = before.map_or(u64::MAX, |before| before.0);
        let asked = Asked::of_letters(query, &self.texts.letters);
        if all || query.has(Key::State) {
            if query.is_empty() {
                let rest = self.letters.range(..until).rev().map(|(_, card)| card);
                return first(rest, self.letters.len(), limit, key);
            }
            if asked.is_about_texts() {
                let all = self.texts.letters.owners(|text| asked.text(text));
                let (total, rest) = (all.len(), all.into_iter().rev().filter(|no| *no < until));
                return first(rest.filter_map(|no| self.letters.get(&no)), total, limit, key);
            }
            return cut(self.letters.values().rev().filter(|card| asked.letter(card)), limit, key, shown);
        }
        if query.is_empty() {
            let rest = self.open.range(..until).rev().filter_map(|no| self.letters.get(no));
            return first(rest, self.open.len(), limit, key);
        }
        let open = self.open.iter().rev().filter_map(|no| self.letters.get(no));
        cut(open.filter(|card| asked.letter(card)), limit, key, shown)
    }

    /// Mails, the newest first.
    pub fn mails(&self, query: &Query, before: Option<MailNo>, limit: usize) -> Cut<MailCard> {
        let key = |card: &MailCard| card.no.to_string();
        if query.is_empty() {
            let rest = self.mails.range(..before.map_or(u64::MAX, |before| before.0)).rev().map(|(_, card)| card);
            return first(rest, self.mails.len(), limit, key);
        }
        let shown = |card: &MailCard| before.is_some_and(|before| card.no >= before);
        let asked = Asked::of_mails(query, &self.texts.mails);
        if asked.is_about_texts() {
            let all = self.texts.mails.owners(|text| asked.text(text));
            let until = before.map_or(u64::MAX, |before| before.0);
            let (total, rest) = (all.len(), all.into_iter().rev().filter(|no| *no < until));
            return first(rest.filter_map(|no| self.mails.get(&no)), total, limit, key);
        }
        cut(self.mails.values().rev().filter(|card| asked.mail(card)), limit, key, shown)
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
        let asked = Asked::of_tenants(query, &self.texts.tenants);
        self.tenants.values().filter(|card| asked.tenant(card, today)).map(|card| card.id).collect()
    }

    /// Every letter that fits, as [`Self::letters`] lists them.
    pub fn letters_fitting(&self, query: &Query, all: bool) -> Vec<RowNo> {
        self.letters(query, all, None, usize::MAX).items.into_iter().map(|card| card.no).collect()
    }
}
