//! The characteristics of transactions to come: isolation, read-only, deferrable, autocommit.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::Connection;
use super::state::{STATUS_READY, State};
use crate::names;
use crate::sync::lock;

/// What BEGIN asks for, by psycopg2's numbers 1 to 4.
pub(crate) const LEVELS: [&str; 5] =
    ["", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "READ UNCOMMITTED"];

/// A setting as the user gave it: untouched, back to the server's default, or a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change<T> {
    Keep,
    Default,
    To(T),
}

impl<T> Change<T> {
    fn apply(self, place: &mut Option<T>) {
        match self {
            Change::Keep => {}
            Change::Default => *place = None,
            Change::To(value) => *place = Some(value),
        }
    }
}

/// What `set_session` changes.
#[derive(Clone, Copy)]
pub(crate) struct Characteristics {
    pub(crate) autocommit: Option<bool>,
    pub(crate) isolation: Change<u8>,
    pub(crate) readonly: Change<bool>,
    pub(crate) deferrable: Change<bool>,
}

impl Characteristics {
    pub(crate) const KEEP: Characteristics = Characteristics {
        autocommit: None,
        isolation: Change::Keep,
        readonly: Change::Keep,
        deferrable: Change::Keep,
    };

    fn apply(self, state: &mut State) {
        if let Some(autocommit) = self.autocommit {
            state.autocommit = autocommit;
        }
        self.isolation.apply(&mut state.isolation);
        self.readonly.apply(&mut state.readonly);
        self.deferrable.apply(&mut state.deferrable);
    }
}

fn on_off(value: bool) -> &'static str {
    if value { "on" } else { "off" }
}

impl Connection {
    /// `set_session` and the properties: with autocommit the session's defaults are set on the
    /// server, without it BEGIN carries them.
    pub(crate) fn set_characteristics(
        slf: &Bound<'_, Connection>,
        change: Characteristics,
    ) -> PyResult<()> {
        let this = slf.get();
        let mut commands = Vec::new();
        {
            let mut state = lock(&this.state);
            if change.autocommit.unwrap_or(state.autocommit) {
                let mut set = |name: &str, value: Option<&str>| {
                    commands.push(match value {
                        Some(value) => format!("SET {name} TO '{value}'"),
                        None => format!("SET {name} TO DEFAULT"),
                    });
                };
                match change.isolation {
                    Change::Keep => {}
                    Change::Default => set("default_transaction_isolation", None),
                    Change::To(level) => set(
                        "default_transaction_isolation",
                        LEVELS.get(usize::from(level)).copied(),
                    ),
                }
                match change.readonly {
                    Change::Keep => {}
                    Change::Default => set("default_transaction_read_only", None),
                    Change::To(on) => set("default_transaction_read_only", Some(on_off(on))),
                }
                match change.deferrable {
                    Change::Keep => {}
                    Change::Default => set("default_transaction_deferrable", None),
                    Change::To(on) => set("default_transaction_deferrable", Some(on_off(on))),
                }
            } else if state.autocommit {
                for (name, is_set) in [
                    ("isolation", state.isolation.is_some()),
                    ("read_only", state.readonly.is_some()),
                    ("deferrable", state.deferrable.is_some()),
                ] {
                    if is_set {
                        commands.push(format!("SET default_transaction_{name} TO DEFAULT"));
                    }
                }
            }
            if commands.is_empty() {
                // At once: of two threads neither decides by what the other is about to change.
                change.apply(&mut state);
                return Ok(());
            }
        }
        for command in commands {
            Connection::command(slf, &command, false)?;
        }
        change.apply(&mut lock(&this.state));
        Ok(())
    }

    /// The checks before every change of characteristics.
    pub(crate) fn check_settable(slf: &Bound<'_, Connection>) -> PyResult<()> {
        Connection::send_queued(slf)?;
        let (py, this) = (slf.py(), slf.get());
        let is_ready = {
            let state = lock(&this.state);
            state.closed == 0 && state.status == STATUS_READY && !state.asynchronous
        };
        if is_ready {
            return Ok(());
        }
        this.check_open(py)?;
        this.refuse_async(py, "set_session")?;
        if lock(&this.state).status != STATUS_READY {
            return Err(names::programming_error(
                py,
                "set_session cannot be used inside a transaction",
            ));
        }
        Ok(())
    }
}

/// Text of a str or bytes argument.
fn word(value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(String::from_utf8_lossy(bytes.as_bytes()).into_owned());
    }
    value.extract()
}

/// An isolation level: None, 1 to 4, or a name.
pub(crate) fn parse_level(value: &Bound<'_, PyAny>) -> PyResult<Change<u8>> {
    if value.is_none() {
        return Ok(Change::Default);
    }
    if value.is_instance_of::<pyo3::types::PyInt>() {
        return match value.extract::<i64>()?.try_into() {
            Ok(level @ 1..=4) => Ok(Change::To(level)),
            _ => Err(PyValueError::new_err("isolation_level must be between 1 and 4")),
        };
    }
    let name = word(value)?;
    if name.eq_ignore_ascii_case("default") {
        return Ok(Change::Default);
    }
    LEVELS
        .iter()
        .zip(0u8..)
        .skip(1)
        .find(|(level, _)| level.eq_ignore_ascii_case(&name))
        .map(|(_, level)| Change::To(level))
        .ok_or_else(|| PyValueError::new_err(format!("bad value for isolation_level: '{name}'")))
}

/// On, off or the server's default: a truth value, None or "default".
pub(crate) fn parse_on_off(value: &Bound<'_, PyAny>) -> PyResult<Change<bool>> {
    if value.is_none() {
        return Ok(Change::Default);
    }
    if value.is_exact_instance_of::<PyString>() || value.is_exact_instance_of::<PyBytes>() {
        let name = word(value)?;
        if name.eq_ignore_ascii_case("default") {
            return Ok(Change::Default);
        }
        return Err(PyValueError::new_err(format!(
            "the only string accepted is 'default'; got {name}"
        )));
    }
    Ok(Change::To(value.is_truthy()?))
}
