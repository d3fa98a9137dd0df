//! Checks a server's certificate as far as sslmode asks for.
//!
//! rustls checks chains. What it refuses and libpq takes is checked here: certificates that are
//! trusted by themselves, and those of X.509 version 1 (which the recipe in PostgreSQL's
//! documentation makes) or with an authority's mark (which `openssl req -x509 -CA` makes), if one of
//! the trusted authorities has signed them itself.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{
    CertificateDer, ServerName, SubjectPublicKeyInfoDer, TrustAnchor, UnixTime,
};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use webpki::{EndEntityCert, KeyUsage};

use super::names;
use super::revocation::Lists;
use crate::transport::x509::{Certificate, contents, key_of};

/// What of a certificate is checked. Whether the server holds its key is always checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    Nothing,
    Chain,
    ChainAndName,
}

/// Certificates that are trusted.
#[derive(Debug)]
pub(super) struct Roots {
    pub(super) store: Arc<RootCertStore>,
    /// The same, whole: a server may use one of them itself.
    pub(super) certificates: Vec<CertificateDer<'static>>,
}

#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) check: Check,
    /// Whom the certificate is to be for.
    pub(super) host: String,
    pub(super) roots: Roots,
    pub(super) lists: Option<Lists>,
    pub(super) provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn verify_chain(
        &self,
        der: &CertificateDer<'_>,
        certificate: &Certificate<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        // A server whose own certificate is in the file of roots is trusted by that; as an
        // authority (which `openssl req -x509` makes of it) a chain check would refuse it.
        if self.roots.certificates.iter().any(|root| root == der) {
            check_dates(certificate, now)?;
            let own = certificate.public_key;
            return self.check_revocation(certificate, contents(own).unwrap_or_default(), now);
        }
        if certificate.is_version_1 {
            return self.verify_direct(certificate, now);
        }
        let leaf = EndEntityCert::try_from(der).map_err(refusal)?;
        let path = leaf.verify_for_usage(
            self.provider.signature_verification_algorithms.all,
            &self.roots.store.roots,
            intermediates,
            now,
            KeyUsage::server_auth(),
            None,
            None,
        );
        let path = match path {
            Ok(path) => path,
            Err(webpki::Error::CaUsedAsEndEntity) => return self.verify_direct(certificate, now),
            Err(error) => return Err(refusal(error)),
        };
        if self.lists.is_none() {
            return Ok(());
        }
        let mut below = der.clone();
        for authority in path.intermediate_certificates() {
            let key = authority.subject_public_key_info();
            self.check_link(&below, contents(&key).unwrap_or_default(), now)?;
            below = authority.der();
        }
        self.check_link(&below, &path.anchor().subject_public_key_info, now)
    }

    /// Checks a certificate that rustls does not take: an authority that is trusted must have
    /// signed it itself.
    fn verify_direct(
        &self,
        certificate: &Certificate<'_>,
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        check_dates(certificate, now)?;
        if !certificate.is_for_servers() {
            return Err(CertificateError::InvalidPurpose.into());
        }
        // What constrains names would have to be checked, too.
        let authorities = self.roots.store.roots.iter().filter(|authority| {
            *authority.subject == *certificate.issuer && authority.name_constraints.is_none()
        });
        let has_signed = |authority: &&TrustAnchor<'_>| {
            certificate.is_signed_by(&authority.subject_public_key_info, algorithms)
        };
        match authorities.into_iter().find(has_signed) {
            Some(authority) => {
                self.check_revocation(certificate, &authority.subject_public_key_info, now)
            }
            None => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn check_link(&self, der: &[u8], authority: &[u8], now: UnixTime) -> Result<(), rustls::Error> {
        let certificate = Certificate::parse(der).ok_or(CertificateError::BadEncoding)?;
        self.check_revocation(&certificate, authority, now)
    }

    fn check_revocation(
        &self,
        certificate: &Certificate<'_>,
        authority: &[u8],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        match &self.lists {
            Some(lists) => lists.check(certificate, authority, algorithms, now),
            None => Ok(()),
        }
    }

    /// Whether the owner of the key of a version 1 certificate has signed: rustls does not read
    /// such certificates, not even for their key.
    fn verify_version_1(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Option<Result<HandshakeSignatureValid, rustls::Error>> {
        let certificate = Certificate::parse(certificate).filter(|found| found.is_version_1)?;
        let (kind, key) = key_of(certificate.public_key)?;
        let algorithms = &self.provider.signature_verification_algorithms;
        let (_, candidates) =
            algorithms.mapping.iter().find(|(scheme, _)| *scheme == dss.scheme)?;
        let valid = candidates.iter().any(|algorithm| {
            algorithm.public_key_alg_id().as_ref() == kind
                && algorithm.verify_signature(key, message, dss.signature()).is_ok()
        });
        Some(if valid {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        })
    }
}

fn check_dates(certificate: &Certificate<'_>, now: UnixTime) -> Result<(), rustls::Error> {
    if now.as_secs() < certificate.not_before {
        return Err(CertificateError::NotValidYet.into());
    }
    if now.as_secs() > certificate.not_after {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}

/// rustls' error for one of its certificate library, so that the server gets the right alert.
fn refusal(error: webpki::Error) -> rustls::Error {
    use webpki::Error as Reason;
    match error {
        Reason::BadDer | Reason::BadDerTime | Reason::TrailingData(_) => {
            CertificateError::BadEncoding
        }
        Reason::CertNotValidYet { .. } => CertificateError::NotValidYet,
        Reason::CertExpired { .. } | Reason::InvalidCertValidity => CertificateError::Expired,
        Reason::UnknownIssuer => CertificateError::UnknownIssuer,
        Reason::InvalidSignatureForPublicKey => CertificateError::BadSignature,
        Reason::RequiredEkuNotFoundContext(_) => CertificateError::InvalidPurpose,
        other => CertificateError::Other(OtherError(Arc::new(other))),
    }
    .into()
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.check == Check::Nothing {
            return Ok(ServerCertVerified::assertion());
        }
        let certificate = Certificate::parse(end_entity).ok_or(CertificateError::BadEncoding)?;
        self.verify_chain(end_entity, &certificate, intermediates, now)?;
        if self.check == Check::ChainAndName
            && let Err(presented) = names::check(&certificate, &self.host)
        {
            let expected = server_name.to_owned();
            return Err(CertificateError::NotValidForNameContext { expected, presented }.into());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.verify_version_1(message, cert, dss)
            .unwrap_or_else(|| verify_tls12_signature(message, cert, dss, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        if let Some(old) = Certificate::parse(cert).filter(|found| found.is_version_1) {
            let key = SubjectPublicKeyInfoDer::from(old.public_key);
            return verify_tls13_signature_with_raw_key(message, &key, dss, algorithms);
        }
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
