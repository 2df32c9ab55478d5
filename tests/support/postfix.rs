//! Postfix's `smtp-sink` as the receiving side: a real SMTP server whose faults are switched on by its options.

use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::net::TcpStream;

/// Where Debian puts it; not everybody has sbin in the search path.
const SINKS: [&str; 2] = ["/usr/sbin/smtp-sink", "smtp-sink"];
/// Longest start of a sink.
const START_LIMIT: Duration = Duration::from_secs(10);

/// A running sink; ends with its value.
pub(crate) struct Sink {
    pub(crate) port: u16,
    child: Child,
}

impl Sink {
    /// Starts a sink on a free loopback port. `options` as in `man smtp-sink`, without address and backlog.
    pub(crate) async fn start(options: &[&str]) -> Self {
        let port = free_port();
        let program = SINKS.iter().find(|p| Path::new(p).exists()).unwrap_or(&SINKS[1]);
        // It refuses to run as root; /proc/self belongs to whom this process runs as.
        let root = std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
        let child = Command::new(program)
            .args(if root { &["-u", "nobody"][..] } else { &[] })
            .args(options)
            .args([&format!("127.0.0.1:{port}"), "100"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("smtp-sink is missing: run tests/run, which installs postfix");
        let sink = Self { port, child };
        tokio::time::timeout(START_LIMIT, async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("smtp-sink does not listen: run tests/run, which installs postfix");
        sink
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
