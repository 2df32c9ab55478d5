//! Private keys at rest: sealed with the master key, and optionally with a second secret that somebody else keeps (two
//! persons must come together to use the CA directory). The second secret is stretched with Argon2id, so that a password a
//! person can remember does not become the weak half.
//!
//! A sealed key file is text: a headline, `salt HEX` if there is a second secret, then the sealed PKCS#8 in hexadecimal
//! digits. Its name is part of the seal: a key moved to another name does not open.

use super::PkiError;
use crate::crypto::{self, MasterKey};
use crate::domain::Secret;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const HEADLINE: &str = "annai sealed key 1";
/// Hexadecimal digits on one line.
const LINE: usize = 76;
/// Longest key file read, in bytes: an RSA-8192 key sealed and in hexadecimal digits stays below.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// What opens the keys of the CA directory.
#[derive(Debug, Clone, Copy)]
pub struct Custody<'a> {
    pub master: &'a MasterKey,
    pub second: Option<&'a Secret<String>>,
}

impl Custody<'_> {
    /// Writes a private key (PKCS#8) to a file that must not exist yet, mode 0600, durable when this returns.
    pub fn write(&self, path: &Path, pkcs8: &[u8]) -> Result<(), PkiError> {
        let mut text = format!("{HEADLINE}\n");
        let salt = self.second.map(|_| crypto::random::<16>()).transpose()?;
        if let Some(salt) = &salt {
            text += &("salt ".to_owned() + &crypto::hex(salt) + "\n");
        }
        let sealed = self.master.seal(&self.context(path, salt.as_ref()), crypto::random()?, pkcs8);
        for line in crypto::hex(&sealed).as_bytes().chunks(LINE) {
            text.extend(line.iter().map(|byte| char::from(*byte)));
            text.push('\n');
        }
        write_new(path, text.as_bytes(), 0o600)
    }

    /// The private key in a sealed file.
    pub fn read(&self, path: &Path) -> Result<Secret<Vec<u8>>, PkiError> {
        let fault = |source| PkiError::File { path: path.to_owned(), source };
        let format = || PkiError::Format(path.to_owned());
        if std::fs::metadata(path).map_err(fault)?.len() > FILE_BYTES_MAX {
            return Err(format());
        }
        let text = std::fs::read_to_string(path).map_err(fault)?;
        let body = text.strip_prefix(HEADLINE).ok_or_else(format)?.trim_start();
        let (salt, body) = match body.strip_prefix("salt ") {
            Some(rest) => {
                let (salt, body) = rest.split_once('\n').ok_or_else(format)?;
                let salt = crypto::unhex(salt.trim()).and_then(|salt| salt.first_chunk::<16>().copied());
                (Some(salt.ok_or_else(format)?), body)
            }
            None => (None, body),
        };
        let digits: String = body.split_whitespace().collect();
        let sealed = crypto::unhex(&digits).ok_or_else(format)?;
        if salt.is_some() != self.second.is_some() {
            return Err(PkiError::Sealed(path.to_owned()));
        }
        self.master.open(&self.context(path, salt.as_ref()), &sealed).map_err(|_| PkiError::Sealed(path.to_owned()))
    }

    /// What the seal depends on besides the master key.
    fn context(&self, path: &Path, salt: Option<&[u8; 16]>) -> Vec<u8> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut context = format!("ca/{name}").into_bytes();
        if let (Some(second), Some(salt)) = (self.second, salt) {
            context.push(0);
            context.extend_from_slice(crypto::stretched(second, salt).reveal());
        }
        context
    }
}

/// Writes a file that must not exist yet; durable when this returns.
pub(super) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), PkiError> {
    let fault = |source: std::io::Error| {
        let there = source.kind() == std::io::ErrorKind::AlreadyExists;
        if there { PkiError::Exists(path.to_owned()) } else { PkiError::File { path: path.to_owned(), source } }
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(fault)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_are_needed_and_the_name_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("issuing.key");
        let (master, other) = (MasterKey::from_bytes([1; 32]), MasterKey::from_bytes([2; 32]));
        let (second, wrong) = (Secret::new("合言葉 1".to_owned()), Secret::new("合言葉 2".to_owned()));
        let both = Custody { master: &master, second: Some(&second) };
        both.write(&path, b"private key").unwrap();
        assert!(matches!(both.write(&path, b"private key"), Err(PkiError::Exists(_))));
        assert_eq!(both.read(&path).unwrap().reveal(), b"private key");
        let shut = |custody: Custody<'_>, path: &Path| matches!(custody.read(path), Err(PkiError::Sealed(_)));
        assert!(shut(Custody { master: &master, second: None }, &path));
        assert!(shut(Custody { master: &master, second: Some(&wrong) }, &path));
        assert!(shut(Custody { master: &other, second: Some(&second) }, &path));
        let moved = dir.path().join("root.key");
        std::fs::copy(&path, &moved).unwrap();
        assert!(shut(both, &moved));
        std::fs::write(&path, "-----BEGIN PRIVATE KEY-----").unwrap();
        assert!(matches!(both.read(&path), Err(PkiError::Format(_))));
    }
}
