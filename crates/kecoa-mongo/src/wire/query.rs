//! OP_QUERY, of which only the first hello of a connection is left.

use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf};
use bson::raw::cstr;
use bytes::Bytes;

use super::framing_error::FramingError;
use super::incoming::{Incoming, Refused};
use super::reply::Reply;
use super::request::{Envelope, Kind, Request};
use super::take::{take_counted, take_i32, take_text};
use crate::bson::validate::{Limits, validate};
use crate::error::{Code, Error};

/// The commands that may come so.
const COMMANDS: [&str; 3] = ["hello", "isMaster", "ismaster"];

/// Reads what follows the header.
pub(super) fn read(envelope: Envelope, mut rest: Bytes) -> Result<Incoming, FramingError> {
    let envelope = Envelope { kind: Kind::Query, ..envelope };
    take_i32(&mut rest, "the flags of OP_QUERY")?;
    let Some(namespace) = take_text(&mut rest) else {
        return Err(FramingError::Truncated { expected: "a collection's full name in UTF-8" });
    };
    take_i32(&mut rest, "numberToSkip")?;
    take_i32(&mut rest, "numberToReturn")?;
    // A document that selects fields may follow.
    let document = take_counted(&mut rest)
        .ok_or(FramingError::Truncated { expected: "a document of at least 5 bytes" })?;
    let body = match validate(&document, Limits::MESSAGE) {
        Ok(document) => unwrapped(document),
        Err(invalid) => {
            let error = Error::new(Code::location(invalid.code()), invalid.to_string());
            return Ok(refused(envelope, &error));
        }
    };
    let Some(database) = namespace.strip_suffix(".$cmd") else {
        return Ok(Incoming::Refused(refuse(envelope, "OP_QUERY")));
    };
    let name = body.iter_elements().next().and_then(Result::ok);
    let name = name.as_ref().map_or("", |field| field.key().as_str());
    if !COMMANDS.contains(&name) {
        let message = format!(
            "Unsupported OP_QUERY command: {name}. The client driver may require an upgrade."
        );
        return Ok(refused(envelope, &Error::new(Code::UNSUPPORTED_OP_QUERY_COMMAND, message)));
    }
    let body = with_database(body, database).into_bytes();
    Ok(Incoming::Request(Request::from_parts(envelope, body.into(), Vec::new())))
}

/// The answer to a kind of message that is left no more.
pub(super) fn refuse(envelope: Envelope, opcode: &str) -> Refused {
    let envelope = Envelope { kind: Kind::Query, ..envelope };
    let message =
        format!("{opcode} is no longer supported. The client driver may require an upgrade.");
    let error = Error::new(Code::UNSUPPORTED_OP_QUERY_COMMAND, message);
    Refused { envelope, reply: Reply::failed_query(&error) }
}

fn refused(envelope: Envelope, error: &Error) -> Incoming {
    Incoming::Refused(Refused { envelope, reply: Reply::failed_query(error) })
}

/// The command itself, which may stand in `$query` beside a read preference.
fn unwrapped(document: &RawDocument) -> &RawDocument {
    for name in ["$query", "query"] {
        let first = document.iter_elements().next().and_then(Result::ok);
        if first.is_some_and(|field| field.key().as_str() == name)
            && let Ok(Some(RawBsonRef::Document(inner))) = document.get(name)
        {
            return inner;
        }
    }
    document
}

/// The command with the database that the message is for, as one that comes by OP_MSG has it.
fn with_database(body: &RawDocument, database: &str) -> RawDocumentBuf {
    let mut command = RawDocumentBuf::new();
    for (name, value) in body.iter().flatten().filter(|(name, _)| name.as_str() != "$db") {
        command.append(name, value);
    }
    command.append(cstr!("$db"), database);
    command
}
