//! Passwords of staff as argon2id (RFC 9106): 19 MiB, two passes, one lane, the least OWASP names. The only importer of
//! `argon2`. Takes some tens of milliseconds on purpose: never call it on the engine's thread or an async worker.

use super::{NoRandomness, random};
use crate::domain::Secret;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

/// Memory in KiB, passes, lanes.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// Shortest password, in characters (NIST SP 800-63B: length counts, not signs).
pub const CHARS_MIN: usize = 12;
/// Longest password, in bytes: a limit for what is hashed.
pub const BYTES_MAX: usize = 256;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("the password is shorter than {CHARS_MIN} characters; take several words")]
    TooShort,
    #[error("the password is longer than {BYTES_MAX} bytes; take a shorter one")]
    TooLong,
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error("the password could not be hashed; report this")]
    Hash,
}

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(|_| PasswordError::Hash)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// A new password as it is stored: `$argon2id$v=19$…`, with a salt of its own.
pub fn hash(password: &Secret<String>) -> Result<String, PasswordError> {
    let given = password.reveal();
    if given.chars().count() < CHARS_MIN {
        return Err(PasswordError::TooShort);
    }
    if given.len() > BYTES_MAX {
        return Err(PasswordError::TooLong);
    }
    let salt = SaltString::encode_b64(&random::<16>()?).map_err(|_| PasswordError::Hash)?;
    let hash = argon2()?.hash_password(given.as_bytes(), &salt).map_err(|_| PasswordError::Hash)?;
    Ok(hash.to_string())
}

/// Whether a text has the form [`hash`] gives: with our algorithm and at least our cost.
pub fn is_hash(text: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(text) else { return false };
    let Ok(params) = Params::try_from(&parsed) else { return false };
    let (memory, passes, _) = COST;
    parsed.algorithm.as_str() == "argon2id"
        && parsed.hash.is_some()
        && params.m_cost() >= memory
        && params.t_cost() >= passes
}

/// Whether `password` is the one behind `stored`. Without a stored one it works as long and says no, so that the time does
/// not tell which names exist.
pub fn verify(password: &Secret<String>, stored: Option<&str>) -> bool {
    /// The hash of nobody's password, of the same cost.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$YW5uYWlhbm5haWFubmFp$2Xw0Jx2bTqz6r0cR8n1mJ0S0S4pBq1tYH3p0mR7oYxQ";
    if password.reveal().len() > BYTES_MAX {
        return false;
    }
    let (Ok(argon2), Ok(parsed)) = (argon2(), PasswordHash::new(stored.unwrap_or(NOBODY))) else { return false };
    let same = argon2.verify_password(password.reveal().as_bytes(), &parsed).is_ok();
    same && stored.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_opens_and_salts_differ() {
        let secret = |text: &str| Secret::new(text.to_owned());
        let (one, two) = (hash(&secret("a long password")).unwrap(), hash(&secret("a long password")).unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && one != two);
        assert!(is_hash(&one) && !is_hash("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAA") && !is_hash("x"));
        assert!(verify(&secret("a long password"), Some(&one)));
        assert!(!verify(&secret("another password"), Some(&one)));
        assert!(!verify(&secret("a long password"), None), "nobody's");
        assert!(!verify(&secret("x"), Some("broken")));
        assert_eq!(hash(&secret("短い")), Err(PasswordError::TooShort));
        assert_eq!(hash(&secret(&"x".repeat(257))), Err(PasswordError::TooLong));
    }
}
