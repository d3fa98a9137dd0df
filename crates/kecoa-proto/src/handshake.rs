//! From the first byte to an open [`Connection`]: TLS negotiation, authentication, parameters.
//!
//! A `Handshake` consumes itself: each [`advance`](Handshake::advance) gives back what there is now.
//!
//! ```text
//! [ExpectTlsReply] -> ExpectAuthentication -> [ExpectSaslContinue -> ExpectSaslFinal]
//!     -> ExpectAuthenticationOk -> ExpectReadyForQuery -> Connection
//! ```

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

use crate::connection::Connection;
use crate::connection::replies::remember;
use crate::error::{HandshakeError, ProtocolError, UsageError};
use crate::frame::{self, HEADER, Limits};
use crate::message::authentication::Authentication;
use crate::message::backend::{self, Message, NegotiateProtocolVersion};
use crate::message::frontend::{self, Password};
use crate::message::startup::{CancelKey, ProtocolVersion, Startup};
use crate::server_error::ServerError;

mod password;
mod requirement;
use password::{Exchange, Secret};
pub use requirement::{AuthenticationMethod, Requirement};

/// What a client says about itself when it connects. Debug output does not show the password.
#[derive(Clone, Debug)]
pub struct StartupConfig {
    user: Vec<u8>,
    password: Option<Secret>,
    parameters: Vec<(Vec<u8>, Vec<u8>)>,
    tls: bool,
    encrypted: bool,
    bound: bool,
    version: ProtocolVersion,
    oldest: ProtocolVersion,
    requirement: Option<Requirement>,
    limits: Limits,
}

impl StartupConfig {
    /// A session for `user`, without password or TLS, with protocol 3.0.
    #[must_use]
    pub fn new(user: impl Into<Vec<u8>>) -> StartupConfig {
        StartupConfig {
            user: user.into(),
            password: None,
            parameters: Vec::new(),
            tls: false,
            encrypted: false,
            bound: false,
            version: ProtocolVersion::V3_0,
            oldest: ProtocolVersion::V3_0,
            requirement: None,
            limits: Limits::default(),
        }
    }

    /// The password, should the server ask for one.
    #[must_use]
    pub fn password(mut self, password: impl Into<Vec<u8>>) -> StartupConfig {
        self.password = Some(Secret::new(password.into()));
        self
    }

    /// A startup parameter: `database`, `options`, `application_name`, `client_encoding`, any
    /// setting of the server. `user` is there already.
    #[must_use]
    pub fn parameter(
        mut self,
        name: impl Into<Vec<u8>>,
        value: impl Into<Vec<u8>>,
    ) -> StartupConfig {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Whether to ask for TLS first.
    #[must_use]
    pub fn tls(mut self, tls: bool) -> StartupConfig {
        self.tls = tls;
        self
    }

    /// The newest version of the protocol to speak. Servers and poolers that do not know versions
    /// beyond 3.0 may hang up on others, so 3.0 is the default.
    #[must_use]
    pub fn version(mut self, version: ProtocolVersion) -> StartupConfig {
        self.version = version;
        self
    }

    /// The stream is encrypted already, because TLS was begun without asking. `tls` is to be off.
    #[must_use]
    pub fn encrypted(mut self, encrypted: bool) -> StartupConfig {
        self.encrypted = encrypted;
        self
    }

    /// Whether the session must be authenticated by SCRAM-SHA-256-PLUS, which proves that nobody
    /// sits between the two ends of the TLS stream. Nothing secret is sent to a server that asks for
    /// anything else.
    #[must_use]
    pub fn require_channel_binding(mut self, bound: bool) -> StartupConfig {
        self.bound = bound;
        self
    }

    /// The oldest version of the protocol that will do, 3.0 unless set. A server that speaks no
    /// newer one is refused before anything secret is sent.
    #[must_use]
    pub fn oldest_version(mut self, version: ProtocolVersion) -> StartupConfig {
        self.oldest = version;
        self
    }

    /// Which ways to authenticate are allowed; any, unless set.
    #[must_use]
    pub fn require(mut self, requirement: Requirement) -> StartupConfig {
        self.requirement = Some(requirement);
        self
    }

    /// Caps on what the server may send.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> StartupConfig {
        self.limits = limits;
        self
    }
}

