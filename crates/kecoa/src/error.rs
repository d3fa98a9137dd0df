//! The one error of the client.
//!
//! An [`Error`] says whose fault it is ([`Error::kind`]), what the server reported
//! ([`Error::server`], [`Error::sqlstate`]), and what a caller may do about it
//! ([`Error::is_retryable`], [`Error::is_ambiguous`], [`Error::nothing_was_sent`]). Messages read
//! "expected …, found …" and never hold a password.

mod text;

use std::io;
use std::time::Duration;

use kecoa_proto::{ProtocolError, ServerError, SqlState, UsageError};

/// `serialization_failure`: the one SQLSTATE that asks for a retry of the whole transaction, on
/// CockroachDB (deadlocks included) and on PostgreSQL.
pub(crate) const SERIALIZATION_FAILURE: &str = "40001";
/// `statement_completion_unknown`: CockroachDB's ambiguous result.
pub(crate) const COMPLETION_UNKNOWN: &str = "40003";
/// `transaction_resolution_unknown`: the standard's word for the same, which poolers and proxies use.
pub(crate) const RESOLUTION_UNKNOWN: &str = "08007";

/// What went wrong, and whose fault it is.
///
/// ```
/// use kecoa::{Error, ErrorKind};
///
/// fn advice(error: &Error) -> &'static str {
///     match error.kind() {
///         // Before all others: it may have been done.
///         _ if error.is_ambiguous() => "look it up before doing it again",
///         ErrorKind::Connect | ErrorKind::ConnectionLost | ErrorKind::Timeout => "try again later",
///         ErrorKind::RetriesExhausted { .. } => "too many conflicts",
///         ErrorKind::Config | ErrorKind::Usage | ErrorKind::Conversion => "correct the program",
///         _ => "read the message",
///     }
/// }
///
/// assert_eq!(advice(&Error::timeout("no connection in 3 s")), "try again later");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration cannot be used: a DSN, an environment variable, a password file.
    Config,
    /// No connection could be made: nobody listens, a name does not resolve, the server refused.
    Connect,
    /// TLS was asked for and could not be had, or the certificate did not check.
    Tls,
    /// The server did not accept the user or the password (SQLSTATE class 28).
    Authentication,
    /// The server answered a request with an error; [`Error::server`] holds it.
    Server,
    /// The peer broke the protocol. The connection was closed.
    Protocol,
    /// The caller's mistake: NUL in SQL, a statement that this method does not take, …
    Usage,
    /// The connection ended while something was in flight, or had ended before.
    ConnectionLost,
    /// A time limit passed.
    Timeout,
    /// The results of a request were larger than `max_result_size` allows. What had come was
    /// dropped and the server was asked to cancel; the connection is usable.
    ResultTooLarge,
    /// The interrupt hook asked to stop.
    Interrupted,
    /// What commits was sent and its outcome is not known: COMMIT in any form, or a statement
    /// outside of a transaction. Look the work up before doing it again.
    AmbiguousCommit,
    /// A transaction was to be committed, but had failed: the server rolled it back.
    RolledBack,
    /// Every attempt that the retry policy allows failed; [`Error::last_attempt`] is the last error.
    RetriesExhausted {
        /// How many times the transaction was tried.
        attempts: u32,
        /// Time from the first attempt to giving up, waits included.
        elapsed: Duration,
    },
    /// A value could not be turned into, or made from, what its column holds.
    Conversion,
    /// The connection streams replication and takes no statement.
    Streaming,
    /// A file, or the reader or writer of a COPY, failed.
    Io,
}

