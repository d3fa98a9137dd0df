//! `sslcrl` and `sslcrldir`: certificates that their authority has taken back.
//!
//! As in libpq, where there are lists each certificate of the chain needs one, of its authority,
//! that is in force; libpq reads nothing, silently, where a given file does not exist, which here is
//! an error. OpenSSL wants the files of a directory named by a hash; here all of them count.
//! rustls' own lists cannot be of version 1, which `openssl ca -gencrl` makes by itself.

use std::fs;
use std::path::Path;

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateRevocationListDer, UnixTime};
use rustls::{CertRevocationListError, CertificateError};

use crate::error::Error;
use crate::transport::x509::{Certificate, RevocationList};

/// Lists that were read, at least one; each is known to be one by its form.
#[derive(Debug)]
pub(super) struct Lists(Vec<Vec<u8>>);

impl Lists {
    /// Reads the lists of a file and of a directory.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Tls`] when one of them cannot be read or holds no list.
    pub(super) fn read(file: Option<&Path>, directory: Option<&Path>) -> Result<Lists, Error> {
        let mut lists = Vec::new();
        if let Some(path) = file {
            add_file(&mut lists, path)?;
        }
        if let Some(path) = directory {
            add_directory(&mut lists, path)?;
        }
        // OpenSSL's names are often links to files beside them.
        lists.sort_unstable();
        lists.dedup();
        Ok(Lists(lists))
    }

    /// Whether a certificate is revoked. `authority` is the SubjectPublicKeyInfo (its contents) of
    /// the authority that has signed it.
    pub(super) fn check(
        &self,
        certificate: &Certificate<'_>,
        authority: &[u8],
        algorithms: &WebPkiSupportedAlgorithms,
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let now = now.as_secs();
        let mut doubt: rustls::Error = CertificateError::UnknownRevocationStatus.into();
        let mut is_good = false;
        let lists = self.0.iter().filter_map(|der| RevocationList::parse(der));
        for list in lists.filter(|list| list.issuer == certificate.issuer) {
            if !list.is_signed_by(authority, algorithms) {
                doubt = CertRevocationListError::BadSignature.into();
            } else if list.lists(certificate.serial) {
                return Err(CertificateError::Revoked.into());
            } else if list.has_unknown_meaning {
                doubt = CertRevocationListError::UnsupportedCriticalExtension.into();
            } else if list.this_update > now || list.next_update.is_some_and(|next| next < now) {
                doubt = CertificateError::ExpiredRevocationList.into();
            } else {
                is_good = true;
            }
        }
        if is_good { Ok(()) } else { Err(doubt) }
    }
}

fn add_file(lists: &mut Vec<Vec<u8>>, path: &Path) -> Result<(), Error> {
    let shown = path.display();
    let bytes = fs::read(path).map_err(|error| {
        Error::tls(format!("could not read certificate revocation list file \"{shown}\" (sslcrl)"))
            .with_source(error)
    })?;
    if add(lists, &bytes, path)? > 0 {
        return Ok(());
    }
    Err(Error::tls(format!(
        "expected a certificate revocation list in PEM form in sslcrl \"{shown}\", found none\n\
         HINT: \"openssl crl -inform DER -in … -out …\" makes one of a binary list"
    )))
}

fn add_directory(lists: &mut Vec<Vec<u8>>, path: &Path) -> Result<(), Error> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| {
        Error::tls(format!(
            "could not read certificate revocation list directory \"{shown}\" (sslcrldir)"
        ))
        .with_source(error)
    };
    let mut found = 0;
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_file() {
            found += add(lists, &fs::read(&path).map_err(unreadable)?, &path)?;
        }
    }
    if found > 0 {
        return Ok(());
    }
    Err(Error::tls(format!(
        "expected certificate revocation lists in PEM form in the files of sslcrldir \"{shown}\", \
         found none"
    )))
}

/// Adds the lists of a file and says how many.
fn add(lists: &mut Vec<Vec<u8>>, bytes: &[u8], path: &Path) -> Result<usize, Error> {
    let mut found = 0;
    for list in CertificateRevocationListDer::pem_slice_iter(bytes) {
        match list {
            Ok(list) if RevocationList::parse(&list).is_some() => {
                lists.push(list.to_vec());
                found += 1;
            }
            _ => {
                return Err(Error::tls(format!(
                    "certificate revocation list file \"{}\" is damaged",
                    path.display()
                )));
            }
        }
    }
    Ok(found)
}
