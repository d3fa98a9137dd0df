//! Certificates and lists that were damaged by chance: whatever is left, nothing panics, and it is
//! over soon.

use proptest::collection::vec;
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CidrSubnet, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    NameConstraints, RevokedCertParams, SanType, date_time_ymd,
};

use super::fuzzing::exercise;

/// A server's certificate, its authority's and its list, with most extensions that are read.
fn good() -> [Vec<u8>; 3] {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::OrganizationName, "Example");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("example".to_owned())],
        excluded_subtrees: vec![GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(
            [192, 0, 2, 0].into(),
            24,
        ))],
    });
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().der().to_vec();
    let issuer = Issuer::new(params, key);
    let names = vec!["db.example".to_owned(), "192.0.2.1".to_owned()];
    let mut params = CertificateParams::new(names).unwrap();
    params.subject_alt_names.push(SanType::Rfc822Name("a@db.example".try_into().unwrap()));
    params.subject_alt_names.push(SanType::URI("https://db.example/".try_into().unwrap()));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    let leaf = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().der().to_vec();
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2024, 2, 29),
        next_update: date_time_ymd(2051, 1, 1),
        crl_number: vec![1].into(),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number: vec![7].into(),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: Some(rcgen::RevocationReason::KeyCompromise),
            invalidity_date: None,
        }],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    [leaf, authority, list.signed_by(&issuer).unwrap().der().to_vec()]
}

/// One piece of damage, at a place that is a part of the whole.
#[derive(Clone, Debug)]
enum Damage {
    Set(u8),
    Remove(usize),
    Insert(Vec<u8>),
    /// Copies what is there once more, so that elements are nested or there twice.
    Repeat(usize),
}

fn damage() -> impl Strategy<Value = (usize, u16, Damage)> {
    let what = prop_oneof![
        4 => any::<u8>().prop_map(Damage::Set),
        1 => (1_usize..20).prop_map(Damage::Remove),
        1 => vec(any::<u8>(), 1..8).prop_map(Damage::Insert),
        1 => (1_usize..200).prop_map(Damage::Repeat),
    ];
    (0_usize..3, any::<u16>(), what)
}

fn apply(bytes: &mut Vec<u8>, place: u16, damage: &Damage) {
    let at = usize::from(place) % (bytes.len() + 1);
    let upto = |count: usize| at..bytes.len().min(at + count);
    match damage {
        Damage::Set(value) => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = *value),
        Damage::Remove(count) => drop(bytes.drain(upto(*count))),
        Damage::Insert(more) => drop(bytes.splice(at..at, more.iter().copied())),
        Damage::Repeat(count) => {
            let again = bytes[upto(*count)].to_vec();
            drop(bytes.splice(at..at, again));
        }
    }
}

#[test]
fn damage_is_survived() {
    let good = good();
    exercise(good.each_ref().map(Vec::as_slice));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 4_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let survived = runner.run(&vec(damage(), 1..4), |damages| {
        let mut parts = good.clone();
        for (part, place, damage) in &damages {
            apply(&mut parts[*part], *place, damage);
        }
        exercise(parts.each_ref().map(Vec::as_slice));
        Ok(())
    });
    survived.unwrap();
}

#[test]
fn whatever_is_nested_deeply_is_refused() {
    // Sequences within sequences, as far as a length of three bytes reaches.
    let mut deep = vec![0x30, 0];
    while deep.len() < 60_000 {
        let length = u16::try_from(deep.len()).unwrap().to_be_bytes();
        deep = match length {
            [0, short @ 0..128] => [&[0x30, short], &*deep].concat(),
            [0, long] => [&[0x30, 0x81, long], &*deep].concat(),
            [high, low] => [&[0x30, 0x82, high, low], &*deep].concat(),
        };
    }
    exercise([&deep; 3]);
    let [leaf, authority, list] = good();
    let name_at = leaf.windows(2).position(|pair| pair == [0x31, 0x0b]).unwrap_or(60);
    let broken = [&leaf[..name_at], &*deep].concat();
    exercise([&broken, &authority, &list]);
}
