//! The Python objects around a connection: how it begins, the cursors that it makes, its exceptions.

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyString, PyType};

use super::Connection;
use super::state::Objects;
use crate::dbapi::cursor::Cursor;
use crate::names;
use crate::sync::lock;

/// PEP 249: the exceptions are attributes of the connection.
pub(super) fn exception_class(py: Python<'_>, name: &str) -> Py<PyType> {
    names::class(py, name).unbind()
}

impl Connection {
    /// `__init__`.
    pub(super) fn initialise(
        slf: &Bound<'_, Connection>,
        dsn: &Bound<'_, PyString>,
        async_: Option<&Bound<'_, PyAny>>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let mut asynchronous = match async_ {
            Some(flag) => flag.is_truthy()?,
            None => false,
        };
        for (name, value) in kwargs.into_iter().flatten() {
            if !name.eq("async")? {
                return Err(PyTypeError::new_err(format!(
                    "'{name}' is an invalid keyword argument for connection()"
                )));
            }
            asynchronous |= value.is_truthy()?;
        }
        lock(&slf.get().state).asynchronous = asynchronous;
        let objects = Objects {
            string_types: Some(PyDict::new(py).unbind()),
            binary_types: Some(PyDict::new(py).unbind()),
            notices: Some(PyList::empty(py).into_any().unbind()),
            notifies: Some(PyList::empty(py).into_any().unbind()),
            cursor_factory: None,
            cursor: None,
            xid: None,
        };
        let old = std::mem::replace(&mut *lock(&slf.get().objects), objects);
        drop(old);
        Connection::connect(slf, dsn.to_str()?)
    }

    /// `cursor`: by the factory of the call, or the connection's, or ours.
    pub(super) fn new_cursor<'py>(
        slf: &Bound<'py, Connection>,
        name: Option<Bound<'py, PyAny>>,
        cursor_factory: Option<Bound<'py, PyAny>>,
        withhold: bool,
        scrollable: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        slf.get().check_open(py)?;
        slf.get().refuse_connecting(py)?;
        if slf.get().is_async() && name.as_ref().is_some_and(|name| !name.is_none()) {
            return Err(names::programming_error(
                py,
                "asynchronous connections cannot produce named cursors",
            ));
        }
        let factory = cursor_factory
            .or_else(|| slf.get().cursor_factory(py).map(|factory| factory.into_bound(py)))
            .filter(|factory| !factory.is_none());
        let name = name.filter(|name| !name.is_none());
        let cursor = match (factory, name) {
            // By far the most: without a call.
            (None, None) => Bound::new(py, Cursor::of(slf)?)?.into_any(),
            (None, Some(name)) => py.get_type::<Cursor>().call1((slf, name))?,
            (Some(factory), name) => factory.call1((slf, name))?,
        };
        let Ok(ours) = cursor.cast::<Cursor>() else {
            return Err(PyTypeError::new_err(
                "cursor factory must be subclass of kecoa.extensions.cursor",
            ));
        };
        if withhold || scrollable.is_some() {
            ours.get().set_scrolling(py, withhold, scrollable)?;
        }
        Ok(cursor)
    }
}

impl Objects {
    /// For the garbage collector.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.string_types)?;
        visit.call(&self.binary_types)?;
        visit.call(&self.notices)?;
        visit.call(&self.notifies)?;
        visit.call(&self.cursor_factory)?;
        visit.call(&self.xid)
    }
}

/// A Python bool as an object, for attributes that are bool or None.
pub(crate) fn bool_or_none(py: Python<'_>, value: Option<bool>) -> Py<PyAny> {
    match value {
        Some(value) => PyBool::new(py, value).to_owned().into_any().unbind(),
        None => py.None(),
    }
}
