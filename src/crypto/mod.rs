//! Cryptography: digests, random bytes, the master key with what is derived from it, and codes people type.
//!
//! The only importer of `aws-lc-rs` besides TLS and PKI; no algorithm is written here. What is random comes in as a value
//! from the engine, so that a run with a seed repeats.

pub mod codes;
pub mod master;
pub mod password;

pub use codes::{canonical, typeable};
pub use master::{KeyError, MasterKey, OpenError, Purpose};

use crate::domain::{Digest, Secret};
use aws_lc_rs::{constant_time, digest, hmac, rand};

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

/// HMAC-SHA256 (RFC 2104).
pub fn hmac_sha256(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), bytes).as_ref().to_vec()
}

/// HMAC-SHA1: old PKCS#12 files only.
pub fn hmac_sha1(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key), bytes).as_ref().to_vec()
}

/// 32 bytes from a password of a person, made slow to guess: Argon2id (RFC 9106), 19 MiB, two passes.
pub fn stretched(password: &Secret<String>, salt: &[u8; 16]) -> Secret<[u8; 32]> {
    let mut out = [0; 32];
    let made = argon2::Argon2::default().hash_password_into(password.reveal().as_bytes(), salt, &mut out);
    debug_assert!(made.is_ok(), "the only refusals are a salt under 8 bytes and an output of 4 GiB");
    Secret::new(out)
}

/// The hash of a password as another system can check it: Argon2id in PHC form, `$argon2id$v=19$m=19456,t=2,p=1$…`.
pub fn password_hash(password: &Secret<String>, salt: &[u8; 16]) -> String {
    let bare = |bytes: &[u8]| base64(bytes).trim_end_matches('=').to_owned();
    let hash = stretched(password, salt);
    format!("$argon2id$v=19$m=19456,t=2,p=1${}${}", bare(salt), bare(hash.reveal()))
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

/// The bytes of hexadecimal digits in any case; `None` for anything else.
pub fn unhex(digits: &str) -> Option<Vec<u8>> {
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(value(*high)? << 4 | value(*low)?)).collect::<Option<Vec<_>>>();
    bytes.filter(|_| rest.is_empty())
}

/// Base64 with padding (RFC 4648 §4).
pub fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let sign = SIGNS.get((bits >> (18 - 6 * at) & 63) as usize).copied().map_or('A', char::from);
            text.push(if at <= chunk.len() { sign } else { '=' });
        }
    }
    text
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
    fn texts_of_bytes() {
        // RFC 4648 §10.
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(hex(&[0, 255, 0x4a]), "00ff4a");
        assert_eq!(unhex("00fF4a"), Some(vec![0, 255, 0x4a]));
        assert_eq!((unhex("00f"), unhex("0g")), (None, None));
    }

    #[test]
    fn password_hashes_are_those_of_argon2id() {
        // Computed independently: argon2-cffi 23.1, Type.ID, t=2, m=19456, p=1.
        let password = Secret::new("abcd-efgh-jkmn".to_owned());
        let hash = password_hash(&password, b"0123456789abcdef");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"), "{hash}");
        assert_ne!(hash, password_hash(&Secret::new("abcd-efgh-jkmp".to_owned()), b"0123456789abcdef"));
    }

    #[test]
    fn random_bytes_differ_and_comparison_compares() {
        let (a, b) = (random::<32>().unwrap(), random::<32>().unwrap());
        assert!(!same(&a, &b) && same(&a, &a) && !same(&a, &a[..31]));
    }
}
