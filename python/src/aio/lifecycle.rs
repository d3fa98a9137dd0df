//! What happens to a link beside its statements: messages, whose turn it is, and its end.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyWeakrefMethods;

use super::link::{AsyncLink, set_future};
use super::state::Target;
use crate::dbapi::connection::event_loop::Messages;
use crate::dbapi::notify;
use crate::errors::error;

impl AsyncLink {
    /// Brings the Python side up to date after the client was driven, and hands over what the
    /// server said without being asked. What goes wrong there is raised by the statement under way:
    /// whoever waits for an answer gets one in spite of it.
    pub(super) fn catch_up(slf: &Bound<'_, Self>) {
        let py = slf.py();
        let this = slf.get();
        let connection = this.connection.get();
        let was_closed = connection.is_closed();
        let open = connection.server_transaction() != kecoa_proto::TransactionStatus::Idle;
        let (messages, caught_up) = connection.catch_up(py);
        {
            let mut state = this.state();
            let commits = connection.commits();
            if !was_closed && connection.is_closed() {
                // The answer to a COMMIT may have come, though not to its end.
                state.cut_transaction = open && commits == state.commits;
            }
            if state.requests.is_empty() {
                state.commits = commits;
            }
        }
        if let Err(error) = AsyncLink::deliver(slf, messages) {
            // The program's own: never an answer's.
            error.write_unraisable(py, Some(slf.as_any()));
        }
        if let Err(error) = caught_up {
            let old = this.state().deferred_error.replace(error);
            drop(old);
        }
    }

    fn deliver(slf: &Bound<'_, Self>, messages: Messages) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        if messages.notices.is_empty() && messages.notifications.is_empty() {
            return Ok(());
        }
        let owner = this.state().owner.as_ref().map(|owner| owner.clone_ref(py));
        let Some(owner) = owner.and_then(|owner| owner.bind(py).upgrade()) else { return Ok(()) };
        let Messages { notices, notifications } = messages;
        let codec = this.connection.get().codec();
        let notices = notices
            .into_iter()
            .map(|notice| error::diagnostics(py, notice, &codec))
            .collect::<PyResult<Vec<_>>>()?;
        let notifications = notifications
            .iter()
            .map(|notification| notify::from_server(py, notification, &codec))
            .collect::<PyResult<Vec<_>>>()?;
        owner.call_method1(intern!(py, "_on_messages"), (notices, notifications)).map(drop)
    }

    /// Gives the connection to whoever waits for it longest, if it is free.
    pub(super) fn next_turn(slf: &Bound<'_, Self>) {
        let py = slf.py();
        loop {
            let next = {
                let mut state = slf.get().state();
                if state.held || !state.is_quiet() {
                    return;
                }
                let next = state.waiters.pop_front();
                state.held = next.is_some();
                next
            };
            let Some(next) = next else { return };
            if next.call_method1(py, intern!(py, "set_result"), (py.None(),)).is_ok() {
                return;
            }
            // It was cancelled meanwhile.
            slf.get().state().held = false;
        }
    }

    /// Something went wrong in the loop's callback, where no statement waits for the error: the connection is of
    /// no more use.
    pub(super) fn fail(slf: &Bound<'_, Self>, error: PyErr) {
        let py = slf.py();
        let text = error.to_string();
        AsyncLink::end_with(slf, Some(&text));
        error.write_unraisable(py, Some(slf.as_any()));
    }

    /// Closes, and gives those who wait the reason. With a reason, the connection was lost.
    pub(super) fn end_with(slf: &Bound<'_, Self>, reason: Option<&str>) {
        let py = slf.py();
        let this = slf.get();
        AsyncLink::unwatch(slf);
        let connection = this.connection.get();
        let idle = connection.server_transaction() == kecoa_proto::TransactionStatus::Idle;
        let cut = !connection.is_closed() && !idle;
        connection.close_link(py, reason.is_some());
        let (requests, streaming, waiters) = {
            let mut state = this.state();
            state.cut_transaction |= cut;
            state.end = reason.map(ToOwned::to_owned);
            state.held = false;
            (
                std::mem::take(&mut state.requests),
                state.streaming.take(),
                std::mem::take(&mut state.waiters),
            )
        };
        let owner = this.state().owner.as_ref().map(|owner| owner.clone_ref(py));
        if let Some(owner) = owner.and_then(|owner| owner.bind(py).upgrade()) {
            let _ = owner.call_method1(intern!(py, "_on_lost"), (reason,));
        }
        let reason = reason.unwrap_or("the connection was closed");
        for pending in requests {
            this.connection.get().count_statement(false);
            let raised = if pending.may_commit() {
                let error = kecoa::Error::connection_lost(reason);
                this.raise(py, &error, None, &pending.sql, true)
            } else {
                error::lost(py, reason)
            };
            set_future(py, &pending.future, Err(raised));
        }
        for future in streaming.and_then(|streaming| streaming.waiter).into_iter().chain(waiters) {
            set_future(py, &future, Err(error::lost(py, reason)));
        }
    }

    /// The connection is gone: says so to everybody who waits for it.
    pub(super) fn lose(slf: &Bound<'_, Self>, reason: &kecoa::Error) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        AsyncLink::unwatch(slf);
        AsyncLink::catch_up(slf);
        let commits = this.connection.get().link(py).client.as_ref().map_or(0, |c| c.commits());
        let requests = std::mem::take(&mut this.state().requests);
        let loss_reported = !requests.is_empty();
        for pending in requests {
            this.connection.get().count_statement(false);
            let settled = match &pending.target {
                // The server said COMMIT when it had: a connection that ends on the last few bytes
                // behind it leaves nothing open.
                Target::Command { commit: true } if commits > pending.commits => Ok(()),
                Target::Command { commit } => {
                    Err(this.raise(py, reason, None, &pending.sql, *commit))
                }
                Target::Cursor(cursor) | Target::Arrow(cursor) | Target::Count { cursor, .. } => {
                    let commit = kecoa::retry::is_commit(&pending.sql);
                    Err(this.raise(py, reason, Some(cursor), &pending.sql, commit))
                }
            };
            if settled.is_err() {
                this.state().loss_reported = true;
            }
            set_future(py, &pending.future, settled);
        }
        let reason = reason.to_string();
        AsyncLink::end_with(slf, Some(&reason));
        if loss_reported {
            this.state().end = None;
        }
        Ok(())
    }
}
