//! Octets of one IMAP connection: whole commands in, responses out, with the faults that concern octets.
//!
//! Limits: [`LINE_OCTETS_MAX`] without literals, the mail limit more with them. Longer commands end the connection; a
//! literal over the mail limit is refused if the client waits for leave, and ends the connection if it does not.

use crate::sandbox::ImapFault;
use crate::sandbox::wire::{READ_OCTETS, Wire};
use imap_codec::encode::Encoder;
use imap_codec::fragmentizer::{FragmentInfo, Fragmentizer, LiteralAnnouncement};
use imap_codec::imap_types::IntoStatic;
use imap_codec::imap_types::core::{LiteralMode, Tag};
use imap_codec::imap_types::response::{Bye, CommandContinuationRequest, Response, Status};
use imap_codec::{GreetingCodec, ResponseCodec, imap_types::response::Greeting};
use std::borrow::Cow;
use std::io;
use std::time::Duration;

use super::completion::{Completion, words};

/// Octets of one command line, without its literals. RFC 7162 §4 advises clients to stay below 8192.
const LINE_OCTETS_MAX: usize = 64 * 1024;
const GARBAGE: &[u8] = b"%$#{ this line is no IMAP }(\r\n";

pub(super) struct Talk {
    pub(super) wire: Wire,
    pub(super) frames: Fragmentizer,
    literal_octets_max: usize,
    /// Octets of the literals announced in the command being read.
    literals: usize,
    plan: Plan,
}

/// The fault in force for the answer being written.
#[derive(Default)]
struct Plan {
    octets: Option<usize>,
    responses: Option<usize>,
    bye: bool,
    octets_per_second: Option<u32>,
}

impl Talk {
    pub(super) fn new(wire: Wire, mail_octets: usize) -> Self {
        let whole = u32::try_from(mail_octets + LINE_OCTETS_MAX).unwrap_or(u32::MAX);
        let frames = Fragmentizer::new(whole);
        Self { wire, frames, literal_octets_max: mail_octets, literals: 0, plan: Plan::default() }
    }

    /// Reads until `frames` holds one whole command (or line, in AUTHENTICATE and IDLE). Safe to cancel.
    pub(super) async fn frame(&mut self) -> io::Result<()> {
        loop {
            match self.frames.progress() {
                Some(FragmentInfo::Line { announcement: Some(literal), .. }) => self.literal(literal).await?,
                Some(FragmentInfo::Line { announcement: None, .. }) if self.frames.is_message_complete() => {
                    self.literals = 0;
                    return Ok(());
                }
                Some(FragmentInfo::Line { .. } | FragmentInfo::Literal { .. }) => {}
                None => self.read().await?,
            }
        }
    }

    async fn read(&mut self) -> io::Result<()> {
        let line = self.frames.message_bytes().len().saturating_sub(self.literals);
        if line > LINE_OCTETS_MAX || self.frames.is_max_message_size_exceeded() {
            return self.bye("The command is too long.").await;
        }
        let mut buffer = vec![0; READ_OCTETS];
        let count = self.wire.read(&mut buffer).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.frames.enqueue_bytes(buffer.get(..count).unwrap_or_default());
        Ok(())
    }

    async fn literal(&mut self, literal: LiteralAnnouncement) -> io::Result<()> {
        let fits = usize::try_from(literal.length).is_ok_and(|length| length <= self.literal_octets_max);
        self.literals = self.literals.saturating_add(literal.length as usize);
        match (literal.mode, fits) {
            (LiteralMode::Sync, true) => self.go_on(&[]).await,
            (LiteralMode::NonSync, true) => Ok(()),
            (LiteralMode::Sync, false) => {
                let tag = self.frames.decode_tag().map(IntoStatic::into_static);
                self.frames.skip_message();
                self.literals = 0;
                let answer = Completion::no("The literal is too big: the limit is Limits.mail_octets.");
                self.end_with(answer, tag).await
            }
            (LiteralMode::NonSync, false) => self.bye("The literal is too big.").await,
        }
    }

