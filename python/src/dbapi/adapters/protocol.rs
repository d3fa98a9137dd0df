//! The protocol of adapters, as a class.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::state::{AdapterState, swap};
use crate::convert::dump::registered::isqlquote;

/// The protocol: a class that exists to be named, and an abstract base.
#[pyclass(subclass, frozen, name = "ISQLQuote", module = "kecoa.extensions")]
#[derive(Default)]
pub(crate) struct IsqlQuote {
    state: AdapterState,
}

#[pymethods]
impl IsqlQuote {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = "(wrapped=None)")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> IsqlQuote {
        IsqlQuote::default()
    }

    #[pyo3(signature = (wrapped=None, **_kwargs))]
    fn __init__(&self, wrapped: Option<Bound<'_, PyAny>>, _kwargs: Option<&Bound<'_, PyDict>>) {
        swap(&self.state.adapted, wrapped.map(Bound::unbind));
    }

    /// The wrapped object.
    #[getter]
    fn _wrapped<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.state.adapted(py)
    }

    /// None: to be overridden.
    #[pyo3(signature = (*_args), text_signature = "($self)")]
    fn getquoted(&self, _args: &Bound<'_, PyTuple>) -> Option<u8> {
        None
    }

    /// None: to be overridden.
    #[pyo3(signature = (*_args), text_signature = "($self)")]
    fn getbinary(&self, _args: &Bound<'_, PyTuple>) -> Option<u8> {
        None
    }

    /// None: to be overridden.
    #[pyo3(signature = (*_args), text_signature = "($self)")]
    fn getbuffer(&self, _args: &Bound<'_, PyTuple>) -> Option<u8> {
        None
    }
}

/// `__conform__` of an adapter: it is one for SQL literals, and for nothing else.
pub(super) fn conform<'py>(
    adapter: &Bound<'py, PyAny>,
    protocol: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = adapter.py();
    let ours = protocol.is(isqlquote(py)?);
    Ok(if ours { adapter.clone() } else { py.None().into_bound(py) })
}
