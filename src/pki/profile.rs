//! What stands in each kind of certificate (RFC 5280 §4; docs/ca-policy.md). Both dates, the serial number and the key
//! identifiers are always set: the library's own validity is 1975 to 4096.

use super::order::Serial;
use super::{BACKDATED_SECONDS, LeafSettings};
use crate::domain::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType, SerialNumber, string::Ia5String,
};
use std::time::Duration;

/// Days a root made here is valid: twenty years.
pub(super) const ROOT_DAYS: u32 = 7305;
/// Days an issuing CA made here is valid: ten years. It outlives every leaf it may sign in its first eight.
pub(super) const ISSUING_DAYS: u32 = 3652;
/// Longest common name (RFC 5280, ub-common-name), in characters.
const COMMON_NAME_MAX: usize = 64;
/// authorityInfoAccess (RFC 5280 §4.2.2.1), which the library has no field for.
const AIA_OID: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];
/// id-ad-caIssuers, 1.3.6.1.5.5.7.48.2, as DER.
const CA_ISSUERS_DER: [u8; 10] = [0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];

/// Sets both dates.
pub(super) fn date(params: &mut CertificateParams, not_before: Timestamp, not_after: Timestamp) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_epoch(not_before);
    params.not_after = epoch + since_epoch(not_after);
}

pub(super) fn since_epoch(t: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(t.unix()).unwrap_or(0))
}

fn name(organisation: &str, common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "JP");
    name.push(DnType::OrganizationName, organisation.chars().take(COMMON_NAME_MAX).collect::<String>());
    name.push(DnType::CommonName, common.chars().take(COMMON_NAME_MAX).collect::<String>());
    name
}

pub(super) fn root(organisation: &str, year: i32, serial: &Serial, now: Timestamp) -> CertificateParams {
    let mut params = ca(organisation, &format!("{organisation} Root CA {year}"), serial, now, ROOT_DAYS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    params
}

pub(super) fn issuing(organisation: &str, year: i32, serial: &Serial, now: Timestamp) -> CertificateParams {
    let number = serial.to_string().chars().take(4).collect::<String>();
    let common = format!("{organisation} Issuing CA {year}-{number}");
    let mut params = ca(organisation, &common, serial, now, ISSUING_DAYS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    // It can vouch for terminals and for nothing else.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params
}

fn ca(organisation: &str, common: &str, serial: &Serial, now: Timestamp, days: u32) -> CertificateParams {
    let mut params = CertificateParams::default();
    date(&mut params, now.plus(-BACKDATED_SECONDS), now.plus(i64::from(days) * 86_400));
    params.serial_number = Some(number(serial));
    params.distinguished_name = name(organisation, common);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// Who the certificate of a terminal is for.
#[derive(Debug, Clone)]
pub(super) struct Holder<'a> {
    /// 131032-01.
    pub(super) tenant: &'a str,
    /// みなと保健所.
    pub(super) name: &'a str,
}

/// The certificate of a terminal: signs in TLS, nothing else. The tenant's number stands in the subject for people and
/// as `urn:annai:tenant:131032-01` in subjectAltName for programs.
pub(super) fn leaf(
    settings: &LeafSettings,
    issuer_id: &str,
    holder: &Holder<'_>,
    serial: &Serial,
    not_before: Timestamp,
    not_after: Timestamp,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::default();
    date(&mut params, not_before, not_after);
    params.serial_number = Some(number(serial));
    let room = COMMON_NAME_MAX.saturating_sub(holder.tenant.chars().count() + 3);
    let label: String = holder.name.chars().filter(|c| !c.is_control()).take(room).collect();
    params.distinguished_name = name(&settings.organisation, &format!("{label} ({})", holder.tenant));
    params.subject_alt_names = vec![SanType::URI(Ia5String::try_from(format!("urn:annai:tenant:{}", holder.tenant))?)];
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    if let Some(base) = &settings.crl_url {
        params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![format!("{base}/{issuer_id}.crl")] }];
    }
    if let Some(base) = &settings.aia_url {
        let access = aia(&format!("{base}/{issuer_id}.crt"));
        params.custom_extensions.push(CustomExtension::from_oid_content(AIA_OID, access));
    }
    Ok(params)
}

pub(super) fn number(serial: &Serial) -> SerialNumber {
    SerialNumber::from_slice(&serial.bytes())
}

/// SEQUENCE { SEQUENCE { caIssuers, [6] address } }.
fn aia(address: &str) -> Vec<u8> {
    let tagged = tlv(0x86, address.as_bytes());
    let access = tlv(0x30, &[&CA_ISSUERS_DER[..], &tagged].concat());
    tlv(0x30, &access)
}

/// Tag, length, value (DER); lengths up to 65,535.
fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes();
    let head = match (high, low) {
        (0, 0..=0x7f) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head, value.to_vec()].concat()
}
