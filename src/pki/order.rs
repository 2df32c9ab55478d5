//! One certificate to be made. The order is the engine's record of intent (serial number, holder, dates) stored before
//! anything is signed; making it needs no store and no engine, takes up to half a second for an RSA key, and runs beside
//! the engine's thread.

use super::authority::Authority;
use super::p12::{self, Profile};
use super::profile::Holder;
use super::{KeyKind, PkiError};
use crate::crypto;
use crate::domain::{Digest, Secret, Timestamp};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Serial number of a certificate: 126 random bits, positive (RFC 5280 §4.1.2.2 asks for at most 20 octets; the CA/Browser
/// Forum for at least 64 random bits). Written as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Serial([u8; 16]);

/// Not a serial number of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a serial number is 1 to 32 hexadecimal digits")]
pub struct NoSerial;

impl Serial {
    /// From fresh random bytes.
    pub fn from_random(mut bytes: [u8; 16]) -> Self {
        // Positive, and of full length whatever the draw: the first octet is 01 to 7f … with its second bit set.
        bytes[0] = (bytes[0] & 0x7f) | 0x40;
        Self(bytes)
    }

    pub fn bytes(&self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crypto::hex(&self.0))
    }
}

impl FromStr for Serial {
    type Err = NoSerial;

    /// Any case, with or without colons and blanks, leading zeros dropped or not.
    fn from_str(text: &str) -> Result<Self, NoSerial> {
        let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).take(65).collect();
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() || digits.len() > 32 {
            return Err(NoSerial);
        }
        u128::from_str_radix(digits, 16).map(|number| Self(number.to_be_bytes())).map_err(|_| NoSerial)
    }
}

impl From<Serial> for String {
    fn from(serial: Serial) -> Self {
        serial.to_string()
    }
}

impl TryFrom<String> for Serial {
    type Error = NoSerial;
    fn try_from(text: String) -> Result<Self, NoSerial> {
        text.parse()
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Order {
    pub authority: Arc<Authority>,
    pub serial: Serial,
    /// Which issuing CA signs.
    pub issuer: String,
    /// 131032-01.
    pub tenant: String,
    /// みなと保健所.
    pub name: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// Opens the PKCS#12 files: the pick-up password as the letter shows it.
    pub password: Secret<String>,
}

/// What an order becomes.
#[derive(Debug, Clone)]
pub struct Made {
    /// Of the order it was made for.
    pub serial: Serial,
    /// DER.
    pub certificate: Vec<u8>,
    /// SHA-256 of the certificate.
    pub digest: Digest,
    pub compat: Secret<Vec<u8>>,
    pub modern: Secret<Vec<u8>>,
}

impl Made {
    pub fn file(&self, profile: Profile) -> &Secret<Vec<u8>> {
        match profile {
            Profile::Compat => &self.compat,
            Profile::Modern => &self.modern,
        }
    }
}

impl Order {
    /// Makes the key, the certificate and both PKCS#12 files. The key is nowhere but in those.
    pub fn make(&self) -> Result<Made, PkiError> {
        let issuing = self.authority.issuing(&self.issuer)?;
        let key = match self.authority.settings().key {
            KeyKind::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?,
            KeyKind::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
        };
        let holder = Holder { tenant: &self.tenant, name: &self.name };
        let certificate = issuing.sign_leaf(
            self.authority.settings(),
            &holder,
            &self.serial,
            self.not_before,
            self.not_after,
            &key,
        )?;
        let pkcs8 = Secret::new(key.serialize_der());
        let content = p12::Content {
            friendly_name: &format!("{} ({})", self.name, self.tenant),
            key: pkcs8.reveal(),
            chain: &[&[certificate.as_slice()], issuing.sent_along().as_slice()].concat(),
            serial: &self.serial.bytes(),
        };
        let compat = p12::write(&content, Profile::Compat, &self.password)?;
        let modern = p12::write(&content, Profile::Modern, &self.password)?;
        let digest = crypto::sha256(&certificate);
        Ok(Made { serial: self.serial, certificate, digest, compat, modern })
    }
}

/// `131032-01_2.p12`: the tenant and the generation, ASCII whatever the tenant is called.
pub fn file_name(tenant: &str, generation: u32) -> String {
    let ascii: String = tenant.chars().filter(|c| c.is_ascii_digit() || *c == '-').collect();
    format!("{ascii}_{generation}.p12")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers() {
        let low = Serial::from_random([0; 16]);
        assert_eq!(low.to_string(), "40000000000000000000000000000000");
        assert_eq!(Serial::from_random([0xff; 16]).bytes()[0], 0x7f);
        let read = |text: &str| text.parse::<Serial>().map(|serial| serial.to_string());
        assert_eq!(read("4F:00 aB").unwrap(), "000000000000000000000000004f00ab");
        assert_eq!(read("00").unwrap_err(), NoSerial);
        assert_eq!(read(&"f".repeat(33)).unwrap_err(), NoSerial);
        assert_eq!(read("保健所").unwrap_err(), NoSerial);
    }

    #[test]
    fn file_names_are_ascii() {
        assert_eq!(file_name("131032-01", 2), "131032-01_2.p12");
        assert_eq!(file_name("../港区 131032-00", 1), "131032-00_1.p12");
    }
}
