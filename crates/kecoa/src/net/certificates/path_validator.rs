//! Validates certification paths: what each certificate from the server's to the root may do, and
//! until when.
//!
//! Source: RFC 5280, section 6.1, as OpenSSL does it: the root counts as every other authority does.

use rustls::pki_types::UnixTime;
use x509_cert::der::oid::db::rfc5280::ID_KP_SERVER_AUTH;
use x509_cert::ext::pkix::KeyUsages;

use super::name_constraints;
use super::revocation::RevocationLists;
use super::verify_error::{Role, VerifyError};
use crate::net::x509::{Certificate, Key, KeyKind};

/// What chains are held to.
#[derive(Debug)]
pub(super) struct PathValidator<'a> {
    pub(super) now: UnixTime,
    /// Whom the server's certificate is to be for, where that is asked.
    pub(super) host: Option<&'a str>,
    pub(super) lists: Option<&'a RevocationLists>,
}

impl PathValidator<'_> {
    /// Validates a chain whose signatures are right.
    ///
    /// # Errors
    ///
    /// What is not in order.
    pub(super) fn check(&self, chain: &[Certificate<'_>]) -> Result<(), VerifyError> {
        // What is said of one thing first is what is most likely the reason.
        let now = seconds(self.now);
        for (at, certificate) in chain.iter().enumerate() {
            check_dates(certificate, at, now)?;
        }
        for (at, certificate) in chain.iter().enumerate() {
            check_key(certificate, at)?;
            check_extensions(certificate, at)?;
            if at > 0 {
                // The root of a chain, alone, may be of before there were such marks.
                check_authority(certificate, at, at + 1 == chain.len())?;
                check_length(chain, at)?;
            }
        }
        name_constraints::check(chain, self.host)?;
        match self.lists {
            Some(lists) => lists.check(chain, now),
            None => Ok(()),
        }
    }
}

/// Seconds since 1970.
fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

fn check_dates(certificate: &Certificate<'_>, at: usize, now: i64) -> Result<(), VerifyError> {
    if now < certificate.not_before {
        return Err(VerifyError::NotYetValid(Role::at(at, certificate), certificate.not_before));
    }
    if now > certificate.not_after {
        return Err(VerifyError::Expired(Role::at(at, certificate), certificate.not_after));
    }
    Ok(())
}

fn check_key(certificate: &Certificate<'_>, at: usize) -> Result<(), VerifyError> {
    let unreadable = || KeyKind::Unknown("unreadable".to_owned());
    match certificate.key().as_ref().map_or_else(unreadable, Key::kind) {
        KeyKind::Good => Ok(()),
        other => Err(VerifyError::Key(Role::at(at, certificate), other)),
    }
}

/// What holds for a server's certificate and for an authority's.
fn check_extensions(certificate: &Certificate<'_>, at: usize) -> Result<(), VerifyError> {
    let role = || Role::at(at, certificate);
    if let Some(name) = certificate.unknown_critical() {
        return Err(VerifyError::Extension(role(), name));
    }
    let unreadable = |_| VerifyError::Unreadable(role());
    certificate.basic_constraints().map_err(unreadable)?;
    let usage = certificate.key_usage().map_err(unreadable)?;
    // As in OpenSSL, "any purpose" is none of them.
    if let Some(purposes) = certificate.purposes().map_err(unreadable)?
        && !purposes.0.contains(&ID_KP_SERVER_AUTH)
    {
        return Err(VerifyError::Purpose(role()));
    }
    if at > 0 {
        return Ok(());
    }
    if !certificate.netscape_type_is_server() {
        return Err(VerifyError::Purpose(role()));
    }
    let for_tls =
        KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment | KeyUsages::KeyAgreement;
    match usage {
        Some(usage) if usage.0.is_disjoint(for_tls) => Err(VerifyError::Usage),
        _ => Ok(()),
    }
}

fn check_authority(
    certificate: &Certificate<'_>,
    at: usize,
    is_root: bool,
) -> Result<(), VerifyError> {
    let role = || Role::at(at, certificate);
    let unreadable = |_| VerifyError::Unreadable(role());
    let usage = certificate.key_usage().map_err(unreadable)?;
    if usage.is_some_and(|usage| !usage.key_cert_sign()) {
        return Err(VerifyError::MayNotSign(role()));
    }
    let is_authority = match certificate.basic_constraints().map_err(unreadable)? {
        Some(basic) => basic.ca,
        None => is_root && (certificate.is_version_1 || usage.is_some()),
    };
    if is_authority { Ok(()) } else { Err(VerifyError::NoAuthority(role())) }
}

/// How many authorities may be below the one at this place. Those that renewed themselves do not
/// count.
fn check_length(chain: &[Certificate<'_>], at: usize) -> Result<(), VerifyError> {
    let Some(certificate) = chain.get(at) else { return Ok(()) };
    let basic = certificate.basic_constraints().ok().flatten();
    let Some(allowed) = basic.and_then(|basic| basic.path_len_constraint) else { return Ok(()) };
    let below = chain.get(1..at).unwrap_or_default();
    let count = below.iter().filter(|authority| !authority.is_self_issued()).count();
    if count <= usize::from(allowed) {
        return Ok(());
    }
    Err(VerifyError::TooLong(Role::at(at, certificate), allowed, count))
}
