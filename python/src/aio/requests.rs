//! Statements: submitted at once, settled when they are answered.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use kecoa::call::{CallPlan, PendingCall, Settled};
use kecoa::{Never, ResultSet};
use kecoa_proto::{Request, RequestId, TransactionStatus};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::calls::{self, Call, Many, is_one_statement};
use super::link::AsyncLink;
use crate::dbapi::cursor::{BoundCall, Cursor, bound};
use crate::errors::error::{self, Circumstances};
use crate::names;
use crate::sync::lock;

/// How many bytes of statements wait at most, where they wait for each other.
const UNSENT: usize = 64 * 1024;

/// How many seconds a request may take to end that is cancelled because its results are too large.
const GRACE: f64 = 10.0;

/// A request that was submitted.
pub(super) struct Pending {
    /// Counts requests, so that a timer knows whether it is still about its own.
    pub(super) number: u64,
    /// Done when the request is settled.
    pub(super) future: Py<PyAny>,
    sent: Sent,
    pub(super) sql: Arc<[u8]>,
    target: Target,
    /// How many COMMITs had been confirmed before.
    commits: u64,
}

impl Pending {
    /// Whether something may be committed although nobody saw the answer.
    pub(super) fn may_commit(&self) -> bool {
        matches!(self.target, Target::Command { commit: true })
            || kecoa::retry::is_commit(&self.sql)
    }
}

/// What was sent: one statement of the extended protocol, or whatever the simple one takes.
enum Sent {
    Call(PendingCall, Call),
    Query(RequestId),
}

/// What is to be sent.
enum Work {
    Call(Call, Option<CallPlan>),
    /// A statement that is yet to be planned.
    Bound(BoundCall),
    /// A statement without values of its own, which is not worth to be prepared.
    Bare(Option<Arc<[u8]>>),
    /// One statement with several sets of values.
    Many(Vec<BoundCall>),
    Query,
}

/// What a request came to.
enum Answer {
    Over(Result<Vec<ResultSet>, kecoa::Error>),
    Again(Sent),
}

