//! Who else has a mail open, so that two do not answer the same one. In memory only: it is a courtesy, not a lock.

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

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Presence(Mutex<BTreeMap<(MailNo, String), Look>>);

/// A page that is open says so at least this often.
const FRESH: std::time::Duration = std::time::Duration::from_secs(45);

impl Presence {
    /// Somebody has this mail open; `page` tells two pages of one session apart.
    pub(super) fn look(&self, mail: MailNo, viewer: &Viewer, page: &str) {
        let mut looks = self.lock();
        let look = Look { name: viewer.person.clone(), seen: crate::clock::monotonic() };
        looks.insert((mail, key(viewer, page)), look);
        looks.retain(|_, look| look.seen.elapsed() < FRESH);
        while looks.len() > LOOKS_MAX {
            looks.pop_first();
        }
    }

    /// Who else has it open, by name.
    pub(super) fn others(&self, mail: MailNo, viewer: &Viewer, page: &str) -> Vec<String> {
        let own = key(viewer, page);
        let looks = self.lock();
        let of_mail =
            looks.iter().filter(|((no, who), look)| *no == mail && *who != own && look.seen.elapsed() < FRESH);
        let mut names: Vec<String> = of_mail.map(|(_, look)| look.name.clone()).collect();
        names.dedup();
        names
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(MailNo, String), Look>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(viewer: &Viewer, page: &str) -> String {
    format!("{}/{}/{page}", viewer.name, viewer.session)
}
