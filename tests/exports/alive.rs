//! What must not come out of a mail: signs that act on a terminal, markup of a stranger in a page, formulas in a table.

use crate::mails::MARK;

/// Control characters, line ends that are none of ours, marks that turn the direction of writing.
fn acts(c: char) -> bool {
    c.is_control() && c != '\n'
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

pub(crate) fn assert_clean(what: &str, text: &str) {
    if let Some(at) = text.find(acts) {
        let near: String = text[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
        let c = text[at..].chars().next().unwrap();
        panic!("{what}: {c:?} behind {near:?}");
    }
}

/// No tag, attribute or address of a page is made of a payload.
pub(crate) fn assert_dead(path: &str, page: &str) {
    // A tab of the mail's text stays one.
    assert_clean(path, &page.replace('\t', " "));
    for (at, _) in page.match_indices('<') {
        let (bare, values) = tag(&page[at..]);
        assert!(!bare.contains(MARK), "{path}: a tag of the mail: {bare:?}");
        for (name, value) in values {
            let leads = ["href", "src", "action", "formaction", "srcset", "poster"].contains(&name.as_str());
            let value = value.trim().to_ascii_lowercase();
            let scheme = ["javascript:", "data:", "vbscript:", "//", "http"].iter().any(|s| value.starts_with(s));
            assert!(
                !(value.contains(MARK) && (leads && scheme || name == "style" || name.starts_with("on"))),
                "{path}: {name}={value}"
            );
        }
    }
    for name in ["script", "style"] {
        for inside in page.split(&format!("<{name}")).skip(1) {
            let inside = inside.split("</").next().unwrap();
            assert!(!inside.contains(MARK), "{path}: in a {name}");
        }
    }
}

/// A tag: what stands outside of quotes, and its quoted attributes.
fn tag(text: &str) -> (String, Vec<(String, String)>) {
    let (mut bare, mut values, mut rest) = (String::new(), Vec::new(), text);
    while let Some(at) = rest.find(['>', '"']) {
        bare.push_str(&rest[..at]);
        if rest[at..].starts_with('>') {
            return (bare, values);
        }
        let Some((value, more)) = rest[at + 1..].split_once('"') else { break };
        let name = rest[..at].trim_end_matches('=').rsplit([' ', '\n', '"']).next().unwrap_or_default();
        values.push((name.to_ascii_lowercase(), value.to_owned()));
        rest = more;
    }
    bare.push_str(rest);
    (bare, values)
}

/// A table of whole lines, no cell of which begins like a formula; how many lines it has below its head.
pub(crate) fn assert_no_formula(what: &str, text: &str) -> usize {
    let text = text.strip_prefix('\u{feff}').expect("the mark of a file for Excel");
    assert_clean(what, &text.replace("\r\n", "\n"));
    let mut reader = csv::ReaderBuilder::new().has_headers(true).from_reader(text.as_bytes());
    let width = reader.headers().unwrap().len();
    let mut lines = 0;
    for record in reader.records() {
        let record = record.unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(record.len(), width, "{what}: {record:?}");
        lines += 1;
        for cell in &record {
            let first = cell.chars().find(|c| {
                !c.is_whitespace() && !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
            });
            assert!(!first.is_some_and(|c| "=+-@|＝＋－＠﹦﹢﹣−".contains(c)), "{what}: {cell:?}");
        }
    }
    lines
}

#[test]
fn what_is_alive_is_seen() {
    let alive = [
        "<p><svg/onload=zq7></p>",
        "<input value=\"\" onfocus=zq7 x=\"\">",
        "<a href=\" javascript:zq7\">x</a>",
        "<script>zq7</script>",
        "<p style=\"zq7\">",
        "<p>\u{202e}zq7</p>",
    ];
    for page in alive {
        assert!(std::panic::catch_unwind(|| assert_dead("a page", page)).is_err(), "{page}");
    }
    assert_dead(
        "a page",
        "<p class=\"x\">&lt;svg/onload=zq7&gt; zq7</p><textarea>zq7</textarea><a href=\"/search?q=zq7\">x</a>",
    );
    for cell in ["=zq7", "\" =zq7\"", "\u{200b}@zq7"] {
        let file = format!("\u{feff}a\r\n{cell}\r\n");
        assert!(std::panic::catch_unwind(|| assert_no_formula("a file", &file)).is_err(), "{cell}");
    }
    assert_eq!(assert_no_formula("a file", "\u{feff}a\r\n'=zq7\r\n港区\r\n"), 2);
}
