//! HTML → lines, for mails without a plain text and to compare the two: blocks and rows become lines, cells are parted by
//! a tab, struck-out text is left out, a link that leads elsewhere than its text says is remembered. One pass, linear
//! time; anything unknown is skipped. No CSS beyond `line-through` and `display:none`.

use std::collections::VecDeque;

/// Longest character reference, in bytes (`&#x10FFFF;`).
const ENTITY_BYTES_MAX: usize = 12;
/// Open elements followed at once; deeper ones are treated as one.
const DEPTH_MAX: usize = 200;

/// A page as text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) text: String,
    /// A mailto link whose text shows another address.
    pub(super) link_differs: bool,
    /// Something was struck out.
    pub(super) struck: bool,
}

/// Reads a page.
pub(super) fn page(source: &str) -> Page {
    let mut reader = Reader::default();
    let mut rest = source;
    while let Some(at) = rest.find('<') {
        let (text, from) = rest.split_at(at);
        reader.text(text);
        rest = match from.strip_prefix("<!--") {
            Some(comment) => comment.split_once("-->").map_or("", |(_, after)| after),
            None => reader.tag(from),
        };
    }
    reader.text(rest);
    reader.finish()
}

#[derive(Default)]
struct Reader {
    out: String,
    /// Open elements whose content is hidden or struck: their names.
    hidden: VecDeque<String>,
    pre: u32,
    /// Open `<blockquote type="cite">` and the like: their lines get the mark of a plain text quotation.
    quote: u32,
    /// The address of the open link and where its text begins.
    link: Option<(String, usize)>,
    page: Page,
}

impl Reader {
    fn text(&mut self, text: &str) {
        if !self.hidden.is_empty() {
            return;
        }
        let text = decode_entities(text);
        for c in text.chars() {
            if self.quote > 0 && (self.out.is_empty() || self.out.ends_with('\n')) && !c.is_whitespace() {
                self.out.push_str("> ");
            }
            match c {
                '\n' | '\r' | '\t' | ' ' if self.pre == 0 => {
                    if !self.out.ends_with([' ', '\n', '\t']) {
                        self.out.push(' ');
                    }
                }
                '\r' => {}
                _ => self.out.push(c),
            }
        }
    }

    /// Reads one tag at the start of `from` and returns what follows.
    fn tag<'a>(&mut self, from: &'a str) -> &'a str {
        let inner = from.get(1..).unwrap_or_default();
        let closing = inner.starts_with('/');
        let name: String =
            inner.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect::<String>();
        let name = name.to_ascii_lowercase();
        if name.is_empty() && !inner.starts_with(['!', '?', '/']) && !inner.starts_with("o:") {
            self.text("<");
            return inner;
        }
        let (attributes, after) = split_tag(inner);
        if matches!(name.as_str(), "style" | "script" | "title" | "template") && !closing {
            return skip_element(after, &name);
        }
        if closing {
            self.close(&name);
        } else {
            self.open(&name, attributes);
        }
        after
    }

    fn open(&mut self, name: &str, attributes: &str) {
        let struck = matches!(name, "s" | "strike" | "del") || attributes.contains("line-through");
        let hidden = attributes.replace(' ', "").to_ascii_lowercase().contains("display:none");
        let same_name_inside = self.hidden.back().is_some_and(|open| open == name);
        let void = matches!(name, "br" | "hr" | "img" | "input" | "meta" | "link");
        if (struck || hidden || same_name_inside) && !void && self.hidden.len() < DEPTH_MAX {
            self.page.struck |= struck;
            self.hidden.push_back(name.to_owned());
        }
        match name {
            "br" => self.out.push('\n'),
            "hr" => {
                self.line();
                self.out.push_str("----------\n");
            }
            "pre" => self.pre += 1,
            "a" => self.link = mailto(attributes).map(|address| (address, self.out.len())),
            "blockquote" => {
                self.line();
                let cited = attributes.contains("cite") || attributes.contains("gmail_quote");
                // Inside a quotation every block counts, so that the ends match.
                self.quote += u32::from(cited || self.quote > 0);
            }
            _ if is_block(name) => self.line(),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if self.hidden.back().is_some_and(|open| open == name) {
            self.hidden.pop_back();
        }
        match name {
            "td" | "th" => self.out.push('\t'),
            "pre" => self.pre = self.pre.saturating_sub(1),
            "a" => {
                if let Some((address, from)) = self.link.take() {
                    let shown = self.out.get(from..).unwrap_or_default().trim().trim_start_matches("mailto:");
                    self.page.link_differs |= shown.contains('@') && !shown.eq_ignore_ascii_case(&address);
                }
            }
            "blockquote" => {
                self.line();
                self.quote = self.quote.saturating_sub(1);
            }
            _ if is_block(name) => self.line(),
            _ => {}
        }
    }

    /// Begins a new line unless one has just begun.
    fn line(&mut self) {
        while self.out.ends_with([' ', '\t']) {
            self.out.pop();
        }
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn finish(mut self) -> Page {
        self.page.text = std::mem::take(&mut self.out);
        self.page
    }
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "tr"
            | "li"
            | "ul"
            | "ol"
            | "dl"
            | "dt"
            | "dd"
            | "table"
            | "tbody"
            | "thead"
            | "body"
            | "html"
            | "blockquote"
            | "pre"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "section"
            | "article"
            | "center"
    )
}

