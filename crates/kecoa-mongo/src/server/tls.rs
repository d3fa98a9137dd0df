//! Whether and how connections are encrypted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use thiserror::Error;

/// What is asked of clients, under the names of MongoDB's `net.tls.mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// No encryption.
    #[default]
    Disabled,
    /// Each client as it wants.
    Allow,
    /// The same: it differs between servers only.
    Prefer,
    /// Encryption.
    Require,
}

impl TlsMode {
    /// The mode of this name: `disabled`, `allowTLS`, `preferTLS`, `requireTLS`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "disabled" => Some(Self::Disabled),
            "allowTLS" => Some(Self::Allow),
            "preferTLS" => Some(Self::Prefer),
            "requireTLS" => Some(Self::Require),
            _ => None,
        }
    }
}

/// The files that encryption needs, in PEM form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, and those that lead to its authority.
    pub certificate: PathBuf,
    /// The certificate's private key; it may be the same file.
    pub key: PathBuf,
    /// The authorities that clients' certificates must come from. With them a client that shows a
    /// certificate must show a good one; one that shows none is taken as well.
    pub client_authorities: Option<PathBuf>,
}

/// Whether and how connections are encrypted.
#[derive(Clone, Debug, Default)]
pub enum Tls {
    /// They are not.
    #[default]
    Disabled,
    /// If the client wants it.
    Allowed(Arc<ServerConfig>),
    /// Always, but for the unix socket.
    Required(Arc<ServerConfig>),
}

/// What is wrong with the files.
#[derive(Debug, Error)]
pub enum TlsError {
    /// No files were given.
    #[error("TLS is to be {mode:?}, and no file with a certificate was given")]
    NoFiles {
        /// What is asked of clients.
        mode: TlsMode,
    },
    /// A file cannot be read, or is not in PEM form.
    #[error("{}: expected {expected} in PEM form: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What must be in it.
        expected: &'static str,
        /// Why it is not.
        source: rustls::pki_types::pem::Error,
    },
    /// The certificates do not fit.
    #[error("{}: the certificate and its key cannot be used: {source}", path.display())]
    Unusable {
        /// The file with the certificate.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The authorities are none.
    #[error("{}: expected certificates of authorities: {message}", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why they are none.
        message: String,
    },
}

impl Tls {
    /// Reads the files that `mode` needs.
    ///
    /// # Errors
    ///
    /// [`TlsError`].
    pub fn load(mode: TlsMode, files: Option<&TlsFiles>) -> Result<Self, TlsError> {
        if mode == TlsMode::Disabled {
            return Ok(Self::Disabled);
        }
        let config = Arc::new(config(files.ok_or(TlsError::NoFiles { mode })?)?);
        Ok(if mode == TlsMode::Require { Self::Required(config) } else { Self::Allowed(config) })
    }
}

fn config(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let unusable = |source| TlsError::Unusable { path: files.certificate.clone(), source };
    let chain = certificates(&files.certificate, "a certificate")?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|source| file(&files.key, "a private key", source))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    let config = match &files.client_authorities {
        None => config.with_no_client_auth(),
        Some(path) => {
            let wrong = |message: String| TlsError::Authorities { path: path.clone(), message };
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path, "certificates of authorities")? {
                roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
                .allow_unauthenticated()
                .build()
                .map_err(|error| wrong(error.to_string()))?;
            config.with_client_cert_verifier(verifier)
        }
    };
    config.with_single_cert(chain, key).map_err(unusable)
}

fn certificates(
    path: &Path,
    expected: &'static str,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|source| file(path, expected, source))
}

fn file(path: &Path, expected: &'static str, source: rustls::pki_types::pem::Error) -> TlsError {
    TlsError::File { path: path.to_path_buf(), expected, source }
}
