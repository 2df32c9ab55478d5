//! PKCS#12 files (RFC 7292) as Windows, macOS, NSS and Java import them: the key, the certificate, the CAs below the root.
//!
//! Two profiles: `compat` (3DES and SHA-1: opens everywhere since Windows 7) and `modern` (AES-256 with PBKDF2-SHA-256;
//! older than Windows 10 1709 and Server 2019 say "wrong password" to it). The library writes neither the attribute that
//! tells Windows to keep the key in its present key store (Microsoft Software Key Storage Provider; without it the key lands
//! in a provider of 2001 that cannot sign with SHA-256) nor lets it be added, so the key bag is rewritten here and the file's
//! MAC computed anew (RFC 7292 appendix B): docs/decisions/0008-pkcs12.md.

use super::PkiError;
use crate::crypto;
use crate::domain::Secret;
use der::asn1::{BmpString, ObjectIdentifier, OctetString, SetOfVec};
use der::{Any, AnyRef, Decode, Encode};
use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, Pkcs12ImportPolicy, PrivateKey,
    PrivateKeyChain,
};
use pkcs12::MacData;
use pkcs12::kdf::{Pkcs12KeyType, derive_key_utf8};
use pkcs12::pfx::Pfx;
use pkcs12::safe_bag::SafeBag;
use serde::{Deserialize, Serialize};
use x509_cert::attr::{Attribute, AttributeValue};

/// Rounds of key derivation, as Windows and OpenSSL use them or more.
const ROUNDS: u32 = 10_000;
/// szOID_PKCS_12_KEY_PROVIDER_NAME_ATTR.
const PROVIDER_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.17.1");
const PROVIDER: &str = "Microsoft Software Key Storage Provider";
/// pkcs8ShroudedKeyBag.
const KEY_BAG_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.2");
/// Contents that are not encrypted; the key bag stands there, itself encrypted.
const DATA_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");

/// Which kind of file; see the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    Compat,
    Modern,
}

impl Profile {
    pub const ALL: [Self; 2] = [Self::Compat, Self::Modern];

    /// `compat`, `modern`: in forms, configuration and journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Compat => "compat",
            Self::Modern => "modern",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }
}

/// What stands in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Content<'a> {
    /// What certificate lists show: みなと保健所 (131032-01).
    pub(super) friendly_name: &'a str,
    /// PKCS#8.
    pub(super) key: &'a [u8],
    /// DER, leaf first.
    pub(super) chain: &'a [&'a [u8]],
    /// Ties key and leaf together (localKeyId).
    pub(super) serial: &'a [u8],
}

#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn library(fault: p12_keystore::error::Error) -> PkiError {
    PkiError::Pkcs12(fault.to_string())
}

fn encoding(fault: der::Error) -> PkiError {
    PkiError::Pkcs12(fault.to_string())
}

/// Writes a file that `password` opens.
pub(super) fn write(
    content: &Content<'_>,
    profile: Profile,
    password: &Secret<String>,
) -> Result<Secret<Vec<u8>>, PkiError> {
    let (encryption, mac) = match profile {
        Profile::Compat => (EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc, MacAlgorithm::HmacSha1),
        Profile::Modern => (EncryptionAlgorithm::PbeWithHmacSha256AndAes256, MacAlgorithm::HmacSha256),
    };
    let chain = content.chain.iter().map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>();
    let key = PrivateKey::from_der(content.key).map_err(library)?;
    let chain = PrivateKeyChain::new(content.serial, key, chain.map_err(library)?);
    let mut store = KeyStore::new();
    // The name is UCS-2 there: characters beyond (𠮷) become the mark for a missing one.
    let plain = |c: char| if u32::from(c) > 0xffff { '〓' } else { c };
    let name: String = content.friendly_name.chars().map(plain).collect();
    store.add_entry(&name, KeyStoreEntry::PrivateKeyChain(chain));
    let writer = store.writer(password.reveal()).encryption_algorithm(encryption).encryption_iterations(ROUNDS);
    // One round only: this MAC is replaced below.
    let bytes = Secret::new(writer.mac_algorithm(mac).mac_iterations(1).write().map_err(library)?);
    with_provider(bytes.reveal(), profile, password)
}

