//! Statements: submitted at once.

use std::collections::VecDeque;
use std::sync::Arc;

use kecoa::call::CallPlan;
use kecoa_proto::{Format, Request, TransactionStatus};
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::calls::{self, Call, ManyRequest, is_one_statement};
use super::link::{AsyncLink, set_future};
use super::state::{Pending, Sent, Target};
use crate::dbapi::cursor::Cursor;
use crate::dbapi::cursor::binding::{BoundCall, bound, bound_many};
use crate::dbapi::cursor::execute_arrow::{describing, running};
use crate::dbapi::cursor::overlap::{self, Overlap};
use crate::names;

/// How many bytes of statements wait at most, where they wait for each other.
const UNSENT: usize = 64 * 1024;

/// What is to be sent.
enum Work {
    Call(Call, Option<CallPlan>),
    /// A statement that is yet to be planned.
    Bound(BoundCall),
    /// A statement without values of its own, which is not worth to be prepared.
    Bare(Option<Arc<[u8]>>),
    /// One statement with several sets of values.
    Many(Vec<BoundCall>),
    /// A statement whose columns are asked for first, BEGIN in front where it is due.
    Describe(BoundCall, Option<Arc<[u8]>>),
    /// The same statement, with its columns in these forms.
    Formed(BoundCall, Vec<Format>),
    Query,
}

