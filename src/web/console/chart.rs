//! Pictures: bars in SVG without text of their own, so that they fit any width; labels stand beside them as HTML. Each
//! has its numbers as a sentence for whoever cannot see it.

use super::visit::Lang;
use crate::engine::views::board::DayCount;
use minijinja::{Value, context};
use std::fmt::Write as _;

/// Dates written under a picture.
const DATES_SHOWN: usize = 5;

/// Bars of equal width, in percent of the picture; `mark`: the one drawn stronger.
pub(super) fn bars(values: &[u64], height: u32, title: &str, hints: &[String], mark: Option<usize>) -> Value {
    let most = values.iter().copied().max().unwrap_or(0).max(1);
    let step = 100.0 / to_f64(values.len().max(1) as u64);
    let mut svg = format!(
        "<svg class=\"bars\" role=\"img\" aria-label=\"{}\" width=\"100%\" height=\"{height}\"><line class=\"base\" x1=\"0\" x2=\"100%\" y1=\"{height}\" y2=\"{height}\"/>",
        escaped(title)
    );
    for (place, value) in values.iter().enumerate() {
        let x = step * to_f64(place as u64);
        // A single one is still to be seen.
        let tall = if *value == 0 { 0.0 } else { (f64::from(height) * to_f64(*value) / to_f64(most)).max(2.0) };
        let class = if mark == Some(place) { " class=\"mark\"" } else { "" };
        let hint = hints.get(place).map(|hint| escaped(hint)).unwrap_or_default();
        let _ = write!(
            svg,
            "<rect{class} x=\"{:.3}%\" width=\"{:.3}%\" y=\"{:.1}\" height=\"{tall:.1}\"><title>{hint}</title></rect>",
            x + step * 0.12,
            step * 0.76,
            f64::from(height) - tall,
        );
    }
    svg.push_str("</svg>");
    Value::from_safe_string(svg)
}

/// What is drawn of a day.
type Count = fn(&DayCount) -> u64;

/// Three rows of bars under each other: mails in, letters out, certificates picked up.
pub(super) fn days(lang: Lang, days: &[DayCount], small: bool) -> Value {
    let rows: [(&str, &str, Count); 3] = [
        ("受信", "mails in", |day| day.mails),
        ("送信", "letters out", |day| day.letters),
        ("取得", "picked up", |day| day.collected),
    ];
    let height = if small { 28 } else { 44 };
    let rows: Vec<_> = rows
        .iter()
        .map(|(ja, en, pick)| {
            let values: Vec<u64> = days.iter().map(pick).collect();
            let total: u64 = values.iter().sum();
            let word = lang.pick(*ja, *en);
            let hints: Vec<String> =
                days.iter().map(|day| format!("{} {word} {}", lang.day(day.day), pick(day))).collect();
            let title = lang.pick(format!("日ごとの{word}、合計{total}"), format!("{word} by day, {total} in all"));
            context! { word, total, most => values.iter().max().copied(), svg => bars(&values, height, &title, &hints, None) }
        })
        .collect();
    let step = days.len().saturating_sub(1) / (DATES_SHOWN - 1).max(1);
    let dates: Vec<String> =
        days.iter().step_by(step.max(1)).map(|day| format!("{}/{}", day.day.month(), day.day.day())).collect();
    context! { rows, dates }
}

/// One horizontal bar, `part` of `whole`.
pub(super) fn bar(part: u64, whole: u64) -> Value {
    let share = if whole == 0 { 0.0 } else { 100.0 * to_f64(part) / to_f64(whole) };
    Value::from_safe_string(format!(
        "<svg class=\"bar\" aria-hidden=\"true\" width=\"100%\" height=\"14\"><rect class=\"rest\" width=\"100%\" height=\"14\"/><rect width=\"{share:.2}%\" height=\"14\"/></svg>"
    ))
}

/// Whole percent, never 100 unless it is all and never 0 unless it is none.
pub(super) fn percent(part: u64, whole: u64) -> u64 {
    match (part, whole) {
        (_, 0) | (0, _) => 0,
        (part, whole) if part >= whole => 100,
        (part, whole) => (part * 100 / whole).clamp(1, 99),
    }
}

/// Counts are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53, and a picture needs no more")]
fn to_f64(count: u64) -> f64 {
    count as f64
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_do_not_round_to_an_untruth() {
        assert_eq!(
            [percent(999, 1000), percent(1, 1000), percent(0, 5), percent(5, 5), percent(0, 0)],
            [99, 1, 0, 100, 0]
        );
    }

    #[test]
    fn a_picture_holds_no_markup_of_others() {
        let svg = bars(&[1], 10, "<script>", &["\"><b>".to_owned()], None).to_string();
        assert!(!svg.contains("<script>") && !svg.contains("<b>"));
    }
}
