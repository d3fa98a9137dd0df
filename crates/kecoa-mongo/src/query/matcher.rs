//! The test of a document, or of an element of an array.

use std::ops::ControlFlow;

use ::bson::{RawArray, RawBsonRef, RawDocument};

use super::context::Context;
use super::node::{FieldTest, Node, Test};
use crate::error::Error;
use crate::expression::is_true;

/// Where the position of an element that passed is put, if somebody wants it.
pub(super) type Recorded<'a> = Option<&'a mut Option<usize>>;

impl Node {
    /// Whether a document passes.
    pub(super) fn accepts_document(
        &self,
        document: &RawDocument,
        context: Context<'_>,
        mut recorded: Recorded<'_>,
    ) -> Result<bool, Error> {
        context.variables.interrupt().check()?;
        match self {
            Self::And(nodes) => {
                for node in nodes {
                    if !node.accepts_document(document, context, recorded.as_deref_mut())? {
                        if let Some(recorded) = recorded {
                            *recorded = None;
                        }
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Or(nodes) => match (nodes.as_slice(), recorded) {
                ([only], recorded) => only.accepts_document(document, context, recorded),
                (_, Some(recorded)) if is_one_of(nodes) => {
                    first_of(nodes, document, context, recorded)
                }
                _ => {
                    for node in nodes {
                        if node.accepts_document(document, context, None)? {
                            return Ok(true);
                        }
                    }
                    Ok(false)
                }
            },
            Self::Nor(nodes) => {
                for node in nodes {
                    if node.accepts_document(document, context, None)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Not(node) => Ok(!node.accepts_document(document, context, None)?),
            Self::Field(field) => field.accepts(document, context, recorded),
            Self::Expr(expression) => {
                let value = expression.evaluate(document, context.variables)?;
                Ok(is_true(value.as_ref().map(|value| value.as_ref())))
            }
            Self::JsonSchema(schema) => {
                schema.accepts_document(document, context.variables.interrupt())
            }
            Self::Constant(value) => Ok(*value),
            Self::Sample(rate) => Ok(fastrand::f64() < *rate),
        }
    }

    /// Whether a value passes: the tests are asked of it, whatever their paths.
    pub(super) fn accepts_value(
        &self,
        value: RawBsonRef<'_>,
        context: Context<'_>,
    ) -> Result<bool, Error> {
        context.variables.interrupt().check()?;
        match self {
            Self::And(nodes) => {
                for node in nodes {
                    if !node.accepts_value(value, context)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Or(nodes) => {
                for node in nodes {
                    if node.accepts_value(value, context)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Nor(nodes) => {
                for node in nodes {
                    if node.accepts_value(value, context)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Not(node) => Ok(!node.accepts_value(value, context)?),
            Self::Field(field) => field.test.accepts(Some(value), context, None),
            Self::Constant(value) => Ok(*value),
            Self::Sample(rate) => Ok(fastrand::f64() < *rate),
            // They are asked of whole documents; the parser does not put them here.
            Self::Expr(_) | Self::JsonSchema(_) => Ok(false),
        }
    }
}

impl FieldTest {
    fn accepts(
        &self,
        document: &RawDocument,
        context: Context<'_>,
        mut recorded: Recorded<'_>,
    ) -> Result<bool, Error> {
        let mut failure = None;
        let mut visit = |found: crate::bson::path::Found<'_, '_>| match self.test.accepts(
            found.value,
            context,
            recorded.as_deref_mut(),
        ) {
            Ok(false) => ControlFlow::Continue(()),
            Ok(true) => {
                if let (Some(position), Some(recorded)) =
                    (found.outermost_position(), recorded.as_deref_mut())
                {
                    *recorded = Some(position);
                }
                ControlFlow::Break(())
            }
            Err(error) => {
                failure = Some(error);
                ControlFlow::Break(())
            }
        };
        let path = self.path.path();
        let passed = if self.test.is_of_whole_arrays() {
            path.visit_whole(document, &mut visit).is_break()
        } else {
            path.visit(document, &mut visit).is_break()
        };
        failure.map_or(Ok(passed), Err)
    }
}

impl Test {
    /// Whether a value passes; none is a missing one.
    pub(super) fn accepts(
        &self,
        value: Option<RawBsonRef<'_>>,
        context: Context<'_>,
        recorded: Recorded<'_>,
    ) -> Result<bool, Error> {
        match self {
            Self::Compare(comparison) => Ok(comparison.accepts(value, context.collator)),
            Self::In(list) => list.accepts(value, context),
            Self::Exists => Ok(value.is_some()),
            Self::Type(types) => Ok(value.is_some_and(|value| types.contains(value))),
            Self::Size(size) => Ok(matches!(value, Some(RawBsonRef::Array(array))
                if has_length(array, *size))),
            Self::Modulo(modulo) => Ok(modulo.accepts(value)),
            Self::Pattern(pattern) => pattern.accepts(value, context.variables.interrupt()),
            Self::Bits(bits) => Ok(bits.accepts(value)),
            Self::ElementValue(node) => {
                any_element(value, recorded, |element| node.accepts_value(element, context))
            }
            Self::ElementDocument(node) => any_element(value, recorded, |element| match element {
                RawBsonRef::Document(document) => node.accepts_document(document, context, None),
                RawBsonRef::Array(array) => match RawDocument::from_bytes(array.as_bytes()) {
                    Ok(elements) => node.accepts_document(elements, context, None),
                    Err(_) => Ok(false),
                },
                _ => Ok(false),
            }),
        }
    }
}

/// Whether all conditions of an `$or` ask one path for a value: then it is an `$in`, which does record a position.
fn is_one_of(nodes: &[Node]) -> bool {
    fn path(node: &Node) -> Option<&str> {
        match node {
            Node::Field(FieldTest { path, test }) if test.is_equality() => Some(path.as_str()),
            _ => None,
        }
    }
    let first = nodes.first().and_then(path);
    first.is_some() && nodes.iter().all(|node| path(node) == first)
}

/// Whether one of them holds; the first of the positions by which they do is put down.
fn first_of(
    nodes: &[Node],
    document: &RawDocument,
    context: Context<'_>,
    recorded: &mut Option<usize>,
) -> Result<bool, Error> {
    let (mut passed, mut first) = (false, None);
    for node in nodes {
        let mut position = None;
        if node.accepts_document(document, context, Some(&mut position))? {
            passed = true;
            first = match (first, position) {
                (Some(first), Some(position)) => Some(position.min(first)),
                (first, position) => first.or(position),
            };
        }
    }
    if first.is_some() {
        *recorded = first;
    }
    Ok(passed)
}

fn has_length(array: &RawArray, length: u64) -> bool {
    let most = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(1);
    let found = array.iter_elements().take(most).count();
    u64::try_from(found).is_ok_and(|found| found == length)
}

fn any_element<'a>(
    value: Option<RawBsonRef<'a>>,
    recorded: Recorded<'_>,
    mut accepts: impl FnMut(RawBsonRef<'a>) -> Result<bool, Error>,
) -> Result<bool, Error> {
    let Some(RawBsonRef::Array(array)) = value else { return Ok(false) };
    for (index, element) in array.into_iter().map_while(Result::ok).enumerate() {
        if accepts(element)? {
            if let Some(recorded) = recorded {
                *recorded = Some(index);
            }
            return Ok(true);
        }
    }
    Ok(false)
}
