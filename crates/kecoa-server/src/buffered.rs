//! A socket with its two buffers, for any protocol made of messages.
//!
//! Reading and writing are steps that can be waited for together with anything else: a future that is
//! dropped loses nothing. A server takes messages by [`message`](Buffered::message), appends answers to
//! [`output`](Buffered::output), and holds both directions to [`HIGH_WATER`]: it writes before it
//! produces more, and does not read while too much input lies there.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Output beyond this many bytes is written before more is produced.
pub const HIGH_WATER: usize = 64 * 1024;

/// So much room is made for reads, in bytes, while much comes.
const READ: usize = 32 * 1024;

/// So much as long as little comes: most of many connections are idle.
const READ_LITTLE: usize = 8 * 1024;

/// With less room than this nothing is read.
const READ_LEAST: usize = 4 * 1024;

/// So many bytes are read at a glance, for which answers of few rows are small enough.
const GLANCE: usize = 4 * 1024;

/// So many bytes an empty buffer keeps: a peer that once sent or got something large does not hold it for ever.
const KEPT: usize = 256 * 1024;

/// Finds messages in a stream of bytes.
pub trait Decoder {
    /// A message.
    type Message;
    /// What is wrong with bytes that are none.
    type Error: Into<Box<dyn std::error::Error + Send + Sync>>;

    /// Takes the message at the head of `input`; `None` while it has not arrived whole. Checks its
    /// length before room is made for it.
    ///
    /// # Errors
    /// When the bytes are no message: the stream is of no use any more.
    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Self::Message>, Self::Error>;

    /// How many more bytes the message at the head of `input` needs, as far as is known.
    fn read_hint(&self, input: &BytesMut) -> usize;
}

/// A socket that can be read at any moment, before the event loop tells that there is something to read.
pub trait Glance {
    /// Reads what has arrived.
    ///
    /// # Errors
    /// The socket's; [`io::ErrorKind::WouldBlock`] when nothing has.
    fn glance(&self, buffer: &mut [u8]) -> io::Result<usize>;
}

