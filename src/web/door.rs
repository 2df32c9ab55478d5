//! A listener with limits: at most [`CONNECTIONS_MAX`] connections, none older than [`CONNECTION_LIFE`], so that a client
//! that sends or reads a byte now and then cannot keep a place. With a certificate it speaks TLS 1.2 and 1.3; handshakes
//! run beside each other, so a slow one holds nobody up. What a page must know of a connection is its [`Peer`].

use super::wicket::Wicket;
use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use rustls::server::WebPkiClientVerifier;
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
        "{setting}: {address} can be reached by others, and passwords would cross the network in the clear; set web.tls_cert and web.tls_key, or give a loopback address (127.0.0.1:8081) and come through an SSH tunnel"
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

/// Who is at the other end of a connection.
#[derive(Debug, Clone)]
pub struct Peer {
    pub address: SocketAddr,
    /// The certificates it has shown, its own first; empty if none. Shown only: whether they are any good, the page asks
    /// the [`Wicket`].
    pub certificates: Arc<[CertificateDer<'static>]>,
}

impl Connected<IncomingStream<'_, Guarded>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Guarded>) -> Self {
        stream.remote_addr().clone()
    }
}

#[derive(Clone)]
enum Tls {
    /// The same for everybody, for ever.
    Fixed(TlsAcceptor),
    /// Asks for a certificate; follows the authority.
    Wicket(Arc<Wicket>),
}

impl Tls {
    fn acceptor(&self) -> TlsAcceptor {
        match self {
            Self::Fixed(acceptor) => acceptor.clone(),
            Self::Wicket(wicket) => TlsAcceptor::from(wicket.config()),
        }
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Fixed(_) => "Fixed",
            Self::Wicket(_) => "Wicket",
        })
    }
}

/// A certificate chain and its key from PEM files.
pub(super) fn chain_and_key(
    cert: &Path,
    key: &Path,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), DoorError> {
    let fault = |file: &Path, why: String| DoorError::Certificate { file: file.to_owned(), why };
    let chain = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|why| fault(cert, why.to_string()))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|why| fault(key, why.to_string()))?;
    Ok((chain, secret))
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
        let fault = |why: rustls::Error| DoorError::Certificate { file: cert.to_owned(), why: why.to_string() };
        let (chain, secret) = chain_and_key(cert, key)?;
        let config = rustls::ServerConfig::builder_with_provider(crate::tls::provider())
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
            .map_err(fault)?;
        self.tls = Some(Tls::Fixed(TlsAcceptor::from(Arc::new(config))));
        Ok(self)
    }

    /// The same, asking for a terminal's certificate.
    pub fn with_wicket(mut self, wicket: Arc<Wicket>) -> Self {
        self.tls = Some(Tls::Wicket(wicket));
        self
    }

    /// The same for people of ours only: who shows no certificate of this authority gets no page at all.
    pub fn with_tls_for(mut self, cert: &Path, key: &Path, clients: &Path) -> Result<Self, DoorError> {
        let fault = |file: &Path, why: String| DoorError::Certificate { file: file.to_owned(), why };
        let (chain, secret) = chain_and_key(cert, key)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        for found in CertificateDer::pem_file_iter(clients).map_err(|why| fault(clients, why.to_string()))? {
            let found = found.map_err(|why| fault(clients, why.to_string()))?;
            roots.add(found).map_err(|why| fault(clients, why.to_string()))?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
        let verifier = verifier.map_err(|why| fault(clients, why.to_string()))?;
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_client_cert_verifier(verifier).with_single_cert(chain, secret))
            .map_err(|why| fault(cert, why.to_string()))?;
        self.tls = Some(Tls::Fixed(TlsAcceptor::from(Arc::new(config))));
        Ok(self)
    }

    /// Whether it speaks TLS.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
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
            tls: self.tls.clone(),
            ready,
            waiting,
        };
        let router = router.into_make_service_with_connect_info::<Peer>();
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
    tls: Option<Tls>,
    /// Connections whose handshake is done.
    ready: mpsc::Sender<(Visit, Peer)>,
    waiting: mpsc::Receiver<(Visit, Peer)>,
}

impl axum::serve::Listener for Guarded {
    type Io = Visit;
    type Addr = Peer;

    async fn accept(&mut self) -> (Visit, Peer) {
        loop {
            let accepted = tokio::select! {
                Some(visit) = self.waiting.recv() => return visit,
                accepted = next(&self.listener, &self.places) => accepted,
            };
            match (accepted, &self.tls) {
                (Ok((stream, address, place)), None) => {
                    let peer = Peer { address, certificates: Arc::new([]) };
                    return (Visit::new(Stream::Plain(stream), place), peer);
                }
                (Ok((stream, address, place)), Some(tls)) => {
                    let (handshake, ready) = (tls.acceptor().accept(stream), self.ready.clone());
                    tokio::spawn(async move {
                        // Whoever speaks no TLS, or too slowly, is not answered.
                        if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_LIMIT, handshake).await {
                            let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
                            let peer = Peer { address, certificates: shown.iter().cloned().collect() };
                            let visit = Visit::new(Stream::Tls(Box::new(stream)), place);
                            let _ended = ready.send((visit, peer)).await;
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

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer { address: self.listener.local_addr()?, certificates: Arc::new([]) })
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
