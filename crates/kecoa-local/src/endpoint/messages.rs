//! Messages of PostgreSQL's protocol in buffered streams.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kecoa_proto::ProtocolError;
use kecoa_proto::frame::{Frame, FrameDecoder, Limits, MAX_MESSAGE};
use kecoa_server::buffered::{Buffered, Decoder, HIGH_WATER};
use kecoa_server::listener::{Reader, Writer};

use super::dropped::{DROPPED, dropped};

/// The longest message a client may send, in bytes: CockroachDB's default for
/// `sql.conn.max_read_buffer_message_size`.
pub(super) const CLIENT_MESSAGE: usize = 16 << 20;

/// The longest message of a client that has not authenticated, as PostgreSQL's limit.
pub(super) const UNAUTHENTICATED_MESSAGE: usize = 65_535;

/// A stream of messages.
pub(super) type Stream<R, W> = Buffered<R, W, Messages>;

/// The stream to a client.
pub(super) type Client = Stream<Reader, Writer>;

/// Finds messages.
#[derive(Debug)]
pub(super) struct Messages {
    decoder: FrameDecoder,
    /// Of one that is too long, what stands for it, and how many of its bytes are still to come.
    dropping: Option<(Frame, usize)>,
    /// Whether one that is too long is dropped, and not an error.
    drops: bool,
}

impl Messages {
    /// Messages of up to `longest` bytes.
    pub(super) fn up_to(longest: usize) -> Self {
        let mut limits = Limits::default();
        limits.message = longest;
        Self { decoder: FrameDecoder::new(limits), dropping: None, drops: false }
    }

    /// Those of a client that has authenticated: a longer one than it may send is read, and
    /// [`dropped`] stands for it.
    pub(super) fn of_client() -> Self {
        Self { drops: true, ..Self::up_to(CLIENT_MESSAGE) }
    }

    /// The header of a message that is too long, and no nonsense.
    fn begin_to_drop(&mut self, input: &mut BytesMut, length: usize) -> bool {
        let Some(&tag) = input.first().filter(|_| self.drops && length <= MAX_MESSAGE) else {
            return false;
        };
        self.dropping = Some((dropped(tag, length.saturating_sub(4)), length + 1));
        true
    }

    fn drop_some(&mut self, input: &mut BytesMut) -> Option<Frame> {
        let (_, left) = self.dropping.as_mut()?;
        let here = input.len().min(*left);
        input.advance(here);
        *left -= here;
        if *left > 0 {
            return None;
        }
        self.dropping.take().map(|(frame, _)| frame)
    }
}

impl Decoder for Messages {
    type Message = Frame;
    type Error = ProtocolError;

    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Frame>, ProtocolError> {
        if self.dropping.is_none() {
            match self.decoder.decode(input) {
                Ok(Some(frame)) if frame.tag == DROPPED && self.drops => {
                    return Ok(Some(Frame { tag: DROPPED, body: Bytes::new() }));
                }
                Err(ProtocolError::TooLong { length, .. }) if self.begin_to_drop(input, length) => {
                }
                other => return other,
            }
        }
        Ok(self.drop_some(input))
    }

    fn read_hint(&self, input: &BytesMut) -> usize {
        match self.dropping {
            Some(_) => 0,
            None => self.decoder.read_hint(input),
        }
    }
}

/// Moves the rows (or COPY data) at the head of the input to `out` as they are; most of what a
/// server sends needs no look inside.
pub(super) fn take_rows(input: &mut BytesMut, out: &mut BytesMut) {
    let mut length = 0;
    while let Some((header, _)) = input.get(length..).and_then(|rest| rest.split_first_chunk::<5>())
        && length < HIGH_WATER
    {
        let &[tag, a, b, c, d] = header;
        let claimed = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let next = length.saturating_add(claimed).saturating_add(1);
        if !matches!(tag, b'D' | b'd') || claimed < 4 || next > input.len() {
            break;
        }
        length = next;
    }
    if let Some(rows) = input.get(..length) {
        out.extend_from_slice(rows);
    }
    input.advance(length);
}

/// Appends a message as it was framed.
pub(super) fn put_frame(out: &mut BytesMut, frame: &Frame) {
    put(out, frame.tag, &frame.body);
}

/// Appends a message: tag, length, body.
pub(super) fn put(out: &mut BytesMut, tag: u8, body: &[u8]) {
    put_parts(out, tag, &[body]);
}

/// Appends a message whose body comes in parts.
pub(super) fn put_parts(out: &mut BytesMut, tag: u8, parts: &[&[u8]]) {
    let body: usize = parts.iter().map(|part| part.len()).sum();
    // Bodies come from frames, whose length is capped far below.
    let length = u32::try_from(body.saturating_add(4)).unwrap_or(u32::MAX);
    out.reserve(body + 5);
    out.put_u8(tag);
    out.put_u32(length);
    for part in parts {
        out.put_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_too_long_is_dropped_as_it_comes() {
        let mut messages = Messages::of_client();
        let mut input = BytesMut::new();
        let length = CLIENT_MESSAGE + 100;
        input.put_u8(b'Q');
        input.put_u32(u32::try_from(length).unwrap());
        let mut left = length - 4;
        while left > 0 {
            assert_eq!(messages.decode(&mut input).unwrap(), None);
            assert!(input.is_empty());
            let here = left.min(1 << 20);
            input.put_bytes(b'x', here);
            left -= here;
        }
        put(&mut input, b'S', &[]);
        let found = messages.decode(&mut input).unwrap().unwrap();
        assert_eq!(found, dropped(b'Q', length - 4));
        assert_eq!(messages.decode(&mut input).unwrap().unwrap().tag, b'S');
        // Nobody else says so, and what no server could take is nonsense.
        input.put_slice(&[DROPPED, 0, 0, 0, 6, b'Q', 0]);
        assert_eq!(messages.decode(&mut input).unwrap().unwrap().body.len(), 0);
        input.put_slice(b"Q\xff\xff\xff\xff");
        assert!(messages.decode(&mut input).is_err());
    }
}
