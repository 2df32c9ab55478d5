//! The doors: four listeners and the errands, all tasks in one set, so that closing the post office ends every one.

use super::mailbox::Envelope;
use super::wire::Wire;
use super::{Office, Options, StartError, imap, smtp};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

/// A mail to deliver after a while.
pub(super) struct Errand {
    pub(super) after: Duration,
    pub(super) envelope: Envelope,
    pub(super) raw: Arc<[u8]>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Addresses {
    pub(super) imap: SocketAddr,
    pub(super) imaps: SocketAddr,
    pub(super) smtp: SocketAddr,
    pub(super) smtps: SocketAddr,
}

pub(super) struct Listeners {
    imap: TcpListener,
    imaps: TcpListener,
    smtp: TcpListener,
    smtps: TcpListener,
    pub(super) addresses: Addresses,
}

#[derive(Clone, Copy)]
enum Door {
    Imap,
    Imaps,
    Smtp,
    Smtps,
}

impl Listeners {
    pub(super) async fn open(options: &Options) -> Result<Self, StartError> {
        let imap = listen(options.imap_port).await?;
        let imaps = listen(options.imaps_port).await?;
        let smtp = listen(options.smtp_port).await?;
        let smtps = listen(options.smtps_port).await?;
        let addresses = Addresses { imap: imap.1, imaps: imaps.1, smtp: smtp.1, smtps: smtps.1 };
        Ok(Self { imap: imap.0, imaps: imaps.0, smtp: smtp.0, smtps: smtps.0, addresses })
    }

    async fn accept(&self) -> (Door, io::Result<(TcpStream, SocketAddr)>) {
        tokio::select! {
            accepted = self.imap.accept() => (Door::Imap, accepted),
            accepted = self.imaps.accept() => (Door::Imaps, accepted),
            accepted = self.smtp.accept() => (Door::Smtp, accepted),
            accepted = self.smtps.accept() => (Door::Smtps, accepted),
        }
    }
}

async fn listen(port: u16) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Port { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Serves until told to stop, or until the post office is dropped; then ends every connection and errand.
pub(super) async fn serve(
    office: Arc<Office>,
    listeners: Listeners,
    mut errands: mpsc::Receiver<Errand>,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(office.limits.connections));
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            (door, accepted) = listeners.accept() => {
                // A failed accept concerns that peer only; a connection too many is closed without a word.
                let (Ok((stream, _)), Ok(place)) = (accepted, Arc::clone(&places).try_acquire_owned()) else { continue };
                let office = Arc::clone(&office);
                tasks.spawn(async move {
                    // The peer may leave at any moment: that is its right, and no error of ours.
                    let _ = attend(office, door, stream).await;
                    drop(place);
                });
            }
            Some(errand) = errands.recv() => {
                let office = Arc::clone(&office);
                tasks.spawn(async move {
                    tokio::time::sleep(errand.after).await;
                    // A full post office loses the answer, as a full mailbox would.
                    let _ = office.deliver(errand.envelope, errand.raw);
                });
            }
            Some(_) = tasks.join_next() => {}
        }
    }
    drop(listeners);
    tasks.shutdown().await;
}

async fn attend(office: Arc<Office>, door: Door, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let wire = Wire::Clear(stream);
    match door {
        Door::Imap => imap::attend(office, wire).await,
        Door::Imaps => {
            let wire = wire.secure(&office.tls).await?;
            imap::attend(office, wire).await
        }
        Door::Smtp => smtp::attend(office, wire).await,
        Door::Smtps => {
            let wire = wire.secure(&office.tls).await?;
            smtp::attend(office, wire).await
        }
    }
}
