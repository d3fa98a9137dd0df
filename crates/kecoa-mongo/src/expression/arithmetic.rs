//! `$add`, `$subtract`, `$multiply`, `$divide`, `$mod`, `$abs`.
//!
//! The result has the widest type of the operands: int32, int64, double, decimal. An int32 that overflows becomes
//! an int64, an int64 a double.

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

fn difference(left: Number, right: Number) -> Number {
    left.checked_sub(right)
        .unwrap_or_else(|_| Number::Double(left.lossy_double() - right.lossy_double()))
}

fn date_overflow<T>(operator: &str) -> Result<T, Error> {
    Err(Error::new(Code::OVERFLOW, format!("date overflow in {operator}")))
}

/// Milliseconds, rounded.
fn milliseconds(number: Number) -> Option<i64> {
    match number {
        Number::Int32(value) => Some(i64::from(value)),
        Number::Int64(value) => Some(value),
        Number::Double(value) => {
            double_to_int64(value).and_then(|_| double_to_int64(value.round()))
        }
        Number::Decimal(value) => decimal_to_int64(value.to_integral()).map(|(whole, _)| whole),
    }
}

/// A result of integers alone: an int32 if all of them were, and it fits.
fn whole(value: i64, long: bool) -> RawBson {
    match i32::try_from(value) {
        Ok(narrow) if !long => RawBson::Int32(narrow),
        _ => RawBson::Int64(value),
    }
}

/// A sum on the way: its type is known at the end, so that what overflows an int32 in between may come back.
#[derive(Clone, Copy, Debug)]
enum Total {
    Whole { value: i64, long: bool },
    Double(f64),
    Decimal(Decimal),
}

impl Total {
    fn plus(self, number: Number) -> Self {
        let integer = match number {
            Number::Int32(value) => Some((i64::from(value), false)),
            Number::Int64(value) => Some((value, true)),
            Number::Double(_) | Number::Decimal(_) => None,
        };
        match (self, number, integer) {
            (Self::Whole { value, long }, _, Some((more, wide))) => match value.checked_add(more) {
                Some(sum) => Self::Whole { value: sum, long: long || wide },
                None => Self::Double(value as f64 + more as f64),
            },
            (_, Number::Decimal(more), _) => Self::Decimal(self.number().lossy_decimal() + more),
            (Self::Decimal(total), _, _) => Self::Decimal(total + number.lossy_decimal()),
            (Self::Whole { value, .. }, _, _) => Self::Double(value as f64 + number.lossy_double()),
            (Self::Double(total), _, _) => Self::Double(total + number.lossy_double()),
        }
    }

    fn number(self) -> Number {
        match self {
            Self::Whole { value, .. } => Number::Int64(value),
            Self::Double(value) => Number::Double(value),
            Self::Decimal(value) => Number::Decimal(value),
        }
    }

    fn to_bson(self) -> RawBson {
        match self {
            Self::Whole { value, long } => whole(value, long),
            other => other.number().to_bson(),
        }
    }
}

/// `$add`: numbers, and at most one date among them.
#[derive(Debug)]
struct Sum(Vec<Node>);

impl Evaluate for Sum {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let mut total = Total::Whole { value: 0, long: false };
        let mut date: Option<i64> = None;
        // Each number beside a date is rounded by itself.
        let later = |date: i64, number| match milliseconds(number) {
            Some(more) => date.checked_add(more).map_or_else(|| date_overflow("$add"), Ok),
            None => date_overflow("$add"),
        };
        for node in &self.0 {
            let value = node.evaluate(context)?;
            if is_nullish(value.as_ref()) {
                return null();
            }
            if let Some(RawBsonRef::DateTime(found)) = view(&value) {
                if date.is_some() {
                    return fail(16612, "only one date allowed in an $add expression".to_owned());
                }
                date = Some(later(found.timestamp_millis(), total.number())?);
            } else if let Some(found) = number(&value) {
                match date {
                    Some(so_far) => date = Some(later(so_far, found)?),
                    None => total = total.plus(found),
                }
            } else {
                let found = type_of(&value);
                let text = format!("$add only supports numeric or date types, not {found}");
                return Err(Error::new(Code::TYPE_MISMATCH, text));
            }
        }
        match date {
            Some(date) => present(DateTime::from_millis(date)),
            None => present(total.to_bson()),
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

/// A product on the way; the one of doubles is kept beside that of integers, which may overflow.
#[derive(Clone, Copy, Debug)]
struct Factors {
    doubles: f64,
    kind: Factor,
}

#[derive(Clone, Copy, Debug)]
enum Factor {
    Whole { value: i64, long: bool },
    Double,
    Decimal(Decimal),
}

impl Factors {
    fn times(&mut self, number: Number) {
        if let (Factor::Decimal(_), _) | (_, Number::Decimal(_)) = (self.kind, number) {
            let so_far = match self.kind {
                Factor::Whole { value, .. } => Decimal::from(value),
                Factor::Double => Number::Double(self.doubles).lossy_decimal(),
                Factor::Decimal(value) => value,
            };
            self.kind = Factor::Decimal(so_far * number.lossy_decimal());
            return;
        }
        self.doubles *= number.lossy_double();
        let Factor::Whole { value, long } = self.kind else { return };
        let (by, wide) = match number {
            Number::Int32(by) => (Some(i64::from(by)), false),
            Number::Int64(by) => (Some(by), true),
            Number::Double(_) | Number::Decimal(_) => (None, false),
        };
        self.kind = match by.and_then(|by| value.checked_mul(by)) {
            Some(value) => Factor::Whole { value, long: long || wide },
            None => Factor::Double,
        };
    }

    fn to_bson(self) -> RawBson {
        match self.kind {
            Factor::Whole { value, long } => whole(value, long),
            Factor::Double => RawBson::Double(self.doubles),
            Factor::Decimal(value) => Number::Decimal(value).to_bson(),
        }
    }
}

#[derive(Debug)]
struct Product(Vec<Node>);

impl Evaluate for Product {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let mut product = Factors { doubles: 1.0, kind: Factor::Whole { value: 1, long: false } };
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
            product.times(found);
        }
        present(product.to_bson())
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
        let decimal = [dividend, divisor].iter().any(|side| matches!(side, Number::Decimal(_)));
        let code = if decimal { 5_733_415 } else { 16610 };
        return fail(code, "can't $mod by zero".to_owned());
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
