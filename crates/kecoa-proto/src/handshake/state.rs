//! What a handshake keeps, and what it waits for.

use std::fmt;

use bytes::{Bytes, BytesMut};

use super::config::StartupConfig;
use super::scram::Exchange;
use crate::connection::parameters::Parameters;
use crate::error::{ProtocolError, UsageError};
use crate::message::startup::{CancelKey, ProtocolVersion, Startup};

/// The inside of a [`Handshake`](super::Handshake).
pub(super) struct Negotiation {
    pub(super) config: StartupConfig,
    pub(super) state: State,
    pub(super) read: BytesMut,
    pub(super) write: BytesMut,
    pub(super) version: ProtocolVersion,
    pub(super) negotiated: bool,
    pub(super) binding: Option<Vec<u8>>,
    pub(super) encrypted: bool,
    /// The server has proved that it is the other end of the TLS stream.
    pub(super) bound: bool,
    pub(super) parameters: Parameters,
    pub(super) cancel_key: Option<CancelKey>,
}

#[expect(clippy::enum_variant_names, reason = "a state is named for what it waits for")]
pub(super) enum State {
    ExpectTlsReply,
    ExpectAuthentication,
    ExpectSaslContinue(Box<Exchange>),
    ExpectSaslFinal(Box<Exchange>),
    /// The password, or the server's SCRAM proof, has been dealt with.
    ExpectAuthenticationOk,
    ExpectReadyForQuery,
}

impl State {
    pub(super) fn expectation(&self) -> (&'static str, &'static str) {
        match self {
            State::ExpectTlsReply => ("S or N", "after the request for TLS"),
            State::ExpectAuthentication => {
                ("an authentication request", "after the startup message")
            }
            State::ExpectSaslContinue(_) => {
                ("AuthenticationSASLContinue", "after SASLInitialResponse")
            }
            State::ExpectSaslFinal(_) => ("AuthenticationSASLFinal", "after SASLResponse"),
            State::ExpectAuthenticationOk => ("AuthenticationOk", "after the password was sent"),
            State::ExpectReadyForQuery => {
                ("ParameterStatus, BackendKeyData or ReadyForQuery", "after authentication")
            }
        }
    }
}

impl Negotiation {
    pub(super) fn send_startup(&mut self) -> Result<(), UsageError> {
        let mut parameters =
            vec![(Bytes::from_static(b"user"), Bytes::copy_from_slice(&self.config.user))];
        for (name, value) in &self.config.parameters {
            parameters.push((Bytes::copy_from_slice(name), Bytes::copy_from_slice(value)));
        }
        Startup::Startup { version: self.config.version, parameters }.encode(&mut self.write)
    }

    pub(super) fn unexpected(&self, found: String) -> ProtocolError {
        let (expected, state) = self.state.expectation();
        ProtocolError::Unexpected { expected, found, state }
    }
}

impl fmt::Debug for Negotiation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Negotiation")
            .field("config", &self.config)
            .field("waiting_for", &self.state.expectation().0)
            .field("to_read", &self.read.len())
            .field("to_write", &self.write.len())
            .finish_non_exhaustive()
    }
}
