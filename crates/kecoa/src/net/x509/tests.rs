//! Certificates and lists are read, and no damage to them goes unseen.

use super::*;
use crate::net::certificates::is_signed_by;

fn certificate(params: &rcgen::CertificateParams) -> (Vec<u8>, rcgen::KeyPair) {
    let key = rcgen::KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().der().to_vec(), key)
}

#[test]
fn reads_a_certificate_and_survives_its_pieces() {
    use rcgen::PublicKeyData;
    let mut params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2024, 2, 29);
    params.not_after = rcgen::date_time_ymd(2051, 1, 1);
    params.distinguished_name.push(rcgen::DnType::OrganizationName, "o");
    params.distinguished_name.push(rcgen::DnType::CommonName, "c.example");
    params.serial_number = Some(vec![0x81, 2].into());
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(3));
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let (der, key) = certificate(&params);
    let read = Certificate::parse(&der).unwrap();
    assert_eq!((read.not_before, read.not_after), (1_709_164_800, 2_556_144_000));
    assert_eq!(read.public_key, &*key.subject_public_key_info());
    assert_eq!(read.key().unwrap().kind(), KeyKind::Good);
    assert_eq!(read.signature_hash(), Some(Hash::Sha256));
    assert!(!read.is_version_1 && read.is_self_issued());
    assert_eq!(read.serial, [0, 0x81, 2]);
    assert_eq!(read.alternative_names(), Ok(vec![AlternativeName::Host(b"a.example")]));
    assert_eq!(read.common_name(), Some(&b"c.example"[..]));
    assert_eq!(read.subject.shown(), "c.example");
    let basic = read.basic_constraints().unwrap().unwrap();
    assert_eq!((basic.ca, basic.path_len_constraint), (true, Some(3)));
    let usage = read.key_usage().unwrap().unwrap();
    assert!(usage.key_cert_sign() && !usage.crl_sign());
    assert_eq!(read.purposes().unwrap().unwrap().0.len(), 1);
    assert_eq!(read.unknown_critical(), None);
    assert!(is_signed_by(&read.signed, &read));
    let (other, _) = certificate(&params);
    assert!(!is_signed_by(&read.signed, &Certificate::parse(&other).unwrap()));
    for end in 0..der.len() {
        assert!(Certificate::parse(&der[..end]).is_none());
    }
    for at in 0..der.len() {
        for with in [0x01, 0x80, 0xff] {
            let mut changed = der.clone();
            changed[at] ^= with;
            if let Some(changed) = Certificate::parse(&changed) {
                let _ = (changed.common_name(), changed.alternative_names());
                let _ = (changed.basic_constraints(), changed.key_usage(), changed.purposes());
                let _ = (changed.name_constraints(), changed.unknown_critical());
                assert!(!is_signed_by(&changed.signed, &read));
            }
        }
    }
}

#[test]
fn extensions_that_are_there_twice_or_unknown_are_seen() {
    let extension = |oid: &[u64]| {
        let mut found = rcgen::CustomExtension::from_oid_content(oid, vec![5, 0]);
        found.set_criticality(true);
        found
    };
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.custom_extensions = vec![extension(&[1, 2, 3, 4])];
    let (der, _) = certificate(&params);
    assert_eq!(Certificate::parse(&der).unwrap().unknown_critical().as_deref(), Some("1.2.3.4"));
    params.custom_extensions.push(extension(&[1, 2, 3, 4]));
    assert!(Certificate::parse(&certificate(&params).0).is_none());
    // What is known, but cannot be read, is an error and not as if it were not there.
    params.custom_extensions = vec![extension(&[2, 5, 29, 30]), extension(&[2, 5, 29, 17])];
    let (der, _) = certificate(&params);
    let read = Certificate::parse(&der).unwrap();
    assert!(read.name_constraints().is_err() && read.alternative_names().is_err());
}

