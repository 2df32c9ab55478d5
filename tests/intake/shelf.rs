//! An archive in memory that keeps its promises, and a clock that does not wait.

use annai::intake::{Archive, Census, Fetched, ImapError, Pace, Stopped};
use annai::workflow::cursor::Cursor;
use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

#[derive(Default)]
pub(crate) struct Shelf {
    inner: Mutex<Inner>,
    /// Told at every call of `polled`.
    pub(crate) at_end: Notify,
    /// Told when the first mails are about to be filed, which then wait for `go`.
    pub(crate) held: Notify,
    pub(crate) go: Notify,
    hold: AtomicBool,
}

#[derive(Default)]
struct Inner {
    cursor: Option<Cursor>,
    /// By UIDVALIDITY and UID; a second filing of the same one counts as `again`.
    mails: BTreeMap<(u32, u32), Fetched>,
    again: usize,
    census: Option<Census>,
    troubles: Vec<String>,
}

impl Shelf {
    /// Holds the first filing of mails until told to go on.
    pub(crate) fn held() -> Self {
        Self { hold: true.into(), ..Self::default() }
    }

    pub(crate) fn mails(&self) -> Vec<Fetched> {
        self.inner.lock().unwrap().mails.values().cloned().collect()
    }

    pub(crate) fn again(&self) -> usize {
        self.inner.lock().unwrap().again
    }

    pub(crate) fn census(&self) -> Option<Census> {
        self.inner.lock().unwrap().census
    }

    pub(crate) fn troubles(&self) -> Vec<String> {
        self.inner.lock().unwrap().troubles.clone()
    }

    pub(crate) fn current(&self) -> Option<Cursor> {
        self.inner.lock().unwrap().cursor
    }
}

impl Archive for Shelf {
    async fn cursor(&self) -> Result<Option<Cursor>, Stopped> {
        Ok(self.current())
    }

    type Read = Vec<Fetched>;
    type Filing = Ready<Result<(), Stopped>>;

    async fn read(&self, mails: Vec<Fetched>) -> Result<Vec<Fetched>, Stopped> {
        Ok(mails)
    }

    async fn file(&self, after: Cursor, mails: Vec<Fetched>) -> Result<Self::Filing, Stopped> {
        if !mails.is_empty() && self.hold.swap(false, Ordering::Relaxed) {
            self.held.notify_one();
            self.go.notified().await;
        }
        let mut inner = self.inner.lock().unwrap();
        inner.cursor = Some(after);
        for mail in mails {
            let key = (after.uid_validity, mail.uid);
            inner.again += usize::from(inner.mails.insert(key, mail).is_some());
        }
        Ok(ready(Ok(())))
    }

    async fn reconciled(&self, census: Census) -> Result<(), Stopped> {
        self.inner.lock().unwrap().census = Some(census);
        Ok(())
    }

    async fn polled(&self) -> Result<(), Stopped> {
        self.at_end.notify_one();
        Ok(())
    }

    async fn troubled(&self, trouble: &ImapError) -> Result<(), Stopped> {
        self.inner.lock().unwrap().troubles.push(trouble.to_string());
        Ok(())
    }
}

/// Time passes at once.
pub(crate) struct Swift;

impl Pace for Swift {
    async fn sleep(&self, _: Duration) {
        tokio::task::yield_now().await;
    }

    async fn next_poll(&self) {
        tokio::task::yield_now().await;
    }
}

/// `7=text`, `7=[octets]` where the text is long.
pub(crate) fn shown(mail: &Fetched) -> String {
    let content = if mail.raw.len() > 40 {
        format!("[{}]", mail.raw.len())
    } else {
        String::from_utf8_lossy(&mail.raw).into_owned()
    };
    format!("{}={content}{}", mail.uid, if mail.truncated { "(truncated)" } else { "" })
}