/// Who takes the answer.
enum Target {
    Cursor(Py<Cursor>),
    Command {
        commit: bool,
    },
    /// One of many statements of a cursor, that only counts.
    Count {
        cursor: Py<Cursor>,
        first_error: Arc<Mutex<Option<PyErr>>>,
        /// What is to be sent when this was a success; None where more is under way.
        rest: Option<VecDeque<Many>>,
    },
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
                return Ok(None);
            }
        }
        let connection = this.connection.bind(py);
        let (sql, call) = bound(cursor, connection, query, vars)?;
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
        let statements = many
            .iter()
            .map(|vars| bound(cursor, connection, query, Some(&vars)))
            .collect::<PyResult<Vec<_>>>()?;
        let mut requests = Many::of(statements);
        let first_error = Arc::default();
        let cursor = cursor.clone().unbind();
        if requests.is_empty() {
            tell(py, future.as_unbound(), Ok(()));
        } else if this.connection.get().server_transaction() == TransactionStatus::Idle {
            // Each request commits by itself: none must run behind one that failed.
            if let Some(first) = requests.pop_front() {
                let target = Target::Count { cursor, first_error, rest: Some(requests) };
                AsyncLink::submit_one_of_many(slf, first, target, &future, false)?;
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
            AsyncLink::submit_one_of_many(slf, many, target, &future, !last)?;
        }
        Ok(future)
    }

    fn submit_one_of_many(
        slf: &Bound<'_, Self>,
        many: Many,
        target: Target,
        future: &Bound<'_, PyAny>,
        later: bool,
    ) -> PyResult<()> {
        let (sql, work) = match many {
            Many::Bound(calls) => {
                let sql = calls.first().map(BoundCall::sql).unwrap_or_default();
                (Arc::from(sql), Work::Many(calls))
            }
            Many::Text(sql) => (sql.into(), Work::Query),
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
        slf.get().state().unsent = 0;
        let sent = {
            let mut link = slf.get().connection.get().link();
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
            let mut link = this.connection.get().link();
            link.client.as_mut().map(|client| {
                let commits = client.commits();
                let request = match work {
                    Work::Call(call, plan) => Sent::Call(call.submit(client, plan)?, call),
                    Work::Bound(call) => Sent::Query(calls::submit_many(client, &[call])?),
                    Work::Bare(begin) => {
                        Sent::Query(calls::submit_bare(client, begin.as_deref(), &sql)?)
                    }
                    Work::Many(many) => Sent::Query(calls::submit_many(client, &many)?),
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
            let pending = Pending { number, future, sent: request, sql, target, commits };
            state.requests.push_back(pending);
        }
        match sent {
            Ok(None) => {}
            Ok(wanted) => AsyncLink::watch(slf, wanted)?,
            // Told through the future, as what happens later.
            Err(error) => AsyncLink::lose(slf, &error)?,
        }
        Ok(())
    }

    /// Goes on as far as it goes without waiting, and settles what is answered.
    pub(super) fn advance(slf: &Bound<'_, Self>) -> PyResult<()> {
        let this = slf.get();
        let (idle, pulling) = {
            let state = this.state();
            (state.requests.is_empty(), state.pull.is_some())
        };
        if pulling {
            return AsyncLink::wake_pull(slf);
        }
        let too_large;
        let stepped = {
            let mut link = this.connection.get().link();
            let Some(client) = link.client.as_mut() else { return Ok(()) };
            let stepped = if idle { client.poll().map(|()| None) } else { client.advance() };
            too_large = client.has_excess();
            stepped
        };
        if too_large {
            AsyncLink::give_up(slf, None, GRACE)?;
        }
        match stepped {
            Ok(Some(wanted)) => {
                AsyncLink::catch_up(slf);
                AsyncLink::watch(slf, Some(wanted))
            }
            Ok(None) if idle => {
                AsyncLink::catch_up(slf);
                Ok(())
            }
            Ok(None) => {
                AsyncLink::watch(slf, None)?;
                AsyncLink::settle_all(slf)
            }
            Err(error) => AsyncLink::lose(slf, &error),
        }
    }

    /// Takes what came without being asked for; raises when the server has gone.
    pub(super) fn look(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        this.check_open(py)?;
        let looked = {
            let mut link = this.connection.get().link();
            link.client.as_mut().map(kecoa::blocking::Client::poll)
        };
        AsyncLink::catch_up(slf);
        match looked {
            Some(Err(error)) => {
                let raised = this.raise(py, &error, None, b"", false);
                AsyncLink::lose(slf, &error)?;
                // The caller is told.
                this.state().end = None;
                Err(raised)
            }
            _ => Ok(()),
        }
    }

    fn settle_all(slf: &Bound<'_, Self>) -> PyResult<()> {
        // Those that have to be sent once more come after all that are answered.
        let count = slf.get().state().requests.len();
        for _ in 0..count {
            let Some(pending) = slf.get().state().requests.pop_front() else { break };
            AsyncLink::settle(slf, pending)?;
        }
        if slf.get().state().requests.is_empty() {
            AsyncLink::hand_over(slf);
            return Ok(());
        }
        AsyncLink::send(slf)
    }

    /// Gives a request's answer to whom it is for.
    fn settle(slf: &Bound<'_, Self>, pending: Pending) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let connection = this.connection.bind(py);
        let Pending { number, future, sent, sql, target, commits } = pending;
        // The server's errors are about what was sent.
        let mut about = None;
        let answer = {
            let mut link = connection.get().link();
            link.client.as_mut().map(|client| match sent {
                Sent::Query(id) => Answer::Over(client.finish(id, &mut Never)),
                Sent::Call(pending, call) => match call.settle(client, pending) {
                    Ok(Settled::Done(set)) => Answer::Over(Ok(vec![set])),
                    Ok(Settled::Again(again)) => Answer::Again(Sent::Call(again, call)),
                    Err(error) => {
                        about = Some(call);
                        Answer::Over(Err(error))
                    }
                },
            })
        };
        let answer = match answer {
            Some(Answer::Over(answer)) => answer,
            Some(Answer::Again(sent)) => {
                let pending = Pending { number, future, sent, sql, target, commits };
                this.state().requests.push_back(pending);
                return Ok(());
            }
            // Closed meanwhile.
            None => Err(kecoa::Error::connection_lost("the connection was closed")),
        };
        connection.get().count_statement(false);
        AsyncLink::catch_up(slf);
        let settled = match &target {
            Target::Cursor(cursor) => {
                let sql = about.as_ref().map_or(&*sql, |call| call.call.sql());
                Cursor::take_settled(cursor.bind(py), connection, sql, answer)
            }
            Target::Command { commit } => {
                answer.map(drop).map_err(|e| this.raise(py, &e, None, &sql, *commit))
            }
            Target::Count { cursor, first_error, rest } => {
                let counted = answer.map(|sets| {
                    for set in &sets {
                        let tag = set.tag.as_ref();
                        cursor.get().add_count(tag.and_then(kecoa_proto::CommandTag::rows));
                    }
                });
                let counted = counted.map_err(|e| this.raise(py, &e, Some(cursor), &sql, false));
                let mut first = lock(first_error);
                if let Err(error) = counted {
                    first.get_or_insert(error);
                }
                match rest {
                    // Told behind the last of them.
                    None => return Ok(()),
                    Some(_) => first.take().map_or(Ok(()), Err),
                }
            }
        };
        if let (Ok(()), Target::Count { cursor, first_error, rest: Some(mut rest) }) =
            (&settled, target)
            && let Some(next) = rest.pop_front()
        {
            let target = Target::Count { cursor, first_error, rest: Some(rest) };
            let sent = AsyncLink::submit_one_of_many(slf, next, target, future.bind(py), false);
            if sent.is_err() {
                tell(py, &future, sent);
            }
            return Ok(());
        }
        if settled.is_err() && connection.get().is_closed() {
            this.state().told = true;
        }
        tell(py, &future, settled.and(this.complaint()));
        Ok(())
    }

    /// The connection is gone: says so to everybody who waits for it.
    pub(super) fn lose(slf: &Bound<'_, Self>, error: &kecoa::Error) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        AsyncLink::unwatch(slf);
        AsyncLink::catch_up(slf);
        let commits = this.connection.get().link().client.as_ref().map_or(0, |c| c.commits());
        let requests = std::mem::take(&mut this.state().requests);
        let told = !requests.is_empty();
        for pending in requests {
            this.connection.get().count_statement(false);
            let settled = match &pending.target {
                // The server said COMMIT when it had: a connection that ends on the last few bytes
                // behind it leaves nothing open.
                Target::Command { commit: true } if commits > pending.commits => Ok(()),
                Target::Command { commit } => {
                    Err(this.raise(py, error, None, &pending.sql, *commit))
                }
                Target::Cursor(cursor) | Target::Count { cursor, .. } => {
                    let commit = kecoa::retry::is_commit(&pending.sql);
                    Err(this.raise(py, error, Some(cursor), &pending.sql, commit))
                }
            };
            if settled.is_err() {
                this.state().told = true;
            }
            tell(py, &pending.future, settled);
        }
        let reason = error.to_string();
        AsyncLink::end_with(slf, Some(&reason));
        if told {
            this.state().end = None;
        }
        Ok(())
    }

    /// The exception for an error of the client's.
    pub(super) fn raise(
        &self,
        py: Python<'_>,
        error: &kecoa::Error,
        cursor: Option<&Py<Cursor>>,
        sql: &[u8],
        commit: bool,
    ) -> PyErr {
        let codec = self.connection.get().codec();
        let cursor = cursor.map(|cursor| cursor.bind(py).clone().into_any());
        let circumstances = Circumstances {
            statement: (!sql.is_empty()).then_some(sql),
            codec: &codec,
            cursor: cursor.as_ref(),
            commit,
        };
        error::exception(py, error, &circumstances)
    }
}

/// Tells a future; one that was cancelled needs to know nothing.
pub(super) fn tell(py: Python<'_>, future: &Py<PyAny>, outcome: PyResult<()>) {
    let _ = match outcome {
        Ok(()) => future.call_method1(py, intern!(py, "set_result"), (py.None(),)),
        Err(error) => future.call_method1(py, intern!(py, "set_exception"), (error.value(py),)),
    };
}