/// Splits a tag at its `>` outside quotes: attributes and what follows.
fn split_tag(inner: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, c) in inner.char_indices() {
        match (quote, c) {
            (None, '>') => return (inner.get(..at).unwrap_or_default(), inner.get(at + 1..).unwrap_or_default()),
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), _) if q == c => quote = None,
            _ => {}
        }
    }
    (inner, "")
}

/// What follows `</name>`; everything is skipped if it never comes.
fn skip_element<'a>(after: &'a str, name: &str) -> &'a str {
    let mut rest = after;
    while let Some(at) = rest.find("</") {
        rest = rest.get(at + 2..).unwrap_or_default();
        if rest.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name)) {
            return split_tag(rest).1;
        }
    }
    ""
}

fn mailto(attributes: &str) -> Option<String> {
    let lower = attributes.to_ascii_lowercase();
    let at = lower.find("mailto:")? + "mailto:".len();
    let target = attributes.get(at..)?.split(['"', '\'', '?', ' ', '>']).next()?;
    let target = if target.contains('%') {
        let bytes: Vec<u8> = target.bytes().map(|b| if b == b'%' { b'=' } else { b }).collect();
        String::from_utf8_lossy(&super::header::quoted_printable(&bytes)).into_owned()
    } else {
        target.to_owned()
    };
    target.contains('@').then(|| decode_entities(&target))
}

fn decode_entities(text: &str) -> String {
    let Some(first) = text.find('&') else { return text.to_owned() };
    let (before, mut rest) = text.split_at(first);
    let mut out = before.to_owned();
    while let Some(from) = rest.strip_prefix('&') {
        let end = from.bytes().take(ENTITY_BYTES_MAX).position(|b| b == b';');
        let known = end.and_then(|end| Some((entity(from.get(..end)?)?, from.get(end + 1..)?)));
        if let Some((c, after)) = known {
            out.push(c);
            rest = after;
        } else {
            out.push('&');
            rest = from;
        }
        let next = rest.find('&').unwrap_or(rest.len());
        let (plain, after) = rest.split_at(next);
        out.push_str(plain);
        rest = after;
    }
    out
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    let c = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" | "ensp" | "emsp" | "thinsp" => ' ',
        "commat" => '@',
        "period" => '.',
        "middot" => '·',
        "rarr" => '→',
        "hellip" => '…',
        "shy" | "zwnj" | "zwj" => '\u{200b}',
        _ => return None,
    };
    Some(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, text: &str) {
        assert_eq!(page(source).text, text);
    }

    #[test]
    fn rows_and_cells_are_parted() {
        check("<table><tr><td>港区</td><td>a@x.jp</td></tr><tr><td>b</td></tr></table>", "港区\ta@x.jp\nb\n");
        check("<style>a@b{}</style><p>a<br>b</p>c &lt;d&#64;e&gt; 1 < 2", "a\nb\nc <d@e> 1 < 2");
        check("<p>a <s>old@x.jp</s> new@x.jp</p>", "a  new@x.jp\n".replace("  ", " ").as_str());
    }

    #[test]
    fn a_link_that_lies_is_noticed() {
        assert!(page("<a href=\"mailto:a@x.jp\">b@x.jp</a>").link_differs);
        assert!(!page("<a href=\"mailto:a@x.jp\">a@x.jp</a>").link_differs);
    }
}
