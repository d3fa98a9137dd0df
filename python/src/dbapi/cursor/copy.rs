//! COPY between a Python file and the server.

use std::io::{self, Read, Write};
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::Cursor;
use super::execute::Mode;
use crate::convert::codec::Codec;
use crate::dbapi::connection::Connection;
use crate::errors::error::{self, Circumstances};
use crate::names;
use crate::sync::lock;

/// What a COPY statement asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    In,
    Out,
}

impl Direction {
    /// What psycopg2 says when `execute` meets a COPY.
    pub(super) fn refusal(self) -> &'static str {
        match self {
            Direction::In => "can't execute COPY FROM: use the copy_from() method instead",
            Direction::Out => "can't execute COPY TO: use the copy_to() method instead",
        }
    }
}

/// Finds `FROM STDIN` or `TO STDOUT` outside of parentheses, quotes and comments.
pub(super) fn direction(sql: &str) -> Option<Direction> {
    let bytes = sql.as_bytes();
    let (mut at, mut depth) = (0usize, 0u32);
    let mut previous = String::new();
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\'' | b'"' => {
                let rest = bytes.get(at + 1..).unwrap_or_default();
                at += rest.iter().position(|other| other == byte)? + 2;
                previous.clear();
            }
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                let rest = bytes.get(at..).unwrap_or_default();
                at += rest.iter().position(|other| *other == b'\n')? + 1;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at += sql.get(at..)?.find("*/")? + 2;
            }
            b'(' => {
                depth += 1;
                at += 1;
            }
            b')' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            _ if byte.is_ascii_alphabetic() || *byte == b'_' => {
                let rest = bytes.get(at..).unwrap_or_default();
                let end = rest
                    .iter()
                    .position(|other| !(other.is_ascii_alphanumeric() || *other == b'_'))
                    .unwrap_or(rest.len());
                let word = sql.get(at..at + end)?.to_ascii_uppercase();
                if depth == 0 {
                    match (previous.as_str(), word.as_str()) {
                        ("FROM", "STDIN") => return Some(Direction::In),
                        ("TO", "STDOUT") => return Some(Direction::Out),
                        _ => {}
                    }
                    previous = word;
                }
                at += end;
            }
            _ => {
                if !byte.is_ascii_whitespace() {
                    previous.clear();
                }
                at += 1;
            }
        }
    }
    None
}

/// What went wrong on Python's side while the client copied.
type Trouble = Option<PyErr>;

/// How much is read while attached to the interpreter, in bytes, if the file has it: attaching,
/// asking the socket and sending cost more than reading a piece of psycopg2's 8 KiB.
const GATHERED: usize = 64 * 1024;

/// `file.read(size)` as a reader; attaches to the interpreter for each chunk.
struct PythonReader {
    read: Py<PyAny>,
    size: usize,
    codec: Arc<Codec>,
    chunk: Vec<u8>,
    taken: usize,
    ended: bool,
    trouble: Trouble,
}

impl PythonReader {
    /// Gathers pieces until there are enough of them, or the file ends.
    fn next_chunk(&mut self, py: Python<'_>) -> PyResult<()> {
        self.chunk.clear();
        self.taken = 0;
        let read = self.read.bind(py);
        let size = self.size.into_pyobject(py)?;
        while !self.ended && self.chunk.len() < GATHERED {
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
                    self.trouble = Some(error);
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
struct PythonWriter {
    write: Py<PyAny>,
    /// The file takes text.
    text: Option<Arc<Codec>>,
    trouble: Trouble,
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
                self.trouble = Some(error);
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

impl Cursor {
    /// Runs a COPY statement against a file.
    pub(crate) fn copy(
        slf: &Bound<'_, Cursor>,
        sql: &[u8],
        file: &Bound<'_, PyAny>,
        size: usize,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        this.check_open(py)?;
        let connection = this.connection_of(py)?;
        let text = std::str::from_utf8(sql)
            .map_err(|_| names::not_supported_error(py, "COPY statements must be UTF-8 for now"))?;
        let old = {
            let mut inner = lock(&this.inner);
            (inner.forget(), inner.query.replace(sql.into()))
        };
        drop(old);
        let codec = connection.get().codec();
        let Some(direction) = direction(text) else {
            // psycopg2 runs any statement.
            return Cursor::run(slf, &connection, sql, Mode::Normal);
        };
        let _limited = connection.get().limited(None)?;
        Connection::begin_now(&connection)?;
        let (copied, trouble) = match direction {
            Direction::In => {
                let mut reader = PythonReader {
                    read: file.getattr("read")?.unbind(),
                    size: size.max(1),
                    codec: codec.clone(),
                    chunk: Vec::new(),
                    taken: 0,
                    ended: false,
                    trouble: None,
                };
                let copied = Connection::drive(&connection, |client, hook| {
                    client.copy_in(text, &mut reader, hook)
                })?;
                if let Some(cause) = reader.trouble {
                    return Err(match &copied {
                        Err(error) if error.server().is_some() => {
                            let raised = Cursor::copy_failed(slf, sql, &codec, error);
                            raised.set_cause(py, Some(cause));
                            raised
                        }
                        _ => error::read_failed(py, cause),
                    });
                }
                (copied, None)
            }
            Direction::Out => {
                let is_text = file.is_instance(&py.import("io")?.getattr("TextIOBase")?)?;
                let mut writer = PythonWriter {
                    write: file.getattr("write")?.unbind(),
                    text: is_text.then(|| codec.clone()),
                    trouble: None,
                };
                let copied = Connection::drive(&connection, |client, hook| {
                    client.copy_out(text, &mut writer, hook)
                })?;
                (copied, writer.trouble)
            }
        };
        if let Some(error) = trouble {
            return Err(error);
        }
        match copied {
            Ok(rows) => {
                let mut inner = lock(&this.inner);
                let counted = rows.and_then(|rows| i64::try_from(rows).ok());
                inner.rowcount = counted.unwrap_or(-1);
                // psycopg2's is that of the result which began the COPY.
                inner.statusmessage = Some(Box::default());
                Ok(())
            }
            Err(error) => Err(Cursor::copy_failed(slf, sql, &codec, &error)),
        }
    }

    /// The exception for a COPY that failed; the status message is then empty, as psycopg2's.
    fn copy_failed(
        slf: &Bound<'_, Cursor>,
        sql: &[u8],
        codec: &Arc<Codec>,
        error: &kecoa::Error,
    ) -> PyErr {
        if error.server().is_some() {
            lock(&slf.get().inner).statusmessage = Some(Box::default());
        }
        let circumstances = Circumstances {
            statement: Some(sql),
            codec,
            cursor: Some(slf.as_any()),
            commit: false,
        };
        error::exception(slf.py(), error, &circumstances)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_direction() {
        assert_eq!(direction("copy t from stdin"), Some(Direction::In));
        assert_eq!(direction("COPY t (a, b) TO STDOUT WITH CSV"), Some(Direction::Out));
        assert_eq!(
            direction("copy (select 1 from stdin) /* from stdin */ to\n stdout"),
            Some(Direction::Out)
        );
        assert_eq!(direction("copy \"from stdin\" to stdout"), Some(Direction::Out));
        assert_eq!(direction("copy t from '/tmp/x' -- from stdin"), None);
        assert_eq!(direction("select 1"), None);
        assert_eq!(direction("copy 'x"), None);
    }
}
