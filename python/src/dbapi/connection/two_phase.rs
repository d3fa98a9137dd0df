//! Two-phase commit: PEP 249's `tpc_*` methods.
//!
//! Until PREPARE TRANSACTION the server knows of no second phase: the connection is in an ordinary
//! transaction and only remembers the identifier. Words and states are psycopg2's.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use super::Connection;
use super::state::{STATUS_BEGIN, STATUS_PREPARED, STATUS_READY};
use crate::convert::dump::Dumper;
use crate::dbapi::cursor::Cursor;
use crate::names;
use crate::sync::lock;

/// How a two-phase transaction ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Commit,
    Rollback,
}

/// The class `Xid`, which the Python package defines.
fn class(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    py.import("kecoa._driver.xid")?.getattr("Xid")
}

/// An identifier as it is, or from its text, which may be bytes.
fn identifier<'py>(xid: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let class = class(xid.py())?;
    if xid.is_instance(&class)? {
        return Ok(xid.clone());
    }
    match xid.cast::<PyBytes>() {
        Ok(bytes) => {
            let text = String::from_utf8(bytes.as_bytes().to_vec())?;
            class.call_method1("from_string", (text,))
        }
        Err(_) => class.call_method1("from_string", (xid,)),
    }
}

impl Connection {
    /// ProgrammingError between `tpc_prepare` and the second phase; `what` is what was asked for.
    pub(crate) fn refuse_prepared(&self, py: Python<'_>, what: &str) -> PyResult<()> {
        if lock(&self.state).status != STATUS_PREPARED {
            return Ok(());
        }
        Err(names::programming_error(
            py,
            format!("{what} cannot be used with a prepared two-phase transaction"),
        ))
    }

    /// ProgrammingError between `tpc_begin` and the end of the transaction.
    pub(super) fn refuse_two_phase(&self, py: Python<'_>, what: &str) -> PyResult<()> {
        if lock(&self.objects).xid.is_none() {
            return Ok(());
        }
        Err(names::programming_error(
            py,
            format!("{what} cannot be used during a two-phase transaction"),
        ))
    }

    /// Forgets the two-phase transaction.
    pub(super) fn forget_xid(&self) {
        let old = lock(&self.objects).xid.take();
        drop(old);
    }

