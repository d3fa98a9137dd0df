//! `cursor`: psycopg2's cursor object.

mod arrow;
mod binding;
mod copy;
mod description;
mod execute;
mod fetch;
mod many;
mod named;
mod nonwaiting;
mod stream;
mod streaming;
mod support;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyStopIteration, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

pub(crate) use binding::{Binding, Call as BoundCall, bound};
pub(crate) use description::Column;
use execute::Mode;
pub(crate) use execute::{is_commit, merged};
use fetch::{Fetched, Place, find_caster};
pub(crate) use stream::RowStream;
use support::{check_file, column_list, quoted_name, quoted_text};

use crate::arrow::ArrowResult;
use crate::connection::{Connection, bool_or_none};
use crate::globals;
use crate::observe::observed;

/// What PEP 249's `fetchmany` takes without an argument.
const ARRAYSIZE: i64 = 1;
/// How many rows iterating over a named cursor fetches at a time.
const ITERSIZE: i64 = 2000;

/// A database cursor.
#[pyclass(subclass, dict, weakref, frozen, name = "cursor", module = "kecoa.extensions")]
#[derive(Default)]
pub(crate) struct Cursor {
    inner: Mutex<Inner>,
}

/// Locked for moments only, never across a call into Python; objects are dropped unlocked, because
/// dropping one may run Python code.
pub(crate) struct Inner {
    connection: Option<Py<Connection>>,
    name: Option<String>,
    quoted_name: Option<String>,
    /// The transaction in which a named cursor was made.
    mark: u64,
    closed: bool,
    withhold: bool,
    scrollable: Option<bool>,
    arraysize: i64,
    itersize: i64,
    rowcount: i64,
    row: usize,
    place: Place,
    lastrowid: u32,
    query: Option<Arc<[u8]>>,
    statusmessage: Option<Box<[u8]>>,
    fetched: Option<Arc<Fetched>>,
    description: Option<Py<PyTuple>>,
    row_factory: Option<Py<PyAny>>,
    tzinfo_factory: Option<Py<PyAny>>,
    string_types: Option<Py<PyAny>>,
    binary_types: Option<Py<PyAny>>,
}

impl Default for Inner {
    fn default() -> Inner {
        Inner {
            connection: None,
            name: None,
            quoted_name: None,
            mark: 0,
            closed: false,
            withhold: false,
            scrollable: None,
            arraysize: ARRAYSIZE,
            itersize: ITERSIZE,
            rowcount: -1,
            row: 0,
            place: Place::default(),
            lastrowid: 0,
            query: None,
            statusmessage: None,
            fetched: None,
            description: None,
            row_factory: None,
            tzinfo_factory: None,
            string_types: None,
            binary_types: None,
        }
    }
}

