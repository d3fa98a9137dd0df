//! From the first byte to an open [`Connection`]: TLS negotiation, authentication, parameters.
//!
//! A `Handshake` consumes itself: each [`advance`](Handshake::advance) gives back what there is now.
//!
//! ```text
//! [ExpectTlsReply] -> ExpectAuthentication -> [ExpectSaslContinue -> ExpectSaslFinal]
//!     -> ExpectAuthenticationOk -> ExpectReadyForQuery -> Connection
//! ```

mod authentication;
mod config;
mod error;
mod requirement;
mod scram;
mod secret;
mod state;

use bytes::{Buf, Bytes, BytesMut};

use crate::connection::Connection;
use crate::connection::parameters::Parameters;
use crate::connection::state::Established;
use crate::error::{ProtocolError, UsageError};
use crate::frame::{self, HEADER};
use crate::message::backend::{Message, NegotiateProtocolVersion, ServerError};
use crate::message::startup::{ProtocolVersion, Startup};
use crate::message::tags::backend as tags;
use state::{Negotiation, State};

pub use config::StartupConfig;
pub use error::HandshakeError;
pub use requirement::{AuthenticationMethod, Requirement};

/// A connection that is being opened.
///
/// The driver writes what [`poll_transmit`](Handshake::poll_transmit) shows, calls
/// [`advance`](Handshake::advance), and on [`Progress::NeedInput`] reads into
/// [`read_buffer`](Handshake::read_buffer).
#[must_use]
#[derive(Debug)]
pub struct Handshake(Box<Negotiation>);

/// Where a handshake is now.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a Connection is made once and moved once")]
pub enum Progress {
    /// Write what there is, then read more.
    NeedInput(Handshake),
    /// The server agrees to TLS. The driver encrypts the stream and goes on.
    TlsAccepted(Handshake),
    /// The server has no TLS. The driver goes on in clear, or gives up.
    TlsRefused(Handshake),
    /// A notice or warning.
    Notice(Box<ServerError>, Handshake),
    /// The session is open.
    Ready(Connection),
}

impl Handshake {
    /// Begins: the first message is in the output buffer.
    ///
    /// # Errors
    /// A NUL in the user's name, the password or a parameter.
    pub fn new(config: StartupConfig) -> Result<Handshake, UsageError> {
        if let Some(at) = config.password.as_ref().and_then(|secret| secret.nul()) {
            return Err(UsageError::Nul { what: "a password", at });
        }
        let mut inner = Negotiation {
            state: State::ExpectAuthentication,
            read: BytesMut::new(),
            write: BytesMut::new(),
            version: config.version,
            negotiated: false,
            binding: None,
            encrypted: config.encrypted,
            bound: false,
            parameters: Parameters::default(),
            cancel_key: None,
            config,
        };
        // Encoded in any case, so that what cannot be sent shows before anything is.
        inner.send_startup()?;
        if inner.config.tls {
            inner.write.clear();
            Startup::Tls.encode(&mut inner.write)?;
            inner.state = State::ExpectTlsReply;
        }
        Ok(Handshake(Box::new(inner)))
    }

    /// The hash of the server's certificate for the channel binding `tls-server-end-point`
    /// (RFC 5929). With it, and a server that offers SCRAM-SHA-256-PLUS, authentication also proves
    /// that nobody sits between the two ends of the TLS stream.
    pub fn set_tls_server_end_point(&mut self, hash: Vec<u8>) {
        self.0.binding = Some(hash);
    }

    /// What is to be written to the server. Say how much of it was with
    /// [`transmitted`](Handshake::transmitted).
    #[must_use]
    pub fn poll_transmit(&self) -> Option<&[u8]> {
        (!self.0.write.is_empty()).then_some(&self.0.write[..])
    }

    /// `n` bytes of what [`poll_transmit`](Handshake::poll_transmit) showed were written.
    pub fn transmitted(&mut self, n: usize) {
        let n = n.min(self.0.write.len());
        self.0.write.advance(n);
    }

    /// Where the driver appends what it read. It must not change what is there.
    pub fn read_buffer(&mut self) -> &mut BytesMut {
        &mut self.0.read
    }

    /// A hint for the size of the next read, see [`Connection::read_hint`]. While the TLS reply is
    /// awaited it is 1: a driver that reads no more than that cannot read into the TLS stream.
    #[must_use]
    pub fn read_hint(&self) -> usize {
        if matches!(self.0.state, State::ExpectTlsReply) {
            1
        } else {
            frame::read_hint(&self.0.read)
        }
    }

