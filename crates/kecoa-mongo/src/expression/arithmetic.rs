//! `$add`, `$subtract`, `$multiply`, `$divide`, `$mod`, `$abs`.
//!
//! The result has the widest type of the operands: int32, int64, double, decimal. An int32 that overflows becomes
//! an int64, an int64 a double.

use std::ops::{Add as _, Mul as _, Sub as _};

use ::bson::{DateTime, RawBson, RawBsonRef};

use super::context::{Context, Outcome};
use super::integers::{decimal_to_int64, double_to_int64, truncated};
use super::node::{Evaluate, Node};
use super::outcome::{fail, is_nullish, null, number, present, type_of, view};
use super::parser::{Definition, Operator, Parser};
use crate::bson::decimal128::Decimal;
use crate::bson::number::Number;
use crate::error::{Code, Error};
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$abs", definition: Definition::Unary(abs) },
    Operator { name: "$add", definition: Definition::Own(parse_add) },
    Operator { name: "$divide", definition: Definition::Binary(divide) },
    Operator { name: "$mod", definition: Definition::Binary(modulo) },
    Operator { name: "$multiply", definition: Definition::Own(parse_multiply) },
    Operator { name: "$subtract", definition: Definition::Binary(subtract) },
];

/// The sum; a double where 64 bits overflow.
pub(super) fn sum(left: Number, right: Number) -> Number {
    widened(left.checked_add(right), left, right, f64::add)
}

fn difference(left: Number, right: Number) -> Number {
    widened(left.checked_sub(right), left, right, f64::sub)
}

fn product(left: Number, right: Number) -> Number {
    widened(left.checked_mul(right), left, right, f64::mul)
}

fn widened<E>(
    result: Result<Number, E>,
    left: Number,
    right: Number,
    doubles: fn(f64, f64) -> f64,
) -> Number {
    result.unwrap_or_else(|_| Number::Double(doubles(left.lossy_double(), right.lossy_double())))
}

fn date_overflow<T>(operator: &str) -> Result<T, Error> {
    Err(Error::new(Code::OVERFLOW, format!("date overflow in {operator}")))
}

/// Milliseconds, rounded.
fn milliseconds(number: Number) -> Option<i64> {
    match number {
        Number::Int32(value) => Some(i64::from(value)),
        Number::Int64(value) => Some(value),
        Number::Double(value) => double_to_int64(value.round()),
        Number::Decimal(value) => decimal_to_int64(value.to_integral()).map(|(whole, _)| whole),
    }
}

/// `$add`: numbers, and at most one date among them.
#[derive(Debug)]
struct Sum(Vec<Node>);

impl Evaluate for Sum {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let mut total = Number::Int32(0);
        let mut date = None;
        for node in &self.0 {
            let value = node.evaluate(context)?;
            if is_nullish(value.as_ref()) {
                return null();
            }
            if let Some(RawBsonRef::DateTime(found)) = view(&value) {
                if date.replace(found).is_some() {
                    return fail(16612, "only one date allowed in an $add expression".to_owned());
                }
            } else if let Some(found) = number(&value) {
                total = sum(total, found);
            } else {
                let found = type_of(&value);
                let text = format!("$add only supports numeric or date types, not {found}");
                return Err(Error::new(Code::TYPE_MISMATCH, text));
            }
        }
        let Some(date) = date else { return present(total.to_bson()) };
        match milliseconds(total).and_then(|more| date.timestamp_millis().checked_add(more)) {
            Some(sum) => present(DateTime::from_millis(sum)),
            None => date_overflow("$add"),
        }
    }
}

fn parse_add(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    Ok(Node::special(Sum(parser.positional(argument)?)))
}

#[derive(Debug)]
struct Product(Vec<Node>);

impl Evaluate for Product {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let mut total = Number::Int32(1);
        for node in &self.0 {
            let value = node.evaluate(context)?;
            if is_nullish(value.as_ref()) {
                return null();
            }
            let Some(found) = number(&value) else {
                let found = type_of(&value);
                let text = format!("$multiply only supports numeric types, not {found}");
                return Err(Error::new(Code::TYPE_MISMATCH, text));
            };
            total = product(total, found);
        }
        present(total.to_bson())
    }
}

fn parse_multiply(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    Ok(Node::special(Product(parser.positional(argument)?)))
}

