//! A parsed expression, and how it is evaluated.

use std::fmt::Debug;
use std::sync::Arc;

use ::bson::raw::CString;
use ::bson::{DateTime, RawArrayBuf, RawBson, RawBsonRef, RawDocumentBuf, Timestamp};

use super::context::{Context, Outcome};
use super::field_path::FieldPath;
use super::size::{check_size, held_by};
use super::variables::Variables;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::value::Value;

/// A function of one value.
pub(crate) type Unary = for<'v> fn(Option<Value<'v>>) -> Outcome<'v>;
/// A function of two values.
pub(crate) type Binary = for<'v> fn(Option<Value<'v>>, Option<Value<'v>>) -> Outcome<'v>;
/// A function of any number of values.
pub(crate) type Variadic = for<'v> fn(Vec<Option<Value<'v>>>) -> Outcome<'v>;

/// The same, which looks whether it is to end.
pub(crate) type Stoppable = for<'v> fn(Vec<Option<Value<'v>>>, &Interrupt) -> Outcome<'v>;

/// A node of an expression.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// A value; none is missing.
    Constant(Option<RawBson>),
    FieldPath(FieldPath),
    Object(Arc<[(CString, Node)]>),
    Array(Arc<[Node]>),
    Unary(Unary, Arc<Node>),
    Binary(Binary, Arc<[Node; 2]>),
    Variadic(Variadic, Arc<[Node]>),
    Stoppable(Stoppable, Arc<[Node]>),
    /// An operator that evaluates its arguments itself.
    Special(Arc<dyn Evaluate>),
}

/// The bytes of a value that is kept because it is the same on all documents.
const MOST_FOLDED: usize = 64 * 1024;

/// The values of expressions, one after the other.
pub(super) fn evaluate_all<'v>(
    nodes: impl IntoIterator<Item = &'v Node>,
    context: &Context<'v>,
) -> Result<Vec<Option<Value<'v>>>, Error> {
    let mut values = Vec::new();
    let mut held = 0_usize;
    for node in nodes {
        let value = node.evaluate(&context.holding(held)?)?;
        held = held.saturating_add(held_by(value.as_ref()));
        values.push(value);
    }
    Ok(values)
}

/// An operator that evaluates its arguments itself.
pub(crate) trait Evaluate: Debug + Send + Sync {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v>;
}

impl Node {
    /// An operator that evaluates its arguments itself.
    pub(super) fn special(operator: impl Evaluate + 'static) -> Self {
        Self::Special(Arc::new(operator))
    }

    /// A value that is known.
    pub(super) fn constant(value: impl Into<RawBson>) -> Self {
        Self::Constant(Some(value.into()))
    }

    pub(super) fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        context.variables.interrupt().check()?;
        match self {
            Self::Constant(value) => {
                Ok(value.as_ref().map(|value| Value::Borrowed(value.as_raw_bson_ref())))
            }
            Self::FieldPath(path) => path.evaluate(context),
            Self::Object(fields) => {
                let mut document = RawDocumentBuf::new();
                for (name, node) in &**fields {
                    let inner = context.holding(document.as_bytes().len())?;
                    if let Some(value) = node.evaluate(&inner)? {
                        document.append(name, value.as_ref());
                    }
                }
                check_size(document.as_bytes().len())?;
                Ok(Some(RawBson::Document(document).into()))
            }
            Self::Array(elements) => {
                let mut array = RawArrayBuf::new();
                for node in &**elements {
                    let inner = context.holding(array.as_bytes().len())?;
                    let value = node.evaluate(&inner)?;
                    array.push(value.as_ref().map_or(RawBsonRef::Null, Value::as_ref));
                }
                check_size(array.as_bytes().len())?;
                Ok(Some(RawBson::Array(array).into()))
            }
            Self::Unary(function, argument) => function(argument.evaluate(context)?),
            Self::Binary(function, arguments) => {
                let [left, right] = &**arguments;
                let left = left.evaluate(context)?;
                let inner = context.holding(held_by(left.as_ref()))?;
                function(left, right.evaluate(&inner)?)
            }
            Self::Variadic(function, arguments) => function(evaluate_all(&**arguments, context)?),
            Self::Stoppable(function, arguments) => {
                function(evaluate_all(&**arguments, context)?, context.variables.interrupt())
            }
            Self::Special(operator) => operator.evaluate(context),
        }
    }

    /// The value of an operator whose arguments are all known; none if it is too large to be kept.
    pub(super) fn folded(&self, interrupt: &Interrupt) -> Result<Option<Self>, Error> {
        if matches!(self, Self::Constant(_)) {
            return Ok(Some(self.clone()));
        }
        let nothing = RawDocumentBuf::new();
        let variables =
            Variables::new(DateTime::from_millis(0), Timestamp { time: 0, increment: 0 })
                .with_interrupt(interrupt.clone());
        let value = self.evaluate(&Context::new(&nothing, &nothing, &variables))?;
        let is_small = held_by(value.as_ref()) <= MOST_FOLDED;
        Ok(is_small.then(|| Self::Constant(value.map(Value::into_owned))))
    }

    /// The value, if it is known.
    pub(super) fn as_constant(&self) -> Option<Option<RawBsonRef<'_>>> {
        match self {
            Self::Constant(value) => Some(value.as_ref().map(RawBson::as_raw_bson_ref)),
            _ => None,
        }
    }
}
