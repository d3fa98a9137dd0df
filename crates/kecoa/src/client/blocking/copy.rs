//! COPY as a reader and a writer.

use std::fmt;
use std::io::{self, BufRead, Read, Write};

use bytes::{Buf, Bytes};

use super::client::Client;
use crate::error::Error;
use crate::interrupt::Never;
use crate::session::Session;
use crate::session::copy::{CopyingIn, CopyingOut};

impl Client {
    /// Begins a `COPY … FROM STDIN`, whose data is written into what this gives.
    ///
    /// ```
    /// # kecoa::example::blocking(|client| {
    /// use std::io::Write;
    ///
    /// client.batch("CREATE TEMPORARY TABLE points (x int8, y int8)")?;
    /// let mut copy = client.copy_writer("COPY points FROM STDIN WITH (FORMAT csv)")?;
    /// for x in 0..1000 {
    ///     writeln!(copy, "{x},{}", x * x)?;
    /// }
    /// assert_eq!(copy.finish()?, Some(1000));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`run`](Client::run); [`ErrorKind::Usage`](crate::ErrorKind::Usage) when the statement is
    /// no COPY FROM STDIN.
    pub fn copy_writer(&mut self, sql: &str) -> Result<CopyWriter<'_>, Error> {
        let session = self.session();
        let mut progress = CopyingIn::submit(session, sql)?;
        while !progress.has_begun() {
            let reply = session.reply(progress.id, &mut Never)?;
            progress.take(session, reply)?;
        }
        Ok(CopyWriter { session, progress, buffer: Vec::new() })
    }

    /// Begins a `COPY … TO STDOUT`, whose data is read from what this gives, in bounded memory.
    ///
    /// ```
    /// # kecoa::example::blocking(|client| {
    /// use std::io::BufRead;
    ///
    /// let mut lines = 0;
    /// let copy = client.copy_reader("COPY (SELECT generate_series(1, 1000)) TO STDOUT")?;
    /// for line in copy.lines() {
    ///     line?.parse::<i64>()?;
    ///     lines += 1;
    /// }
    /// assert_eq!(lines, 1000);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`run`](Client::run); [`ErrorKind::Usage`](crate::ErrorKind::Usage) when the statement is
    /// no COPY TO STDOUT.
    pub fn copy_reader(&mut self, sql: &str) -> Result<CopyReader<'_>, Error> {
        let session = self.session();
        let mut progress = CopyingOut::submit(session, sql)?;
        let mut data = Bytes::new();
        while !progress.has_begun() {
            let reply = session.reply(progress.id, &mut Never)?;
            if let Some(chunk) = progress.take(session, reply)? {
                data = chunk;
            }
        }
        Ok(CopyReader { session, progress, data })
    }
}

/// Takes the data of a COPY … FROM STDIN; made by [`Client::copy_writer`].
///
/// [`finish`](CopyWriter::finish) ends the data. Dropped without it, the COPY is given up, and the
/// server keeps none of its rows.
#[must_use = "a COPY that is dropped is aborted: end it with finish()"]
pub struct CopyWriter<'a> {
    session: &'a mut Session,
    progress: CopyingIn,
    buffer: Vec<u8>,
}

/// How much is gathered before it is sent.
const GATHERED: usize = 64 * 1024;

impl fmt::Debug for CopyWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyWriter").finish_non_exhaustive()
    }
}

impl CopyWriter<'_> {
    /// Ends the data, and gives the number of rows copied, when the server says it.
    ///
    /// # Errors
    /// The server's, about the data.
    pub fn finish(mut self) -> Result<Option<u64>, Error> {
        self.send()?;
        if !self.progress.is_over() && !self.progress.is_refused() {
            self.session.copy_done()?;
        }
        self.end()
    }

    fn end(&mut self) -> Result<Option<u64>, Error> {
        while !self.progress.is_over() {
            let reply = self.session.reply(self.progress.id, &mut Never)?;
            self.progress.take(self.session, reply)?;
        }
        self.progress.outcome()
    }

    fn send(&mut self) -> Result<(), Error> {
        if self.buffer.is_empty() || self.progress.is_over() {
            return Ok(());
        }
        if self.session.has_refused_copy()? {
            // The server's error is told by `finish`, or by the next write.
            self.progress.refuse();
            self.buffer.clear();
            return self.end().map(drop);
        }
        let sent = self.session.copy_data(&self.buffer, &mut Never);
        self.buffer.clear();
        sent
    }
}

impl Write for CopyWriter<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.progress.is_over() {
            return Err(io::Error::other("expected a COPY under way, found it ended by an error"));
        }
        // Piece by piece, so that the server works on one while the next is copied.
        let room = GATHERED.saturating_sub(self.buffer.len());
        let taken = data.get(..room).unwrap_or(data);
        self.buffer.extend_from_slice(taken);
        if self.buffer.len() >= GATHERED {
            self.send().map_err(io::Error::other)?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send().map_err(io::Error::other)
    }
}

impl Drop for CopyWriter<'_> {
    fn drop(&mut self) {
        if self.progress.is_over() || self.session.is_closed() {
            return;
        }
        if self.session.copy_fail("the client gave the COPY up").is_ok() {
            // Nobody is there to be told.
            let _ = self.end();
        }
    }
}

/// Gives the data of a COPY … TO STDOUT; made by [`Client::copy_reader`].
///
/// When it is dropped before its end, what the server still sends is read and dropped.
#[must_use = "data is read by reading"]
pub struct CopyReader<'a> {
    session: &'a mut Session,
    progress: CopyingOut,
    data: Bytes,
}

impl fmt::Debug for CopyReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyReader").finish_non_exhaustive()
    }
}

impl CopyReader<'_> {
    /// Gives the data as the server sent it: a row a chunk in PostgreSQL's forms. Nothing at the
    /// end.
    ///
    /// # Errors
    /// The server's; the connection's.
    pub fn next_chunk(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if !self.data.is_empty() {
                return Ok(Some(std::mem::take(&mut self.data)));
            }
            if self.progress.is_over() {
                return Ok(None);
            }
            let reply = self.session.streamed_reply(self.progress.id, &mut Never)?;
            if let Some(chunk) = self.progress.take(self.session, reply)? {
                self.data = chunk;
            }
        }
    }

    /// How many rows were copied; nothing before the end, or when the server does not say.
    #[must_use]
    pub fn rows(&self) -> Option<u64> {
        self.progress.rows()
    }
}

impl Read for CopyReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut data = self.fill_buf()?;
        let n = data.read(into)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for CopyReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.data.is_empty() {
            self.data = self.next_chunk().map_err(io::Error::other)?.unwrap_or_default();
        }
        Ok(&self.data)
    }

    fn consume(&mut self, n: usize) {
        self.data.advance(n.min(self.data.len()));
    }
}

impl Drop for CopyReader<'_> {
    fn drop(&mut self) {
        while !self.progress.is_over() && !self.session.is_closed() {
            let reply = self.session.streamed_reply(self.progress.id, &mut Never);
            if reply.and_then(|reply| self.progress.take(self.session, reply)).is_err() {
                break;
            }
        }
    }
}
