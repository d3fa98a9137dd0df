//! The messages with the tag `p`: PasswordMessage, SASLInitialResponse, SASLResponse, GSSResponse.

use std::fmt;

use bytes::{Bytes, BytesMut};

use crate::error::{ProtocolError, UsageError};
use crate::message::read::Reader;
use crate::message::write;

/// The body of a `p` message. Debug output does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Bytes);

impl Password {
    /// A message with this body. GSSResponse and SASLResponse have nothing but their data.
    #[must_use]
    pub fn new(body: Bytes) -> Password {
        Password(body)
    }

    /// PasswordMessage: a password, or its MD5 form, with its NUL.
    ///
    /// # Errors
    /// A NUL in it.
    pub fn from_password(password: &[u8]) -> Result<Password, UsageError> {
        let mut body = BytesMut::with_capacity(password.len() + 1);
        write::string(&mut body, password, "a password")?;
        Ok(Password(body.freeze()))
    }

    /// SASLInitialResponse.
    ///
    /// # Errors
    /// A NUL in the mechanism's name.
    pub fn sasl_initial(mechanism: &[u8], response: Option<&[u8]>) -> Result<Password, UsageError> {
        let mut body = BytesMut::new();
        write::string(&mut body, mechanism, "a SASL mechanism")?;
        write::value(&mut body, response, "a SASL response")?;
        Ok(Password(body.freeze()))
    }

    /// The body as it is.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.0
    }

    /// Reads it as a PasswordMessage.
    ///
    /// # Errors
    /// No NUL at the end.
    pub fn as_password(&self) -> Result<Bytes, ProtocolError> {
        let mut reader = Reader::new("PasswordMessage", self.0.clone());
        let password = reader.string("a password")?;
        reader.end()?;
        Ok(password)
    }

    /// Reads it as a SASLInitialResponse: the mechanism and the response, if there is one.
    ///
    /// # Errors
    /// It does not follow the format.
    pub fn as_sasl_initial(&self) -> Result<(Bytes, Option<Bytes>), ProtocolError> {
        let mut reader = Reader::new("SASLInitialResponse", self.0.clone());
        let mechanism = reader.string("a mechanism")?;
        let response = reader.value("a response")?;
        reader.end()?;
        Ok((mechanism, response))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}
