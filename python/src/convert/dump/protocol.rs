//! psycopg2's adaptation protocol: `adapt`, `prepare`, `getquoted`.

use std::ffi::CStr;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyString, PyTuple, PyType};

use super::registered::{adapters, isqlquote, uuid_adapter};
use crate::convert::codec::Codec;
use crate::names;

/// The name in CPython's type object: dotted for types made in C, bare for classes.
fn type_name(value: &Bound<'_, PyAny>) -> String {
    // SAFETY: a type's name is a NUL-terminated string that lives as long as the type.
    let name = unsafe { CStr::from_ptr((*value.get_type_ptr()).tp_name) };
    name.to_string_lossy().into_owned()
}

/// Calls `object.name(argument)` if there is such a method; TypeError and None count as "no".
fn offer<'py>(
    object: &Bound<'py, PyAny>,
    name: &str,
    argument: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = object.py();
    let Some(method) = object.getattr_opt(names::text(py, name))? else { return Ok(None) };
    match method.call1((argument,)) {
        Ok(adapted) if adapted.is_none() => Ok(None),
        Ok(adapted) => Ok(Some(adapted)),
        Err(error) if error.is_instance_of::<PyTypeError>(py) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What adapts although nobody registered it: `uuid.UUID`, and numpy's scalars. psycopg2 refuses
/// them. Nothing of `adapters` changes; whoever registers an adapter is asked first.
fn unregistered<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = value.py();
    let class = value.get_type();
    let is_uuid = |class: &Bound<'py, PyType>| -> PyResult<bool> {
        Ok(class.name()? == "UUID" && class.module()? == "uuid")
    };
    if is_uuid(&class)?
        || class
            .mro()
            .iter()
            .any(|base| base.cast::<PyType>().is_ok_and(|base| is_uuid(base).unwrap_or(false)))
    {
        return uuid_adapter(py)?.call1((value,)).map(Some);
    }
    static ADAPTER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let adapter = ADAPTER.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import("kecoa._driver.unregistered")?.getattr("adapter")?.unbind())
    })?;
    let found = adapter.bind(py).call1((value,))?;
    Ok((!found.is_none()).then_some(found))
}

/// Adapts `value` to `proto`: the registered adapter of its type, `proto.__adapt__`,
/// `value.__conform__`, the adapter of the nearest base class, what needs no registration.
fn adapt_to<'py>(
    value: &Bound<'py, PyAny>,
    proto: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    let adapters = adapters(py)?;
    let class = value.get_type();
    let lookup = |class: &Bound<'py, PyAny>| adapters.get_item(PyTuple::new(py, [class, proto])?);
    if let Some(adapter) = lookup(class.as_any())? {
        return adapter.call1((value,));
    }
    if let Some(adapted) = offer(proto, "__adapt__", value)? {
        return Ok(adapted);
    }
    if let Some(adapted) = offer(value, "__conform__", proto)? {
        return Ok(adapted);
    }
    for base in class.mro().iter().skip(1) {
        if let Some(adapter) = lookup(&base)? {
            return adapter.call1((value,));
        }
    }
    if proto.is(isqlquote(py)?)
        && let Some(adapted) = unregistered(value)?
    {
        return Ok(adapted);
    }
    let hint = py.import("kecoa._driver.unregistered")?.getattr("hint")?.call1((value,))?;
    let hint: String = hint.extract()?;
    Err(names::programming_error(py, format!("can't adapt type '{}'{hint}", type_name(value))))
}

/// Adapts to `ISQLQuote`.
pub(crate) fn adapt_to_quote<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    adapt_to(value, isqlquote(py)?.as_any())
}

/// Gives the connection to an adapter that asks for one.
pub(crate) fn prepare(adapted: &Bound<'_, PyAny>, connection: &Bound<'_, PyAny>) -> PyResult<()> {
    if let Some(prepare) = adapted.getattr_opt(names::text(adapted.py(), "prepare"))? {
        prepare.call1((connection,))?;
    }
    Ok(())
}

/// `adapted.getquoted()` as bytes.
pub(crate) fn quoted<'py>(
    adapted: &Bound<'py, PyAny>,
    codec: &Codec,
) -> PyResult<Bound<'py, PyBytes>> {
    let quoted = adapted.call_method0(names::text(adapted.py(), "getquoted"))?;
    if let Ok(bytes) = quoted.cast::<PyBytes>() {
        return Ok(bytes.clone());
    }
    match quoted.cast::<PyString>() {
        Ok(text) => codec.encode(text),
        Err(_) => Err(PyValueError::new_err(format!(
            "only bytes values expected, got {}",
            type_name(&quoted)
        ))),
    }
}

/// `adapt(obj, protocol, alternate)`.
#[pyfunction]
#[pyo3(signature = (obj, proto=None, alternate=None))]
pub(crate) fn adapt<'py>(
    obj: &Bound<'py, PyAny>,
    proto: Option<&Bound<'py, PyAny>>,
    alternate: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    // PEP 246's alternate is ignored, as in psycopg2.
    let _ = alternate;
    match proto {
        Some(proto) => adapt_to(obj, proto),
        None => adapt_to_quote(obj),
    }
}
