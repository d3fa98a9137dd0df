//! What a server's certificate must be, by sslmode, and the rustls configuration that says so.

use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

use super::x509;
use crate::config::{Config, SslMode};
use crate::error::Error;

/// What of a certificate is checked. Whether the server holds its key is always checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    Nothing,
    Chain,
    ChainAndName,
}

/// The TLS configuration that a connection's options ask for.
///
/// # Errors
///
/// [`crate::ErrorKind::Tls`] for files that are missing or cannot be used.
pub(super) fn client_config(config: &Config) -> Result<Arc<ClientConfig>, Error> {
    let roots_given = config.get("sslrootcert").filter(|path| !path.is_empty());
    let check = match config.ssl_mode() {
        SslMode::Disable | SslMode::Allow | SslMode::Prefer => Check::Nothing,
        // As libpq: who gives roots wants them used.
        SslMode::Require if roots_given.is_none() => Check::Nothing,
        SslMode::Require | SslMode::VerifyCa => Check::Chain,
        SslMode::VerifyFull => Check::ChainAndName,
    };
    let roots = match (check, roots_given) {
        (Check::Nothing, _) => Roots::none(),
        (_, Some("system")) => Roots::system(),
        (_, Some(path)) => Roots::from_file(Path::new(path))?,
        // The host name is checked as well, so that the public authorities are a safe default.
        (Check::ChainAndName, None) => Roots::system(),
        (Check::Chain, None) => {
            return Err(Error::tls(
                "sslmode=verify-ca needs the authorities to trust\n\
                 HINT: give the file with the authority's certificate as sslrootcert, or use \
                 sslmode=verify-full with the public authorities",
            ));
        }
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(Verifier { check, roots, provider: Arc::clone(&provider) });
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(config)?)
        .map_err(|error| Error::tls("could not set up TLS").with_source(error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut tls = match client_certificate(config)? {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(|error| {
            Error::tls("the client certificate (sslcert) and its key (sslkey) cannot be used")
                .with_source(error)
        })?,
        None => builder.with_no_client_auth(),
    };
    // Clouds route by the name: it is sent in every mode. rustls leaves it out for addresses.
    tls.enable_sni = config.is_on("sslsni");
    Ok(Arc::new(tls))
}

type Versions = &'static [&'static rustls::SupportedProtocolVersion];

fn versions(config: &Config) -> Result<Versions, Error> {
    use rustls::version::{TLS12, TLS13};
    static BOTH: Versions = &[&TLS13, &TLS12];
    static ONLY_13: Versions = &[&TLS13];
    static ONLY_12: Versions = &[&TLS12];
    let no_12 = config.get("ssl_min_protocol_version") == Some("TLSv1.3");
    let no_13 = config.get("ssl_max_protocol_version") == Some("TLSv1.2");
    match (no_12, no_13) {
        (false, false) => Ok(BOTH),
        (true, false) => Ok(ONLY_13),
        (false, true) => Ok(ONLY_12),
        (true, true) => Err(Error::config("invalid SSL protocol version range")),
    }
}

/// Certificates that are trusted.
#[derive(Debug)]
struct Roots {
    store: Arc<RootCertStore>,
    /// The same, whole: a server may use one of them itself.
    certificates: Vec<CertificateDer<'static>>,
}

impl Roots {
    fn none() -> Roots {
        Roots { store: Arc::new(RootCertStore::empty()), certificates: Vec::new() }
    }

    /// The platform's, or Mozilla's where the platform has none.
    fn system() -> Roots {
        // Reading them takes longer than a connection does.
        static SYSTEM: OnceLock<Arc<RootCertStore>> = OnceLock::new();
        let store = SYSTEM.get_or_init(|| {
            let mut store = RootCertStore::empty();
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if store.is_empty() {
                store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
            Arc::new(store)
        });
        Roots { store: Arc::clone(store), certificates: Vec::new() }
    }

    fn from_file(path: &Path) -> Result<Roots, Error> {
        let shown = path.display();
        let bytes = fs::read(path).map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                Error::tls(format!(
                    "root certificate file \"{shown}\" does not exist\n\
                     HINT: Either provide the file, use the system's trusted roots with \
                     sslrootcert=system, or change sslmode to disable server certificate \
                     verification."
                ))
            } else {
                Error::tls(format!("could not read root certificate file \"{shown}\""))
                    .with_source(error)
            }
        })?;
        let certificates = certificates(&bytes, path, "root certificate file")?;
        let mut store = RootCertStore::empty();
        for certificate in &certificates {
            store.add(certificate.clone()).map_err(|error| {
                Error::tls(format!("root certificate file \"{shown}\" cannot be used"))
                    .with_source(error)
            })?;
        }
        Ok(Roots { store: Arc::new(store), certificates })
    }
}

