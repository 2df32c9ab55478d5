//! The SMTP side (RFC 5321; SIZE RFC 1870, 8BITMIME RFC 6152, PIPELINING RFC 2920, STARTTLS RFC 3207, AUTH RFC 4954,
//! ENHANCEDSTATUSCODES RFC 2034). Lines end in CRLF and nothing else, so no mail can be smuggled inside another.

mod auth;
mod command;
mod data;
mod delivery;
mod lines;
mod session;

use super::Office;
use super::wire::Wire;
use std::io;
use std::sync::Arc;

/// Serves one connection to its end.
pub(super) async fn attend(office: Arc<Office>, wire: Wire) -> io::Result<()> {
    session::Session::new(office, wire).run().await
}
