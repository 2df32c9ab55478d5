//! HTML → lines, for mails without a plain text and to compare the two: blocks and rows become lines, cells are parted by
//! a tab, struck-out text is left out, a link that leads elsewhere than its text says is remembered. One pass, linear
//! time; anything unknown is skipped. What nobody sees is no text (`veil`).

use super::pattern::{matches, pattern};
use super::veil::{self, Veil};

/// Longest character reference, in bytes (`&#x10FFFF;`).
const ENTITY_BYTES_MAX: usize = 12;
/// Veiled elements of different names followed into each other; beyond, the rest of the page counts as unseen.
pub const VEILS_MAX: usize = 200;

pattern!(BACKGROUND, r"(?i-u)background|bgcolor");

/// A page as text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) text: String,
    /// A mailto link whose text shows another address.
    pub(super) link_differs: bool,
    /// Something was struck out.
    pub(super) struck: bool,
    /// An address stands where nobody sees it, or a style sheet may hide some.
    pub(super) unseen: bool,
}

/// Reads a page.
pub(super) fn page(source: &str) -> Page {
    let mut reader = Reader { backed: matches(&BACKGROUND, source), ..Reader::default() };
    let mut rest = source;
    while let Some(at) = tag_start(rest) {
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

/// Where the next tag, comment or declaration begins; a `<` before anything else is text.
fn tag_start(text: &str) -> Option<usize> {
    let opens = |(at, _): &(usize, &str)| {
        let after = text.as_bytes().get(at + 1);
        after.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'!' | b'?' | b'/'))
    };
    text.match_indices('<').find(opens).map(|(at, _)| at)
}

#[derive(Default)]
struct Reader {
    out: String,
    /// The page sets backgrounds: what is white may stand on something dark.
    backed: bool,
    /// Open elements that veil their text: name, how, and how many of this name are open inside.
    veils: Vec<(String, Veil, u32)>,
    pre: u32,
    /// Open `<blockquote type="cite">` and the like: their lines get the mark of a plain text quotation.
    quote: u32,
    /// The address of the open link and where its text begins.
    link: Option<(String, usize)>,
    page: Page,
}

impl Reader {
    fn text(&mut self, text: &str) {
        let text = decode_entities(text);
        if let Some((_, veil, _)) = self.veils.last() {
            self.page.unseen |= *veil != Veil::Struck && text.contains(['@', '＠']);
            if *veil != Veil::Pale || !self.backed {
                return;
            }
        }
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
        let (attributes, after) = split_tag(inner);
        if matches!(name.as_str(), "style" | "script" | "title" | "template") && !closing {
            let rest = skip_element(after, &name);
            let sheet = after.get(..after.len() - rest.len()).unwrap_or_default();
            self.page.unseen |= name == "style" && veil::hides(sheet);
            return rest;
        }
        if closing {
            self.close(&name);
        } else {
            self.open(&name, attributes);
        }
        after
    }

    fn open(&mut self, name: &str, attributes: &str) {
        self.veil(name, attributes);
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

    fn veil(&mut self, name: &str, attributes: &str) {
        if matches!(name, "br" | "hr" | "img" | "input" | "meta" | "link") {
            return;
        }
        let veil = veil::veil(name, &decode_entities(attributes.get(name.len()..).unwrap_or_default()));
        self.page.struck |= veil == Some(Veil::Struck);
        let open = self.veils.len();
        match (self.veils.last_mut(), veil) {
            (Some((of, known, inside)), new) if of == name && new.is_none_or(|new| new <= *known) => *inside += 1,
            (_, None) => {}
            (Some(_), Some(_)) if open >= VEILS_MAX => {
                // Never closed: nothing is called so.
                self.veils.push((String::new(), Veil::Unseen, 0));
                self.page.unseen = true;
            }
            (outer, Some(new)) => {
                let veil = outer.map_or(new, |(_, known, _)| new.max(*known));
                self.veils.push((name.to_owned(), veil, 0));
            }
        }
    }

    fn close(&mut self, name: &str) {
        match self.veils.last_mut() {
            Some((of, _, 0)) if of == name && !name.is_empty() => drop(self.veils.pop()),
            Some((of, _, inside)) if of == name => *inside = inside.saturating_sub(1),
            Some(_) | None => {}
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

    #[test]
    fn what_nobody_sees_is_no_text() {
        let hidden = page("a<div style='display&#58;none'>b@x.jp<div>c</div>d</div>e");
        assert!(hidden.text == "a\ne" && hidden.unseen, "{hidden:?}");
        let white = page("a<font color=white>b@x.jp</font>c");
        assert!(white.text == "ac" && white.unseen);
        let headed = page("<tr bgcolor=navy><td><font color=white>保健所</font></td></tr>");
        assert!(headed.text == "保健所\t\n" || headed.text == "保健所\n", "{headed:?}");
        assert!(!headed.unseen);
        assert!(page("<style>.h{display:none}</style>a").unseen);
        let deep = "<s><del>".repeat(VEILS_MAX) + "a" + &"</del></s>".repeat(VEILS_MAX) + "b@x.jp";
        assert!(page(&deep).text.is_empty() && page(&deep).unseen);
    }
}
