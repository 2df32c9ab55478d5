//! Cron expressions as rules give them: checked for shape and for whether any day of the calendar answers to them. What
//! they mean beyond that is the scheduler's business. Weekdays by name only, because their numbers differ from those of
//! crontab (research/dependencies §8).

use super::toml_file::Section;

/// Days of the longest month of each number: February has 29.
const MONTH_DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A cron expression with seconds; where it is none, or no day ever answers to it, the file gets a fault.
pub(super) fn cron(s: &mut Section<'_, '_>, key: &'static str, default: &str) -> String {
    let text = s.text(key, default);
    let fields: Vec<&str> = text.text.split_whitespace().collect();
    let sign = |c: char| c.is_ascii_alphanumeric() || "*,-/?".contains(c);
    if !matches!(fields.len(), 6 | 7) || !text.text.chars().all(|c| sign(c) || c == ' ') {
        let fault = format!("{key} \"{}\" is no cron expression with seconds", text.text);
        s.fault(text.at, fault, "write 6 fields: second minute hour day month weekday, like \"0 */5 * * * *\"");
    } else if fields.get(5).is_some_and(|weekday| weekday.contains(|c: char| c.is_ascii_digit())) {
        let fault = format!("{key} \"{}\" gives weekdays as numbers", text.text);
        s.fault(text.at, fault, "write their names, like Mon-Fri");
    } else if let [_, _, _, day, month, ..] = fields.as_slice()
        && !some_day(day, month)
    {
        let fault = format!("{key} \"{}\" names a day that no month has", text.text);
        s.fault(text.at, fault, "give a day the month has (1 to 31; February 1 to 29), or * for every day");
    }
    text.text
}

/// Has any of these months any of these days? What is not understood is left to the scheduler.
fn some_day(day: &str, month: &str) -> bool {
    let number = |text: &str| text.parse().ok();
    let month_number = |text: &str| {
        let name = text.get(..3).unwrap_or(text).to_ascii_lowercase();
        let named = MONTHS.iter().position(|m| *m == name).and_then(|at| u32::try_from(at + 1).ok());
        named.or_else(|| number(text))
    };
    let (Some(days), Some(months)) = (values(day, 31, number), values(month, 12, month_number)) else { return true };
    let length = |month: u32| MONTH_DAYS.get(usize::try_from(month).unwrap_or(0).wrapping_sub(1)).copied();
    let longest = months.into_iter().filter_map(length).max().unwrap_or(0);
    days.into_iter().any(|day| (1..=longest).contains(&day))
}

/// The numbers a field names: `*`, `1,15`, `1-5`, `*/2`, `5/10`; `None` for anything else.
fn values(field: &str, max: u32, number: impl Fn(&str) -> Option<u32>) -> Option<Vec<u32>> {
    let mut all = Vec::new();
    for element in field.split(',') {
        let (range, step) = element.split_once('/').map_or((element, None), |(range, step)| (range, Some(step)));
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (number(from)?, number(to)?),
            None if matches!(range, "*" | "?") => (1, max),
            None => (number(range)?, if step.is_some() { max } else { number(range)? }),
        };
        let step = step.map_or(Some(1), |step| step.parse().ok().filter(|step| *step > 0))?;
        all.extend((from..=to.min(max)).step_by(step));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_no_month_has() {
        let check = |day: &str, month: &str, some: bool| assert_eq!(some_day(day, month), some, "{day} {month}");
        check("*", "*", true);
        check("31", "*", true);
        check("31", "2", false);
        check("30,31", "Feb", false);
        check("29", "February", true);
        check("31", "Apr,Jun,9,11", false);
        check("31", "4-5", true);
        check("31", "2/2", true);
        check("31", "2-6/4", false);
        check("0", "*", false);
        check("32-40", "*", false);
        check("*/31", "2", true);
        check("?", "?", true);
        check("L", "2", true);
    }
}
