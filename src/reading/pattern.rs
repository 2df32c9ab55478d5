//! Patterns, compiled once at first use and matched in linear time (crate regex: no backtracking).

use regex::Regex;
use std::sync::LazyLock;

/// A pattern under a name. `None` would be a pattern that does not compile: each comes with a test that it does,
/// and that it holds no word boundary of Unicode.
macro_rules! pattern {
    ($name:ident, $pattern:literal $(,)?) => {
        static $name: std::sync::LazyLock<Option<regex::Regex>> =
            std::sync::LazyLock::new(|| regex::Regex::new($pattern).ok());

        #[cfg(test)]
        #[expect(non_snake_case, reason = "the test bears the pattern's name")]
        mod $name {
            #[test]
            fn compiles_and_is_fast_in_japanese() {
                assert!(super::$name.is_some());
                assert_eq!(crate::rules::patterns::plain_boundaries($pattern).as_deref(), Ok($pattern));
            }
        }
    };
}
pub(super) use pattern;

/// True if the pattern matches somewhere in `text`.
pub(super) fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|p| p.is_match(text))
}
