//! Both languages of the console, as far as `engine::views::words` has no words for it: days, ages, chips.

use super::visit::Lang;
use crate::domain::{Date, time};
use crate::engine::views::words::Word;
use minijinja::{HtmlEscape, State, Value, context};

impl Lang {
    pub(in crate::web) fn code(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }

    /// `2020-05-01 (金)`.
    pub(super) fn day(self, day: Date) -> String {
        self.pick(day.staff(), day.to_string())
    }

    /// How long, in the greatest unit that fits.
    pub(super) fn age(self, seconds: i64) -> String {
        let seconds = seconds.max(0);
        let (count, ja, en) = if seconds < time::MINUTE {
            return self.pick("1分未満", "< 1 min").to_owned();
        } else if seconds < time::HOUR {
            (seconds / time::MINUTE, "分", " min")
        } else if seconds < 2 * time::DAY {
            (seconds / time::HOUR, "時間", " h")
        } else {
            (seconds / time::DAY, "日", " d")
        };
        format!("{count}{}", self.pick(ja, en))
    }
}

/// Whether a state is good, waits, or is bad: the colour of its dot.
pub(super) fn tone(code: &str) -> &'static str {
    match code {
        "refused" | "bounced" | "undeliverable" | "unreadable" | "revoked" => "bad",
        "review" | "held" | "unknown" | "expired" | "deferred" | "inquiry" => "late",
        "relayed" | "in-use" | "collected" | "registered" | "revision" | "standing" => "done",
        "open" | "planned" | "in-flight" | "notice-queued" | "queued" => "open",
        _ => "mute",
    }
}

/// A state as a chip shows it.
pub(super) fn chip(lang: Lang, word: Word) -> Value {
    context! { code => word.0, word => lang.word(word), tone => tone(word.0) }
}

/// `value|ja` in a template: data, as a mail or a register says it. On an English page what is Japanese in it is marked as
/// such, for who listens to the page.
pub(super) fn ja(state: &State<'_, '_>, value: &Value) -> Value {
    let text = value.to_string();
    let english = state.lookup("lang").is_some_and(|lang| lang.as_str() == Some("en"));
    let first = text.find(is_japanese);
    let last = text.char_indices().rfind(|(_, c)| is_japanese(*c)).map(|(at, c)| at + c.len_utf8());
    let (Some(first), Some(last), true) = (first, last, english) else { return value.clone() };
    let part = |range: Option<&str>| HtmlEscape(range.unwrap_or_default()).to_string();
    Value::from_safe_string(format!(
        "{}<span lang=\"ja\">{}</span>{}",
        part(text.get(..first)),
        part(text.get(first..last)),
        part(text.get(last..))
    ))
}

/// Kana, and characters Japanese is written with.
pub(super) fn is_japanese(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// `t("日本語", "English")` in a template: the one of the page's language.
pub(super) fn t(state: &State<'_, '_>, ja: Value, en: Value) -> Value {
    let english = state.lookup("lang").is_some_and(|lang| lang.as_str() == Some("en"));
    if english { en } else { ja }
}
