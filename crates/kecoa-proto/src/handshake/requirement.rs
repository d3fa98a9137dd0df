//! Which ways to authenticate a caller allows.
//!
//! Source: PostgreSQL's documentation of libpq's option `require_auth`, whose words for a failure
//! these are.

use super::error::HandshakeError;
use crate::message::backend::Authentication;

/// A way in which a server lets somebody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthenticationMethod {
    /// Without asking for anything: `trust`, `peer`, or a client certificate alone.
    None,
    /// The password in clear.
    Password,
    /// A hash of the password.
    Md5,
    /// GSSAPI, which this client does not speak.
    Gss,
    /// SSPI, which this client does not speak.
    Sspi,
    /// SCRAM-SHA-256, with channel binding or without.
    ScramSha256,
}

/// The ways to authenticate that are allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// What is allowed in the caller's words, for messages.
    pub text: String,
    /// What is allowed.
    pub methods: Vec<AuthenticationMethod>,
}

impl Requirement {
    /// Checks what the server asks for first; what it asks for later follows from it.
    pub(super) fn check(&self, request: &Authentication) -> Result<(), HandshakeError> {
        use AuthenticationMethod::{Gss, Md5, None, Password, ScramSha256, Sspi};
        let (method, found) = match request {
            Authentication::Ok => (None, "server did not complete authentication"),
            Authentication::CleartextPassword => {
                (Password, "server requested a cleartext password")
            }
            Authentication::Md5Password { .. } => (Md5, "server requested a hashed password"),
            Authentication::Gss => (Gss, "server requested GSSAPI authentication"),
            Authentication::Sspi => (Sspi, "server requested SSPI authentication"),
            // The only SASL mechanisms that are ever chosen are SCRAM-SHA-256 and its bound form.
            Authentication::Sasl { .. } => (ScramSha256, "server requested SASL authentication"),
            // Nothing that could be allowed; the handshake has an error of its own for each.
            _ => return Ok(()),
        };
        if self.methods.contains(&method) {
            return Ok(());
        }
        Err(HandshakeError::MethodNotAllowed { allowed: self.text.clone(), found })
    }
}
