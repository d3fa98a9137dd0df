//! COPY as a stream and a writer.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::client::Client;
use super::link::Link;
use crate::error::Error;
use crate::session::CopyPolicy;
use crate::session::copy::{CopyingIn, CopyingOut, reason};

/// How much is gathered before it is sent, and read from a reader at once.
const GATHERED: usize = 64 * 1024;

impl Client {
    /// `COPY … FROM STDIN`: sends everything the reader gives, in bounded memory. Gives the number
    /// of rows copied, when the server says it.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let lines = &b"3\t30\n4\t40\n"[..];
    /// assert_eq!(client.copy_in("COPY accounts FROM STDIN", lines).await?, Some(2));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`query`](Client::query); [`ErrorKind::Io`](crate::ErrorKind::Io) when the reader fails,
    /// after the server was told to give the COPY up; [`Usage`](crate::ErrorKind::Usage) when the
    /// statement is no COPY FROM STDIN.
    pub async fn copy_in(&mut self, sql: &str, data: impl AsyncRead) -> Result<Option<u64>, Error> {
        let mut copy = self.copy_writer(sql).await?;
        let mut data = pin!(data);
        let mut chunk = Vec::new();
        loop {
            match read_some(data.as_mut(), &mut chunk).await {
                Ok(0) => return copy.finish().await,
                Ok(n) => copy.send(chunk.get(..n).unwrap_or_default()).await?,
                Err(error) => return Err(not_read(copy, error).await),
            }
        }
    }

    /// `COPY … FROM STDIN` of what a stream gives; where it is split has no meaning.
    ///
    /// # Errors
    /// As [`copy_in`](Client::copy_in).
    pub async fn copy_in_stream<B: AsRef<[u8]>>(
        &mut self,
        sql: &str,
        data: impl Stream<Item = std::io::Result<B>>,
    ) -> Result<Option<u64>, Error> {
        let mut copy = self.copy_writer(sql).await?;
        let mut data: Pin<&mut _> = pin!(data);
        loop {
            match poll_fn(|cx| data.as_mut().poll_next(cx)).await {
                None => return copy.finish().await,
                Some(Ok(chunk)) => copy.send(chunk.as_ref()).await?,
                Some(Err(error)) => return Err(not_read(copy, error).await),
            }
        }
    }

    /// Begins a `COPY … FROM STDIN`, whose data is written into what this gives.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let mut copy = client.copy_writer("COPY accounts FROM STDIN WITH (FORMAT csv)").await?;
    /// for id in 10..1010 {
    ///     copy.send(format!("{id},{}\n", id * 10).as_bytes()).await?;
    /// }
    /// assert_eq!(copy.finish().await?, Some(1000));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`query`](Client::query); [`ErrorKind::Usage`](crate::ErrorKind::Usage) when the statement
    /// is no COPY FROM STDIN.
    pub async fn copy_writer(&mut self, sql: &str) -> Result<CopyWriter<'_>, Error> {
        CopyWriter::begin(&mut self.link, sql).await
    }

    /// `COPY … TO STDOUT`: gives everything to the writer, in bounded memory. Gives the number of
    /// rows copied, when the server says it.
    ///
    /// # Errors
    /// As [`query`](Client::query); [`ErrorKind::Io`](crate::ErrorKind::Io) when the writer fails;
    /// [`Usage`](crate::ErrorKind::Usage) when the statement is no COPY TO STDOUT.
    pub async fn copy_out(
        &mut self,
        sql: &str,
        sink: impl AsyncWrite,
    ) -> Result<Option<u64>, Error> {
        let mut sink = pin!(sink);
        let mut copy = self.copy_reader(sql).await?;
        let failed = |error| Error::io("the copied data could not be written", error);
        while let Some(chunk) = copy.next().await {
            write_all(sink.as_mut(), &chunk?).await.map_err(failed)?;
        }
        poll_fn(|cx| sink.as_mut().poll_flush(cx)).await.map_err(failed)?;
        Ok(copy.rows())
    }

    /// Begins a `COPY … TO STDOUT`, whose data comes out of what this gives: a [`Stream`] of
    /// [`Bytes`](bytes::Bytes).
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let mut copy = client.copy_reader("COPY accounts TO STDOUT").await?;
    /// assert_eq!(copy.next().await.transpose()?.as_deref(), Some(&b"1\t1000\n"[..]));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`query`](Client::query); [`ErrorKind::Usage`](crate::ErrorKind::Usage) when the statement
    /// is no COPY TO STDOUT.
    pub async fn copy_reader(&mut self, sql: &str) -> Result<CopyReader<'_>, Error> {
        CopyReader::begin(&mut self.link, sql).await
    }
}