fn subtract<'v>(left: Option<Value<'v>>, right: Option<Value<'v>>) -> Outcome<'v> {
    if is_nullish(left.as_ref()) || is_nullish(right.as_ref()) {
        return null();
    }
    if let (Some(left), Some(right)) = (number(&left), number(&right)) {
        return present(difference(left, right).to_bson());
    }
    if let Some(RawBsonRef::DateTime(from)) = view(&left) {
        let from = from.timestamp_millis();
        if let Some(RawBsonRef::DateTime(less)) = view(&right) {
            return match from.checked_sub(less.timestamp_millis()) {
                Some(difference) => present(difference),
                None => date_overflow("$subtract"),
            };
        }
        if let Some(less) = number(&right) {
            return match milliseconds(less).and_then(|less| from.checked_sub(less)) {
                Some(difference) => present(DateTime::from_millis(difference)),
                None => date_overflow("$subtract"),
            };
        }
    }
    let text = format!("can't $subtract {} from {}", type_of(&right), type_of(&left));
    Err(Error::new(Code::TYPE_MISMATCH, text))
}

fn divide<'v>(left: Option<Value<'v>>, right: Option<Value<'v>>) -> Outcome<'v> {
    if is_nullish(left.as_ref()) || is_nullish(right.as_ref()) {
        return null();
    }
    let (Some(dividend), Some(divisor)) = (number(&left), number(&right)) else {
        let (left, right) = (type_of(&left), type_of(&right));
        let text = format!("$divide only supports numeric types, not {left} and {right}");
        return Err(Error::new(Code::TYPE_MISMATCH, text));
    };
    if divisor == Number::Int32(0) {
        return Err(Error::new(Code::BAD_VALUE, "can't $divide by zero"));
    }
    present(match (dividend, divisor) {
        (Number::Decimal(_), _) | (_, Number::Decimal(_)) => {
            Number::Decimal(dividend.lossy_decimal() / divisor.lossy_decimal()).to_bson()
        }
        _ => RawBson::Double(dividend.lossy_double() / divisor.lossy_double()),
    })
}

fn modulo<'v>(left: Option<Value<'v>>, right: Option<Value<'v>>) -> Outcome<'v> {
    if is_nullish(left.as_ref()) || is_nullish(right.as_ref()) {
        return null();
    }
    let (Some(dividend), Some(divisor)) = (number(&left), number(&right)) else {
        let (left, right) = (type_of(&left), type_of(&right));
        return fail(16611, format!("$mod only supports numeric types, not {left} and {right}"));
    };
    if divisor == Number::Int32(0) {
        return fail(16610, "can't $mod by zero".to_owned());
    }
    present(match (dividend, divisor) {
        (Number::Decimal(_), _) | (_, Number::Decimal(_)) => {
            Number::Decimal(dividend.lossy_decimal() % divisor.lossy_decimal()).to_bson()
        }
        (Number::Double(_), _) | (_, Number::Double(_)) => {
            RawBson::Double(dividend.lossy_double() % divisor.lossy_double())
        }
        (Number::Int32(dividend), Number::Int32(divisor)) => {
            RawBson::Int32(dividend.wrapping_rem(divisor))
        }
        _ => RawBson::Int64(truncated(dividend).wrapping_rem(truncated(divisor))),
    })
}

fn abs(value: Option<Value<'_>>) -> Outcome<'_> {
    if is_nullish(value.as_ref()) {
        return null();
    }
    present(match number(&value) {
        Some(Number::Int32(value)) => {
            value.checked_abs().map_or(RawBson::Int64(i64::from(value).abs()), RawBson::Int32)
        }
        Some(Number::Int64(value)) => match value.checked_abs() {
            Some(value) => RawBson::Int64(value),
            None => return fail(28680, "can't take $abs of long long min".to_owned()),
        },
        Some(Number::Double(value)) => RawBson::Double(value.abs()),
        Some(Number::Decimal(value)) => {
            Number::Decimal(Decimal { negative: false, ..value }).to_bson()
        }
        None => return fail(28765, not_numeric("$abs", &value)),
    })
}

/// The text of 28765.
pub(super) fn not_numeric(operator: &str, value: &Option<Value<'_>>) -> String {
    format!("{operator} only supports numeric types, not {}", type_of(value))
}
