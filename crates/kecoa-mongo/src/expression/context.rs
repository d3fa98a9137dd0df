//! What an expression is evaluated on.

use ::bson::{RawBsonRef, RawDocument};

use super::size::check_size;
use super::variables::Variables;
use crate::error::Error;
use crate::value::Value;

/// What an expression gives: none is missing.
pub(crate) type Outcome<'v> = Result<Option<Value<'v>>, Error>;

/// The document, and the variables around.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'v> {
    pub(super) root: &'v RawDocument,
    pub(super) current: &'v RawDocument,
    pub(super) variables: &'v Variables,
    locals: Option<&'v Binding<'v>>,
    /// The bytes of what is held meanwhile, by operators around.
    held: usize,
}

/// A variable of `$let`, `$map` and the like, and those around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding<'v> {
    /// The number that the parser gave it.
    slot: usize,
    value: Option<RawBsonRef<'v>>,
    outer: Option<&'v Binding<'v>>,
}

impl<'v> Context<'v> {
    pub(super) fn new(
        root: &'v RawDocument,
        current: &'v RawDocument,
        variables: &'v Variables,
    ) -> Self {
        Self { root, current, variables, locals: None, held: 0 }
    }

    /// A variable inside this context.
    pub(super) fn binding(&self, slot: usize, value: Option<RawBsonRef<'v>>) -> Binding<'v> {
        Binding { slot, value, outer: self.locals }
    }

    /// The same context with a variable more.
    pub(super) fn with(&self, binding: &'v Binding<'v>) -> Self {
        Self { locals: Some(binding), ..*self }
    }

    /// The same while so many bytes more are held.
    pub(super) fn holding(&self, bytes: usize) -> Result<Self, Error> {
        let held = self.held.saturating_add(bytes);
        check_size(held)?;
        Ok(Self { held, ..*self })
    }

    /// The value of a variable; none if it is missing.
    pub(super) fn local(&self, slot: usize) -> Option<RawBsonRef<'v>> {
        let mut next = self.locals;
        while let Some(binding) = next {
            if binding.slot == slot {
                return binding.value;
            }
            next = binding.outer;
        }
        None
    }
}
