//! Why a place could not be connected to, in the words that libpq has for it: people search for
//! them, and SQLAlchemy tells a lost connection by them.

use std::io;

use kecoa_proto::{HandshakeError, ServerError};

use super::address::{Address, reason};
use super::deadline::{self, Deadline};
use super::wait::Stop;
use crate::config::Target;
use crate::error::{Error, ErrorKind};

/// What to do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Another address or host may do better.
    Elsewhere,
    GiveUp,
}

#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) next: Next,
}

impl Failure {
    pub(super) fn elsewhere(error: Error) -> Failure {
        Failure { error, next: Next::Elsewhere }
    }

    pub(super) fn give_up(error: Error) -> Failure {
        Failure { error, next: Next::GiveUp }
    }
}

impl Stop {
    /// The failure of a wait that ended.
    pub(super) fn into_failure(self, place: &Place<'_>) -> Failure {
        match self {
            Stop::Io(error) => Failure::elsewhere(place.io(&error)),
            Stop::TimedOut(limit) if limit.option == deadline::TOTAL => {
                Failure::give_up(place.timeout(limit))
            }
            Stop::TimedOut(limit) => Failure::elsewhere(place.timeout(limit)),
            Stop::Interrupted => {
                Failure::give_up(Error::interrupted("interrupted while connecting"))
            }
        }
    }
}

/// One address of one target, for messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) target: &'a Target,
    pub(super) address: &'a Address,
}

impl Place<'_> {
    /// `connection to server at "db.example" (192.0.2.1), port 26257 failed: …`
    pub(super) fn failed(&self, why: &str) -> String {
        let Target { host, port, .. } = self.target;
        match self.address {
            Address::Unix(path) => {
                format!("connection to server on socket \"{path}\" failed: {why}")
            }
            Address::Tcp(address) => {
                let ip = address.ip().to_string();
                if host.is_empty() || *host == ip {
                    format!("connection to server at \"{ip}\", port {port} failed: {why}")
                } else {
                    format!("connection to server at \"{host}\" ({ip}), port {port} failed: {why}")
                }
            }
        }
    }

    pub(super) fn timeout(&self, limit: Deadline) -> Error {
        let Deadline { option, allows, .. } = limit;
        // Limits are whole seconds, except in tests.
        let allows = allows.as_secs_f64();
        Error::timeout(self.failed(&format!("timeout expired ({option} is {allows} s)")))
    }

    pub(super) fn io(&self, error: &io::Error) -> Error {
        use io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, NotFound,
            UnexpectedEof,
        };
        let reason = reason(error);
        let message = match (error.kind(), self.address) {
            (UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe, _) => {
                return self.closed();
            }
            (ConnectionRefused | NotFound, Address::Unix(_)) => format!(
                "{reason}\n\tIs the server running locally and accepting connections on that socket?"
            ),
            (ConnectionRefused, Address::Tcp(_)) => format!(
                "{reason}\n\tIs the server running on that host and accepting TCP/IP connections?"
            ),
            _ => reason,
        };
        Error::connect(self.failed(&message))
    }

    /// The server hung up before the handshake was over.
    pub(super) fn closed(&self) -> Error {
        Error::connect(self.failed(
            "server closed the connection unexpectedly\n\
             \tThis probably means the server terminated abnormally\n\
             \tbefore or while processing the request.",
        ))
    }

    /// A handshake that failed. `received` is the beginning of what the server has sent.
    pub(super) fn handshake(&self, error: HandshakeError, received: &[u8]) -> Failure {
        let message = error.to_string();
        match error {
            HandshakeError::Server(error) => {
                let next = after_refusal(error.sqlstate().as_str());
                let message = self.failed(&as_libpq_shows(&error));
                Failure { error: Error::refused(message, error), next }
            }
            HandshakeError::PasswordMissing { .. } => Failure::give_up(Error::authentication(
                self.failed(&format!("fe_sendauth: no password supplied ({message})")),
            )),
            HandshakeError::UnsupportedAuthentication { .. }
            | HandshakeError::MethodNotAllowed { .. }
            | HandshakeError::Scram { .. }
            | HandshakeError::TooManyIterations { .. } => {
                Failure::give_up(Error::authentication(self.failed(&message)))
            }
            _ => Failure::elsewhere(match not_postgres(received) {
                Some(found) => Error::connect(self.failed(&format!(
                    "expected a PostgreSQL or CockroachDB server, found one that sent {found}\n\
                     HINT: check the port"
                ))),
                None => Error::connect(self.failed(&message)),
            }),
        }
    }
}

