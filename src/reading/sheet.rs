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
/// Most cells; a workbook with more is not read.
pub(super) const CELLS_MAX: usize = 10_000;
/// Most sheets read; those behind are not looked at.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const LINKS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

    /// A workbook whose sheets hold so many cells each, in one column, with a part of so many bytes that nobody reads.
    fn book(cells: &[usize], padding: usize) -> Vec<u8> {
        let sheets = || cells.iter().enumerate().map(|(at, cells)| (at + 1, cells));
        let list: String =
            sheets().map(|(no, _)| format!(r#"<sheet name="s{no}" sheetId="{no}" r:id="r{no}"/>"#)).collect();
        let links: String = sheets()
            .map(|(no, _)| {
                format!(r#"<Relationship Id="r{no}" Type="{OFFICE}/worksheet" Target="worksheets/s{no}.xml"/>"#)
            })
            .collect();
        let mut out = ZipWriter::new(Cursor::new(Vec::new()));
        let mut add = |name: &str, text: String| {
            out.start_file(name, SimpleFileOptions::default()).unwrap();
            out.write_all(text.as_bytes()).unwrap();
        };
        let whole = format!(r#"<Relationship Id="b" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>"#);
        add("_rels/.rels", format!(r#"<Relationships xmlns="{LINKS}">{whole}</Relationships>"#));
        add(
            "xl/workbook.xml",
            format!(r#"<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{list}</sheets></workbook>"#),
        );
        add("xl/_rels/workbook.xml.rels", format!(r#"<Relationships xmlns="{LINKS}">{links}</Relationships>"#));
        for (no, cells) in sheets() {
            let rows: String =
                (1..=*cells).map(|row| format!(r#"<row r="{row}"><c r="A{row}"><v>{no}</v></c></row>"#)).collect();
            add(
                &format!("xl/worksheets/s{no}.xml"),
                format!(r#"<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>"#),
            );
        }
        add("padding", "x".repeat(padding));
        out.finish().unwrap().into_inner()
    }

    #[test]
    fn sheets_and_cells() {
        assert_eq!(workbook(&book(&[2, 1], 0)).as_deref(), Some("1\n1\n2"));
        let lines = |cells: &[usize]| workbook(&book(cells, 0)).map(|text| text.lines().count());
        assert_eq!(lines(&[1; SHEETS_MAX]), Some(SHEETS_MAX));
        assert_eq!(lines(&[1; SHEETS_MAX + 1]), Some(SHEETS_MAX));
        assert_eq!(lines(&[CELLS_MAX - 1, 1]), Some(CELLS_MAX));
        assert_eq!(lines(&[CELLS_MAX, 1]), None);
    }

    #[test]
    fn bytes_unpacked() {
        let room = usize::try_from(UNPACKED_BYTES_MAX - unpacked(&book(&[1], 0)).unwrap()).unwrap();
        assert_eq!(workbook(&book(&[1], room)).as_deref(), Some("1"));
        assert_eq!(workbook(&book(&[1], room + 1)), None);
    }

    #[test]
    fn bytes_attached() {
        let sheet = |bytes| Sheet::new("a.CSV", vec![b'x'; bytes], None);
        assert!(sheet(SHEET_BYTES_MAX).is_some());
        assert!(sheet(SHEET_BYTES_MAX + 1).is_none());
        assert!(Sheet::new("a.pdf", Vec::new(), None).is_none());
    }
}
