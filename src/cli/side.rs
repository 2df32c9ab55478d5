//! A mail and its reading side by side: the mail's lines on the left, what was understood from each on the right, the lines
//! that were used marked. Widths are those of a Japanese terminal; on a narrow one the notes stand below their line.

use super::screen::{CELLS_DEFAULT, Screen};
use super::table::clean;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Below this many cells the notes stand under the lines.
const SIDE_CELLS_MIN: usize = 100;
/// Cells of a line number with its mark and blanks: `  12 ● `.
const GUTTER: usize = 8;
/// What stands between the two sides, three cells.
const BORDER: &str = " | ";
/// Lines shown from the beginning of a mail; of the rest only those with a note.
const LINES_SHOWN: usize = 300;

/// What a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// Read as data.
    Taken,
    /// Odd, but no obstacle.
    Odd,
    /// Why a person must look.
    Doubt,
}

/// What is said of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) mark: Mark,
    pub(super) text: String,
}

impl Mark {
    fn sign(self) -> char {
        match self {
            Self::Taken => '●',
            Self::Odd => '△',
            Self::Doubt => '？',
        }
    }

    /// Select Graphic Rendition (ECMA-48 §8.3.117): green, yellow, red.
    fn colour(self) -> &'static str {
        match self {
            Self::Taken => "32",
            Self::Odd => "33",
            Self::Doubt => "31",
        }
    }

    fn paint(self, text: &str, screen: Screen) -> String {
        if screen.colour { format!("\x1b[{}m{text}\x1b[0m", self.colour()) } else { text.to_owned() }
    }
}

/// Both sides. Notes go by the number of their line, from 1.
pub(super) fn side_by_side(body: &str, notes: &BTreeMap<usize, Vec<Note>>, screen: Screen) -> String {
    let cells = screen.cells.unwrap_or(CELLS_DEFAULT.max(SIDE_CELLS_MIN));
    let stacked = cells < SIDE_CELLS_MIN;
    let left = if stacked { cells - GUTTER } else { (cells - GUTTER - BORDER.len()) * 11 / 20 };
    let right = if stacked { cells - GUTTER } else { cells - GUTTER - BORDER.len() - left };
    let mut out = String::new();
    let mut skipped = false;
    for (index, text) in body.lines().enumerate() {
        let no = index + 1;
        let said = notes.get(&no).map(Vec::as_slice).unwrap_or_default();
        if index >= LINES_SHOWN && said.is_empty() {
            skipped = true;
            continue;
        }
        if std::mem::take(&mut skipped) {
            out.push_str("     …\n");
        }
        let mark = said.iter().map(|note| note.mark).max();
        let mut lines = wrap(&clean(text), left).into_iter();
        let mut remarks = said.iter().flat_map(|note| {
            let remark = wrap(&clean(&note.text), right.saturating_sub(3));
            remark.into_iter().enumerate().map(|(i, text)| {
                let sign = if i == 0 { note.mark.sign() } else { ' ' };
                (note.mark, format!("{}{text}", fill(&sign.to_string(), 3)))
            })
        });
        let mut first = true;
        loop {
            let (line, remark) = (lines.next(), if stacked { None } else { remarks.next() });
            if line.is_none() && remark.is_none() {
                break;
            }
            out.push_str(&gutter(no, mark, std::mem::take(&mut first), screen));
            let line = line.unwrap_or_default();
            match remark {
                Some((of, remark)) => {
                    let _ = writeln!(out, "{}{BORDER}{}", fill(&line, left), of.paint(&remark, screen));
                }
                None => {
                    let _ = writeln!(out, "{}", line.trim_end());
                }
            }
        }
        for (of, remark) in remarks {
            let _ = writeln!(out, "{}{}", " ".repeat(GUTTER), of.paint(&remark, screen));
        }
    }
    if skipped {
        out.push_str("     …\n");
    }
    out.lines().map(str::trim_end).flat_map(|line| [line, "\n"]).collect()
}

/// Number and mark of a line; blank for its continuation.
fn gutter(no: usize, mark: Option<Mark>, first: bool, screen: Screen) -> String {
    if !first {
        return " ".repeat(GUTTER);
    }
    let sign = mark.map_or_else(|| "  ".to_owned(), |mark| mark.paint(&fill(&mark.sign().to_string(), 2), screen));
    format!("{no:>4} {sign} ")
}

/// Blanks after the text until it is so many cells wide.
fn fill(text: &str, cells: usize) -> String {
    format!("{text}{}", " ".repeat(cells.saturating_sub(text.width_cjk())))
}

/// Pieces of at most `cells` cells; one empty piece for an empty text.
fn wrap(text: &str, cells: usize) -> Vec<String> {
    let (mut pieces, mut piece) = (Vec::new(), String::new());
    for c in text.chars() {
        if piece.width_cjk() + c.width_cjk().unwrap_or_default() > cells && !piece.is_empty() {
            // A word or address goes over whole, if it is not most of the line.
            let word = piece
                .rfind(|c: char| !c.is_ascii_graphic())
                .map(|at| at + piece.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8));
            let tail = match word.filter(|at| c.is_ascii_graphic() && *at * 2 > piece.len()) {
                Some(at) => piece.split_off(at),
                None => String::new(),
            };
            pieces.push(std::mem::replace(&mut piece, tail));
        }
        piece.push(c);
    }
    pieces.push(piece);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(cells: usize, colour: bool) -> String {
        let note = |mark, text: &str| Note { mark, text: text.to_owned() };
        let notes = [(
            2,
            vec![
                note(Mark::Taken, "保健所 みなと保健所 hoken@city.minato.tokyo.jp"),
                note(Mark::Doubt, "確認\u{1b}[2Jが必要"),
            ],
        )];
        let body = "＜保健所＞\nみなと保健所　hoken@city.minato.tokyo.jp\u{202e}\n以上";
        side_by_side(body, &notes.into(), Screen { cells: Some(cells), colour })
    }

    #[test]
    fn both_sides_keep_their_width() {
        let wide = shown(110, false);
        assert!(wide.lines().all(|line| line.width_cjk() <= 110), "{wide}");
        let line = wide.lines().nth(1).unwrap();
        assert!(line.starts_with("   2 ？ みなと保健所　hoken@city.minato.tokyo.jp"), "{wide}");
        let borders: Vec<usize> = wide.lines().filter_map(|l| l.find(" | ").map(|at| l[..at].width_cjk())).collect();
        assert!(borders.len() >= 3 && borders.iter().all(|at| *at == borders[0]), "{wide}");
    }

    #[test]
    fn on_a_narrow_terminal_notes_stand_below() {
        let narrow = shown(60, false);
        assert!(narrow.lines().all(|line| line.width_cjk() <= 60) && !narrow.contains(" | "), "{narrow}");
        assert!(narrow.contains("\n        ●"), "{narrow}");
    }

    #[test]
    fn only_our_own_colours_reach_the_terminal() {
        assert!(!shown(110, false).contains(['\u{1b}', '\u{202e}']));
        let coloured = shown(110, true);
        assert!(coloured.contains("\u{1b}[32m") && !coloured.contains("\u{1b}[2J") && !coloured.contains('\u{202e}'));
    }
}
