//! Cryptography: digests, random bytes, the master key with what is derived from it, and codes people type.
//!
//! The only importer of `aws-lc-rs` besides TLS and PKI; no algorithm is written here. What is random comes in as a value
//! from the engine, so that a run with a seed repeats.

pub mod codes;
pub mod master;
pub mod password;

pub use codes::{canonical, typeable};
pub use master::{KeyError, MasterKey, OpenError, Purpose};

use crate::domain::Digest;
use aws_lc_rs::{constant_time, digest, rand};

/// SHA-256 (FIPS 180-4) of `bytes`.
pub fn sha256(bytes: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    hash.update(bytes);
    hash.finish()
}

/// SHA-256 of something that does not come in one piece.
#[derive(Clone)]
pub struct Sha256(digest::Context);

impl Sha256 {
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn finish(self) -> Digest {
        let mut out = [0; 32];
        out.copy_from_slice(self.0.finish().as_ref());
        Digest(out)
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sha256")
    }
}

/// The operating system gave no random bytes. Nothing secret can be made then: stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random numbers; restart the computer before issuing anything")]
pub struct NoRandomness;

/// `N` bytes from the operating system's generator. Only the engine (and the making of key files) calls this: elsewhere
/// chance is a value handed in.
pub fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// Whether two secrets are the same, in a time that tells nothing about where they differ (their lengths it may tell).
pub fn same(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digests() {
        // FIPS 180-4 examples.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc").to_string(), abc);
        let mut pieces = Sha256::new();
        pieces.update(b"a");
        pieces.update(b"bc");
        assert_eq!(pieces.finish().to_string(), abc);
    }

    #[test]
    fn random_bytes_differ_and_comparison_compares() {
        let (a, b) = (random::<32>().unwrap(), random::<32>().unwrap());
        assert!(!same(&a, &b) && same(&a, &a) && !same(&a, &a[..31]));
    }
}