/// One peer: what was read and not yet taken, what is to be written.
#[derive(Debug)]
pub struct Buffered<R, W, D> {
    reader: R,
    writer: W,
    /// The last read had much.
    flows: bool,
    /// What was read and not yet taken.
    pub input: BytesMut,
    /// What is to be written.
    pub output: BytesMut,
    /// How messages are found; it may be replaced, when the limits change.
    pub decoder: D,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin, D: Decoder> Buffered<R, W, D> {
    /// Empty buffers in front of a socket.
    pub fn new(reader: R, writer: W, decoder: D) -> Self {
        let (input, output) = (BytesMut::new(), BytesMut::new());
        Self { reader, writer, flows: false, input, output, decoder }
    }

    /// Takes the next message, if it has arrived.
    ///
    /// # Errors
    /// The decoder's, when the bytes are no message.
    pub fn message(&mut self) -> io::Result<Option<D::Message>> {
        self.decoder.decode(&mut self.input).map_err(io::Error::other)
    }

    /// Whether so much input lies there that no more should be read.
    pub fn is_input_full(&self) -> bool {
        self.input.len() >= HIGH_WATER
    }

    /// Whether so much output lies there that it should be written before more is produced.
    pub fn is_output_full(&self) -> bool {
        self.output.len() > HIGH_WATER
    }

    fn make_room(&mut self) {
        release(&mut self.input);
        let wanted = self.decoder.read_hint(&self.input);
        // Where the messages before are still in use, to make room is to make a new buffer.
        let (least, most) = if self.flows { (READ / 2, READ) } else { (READ_LEAST, READ_LITTLE) };
        if self.input.capacity() - self.input.len() < wanted.max(least) {
            self.input.reserve(wanted.max(most));
        }
    }

    fn noted(&mut self, read: usize) -> io::Result<()> {
        self.flows = read >= READ_LEAST;
        if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Reads once; losing the future loses nothing.
    ///
    /// # Errors
    /// The socket's; [`io::ErrorKind::UnexpectedEof`] at the end.
    pub async fn read(&mut self) -> io::Result<()> {
        self.make_room();
        let read = self.reader.read_buf(&mut self.input).await?;
        self.noted(read)
    }

    /// Reads what has arrived, without waiting and without asking the event loop: whether that was anything.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn glance(&mut self) -> io::Result<bool>
    where
        R: Glance,
    {
        let mut bytes = [0; GLANCE];
        match self.reader.glance(&mut bytes) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.make_room();
                self.input.extend_from_slice(bytes.get(..count).unwrap_or_default());
                Ok(true)
            }
            Err(error) if is_pause(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes once; losing the future loses nothing.
    ///
    /// # Errors
    /// The socket's.
    pub async fn write(&mut self) -> io::Result<()> {
        let written = self.writer.write(&self.output).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.output.advance(written);
        Ok(())
    }

    /// Writes what the socket takes without waiting: whether that was everything.
    ///
    /// # Errors
    /// The socket's.
    pub fn write_now(&mut self) -> io::Result<bool> {
        // Nobody waits: whoever does later is noticed then.
        let mut context = Context::from_waker(Waker::noop());
        while !self.output.is_empty() {
            match Pin::new(&mut self.writer).poll_write(&mut context, &self.output) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(written)) => self.output.advance(written),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => return Ok(false),
            }
        }
        release(&mut self.output);
        Ok(true)
    }

    /// Writes everything.
    ///
    /// # Errors
    /// The socket's.
    pub async fn flush(&mut self) -> io::Result<()> {
        while !self.output.is_empty() {
            self.write().await?;
        }
        release(&mut self.output);
        // TLS may hold back what it has taken.
        self.writer.flush().await
    }

    /// Reads and writes at once: returns after some progress of either. Writing only when there is
    /// output.
    ///
    /// # Errors
    /// The socket's; [`io::ErrorKind::UnexpectedEof`] at the end.
    pub async fn exchange(&mut self) -> io::Result<()> {
        if self.output.is_empty() {
            return self.read().await;
        }
        self.make_room();
        tokio::select! {
            read = self.reader.read_buf(&mut self.input) => {
                let read = read?;
                self.noted(read)
            }
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
    ///
    /// # Errors
    /// The socket's.
    pub async fn pass(&mut self, read: bool) -> io::Result<()> {
        if read {
            self.exchange().await
        } else if self.output.is_empty() {
            std::future::pending().await
        } else {
            self.write().await
        }
    }
}

/// Whether nothing has arrived, or a signal came first.
fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// Gives the memory of an empty buffer back, if it is much.
fn release(buffer: &mut BytesMut) {
    if buffer.is_empty() && buffer.capacity() > KEPT {
        *buffer = BytesMut::new();
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, duplex, split};

    use super::*;

    /// Lines of at most eight bytes.
    struct Lines;

    impl Decoder for Lines {
        type Message = Vec<u8>;
        type Error = String;

        fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Vec<u8>>, String> {
            match input.iter().position(|byte| *byte == b'\n') {
                Some(end) if end <= 8 => Ok(Some(input.split_to(end + 1).to_vec())),
                None if input.len() <= 8 => Ok(None),
                _ => Err("expected a line of at most 8 bytes".to_owned()),
            }
        }

        fn read_hint(&self, _input: &BytesMut) -> usize {
            0
        }
    }

    #[tokio::test]
    async fn large_buffers_are_given_back_once_they_are_empty() {
        let (client, server) = duplex(1 << 20);
        let (reader, writer) = split(server);
        let mut server = Buffered::new(reader, writer, Lines);
        server.output.extend_from_slice(&[b'x'; 4 * KEPT]);
        let (mut from, mut to) = split(client);
        let reading = tokio::spawn(async move {
            let mut sink = vec![0; 4 * KEPT];
            from.read_exact(&mut sink).await.unwrap();
        });
        server.flush().await.unwrap();
        reading.await.unwrap();
        assert!(server.output.capacity() <= KEPT);
        server.input.reserve(4 * KEPT);
        to.write_all(b"one\n").await.unwrap();
        server.read().await.unwrap();
        assert!(server.input.capacity() <= KEPT);
        assert_eq!(server.message().unwrap().unwrap(), b"one\n");
    }

    #[tokio::test]
    async fn what_a_socket_takes_is_written_without_waiting() {
        let (mut client, server) = duplex(16);
        let (reader, writer) = split(server);
        let mut server = Buffered::new(reader, writer, Lines);
        server.output.extend_from_slice(b"0123456789");
        assert!(server.write_now().unwrap());
        server.output.extend_from_slice(b"0123456789");
        assert!(!server.write_now().unwrap());
        assert_eq!(server.output.len(), 4);
        let mut read = [0; 16];
        client.read_exact(&mut read).await.unwrap();
        server.flush().await.unwrap();
        client.read_exact(&mut read[..4]).await.unwrap();
        assert_eq!(&read[..4], b"6789");
        drop(client);
        server.output.extend_from_slice(b"x");
        assert!(server.write_now().is_err());
    }

    #[tokio::test]
    async fn messages_come_as_they_arrive_and_the_end_is_an_error() {
        let (client, server) = duplex(64);
        let (reader, writer) = split(server);
        let mut server = Buffered::new(reader, writer, Lines);
        let (mut from, mut to) = split(client);
        to.write_all(b"one\ntw").await.unwrap();
        server.read().await.unwrap();
        assert_eq!(server.message().unwrap().unwrap(), b"one\n");
        assert!(server.message().unwrap().is_none());
        server.output.extend_from_slice(b"hello");
        server.flush().await.unwrap();
        let mut hello = [0; 5];
        from.read_exact(&mut hello).await.unwrap();
        assert_eq!(&hello, b"hello");
        to.write_all(b"o and far too long").await.unwrap();
        server.exchange().await.unwrap();
        assert!(server.message().unwrap_err().to_string().contains("at most 8 bytes"));
        drop((from, to));
        assert_eq!(server.read().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn a_glance_takes_what_is_there_and_the_event_loop_tells_of_the_rest() {
        let (ours, mut theirs) = tokio::net::UnixStream::pair().unwrap();
        let (reader, writer) = ours.into_split();
        let mut server = Buffered::new(reader, writer, Lines);
        assert!(!server.glance().unwrap());
        theirs.write_all(b"one\ntw").await.unwrap();
        assert!(server.glance().unwrap() && !server.glance().unwrap());
        assert_eq!(server.message().unwrap().unwrap(), b"one\n");
        theirs.write_all(b"o\n").await.unwrap();
        server.read().await.unwrap();
        assert_eq!(server.message().unwrap().unwrap(), b"two\n");
        // More than one glance takes.
        theirs.write_all(&[b'x'; GLANCE + 1]).await.unwrap();
        assert!(server.glance().unwrap());
        server.read().await.unwrap();
        assert_eq!(server.input.len(), GLANCE + 1);
        drop(theirs);
        assert_eq!(server.glance().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn the_marks_of_both_directions() {
        let (_client, server) = duplex(64);
        let (reader, writer) = split(server);
        let mut server = Buffered::new(reader, writer, Lines);
        server.output.resize(HIGH_WATER, 0);
        server.input.resize(HIGH_WATER - 1, 0);
        assert!(!server.is_output_full() && !server.is_input_full());
        server.output.extend_from_slice(b"x");
        server.input.extend_from_slice(b"x");
        assert!(server.is_output_full() && server.is_input_full());
    }
}
