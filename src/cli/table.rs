//! Plain tables for a terminal. Columns are as wide as their text is on the screen (a Japanese character takes two
//! cells, UAX #11), the last one is cut where the line would wrap; into a file or a pipe nothing is cut. Colour stands only
//! on a terminal, and not with NO_COLOR. What comes out of mails passes [`clean`]: no escape
//! sequence, no line break and no direction override ever reaches the terminal.

use super::screen::Screen;
use crate::domain::signs::is_invisible;
use serde_json::Value;
use std::fmt::{self, Write as _};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Cells between two columns.
const GAP: usize = 2;
/// Widest column other than the last, in cells.
const COLUMN_CELLS_MAX: usize = 40;

/// On which side a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// Colour of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tint {
    Plain,
    /// Needs a person.
    Red,
    /// Waits for something.
    Yellow,
}

/// Rows under a heading.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<(Tint, Vec<String>)>,
    /// `None`: as long as it gets.
    line_cells: Option<usize>,
    colour: bool,
}

/// Columns and lines of the terminal at standard output.
pub(super) fn size() -> Option<(usize, usize)> {
    let stdout = std::io::stdout();
    let size = rustix::termios::tcgetwinsize(&stdout).ok().filter(|_| rustix::termios::isatty(&stdout))?;
    Some((usize::from(size.ws_col), usize::from(size.ws_row))).filter(|(columns, _)| *columns > 0)
}

impl Table {
    pub fn new(columns: &[(&str, Align)]) -> Self {
        let screen = Screen::stdout();
        Self {
            columns: columns.iter().map(|(name, align)| ((*name).to_owned(), *align)).collect(),
            rows: Vec::new(),
            line_cells: screen.cells,
            colour: screen.colour,
        }
    }

    /// Adds a row; cells beyond the columns are left out, missing ones are empty.
    pub fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.tinted(Tint::Plain, cells);
    }

    /// The same in a colour.
    pub fn tinted<T: AsRef<str>>(&mut self, tint: Tint, cells: impl IntoIterator<Item = T>) {
        let cells = cells.into_iter().map(|c| clean(c.as_ref()));
        self.rows.push((tint, cells.take(self.columns.len()).collect()));
    }

    fn widths(&self) -> Vec<usize> {
        let widest = |i: usize| {
            let cells = self.rows.iter().filter_map(|(_, r)| r.get(i)).map(|c| c.width_cjk());
            cells.max().unwrap_or_default()
        };
        let widest_column = if self.line_cells.is_some() { COLUMN_CELLS_MAX } else { usize::MAX };
        let column = |(i, (name, _)): (usize, &(String, Align))| name.width_cjk().max(widest(i)).min(widest_column);
        let mut widths: Vec<usize> = self.columns.iter().enumerate().map(column).collect();
        let before: usize = widths.iter().rev().skip(1).map(|w| w + GAP).sum();
        if let Some(last) = widths.last_mut() {
            *last = self.line_cells.map_or(usize::MAX, |cells| cells.saturating_sub(before).max(8));
        }
        widths
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (i, ((_, align), width)) in self.columns.iter().zip(widths).enumerate() {
            let last = i + 1 == self.columns.len();
            let text = cut(cells.get(i).map_or("", String::as_str), *width);
            // Nothing stands behind the last column that would have to be lined up.
            let blanks = if last { String::new() } else { " ".repeat(width.saturating_sub(text.width_cjk())) };
            match align {
                Align::Left => line.extend([text.as_str(), blanks.as_str()]),
                Align::Right if last => line.push_str(&text),
                Align::Right => line.extend([blanks.as_str(), text.as_str()]),
            }
            if !last {
                line.push_str(&" ".repeat(GAP));
            }
        }
        line.trim_end().to_owned()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let head: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).collect();
        writeln!(f, "{}", self.line(&head, &widths))?;
        self.rows.iter().try_for_each(|(tint, row)| {
            let line = self.line(row, &widths);
            match tint {
                Tint::Red if self.colour => writeln!(f, "\x1b[31m{line}\x1b[0m"),
                Tint::Yellow if self.colour => writeln!(f, "\x1b[33m{line}\x1b[0m"),
                Tint::Plain | Tint::Red | Tint::Yellow => writeln!(f, "{line}"),
            }
        })
    }
}

/// At most `cells` cells of `text`; what is cut off is shown by `…`.
pub(super) fn cut(text: &str, cells: usize) -> String {
    if text.width_cjk() <= cells {
        return text.to_owned();
    }
    let mut out = String::new();
    // The ellipsis is ambiguous in width and takes two cells on a Japanese terminal.
    let mut left = cells.saturating_sub(2);
    for c in text.chars() {
        let width = c.width_cjk().unwrap_or_default();
        if width > left {
            break;
        }
        left -= width;
        out.push(c);
    }
    out.push('…');
    out
}

/// Control characters (C0, C1, DEL) and line ends of Unicode.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// `text` without anything a terminal would act on: control characters become a blank, invisible ones are dropped.
pub fn clean(text: &str) -> String {
    text.chars().filter(|c| !is_invisible(*c)).map(|c| if is_control(c) { ' ' } else { c }).collect()
}

/// One line of JSON, ended, in which the same characters are escaped: `serde_json` does so for C0 only. They stand in
/// strings and nowhere else.
pub(super) fn json_line(value: &Value) -> String {
    let plain = value.to_string();
    let mut line = String::with_capacity(plain.len() + 1);
    for c in plain.chars() {
        if is_invisible(c) || is_control(c) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| _ = write!(line, "\\u{unit:04x}"));
        } else {
            line.push(c);
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn japanese_columns_stand_under_each_other() {
        let mut table =
            Table::new(&[("id", Align::Left), ("名称", Align::Left), ("n", Align::Right), ("状態", Align::Left)]);
        table.line_cells = Some(40);
        table.row(["131032-01", "みなと保健所", "7", "open"]);
        table.row(["131032-00", "港区", "12", "とても長い説明はここで切れます"]);
        let expected = "id         名称           n  状態\n\
                        131032-01  みなと保健所   7  open\n\
                        131032-00  港区          12  とても長…\n";
        assert_eq!(table.to_string(), expected);
        table.line_cells = None;
        assert!(table.to_string().ends_with("12  とても長い説明はここで切れます\n"), "nothing is cut in a file");
        table.colour = true;
        table.tinted(Tint::Red, ["131032-02"]);
        assert!(table.to_string().ends_with("\x1b[31m131032-02\x1b[0m\n"));
        table.colour = false;
        assert!(table.to_string().ends_with("\n131032-02\n"));
    }

    #[test]
    fn nothing_a_terminal_acts_on_gets_through() {
        assert_eq!(clean("a\x1b[2Jb\r\nc\u{9b}d\u{202e}e\u{7f}"), "a [2Jb  c de ");
        assert!(!clean("\u{200b}\u{feff}\u{2028}").chars().any(|c| c != ' '));
        let value = Value::from("a\x1b\u{9b}\u{202e}\u{e0041}港");
        assert_eq!(json_line(&value), "\"a\\u001b\\u009b\\u202e\\udb40\\udc41港\"\n");
        assert_eq!(serde_json::from_str::<Value>(&json_line(&value)).unwrap(), value);
    }
}
