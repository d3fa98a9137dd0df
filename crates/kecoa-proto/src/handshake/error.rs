//! Why a handshake failed.

use crate::error::ProtocolError;
use crate::message::backend::ServerError;

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The server refused: wrong password, no such database, too many connections …
    #[error("{0}")]
    Server(Box<ServerError>),
    /// The peer broke the protocol, or is no PostgreSQL server.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// The server answered the TLS request with an error. Its text is not shown: it came before
    /// encryption, so anyone on the way may have written it (CVE-2024-10977).
    #[error("the server answered the request for TLS with an error instead of yes or no")]
    TlsErrorReply,
    /// The server asks for a way to authenticate that is not there.
    #[error("the server asks for {method} authentication, which is not supported: {advice}")]
    UnsupportedAuthentication {
        /// Its name.
        method: String,
        /// What to do instead.
        advice: &'static str,
    },
    /// The server asks for a password and there is none.
    #[error("the server asks for a password ({method}), but none was given")]
    PasswordMissing {
        /// How the password would have been sent: `cleartext`, `md5`, `SCRAM-SHA-256` …
        method: &'static str,
    },
    /// The SCRAM exchange failed: the server does not know the password's verifier, or sent
    /// something that is no SCRAM.
    #[error("SCRAM authentication failed: {reason}")]
    Scram {
        /// What was wrong.
        reason: String,
    },
    /// The server asks for more rounds of key derivation than is reasonable. It would keep the
    /// client busy before it knows that the server is the right one (compare CVE-2026-42198).
    #[error("the server asks for {found} SCRAM iterations, expected at most {limit}")]
    TooManyIterations {
        /// What the server asked for.
        found: u64,
        /// The cap.
        limit: u32,
    },
    /// The server asks for another way to authenticate than the caller allows. Nothing secret was
    /// sent.
    #[error("authentication method requirement \"{allowed}\" failed: {found}")]
    MethodNotAllowed {
        /// What is allowed, in the caller's words.
        allowed: String,
        /// What the server did instead.
        found: &'static str,
    },
    /// The caller wants the session bound to the TLS stream by SCRAM-SHA-256-PLUS, and that cannot
    /// be. Nothing secret was sent.
    #[error("{reason}")]
    ChannelBinding {
        /// Why not, in libpq's words.
        reason: &'static str,
    },
    /// The server speaks no version of the protocol that is new enough for the caller.
    #[error("asked for protocol 3.{least} at least, the server speaks 3.{offered} at most")]
    VersionTooOld {
        /// The oldest minor version that will do.
        least: u16,
        /// The newest minor version of the server.
        offered: u16,
    },
    /// The server offered a protocol version that was not asked for.
    #[error("asked for protocol 3.{asked}, the server offers {major}.{minor}")]
    Version {
        /// The minor version that was asked for.
        asked: u16,
        /// The major version offered.
        major: u16,
        /// The minor version offered.
        minor: u16,
    },
}
