//! The board that keeps itself current. [`Following::catch_up`] blocks while it reads the store; call it off async
//! workers. Readers wait at most for one bundle of entries.

use super::lines::Line;
use super::{Board, ENTRIES_AT_ONCE, News};
use crate::domain::Timestamp;
use crate::engine::EngineError;
use crate::engine::survey::{Figures, Survey};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Bundles taken in by one call at most: whoever waits for it must not wait for ever.
const BUNDLES_MAX: usize = 50;
/// Bundles of old entries read by one call at most: what happens now must not wait for long.
const BUNDLES_BACK_MAX: usize = 10;
/// Last entries of the journal that are looked at whether they fit together.
const JOURNAL_TAIL: u64 = 100;

/// See the module.
#[derive(Debug)]
pub struct Following {
    survey: Survey,
    kept: Arc<Kept>,
}

/// The board itself; nothing until somebody asks.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    board: RwLock<Option<Board>>,
    /// One catches up at a time.
    turn: Mutex<()>,
}

impl Survey {
    /// The board all who ask this engine share.
    pub fn board(&self) -> Following {
        Following { survey: self.clone(), kept: Arc::clone(self.kept_board()) }
    }
}

impl Following {
    /// A board of its own, counted anew.
    pub fn new(survey: Survey) -> Self {
        Self { survey, kept: Arc::default() }
    }

    /// Asks the board; `None` until it was built.
    pub fn ask<T>(&self, question: impl FnOnce(&Board) -> T) -> Option<T> {
        self.kept.board.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(question)
    }

    /// The numbers of now, with everything that has happened; costs what is new since somebody last asked, not what there
    /// is.
    pub fn figures(&self, now: Timestamp) -> Result<Option<Figures>, EngineError> {
        self.take_in()?;
        let journal_in_order = self.survey.view().journal_end_is_sound(JOURNAL_TAIL).is_ok();
        Ok(self.ask(|board| Figures { journal_in_order, ..board.figures(now) }))
    }

    /// Whether the journal has gone on, or old entries are still to be read.
    pub fn is_behind(&self) -> bool {
        let head = self.survey.view().head().no;
        self.ask(|board| board.seen < head || !board.trail.is_complete()).unwrap_or(true)
    }

    /// Whether entries from before the board are still to be read.
    pub fn lacks_old_entries(&self) -> bool {
        self.ask(|board| !board.trail.is_complete()).unwrap_or(false)
    }

    /// Takes in what has happened, and some of what is still to be read from the beginning. Returns the number of the
    /// last entry the cards know of.
    pub fn catch_up(&self) -> Result<u64, EngineError> {
        let seen = self.take_in()?;
        for _ in 0..BUNDLES_BACK_MAX {
            if !self.lacks_old_entries() {
                break;
            }
            let _turn = self.kept.turn.lock().unwrap_or_else(PoisonError::into_inner);
            self.read_back(&self.survey.view())?;
        }
        Ok(seen)
    }

    /// Takes in what has happened; builds the board, if there is none.
    pub fn take_in(&self) -> Result<u64, EngineError> {
        let _turn = self.kept.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let view = self.survey.view();
        let Some(mut seen) = self.ask(|board| board.seen) else {
            let mut board = Board::load(&view)?;
            // A short journal is read before anybody looks; of a long one the rest comes bit by bit.
            for _ in 0..BUNDLES_BACK_MAX {
                let Some(from) = board.trail.lacks() else { break };
                let lines = old_lines(&view, from, board.trail.progress().1)?;
                take_back(&mut board, &lines);
            }
            let seen = board.seen;
            *self.kept.board.write().unwrap_or_else(PoisonError::into_inner) = Some(board);
            return Ok(seen);
        };
        for _ in 0..BUNDLES_MAX {
            if view.head().no <= seen {
                break;
            }
            let news = News::gather(&view, seen)?;
            if news.seen <= seen {
                break;
            }
            seen = news.seen;
            self.change(|board| board.apply(news));
        }
        Ok(seen)
    }

    /// One bundle of the entries that were there before the board.
    fn read_back(&self, view: &super::View) -> Result<(), EngineError> {
        let Some((from, until)) = self.ask(|board| (board.trail.lacks(), board.trail.progress().1)) else {
            return Ok(());
        };
        let Some(from) = from else { return Ok(()) };
        let lines = old_lines(view, from, until)?;
        self.change(|board| take_back(board, &lines));
        Ok(())
    }

    fn change(&self, work: impl FnOnce(&mut Board)) {
        if let Some(board) = self.kept.board.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
            work(board);
        }
    }
}

/// One bundle of the entries that were there before the board.
fn old_lines(view: &super::View, from: u64, until: u64) -> Result<Vec<Line>, EngineError> {
    let mut lines = Vec::with_capacity(ENTRIES_AT_ONCE);
    for line in view.context.store.journal_lines(from).take(ENTRIES_AT_ONCE) {
        let (no, json) = line?;
        if no <= until {
            lines.push(Line::read(no, &json));
        }
    }
    Ok(lines)
}

fn take_back(board: &mut Board, lines: &[Line]) {
    for line in lines {
        board.trail.put(line);
    }
    match lines.last() {
        Some(last) => board.trail.filled_to(last.no),
        None => board.trail.give_up(),
    }
}
