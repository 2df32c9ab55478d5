//! Opening the state directory: permissions, the lock, the format number and migrations.
//!
//! Layout: `lock` (pid of the process that holds it), `store/` (the database). Everything else in the directory belongs
//! to others (the daemon's socket) or to people (README).

use super::disk::Disk;
use super::journal::Head;
use super::schema::{FORMAT, META_FORMAT, Table};
use super::{Batch, Options, Store, StoreError, Writer, rows};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::{Mutex, OnceLock};

/// Name of the database's directory in the state directory.
pub(super) const DATABASE: &str = "store";
const CREATING: &str = "store.creating";
const LOCK: &str = "lock";
/// Digits read from the lock file.
const PID_BYTES_MAX: u64 = 20;

/// What opening found or did; the caller reports it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opening {
    /// There was no store yet.
    pub created: bool,
    /// The directory could be read by others and had this mode; it is 0700 now.
    pub tightened_from: Option<u32>,
    /// The format before migration.
    pub migrated_from: Option<u32>,
}

/// One step from the format before `to`. It reads the store and returns what to write; a journal line belongs to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Migration {
    pub(super) to: u32,
    pub(super) step: fn(&Store) -> Result<Batch, StoreError>,
}

/// All migrations, in order. Format 1 is the first, so there is none.
const MIGRATIONS: &[Migration] = &[];

impl Store {
    /// Opens the store in the state directory `dir`, making both if they do not exist.
    pub fn open(dir: &Path, options: Options) -> Result<Self, StoreError> {
        Self::open_as(dir, options, FORMAT, MIGRATIONS)
    }

    /// Whether there is a store in this state directory.
    pub fn exists(dir: &Path) -> bool {
        dir.join(DATABASE).is_dir()
    }

    pub(super) fn open_as(
        dir: &Path,
        options: Options,
        format: u32,
        migrations: &[Migration],
    ) -> Result<Self, StoreError> {
        let tightened_from = prepare(dir)?;
        let lock = lock(dir)?;
        create(dir, options)?;
        let disk = Disk::open(&dir.join(DATABASE), options)?;
        let head = Head::load(&disk)?;
        let opening = Opening { tightened_from, ..Opening::default() };
        let writer = Mutex::new(Writer { head });
        let mut store = Self { disk, writer, poison: OnceLock::new(), opening, _lock: lock };
        store.bring_to(format, migrations)?;
        Ok(store)
    }

    /// What opening found or did.
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    fn bring_to(&mut self, format: u32, migrations: &[Migration]) -> Result<(), StoreError> {
        let Some(mut found) = self.format()? else {
            self.set_format(Batch::new(), format)?;
            self.opening.created = true;
            return Ok(());
        };
        if found > format {
            return Err(StoreError::TooNew { found });
        }
        while found < format {
            let next = found.saturating_add(1);
            let migration = migrations.iter().find(|m| m.to == next).ok_or(StoreError::TooOld { found })?;
            let batch = (migration.step)(self)?;
            self.set_format(batch, next)?;
            self.opening.migrated_from.get_or_insert(found);
            found = next;
        }
        Ok(())
    }

    fn format(&self) -> Result<Option<u32>, StoreError> {
        let Some(row) = rows::get(&self.disk, Table::Meta, META_FORMAT)? else { return Ok(None) };
        let number = row.as_ref().try_into().map(u32::from_be_bytes);
        number.map(Some).map_err(|_| StoreError::Damaged { what: "the format number is no number".into() })
    }

    /// The format number changes in the same batch as what it speaks of.
    fn set_format(&self, batch: Batch, format: u32) -> Result<(), StoreError> {
        let own = vec![(Table::Meta.row(META_FORMAT), Some(format.to_be_bytes().to_vec()))];
        self.stage_with(batch, own)?;
        self.commit()
    }
}

/// Makes the directory with mode 0700, or takes away what others may do in it; then says what the mode was.
pub(super) fn prepare(dir: &Path) -> Result<Option<u32>, StoreError> {
    let fault = |source| StoreError::Directory { path: dir.display().to_string(), source };
    if !dir.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(fault)?;
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent).and_then(|parent| parent.sync_all()).map_err(fault)?;
    }
    let mode = fs::metadata(dir).map_err(fault)?.mode() & 0o777;
    if mode.trailing_zeros() >= 6 {
        return Ok(None);
    }
    fs::set_permissions(dir, Permissions::from_mode(mode & 0o700)).map_err(fault)?;
    Ok(Some(mode))
}

