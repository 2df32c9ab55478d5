//! Lists for spreadsheets: RFC 4180 lines that no spreadsheet takes for a formula. Names and subjects come out of mails, so
//! a cell that begins with a sign formulas begin with (in either width) gets an apostrophe before it; control characters
//! become blanks.

/// Begins a file: Excel takes UTF-8 for what it is only with this mark.
pub const BOM: &str = "\u{feff}";

/// One line, with its line end.
pub fn line<T: AsRef<str>>(cells: impl IntoIterator<Item = T>) -> String {
    let mut line = String::new();
    for (at, text) in cells.into_iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        line.push_str(&cell(text.as_ref()));
    }
    line.push_str("\r\n");
    line
}

fn cell(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let begins = plain.trim_start().chars().next();
    let formula = begins.is_some_and(|c| "=+-@＝＋－＠|".contains(c)) || text.starts_with(['\t', '\r', '\n']);
    let guard = if formula { "'" } else { "" };
    if plain.contains([',', '"']) || formula { format!("\"{guard}{}\"", plain.replace('"', "\"\"")) } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        let check = |text: &str, expected: &str| assert_eq!(line([text, "港区"]), format!("{expected},港区\r\n"));
        check("みなと保健所", "みなと保健所");
        check("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\"");
        check("  +1", "\"'  +1\"");
        check("＝1", "\"'＝1\"");
        check("@x", "\"'@x\"");
        check("-5", "\"'-5\"");
        check("\tcmd", "\"' cmd\"");
        check("a,b", "\"a,b\"");
        check("a\r\nb", "a  b");
        check("a=b", "a=b");
    }
}
