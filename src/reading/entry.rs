//! One line → a name and its addresses. An address is taken only exactly as it stands (after NFKC): whatever hints that
//! something was lost or mistyped makes it `broken`, and a person decides. Source: seed 4.1; research R10.

use super::names::{is_body_name, is_centre_name, name, unmarked};
use super::normalise::is_letter;
use super::pattern::{matches, pattern};
use crate::domain::MailAddress;
use crate::rules::labels::Labels;
use std::borrow::Cow;
use unicode_normalization::char::is_combining_mark;

/// What one line states.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stated {
    /// Without marks, labels and separators; empty if the line holds none.
    pub(super) name: String,
    /// In order, each once.
    pub(super) addresses: Vec<MailAddress>,
    /// Something on the line looks like an address and is none.
    pub(super) broken: bool,
    /// The name stands behind the addresses.
    pub(super) trailing: bool,
    /// Byte offset in the line at which each address begins, parallel to `addresses`.
    pub(super) at: Vec<usize>,
}

/// Reads a tidied line.
pub(super) fn read(text: &str, labels: &Labels) -> Stated {
    let (mut stated, spans) = with_addresses(text);
    let rest = around(text, &spans);
    let before = spans.first().map_or(text, |(start, _)| text.get(..*start).unwrap_or_default());
    stated.broken |= leftovers(&rest, !spans.is_empty(), labels);
    // 訂正です。港保健所は…: the sentence before is no part of the name.
    let own = before.rsplit('。').find(|part| part.contains(is_letter)).unwrap_or(before);
    stated.name = name(own, labels);
    if stated.name.is_empty()
        && let Some((_, end)) = spans.last()
    {
        let after = name(text.get(*end..).unwrap_or_default(), labels);
        if is_body_name(&after) {
            (stated.name, stated.trailing) = (after, true);
        }
    }
    stated
}

/// The one address a text is, if it is nothing else.
pub(super) fn only(text: &str) -> Option<MailAddress> {
    let (stated, _) = with_addresses(text);
    stated.addresses.into_iter().next().filter(|a| a.as_str() == text)
}

/// The addresses of a line, without its name, and the stretches that may be addresses.
fn with_addresses(text: &str) -> (Stated, Vec<(usize, usize)>) {
    let mut stated = Stated::default();
    let spans = spans(text);
    stated.broken = spans.len() > ADDRESSES_MAX || spans.iter().any(|span| is_part(text, *span));
    for (start, end) in spans.iter().take(ADDRESSES_MAX) {
        let written = text.get(*start..*end).unwrap_or_default();
        match written.parse::<MailAddress>() {
            Ok(address) if sound(&address) && !unclear_start(text, *start) && !goes_on(text, *end) => {
                if !stated.addresses.iter().any(|a| a.same_mailbox(&address)) {
                    stated.addresses.push(address);
                    stated.at.push(*start);
                }
            }
            Ok(_) | Err(_) => stated.broken = true,
        }
    }
    (stated, spans)
}

/// Is the stretch only part of what was meant: does a letter of another script (Cyrillic о in Latin disguise), a mark put on
/// a letter, or a sign that addresses may hold (`o'neil@…`) stand right beside it?
fn is_part(text: &str, (start, end): (usize, usize)) -> bool {
    let strange = |c: char| is_combining_mark(c) || (c.is_alphabetic() && !c.is_ascii() && c < FIRST_OF_EAST_ASIA);
    let mut before = text.get(..start).unwrap_or_default().chars().rev();
    let after = text.get(end..).unwrap_or_default().chars().next();
    match before.next() {
        Some(c) if strange(c) => true,
        Some(c) if "!#$&'*/=?^`{|}~".contains(c) => {
            let letter = before.next().is_some_and(|c| c.is_ascii_alphanumeric());
            let alone = !before.next().is_some_and(|c| c.is_ascii_alphanumeric());
            letter && alone
        }
        Some(_) | None => after.is_some_and(strange),
    }
}

/// Letters before this one are neither kana nor kanji (CJK Radicals Supplement begins here).
const FIRST_OF_EAST_ASIA: char = '\u{2e80}';

