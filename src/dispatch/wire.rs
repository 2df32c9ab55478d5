//! The byte stream under an SMTP session: TCP or TLS, with what the SMTP library above does not take care of.
//!
//! - A greeting read before STARTTLS is handed up once more, because after STARTTLS the server does not greet again
//!   (RFC 3207 §4.2) while the library waits for it.
//! - Bytes outside ASCII in replies become `?`: the library would take them for a broken connection.
//! - A reply line ends within [`LINE_OCTETS_MAX`]; the library would read on for ever.

use lettre::transport::smtp::client::AsyncTokioStream;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// Longest reply line read, in octets; RFC 5321 §4.5.3.1.5 allows 512.
pub(super) const LINE_OCTETS_MAX: usize = 4_096;

#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    /// Still to be handed up before anything from the stream.
    greeting: Vec<u8>,
    line_octets: usize,
}

#[derive(Debug)]
pub(super) enum Stream {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    pub(super) fn new(stream: Stream, greeting: Vec<u8>) -> Self {
        Self { stream, greeting, line_octets: 0 }
    }

    /// Keeps count of the line under way and replaces what is not ASCII.
    fn inspect(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        for byte in bytes {
            self.line_octets = if *byte == b'\n' { 0 } else { self.line_octets + 1 };
            if self.line_octets > LINE_OCTETS_MAX {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "reply line too long"));
            }
            if !byte.is_ascii() {
                *byte = b'?';
            }
        }
        Ok(())
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.greeting.is_empty() {
            let length = self.greeting.len().min(buf.remaining());
            buf.put_slice(&self.greeting.drain(..length).collect::<Vec<u8>>());
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let polled = match &mut self.stream {
            Stream::Clear(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buf),
        };
        match polled {
            Poll::Ready(Ok(())) => Poll::Ready(self.inspect(buf.filled_mut().get_mut(before..).unwrap_or_default())),
            other @ (Poll::Ready(Err(_)) | Poll::Pending) => other,
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Clear(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Clear(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Clear(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.stream {
            Stream::Clear(stream) => stream.peer_addr(),
            Stream::Tls(stream) => stream.get_ref().0.peer_addr(),
        }
    }
}
