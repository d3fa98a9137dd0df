//! Whether a certificate is for the host that was asked for, by libpq's rules.
//!
//! Source: PostgreSQL's documentation of libpq, "Client Verification of Server Certificates": the
//! subject's alternative names count, the common name only where there is none of the wanted sort;
//! `*` stands for exactly one label, the first. rustls takes no common names, which half of the
//! recipes for PostgreSQL still make.

use std::net::IpAddr;

use super::verify_error::{Role, VerifyError};
use crate::net::x509::{AlternativeName, Certificate, address_of};

/// Checks that a certificate is for `host`, a name or an address.
///
/// # Errors
///
/// The names that it is for; or that one of them, before any that fits, may hide something.
pub(super) fn check(certificate: &Certificate<'_>, host: &str) -> Result<(), VerifyError> {
    let address: Option<IpAddr> = host.parse().ok();
    let mut found = Vec::new();
    let mut common_name_counts = true;
    let names = certificate.alternative_names();
    for name in names.map_err(|_| VerifyError::Unreadable(Role::Server))? {
        match name {
            AlternativeName::Host(name) => {
                common_name_counts &= address.is_some();
                check_bytes(name)?;
                let Some(name) = text(name) else { continue };
                // An address in a host name's place is wrong, and was usual for long.
                if is_for(name, host, address) {
                    return Ok(());
                }
                found.push(name.to_owned());
            }
            AlternativeName::Address(name) => {
                common_name_counts &= address.is_none();
                let name = address_of(name).ok_or(VerifyError::DeceptiveName)?;
                if Some(name) == address {
                    return Ok(());
                }
                found.push(name.to_string());
            }
            _ => {}
        }
    }
    if common_name_counts && let Some(name) = certificate.common_name() {
        check_bytes(name)?;
        if let Some(name) = text(name) {
            if is_for(name, host, address) {
                return Ok(());
            }
            if !found.iter().any(|known| known == name) {
                found.push(name.to_owned());
            }
        }
    }
    Err(VerifyError::Names(found))
}

/// What reads text up to a byte 0 would take the beginning of such a name for the whole.
fn check_bytes(name: &[u8]) -> Result<(), VerifyError> {
    if name.contains(&0) { Err(VerifyError::DeceptiveName) } else { Ok(()) }
}

/// A name without what could hide a part of it from whoever reads it.
fn text(name: &[u8]) -> Option<&str> {
    std::str::from_utf8(name).ok().filter(|name| !name.contains(char::is_control))
}

fn is_for(name: &str, host: &str, address: Option<IpAddr>) -> bool {
    if name.eq_ignore_ascii_case(host) {
        return !name.is_empty();
    }
    let domain = name.strip_prefix("*.").filter(|domain| !domain.is_empty());
    // An address has no labels that a wildcard could stand for.
    let Some(domain) = domain.filter(|_| address.is_none()) else { return false };
    host.split_once('.')
        .is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(domain))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType, string::Ia5String};

    use super::*;

    fn checked(alternative: &[&str], common: &str, host: &str) -> Result<(), VerifyError> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        for name in alternative {
            params.subject_alt_names.push(match name.strip_prefix("DNS:") {
                Some(name) => SanType::DnsName(Ia5String::try_from(name).unwrap()),
                None => SanType::IpAddress(name.parse().unwrap()),
            });
        }
        params.distinguished_name = rcgen::DistinguishedName::new();
        if !common.is_empty() {
            params.distinguished_name.push(DnType::CommonName, common);
        }
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        check(&Certificate::parse(&der).unwrap(), host)
    }

    #[test]
    fn takes_what_libpq_takes() {
        for (alternative, common, host, taken) in [
            (&["DNS:a.example"][..], "", "a.example", true),
            (&["DNS:a.example"], "", "A.Example", true),
            (&["DNS:a.example", "DNS:b.example"], "", "b.example", true),
            (&["DNS:a.example"], "", "b.example", false),
            // The common name counts only where there is no other name of the sort.
            (&[], "a.example", "a.example", true),
            (&["DNS:b.example"], "a.example", "a.example", false),
            (&["192.0.2.1"], "a.example", "a.example", true),
            (&["DNS:b.example"], "192.0.2.1", "192.0.2.1", true),
            (&["192.0.2.2"], "192.0.2.1", "192.0.2.1", false),
            (&["192.0.2.1"], "", "192.0.2.1", true),
            (&["2001:db8::1"], "", "2001:DB8:0::1", true),
            (&["2001:db8::1"], "", "2001:db8::2", false),
            (&["DNS:192.0.2.1"], "", "192.0.2.1", true),
            // Wildcards: one label, the first, and never a name by itself.
            (&["DNS:*.example.com"], "", "db.example.com", true),
            (&["DNS:*.EXAMPLE.com"], "", "db.example.COM", true),
            (&["DNS:*.example.com"], "", "a.db.example.com", false),
            (&["DNS:*.example.com"], "", "example.com", false),
            (&["DNS:*.example.com"], "", ".example.com", false),
            (&["DNS:d*.example.com"], "", "db.example.com", false),
            (&["DNS:db.*.com"], "", "db.example.com", false),
            (&["DNS:*"], "", "db", false),
            (&["DNS:*."], "", "db.", false),
            (&["DNS:*.0.0.1"], "", "127.0.0.1", false),
            (&[], "*.example.com", "db.example.com", true),
            (&[], "", "", false),
            (&[], "a.example\0.evil.example", "a.example", false),
        ] {
            let found = checked(alternative, common, host);
            assert_eq!(found.is_ok(), taken, "{alternative:?} {common:?} {host:?}");
        }
    }

    #[test]
    fn reports_what_it_found() {
        let found = checked(&["DNS:a.example", "192.0.2.1"], "c", "b.example").unwrap_err();
        let names =
            |names: &[&str]| VerifyError::Names(names.iter().map(|n| (*n).to_owned()).collect());
        assert_eq!(found, names(&["a.example", "192.0.2.1"]));
        assert_eq!(checked(&[], "c", "b.example").unwrap_err(), names(&["c"]));
        assert_eq!(checked(&[], "", "b.example").unwrap_err(), names(&[]));
        assert_eq!(checked(&[], "c\0d", "c").unwrap_err(), VerifyError::DeceptiveName);
    }
}
