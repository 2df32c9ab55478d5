//! A query made ready for a walk over many cards: what is looked for in texts is looked for once, in all of them side by
//! side ([`Texts`]); a state or a kind of letter is judged once for all cards that have it.

use super::cards::{LetterCard, MailCard, TenantCard};
use super::query::{Key, Query, holds, in_domain, in_range};
use super::texts::{self, Fitting, Texts};
use crate::domain::Date;
use crate::engine::records::Disposition;
use crate::engine::views::words::{self, Word};
use crate::letters::LetterKind;

/// Beside the states of a tenant: whatever it is in, its address is dead.
const UNREACHABLE: &str = "unreachable";

/// One part of a query.
enum Test<'q> {
    /// The card's text is one of these.
    Text(Fitting),
    /// Or its kind of letter is.
    TextOrKind(Fitting, Vec<LetterKind>),
    Kind(Vec<LetterKind>),
    /// Codes of the states that fit.
    State(Vec<&'static str>),
    Unreachable,
    Days(&'q str),
    Reason(&'q str),
    /// The beginning of a local government code.
    Authority(&'q str),
    /// What such a card does not have.
    Nothing,
}

/// A query, part by part.
pub(super) struct Asked<'q>(Vec<Test<'q>>);

fn states(all: &[Word], wanted: &str) -> Vec<&'static str> {
    let is_wanted = |word: &Word| wanted.split(',').any(|wanted| word.0 == wanted || word.1 == wanted);
    all.iter().filter(|word| is_wanted(word)).map(|word| word.0).collect()
}

fn kinds(fits: impl Fn(LetterKind) -> bool) -> Vec<LetterKind> {
    LetterKind::ALL.into_iter().filter(|kind| fits(*kind)).collect()
}

fn word<'q>(texts: &Texts<impl Copy + Ord>, word: &str) -> Test<'q> {
    Test::Text(texts.that(|text| text.contains(word)))
}

fn address<'q>(texts: &Texts<impl Copy + Ord>, value: &str) -> Test<'q> {
    Test::Text(texts.that(|text| texts::first(text).contains(value)))
}

fn domain<'q>(texts: &Texts<impl Copy + Ord>, value: &str) -> Test<'q> {
    Test::Text(texts.of_domain(|domain| in_domain(domain, value)))
}

fn id<'q>(texts: &Texts<impl Copy + Ord>, value: &str) -> Test<'q> {
    Test::Text(texts.that(|text| texts::last(text).starts_with(value)))
}

impl<'q> Asked<'q> {
    pub(super) fn of_tenants(query: &'q Query, texts: &Texts<impl Copy + Ord>) -> Self {
        let key = |(key, value): &'q (Key, String)| match key {
            Key::Name => {
                let name =
                    |text: &str| texts::rest(text).rsplit_once('\n').is_some_and(|(name, _)| name.contains(value));
                Test::Text(texts.that(name))
            }
            Key::Address => address(texts, value),
            Key::State if value == UNREACHABLE => Test::Unreachable,
            Key::State => Test::State(states(&words::ENROLMENT, value)),
            Key::Domain => domain(texts, value),
            Key::Days => Test::Days(value),
            Key::Id => id(texts, value),
            Key::Reason | Key::Letter => Test::Nothing,
        };
        Self(query.keys.iter().map(key).chain(query.words.iter().map(|text| word(texts, text))).collect())
    }

    pub(super) fn of_letters(query: &'q Query, texts: &Texts<impl Copy + Ord>) -> Self {
        let key = |(key, value): &'q (Key, String)| match key {
            Key::Address => address(texts, value),
            Key::State => Test::State(states(&words::DELIVERY, value)),
            Key::Domain => domain(texts, value),
            Key::Reason => Test::Reason(value),
            Key::Letter => Test::Kind(kinds(|kind| kind.name() == value || kind.japanese() == value)),
            Key::Name => Test::Kind(kinds(|kind| kind.japanese().contains(value))),
            Key::Id => id(texts, value),
            Key::Days => Test::Nothing,
        };
        let word = |word: &'q String| {
            let (fitting, kinds) =
                (texts.that(|text| text.contains(word)), kinds(|kind| kind.japanese().contains(word)));
            if kinds.is_empty() { Test::Text(fitting) } else { Test::TextOrKind(fitting, kinds) }
        };
        Self(query.keys.iter().map(key).chain(query.words.iter().map(word)).collect())
    }

    pub(super) fn of_mails(query: &'q Query, texts: &Texts<impl Copy + Ord>) -> Self {
        let key = |(key, value): &'q (Key, String)| match key {
            Key::Name => Test::Text(texts.that(|text| texts::rest(text).contains(value))),
            Key::Address => address(texts, value),
            Key::State => Test::State(states(&Disposition::WORDS, value)),
            Key::Domain => domain(texts, value),
            Key::Reason => Test::Reason(value),
            Key::Id => Test::Authority(value),
            Key::Letter | Key::Days => Test::Nothing,
        };
        Self(query.keys.iter().map(key).chain(query.words.iter().map(|text| word(texts, text))).collect())
    }

    /// Whether nothing but texts is asked about: no card need be looked at to know whether it fits.
    pub(super) fn is_about_texts(&self) -> bool {
        self.0.iter().all(|test| matches!(test, Test::Text(_)))
    }

    /// Whether the text of this number fits what is asked about texts.
    pub(super) fn text(&self, number: u32) -> bool {
        self.0.iter().all(|test| if let Test::Text(fitting) = test { fitting.has(number) } else { true })
    }

    pub(super) fn tenant(&self, card: &TenantCard, today: Date) -> bool {
        self.0.iter().all(|test| match test {
            Test::Text(fitting) => fitting.has(card.text),
            Test::State(states) => states.contains(&card.state.0),
            Test::Unreachable => card.unreachable(),
            Test::Days(range) => card.deadline.is_some_and(|day| in_range(day.days_since(today), range)),
            Test::TextOrKind(..) | Test::Kind(_) | Test::Reason(_) | Test::Authority(_) | Test::Nothing => false,
        })
    }

    pub(super) fn letter(&self, card: &LetterCard) -> bool {
        self.0.iter().all(|test| match test {
            Test::Text(fitting) => fitting.has(card.text),
            Test::TextOrKind(fitting, kinds) => fitting.has(card.text) || kinds.contains(&card.letter),
            Test::Kind(kinds) => kinds.contains(&card.letter),
            Test::State(states) => states.contains(&card.state.0),
            Test::Reason(part) => card.hold.is_some_and(|reason| holds(reason.word(), part)),
            Test::Unreachable | Test::Days(_) | Test::Authority(_) | Test::Nothing => false,
        })
    }

    pub(super) fn mail(&self, card: &MailCard) -> bool {
        self.0.iter().all(|test| match test {
            Test::Text(fitting) => fitting.has(card.text),
            Test::State(states) => states.contains(&card.disposition.0),
            Test::Reason(part) => card.reasons.iter().any(|r| r.code() == *part || holds(r.sentence(), part)),
            Test::Authority(begins) => card.authority.is_some_and(|code| code.as_str().starts_with(begins)),
            Test::TextOrKind(..) | Test::Kind(_) | Test::Unreachable | Test::Days(_) | Test::Nothing => false,
        })
    }
}
