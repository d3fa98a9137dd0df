//! `cursor.description`: PEP 249's columns, as psycopg2 shows them.

use std::sync::{Arc, Mutex};

use kecoa_proto::Field;
use pyo3::IntoPyObjectExt;
use pyo3::basic::CompareOp;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

use super::Cursor;
use crate::convert::codec::Codec;
use crate::sync::lock;

const NUMERIC: u32 = kecoa_types::oid::NUMERIC;

/// The names of a column's attributes; the first seven are PEP 249's sequence.
const NAMES: [&str; 9] = [
    "name",
    "type_code",
    "display_size",
    "internal_size",
    "precision",
    "scale",
    "null_ok",
    "table_oid",
    "table_column",
];

/// One column of a result.
#[pyclass(subclass, frozen, module = "kecoa.extensions")]
pub(crate) struct Column {
    /// Changed by `__setstate__` alone.
    values: Mutex<Values>,
}

/// The attributes, in the order of [`NAMES`].
type Values = [Option<Py<PyAny>>; 9];

fn object<'py, T: IntoPyObject<'py>>(py: Python<'py>, value: T) -> PyResult<Option<Py<PyAny>>> {
    Ok(Some(value.into_py_any(py)?))
}

impl Column {
    /// From the server's description. Sizes as psycopg2 reads them: the modifier counts the
    /// varlena header of four bytes.
    pub(crate) fn from_field(py: Python<'_>, field: &Field, codec: &Codec) -> PyResult<Column> {
        let modifier = match field.type_modifier {
            modifier if modifier > 0 => modifier - 4,
            modifier => modifier,
        };
        let size = match (field.type_size, field.type_oid) {
            (-1, NUMERIC) => modifier >> 16,
            (-1, _) => modifier,
            (size, _) => i32::from(size),
        };
        let (precision, scale) = if field.type_oid == NUMERIC {
            (object(py, (modifier >> 16) & 0xffff)?, object(py, modifier & 0xffff)?)
        } else {
            (None, None)
        };
        Ok(Column {
            values: Mutex::new([
                Some(codec.decode(py, &field.name)?.unbind()),
                object(py, field.type_oid)?,
                None,
                object(py, size)?,
                precision,
                scale,
                None,
                if field.table_oid == 0 { None } else { object(py, field.table_oid)? },
                if field.column > 0 { object(py, field.column)? } else { None },
            ]),
        })
    }

    fn value(&self, py: Python<'_>, index: usize) -> Py<PyAny> {
        lock(&self.values)
            .get(index)
            .and_then(Option::as_ref)
            .map_or_else(|| py.None(), |value| value.clone_ref(py))
    }

    fn tuple<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, (0..7).map(|index| self.value(py, index)))
    }
}

#[pymethods]
impl Column {
    #[new]
    #[pyo3(signature = (name=None, type_code=None, display_size=None, internal_size=None, precision=None, scale=None, null_ok=None, table_oid=None, table_column=None))]
    #[expect(clippy::too_many_arguments, reason = "psycopg2's signature")]
    fn new(
        name: Option<Py<PyAny>>,
        type_code: Option<Py<PyAny>>,
        display_size: Option<Py<PyAny>>,
        internal_size: Option<Py<PyAny>>,
        precision: Option<Py<PyAny>>,
        scale: Option<Py<PyAny>>,
        null_ok: Option<Py<PyAny>>,
        table_oid: Option<Py<PyAny>>,
        table_column: Option<Py<PyAny>>,
    ) -> Column {
        Column {
            values: Mutex::new([
                name,
                type_code,
                display_size,
                internal_size,
                precision,
                scale,
                null_ok,
                table_oid,
                table_column,
            ]),
        }
    }

    /// The name.
    #[getter]
    fn name(&self, py: Python<'_>) -> Py<PyAny> {
        self.value(py, 0)
    }

    /// The oid of the type.
    #[getter]
    fn type_code(&self, py: Python<'_>) -> Py<PyAny> {
        self.value(py, 1)
    }

    /// None: it would cost a look at every row.
    #[getter]
    fn display_size(&self, py: Python<'_>) -> Py<PyAny> {
        self.value(py, 2)
    }

