//! Bytes on their way in one direction.

use std::time::Duration;

use bytes::{BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Output beyond this many bytes is written before more is taken.
const HIGH_WATER: usize = 64 * 1024;
/// So much is read at once.
const READ: usize = 16 * 1024;

/// An end of the pipe that is closed or broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// Nothing comes any more.
    Source,
    /// Nothing is taken any more.
    Sink,
}

/// What was read and not yet looked at; what is to be written.
#[derive(Debug)]
pub(super) struct Pipe<R, W> {
    reader: R,
    writer: W,
    pub(super) input: BytesMut,
    output: BytesMut,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Pipe<R, W> {
    pub(super) fn new(reader: R, writer: W) -> Self {
        Self { reader, writer, input: BytesMut::new(), output: BytesMut::new() }
    }

    /// Writes what is due and reads once.
    pub(super) async fn fill(&mut self) -> Result<(), Gone> {
        self.flush().await?;
        self.input.reserve(READ);
        match self.reader.read_buf(&mut self.input).await {
            Ok(0) | Err(_) => Err(Gone::Source),
            Ok(_) => Ok(()),
        }
    }

    /// Writes what is due.
    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        if !self.output.is_empty() {
            let written = self.writer.write_all(&self.output).await;
            self.output.clear();
            written.map_err(|_| Gone::Sink)?;
        }
        Ok(())
    }

    /// Passes so many bytes on; one by one when they are to be split.
    pub(super) async fn pass(&mut self, mut length: u64, split: bool) -> Result<(), Gone> {
        while length > 0 {
            if self.input.is_empty() {
                self.fill().await?;
            }
            let piece = self.take(length);
            length -= piece.len() as u64;
            self.put(&piece, split).await?;
        }
        Ok(())
    }

    /// Takes so many bytes away.
    pub(super) async fn discard(&mut self, mut length: u64) -> Result<(), Gone> {
        while length > 0 {
            if self.input.is_empty() {
                self.fill().await?;
            }
            length -= self.take(length).len() as u64;
        }
        Ok(())
    }

    fn take(&mut self, at_most: u64) -> BytesMut {
        let length = usize::try_from(at_most).unwrap_or(usize::MAX).min(self.input.len());
        self.input.split_to(length)
    }

    /// Writes these bytes, sooner or later; one by one when they are to be split.
    pub(super) async fn put(&mut self, bytes: &[u8], split: bool) -> Result<(), Gone> {
        if !split {
            self.output.put_slice(bytes);
            return if self.output.len() >= HIGH_WATER { self.flush().await } else { Ok(()) };
        }
        self.flush().await?;
        for byte in bytes {
            self.output.put_u8(*byte);
            self.flush().await?;
            // The reader gets a chance to see this one alone.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Nothing moves for so long; for ever means until the source has left.
    pub(super) async fn stall(&mut self, time: Option<Duration>) -> Result<(), Gone> {
        self.flush().await?;
        match time {
            Some(time) => tokio::time::sleep(time).await,
            None => loop {
                self.input.clear();
                self.fill().await?;
            },
        }
        Ok(())
    }

    /// Passes on what is left, be it half a message, and signals the end to the sink.
    pub(super) async fn finish(&mut self) {
        let rest = self.input.split();
        if self.put(&rest, false).await.is_ok() && self.flush().await.is_ok() {
            // A sink that has left needs no signal.
            let _ = self.writer.shutdown().await;
        }
    }
}
