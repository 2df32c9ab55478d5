//! workflow

pub mod cursor;
