//! A listener with limits: at most [`CONNECTIONS_MAX`] connections, none older than [`CONNECTION_LIFE`], so that a client
//! that sends or reads a byte now and then cannot keep a place.

use axum::Router;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Sleep;

/// Connections served at once; further ones wait in the system's queue.
pub const CONNECTIONS_MAX: usize = 256;
/// A connection older than this is cut; browsers open another by themselves.
pub const CONNECTION_LIFE: Duration = Duration::from_secs(30);
/// How long requests under way may take after the daemon was told to end.
pub const GRACE: Duration = Duration::from_secs(2);
/// Pause after a failed accept (out of file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Why a page cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    #[error("{setting}: {address} cannot be listened on ({source}); give another address or end what uses it")]
    Bind { setting: &'static str, address: SocketAddr, source: io::Error },
    #[error("pages can no longer be served ({0}); start annai again")]
    Lost(#[from] io::Error),
}

/// An open listener.
#[derive(Debug)]
pub struct Door {
    listener: std::net::TcpListener,
    address: SocketAddr,
}

impl Door {
    /// Opens the address; port 0 is any free one. `setting` is named in the error.
    pub fn open(address: SocketAddr, setting: &'static str) -> Result<Self, DoorError> {
        let bind = |source| DoorError::Bind { setting, address, source };
        let listener = std::net::TcpListener::bind(address).map_err(bind)?;
        listener.set_nonblocking(true).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        Ok(Self { listener, address })
    }

    /// The address with the port it really has.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until told to end; requests under way get [`GRACE`].
    pub async fn serve(&self, router: Router, told: watch::Receiver<bool>) -> Result<(), DoorError> {
        let listener = TcpListener::from_std(self.listener.try_clone()?)?;
        let guarded = Guarded { listener, places: Arc::new(Semaphore::new(CONNECTIONS_MAX)) };
        let serving = axum::serve(guarded, router).with_graceful_shutdown(ended(told.clone()));
        let grace = async {
            ended(told).await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            served = async { serving.await } => Ok(served?),
            () = grace => Ok(()),
        }
    }
}

async fn ended(mut told: watch::Receiver<bool>) {
    // If nobody can tell any more, it has ended too.
    let _told = told.wait_for(|now| *now).await.is_ok();
}

struct Guarded {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl axum::serve::Listener for Guarded {
    type Io = Visit;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Visit, SocketAddr) {
        loop {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { std::future::pending().await };
            match self.listener.accept().await {
                Ok((stream, from)) => {
                    let end = Box::pin(tokio::time::sleep(CONNECTION_LIFE));
                    return (Visit { stream, end, _place: place }, from);
                }
                Err(fault) => {
                    tracing::warn!(error = %fault, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// One connection with its place and its end.
struct Visit {
    stream: TcpStream,
    end: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Visit {
    fn over(&mut self, context: &mut Context<'_>) -> bool {
        self.end.as_mut().poll(context).is_ready()
    }
}

impl AsyncRead for Visit {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.over(cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Visit {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.over(cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
