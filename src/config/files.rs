//! Files the configuration points to: secrets, and directories of rules or templates. Read late, by who needs them.

use crate::domain::Secret;
use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A path beginning with this names a systemd credential: a file in `$CREDENTIALS_DIRECTORY`.
pub const CREDENTIAL_PREFIX: &str = "credential:";
/// Longest secret file taken, in octets.
pub const SECRET_OCTETS_MAX: u64 = 64 * 1024;
/// Longest rules or template file taken, in octets.
const FILE_OCTETS_MAX: u64 = 4 * 1024 * 1024;
/// Most files taken from one directory, and how deep folders may be nested in it.
pub const DIR_FILES_MAX: usize = 1_000;
const DIR_DEPTH_MAX: usize = 3;
/// Permission bits by which every user of the machine can read or write a file.
const WORLD: u32 = 0o006;

/// Why a file cannot be used. Never holds the content.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{} cannot be read ({source}); create it or correct the path", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{} is empty; write the secret into it", path.display())]
    Empty { path: PathBuf },
    #[error("{} is longer than {limit} bytes; give the right file", path.display())]
    TooLong { path: PathBuf, limit: u64 },
    #[error("{} is not UTF-8 text; save it as UTF-8", path.display())]
    NotUtf8 { path: PathBuf },
    #[error("{} is no plain file; give a file", path.display())]
    NotAFile { path: PathBuf },
    #[error("{} holds more than {DIR_FILES_MAX} files or is nested too deep; give the directory itself", path.display())]
    TooMany { path: PathBuf },
    #[error(
        "credential \"{name}\" is asked for, but $CREDENTIALS_DIRECTORY is not set; start by systemd with LoadCredential={name}"
    )]
    NoCredentials { name: String },
    #[error("\"{name}\" is no credential name; give a plain name after credential:")]
    CredentialName { name: String },
}

/// Where a secret lies: `credential:NAME` is looked up in `$CREDENTIALS_DIRECTORY` (systemd.exec(5)), the rest is a path.
pub fn secret_path(path: &Path) -> Result<PathBuf, FileError> {
    let Some(name) = path.to_str().and_then(|p| p.strip_prefix(CREDENTIAL_PREFIX)) else {
        return Ok(path.to_owned());
    };
    if name.is_empty() || name.contains('/') || name.starts_with('.') {
        return Err(FileError::CredentialName { name: name.to_owned() });
    }
    match std::env::var_os("CREDENTIALS_DIRECTORY") {
        Some(dir) => Ok(Path::new(&dir).join(name)),
        None => Err(FileError::NoCredentials { name: name.to_owned() }),
    }
}

/// Whether every user of the machine can read this file.
pub fn is_exposed(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.mode() & WORLD != 0)
}

/// Reads a secret: UTF-8, one line end at its end taken off, not empty. One that every user can read is taken with a warning.
pub(super) fn read_secret(path: &Path) -> Result<Secret<String>, FileError> {
    let path = secret_path(path)?;
    let (text, mode) = read_text(&path, SECRET_OCTETS_MAX)?;
    let text = Secret::new(text);
    if mode & WORLD != 0 {
        tracing::warn!(file = %path.display(), "every user of this machine can read this secret; run chmod 600 on it");
    }
    let whole = text.reveal();
    let line = whole.strip_suffix('\n').map_or(whole.as_str(), |t| t.strip_suffix('\r').unwrap_or(t));
    if line.is_empty() {
        return Err(FileError::Empty { path });
    }
    Ok(Secret::new(line.to_owned()))
}

/// A list given once by staff, a plain file.
pub fn read_list(path: &Path) -> Result<String, FileError> {
    read_text(path, FILE_OCTETS_MAX).map(|(text, _)| text)
}

/// The files under `dir` whose names end in one of `extensions` (no dot), by their path inside `dir` (`mail/welcome.txt`,
/// always with `/`). Hidden files are left out.
pub fn read_dir_files(dir: &Path, extensions: &[&str]) -> Result<BTreeMap<String, String>, FileError> {
    let mut files = BTreeMap::new();
    walk(dir, "", extensions, 0, &mut files)?;
    Ok(files)
}

fn walk(
    dir: &Path,
    prefix: &str,
    extensions: &[&str],
    depth: usize,
    files: &mut BTreeMap<String, String>,
) -> Result<(), FileError> {
    let unreadable = |source| FileError::Unreadable { path: dir.to_owned(), source };
    if depth > DIR_DEPTH_MAX {
        return Err(FileError::TooMany { path: dir.to_owned() });
    }
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let Some(name) = path.file_name().and_then(|n| n.to_str()).filter(|n| !n.starts_with('.')) else { continue };
        let inside = format!("{prefix}{name}");
        if path.is_dir() {
            walk(&path, &format!("{inside}/"), extensions, depth + 1, files)?;
        } else if path.extension().and_then(|e| e.to_str()).is_some_and(|e| extensions.contains(&e)) {
            if files.len() >= DIR_FILES_MAX {
                return Err(FileError::TooMany { path: dir.to_owned() });
            }
            files.insert(inside, read_text(&path, FILE_OCTETS_MAX)?.0);
        }
    }
    Ok(())
}

/// A plain file as text, a byte order mark taken off, with its permission bits.
fn read_text(path: &Path, limit: u64) -> Result<(String, u32), FileError> {
    let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
    // Asked before opening: a named pipe would block the open itself.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(FileError::NotAFile { path: path.to_owned() });
    }
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.mode();
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(FileError::TooLong { path: path.to_owned(), limit });
    }
    let text = String::from_utf8(bytes).map_err(|_| FileError::NotUtf8 { path: path.to_owned() })?;
    Ok((text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text), mode))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn secret(content: &[u8], mode: u32) -> Result<String, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        read_secret(&path).map(|s| s.reveal().clone()).map_err(|e| e.to_string())
    }

    #[test]
    fn secrets_lose_one_line_end() {
        assert_eq!(secret(b"pass word\n", 0o600).unwrap(), "pass word");
        assert_eq!(secret(b"a\n\n", 0o600).unwrap(), "a\n");
        assert_eq!(secret(b"a\r\n", 0o640).unwrap(), "a");
        assert!(secret(b"\n", 0o600).unwrap_err().contains("is empty"));
        assert!(secret(b"\xff\xfe", 0o600).unwrap_err().contains("UTF-8"));
        assert!(read_secret(Path::new("/nonexistent")).unwrap_err().to_string().contains("cannot be read"));
        assert!(read_secret(Path::new("/")).unwrap_err().to_string().contains("no plain file"));
    }

    #[test]
    fn credentials_are_plain_names() {
        assert!(matches!(secret_path(Path::new("credential:../x")), Err(FileError::CredentialName { .. })));
        assert_eq!(secret_path(Path::new("/etc/x")).unwrap(), Path::new("/etc/x"));
    }

    #[test]
    fn directories_are_read_with_folders() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("mail")).unwrap();
        for name in ["mail/a.txt", "b.toml", "c.bak", ".d.toml"] {
            std::fs::write(dir.path().join(name), name).unwrap();
        }
        let names: Vec<String> = read_dir_files(dir.path(), &["txt", "toml"]).unwrap().into_keys().collect();
        assert_eq!(names, ["b.toml", "mail/a.txt"]);
    }
}
