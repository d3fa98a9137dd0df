//! Name constraints: for which names an authority may sign.
//!
//! Source: RFC 5280, section 4.2.1.10, as OpenSSL does it: a common name that looks like a host's is
//! held to them where there is no alternative name of a host, and so is every subject. The host
//! that was asked for is held to them as well: what a certificate is taken for must be permitted,
//! whether its name there is a wildcard, a common name of one label or an address.

use std::net::IpAddr;

use x509_cert::ext::pkix::NameConstraints;
use x509_cert::ext::pkix::constraints::name::GeneralSubtree;
use x509_cert::ext::pkix::name::GeneralName;

use super::verify_error::{Role, VerifyError};
use crate::net::x509::{AlternativeName, Certificate, DirectoryName, address_of, readable};

/// Holds a chain, from the server's certificate to the root, to the constraints in it.
///
/// # Errors
///
/// The name that is not permitted, or that something cannot be read.
pub(super) fn check(chain: &[Certificate<'_>], host: Option<&str>) -> Result<(), VerifyError> {
    for (at, authority) in chain.iter().enumerate().skip(1) {
        let role = || Role::at(at, authority);
        let constraints =
            authority.name_constraints().map_err(|_| VerifyError::Unreadable(role()))?;
        let Some(constraints) = constraints else { continue };
        for (below, certificate) in chain.iter().enumerate().take(at) {
            // An authority that renews itself is not below itself.
            if below > 0 && certificate.is_self_issued() {
                continue;
            }
            let names = names_of(certificate, below == 0)
                .ok_or(VerifyError::Unreadable(Role::at(below, certificate)))?;
            if let Some(name) = names.iter().find(|name| !is_permitted(name, &constraints)) {
                let role = Role::at(below, certificate);
                return Err(VerifyError::Constraint(
                    describe(name),
                    role,
                    authority.subject.shown(),
                ));
            }
        }
        if let Some(host) = host
            && !is_permitted(&RequestedHost::new(host).presented(), &constraints)
        {
            let name = format!("the host name \"{host}\"");
            return Err(VerifyError::Constraint(name, Role::Server, authority.subject.shown()));
        }
    }
    Ok(())
}

/// The host that was asked for.
enum RequestedHost<'a> {
    Address(Vec<u8>),
    Name(&'a str),
}

impl RequestedHost<'_> {
    fn new(host: &str) -> RequestedHost<'_> {
        match host.parse() {
            Ok(IpAddr::V4(address)) => RequestedHost::Address(address.octets().to_vec()),
            Ok(IpAddr::V6(address)) => RequestedHost::Address(address.octets().to_vec()),
            Err(_) => RequestedHost::Name(host.strip_suffix('.').unwrap_or(host)),
        }
    }

    fn presented(&self) -> AlternativeName<'_> {
        match self {
            RequestedHost::Address(bytes) => AlternativeName::Address(bytes),
            RequestedHost::Name(name) => AlternativeName::Host(name.as_bytes()),
        }
    }
}

fn names_of<'a>(
    certificate: &Certificate<'a>,
    is_server: bool,
) -> Option<Vec<AlternativeName<'a>>> {
    let subject = certificate.subject;
    let mut names = Vec::new();
    if !subject.is_empty() {
        names.push(AlternativeName::Directory(subject));
    }
    names.extend(subject.email_addresses().map(AlternativeName::Email));
    let alternative = certificate.alternative_names().ok()?;
    let has_host = alternative.iter().any(|name| matches!(name, AlternativeName::Host(_)));
    names.extend(alternative);
    if is_server && !has_host {
        let hosts = subject.common_names().filter(|name| looks_like_host(name));
        names.extend(hosts.map(AlternativeName::Host));
    }
    Some(names)
}