    /// Takes what has arrived and says where the handshake is.
    ///
    /// # Errors
    /// The server refused, broke the protocol, or asks for something that is not there. The
    /// connection is to be closed.
    pub fn advance(mut self) -> Result<Progress, HandshakeError> {
        if matches!(self.0.state, State::ExpectTlsReply) {
            return self.tls_reply();
        }
        loop {
            let inner = &mut *self.0;
            let limit = inner.config.limits.handshake;
            if let Some(&tag) = inner.read.first()
                && !matches!(
                    tag,
                    tags::AUTHENTICATION
                        | tags::ERROR_RESPONSE
                        | tags::NOTICE_RESPONSE
                        | tags::NEGOTIATE_PROTOCOL_VERSION
                        | tags::PARAMETER_STATUS
                        | tags::BACKEND_KEY_DATA
                        | tags::READY_FOR_QUERY
                )
            {
                // Its length would mean nothing: this may be a server of anything.
                let found = format!("byte {tag:#04x}: is this a PostgreSQL server?");
                return Err(inner.unexpected(found).into());
            }
            let header = frame::header(&inner.read, |_| limit, tags::name)?;
            let Some(header) = header.filter(|header| inner.read.len() >= header.total) else {
                return Ok(Progress::NeedInput(self));
            };
            let mut body = inner.read.split_to(header.total).freeze();
            body.advance(HEADER);
            let body = Bytes::copy_from_slice(&body);
            match Message::decode(header.tag, body)? {
                Message::ErrorResponse(error) => {
                    return Err(HandshakeError::Server(Box::new(error)));
                }
                Message::NoticeResponse(notice) => {
                    return Ok(Progress::Notice(Box::new(notice), self));
                }
                Message::ReadyForQuery(status)
                    if matches!(inner.state, State::ExpectReadyForQuery) =>
                {
                    let Negotiation {
                        config, read, write, version, parameters, cancel_key, ..
                    } = *self.0;
                    return Ok(Progress::Ready(Connection::established(
                        config.limits,
                        Established { read, write, status, parameters, cancel_key, version },
                    )));
                }
                message => inner.handle(message)?,
            }
        }
    }

    fn tls_reply(mut self) -> Result<Progress, HandshakeError> {
        let inner = &mut *self.0;
        let Some(reply) = inner.read.first().copied() else {
            return Ok(Progress::NeedInput(self));
        };
        match reply {
            b'S' | b'N' => {}
            b'E' => return Err(HandshakeError::TlsErrorReply),
            other => {
                let (expected, state) = inner.state.expectation();
                let found = format!("byte {other:#04x}: is this a PostgreSQL server?");
                return Err(ProtocolError::Unexpected { expected, found, state }.into());
            }
        }
        inner.read.advance(1);
        if !inner.read.is_empty() {
            let found = inner.read.len();
            return Err(ProtocolError::BytesBehindTlsReply { found }.into());
        }
        inner.state = State::ExpectAuthentication;
        inner.send_startup().map_err(|error| inner.unexpected(error.to_string()))?;
        inner.encrypted = reply == b'S';
        if inner.encrypted {
            Ok(Progress::TlsAccepted(self))
        } else {
            Ok(Progress::TlsRefused(self))
        }
    }
}

impl Negotiation {
    fn handle(&mut self, message: Message) -> Result<(), HandshakeError> {
        match (&self.state, message) {
            (State::ExpectReadyForQuery, Message::ParameterStatus(status)) => {
                self.parameters.set(&status, &self.config.limits)?;
                Ok(())
            }
            (State::ExpectReadyForQuery, Message::BackendKeyData(key)) => {
                self.cancel_key = Some(key);
                Ok(())
            }
            (State::ExpectAuthentication, Message::NegotiateProtocolVersion(offer)) => {
                self.negotiate(&offer)
            }
            (_, Message::Authentication(request)) => self.authenticate(request),
            (_, other) => Err(self.unexpected(tags::describe(other.tag())).into()),
        }
    }

    /// The server speaks an older version than was asked for, or does not know a `_pq_.` parameter.
    fn negotiate(&mut self, offer: &NegotiateProtocolVersion) -> Result<(), HandshakeError> {
        if std::mem::replace(&mut self.negotiated, true) {
            return Err(self.unexpected("a second NegotiateProtocolVersion".to_owned()).into());
        }
        // The documentation has the minor version here, PostgreSQL sends both parts.
        let offered = match offer.newest {
            minor @ 0..=0xffff => ProtocolVersion::new(3, u16::try_from(minor).unwrap_or(u16::MAX)),
            code => ProtocolVersion::from_code(code),
        };
        let asked = self.config.version;
        if offered.major() != 3 || offered > asked {
            return Err(HandshakeError::Version {
                asked: asked.minor(),
                major: offered.major(),
                minor: offered.minor(),
            });
        }
        if offered < self.config.oldest {
            return Err(HandshakeError::VersionTooOld {
                least: self.config.oldest.minor(),
                offered: offered.minor(),
            });
        }
        self.version = offered;
        Ok(())
    }
}
