//! A socket with its two buffers.

use std::io;

use bytes::{Buf, BytesMut};
use kecoa_proto::frame::{Frame, FrameDecoder, Limits};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Output beyond this many bytes is written before more is produced.
pub(super) const HIGH_WATER: usize = 64 * 1024;

/// The longest message a client may send, in bytes: CockroachDB's default for
/// `sql.conn.max_read_buffer_message_size`.
pub(super) const CLIENT_MESSAGE: usize = 16 << 20;

/// The longest message of one that has not said its password, as PostgreSQL's limit.
pub(super) const STRANGERS_MESSAGE: usize = 65_535;

/// One peer: what was read and not yet taken, what is to be written.
#[derive(Debug)]
pub(super) struct Stream<R, W> {
    reader: R,
    writer: W,
    pub(super) input: BytesMut,
    pub(super) output: BytesMut,
    decoder: FrameDecoder,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Stream<R, W> {
    /// A stream that holds messages to `longest` bytes.
    pub(super) fn new(reader: R, writer: W, longest: usize) -> Self {
        let mut limits = Limits::default();
        limits.message = longest;
        Self {
            reader,
            writer,
            input: BytesMut::new(),
            output: BytesMut::new(),
            decoder: FrameDecoder::new(limits),
        }
    }

    /// Holds messages to another length from here on.
    pub(super) fn hold_to(&mut self, longest: usize) {
        let mut limits = Limits::default();
        limits.message = longest;
        self.decoder = FrameDecoder::new(limits);
    }

    /// Moves the rows (or COPY data) at the head of the input to `out` as they are; most of what a
    /// server sends needs no look inside.
    pub(super) fn take_rows(&mut self, out: &mut BytesMut) {
        let mut length = 0;
        while let Some((header, _)) =
            self.input.get(length..).and_then(|rest| rest.split_first_chunk::<5>())
            && length < HIGH_WATER
        {
            let &[tag, a, b, c, d] = header;
            let claimed = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
            let next = length.saturating_add(claimed).saturating_add(1);
            if !matches!(tag, b'D' | b'd') || claimed < 4 || next > self.input.len() {
                break;
            }
            length = next;
        }
        if let Some(rows) = self.input.get(..length) {
            out.extend_from_slice(rows);
        }
        self.input.advance(length);
    }

    /// Takes the next message, if it has arrived.
    pub(super) fn frame(&mut self) -> io::Result<Option<Frame>> {
        self.decoder.decode(&mut self.input).map_err(io::Error::other)
    }

    /// Reads once; `UnexpectedEof` at the end. Losing the future loses nothing.
    pub(super) async fn read(&mut self) -> io::Result<()> {
        self.input.reserve(self.decoder.read_hint(&self.input).max(32 * 1024));
        match self.reader.read_buf(&mut self.input).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Writes once. Losing the future loses nothing.
    pub(super) async fn write(&mut self) -> io::Result<()> {
        let written = self.writer.write(&self.output).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.output.advance(written);
        Ok(())
    }

    /// Writes everything.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        while !self.output.is_empty() {
            self.write().await?;
        }
        Ok(())
    }

    /// Reads and writes at once: returns after some progress of either. Writing only when there is
    /// output.
    pub(super) async fn exchange(&mut self) -> io::Result<()> {
        if self.output.is_empty() {
            return self.read().await;
        }
        self.input.reserve(32 * 1024);
        tokio::select! {
            read = self.reader.read_buf(&mut self.input) => match read? {
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                _ => Ok(()),
            },
            written = self.writer.write(&self.output) => {
                let written = written?;
                if written == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                self.output.advance(written);
                Ok(())
            }
        }
    }

    /// [`exchange`](Self::exchange), or without `read` only writing; then it waits for ever when
    /// there is no output.
    pub(super) async fn pass(&mut self, read: bool) -> io::Result<()> {
        if read {
            self.exchange().await
        } else if self.output.is_empty() {
            std::future::pending().await
        } else {
            self.write().await
        }
    }

    /// Appends a message as it was framed.
    pub(super) fn put(&mut self, frame: &Frame) {
        put(&mut self.output, frame.tag, &frame.body);
    }
}

/// Appends a message: tag, length, body.
pub(super) fn put(out: &mut BytesMut, tag: u8, body: &[u8]) {
    put_parts(out, tag, &[body]);
}

/// Appends a message whose body comes in parts.
pub(super) fn put_parts(out: &mut BytesMut, tag: u8, parts: &[&[u8]]) {
    use bytes::BufMut;
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