/// All certificates of a PEM file; at least one.
fn certificates(
    bytes: &[u8],
    path: &Path,
    what: &str,
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let shown = path.display();
    let found: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(bytes).collect();
    match found {
        Ok(found) if found.is_empty() => Err(Error::tls(format!(
            "expected certificates in PEM form in {what} \"{shown}\", found none"
        ))),
        Ok(found) => Ok(found),
        Err(_) => Err(Error::tls(format!("{what} \"{shown}\" is not valid PEM"))),
    }
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The client's certificate and key, if they are given.
fn client_certificate(config: &Config) -> Result<Option<Identity>, Error> {
    let filled = |name| config.get(name).filter(|path: &&str| !path.is_empty());
    if config.get("sslcertmode") == Some("disable") {
        return Ok(None);
    }
    let (certificate, key) = match (filled("sslcert"), filled("sslkey")) {
        (Some(certificate), Some(key)) => (Path::new(certificate), Path::new(key)),
        (None, _) => return Ok(None),
        (Some(_), None) => {
            return Err(Error::tls("sslcert is given without sslkey, the file with its key"));
        }
    };
    let read = |path: &Path, what: &str| {
        fs::read(path).map_err(|error| {
            Error::tls(format!("could not read {what} file \"{}\"", path.display()))
                .with_source(error)
        })
    };
    let chain = certificates(&read(certificate, "certificate")?, certificate, "certificate file")?;
    let shown = key.display();
    refuse_open_key(key)?;
    let bytes = read(key, "private key")?;
    // The parser's own message could quote the file.
    let key = PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| {
        let encrypted = bytes.windows(9).any(|window| window == b"ENCRYPTED");
        Error::tls(if encrypted {
            format!(
                "private key file \"{shown}\" is encrypted, which is not supported\n\
                 HINT: decrypt it with \"openssl pkey -in … -out …\""
            )
        } else {
            format!("expected a private key in PEM form in \"{shown}\", found none")
        })
    })?;
    Ok(Some((chain, key)))
}

/// As libpq: a key that others can read is refused; root's may be readable by its group.
fn refuse_open_key(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    let open = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    if metadata.permissions().mode() & open != 0 {
        return Err(Error::tls(format!(
            "private key file \"{}\" has group or world access; file must have permissions \
             u=rw (0600) or less if owned by the current user, or permissions u=rw,g=r (0640) or \
             less if owned by root",
            path.display()
        )));
    }
    Ok(())
}

