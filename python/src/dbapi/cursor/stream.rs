//! Streams: the rows of a portal, some at a time, in bounded memory and without DECLARE.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use kecoa::ResultSet;
use kecoa_proto::{Request, RowDescription, Step, Target};
use pyo3::exceptions::PyStopIteration;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyGenericAlias, PyTuple, PyType};

use super::Cursor;
use super::Mode;
use super::rows::{Fetched, Place, RowsAs};
use super::statement::merged;
use crate::dbapi::connection::Connection;
use crate::names;
use crate::sync::lock;

const UNNAMED: &[u8] = b"";
/// Counts portals, for their names.
static PORTALS: AtomicU64 = AtomicU64::new(0);

/// Rows of `cursor.stream`, read as they are asked for.
#[pyclass(frozen, name = "RowStream", module = "kecoa.extensions")]
pub(crate) struct RowStream {
    cursor: Py<Cursor>,
    portal: String,
    size: u32,
    timeout: Option<f64>,
    /// The transaction that the portal belongs to.
    mark: u64,
    description: Option<Arc<RowDescription>>,
    state: Mutex<State>,
}

struct State {
    /// The portal has more rows.
    more: bool,
    /// The rows that the cursor was given last.
    shown: Option<Arc<Fetched>>,
}

impl RowStream {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Runs the statement up to its first `size` rows.
    pub(super) fn open<'py>(
        cursor: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        vars: Option<&Bound<'py, PyAny>>,
        size: u32,
        timeout: Option<f64>,
    ) -> PyResult<RowStream> {
        let py = cursor.py();
        let this = cursor.get();
        this.check_open(py)?;
        let connection = this.connection_of(py)?;
        connection.get().refuse_waiting(py, "stream")?;
        connection.get().refuse_prepared(py, "stream")?;
        Connection::send_queued(&connection)?;
        let refuse = |message: &str| {
            let error = names::programming_error(py, message);
            Err(crate::errors::error::with_cursor(py, error, cursor.as_any()))
        };
        if lock(&this.inner).name.is_some() {
            return refuse("can't call .stream() on named cursors: they stream by themselves");
        }
        if size == 0 {
            return refuse("expected at least 1 row at a time, found 0");
        }
        if connection.get().is_autocommit()
            && connection.get().server_transaction() == kecoa_proto::TransactionStatus::Idle
        {
            return refuse(
                "can't stream outside of a transaction: the rows would end with the first",
            );
        }
        this.forget_statement();
        let sql = merged(cursor, &connection, query, vars)?;
        this.begin_statement(sql.as_slice().into());
        let portal = format!("kecoa_rows_{}", PORTALS.fetch_add(1, Ordering::Relaxed));
        let name = portal.as_bytes();
        let driven = Connection::drive_user(&connection, true, |client, begin, hook| {
            let mut steps = Vec::with_capacity(8);
            let bind =
                |portal| Step::Bind { portal, statement: UNNAMED, parameters: &[], results: &[] };
            if let Some(begin) = begin {
                steps.push(Step::Parse { name: UNNAMED, sql: begin, types: &[] });
                steps.push(bind(UNNAMED));
                steps.push(Step::Execute { portal: UNNAMED, max_rows: 0 });
            }
            steps.push(Step::Parse { name: UNNAMED, sql: &sql, types: &[] });
            steps.push(bind(name));
            steps.push(Step::Describe(Target::Portal(name)));
            steps.push(Step::Execute { portal: name, max_rows: size });
            client.run(&Request::Extended(&steps), hook)
        })?;
        let mut results = match driven {
            Ok(results) => results,
            Err(error) => {
                Cursor::take_driven(cursor, &connection, &sql, Mode::Normal, Err(error))?;
                Vec::new()
            }
        };
        let set = results.pop().unwrap_or_default();
        let description = set.description.clone();
        let more = set.suspended;
        let stream = RowStream {
            cursor: cursor.clone().unbind(),
            portal,
            size,
            timeout,
            mark: connection.get().mark(),
            description,
            state: Mutex::new(State { more, shown: None }),
        };
        stream.show(cursor, set)?;
        Ok(stream)
    }

    /// Gives rows to the cursor in place of those before.
    fn show(&self, cursor: &Bound<'_, Cursor>, set: ResultSet) -> PyResult<()> {
        let py = cursor.py();
        let this = cursor.get();
        if let Some(tag) = &set.tag {
            lock(&this.inner).statusmessage = Some(tag.clone());
        }
        let Some(description) = &self.description else { return Ok(()) };
        let codec = this.connection_of(py)?.get().codec_of(py, set.encoding.as_deref());
        let fetched = Arc::new(Fetched::new(set, this.layout_of(py, description)?, codec));
        self.state().shown = Some(fetched.clone());
        let old = {
            let mut inner = lock(&this.inner);
            inner.move_to(0, Place::default());
            inner.fetched.replace(fetched)
        };
        drop(old);
        Ok(())
    }

    /// ProgrammingError when the rows are gone: with the transaction, or for another statement's.
    fn check(&self, cursor: &Bound<'_, Cursor>, connection: &Connection) -> PyResult<()> {
        let py = cursor.py();
        let message = if self.mark == connection.mark() {
            let shown = self.state().shown.clone();
            let held = lock(&cursor.get().inner).fetched.clone();
            match (shown, held) {
                (None, None) => return Ok(()),
                (Some(shown), Some(held)) if Arc::ptr_eq(&shown, &held) => return Ok(()),
                _ => "the rows are gone: the cursor has run another statement",
            }
        } else {
            "the rows are gone: the stream's transaction is over"
        };
        Err(names::programming_error(py, message))
    }

    /// Asks the portal for its next rows.
    fn go_on(
        &self,
        cursor: &Bound<'_, Cursor>,
        connection: &Bound<'_, Connection>,
    ) -> PyResult<()> {
        let portal = self.portal.as_bytes();
        let steps = [Step::Execute { portal, max_rows: self.size }];
        let _limited = connection.get().limited(self.timeout)?;
        let driven = Connection::drive(connection, |client, hook| {
            client.run(&Request::Extended(&steps), hook)
        });
        // Whatever comes of it, nothing follows an error.
        self.state().more = false;
        match driven? {
            Ok(mut results) => {
                let set = results.pop().unwrap_or_default();
                self.state().more = set.suspended;
                self.show(cursor, set)
            }
            Err(error) => {
                let sql = lock(&cursor.get().inner).query.clone().unwrap_or_default();
                Cursor::take_driven(cursor, connection, &sql, Mode::Normal, Err(error))
            }
        }
    }
}

