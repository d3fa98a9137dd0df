//! What the server asks for to authenticate the client, and the answers.

use bytes::Bytes;

use super::error::HandshakeError;
use super::scram::{self, Exchange};
use super::secret::Secret;
use super::state::{Negotiation, State};
use crate::error::UsageError;
use crate::message::backend::Authentication;
use crate::message::frontend::{Message, Password};

impl Negotiation {
    pub(super) fn authenticate(&mut self, request: Authentication) -> Result<(), HandshakeError> {
        // A request that comes later answers one that was allowed.
        if matches!(self.state, State::ExpectAuthentication)
            && let Some(requirement) = &self.config.requirement
        {
            requirement.check(&request)?;
        }
        if self.config.bound {
            self.check_binding(&request)?;
        }
        let state = std::mem::replace(&mut self.state, State::ExpectAuthentication);
        self.state = match (state, request) {
            (State::ExpectAuthentication | State::ExpectAuthenticationOk, Authentication::Ok) => {
                State::ExpectReadyForQuery
            }
            (State::ExpectAuthentication, Authentication::CleartextPassword) => {
                let secret = self.secret("cleartext")?;
                let message = Password::from_password(secret.expose());
                self.send(message)?;
                State::ExpectAuthenticationOk
            }
            (State::ExpectAuthentication, Authentication::Md5Password { salt }) => {
                let hash = self.secret("md5")?.md5(&self.config.user, salt);
                self.send(Password::from_password(hash.as_bytes()))?;
                State::ExpectAuthenticationOk
            }
            (State::ExpectAuthentication, Authentication::Sasl { mechanisms }) => {
                let limit = self.config.limits.scram_iterations;
                let mechanism = scram::choose(&mechanisms, self.binding.take(), self.encrypted)?;
                if self.config.bound {
                    mechanism.require_bound(self.encrypted)?;
                }
                let secret = self.secret(mechanism.name())?;
                let exchange = Exchange::new(secret, mechanism, limit);
                let first = Password::sasl_initial(
                    exchange.mechanism().as_bytes(),
                    Some(exchange.message()),
                );
                self.send(first)?;
                State::ExpectSaslContinue(Box::new(exchange))
            }
            (State::ExpectSaslContinue(mut exchange), Authentication::SaslContinue(challenge)) => {
                exchange.answer(&challenge)?;
                let response = Password::new(Bytes::copy_from_slice(exchange.message()));
                self.send(Ok(response))?;
                State::ExpectSaslFinal(exchange)
            }
            (State::ExpectSaslFinal(mut exchange), Authentication::SaslFinal(last)) => {
                exchange.verify(&last)?;
                self.bound = exchange.is_bound();
                State::ExpectAuthenticationOk
            }
            (
                State::ExpectAuthentication,
                request @ (Authentication::KerberosV5
                | Authentication::ScmCredential
                | Authentication::Gss
                | Authentication::Sspi
                | Authentication::Other { .. }),
            ) => return Err(unsupported(&request)),
            (state, request) => {
                self.state = state;
                return Err(self.unexpected(describe(&request)).into());
            }
        };
        Ok(())
    }

    /// Refuses a way to authenticate that cannot be bound to the TLS stream.
    fn check_binding(&self, request: &Authentication) -> Result<(), HandshakeError> {
        let reason = match (&self.state, request) {
            (State::ExpectAuthentication | State::ExpectAuthenticationOk, Authentication::Ok)
                if !self.bound =>
            {
                "channel binding required, but server authenticated client without channel binding"
            }
            (State::ExpectAuthentication, Authentication::Sasl { .. }) => return Ok(()),
            (State::ExpectAuthentication, _) => {
                "channel binding required but not supported by server's authentication request"
            }
            // What comes later is judged by what it answers.
            _ => return Ok(()),
        };
        Err(HandshakeError::ChannelBinding { reason })
    }

    fn secret(&self, method: &'static str) -> Result<&Secret, HandshakeError> {
        self.config.password.as_ref().ok_or(HandshakeError::PasswordMissing { method })
    }

    fn send(&mut self, message: Result<Password, UsageError>) -> Result<(), HandshakeError> {
        message
            .and_then(|password| Message::Password(password).encode(&mut self.write))
            .map_err(|error| HandshakeError::Scram { reason: error.to_string() })
    }
}

/// The error for a request that cannot be met.
fn unsupported(request: &Authentication) -> HandshakeError {
    let advice = match request {
        Authentication::Gss | Authentication::Sspi | Authentication::KerberosV5 => {
            "give this user another method in the server's pg_hba.conf, such as scram-sha-256"
        }
        Authentication::ScmCredential => {
            "use peer authentication on the server's unix socket instead"
        }
        _ => "use scram-sha-256, md5, password, cert or trust in the server's pg_hba.conf",
    };
    HandshakeError::UnsupportedAuthentication { method: describe(request), advice }
}

/// The request by name.
fn describe(request: &Authentication) -> String {
    match request {
        Authentication::Ok => "AuthenticationOk".to_owned(),
        Authentication::KerberosV5 => "Kerberos V5".to_owned(),
        Authentication::CleartextPassword => "cleartext password".to_owned(),
        Authentication::Md5Password { .. } => "md5".to_owned(),
        Authentication::ScmCredential => "SCM credential".to_owned(),
        Authentication::Gss | Authentication::GssContinue(_) => "GSSAPI".to_owned(),
        Authentication::Sspi => "SSPI".to_owned(),
        Authentication::Sasl { .. } => "AuthenticationSASL".to_owned(),
        Authentication::SaslContinue(_) => "AuthenticationSASLContinue".to_owned(),
        Authentication::SaslFinal(_) => "AuthenticationSASLFinal".to_owned(),
        Authentication::Other { code, .. } => format!("unknown (code {code})"),
    }
}
