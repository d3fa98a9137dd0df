//! The client's certificate and key: `sslcert`, `sslkey`, `sslpassword`, `sslcertmode`.

use std::fmt;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::sign::{CertifiedKey, SigningKey};

use super::encrypted_key::{self, KeyError};
use super::p521_key::P521Key;
use super::pem;
use crate::config::Config;
use crate::error::Error;
use crate::net::x509;

/// What a server gets when it asks for a certificate, and whether it did.
pub(crate) struct Identity {
    certified: Option<Arc<CertifiedKey>>,
    /// The certificate's common name, which servers take for the user's.
    common_name: Option<String>,
    requested: AtomicBool,
    sent: AtomicBool,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("common_name", &self.common_name)
            .field("requested", &self.requested)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// Reads the files that the options name. Without `sslcert`, or with `sslcertmode=disable`,
    /// there is no certificate.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Tls`] for files that cannot be used.
    pub(super) fn read(config: &Config, provider: &CryptoProvider) -> Result<Identity, Error> {
        let mut identity = Identity {
            certified: None,
            common_name: None,
            requested: AtomicBool::new(false),
            sent: AtomicBool::new(false),
        };
        let certificate = config.filled("sslcert").map(Path::new);
        let Some(path) = certificate.filter(|_| config.get("sslcertmode") != Some("disable"))
        else {
            return Ok(identity);
        };
        let shown = path.display();
        let chain = fs::read(path).map_err(|error| {
            Error::tls(format!("could not read certificate file \"{shown}\"")).with_source(error)
        })?;
        let chain = pem::certificates(&chain, path, "certificate file")?;
        let Some(key_path) = config.filled("sslkey").map(Path::new) else {
            return Err(Error::tls(
                "sslcert is given without sslkey, the file with its private key",
            ));
        };
        let key = key(key_path, path, config.filled("sslpassword"), provider)?;
        let leaf = chain.first().and_then(|leaf| x509::Certificate::parse(leaf));
        let Some(leaf) = leaf else {
            return Err(Error::tls(format!("certificate file \"{shown}\" cannot be used")));
        };
        if key.public_key().is_some_and(|public| *public != *leaf.public_key) {
            return Err(Error::tls(format!(
                "certificate does not match private key file \"{}\": key values mismatch\n\
                 HINT: give the key that sslcert \"{shown}\" was made with as sslkey",
                key_path.display()
            )));
        }
        identity.common_name =
            leaf.common_name().map(|name| String::from_utf8_lossy(name).into_owned());
        identity.certified = Some(Arc::new(CertifiedKey::new(chain, key)));
        Ok(identity)
    }

    /// Whether the server has asked for a certificate.
    pub(crate) fn was_requested(&self) -> bool {
        self.requested.load(Ordering::Relaxed)
    }

    /// Whether the server has got one.
    pub(crate) fn was_sent(&self) -> bool {
        self.sent.load(Ordering::Relaxed)
    }

    /// Whose certificate the server has got.
    pub(crate) fn sent_name(&self) -> Option<&str> {
        self.common_name.as_deref().filter(|_| self.was_sent())
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.requested.store(true, Ordering::Relaxed);
        let certified = self.certified.as_ref()?;
        certified.key.choose_scheme(schemes)?;
        self.sent.store(true, Ordering::Relaxed);
        Some(Arc::clone(certified))
    }

    fn has_certs(&self) -> bool {
        self.certified.is_some()
    }
}

fn key(
    path: &Path,
    certificate: &Path,
    password: Option<&str>,
    provider: &CryptoProvider,
) -> Result<Arc<dyn SigningKey>, Error> {
    let shown = path.display();
    check_file(path, certificate)?;
    let bytes = fs::read(path).map_err(|error| {
        Error::tls(format!("could not load private key file \"{shown}\"")).with_source(error)
    })?;
    let key = encrypted_key::private_key(&bytes, password).map_err(|error| {
        Error::tls(match error {
            KeyError::NoKey => format!(
                "could not load private key file \"{shown}\": expected a private key in PEM form, \
                 found none"
            ),
            KeyError::PasswordMissing => format!(
                "could not load private key file \"{shown}\": it is encrypted\n\
                 HINT: give its password as sslpassword, or decrypt it with \
                 \"openssl pkey -in … -out …\""
            ),
            KeyError::PasswordWrong => format!(
                "could not load private key file \"{shown}\": bad decrypt\n\
                 HINT: sslpassword is not the password of this file"
            ),
            KeyError::Unsupported => format!(
                "could not load private key file \"{shown}\": its form of encryption is not \
                 supported\n\
                 HINT: \"openssl pkey -in … -aes256 -out …\" encrypts it in today's form"
            ),
        })
    })?;
    if let Some(key) = P521Key::parse(&key) {
        return Ok(Arc::new(key));
    }
    provider.key_provider.load_private_key(key).map_err(|_| {
        // What a wrong password decrypts to is rarely, but sometimes, in the form of a key.
        let or_else = if password.is_some() {
            " (or sslpassword is wrong, if the file is encrypted)"
        } else {
            ""
        };
        Error::tls(format!(
            "could not load private key file \"{shown}\": expected an RSA key of 2048 to 8192 bits, \
             an EC key on P-256, P-384 or P-521, or an Ed25519 key{or_else}\n\
             HINT: make a key of one of these kinds, and let the server's authority sign a certificate \
             for it"
        ))
    })
}

/// As libpq: a key that others can read is refused; root's may be readable by its group.
fn check_file(path: &Path, certificate: &Path) -> Result<(), Error> {
    let shown = path.display();
    let metadata = fs::metadata(path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            Error::tls(format!(
                "certificate present, but not private key file \"{shown}\"\n\
                 HINT: give the file with the key of \"{}\" as sslkey, or sslcertmode=disable to \
                 connect without a certificate",
                certificate.display()
            ))
        } else {
            Error::tls(format!("could not stat private key file \"{shown}\"")).with_source(error)
        }
    })?;
    if !metadata.is_file() {
        return Err(Error::tls(format!("private key file \"{shown}\" is not a regular file")));
    }
    let open = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    if metadata.permissions().mode() & open != 0 {
        return Err(Error::tls(format!(
            "private key file \"{shown}\" has group or world access; file must have permissions \
             u=rw (0600) or less if owned by the current user, or permissions u=rw,g=r (0640) or \
             less if owned by root\n\
             HINT: chmod 600 {shown}"
        )));
    }
    Ok(())
}