    /// `xid(format_id, gtrid, bqual)`.
    pub(super) fn new_xid<'py>(
        py: Python<'py>,
        format_id: &Bound<'py, PyAny>,
        gtrid: &Bound<'py, PyAny>,
        bqual: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        class(py)?.call1((format_id, gtrid, bqual))
    }

    /// `tpc_begin(xid)`: opens the transaction and remembers its identifier.
    pub(super) fn begin_two_phase(
        slf: &Bound<'_, Connection>,
        xid: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let inside =
            || names::programming_error(py, "tpc_begin cannot be used inside a transaction");
        if lock(&this.state).status != STATUS_READY {
            return Err(inside());
        }
        let xid = identifier(xid)?;
        if this.is_autocommit() {
            return Err(names::programming_error(
                py,
                "tpc_begin can't be called in autocommit mode",
            ));
        }
        if !Connection::begin_now(slf)? {
            // Another thread was first.
            return Err(inside());
        }
        let old = lock(&this.objects).xid.replace(xid.unbind());
        drop(old);
        Ok(())
    }

    /// `tpc_prepare()`: the first phase.
    pub(super) fn prepare_two_phase(slf: &Bound<'_, Connection>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        this.refuse_prepared(py, "tpc_prepare")?;
        let Some(xid) = this.xid_of_transaction(py) else {
            return Err(names::programming_error(
                py,
                "prepare must be called inside a two-phase transaction",
            ));
        };
        let prepared = Connection::two_phase_command(slf, "PREPARE TRANSACTION", &xid, false);
        // Where it failed the server has rolled back; tpc_rollback is still to follow.
        lock(&this.state).status = if prepared.is_ok() { STATUS_PREPARED } else { STATUS_BEGIN };
        prepared
    }

    /// `tpc_commit([xid])` and `tpc_rollback([xid])`: with an identifier, a transaction that some
    /// connection prepared; without, this connection's own, in one phase where it is not prepared.
    pub(super) fn end_two_phase(
        slf: &Bound<'_, Connection>,
        xid: Option<&Bound<'_, PyAny>>,
        end: End,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let (command, commit) = match end {
            End::Commit => ("COMMIT PREPARED", true),
            End::Rollback => ("ROLLBACK PREPARED", false),
        };
        let status = lock(&this.state).status;
        if let Some(xid) = xid {
            let xid = identifier(xid)?;
            if status != STATUS_READY {
                return Err(names::programming_error(
                    py,
                    "tpc_commit/tpc_rollback with a xid must be called outside a transaction",
                ));
            }
            return Connection::two_phase_command(slf, command, &xid, commit);
        }
        let Some(xid) = this.xid_of_transaction(py) else {
            return Err(names::programming_error(
                py,
                "tpc_commit/tpc_rollback with no parameter must be called in a two-phase \
                 transaction",
            ));
        };
        match (status, end) {
            (STATUS_BEGIN, _) => {
                let done = match end {
                    End::Commit => Connection::do_commit(slf),
                    End::Rollback => Connection::do_rollback(slf),
                };
                if done.is_err() && lock(&this.state).status == STATUS_READY {
                    // The server has ended it, and knows nothing of the identifier.
                    this.forget_xid();
                }
                done?;
            }
            (STATUS_PREPARED, _) => Connection::two_phase_command(slf, command, &xid, commit)?,
            _ => {
                return Err(names::interface_error(
                    py,
                    "unexpected state in tpc_commit/tpc_rollback",
                ));
            }
        }
        this.forget_xid();
        let mut state = lock(&this.state);
        if state.status == STATUS_PREPARED {
            state.status = STATUS_READY;
        }
        Ok(())
    }

    /// `tpc_recover()`: the transactions that are prepared and not ended, of all databases.
    pub(super) fn recover_two_phase<'py>(
        slf: &Bound<'py, Connection>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let py = slf.py();
        let this = slf.get();
        this.refuse_prepared(py, "tpc_recover")?;
        let before = lock(&this.state).status;
        // Not the connection's own factory: its rows may be anything.
        let cursor = py.get_type::<Cursor>().call1((slf,))?;
        cursor.call_method1(
            "execute",
            ("SELECT gid, prepared, owner, database FROM pg_prepared_xacts",),
        )?;
        let rows = cursor.call_method0("fetchall")?;
        cursor.call_method0("close")?;
        let recovered = class(py)?.getattr("recovered")?;
        let mut xids = Vec::new();
        for row in rows.try_iter()? {
            xids.push(recovered.call1(row?.cast_into::<PyTuple>()?)?);
        }
        if before == STATUS_READY && lock(&this.state).status == STATUS_BEGIN {
            slf.call_method0("rollback")?;
        }
        Ok(xids)
    }

    fn xid_of_transaction<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        lock(&self.objects).xid.as_ref().map(|xid| xid.bind(py).clone())
    }

    /// Runs a command on an identifier. Named cursors of the transaction are over with it.
    fn two_phase_command(
        slf: &Bound<'_, Connection>,
        command: &str,
        xid: &Bound<'_, PyAny>,
        commit: bool,
    ) -> PyResult<()> {
        let text = xid.str()?;
        let sql = Connection::command_text(slf, command, &text)?;
        lock(&slf.get().state).mark += 1;
        Connection::command(slf, &sql, commit)
    }

    fn command_text(
        slf: &Bound<'_, Connection>,
        command: &str,
        identifier: &Bound<'_, PyString>,
    ) -> PyResult<String> {
        let settings = slf.get().settings();
        let mut sql = format!("{command} ").into_bytes();
        Dumper::new(slf.py(), &settings, Some(slf.as_any()))
            .text_literal(identifier.to_str()?, &mut sql)?;
        Ok(String::from_utf8_lossy(&sql).into_owned())
    }
}
