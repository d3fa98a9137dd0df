//! Statements by the extended protocol, for entry points that encode parameters by themselves.

use kecoa_proto::{Parameter, RequestId};

use super::client::Client;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::row::ResultSet;
use crate::session::call::{self, CallPlan, CallRequest, PendingCall, Settled};
use crate::session::statement::{self, PipelineOutcome};

impl Client {
    /// How a statement with parameters of these types is to be sent now. From its third use on the
    /// plan knows the [columns](CallPlan::description), so that a form can be chosen for each.
    /// Counts as a use: plan once a call.
    pub fn plan_call(&mut self, sql: &[u8], types: &[u32]) -> CallPlan {
        call::plan(self.session(), sql, types)
    }

    /// [`plan_call`](Client::plan_call) for a statement that others are to be submitted behind before
    /// it is settled. Statements of a pipeline take effect in their order: one whose preparation went
    /// stale is sent anew only where nothing behind it may have changed anything.
    pub fn plan_pipelined(&mut self, sql: &[u8], types: &[u32]) -> CallPlan {
        call::plan_pipelined(self.session(), sql, types)
    }

    /// Queues a call; [`finish_call`](Client::finish_call) or [`settle_call`](Client::settle_call)
    /// collects it. Any number may be in flight; they are settled in the order in which they were
    /// submitted.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for what cannot be sent,
    /// [`ConnectionLost`](crate::ErrorKind::ConnectionLost) on a closed connection.
    pub fn submit_call(
        &mut self,
        plan: CallPlan,
        request: &CallRequest<'_>,
    ) -> Result<PendingCall, Error> {
        call::submit(self.session(), plan, request)
    }

    /// Drives a call to its end. `request` is what was submitted: a statement whose preparation went
    /// stale (SQLSTATE 26000, 0A000, a type that is gone) outside a transaction is sent anew.
    ///
    /// # Errors
    /// As [`Client::run`].
    pub fn finish_call(
        &mut self,
        pending: PendingCall,
        request: &CallRequest<'_>,
        hook: &mut dyn Interrupt,
    ) -> Result<ResultSet, Error> {
        call::finish(self.session(), pending, request, hook)
    }

    /// Takes what a call answered. After [`advance`](Client::advance) said that every request has
    /// been answered, this never waits; what has to be sent anew is in flight again then.
    ///
    /// # Errors
    /// As [`Client::run`].
    pub fn settle_call(
        &mut self,
        pending: PendingCall,
        request: &CallRequest<'_>,
        hook: &mut dyn Interrupt,
    ) -> Result<Settled, Error> {
        call::settle(self.session(), pending, request, hook)
    }

    /// [`work_ahead`](Client::work_ahead) of a call.
    pub fn work_ahead_call(&mut self, pending: &PendingCall, hook: &mut dyn Interrupt) {
        statement::work_ahead(self.session(), pending.id(), pending.columns(), hook);
    }

    /// Queues one statement with several sets of parameters as one request, in text form results;
    /// [`finish`](Client::finish) collects a result for each, after BEGIN's own when `begin` is
    /// given. The server parses it once and skips what follows an error. Outside a transaction all
    /// of it succeeds or fails together.
    ///
    /// # Errors
    /// As [`submit_call`](Client::submit_call).
    pub fn submit_many(
        &mut self,
        begin: Option<&[u8]>,
        sql: &[u8],
        types: &[u32],
        rows: &[&[Parameter<'_>]],
    ) -> Result<RequestId, Error> {
        call::submit_many(self.session(), begin, sql, types, rows)
    }

    /// Drives a submitted request of several statements to its end: every result, and beside them the
    /// first error.
    ///
    /// # Errors
    /// As [`Client::run`], but for server errors after which the connection is usable.
    pub fn finish_pipeline(
        &mut self,
        request: RequestId,
        hook: &mut dyn Interrupt,
    ) -> Result<PipelineOutcome, Error> {
        statement::finish_pipeline(self.session(), request, hook)
    }
}