    /// Sends a tagged answer, or an untagged one if the tag could not be read.
    pub(super) async fn end_with(&mut self, answer: Completion, tag: Option<Tag<'static>>) -> io::Result<()> {
        let response = match tag {
            Some(tag) => answer.tagged(tag),
            None => answer.untagged(),
        };
        self.send(&response).await
    }

    /// A continuation request with this challenge.
    pub(super) async fn go_on(&mut self, challenge: &[u8]) -> io::Result<()> {
        let request = CommandContinuationRequest::Base64(Cow::Borrowed(challenge));
        self.send(&Response::CommandContinuationRequest(request)).await
    }

    pub(super) async fn greet(&mut self, greeting: &Greeting<'_>) -> io::Result<()> {
        let octets = GreetingCodec::default().encode(greeting).dump();
        self.put(&octets).await
    }

    /// Writes one response, as far as the fault in force lets it.
    pub(super) async fn send(&mut self, response: &Response<'_>) -> io::Result<()> {
        let tagged = matches!(response, Response::Status(Status::Tagged(_)));
        if self.plan.responses == Some(0) || (tagged && self.plan.responses.is_some()) {
            return if self.plan.bye { self.bye("The sandbox leaves now.").await } else { self.cut().await };
        }
        if let Some(left) = &mut self.plan.responses {
            *left -= 1;
        }
        let octets = ResponseCodec::default().encode(response).dump();
        self.put(&octets).await
    }

    /// Takes up a fault that concerns octets. Others do nothing here.
    pub(super) async fn suffer(&mut self, fault: &ImapFault) -> io::Result<()> {
        match fault {
            ImapFault::CutAfterOctets(octets) => self.plan.octets = Some(*octets),
            ImapFault::CutAfterResponses(count) => self.plan.responses = Some(*count),
            ImapFault::ByeAfterResponses(count) => {
                self.plan.responses = Some(*count);
                self.plan.bye = true;
            }
            ImapFault::Drip { octets_per_second } => self.plan.octets_per_second = Some((*octets_per_second).max(1)),
            ImapFault::Garbage => self.put(GARBAGE).await?,
            ImapFault::Silence => self.fall_silent().await?,
            ImapFault::ChangeUidValidity
            | ImapFault::No(_)
            | ImapFault::KeepAlive { .. }
            | ImapFault::Before(_)
            | ImapFault::Instead(_) => {}
        }
        Ok(())
    }

    /// Sends octets from a fault rule as they are, with the tag filled in.
    pub(super) async fn raw(&mut self, octets: &str, tag: &str) -> io::Result<()> {
        self.put(octets.replace("{tag}", tag).as_bytes()).await
    }

    /// The answer is complete: its fault is over.
    pub(super) fn recover(&mut self) {
        self.plan = Plan::default();
    }

    /// Sends an untagged BYE and ends the connection.
    pub(super) async fn bye<T>(&mut self, text: &'static str) -> io::Result<T> {
        let bye = Response::Status(Status::Bye(Bye { code: None, text: words(text) }));
        let octets = ResponseCodec::default().encode(&bye).dump();
        self.wire.write(&octets).await?;
        self.cut().await
    }

    /// Ends the connection.
    pub(super) async fn cut<T>(&mut self) -> io::Result<T> {
        self.wire.close().await?;
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    async fn fall_silent(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; READ_OCTETS];
        while self.wire.read(&mut buffer).await? > 0 {}
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    async fn put(&mut self, octets: &[u8]) -> io::Result<()> {
        let Some(left) = self.plan.octets else { return self.trickle(octets).await };
        if let Some(first) = octets.get(..left) {
            self.trickle(first).await?;
            return self.cut().await;
        }
        self.plan.octets = Some(left - octets.len());
        self.trickle(octets).await
    }

    async fn trickle(&mut self, octets: &[u8]) -> io::Result<()> {
        let Some(rate) = self.plan.octets_per_second else { return self.wire.write(octets).await };
        let drop = (rate / 10).max(1);
        let pause = Duration::from_secs_f64(f64::from(drop) / f64::from(rate));
        for piece in octets.chunks(drop as usize) {
            self.wire.write(piece).await?;
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }
}
