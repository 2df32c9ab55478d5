//! Layer 1 `workflow`: the machines as tables, the calendar of 2020 and 2026 with the rules as delivered, outages, re-issue
//! and renewal, and what a registration changes in the directory. Data: tests/data/workflow.

#[path = "workflow/bounds.rs"]
mod bounds;
#[path = "workflow/calendar.rs"]
mod calendar;
#[path = "workflow/course.rs"]
mod course;
#[path = "workflow/directory.rs"]
mod directory;
#[path = "workflow/machines.rs"]
mod machines;
#[path = "workflow/table.rs"]
mod table;

use annai::domain::{Date, Timestamp};
use annai::rules::Rules;

/// The rules as delivered.
fn rules() -> Rules {
    Rules::embedded().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|_| panic!("{text} is no moment"))
}

fn day(text: &str) -> Date {
    text.parse().unwrap_or_else(|_| panic!("{text} is no day"))
}
