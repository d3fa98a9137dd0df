//! Transactions: how they begin and end, and what runs in them.

use kecoa::ResultSet;
use kecoa::blocking::Client;
use kecoa::call::CallPlan;
use kecoa_proto::{Request, TransactionStatus};
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::Connection;
use super::characteristics::LEVELS;
use super::signals::{DriveResult, Signals};
use super::state::{STATUS_BEGIN, STATUS_READY, State};
use crate::convert::formats::is_utc;
use crate::dbapi::cursor::overlap::Work;
use crate::errors::error::{self, ErrorContext};
use crate::names;
use crate::sync::lock;

impl State {
    /// The whole BEGIN statement.
    pub(crate) fn begin(&self) -> String {
        let mut begin = "BEGIN".to_owned();
        if let Some(level) = self
            .isolation
            .and_then(|level| LEVELS.get(usize::from(level)))
            .filter(|l| !l.is_empty())
        {
            begin.push_str(" ISOLATION LEVEL ");
            begin.push_str(level);
        }
        begin.push_str(match self.readonly {
            Some(true) => " READ ONLY",
            Some(false) => " READ WRITE",
            None => "",
        });
        begin.push_str(match self.deferrable {
            Some(true) => " DEFERRABLE",
            Some(false) => " NOT DEFERRABLE",
            None => "",
        });
        begin
    }

    /// Whether the next statement opens a transaction.
    pub(crate) fn wants_begin(&self) -> bool {
        self.status == STATUS_READY && (!self.autocommit || self.entered)
    }
}

/// Runs a command of the connection's own. A COMMIT that the server confirmed although its time was
/// up, and it was asked to cancel, is no failure.
fn run_command(client: &mut Client, sql: &str, hook: &mut Signals) -> Result<(), kecoa::Error> {
    let commits = client.commits();
    match client.run(&Request::Query(sql.as_bytes()), hook) {
        Err(error)
            if error.kind() == kecoa::ErrorKind::Interrupted && client.commits() > commits =>
        {
            Ok(())
        }
        done => done.map(drop),
    }
}

impl Connection {
    /// Runs a statement of the connection's own and raises what the server says about it.
    pub(crate) fn command(slf: &Bound<'_, Connection>, sql: &str, commit: bool) -> PyResult<()> {
        if let Some(callback) = slf.get().green(slf.py()) {
            return Connection::command_green(slf, &callback, sql, commit);
        }
        let _limited = slf.get().limited_command(commit);
        let driven = Connection::drive(slf, |client, hook| {
            if commit {
                // A session that the server has already ended was lost before COMMIT: nothing of it
                // is committed. Found out only after sending, it would be ambiguous.
                client.poll()?;
            }
            run_command(client, sql, hook)
        })?;
        driven.map_err(|error| Connection::command_failed(slf, sql, commit, &error))
    }

    /// The same through the wait callback.
    fn command_green(
        slf: &Bound<'_, Connection>,
        callback: &Py<PyAny>,
        sql: &str,
        commit: bool,
    ) -> PyResult<()> {
        if commit && let Err(error) = Connection::drive(slf, |client, _| client.poll())? {
            return Err(Connection::command_failed(slf, sql, commit, &error));
        }
        Connection::run_green(slf, callback, sql.as_bytes())?
            .map(drop)
            .map_err(|error| Connection::command_failed(slf, sql, commit, &error))
    }

    fn command_failed(
        slf: &Bound<'_, Connection>,
        sql: &str,
        commit: bool,
        error: &kecoa::Error,
    ) -> PyErr {
        let codec = slf.get().codec();
        let context =
            ErrorContext { statement: Some(sql.as_bytes()), codec: &codec, cursor: None, commit };
        error::exception(slf.py(), error, &context)
    }

    /// Runs a user's statement, with BEGIN in front where the connection is to open a transaction.
    pub(crate) fn run_user(
        slf: &Bound<'_, Connection>,
        sql: &[u8],
        may_begin: bool,
        work: Work,
    ) -> PyResult<Result<Vec<ResultSet>, kecoa::Error>> {
        let this = slf.get();
        if let Some(callback) = this.green(slf.py()) {
            return Connection::run_user_green(slf, &callback, sql, may_begin);
        }
        Connection::drive_user(slf, may_begin, |client, begin, hook| {
            hook.work(work);
            match begin {
                Some(begin) => client.run_in_transaction(begin, sql, hook),
                None => client.run(&Request::Query(sql), hook),
            }
        })
    }

