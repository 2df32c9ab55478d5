//! In which language a page of staff speaks: as somebody chose on this browser (cookie `lang`), else as the browser asks
//! for (`Accept-Language`, RFC 9110 §12.5.4), else Japanese.

use super::session::cookie;
use crate::engine::views::words::Lang;
use axum::http::{HeaderMap, header};

/// Name of the cookie that keeps the choice.
pub(super) const COOKIE: &str = "lang";
/// Languages of one request that are looked at.
const RANGES_MAX: usize = 20;

/// The language of a code: `ja`, `en`.
pub(super) fn of_code(code: &str) -> Option<Lang> {
    match code {
        "ja" => Some(Lang::Ja),
        "en" => Some(Lang::En),
        _ => None,
    }
}

/// The language of a request.
pub(super) fn asked(headers: &HeaderMap) -> Lang {
    let chosen = cookie(headers, COOKIE).and_then(|code| of_code(&code));
    let wanted = || headers.get(header::ACCEPT_LANGUAGE).and_then(|ranges| wanted(ranges.to_str().ok()?));
    chosen.or_else(wanted).unwrap_or(Lang::Ja)
}

/// Which of ours a browser would rather have; `None`: it says nothing about them. Of two with the same weight the first.
fn wanted(ranges: &str) -> Option<Lang> {
    let mut best: Option<(Lang, f32)> = None;
    for range in ranges.split(',').take(RANGES_MAX) {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
        let primary = tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
        let weight = parameters.trim().strip_prefix("q=").map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
        let Some(lang) = of_code(&primary) else { continue };
        if weight > 0.0 && best.is_none_or(|(_, known)| weight > known) {
            best = Some((lang, weight));
        }
    }
    best.map(|(lang, _)| lang)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_then_the_browser_then_japanese() {
        let check = |cookie: &str, accept: &str, expected: Lang| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, cookie.parse().unwrap());
            headers.insert(header::ACCEPT_LANGUAGE, accept.parse().unwrap());
            assert_eq!(asked(&headers), expected, "{cookie} {accept}");
        };
        check("", "", Lang::Ja);
        check("", "en-US,en;q=0.9", Lang::En);
        check("", "en;q=0.3, ja;q=0.8", Lang::Ja);
        check("", "de, ja-JP, en", Lang::Ja);
        check("", "de, EN-gb;q=0.1", Lang::En);
        check("", "en;q=0, *;q=0.5", Lang::Ja);
        check("", "en;q=x", Lang::Ja);
        check("lang=ja", "en", Lang::Ja);
        check("lang=en", "ja", Lang::En);
        check("lang=xx", "en", Lang::En);
        assert_eq!(asked(&HeaderMap::new()), Lang::Ja);
    }
}
