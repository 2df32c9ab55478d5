//! An SMTP server that plays a script, for the faults real servers cannot be asked for.
//!
//! One step per line: `> 250 ok` is sent (`|` parts lines that go in one write), `< MAIL` is a line of the client that
//! must begin so, `< letter` is everything up to the lone dot, `tls` begins TLS, `cut` closes at once, `silence` stops
//! the clock and never answers again, so that the client's own limit runs out without anybody waiting.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

pub(crate) struct Scripted {
    pub(crate) port: u16,
    task: JoinHandle<Vec<String>>,
}

impl Scripted {
    /// Serves one connection.
    pub(crate) async fn start(script: &str, tls: Option<&Authority>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = script.to_owned();
        let acceptor = tls.map(|authority| authority.acceptor.clone());
        let task = tokio::spawn(async move {
            let stream = listener.accept().await.unwrap().0;
            stream.set_nodelay(true).unwrap();
            play(&script, Box::new(stream), acceptor).await
        });
        Self { port, task }
    }

    /// The client's lines, once the script has been played to its end and the client has hung up.
    pub(crate) async fn heard(self) -> Vec<String> {
        self.task.await.unwrap()
    }
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

async fn play(script: &str, stream: Box<dyn Io>, acceptor: Option<TlsAcceptor>) -> Vec<String> {
    let (mut stream, mut heard) = (BufReader::new(stream), Vec::new());
    for step in script.lines().map(str::trim).filter(|step| !step.is_empty()) {
        match step.split_once(' ').unwrap_or((step, "")) {
            (">", text) => {
                let bytes = format!("{}\r\n", text.replace('|', "\r\n")).replace('あ', "\u{82}");
                let bytes: Vec<u8> = bytes.chars().map(|c| c as u8).collect();
                stream.get_mut().write_all(&bytes).await.unwrap();
                stream.get_mut().flush().await.unwrap();
            }
            ("<", "letter") => loop {
                let line = line(&mut stream).await.expect("a letter ends with a dot");
                let end = line == ".";
                heard.push(line);
                if end {
                    break;
                }
            },
            ("<", prefix) => {
                let line = line(&mut stream).await.unwrap_or_default();
                assert!(line.starts_with(prefix), "expected {prefix}, got {line:?}, after {heard:?}");
                heard.push(line);
            }
            ("tls", _) => {
                let Ok(tls) = acceptor.as_ref().unwrap().accept(stream.into_inner()).await else { return heard };
                stream = BufReader::new(Box::new(tls));
            }
            ("cut", _) => return heard,
            ("silence", _) => {
                tokio::time::pause();
                std::future::pending::<()>().await;
            }
            other => panic!("no such step: {other:?}"),
        }
    }
    while let Some(line) = line(&mut stream).await {
        heard.push(line);
    }
    heard
}

/// Without its line end; `None` once the client has hung up.
async fn line(stream: &mut BufReader<Box<dyn Io>>) -> Option<String> {
    let mut bytes = Vec::new();
    match stream.read_until(b'\n', &mut bytes).await {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(String::from_utf8_lossy(bytes.strip_suffix(b"\r\n").expect("CRLF")).into_owned()),
    }
}

/// A throw-away CA and a server certificate of it.
pub(crate) struct Authority {
    pub(crate) ca_file: PathBuf,
    acceptor: TlsAcceptor,
    _dir: tempfile::TempDir,
}

impl Authority {
    /// `name`: what the server certificate is made out to.
    pub(crate) fn new(name: &str) -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = params.self_signed(&ca_key).unwrap();
        let issuer = Issuer::new(params, ca_key);
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let ca_file = dir.path().join("ca.pem");
        std::fs::write(&ca_file, ca.pem()).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], rustls_pki_types::PrivateKeyDer::from(key))
            .unwrap();
        Self { ca_file, acceptor: TlsAcceptor::from(Arc::new(config)), _dir: dir }
    }
}
