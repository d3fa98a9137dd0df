//! Whose fault it was: the peer's or the caller's.

/// The peer broke the protocol. The connection cannot be used any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A message that may not come now.
    #[error("expected {expected} from the server {state}, found {found}")]
    Unexpected {
        /// What may come.
        expected: &'static str,
        /// What came.
        found: String,
        /// What the connection was doing, as a clause: "while a result's rows arrive".
        state: &'static str,
    },
    /// A message whose inside does not follow its format.
    #[error("malformed {message} message: expected {expected}, found {found}")]
    Malformed {
        /// The message's name in PostgreSQL's documentation.
        message: &'static str,
        /// What its format asks for.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A message that claims more bytes than its cap allows.
    #[error("{message} message too long: expected at most {limit} bytes, found {length}")]
    TooLong {
        /// The message's name in PostgreSQL's documentation.
        message: &'static str,
        /// The length it claims, in bytes.
        length: usize,
        /// The cap, in bytes.
        limit: usize,
    },
    /// Bytes after the reply to an SSLRequest or GSSENCRequest. An attacker on the way could have
    /// put them there to be read as if they had come encrypted (CVE-2021-23222).
    #[error(
        "expected nothing behind the reply to the TLS request, found {found} bytes: \
         they may have been injected, giving up"
    )]
    BytesBehindTlsReply {
        /// How many bytes.
        found: usize,
    },
    /// `COPY … FROM STDIN` began while further requests were already pipelined after it: the
    /// server reads them as copy data. Send COPY as the last request of a pipeline.
    #[error(
        "COPY FROM STDIN began with {behind} requests pipelined behind it, which the server now \
         reads as copy data: send nothing behind a COPY until it is over"
    )]
    CopyInPipeline {
        /// How many requests were after it.
        behind: usize,
    },
    /// An earlier protocol error already ended the connection.
    #[error("the connection ended with an earlier protocol error")]
    Poisoned,
}

impl ProtocolError {
    pub(crate) fn malformed(
        message: &'static str,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> ProtocolError {
        ProtocolError::Malformed { message, expected: expected.into(), found: found.into() }
    }
}

/// The caller asked for something that cannot be sent. Nothing was sent; the connection is as it
/// was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// A string of the protocol ends at its first NUL, so it cannot hold one.
    #[error("{what} cannot contain the NUL character, found one at byte {at}")]
    Nul {
        /// Which string.
        what: &'static str,
        /// Where, counted from 0.
        at: usize,
    },
    /// A message longer than the protocol or the server can take.
    #[error("{what} is too long: expected at most {limit} bytes, found {found}")]
    TooLong {
        /// Which part.
        what: &'static str,
        /// Its length in bytes.
        found: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// More of something than a 16-bit count can say.
    #[error("too many {what}: expected at most {limit}, found {found}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        found: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// The connection was terminated, or an error ended it.
    #[error("the connection is closed")]
    Closed,
    /// A COPY waits for data; only copy data can be sent until it is over.
    #[error("a COPY is in progress: finish it before the next request")]
    CopyInProgress,
    /// Copy data without a COPY that waits for it.
    #[error("no COPY FROM STDIN is in progress")]
    NotCopying,
    /// A cancel key's secret has a length that the protocol does not allow.
    #[error("expected a cancel key's secret of 4 to 256 bytes, found {found}")]
    CancelSecret {
        /// Its length in bytes.
        found: usize,
    },
}