/// The same file with the provider's name at its key, under a new MAC.
fn with_provider(bytes: &[u8], profile: Profile, password: &Secret<String>) -> Result<Secret<Vec<u8>>, PkiError> {
    let mut pfx = Pfx::from_der(bytes).map_err(encoding)?;
    let safes = OctetString::from_der(&pfx.auth_safe.content.to_der().map_err(encoding)?).map_err(encoding)?;
    let mut safes = pkcs12::AuthenticatedSafe::from_der(safes.as_bytes()).map_err(encoding)?;
    let mut named = 0;
    for safe in safes.iter_mut().filter(|safe| safe.content_type == DATA_OID) {
        let inner = OctetString::from_der(&safe.content.to_der().map_err(encoding)?).map_err(encoding)?;
        let mut bags = Vec::<SafeBag>::from_der(inner.as_bytes()).map_err(encoding)?;
        for bag in &mut bags {
            // What was read stands in its [0]; writing puts it there again.
            bag.bag_value = AnyRef::from_der(&bag.bag_value).map_err(encoding)?.value().to_vec();
            if bag.bag_id == KEY_BAG_OID {
                let name = Any::from_der(&BmpString::from_utf8(PROVIDER).and_then(|n| n.to_der()).map_err(encoding)?);
                let values = SetOfVec::<AttributeValue>::from_iter([name.map_err(encoding)?]).map_err(encoding)?;
                let attributes = bag.bag_attributes.get_or_insert_default();
                attributes.insert(Attribute { oid: PROVIDER_OID, values }).map_err(encoding)?;
                named += 1;
            }
        }
        safe.content = boxed(&bags.to_der().map_err(encoding)?)?;
    }
    if named != 1 {
        return Err(PkiError::Pkcs12("the file has no single key; please report this".to_owned()));
    }
    let inner = safes.to_der().map_err(encoding)?;
    pfx.auth_safe.content = boxed(&inner)?;
    let mac = pfx.mac_data.as_mut().ok_or_else(|| PkiError::Pkcs12("the file has no MAC".to_owned()))?;
    seal(mac, &inner, profile, password)?;
    Ok(Secret::new(pfx.to_der().map_err(encoding)?))
}

fn boxed(bytes: &[u8]) -> Result<Any, PkiError> {
    OctetString::new(bytes).and_then(|octets| Any::from_der(&octets.to_der()?)).map_err(encoding)
}

/// Puts the MAC of `bytes` into `mac` (RFC 7292 §4, appendix B): its key is derived from the password.
fn seal(mac: &mut MacData, bytes: &[u8], profile: Profile, password: &Secret<String>) -> Result<(), PkiError> {
    let rounds = i32::try_from(ROUNDS).unwrap_or(i32::MAX);
    let (salt, password) = (mac.mac_salt.as_bytes(), password.reveal());
    let tag = match profile {
        Profile::Compat => {
            let key = derive_key_utf8::<sha1::Sha1>(password, salt, Pkcs12KeyType::Mac, rounds, 20);
            crypto::hmac_sha1(Secret::new(key.map_err(encoding)?).reveal(), bytes)
        }
        Profile::Modern => {
            let key = derive_key_utf8::<sha2::Sha256>(password, salt, Pkcs12KeyType::Mac, rounds, 32);
            crypto::hmac_sha256(Secret::new(key.map_err(encoding)?).reveal(), bytes)
        }
    };
    mac.mac.digest = OctetString::new(tag).map_err(encoding)?;
    mac.iterations = rounds;
    Ok(())
}

/// A private key (PKCS#8) and certificates (DER, that of the key first).
pub type KeyAndChain = (Secret<Vec<u8>>, Vec<Vec<u8>>);

/// What a PKCS#12 file holds.
pub fn read(bytes: &[u8], password: &Secret<String>) -> Result<KeyAndChain, PkiError> {
    let store = KeyStore::from_pkcs12(bytes, password.reveal(), Pkcs12ImportPolicy::Relaxed).map_err(library)?;
    let (_, chain) = store.private_key_chain().ok_or(PkiError::Unfit("the PKCS#12 file holds no private key"))?;
    let certificates = chain.certs().iter().map(|certificate| certificate.as_der().to_vec()).collect();
    Ok((Secret::new(chain.key().as_der().to_vec()), certificates))
}