/// Checks a server's certificate as far as sslmode asks for.
#[derive(Debug)]
struct Verifier {
    check: Check,
    roots: Roots,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn verify_chain(
        &self,
        certificate: &CertificateDer<'_>,
        parsed: &ParsedCertificate<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        // A server whose own certificate is in the file of roots is trusted by that; as an
        // authority (which `openssl req -x509` makes of it) a chain check would refuse it.
        if self.roots.certificates.iter().any(|root| root == certificate) {
            return match x509::validity(certificate) {
                Some((not_before, _)) if now.as_secs() < not_before => {
                    Err(CertificateError::NotValidYet.into())
                }
                Some((_, not_after)) if now.as_secs() > not_after => {
                    Err(CertificateError::Expired.into())
                }
                Some(_) => Ok(()),
                None => Err(CertificateError::BadEncoding.into()),
            };
        }
        verify_server_cert_signed_by_trust_anchor(
            parsed,
            &self.roots.store,
            intermediates,
            now,
            self.provider.signature_verification_algorithms.all,
        )
    }
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
        if x509::is_version_1(end_entity) {
            return Err(rustls::Error::General(VERSION_1.to_owned()));
        }
        let parsed = ParsedCertificate::try_from(end_entity)?;
        self.verify_chain(end_entity, &parsed, intermediates, now)?;
        if self.check == Check::ChainAndName {
            verify_server_name(&parsed, server_name)?;
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
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        // Where nothing else of a certificate counts its version does not either, and the recipe in
        // PostgreSQL's documentation makes server certificates of version 1.
        if self.check == Check::Nothing
            && x509::is_version_1(cert)
            && let Some(key) = x509::public_key(cert)
        {
            let key = SubjectPublicKeyInfoDer::from(key);
            return verify_tls13_signature_with_raw_key(message, &key, dss, algorithms);
        }
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

const VERSION_1: &str = "certificate verify failed: the server's certificate is of X.509 version 1, \
     which names no hosts and cannot be checked\n\
     HINT: make it anew with its host names, as in \"openssl x509 -req … -extfile FILE\" where the \
     file says \"subjectAltName=DNS:db.example\"; sslmode=require encrypts without checking";

/// What a failed TLS handshake means and what to do about it. `host` is whom the certificate
/// should have been for.
pub(super) fn explain(error: &rustls::Error, host: &str, config: &Config) -> String {
    let roots = match config.get("sslrootcert") {
        Some("system" | "") | None => "the system's authorities".to_owned(),
        Some(path) => format!("the authorities in sslrootcert \"{path}\""),
    };
    match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            CertificateError::UnknownIssuer => format!(
                "SSL error: certificate verify failed: none of {roots} has signed the \
                 server's certificate\n\
                 HINT: set sslrootcert to the file with the certificate of the server's \
                 authority; sslmode=require encrypts without checking whose server it is"
            ),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "SSL error: certificate verify failed: the server's certificate has expired\n\
                 HINT: renew it on the server; if it is new, check this machine's clock"
                    .to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "SSL error: certificate verify failed: the server's certificate is not valid yet\n\
                 HINT: check this machine's clock"
                    .to_owned()
            }
            CertificateError::NotValidForName => mismatch(&[], host),
            CertificateError::NotValidForNameContext { presented, .. } => mismatch(presented, host),
            CertificateError::BadSignature => {
                "SSL error: certificate verify failed: a signature of the server, or in its \
                 certificates, is wrong"
                    .to_owned()
            }
            other => format!("SSL error: certificate verify failed: {other}"),
        },
        rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired) => {
            "SSL error: the server asks for a client certificate\n\
             HINT: give its file as sslcert and the file with its key as sslkey"
                .to_owned()
        }
        rustls::Error::AlertReceived(alert) => {
            format!("SSL error: the server ended the TLS handshake with the alert {alert:?}")
        }
        rustls::Error::InvalidMessage(_) => {
            format!("SSL error: expected TLS from the server, found something else ({error})")
        }
        rustls::Error::General(ours) => format!("SSL error: {ours}"),
        other => format!("SSL error: {other}"),
    }
}

fn mismatch(presented: &[String], host: &str) -> String {
    // rustls writes what a certificate is for as it found it: DnsName("a.example").
    let names: Vec<&str> =
        presented.iter().map(|name| name.split('"').nth(1).unwrap_or(name)).take(5).collect();
    if names.is_empty() {
        return format!(
            "server certificate names no host, so it does not match host name \"{host}\"\n\
             HINT: its common name does not count: make it anew with a subjectAltName; \
             sslmode=verify-ca checks the authority only"
        );
    }
    format!(
        "server certificate for \"{}\" does not match host name \"{host}\"\n\
         HINT: connect by a name that the certificate is for (hostaddr can give the address); \
         sslmode=verify-ca checks the authority only",
        names.join("\", \"")
    )
}
