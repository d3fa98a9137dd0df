//! What a password is checked by. The password does not follow from it.

use std::fmt;
use std::io;

use ::bson::{RawDocument, RawDocumentBuf};
use base64ct::{Base64, Encoding as _};
use bson::raw::cstr;
use kecoa_server::secret::random;
use md5::{Digest as _, Md5};
use thiserror::Error;

use super::mechanism::Mechanism;
use super::names::UserName;

/// What the password of one user is checked by, under one mechanism.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub(super) mechanism: Mechanism,
    pub(super) iterations: u32,
    pub(super) salt: Vec<u8>,
    pub(super) stored_key: Vec<u8>,
    pub(super) server_key: Vec<u8>,
}

/// Why a password is not taken.
#[derive(Debug, Error)]
pub enum PasswordError {
    /// It has characters that SASLprep forbids.
    #[error(
        "expected a password that SASLprep (RFC 4013) accepts, found one with a forbidden character"
    )]
    Forbidden,
    /// It is a digest already, of which only SCRAM-SHA-1 can make credentials.
    #[error("Use of SCRAM-SHA-256 requires undigested passwords")]
    Digested,
    /// The system has no random bytes.
    #[error("no random bytes for the salt: {0}")]
    Salt(#[from] io::Error),
}

impl Credentials {
    /// New ones, with a salt of chance. `is_digested`: `password` is MongoDB's digest of the password already.
    ///
    /// # Errors
    ///
    /// [`PasswordError`].
    pub fn new(
        mechanism: Mechanism,
        user: &str,
        password: &str,
        is_digested: bool,
    ) -> Result<Self, PasswordError> {
        let salt = random::<32>()?;
        let salt = salt.get(..mechanism.salt_length()).unwrap_or(&salt);
        let password = match mechanism {
            Mechanism::ScramSha1 if is_digested => password.to_owned(),
            Mechanism::ScramSha1 => digest(user, password),
            Mechanism::ScramSha256 if is_digested => return Err(PasswordError::Digested),
            Mechanism::ScramSha256 => {
                stringprep::saslprep(password).map_err(|_| PasswordError::Forbidden)?.into_owned()
            }
        };
        Ok(Self::derive(mechanism, password.as_bytes(), salt, mechanism.usual_iterations()))
    }

    /// Those of a password that was made ready for the mechanism, with this salt.
    #[must_use]
    pub fn derive(mechanism: Mechanism, password: &[u8], salt: &[u8], iterations: u32) -> Self {
        let salted = mechanism.salted(password, salt, iterations);
        let client_key = mechanism.hmac(&salted, &[b"Client Key"]);
        Self {
            mechanism,
            iterations,
            salt: salt.to_vec(),
            stored_key: mechanism.hash(&client_key),
            server_key: mechanism.hmac(&salted, &[b"Server Key"]),
        }
    }

    /// Whether they were made of this password.
    #[must_use]
    pub fn accepts(&self, user: &str, password: &str) -> bool {
        let password = match self.mechanism {
            Mechanism::ScramSha1 => digest(user, password).into(),
            Mechanism::ScramSha256 => match stringprep::saslprep(password) {
                Ok(password) => password,
                Err(_) => return false,
            },
        };
        *self == Self::derive(self.mechanism, password.as_bytes(), &self.salt, self.iterations)
    }

    /// The mechanism that they are for.
    #[must_use]
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// As they are kept, and as usersInfo shows them to those who may see them.
    #[must_use]
    pub fn to_document(&self) -> RawDocumentBuf {
        let mut document = RawDocumentBuf::new();
        document.append(cstr!("iterationCount"), self.iterations.cast_signed());
        document.append(cstr!("salt"), Base64::encode_string(&self.salt));
        document.append(cstr!("storedKey"), Base64::encode_string(&self.stored_key));
        document.append(cstr!("serverKey"), Base64::encode_string(&self.server_key));
        document
    }

    /// What [`to_document`](Self::to_document) made; `None` for anything else.
    #[must_use]
    pub fn from_document(mechanism: Mechanism, document: &RawDocument) -> Option<Self> {
        let bytes = |name: &str| Base64::decode_vec(document.get_str(name).ok()?).ok();
        let key = |name: &str| bytes(name).filter(|key| key.len() == mechanism.hash_length());
        Some(Self {
            mechanism,
            iterations: u32::try_from(document.get_i32("iterationCount").ok()?).ok()?,
            salt: bytes("salt")?,
            stored_key: key("storedKey")?,
            server_key: key("serverKey")?,
        })
    }
}

/// MongoDB's digest of a password for SCRAM-SHA-1, as hexadecimal digits.
fn digest(user: &str, password: &str) -> String {
    let digest = Md5::digest(format!("{user}:mongo:{password}"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

/// Invents credentials of users that do not exist, always the same for the same name: so nobody learns from
/// answers who exists.
#[derive(Clone)]
pub struct Decoy([u8; 32]);

impl Decoy {
    /// From a secret, which all gateways of a database should share.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// Credentials that no password fits.
    #[must_use]
    pub fn credentials(&self, mechanism: Mechanism, user: &UserName) -> Credentials {
        let id = user.id();
        let chance = |purpose: &[u8], length: usize| {
            let name = mechanism.name().as_bytes();
            let mut bytes = Mechanism::ScramSha256.hmac(&self.0, &[purpose, name, id.as_bytes()]);
            bytes.truncate(length);
            bytes
        };
        Credentials {
            mechanism,
            iterations: mechanism.usual_iterations(),
            salt: chance(b"salt", mechanism.salt_length()),
            stored_key: chance(b"stored", mechanism.hash_length()),
            server_key: chance(b"server", mechanism.hash_length()),
        }
    }
}

impl fmt::Debug for Decoy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decoy")
    }
}
