//! Finds messages in a client's bytes.

use bytes::{Buf as _, Bytes, BytesMut};
use kecoa_server::buffered::Decoder;

use super::compression::Compressor;
use super::framing_error::{FramingError, MAX_MESSAGE_LENGTH};
use super::incoming::Incoming;
use super::request::Envelope;
use super::take::{take_i32, take_u8};
use super::{HEADER_LENGTH, message, opcode, query};

/// So much is reserved at once for a message of which little has arrived, in bytes.
const READ_AHEAD: usize = 64 * 1024;

/// Finds messages in a client's bytes, which may be cut anywhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frames;

impl Decoder for Frames {
    type Message = Incoming;
    type Error = FramingError;

    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Incoming>, FramingError> {
        let Some(length) = length_at_head(input)? else { return Ok(None) };
        if input.len() < length {
            return Ok(None);
        }
        read(input.split_to(length).freeze()).map(Some)
    }

    fn read_hint(&self, input: &BytesMut) -> usize {
        match length_at_head(input) {
            // Room grows with what has arrived: a length alone costs its sender nothing.
            Ok(Some(length)) => {
                length.saturating_sub(input.len()).clamp(1, input.len().max(READ_AHEAD))
            }
            Ok(None) => HEADER_LENGTH.saturating_sub(input.len()).max(1),
            Err(_) => 1,
        }
    }
}

/// The length of the message that begins here, once its first four bytes are there.
fn length_at_head(input: &[u8]) -> Result<Option<usize>, FramingError> {
    let Some(bytes) = input.first_chunk() else { return Ok(None) };
    let found = i32::from_le_bytes(*bytes);
    match usize::try_from(found) {
        Ok(length) if (HEADER_LENGTH..=MAX_MESSAGE_LENGTH).contains(&length) => Ok(Some(length)),
        _ => Err(FramingError::Length { found }),
    }
}

/// A whole message, its header included.
fn read(frame: Bytes) -> Result<Incoming, FramingError> {
    let mut rest = frame.clone();
    rest.advance(4);
    let id = take_i32(&mut rest, "a request id")?;
    take_i32(&mut rest, "the id that is answered")?;
    let opcode = take_i32(&mut rest, "an opcode")?;
    let envelope = Envelope { id, is_reply_expected: true, ..Envelope::default() };
    if opcode != opcode::COMPRESSED {
        return read_plain(opcode, envelope, rest, Some(&frame));
    }
    let opcode = take_i32(&mut rest, "the opcode of a compressed message")?;
    let found = take_i32(&mut rest, "the length of a compressed message")?;
    let id = take_u8(&mut rest, "a compressor")?;
    let length = usize::try_from(found)
        .ok()
        .filter(|length| *length <= MAX_MESSAGE_LENGTH - HEADER_LENGTH)
        .ok_or(FramingError::PlainLength { found })?;
    let compressor = Compressor::with_id(id).ok_or(FramingError::Compressor { found: id })?;
    let plain = compressor.decompress(&rest, length)?;
    let envelope = Envelope { compressor: Some(compressor), ..envelope };
    read_plain(opcode, envelope, plain.into(), None)
}

/// `rest` is the message behind its header. `frame` is the whole, if it came so.
fn read_plain(
    opcode: i32,
    envelope: Envelope,
    rest: Bytes,
    frame: Option<&[u8]>,
) -> Result<Incoming, FramingError> {
    match opcode {
        opcode::MSG => message::read(envelope, rest, frame),
        opcode::QUERY => query::read(envelope, rest),
        opcode::GET_MORE => Ok(Incoming::Refused(query::refuse(envelope, "OP_GET_MORE"))),
        found => Err(FramingError::Opcode { found }),
    }
}
