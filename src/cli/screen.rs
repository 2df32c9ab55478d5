//! What the terminal is like: how wide, and whether it shows colour. Where the output goes into a file or another program
//! there is no width to keep to, and never colour.

use std::io::{self, IsTerminal};

/// Cells of a line where a width is needed and nothing tells it.
pub(super) const CELLS_DEFAULT: usize = 100;
/// Narrower than this nothing is laid out any more.
const CELLS_MIN: usize = 20;

/// Where output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Screen {
    /// Cells of a line; `None`: no limit.
    pub(super) cells: Option<usize>,
    pub(super) colour: bool,
}

impl Screen {
    /// Standard output. `COLUMNS` wins over what the terminal says; `NO_COLOR` (no-color.org) turns colour off.
    pub(super) fn stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let measured = || {
            let size = rustix::termios::tcgetwinsize(io::stdout()).ok().filter(|_| terminal)?;
            Some(usize::from(size.ws_col)).filter(|cells| *cells > 0)
        };
        let cells = told.or_else(measured).or(terminal.then_some(CELLS_DEFAULT));
        let plain = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
        let dumb = std::env::var("TERM").is_ok_and(|name| name == "dumb");
        Self { cells: cells.map(|cells| cells.max(CELLS_MIN)), colour: terminal && !plain && !dumb }
    }
}
