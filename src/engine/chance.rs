//! Chance as a value: the only caller of the random number generator. With `ANNAI_SEED` the same seed gives the same
//! numbers (allowed only with `[test] enabled = true`).

use super::EngineError;
use crate::crypto;
use crate::workflow::Nonce;

/// Where random bytes come from.
#[derive(Debug)]
pub enum Chance {
    System,
    Seeded { seed: u64, drawn: u64 },
}

impl Chance {
    /// Fresh random bytes, at most 32 of them.
    pub fn bytes<const N: usize>(&mut self) -> Result<[u8; N], EngineError> {
        match self {
            Self::System => crypto::random().map_err(|_| EngineError::NoRandomness),
            Self::Seeded { seed, drawn } => {
                *drawn += 1;
                let digest = crypto::sha256(&[seed.to_be_bytes(), drawn.to_be_bytes()].concat());
                digest.0.first_chunk::<N>().copied().ok_or(EngineError::NoRandomness)
            }
        }
    }

    pub fn nonce(&mut self) -> Result<Nonce, EngineError> {
        self.bytes().map(Nonce)
    }
}
