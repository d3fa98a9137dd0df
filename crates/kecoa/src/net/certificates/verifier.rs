//! Checks a server's certificate as far as sslmode asks for, and that the server has its key.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};

use super::algorithms::{self, SignatureError};
use super::names;
use super::path_builder::PathBuilder;
use super::path_validator::PathValidator;
use super::revocation::RevocationLists;
use super::verify_error::{Role, VerifyError};
use crate::net::x509::Certificate;

/// What of a certificate is checked. Whether the server holds its key is always checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    Nothing,
    Chain,
    ChainAndName,
}

#[derive(Debug)]
pub(in super::super) struct Verifier {
    pub(super) check: Check,
    /// Whom the certificate is to be for.
    pub(super) host: String,
    /// Certificates that are trusted; those among them that have signed themselves end a chain.
    pub(super) trusted: Arc<Vec<CertificateDer<'static>>>,
    pub(super) lists: Option<RevocationLists>,
    pub(super) provider: Arc<CryptoProvider>,
    /// Why the server was refused: rustls' errors cannot say as much.
    pub(super) verify_error: OnceLock<VerifyError>,
}

impl Verifier {
    /// Why the server was refused, if it was because of its certificate.
    pub(in super::super) fn verify_error(&self) -> Option<&VerifyError> {
        self.verify_error.get()
    }

    /// Checks certificates as far as the connection asks for.
    pub(super) fn verify_chain(
        &self,
        leaf: &CertificateDer<'_>,
        behind: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), VerifyError> {
        let leaf = Certificate::parse(leaf).ok_or(VerifyError::Unreadable(Role::Server))?;
        if self.check == Check::Nothing {
            return Ok(());
        }
        fn read<'a>(ders: &'a [CertificateDer<'_>]) -> Vec<Certificate<'a>> {
            ders.iter().filter_map(|der| Certificate::parse(der)).collect()
        }
        let host = Some(self.host.as_str()).filter(|_| self.check == Check::ChainAndName);
        let validator = PathValidator { now, host, lists: self.lists.as_ref() };
        let (trusted, sent) = (read(&self.trusted), read(behind));
        PathBuilder::new(&trusted, &sent, |chain| validator.check(chain)).from(leaf)?;
        host.map_or(Ok(()), |host| names::check(&leaf, host))
    }

    fn verify_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
        is_tls13: bool,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let key = Certificate::parse(certificate).and_then(|certificate| certificate.key());
        let provided = &self.provider.signature_verification_algorithms;
        let signature = signed.signature();
        match algorithms::check_handshake(
            provided,
            signed.scheme,
            is_tls13,
            key,
            message,
            signature,
        ) {
            Ok(()) => Ok(HandshakeSignatureValid::assertion()),
            Err(SignatureError::Key(kind)) => {
                Err(self.refuse(VerifyError::Key(Role::Server, kind)))
            }
            Err(_) => Err(self.refuse(VerifyError::Handshake)),
        }
    }

    /// Keeps the reason, and gives rustls' error for it, so that the server gets the right alert.
    fn refuse(&self, verify_error: VerifyError) -> rustls::Error {
        let error = verify_error.for_rustls();
        // A handshake fails once.
        let _ = self.verify_error.set(verify_error);
        error
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.verify_chain(end_entity, intermediates, now) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(verify_error) => Err(self.refuse(verify_error)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verify_signature(message, cert, dss, false)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verify_signature(message, cert, dss, true)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        algorithms::schemes(&self.provider.signature_verification_algorithms)
    }
}
