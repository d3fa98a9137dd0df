//! `$ceil`, `$floor`, `$round`, `$trunc`.

use ::bson::RawBson;

use super::arithmetic::not_numeric;
use super::context::Outcome;
use super::integers::{decimal_to_int64, to_int32};
use super::outcome::{fail, is_nullish, null, number, present, shown, type_of};
use super::parser::{Definition, Operator};
use crate::bson::decimal128::{Decimal, Rounding};
use crate::bson::number::Number;
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator {
        name: "$ceil",
        definition: Definition::Unary(|value| whole("$ceil", value, f64::ceil, Rounding::Ceiling)),
    },
    Operator {
        name: "$floor",
        definition: Definition::Unary(|value| whole("$floor", value, f64::floor, Rounding::Floor)),
    },
    Operator {
        name: "$round",
        definition: Definition::Ranged(1, 2, |values| places("$round", values, Rounding::HalfEven)),
    },
    Operator {
        name: "$trunc",
        definition: Definition::Ranged(1, 2, |values| places("$trunc", values, Rounding::Down)),
    },
];

fn whole<'v>(
    operator: &str,
    value: Option<Value<'v>>,
    double: fn(f64) -> f64,
    rounding: Rounding,
) -> Outcome<'v> {
    if is_nullish(value.as_ref()) {
        return null();
    }
    match number(&value) {
        Some(Number::Int32(_) | Number::Int64(_)) => Ok(value),
        Some(Number::Double(value)) => present(double(value)),
        Some(Number::Decimal(value)) => {
            present(Number::Decimal(value.rescale(0, rounding)).to_bson())
        }
        None => fail(28765, not_numeric(operator, &value)),
    }
}

fn places<'v>(operator: &str, values: Vec<Option<Value<'v>>>, rounding: Rounding) -> Outcome<'v> {
    let [value, precision @ ..] = &values[..] else { return null() };
    if is_nullish(value.as_ref()) {
        return null();
    }
    let Some(found) = number(value) else {
        let found = type_of(value);
        return fail(51081, format!("{operator} only supports numeric types, not {found}"));
    };
    let places = match precision {
        [] => 0,
        [precision, ..] if is_nullish(precision.as_ref()) => return null(),
        [precision, ..] => {
            let Some(number) = number(precision) else {
                let found = type_of(precision);
                return fail(16004, format!("can't convert from BSON type {found} to long"));
            };
            let Some(places) = to_int32(number) else {
                return fail(
                    51082,
                    format!("precision argument to {operator} must be a integral value"),
                );
            };
            places
        }
    };
    if !(-20..=100).contains(&places) {
        let text = format!(
            "cannot apply {operator} with precision value {places} value must be in [-20, 100]"
        );
        return fail(51083, text);
    }
    let rounded = |value: Decimal| value.rescale(-places, rounding);
    present(match found {
        Number::Int32(_) | Number::Int64(_) if places >= 0 => found.to_bson(),
        Number::Int32(_) | Number::Int64(_) => {
            let Some((result, _)) = decimal_to_int64(rounded(found.lossy_decimal())) else {
                let text = format!(
                    "invalid conversion from Decimal128 result in {operator} resulting from arguments: [{}, {places}]",
                    shown(value)
                );
                return fail(51080, text);
            };
            match (found, i32::try_from(result)) {
                (Number::Int32(_), Ok(narrow)) => RawBson::Int32(narrow),
                _ => RawBson::Int64(result),
            }
        }
        Number::Double(value) if !value.is_finite() => RawBson::Double(value),
        Number::Double(value) if places == 0 => RawBson::Double(match rounding {
            Rounding::Down => value.trunc(),
            _ => value.round_ties_even(),
        }),
        Number::Double(value) => {
            RawBson::Double(rounded(Decimal::from_double_exactly(value)).to_double())
        }
        Number::Decimal(value) => Number::Decimal(rounded(value)).to_bson(),
    })
}
