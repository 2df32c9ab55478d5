//! What a certificate costs: key, certificate and both PKCS#12 files as annai makes them, beside a bare loop over the same
//! libraries with the same parameters, by kind of key. RSA keys take as long as chance wants: compare over many.
//!
//! `cargo bench --bench certificate`. The goal: annai at 0.8 of the bare loop or better.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on says so and ends")]

use annai::domain::{Secret, Timestamp};
use annai::pki::{Authority, KeyKind, LeafSettings, Order, Revoked, Serial};
use annai::workflow::RevocationReason;
use divan::{Bencher, counter::ItemsCount};
use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey, PrivateKeyChain,
};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use std::sync::Arc;

const PASSWORD: &str = "k7m2-9xqd-abcd";
const ROUNDS: u32 = 10_000;
const KINDS: [KeyKind; 2] = [KeyKind::P256, KeyKind::Rsa2048];

fn main() {
    divan::main();
}

fn now() -> Timestamp {
    Timestamp::from_unix(1_588_291_200)
}

fn key(kind: KeyKind) -> KeyPair {
    match kind {
        KeyKind::P256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
        KeyKind::Rsa2048 => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048),
    }
    .expect("a key")
}

#[divan::bench(args = KINDS)]
fn annai(bencher: Bencher<'_, '_>, kind: KeyKind) {
    let settings = LeafSettings { key: kind, ..LeafSettings::default() };
    let authority = Arc::new(Authority::throwaway(settings, now()).expect("a CA"));
    let (not_before, not_after) = authority.validity(now()).expect("dates");
    let order = Order {
        serial: Serial::from_random([7; 16]),
        issuer: authority.active().expect("a CA").id.clone(),
        authority,
        tenant: "131032-01".to_owned(),
        name: "みなと保健所".to_owned(),
        not_before,
        not_after,
        password: Secret::new(PASSWORD.to_owned()),
    };
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| order.make().expect("a certificate"));
}

#[divan::bench(args = KINDS)]
fn bare(bencher: Bencher<'_, '_>, kind: KeyKind) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_key = key(KeyKind::P256);
    let ca = params.self_signed(&ca_key).expect("a CA").der().to_vec();
    let issuer = Issuer::new(params, ca_key);
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        let key = key(kind);
        let mut leaf = CertificateParams::default();
        leaf.distinguished_name.push(DnType::CommonName, "みなと保健所 (131032-01)");
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        leaf.use_authority_key_identifier_extension = true;
        let leaf = leaf.signed_by(&key, &issuer).expect("a certificate");
        let chain = || [leaf.der().as_ref(), &ca].map(|der| Certificate::from_der(der).expect("a certificate"));
        let file = |encryption, mac| {
            let secret = PrivateKey::from_der(key.serialized_der()).expect("a key");
            let mut store = KeyStore::new();
            let entry = KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new(vec![7_u8; 16], secret, chain()));
            store.add_entry("みなと保健所 (131032-01)", entry);
            let writer = store.writer(PASSWORD).encryption_algorithm(encryption).encryption_iterations(ROUNDS);
            writer.mac_algorithm(mac).mac_iterations(ROUNDS).write().expect("a file")
        };
        (
            file(EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc, MacAlgorithm::HmacSha1),
            file(EncryptionAlgorithm::PbeWithHmacSha256AndAes256, MacAlgorithm::HmacSha256),
        )
    });
}

/// A revocation list with so many lines: signed with every revocation, on the engine's thread.
#[divan::bench(args = [0, 100, 1_000, 10_000])]
fn list(bencher: Bencher<'_, '_>, lines: u64) {
    let settings = LeafSettings { key: KeyKind::P256, ..LeafSettings::default() };
    let authority = Authority::throwaway(settings, now()).expect("a CA");
    let ca = authority.active().expect("a CA");
    let line = |number: u64| {
        let mut bytes = [0; 16];
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        Revoked { serial: Serial::from_random(bytes), at: now(), reason: RevocationReason::Superseded }
    };
    let lines: Vec<Revoked> = (0..lines).map(line).collect();
    bencher.bench_local(|| ca.sign_crl(1, now(), now().plus(86_400), &lines).expect("a list"));
}
