//! From what the SMTP library returns to a [`Reply`]: a negative reply is an answer, not an error; everything else that
//! the library calls an error means that the connection is lost.

use crate::workflow::reply::Reply;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::response::Response;
use std::error::Error as _;

/// How a conversation ended without a reply, in a few words; holds no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lost(pub(super) String);

/// The reply, positive or negative, or how the connection was lost.
pub(super) fn heard(result: Result<Response, Error>) -> Result<Reply, Lost> {
    let error = match result {
        Ok(response) => return Ok(reply_of(&response)),
        Err(error) => error,
    };
    match error.status() {
        Some(code) => Ok(Reply::new(code.into(), &error.source().map_or_else(String::new, ToString::to_string))),
        None => Err(Lost(error.source().map_or_else(|| error.to_string(), ToString::to_string))),
    }
}

/// A reply as it is, all lines joined; the enhanced code that every line repeats (RFC 2034 §4) is kept once.
pub(super) fn reply_of(response: &Response) -> Reply {
    let mut lines = response.message();
    let first = lines.next().unwrap_or("");
    let repeated = first.split(' ').next().unwrap_or("");
    let rest = lines.map(|line| line.strip_prefix(repeated).unwrap_or(line));
    let text = std::iter::once(first).chain(rest).collect::<Vec<_>>().join(" ");
    Reply::new(response.code().into(), &text)
}
