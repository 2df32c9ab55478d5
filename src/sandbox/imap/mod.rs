//! The IMAP side (RFC 3501; UIDPLUS RFC 4315, MOVE RFC 6851, IDLE RFC 2177, SASL-IR RFC 4959, LITERAL+ RFC 7888).
//! Commands are read and answers written by imap-codec; only STARTTLS is recognised here, because that library leaves it
//! out by default.

mod auth;
mod change;
mod completion;
mod fetch;
mod folders;
mod idle;
mod search;
mod sequence;
mod session;
mod talk;

pub(super) use auth::plain;

use super::Office;
use super::wire::Wire;
use std::io;
use std::sync::Arc;

/// Serves one connection to its end.
pub(super) async fn attend(office: Arc<Office>, wire: Wire) -> io::Result<()> {
    session::Session::new(office, wire).run().await
}
