//! Files of Python's as readers and writers.

use std::io::{self, Read, Write};
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::convert::codec::Codec;

/// What went wrong on Python's side while the client copied.
type Raised = Option<PyErr>;

/// How much is read while attached to the interpreter, in bytes, if the file has it: attaching,
/// asking the socket and sending cost more than reading a piece of psycopg2's 8 KiB.
const READ_AHEAD: usize = 64 * 1024;

/// `file.read(size)` as a reader; attaches to the interpreter for each chunk.
pub(super) struct PythonReader {
    pub(super) read: Py<PyAny>,
    pub(super) size: usize,
    pub(super) codec: Arc<Codec>,
    pub(super) chunk: Vec<u8>,
    pub(super) taken: usize,
    pub(super) ended: bool,
    pub(super) raised: Raised,
}

impl PythonReader {
    /// Reads pieces until there are enough of them, or the file ends.
    fn next_chunk(&mut self, py: Python<'_>) -> PyResult<()> {
        self.chunk.clear();
        self.taken = 0;
        let read = self.read.bind(py);
        let size = self.size.into_pyobject(py)?;
        while !self.ended && self.chunk.len() < READ_AHEAD {
            let data = read.call1((&size,))?;
            let before = self.chunk.len();
            if let Ok(bytes) = data.cast::<PyBytes>() {
                self.chunk.extend_from_slice(bytes.as_bytes());
            } else if let Ok(text) = data.cast::<PyString>() {
                self.codec.encode_into(text, &mut self.chunk)?;
            } else {
                return Err(PyTypeError::new_err(format!(
                    "expected read() to return str or bytes, found {}",
                    data.get_type().name()?
                )));
            }
            self.ended = self.chunk.len() == before;
        }
        Ok(())
    }
}

fn detached() -> io::Error {
    io::Error::other("the interpreter is going away")
}

impl Read for PythonReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.taken >= self.chunk.len() {
            let outcome = Python::try_attach(|py| {
                self.next_chunk(py).map_err(|error| {
                    // As psycopg2 tells the server, whose error has it.
                    let name = error.get_type(py).name().map(|name| name.to_string());
                    let text = error.value(py).str().map(|text| text.to_string());
                    let message = format!(
                        "error in .read() call: {} {}",
                        name.unwrap_or_default(),
                        text.unwrap_or_default()
                    );
                    self.raised = Some(error);
                    io::Error::other(message)
                })
            });
            outcome.ok_or_else(detached)??;
        }
        let rest = self.chunk.get(self.taken..).unwrap_or_default();
        let count = rest.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.taken += count;
        Ok(count)
    }
}

/// `file.write(data)` as a writer.
pub(super) struct PythonWriter {
    pub(super) write: Py<PyAny>,
    /// The file takes text.
    pub(super) text: Option<Arc<Codec>>,
    pub(super) raised: Raised,
}

impl Write for PythonWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let outcome = Python::try_attach(|py| {
            let put = || -> PyResult<()> {
                let data = match &self.text {
                    Some(codec) => codec.decode(py, data)?,
                    None => PyBytes::new(py, data).into_any(),
                };
                self.write.bind(py).call1((data,)).map(drop)
            };
            put().map_err(|error| {
                let message = error.to_string();
                self.raised = Some(error);
                io::Error::other(message)
            })
        });
        outcome.ok_or_else(detached)??;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
