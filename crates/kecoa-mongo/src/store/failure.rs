//! What the database failed with, as MongoDB's errors.

use kecoa::ErrorKind;

use crate::error::{Code, Error, Label};

/// Why a statement failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// A key is there already: nothing was done.
    Duplicate(Duplicate),
    /// It may have been done, or not.
    Ambiguous(Error),
    /// What was read is more than a connection takes.
    TooLarge,
    /// Nothing was done.
    Other(Error),
}

/// A key that is there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Duplicate {
    /// A document's.
    Document(Vec<u8>),
    /// One in a unique index of this number.
    Unique(i32, Vec<u8>),
    /// A record of a write.
    Record,
    /// A collection's name, or something else.
    Other,
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Ambiguous(error) | Failed::Other(error) => error,
            Failed::TooLarge => unexpected("more than was expected"),
            Failed::Duplicate(_) => Self::new(Code::DUPLICATE_KEY, "E11000 duplicate key error"),
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// A failure of a statement outside of transactions.
pub(super) fn alone(error: &kecoa::Error) -> Failed {
    classify(error, false)
}

/// A failure of a statement inside a transaction that is not its COMMIT.
pub(super) fn within(error: &kecoa::Error) -> Failed {
    match classify(error, true) {
        Failed::Other(error) if is_transient(error.code()) => {
            Failed::Other(error.with_label(Label::TransientTransactionError))
        }
        failed => failed,
    }
}

fn classify(error: &kecoa::Error, inside: bool) -> Failed {
    if error.is_ambiguous() && !inside {
        let message = format!("the write may have been done, its answer was lost: {error}");
        return Failed::Ambiguous(Error::new(Code::SHUTDOWN_IN_PROGRESS, message));
    }
    if error.kind() == ErrorKind::ResultTooLarge {
        return Failed::TooLarge;
    }
    if error.sqlstate() == Some("23505") {
        return Failed::Duplicate(duplicate(error));
    }
    Failed::Other(other(error))
}

fn other(error: &kecoa::Error) -> Error {
    let code = match (error.kind(), error.sqlstate()) {
        (_, Some("40001" | "40P01" | "55P03")) => Code::WRITE_CONFLICT,
        (_, Some("53300")) => return overloaded(&error.to_string()),
        (_, Some("57014")) => Code::MAX_TIME_MS_EXPIRED,
        (_, Some(state)) if state.starts_with("57P") || state.starts_with("08") => {
            Code::SHUTDOWN_IN_PROGRESS
        }
        (_, Some("42501")) => Code::UNAUTHORIZED,
        (ErrorKind::RetriesExhausted { .. }, _) => Code::WRITE_CONFLICT,
        (ErrorKind::Timeout, None) if error.nothing_was_sent() => {
            return overloaded(&error.to_string());
        }
        (ErrorKind::Connect | ErrorKind::Tls | ErrorKind::Authentication, _) => {
            Code::HOST_UNREACHABLE
        }
        _ if error.is_connection_lost() => Code::SHUTDOWN_IN_PROGRESS,
        (ErrorKind::Timeout, _) => Code::HOST_UNREACHABLE,
        _ => Code::INTERNAL_ERROR,
    };
    let message = match code {
        Code::WRITE_CONFLICT => {
            format!("Write conflict during plan execution and yielding is disabled: {error}")
        }
        Code::MAX_TIME_MS_EXPIRED => "operation exceeded time limit".to_owned(),
        _ => format!("the database: {error}"),
    };
    Error::new(code, message)
}

/// Too much is going on; nothing was begun.
pub(super) fn overloaded(message: &str) -> Error {
    Error::new(Code::INGRESS_REQUEST_RATE_LIMIT_EXCEEDED, message)
        .with_label(Label::SystemOverloadedError)
        .with_label(Label::RetryableError)
}

/// The deadline has passed.
pub(super) fn expired() -> Error {
    Error::new(Code::MAX_TIME_MS_EXPIRED, "operation exceeded time limit")
}

/// The database answered something that it should not.
pub(super) fn unexpected(what: &str) -> Error {
    Error::new(Code::INTERNAL_ERROR, format!("the database's answer: {what}"))
}

/// A value of a row.
pub(super) fn read<T: kecoa::types::FromSql>(row: &kecoa::Row, column: usize) -> Result<T, Error> {
    row.get(column).map_err(|error| unexpected(&error.to_string()))
}

fn is_transient(code: Code) -> bool {
    matches!(
        code,
        Code::WRITE_CONFLICT
            | Code::LOCK_TIMEOUT
            | Code::SHUTDOWN_IN_PROGRESS
            | Code::HOST_UNREACHABLE
    )
}

/// Which key is there already: the server says so in its detail, `Key (coll, id_key)=(1, \x02) already exists.`
fn duplicate(error: &kecoa::Error) -> Duplicate {
    let detail = error.server().and_then(|server| server.detail()).unwrap_or_default();
    parse_detail(&detail).unwrap_or(Duplicate::Other)
}

fn parse_detail(detail: &str) -> Option<Duplicate> {
    let (columns, rest) = detail.strip_prefix("Key (")?.split_once(")=(")?;
    let values = rest.split_once(')')?.0;
    let mut values = values.split(", ").map(|value| value.trim_matches('\''));
    match columns {
        "coll, id_key" => Some(Duplicate::Document(hex(values.nth(1)?)?)),
        "coll, idx, key" => {
            let number = values.nth(1)?.parse().ok()?;
            Some(Duplicate::Unique(number, hex(values.next()?)?))
        }
        "lsid, txn, stmt" => Some(Duplicate::Record),
        _ => None,
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    let nibble =
        |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_that_is_there_is_read_from_the_servers_detail() {
        for (detail, expected) in [
            (
                "Key (coll, id_key)=(5, \\x20ff) already exists.",
                Some(Duplicate::Document(vec![0x20, 0xff])),
            ),
            (
                "Key (coll, idx, key)=(5, 3, '\\x01') already exists.",
                Some(Duplicate::Unique(3, vec![1])),
            ),
            ("Key (lsid, txn, stmt)=(\\x01, 1, 0) already exists.", Some(Duplicate::Record)),
            ("Key (db, name)=(a, b) already exists.", None),
            ("Key (coll, id_key)=(5, \\x2) already exists.", None),
            ("", None),
        ] {
            assert_eq!(parse_detail(detail), expected, "{detail}");
        }
    }
}
