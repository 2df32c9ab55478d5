//! Which other people have a mail open, so that two do not answer the same one; one's own further pages are no news. In
//! memory only: it is a courtesy, not a lock.

use super::viewer::Viewer;
use crate::domain::MailNo;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Looks remembered; the oldest are forgotten.
const LOOKS_MAX: usize = 1_000;

/// One look: who and when.
#[derive(Debug, Clone)]
struct Look {
    name: String,
    seen: std::time::Instant,
}

/// By mail and account.
#[derive(Debug, Default)]
pub(super) struct Presence(Mutex<BTreeMap<(MailNo, String), Look>>);

/// A page that is open says so at least this often.
const FRESH: std::time::Duration = std::time::Duration::from_secs(45);

impl Presence {
    /// Somebody has this mail open.
    pub(super) fn look(&self, mail: MailNo, viewer: &Viewer) {
        let mut looks = self.lock();
        let look = Look { name: viewer.person.clone(), seen: crate::clock::monotonic() };
        looks.insert((mail, viewer.name.clone()), look);
        looks.retain(|_, look| look.seen.elapsed() < FRESH);
        while looks.len() > LOOKS_MAX {
            looks.pop_first();
        }
    }

    /// Who else has it open, by name.
    pub(super) fn others(&self, mail: MailNo, viewer: &Viewer) -> Vec<String> {
        let looks = self.lock();
        let of_mail =
            looks.iter().filter(|((no, who), look)| *no == mail && *who != viewer.name && look.seen.elapsed() < FRESH);
        of_mail.map(|(_, look)| look.name.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(MailNo, String), Look>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
