//! The octets between us and the server: TCP or TLS, watched by [`Frame`].

use super::frame::Frame;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// A connection whose incoming octets keep within the limits of [`Frame`].
#[derive(Debug)]
pub(super) struct Pipe {
    io: Io,
    frame: Frame,
    /// Read octet by octet, so that nothing after the current line is taken from the socket: before STARTTLS, octets
    /// an attacker put behind the answer must still be in the socket, where they can be seen.
    stepwise: bool,
}

#[derive(Debug)]
enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Pipe {
    pub(super) fn plain(stream: TcpStream) -> Self {
        Self { io: Io::Plain(stream), frame: Frame::default(), stepwise: false }
    }

    pub(super) fn before_starttls(stream: TcpStream) -> Self {
        Self { io: Io::Plain(stream), frame: Frame::default(), stepwise: true }
    }

    pub(super) fn tls(stream: TlsStream<TcpStream>) -> Self {
        Self { io: Io::Tls(Box::new(stream)), frame: Frame::default(), stepwise: false }
    }

    /// The socket under a connection without TLS.
    pub(super) fn into_plain(self) -> Option<TcpStream> {
        match self.io {
            Io::Plain(stream) => Some(stream),
            Io::Tls(_) => None,
        }
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let mut one = [0u8; 1];
        let mut single = ReadBuf::new(&mut one);
        let new = if this.stepwise {
            ready!(this.io.poll_read(cx, &mut single))?;
            buf.put_slice(single.filled());
            single.filled()
        } else {
            let before = buf.filled().len();
            ready!(this.io.poll_read(cx, buf))?;
            buf.filled().get(before..).unwrap_or_default()
        };
        Poll::Ready(this.frame.take(new).map_err(|over| io::Error::new(io::ErrorKind::InvalidData, over)))
    }
}

impl Io {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().io {
            Io::Plain(stream) => Pin::new(stream).poll_write(cx, octets),
            Io::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, octets),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().io {
            Io::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Io::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().io {
            Io::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Io::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
