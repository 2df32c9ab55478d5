//! Attached tables (.xlsx, .csv) → lines with tabs between the cells. They may be looked at, never taken over unseen: whoever
//! fills in a table has seen no line of the form.
//!
//! Limits: [`SHEET_BYTES_MAX`], [`UNPACKED_BYTES_MAX`], [`CELLS_MAX`]. A workbook is unpacked once to count its bytes before
//! its reader sees it, and read cell by cell, for two cells far apart would make a dense table of any size.

use super::charset;
use calamine::{DataRef, Reader, Xlsx};
use std::io::{Cursor, Read};

/// Largest attached table looked at, in bytes.
pub(super) const SHEET_BYTES_MAX: usize = 256 * 1024;
/// Largest unpacked size of a workbook, in bytes.
pub(super) const UNPACKED_BYTES_MAX: u64 = 2 * 1024 * 1024;
/// Most cells read; the rest is not looked at.
pub(super) const CELLS_MAX: usize = 10_000;
/// Most sheets read.
const SHEETS_MAX: usize = 5;

/// A table that is attached.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) name: String,
    bytes: Vec<u8>,
    charset: Option<String>,
}

impl Sheet {
    /// An attachment, if its name says that it is a table and it is not too large.
    pub(super) fn new(name: &str, bytes: Vec<u8>, charset: Option<String>) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let table = [".xlsx", ".csv", ".tsv"].iter().any(|end| lower.ends_with(end));
        (table && bytes.len() <= SHEET_BYTES_MAX).then(|| Self { name: name.to_owned(), bytes, charset })
    }

    /// Its lines, and what the bytes were decoded as; `None` if it cannot be read.
    pub(super) fn text(&self) -> Option<(String, &'static str)> {
        if self.name.to_ascii_lowercase().ends_with(".xlsx") {
            return Some((workbook(&self.bytes)?, "xlsx"));
        }
        let decoded = charset::decode(&self.bytes, self.charset.as_deref());
        (!decoded.doubt).then(|| (decoded.text.replace("\r\n", "\n").replace('\r', "\n"), decoded.encoding))
    }
}

fn workbook(bytes: &[u8]) -> Option<String> {
    if unpacked(bytes)? > UNPACKED_BYTES_MAX {
        return None;
    }
    let mut book = Xlsx::new(Cursor::new(bytes)).ok()?;
    let mut text = String::new();
    let mut left = CELLS_MAX;
    for name in book.sheet_names().into_iter().take(SHEETS_MAX) {
        let Ok(mut cells) = book.worksheet_cells_reader(&name) else { continue };
        let mut at = None;
        while let Ok(Some(cell)) = cells.next_cell() {
            left = left.checked_sub(1)?;
            let (row, _) = cell.get_position();
            match at {
                Some(before) if before == row => text.push('\t'),
                Some(_) | None if !text.is_empty() => text.push('\n'),
                Some(_) | None => {}
            }
            at = Some(row);
            push(&mut text, cell.get_value());
        }
    }
    Some(text)
}

/// The bytes a workbook unpacks to, counted and not believed; stops at the limit.
fn unpacked(bytes: &[u8]) -> Option<u64> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut sum = 0;
    for index in 0..archive.len() {
        let part = archive.by_index(index).ok()?;
        sum += std::io::copy(&mut part.take(UNPACKED_BYTES_MAX + 1 - sum), &mut std::io::sink()).ok()?;
        if sum > UNPACKED_BYTES_MAX {
            return Some(sum);
        }
    }
    Some(sum)
}

/// A cell on one line.
fn push(text: &mut String, value: &DataRef<'_>) {
    let line = |s: &str| s.replace(['\r', '\n', '\t'], " ");
    match value {
        DataRef::String(s) | DataRef::DateTimeIso(s) | DataRef::DurationIso(s) => text.push_str(&line(s)),
        DataRef::SharedString(s) => text.push_str(&line(s)),
        DataRef::Int(n) => text.push_str(&n.to_string()),
        DataRef::Float(n) => text.push_str(&n.to_string()),
        DataRef::Bool(_) | DataRef::DateTime(_) | DataRef::Error(_) | DataRef::Empty => {}
    }
}
