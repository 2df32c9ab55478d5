//! `[ca]` and `[pickup]`: what certificates say and how they are handed out.

use super::CaConfig;
use super::reader::Section;
use crate::engine::pickup::{KEEP_MINUTES_MAX, PickupSettings};
use crate::pki::{KeyKind, LeafSettings, Profile};

/// Days a certificate may be valid.
const DAYS_MIN: u32 = 1;
const DAYS_MAX: u32 = 3650;
/// Longest organisation name (RFC 5280, ub-organization-name), in characters.
const ORGANISATION_CHARS_MAX: usize = 64;

/// `base`: the address of the pick-up pages, where lists and CA certificates are found unless something else is said.
pub(super) fn ca(s: &mut Section<'_, '_, '_>, base: Option<&str>) -> CaConfig {
    let usual = LeafSettings::default();
    let keys = [("rsa-2048", KeyKind::Rsa2048), ("p256", KeyKind::P256)];
    let key = s.choice("key", &keys).unwrap_or(usual.key);
    let days = s.number("days", DAYS_MIN..=DAYS_MAX).unwrap_or(usual.days);
    let organisation = s.string("organisation").unwrap_or(usual.organisation);
    if organisation.trim().is_empty() || organisation.chars().count() > ORGANISATION_CHARS_MAX {
        s.fault("organisation", "is empty or longer than 64 characters", "give the name the certificates should show");
    }
    let crl_url = address(s, "crl_url", base.map(|base| format!("{base}/crl")));
    let aia_url = address(s, "aia_url", base.map(|base| format!("{base}/ca")));
    let second_secret_file = s.path("second_secret_file");
    CaConfig { leaf: LeafSettings { key, days, organisation, crl_url, aia_url }, second_secret_file }
}

/// An address without a slash at its end; "none" leaves it out of the certificates.
fn address(s: &mut Section<'_, '_, '_>, key: &'static str, usual: Option<String>) -> Option<String> {
    match s.string(key) {
        None => usual,
        Some(none) if none == "none" => None,
        Some(given) => {
            let given = given.trim_end_matches('/').to_owned();
            let plain = |c: char| c.is_ascii_graphic();
            let known = given.starts_with("http://") || given.starts_with("https://");
            if !known || !given.chars().all(plain) {
                s.fault(key, "is no address", "give one like \"http://pickup.example.jp/crl\", or \"none\"");
            }
            Some(given)
        }
    }
}

pub(super) fn pickup(s: &mut Section<'_, '_, '_>) -> PickupSettings {
    let usual = PickupSettings::default();
    let profiles = Profile::ALL.map(|profile| (profile.name(), profile));
    PickupSettings {
        keep_minutes: s.number("keep_minutes", 0..=KEEP_MINUTES_MAX).unwrap_or(usual.keep_minutes),
        profile: s.choice("profile", &profiles).unwrap_or(usual.profile),
    }
}
