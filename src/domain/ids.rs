//! Identifiers: each its own type, so that no two can be confused.

use serde::{Deserialize, Serialize};
use std::fmt::{self, Write};
use std::str::FromStr;

/// 全国地方公共団体コード: six digits, the last a check digit (weights 6 5 4 3 2; Ministry of Internal Affairs).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LgCode([u8; 6]);

/// An authority (serial 00) or one of its health centres (01, 02, …): `131032-00`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId {
    pub authority: LgCode,
    pub serial: u16,
}

/// Why a text is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    #[error("a local government code has six digits")]
    CodeShape,
    #[error("the check digit of this local government code is wrong")]
    CodeCheckDigit,
    #[error("a tenant id looks like 131032-00")]
    TenantShape,
    #[error("a digest is 64 hexadecimal digits")]
    DigestShape,
}

impl LgCode {
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("000000")
    }

    /// The prefecture's two digits, 01 (北海道) to 47 (沖縄県).
    pub fn prefecture(&self) -> &str {
        self.as_str().get(..2).unwrap_or("00")
    }

    /// Six bytes whose order is the order of the codes: the store's key.
    pub fn bytes(&self) -> [u8; 6] {
        self.0
    }
}

impl FromStr for LgCode {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes: [u8; 6] = text.as_bytes().try_into().map_err(|_| IdError::CodeShape)?;
        if !bytes.iter().all(u8::is_ascii_digit) {
            return Err(IdError::CodeShape);
        }
        let digits = bytes.map(|b| u32::from(b - b'0'));
        let [body @ .., check] = digits;
        let sum: u32 = body.iter().zip([6, 5, 4, 3, 2]).map(|(d, w)| d * w).sum();
        // 11 minus the rest of the sum by 11; a sum below 11 is taken from 11 itself; of two digits the last counts.
        let expected = if sum < 11 { 11 - sum } else { 11 - sum % 11 } % 10;
        if check == expected { Ok(Self(bytes)) } else { Err(IdError::CodeCheckDigit) }
    }
}

impl TenantId {
    pub fn authority_of(code: LgCode) -> Self {
        Self { authority: code, serial: 0 }
    }
}

impl FromStr for TenantId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (code, serial) = text.split_once('-').ok_or(IdError::TenantShape)?;
        if serial.len() < 2 || !serial.bytes().all(|b| b.is_ascii_digit()) {
            return Err(IdError::TenantShape);
        }
        Ok(Self { authority: code.parse()?, serial: serial.parse().map_err(|_| IdError::TenantShape)? })
    }
}

impl fmt::Display for LgCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:02}", self.authority, self.serial)
    }
}

impl fmt::Debug for LgCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for LgCode {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<LgCode> for String {
    fn from(code: LgCode) -> Self {
        code.to_string()
    }
}

impl TryFrom<String> for TenantId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<TenantId> for String {
    fn from(id: TenantId) -> Self {
        id.to_string()
    }
}

/// Which course of a tenant: 1 for the first certificate, one more with each re-issue or renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u32);

/// Running number of an incoming mail, in order of arrival, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MailNo(pub u64);

/// Running number of an outgoing mail (a row of the outbox), from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RowNo(pub u64);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for MailNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for RowNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A Message-ID without its angle brackets (RFC 5322 §3.6.4).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub String);

/// SHA-256 of something: a mail's bytes, a journal entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        digits.filter_map(|digit| char::from_digit(digit.into(), 16)).try_for_each(|digit| f.write_char(digit))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(IdError::DigestShape);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| IdError::DigestShape)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| IdError::DigestShape)?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_of_known_codes() {
        for code in ["010006", "011002", "131032", "471003", "132063"] {
            assert!(code.parse::<LgCode>().is_ok(), "{code}");
        }
        assert_eq!("131033".parse::<LgCode>(), Err(IdError::CodeCheckDigit));
        assert_eq!("13103".parse::<LgCode>(), Err(IdError::CodeShape));
    }

    #[test]
    fn tenant_ids_round_trip() {
        let id: TenantId = "131032-07".parse().unwrap();
        assert_eq!((id.serial, id.to_string().as_str()), (7, "131032-07"));
        assert_eq!("131032".parse::<TenantId>(), Err(IdError::TenantShape));
        assert_eq!("131032-x1".parse::<TenantId>(), Err(IdError::TenantShape));
    }
}