/// Addresses taken from one line; more make it `broken`, for a line of so many is no entry.
pub const ADDRESSES_MAX: usize = 100;
/// One more is looked at, to see that there are more.
const SPANS_MAX: usize = ADDRESSES_MAX + 1;

/// The sound addresses of a line, and nothing else of it.
pub(super) fn addresses(text: &str) -> impl Iterator<Item = MailAddress> {
    let spans = spans(text).into_iter().take(ADDRESSES_MAX);
    let parsed = spans.filter_map(|(start, end)| text.get(start..end)?.parse().ok());
    parsed.filter(sound)
}

/// The stretches around each `@` that may be addresses.
fn spans(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let local = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-');
    let domain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    let mut spans: Vec<(usize, usize)> = Vec::new();
    let links = text.contains("://");
    for (at, _) in text.match_indices('@').filter(|(at, _)| !links || !in_a_link(text, *at)).take(SPANS_MAX) {
        let floor = spans.last().map_or(0, |(_, end)| *end);
        let mut start = at;
        // Three dots lead from a label to its address: E-mail...a@…
        while start > floor
            && bytes.get(start - 1).is_some_and(local)
            && !bytes.get(..start).is_some_and(|b| b.ends_with(b"..."))
        {
            start -= 1;
        }
        while start < at && bytes.get(start).is_some_and(|b| matches!(b, b'.' | b'-')) {
            start += 1;
        }
        let mut end = at + 1;
        while bytes.get(end).is_some_and(domain) {
            end += 1;
        }
        // A second @ right behind: one broken stretch, not two addresses.
        if bytes.get(end) == Some(&b'@') {
            end += 1;
        }
        while end > at + 1 && bytes.get(end - 1).is_some_and(|b| matches!(b, b'.' | b'-')) {
            end -= 1;
        }
        // Signs of emphasis around it: _a@…_, and not a local part that begins so.
        while bytes.get(end) == Some(&b'_') && bytes.get(start) == Some(&b'_') {
            start += 1;
        }
        if at >= floor {
            spans.push((start, end));
        }
    }
    spans
}

/// Does this sign @ stand in the address of a page: https://maps.example.jp/@35.6,139.7?
fn in_a_link(text: &str, at: usize) -> bool {
    let before = text.as_bytes().get(at.saturating_sub(LINK_BYTES_MAX)..at).unwrap_or_default();
    let run = before.rsplit(|b| !b.is_ascii_graphic()).next().unwrap_or_default();
    run.windows(3).any(|sign| sign == b"://")
}

/// How far before a sign @ the beginning of a link is looked for, in bytes.
const LINK_BYTES_MAX: usize = 300;

/// The statements of a line that names several tenants (`港保健所 a@… 、西保健所 b@…`): one piece for each. A line with
/// one name, however many addresses, is one piece.
pub(super) fn pieces<'a>(text: &'a str, labels: &Labels) -> Vec<&'a str> {
    let spans = spans(text);
    if spans.len() < 2 {
        return vec![text];
    }
    let leads =
        spans.first().is_some_and(|(start, _)| !is_body_name(&name(text.get(..*start).unwrap_or_default(), labels)));
    let trails = spans.last().is_some_and(|(_, end)| is_body_name(&name(text.get(*end..).unwrap_or_default(), labels)));
    let mut pieces = Vec::new();
    let mut from = 0;
    for pair in spans.windows(2) {
        let [(_, end), (start, _)] = pair else { continue };
        let between = name(text.get(*end..*start).unwrap_or_default(), labels);
        if is_body_name(&between) && !is_label(&between) {
            let cut = if leads && trails { *start } else { *end };
            pieces.push(text.get(from..cut).unwrap_or_default());
            from = cut;
        }
    }
    pieces.push(text.get(from..).unwrap_or_default());
    pieces
}

/// 代表, 担当課: words beside a second address of the same tenant.
fn is_label(name: &str) -> bool {
    !is_centre_name(name) && name.chars().count() <= 4 && !name.ends_with(['市', '区', '県', '府', '都', '道'])
}

