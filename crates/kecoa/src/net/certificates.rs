//! What a server's certificate must be, by sslmode, and the rustls configuration that says so.

mod algorithms;
mod encrypted_key;
mod explain;
mod identity;
mod key_log;
mod name_constraints;
mod names;
mod p521_key;
mod path_builder;
#[cfg(test)]
mod path_tests;
mod path_validator;
mod pem_text;
mod revocation;
mod verifier;
mod verify_error;

use std::borrow::Cow;
use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{ClientConfig, SignatureScheme};

#[cfg(test)]
pub(super) use algorithms::is_signed_by;
pub(super) use explain::{explain, no_alpn};
pub(super) use identity::Identity;
use key_log::KeyLogFile;
use revocation::Lists;
use verifier::Check;
pub(super) use verifier::Verifier;

use super::x509::Certificate;
use crate::config::{Config, SslMode};
use crate::error::Error;

/// The name that PostgreSQL's protocol has in TLS.
pub(super) const ALPN: &[u8] = b"postgresql";

/// How one connection does TLS.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) config: Arc<ClientConfig>,
    /// Tells afterwards whether the server has asked for a certificate.
    pub(super) identity: Arc<Identity>,
    /// Tells afterwards why the server's certificate was refused.
    pub(super) verifier: Arc<Verifier>,
}

/// The TLS that a connection's options ask for, with a server that is to be `host`.
///
/// # Errors
///
/// [`crate::ErrorKind::Tls`] for files that are missing or cannot be used.
pub(super) fn setup(config: &Config, host: &str) -> Result<Setup, Error> {
    let roots_given = filled(config, "sslrootcert");
    let check = match config.ssl_mode() {
        SslMode::Disable | SslMode::Allow | SslMode::Prefer => Check::Nothing,
        // As libpq: who gives roots wants them used.
        SslMode::Require if roots_given.is_none() => Check::Nothing,
        SslMode::Require | SslMode::VerifyCa => Check::Chain,
        SslMode::VerifyFull => Check::ChainAndName,
    };
    let trusted = match (check, roots_given) {
        (Check::Nothing, _) => Arc::default(),
        (_, Some("system")) => of_system()?,
        (_, Some(path)) => Arc::new(of_file(Path::new(path))?),
        // The host name is checked as well, so that the public authorities are a safe default.
        (Check::ChainAndName, None) => of_system()?,
        (Check::Chain, None) => {
            return Err(Error::tls(
                "sslmode=verify-ca needs the authorities to trust\n\
                 HINT: give the file with the authority's certificate as sslrootcert, or use \
                 sslmode=verify-full with the public authorities",
            ));
        }
    };
    let lists = match (filled(config, "sslcrl"), filled(config, "sslcrldir")) {
        (None, None) => None,
        // Where nothing else of a certificate counts, its revocation cannot be checked either.
        _ if check == Check::Nothing => None,
        (file, directory) => Some(Lists::read(file.map(Path::new), directory.map(Path::new))?),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let identity = Arc::new(Identity::read(config, &provider)?);
    let verifier = Arc::new(Verifier {
        check,
        host: host.to_owned(),
        trusted,
        lists,
        provider: Arc::clone(&provider),
        verify_error: OnceLock::new(),
    });
    let resolver: Arc<dyn ResolvesClientCert> = Arc::clone(&identity) as _;
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(config)?)
        .map_err(|error| Error::tls("could not set up TLS").with_source(error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&verifier) as _)
        .with_client_cert_resolver(resolver);
    // Clouds route by the name: it is sent in every mode. rustls leaves it out for addresses.
    tls.enable_sni = config.is_on("sslsni");
    // As libpq, with either negotiation: a server of something else that is made to answer here
    // then sees whom it talks to.
    tls.alpn_protocols = vec![ALPN.to_vec()];
    if let Some(path) = filled(config, "sslkeylogfile") {
        tls.key_log = Arc::new(KeyLogFile::open(Path::new(path))?);
    }
    Ok(Setup { config: Arc::new(tls), identity, verifier })
}

