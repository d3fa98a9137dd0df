//! The authorities that are trusted: `sslrootcert`, the platform's, or Mozilla's.

use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;

use super::pem;
use crate::error::Error;
use crate::net::x509::Certificate;

/// The variables that name other authorities than the platform's.
const SELECTING: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The platform's authorities, or Mozilla's where the platform has none. Where a variable selects others,
/// those and no more: who sets it may want to trust less.
pub(super) fn of_system() -> Result<Arc<Vec<CertificateDer<'static>>>, Error> {
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
pub(super) fn of_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
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
    let certificates = pem::certificates(&bytes, path, "root certificate file")?;
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