/// Everything that can go wrong in the client: one word in size, `Send` and `Sync`.
///
/// `{}` is the message, with what caused it. `{:?}`, which `unwrap` and a `main` that returns an error
/// print, has the kind, the SQLSTATE, and the server's detail and hint on lines of their own; `{:#?}` is
/// the whole structure. No form has a password in it.
///
/// ```
/// # kecoa::example::blocking(|client| {
/// use kecoa::ErrorKind;
///
/// let error = client.query("SELECT * FROM acounts", &[]).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Server);
/// assert_eq!(error.sqlstate(), Some("42P01"));
/// assert!(error.to_string().contains("\"acounts\" does not exist"));
///
/// let insert = "INSERT INTO accounts VALUES (1, 0)";
/// match client.execute(insert, &[]) {
///     Ok(rows) => println!("{rows} inserted"),
///     // The server's whole report.
///     Err(error) if error.sqlstate() == Some("23505") => {
///         let constraint = error.server().and_then(|report| report.constraint_name());
///         println!("taken: {}", constraint.unwrap_or_default());
///     }
///     // It may have been done: look it up before doing it again.
///     Err(error) if error.is_ambiguous() => return Err(error.into()),
///     Err(error) => return Err(error.into()),
/// }
/// # Ok(()) });
/// ```
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    server: Option<(SqlState, Box<ServerError>)>,
    source: Option<Source>,
    nothing_was_sent: bool,
    lost: bool,
    /// A statement failed with 40001 and the body of the transaction went on.
    ignored_retry: bool,
}

