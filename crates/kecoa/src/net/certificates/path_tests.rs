//! Chains validated without a network: what a root, an authority in between and a server's certificate
//! may do. `tests/tls/matrix` has many more, beside libpq.

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, date_time_ymd,
};
use rustls::pki_types::UnixTime;

use super::names;
use super::path_builder::PathBuilder;
use super::path_validator::PathValidator;
use super::revocation::RevocationLists;
use super::verify_error::VerifyError;
use crate::net::x509::Certificate;

const HOST: &str = "db.example";

/// A certificate, with what it takes to sign others.
struct Made {
    der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

fn made(name: &str, above: Option<&Made>, change: impl FnOnce(&mut CertificateParams)) -> Made {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2090, 1, 1);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = match above {
        Some(above) => params.signed_by(&key, &above.issuer).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    Made { der: certificate.der().to_vec(), issuer: Issuer::new(params, key) }
}

fn server(above: &Made, change: impl FnOnce(&mut CertificateParams)) -> Made {
    made(HOST, Some(above), |params| {
        params.is_ca = IsCa::NoCa;
        change(params);
    })
}

fn same(_: &mut CertificateParams) {}

fn verified(
    leaf: &Made,
    sent: &[&Made],
    trusted: &[&Made],
    lists: Option<&RevocationLists>,
) -> Result<(), VerifyError> {
    let read =
        |all: &[&Made]| -> Vec<Vec<u8>> { all.iter().map(|made| made.der.clone()).collect() };
    let (sent, trusted) = (read(sent), read(trusted));
    let parsed = |all: &'static [Vec<u8>]| -> Vec<Certificate<'static>> {
        all.iter().map(|der| Certificate::parse(der).unwrap()).collect()
    };
    let (sent, trusted) = (parsed(sent.leak()), parsed(trusted.leak()));
    let leaf = Certificate::parse(leaf.der.clone().leak()).unwrap();
    let validator = PathValidator { now: UnixTime::now(), host: Some(HOST), lists };
    PathBuilder::new(&trusted, &sent, |chain| validator.check(chain)).from(leaf)?;
    names::check(&leaf, HOST)
}

fn said(found: Result<(), VerifyError>) -> String {
    match found {
        Ok(()) => String::new(),
        Err(error) => error.explained("the authorities", HOST).0,
    }
}

#[test]
fn roots_and_authorities_are_held_to_what_they_say_of_themselves() {
    type Change = fn(&mut CertificateParams);
    let cases: [(Change, &str); 8] = [
        (same, ""),
        (|params| params.not_after = date_time_ymd(2021, 1, 1), "has expired"),
        (
            |params| params.not_before = date_time_ymd(2080, 1, 1),
            "is not valid yet (from 2080-01-01",
        ),
        (|params| params.is_ca = IsCa::ExplicitNoCa, "is no authority's"),
        (|params| params.is_ca = IsCa::NoCa, "is no authority's"),
        (|params| params.key_usages = vec![KeyUsagePurpose::CrlSign], "may not sign certificates"),
        (
            |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
            "is not made for servers",
        ),
        (
            |params| {
                let mut unknown =
                    rcgen::CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
                unknown.set_criticality(true);
                params.custom_extensions = vec![unknown];
            },
            "has a critical extension that is not supported (1.2.3.4)",
        ),
    ];
    for (change, wanted) in cases {
        let root = made("root", None, change);
        let found = said(verified(&server(&root, same), &[], &[&root], None));
        assert!(
            found.contains(wanted) && found.is_empty() == wanted.is_empty(),
            "{wanted}: {found}"
        );
        let root = made("root", None, same);
        let between = made("between", Some(&root), change);
        let leaf = server(&between, same);
        for (sent, trusted) in [(&[&between][..], &[&root][..]), (&[], &[&between, &root])] {
            let found = said(verified(&leaf, sent, trusted, None));
            let is_right = found.contains(wanted) && found.is_empty() == wanted.is_empty();
            assert!(is_right, "{wanted}: {found}");
        }
    }
}

#[test]
fn no_more_authorities_than_a_root_allows() {
    for (allowed, count, wanted) in [(0, 0, true), (0, 1, false), (1, 1, true), (1, 2, false)] {
        let root = made("root", None, |params| {
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(allowed));
        });
        let mut chain = vec![root];
        for at in 0..count {
            let next = made(&format!("below {at}"), chain.last(), same);
            chain.push(next);
        }
        let leaf = server(chain.last().unwrap(), same);
        let sent: Vec<&Made> = chain.iter().skip(1).collect();
        let found = said(verified(&leaf, &sent, &[&chain[0]], None));
        assert_eq!(found.is_empty(), wanted, "{allowed} {count}: {found}");
    }
}

