//! What a client asks for when it connects.

use super::requirement::Requirement;
use super::secret::Secret;
use crate::frame::Limits;
use crate::message::startup::ProtocolVersion;

/// What a client says about itself when it connects. Debug output does not show the password.
#[derive(Clone, Debug)]
pub struct StartupConfig {
    pub(super) user: Vec<u8>,
    pub(super) password: Option<Secret>,
    pub(super) parameters: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) tls: bool,
    pub(super) encrypted: bool,
    pub(super) bound: bool,
    pub(super) version: ProtocolVersion,
    pub(super) oldest: ProtocolVersion,
    pub(super) requirement: Option<Requirement>,
    pub(super) limits: Limits,
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
