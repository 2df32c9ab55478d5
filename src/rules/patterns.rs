//! Regular expressions written in rules files. A word boundary of Unicode is the one thing in them that makes the regex
//! engine fall to its slowest wherever a text is not ASCII, so it is taken as one of ASCII or refused.

use super::toml_file::{Section, Text};
use regex::{Regex, RegexBuilder};

/// Largest compiled pattern, in bytes: one that needs more is a mistake.
pub(super) const COMPILED_BYTES_MAX: usize = 4 * 1024 * 1024;

const REMEDY: &str = r"use \b, (?:^|[^a-z]) or (?:$|[^a-z])";

/// The pattern with word boundaries of ASCII; `Err`: the boundary that has no such form.
pub(crate) fn plain_boundaries(pattern: &str) -> Result<String, &'static str> {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, escape)) = rest.split_once('\\') {
        out.push_str(before);
        let mut after = escape.chars();
        match after.next() {
            Some('b') if after.as_str().starts_with('{') => return Err(r"\b{…}"),
            Some('b') if out.ends_with("(?-u:") => out.push_str(r"\b"),
            Some('b') => out.push_str(r"(?-u:\b)"),
            Some('B') => return Err(r"\B"),
            Some('<') => return Err(r"\<"),
            Some('>') => return Err(r"\>"),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
        rest = after.as_str();
    }
    out.push_str(rest);
    Ok(out)
}

/// [`plain_boundaries`] of a pattern in a file, with the fault at its line.
pub(super) fn bounded(s: &mut Section<'_, '_>, text: &Text) -> Option<String> {
    match plain_boundaries(&text.text) {
        Ok(pattern) => Some(pattern),
        Err(boundary) => {
            s.fault(text.at, format!("{boundary} makes every search in Japanese text slow"), REMEDY);
            None
        }
    }
}

/// The compiled pattern; a fault with its line if it is none.
pub(super) fn compiled(s: &mut Section<'_, '_>, at: usize, builder: &mut RegexBuilder) -> Option<Regex> {
    match builder.size_limit(COMPILED_BYTES_MAX).build() {
        Ok(regex) => Some(regex),
        Err(error) => {
            // The last line of the message says what is wrong; those before draw the pattern.
            let message = error.to_string();
            let cause = message.lines().last().unwrap_or_default().trim_start_matches("error: ");
            s.fault(at, format!("not a regular expression: {cause}"), "correct the pattern");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain_boundaries;

    #[test]
    fn boundaries_are_those_of_ascii_or_refused() {
        let check = |pattern: &str, expected: Result<&str, &str>| {
            assert_eq!(plain_boundaries(pattern).as_deref().map_err(|e| *e), expected, "{pattern}");
        };
        check(r"\bbounce\b", Ok(r"(?-u:\b)bounce(?-u:\b)"));
        check(r"(?-u:\b)x", Ok(r"(?-u:\b)x"));
        check(r"\\b\.", Ok(r"\\b\."));
        check(r"a\B", Err(r"\B"));
        check(r"\b{start}a", Err(r"\b{…}"));
        check(r"\<a\>", Err(r"\<"));
    }
}
