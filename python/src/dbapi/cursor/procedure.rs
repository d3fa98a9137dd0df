//! `callproc`: a function's call as a statement.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::Cursor;
use super::support::quoted_name;
use crate::names;
use crate::sync::lock;

impl Cursor {
    /// `SELECT * FROM procname(…)`; a dictionary names the parameters.
    pub(super) fn call_procedure<'py>(
        slf: &Bound<'py, Cursor>,
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
            return Err(names::programming_error(py, "can't call .callproc() on named cursors"));
        }
        let parameters = parameters.filter(|parameters| !parameters.is_none());
        let count = parameters.map_or(Ok(0), |parameters| parameters.len())?;
        if count > 0
            && let Some(named) = parameters.and_then(|parameters| parameters.cast::<PyDict>().ok())
        {
            let mut marks = Vec::with_capacity(count);
            let mut values = Vec::with_capacity(count);
            // Names and values at once: another thread may change the dictionary.
            for item in named.items() {
                let (key, value): (Bound<'py, PyAny>, Bound<'py, PyAny>) = item.extract()?;
                // A percent sign of a name must not be taken for a placeholder.
                marks.push(format!("{}:=%s", quoted_name(&key)?.replace('%', "%%")));
                values.push(value);
            }
            let sql = format!("SELECT * FROM {procname}({})", marks.join(","));
            let values = PyList::new(py, values)?.into_any();
            let sql = PyString::new(py, &sql).into_any();
            Cursor::do_execute(slf, &sql, Some(&values), None)?;
            return Ok(None);
        }
        let sql = format!("SELECT * FROM {procname}({})", vec!["%s"; count].join(","));
        let sql = PyString::new(py, &sql).into_any();
        Cursor::do_execute(slf, &sql, parameters, None)?;
        Ok(parameters.cloned())
    }
}