    /// How a statement is to be sent, perhaps before others that do not wait for its answer, and whether the session's time zone is UTC, as it is now.
    /// Nothing while another statement runs: this never waits, as it is attached to the interpreter.
    pub(crate) fn plan_call(
        &self,
        sql: &[u8],
        types: &[u32],
        pipelined: bool,
    ) -> Option<(CallPlan, bool)> {
        let mut guard = self.link.try_lock().ok()?;
        let link = &mut *guard;
        let client = link.client.as_mut()?;
        let utc = match link.reports {
            Some(reports) if reports == client.parameter_reports() => link.utc,
            _ => is_utc(client.parameter("TimeZone")),
        };
        let plan = match pipelined {
            true => client.plan_pipelined(sql, types),
            false => client.plan_call(sql, types),
        };
        Some((plan, utc))
    }

    /// Drives a user's statement; `work` gets the BEGIN that is to go in front of it, if any.
    pub(crate) fn drive_user<T: Send>(
        slf: &Bound<'_, Connection>,
        may_begin: bool,
        work: impl FnOnce(&mut Client, Option<&[u8]>, &mut Signals) -> Result<T, kecoa::Error> + Send,
    ) -> DriveResult<T> {
        let this = slf.get();
        // The status is looked at and set while the client is held: another thread may be about to
        // begin or to end the transaction.
        Connection::drive(slf, |client, hook| {
            let begin = {
                let state = lock(&this.state);
                (may_begin && state.wants_begin()).then(|| state.begin())
            };
            let done = work(client, begin.as_deref().map(str::as_bytes), hook);
            // A transaction that the statement itself ended counts as begun, as in psycopg2, which
            // sends COMMIT all the same.
            if begin.is_some()
                && (done.is_ok()
                    || (!client.is_closed()
                        && client.transaction_status() != TransactionStatus::Idle))
            {
                lock(&this.state).status = STATUS_BEGIN;
            }
            done
        })
    }

    /// Opens the transaction by itself, for COPY; false where none is to be opened.
    pub(crate) fn begin_now(slf: &Bound<'_, Connection>) -> PyResult<bool> {
        let this = slf.get();
        if slf.get().green(slf.py()).is_some() {
            let begin = {
                let state = lock(&this.state);
                state.wants_begin().then(|| state.begin())
            };
            let Some(begin) = begin else { return Ok(false) };
            Connection::command(slf, &begin, false)?;
            lock(&this.state).status = STATUS_BEGIN;
            return Ok(true);
        }
        let begin = lock(&this.state).begin();
        let _limited = this.limited_command(false);
        let driven = Connection::drive(slf, |client, hook| {
            if !lock(&this.state).wants_begin() {
                return Ok(false);
            }
            client.run(&Request::Query(begin.as_bytes()), hook)?;
            lock(&this.state).status = STATUS_BEGIN;
            Ok(true)
        })?;
        driven.map_err(|error| Connection::command_failed(slf, &begin, false, &error))
    }

    /// `with connection`: its statements are a transaction, with autocommit too.
    pub(super) fn enter(slf: &Bound<'_, Connection>) -> PyResult<()> {
        let py = slf.py();
        slf.get().check_open(py)?;
        Connection::send_queued(slf)?;
        let was = std::mem::replace(&mut lock(&slf.get().state).entered, true);
        if was {
            return Err(names::programming_error(
                py,
                "the connection cannot be re-entered recursively",
            ));
        }
        Ok(())
    }

    /// The end of `with connection`: COMMIT, or ROLLBACK when the block raised.
    pub(super) fn exit(slf: &Bound<'_, Connection>, exc_type: &Bound<'_, PyAny>) -> PyResult<()> {
        // Within the block's transaction, and with it.
        let sent = match exc_type.is_none() {
            true => Connection::send_queued(slf),
            false => Connection::send_queued_quietly(slf),
        };
        lock(&slf.get().state).entered = false;
        if let Err(error) = sent {
            // It says more than what the rollback met.
            let _ = slf.call_method0("rollback");
            return Err(error);
        }
        if exc_type.is_none() {
            return slf.call_method0("commit").map(drop);
        }
        let ambiguous = names::class(slf.py(), "AmbiguousCommitError");
        match slf.call_method0("rollback") {
            // An unknown outcome is not to be hidden by what follows from it: that there is no
            // connection to roll back on.
            Err(_) if exc_type.cast::<PyType>()?.is_subclass(&ambiguous)? => Ok(()),
            rolled_back => rolled_back.map(drop),
        }
    }

