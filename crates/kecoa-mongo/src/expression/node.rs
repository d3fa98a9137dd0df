//! A parsed expression, and how it is evaluated.

use std::fmt::Debug;
use std::sync::Arc;

use ::bson::raw::CString;
use ::bson::{DateTime, RawArrayBuf, RawBson, RawBsonRef, RawDocumentBuf, Timestamp};

use super::context::{Context, Outcome};
use super::field_path::FieldPath;
use super::size::check_size;
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
    /// An operator that evaluates its arguments itself.
    Special(Arc<dyn Evaluate>),
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
                    if let Some(value) = node.evaluate(context)? {
                        document.append(name, value.as_ref());
                        check_size(document.as_bytes().len())?;
                    }
                }
                Ok(Some(RawBson::Document(document).into()))
            }
            Self::Array(elements) => {
                let mut array = RawArrayBuf::new();
                for node in &**elements {
                    let value = node.evaluate(context)?;
                    array.push(value.as_ref().map_or(RawBsonRef::Null, Value::as_ref));
                    check_size(array.as_bytes().len())?;
                }
                Ok(Some(RawBson::Array(array).into()))
            }
            Self::Unary(function, argument) => function(argument.evaluate(context)?),
            Self::Binary(function, arguments) => {
                let [left, right] = &**arguments;
                let left = left.evaluate(context)?;
                function(left, right.evaluate(context)?)
            }
            Self::Variadic(function, arguments) => {
                let values: Result<Vec<_>, _> =
                    arguments.iter().map(|argument| argument.evaluate(context)).collect();
                function(values?)
            }
            Self::Special(operator) => operator.evaluate(context),
        }
    }

    /// The value of an operator whose arguments are all known.
    pub(super) fn folded(&self, interrupt: &Interrupt) -> Result<Self, Error> {
        if matches!(self, Self::Constant(_)) {
            return Ok(self.clone());
        }
        let nothing = RawDocumentBuf::new();
        let variables =
            Variables::new(DateTime::from_millis(0), Timestamp { time: 0, increment: 0 })
                .with_interrupt(interrupt.clone());
        let value = self.evaluate(&Context::new(&nothing, &nothing, &variables))?;
        Ok(Self::Constant(value.map(Value::into_owned)))
    }

    /// The value, if it is known.
    pub(super) fn as_constant(&self) -> Option<Option<RawBsonRef<'_>>> {
        match self {
            Self::Constant(value) => Some(value.as_ref().map(RawBson::as_raw_bson_ref)),
            _ => None,
        }
    }
}
