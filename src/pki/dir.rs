//! The CA directory (keys.ca_dir): made by `annai init`, loaded at every start, added to by `annai ca`.
//!
//! | file | what | mode |
//! |---|---|---|
//! | `root.crt`, `root.crl` | the root and its list, PEM | 0644 |
//! | `root.key` | the root's key, sealed; **to be taken away** and brought back only for `annai ca rotate` | 0600 |
//! | `<id>.crt` | an issuing CA and those above it, PEM | 0644 |
//! | `<id>.key` | its key, sealed | 0600 |
//! | `active` | the id of the issuing CA that signs new certificates; the word of a new store only, afterwards the journal's (`engine::keys`) | 0644 |
//!
//! Nothing is ever overwritten but `active` and `root.crl`, both by renaming.

use super::authority::{self, Authority, Fresh, Issuing};
use super::custody::{Custody, write_new};
use super::import::Foreign;
use super::{LeafSettings, PkiError, inspect};
use crate::domain::Timestamp;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const PUBLIC: u32 = 0o644;
/// Most issuing CAs a directory can hold.
const ISSUING_MAX: usize = 32;

/// Makes a root and its first issuing CA. `Err(Exists)` if there is one already; nothing is written then.
pub fn create(dir: &Path, custody: &Custody<'_>, organisation: &str, now: Timestamp) -> Result<String, PkiError> {
    for name in ["root.crt", "root.key", "active"] {
        let path = dir.join(name);
        if path.symlink_metadata().is_ok() {
            return Err(PkiError::Exists(path));
        }
    }
    let made = Fresh::make(organisation, now)?;
    custody.write(&dir.join("root.key"), made.root_key.reveal())?;
    write_new(&dir.join("root.crt"), pem("CERTIFICATE", &made.root).as_bytes(), PUBLIC)?;
    replace(&dir.join("root.crl"), &pem("X509 CRL", &made.root_crl))?;
    let issuing = Issuing::new(made.issuing, vec![made.root], &made.issuing_key)?;
    add(dir, custody, &issuing, made.issuing_key.reveal())?;
    mark(dir, &issuing.id)?;
    Ok(issuing.id)
}

/// A new issuing CA under the same root, whose key must be there. Returns it; it waits in the directory to be adopted.
pub fn rotate(
    dir: &Path,
    custody: &Custody<'_>,
    root_key: &Path,
    organisation: &str,
    now: Timestamp,
) -> Result<Issuing, PkiError> {
    let root = certificates(&dir.join("root.crt"))?.into_iter().next();
    let root = root.ok_or_else(|| PkiError::Format(dir.join("root.crt")))?;
    let key = custody.read(root_key)?;
    let (certificate, issuing_key) = authority::issuing(&root, &key, organisation, now)?;
    replace(&dir.join("root.crl"), &pem("X509 CRL", &authority::root_list(&root, &key, now)?))?;
    let issuing = Issuing::new(certificate, vec![root], &issuing_key)?;
    add(dir, custody, &issuing, issuing_key.reveal())?;
    Ok(issuing)
}

/// Puts a CA from outside into the directory, where it waits to be adopted.
pub fn take_over(dir: &Path, custody: &Custody<'_>, foreign: &Foreign) -> Result<(), PkiError> {
    add(dir, custody, &foreign.issuing, foreign.key.reveal())
}

/// The certificate after the key: a directory that is read in between has a key too many, never one too few.
fn add(dir: &Path, custody: &Custody<'_>, issuing: &Issuing, key: &[u8]) -> Result<(), PkiError> {
    let id = &issuing.id;
    custody.write(&dir.join(format!("{id}.key")), key)?;
    let chain: String =
        std::iter::once(&issuing.certificate).chain(&issuing.parents).map(|der| pem("CERTIFICATE", der)).collect();
    write_new(&dir.join(format!("{id}.crt")), chain.as_bytes(), PUBLIC)
}

/// Writes down which CA signs new certificates.
pub fn mark(dir: &Path, id: &str) -> Result<(), PkiError> {
    replace(&dir.join("active"), &format!("{id}\n"))
}

/// What lies in a CA directory.
#[derive(Debug)]
pub struct Supply {
    pub issuing: Vec<Arc<Issuing>>,
    /// The id in the file `active`.
    pub active: String,
    /// DER.
    pub root_crl: Option<Vec<u8>>,
}

