//! OP_MSG: flags, sections, checksum.

use std::collections::HashSet;

use bytes::{Buf as _, Bytes};

use super::flag;
use super::framing_error::FramingError;
use super::incoming::{Incoming, Refused};
use super::reply::Reply;
use super::request::{Envelope, Request, Sequence};
use super::take::{take_counted, take_i32, take_text};
use crate::bson::validate::{InvalidDocument, Limits, validate};
use crate::error::{Code, Error};

/// The lists of documents that a message may have. No command has more than two.
const MAX_SEQUENCES: usize = 8;

/// Reads what follows the header. `frame` is the whole message for the checksum; a message that was compressed
/// has none.
pub(super) fn read(
    mut envelope: Envelope,
    mut rest: Bytes,
    frame: Option<&[u8]>,
) -> Result<Incoming, FramingError> {
    let flags = take_i32(&mut rest, "the flags of OP_MSG")?.cast_unsigned();
    if flags & flag::MANDATORY & !(flag::CHECKSUM | flag::MORE_TO_COME) != 0 {
        return Err(FramingError::Flags { found: flags });
    }
    envelope.is_reply_expected = flags & flag::MORE_TO_COME == 0;
    envelope.is_exhaust_allowed = flags & flag::EXHAUST_ALLOWED != 0;
    if flags & flag::CHECKSUM != 0 {
        take_checksum(&mut rest, frame)?;
    }
    match read_sections(rest) {
        Ok((body, sequences)) => {
            Ok(Incoming::Request(Request::from_parts(envelope, body, sequences)))
        }
        Err(Wrong::Connection(error)) => Err(error),
        Err(Wrong::Message(error)) => {
            Ok(Incoming::Refused(Refused { envelope, reply: Reply::error(&error) }))
        }
    }
}

/// What a wrong message ends.
enum Wrong {
    Connection(FramingError),
    Message(Error),
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self::Message(error)
    }
}

fn take_checksum(rest: &mut Bytes, frame: Option<&[u8]>) -> Result<(), FramingError> {
    let truncated = FramingError::Truncated { expected: "a checksum" };
    let Some((before, sum)) = rest.split_last_chunk() else { return Err(truncated) };
    let (length, found) = (before.len(), u32::from_le_bytes(*sum));
    if let Some((summed, _)) = frame.and_then(|frame| frame.split_last_chunk::<4>()) {
        let expected = crc32c::crc32c(summed);
        if expected != found {
            return Err(FramingError::Checksum { expected, found });
        }
    }
    rest.truncate(length);
    Ok(())
}

fn read_sections(mut rest: Bytes) -> Result<(Bytes, Vec<Sequence>), Wrong> {
    let mut body = None;
    let mut sequences: Vec<Sequence> = Vec::new();
    while let Some(kind) = rest.first().copied() {
        rest.advance(1);
        match kind {
            0 if body.is_some() => {
                return Err(Error::location(40430, "Multiple body sections in message").into());
            }
            0 => {
                let document = take_document(&mut rest)?;
                validate(&document, Limits::MESSAGE).map_err(invalid)?;
                body = Some(document);
            }
            1 => {
                if sequences.len() == MAX_SEQUENCES {
                    return Err(Wrong::Connection(FramingError::Sequences { most: MAX_SEQUENCES }));
                }
                let sequence = take_sequence(&mut rest)?;
                if sequences.iter().any(|other| other.name() == sequence.name()) {
                    let message = format!("Duplicate document sequence: {}", sequence.name());
                    return Err(Error::location(40431, message).into());
                }
                sequences.push(sequence);
            }
            other => {
                let message = format!("Unknown section kind {other}");
                return Err(Error::location(40432, message).into());
            }
        }
    }
    let body = body.ok_or_else(|| Error::location(40587, "OP_MSG messages must have a body"))?;
    check_names(&body, &sequences)?;
    Ok((body, sequences))
}

/// A list of documents must not be a field of the body, too.
fn check_names(body: &[u8], sequences: &[Sequence]) -> Result<(), Error> {
    if sequences.is_empty() {
        return Ok(());
    }
    let names: HashSet<&str> = sequences.iter().map(Sequence::name).collect();
    let document = ::bson::RawDocument::from_bytes(body).map_err(|_| malformed("a document"))?;
    for field in document.iter_elements().flatten() {
        let name = field.key().as_str();
        if names.contains(name) {
            let message = format!("Duplicate field between body and document sequence {name}");
            return Err(Error::location(40433, message));
        }
    }
    Ok(())
}

fn take_sequence(rest: &mut Bytes) -> Result<Sequence, Error> {
    let mut section = take_counted(rest).ok_or_else(|| {
        malformed("a document sequence of at least 5 bytes that ends within the message")
    })?;
    section.advance(4);
    let name = take_text(&mut section).ok_or_else(|| {
        malformed("the name of a document sequence in UTF-8 that ends with a zero")
    })?;
    let documents = section.clone();
    let (mut ends, mut is_storable) = (Vec::new(), true);
    while !section.is_empty() {
        let document = take_document(&mut section)?;
        if validate(&document, Limits::DOCUMENT).is_err() {
            // Whether a document may be as large as that is the command's to say, for each by itself.
            validate(&document, Limits::MESSAGE).map_err(invalid)?;
            is_storable = false;
        }
        ends.push(documents.len() - section.len());
    }
    Ok(Sequence::new(name, documents, ends, is_storable))
}

fn take_document(rest: &mut Bytes) -> Result<Bytes, Error> {
    take_counted(rest)
        .ok_or_else(|| malformed("a document of at least 5 bytes that ends within its section"))
}

fn invalid(found: InvalidDocument) -> Error {
    Error::new(Code::location(found.code()), found.to_string())
}

fn malformed(expected: &str) -> Error {
    Error::new(Code::INVALID_BSON, format!("expected {expected}"))
}
