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

    /// The text without them.
    pub fn taken_from<'t>(&self, text: &'t str) -> std::borrow::Cow<'t, str> {
        self.0.as_ref().map_or(text.into(), |regex| regex.replace_all(text, ""))
    }

    /// The compiled pattern, for tests that look at all of them.
    pub fn pattern(&self) -> Option<&str> {
        self.0.as_ref().map(Regex::as_str)
    }
}

/// One field for each list of the section, under the list's name.
macro_rules! phrases {
    ($($(#[$doc:meta])* $key:ident;)+) => {
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
            Phrases { $($key: phrase(s, stringify!($key)),)+ }
        }
    };
}

phrases! {
    /// A question.
    asks;
    /// What is thanked for is not asked for.
    thanks;
    /// Something is withdrawn.
    withdraws;
    /// A draft, a test, something held back or not sure.
    provisional;
    /// Something changes from a day on.
    from_day;
    /// A day from which or until which something holds.
    dated;
    /// A part is to follow …
    to_follow;
    /// … unless it is said for a case that may come.
    in_case;
    /// What a remark is about …
    topics;
    /// … and that it denies, limits, doubts, sets a time or sends elsewhere, …
    caution;
    /// … unless it is one of these.
    harmless;
    /// Not settled, whatever else is said.
    unsettled;
    /// Both of several addresses are wanted.
    both;
    /// A note beside an address, on its line.
    beside;
}

/// A list of the section; as delivered where it is missing, for a file written before there was one.
fn phrase(s: &mut Section<'_, '_>, key: &'static str) -> Phrase {
    let at = s.place(key);
    let texts =
        s.texts(key).unwrap_or_else(|| delivered("phrases", key).into_iter().map(|text| Text { text, at }).collect());
    if texts.is_empty() {
        s.fault(at, format!("{key} is empty"), "give at least one, or take the list out for that as delivered");
    }
    let bounded: Vec<String> = texts.iter().filter_map(|text| bounded(s, text)).collect();
    if bounded.is_empty() {
        return Phrase(None);
    }
    let any = format!("(?:{})", bounded.join(")|(?:"));
    if let Ok(regex) = RegexBuilder::new(&any).size_limit(COMPILED_BYTES_MAX).build() {
        return Phrase(Some(regex));
    }
    // One of them is wrong: which?
    let wrong: Vec<_> = texts.iter().filter(|t| compiled(s, t.at, &mut RegexBuilder::new(&t.text)).is_none()).collect();
    if wrong.is_empty() {
        s.fault(at, format!("{key} is too much at once"), "give fewer or simpler patterns");
    }
    Phrase(None)
}
