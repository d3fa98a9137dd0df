//! What a person wants to know of a certificate: whose it is, who signed it, until when.

use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::oid::db::rfc4519;

use crate::net::x509::{self, AlternativeName, Attribute, address_of};

/// Attributes of a name that are worth showing, and their usual abbreviations.
const ATTRIBUTES: [(ObjectIdentifier, &str); 4] = [
    (rfc4519::COMMON_NAME, "CN"),
    (rfc4519::ORGANIZATION_NAME, "O"),
    (rfc4519::ORGANIZATIONAL_UNIT_NAME, "OU"),
    (rfc4519::COUNTRY_NAME, "C"),
];
/// More names than this are not collected.
const NAMES: usize = 50;

/// A server's certificate, as far as people read it. Nothing of it was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// Such as `CN=db.example, O=Example`; empty when the certificate names nobody.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The hosts and addresses that it is for (subjectAltName).
    pub names: Vec<String>,
    /// Seconds since 1970 from which it counts.
    pub not_before: i64,
    /// Seconds since 1970 after which it counts no more.
    pub not_after: i64,
}

impl Certificate {
    /// Reads a certificate in DER form; nothing when it is none. Source: RFC 5280, section 4.1.
    #[must_use]
    pub fn from_der(der: &[u8]) -> Option<Certificate> {
        let read = x509::Certificate::parse(der)?;
        Some(Certificate {
            subject: name(read.subject),
            issuer: name(read.issuer),
            names: alternative_names(&read),
            not_before: read.not_before,
            not_after: read.not_after,
        })
    }
}

/// A name in one line.
fn name(name: x509::Name<'_>) -> String {
    // Sets of several attributes are rare, and the first says enough.
    let attributes = name.sets().map_while(Result::ok).filter_map(|set| set.first().copied());
    let known = |attribute: Attribute<'_>| {
        let (_, short) = ATTRIBUTES.iter().find(|(kind, _)| attribute.is(kind))?;
        Some(format!("{short}={}", readable(&attribute.text())))
    };
    let mut parts: Vec<String> = attributes.filter_map(known).collect();
    // The most particular comes last in the certificate, and first for people.
    parts.reverse();
    parts.truncate(NAMES);
    parts.join(", ")
}

/// Foreign text, without what could confuse a terminal.
fn readable(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn alternative_names(certificate: &x509::Certificate<'_>) -> Vec<String> {
    let names = certificate.alternative_names().unwrap_or_default().into_iter();
    let shown = names.filter_map(|name| match name {
        AlternativeName::Host(text) => Some(readable(&String::from_utf8_lossy(text))),
        AlternativeName::Address(bytes) => address_of(bytes).map(|address| address.to_string()),
        _ => None,
    });
    shown.take(NAMES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_whose_and_until_when_and_survives_pieces() {
        let mut params = rcgen::CertificateParams::new(vec![
            "db.example".to_owned(),
            "127.0.0.1".to_owned(),
            "::1".to_owned(),
        ])
        .unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::OrganizationName, "Example\u{7}");
        params.distinguished_name.push(rcgen::DnType::CommonName, "db.example");
        params.not_before = rcgen::date_time_ymd(2024, 2, 29);
        params.not_after = rcgen::date_time_ymd(2051, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        let made = params.self_signed(&key).unwrap();
        let der = made.der();
        let read = Certificate::from_der(der).unwrap();
        assert_eq!(read.subject, "CN=db.example, O=Example?");
        assert_eq!(read.issuer, read.subject);
        assert_eq!(read.names, ["db.example", "127.0.0.1", "::1"]);
        assert_eq!((read.not_before, read.not_after), (1_709_164_800, 2_556_144_000));
        for end in 0..der.len() {
            assert_eq!(Certificate::from_der(der.get(..end).unwrap()), None);
        }
    }
}
