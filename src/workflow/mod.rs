//! The pure machines: what an event does to a state, decided without I/O, clock, randomness, async or logging.

pub mod delivery;
pub mod reply;

/// An event that has no place in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub &'static str);
