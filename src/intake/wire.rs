//! One command, one answer (RFC 3501 §2.2). A [`Wire`] is handed in by value and handed back only when the command ended
//! under its own tag with OK or NO: whatever else happens, and also when the caller stops waiting, the connection is
//! dropped, so no later command can read an earlier command's answer.
//!
//! Commands are written here in one piece with tags of our own. async-imap only reads: its sending side writes in four
//! pieces (Nagle) and prints passwords to the log.

use super::error::{Loss, shown};
use super::frame::OverLimit;
use super::pipe::Pipe;
use async_imap::Client;
use async_imap::imap_proto::{MailboxDatum, Response, ResponseCode, Status};
use std::collections::VecDeque;
use std::io;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout, timeout_at};
use zeroize::Zeroizing;

/// Time for ending an IDLE that is to end: the server need only say OK.
const DONE_LIMIT: Duration = Duration::from_secs(30);

/// A command in the making.
#[derive(Debug)]
pub(super) struct Command {
    /// Its name for errors; never its arguments.
    pub(super) name: &'static str,
    /// From the first octet sent to the tagged answer.
    pub(super) limit: Duration,
    line: Zeroizing<String>,
    /// What to answer to the server's `+`, in order. A `+` too many ends the connection.
    replies: VecDeque<Zeroizing<String>>,
}

/// How a command ended.
#[derive(Debug)]
pub(super) enum Answer {
    Ok,
    No { text: String, try_create: bool },
}

/// What ended an IDLE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Idled {
    News,
    Quiet,
    /// Answered with NO or BAD at once.
    NotOffered,
}

/// A connection between two commands.
#[derive(Debug)]
pub(super) struct Wire {
    client: Client<Pipe>,
    tags: u64,
}

impl Command {
    pub(super) fn new(name: &'static str, limit: Duration, line: impl Into<String>) -> Self {
        Self { name, limit, line: Zeroizing::new(line.into()), replies: VecDeque::new() }
    }

    pub(super) fn replying(mut self, reply: Zeroizing<String>) -> Self {
        self.replies.push_back(reply);
        self
    }
}

impl Wire {
    pub(super) fn new(pipe: Pipe) -> Self {
        Self { client: Client::new(pipe), tags: 0 }
    }

    pub(super) fn into_pipe(self) -> Pipe {
        self.client.into_inner()
    }

    /// The server's first line (RFC 3501 §7.1): OK, else a loss. PREAUTH is handed to `preauth`.
    pub(super) async fn greeting(mut self, limit: Duration, preauth: &mut bool) -> Result<Self, Loss> {
        let late = Loss::TimedOut { command: "the greeting", limit };
        *preauth = timeout(limit, self.read(greeting)).await.map_err(|_| late)??;
        Ok(self)
    }

