//! Errors: a value that cannot be decoded or encoded.

use std::borrow::Cow;
use std::fmt;

/// At most this many bytes of a refused value are quoted in an error.
const FOUND_LIMIT: usize = 64;

/// Bytes that are not a value of the type they are declared to be.
///
/// The message names what was expected and quotes a bounded part of what was found:
/// `expected a date as YYYY-MM-DD[ BC], found "2024-13"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError(Box<Parts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    expected: Cow<'static, str>,
    found: String,
}

impl DecodeError {
    /// An error from what was expected and a description of what was found.
    #[cold]
    pub fn new(expected: impl Into<Cow<'static, str>>, found: impl Into<String>) -> Self {
        Self(Box::new(Parts { expected: expected.into(), found: found.into() }))
    }

    /// An error about a value in text form; at most 64 bytes of it are quoted.
    #[cold]
    pub fn text(expected: impl Into<Cow<'static, str>>, found: &[u8]) -> Self {
        let shown = found.get(..FOUND_LIMIT).unwrap_or(found);
        let more = if shown.len() < found.len() { "…" } else { "" };
        let lossy = String::from_utf8_lossy(shown);
        Self::new(expected, format!("\"{}{more}\"", lossy.escape_debug()))
    }

    /// An error about a value in binary form; at most 32 bytes of it are shown in hexadecimal.
    #[cold]
    pub fn binary(expected: impl Into<Cow<'static, str>>, found: &[u8]) -> Self {
        let mut text = match found.len() {
            0 => "no bytes".to_owned(),
            1 => "1 byte: ".to_owned(),
            n => format!("{n} bytes: "),
        };
        for byte in found.iter().take(FOUND_LIMIT / 2) {
            text.push_str(&format!("{byte:02x}"));
        }
        if found.len() > FOUND_LIMIT / 2 {
            text.push('…');
        }
        Self::new(expected, text)
    }

    /// What would have been right.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// What was there instead, bounded in length.
    #[must_use]
    pub fn found(&self) -> &str {
        &self.0.found
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {}", self.0.expected, self.0.found)
    }
}

impl std::error::Error for DecodeError {}

impl From<RangeError> for DecodeError {
    fn from(error: RangeError) -> Self {
        Self::new(error.expected, error.found.to_string())
    }
}

/// A number outside the limits PostgreSQL sets for the type it was meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found}")]
pub struct RangeError {
    expected: &'static str,
    found: i64,
}

impl RangeError {
    #[cold]
    pub(crate) fn new(expected: &'static str, found: impl Into<i64>) -> Self {
        Self { expected, found: found.into() }
    }

    /// The limits, in words.
    #[must_use]
    pub fn expected(&self) -> &'static str {
        self.expected
    }

    /// The number outside them.
    #[must_use]
    pub fn found(&self) -> i64 {
        self.found
    }
}

/// A value that cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The value is longer than the protocol's 32-bit lengths can count.
    #[error("expected {expected}, found {found} bytes")]
    TooLong {
        /// The limit, in words.
        expected: &'static str,
        /// The length, bytes.
        found: usize,
    },
    /// The value is outside the limits of the type on the server.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// Text for PostgreSQL cannot hold the character U+0000.
    #[error("expected text without NUL (0x00) characters, found one at byte {position}")]
    Nul {
        /// Where the first one is, bytes from the start.
        position: usize,
    },
    /// A value of the caller's own type refused to be encoded.
    #[error("{0}")]
    Other(String),
}
