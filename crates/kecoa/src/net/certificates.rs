//! What a server's certificate must be, by sslmode, and the rustls configuration that says so.

mod algorithms;
mod encrypted_key;
mod explain;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod identity;
mod key_log;
#[cfg(test)]
mod mutation_tests;
mod name_constraints;
mod names;
mod p521_key;
mod path_builder;
#[cfg(test)]
mod path_tests;
mod path_validator;
mod pem;
mod revocation;
mod roots;
mod verifier;
mod verify_error;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::ResolvesClientCert;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{ClientConfig, SignatureScheme};

#[cfg(test)]
pub(super) use algorithms::is_signed_by;
pub(super) use explain::{explain, no_alpn};
pub(super) use identity::Identity;
use key_log::KeyLogFile;
use revocation::RevocationLists;
use verifier::Check;
pub(super) use verifier::Verifier;

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
    let roots_given = config.filled("sslrootcert");
    let check = match config.ssl_mode() {
        SslMode::Disable | SslMode::Allow | SslMode::Prefer => Check::Nothing,
        // As libpq: who gives roots wants them used.
        SslMode::Require if roots_given.is_none() => Check::Nothing,
        SslMode::Require | SslMode::VerifyCa => Check::Chain,
        SslMode::VerifyFull => Check::ChainAndName,
    };
    let trusted = match (check, roots_given) {
        (Check::Nothing, _) => Arc::default(),
        (_, Some("system")) => roots::of_system()?,
        (_, Some(path)) => Arc::new(roots::of_file(Path::new(path))?),
        // The host name is checked as well, so that the public authorities are a safe default.
        (Check::ChainAndName, None) => roots::of_system()?,
        (Check::Chain, None) => {
            return Err(Error::tls(
                "sslmode=verify-ca needs the authorities to trust\n\
                 HINT: give the file with the authority's certificate as sslrootcert, or use \
                 sslmode=verify-full with the public authorities",
            ));
        }
    };
    let lists = match (config.filled("sslcrl"), config.filled("sslcrldir")) {
        (None, None) => None,
        // Where nothing else of a certificate counts, its revocation cannot be checked either.
        _ if check == Check::Nothing => None,
        (file, directory) => {
            Some(RevocationLists::read(file.map(Path::new), directory.map(Path::new))?)
        }
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
    if let Some(path) = config.filled("sslkeylogfile") {
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