/// Whether a common name may be a host's: OpenSSL's rule, which wants a dot.
fn looks_like_host(name: &[u8]) -> bool {
    let labels: Vec<&[u8]> = name.split(|byte| *byte == b'.').collect();
    let is_label = |label: &&[u8]| {
        !label.is_empty()
            && !label.starts_with(b"-")
            && !label.ends_with(b"-")
            && label.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    labels.len() > 1 && labels.iter().all(is_label)
}

fn is_permitted(name: &AlternativeName<'_>, constraints: &NameConstraints) -> bool {
    let of_its_kind = |subtrees: &Option<Vec<GeneralSubtree>>| -> Vec<Option<bool>> {
        let subtrees = subtrees.as_deref().unwrap_or_default().iter();
        subtrees.filter(|subtree| is_of_kind(name, &subtree.base)).map(|s| is_in(name, s)).collect()
    };
    let excluded = of_its_kind(&constraints.excluded_subtrees);
    let permitted = of_its_kind(&constraints.permitted_subtrees);
    // What cannot be compared is neither permitted nor surely not excluded.
    !excluded.iter().any(|found| *found != Some(false))
        && (permitted.is_empty() || permitted.contains(&Some(true)))
}

/// A name for a message.
fn describe(name: &AlternativeName<'_>) -> String {
    let (kind, text) = match name {
        AlternativeName::Directory(name) => return format!("the subject \"{}\"", name.shown()),
        AlternativeName::Address(bytes) => {
            let address = address_of(bytes);
            let text = address.map_or_else(|| format!("{bytes:?}"), |found| found.to_string());
            return format!("the address {text}");
        }
        AlternativeName::Other(_) => return "a name of a kind that is not supported".to_owned(),
        AlternativeName::Email(text) => ("the email address", text),
        AlternativeName::Host(text) => ("the name", text),
        AlternativeName::Uri(text) => ("the URI", text),
    };
    format!("{kind} \"{}\"", readable(&text.escape_ascii().to_string()))
}

fn is_of_kind(name: &AlternativeName<'_>, base: &GeneralName) -> bool {
    matches!(
        (name, base),
        (AlternativeName::Directory(_), GeneralName::DirectoryName(_))
            | (AlternativeName::Email(_), GeneralName::Rfc822Name(_))
            | (AlternativeName::Host(_), GeneralName::DnsName(_))
            | (AlternativeName::Uri(_), GeneralName::UniformResourceIdentifier(_))
            | (AlternativeName::Address(_), GeneralName::IpAddress(_))
            | (AlternativeName::Other(0xa0), GeneralName::OtherName(_))
            | (AlternativeName::Other(0xa5), GeneralName::EdiPartyName(_))
            | (AlternativeName::Other(0x88), GeneralName::RegisteredId(_))
    )
}

/// Whether it is in a subtree of its kind; nothing if that cannot be told.
fn is_in(name: &AlternativeName<'_>, subtree: &GeneralSubtree) -> Option<bool> {
    if subtree.minimum != 0 || subtree.maximum.is_some() {
        return None;
    }
    match (name, &subtree.base) {
        (AlternativeName::Directory(name), GeneralName::DirectoryName(base)) => {
            Some(name.is_within(DirectoryName::of(base)?.name()))
        }
        (AlternativeName::Host(name), GeneralName::DnsName(base)) => {
            Some(host_is_in(name, base.as_bytes()))
        }
        (AlternativeName::Email(name), GeneralName::Rfc822Name(base)) => {
            email_is_in(name, base.as_bytes())
        }
        (AlternativeName::Uri(name), GeneralName::UniformResourceIdentifier(base)) => {
            Some(host_equals_or_is_below(host_of_uri(name)?, base.as_bytes()))
        }
        (AlternativeName::Address(address), GeneralName::IpAddress(base)) => {
            address_is_in(address, base.as_bytes())
        }
        _ => None,
    }
}

fn ends_with_ignoring_case(name: &[u8], end: &[u8]) -> bool {
    name.len() >= end.len()
        && name.get(name.len() - end.len()..).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// `example.com` permits itself and what is below, `.example.com` what is below, nothing everything.
fn host_is_in(name: &[u8], base: &[u8]) -> bool {
    if base.is_empty() {
        return true;
    }
    if !ends_with_ignoring_case(name, base) {
        return false;
    }
    let before = name.len() - base.len();
    before == 0 || base.starts_with(b".") || name.get(before - 1) == Some(&b'.')
}

/// `.example.com` permits what is below, `example.com` itself.
fn host_equals_or_is_below(host: &[u8], base: &[u8]) -> bool {
    if base.starts_with(b".") {
        host.len() > base.len() && ends_with_ignoring_case(host, base)
    } else {
        host.eq_ignore_ascii_case(base)
    }
}

fn email_is_in(name: &[u8], base: &[u8]) -> Option<bool> {
    let parts = |text: &[u8]| {
        let at = text.iter().rposition(|byte| *byte == b'@')?;
        Some((text.get(..at)?.to_vec(), text.get(at + 1..)?.to_vec()))
    };
    let (mailbox, host) = parts(name)?;
    Some(match parts(base) {
        Some((of_base, at)) => {
            (of_base.is_empty() || of_base == mailbox) && host.eq_ignore_ascii_case(&at)
        }
        None => host_equals_or_is_below(&host, base),
    })
}

fn host_of_uri(uri: &[u8]) -> Option<&[u8]> {
    let colon = uri.iter().position(|byte| *byte == b':')?;
    let rest = uri.get(colon + 1..)?.strip_prefix(b"//")?;
    let host = rest.split(|byte| matches!(byte, b':' | b'/')).next()?;
    (!host.is_empty()).then_some(host)
}

/// `base` is an address and a mask.
fn address_is_in(address: &[u8], base: &[u8]) -> Option<bool> {
    if !matches!(address.len(), 4 | 16) || !matches!(base.len(), 8 | 32) {
        return None;
    }
    let (network, mask) = base.split_at(base.len() / 2);
    if network.len() != address.len() {
        return Some(false);
    }
    Some(
        address
            .iter()
            .zip(network)
            .zip(mask)
            .all(|((byte, wanted), mask)| (byte ^ wanted) & mask == 0),
    )
}
