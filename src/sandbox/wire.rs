//! One connection, in clear or under TLS. Knows octets only.

use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Octets asked for in one read.
pub(super) const READ_OCTETS: usize = 16 * 1024;

pub(super) enum Wire {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    pub(super) fn is_tls(&self) -> bool {
        match self {
            Self::Clear(_) => false,
            Self::Tls(_) => true,
        }
    }

    /// Reads some octets; 0 is the end. Safe to cancel.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.read(buffer).await,
            Self::Tls(stream) => stream.read(buffer).await,
        }
    }

    pub(super) async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.write_all(octets).await,
            Self::Tls(stream) => {
                stream.write_all(octets).await?;
                stream.flush().await
            }
        }
    }

    /// Says goodbye properly (TLS close_notify, then FIN).
    pub(super) async fn close(&mut self) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.shutdown().await,
            Self::Tls(stream) => stream.shutdown().await,
        }
    }

    /// Starts TLS on a connection in clear; one under TLS stays as it is.
    pub(super) async fn secure(self, tls: &TlsAcceptor) -> io::Result<Self> {
        match self {
            Self::Clear(stream) => Ok(Self::Tls(Box::new(tls.accept(stream).await?))),
            Self::Tls(_) => Ok(self),
        }
    }
}