pub(crate) fn lock(mutex: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[pymethods]
impl Cursor {
    #[new]
    #[pyo3(
        signature = (*_args, **_kwargs),
        text_signature = "(conn, name=None, withhold=False, scrollable=None)"
    )]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Cursor {
        Cursor::default()
    }

    #[pyo3(signature = (conn, name=None, withhold=false, scrollable=None))]
    fn __init__(
        &self,
        py: Python<'_>,
        conn: &Bound<'_, PyAny>,
        name: Option<&Bound<'_, PyAny>>,
        withhold: bool,
        scrollable: Option<bool>,
    ) -> PyResult<()> {
        let conn = conn.cast::<Connection>().map_err(|_| {
            PyTypeError::new_err("argument 1 must be subclass of kecoa.extensions.connection")
        })?;
        let zones = globals::get(py)?.timezone.clone_ref(py);
        let fresh = Inner {
            connection: Some(conn.clone().unbind()),
            tzinfo_factory: Some(zones),
            ..Inner::default()
        };
        let old = std::mem::replace(&mut *lock(&self.inner), fresh);
        drop(old);
        if let Some(name) = name.filter(|name| !name.is_none()) {
            let name = match name.cast::<PyBytes>() {
                Ok(bytes) => String::from_utf8_lossy(bytes.as_bytes()).into_owned(),
                Err(_) => name.extract()?,
            };
            self.set_name(py, &name, conn.get().mark())?;
        }
        self.set_scrolling(py, withhold, scrollable)
    }

    /// The connection that made the cursor.
    #[getter]
    fn connection(&self, py: Python<'_>) -> Option<Py<Connection>> {
        lock(&self.inner).connection.as_ref().map(|connection| connection.clone_ref(py))
    }

    /// The name of a named cursor.
    #[getter]
    pub(crate) fn name(&self) -> Option<String> {
        lock(&self.inner).name.clone()
    }

    /// Whether the cursor or its connection is closed.
    #[getter]
    fn closed(&self) -> bool {
        let inner = lock(&self.inner);
        inner.closed || inner.connection.as_ref().is_some_and(|conn| conn.get().is_closed())
    }

    /// The columns of the result, None when it has no rows to fetch.
    #[getter]
    fn description(&self, py: Python<'_>) -> PyResult<Option<Py<PyTuple>>> {
        let (known, fetched) = {
            let inner = lock(&self.inner);
            let known = inner.description.as_ref().map(|description| description.clone_ref(py));
            (known, inner.fetched.clone())
        };
        let (None, Some(fetched)) = (&known, fetched) else { return Ok(known) };
        let codec = self.codec(py);
        let columns = fetched
            .description
            .fields
            .iter()
            .map(|field| Py::new(py, Column::from_field(py, field, &codec)?))
            .collect::<PyResult<Vec<_>>>()?;
        let description = PyTuple::new(py, columns)?.unbind();
        let old = lock(&self.inner).description.replace(description.clone_ref(py));
        drop(old);
        Ok(Some(description))
    }

    /// How many rows the last statement returned or touched; -1 when not known.
    #[getter]
    fn rowcount(&self) -> i64 {
        lock(&self.inner).rowcount
    }

    /// The number of the next row.
    #[getter]
    fn rownumber(&self) -> usize {
        lock(&self.inner).row
    }

    /// The oid of an inserted row; 0 on servers without oids.
    #[getter]
    fn lastrowid(&self) -> u32 {
        lock(&self.inner).lastrowid
    }

    /// The last statement as it was sent.
    #[getter]
    fn query<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let query = lock(&self.inner).query.clone()?;
        Some(PyBytes::new(py, &query))
    }

    /// What the server said it did.
    #[getter]
    fn statusmessage(&self, py: Python<'_>) -> Option<String> {
        let message = lock(&self.inner).statusmessage.clone()?;
        Some(self.codec(py).decode_lossy(py, &message))
    }

    /// None.
    #[getter]
    fn typecaster(&self) -> Option<u8> {
        None
    }

    /// None: there is no libpq.
    #[getter]
    fn pgresult_ptr(&self) -> Option<usize> {
        None
    }

    /// How many rows `fetchmany` fetches.
    #[getter]
    fn arraysize(&self) -> i64 {
        lock(&self.inner).arraysize
    }

    #[setter]
    fn set_arraysize(&self, value: i64) {
        lock(&self.inner).arraysize = value;
    }

    /// How many rows iterating over a named cursor fetches at a time.
    #[getter]
    fn itersize(&self) -> i64 {
        lock(&self.inner).itersize
    }

    #[setter]
    fn set_itersize(&self, value: i64) {
        lock(&self.inner).itersize = value;
    }

    /// Whether a named cursor outlives its transaction.
    #[getter]
    fn withhold(&self) -> bool {
        lock(&self.inner).withhold
    }

    #[setter]
    fn set_withhold(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let value_is_true = value.is_truthy()?;
        if value_is_true {
            self.check_named(py, "withhold")?;
        }
        lock(&self.inner).withhold = value_is_true;
        Ok(())
    }

    /// Whether a named cursor can go back; None lets the server decide.
    #[getter]
    fn scrollable(&self, py: Python<'_>) -> Py<PyAny> {
        let scrollable = lock(&self.inner).scrollable;
        bool_or_none(py, scrollable)
    }

    #[setter]
    fn set_scrollable(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let value = if value.is_none() { None } else { Some(value.is_truthy()?) };
        if value.is_some() {
            self.check_named(py, "scrollable")?;
        }
        lock(&self.inner).scrollable = value;
        Ok(())
    }

    /// Makes the object that a row's values are set in; None for tuples.
    #[getter]
    fn row_factory(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.object(py, |inner| &inner.row_factory)
    }

    #[setter]
    fn set_row_factory(&self, value: Option<Py<PyAny>>) {
        self.replace(value, |inner| &mut inner.row_factory);
    }

    /// Makes a tzinfo of a timedelta; None leaves times naive.
    #[getter]
    fn tzinfo_factory(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.object(py, |inner| &inner.tzinfo_factory)
    }

    #[setter]
    fn set_tzinfo_factory(&self, value: Option<Py<PyAny>>) {
        self.replace(value, |inner| &mut inner.tzinfo_factory);
    }

    /// Typecasters of this cursor.
    #[getter]
    fn string_types(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.object(py, |inner| &inner.string_types)
    }

    #[setter]
    fn set_string_types(&self, value: Option<Py<PyAny>>) {
        self.replace(value, |inner| &mut inner.string_types);
    }

    /// Typecasters for binary values: not used.
    #[getter]
    fn binary_types(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.object(py, |inner| &inner.binary_types)
    }

    #[setter]
    fn set_binary_types(&self, value: Option<Py<PyAny>>) {
        self.replace(value, |inner| &mut inner.binary_types);
    }

    /// Runs a statement; `%s` and `%(name)s` stand for the arguments. `binding` is "client" or
    /// "server", by default the connection's; `timeout` in seconds is its limit, by default the
    /// connection's `statement_timeout`.
    #[pyo3(signature = (query, vars=None, *, binding=None, timeout=None))]
    fn execute<'py>(
        slf: &Bound<'py, Self>,
        query: &Bound<'py, PyAny>,
        vars: Option<&Bound<'py, PyAny>>,
        binding: Option<&str>,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        let binding = binding.map(Binding::parse).transpose()?;
        let _limited = slf.get().limited(slf.py(), timeout)?;
        observed("execute", slf.as_any(), Some(query), || {
            Cursor::do_execute_by(slf, query, vars, Mode::Normal, binding)
        })
    }

    /// Runs a statement once for each of `vars_list`.
    #[pyo3(signature = (query, vars_list))]
    fn executemany<'py>(
        slf: &Bound<'py, Self>,
        query: &Bound<'py, PyAny>,
        vars_list: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let _limited = slf.get().limited(slf.py(), None)?;
        observed("executemany", slf.as_any(), Some(query), || {
            Cursor::do_executemany(slf, query, vars_list)
        })
    }

    /// Runs a statement and gives its rows as they are asked for, `size` at a time from the server.
    /// Its portal is open until the last row, `close()` or the end of the transaction; it needs one.
    /// The cursor must not run another statement meanwhile.
    #[pyo3(signature = (query, vars=None, *, size=1000, timeout=None))]
    fn stream<'py>(
        slf: &Bound<'py, Self>,
        query: &Bound<'py, PyAny>,
        vars: Option<&Bound<'py, PyAny>>,
        size: u32,
        timeout: Option<f64>,
    ) -> PyResult<RowStream> {
        let _limited = slf.get().limited(slf.py(), timeout)?;
        RowStream::open(slf, query, vars, size, timeout)
    }

    /// The statement as `execute` would send it.
    #[pyo3(signature = (query, vars=None))]
    fn mogrify<'py>(
        slf: &Bound<'py, Self>,
        query: &Bound<'py, PyAny>,
        vars: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let connection = slf.get().connection_of(slf.py())?;
        let merged = execute::merged(slf, &connection, query, vars)?;
        Ok(PyBytes::new(slf.py(), &merged))
    }

    /// Calls a function as `SELECT * FROM procname(…)`; a dictionary names its parameters.
    #[pyo3(signature = (procname, parameters=None))]
    fn callproc<'py>(
        slf: &Bound<'py, Self>,
        procname: &str,
        parameters: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = slf.py();
        slf.get().check_open(py)?;
        let connection = slf.get().connection_of(py)?;
        connection.get().refuse_busy(py, "callproc")?;
        connection.get().refuse_prepared(py, "callproc")?;
        let _limited = slf.get().limited(py, None)?;
        if lock(&slf.get().inner).name.is_some() {
            return Err(globals::get(py)?
                .exceptions
                .programming(py, "can't call .callproc() on named cursors"));
        }
        let parameters = parameters.filter(|parameters| !parameters.is_none());
        let count = parameters.map_or(Ok(0), |parameters| parameters.len())?;
        if count > 0
            && let Some(named) = parameters.and_then(|parameters| parameters.cast::<PyDict>().ok())
        {
            let mut marks = Vec::with_capacity(count);
            for key in named.keys() {
                // A percent sign of a name must not be taken for a placeholder.
                marks.push(format!("{}:=%s", quoted_name(&key)?.replace('%', "%%")));
            }
            let sql = format!("SELECT * FROM {procname}({})", marks.join(","));
            let values = named.values().into_any();
            let sql = PyString::new(py, &sql).into_any();
            Cursor::do_execute(slf, &sql, Some(&values), Mode::Normal)?;
            return Ok(None);
        }
        let sql = format!("SELECT * FROM {procname}({})", vec!["%s"; count].join(","));
        let sql = PyString::new(py, &sql).into_any();
        Cursor::do_execute(slf, &sql, parameters, Mode::Normal)?;
        Ok(parameters.cloned())
    }

    /// The next row, or None behind the last.
    fn fetchone<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Cursor::fetch_forward(slf, "1")?;
        Cursor::fetch_one(slf)
    }

    /// The next `size` rows, `arraysize` by default.
    #[pyo3(signature = (size=None))]
    fn fetchmany<'py>(slf: &Bound<'py, Self>, size: Option<i64>) -> PyResult<Bound<'py, PyList>> {
        let size = size.unwrap_or_else(|| slf.get().arraysize());
        if slf.get().name().is_some() {
            Cursor::fetch_forward(slf, &size.to_string())?;
        }
        // As psycopg2: a negative size is all that is left.
        Cursor::fetch_many(slf, usize::try_from(size).ok())
    }

    /// All rows that are left.
    fn fetchall<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyList>> {
        Cursor::fetch_forward(slf, "ALL")?;
        Cursor::fetch_many(slf, None)
    }

    /// The next `size` rows, or all that are left, for consumers of Arrow's data: an object with
    /// `__arrow_c_stream__`, for `pyarrow.table()`, `polars.DataFrame()` and others.
    #[pyo3(signature = (size=None))]
    fn fetch_arrow(slf: &Bound<'_, Self>, size: Option<usize>) -> PyResult<ArrowResult> {
        let amount = size.map_or_else(|| "ALL".to_owned(), |size| size.to_string());
        Cursor::fetch_forward(slf, &amount)?;
        Cursor::take_arrow(slf, size)
    }

    /// Moves in the result, `relative` to the next row or `absolute`.
    #[pyo3(signature = (value, mode="relative"))]
    fn scroll(slf: &Bound<'_, Self>, value: i64, mode: &str) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        this.check_open(py)?;
        if Cursor::move_named(slf, value, mode == "absolute")? {
            return Ok(());
        }
        let refuse = |message: &str| {
            let error = globals::get(py)?.exceptions.programming(py, message);
            Err(crate::error::with_cursor(py, error, slf.as_any()))
        };
        let (row, count, fetched) = {
            let inner = lock(&this.inner);
            (inner.row, inner.rowcount, inner.fetched.clone())
        };
        let row = i64::try_from(row).unwrap_or(i64::MAX);
        let target = match mode {
            "relative" => row.checked_add(value),
            "absolute" => Some(value),
            _ => return refuse("scroll mode must be 'relative' or 'absolute'"),
        };
        match (target.and_then(|target| usize::try_from(target).ok()), fetched) {
            (Some(target), Some(fetched)) if target < fetched.count => {
                let place = fetched.place_of(target);
                let mut inner = lock(&this.inner);
                inner.row = target;
                inner.place = place;
                Ok(())
            }
            (Some(target), None) if i64::try_from(target).is_ok_and(|target| target < count) => {
                lock(&this.inner).row = target;
                Ok(())
            }
            _ => refuse("scroll destination out of bounds"),
        }
    }

    /// Converts a value as a column of type `oid` would be.
    fn cast<'py>(
        slf: &Bound<'py, Self>,
        oid: u32,
        s: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let types = [slf.get().own_string_types(py), slf.get().connection_types(py)];
        let caster = match find_caster(py, oid, &types)? {
            Some(caster) => caster,
            None => globals::get(py)?.default_caster.bind(py).clone(),
        };
        caster.call1((s, slf))
    }

    /// Runs a COPY statement against a file.
    #[pyo3(signature = (sql, file, size=8192))]
    fn copy_expert<'py>(
        slf: &Bound<'py, Self>,
        sql: &Bound<'py, PyAny>,
        file: &Bound<'py, PyAny>,
        size: usize,
    ) -> PyResult<()> {
        let py = slf.py();
        slf.get().check_open(py)?;
        let connection = slf.get().connection_of(py)?;
        connection.get().refuse_waiting(py, "copy_expert")?;
        connection.get().refuse_prepared(py, "copy_expert")?;
        let settings = connection.get().settings();
        let sql = execute::statement(sql, &settings, slf.as_any())?;
        if !file.hasattr("read")? && !file.hasattr("write")? {
            return Err(PyTypeError::new_err(
                "file must be a readable file-like object for COPY FROM; a writable file-like \
                 object for COPY TO.",
            ));
        }
        Cursor::copy(slf, &sql, file, size)
    }

    /// Copies a file into a table.
    #[pyo3(signature = (file, table, sep="\t", null="\\N", size=8192, columns=None))]
    fn copy_from(
        slf: &Bound<'_, Self>,
        file: &Bound<'_, PyAny>,
        table: &Bound<'_, PyAny>,
        sep: &str,
        null: &str,
        size: usize,
        columns: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        check_file(file, "read")?;
        slf.get().check_open(slf.py())?;
        let connection = slf.get().connection_of(slf.py())?;
        connection.get().refuse_waiting(slf.py(), "copy_from")?;
        connection.get().refuse_prepared(slf.py(), "copy_from")?;
        let sql = format!(
            "COPY {}{} FROM stdin WITH DELIMITER AS {} NULL AS {}",
            quoted_name(table)?,
            column_list(columns)?,
            quoted_text(&connection, sep)?,
            quoted_text(&connection, null)?
        );
        Cursor::copy(slf, sql.as_bytes(), file, size)
    }

    /// Copies a table into a file.
    #[pyo3(signature = (file, table, sep="\t", null="\\N", columns=None))]
    fn copy_to(
        slf: &Bound<'_, Self>,
        file: &Bound<'_, PyAny>,
        table: &Bound<'_, PyAny>,
        sep: &str,
        null: &str,
        columns: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        check_file(file, "write")?;
        slf.get().check_open(slf.py())?;
        let connection = slf.get().connection_of(slf.py())?;
        connection.get().refuse_waiting(slf.py(), "copy_to")?;
        connection.get().refuse_prepared(slf.py(), "copy_to")?;
        let sql = format!(
            "COPY {}{} TO stdout WITH DELIMITER AS {} NULL AS {}",
            quoted_name(table)?,
            column_list(columns)?,
            quoted_text(&connection, sep)?,
            quoted_text(&connection, null)?
        );
        Cursor::copy(slf, sql.as_bytes(), file, 0)
    }

    /// Copies `data`, an object with `__arrow_c_stream__` or `__arrow_c_array__`, into a table.
    #[pyo3(signature = (table, data, columns=None))]
    fn copy_arrow(
        slf: &Bound<'_, Self>,
        table: &Bound<'_, PyAny>,
        data: &Bound<'_, PyAny>,
        columns: Option<Vec<String>>,
    ) -> PyResult<()> {
        Cursor::put_arrow(slf, table, data, columns)
    }

    /// Closes the cursor, on the server too when it has a name.
    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        let this = slf.get();
        if lock(&this.inner).closed {
            return Ok(());
        }
        Cursor::close_named(slf)?;
        let old = {
            let mut inner = lock(&this.inner);
            inner.closed = true;
            // The description outlives the cursor, as psycopg2's does; the rows do not.
            let described = inner.fetched.as_ref().map(|fetched| fetched.without_rows().into());
            std::mem::replace(&mut inner.fetched, described)
        };
        drop(old);
        Ok(())
    }

    /// NotSupportedError, as psycopg2.
    fn nextset(&self, py: Python<'_>) -> PyResult<()> {
        self.check_open(py)?;
        Err(globals::get(py)?.exceptions.not_supported(py, "not supported by PostgreSQL"))
    }

    /// Does nothing.
    fn setinputsizes(&self, py: Python<'_>, sizes: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = sizes;
        self.check_open(py)
    }

    /// Does nothing.
    #[pyo3(signature = (size, column=None))]
    fn setoutputsize(&self, py: Python<'_>, size: i64, column: Option<i64>) -> PyResult<()> {
        let _ = (size, column);
        self.check_open(py)
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        slf.get().check_open(slf.py())?;
        Ok(slf.clone())
    }

    fn __next__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let this = slf.get();
        let wants_more = {
            let inner = lock(&this.inner);
            let left = inner.fetched.as_ref().is_some_and(|fetched| inner.row < fetched.count);
            (inner.name.is_some() && !left).then_some(inner.itersize)
        };
        let row = match wants_more {
            Some(itersize) => {
                Cursor::fetch_forward(slf, &itersize.to_string())?;
                Cursor::fetch_one(slf)?
            }
            // A subclass may have its own fetchone; psycopg2 does not ask it here either.
            None => Cursor::fetch_one(slf)?,
        };
        row.ok_or_else(|| PyStopIteration::new_err(()))
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    #[pyo3(signature = (*_args))]
    fn __exit__(slf: &Bound<'_, Self>, _args: &Bound<'_, PyTuple>) -> PyResult<()> {
        slf.call_method0("close").map(drop)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        format!(
            "<cursor object at {:p}; closed: {}>",
            slf.as_ptr(),
            i32::from(lock(&slf.get().inner).closed)
        )
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(inner) = self.inner.try_lock() {
            visit.call(&inner.connection)?;
            visit.call(&inner.description)?;
            visit.call(&inner.row_factory)?;
            visit.call(&inner.tzinfo_factory)?;
            visit.call(&inner.string_types)?;
            visit.call(&inner.binary_types)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let old = std::mem::take(&mut *lock(&self.inner));
        drop(old);
    }
}
