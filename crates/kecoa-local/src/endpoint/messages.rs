//! Messages of PostgreSQL's protocol in buffered streams.

use bytes::{Buf, BufMut, BytesMut};
use kecoa_proto::ProtocolError;
use kecoa_proto::frame::{Frame, FrameDecoder, Limits};
use kecoa_server::buffered::{Buffered, Decoder, HIGH_WATER};
use kecoa_server::listener::{Reader, Writer};

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
pub(super) struct Messages(FrameDecoder);

impl Messages {
    /// Messages of up to `longest` bytes.
    pub(super) fn up_to(longest: usize) -> Self {
        let mut limits = Limits::default();
        limits.message = longest;
        Self(FrameDecoder::new(limits))
    }
}

impl Decoder for Messages {
    type Message = Frame;
    type Error = ProtocolError;

    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Frame>, ProtocolError> {
        self.0.decode(input)
    }

    fn read_hint(&self, input: &BytesMut) -> usize {
        self.0.read_hint(input)
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
