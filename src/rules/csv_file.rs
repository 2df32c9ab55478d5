//! One CSV rules file: columns by name, further columns ignored, lines beginning with `#` skipped, faults by line.

use super::RuleError;
use super::faults::Faults;

/// The rows of a file and the faults found in it so far.
#[derive(Debug)]
pub(super) struct CsvFile {
    pub(super) rows: Vec<Row>,
    faults: Faults,
}

/// The cells of the wanted columns, in the order they were asked for, and where the row stands.
#[derive(Debug)]
pub(super) struct Row {
    cells: Vec<String>,
    pub(super) at: usize,
}

impl Row {
    /// The cell of the wanted column number `column`, without blanks at its ends; empty if there is none.
    pub(super) fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }
}

impl CsvFile {
    /// Reads the columns `needed`, then `optional`. A header without a needed column is a fault and gives no rows.
    pub(super) fn open(name: &str, text: &str, needed: &[&str], optional: &[&str]) -> Self {
        let mut file = Self { rows: Vec::new(), faults: Faults::new(name, text) };
        let mut reader = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .flexible(true)
            .has_headers(false)
            .from_reader(text.as_bytes());
        let mut columns: Option<Vec<Option<usize>>> = None;
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let at = error.position().map_or(0, |p| start_of_row(text, p.byte()));
                    file.fault(at, "not CSV", "write one row per line, texts with a comma in quotation marks");
                    continue;
                }
            };
            let at = record.position().map_or(0, |p| start_of_row(text, p.byte()));
            match &columns {
                Some(columns) => {
                    let cell = |column: &Option<usize>| column.and_then(|c| record.get(c)).unwrap_or("").to_owned();
                    file.rows.push(Row { cells: columns.iter().map(cell).collect(), at });
                }
                None => columns = file.header(&record, at, needed, optional),
            }
            if columns.is_none() {
                return file;
            }
        }
        file
    }

    /// Where each wanted column stands; `None` (and faults) if a needed one is missing.
    fn header(
        &mut self,
        record: &csv::StringRecord,
        at: usize,
        needed: &[&str],
        optional: &[&str],
    ) -> Option<Vec<Option<usize>>> {
        let place = |name: &&str| record.iter().position(|cell| cell.trim_start_matches('\u{feff}') == *name);
        for name in needed.iter().filter(|name| place(name).is_none()) {
            let remedy = format!("name the columns in the first line: {}", needed.join(","));
            self.fault(at, format!("there is no column {name}"), remedy);
        }
        self.faults.is_empty().then(|| needed.iter().chain(optional).map(place).collect())
    }

    pub(super) fn fault(&mut self, at: usize, fault: impl Into<String>, remedy: impl Into<String>) {
        self.faults.add(at, fault, remedy);
    }

    /// The line, from 1, of this place.
    pub(super) fn line(&self, at: usize) -> usize {
        self.faults.line(at)
    }

    pub(super) fn close(self) -> Vec<RuleError> {
        self.faults.into_list()
    }
}

/// The reader's position of a row is before the comments and empty lines that precede it: the row's own first byte.
fn start_of_row(text: &str, position: u64) -> usize {
    let mut at = usize::try_from(position).unwrap_or(text.len());
    for line in text.get(at..).unwrap_or_default().split_inclusive('\n') {
        if !line.starts_with('#') && !line.trim_end_matches(['\r', '\n']).is_empty() {
            break;
        }
        at += line.len();
    }
    at
}