#[pymethods]
impl RowStream {
    fn __iter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    fn __next__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        let cursor = this.cursor.bind(py);
        let connection = cursor.get().connection_of(py)?;
        loop {
            cursor.get().check_open(py)?;
            this.check(cursor, connection.get())?;
            if this.description.is_some() {
                let row = if cursor.get_type().is(py.get_type::<Cursor>()) {
                    Cursor::fetch_one(cursor, RowsAs::Cursor)?
                } else {
                    // A subclass has rows of its own making.
                    Some(cursor.call_method0("fetchone")?).filter(|row| !row.is_none())
                };
                if let Some(row) = row {
                    return Ok(row);
                }
            }
            if !this.state().more {
                return Err(PyStopIteration::new_err(()));
            }
            this.go_on(cursor, &connection)?;
        }
    }

    /// Gives the rest of the rows up, and closes the portal on the server.
    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let more = std::mem::take(&mut this.state().more);
        let connection = this.cursor.get().connection_of(py)?;
        let open = connection.get().is_connected()
            && this.mark == connection.get().mark()
            && connection.get().server_transaction()
                == kecoa_proto::TransactionStatus::InTransaction;
        if !more || !open {
            return Ok(());
        }
        let steps = [Step::Close(Target::Portal(this.portal.as_bytes()))];
        let driven = Connection::drive(&connection, |client, hook| {
            client.run(&Request::Extended(&steps), hook).map(drop)
        })?;
        driven.or_else(|error| {
            let cursor = this.cursor.bind(py);
            Cursor::take_driven(cursor, &connection, b"", Mode::Normal, Err(error))
        })
    }

    /// `RowStream[Row]` in annotations: what its rows are, for type checkers.
    #[classmethod]
    fn __class_getitem__<'py>(
        cls: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyGenericAlias>> {
        PyGenericAlias::new(cls.py(), cls, item)
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    #[pyo3(signature = (*_args))]
    fn __exit__(slf: &Bound<'_, Self>, _args: &Bound<'_, PyTuple>) -> PyResult<()> {
        RowStream::close(slf)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.cursor)
    }
}