/// Everything in a directory with its file `active` having the say; `None` if no CA was ever made there.
pub fn load(dir: &Path, custody: &Custody<'_>, settings: LeafSettings) -> Result<Option<Authority>, PkiError> {
    let Some(Supply { issuing, active, root_crl }) = supply(dir, custody)? else { return Ok(None) };
    Authority::new(settings, issuing, &active, root_crl).map(Some)
}

/// What lies in a directory; `None` if no CA was ever made there.
pub fn supply(dir: &Path, custody: &Custody<'_>) -> Result<Option<Supply>, PkiError> {
    let marker = dir.join("active");
    if !marker.exists() {
        return Ok(None);
    }
    let read =
        |path: &Path| fs::read_to_string(path).map_err(|source| PkiError::File { path: path.to_owned(), source });
    let active = read(&marker)?.trim().to_owned();
    let mut issuing = Vec::new();
    for id in ids(dir)?.into_iter().take(ISSUING_MAX) {
        let path = dir.join(format!("{id}.crt"));
        if !path.exists() {
            tracing::warn!(%id, "a CA key without its certificate lies in the CA directory and is left alone");
            continue;
        }
        let mut chain = certificates(&path)?.into_iter();
        let certificate = chain.next().ok_or(PkiError::Format(path))?;
        let key = custody.read(&dir.join(format!("{id}.key")))?;
        issuing.push(Arc::new(Issuing::new(certificate, chain.collect(), &key)?));
    }
    let crl = dir.join("root.crl");
    let root_crl = if crl.exists() {
        let list = CertificateRevocationListDer::from_pem_file(&crl).map_err(|_| PkiError::Format(crl))?;
        Some(list.to_vec())
    } else {
        None
    };
    Ok(Some(Supply { issuing, active, root_crl }))
}

/// Whether the root's key still lies in the directory, where it should not stay.
pub fn root_key_is_here(dir: &Path) -> bool {
    dir.join("root.key").exists()
}

/// Ids of the issuing CAs, in order.
fn ids(dir: &Path) -> Result<Vec<String>, PkiError> {
    let fault = |source| PkiError::File { path: dir.to_owned(), source };
    let mut ids = Vec::new();
    for entry in fs::read_dir(dir).map_err(fault)? {
        let name = entry.map_err(fault)?.file_name().to_string_lossy().into_owned();
        if let Some(id) = name.strip_suffix(".key")
            && id.len() == 16
            && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            ids.push(id.to_owned());
        }
    }
    ids.sort();
    Ok(ids)
}

fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, PkiError> {
    let text = fs::read(path).map_err(|source| PkiError::File { path: path.to_owned(), source })?;
    let chain = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    Ok(chain.map_err(|_| PkiError::Format(path.to_owned()))?.into_iter().map(|der| der.to_vec()).collect())
}

/// Writes a file by renaming, so that a reader sees the old one or the new one.
fn replace(path: &Path, text: &str) -> Result<(), PkiError> {
    let fault = |source| PkiError::File { path: path.to_owned(), source };
    let mut beside: PathBuf = path.to_owned();
    beside.set_extension("new");
    match fs::remove_file(&beside) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => return Err(fault(source)),
        Ok(()) | Err(_) => {}
    }
    write_new(&beside, text.as_bytes(), PUBLIC)?;
    fs::rename(&beside, path).map_err(fault)
}

/// PEM with this label (RFC 7468).
pub fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in crate::crypto::base64(der).as_bytes().chunks(64) {
        text.extend(line.iter().map(|byte| char::from(*byte)));
        text.push('\n');
    }
    text + "-----END " + label + "-----\n"
}

/// Name, dates and fingerprint of a certificate (DER), for `annai ca show`.
pub fn describe(der: &[u8]) -> Result<Described, PkiError> {
    let facts = inspect::facts(der)?;
    Ok(Described {
        subject: facts.subject,
        not_before: facts.not_before,
        not_after: facts.not_after,
        fingerprint: crate::crypto::sha256(der).to_string(),
    })
}

/// See [`describe`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Described {
    pub subject: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// SHA-256, hexadecimal digits.
    pub fingerprint: String,
}
