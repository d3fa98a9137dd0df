//! A client and a scripted peer in one thread.

use std::io::{self, Read, Write};

use crate::peer::{Peer, State};

/// A stream whose other end is a [`Peer`] in the same thread.
///
/// A read returns what the script sends; [`io::ErrorKind::WouldBlock`] while a step of the script
/// waits; nothing (the end) or [`io::ErrorKind::ConnectionReset`] after it closed.
#[derive(Debug)]
pub struct Memory {
    peer: Peer,
    output: Vec<u8>,
    chunk: usize,
}

impl Memory {
    /// Joins a peer.
    #[must_use]
    pub fn new(peer: Peer) -> Memory {
        Memory { peer, output: Vec::new(), chunk: usize::MAX }
    }

    /// Makes every read and write take at most `chunk` bytes.
    #[must_use]
    pub fn in_chunks(mut self, chunk: usize) -> Memory {
        self.chunk = chunk.max(1);
        self
    }

    /// Ends the test of this connection.
    ///
    /// # Panics
    /// When the script was not played to its end.
    pub fn finish(&mut self) {
        self.peer.advance();
        assert!(self.peer.is_finished(), "steps that were not played: {}", self.peer.remaining());
    }

    /// Reads what the script has already said: [`io::ErrorKind::WouldBlock`] where
    /// [`read`](Read::read) would wait, or fail the test as a hang.
    ///
    /// # Errors
    /// As a read.
    pub fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.advance() {
            State::Listening(_) | State::Done if self.output.is_empty() => {
                Err(io::ErrorKind::WouldBlock.into())
            }
            _ => self.read(buffer),
        }
    }

    fn advance(&mut self) -> State {
        let state = self.peer.advance();
        self.output.extend(self.peer.take_output());
        state
    }
}

impl Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let state = self.advance();
        if !self.output.is_empty() && !buffer.is_empty() {
            let n = buffer.len().min(self.output.len()).min(self.chunk);
            buffer[..n].copy_from_slice(&self.output[..n]);
            self.output.drain(..n);
            return Ok(n);
        }
        match state {
            State::Closed { reset: false } => Ok(0),
            State::Closed { reset: true } => Err(io::ErrorKind::ConnectionReset.into()),
            State::Waiting(_) | State::Sending(_) => Err(io::ErrorKind::WouldBlock.into()),
            State::Listening(expected) => {
                panic!("a hang: the client reads, and the script expects {expected}")
            }
            State::Done => panic!("a hang: the client reads, and the script is over"),
        }
    }
}

impl Write for Memory {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if let State::Closed { .. } = self.advance() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let n = buffer.len().min(self.chunk);
        self.peer.handle_input(&buffer[..n]);
        self.advance();
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
