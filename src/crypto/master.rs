//! The master key: 32 random bytes in a file outside the store. Everything secret is derived from it or sealed with it,
//! so a copy of the state directory alone opens nothing (I9).
//!
//! Derivation: HKDF-SHA256 (RFC 5869), info = `annai/1/<purpose>` 0x00 `<context>`. Sealing: AES-256-GCM (NIST SP
//! 800-38D) under a key derived for the context, which is also the associated data: a sealed value moved to another row
//! does not open. Layout of a sealed value: format byte 0x01, nonce (12 bytes), ciphertext, tag (16 bytes).

use super::{NoRandomness, random};
use crate::domain::Secret;
use aws_lc_rs::{aead, hkdf, hmac};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use zeroize::Zeroize;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const SEALED_FORMAT: u8 = 1;
/// Largest key file read, in bytes: 64 hexadecimal digits and some blanks.
const KEY_FILE_BYTES_MAX: u64 = 256;

/// What a derived key is for. Keys of different purposes tell nothing about each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The token in a pick-up URL.
    PickupToken,
    /// The pick-up password.
    PickupCode,
    /// The user id of a credential.
    UserId,
    /// The password of a credential.
    Password,
    /// Values sealed at rest.
    Seal,
    /// Keys under which secrets are looked up.
    Lookup,
    /// The check part of a bounce address.
    Verp,
    /// Message-IDs and MIME boundaries.
    MessageId,
    /// Cookies of the console and the pick-up page.
    Session,
    /// Pseudo-random bytes of a run with `ANNAI_SEED`.
    Seeded,
}

/// The master key. Cannot be printed or serialised; overwritten in memory when dropped.
#[derive(Debug, Clone)]
pub struct MasterKey(Secret<[u8; KEY_BYTES]>);

/// Why there is no master key. All but the last are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("master key {path}: {source}; make one with `annai init` or correct keys.master_key_file")]
    File { path: String, source: std::io::Error },
    #[error("master key {path} may be read by others (mode {mode:03o}); run `chmod 600 {path}`")]
    Exposed { path: String, mode: u32 },
    #[error(
        "master key {path} is not 64 hexadecimal digits or 44 characters of base64 on one line; restore the right file"
    )]
    Shape { path: String },
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Why a sealed value stays shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("a sealed value has an unknown format; a newer annai wrote it")]
    Format,
    #[error("a sealed value does not open with this master key; restore the key that belongs to this state directory")]
    WrongKeyOrDamaged,
}