#[derive(Debug)]
enum Source {
    Ours(Error),
    Foreign(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            server: None,
            source: None,
            nothing_was_sent: false,
            lost: false,
            ignored_retry: false,
        }))
    }

    /// Marks the error as one of a request of which the server has seen nothing.
    pub(crate) fn unsent(mut self) -> Error {
        self.0.nothing_was_sent = true;
        self
    }

    pub(crate) fn with_server(mut self, error: Box<ServerError>) -> Error {
        self.0.server = Some((error.sqlstate(), error));
        self
    }

    /// The same error with another message.
    pub(crate) fn with_message(mut self, message: String) -> Error {
        self.0.message = message;
        self
    }

    /// Attaches what caused the error; [`std::error::Error::source`] gives it back.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        self.0.source = Some(Source::Foreign(Box::new(source)));
        self
    }

    /// A configuration that cannot be used. Nothing was sent.
    #[must_use]
    pub fn config(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Config, message).unsent()
    }

    /// No connection could be made. No statement was sent.
    #[must_use]
    pub fn connect(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Connect, message).unsent()
    }

    /// The server answered the handshake with an error: kind [`ErrorKind::Authentication`] for
    /// SQLSTATE class 28, else [`ErrorKind::Connect`]. No statement was sent. The message is a whole
    /// one: it names the place and has the server's words in it.
    #[must_use]
    pub fn refused(message: impl Into<String>, error: Box<ServerError>) -> Error {
        let kind = match error.sqlstate().class() {
            "28" => ErrorKind::Authentication,
            _ => ErrorKind::Connect,
        };
        Error::new(kind, message).with_server(error).unsent()
    }

    /// An authentication that the client itself gave up: no password, an unknown method, a server
    /// that failed to prove it knows the password. No statement was sent.
    #[must_use]
    pub fn authentication(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Authentication, message).unsent()
    }

    /// TLS could not be had as asked for. No statement was sent.
    #[must_use]
    pub fn tls(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Tls, message).unsent()
    }

    /// A time limit passed, such as `connect_timeout`; `message` names it.
    #[must_use]
    pub fn timeout(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Timeout, message)
    }

    /// A file or stream failed; `context` says what was being done.
    #[must_use]
    pub fn io(context: impl Into<String>, source: io::Error) -> Error {
        Error::new(ErrorKind::Io, context).with_source(source)
    }

    /// The peer broke the protocol.
    #[must_use]
    pub fn protocol(source: ProtocolError) -> Error {
        Error::new(ErrorKind::Protocol, "the server broke the protocol").with_source(source)
    }

    /// The server broke the protocol in a way that only the caller of the core can see.
    pub(crate) fn unexpected(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Protocol, message)
    }

    /// The caller's mistake. Nothing was sent.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Usage, message).unsent()
    }

    /// The connection streams replication. Nothing was sent.
    pub(crate) fn streaming(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Streaming, message).unsent()
    }

    /// The caller's mistake, found only once the server had answered.
    pub(crate) fn usage_after_the_fact(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Usage, message)
    }

    /// The server answered a request with an error.
    #[must_use]
    pub fn from_server(error: Box<ServerError>) -> Error {
        Error::new(ErrorKind::Server, "").with_server(error)
    }

    /// The connection ended; `message` says what was in flight.
    #[must_use]
    pub fn connection_lost(message: impl Into<String>) -> Error {
        let mut error = Error::new(ErrorKind::ConnectionLost, message);
        error.0.lost = true;
        error
    }

    /// The connection had already ended before the request: nothing of it was sent.
    pub(crate) fn closed() -> Error {
        Error::connection_lost("the connection is closed").unsent()
    }

    /// The caller's interrupt hook asked to stop before or while the request ran.
    #[must_use]
    pub fn interrupted(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Interrupted, message)
    }

    /// A result larger than the limit; `held` is how large it had become. Both in bytes.
    pub(crate) fn result_too_large(limit: usize, held: usize) -> Error {
        Error::new(
            ErrorKind::ResultTooLarge,
            format!(
                "expected a result of at most {limit} bytes (max_result_size), found more: it had \
                 come to {held} bytes, and was dropped; read it in pieces, with a cursor on the \
                 server or as a stream, or raise max_result_size"
            ),
        )
    }

    /// A value that does not fit its column or its Rust type; say what was expected and found.
    #[must_use]
    pub fn conversion(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Conversion, message)
    }

    /// A transaction that was to be committed had failed; `retryable` when with 40001.
    pub(crate) fn rolled_back(message: impl Into<String>, retryable: bool) -> Error {
        let mut error = Error::new(ErrorKind::RolledBack, message);
        error.0.ignored_retry = retryable;
        error
    }

    /// COMMIT was sent and what became of it is not known; `cause` is how that was noticed.
    #[must_use]
    pub fn ambiguous_commit(message: impl Into<String>, cause: Error) -> Error {
        let mut error = Error::new(ErrorKind::AmbiguousCommit, message);
        error.0.lost = cause.0.lost;
        error.0.source = Some(Source::Ours(cause));
        error
    }

    /// The retry policy allows no further attempt; `last` is the error of the last one.
    #[must_use]
    pub fn retries_exhausted(attempts: u32, elapsed: Duration, last: Error) -> Error {
        let mut error = Error::new(ErrorKind::RetriesExhausted { attempts, elapsed }, "");
        error.0.lost = last.0.lost;
        error.0.source = Some(Source::Ours(last));
        error
    }

    /// What is behind an ambiguous commit; any other error as it is.
    pub(crate) fn ambiguous_cause(mut self) -> Error {
        match (self.0.kind, self.0.source.take()) {
            (ErrorKind::AmbiguousCommit, Some(Source::Ours(cause))) => cause,
            (_, source) => {
                self.0.source = source;
                self
            }
        }
    }

    /// The error of a request that may have committed, and whose answer this is, or is instead of.
    pub(crate) fn of_a_commit(self) -> Error {
        if self.0.kind == ErrorKind::AmbiguousCommit || self.0.nothing_was_sent {
            return self;
        }
        Error::ambiguous_commit(
            "what was sent may have been committed, and its outcome is unknown: look it up before \
             doing it again",
            self,
        )
    }

    /// Marks the error as one that ended the connection, as a server's FATAL does.
    pub(crate) fn and_lost(mut self) -> Error {
        self.0.lost = true;
        self
    }

    /// What went wrong, and whose fault it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The server's report, with every field it sent. For [`ErrorKind::AmbiguousCommit`] and
    /// [`ErrorKind::RetriesExhausted`] it is the report of the last attempt.
    #[must_use]
    pub fn server(&self) -> Option<&ServerError> {
        match (&self.0.server, &self.0.source) {
            (Some((_, server)), _) => Some(server),
            (None, Some(Source::Ours(error))) => error.server(),
            _ => None,
        }
    }

    /// The server's SQLSTATE, when the server reported an error.
    #[must_use]
    pub fn sqlstate(&self) -> Option<&str> {
        match (&self.0.server, &self.0.source) {
            (Some((state, _)), _) => Some(state.as_str()),
            (None, Some(Source::Ours(error))) => error.sqlstate(),
            _ => None,
        }
    }

    /// The error of the last attempt, when this one says that attempts ran out or that a commit is
    /// ambiguous.
    #[must_use]
    pub fn last_attempt(&self) -> Option<&Error> {
        match &self.0.source {
            Some(Source::Ours(error)) => Some(error),
            _ => None,
        }
    }

    /// Whether running the whole transaction again may succeed: SQLSTATE 40001 and nothing else
    /// (also when the body of a transaction went on after it).
    /// An error that says the attempts ran out is not retryable again by itself.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.0.kind {
            ErrorKind::Server => self.sqlstate() == Some(SERIALIZATION_FAILURE),
            ErrorKind::RolledBack => self.0.ignored_retry,
            _ => false,
        }
    }

    /// Whether the work may or may not have been committed: the connection was lost while a COMMIT,
    /// or a statement outside of a transaction, was in flight, or the server says that it does not
    /// know (SQLSTATE 40003 or 08007).
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.0.kind == ErrorKind::AmbiguousCommit
            || matches!(self.sqlstate(), Some(COMPLETION_UNKNOWN | RESOLUTION_UNKNOWN))
    }

    /// Whether it is certain that the server has seen nothing of the request.
    #[must_use]
    pub fn nothing_was_sent(&self) -> bool {
        self.0.nothing_was_sent
    }

    /// Whether the connection is gone: it broke, or the server ended it with a FATAL error.
    #[must_use]
    pub fn is_connection_lost(&self) -> bool {
        self.0.lost
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.source {
            Some(Source::Ours(error)) => Some(error),
            Some(Source::Foreign(error)) => Some(&**error),
            None => None,
        }
    }
}