    /// Does `work` as a block `with connection`.
    pub(crate) fn as_block<T>(
        slf: &Bound<'_, Connection>,
        work: impl FnOnce() -> PyResult<T>,
    ) -> PyResult<T> {
        let py = slf.py();
        Connection::enter(slf)?;
        match work() {
            Ok(done) => Connection::exit(slf, py.None().bind(py)).map(|()| done),
            Err(raised) => {
                // What was raised says more than what its rollback met.
                let _ = Connection::exit(slf, raised.get_type(py).as_any());
                Err(raised)
            }
        }
    }

    /// COMMIT, if a transaction was begun. The connection is ready again, unless the server says that
    /// the transaction is still open.
    pub(crate) fn do_commit(slf: &Bound<'_, Connection>) -> PyResult<()> {
        Connection::end(slf, "COMMIT", true)
    }

    /// ROLLBACK, if a transaction was begun.
    pub(crate) fn do_rollback(slf: &Bound<'_, Connection>) -> PyResult<()> {
        Connection::send_queued_quietly(slf)?;
        Connection::end(slf, "ROLLBACK", false)
    }

    /// Ends the transaction that was begun, if one was. The status is looked at and set while the
    /// client is held: of two threads that commit at a time, one does.
    fn end(slf: &Bound<'_, Connection>, sql: &str, commit: bool) -> PyResult<()> {
        let this = slf.get();
        if let Some(callback) = this.green(slf.py()) {
            this.check_idle(slf.py())?;
            {
                // At once: another thread must not end the same transaction meanwhile.
                let mut state = lock(&this.state);
                if state.status != STATUS_BEGIN {
                    return Ok(());
                }
                state.status = STATUS_READY;
                state.mark += 1;
            }
            let done = Connection::command_green(slf, &callback, sql, commit);
            let mut state = lock(&this.state);
            let open = state.closed == 0 && state.transaction != TransactionStatus::Idle;
            if open || done.is_err() && !commit {
                state.status = STATUS_BEGIN;
            }
            return done;
        }
        let _limited = this.limited_command(commit);
        let driven = Connection::drive(slf, |client, hook| {
            if !this.leave(STATUS_BEGIN) {
                return Ok(());
            }
            // Seen before COMMIT is sent, a session that was ended leaves no doubt about it.
            let there = if commit { client.poll() } else { Ok(()) };
            let done = there.and_then(|()| run_command(client, sql, hook));
            // What the server says counts: a COMMIT that it was asked to cancel may have left a failed
            // transaction, which is yet to be rolled back.
            let open =
                !client.is_closed() && client.transaction_status() != TransactionStatus::Idle;
            if !open && (done.is_ok() || commit || !client.is_closed()) {
                lock(&this.state).status = STATUS_READY;
            }
            done
        })?;
        driven.map_err(|error| Connection::command_failed(slf, sql, commit, &error))
    }

    /// Whether the status is `status`; then named cursors of this transaction are over.
    fn leave(&self, status: i32) -> bool {
        let mut state = lock(&self.state);
        if state.status != status {
            return false;
        }
        state.mark += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begin_says_only_what_was_set() {
        let mut state = State::default();
        assert_eq!(state.begin(), "BEGIN");
        state.isolation = Some(3);
        state.readonly = Some(true);
        state.deferrable = Some(false);
        assert_eq!(state.begin(), "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY NOT DEFERRABLE");
        state.isolation = None;
        assert_eq!(state.begin(), "BEGIN READ ONLY NOT DEFERRABLE");
    }

    #[test]
    fn begins_outside_autocommit_and_in_with_blocks() {
        let mut state = State { status: STATUS_READY, ..State::default() };
        assert!(state.wants_begin());
        state.autocommit = true;
        assert!(!state.wants_begin());
        state.entered = true;
        assert!(state.wants_begin());
        state.status = STATUS_BEGIN;
        assert!(!state.wants_begin());
    }
}
