//! `rules/holidays.csv`: the national holidays by day (国民の祝日に関する法律; list of the Cabinet Office).

use super::RuleError;
use super::csv_file::CsvFile;
use crate::domain::Date;
use std::collections::BTreeMap;

/// The file's name.
pub const FILE: &str = "holidays.csv";

/// National holidays by day, with their names; 29 December to 3 January are closed besides (行政機関の休日に関する法律).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holidays {
    pub days: BTreeMap<Date, String>,
}

impl Holidays {
    /// The holiday's name, if this day is one.
    pub fn name(&self, day: Date) -> Option<&str> {
        self.days.get(&day).map(String::as_str)
    }

    /// The last year of the list; `None` if it is empty. Later days count as business days although nobody knows:
    /// who relies on them warns.
    pub fn last_year(&self) -> Option<i32> {
        self.days.last_key_value().map(|(day, _)| day.year())
    }

    /// Reads the file; `Err`: all its faults.
    pub(super) fn parse(text: &str) -> Result<Self, Vec<RuleError>> {
        let mut file = CsvFile::open(FILE, text, &["date", "name"], &[]);
        let mut days = BTreeMap::new();
        for row in std::mem::take(&mut file.rows) {
            let (date, name) = (row.cell(0), row.cell(1));
            if name.is_empty() {
                file.fault(row.at, "a holiday without a name", "give its name, like 憲法記念日");
            }
            let Ok(day) = date.parse::<Date>() else {
                file.fault(row.at, format!("\"{date}\" is no day of the calendar"), "write it like 2020-05-03");
                continue;
            };
            if days.insert(day, name.to_owned()).is_some() {
                file.fault(row.at, format!("{day} stands twice"), "take one of them out");
            }
        }
        let faults = file.close();
        if faults.is_empty() { Ok(Self { days }) } else { Err(faults) }
    }
}
