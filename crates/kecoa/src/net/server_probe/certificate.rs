//! What a person wants to know of a certificate: whose it is, who signed it, until when.

use crate::der::{element, seconds};

const INTEGER: u8 = 0x02;
const OBJECT_ID: u8 = 0x06;
const BMP_STRING: u8 = 0x1e;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const DNS_NAME: u8 = 0x82;
const ADDRESS: u8 = 0x87;
/// The explicit tags of the version and of the extensions.
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_3: u8 = 0xa3;
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 29, 17];
/// Attributes of a name that are worth showing, and their usual abbreviations.
const ATTRIBUTES: [(&[u8], &str); 4] =
    [(&[0x55, 4, 3], "CN"), (&[0x55, 4, 10], "O"), (&[0x55, 4, 11], "OU"), (&[0x55, 4, 6], "C")];
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
        let (whole, _) = expect(der, SEQUENCE)?;
        let (mut rest, _) = expect(whole, SEQUENCE)?;
        if let Some((_, after)) = expect(rest, CONTEXT_0) {
            rest = after;
        }
        (_, rest) = expect(rest, INTEGER)?;
        (_, rest) = expect(rest, SEQUENCE)?;
        let (issuer, rest) = expect(rest, SEQUENCE)?;
        let (validity, rest) = expect(rest, SEQUENCE)?;
        let (subject, rest) = expect(rest, SEQUENCE)?;
        let (_, mut rest) = expect(rest, SEQUENCE)?;
        let (tag, from, validity) = element(validity)?;
        let not_before = seconds(tag, from)?;
        let (tag, until, _) = element(validity)?;
        let not_after = seconds(tag, until)?;
        let mut names = Vec::new();
        while let Some((tag, contents, after)) = element(rest) {
            if tag == CONTEXT_3 {
                names = alternative_names(contents).unwrap_or_default();
            }
            rest = after;
        }
        Some(Certificate {
            subject: name(subject),
            issuer: name(issuer),
            names,
            not_before,
            not_after,
        })
    }
}

/// Contents, and what follows, if the tag is that one.
fn expect(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, contents, after) = element(der)?;
    (tag == wanted).then_some((contents, after))
}

/// A name in one line.
fn name(mut rest: &[u8]) -> String {
    let mut parts = Vec::new();
    while let Some((set, after)) = expect(rest, SET) {
        rest = after;
        let Some((pair, _)) = expect(set, SEQUENCE) else { continue };
        let Some((kind, value)) = expect(pair, OBJECT_ID) else { continue };
        let known = ATTRIBUTES.iter().find(|(id, _)| *id == kind);
        if let (Some((_, short)), Some((tag, text, _))) = (known, element(value)) {
            parts.push(format!("{short}={}", readable(tag, text)));
        }
    }
    // The most particular comes last in the certificate, and first for people.
    parts.reverse();
    parts.truncate(NAMES);
    parts.join(", ")
}

/// Foreign text, without what could confuse a terminal.
fn readable(tag: u8, text: &[u8]) -> String {
    let text = if tag == BMP_STRING {
        let units = text.chunks_exact(2).map(|pair| match pair {
            [high, low] => u16::from_be_bytes([*high, *low]),
            _ => u16::from(b'?'),
        });
        char::decode_utf16(units).map(|c| c.unwrap_or('?')).collect()
    } else {
        String::from_utf8_lossy(text).into_owned()
    };
    text.chars().take(200).map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn alternative_names(extensions: &[u8]) -> Option<Vec<String>> {
    let (mut rest, _) = expect(extensions, SEQUENCE)?;
    while let Some((extension, after)) = expect(rest, SEQUENCE) {
        rest = after;
        let (id, value) = expect(extension, OBJECT_ID)?;
        if id != ALTERNATIVE_NAMES {
            continue;
        }
        // Whether it is critical comes in between, sometimes.
        let mut value = value;
        let mut octets: &[u8] = &[];
        while let Some((_, contents, after)) = element(value) {
            octets = contents;
            value = after;
        }
        let (mut list, _) = expect(octets, SEQUENCE)?;
        let mut names = Vec::new();
        while let Some((tag, text, after)) = element(list) {
            list = after;
            match (tag, text) {
                (DNS_NAME, text) => names.push(readable(tag, text)),
                (ADDRESS, [a, b, c, d]) => {
                    names.push(std::net::Ipv4Addr::new(*a, *b, *c, *d).to_string());
                }
                (ADDRESS, text) => {
                    if let Ok(octets) = <[u8; 16]>::try_from(text) {
                        names.push(std::net::Ipv6Addr::from(octets).to_string());
                    }
                }
                _ => {}
            }
            if names.len() >= NAMES {
                break;
            }
        }
        return Some(names);
    }
    None
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
