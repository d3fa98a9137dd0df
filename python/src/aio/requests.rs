//! Statements: submitted at once, settled when they are answered.

use std::sync::Arc;

use kecoa::Never;
use kecoa_proto::{Request, RequestId, TransactionStatus};
use pyo3::intern;
use pyo3::prelude::*;

use super::link::AsyncLink;
use crate::cursor::{Cursor, merged};
use crate::error::{self, Circumstances};
use crate::globals;

/// A request that was submitted.
pub(super) struct Pending {
    /// Counts requests, so that a timer knows whether it is still about its own.
    pub(super) number: u64,
    /// Done when the request is settled.
    pub(super) future: Py<PyAny>,
    id: RequestId,
    sql: Arc<[u8]>,
    target: Target,
    /// How many COMMITs had been confirmed before.
    commits: u64,
}

/// Who takes the answer.
enum Target {
    Cursor(Py<Cursor>),
    Command { commit: bool },
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
        {
            let state = this.state();
            if !held && !state.pipelining && !state.is_free() {
                return Ok(None);
            }
        }
        if !held && this.due().is_some() {
            return Ok(None);
        }
        let connection = this.connection.bind(py);
        let sql: Arc<[u8]> = merged(cursor, connection, query, vars)?.into();
        cursor.get().begin_statement(sql.clone());
        AsyncLink::submit(slf, sql, Target::Cursor(cursor.clone().unbind())).map(Some)
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
        AsyncLink::submit(slf, sql.as_bytes().into(), Target::Command { commit })
    }

    /// BEGIN, when the next statement is to open a transaction.
    pub(super) fn due(&self) -> Option<Arc<[u8]>> {
        let begin = self.state().begin.clone()?;
        let idle = self.connection.get().server_transaction() == TransactionStatus::Idle;
        idle.then_some(begin)
    }

    /// Sends what the socket takes at once.
    pub(super) fn send(slf: &Bound<'_, Self>) -> PyResult<()> {
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

    fn submit<'py>(
        slf: &Bound<'py, Self>,
        sql: Arc<[u8]>,
        target: Target,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        let future = this.new_future(py)?;
        let submitted = {
            let mut link = this.connection.get().link();
            link.client.as_mut().map(|client| {
                let id = client.submit(&Request::Query(&sql))?;
                let commits = client.commits();
                Ok((id, commits, client.try_send()))
            })
        };
        let (id, commits, sent) = match submitted {
            Some(Ok(submitted)) => submitted,
            Some(Err(error)) => return Err(this.raise(py, &error, None, &sql, false)),
            None => {
                return Err(globals::get(py)?.exceptions.interface(py, "the connection is closed"));
            }
        };
        this.connection.get().count_statement(true);
        {
            let mut state = this.state();
            let number = state.next_number();
            let future = future.clone().unbind();
            state.requests.push_back(Pending { number, future, id, sql, target, commits });
        }
        match sent {
            Ok(None) => {}
            Ok(wanted) => AsyncLink::watch(slf, wanted)?,
            // Told through the future, as what happens later.
            Err(error) => AsyncLink::lose(slf, &error)?,
        }
        Ok(future)
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
        let stepped = {
            let mut link = this.connection.get().link();
            let Some(client) = link.client.as_mut() else { return Ok(()) };
            if idle { client.poll().map(|()| None) } else { client.advance() }
        };
        match stepped {
            Ok(Some(wanted)) => {
                AsyncLink::catch_up(slf)?;
                AsyncLink::watch(slf, Some(wanted))
            }
            Ok(None) if idle => AsyncLink::catch_up(slf),
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
        AsyncLink::catch_up(slf)?;
        match looked {
            Some(Err(error)) => {
                let raised = this.raise(py, &error, None, b"", false);
                AsyncLink::end_with(slf, None);
                Err(raised)
            }
            _ => Ok(()),
        }
    }

    fn settle_all(slf: &Bound<'_, Self>) -> PyResult<()> {
        loop {
            let Some(pending) = slf.get().state().requests.pop_front() else { break };
            AsyncLink::settle(slf, &pending)?;
        }
        AsyncLink::hand_over(slf);
        Ok(())
    }

    /// Gives a request's answer to whom it is for.
    fn settle(slf: &Bound<'_, Self>, pending: &Pending) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let connection = this.connection.bind(py);
        connection.get().count_statement(false);
        let answer = {
            let mut link = connection.get().link();
            link.client.as_mut().map(|client| client.finish(pending.id, &mut Never))
        };
        AsyncLink::catch_up(slf)?;
        let Some(answer) = answer else { return Ok(()) };
        let settled = match &pending.target {
            Target::Cursor(cursor) => Cursor::take_answer(cursor.bind(py), connection, answer),
            Target::Command { commit } => {
                answer.map(drop).map_err(|e| this.raise(py, &e, None, &pending.sql, *commit))
            }
        };
        tell(py, &pending.future, settled);
        Ok(())
    }

    /// The connection is gone: says so to everybody who waits for it.
    pub(super) fn lose(slf: &Bound<'_, Self>, error: &kecoa::Error) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        AsyncLink::unwatch(slf);
        AsyncLink::catch_up(slf)?;
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
                Target::Cursor(cursor) => {
                    let commit = crate::cursor::is_commit(&pending.sql);
                    Err(this.raise(py, error, Some(cursor), &pending.sql, commit))
                }
            };
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
