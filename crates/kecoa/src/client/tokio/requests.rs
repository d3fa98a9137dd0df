//! Requests whose futures may be dropped at any time.

use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use kecoa_proto::{Parameter, Reply, Request, RequestId};

use super::link::Link;
use crate::error::Error;
use crate::interrupt::Never;
use crate::observability::spans;
use crate::row::ResultSet;
use crate::session::atomic::{self, Bound, SettledAtomic};
use crate::session::call::{self, CallRequest, PendingCall, Settled};
use crate::session::extended::{self, Encoded, EncodedRows};
use crate::session::pipeline::{Answers, Pipeline};
use crate::session::prepared::{self, Statement};
use crate::session::statement;

impl Link {
    /// Guards a request that was submitted.
    pub(super) fn in_flight(&mut self, call: Option<PendingCall>) -> InFlight<'_> {
        InFlight { link: self, call, names: Vec::new(), completed: false }
    }

    /// Runs a program's statement with parameters.
    pub(crate) async fn call(
        &mut self,
        begin: Option<&[u8]>,
        sql: &str,
        encoded: &Encoded,
    ) -> Result<ResultSet, Error> {
        let span = spans::statement(self.session(), sql.as_bytes());
        spans::follow(span, self.bound(begin, sql, encoded)).await
    }

    async fn bound(
        &mut self,
        begin: Option<&[u8]>,
        sql: &str,
        encoded: &Encoded,
    ) -> Result<ResultSet, Error> {
        self.ready().await?;
        let parameters: Vec<Parameter<'_>> = encoded.parameters();
        let request = encoded.request(begin, sql, &parameters);
        let session = self.session();
        let plan = call::plan(session, request.sql, request.types);
        let pending = call::submit(session, plan, &request)?;
        self.finish(pending, &request).await
    }

    pub(crate) async fn finish(
        &mut self,
        mut pending: PendingCall,
        request: &CallRequest<'_>,
    ) -> Result<ResultSet, Error> {
        loop {
            let mut in_flight = self.in_flight(Some(pending));
            in_flight.answered().await?;
            let Some(completed) = in_flight.complete() else {
                return Err(Error::unexpected("expected a call in flight, found none"));
            };
            match call::settle(self.session(), completed, request, &mut Never)? {
                Settled::Done(set) => return Ok(set),
                Settled::Again(again) => pending = again,
            }
        }
    }

    /// Runs a program's statements without parameters.
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<Vec<ResultSet>, Error> {
        let span = spans::statement(self.session(), sql.as_bytes());
        spans::follow(span, self.simple(sql.as_bytes())).await
    }

    /// Runs statements without parameters.
    pub(crate) async fn simple(&mut self, sql: &[u8]) -> Result<Vec<ResultSet>, Error> {
        self.ready().await?;
        let id = self.session().submit(&Request::Query(sql))?;
        self.results(id).await
    }

    /// The results of a submitted request.
    pub(crate) async fn results(&mut self, id: RequestId) -> Result<Vec<ResultSet>, Error> {
        let mut in_flight = self.in_flight(None);
        in_flight.answered().await?;
        in_flight.complete();
        statement::finish_request(self.session(), id, &mut Never)
    }

    /// Runs one statement once for each set of parameters.
    pub(crate) async fn execute_many(
        &mut self,
        sql: &str,
        rows: &EncodedRows,
    ) -> Result<u64, Error> {
        if rows.is_empty() {
            return Ok(0);
        }
        self.ready().await?;
        let id = rows.submit(self.session(), None, sql)?;
        Ok(extended::count_all(&self.results(id).await?))
    }

    /// Sends several statements before the first is answered.
    pub(crate) async fn run_pipeline(&mut self, pipeline: &Pipeline) -> Result<Answers, Error> {
        self.ready().await?;
        if let Some(statements) = pipeline.together() {
            return self.run_atomic(&statements).await.map(Answers::of);
        }
        let submitted = pipeline.submit(self.session());
        let mut in_flight = self.in_flight(None);
        in_flight.answered().await?;
        in_flight.complete();
        // Everything has been answered: nothing waits here.
        let (mut answers, again) = pipeline.collect(self.session(), submitted, &mut Never)?;
        for (number, pending) in again {
            let (sql, encoded) = pipeline.statement(number)?;
            let parameters = encoded.parameters();
            let set = self.finish(pending, &encoded.request(None, sql, &parameters)).await;
            answers.put(self.session(), number, set)?;
        }
        Ok(answers)
    }

    async fn run_atomic(&mut self, statements: &[Bound<'_>]) -> Result<Vec<ResultSet>, Error> {
        let mut pending = atomic::submit(self.session(), statements)?;
        loop {
            let mut in_flight = self.in_flight(None);
            in_flight.names = pending.names();
            in_flight.answered().await?;
            in_flight.complete();
            match atomic::settle(self.session(), statements, pending, &mut Never)? {
                SettledAtomic::Done(sets) => return Ok(sets),
                SettledAtomic::Again(again) => pending = again,
            }
        }
    }

    /// Has the server parse and describe a statement.
    pub(crate) async fn prepare(&mut self, sql: &str) -> Result<Statement, Error> {
        self.ready().await?;
        let preparing = prepared::submit(self.session(), sql)?;
        let sets = self.results(preparing.id).await;
        prepared::settle(self.session(), preparing, sql, sets)
    }
}

/// A request whose future may be dropped before it is answered.
pub(super) struct InFlight<'a> {
    link: &'a mut Link,
    call: Option<PendingCall>,
    /// Names that the server may learn, of more than one call.
    names: Vec<Arc<str>>,
    completed: bool,
}

impl InFlight<'_> {
    pub(crate) async fn answered(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.link.poll_answered(cx)).await
    }

    pub(crate) async fn reply(&mut self, request: RequestId) -> Result<Reply, Error> {
        poll_fn(|cx| self.link.poll_reply(cx, request)).await
    }

    /// The request is over, or looked after by somebody else.
    pub(crate) fn complete(mut self) -> Option<PendingCall> {
        self.completed = true;
        self.call.take()
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if self.completed {
            return;
        }
        if let Some(call) = self.call.take() {
            call.forget(self.link.session());
        }
        for name in std::mem::take(&mut self.names) {
            self.link.session().statements().drop_name(&name);
        }
        self.link.leave(true);
    }
}

impl Deref for InFlight<'_> {
    type Target = Link;

    fn deref(&self) -> &Link {
        self.link
    }
}

impl DerefMut for InFlight<'_> {
    fn deref_mut(&mut self) -> &mut Link {
        self.link
    }
}