/// Tells the server that the data of a COPY cannot be read.
async fn not_read(copy: CopyWriter<'_>, error: std::io::Error) -> Error {
    match copy.fail(&reason(&error)).await {
        Ok(()) => Error::io("the data to copy could not be read", error),
        Err(lost) => lost,
    }
}

/// Takes the data of a COPY … FROM STDIN; made by
/// [`Client::copy_writer`](super::Client::copy_writer).
///
/// [`finish`](CopyWriter::finish) ends the data. Dropped without it, the COPY is given up, and the
/// server keeps none of its rows.
#[must_use = "a COPY that is dropped is aborted: end it with finish()"]
pub struct CopyWriter<'a> {
    link: &'a mut Link,
    progress: CopyingIn,
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
        let mut progress = CopyingIn::submit(link.session(), sql)?;
        let mut in_flight = link.in_flight(None);
        while !progress.has_begun() {
            let reply = in_flight.reply(progress.id).await?;
            if let Err(error) = progress.take(in_flight.session(), reply) {
                in_flight.complete();
                return Err(error);
            }
        }
        in_flight.complete();
        Ok(CopyWriter { link, progress, buffer: Vec::new() })
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
        if !self.progress.is_over() && !self.progress.is_refused() {
            self.link.session().copy_done()?;
        }
        poll_fn(|cx| self.poll_end(cx)).await
    }

    /// Gives the COPY up; the server quotes the reason.
    pub(super) async fn fail(mut self, reason: &str) -> Result<(), Error> {
        if !self.progress.is_over() && !self.progress.is_refused() {
            self.link.session().copy_fail(reason)?;
        }
        match poll_fn(|cx| self.poll_end(cx)).await {
            Err(error) if self.link.inner_ref().is_closed() => Err(error),
            _ => Ok(()),
        }
    }

    /// Sends what was gathered, unless the server has answered with an error already.
    fn poll_gathered(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if !self.buffer.is_empty() {
            if self.progress.is_over() {
                let message = "expected a COPY under way, found it ended by an error";
                return Poll::Ready(Err(Error::usage(message)));
            }
            let session = self.link.session();
            session.receive_now(CopyPolicy::Keep)?;
            if session.knows_copy_refused() {
                self.buffer.clear();
                self.progress.refuse();
                return self.poll_end(cx).map_ok(drop);
            }
            // What went before goes first: it does not pile up.
            ready!(self.link.poll_sent(cx))?;
            self.link.session().queue_copy_data(&self.buffer)?;
            self.buffer.clear();
        } else if self.progress.is_refused() && !self.progress.is_over() {
            return self.poll_end(cx).map_ok(drop);
        }
        self.link.poll_sent(cx)
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<u64>, Error>> {
        while !self.progress.is_over() {
            let reply = ready!(self.link.poll_reply(cx, self.progress.id))?;
            self.progress.take(self.link.session(), reply)?;
        }
        Poll::Ready(self.progress.outcome())
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
        if !self.progress.is_over() {
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
#[must_use = "data is read by next()"]
pub struct CopyReader<'a> {
    link: &'a mut Link,
    progress: CopyingOut,
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
        let mut progress = CopyingOut::submit(link.session(), sql)?;
        let mut in_flight = link.in_flight(None);
        let mut first = None;
        while !progress.has_begun() {
            let reply = in_flight.reply(progress.id).await?;
            match progress.take(in_flight.session(), reply) {
                Ok(data) => first = data,
                Err(error) => {
                    in_flight.complete();
                    return Err(error);
                }
            }
        }
        in_flight.complete();
        Ok(CopyReader { link, progress, first })
    }

    /// The next piece, as the server sent it: a row in PostgreSQL's forms. Nothing at the end. The
    /// same as `StreamExt::next`, without its crate.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|cx| self.poll_data(cx)).await.transpose()
    }

    /// How many rows were copied; nothing before the end, or when the server does not say.
    #[must_use]
    pub fn rows(&self) -> Option<u64> {
        self.progress.rows()
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Error>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Ok(Some(first)));
        }
        while !self.progress.is_over() && !self.link.inner_ref().is_closed() {
            let reply = ready!(self.link.poll_reply(cx, self.progress.id))?;
            if let Some(data) = self.progress.take(self.link.session(), reply)? {
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
        if !self.progress.is_over() {
            self.link.leave(false);
        }
    }
}
