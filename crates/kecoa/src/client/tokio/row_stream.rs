//! Rows one by one.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::link::Link;
use crate::error::Error;
use crate::retry::{Failure, classify};
use crate::row::Row;
use crate::session::streaming::StreamedRows;

/// Rows, one by one; made by [`Client::query_stream`](super::Client::query_stream). Nothing is read
/// while nobody asks, so that memory stays bounded however many there are.
///
/// When it is dropped before its end, what the server still sends is read and dropped by the
/// client's next call: give a statement a LIMIT when only its first rows are wanted, or
/// [cancel](RowStream::cancel) it.
#[must_use = "rows are read by next()"]
pub struct RowStream<'a> {
    link: &'a mut Link,
    rows: StreamedRows,
    noted: Option<&'a mut Option<Failure>>,
}

impl std::fmt::Debug for RowStream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowStream").field("over", &self.rows.is_over()).finish_non_exhaustive()
    }
}

impl<'a> RowStream<'a> {
    pub(crate) fn new(
        link: &'a mut Link,
        rows: StreamedRows,
        noted: Option<&'a mut Option<Failure>>,
    ) -> RowStream<'a> {
        RowStream { link, rows, noted }
    }

    /// The next row; nothing at the end. The same as `StreamExt::next`, without its crate.
    pub async fn next(&mut self) -> Option<Result<Row, Error>> {
        poll_fn(|cx| self.poll_row(cx)).await.transpose()
    }

    /// How many rows the server says it has sent or touched; nothing before the end.
    #[must_use]
    pub fn count_so_far(&self) -> Option<u64> {
        self.rows.count()
    }

    /// Asks the server to cancel what is left of the statement. In a transaction that has failed
    /// then, outside of one what the statement did is undone, unless it had ended already.
    pub fn cancel(mut self) {
        if !self.rows.is_over() {
            self.rows.end();
            self.link.leave(true);
        }
    }

    fn poll_row(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Row>, Error>> {
        loop {
            if let Some(row) = self.rows.next_row() {
                return Poll::Ready(Ok(Some(row)));
            }
            if self.rows.is_over() {
                return Poll::Ready(Ok(None));
            }
            let taken = match ready!(self.link.poll_reply(cx, self.rows.id)) {
                Ok(reply) => self.rows.take(self.link.session(), reply),
                Err(error) => Err(error),
            };
            if let Err(error) = taken {
                self.rows.end();
                if let Some(noted) = &mut self.noted {
                    noted.get_or_insert(classify(&error, false));
                }
                return Poll::Ready(Err(error));
            }
        }
    }
}

impl Stream for RowStream<'_> {
    type Item = Result<Row, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_row(cx).map(Result::transpose)
    }
}

impl Drop for RowStream<'_> {
    fn drop(&mut self) {
        if !self.rows.is_over() {
            self.link.leave(false);
        }
    }
}