/// Check certificates that a server has shown, the server's own first, as a connection with these
/// options does; whether the server has the key is not looked at.
///
/// # Errors
///
/// What such a connection says.
pub(crate) fn check_shown(
    config: &Config,
    host: &str,
    shown: &[CertificateDer<'_>],
) -> Result<(), String> {
    let Some((leaf, behind)) = shown.split_first() else { return Ok(()) };
    let verifier = setup(config, host).map_err(|error| error.to_string())?.verifier;
    let verified = verifier.verify_chain(leaf, behind, UnixTime::now());
    verified.map_err(|error| explain::invalid_certificate(&error, host, config))
}

/// The signature schemes that servers are offered.
pub(crate) fn schemes() -> Vec<SignatureScheme> {
    algorithms::schemes(&rustls::crypto::ring::default_provider().signature_verification_algorithms)
}

/// The value of an option that is given and not empty.
fn filled<'a>(config: &'a Config, name: &str) -> Option<&'a str> {
    config.get(name).filter(|value| !value.is_empty())
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
        (true, true) => Err(Error::config(
            "invalid SSL protocol version range\n\
             HINT: ssl_min_protocol_version must not be newer than ssl_max_protocol_version",
        )),
    }
}

/// The variables that name other authorities than the platform's.
const SELECTING: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The platform's authorities, or Mozilla's where the platform has none. Where a variable selects others,
/// those and no more: who sets it may want to trust less.
fn of_system() -> Result<Arc<Vec<CertificateDer<'static>>>, Error> {
    // Reading them takes longer than a connection does.
    static SYSTEM: OnceLock<Arc<Vec<CertificateDer<'static>>>> = OnceLock::new();
    let selecting = || SELECTING.into_iter().find(|name| std::env::var_os(name).is_some());
    let system = Arc::clone(SYSTEM.get_or_init(|| {
        let mut found = rustls_native_certs::load_native_certs().certs;
        found.retain(|der| Certificate::parse(der).is_some());
        if found.is_empty() && selecting().is_none() {
            found.extend(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
        }
        Arc::new(found)
    }));
    match selecting().filter(|_| system.is_empty()) {
        None => Ok(system),
        Some(name) => Err(Error::tls(format!(
            "expected certificates of authorities in PEM form where {name} points to, found none\n\
             HINT: let it name a file or a directory with certificates, or unset it to trust the \
             system's authorities"
        ))),
    }
}

/// The authorities in a file.
fn of_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
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
    // Of authorities that cannot be read nobody knows whom they were to vouch for.
    match certificates.iter().position(|der| Certificate::parse(der).is_none()) {
        None => Ok(certificates),
        Some(at) => Err(Error::tls(format!(
            "root certificate file \"{shown}\" cannot be used: certificate {} in it cannot be read\n\
             HINT: get it anew from the authority, or take it out of the file",
            at + 1
        ))),
    }
}

/// All certificates of a PEM file; at least one.
fn certificates(
    bytes: &[u8],
    path: &Path,
    what: &str,
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let shown = path.display();
    // OpenSSL's name for them until 1999, which files still have.
    let bytes = pem_text::tidy(bytes);
    let bytes = replaced(&bytes, b" X509 CERTIFICATE-----", b" CERTIFICATE-----");
    let found: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&bytes).collect();
    let hint = "HINT: it must have lines \"-----BEGIN CERTIFICATE-----\" and \
                \"-----END CERTIFICATE-----\" and base64 between; \"openssl x509 -inform DER -in … \
                -out …\" makes such a file of a binary one";
    match found {
        Ok(found) if found.is_empty() => Err(Error::tls(format!(
            "expected certificates in PEM form in {what} \"{shown}\", found none\n{hint}"
        ))),
        Ok(found) => Ok(found),
        Err(_) => Err(Error::tls(format!("{what} \"{shown}\" is not valid PEM\n{hint}"))),
    }
}

/// `text` with each `old` in it replaced.
fn replaced<'a>(text: &'a [u8], old: &[u8], new: &[u8]) -> Cow<'a, [u8]> {
    let starts = |at: &usize| text.get(*at..).is_some_and(|rest| rest.starts_with(old));
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = (from..text.len()).find(starts) {
        found.extend_from_slice(text.get(from..at).unwrap_or_default());
        found.extend_from_slice(new);
        from = at + old.len();
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    found.extend_from_slice(text.get(from..).unwrap_or_default());
    Cow::Owned(found)
}
