//! `Notify`: a notification as psycopg2 shows it.

use kecoa_proto::Notification;
use pyo3::basic::CompareOp;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::convert::codec::Codec;

/// A notification: `pid`, `channel` and `payload`; as a sequence, the first two.
#[pyclass(subclass, frozen, module = "kecoa.extensions")]
pub(crate) struct Notify {
    /// The process id of the backend that sent it.
    #[pyo3(get)]
    pid: Py<PyAny>,
    /// The channel's name.
    #[pyo3(get)]
    channel: Py<PyAny>,
    /// The text sent along, perhaps empty.
    #[pyo3(get)]
    payload: Py<PyAny>,
}

impl Notify {
    fn pair<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, [self.pid.clone_ref(py), self.channel.clone_ref(py)])
    }

    fn triple<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let parts = [&self.pid, &self.channel, &self.payload].map(|part| part.clone_ref(py));
        PyTuple::new(py, parts)
    }
}

/// The object for what the server sent. Whoever may NOTIFY says what bytes it holds: those that
/// are no text are replaced, as in psycopg2.
pub(crate) fn from_server(
    py: Python<'_>,
    notification: &Notification,
    codec: &Codec,
) -> PyResult<Notify> {
    Ok(Notify::new(
        py,
        notification.process_id.into_pyobject(py)?.into_any().unbind(),
        PyString::new(py, &codec.decode_lossy(py, &notification.channel)).into_any().unbind(),
        Some(PyString::new(py, &codec.decode_lossy(py, &notification.payload)).into_any().unbind()),
    ))
}

#[pymethods]
impl Notify {
    #[new]
    #[pyo3(signature = (pid, channel, payload=None))]
    pub(crate) fn new(
        py: Python<'_>,
        pid: Py<PyAny>,
        channel: Py<PyAny>,
        payload: Option<Py<PyAny>>,
    ) -> Notify {
        let payload =
            payload.unwrap_or_else(|| pyo3::types::PyString::new(py, "").into_any().unbind());
        Notify { pid, channel, payload }
    }

    fn __len__(&self) -> usize {
        2
    }

    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        index: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.pair(py)?.as_any().get_item(index)
    }

    /// With another notification all three count; with a tuple the first two.
    fn __richcmp__<'py>(
        &self,
        py: Python<'py>,
        other: &Bound<'py, PyAny>,
        op: CompareOp,
    ) -> PyResult<Bound<'py, PyAny>> {
        match other.cast::<Notify>() {
            Ok(other) => self.triple(py)?.rich_compare(other.get().triple(py)?, op),
            Err(_) => self.pair(py)?.rich_compare(other, op),
        }
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        if self.payload.bind(py).is_truthy()? {
            self.triple(py)?.hash()
        } else {
            self.pair(py)?.hash()
        }
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "Notify({}, {}, {})",
            self.pid.bind(py).repr()?,
            self.channel.bind(py).repr()?,
            self.payload.bind(py).repr()?
        ))
    }
}