    /// Sends a command and reads to its tagged answer. `each` sees every answer on the way, the tagged one included; it
    /// must take what it asked for and ignore the rest, which the server may send at any time.
    pub(super) async fn exchange(
        self,
        command: Command,
        each: impl FnMut(&Response<'_>) + Send,
    ) -> Result<(Self, Answer), Loss> {
        let late = Loss::TimedOut { command: command.name, limit: command.limit };
        timeout(command.limit, self.talk(command, each)).await.map_err(|_| late)?
    }

    async fn talk(
        mut self,
        mut command: Command,
        mut each: impl FnMut(&Response<'_>) + Send,
    ) -> Result<(Self, Answer), Loss> {
        let name = command.name;
        let tag = self.send(&command.line).await?;
        loop {
            match self.read(|response| judge(response, &tag, name, &mut each)).await? {
                Step::Ended(answer) => return Ok((self, answer)),
                Step::Asked => {
                    let reply = command.replies.pop_front().ok_or(Loss::Unexpected { command: name })?;
                    self.write(&[reply.as_str(), "\r\n"]).await?;
                }
                Step::Seen => {}
            }
        }
    }

    /// RFC 2177: waits until the mailbox changes, at most `max`. The time is counted from outside: the server's
    /// keep-alives ("Still here") do not prolong it.
    pub(super) async fn idle(mut self, max: Duration) -> Result<(Self, Idled), Loss> {
        let tag = timeout(DONE_LIMIT, self.send("IDLE")).await.map_err(|_| late("IDLE"))??;
        let until = Instant::now() + max;
        let mut accepted = false;
        let mut news = false;
        while !(accepted && news) {
            let deadline = if accepted { until } else { Instant::now() + DONE_LIMIT };
            let Ok(read) = timeout_at(deadline, self.read(|response| idle_answer(response, &tag))).await else {
                if accepted {
                    break;
                }
                return Err(late("IDLE"));
            };
            match read? {
                IdleAnswer::Accepted => accepted = true,
                IdleAnswer::Change => news = true,
                IdleAnswer::Ended => return Err(Loss::Unexpected { command: "IDLE" }),
                IdleAnswer::Refused if accepted => return Err(Loss::Unexpected { command: "IDLE" }),
                IdleAnswer::Refused => return Ok((self, Idled::NotOffered)),
                IdleAnswer::Other => {}
            }
        }
        news |= timeout(DONE_LIMIT, self.done(&tag)).await.map_err(|_| late("DONE"))??;
        Ok((self, if news { Idled::News } else { Idled::Quiet }))
    }

    /// Ends an IDLE; true if the mailbox changed in the last moment.
    async fn done(&mut self, tag: &str) -> Result<bool, Loss> {
        self.write(&["DONE\r\n"]).await?;
        let mut news = false;
        loop {
            match self.read(|response| idle_answer(response, tag)).await? {
                IdleAnswer::Ended => return Ok(news),
                IdleAnswer::Refused => return Err(Loss::Bad { command: "IDLE" }),
                IdleAnswer::Change => news = true,
                IdleAnswer::Accepted | IdleAnswer::Other => {}
            }
        }
    }

    async fn send(&mut self, line: &str) -> Result<String, Loss> {
        self.tags += 1;
        let tag = format!("a{}", self.tags);
        self.write(&[&tag, " ", line, "\r\n"]).await?;
        Ok(tag)
    }

    /// One write for the whole line: a command in pieces waits for the peer's delayed acknowledgement.
    async fn write(&mut self, pieces: &[&str]) -> Result<(), Loss> {
        let mut line = Zeroizing::new(String::with_capacity(pieces.iter().map(|p| p.len()).sum()));
        for piece in pieces {
            line.push_str(piece);
        }
        let pipe = self.client.get_mut();
        pipe.write_all(line.as_bytes()).await.map_err(|e| loss(&e))?;
        pipe.flush().await.map_err(|e| loss(&e))
    }

    /// Reads one answer and lets `see` take from it what is wanted.
    async fn read<T>(&mut self, see: impl FnOnce(&Response<'_>) -> Result<T, Loss> + Send) -> Result<T, Loss> {
        let data = self.client.read_response().await.map_err(|e| loss(&e))?.ok_or(Loss::Closed)?;
        see(data.parsed())
    }
}

/// True: PREAUTH.
fn greeting(response: &Response<'_>) -> Result<bool, Loss> {
    let Response::Data { status, outcome } = response else {
        return Err(Loss::Unexpected { command: "the greeting" });
    };
    match status {
        Status::Ok => Ok(false),
        Status::PreAuth => Ok(true),
        Status::Bye | Status::No | Status::Bad => Err(Loss::Bye(shown(outcome.information.as_deref()))),
    }
}

enum Step {
    /// Untagged; `each` has seen it.
    Seen,
    /// `+`: the server wants a reply.
    Asked,
    Ended(Answer),
}

fn judge(
    response: &Response<'_>,
    tag: &str,
    name: &'static str,
    each: &mut impl FnMut(&Response<'_>),
) -> Result<Step, Loss> {
    if let Response::Done { tag: theirs, status, outcome } = response {
        if theirs.0 != tag {
            return Err(Loss::OtherTag { command: name });
        }
        each(response);
        let try_create = matches!(outcome.code, Some(ResponseCode::TryCreate));
        return match status {
            Status::Ok => Ok(Step::Ended(Answer::Ok)),
            Status::No => Ok(Step::Ended(Answer::No { text: shown(outcome.information.as_deref()), try_create })),
            Status::Bad | Status::PreAuth | Status::Bye => Err(Loss::Bad { command: name }),
        };
    }
    if let Response::Continue(_) = response {
        return Ok(Step::Asked);
    }
    // RFC 3501 §6.1.3: LOGOUT is the one command after which the server is to say goodbye.
    if name != "LOGOUT" {
        bye(response)?;
    }
    each(response);
    Ok(Step::Seen)
}

/// An untagged BYE is a loss.
fn bye(response: &Response<'_>) -> Result<(), Loss> {
    if let Response::Data { status: Status::Bye, outcome } = response {
        return Err(Loss::Bye(shown(outcome.information.as_deref())));
    }
    Ok(())
}

enum IdleAnswer {
    Accepted,
    /// Mails came or went.
    Change,
    Ended,
    Refused,
    Other,
}

fn idle_answer(response: &Response<'_>, tag: &str) -> Result<IdleAnswer, Loss> {
    bye(response)?;
    if let Response::Done { tag: theirs, status, .. } = response {
        return match status {
            _ if theirs.0 != tag => Err(Loss::OtherTag { command: "IDLE" }),
            Status::Ok => Ok(IdleAnswer::Ended),
            Status::No | Status::Bad | Status::PreAuth | Status::Bye => Ok(IdleAnswer::Refused),
        };
    }
    if let Response::Continue(_) = response {
        return Ok(IdleAnswer::Accepted);
    }
    let change = matches!(
        response,
        Response::MailboxData(MailboxDatum::Exists(_)) | Response::Expunge(_) | Response::Vanished { .. }
    );
    Ok(if change { IdleAnswer::Change } else { IdleAnswer::Other })
}

fn late(command: &'static str) -> Loss {
    Loss::TimedOut { command, limit: DONE_LIMIT }
}

/// Only the kind of an error is kept: a parser's error carries the raw input, which may be a mail.
fn loss(error: &io::Error) -> Loss {
    if let Some(over) = error.get_ref().and_then(|inner| inner.downcast_ref::<OverLimit>()) {
        return Loss::OverLimit(over.0);
    }
    if error.kind() == io::ErrorKind::Other { Loss::Unparsable } else { Loss::Io(error.kind()) }
}