impl From<ProtocolError> for Error {
    fn from(error: ProtocolError) -> Error {
        Error::protocol(error)
    }
}

impl From<UsageError> for Error {
    fn from(error: UsageError) -> Error {
        Error::usage(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_small_and_crosses_threads() {
        fn crosses<T: Send + Sync + 'static>() {}
        crosses::<Error>();
        assert_eq!(std::mem::size_of::<Error>(), std::mem::size_of::<usize>());
        assert!(std::mem::size_of::<Result<(), Error>>() == std::mem::size_of::<usize>());
    }

    #[test]
    fn says_what_happened_and_why() {
        let cause = Error::connection_lost("the connection was lost while COMMIT was in flight");
        let error = Error::ambiguous_commit("the outcome of COMMIT is not known", cause);
        assert_eq!(
            error.to_string(),
            "the outcome of COMMIT is not known: the connection was lost while COMMIT was in flight"
        );
        assert!(error.is_ambiguous() && error.is_connection_lost() && !error.is_retryable());
        let given_up = Error::retries_exhausted(3, Duration::from_millis(1500), error);
        assert!(given_up.to_string().starts_with("gave up after 3 attempts in 1.500 s: "));
        assert!(given_up.last_attempt().is_some_and(Error::is_ambiguous));
    }

    #[test]
    fn knows_when_nothing_was_sent() {
        assert!(Error::config("x").nothing_was_sent());
        assert!(Error::closed().nothing_was_sent());
        assert!(!Error::connection_lost("x").nothing_was_sent());
    }
}
