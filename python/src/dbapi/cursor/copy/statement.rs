//! The statements of `copy_expert`, `copy_from` and `copy_to`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::convert::dump::Dumper;
use crate::dbapi::connection::Connection;
use crate::dbapi::cursor::Cursor;
use crate::dbapi::cursor::statement::statement;
use crate::dbapi::cursor::support::quoted_name;

/// How `copy_from` and `copy_to` write a table.
pub(in crate::dbapi::cursor) struct TextForm<'a, 'py> {
    pub(in crate::dbapi::cursor) sep: &'a str,
    pub(in crate::dbapi::cursor) null: &'a str,
    pub(in crate::dbapi::cursor) columns: Option<&'a Bound<'py, PyAny>>,
}

impl Cursor {
    /// Runs a COPY statement of the caller's.
    pub(in crate::dbapi::cursor) fn copy_by<'py>(
        slf: &Bound<'py, Cursor>,
        sql: &Bound<'py, PyAny>,
        file: &Bound<'py, PyAny>,
        size: usize,
    ) -> PyResult<()> {
        let py = slf.py();
        slf.get().check_open(py)?;
        let connection = slf.get().connection_of(py)?;
        connection.get().refuse_waiting(py, "copy_expert")?;
        connection.get().refuse_prepared(py, "copy_expert")?;
        let settings = connection.get().settings();
        let sql = statement(sql, &settings, slf.as_any())?;
        if !file.hasattr("read")? && !file.hasattr("write")? {
            return Err(PyTypeError::new_err(
                "file must be a readable file-like object for COPY FROM; a writable file-like \
                 object for COPY TO.",
            ));
        }
        Cursor::copy(slf, &sql, file, size)
    }

    /// Copies a file into a table.
    pub(in crate::dbapi::cursor) fn copy_in(
        slf: &Bound<'_, Cursor>,
        file: &Bound<'_, PyAny>,
        table: &Bound<'_, PyAny>,
        form: &TextForm<'_, '_>,
        size: usize,
    ) -> PyResult<()> {
        check_file(file, "read")?;
        slf.get().check_open(slf.py())?;
        let connection = slf.get().connection_of(slf.py())?;
        connection.get().refuse_waiting(slf.py(), "copy_from")?;
        connection.get().refuse_prepared(slf.py(), "copy_from")?;
        let sql = format!(
            "COPY {}{} FROM stdin WITH DELIMITER AS {} NULL AS {}",
            quoted_name(table)?,
            column_list(form.columns)?,
            quoted_text(&connection, form.sep)?,
            quoted_text(&connection, form.null)?
        );
        Cursor::copy(slf, sql.as_bytes(), file, size)
    }

    /// Copies a table into a file.
    pub(in crate::dbapi::cursor) fn copy_out(
        slf: &Bound<'_, Cursor>,
        file: &Bound<'_, PyAny>,
        table: &Bound<'_, PyAny>,
        form: &TextForm<'_, '_>,
    ) -> PyResult<()> {
        check_file(file, "write")?;
        slf.get().check_open(slf.py())?;
        let connection = slf.get().connection_of(slf.py())?;
        connection.get().refuse_waiting(slf.py(), "copy_to")?;
        connection.get().refuse_prepared(slf.py(), "copy_to")?;
        let sql = format!(
            "COPY {}{} TO stdout WITH DELIMITER AS {} NULL AS {}",
            quoted_name(table)?,
            column_list(form.columns)?,
            quoted_text(&connection, form.sep)?,
            quoted_text(&connection, form.null)?
        );
        Cursor::copy(slf, sql.as_bytes(), file, 0)
    }
}

/// The columns of COPY in parentheses, quoted; nothing when there are none.
fn column_list(columns: Option<&Bound<'_, PyAny>>) -> PyResult<String> {
    let Some(columns) = columns.filter(|columns| !columns.is_none()) else {
        return Ok(String::new());
    };
    let mut names = Vec::new();
    for column in columns.try_iter()? {
        names.push(quoted_name(&column?)?);
    }
    if names.is_empty() {
        return Ok("(".to_owned());
    }
    Ok(format!("({})", names.join(",")))
}

fn quoted_text(connection: &Bound<'_, Connection>, text: &str) -> PyResult<String> {
    let settings = connection.get().settings();
    let mut out = Vec::new();
    Dumper::new(connection.py(), &settings, Some(connection.as_any()))
        .text_literal(text, &mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn check_file(file: &Bound<'_, PyAny>, method: &str) -> PyResult<()> {
    if file.hasattr(method)? {
        return Ok(());
    }
    Err(PyTypeError::new_err(format!("argument 1 must have a .{method}() method")))
}
