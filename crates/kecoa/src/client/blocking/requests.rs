//! Whole requests of the protocol, for entry points that write them by themselves.

use std::io::{Read, Write};

use kecoa_proto::{Request, RequestId};

use super::client::Client;
use crate::error::Error;
use crate::interrupt::{Interrupt, Readiness};
use crate::observability::spans;
use crate::row::ResultSet;
use crate::session::{copy, statement};

impl Client {
    /// Drives one request to its end: every result, or the first server error. After a server error
    /// the connection is usable.
    ///
    /// # Errors
    /// [`ErrorKind::Server`](crate::ErrorKind::Server); [`Usage`](crate::ErrorKind::Usage) for what
    /// cannot be sent and for COPY, which needs [`copy_in`](Client::copy_in) or
    /// [`copy_out`](Client::copy_out); [`Interrupted`](crate::ErrorKind::Interrupted);
    /// [`ConnectionLost`](crate::ErrorKind::ConnectionLost) or a FATAL server error, after which
    /// the client [is closed](Client::is_closed); [`Protocol`](crate::ErrorKind::Protocol).
    pub fn run(
        &mut self,
        request: &Request<'_>,
        hook: &mut dyn Interrupt,
    ) -> Result<Vec<ResultSet>, Error> {
        spans::query(self.inner.session(), text_of(request), |session| {
            statement::run(session, request, hook)
        })
    }

    /// Runs a statement that begins a transaction: `begin` (a whole BEGIN statement without
    /// semicolon) and `sql` travel as one simple query. BEGIN's own result is not among the results.
    ///
    /// Errors, their positions and the state that they leave are those of sending the two one by
    /// one. When a transaction is open already, only `sql` is sent.
    ///
    /// # Errors
    /// As [`Client::run`].
    pub fn run_in_transaction(
        &mut self,
        begin: &[u8],
        sql: &[u8],
        hook: &mut dyn Interrupt,
    ) -> Result<Vec<ResultSet>, Error> {
        statement::run_in_transaction(self.inner.session(), begin, sql, hook)
    }

    /// Queues a request without waiting for its reply: [`finish`](Client::finish) collects it.
    /// Requests are answered in the order in which they were submitted; what is submitted together
    /// is written together. Replies that come while there is still something to write are kept.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for what cannot be sent,
    /// [`ConnectionLost`](crate::ErrorKind::ConnectionLost) on a closed connection.
    pub fn submit(&mut self, request: &Request<'_>) -> Result<RequestId, Error> {
        self.inner.session().submit(request)
    }

    /// Drives a submitted request to its end. Requests before it must be finished first: their
    /// replies are dropped otherwise.
    ///
    /// # Errors
    /// As [`Client::run`].
    pub fn finish(
        &mut self,
        request: RequestId,
        hook: &mut dyn Interrupt,
    ) -> Result<Vec<ResultSet>, Error> {
        statement::finish_request(self.inner.session(), request, hook)
    }

    /// Whether the server has answered that a submitted COMMIT or ROLLBACK is done, although the request is
    /// not over yet. A connection that is lost then leaves nothing open: [`finish`](Client::finish)
    /// gives the results, and the loss shows at the next use.
    pub fn has_ended(&self, request: RequestId) -> bool {
        self.inner.session_ref().has_ended(request)
    }

    /// Goes on with what was submitted as far as it goes without waiting. What the socket has to be
    /// for the next step; `None` when every request has been answered, and
    /// [`finish`](Client::finish) gives the results without waiting. A COPY is refused, as by
    /// [`run`](Client::run).
    ///
    /// # Errors
    /// [`ErrorKind::ConnectionLost`](crate::ErrorKind::ConnectionLost) or a FATAL server error,
    /// [`Protocol`](crate::ErrorKind::Protocol).
    pub fn advance(&mut self) -> Result<Option<Readiness>, Error> {
        self.inner.session().advance()
    }

    /// Has the hook [work](Interrupt::awaiting) on the rows that have come of a submitted request, after
    /// [`advance`](Client::advance) said that it is not over. Never waits.
    pub fn work_ahead(&mut self, request: RequestId, hook: &mut dyn Interrupt) {
        statement::work_ahead(self.inner.session(), request, None, hook);
    }

    /// Whether the results of what [`advance`](Client::advance) drives have become larger than
    /// `max_result_size`: asked once. The rows are dropped as they come, and
    /// [`finish`](Client::finish) gives [`ErrorKind::ResultTooLarge`](crate::ErrorKind); until then a
    /// caller that waits by itself should have the request cancelled (by
    /// [`canceller`](Client::canceller)). The other calls see to it by themselves. Never true where
    /// requests are pipelined behind it, which the cancel request might hit.
    pub fn has_excess(&mut self) -> bool {
        self.inner.session().excess_to_cancel()
    }

    /// `COPY … FROM STDIN`: sends everything the reader gives, in bounded memory. Gives the number
    /// of rows copied, when the server says it.
    ///
    /// # Errors
    /// As [`Client::run`]; [`ErrorKind::Io`](crate::ErrorKind::Io) when the reader fails, after the
    /// server was told to give the COPY up; [`Usage`](crate::ErrorKind::Usage) when the statement
    /// is no COPY FROM STDIN.
    pub fn copy_in(
        &mut self,
        sql: &str,
        data: &mut dyn Read,
        hook: &mut dyn Interrupt,
    ) -> Result<Option<u64>, Error> {
        copy::copy_in(self.inner.session(), sql.as_bytes(), data, hook)
    }

    /// `COPY … TO STDOUT`: gives everything to the writer, in bounded memory. Gives the number of
    /// rows copied, when the server says it.
    ///
    /// # Errors
    /// As [`Client::run`]; [`ErrorKind::Io`](crate::ErrorKind::Io) when the writer fails, after the
    /// rest was read and dropped; [`Usage`](crate::ErrorKind::Usage) when the statement is no COPY
    /// TO STDOUT.
    pub fn copy_out(
        &mut self,
        sql: &str,
        sink: &mut dyn Write,
        hook: &mut dyn Interrupt,
    ) -> Result<Option<u64>, Error> {
        copy::copy_out(self.inner.session(), sql.as_bytes(), sink, hook)
    }
}

/// The statement of a request, for those who watch; a series of steps has none.
fn text_of<'a>(request: &Request<'a>) -> &'a [u8] {
    match request {
        Request::Query(sql) => sql,
        _ => &[],
    }
}