impl MasterKey {
    /// From bytes that are already at hand: tests, and runs with `ANNAI_SEED`.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Secret::new(bytes))
    }

    /// Reads a key file: one line, 64 hexadecimal digits or base64. Refuses a file others may read. Group read alone is
    /// allowed, because that is how a systemd credential looks.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let fault = |source| KeyError::File { path: path.display().to_string(), source };
        let file = File::open(path).map_err(fault)?;
        let about = file.metadata().map_err(fault)?;
        let mode = about.mode() & 0o777;
        if mode & 0o037 != 0 {
            return Err(KeyError::Exposed { path: path.display().to_string(), mode });
        }
        let shape = || KeyError::Shape { path: path.display().to_string() };
        if about.len() > KEY_FILE_BYTES_MAX {
            return Err(shape());
        }
        let text = Secret::new(std::io::read_to_string(file).map_err(fault)?);
        let line = text.reveal().trim();
        unhex(line).or_else(|| unbase64(line)).map(Self::from_bytes).ok_or_else(shape)
    }

    /// Makes a new key and writes it to a file that must not exist yet, mode 0600, durable when this returns.
    pub fn generate_file(path: &Path) -> Result<Self, KeyError> {
        let fault = |source| KeyError::File { path: path.display().to_string(), source };
        let key = Self::from_bytes(random()?);
        let mut line = String::with_capacity(2 * KEY_BYTES + 1);
        for byte in key.0.reveal() {
            line.extend([byte >> 4, byte & 15].into_iter().filter_map(|n| char::from_digit(u32::from(n), 16)));
        }
        line.push('\n');
        let line = Secret::new(line);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(fault)?;
        file.write_all(line.reveal().as_bytes()).and_then(|()| file.sync_all()).map_err(fault)?;
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        fs::File::open(parent).and_then(|dir| dir.sync_all()).map_err(fault)?;
        Ok(key)
    }

    /// 256 bits for this purpose and context; the same for ever.
    pub fn derive(&self, purpose: Purpose, context: &[u8]) -> Secret<[u8; KEY_BYTES]> {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(self.0.reveal());
        let info = [b"annai/1/", purpose.name().as_bytes(), &[0], context];
        let mut key = [0; KEY_BYTES];
        let filled = prk.expand(&info, hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut key));
        assert!(filled.is_ok(), "HKDF refuses only lengths over 255 blocks; this is one block");
        let secret = Secret::new(key);
        key.zeroize();
        secret
    }

    /// Encrypts `plaintext` so that only this key and this `context` open it. `nonce` must be fresh random bytes.
    pub fn seal(&self, context: &[u8], nonce: [u8; NONCE_BYTES], plaintext: &[u8]) -> Vec<u8> {
        let mut body = Vec::with_capacity(plaintext.len() + 16);
        body.extend_from_slice(plaintext);
        let sealed = self.sealing_key(context).seal_in_place_append_tag(
            aead::Nonce::assume_unique_for_key(nonce),
            aead::Aad::from(context),
            &mut body,
        );
        assert!(sealed.is_ok(), "AES-GCM refuses only inputs over 64 GiB");
        [&[SEALED_FORMAT][..], &nonce, &body].concat()
    }

    /// The plaintext of a sealed value.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Secret<Vec<u8>>, OpenError> {
        let Some((&SEALED_FORMAT, rest)) = sealed.split_first() else { return Err(OpenError::Format) };
        let (nonce, body) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(OpenError::WrongKeyOrDamaged)?;
        let mut body = body.to_vec();
        let length = self
            .sealing_key(context)
            .open_in_place(aead::Nonce::assume_unique_for_key(*nonce), aead::Aad::from(context), &mut body)
            .map_err(|_| OpenError::WrongKeyOrDamaged)?
            .len();
        body.truncate(length);
        Ok(Secret::new(body))
    }

    /// A short keyed tag (HMAC-SHA256, first 16 bytes): to look a secret up without storing it, to mark bounce
    /// addresses as ours.
    pub fn tag(&self, purpose: Purpose, bytes: &[u8]) -> [u8; 16] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.derive(purpose, b"tag").reveal());
        let full = hmac::sign(&key, bytes);
        full.as_ref().first_chunk().copied().unwrap_or_default()
    }

    fn sealing_key(&self, context: &[u8]) -> aead::LessSafeKey {
        let key = aead::UnboundKey::new(&aead::AES_256_GCM, self.derive(Purpose::Seal, context).reveal());
        #[expect(clippy::expect_used, reason = "the only refusal is a key that is not 32 bytes, and the type says 32")]
        aead::LessSafeKey::new(key.expect("32 bytes"))
    }
}

impl Purpose {
    /// Part of every derived key: never change one.
    fn name(self) -> &'static str {
        match self {
            Self::PickupToken => "pickup-token",
            Self::PickupCode => "pickup-code",
            Self::UserId => "user-id",
            Self::Password => "password",
            Self::Seal => "seal",
            Self::Lookup => "lookup",
            Self::Verp => "verp",
            Self::MessageId => "message-id",
            Self::Session => "session",
            Self::Seeded => "seeded",
        }
    }
}

fn unhex(line: &str) -> Option<[u8; KEY_BYTES]> {
    line.parse::<crate::domain::Digest>().ok().map(|digest| digest.0)
}

