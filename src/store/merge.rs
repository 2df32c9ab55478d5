//! Rows of the tree and rows that still wait, walked as one, from both ends.

use super::StoreError;
use super::disk::{Bytes, fault};
use sled::IVec;
use std::cmp::Ordering;
use std::collections::VecDeque;

/// A row as it waits: `None` hides the row of the tree.
type Waiting = (Vec<u8>, Option<IVec>);

/// Iterator over whole keys and stored values; of one key the waiting value counts.
pub(super) struct Merged {
    waiting: VecDeque<Waiting>,
    tree: sled::Iter,
    /// Read from the tree at either end and not yet given out.
    front: Option<(IVec, IVec)>,
    back: Option<(IVec, IVec)>,
}

/// A waiting row, shared.
pub(super) fn copy((key, value): (&Vec<u8>, &Option<IVec>)) -> Waiting {
    (key.clone(), value.clone())
}

/// Which side has the next row.
enum Side {
    Tree,
    Waiting,
    Both,
}

fn side(order: Option<Ordering>, waiting: bool) -> Side {
    match order {
        Some(Ordering::Equal) => Side::Both,
        Some(Ordering::Greater) => Side::Waiting,
        None if waiting => Side::Waiting,
        Some(Ordering::Less) | None => Side::Tree,
    }
}

fn given(key: impl Into<IVec>, value: IVec) -> (Bytes, Bytes) {
    (Bytes::from(key.into()), Bytes::from(value))
}

impl Merged {
    pub(super) fn new(waiting: VecDeque<Waiting>, tree: sled::Iter) -> Self {
        Self { waiting, tree, front: None, back: None }
    }
}

impl Iterator for Merged {
    type Item = Result<(Bytes, Bytes), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.front.is_none() {
                self.front = match self.tree.next() {
                    Some(Ok(row)) => Some(row),
                    Some(Err(error)) => return Some(Err(fault("reading", error))),
                    None => self.back.take(),
                };
            }
            let next = self.waiting.front();
            let order = self.front.as_ref().zip(next).map(|((key, _), (waiting, _))| (**key).cmp(waiting.as_slice()));
            match side(order, next.is_some()) {
                Side::Tree => return self.front.take().map(|(key, value)| Ok(given(key, value))),
                Side::Both => self.front = None,
                Side::Waiting => {}
            }
            if let (key, Some(value)) = self.waiting.pop_front()? {
                return Some(Ok(given(key, value)));
            }
        }
    }
}

impl DoubleEndedIterator for Merged {
    fn next_back(&mut self) -> Option<Self::Item> {
        loop {
            if self.back.is_none() {
                self.back = match self.tree.next_back() {
                    Some(Ok(row)) => Some(row),
                    Some(Err(error)) => return Some(Err(fault("reading", error))),
                    None => self.front.take(),
                };
            }
            let next = self.waiting.back();
            let order = self.back.as_ref().zip(next).map(|((key, _), (waiting, _))| waiting.as_slice().cmp(key));
            match side(order, next.is_some()) {
                Side::Tree => return self.back.take().map(|(key, value)| Ok(given(key, value))),
                Side::Both => self.back = None,
                Side::Waiting => {}
            }
            if let (key, Some(value)) = self.waiting.pop_back()? {
                return Some(Ok(given(key, value)));
            }
        }
    }
}
