//! Reads `{field: {$operator: argument}}`.

use std::sync::Arc;

use ::bson::RawBsonRef;
use ::bson::raw::CString;

use super::definition::{Accumulator, Operation, Order, Select};
use crate::aggregate::specification::{
    describe, fields, integer, is_number, items, missing_field, type_name, unknown_field,
    wrong_type,
};
use crate::bson::number::Number;
use crate::error::{Code, Error};
use crate::expression::{Expression, Scope};
use crate::query::{Sort, SortMode};

/// Read a field of `$group`.
pub(in crate::aggregate) fn parse(
    name: &str,
    value: RawBsonRef<'_>,
    scope: &Scope,
) -> Result<Accumulator, Error> {
    let not_accumulator =
        || Error::location(40234, format!("The field '{name}' must be an accumulator object"));
    let RawBsonRef::Document(document) = value else { return Err(not_accumulator()) };
    let mut found = fields(document);
    let (operator, argument) = found.next().ok_or_else(not_accumulator)??;
    if !operator.starts_with('$') {
        return Err(not_accumulator());
    }
    if name.contains('.') {
        return Err(Error::location(40235, format!("The field name '{name}' cannot contain '.'")));
    }
    if name.starts_with('$') {
        return Err(Error::location(
            40236,
            format!("The field name '{name}' cannot be an operator name"),
        ));
    }
    if found.next().is_some() {
        return Err(Error::location(
            40238,
            format!("The field '{name}' must specify one accumulator"),
        ));
    }
    if matches!(argument, RawBsonRef::Array(_)) {
        return Err(Error::location(
            40237,
            format!("The {operator} accumulator is a unary operator"),
        ));
    }
    let field = CString::try_from(name)
        .map_err(|_| Error::new(Code::BAD_VALUE, "expected a name without NUL"))?;
    parse_operator(field, operator, argument, scope)
}

/// Read an operator and its argument.
pub(in crate::aggregate) fn parse_operator(
    field: CString,
    operator: &str,
    argument: RawBsonRef<'_>,
    scope: &Scope,
) -> Result<Accumulator, Error> {
    let (operation, argument) = operation(operator, argument, scope)?;
    let collator = scope.collator().clone();
    Ok(Accumulator { field, operation, argument: Arc::new(argument), collator })
}

fn operation(
    operator: &str,
    argument: RawBsonRef<'_>,
    scope: &Scope,
) -> Result<(Operation, Expression), Error> {
    let unary = |operation| Ok((operation, Expression::parse(argument, scope)?));
    match operator {
        "$sum" => unary(Operation::Sum),
        "$avg" => unary(Operation::Average),
        "$min" => unary(Operation::Extreme { greatest: false }),
        "$max" => unary(Operation::Extreme { greatest: true }),
        "$first" => unary(Operation::First),
        "$last" => unary(Operation::Last),
        "$push" => unary(Operation::Push),
        "$addToSet" => unary(Operation::AddToSet),
        "$mergeObjects" => unary(Operation::MergeObjects),
        "$stdDevPop" => unary(Operation::Deviation { sample: false }),
        "$stdDevSamp" => unary(Operation::Deviation { sample: true }),
        "$count" => match argument {
            RawBsonRef::Document(document) if document.is_empty() => {
                Ok((Operation::Count, Expression::parse(RawBsonRef::Null, scope)?))
            }
            _ => Err(Error::new(Code::TYPE_MISMATCH, "$count takes no arguments, i.e. $count:{}")),
        },
        "$firstN" => many(operator, Order::First, argument, scope),
        "$lastN" => many(operator, Order::Last, argument, scope),
        "$minN" => many(operator, Order::Least, argument, scope),
        "$maxN" => many(operator, Order::Greatest, argument, scope),
        "$top" | "$bottom" => sorted(operator, false, argument, scope),
        "$topN" | "$bottomN" => sorted(operator, true, argument, scope),
        "$median" | "$percentile" => percentile(operator, argument, scope),
        "$accumulator" => Err(Error::new(
            Code::NOT_IMPLEMENTED,
            "$accumulator needs JavaScript, which this server does not run",
        )),
        _ => Err(Error::location(15952, format!("unknown group operator '{operator}'"))),
    }
}

/// `{n, input}`.
fn many(
    operator: &str,
    order: Order,
    argument: RawBsonRef<'_>,
    scope: &Scope,
) -> Result<(Operation, Expression), Error> {
    let RawBsonRef::Document(document) = argument else {
        let number = match order {
            Order::First | Order::Last => 5_787_801,
            _ => 5_787_900,
        };
        return Err(Error::location(
            number,
            format!("specification must be an object; found {operator}: {}", describe(argument)),
        ));
    };
    let (mut count, mut input) = (None, None);
    for field in fields(document) {
        match field? {
            ("n", value) => count = Some(Arc::new(Expression::parse(value, scope)?)),
            ("input", value) => input = Some(Expression::parse(value, scope)?),
            (name, _) => {
                return Err(Error::location(
                    5_787_901,
                    format!("Unknown argument for {operator} operator: {name}"),
                ));
            }
        }
    }
    let count = count.ok_or_else(|| Error::location(5_787_906, "Missing value for 'n'"))?;
    let input = input.ok_or_else(|| Error::location(5_787_907, "Missing value for 'input'"))?;
    Ok((Operation::Select(Select { count: Some(count), order, is_array: true }), input))
}

