//! COPY between a Python file and the server.

mod direction;
mod file;
mod statement;

use kecoa_proto::CommandTag;
use pyo3::prelude::*;

pub(in crate::dbapi::cursor) use self::direction::{Direction, direction};
use self::file::{PythonReader, PythonWriter};
pub(super) use self::statement::TextForm;
use super::{Cursor, Mode};
use crate::dbapi::connection::Connection;
use crate::errors::error;
use crate::names;
use crate::sync::lock;

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
        let (copied, raised) = match direction {
            Direction::In => {
                let mut reader = PythonReader {
                    read: file.getattr("read")?.unbind(),
                    size: size.max(1),
                    codec: codec.clone(),
                    chunk: Vec::new(),
                    taken: 0,
                    ended: false,
                    raised: None,
                };
                let copied = Connection::drive(&connection, |client, hook| {
                    client.copy_in(text, &mut reader, hook)
                })?;
                if let Some(cause) = reader.raised {
                    return Err(match &copied {
                        Err(error) if error.server().is_some() => {
                            let raised = Cursor::copy_failed(slf, &connection, sql, error);
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
                    raised: None,
                };
                let copied = Connection::drive(&connection, |client, hook| {
                    client.copy_out(text, &mut writer, hook)
                })?;
                (copied, writer.raised)
            }
        };
        if let Some(raised) = raised {
            return Err(raised);
        }
        match copied {
            Ok(rows) => {
                let mut inner = lock(&this.inner);
                let counted = rows.and_then(|rows| i64::try_from(rows).ok());
                inner.rowcount = counted.unwrap_or(-1);
                // psycopg2's is that of the result which began the COPY.
                inner.statusmessage = Some(CommandTag::default());
                Ok(())
            }
            Err(error) => Err(Cursor::copy_failed(slf, &connection, sql, &error)),
        }
    }

    /// The exception for a COPY that failed; the status message is then empty, as psycopg2's.
    fn copy_failed(
        slf: &Bound<'_, Cursor>,
        connection: &Bound<'_, Connection>,
        sql: &[u8],
        error: &kecoa::Error,
    ) -> PyErr {
        if error.server().is_some() {
            lock(&slf.get().inner).statusmessage = Some(CommandTag::default());
        }
        Cursor::exception(slf, connection, Some(sql), false, error)
    }
}
