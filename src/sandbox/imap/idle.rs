//! IDLE (RFC 2177): the client is told of each mail as it comes, until it says DONE.

use super::completion::Completion;
use super::session::Session;
use imap_codec::IdleDoneCodec;
use std::future::pending;
use std::io;
use std::time::Duration;

impl Session {
    pub(super) async fn idle(&mut self) -> io::Result<Completion> {
        let mut changed = self.office.changed.subscribe();
        self.talk.go_on(&[]).await?;
        loop {
            changed.mark_unchanged();
            self.report_news(true).await?;
            let pause = self.keep_alive;
            tokio::select! {
                line = self.talk.frame() => {
                    line?;
                    return Ok(match self.talk.frames.decode_message(&IdleDoneCodec::default()) {
                        Ok(_) => Completion::ok("Done."),
                        Err(_) => Completion::bad("DONE was expected."),
                    });
                }
                told = changed.changed() => told.map_err(|_| io::ErrorKind::ConnectionAborted)?,
                () = after(pause) => self.talk.send(&Completion::ok("Still here").untagged()).await?,
            }
        }
    }
}

async fn after(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => pending().await,
    }
}
