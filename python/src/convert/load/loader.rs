//! How a column's values become Python objects.

use kecoa_types::oid;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::binary::form::Form;
use super::binary::problem::refused;
use super::binary::{self, to_text};
use super::context::Context;
use super::kind::Kind;
use super::{array, native, number};
use crate::names;

/// How a column's values become Python objects.
pub(crate) enum Loader {
    /// One of ours.
    Native(Kind),
    /// A list of what the inner loader makes.
    Array(Box<Loader>),
    /// One of ours, from binary form.
    Binary(Form),
    /// A list of lists from binary form, and the type of the elements.
    BinaryArray(Form, u32),
    /// Another one, for a column that came in binary form.
    ViaText(Box<ViaText>),
    /// A Python function of `(value, cursor)`; it sees None for NULL, as psycopg2's do.
    Python(Py<PyAny>),
    /// Python functions of `(value, cursor)`, for text and for binary form.
    Forms { text: Py<PyAny>, binary: Py<PyAny> },
    /// A Python function of `(bytes, cursor)`, for a column that came in binary form.
    PythonBinary(Py<PyAny>),
    /// A typecaster without a function.
    Missing,
}

impl Loader {
    /// Whether all it makes is atomic; see [`Kind::is_atomic`].
    pub(crate) fn is_atomic(&self) -> bool {
        match self {
            Loader::Native(kind) => kind.is_atomic(),
            Loader::Binary(form) => form.is_atomic(),
            _ => false,
        }
    }

    /// Whether it calls no code of the program's.
    pub(crate) fn is_native(&self) -> bool {
        match self {
            Loader::Native(_) | Loader::Binary(_) | Loader::BinaryArray(..) => true,
            Loader::Array(element) => element.is_native(),
            Loader::ViaText(via) => via.loader().is_native(),
            _ => false,
        }
    }

    /// Converts one value; `None` is SQL's NULL.
    #[inline]
    pub(crate) fn load<'py>(
        &self,
        context: &mut Context<'_, 'py>,
        data: Option<&[u8]>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = context.py;
        let Some(data) = data else {
            let loader = match self {
                Loader::ViaText(via) => via.loader(),
                loader => loader,
            };
            return match loader {
                Loader::Python(function)
                | Loader::Forms { text: function, .. }
                | Loader::PythonBinary(function) => {
                    let none = py.None().into_bound(py);
                    function.bind(py).call1((none, context.cursor_object()))
                }
                _ => Ok(py.None().into_bound(py)),
            };
        };
        match self {
            Loader::Native(Kind::Int) => number::int(py, data),
            Loader::Native(Kind::Text) => context.codec.decode(py, data),
            Loader::Native(kind) => native::load(context, *kind, data),
            Loader::Array(element) => {
                array::load(context, data, |context, data| element.load(context, data))
            }
            Loader::Binary(form) => form.load(context, data),
            Loader::BinaryArray(form, oid) => load_array(context, *form, *oid, data),
            Loader::ViaText(via) => via.load(context, data),
            Loader::PythonBinary(function) => {
                function.bind(py).call1((PyBytes::new(py, data), context.cursor_object()))
            }
            Loader::Python(function) | Loader::Forms { text: function, .. } => {
                let text = context.codec.decode(py, data)?;
                function.bind(py).call1((text, context.cursor_object()))
            }
            Loader::Missing => {
                Err(names::driver_error(py, "internal error: no casting function found"))
            }
        }
    }
}

/// A loader that is not for binary form, and the type whose values come in it.
pub(crate) struct ViaText {
    oid: u32,
    loader: Loader,
}

impl ViaText {
    /// Writes the value as the server would, and converts that.
    pub(super) fn load<'py>(
        &self,
        context: &mut Context<'_, 'py>,
        data: &[u8],
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut text = Vec::new();
        to_text::value(self.oid, data, &mut text).map_err(|error| refused(context.py, &error))?;
        self.loader.load(context, Some(&text))
    }

    /// The loader of the text.
    pub(super) fn loader(&self) -> &Loader {
        &self.loader
    }
}

impl Loader {
    /// The loader for the same objects from the binary form of a type's values. A type whose binary
    /// form is unknown here is left to the loader as it comes.
    pub(crate) fn into_binary(self, oid: u32) -> Loader {
        if let Loader::Forms { binary, .. } = self {
            return Loader::PythonBinary(binary);
        }
        match binary_of(&self, oid) {
            Some(loader) => loader,
            None if to_text::is_known(oid) => {
                Loader::ViaText(Box::new(ViaText { oid, loader: self }))
            }
            None => self,
        }
    }
}

/// The loader for the same objects from binary form.
pub(super) fn binary_of(loader: &Loader, oid: u32) -> Option<Loader> {
    match loader {
        Loader::Native(kind) => Form::of(oid, *kind).map(Loader::Binary),
        Loader::Array(element) => {
            let Loader::Native(kind) = &**element else { return None };
            let element = oid::element_of(oid)?;
            Form::of(element, *kind).map(|form| Loader::BinaryArray(form, element))
        }
        _ => None,
    }
}

/// A list of lists from the binary form of an array.
fn load_array<'py>(
    context: &mut Context<'_, 'py>,
    element: Form,
    oid: u32,
    data: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    binary::array::load(context, element, oid, data).map_err(|problem| problem.raised(context.py))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loaders_match_the_type_they_are_for() {
        assert!(matches!(
            binary_of(&Loader::Native(Kind::Int), oid::INT8),
            Some(Loader::Binary(Form::Int8))
        ));
        assert!(binary_of(&Loader::Native(Kind::Float), oid::INT8).is_none());
        assert!(binary_of(&Loader::Native(Kind::Int), oid::INT8_ARRAY).is_none());
        let list = Loader::Array(Box::new(Loader::Native(Kind::Bytes)));
        assert!(matches!(
            binary_of(&list, oid::TEXT_ARRAY),
            Some(Loader::BinaryArray(Form::Plain(Kind::Bytes), oid::TEXT))
        ));
    }
}
