//! COPY as a stream and a writer.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::link::Link;
use crate::error::Error;
use crate::session::CopyPolicy;
use crate::session::copy::{CopyingIn, CopyingOut};

/// How much is gathered before it is sent, and read from a reader at once.
const GATHERED: usize = 64 * 1024;

/// Takes the data of a COPY … FROM STDIN; made by
/// [`Client::copy_writer`](super::Client::copy_writer).
///
/// [`finish`](CopyWriter::finish) ends the data. Dropped without it, the COPY is given up, and the
/// server keeps none of its rows.
pub struct CopyWriter<'a> {
    link: &'a mut Link,
    course: CopyingIn,
    buffer: Vec<u8>,
}

impl std::fmt::Debug for CopyWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CopyWriter").finish_non_exhaustive()
    }
}

impl<'a> CopyWriter<'a> {
    pub(super) async fn begin(link: &'a mut Link, sql: &str) -> Result<CopyWriter<'a>, Error> {
        link.ready().await?;
        let mut course = CopyingIn::submit(link.session(), sql)?;
        let mut flight = link.fly(None);
        while !course.has_begun() {
            let reply = flight.reply(course.id).await?;
            if let Err(error) = course.take(flight.session(), reply) {
                flight.land();
                return Err(error);
            }
        }
        flight.land();
        Ok(CopyWriter { link, course, buffer: Vec::new() })
    }

    /// Sends data; where it is split has no meaning.
    ///
    /// # Errors
    /// The server's, about what was sent so far; the connection's.
    pub async fn send(&mut self, data: &[u8]) -> Result<(), Error> {
        self.buffer.extend_from_slice(data);
        if self.buffer.len() < GATHERED {
            return Ok(());
        }
        poll_fn(|cx| self.poll_gathered(cx)).await
    }

    /// Ends the data, and gives the number of rows copied, when the server says it.
    ///
    /// # Errors
    /// The server's, about the data; the connection's.
    pub async fn finish(mut self) -> Result<Option<u64>, Error> {
        poll_fn(|cx| self.poll_gathered(cx)).await?;
        if !self.course.is_over() && !self.course.is_refused() {
            self.link.session().copy_done()?;
        }
        poll_fn(|cx| self.poll_end(cx)).await
    }

    /// Gives the COPY up; the server quotes the reason.
    pub(super) async fn fail(mut self, reason: &str) -> Result<(), Error> {
        if !self.course.is_over() && !self.course.is_refused() {
            self.link.session().copy_fail(reason)?;
        }
        match poll_fn(|cx| self.poll_end(cx)).await {
            Err(error) if self.link.client_ref().is_closed() => Err(error),
            _ => Ok(()),
        }
    }

    /// Sends what was gathered, unless the server has answered with an error already.
    fn poll_gathered(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if !self.buffer.is_empty() {
            if self.course.is_over() {
                let message = "expected a COPY under way, found it ended by an error";
                return Poll::Ready(Err(Error::usage(message)));
            }
            let session = self.link.session();
            session.receive_now(CopyPolicy::Keep)?;
            if session.knows_copy_refused() {
                self.buffer.clear();
                self.course.refuse();
                return self.poll_end(cx).map_ok(drop);
            }
            // What went before goes first: it does not pile up.
            ready!(self.link.poll_sent(cx))?;
            self.link.session().queue_copy_data(&self.buffer)?;
            self.buffer.clear();
        } else if self.course.is_refused() && !self.course.is_over() {
            return self.poll_end(cx).map_ok(drop);
        }
        self.link.poll_sent(cx)
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<u64>, Error>> {
        while !self.course.is_over() {
            let reply = ready!(self.link.poll_reply(cx, self.course.id))?;
            self.course.take(self.link.session(), reply)?;
        }
        Poll::Ready(self.course.outcome())
    }
}

impl AsyncWrite for CopyWriter<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.buffer.len() >= GATHERED {
            ready!(self.poll_gathered(cx)).map_err(io::Error::other)?;
        }
        self.buffer.extend_from_slice(data);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_gathered(cx).map_err(io::Error::other)
    }

    /// Flushes: only [`finish`](CopyWriter::finish) ends the COPY.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl Drop for CopyWriter<'_> {
    fn drop(&mut self) {
        if !self.course.is_over() {
            // Refused where the server does not wait for data any more: then it is over by itself.
            let _ = self.link.session().copy_fail("the client gave the COPY up");
            self.link.leave(false);
        }
    }
}

/// The next piece of a reader.
pub(super) async fn read_some(
    mut reader: Pin<&mut (impl AsyncRead + ?Sized)>,
    into: &mut Vec<u8>,
) -> io::Result<usize> {
    into.resize(GATHERED, 0);
    let mut buffer = ReadBuf::new(into);
    poll_fn(|cx| reader.as_mut().poll_read(cx, &mut buffer)).await?;
    Ok(buffer.filled().len())
}

/// Gives everything to a writer.
pub(super) async fn write_all(
    mut writer: Pin<&mut (impl AsyncWrite + ?Sized)>,
    mut data: &[u8],
) -> io::Result<()> {
    while !data.is_empty() {
        let written = poll_fn(|cx| writer.as_mut().poll_write(cx, data)).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        data = data.get(written..).unwrap_or_default();
    }
    Ok(())
}

/// Gives the data of a COPY … TO STDOUT; made by
/// [`Client::copy_reader`](super::Client::copy_reader). Nothing is read while nobody asks.
///
/// When it is dropped before its end, what the server still sends is read and dropped by the
/// client's next call.
pub struct CopyReader<'a> {
    link: &'a mut Link,
    course: CopyingOut,
    first: Option<Bytes>,
}

impl std::fmt::Debug for CopyReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CopyReader").finish_non_exhaustive()
    }
}

impl<'a> CopyReader<'a> {
    pub(super) async fn begin(link: &'a mut Link, sql: &str) -> Result<CopyReader<'a>, Error> {
        link.ready().await?;
        let mut course = CopyingOut::submit(link.session(), sql)?;
        let mut flight = link.fly(None);
        let mut first = None;
        while !course.has_begun() {
            let reply = flight.reply(course.id).await?;
            match course.take(flight.session(), reply) {
                Ok(data) => first = data,
                Err(error) => {
                    flight.land();
                    return Err(error);
                }
            }
        }
        flight.land();
        Ok(CopyReader { link, course, first })
    }

    /// The next piece, as the server sent it: a row in PostgreSQL's forms. Nothing at the end. The
    /// same as `StreamExt::next`, without its crate.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|cx| self.poll_data(cx)).await.transpose()
    }

    /// How many rows were copied; nothing before the end, or when the server does not say.
    #[must_use]
    pub fn rows(&self) -> Option<u64> {
        self.course.rows()
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Error>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Ok(Some(first)));
        }
        while !self.course.is_over() && !self.link.client_ref().is_closed() {
            let reply = ready!(self.link.poll_reply(cx, self.course.id))?;
            if let Some(data) = self.course.take(self.link.session(), reply)? {
                return Poll::Ready(Ok(Some(data)));
            }
        }
        Poll::Ready(Ok(None))
    }
}

impl Stream for CopyReader<'_> {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_data(cx).map(Result::transpose)
    }
}

impl Drop for CopyReader<'_> {
    fn drop(&mut self) {
        if !self.course.is_over() {
            self.link.leave(false);
        }
    }
}
