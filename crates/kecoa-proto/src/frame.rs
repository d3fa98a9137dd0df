//! Framing: a tag byte, a length that counts itself, a body.

use bytes::{Buf, Bytes, BytesMut};

use crate::error::ProtocolError;

/// The longest message there can be: PostgreSQL allocates no more than 1 GiB - 1 for anything.
pub const MAX_MESSAGE: usize = (1 << 30) - 1;

/// Bytes in front of a frame's body: the tag and the length.
pub const HEADER: usize = 5;

/// The most that [`read_hint`] trusts a length before any of its bytes has arrived.
const MAX_UNSEEN: usize = 64 * 1024;

/// Caps on what the peer may send. Lengths are in bytes, without the tag.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Any message. Default: 1 GiB - 1.
    pub message: usize,
    /// A startup message, as PostgreSQL's `MAX_STARTUP_PACKET_LENGTH`. Default: 10 000.
    pub startup: usize,
    /// An ErrorResponse or NoticeResponse. They can quote whole statements. Default: 64 MiB.
    pub error: usize,
    /// Messages that carry neither rows, copy data, a function's result nor a description.
    /// Default: 1 MiB.
    pub control: usize,
    /// Any message before the server has let the client in. Default: 64 KiB.
    pub handshake: usize,
    /// How many different parameters the server may report. Default: 1 000.
    pub parameters: usize,
    /// How many bytes their names and values may have in all. Default: 1 MiB.
    pub parameter_bytes: usize,
    /// Iterations of a SCRAM exchange. More than 100 000 is refused by the SCRAM code in any case.
    /// Default: 100 000.
    pub scram_iterations: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            message: MAX_MESSAGE,
            startup: 10_000,
            error: 64 << 20,
            control: 1 << 20,
            handshake: 64 << 10,
            parameters: 1_000,
            parameter_bytes: 1 << 20,
            scram_iterations: 100_000,
        }
    }
}

/// One message as it was framed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Which message it is.
    pub tag: u8,
    /// What stands after the length.
    pub body: Bytes,
}

/// What a frame's first five bytes say, checked against a cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) tag: u8,
    /// Bytes of the whole frame, header included.
    pub(crate) total: usize,
}

/// Reads a frame's header. `None` if it has not arrived.
pub(crate) fn header(
    buffer: &[u8],
    cap: impl FnOnce(u8) -> usize,
    name: fn(u8) -> &'static str,
) -> Result<Option<Header>, ProtocolError> {
    let Some(&[tag, a, b, c, d]) = buffer.first_chunk::<HEADER>() else { return Ok(None) };
    let claimed = u32::from_be_bytes([a, b, c, d]);
    let length = usize::try_from(claimed).unwrap_or(usize::MAX);
    if length < 4 {
        return Err(ProtocolError::malformed(
            name(tag),
            "a length of at least 4",
            format!("{claimed}"),
        ));
    }
    let limit = cap(tag);
    if length > limit {
        return Err(ProtocolError::TooLong { message: name(tag), length, limit });
    }
    Ok(Some(Header { tag, total: length + 1 }))
}

/// How many more bytes the frame at the head of `buffer` needs to be complete: a hint for the size of
/// the next read. It grows with what has arrived, never with a mere claim.
pub(crate) fn read_hint(buffer: &[u8]) -> usize {
    let Some(&[_, a, b, c, d]) = buffer.first_chunk::<HEADER>() else {
        return HEADER - buffer.len();
    };
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    let missing = length.saturating_add(1).saturating_sub(buffer.len());
    missing.min(MAX_UNSEEN.max(buffer.len()))
}

/// Takes frames off the front of a buffer, for either side.
#[derive(Clone, Debug)]
pub struct FrameDecoder {
    limits: Limits,
}

impl FrameDecoder {
    /// A decoder that holds every frame to `limits.message`.
    #[must_use]
    pub fn new(limits: Limits) -> FrameDecoder {
        FrameDecoder { limits }
    }

    /// Takes the next frame, without copying its body. `None` if it has not arrived completely; the
    /// buffer is then as it was.
    ///
    /// # Errors
    /// A length below 4 or above the cap.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, ProtocolError> {
        let header = header(buffer, |_| self.limits.message, |_| "framed")?;
        let Some(header) = header else { return Ok(None) };
        if buffer.len() < header.total {
            return Ok(None);
        }
        let mut body = buffer.split_to(header.total).freeze();
        body.advance(HEADER);
        Ok(Some(Frame { tag: header.tag, body }))
    }

    /// A hint for the size of the next read: how many more bytes the frame at the head of `buffer`
    /// needs; never more than 64 KiB or as much again as has arrived, whatever length it claims. 0
    /// if it is complete.
    #[must_use]
    pub fn read_hint(&self, buffer: &BytesMut) -> usize {
        read_hint(buffer)
    }
}
