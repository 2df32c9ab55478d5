//! The CA directory as a running daemon follows it: looked at again and again, read anew when a file of it has changed. What
//! lies there is a supply; which of it is trusted and which signs is decided elsewhere (`engine::keys`).

use super::dir::{self, Supply};
use super::{Custody, LeafSettings, PkiError};
use crate::crypto::{self, MasterKey};
use crate::domain::{Digest, Secret};
use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// See the module.
#[derive(Debug)]
pub struct Keyring {
    dir: PathBuf,
    master: MasterKey,
    second: Option<Secret<String>>,
    settings: LeafSettings,
    seen: Option<Digest>,
}

impl Keyring {
    pub fn new(dir: PathBuf, master: MasterKey, second: Option<Secret<String>>, settings: LeafSettings) -> Self {
        Self { dir, master, second, settings, seen: None }
    }

    /// What stands in every certificate.
    pub fn settings(&self) -> &LeafSettings {
        &self.settings
    }

    /// What lies in the directory, if anything there has changed since the last look; `Ok(None)`: no CA.
    pub fn look(&mut self) -> Option<Result<Option<Supply>, PkiError>> {
        let stamp = self.stamp();
        if self.seen == Some(stamp) {
            return None;
        }
        self.seen = Some(stamp);
        let custody = Custody { master: &self.master, second: self.second.as_ref() };
        Some(dir::supply(&self.dir, &custody))
    }

    /// Writes into the directory which CA signs, for whoever reads it without the store.
    pub fn mark(&self, id: &str) -> Result<(), PkiError> {
        dir::mark(&self.dir, id)
    }

    /// Changes whenever a file is added, replaced or written. A directory that cannot be read has the stamp of an empty one.
    fn stamp(&self) -> Digest {
        let mut lines = Vec::new();
        for entry in std::fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let Ok(about) = entry.metadata() else { continue };
            let mut line = entry.file_name().to_string_lossy().into_owned();
            let _ = write!(line, "/{}/{}/{}.{}", about.ino(), about.len(), about.mtime(), about.mtime_nsec());
            lines.push(line);
        }
        lines.sort();
        crypto::sha256(lines.join("\n").as_bytes())
    }
}
