//! An IMAP server that plays a script, one file per case:
//!
//! ```text
//! S: * OK ready          sends the line and CRLF; {tag} is the tag of the last command
//! C: CAPABILITY          reads a line; what follows its tag must be this (a line without tag: C=)
//! L: 400                 sends that many octets `x`, without CRLF
//! B: * OK ready\n        sends without CRLF; \n is CRLF
//! @ login.imap           plays that file here
//! pause 120              waits so many (virtual) seconds
//! hang                   reads and ignores everything until the client goes
//! accept                 closes and takes the next connection
//! op: fetch 1 2          not for the server: what the client does (see the test)
//! want: …                not for the server: what must come of it
//! # …                    a remark
//! ```
//!
//! After the last line the connection is closed.

use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, Clone)]
pub(crate) struct Script {
    lines: Vec<String>,
}

impl Script {
    pub(crate) fn load(dir: &Path, name: &str) -> Self {
        let text = std::fs::read_to_string(dir.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        let lines = text.lines().flat_map(|line| match line.strip_prefix("@ ") {
            Some(other) => Self::load(dir, other).lines,
            None => vec![line.to_owned()],
        });
        Self { lines: lines.collect() }
    }

    /// The values of all lines `key: value`.
    pub(crate) fn values(&self, key: &str) -> Vec<String> {
        let prefix = format!("{key}: ");
        self.lines.iter().filter_map(|line| line.strip_prefix(&prefix)).map(str::to_owned).collect()
    }

    /// Listens on a free port and plays the script there. The task ends with the script, or with what was not as written.
    pub(crate) async fn serve(self) -> (u16, tokio::task::JoinHandle<Result<(), String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        (port, tokio::spawn(self.play(listener)))
    }

    async fn play(self, listener: TcpListener) -> Result<(), String> {
        let mut peer = accept(&listener).await?;
        let mut tag = String::new();
        for line in &self.lines {
            let (kind, rest) = line.split_at_checked(3).unwrap_or((line, ""));
            match kind {
                "C: " => {
                    let said = read_line(&mut peer).await?;
                    let (its_tag, command) = said.split_once(' ').unwrap_or(("", &said));
                    its_tag.clone_into(&mut tag);
                    same(rest, command)?;
                }
                "C= " => same(rest, &read_line(&mut peer).await?)?,
                "S: " => send(&mut peer, format!("{}\r\n", rest.replace("{tag}", &tag)).as_bytes()).await,
                "B: " => send(&mut peer, rest.replace("{tag}", &tag).replace("\\n", "\r\n").as_bytes()).await,
                "L: " => send(&mut peer, &vec![b'x'; rest.parse().map_err(|e| format!("{line}: {e}"))?]).await,
                "C:" => same("", &read_line(&mut peer).await?)?,
                "pau" => {
                    let seconds = line.get(6..).unwrap_or_default().parse().expect("seconds");
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                }
                "han" => {
                    let _ = peer.read_to_end(&mut Vec::new()).await;
                }
                "acc" => {
                    drop(peer);
                    peer = accept(&listener).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

async fn accept(listener: &TcpListener) -> Result<BufStream<TcpStream>, String> {
    let (peer, _) = listener.accept().await.map_err(|e| e.to_string())?;
    peer.set_nodelay(true).map_err(|e| e.to_string())?;
    Ok(BufStream::new(peer))
}

async fn read_line(peer: &mut BufStream<TcpStream>) -> Result<String, String> {
    let mut line = String::new();
    let read = peer.read_line(&mut line).await.map_err(|e| e.to_string())?;
    if read == 0 { Err("the client has gone".to_owned()) } else { Ok(line.trim_end_matches(['\r', '\n']).to_owned()) }
}

/// A client that has gone by now is its own business; the next read says so.
async fn send(peer: &mut BufStream<TcpStream>, octets: &[u8]) {
    let _ = peer.write_all(octets).await;
    let _ = peer.flush().await;
}

fn same(expected: &str, said: &str) -> Result<(), String> {
    if expected == said { Ok(()) } else { Err(format!("expected {expected:?}, the client said {said:?}")) }
}