#[test]
fn reads_a_list_and_survives_its_pieces() {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.key_usages = vec![rcgen::KeyUsagePurpose::CrlSign];
    let (authority, key) = certificate(&params);
    let authority = Certificate::parse(&authority).unwrap();
    let revoked = |serial: &[u8]| rcgen::RevokedCertParams {
        serial_number: serial.to_vec().into(),
        revocation_time: rcgen::date_time_ymd(2024, 1, 1),
        reason_code: Some(rcgen::RevocationReason::KeyCompromise),
        invalidity_date: None,
    };
    let list = rcgen::CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2024, 2, 29),
        next_update: rcgen::date_time_ymd(2051, 1, 1),
        crl_number: vec![1].into(),
        issuing_distribution_point: None,
        revoked_certs: vec![revoked(&[7]), revoked(&[0x81, 2])],
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    let issuer = rcgen::Issuer::from_params(&params, &key);
    let der = list.signed_by(&issuer).unwrap().der().to_vec();
    let read = RevocationList::parse(&der).unwrap();
    assert_eq!((read.this_update, read.next_update), (1_709_164_800, Some(2_556_144_000)));
    assert_eq!(read.issuer, authority.issuer);
    assert!(read.is_of(&authority));
    assert_eq!(read.scope(&authority), Scope::All);
    assert!(read.lists(&[7]) && read.lists(&[0, 0x81, 2]));
    assert!(!read.lists(&[8]) && !read.lists(&[]) && !read.lists(&[7, 7]));
    assert!(is_signed_by(&read.signed, &authority));
    for end in 0..der.len() {
        assert!(RevocationList::parse(&der[..end]).is_none());
    }
    for at in 0..der.len() {
        let mut changed = der.clone();
        changed[at] ^= 0xff;
        if let Some(changed) = RevocationList::parse(&changed) {
            let _ = (changed.is_of(&authority), changed.scope(&authority));
            assert!(!is_signed_by(&changed.signed, &authority));
        }
    }
}

/// What `openssl ca -gencrl` makes unless its settings say otherwise.
#[test]
fn reads_lists_of_version_1() {
    let name = "300d310b300906035504030c026361";
    let algorithm = "300a06082a8648ce3d040302";
    let entry = "3012020107170d3234303130313030303030305a";
    let fields = format!("{algorithm}{name}170d3234303232393030303030305a3014{entry}");
    let wrapped = |contents: &str| format!("30{:02x}{contents}", contents.len() / 2);
    let der = |fields: &str| -> Vec<u8> {
        let list = wrapped(&format!("{}{algorithm}0304003000ff", wrapped(fields)));
        let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
        list.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
    };
    let bytes = der(&fields);
    let read = RevocationList::parse(&bytes).unwrap();
    assert_eq!((read.this_update, read.next_update), (1_709_164_800, None));
    assert!(read.lists(&[7]) && !read.lists(&[8]));
    // Of one sort of certificates, of changes, of several authorities, of nobody knows what.
    let server = certificate(&rcgen::CertificateParams::new(Vec::new()).unwrap()).0;
    let server = Certificate::parse(&server).unwrap();
    for (extension, scope) in [
        ("300f0603551d1c0101ff040530038101ff", Scope::All),
        ("300f0603551d1c0101ff040530038201ff", Scope::Others),
        ("300f0603551d1c0101ff040530038401ff", Scope::Part),
        ("300f0603551d1c0101ff040530038501ff", Scope::Others),
        ("300d0603551d1c0101ff04033001ff", Scope::Part),
        ("300d0603551d1b0101ff0403020101", Scope::Part),
        ("300b06032a03040101ff040105", Scope::Unknown("1.2.3.4".to_owned())),
    ] {
        let list = wrapped(extension);
        let bytes = der(&format!("{fields}a0{:02x}{list}", list.len() / 2));
        let read = RevocationList::parse(&bytes).unwrap_or_else(|| panic!("{extension}"));
        assert_eq!(read.scope(&server), scope, "{extension}");
    }
}

/// Mozilla's authorities are read, and as `x509-cert` reads them.
#[test]
fn reads_what_is_trusted_in_public() {
    use x509_cert::der::{Decode, Encode};
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
    assert!(roots.len() > 100);
    for der in roots {
        let ours = Certificate::parse(der).unwrap_or_else(|| panic!("{der:?}"));
        let theirs = x509_cert::Certificate::from_der(der).unwrap();
        let fields = theirs.tbs_certificate();
        assert_eq!(ours.signed.signature, theirs.signature().raw_bytes());
        assert_eq!(ours.serial, fields.serial_number().as_bytes());
        assert_eq!(ours.public_key, fields.subject_public_key_info().to_der().unwrap());
        assert_eq!(Name::parse(&fields.subject().to_der().unwrap()), Ok(ours.subject));
        assert_eq!(Name::parse(&fields.issuer().to_der().unwrap()), Ok(ours.issuer));
        let seconds =
            |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap();
        assert_eq!(ours.not_before, seconds(fields.validity().not_before));
        assert_eq!(ours.not_after, seconds(fields.validity().not_after));
        assert!(ours.is_self_issued() && ours.unknown_critical().is_none());
        assert_ne!(ours.subject.shown(), "without a name");
        assert!(matches!(ours.key().unwrap().kind(), KeyKind::Good));
    }
}