/// A server's report in libpq's words at its default verbosity.
fn as_libpq_shows(error: &ServerError) -> String {
    let mut text = format!("{}:  {}", error.localized_severity(), error.message());
    for (name, part) in [("DETAIL", error.detail()), ("HINT", error.hint())] {
        if let Some(part) = part {
            text.push_str(&format!("\n{name}:  {part}"));
        }
    }
    text
}

/// A server that starts up, drains, is full or cannot route leaves the others to be asked; one that
/// knows us and says no does not.
fn after_refusal(sqlstate: &str) -> Next {
    match sqlstate {
        "57P03" | "57P01" | "53300" => Next::Elsewhere,
        _ if sqlstate.starts_with("08") => Next::Elsewhere,
        _ => Next::GiveUp,
    }
}

/// What a server that does not speak the protocol sent, if that can be told.
fn not_postgres(received: &[u8]) -> Option<String> {
    let line = received.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let readable = line.len() >= 4 && line.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
    if readable {
        let line = String::from_utf8_lossy(line);
        return Some(match speaker(&line) {
            Some(speaker) => format!("\"{line}\", as {speaker} would"),
            None => format!("\"{line}\""),
        });
    }
    match received {
        // Version 10 of its protocol, and behind it its own version; or an error number of MySQL's.
        [_, _, _, 0, 0x0a, b'0'..=b'9', ..] | [_, _, _, 0, 0xff, _, 0x03..=0x0f, ..] => {
            Some("the greeting of a MySQL server".to_owned())
        }
        [0x15, 3, ..] => Some("a TLS alert: it expects TLS from the first byte".to_owned()),
        [0x16, 3, ..] => Some("the beginning of a TLS handshake".to_owned()),
        _ => None,
    }
}

/// Who is known to begin a line of text like this.
fn speaker(line: &str) -> Option<&'static str> {
    const SPEAKERS: [(&str, &str); 9] = [
        ("HTTP/", "an HTTP server"),
        ("<", "an HTTP server"),
        ("SSH-", "an SSH server"),
        ("220", "an SMTP or FTP server"),
        ("-ERR", "a Redis or POP3 server"),
        ("-DENIED", "a Redis server"),
        ("+OK", "a POP3 server"),
        ("* OK", "an IMAP server"),
        ("ERROR", "a memcached server"),
    ];
    SPEAKERS.iter().find(|(start, _)| line.starts_with(start)).map(|(_, speaker)| *speaker)
}

/// The failures of all places that were tried.
#[derive(Debug, Default)]
pub(super) struct Failures(Vec<Error>);

impl Failures {
    pub(super) fn add(&mut self, error: Error) {
        self.0.push(error);
    }

    /// Adds a failure that leaves something to be tried; gives one back that does not, with those
    /// before it.
    pub(super) fn take(&mut self, failure: Failure) -> Result<(), Error> {
        self.add(failure.error);
        match failure.next {
            Next::Elsewhere => Ok(()),
            Next::GiveUp => Err(std::mem::take(self).into_error()),
        }
    }

    /// One error as it is, several as one with a line for each.
    pub(super) fn into_error(mut self) -> Error {
        let Some(last) = self.0.pop() else {
            return Error::config("no host to connect to");
        };
        // What has a cause of its own is about files of ours, not about a place.
        if self.0.is_empty()
            || last.kind() == ErrorKind::Interrupted
            || std::error::Error::source(&last).is_some()
        {
            return last;
        }
        let lines: Vec<String> = self.0.iter().chain([&last]).map(Error::to_string).collect();
        last.with_message(lines.join("\n"))
    }
}