/// Makes an empty database if there is none. It gets its name when it is complete, so a power cut leaves one or none.
fn create(dir: &Path, options: Options) -> Result<(), StoreError> {
    let (target, temporary) = (dir.join(DATABASE), dir.join(CREATING));
    if target.exists() {
        return Ok(());
    }
    discard(&temporary)?;
    drop(Disk::open(&temporary, options)?);
    put_in_place(dir, &temporary)
}

/// Gives a complete database its name, durably.
pub(super) fn put_in_place(dir: &Path, temporary: &Path) -> Result<(), StoreError> {
    let fault = |source| StoreError::Directory { path: dir.display().to_string(), source };
    fs::rename(temporary, dir.join(DATABASE)).and_then(|()| File::open(dir)?.sync_all()).map_err(fault)
}

/// Removes what an interrupted creation or restoration left.
pub(super) fn discard(temporary: &Path) -> Result<(), StoreError> {
    let fault = |source| StoreError::Directory { path: temporary.display().to_string(), source };
    if temporary.exists() { fs::remove_dir_all(temporary).map_err(fault) } else { Ok(()) }
}

/// The directory is this process's while this lives.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    /// Closing would do, but not while a child between fork and exec still has a copy of the handle.
    fn drop(&mut self) {
        let _unlocked = self.0.unlock();
    }
}

/// Takes the directory for this process. The lock goes with the process, however it ends.
pub(super) fn lock(dir: &Path) -> Result<Lock, StoreError> {
    let path = dir.join(LOCK);
    let fault = |source| StoreError::Directory { path: path.display().to_string(), source };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(&path).map_err(fault)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            file.take(PID_BYTES_MAX).read_to_string(&mut pid).map_err(fault)?;
            let pid = pid.trim();
            return Err(StoreError::Locked { pid: if pid.is_empty() { "unknown" } else { pid }.to_owned() });
        }
        Err(TryLockError::Error(source)) => return Err(fault(source)),
    }
    file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(fault)?;
    Ok(Lock(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Draft;

    fn rename_rows(store: &Store) -> Result<Batch, StoreError> {
        let mut batch = Batch::new();
        for row in store.rows(Table::Tally)? {
            let (key, value) = row?;
            batch.delete(Table::Tally, key.to_vec()).put(Table::Tally, [b"new-", &*key].concat(), value.to_vec());
        }
        let draft = Draft {
            at: crate::domain::Timestamp::from_unix(0),
            actor: "system".into(),
            subject: "store".into(),
            event: "migrated".into(),
            changes: serde_json::value::RawValue::NULL.to_owned(),
        };
        batch.journal(draft);
        Ok(batch)
    }

    #[test]
    fn formats_are_migrated_step_by_step_and_newer_ones_left_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("state");
        let options = Options::default();
        let store = Store::open_as(&dir, options, 1, &[]).unwrap();
        assert_eq!(store.opening(), &Opening { created: true, ..Opening::default() });
        store.apply(Batch::new().put(Table::Tally, "a", "1").clone()).unwrap();
        drop(store);

        let too_old = Store::open_as(&dir, options, 3, &[Migration { to: 3, step: rename_rows }]);
        assert!(matches!(too_old, Err(StoreError::TooOld { found: 1 })), "{too_old:?}");
        drop(too_old);

        let steps = [Migration { to: 2, step: rename_rows }, Migration { to: 3, step: rename_rows }];
        let store = Store::open_as(&dir, options, 3, &steps).unwrap();
        assert_eq!(store.opening().migrated_from, Some(1));
        assert_eq!(store.get(Table::Tally, b"new-new-a").unwrap().unwrap(), *b"1");
        assert_eq!(store.get(Table::Tally, b"a").unwrap(), None::<crate::store::Bytes>);
        assert_eq!(store.verify_journal(|_| ()).unwrap().no, 2);
        drop(store);

        let too_new = Store::open_as(&dir, options, 2, &steps);
        assert!(matches!(too_new, Err(StoreError::TooNew { found: 3 })), "{too_new:?}");
    }
}
