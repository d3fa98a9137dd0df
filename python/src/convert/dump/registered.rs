//! The adapters that are registered, and those of built-in types among them.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::convert::classes;
use crate::names::Installed;

/// The types that have a fast path, in the order of their adapters.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Builtin {
    Bool,
    Int,
    Float,
    Decimal,
    Str,
    Bytes,
    Bytearray,
    Memoryview,
    List,
    Tuple,
    Date,
    Time,
    Datetime,
    Timedelta,
    NoneType,
}

/// What adapts values of other types.
struct Registered {
    /// `(type, ISQLQuote)` -> adapter; live, as `extensions.adapters`.
    adapters: Py<PyDict>,
    /// The protocol class, second half of the keys of `adapters`.
    isqlquote: Py<PyType>,
    /// The adapters of built-in types as the module made them, in the order of [`Builtin`].
    builtin: Vec<BuiltinAdapter>,
    /// The adapter of `uuid.UUID`, which needs no registration.
    uuid: Py<PyAny>,
}

/// An entry of `adapters` as the module made it.
struct BuiltinAdapter {
    /// `(type, ISQLQuote)`.
    key: Py<PyTuple>,
    /// The adapter's class or function.
    adapter: Py<PyAny>,
}

static REGISTERED: Installed<Registered> = Installed::new();

/// `extensions.adapters`.
pub(super) fn adapters(py: Python<'_>) -> PyResult<&Bound<'_, PyDict>> {
    Ok(REGISTERED.get(py)?.adapters.bind(py))
}

/// The protocol class of SQL literals.
pub(crate) fn isqlquote(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    Ok(REGISTERED.get(py)?.isqlquote.bind(py))
}

/// The adapter of `uuid.UUID`.
pub(super) fn uuid_adapter(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    Ok(REGISTERED.get(py)?.uuid.bind(py))
}

/// Whether `adapters` still holds our own adapter for a type.
pub(super) fn is_ours(py: Python<'_>, builtin: Builtin) -> PyResult<bool> {
    let registered = REGISTERED.get(py)?;
    let Some(entry) = registered.builtin.get(usize::from(builtin as u8)) else { return Ok(false) };
    let found = registered.adapters.bind(py).get_item(&entry.key)?;
    Ok(found.is_some_and(|found| found.is(&entry.adapter)))
}

/// Makes `adapters`, with the keys by which a fast path knows that an entry is ours. The adapters
/// themselves are in the module already.
pub(crate) fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let isqlquote = module.getattr("ISQLQuote")?.cast_into::<PyType>()?;
    let dict = PyDict::new(py);
    let builtins = py.import("builtins")?;
    let datetime = py.import("datetime")?;
    let builtin = |name: &str| builtins.getattr(name);
    let class = |name: &str| module.getattr(name);
    // In the order of `Builtin`.
    let entries = [
        (builtin("bool")?, class("Boolean")?),
        (builtin("int")?, class("Int")?),
        (builtin("float")?, class("Float")?),
        (classes::decimal(py)?.clone().into_any(), class("Decimal")?),
        (builtin("str")?, class("QuotedString")?),
        (builtin("bytes")?, class("Binary")?),
        (builtin("bytearray")?, class("Binary")?),
        (builtin("memoryview")?, class("Binary")?),
        (builtin("list")?, class("List")?),
        (builtin("tuple")?, class("SQL_IN")?),
        (datetime.getattr("date")?, class("DateFromPy")?),
        (datetime.getattr("time")?, class("TimeFromPy")?),
        (datetime.getattr("datetime")?, class("TimestampFromPy")?),
        (datetime.getattr("timedelta")?, class("IntervalFromPy")?),
        (py.None().into_bound(py).get_type().into_any(), class("NoneAdapter")?),
    ];
    let mut known = Vec::with_capacity(entries.len());
    for (class, adapter) in entries {
        let key = PyTuple::new(py, [class, isqlquote.clone().into_any()])?;
        dict.set_item(&key, &adapter)?;
        known.push(BuiltinAdapter { key: key.unbind(), adapter: adapter.unbind() });
    }
    module.add("adapters", &dict)?;
    let uuid = module.getattr("UUID_adapter")?.unbind();
    REGISTERED.set(
        py,
        Registered { adapters: dict.unbind(), isqlquote: isqlquote.unbind(), builtin: known, uuid },
    )
}