/// Base64 with the standard alphabet (RFC 4648 §4) of exactly 32 bytes: 43 characters and one `=`.
fn unbase64(line: &str) -> Option<[u8; KEY_BYTES]> {
    let body = line.strip_suffix('=').filter(|body| body.len() == 43)?;
    let (mut bytes, mut filled, mut bits, mut held) = ([0; KEY_BYTES], 0, 0_u32, 0_u32);
    for c in body.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            *bytes.get_mut(filled)? = u8::try_from(bits >> held & 0xff).ok()?;
            filled += 1;
        }
    }
    (filled == KEY_BYTES).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn key() -> MasterKey {
        MasterKey::from_bytes([9; 32])
    }

    #[test]
    fn derived_keys_depend_on_everything() {
        let base = *key().derive(Purpose::PickupCode, b"131032-00/1").reveal();
        assert_eq!(base, *key().derive(Purpose::PickupCode, b"131032-00/1").reveal());
        assert_ne!(base, *key().derive(Purpose::PickupToken, b"131032-00/1").reveal());
        assert_ne!(base, *key().derive(Purpose::PickupCode, b"131032-00/2").reveal());
        assert_ne!(base, *MasterKey::from_bytes([8; 32]).derive(Purpose::PickupCode, b"131032-00/1").reveal());
        assert_ne!(key().tag(Purpose::Verp, b"1"), key().tag(Purpose::Verp, b"2"));
        assert_ne!(key().tag(Purpose::Verp, b"1"), key().tag(Purpose::Lookup, b"1"));
    }

    #[test]
    fn derivation_never_changes() {
        // Computed independently: HKDF-SHA256, no salt, key 09 × 32, info "annai/1/pickup-code\0131032-00/1".
        let hex = crate::domain::Digest(*key().derive(Purpose::PickupCode, b"131032-00/1").reveal()).to_string();
        assert_eq!(hex, "7c71114e2139736ccaee2cf38be4b6ce5193153bf23af0e76b2bf5afc9d3e002");
    }

    #[test]
    fn sealed_values_open_only_in_their_place() {
        let sealed = key().seal(b"row 1", [3; 12], "合言葉".as_bytes());
        assert_eq!(key().open(b"row 1", &sealed).unwrap().reveal(), "合言葉".as_bytes());
        let shut = Err(OpenError::WrongKeyOrDamaged);
        assert_eq!(key().open(b"row 2", &sealed).map(|_| ()), shut);
        assert_eq!(MasterKey::from_bytes([8; 32]).open(b"row 1", &sealed).map(|_| ()), shut);
        for at in 1..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(key().open(b"row 1", &damaged).map(|_| ()), shut, "byte {at}");
        }
        assert_eq!(key().open(b"row 1", &sealed[..10]).map(|_| ()), shut);
        assert_eq!(key().open(b"row 1", &[2, 0]).map(|_| ()), Err(OpenError::Format));
        assert_eq!(key().open(b"row 1", &[]).map(|_| ()), Err(OpenError::Format));
    }

    #[test]
    fn key_files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        let made = MasterKey::generate_file(&path).unwrap();
        assert_eq!(made.0.reveal(), MasterKey::load(&path).unwrap().0.reveal());
        assert!(matches!(MasterKey::generate_file(&path), Err(KeyError::File { .. })), "never overwrites a key");
        let write = |text: &str, mode: u32| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            MasterKey::load(&path)
        };
        let base64 = write("//////////////////////////////////////////8=\n", 0o440).unwrap();
        assert_eq!(base64.0.reveal(), &[255; 32]);
        assert!(matches!(write("00", 0o600), Err(KeyError::Shape { .. })));
        assert!(matches!(write(&"0".repeat(300), 0o600), Err(KeyError::Shape { .. })));
        assert!(matches!(write(&"0".repeat(64), 0o644), Err(KeyError::Exposed { mode: 0o644, .. })));
        assert_eq!(format!("{made:?}"), "MasterKey(<secret>)");
    }
}
