//! `[phrases]` of `rules/registration.toml`: what senders say besides the data, in the words of Japanese official mail.
//! Compiled once, matched in linear time.

use super::patterns::{COMPILED_BYTES_MAX, bounded, compiled};
use super::registration::delivered;
use super::toml_file::{Section, Text};
use regex::{Regex, RegexBuilder};

/// Patterns of which any may stand in a text. None at all match nothing.
#[derive(Debug, Clone, Default)]
pub struct Phrase(Option<Regex>);

impl Phrase {
    /// Does one of them stand in the text?
    pub fn is_in(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|regex| regex.is_match(text))
    }

    /// What stands in the group of the pattern that is the whole text.
    pub fn free<'t>(&self, text: &'t str) -> Option<&'t str> {
        let found = self.0.as_ref()?.captures(text)?;
        found.iter().skip(1).flatten().next().map(|group| group.as_str())
    }

    /// The text without them.
    pub fn taken_from<'t>(&self, text: &'t str) -> std::borrow::Cow<'t, str> {
        self.0.as_ref().map_or(text.into(), |regex| regex.replace_all(text, ""))
    }

    /// The text with `mark` behind each of them.
    pub fn marked<'t>(&self, text: &'t str, mark: &str) -> std::borrow::Cow<'t, str> {
        let marked = |found: &regex::Captures<'_>| format!("{}{mark}", found.get(0).map_or("", |m| m.as_str()));
        self.0.as_ref().map_or(text.into(), |regex| regex.replace_all(text, marked))
    }

    /// The compiled pattern, for tests that look at all of them.
    pub fn pattern(&self) -> Option<&str> {
        self.0.as_ref().map(Regex::as_str)
    }
}

/// One field for each list of the section, under the list's name.
macro_rules! phrases {
    ($($(#[$doc:meta])* $key:ident: $extent:ident;)+) => {
        /// What senders say besides the data.
        #[derive(Debug, Clone, Default)]
        pub struct Phrases {
            $($(#[$doc])* pub $key: Phrase,)+
        }

        impl Phrases {
            /// All of them, with their names.
            pub fn each(&self) -> impl Iterator<Item = (&'static str, &Phrase)> {
                [$((stringify!($key), &self.$key)),+].into_iter()
            }
        }

        /// Reads the section.
        pub(super) fn phrases(s: &mut Section<'_, '_>) -> Phrases {
            let words = words(s);
            Phrases { $($key: phrase(s, stringify!($key), Extent::$extent, &words),)+ }
        }
    };
}

phrases! {
    /// A question.
    asks: Part;
    /// What is thanked for is not asked for.
    thanks: Part;
    /// Something is withdrawn.
    withdraws: Part;
    /// A draft, a test, something held back or not sure.
    provisional: Part;
    /// Something changes from a day on.
    from_day: Part;
    /// A day from which or until which something holds.
    dated: Part;
    /// A part is to follow …
    to_follow: Part;
    /// … unless it is said for a case that may come.
    in_case: Part;
    /// A remark touches the data: whatever holds one of these …
    touches: Part;
    /// … unless all of its clauses are of these: whole clauses that are known to say nothing. …
    harmless: Led;
    /// … or of these, that ask for what is done anyway, …
    requests: Whole;
    /// … unless it is nothing but a title or the head of a table. …
    headline: Whole;
    /// … Behind one of these a clause ends, with or without a comma.
    parts: Part;
    /// … Clauses whose part `free` may be anything that does not touch the data either.
    framed: Framed;
    /// A note beside an address, on its line.
    beside: Part;
}

/// How much of a text a pattern describes.
#[derive(Debug, Clone, Copy)]
enum Extent {
    /// Some of it.
    Part,
    /// All of it.
    Whole,
    /// All of it, but for the words that may stand before anything.
    Led,
    /// The same, with one group for what may be anything.
    Framed,
}

/// The group of a framed pattern.
const FREE: &str = "(?P<free>";

/// Words that patterns name in braces: `{things}を{report}`.
const WORDS: [&str; 9] = ["openers", "things", "bits", "report", "polite", "wishes", "ends", "case", "form"];

/// A list of the section; as delivered where it is missing, for a file written before there was one.
fn texts(s: &mut Section<'_, '_>, key: &'static str) -> Vec<Text> {
    let at = s.place(key);
    let texts =
        s.texts(key).unwrap_or_else(|| delivered("phrases", key).into_iter().map(|text| Text { text, at }).collect());
    if texts.is_empty() {
        s.fault(at, format!("{key} is empty"), "give at least one, or take the list out for that as delivered");
    }
    texts
}

/// Puts the words where their names stand in braces.
fn spell_out(texts: &mut [Text], words: &[(String, String)]) {
    for text in texts {
        for (name, any) in words {
            text.text = text.text.replace(name, any);
        }
    }
}

/// The words that stand for their names in braces, each of which may name those before it.
fn words(s: &mut Section<'_, '_>) -> Vec<(String, String)> {
    let mut words: Vec<(String, String)> = Vec::new();
    for key in WORDS {
        let mut texts = texts(s, key);
        spell_out(&mut texts, &words);
        let bounded: Vec<String> = texts.iter().filter_map(|text| bounded(s, text)).collect();
        words.push((format!("{{{key}}}"), format!("(?:{})", bounded.join("|"))));
    }
    words
}

/// Any of the words that may stand before a clause.
fn led(words: &[(String, String)]) -> String {
    let lead: Vec<&str> = words.iter().take(2).map(|(_, any)| any.as_str()).collect();
    format!("(?:{})*", lead.join("|"))
}

/// A list of patterns as one.
fn phrase(s: &mut Section<'_, '_>, key: &'static str, extent: Extent, words: &[(String, String)]) -> Phrase {
    let mut texts = texts(s, key);
    spell_out(&mut texts, words);
    let mut bounded: Vec<String> = texts.iter().filter_map(|text| bounded(s, text)).collect();
    if bounded.is_empty() {
        return Phrase(None);
    }
    if matches!(extent, Extent::Framed) {
        for text in texts.iter().filter(|text| text.text.matches(FREE).count() != 1) {
            s.fault(text.at, "the pattern has not one group for what may be anything", "put (?P<free>…) around it");
        }
        // One pattern may not hold a name twice; which group it was does not matter.
        bounded = bounded.into_iter().map(|text| text.replace(FREE, "(")).collect();
    }
    let any = match extent {
        Extent::Part => format!("(?:{})", bounded.join(")|(?:")),
        Extent::Whole => format!("^(?:(?:{}))$", bounded.join(")|(?:")),
        Extent::Led | Extent::Framed => format!("^{}(?:(?:{}))$", led(words), bounded.join(")|(?:")),
    };
    if let Ok(regex) = RegexBuilder::new(&any).size_limit(COMPILED_BYTES_MAX).build() {
        return Phrase(Some(regex));
    }
    // One of them is wrong: which?
    let wrong: Vec<_> = texts.iter().filter(|t| compiled(s, t.at, &mut RegexBuilder::new(&t.text)).is_none()).collect();
    if wrong.is_empty() {
        let at = s.place(key);
        s.fault(at, format!("{key} is too much at once"), "give fewer or simpler patterns");
    }
    Phrase(None)
}
