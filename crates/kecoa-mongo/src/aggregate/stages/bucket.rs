//! `$bucket`.

use std::sync::Arc;

use ::bson::{RawBson, RawBsonRef};

use super::boundaries::Boundaries;
use super::group::{Group, count_accumulator};
use crate::aggregate::accumulator::{self, Accumulator};
use crate::aggregate::context::Context;
use crate::aggregate::specification::{describe, fields, items, operator_name, type_name};
use crate::aggregate::stage::Stages;
use crate::bson::type_class::TypeClass;
use crate::collation::Collator;
use crate::error::Error;
use crate::expression::Expression;

pub(in crate::aggregate) fn parse(
    _: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let RawBsonRef::Document(document) = argument else {
        return Err(Error::location(
            40201,
            format!(
                "Argument to $bucket stage must be an object, but found type: {}.",
                type_name(argument)
            ),
        ));
    };
    let (mut id, mut values, mut default, mut output) = (None, None, None, None);
    for field in fields(document) {
        match field? {
            ("groupBy", value) => id = Some(group_by(value, "$bucket", 40202, context)?),
            ("boundaries", value) => values = Some(boundaries(value, context)?),
            ("default", value) => {
                default = Some(constant(value, 40195, "default", context)?);
            }
            ("output", value) => {
                output = Some(outputs(value, "$bucket", 40196, context)?);
            }
            (name, _) => {
                return Err(Error::location(
                    40197,
                    format!("Unrecognized option to $bucket: {name}."),
                ));
            }
        }
    }
    let (Some(id), Some(values)) = (id, values) else {
        return Err(Error::location(
            40198,
            "$bucket requires 'groupBy' and 'boundaries' to be specified.",
        ));
    };
    check_default(&values, default.as_ref(), context.scope.collator())?;
    let accumulators = match output {
        Some(output) => output,
        None => vec![count_accumulator(context)?],
    };
    Ok(vec![Arc::new(Group {
        id: Arc::new(id),
        boundaries: Some(Arc::new(Boundaries { values, default })),
        accumulators: accumulators.into(),
        collator: context.scope.collator().clone(),
    })])
}

/// An expression that is a path or an operator.
pub(super) fn group_by(
    value: RawBsonRef<'_>,
    stage: &str,
    number: i32,
    context: &Context<'_>,
) -> Result<Expression, Error> {
    let is_expression = match value {
        // Of `$bucketAuto`, the path has a name.
        RawBsonRef::String("$") => stage == "$bucket",
        RawBsonRef::String(path) => path.starts_with('$'),
        RawBsonRef::Document(document) => operator_name(document).is_some(),
        _ => false,
    };
    if !is_expression {
        return Err(Error::location(
            number,
            format!(
                "The {stage} 'groupBy' field must be defined as a $-prefixed path or an expression, but found: {}.",
                describe(value)
            ),
        ));
    }
    Expression::parse(value, context.scope)
}

/// The accumulators of `output`.
pub(super) fn outputs(
    value: RawBsonRef<'_>,
    stage: &str,
    number: i32,
    context: &Context<'_>,
) -> Result<Vec<Accumulator>, Error> {
    let RawBsonRef::Document(document) = value else {
        return Err(Error::location(
            number,
            format!(
                "The {stage} 'output' field must be an object, but found type: {}.",
                type_name(value)
            ),
        ));
    };
    fields(document)
        .map(|field| {
            let (name, value) = field?;
            accumulator::parse(name, value, context.scope)
        })
        .collect()
}

fn constant(
    value: RawBsonRef<'_>,
    number: i32,
    what: &str,
    context: &Context<'_>,
) -> Result<RawBson, Error> {
    let expression = Expression::parse(value, context.scope)?;
    match expression.as_constant() {
        Some(Some(constant)) => Ok(constant.into()),
        _ => Err(Error::location(
            number,
            format!(
                "The $bucket '{what}' field must be a constant expression, but found: {}.",
                describe(value)
            ),
        )),
    }
}

fn boundaries(value: RawBsonRef<'_>, context: &Context<'_>) -> Result<Vec<RawBson>, Error> {
    let RawBsonRef::Array(array) = value else {
        return Err(Error::location(
            40200,
            format!(
                "The $bucket 'boundaries' field must be an array, but found type: {}.",
                type_name(value)
            ),
        ));
    };
    let mut values = Vec::new();
    for item in items(array) {
        values.push(constant(item?, 40191, "boundaries", context)?);
    }
    if values.len() < 2 {
        return Err(Error::location(
            40192,
            format!(
                "The $bucket 'boundaries' field must have at least 2 values, but found {} value(s).",
                values.len()
            ),
        ));
    }
    for pair in values.windows(2) {
        let [lower, upper] = pair else { continue };
        let (lower, upper) = (lower.as_raw_bson_ref(), upper.as_raw_bson_ref());
        if TypeClass::of(lower) != TypeClass::of(upper) {
            return Err(Error::location(
                40193,
                format!(
                    "All values in the the 'boundaries' option to $bucket must have the same type. Found conflicting \
                     types {} and {}.",
                    type_name(lower),
                    type_name(upper)
                ),
            ));
        }
        if context.scope.collator().compare(lower, upper).is_ge() {
            return Err(Error::location(
                40194,
                format!(
                    "The 'boundaries' option to $bucket must be sorted, but elements are not in ascending order \
                     ({} is not less than {}).",
                    describe(lower),
                    describe(upper)
                ),
            ));
        }
    }
    Ok(values)
}

/// The default may not be within the boundaries.
fn check_default(
    values: &[RawBson],
    default: Option<&RawBson>,
    collator: &Collator,
) -> Result<(), Error> {
    let (Some(default), Some(lowest), Some(highest)) = (default, values.first(), values.last())
    else {
        return Ok(());
    };
    let default = default.as_raw_bson_ref();
    let (lowest, highest) = (lowest.as_raw_bson_ref(), highest.as_raw_bson_ref());
    if TypeClass::of(default) == TypeClass::of(lowest)
        && collator.compare(default, lowest).is_ge()
        && collator.compare(default, highest).is_lt()
    {
        return Err(Error::location(
            40199,
            "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the \
             highest boundary.",
        ));
    }
    Ok(())
}
