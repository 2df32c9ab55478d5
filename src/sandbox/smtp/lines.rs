//! Lines of one SMTP connection: only CRLF ends a line. A line that is too long is read to its end and forgotten.

use crate::sandbox::wire::{READ_OCTETS, Wire};
use std::io;

pub(super) enum Line {
    /// Without its CRLF.
    Whole(Vec<u8>),
    TooLong,
}

pub(super) struct Lines {
    pub(super) wire: Wire,
    buffer: Vec<u8>,
    /// Where the next line starts in `buffer`.
    start: usize,
}

impl Lines {
    pub(super) fn new(wire: Wire) -> Self {
        Self { wire, buffer: Vec::new(), start: 0 }
    }

    /// The next line, of at most `octets_max` octets.
    pub(super) async fn next(&mut self, octets_max: usize) -> io::Result<Line> {
        let mut too_long = false;
        let mut looked_at = 0;
        loop {
            let waiting = self.buffer.get(self.start..).unwrap_or_default();
            let from = looked_at.min(waiting.len());
            let end = waiting.get(from..).unwrap_or_default().windows(2).position(|pair| pair == b"\r\n");
            if let Some(end) = end.map(|end| end + from) {
                let line = waiting.get(..end).unwrap_or_default().to_vec();
                self.start += end + 2;
                return Ok(if too_long || end > octets_max { Line::TooLong } else { Line::Whole(line) });
            }
            looked_at = waiting.len().saturating_sub(1);
            if looked_at > octets_max {
                // Only the last octet can still belong to a line end.
                too_long = true;
                self.start += looked_at;
                looked_at = 0;
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let mut chunk = vec![0; READ_OCTETS];
        let count = self.wire.read(&mut chunk).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.buffer.extend_from_slice(chunk.get(..count).unwrap_or_default());
        Ok(())
    }

    /// Reads and forgets until the client leaves.
    pub(super) async fn drain(&mut self) -> io::Result<()> {
        let mut chunk = vec![0; READ_OCTETS];
        while self.wire.read(&mut chunk).await? > 0 {}
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    /// Sends a reply of one or more lines, given without its last CRLF.
    pub(super) async fn reply(&mut self, reply: &str) -> io::Result<()> {
        self.wire.write(format!("{reply}\r\n").as_bytes()).await
    }
}