    /// The size in bytes on the server; negative when it varies.
    #[getter]
    fn internal_size(&self, py: Python<'_>) -> Py<PyAny> {
        self.value(py, 3)
    }

    /// All digits of a `numeric`.
    #[getter]
    fn precision(&self, py: Python<'_>) -> Py<PyAny> {
        self.value(py, 4)
    }

    /// The digits of a `numeric` behind the point.
    #[getter]
    fn scale(&self, py: Python<'_>) -> Py<PyAny> {
        self.value(py, 5)
    }

    /// None: the server does not say.
    #[getter]
    fn null_ok(&self, py: Python<'_>) -> Py<PyAny> {
        self.value(py, 6)
    }

    /// The oid of the table, if it comes from one.
    #[getter]
    fn table_oid(&self, py: Python<'_>) -> Py<PyAny> {
        self.value(py, 7)
    }

    /// The number of the column in its table, from 1.
    #[getter]
    fn table_column(&self, py: Python<'_>) -> Py<PyAny> {
        self.value(py, 8)
    }

    fn __len__(&self) -> usize {
        7
    }

    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        index: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match index.extract::<isize>() {
            Ok(position) => {
                let index = if position < 0 { position + 7 } else { position };
                match usize::try_from(index) {
                    Ok(index) if index < 7 => Ok(self.value(py, index).into_bound(py)),
                    _ => Err(PyIndexError::new_err("index out of range")),
                }
            }
            Err(_) => self.tuple(py)?.as_any().get_item(index),
        }
    }

    fn __richcmp__<'py>(
        &self,
        py: Python<'py>,
        other: &Bound<'py, PyAny>,
        op: CompareOp,
    ) -> PyResult<Bound<'py, PyAny>> {
        match other.cast::<Column>() {
            Ok(other) => {
                let other = other.get().tuple(py)?;
                self.tuple(py)?.rich_compare(other, op)
            }
            Err(_) => self.tuple(py)?.rich_compare(other, op),
        }
    }

    #[classattr]
    const __hash__: Option<u8> = None;

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "Column(name={}, type_code={})",
            self.value(py, 0).bind(py).repr()?,
            self.value(py, 1).bind(py).repr()?
        ))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        let values = slf.get();
        let class: Bound<'py, PyType> = slf.get_type();
        let args = PyTuple::new(py, (0..NAMES.len()).map(|index| values.value(py, index)))?;
        PyTuple::new(py, [class.into_any(), args.into_any()])
    }

    /// psycopg2's name for what `__reduce__` does.
    fn __getstate__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, (0..NAMES.len()).map(|index| self.value(py, index)))
    }

    fn __setstate__(&self, state: Vec<Py<PyAny>>) {
        let mut state = state.into_iter().map(Some).collect::<Vec<_>>();
        for (place, value) in lock(&self.values).iter_mut().zip(&mut state) {
            std::mem::swap(place, value);
        }
        // What was there before, unlocked.
        drop(state);
    }
}

impl Cursor {
    /// The columns of the result, made when they are asked for first.
    pub(super) fn described(&self, py: Python<'_>) -> PyResult<Option<Py<PyTuple>>> {
        let (known, fetched) = {
            let inner = lock(&self.inner);
            let known = inner.description.as_ref().map(|description| description.clone_ref(py));
            (known, inner.fetched.clone())
        };
        let (None, Some(fetched)) = (&known, fetched) else { return Ok(known) };
        let codec = &fetched.codec;
        let columns = fetched
            .layout
            .description
            .fields
            .iter()
            .map(|field| Py::new(py, Column::from_field(py, field, codec)?))
            .collect::<PyResult<Vec<_>>>()?;
        let made = PyTuple::new(py, columns)?.unbind();
        let mut inner = lock(&self.inner);
        // Another thread may have made the same, or have run another statement.
        if let Some(known) = &inner.description {
            return Ok(Some(known.clone_ref(py)));
        }
        if inner.fetched.as_ref().is_some_and(|held| Arc::ptr_eq(held, &fetched)) {
            inner.description = Some(made.clone_ref(py));
        }
        Ok(Some(made))
    }
}
