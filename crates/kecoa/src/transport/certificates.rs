//! What a server's certificate must be, by sslmode, and the rustls configuration that says so.

mod encrypted_key;
mod explain;
mod identity;
mod key_log;
mod names;
mod revocation;
mod verifier;

use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::ResolvesClientCert;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::{ClientConfig, RootCertStore};

pub(super) use explain::{explain, no_alpn};
pub(super) use identity::Identity;
use key_log::KeyLogFile;
use revocation::Lists;
use verifier::{Check, Roots, Verifier};

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
    let lists = match (filled(config, "sslcrl"), filled(config, "sslcrldir")) {
        (None, None) => None,
        // Where nothing else of a certificate counts, its revocation cannot be checked either.
        _ if check == Check::Nothing => None,
        (file, directory) => Some(Lists::read(file.map(Path::new), directory.map(Path::new))?),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let identity = Arc::new(Identity::read(config, &provider)?);
    let verifier =
        Verifier { check, host: host.to_owned(), roots, lists, provider: Arc::clone(&provider) };
    let resolver: Arc<dyn ResolvesClientCert> = Arc::clone(&identity) as _;
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(config)?)
        .map_err(|error| Error::tls("could not set up TLS").with_source(error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(resolver);
    // Clouds route by the name: it is sent in every mode. rustls leaves it out for addresses.
    tls.enable_sni = config.is_on("sslsni");
    // As libpq, with either negotiation: a server of something else that is made to answer here
    // then sees whom it talks to.
    tls.alpn_protocols = vec![ALPN.to_vec()];
    if let Some(path) = filled(config, "sslkeylogfile") {
        tls.key_log = Arc::new(KeyLogFile::open(Path::new(path))?);
    }
    Ok(Setup { config: Arc::new(tls), identity })
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
        (true, true) => Err(Error::config("invalid SSL protocol version range")),
    }
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
