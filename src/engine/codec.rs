//! Records and keys as bytes. Numbers in keys are big-endian, so that their order is the order of the keys.

use super::EngineError;
use crate::domain::{LgCode, RowNo, Timestamp};
use crate::store::Json;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::to_raw_value;

/// Room for a record of usual size.
const RECORD_BYTES: usize = 1024;

pub(super) fn encode(value: &impl Serialize) -> Result<Vec<u8>, EngineError> {
    let mut bytes = Vec::with_capacity(RECORD_BYTES);
    serde_json::to_writer(&mut bytes, value).map_err(|fault| EngineError::Record(fault.to_string()))?;
    Ok(bytes)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, EngineError> {
    serde_json::from_slice(bytes).map_err(|fault| EngineError::Record(fault.to_string()))
}

/// Encoded as a part of something greater.
pub(super) fn json(value: &impl Serialize) -> Result<Json, EngineError> {
    to_raw_value(value).map_err(|fault| EngineError::Record(fault.to_string()))
}

pub(super) fn number(no: u64) -> [u8; 8] {
    no.to_be_bytes()
}

pub(super) fn number_of(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk::<8>().map(|eight| u64::from_be_bytes(*eight))
}

/// Moments before 1970 count as 1970: they mean "now" everywhere they are used as a key.
pub(super) fn moment(at: Timestamp) -> [u8; 8] {
    u64::try_from(at.unix()).unwrap_or(0).to_be_bytes()
}

/// Key of the table `Due`: moment, row.
pub(super) fn due(at: Timestamp, row: RowNo) -> Vec<u8> {
    [moment(at), number(row.0)].concat()
}

/// Key of the table `Wake`: moment, authority.
pub(super) fn wake(at: Timestamp, code: LgCode) -> Vec<u8> {
    [&moment(at)[..], &code.bytes()].concat()
}

/// The first key after every entry of `Due` or `Wake` that has come by `now`.
pub(super) fn after(now: Timestamp) -> Vec<u8> {
    moment(now.plus(1)).to_vec()
}

/// The first key that can follow `key`.
pub(super) fn next_key(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

/// The moment in a key of `Due` or `Wake`.
pub(super) fn moment_of(key: &[u8]) -> Option<Timestamp> {
    number_of(key).and_then(|seconds| i64::try_from(seconds).ok()).map(Timestamp::from_unix)
}

/// The row in a key of `Due`.
pub(super) fn row_of(key: &[u8]) -> Option<RowNo> {
    key.get(8..).and_then(number_of).map(RowNo)
}

/// The authority in a key of `Wake`.
pub(super) fn code_of(key: &[u8]) -> Option<LgCode> {
    key.get(8..).and_then(authority_of)
}

/// The authority whose roster stands under a key of `Roster`.
pub(super) fn authority_of(key: &[u8]) -> Option<LgCode> {
    std::str::from_utf8(key).ok().and_then(|code| code.parse().ok())
}
