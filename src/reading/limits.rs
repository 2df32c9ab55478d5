//! Every limit of the reading under one roof; each is defined where it is kept. What lies beyond one is not looked at, and
//! the mail goes to a person ([`Reason::OverLimit`](super::Reason), [`TooLarge`](super::Reason), [`TooDeep`](super::Reason)),
//! unless the limit only shortens a text that is shown. `tests/hostile/limits.rs` stands at each from both sides.

pub use super::entry::ADDRESSES_MAX;
pub use super::header::{ADDRESSES_MAX as LISTED_ADDRESSES_MAX, FIELD_BYTES_MAX, PARAMETERS_MAX, TEXT_CHARS_MAX};
pub use super::html::VEILS_MAX;
pub use super::mime::{DEPTH_MAX, FIELDS_MAX, MAIL_BYTES_MAX, MULTIPARTS_MAX, PARTS_MAX, TEXT_BYTES_MAX};
pub use super::normalise::{LINE_BYTES_MAX, LINES_MAX};
