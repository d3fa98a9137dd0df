//! What Python sees of a cursor.

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyStopIteration;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyGenericAlias, PyList, PyTuple, PyType};

use super::Cursor;
use super::copy::TextForm;
use super::rows::RowsAs;
use super::statement::merged;
use super::stream::RowStream;
use crate::arrow::ArrowResult;
use crate::convert::parameters::Binding;
use crate::convert::typecaster;
use crate::dbapi::connection::Connection;
use crate::dbapi::connection::objects::bool_or_none;
use crate::names;
use crate::observe::observed;
use crate::sync::lock;

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
        self.initialise(py, conn, name, withhold, scrollable)
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
        self.described(py)
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
        Some(self.codec(py).decode_lossy(py, message.as_bytes()))
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
        let made = lock(&self.inner).lookahead.take();
        drop(made);
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
            Cursor::do_execute(slf, query, vars, binding)
        })
    }

    /// Runs one statement, and returns its rows as Arrow's record batches, which are made while the rows
    /// come. The cursor has none of them to fetch.
    #[pyo3(signature = (query, vars=None, *, timeout=None))]
    fn execute_arrow<'py>(
        slf: &Bound<'py, Self>,
        query: &Bound<'py, PyAny>,
        vars: Option<&Bound<'py, PyAny>>,
        timeout: Option<f64>,
    ) -> PyResult<ArrowResult> {
        let _limited = slf.get().limited(slf.py(), timeout)?;
        observed("execute_arrow", slf.as_any(), Some(query), || {
            Cursor::do_execute_arrow(slf, query, vars)
        })
    }

    /// Runs a statement once for each of `vars_list`. With `atomic`, all of them or none, also where
    /// statements commit by themselves: there they are a transaction of their own.
    #[pyo3(signature = (query, vars_list, *, atomic=false))]
    fn executemany<'py>(
        slf: &Bound<'py, Self>,
        query: &Bound<'py, PyAny>,
        vars_list: &Bound<'py, PyAny>,
        atomic: bool,
    ) -> PyResult<()> {
        let _limited = slf.get().limited(slf.py(), None)?;
        observed("executemany", slf.as_any(), Some(query), || match atomic {
            true => Cursor::executemany_atomic(slf, query, vars_list),
            false => Cursor::do_executemany(slf, query, vars_list),
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
        let merged = merged(slf, &connection, query, vars)?;
        Ok(PyBytes::new(slf.py(), &merged))
    }

    /// Calls a function as `SELECT * FROM procname(…)`; a dictionary names its parameters.
    #[pyo3(signature = (procname, parameters=None))]
    fn callproc<'py>(
        slf: &Bound<'py, Self>,
        procname: &str,
        parameters: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        Cursor::call_procedure(slf, procname, parameters)
    }

    /// The next row, or None behind the last.
    fn fetchone<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Cursor::fetch_forward(slf, "1")?;
        Cursor::fetch_one(slf, RowsAs::Cursor)
    }

    /// The next row as a tuple, whatever `row_factory` says; for the cursors of `extras`.
    fn _fetchone_tuple<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Cursor::fetch_forward(slf, "1")?;
        Cursor::fetch_one(slf, RowsAs::Tuples)
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
        Cursor::scroll_to(slf, value, mode)
    }

    /// Converts a value as a column of type `oid` would be.
    fn cast<'py>(
        slf: &Bound<'py, Self>,
        oid: u32,
        s: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let types = [slf.get().own_string_types(py), slf.get().connection_types(py)];
        let caster = match typecaster::find(py, &oid.into_bound_py_any(py)?, &types)? {
            Some(caster) => caster,
            None => typecaster::default(py)?.clone(),
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
        Cursor::copy_by(slf, sql, file, size)
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
        Cursor::copy_in(slf, file, table, &TextForm { sep, null, columns }, size)
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
        Cursor::copy_out(slf, file, table, &TextForm { sep, null, columns })
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
        lock(&this.inner).closed = true;
        // The description outlives the cursor, as psycopg2's does; the rows do not.
        this.drop_rows();
        Ok(())
    }

    /// NotSupportedError, as psycopg2.
    fn nextset(&self, py: Python<'_>) -> PyResult<()> {
        self.check_open(py)?;
        Err(names::not_supported_error(py, "not supported by PostgreSQL"))
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
        Cursor::next_row(slf, RowsAs::Cursor)?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    /// What `__next__` gives, as a tuple, whatever `row_factory` says; for the cursors of `extras`.
    fn _next_tuple<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Cursor::next_row(slf, RowsAs::Tuples)?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    /// `cursor[Row]` in annotations: what its rows are, for type checkers.
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
