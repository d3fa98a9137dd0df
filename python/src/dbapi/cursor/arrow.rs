//! Arrow tables out of a cursor, and in.

use kecoa_proto::CommandTag;
use kecoa_types::literal::quote_ident;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::Cursor;
use super::copy::{Direction, direction};
use crate::arrow::{self, ArrowResult, CopyError};
use crate::convert::codec::Codec;
use crate::dbapi::connection::{Connection, Taken};
use crate::errors::error;
use crate::names;
use crate::sync::lock;

/// What `copy_arrow` was given to copy into: a quoted name, or a statement.
enum Place {
    Table(String),
    Statement(String),
}

fn quoted(name: &str) -> PyResult<String> {
    let quoted = quote_ident(name.as_bytes());
    let quoted = quoted.map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(String::from_utf8_lossy(&quoted).into_owned())
}

/// A name, a tuple of names, an `sql.Identifier`; or a COPY statement as text or `sql` objects.
fn place(table: &Bound<'_, PyAny>, cursor: &Bound<'_, PyAny>) -> PyResult<Place> {
    if let Ok(text) = table.cast::<PyString>() {
        let text = text.to_str()?;
        return match direction(text) {
            Some(Direction::In) => Ok(Place::Statement(text.to_owned())),
            Some(Direction::Out) => Err(PyValueError::new_err(
                "expected a table or COPY … FROM STDIN, found COPY … TO STDOUT",
            )),
            None => Ok(Place::Table(quoted(text)?)),
        };
    }
    if let Ok(names) = table.cast::<PyTuple>() {
        let names = names.iter().map(|name| quoted(name.cast::<PyString>()?.to_str()?));
        let names = names.collect::<PyResult<Vec<_>>>()?;
        if names.is_empty() {
            return Err(PyValueError::new_err("expected the name of a table, found no names"));
        }
        return Ok(Place::Table(names.join(".")));
    }
    if table.hasattr("as_string")? {
        let text: String = table.call_method1("as_string", (cursor,))?.extract()?;
        return match direction(&text) {
            Some(Direction::In) => Ok(Place::Statement(text)),
            _ if table.get_type().name()? == "Identifier" => Ok(Place::Table(text)),
            _ => Err(PyValueError::new_err(
                "expected an Identifier or COPY … FROM STDIN, found another SQL text",
            )),
        };
    }
    Err(PyTypeError::new_err(format!(
        "expected a table as str, tuple of str or sql.Identifier, found {}",
        table.get_type().name()?
    )))
}

impl Cursor {
    /// The next `limit` rows, or all that are left, for Arrow's consumers; the cursor moves past
    /// them.
    pub(crate) fn take_arrow(
        slf: &Bound<'_, Cursor>,
        limit: Option<usize>,
    ) -> PyResult<ArrowResult> {
        let py = slf.py();
        let this = slf.get();
        this.check_open(py)?;
        let raise = |error| Err(crate::errors::error::with_cursor(py, error, slf.as_any()));
        let held = lock(&this.inner).fetched.as_ref().map(|fetched| fetched.codec.clone());
        Cursor::check_arrow(slf, &held.unwrap_or_else(|| this.codec(py)), "fetch_arrow")?;
        let mut inner = lock(&this.inner);
        if let Some(batching) = inner.batching.take() {
            drop(inner);
            return Ok(ArrowResult::built(batching));
        }
        let Some(fetched) = inner.fetched.clone() else {
            drop(inner);
            return raise(names::programming_error(py, "no results to fetch"));
        };
        let left = fetched.count.saturating_sub(inner.row);
        let size = limit.map_or(left, |limit| limit.min(left));
        let source = fetched.source(inner.place_in(&fetched), size);
        let row = inner.row + size;
        inner.move_to(row, fetched.place_of(row));
        let early = inner.early.take();
        drop(inner);
        drop(early);
        fetched.note(Taken::Not);
        Ok(ArrowResult::new(source, &fetched.layout.description.fields))
    }

    /// Copies a table that came from an Arrow library into one of the server's.
    pub(crate) fn put_arrow(
        slf: &Bound<'_, Cursor>,
        table: &Bound<'_, PyAny>,
        data: &Bound<'_, PyAny>,
        columns: Option<Vec<String>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        this.check_open(py)?;
        let connection = this.connection_of(py)?;
        connection.get().refuse_waiting(py, "copy_arrow")?;
        connection.get().refuse_prepared(py, "copy_arrow")?;
        let codec = connection.get().codec();
        if *codec != Codec::Utf8 {
            return Err(names::not_supported_error(
                py,
                "Arrow's text is UTF-8: copy_arrow needs a connection whose client_encoding is UTF8",
            ));
        }
        let (quoted, statement) = match place(table, slf.as_any())? {
            Place::Table(quoted) => (Some(quoted), None),
            Place::Statement(sql) => (None, Some(sql)),
        };
        // What is sent names the columns, too; errors are about the table.
        let sql = match (&quoted, &statement) {
            (Some(quoted), _) => Some(format!("COPY {quoted} FROM STDIN")),
            (None, statement) => statement.clone(),
        };
        let input = arrow::Input::new(data)?;
        let destination = arrow::destination(quoted, statement, columns, &input)?;
        let old = lock(&this.inner).forget();
        drop(old);
        Connection::begin_now(&connection)?;
        let mut failed = None;
        let copied = Connection::drive(&connection, |client, hook| {
            arrow::copy_in(client, input, destination, hook, &mut failed)
        })?;
        match failed {
            Some(CopyError::Data(message)) => {
                let error = names::data_error(py, message);
                return Err(error::with_cursor(py, error, slf.as_any()));
            }
            Some(CopyError::Stream(message)) => {
                let error = names::operational_error(py, message);
                return Err(error::with_cursor(py, error, slf.as_any()));
            }
            None => {}
        }
        match copied {
            Ok(rows) => {
                let counted = rows.and_then(|rows| i64::try_from(rows).ok());
                let mut inner = lock(&this.inner);
                inner.rowcount = counted.unwrap_or(-1);
                inner.statusmessage = Some(CommandTag::default());
                Ok(())
            }
            Err(error) => {
                let sql = sql.as_deref().map(str::as_bytes);
                Err(Cursor::exception(slf, &connection, sql, false, &error))
            }
        }
    }
}
