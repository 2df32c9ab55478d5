//! Lists for spreadsheets: RFC 4180 lines that no spreadsheet takes for a formula. Names and subjects come out of mails, so
//! a cell whose first visible character is a sign formulas begin with (in any width) gets an apostrophe before it; control
//! characters and line ends of any kind become blanks, and marks that make a text seem to be another are left out.

use super::signs::{is_invisible, misleads};

/// Begins a file: Excel takes UTF-8 for what it is only with this mark.
pub const BOM: &str = "\u{feff}";

/// Signs a formula begins with, or a spreadsheet may take for one.
const SIGNS: &str = "=+-@|＝＋－＠｜﹦﹢﹣﹫−";

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

fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// One cell, in quotes where it needs them.
pub fn cell(text: &str) -> String {
    let shown = text.chars().filter(|c| !misleads(*c));
    let plain: String = shown.map(|c| if is_break(c) { ' ' } else { c }).collect();
    let begins = plain.chars().find(|c| !c.is_whitespace() && !is_invisible(*c));
    let formula = begins.is_some_and(|c| SIGNS.contains(c)) || text.starts_with(['\t', '\r', '\n']);
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
        check("\u{feff}=1", "\"'\u{feff}=1\"");
        check("\u{3000}\u{200b}−1", "\"'\u{3000}\u{200b}−1\"");
        check("a,b", "\"a,b\"");
        check("a\r\nb", "a  b");
        check("a\u{2028}b\u{202e}c", "a bc");
        check("a=b", "a=b");
    }
}
