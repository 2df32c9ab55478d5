//! Who only looks: mail filters and previews open addresses by the thousand (research §1.3). Looking changes nothing; it
//! is counted in memory, and now and then the sums go to the timeline, where staff can tell a filter from an officer.

use crate::domain::{Secret, Timestamp};
use crate::engine::pickup::{VISITS_MAX, VisitKind, Visits};
use crate::engine::thread::Handle;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How often sums are handed over, in real time.
pub(super) const PERIOD: Duration = Duration::from_mins(1);

/// Sums since the last time they were handed over; at most [`VISITS_MAX`].
#[derive(Debug, Default)]
pub(super) struct Counter(Mutex<BTreeMap<(String, VisitKind), Sum>>);

#[derive(Debug, Clone, Copy)]
struct Sum {
    count: u32,
    first: Timestamp,
    last: Timestamp,
}

impl Counter {
    /// Somebody looked. `code`: in its canonical form, known to exist.
    pub(super) fn seen(&self, code: &str, kind: VisitKind, now: Timestamp) {
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (code.to_owned(), kind);
        if sums.len() >= VISITS_MAX && !sums.contains_key(&key) {
            return;
        }
        let sum = sums.entry(key).or_insert(Sum { count: 0, first: now, last: now });
        sum.count = sum.count.saturating_add(1);
        sum.last = sum.last.max(now);
    }

    /// Hands the sums to the engine.
    pub(super) async fn hand_over(&self, handle: &Handle) {
        let sums = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if sums.is_empty() {
            return;
        }
        let visits: Vec<Visits> = sums
            .into_iter()
            .map(|((code, kind), Sum { count, first, last })| Visits {
                code: Secret::new(code),
                kind,
                count,
                first,
                last,
            })
            .collect();
        match handle.call(move |engine| engine.pickup_visits(&visits)).await {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => tracing::warn!(error = %fault, "visits to pick-up pages could not be written down"),
            Err(stopped) => tracing::debug!(error = %stopped, "visits to pick-up pages are lost"),
        }
    }

    /// Hands over every [`PERIOD`], and once more at the end.
    pub(super) async fn run(&self, handle: Handle, mut told: watch::Receiver<bool>) {
        loop {
            let ended = tokio::time::timeout(PERIOD, told.wait_for(|now| *now)).await.is_ok();
            self.hand_over(&handle).await;
            if ended {
                return;
            }
        }
    }
}
