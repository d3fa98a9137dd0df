//! `ReplicationMessage`: a piece of the write-ahead log.

use std::sync::Mutex;

use kecoa::replication::EPOCH;
use kecoa_proto::message::replication::StreamedData;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::dbapi::cursor::Cursor;
use crate::sync::lock;

/// A piece of the log, or what an output plugin made of it.
#[pyclass(subclass, frozen, name = "ReplicationMessage", module = "kecoa.extensions")]
pub(crate) struct ReplicationMessage {
    objects: Mutex<Option<(Py<Cursor>, Py<PyAny>)>>,
    data_size: usize,
    data_start: u64,
    wal_end: u64,
    send_time: i64,
}

impl ReplicationMessage {
    /// What came, its payload as Python has it.
    pub(super) fn over(
        cursor: &Bound<'_, Cursor>,
        data: &StreamedData,
        payload: Py<PyAny>,
    ) -> ReplicationMessage {
        ReplicationMessage {
            objects: Mutex::new(Some((cursor.clone().unbind(), payload))),
            data_size: data.payload.len(),
            data_start: data.start,
            wal_end: data.wal_end,
            send_time: data.sent,
        }
    }

    fn with<T>(&self, work: impl FnOnce(&(Py<Cursor>, Py<PyAny>)) -> T) -> Option<T> {
        lock(&self.objects).as_ref().map(work)
    }
}

#[pymethods]
impl ReplicationMessage {
    /// A message of a cursor; the numbers are 0.
    #[new]
    fn new(cursor: Bound<'_, Cursor>, payload: Py<PyAny>) -> ReplicationMessage {
        ReplicationMessage {
            objects: Mutex::new(Some((cursor.unbind(), payload))),
            data_size: 0,
            data_start: 0,
            wal_end: 0,
            send_time: 0,
        }
    }

    /// The cursor that received it.
    #[getter]
    fn cursor(&self, py: Python<'_>) -> Option<Py<Cursor>> {
        self.with(|(cursor, _)| cursor.clone_ref(py))
    }

    /// The data: bytes, or str where `decode` was asked for.
    #[getter]
    fn payload(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.with(|(_, payload)| payload.clone_ref(py))
    }

    /// How long the data is, in bytes before decoding.
    #[getter]
    fn data_size(&self) -> usize {
        self.data_size
    }

    /// Where the data begins in the log (LSN).
    #[getter]
    fn data_start(&self) -> u64 {
        self.data_start
    }

    /// Where the log ended on the server when it sent this (LSN).
    #[getter]
    fn wal_end(&self) -> u64 {
        self.wal_end
    }

    /// When the server sent this: a datetime in local time, without tzinfo.
    #[getter]
    fn send_time<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        // In floating point, as psycopg2, whose rounding it shares.
        local_time(py, self.send_time as f64 / 1e6 + EPOCH as f64)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        let this = slf.get();
        let lsn = |lsn: u64| format!("{:x}/{:x}", lsn >> 32, lsn & 0xffff_ffff);
        format!(
            "<ReplicationMessage object at {:p}; data_size: {}; data_start: {}; wal_end: {}; \
             send_time: {}>",
            slf.as_ptr(),
            this.data_size,
            lsn(this.data_start),
            lsn(this.wal_end),
            this.send_time
        )
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(objects) = self.objects.try_lock()
            && let Some((cursor, payload)) = objects.as_ref()
        {
            visit.call(cursor)?;
            visit.call(payload)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let old = lock(&self.objects).take();
        drop(old);
    }
}

/// Seconds since 1970 as a datetime in local time, without tzinfo.
pub(super) fn local_time(py: Python<'_>, seconds: f64) -> PyResult<Bound<'_, PyAny>> {
    py.import("datetime")?.getattr("datetime")?.call_method1("fromtimestamp", (seconds,))
}
