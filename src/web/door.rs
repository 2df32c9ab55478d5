//! A listener with limits: at most [`CONNECTIONS_MAX`] connections, none older than [`CONNECTION_LIFE`], so that a client
//! that sends or reads a byte now and then cannot keep a place. With a certificate it speaks TLS 1.2 and 1.3; handshakes
//! run beside each other, so a slow one holds nobody up.

use axum::Router;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Connections served at once; further ones wait in the system's queue.
pub const CONNECTIONS_MAX: usize = 256;
/// A connection older than this is cut; browsers open another by themselves.
pub const CONNECTION_LIFE: Duration = Duration::from_secs(30);
/// How long requests under way may take after the daemon was told to end.
pub const GRACE: Duration = Duration::from_secs(2);
/// How long a TLS handshake may take.
pub const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// Pause after a failed accept (out of file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Why a page cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    #[error("{setting}: {address} cannot be listened on ({source}); give another address or end what uses it")]
    Bind { setting: &'static str, address: SocketAddr, source: io::Error },
    #[error(
        "{setting}: {address} can be reached by others, and the console lets in whoever reaches it; give a loopback address (127.0.0.1:8081) and come through an SSH tunnel"
    )]
    NotLoopback { setting: &'static str, address: SocketAddr },
    #[error("{}: the certificate or key of the pages cannot be used ({why}); check web.tls_cert and web.tls_key", .file.display())]
    Certificate { file: PathBuf, why: String },
    #[error("pages can no longer be served ({0}); start annai again")]
    Lost(#[from] io::Error),
}

/// An open listener.
#[derive(Debug)]
pub struct Door {
    listener: std::net::TcpListener,
    address: SocketAddr,
    tls: Option<Tls>,
}

#[derive(Clone)]
struct Tls(TlsAcceptor);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Door {
    /// Opens the address; port 0 is any free one. `setting` is named in the error.
    pub fn open(address: SocketAddr, setting: &'static str) -> Result<Self, DoorError> {
        let bind = |source| DoorError::Bind { setting, address, source };
        let listener = std::net::TcpListener::bind(address).map_err(bind)?;
        listener.set_nonblocking(true).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        Ok(Self { listener, address, tls: None })
    }

    /// The same, speaking TLS with this chain and key (PEM).
    pub fn with_tls(mut self, cert: &Path, key: &Path) -> Result<Self, DoorError> {
        let fault = |file: &Path, why: String| DoorError::Certificate { file: file.to_owned(), why };
        let chain = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let chain = chain.map_err(|why| fault(cert, why.to_string()))?;
        let secret = PrivateKeyDer::from_pem_file(key).map_err(|why| fault(key, why.to_string()))?;
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
                .map_err(|why| fault(cert, why.to_string()))?;
        self.tls = Some(Tls(TlsAcceptor::from(Arc::new(config))));
        Ok(self)
    }

    /// The address with the port it really has.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until told to end; requests under way get [`GRACE`].
    pub async fn serve(&self, router: Router, told: watch::Receiver<bool>) -> Result<(), DoorError> {
        let listener = TcpListener::from_std(self.listener.try_clone()?)?;
        let (ready, waiting) = mpsc::channel(CONNECTIONS_MAX);
        let guarded = Guarded {
            listener,
            places: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            tls: self.tls.clone().map(|Tls(tls)| tls),
            ready,
            waiting,
        };
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
    tls: Option<TlsAcceptor>,
    /// Connections whose handshake is done.
    ready: mpsc::Sender<(Visit, SocketAddr)>,
    waiting: mpsc::Receiver<(Visit, SocketAddr)>,
}

impl axum::serve::Listener for Guarded {
    type Io = Visit;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Visit, SocketAddr) {
        loop {
            let accepted = tokio::select! {
                Some(visit) = self.waiting.recv() => return visit,
                accepted = next(&self.listener, &self.places) => accepted,
            };
            match (accepted, &self.tls) {
                (Ok((stream, from, place)), None) => return (Visit::new(Stream::Plain(stream), place), from),
                (Ok((stream, from, place)), Some(tls)) => {
                    let (handshake, ready) = (tls.accept(stream), self.ready.clone());
                    tokio::spawn(async move {
                        // Whoever speaks no TLS, or too slowly, is not answered.
                        if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_LIMIT, handshake).await {
                            let visit = Visit::new(Stream::Tls(Box::new(stream)), place);
                            let _ended = ready.send((visit, from)).await;
                        }
                    });
                }
                (Err(fault), _) => {
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

/// The next connection, once there is a place for it. May be dropped at any moment without losing one.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, from) = listener.accept().await?;
    Ok((stream, from, place))
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

trait Wire: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Wire for T {}

impl Stream {
    fn wire(&mut self) -> Pin<&mut (dyn Wire + Send)> {
        match self {
            Self::Plain(stream) => Pin::new(stream),
            Self::Tls(stream) => Pin::new(stream),
        }
    }
}

/// One connection with its place and its end.
struct Visit {
    stream: Stream,
    end: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Visit {
    fn new(stream: Stream, place: OwnedSemaphorePermit) -> Self {
        Self { stream, end: Box::pin(tokio::time::sleep(CONNECTION_LIFE)), _place: place }
    }

    fn over(&mut self, context: &mut Context<'_>) -> bool {
        self.end.as_mut().poll(context).is_ready()
    }
}

impl AsyncRead for Visit {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.over(cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.stream.wire().poll_read(cx, buf)
    }
}

impl AsyncWrite for Visit {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.over(cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.stream.wire().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.wire().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.wire().poll_shutdown(cx)
    }
}