/// `{n, sortBy, output}`.
fn sorted(
    operator: &str,
    is_array: bool,
    argument: RawBsonRef<'_>,
    scope: &Scope,
) -> Result<(Operation, Expression), Error> {
    let RawBsonRef::Document(document) = argument else {
        return Err(Error::location(
            5_788_001,
            format!("specification must be an object; found {operator}: {}", describe(argument)),
        ));
    };
    let (mut count, mut sort, mut output) = (None, None, None);
    for field in fields(document) {
        match field? {
            ("n", value) if is_array => count = Some(Arc::new(Expression::parse(value, scope)?)),
            ("sortBy", RawBsonRef::Document(value)) => sort = Some(value),
            ("sortBy", value) => {
                return Err(Error::location(
                    10065,
                    format!("expected 'sortBy' to be an object, found {}", type_name(value)),
                ));
            }
            ("output", value) => output = Some(value),
            (name, _) => {
                return Err(Error::location(
                    5_788_002,
                    format!("Unknown argument to {operator} '{name}'"),
                ));
            }
        }
    }
    if is_array && count.is_none() {
        return Err(Error::location(5_788_003, "Missing value for 'n'"));
    }
    let output = output.ok_or_else(|| Error::location(5_788_004, "Missing value for 'output'"))?;
    let sort = sort.ok_or_else(|| Error::location(5_788_005, "Missing value for 'sortBy'"))?;
    let sort = Arc::new(Sort::parse(sort, SortMode::Aggregate, scope)?);
    let output = Expression::parse(output, scope)?;
    let is_top = operator.starts_with("$top");
    let order = if is_top { Order::Top(sort) } else { Order::Bottom(sort) };
    Ok((Operation::Select(Select { count, order, is_array }), output))
}

/// The `n` of `$firstN` and so on.
pub(super) fn check_count(value: Option<RawBsonRef<'_>>) -> Result<usize, Error> {
    let shown = || value.map_or_else(|| "missing".to_owned(), describe);
    if !value.is_some_and(is_number) {
        return Err(Error::location(
            5_787_902,
            format!("Value for 'n' must be of integral type, but found {}", shown()),
        ));
    }
    let Some(count) = value.and_then(integer) else {
        return Err(Error::location(
            5_787_903,
            format!("Value for 'n' must be of integral type, but found {}", shown()),
        ));
    };
    if count <= 0 {
        return Err(Error::location(
            5_787_908,
            format!("'n' must be greater than 0, found {count}"),
        ));
    }
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// `{input, p, method}`.
fn percentile(
    operator: &str,
    argument: RawBsonRef<'_>,
    scope: &Scope,
) -> Result<(Operation, Expression), Error> {
    let single = operator == "$median";
    let RawBsonRef::Document(document) = argument else {
        let number = if single { 7_436_100 } else { 7_429_703 };
        return Err(Error::location(
            number,
            format!("specification must be an object; found {operator}: {}", describe(argument)),
        ));
    };
    let (mut input, mut points, mut method) = (None, None, None);
    for field in fields(document) {
        match field? {
            ("input", value) => input = Some(Expression::parse(value, scope)?),
            ("p", value) if !single => points = Some(parse_points(value, scope)?),
            ("method", value) => method = Some(value),
            (name, _) => return Err(unknown_field(operator, name)),
        }
    }
    let input = input.ok_or_else(|| missing_field(operator, "input"))?;
    let points = match points {
        Some(points) => points,
        None if single => vec![0.5],
        None => return Err(missing_field(operator, "p")),
    };
    match method.ok_or_else(|| missing_field(operator, "method"))? {
        RawBsonRef::String("approximate") => {}
        RawBsonRef::String(_) => {
            return Err(Error::new(
                Code::BAD_VALUE,
                "Currently only 'approximate' can be used as percentile 'method'.",
            ));
        }
        other => return Err(wrong_type(operator, "method", other, "string")),
    }
    Ok((Operation::Percentile { points: points.into(), single }, input))
}

fn parse_points(value: RawBsonRef<'_>, scope: &Scope) -> Result<Vec<f64>, Error> {
    let refused = |number: i32, value: RawBsonRef<'_>| {
        Error::location(
            number,
            format!(
                "The $percentile 'p' field must be an array of numbers from [0.0, 1.0], but found: {}",
                describe(value)
            ),
        )
    };
    let expression = Expression::parse(value, scope)?;
    let Some(constant) = expression.as_constant() else {
        return Err(Error::location(
            7_750_300,
            "The $percentile 'p' field must be an array of constant values",
        ));
    };
    let array = match constant {
        Some(RawBsonRef::Array(array)) if !array.is_empty() => array,
        _ => return Err(refused(7_750_301, value)),
    };
    items(array)
        .map(|item| {
            let item = item?;
            let number = Number::from_bson(item).ok_or_else(|| refused(7_750_302, item))?;
            let point = crate::aggregate::number::to_double(number);
            if !(0.0..=1.0).contains(&point) {
                return Err(refused(7_750_303, item));
            }
            Ok(point)
        })
        .collect()
}