/// Does the address begin in a doubtful way: with a dot, or glued to a number that may be the list's (`1.hoken@…`)?
fn unclear_start(text: &str, start: usize) -> bool {
    let (before, address) = text.split_at_checked(start).unwrap_or(("", text));
    let dotted = before.strip_suffix('.').is_some_and(|b| b.is_empty() || b.ends_with([' ', '\t', '<', '(', ':']));
    let Some((number, _)) = address.split_once('.').filter(|_| before.trim().is_empty()) else { return dotted };
    let listed = number.len() <= 2 && number.bytes().all(|b| b.is_ascii_digit())
        || number.len() == 1 && number.bytes().all(|b| b.is_ascii_uppercase());
    dotted || listed
}

/// Does something that is no address and no particle stick to its end: `…lg.jpう`, `…lg.jpー`?
fn goes_on(text: &str, end: usize) -> bool {
    let rest = text.get(end..).unwrap_or_default();
    let kana = rest.starts_with(|c: char| matches!(c, 'ぁ'..='ん' | 'ー'));
    kana && !PARTICLES.iter().any(|p| rest.starts_with(p))
}

/// Words that may follow an address without a blank.
const PARTICLES: [&str; 18] = [
    "では",
    "です",
    "でお",
    "とな",
    "と",
    "に",
    "へ",
    "の",
    "は",
    "が",
    "を",
    "も",
    "や",
    "か",
    "ま",
    "及び",
    "または",
    "あて",
];

pattern!(TELEPHONE, r"^\+?[0-9]{2,5}-[0-9]{1,4}-[0-9]{3,4}[a-zA-Z]");

/// Valid and nothing odd about it: no doubled dot, no digit in the place of the letter in `lg.jp`, no telephone number glued
/// to its front (`0123-45-6789hoken@…`), and no host that serves pages.
fn sound(address: &MailAddress) -> bool {
    let text = address.as_str();
    if text.starts_with(|c: char| c.is_ascii_digit()) && matches(&TELEPHONE, text) || text.contains("@www.") {
        return false;
    }
    let end = text.len().checked_sub(".lg.jp".len()).and_then(|at| text.get(at..)).unwrap_or_default();
    let lookalike = [".1g.jp", ".ig.jp", ".lg.ip"].iter().any(|odd| end.eq_ignore_ascii_case(odd));
    !text.contains("..") && !text.contains(".@") && !lookalike
}

/// The line without its addresses.
fn around(text: &str, spans: &[(usize, usize)]) -> String {
    let mut rest = String::with_capacity(text.len());
    let mut from = 0;
    for (start, end) in spans {
        rest.push_str(text.get(from..*start).unwrap_or_default());
        rest.push(' ');
        from = *end;
    }
    rest.push_str(text.get(from..).unwrap_or_default());
    rest
}

pattern!(URL, r"[a-z]+://\S+");
pattern!(SPELT_AT, r"(?i)[a-z0-9]\s*[(\[{<]?\s*((?-u:\b)at(?-u:\b)|atmark|アットマーク|アット)\s*[)\]}>]?\s*[a-z0-9]");

/// Letters left over beside addresses (or, without any, a host name): part of an address that was torn.
fn leftovers(rest: &str, beside: bool, labels: &Labels) -> bool {
    let rest = match URL.as_ref().filter(|_| rest.contains("://")) {
        Some(url) => url.replace_all(rest, " "),
        None => Cow::Borrowed(rest),
    };
    let rest = unmarked(&rest);
    let host = |w: &str| w.contains('.') && w.rsplit('.').next().is_some_and(|t| t.eq_ignore_ascii_case("jp"));
    let odd = words(rest).any(|w| {
        let w = w.trim_end_matches(['.', '-', '_']).to_ascii_lowercase();
        let label = labels.latin.contains(&w) || w.ends_with("-mail");
        host(&w) || (beside && !label && w.len() > 1) || (beside && w == "jp")
    });
    // What no line without these letters can match.
    let spelt = || rest.contains("アット") || rest.as_bytes().windows(2).any(|pair| pair.eq_ignore_ascii_case(b"at"));
    odd || spelt() && matches(&SPELT_AT, rest)
}