impl AsyncLink {
    /// Submits a statement; None when it has to wait for its turn.
    pub(super) fn submit_statement<'py>(
        slf: &Bound<'py, Self>,
        cursor: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        vars: Option<&Bound<'py, PyAny>>,
        held: bool,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = slf.py();
        let this = slf.get();
        this.check_loop(py)?;
        this.check_open(py)?;
        cursor.get().check_open(py)?;
        {
            let state = this.state();
            if !held && !state.pipelining && !state.is_free() {
                drop(state);
                // It may be given up while it waits.
                cursor.get().forget_statement();
                return Ok(None);
            }
        }
        let connection = this.connection.bind(py);
        let (sql, call) = bound(cursor, connection, query, vars)
            .inspect_err(|_| cursor.get().forget_statement())?;
        let sql: Arc<[u8]> = sql.into();
        let begin = this.due();
        let later = this.state().pipelining;
        let work = match call {
            Some(call) => Work::Bound(call),
            None if is_one_statement(&sql) => Work::Bare(begin.clone()),
            None => Work::Query,
        };
        if begin.is_some() && (later || matches!(work, Work::Query)) {
            // What follows BEGIN, or comes in several pieces, must not be run without it.
            return Ok(None);
        }
        let work = match work {
            Work::Bound(call) => {
                let (call, plan) = Call::plan(cursor, connection, call, begin, later)?;
                Work::Call(call, plan)
            }
            work => work,
        };
        cursor.get().begin_statement(sql.clone());
        let future = this.new_future(py)?;
        let target = Target::Cursor(cursor.clone().unbind());
        AsyncLink::submit(slf, sql, work, target, &future, later)?;
        Ok(Some(future))
    }

    /// Submits a statement whose rows become Arrow's batches: its columns are asked for first. Only for
    /// whoever has the connection. None where BEGIN has to go in front by itself.
    pub(super) fn submit_arrow<'py>(
        slf: &Bound<'py, Self>,
        cursor: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        vars: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = slf.py();
        let this = slf.get();
        this.check_loop(py)?;
        this.check_open(py)?;
        cursor.get().check_open(py)?;
        Cursor::check_arrow(cursor, &cursor.get().codec(cursor.py()), "execute_arrow")?;
        let (sql, call) = bound(cursor, this.connection.bind(py), query, vars)
            .inspect_err(|_| cursor.get().forget_statement())?;
        let begin = this.due();
        let target = |cursor: &Bound<'py, Cursor>| cursor.clone().unbind();
        let (work, target) = match call {
            Some(call) => (Work::Describe(call, begin), Target::Arrow(target(cursor))),
            // It has few rows, and no other form.
            None if begin.is_some() => return Ok(None),
            None => (Work::Query, Target::Cursor(target(cursor))),
        };
        let sql: Arc<[u8]> = sql.into();
        cursor.get().begin_statement(sql.clone());
        let future = this.new_future(py)?;
        AsyncLink::submit(slf, sql, work, target, &future, false)?;
        Ok(Some(future))
    }

    /// Submits the statement whose columns are known now.
    pub(super) fn submit_formed(
        slf: &Bound<'_, Self>,
        sql: Arc<[u8]>,
        call: BoundCall,
        forms: Vec<Format>,
        target: Target,
        future: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        AsyncLink::submit(slf, sql, Work::Formed(call, forms), target, future, false)
    }

    /// Submits a statement for each of many arguments.
    pub(super) fn submit_many<'py>(
        slf: &Bound<'py, Self>,
        cursor: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        many: &Bound<'py, PyList>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        this.check_loop(py)?;
        this.check_open(py)?;
        cursor.get().check_open(py)?;
        let connection = this.connection.bind(py);
        let future = this.new_future(py)?;
        // All of them first: when one cannot be sent, none is.
        let mut requests = ManyRequest::of(bound_many(cursor, connection, query, many)?);
        let first_error = Arc::default();
        let cursor = cursor.clone().unbind();
        if requests.is_empty() {
            set_future(py, future.as_unbound(), Ok(()));
        } else if this.connection.get().server_transaction() == TransactionStatus::Idle {
            // Each request commits by itself: none must run behind one that failed.
            if let Some(first) = requests.pop_front() {
                let target = Target::Count { cursor, first_error, rest: Some(requests) };
                AsyncLink::submit_many_request(slf, first, target, &future, false)?;
            }
            return Ok(future);
        }
        let count = requests.len();
        for (number, many) in requests.into_iter().enumerate() {
            let last = number + 1 == count;
            let target = Target::Count {
                cursor: cursor.clone_ref(py),
                first_error: Arc::clone(&first_error),
                rest: last.then(VecDeque::new),
            };
            AsyncLink::submit_many_request(slf, many, target, &future, !last)?;
        }
        Ok(future)
    }

    pub(super) fn submit_many_request(
        slf: &Bound<'_, Self>,
        many: ManyRequest,
        target: Target,
        future: &Bound<'_, PyAny>,
        later: bool,
    ) -> PyResult<()> {
        let (sql, work) = match many {
            ManyRequest::Bound(calls) => {
                let sql = calls.first().map(BoundCall::sql).unwrap_or_default();
                (Arc::from(sql), Work::Many(calls))
            }
            ManyRequest::Text(sql) => (sql.into(), Work::Query),
        };
        AsyncLink::submit(slf, sql, work, target, future, later)
    }

    /// Submits a command of the connection's own.
    pub(super) fn submit_command<'py>(
        slf: &Bound<'py, Self>,
        sql: &str,
        commit: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        slf.get().check_loop(py)?;
        slf.get().check_open(py)?;
        if commit {
            // A session that the server has already ended was lost before COMMIT: nothing of it is
            // committed. Found out only after sending, it would be ambiguous.
            AsyncLink::look(slf)?;
        }
        let future = slf.get().new_future(py)?;
        let target = Target::Command { commit };
        AsyncLink::submit(slf, sql.as_bytes().into(), Work::Query, target, &future, false)?;
        Ok(future)
    }

    /// BEGIN, when the next statement is to open a transaction.
    pub(super) fn due(&self) -> Option<Arc<[u8]>> {
        let begin = self.state().begin.clone()?;
        let idle = self.connection.get().server_transaction() == TransactionStatus::Idle;
        idle.then_some(begin)
    }

    /// Sends what the socket takes at once.
    pub(super) fn send(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        slf.get().state().unsent = 0;
        let sent = {
            let mut link = slf.get().connection.get().link(py);
            match link.client.as_mut() {
                Some(client) if !client.is_closed() => client.try_send(),
                _ => return Ok(()),
            }
        };
        match sent {
            Ok(None) => Ok(()),
            Ok(wanted) => AsyncLink::watch(slf, wanted),
            Err(error) => AsyncLink::lose(slf, &error),
        }
    }

    /// Submits; what is to be sent `later` waits for more, up to a limit.
    fn submit(
        slf: &Bound<'_, Self>,
        sql: Arc<[u8]>,
        work: Work,
        target: Target,
        future: &Bound<'_, PyAny>,
        later: bool,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let unsent = {
            let mut state = this.state();
            state.unsent += sql.len();
            if !later || state.unsent > UNSENT {
                state.unsent = 0;
            }
            state.unsent
        };
        let submitted = {
            let mut link = this.connection.get().link(py);
            link.client.as_mut().map(|client| {
                let commits = client.commits();
                let request = match work {
                    Work::Call(call, plan) => Sent::Call(call.submit(client, plan)?, call),
                    Work::Bound(call) => Sent::Query(calls::submit_many(client, &[call])?),
                    Work::Bare(begin) => {
                        Sent::Query(calls::submit_bare(client, begin.as_deref(), &sql)?)
                    }
                    Work::Many(many) => Sent::Query(calls::submit_many(client, &many)?),
                    Work::Describe(call, begin) => {
                        let steps = describing(begin.as_deref(), &call);
                        let id = client.submit(&Request::Extended(&steps))?;
                        Sent::Described(id, call)
                    }
                    Work::Formed(call, forms) => {
                        let parameters = call.values().parameters();
                        let steps = running(&call, &parameters, &forms);
                        Sent::Query(client.submit(&Request::Extended(&steps))?)
                    }
                    Work::Query => Sent::Query(client.submit(&Request::Query(&sql))?),
                };
                let sent = if unsent > 0 { Ok(None) } else { client.try_send() };
                Ok((request, commits, sent))
            })
        };
        let (request, commits, sent) = match submitted {
            Some(Ok(submitted)) => submitted,
            Some(Err(error)) => return Err(this.raise(py, &error, None, &sql, false)),
            None => {
                return Err(names::interface_error(py, "the connection is closed"));
            }
        };
        this.connection.get().count_statement(true);
        {
            let mut state = this.state();
            let number = state.next_number();
            let future = future.clone().unbind();
            let work = match &target {
                // In a pipeline other answers may come behind it that nobody should have to wait for.
                Target::Cursor(cursor) if !state.pipelining => {
                    overlap::Work::Objects(Overlap::new(cursor.bind(py)))
                }
                Target::Arrow(_) => overlap::Work::Batches,
                _ => overlap::Work::Nothing,
            };
            let sent = request;
            let pending = Pending { number, future, sent, sql, target, commits, work };
            state.requests.push_back(pending);
        }
        match sent {
            Ok(None) => {}
            Ok(wanted) => AsyncLink::watch(slf, wanted)?,
            // Reported through the future, as what happens later.
            Err(error) => AsyncLink::lose(slf, &error)?,
        }
        Ok(())
    }
}
