//! Trigonometry, in radians.

use ::bson::RawBson;

use super::arithmetic::not_numeric;
use super::context::Outcome;
use super::outcome::{fail, is_nullish, null, number, present, shown, type_of};
use super::parser::{Definition, Operator};
use crate::bson::decimal128::Decimal;
use crate::bson::number::Number;
use crate::value::Value;

macro_rules! functions {
    ($($name:literal => $double:expr, $decimal:expr, $least:expr, $most:expr, $domain:literal;)*) => {
        &[
            $(Operator {
                name: $name,
                definition: Definition::Unary(|value| {
                    let domain = Domain { least: $least, most: $most, text: $domain };
                    apply($name, value, $double, $decimal, &domain)
                }),
            },)*
            Operator { name: "$atan2", definition: Definition::Binary(atan2) },
            Operator {
                name: "$degreesToRadians",
                definition: Definition::Unary(|value| {
                    apply("$degreesToRadians", value, f64::to_radians, Decimal::to_radians, &ALL)
                }),
            },
            Operator {
                name: "$radiansToDegrees",
                definition: Definition::Unary(|value| {
                    apply("$radiansToDegrees", value, f64::to_degrees, Decimal::to_degrees, &ALL)
                }),
            },
        ]
    };
}

pub(super) const OPERATORS: &[Operator] = functions! {
    "$acos" => f64::acos, Decimal::acos, -1.0, 1.0, "[-1,1]";
    "$acosh" => f64::acosh, Decimal::acosh, 1.0, f64::INFINITY, "[1,inf]";
    "$asin" => f64::asin, Decimal::asin, -1.0, 1.0, "[-1,1]";
    "$asinh" => f64::asinh, Decimal::asinh, f64::NEG_INFINITY, f64::INFINITY, "";
    "$atan" => f64::atan, Decimal::atan, f64::NEG_INFINITY, f64::INFINITY, "";
    "$atanh" => f64::atanh, Decimal::atanh, -1.0, 1.0, "[-1,1]";
    "$cos" => f64::cos, Decimal::cos, f64::MIN, f64::MAX, "(-inf,inf)";
    "$cosh" => f64::cosh, Decimal::cosh, f64::NEG_INFINITY, f64::INFINITY, "";
    "$sin" => f64::sin, Decimal::sin, f64::MIN, f64::MAX, "(-inf,inf)";
    "$sinh" => f64::sinh, Decimal::sinh, f64::NEG_INFINITY, f64::INFINITY, "";
    "$tan" => f64::tan, Decimal::tan, f64::MIN, f64::MAX, "(-inf,inf)";
    "$tanh" => f64::tanh, Decimal::tanh, f64::NEG_INFINITY, f64::INFINITY, "";
};

/// The values that a function takes.
struct Domain {
    least: f64,
    most: f64,
    text: &'static str,
}

const ALL: Domain = Domain { least: f64::NEG_INFINITY, most: f64::INFINITY, text: "" };

impl Domain {
    /// NaN is within.
    fn holds(&self, value: Number) -> bool {
        let nan = match value {
            Number::Double(value) => value.is_nan(),
            Number::Decimal(value) => value.is_nan(),
            _ => false,
        };
        nan || self.least == f64::MIN
            && !matches!(value.lossy_double(), f64::INFINITY | f64::NEG_INFINITY)
            || value >= Number::Double(self.least) && value <= Number::Double(self.most)
    }
}

fn apply<'v>(
    name: &str,
    value: Option<Value<'v>>,
    double: fn(f64) -> f64,
    decimal: fn(Decimal) -> Decimal,
    domain: &Domain,
) -> Outcome<'v> {
    if is_nullish(value.as_ref()) {
        return null();
    }
    let Some(found) = number(&value) else { return fail(28765, not_numeric(name, &value)) };
    if !domain.holds(found) {
        let (found, within) = (shown(&value), domain.text);
        return fail(50989, format!("cannot apply {name} to {found}, value must be in {within}"));
    }
    present(match found {
        Number::Decimal(value) => Number::Decimal(decimal(value)).to_bson(),
        other => RawBson::Double(double(other.lossy_double())),
    })
}

fn atan2<'v>(left: Option<Value<'v>>, right: Option<Value<'v>>) -> Outcome<'v> {
    let refuse = |code, found: &Option<Value<'_>>| {
        fail(code, format!("$atan2 only supports numeric types, not {}", type_of(found)))
    };
    if is_nullish(left.as_ref()) {
        return null();
    }
    let Some(y) = number(&left) else { return refuse(51044, &left) };
    if is_nullish(right.as_ref()) {
        return null();
    }
    let Some(x) = number(&right) else { return refuse(51045, &right) };
    present(match (y, x) {
        (Number::Decimal(_), _) | (_, Number::Decimal(_)) => {
            Number::Decimal(y.lossy_decimal().atan2(x.lossy_decimal())).to_bson()
        }
        _ => RawBson::Double(y.lossy_double().atan2(x.lossy_double())),
    })
}
