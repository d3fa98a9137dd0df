//! Builds certification paths: from a server's certificate to a trusted root.
//!
//! Source: RFC 5280, section 6, as OpenSSL does it for libpq. rustls' own path
//! validation knows no common names, no key usage, no limits of a root's own, and does not take what
//! half of the recipes for PostgreSQL make (certificates of version 1, servers' that are marked as
//! authorities). OpenSSL tries one chain, the trusted certificates first; here any chain counts that
//! is in order, in the same order, but for one with a revoked certificate in it, which ends the
//! search.

use super::algorithms::{self, SignatureError};
use super::verify_error::{Incomplete, Role, VerifyError};
use crate::net::x509::{Certificate, same_name};

/// How many signatures are checked: a server must not keep a client busy.
const MAX_SIGNATURES: usize = 200;
/// OpenSSL's limit.
const MAX_LENGTH: usize = 100;

/// Trusted certificates, and those that the server has sent behind its own.
#[derive(Debug)]
pub(super) struct PathBuilder<'c, 'a, F> {
    trusted: &'c [Certificate<'a>],
    sent: &'c [Certificate<'a>],
    /// Validates a whole chain.
    validate: F,
    signatures: usize,
}

impl<'c, 'a, F> PathBuilder<'c, 'a, F>
where
    F: Fn(&[Certificate<'a>]) -> Result<(), VerifyError>,
{
    pub(super) fn new(
        trusted: &'c [Certificate<'a>],
        sent: &'c [Certificate<'a>],
        validate: F,
    ) -> PathBuilder<'c, 'a, F> {
        PathBuilder { trusted, sent, validate, signatures: 0 }
    }

    /// Looks for a chain from this certificate to a root that is valid as a whole.
    ///
    /// # Errors
    ///
    /// Why the one that came farthest is none.
    pub(super) fn from(mut self, leaf: Certificate<'a>) -> Result<(), VerifyError> {
        self.extend(&mut vec![leaf])
    }

    fn extend(&mut self, chain: &mut Vec<Certificate<'a>>) -> Result<(), VerifyError> {
        let Some(last) = chain.last().copied() else { return Ok(()) };
        let is_trusted = self.is_trusted(&last);
        if is_trusted && is_root(&last) {
            return (self.validate)(chain);
        }
        let end = VerifyError::Unknown(self.end_of(chain, is_trusted));
        if chain.len() >= MAX_LENGTH {
            return Err(end);
        }
        let mut error: Option<VerifyError> = None;
        let candidates =
            self.trusted.iter().chain(self.sent.iter().filter(|sent| !self.is_trusted(sent)));
        let candidates: Vec<Certificate<'a>> = candidates
            .filter(|candidate| same_name(candidate.subject, last.issuer))
            // The same authority again leads in a circle.
            .filter(|candidate| !chain.iter().any(|used| is_same_authority(used, candidate)))
            .copied()
            .collect();
        for candidate in candidates {
            let tried = match self.has_signed(&candidate, &last, chain.len()) {
                Ok(()) => {
                    chain.push(candidate);
                    let found = self.extend(chain);
                    chain.pop();
                    found
                }
                Err(error) => Err(error),
            };
            match tried {
                Ok(()) => return Ok(()),
                Err(found) if found.is_final() => return Err(found),
                Err(found) if error.as_ref().is_none_or(|known| found.rank() > known.rank()) => {
                    error = Some(found);
                }
                Err(_) => {}
            }
        }
        match error {
            // A server that made itself a new certificate, under the name of the one before.
            Some(VerifyError::WrongSignature(_))
                if chain.len() == 1 && has_signed_itself(&last) =>
            {
                Err(end)
            }
            other => Err(other.unwrap_or(end)),
        }
    }

    fn is_trusted(&self, certificate: &Certificate<'_>) -> bool {
        self.trusted.iter().any(|trusted| trusted.der == certificate.der)
    }

    /// Whether an authority may have signed the last certificate of a chain of that length, and has.
    fn has_signed(
        &mut self,
        authority: &Certificate<'_>,
        certificate: &Certificate<'_>,
        length: usize,
    ) -> Result<(), VerifyError> {
        let below = || Role::at(length - 1, certificate);
        let above = || Role::at(length, authority);
        let identifier =
            certificate.authority_key_identifier().map_err(|_| VerifyError::Unreadable(below()))?;
        if !authority.is_identified_by(identifier.as_ref()) {
            return Err(VerifyError::OtherKey(below(), authority.subject.shown()));
        }
        match authority.key_usage() {
            Ok(Some(usage)) if !usage.key_cert_sign() => {
                return Err(VerifyError::MayNotSign(above()));
            }
            Ok(_) => {}
            Err(_) => return Err(VerifyError::Unreadable(above())),
        }
        self.signatures += 1;
        if self.signatures > MAX_SIGNATURES {
            return Err(VerifyError::TooManySignatures);
        }
        algorithms::check(&certificate.signed, authority.key()).map_err(|error| match error {
            SignatureError::Wrong => VerifyError::WrongSignature(below()),
            SignatureError::Key(kind) => VerifyError::Key(above(), kind),
            SignatureError::Algorithm(name) => VerifyError::Algorithm(below(), name),
        })
    }

    /// Where a chain ends whose last certificate's authority is not known.
    fn end_of(&self, chain: &[Certificate<'a>], is_trusted: bool) -> Incomplete {
        let Some(last) = chain.last() else { return Incomplete::SignedByItself };
        if is_trusted {
            return Incomplete::NoRoot(last.subject.shown(), last.issuer.shown());
        }
        if chain.len() == 1 && last.is_self_issued() {
            return Incomplete::SignedByItself;
        }
        Incomplete::Missing(last.issuer.shown())
    }
}

fn has_signed_itself(certificate: &Certificate<'_>) -> bool {
    certificate.is_self_issued()
        && algorithms::check(&certificate.signed, certificate.key()).is_ok()
}

/// Whether it is the end of a chain, by what it says of its issuer.
fn is_root(certificate: &Certificate<'_>) -> bool {
    let identifier = certificate.authority_key_identifier();
    certificate.is_self_issued()
        && identifier.is_ok_and(|identifier| certificate.is_identified_by(identifier.as_ref()))
}

fn is_same_authority(one: &Certificate<'_>, other: &Certificate<'_>) -> bool {
    one.der == other.der
        || (one.public_key == other.public_key && same_name(one.subject, other.subject))
}
