//! Arrays in binary form: lists of lists; bounds are dropped, as from text.

use kecoa_types::array::Dimension;
use kecoa_types::array::binary::{Header, element, header};
use kecoa_types::{DecodeError, oid};
use pyo3::prelude::*;

use super::form::Form;
use super::problem::Problem;
use crate::convert::load::array::pop_list;
use crate::convert::load::context::Context;

/// What elements are read from, and the lists under construction.
struct Elements<'a, 'py> {
    form: Form,
    rest: &'a [u8],
    stack: Vec<Bound<'py, PyAny>>,
}

pub(in crate::convert::load) fn load<'py>(
    context: &mut Context<'_, 'py>,
    form: Form,
    element_oid: u32,
    data: &[u8],
) -> Result<Bound<'py, PyAny>, Problem> {
    let (Header { element_oid: found, dimensions, .. }, rest) = header(data)?;
    if found != element_oid {
        let expected = oid::name_of(element_oid).unwrap_or("elements of the array's type");
        return Err(DecodeError::new(expected, format!("elements of type {found}")).into());
    }
    // The stack's memory serves all arrays of a fetch.
    let stack = std::mem::take(&mut context.stack);
    let base = stack.len();
    let mut elements = Elements { form, rest, stack };
    let loaded = elements.list(context, &dimensions).and_then(|list| {
        if elements.rest.is_empty() {
            Ok(list)
        } else {
            let expected = "nothing after the last array element";
            Err(DecodeError::binary(expected, elements.rest).into())
        }
    });
    elements.stack.truncate(base);
    context.stack = elements.stack;
    loaded
}

impl<'py> Elements<'_, 'py> {
    /// A list of the outermost dimension.
    fn list(
        &mut self,
        context: &mut Context<'_, 'py>,
        dimensions: &[Dimension],
    ) -> Result<Bound<'py, PyAny>, Problem> {
        let base = self.stack.len();
        match dimensions {
            [] => {}
            [last] => {
                for _ in 0..last.length {
                    let value = match element(&mut self.rest)? {
                        Some(data) => self.form.load(context, data)?,
                        None => context.py.None().into_bound(context.py),
                    };
                    self.stack.push(value);
                }
            }
            // Six dimensions at most, and no more lists than there are elements.
            [outer, inner @ ..] => {
                for _ in 0..outer.length {
                    let list = self.list(context, inner)?;
                    self.stack.push(list);
                }
            }
        }
        Ok(pop_list(context.py, &mut self.stack, base)?)
    }
}