/// A connection that is being opened.
///
/// The driver writes what [`poll_transmit`](Handshake::poll_transmit) shows, calls
/// [`advance`](Handshake::advance), and on [`Progress::NeedInput`] reads into
/// [`read_buffer`](Handshake::read_buffer).
#[must_use]
#[derive(Debug)]
pub struct Handshake(Box<Inner>);

struct Inner {
    config: StartupConfig,
    state: State,
    read: BytesMut,
    write: BytesMut,
    version: ProtocolVersion,
    negotiated: bool,
    binding: Option<Vec<u8>>,
    encrypted: bool,
    /// The server has proved that it is the other end of the TLS stream.
    bound: bool,
    parameters: Vec<(String, String)>,
    cancel_key: Option<CancelKey>,
}

#[expect(clippy::enum_variant_names, reason = "a state is named for what it waits for")]
enum State {
    ExpectTlsReply,
    ExpectAuthentication,
    ExpectSaslContinue(Box<Exchange>),
    ExpectSaslFinal(Box<Exchange>),
    /// The password, or the server's SCRAM proof, has been dealt with.
    ExpectAuthenticationOk,
    ExpectReadyForQuery,
}

impl State {
    fn expectation(&self) -> (&'static str, &'static str) {
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

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("config", &self.config)
            .field("waiting_for", &self.state.expectation().0)
            .field("to_read", &self.read.len())
            .field("to_write", &self.write.len())
            .finish_non_exhaustive()
    }
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
        let mut inner = Inner {
            state: State::ExpectAuthentication,
            read: BytesMut::new(),
            write: BytesMut::new(),
            version: config.version,
            negotiated: false,
            binding: None,
            encrypted: config.encrypted,
            bound: false,
            parameters: Vec::new(),
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

    /// A hint for the size of the next read, see [`Connection::wanted`]. While the TLS reply is
    /// awaited it is 1: a driver that reads no more than that cannot read into the TLS stream.
    #[must_use]
    pub fn wanted(&self) -> usize {
        if matches!(self.0.state, State::ExpectTlsReply) { 1 } else { frame::wanted(&self.0.read) }
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
            if let Some(tag) = inner.read.first()
                && !matches!(tag, b'R' | b'E' | b'N' | b'v' | b'S' | b'K' | b'Z')
            {
                // Its length would mean nothing: this may be a server of anything.
                let found = format!("byte {tag:#04x}: is this a PostgreSQL server?");
                return Err(inner.unexpected(found).into());
            }
            let header = frame::header(&inner.read, |_| limit, backend::name)?;
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
                    let Inner { config, read, write, version, parameters, cancel_key, .. } =
                        *self.0;
                    return Ok(Progress::Ready(Connection::established(
                        config.limits,
                        read,
                        write,
                        status,
                        parameters,
                        cancel_key,
                        version,
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

impl Inner {
    fn send_startup(&mut self) -> Result<(), UsageError> {
        let mut parameters =
            vec![(Bytes::from_static(b"user"), Bytes::copy_from_slice(&self.config.user))];
        for (name, value) in &self.config.parameters {
            parameters.push((Bytes::copy_from_slice(name), Bytes::copy_from_slice(value)));
        }
        Startup::Startup { version: self.config.version, parameters }.encode(&mut self.write)
    }

    fn unexpected(&self, found: String) -> ProtocolError {
        let (expected, state) = self.state.expectation();
        ProtocolError::Unexpected { expected, found, state }
    }

    fn handle(&mut self, message: Message) -> Result<(), HandshakeError> {
        match (&self.state, message) {
            (State::ExpectReadyForQuery, Message::ParameterStatus(status)) => {
                let name = String::from_utf8_lossy(&status.name);
                let value = String::from_utf8_lossy(&status.value);
                remember(&mut self.parameters, &name, &value, &self.config.limits)?;
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
            (_, other) => Err(self.unexpected(backend::describe(other.tag())).into()),
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

    fn authenticate(&mut self, request: Authentication) -> Result<(), HandshakeError> {
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
                let mechanism = password::choose(&mechanisms, self.binding.take(), self.encrypted)?;
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
            ) => return Err(password::unsupported(&request)),
            (state, request) => {
                self.state = state;
                return Err(self.unexpected(password::describe(&request)).into());
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
            .and_then(|password| frontend::Message::Password(password).encode(&mut self.write))
            .map_err(|error| HandshakeError::Scram { reason: error.to_string() })
    }
}
