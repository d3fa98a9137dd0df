//! The connection's methods that change its settings: what each refuses, and what it sends.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::Connection;
use super::characteristics::{Change, Characteristics, parse_level, parse_on_off};
use super::state::{STATUS_BEGIN, STATUS_READY};
use crate::convert::codec::clean_name;
use crate::sync::lock;

impl Connection {
    /// `set_session`: the characteristics of the transactions to come.
    pub(super) fn change_session(
        slf: &Bound<'_, Connection>,
        isolation_level: Option<&Bound<'_, PyAny>>,
        readonly: Option<&Bound<'_, PyAny>>,
        deferrable: Option<&Bound<'_, PyAny>>,
        autocommit: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        Connection::check_settable(slf)?;
        let change = Characteristics {
            isolation: isolation_level.map_or(Ok(Change::Keep), parse_level)?,
            readonly: readonly.map_or(Ok(Change::Keep), parse_on_off)?,
            deferrable: deferrable.map_or(Ok(Change::Keep), parse_on_off)?,
            autocommit: autocommit.map(|value| value.is_truthy()).transpose()?,
        };
        Connection::set_characteristics(slf, change)
    }

    /// `set_isolation_level`: 0 is autocommit, None the server's default.
    pub(super) fn change_level(
        slf: &Bound<'_, Connection>,
        level: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        slf.get().check_open(slf.py())?;
        // The quotes are psycopg2's.
        slf.get().refuse_async(slf.py(), "\"isolation_level\"")?;
        slf.get().refuse_prepared(slf.py(), "\"isolation_level\"")?;
        let level = if level.is_none() {
            None
        } else {
            match level.extract::<i64>()? {
                level @ 0..=4 => u8::try_from(level).ok(),
                _ => {
                    return Err(PyValueError::new_err("isolation level must be between 0 and 4"));
                }
            }
        };
        Connection::do_rollback(slf)?;
        let change = match level {
            Some(0) => Characteristics { autocommit: Some(true), ..Characteristics::KEEP },
            level => Characteristics {
                autocommit: Some(false),
                isolation: level.map_or(Change::Default, Change::To),
                ..Characteristics::KEEP
            },
        };
        Connection::set_characteristics(slf, change)
    }

    /// `set_client_encoding`.
    pub(super) fn change_encoding(slf: &Bound<'_, Connection>, encoding: &str) -> PyResult<()> {
        let py = slf.py();
        slf.get().check_open(py)?;
        slf.get().refuse_async(py, "set_client_encoding")?;
        slf.get().refuse_prepared(py, "set_client_encoding")?;
        if encoding.contains('\0') {
            return Err(PyValueError::new_err("embedded null character"));
        }
        let name = clean_name(encoding);
        if lock(&slf.get().state).encoding == name {
            return Ok(());
        }
        Connection::do_rollback(slf)?;
        Connection::command(slf, &format!("SET client_encoding TO '{name}'"), false)
    }

    /// `reset`: the session as it was when it was opened.
    pub(super) fn reset_session(slf: &Bound<'_, Connection>) -> PyResult<()> {
        slf.get().check_open(slf.py())?;
        slf.get().refuse_async(slf.py(), "reset")?;
        Connection::send_queued_quietly(slf)?;
        let begun = {
            let mut state = lock(&slf.get().state);
            state.mark += 1;
            state.status == STATUS_BEGIN
        };
        if begun {
            Connection::command(slf, "ABORT", false)?;
        }
        Connection::command(slf, "DISCARD ALL", false)?;
        {
            let mut state = lock(&slf.get().state);
            state.status = STATUS_READY;
            state.autocommit = false;
            state.isolation = None;
            state.readonly = None;
            state.deferrable = None;
        }
        slf.get().forget_xid();
        let datestyle = slf.get().server_parameter(slf.py(), "DateStyle")?;
        if datestyle.is_some_and(|style| !style.starts_with("ISO")) {
            Connection::command(slf, "SET datestyle TO 'ISO'", false)?;
        }
        Ok(())
    }
}
