//! What replication asks of the cursor below it.

use pyo3::prelude::*;

use super::Cursor;
use super::Mode;
use super::statement::statement;
use crate::sync::lock;

impl Cursor {
    /// Sends a walsender's command without beginning a transaction.
    pub(crate) fn run_command(slf: &Bound<'_, Cursor>, sql: &[u8]) -> PyResult<()> {
        let connection = slf.get().connection_of(slf.py())?;
        Cursor::run(slf, &connection, sql, Mode::NoBegin)
    }

    /// `execute` of a walsender's connection.
    pub(crate) fn execute_command<'py>(
        slf: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        vars: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        Cursor::do_execute(slf, query, vars, None)
    }

    /// The text of a command: from a str, bytes or a composed object.
    pub(crate) fn command_text(
        slf: &Bound<'_, Cursor>,
        command: &Bound<'_, PyAny>,
    ) -> PyResult<Vec<u8>> {
        let settings = slf.get().connection_of(slf.py())?.get().settings();
        Ok(statement(command, &settings, slf.as_any())?.into_owned())
    }

    /// Whether the cursor itself was closed, whatever became of its connection.
    pub(crate) fn was_closed(&self) -> bool {
        lock(&self.inner).closed
    }
}