/// The words of Latin letters, from a letter on, with the digits and signs of host names.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let runs = text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '+' | '-'));
    runs.map(|run| run.trim_start_matches(|c: char| !c.is_ascii_alphabetic())).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Labels {
        crate::rules::Rules::embedded().unwrap().registration.labels
    }

    fn check(line: &str, name: &str, addresses: &[&str], broken: bool) {
        let stated = read(&super::super::normalise::tidy(line), &labels());
        let found: Vec<&str> = stated.addresses.iter().map(MailAddress::as_str).collect();
        assert_eq!((stated.name.as_str(), found.as_slice(), stated.broken), (name, addresses, broken), "{line}");
    }

    #[test]
    fn separators_marks_and_labels() {
        check("港区　a@x.lg.jp", "港区", &["a@x.lg.jp"], false);
        check("・みなと保健所：＜ａ＠ｘ．ｌｇ．ｊｐ＞", "みなと保健所", &["a@x.lg.jp"], false);
        check("(1) 港区 - a@x.lg.jp", "港区", &["a@x.lg.jp"], false);
        check("①港区=a@x.lg.jp。", "港区", &["a@x.lg.jp"], false);
        check("広島県……mailto:a@x.lg.jp", "広島県", &["a@x.lg.jp"], false);
        check("\"港区\" <a@x.lg.jp>,", "港区", &["a@x.lg.jp"], false);
        check("１．港区　Ｅメール：a@x.lg.jp", "港区", &["a@x.lg.jp"], false);
        check("港区 a@x.lg.jp<mailto:a@x.lg.jp>", "港区", &["a@x.lg.jp"], false);
        check("a@x.lg.jp 盛岡局（県央保健所）", "盛岡局(県央保健所)", &["a@x.lg.jp"], false);
        check("港区 a@x.lg.jp、b@x.lg.jp", "港区", &["a@x.lg.jp", "b@x.lg.jp"], false);
        check("山口保健所　a@x.lg.jp（代表）電話:065-478-0066", "山口保健所", &["a@x.lg.jp"], false);
        check("　E-mail：a@x.lg.jp", "", &["a@x.lg.jp"], false);
    }

    #[test]
    fn a_line_with_several_tenants_is_parted() {
        let check = |line: &str, count: usize| assert_eq!(pieces(line, &labels()).len(), count, "{line}");
        check("港保健所 a@x.lg.jp、西保健所 b@x.lg.jp", 2);
        check("a@x.lg.jp 港保健所 b@x.lg.jp 西保健所", 2);
        check("港保健所 a@x.lg.jp、b@x.lg.jp(担当課)", 1);
        check("港保健所 a@x.lg.jp", 1);
        check("港保健所", 1);
    }

    #[test]
    fn nothing_is_repaired() {
        check("山城北保健所　eisei pref.kyoto.lg.jp", "山城北保健所 eisei pref.kyoto.lg.jp", &[], true);
        check("港区 hoken soumu@x.lg.jp", "港区 hoken", &["soumu@x.lg.jp"], true);
        check("港区 a@city,x.lg.jp", "港区", &[], true);
        check("港区 a@x,lg.jp", "港区", &[], true);
        check("港区 a@x. y.lg.jp", "港区", &[], true);
        check("港区 a@@x.lg.jp", "港区", &[], true);
        check("港区 a(at)x.lg.jp", "港区 a(at)x.lg.jp", &[], true);
        check("港区 a@x..lg.jp", "港区", &[], true);
        check("港区 a@x.1g.jp", "港区", &[], true);
        check("港区 \u{4bb}oken@x.lg.jp", "港区 \u{4bb}", &["oken@x.lg.jp"], true);
        check("港区 a@x.lg.jp\u{338}", "港区", &["a@x.lg.jp"], true);
        check("港区 o'neil@x.lg.jp", "港区 o", &["neil@x.lg.jp"], true);
        check("港区/a@x.lg.jp/b@x.lg.jp", "港区", &["a@x.lg.jp", "b@x.lg.jp"], false);
    }
}