#[test]
fn a_chain_ends_at_a_root() {
    let (root, other) = (made("root", None, same), made("other", None, same));
    let between = made("between", Some(&root), same);
    let leaf = server(&between, same);
    assert_eq!(verified(&leaf, &[&between], &[&root], None), Ok(()));
    assert_eq!(verified(&leaf, &[&root, &between, &leaf], &[&other, &root], None), Ok(()));
    for (sent, trusted, wanted) in [
        (&[][..], &[&root][..], "its authority \"between\" is not among them"),
        (&[&between], &[&other], "its authority \"root\" is not among them"),
        (&[&between, &root], &[&other], "its authority \"root\" is not among them"),
        (&[&between], &[&between], "\"between\" among them is no root"),
        (&[], &[&leaf], "among them is no root"),
    ] {
        let found = said(verified(&leaf, sent, trusted, None));
        assert!(found.contains(wanted), "{wanted}: {found}");
    }
    // Another key under the name of the root.
    let twin = made("root", None, same);
    let found = said(verified(&leaf, &[&between], &[&twin], None));
    assert!(
        found.contains("the signature in the certificate of the authority \"between\""),
        "{found}"
    );
    assert_eq!(verified(&leaf, &[&between], &[&twin, &root], None), Ok(()));
}

#[test]
fn names_are_held_to_constraints_however_they_are_written() {
    use GeneralSubtree::{DnsName, IpAddress};
    let constrained = |permitted: Vec<GeneralSubtree>, excluded: Vec<GeneralSubtree>| {
        let constraints =
            NameConstraints { permitted_subtrees: permitted, excluded_subtrees: excluded };
        made("root", None, |params| params.name_constraints = Some(constraints))
    };
    let dns = |name: &str| vec![DnsName(name.to_owned())];
    let addresses = || vec![IpAddress(CidrSubnet::V4([10, 0, 0, 0], [255, 0, 0, 0]))];
    for (permitted, excluded, wanted) in [
        (dns("db.example"), vec![], true),
        (dns("example"), vec![], true),
        (dns("EXAMPLE"), vec![], true),
        (dns(""), vec![], true),
        (dns(".example"), vec![], true),
        (dns("xample"), vec![], false),
        (dns("a.db.example"), vec![], false),
        (dns("corp.test"), vec![], false),
        (vec![], dns("example"), false),
        (vec![], dns("db.example"), false),
        (vec![], dns("corp.test"), true),
        (addresses(), vec![], true),
        (vec![], addresses(), true),
    ] {
        let root = constrained(permitted.clone(), excluded.clone());
        let plain = server(&root, same);
        let named = server(&root, |params| {
            params.subject_alt_names = vec![rcgen::SanType::DnsName(HOST.try_into().unwrap())];
        });
        let wild = server(&root, |params| {
            params.subject_alt_names =
                vec![rcgen::SanType::DnsName("*.example".try_into().unwrap())];
        });
        for (leaf, form) in [(plain, "common name"), (named, "name"), (wild, "wildcard")] {
            // A wildcard must be permitted itself, not only what it stands for.
            let wanted = wanted && (form != "wildcard" || permitted != dns("db.example"));
            let found = said(verified(&leaf, &[], &[&root], None));
            assert_eq!(found.is_empty(), wanted, "{form} {permitted:?} {excluded:?}: {found}");
            assert!(wanted || found.contains("outside of the names"), "{found}");
        }
    }
}

#[test]
fn the_search_is_bounded() {
    // Authorities that have all signed one another, and none a root's: without a bound their number
    // decides for how long.
    let root = made("root", None, same);
    let names: Vec<String> = (0..6).map(|at| format!("x{}", at % 2)).collect();
    let keys: Vec<Made> = names.iter().map(|name| made(name, None, same)).collect();
    let mut sent = Vec::new();
    for (name, key) in names.iter().zip(&keys) {
        for signer in &keys {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.distinguished_name = rcgen::DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, name.as_str());
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let der = params.signed_by(key.issuer.key(), &signer.issuer).unwrap().der().to_vec();
            sent.push(Made { der, issuer: Issuer::new(params, KeyPair::generate().unwrap()) });
        }
    }
    let leaf = server(&keys[0], same);
    let sent: Vec<&Made> = sent.iter().collect();
    let found = said(verified(&leaf, &sent, &[&root], None));
    assert!(found.contains("more certificates than can be tried"), "{found}");
}
