//! `sslcrl` and `sslcrldir`: certificates that their authority has revoked.
//!
//! As in libpq, where there are lists each certificate of the chain needs one, of its authority,
//! that is in force and that the authority may sign; libpq reads nothing, silently, where a given file
//! does not exist, which here is an error. OpenSSL wants the files of a directory named by a hash, and
//! asks one list of an authority; here all files and lists count, and what one of them says is revoked
//! is. rustls' own lists cannot be of version 1, which `openssl ca -gencrl` makes by itself.

use std::fs;
use std::path::Path;

use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject;

use super::algorithms;
use super::pem;
use super::verify_error::{CrlError, Role, VerifyError};
use crate::error::Error;
use crate::net::x509::{Certificate, RevocationList, Scope, same_name};

/// RevocationLists that were read, at least one; each is known to be one by its form.
#[derive(Debug)]
pub(super) struct RevocationLists(Vec<Vec<u8>>);

impl RevocationLists {
    /// Reads the lists of a file and of a directory.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Tls`] when one of them cannot be read or holds no list.
    pub(super) fn read(
        file: Option<&Path>,
        directory: Option<&Path>,
    ) -> Result<RevocationLists, Error> {
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
        Ok(RevocationLists(lists))
    }

    /// Looks for each certificate of a chain in the lists of its authority; as in OpenSSL for the
    /// root as well, whose lists are its own.
    ///
    /// # Errors
    ///
    /// Which one is revoked, or why that cannot be told.
    pub(super) fn check(&self, chain: &[Certificate<'_>], now: i64) -> Result<(), VerifyError> {
        let mut doubt = Ok(());
        for (at, certificate) in chain.iter().enumerate() {
            let authority = chain.get(at + 1).unwrap_or(certificate);
            match self.check_one(certificate, authority, Role::at(at, certificate), now) {
                Err(revoked @ VerifyError::Revoked(_)) => return Err(revoked),
                found => doubt = doubt.and(found),
            }
        }
        doubt
    }

    fn check_one(
        &self,
        certificate: &Certificate<'_>,
        authority: &Certificate<'_>,
        role: Role,
        now: i64,
    ) -> Result<(), VerifyError> {
        let mut doubt = CrlError::None;
        let mut is_good = false;
        let lists = self.0.iter().filter_map(|der| RevocationList::parse(der));
        let lists = lists.filter(|list| same_name(list.issuer, certificate.issuer));
        let may_sign = !matches!(authority.key_usage(), Ok(Some(usage)) if !usage.crl_sign());
        for list in lists.filter(|list| list.is_of(authority)) {
            if algorithms::check(&list.signed, authority.key()).is_err() {
                doubt = CrlError::Signature;
                continue;
            }
            if list.lists(certificate.serial) {
                return Err(VerifyError::Revoked(role));
            }
            let is_expired = |next: &i64| *next < now;
            match (list.scope(certificate), list.next_update.filter(is_expired)) {
                _ if !may_sign => doubt = CrlError::MayNotSign,
                (Scope::Others, _) => {}
                (Scope::Part, _) => doubt = CrlError::Partial,
                (Scope::Unknown(name), _) => doubt = CrlError::Extension(name),
                (Scope::All, Some(at)) => doubt = CrlError::Expired(at),
                (Scope::All, None) if list.this_update > now => {
                    doubt = CrlError::NotYet(list.this_update);
                }
                (Scope::All, None) => is_good = true,
            }
        }
        if is_good { Ok(()) } else { Err(VerifyError::List(authority.subject.shown(), doubt)) }
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
         found none\n\
         HINT: put the lists of the authorities there, in files of any name"
    )))
}

/// Adds the lists of a file and says how many.
fn add(lists: &mut Vec<Vec<u8>>, bytes: &[u8], path: &Path) -> Result<usize, Error> {
    let mut found = 0;
    let bytes = pem::normalized(bytes);
    for list in CertificateRevocationListDer::pem_slice_iter(&bytes) {
        match list {
            Ok(list) if RevocationList::parse(&list).is_some() => {
                lists.push(list.to_vec());
                found += 1;
            }
            _ => {
                return Err(Error::tls(format!(
                    "certificate revocation list file \"{}\" is damaged\n\
                     HINT: get it anew from the authority",
                    path.display()
                )));
            }
        }
    }
    Ok(found)
}
