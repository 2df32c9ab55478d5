//! Chance as a value: the only caller of the random number generator. With `ANNAI_SEED` the same seed gives the same
//! numbers (allowed only with `[test] enabled = true`).

use super::EngineError;
use crate::crypto;
use crate::workflow::Nonce;

/// Where random bytes come from.
#[derive(Debug)]
pub enum Chance {
    /// The system's generator, asked for [`POOL_BYTES`] at a time.
    System {
        pool: Vec<u8>,
    },
    Seeded {
        seed: u64,
        drawn: u64,
    },
}

/// Random bytes drawn from the system at once; what has been handed out is gone from the pool.
const POOL_BYTES: usize = 1024;

impl Chance {
    pub fn system() -> Self {
        Self::System { pool: Vec::new() }
    }

    /// Fresh random bytes, at most 32 of them.
    pub fn bytes<const N: usize>(&mut self) -> Result<[u8; N], EngineError> {
        match self {
            Self::System { pool } => {
                if pool.len() < N {
                    *pool = crypto::random::<POOL_BYTES>().map_err(|_| EngineError::NoRandomness)?.to_vec();
                }
                let drawn = pool.split_off(pool.len().saturating_sub(N));
                drawn.first_chunk::<N>().copied().ok_or(EngineError::NoRandomness)
            }
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
