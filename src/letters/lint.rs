//! What a template must keep to so that its letter survives the gateways of municipalities (research/domain.md §1.2, §4;
//! R1, R8, R17): read from the source line by line, and from each sample as rendered.

use super::charset::outside_jis;
use super::layout::{COLUMNS_MAX, columns};
use super::template::{Rendered, TEMPLATE_BYTES_MAX, TemplateError, announced, error, no_subject};
use super::{Letter, LetterKind, Secrecy, values};

/// How the first line of a template begins.
pub(super) const SUBJECT: &str = "Subject: ";

/// Faults of the source, in any order.
pub(super) fn faults(kind: LetterKind, source: &str) -> Vec<TemplateError> {
    let mut found = head_faults(kind, source);
    if source.len() > TEMPLATE_BYTES_MAX {
        found.push(error(kind, 1, format!("longer than {TEMPLATE_BYTES_MAX} bytes"), "shorten it"));
    }
    let lines: Vec<&str> = source.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let literal = literal(line);
        let wide = columns(&literal);
        // The subject is folded by the encoder; a URL must not be folded at all.
        if wide > COLUMNS_MAX && index > 0 && !holds_url(line) {
            let fault = format!("{wide} columns wide, {COLUMNS_MAX} are allowed");
            found.push(error(kind, index + 1, fault, "break the line (a full-width character counts two)"));
        }
        if holds_html(&literal) {
            found.push(error(kind, index + 1, "HTML", "write plain text; gateways drop or mistrust anything else"));
        }
        if literal.chars().any(char::is_control) {
            found.push(error(kind, index + 1, "a control character or tab", "use blanks and line breaks only"));
        }
        if holds_url(line) && !stands_alone(&lines, index) {
            let remedy = "put it on a line of its own with an empty line before and after";
            found.push(error(kind, index + 1, "a URL that does not stand alone", remedy));
        }
    }
    found
}

fn head_faults(kind: LetterKind, source: &str) -> Vec<TemplateError> {
    let mut lines = source.lines();
    let mut found = Vec::new();
    match lines.next().unwrap_or_default().strip_prefix(SUBJECT) {
        Some(subject) if announced(kind) && subject.contains('{') => {
            let remedy = "use plain text there";
            found.push(error(kind, 1, "other letters announce this subject, so it must be fixed", remedy));
        }
        Some(subject) if !subject.trim().is_empty() => {}
        Some(_) | None => found.push(no_subject(kind)),
    }
    if lines.next().is_some_and(|second| !second.trim().is_empty()) {
        found.push(error(kind, 2, "no empty line after the subject", "leave line 2 empty"));
    }
    found
}

/// Characters the letter cannot have in ISO-2022-JP.
pub(super) fn warnings(kind: LetterKind, source: &str) -> Vec<TemplateError> {
    let warning = |(index, line): (usize, &str)| {
        let strange: Vec<String> =
            outside_jis(line).into_iter().map(|c| format!("{c} (U+{:04X})", u32::from(c))).collect();
        let fault = format!("outside JIS X 0208: {}", strange.join(", "));
        let remedy = "replace it, or the letter leaves in UTF-8 even where ISO-2022-JP is wanted";
        (!strange.is_empty()).then(|| error(kind, index + 1, fault, remedy))
    };
    source.lines().enumerate().filter_map(warning).collect()
}

/// Faults only a rendered sample shows.
pub(super) fn rendered_faults(kind: LetterKind, letter: &Letter, rendered: Option<&Rendered>) -> Vec<TemplateError> {
    let Some(rendered) = rendered else { return vec![no_subject(kind)] };
    let mut found = Vec::new();
    let body: String = rendered.body.split_whitespace().collect();
    for (name, text) in values::must_show(letter) {
        let text: String = text.split_whitespace().collect();
        if !body.contains(&text) {
            let remedy = format!("print `{{{{ {name} }}}}` in every variant of this letter");
            found.push(error(kind, 1, format!("the letter does not say `{name}`"), remedy));
        }
        if kind.secrecy() == Secrecy::Secret
            && Some(name) == values::secret_name(kind)
            && rendered.subject.contains(&text)
        {
            found.push(error(kind, 1, format!("the subject shows the secret `{name}`"), "print it in the body only"));
        }
    }
    found
}

/// The line without `{{ … }}`, `{% … %}` and `{# … #}`.
fn literal(line: &str) -> String {
    let mut literal = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, tag)) = rest.split_once('{') {
        literal.push_str(before);
        let end = match tag.chars().next() {
            Some('{') => "}}",
            Some('%') => "%}",
            Some('#') => "#}",
            _ => {
                literal.push('{');
                rest = tag;
                continue;
            }
        };
        rest = tag.split_once(end).map_or("", |(_, after)| after);
    }
    literal + rest
}

fn holds_url(line: &str) -> bool {
    line.contains("://") || line.replace(' ', "").contains("{{url")
}

fn holds_html(literal: &str) -> bool {
    literal.char_indices().any(|(at, c)| {
        let next = literal.get(at + 1..).and_then(|rest| rest.chars().next());
        c == '<' && next.is_some_and(|n| n.is_ascii_alphabetic() || n == '/' || n == '!')
    })
}

/// Nothing else on the line, and the nearest lines that print something are empty ones.
fn stands_alone(lines: &[&str], index: usize) -> bool {
    let alone = |line: &str| line.split_whitespace().collect::<Vec<_>>().concat() == "{{url}}" || is_url(line);
    let prints = |line: &&&str| line.is_empty() || !literal(line).trim().is_empty() || line.contains("{{");
    let blank = |line: Option<&&str>| line.is_none_or(|line| line.trim().is_empty());
    let before = lines.get(..index).unwrap_or_default().iter().rev().find(prints);
    let after = lines.get(index + 1..).unwrap_or_default().iter().find(prints);
    lines.get(index).is_some_and(|line| alone(line)) && blank(before) && blank(after)
}

fn is_url(line: &str) -> bool {
    (line.starts_with("https://") || line.starts_with("http://")) && line.chars().all(|c| c.is_ascii_graphic())
}
