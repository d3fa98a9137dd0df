//! `sslmode`: how much TLS is asked for.

/// How much TLS is asked for, as libpq's `sslmode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SslMode {
    /// No TLS.
    Disable,
    /// TLS only if the server refuses a connection without it.
    Allow,
    /// TLS if the server has it, else none.
    #[default]
    Prefer,
    /// TLS, without knowing whose; with `sslrootcert` it is [`SslMode::VerifyCa`].
    Require,
    /// TLS with a server whose certificate an authority of `sslrootcert` has signed.
    VerifyCa,
    /// The same, and the certificate is for the host that was asked for.
    VerifyFull,
}

impl SslMode {
    /// The word libpq has for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            SslMode::Disable => "disable",
            SslMode::Allow => "allow",
            SslMode::Prefer => "prefer",
            SslMode::Require => "require",
            SslMode::VerifyCa => "verify-ca",
            SslMode::VerifyFull => "verify-full",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<SslMode> {
        use SslMode::{Allow, Disable, Prefer, Require, VerifyCa, VerifyFull};
        [Disable, Allow, Prefer, Require, VerifyCa, VerifyFull]
            .into_iter()
            .find(|mode| mode.as_str() == word)
    }

    /// What the mode protects against, in a sentence for people.
    #[must_use]
    pub fn protection(self) -> &'static str {
        match self {
            SslMode::Disable => "nothing is encrypted",
            SslMode::Allow => {
                "the connection is encrypted only if the server insists; nobody checks who it is"
            }
            SslMode::Prefer => {
                "the connection is encrypted if the server can; somebody in between can turn that \
                 off, and nobody checks who the server is"
            }
            SslMode::Require => {
                "nobody can listen in passively; somebody in between can still pose as the server \
                 unless sslrootcert is given"
            }
            SslMode::VerifyCa => {
                "only a server with a certificate of a trusted authority is talked to; any host of \
                 that authority will do"
            }
            SslMode::VerifyFull => {
                "only the host that was asked for, proven by its certificate, is talked to"
            }
        }
    }
}
