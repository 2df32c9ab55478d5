//! Text of a page that its reader does not see: switched off, without size, outside the window, or in the colour of the
//! paper. It is never data; where it holds an address, a person is told. Inline styles and attributes only; a style sheet
//! that switches text off counts for the whole page ([`hides`]).

use super::pattern::{matches, pattern};

/// How an element's text is kept from its reader; the greater one counts inside the lesser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Veil {
    /// As white as paper: seen only where the page has a background.
    Pale,
    /// Struck out.
    Struck,
    Unseen,
}

/// Colours this near to white count as white (of 255).
const WHITE_MIN: u32 = 0xf0;

pattern!(
    UNSEEN,
    r"display:none|visibility:(?:hidden|collapse)|mso-hide:all|opacity:(?:0?\.0|0(?:[^.0-9]|$))|font-size:(?:0(?:[^.0-9]|\.[0-9]*(?:px|pt)|$)|[12](?:\.[0-9]+)?(?:px|pt))|(?:^|[^-])color:transparent|(?:left|top|right|text-indent|margin-left):-[0-9]{3,}|(?:[^-a-z]|max-)(?:height|width):0(?:[^.0-9]|$)"
);
pattern!(HIDDEN, r"(?i)(?:^|\s)hidden(?:\s|=|/|$)");
pattern!(
    COLOUR,
    r#"(?i)(?:^|[^-a-z])color\s*[:=]\s*["']?\s*(?:(white|snow|ivory|ghostwhite|floralwhite|whitesmoke)|#([0-9a-f]{6}|[0-9a-f]{3})(?:[^0-9a-f]|$)|rgba?\(\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*,\s*([0-9]{1,3}))"#
);
pattern!(SHEET, r"(?i-u)display\s*:\s*none|visibility\s*:\s*hidden");

/// What the attributes of a tag do to its text. They come with character references decoded.
pub(super) fn veil(name: &str, attributes: &str) -> Option<Veil> {
    let struck = matches!(name, "s" | "strike" | "del");
    if attributes.trim().is_empty() {
        return struck.then_some(Veil::Struck);
    }
    let style: String = attributes.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
    if matches(&UNSEEN, &style) || (matches(&HIDDEN, attributes) && name != "input") {
        return Some(Veil::Unseen);
    }
    if struck || style.contains("line-through") {
        return Some(Veil::Struck);
    }
    pale(attributes).then_some(Veil::Pale)
}

/// Does a style sheet switch text off?
pub(super) fn hides(sheet: &str) -> bool {
    matches(&SHEET, sheet)
}

fn pale(attributes: &str) -> bool {
    let Some(found) = COLOUR.as_ref().and_then(|c| c.captures(attributes)) else { return false };
    let text = |n: usize| found.get(n).map(|m| m.as_str());
    let channels: Vec<u32> = match (text(2), text(3)) {
        (Some(hex), _) => {
            let width = hex.len() / 3;
            let channel =
                |at: usize| hex.get(at * width..(at + 1) * width).and_then(|h| u32::from_str_radix(h, 16).ok());
            (0..3).filter_map(channel).map(|c| if width == 1 { c * 0x11 } else { c }).collect()
        }
        (None, Some(_)) => (3..6).filter_map(|n| text(n)?.parse().ok()).collect(),
        (None, None) => return text(1).is_some(),
    };
    channels.iter().all(|c| *c >= WHITE_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees() {
        let check = |name: &str, attributes: &str, expected: Option<Veil>| {
            assert_eq!(veil(name, attributes), expected, "{name} {attributes}");
        };
        let unseen = Some(Veil::Unseen);
        check("div", " style=\"DISPLAY : none\"", unseen);
        check("div", " style='visibility: hidden'", unseen);
        check("div", " hidden", unseen);
        check("span", " style=\"font-size:0\"", unseen);
        check("span", " style=\"font-size:1px\"", unseen);
        check("span", " style=\"opacity:0;\"", unseen);
        check("div", " style=\"position:absolute;left:-9999px\"", unseen);
        check("div", " style=\"max-height:0;overflow:hidden\"", unseen);
        check("span", " style=\"color:#FFF\"", Some(Veil::Pale));
        check("span", " style=\"color:rgb(255, 255, 255)\"", Some(Veil::Pale));
        check("font", " color=\"#fefefe\"", Some(Veil::Pale));
        check("font", " face=x color=white", Some(Veil::Pale));
        check("span", " style=\"text-decoration:line-through\"", Some(Veil::Struck));
        check("s", "", Some(Veil::Struck));
        let seen = [
            "font-size:10.5pt;color:black;background:white",
            "opacity:0.9",
            "font-size:0.8em",
            "line-height:0",
            "border-width:0",
            "color:#1F497D",
            "color:#ff0000",
            "background-color:#ffffff",
            "text-indent:-12pt;margin-left:-5pt",
            "height:15.0pt;width:100px",
        ];
        seen.iter().for_each(|style| check("td", &format!(" style='{style}'"), None));
        assert!(hides(".x { display: none }") && !hides("p.MsoNormal {margin:0mm}"));
    }
}
